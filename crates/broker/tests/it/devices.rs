use muster_broker::device::{AuthType, ManagementState};
use muster_broker::fault::FaultName;
use muster_broker::job::DeviceFilter;
use muster_broker::services::{AccountFields, DeviceFields};
use muster_broker::task::TaskStatus;

use crate::world::{
    IMEI_A, IMEI_B, NUMBER_A, NUMBER_B, World, account, admin, capability, fault, foreigner, id, msisdn, page, query,
};

fn fields(imei: &str) -> DeviceFields {
    DeviceFields { device_id: Some(id(imei)), ..DeviceFields::default() }
}

#[tokio::test]
async fn a_record_is_found_by_identifier_number_and_oid_in_its_domain_only() {
    let world = World::new();
    let stored = world.device(NUMBER_A, IMEI_A).await;
    let broker = &world.broker;
    let oid = stored.oid.to_string();
    assert_eq!(stored.version, 1);
    assert_eq!(broker.device_by_device_id(&admin(), &id(IMEI_A)).await.unwrap(), stored);
    assert_eq!(broker.device_by_phone_number(&admin(), &msisdn(NUMBER_A)).await.unwrap(), stored);
    assert_eq!(broker.device_by_oid(&admin(), &oid).await.unwrap(), stored);
    for refused in [
        broker.device_by_device_id(&foreigner(), &id(IMEI_A)).await,
        broker.device_by_phone_number(&foreigner(), &msisdn(NUMBER_A)).await,
        broker.device_by_oid(&foreigner(), &oid).await,
        broker.device_by_oid(&admin(), "d").await,
        broker.device_by_device_id(&admin(), &id(IMEI_B)).await,
    ] {
        assert_eq!(fault(refused), FaultName::UnknownDevice);
    }
    world.stranger(Some(NUMBER_A), None).await;
    let several = broker.device_by_phone_number(&admin(), &msisdn(NUMBER_A)).await;
    assert_eq!(fault(several), FaultName::AmbiguousDevice);
}

#[tokio::test]
async fn a_record_needs_an_identifier_or_a_number() {
    let world = World::new();
    let none = world.broker.create_device(&admin(), DeviceFields::default(), None).await;
    assert_eq!(fault(none), FaultName::MissingArgument);
}

#[tokio::test]
async fn what_a_record_holds_is_checked() {
    let world = World::new();
    let named = |name: &str| (name.to_owned(), "v".to_owned());
    let with = |change: &dyn Fn(&mut DeviceFields)| {
        let mut fields = fields(IMEI_A);
        change(&mut fields);
        fields
    };
    let nonce = |octets: usize| AccountFields { client_nonce: Some(vec![0; octets]), ..account("a") };
    for (given, expected) in [
        (with(&|f| f.oid = Some("d000-1".into())), FaultName::InvalidArgument),
        (with(&|f| f.imsi = Some("12345".into())), FaultName::InvalidArgument),
        (with(&|f| f.imsi = Some("1234567890123456".into())), FaultName::InvalidArgument),
        (with(&|f| f.imsi = Some("26201x".into())), FaultName::InvalidArgument),
        (with(&|f| f.manufacturer = Some(String::new())), FaultName::InvalidArgument),
        (with(&|f| f.model = Some("m".repeat(256))), FaultName::InvalidArgument),
        (with(&|f| f.group = vec!["g".repeat(101)]), FaultName::InvalidArgument),
        (with(&|f| f.group = vec!["g".into(), "g".into()]), FaultName::InvalidArgument),
        (with(&|f| f.attribute = vec![named("a"), named("a")]), FaultName::InvalidArgument),
        (with(&|f| f.attribute = (0..101).map(|n| named(&n.to_string())).collect()), FaultName::InvalidArgument),
        (with(&|f| f.account = Some(account(""))), FaultName::InvalidArgument),
        (with(&|f| f.account = Some(nonce(256))), FaultName::InvalidArgument),
        (
            with(&|f| f.account = Some(AccountFields { client_secret: None, ..account("a") })),
            FaultName::MissingArgument,
        ),
        (with(&|f| f.subscriber_id = Some("s".into())), FaultName::UnknownSubscriber),
        (with(&|f| f.capability_oid = Some("none".into())), FaultName::UnknownCapability),
        (with(&|f| f.capability_oid = Some("c-00000000000000000000000000000001".into())), FaultName::UnknownCapability),
    ] {
        let told = format!("{given:?}");
        assert_eq!(fault(world.broker.create_device(&admin(), given, None).await), expected, "{told}");
    }
    let whole = with(&|f| {
        f.imsi = Some("262011".into());
        f.group = vec!["pilot".into()];
        f.attribute = vec![named("a"), named("b")];
        f.account = Some(nonce(255));
    });
    assert!(world.broker.create_device(&admin(), whole, None).await.is_ok());
}

