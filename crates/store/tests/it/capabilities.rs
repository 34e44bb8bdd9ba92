//! Device capability records.

use muster_broker::capability::Capability;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::CapabilityOid;
use muster_broker::store::{CapabilityFilter, CapabilityKey, CapabilityWrite, DeviceVerdict, Once, WriteMode};

use crate::world::{ALL, TENANT, World, deed};

pub(crate) fn capability(world: &World, firmware_version: Option<&str>) -> Capability {
    Capability {
        oid: CapabilityOid(world.uuid()),
        tenant: TENANT.into(),
        manufacturer: "Acme".into(),
        model: "One".into(),
        firmware_version: firmware_version.map(Into::into),
        tac: vec!["49015420".into()],
        dm_version: vec!["1.2".into()],
        management_object: Vec::new(),
        bootstrap_method: Vec::new(),
        wbxml: Some(true),
        max_msg_size: Some(16_000),
        max_obj_size: None,
        attribute: vec![("a".into(), "b".into())],
        version: 1,
    }
}

async fn write(
    world: &World,
    capability: Capability,
    oid: Option<CapabilityOid>,
    version: Option<i64>,
) -> Result<Capability, Fault> {
    match world
        .store()
        .capability_write(CapabilityWrite { capability, oid, version }, deed("care"), None)
        .await
        .unwrap()
    {
        Once::Now(verdict) => verdict,
        other => panic!("{other:?}"),
    }
}

fn model(firmware_version: Option<&str>) -> CapabilityKey {
    CapabilityKey::Model {
        manufacturer: "Acme".into(),
        model: "One".into(),
        firmware_version: firmware_version.map(Into::into),
    }
}

#[tokio::test]
async fn the_most_specific_record_is_found_and_only_in_its_domain() {
    let world = World::new();
    let any = write(&world, capability(&world, None), None, None).await.unwrap();
    let exact =
        write(&world, Capability { tac: Vec::new(), ..capability(&world, Some("1.0")) }, None, None).await.unwrap();
    let find = async |key| world.store().capability_find(TENANT, key).await.unwrap();

    assert_eq!(find(model(Some("1.0"))).await, Some(exact.clone()));
    assert_eq!(find(model(Some("2.0"))).await, Some(any.clone()));
    assert_eq!(find(model(None)).await, Some(any.clone()));
    assert_eq!(find(CapabilityKey::Oid(exact.oid)).await, Some(exact));
    assert_eq!(find(CapabilityKey::Tac("49015420".into())).await, Some(any.clone()));
    assert_eq!(find(CapabilityKey::Tac("00000000".into())).await, None);
    assert_eq!(world.store().capability_find("beta", CapabilityKey::Oid(any.oid)).await.unwrap(), None);
    let make = CapabilityFilter { manufacturer: Some("Acme".into()), ..CapabilityFilter::default() };
    let listed = world.store().capability_list(TENANT, make, ALL).await.unwrap();
    assert_eq!((listed.total, listed.items.len()), (2, 2));
    let model = CapabilityFilter { model: Some("Two".into()), ..CapabilityFilter::default() };
    assert_eq!(world.store().capability_list(TENANT, model, ALL).await.unwrap().total, 0);
}

#[tokio::test]
async fn make_model_and_version_are_unique_and_versions_are_checked() {
    let world = World::new();
    let any = write(&world, capability(&world, None), None, None).await.unwrap();
    let twin = write(&world, capability(&world, None), None, None).await;
    assert_eq!(twin.unwrap_err().name, FaultName::AlreadyExists);
    let missing = write(&world, capability(&world, None), Some(CapabilityOid(world.uuid())), None).await;
    assert_eq!(missing.unwrap_err().name, FaultName::UnknownCapability);

    let mut changed = any.clone();
    changed.tac = vec!["35693803".into()];
    let after = write(&world, changed.clone(), Some(any.oid), Some(1)).await.unwrap();
    assert_eq!((after.version, after.oid), (2, any.oid));
    let outdated = write(&world, any.clone(), Some(any.oid), Some(1)).await;
    assert_eq!(outdated.unwrap_err().name, FaultName::OutdatedVersion);
    assert_eq!(write(&world, changed, Some(any.oid), None).await.unwrap().version, 2, "nothing to change");
    let by_tac = world.store().capability_find(TENANT, CapabilityKey::Tac("49015420".into())).await.unwrap();
    assert_eq!(by_tac, None, "the old code is gone");
}

#[tokio::test]
async fn a_device_gets_the_best_match_unless_a_record_is_named() {
    let world = World::new();
    let any = write(&world, capability(&world, None), None, None).await.unwrap();
    let device = world.device("one").await;
    assert_eq!(device.capability, Some(any.oid));

    let exact = write(&world, capability(&world, Some("1.0")), None, None).await.unwrap();
    let DeviceVerdict::Updated(after) = world.write(WriteMode::Replace, world.given("one")).await else {
        panic!("the better match is a change");
    };
    assert_eq!(after.capability, Some(exact.oid));

    let mut named = world.given("one");
    named.device.capability = Some(any.oid);
    let DeviceVerdict::Updated(after) = world.write(WriteMode::Replace, named.clone()).await else { panic!("named") };
    assert_eq!(after.capability, Some(any.oid));
    named.device.capability = Some(CapabilityOid(world.uuid()));
    let DeviceVerdict::Refused(fault) = world.write(WriteMode::Replace, named).await else { panic!("unknown") };
    assert_eq!(fault.name, FaultName::UnknownCapability);
}

#[tokio::test]
async fn a_record_that_devices_refer_to_is_not_deleted() {
    let world = World::new();
    let any = write(&world, capability(&world, None), None, None).await.unwrap();
    world.device("one").await;
    let delete = async |version| world.store().capability_delete(TENANT, any.oid, version, deed("care")).await.unwrap();

    assert_eq!(delete(Some(9)).await.unwrap_err().name, FaultName::OutdatedVersion);
    assert_eq!(delete(None).await.unwrap_err().name, FaultName::InUse);
    let mut given = world.given("one");
    given.device.model = Some("Two".into());
    world.write(WriteMode::Replace, given).await;
    delete(Some(1)).await.unwrap();
    assert_eq!(delete(None).await.unwrap_err().name, FaultName::UnknownCapability);
}
