use muster_broker::fault::FaultName;
use muster_broker::services::{CapabilityFields, DeviceFields};

use crate::world::{IMEI_A, IMEI_B, World, admin, capability, fault, foreigner, id, page};

#[tokio::test]
async fn a_record_is_found_in_its_domain_by_oid_and_by_make_and_model() {
    let world = World::new();
    let broker = &world.broker;
    let every = broker.create_capability(&admin(), capability("One"), None).await.unwrap();
    let second = CapabilityFields { firmware_version: Some("2".into()), ..capability("One") };
    let second = broker.create_capability(&admin(), second, None).await.unwrap();
    let by_model = async |version| broker.capability_by_model(&admin(), "Acme", "One", version).await;
    assert_eq!(by_model(Some("2")).await.unwrap().oid, second.oid);
    assert_eq!(by_model(Some("3")).await.unwrap().oid, every.oid);
    assert_eq!(by_model(None).await.unwrap().oid, every.oid);
    assert_eq!(broker.capability_by_oid(&admin(), &every.oid.to_string()).await.unwrap(), every);
    let foreign = broker.capability_by_oid(&foreigner(), &every.oid.to_string()).await;
    assert_eq!(fault(foreign), FaultName::UnknownCapability);
    assert_eq!(fault(broker.capability_by_oid(&admin(), "c").await), FaultName::UnknownCapability);
    let other = broker.capability_by_model(&admin(), "Acme", "Two", None).await;
    assert_eq!(fault(other), FaultName::UnknownCapability);
}

#[tokio::test]
async fn what_a_record_holds_is_checked() {
    let world = World::new();
    for (fields, part) in [
        (CapabilityFields { oid: Some("c".into()), ..capability("One") }, "oid"),
        (CapabilityFields { manufacturer: String::new(), ..capability("One") }, "manufacturer"),
        (capability(""), "model"),
        (CapabilityFields { tac: vec!["1234567".into()], ..capability("One") }, "tac"),
        (CapabilityFields { tac: vec!["1234567x".into()], ..capability("One") }, "tac"),
        (CapabilityFields { max_msg_size: Some(0), ..capability("One") }, "maxMsgSize"),
        (CapabilityFields { dm_version: vec![String::new()], ..capability("One") }, "dmVersion"),
    ] {
        let refused = world.broker.create_capability(&admin(), fields, None).await.unwrap_err();
        assert_eq!((refused.name, refused.variables[0].as_str()), (FaultName::InvalidArgument, part));
    }
}

#[tokio::test]
async fn an_update_is_of_the_record_with_this_oid_and_version() {
    let world = World::new();
    let broker = &world.broker;
    let made = broker.create_capability(&admin(), capability("One"), None).await.unwrap();
    let changed =
        |oid: Option<String>, version| CapabilityFields { oid, version, max_msg_size: Some(4096), ..capability("One") };
    let oid = Some(made.oid.to_string());
    let stored = broker.update_capability(&admin(), changed(oid.clone(), Some(1))).await.unwrap();
    assert_eq!((stored.oid, stored.version, stored.max_msg_size), (made.oid, 2, Some(4096)));
    let unknown = Some("c-00000000000000000000000000000001".to_owned());
    for (fields, expected) in [
        (changed(None, None), FaultName::MissingArgument),
        (changed(unknown, None), FaultName::UnknownCapability),
        (changed(oid, Some(1)), FaultName::OutdatedVersion),
    ] {
        assert_eq!(fault(broker.update_capability(&admin(), fields).await), expected);
    }
}

#[tokio::test]
async fn a_record_that_a_device_refers_to_is_not_deleted() {
    let world = World::new();
    let broker = &world.broker;
    let made = broker.create_capability(&admin(), capability("One"), None).await.unwrap().oid.to_string();
    let device =
        DeviceFields { device_id: Some(id(IMEI_A)), capability_oid: Some(made.clone()), ..DeviceFields::default() };
    broker.create_device(&admin(), device, None).await.unwrap();
    assert_eq!(fault(broker.delete_capability(&admin(), &made, None).await), FaultName::InUse);
    broker.delete_device(&admin(), Some(id(IMEI_A)), None, None).await.unwrap();
    assert_eq!(fault(broker.delete_capability(&admin(), &made, Some(9)).await), FaultName::OutdatedVersion);
    broker.delete_capability(&admin(), &made, Some(1)).await.unwrap();
    assert_eq!(fault(broker.delete_capability(&admin(), &made, None).await), FaultName::UnknownCapability);
}

#[tokio::test]
async fn a_device_has_the_record_of_its_own_else_the_one_of_its_tac() {
    let world = World::new();
    let broker = &world.broker;
    let by_tac = CapabilityFields { tac: vec!["49015420".into()], ..capability("One") };
    let by_tac = broker.create_capability(&admin(), by_tac, None).await.unwrap();
    // No device record is needed.
    let of = async |imei: &str| broker.capability_by_device_id(&admin(), &id(imei)).await;
    assert_eq!(of(IMEI_A).await.unwrap().oid, by_tac.oid);
    assert_eq!(fault(of(IMEI_B).await), FaultName::UnknownDevice);
    world.stranger(None, Some(IMEI_B)).await;
    assert_eq!(fault(of(IMEI_B).await), FaultName::UnknownCapability);

    let own = broker.create_capability(&admin(), capability("Two"), None).await.unwrap();
    let device = DeviceFields {
        device_id: Some(id(IMEI_A)),
        capability_oid: Some(own.oid.to_string()),
        ..DeviceFields::default()
    };
    broker.create_device(&admin(), device, None).await.unwrap();
    assert_eq!(of(IMEI_A).await.unwrap().oid, own.oid);
}

#[tokio::test]
async fn records_are_listed_by_make_and_model() {
    let world = World::new();
    let broker = &world.broker;
    for model in ["One", "Two"] {
        broker.create_capability(&admin(), capability(model), None).await.unwrap();
    }
    let total = async |make: Option<&str>, model: Option<&str>| {
        let listed =
            broker.capabilities(&admin(), make.map(str::to_owned), model.map(str::to_owned), None, &page()).await;
        listed.unwrap().total
    };
    assert_eq!(
        (total(None, None).await, total(Some("Acme"), Some("Two")).await, total(Some("X"), None).await),
        (2, 1, 0)
    );
}