#[tokio::test]
async fn secrets_are_sealed_before_they_are_stored_and_never_in_faults() {
    let world = World::new();
    let given = DeviceFields { account: Some(account("a")), ..fields(IMEI_A) };
    let kept = world.broker.create_device(&admin(), given, None).await.unwrap().account.unwrap();
    assert_eq!(world.broker.vault().open(&kept.client_secret).unwrap(), b"client secret");
    assert_eq!(world.broker.vault().open(&kept.server_secret.unwrap()).unwrap(), b"server secret");
    let bad = AccountFields { client_secret: Some("hunter2\u{1}".into()), ..account("b") };
    let given = DeviceFields { account: Some(bad), ..fields(IMEI_B) };
    let refused = world.broker.create_device(&admin(), given, None).await.unwrap_err();
    assert_eq!(refused.name, FaultName::InvalidArgument);
    assert!(!format!("{refused:?}").contains("hunter2"));
}

#[tokio::test]
async fn identifiers_and_account_names_are_taken_once() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let same_id = world.broker.create_device(&admin(), fields(IMEI_A), None).await;
    assert_eq!(fault(same_id), FaultName::AlreadyExists);
    let same_name = DeviceFields { account: Some(account(IMEI_A)), ..fields(IMEI_B) };
    assert_eq!(fault(world.broker.create_device(&foreigner(), same_name, None).await), FaultName::AlreadyExists);
    // A number may stand in several records.
    let same_number = DeviceFields { phone_number: Some(msisdn(NUMBER_A)), ..fields(IMEI_B) };
    assert!(world.broker.create_device(&admin(), same_number, None).await.is_ok());
}

#[tokio::test]
async fn an_update_replaces_the_record_but_keeps_account_and_secrets_left_out() {
    let world = World::new();
    let stored = world.device(NUMBER_A, IMEI_A).await;
    let changed = DeviceFields {
        model: Some("One".into()),
        account: Some(AccountFields {
            auth_type: AuthType::Basic,
            client_secret: None,
            server_secret: None,
            ..account("renamed")
        }),
        ..fields(IMEI_A)
    };
    let next = world.broker.update_device(&admin(), changed).await.unwrap();
    assert_eq!((next.oid, next.version, next.model.as_deref()), (stored.oid, 2, Some("One")));
    assert_eq!(next.phone_number, None);
    let account = next.account.unwrap();
    assert_eq!((account.auth_type, account.client_name.as_str()), (AuthType::Basic, "renamed"));
    assert_eq!(world.broker.vault().open(&account.client_secret).unwrap(), b"client secret");
    assert_eq!(world.broker.vault().open(&account.server_secret.unwrap()).unwrap(), b"server secret");

    let without = world.broker.update_device(&admin(), fields(IMEI_A)).await.unwrap();
    assert_eq!(without.account.unwrap().client_name, "renamed");
}

#[tokio::test]
async fn an_update_finds_the_record_by_oid_and_may_change_its_identifier() {
    let world = World::new();
    let stored = world.device(NUMBER_A, IMEI_A).await;
    let changed = DeviceFields { oid: Some(stored.oid.to_string()), ..fields(IMEI_B) };
    let next = world.broker.update_device(&admin(), changed).await.unwrap();
    assert_eq!((next.oid, next.device_id), (stored.oid, Some(id(IMEI_B))));
}

#[tokio::test]
async fn an_update_that_cannot_be_is_refused() {
    let world = World::new();
    world.stranger(Some(NUMBER_A), Some(IMEI_A)).await;
    let update = async |fields| fault(world.broker.update_device(&admin(), fields).await);
    let number_only = DeviceFields { phone_number: Some(msisdn(NUMBER_A)), ..DeviceFields::default() };
    assert_eq!(update(number_only).await, FaultName::MissingArgument);
    assert_eq!(update(fields(IMEI_B)).await, FaultName::UnknownDevice);
    assert_eq!(update(DeviceFields { version: Some(7), ..fields(IMEI_A) }).await, FaultName::OutdatedVersion);
    let no_secret = AccountFields { client_secret: None, ..account("a") };
    assert_eq!(update(DeviceFields { account: Some(no_secret), ..fields(IMEI_A) }).await, FaultName::MissingArgument);
}

#[tokio::test]
async fn deleting_a_record_cancels_its_tasks() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let broker = &world.broker;
    let task = broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
    broker.delete_device(&admin(), Some(id(IMEI_A)), None, None).await.unwrap();
    assert_eq!(broker.task_by_id(&admin(), &task).await.unwrap().status, TaskStatus::Cancelled);
    let again = broker.delete_device(&admin(), Some(id(IMEI_A)), None, None).await;
    assert_eq!(fault(again), FaultName::UnknownDevice);
}

#[tokio::test]
async fn a_record_to_delete_is_named_once_or_twice_the_same() {
    let world = World::new();
    let first = world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_B, IMEI_B).await;
    let delete = async |imei: Option<&str>, oid: Option<String>, version| {
        world.broker.delete_device(&admin(), imei.map(id), oid, version).await
    };
    let oid = Some(first.oid.to_string());
    assert_eq!(fault(delete(None, None, None).await), FaultName::MissingArgument);
    assert_eq!(fault(delete(Some(IMEI_B), oid.clone(), None).await), FaultName::ConflictingArguments);
    assert_eq!(fault(delete(None, oid.clone(), Some(9)).await), FaultName::OutdatedVersion);
    assert_eq!(fault(delete(None, Some("d".into()), None).await), FaultName::UnknownDevice);
    delete(Some(IMEI_A), oid, Some(1)).await.unwrap();
}

#[tokio::test]
async fn records_are_listed_by_what_they_hold() {
    let world = World::new();
    let broker = &world.broker;
    let made = DeviceFields {
        manufacturer: Some("Acme".into()),
        group: vec!["pilot".into()],
        attribute: vec![("site".into(), "north".into())],
        management_state: Some(ManagementState::Suspended),
        ..fields(IMEI_A)
    };
    broker.create_device(&admin(), made, None).await.unwrap();
    broker.create_device(&admin(), fields(IMEI_B), None).await.unwrap();
    let total = async |filter| broker.devices(&admin(), filter, None, &page()).await.unwrap().total;
    let any = DeviceFilter::default;
    assert_eq!(total(any()).await, 2);
    assert_eq!(total(DeviceFilter { manufacturer: Some("Acme".into()), ..any() }).await, 1);
    assert_eq!(total(DeviceFilter { group: Some("pilot".into()), ..any() }).await, 1);
    assert_eq!(total(DeviceFilter { attribute: vec![("site".into(), "north".into())], ..any() }).await, 1);
    assert_eq!(total(DeviceFilter { attribute: vec![("site".into(), "south".into())], ..any() }).await, 0);
    assert_eq!(total(DeviceFilter { management_state: Some(ManagementState::Suspended), ..any() }).await, 1);
    assert_eq!(broker.devices(&foreigner(), any(), None, &page()).await.unwrap().total, 0);
    let long = DeviceFilter { group: Some("g".repeat(101)), ..any() };
    assert_eq!(fault(broker.devices(&admin(), long, None, &page()).await), FaultName::InvalidArgument);
}

#[tokio::test]
async fn the_capability_record_is_the_one_named_or_the_best_match() {
    let world = World::new();
    let broker = &world.broker;
    let made = broker.create_capability(&admin(), capability("One"), None).await.unwrap();
    let matching = DeviceFields { manufacturer: Some("Acme".into()), model: Some("One".into()), ..fields(IMEI_A) };
    assert_eq!(broker.create_device(&admin(), matching, None).await.unwrap().capability, Some(made.oid));
    let named = DeviceFields { capability_oid: Some(made.oid.to_string()), ..fields(IMEI_B) };
    assert_eq!(broker.create_device(&admin(), named, None).await.unwrap().capability, Some(made.oid));
}
