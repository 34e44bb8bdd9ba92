use muster_broker::fault::FaultName;
use muster_broker::services::{AccountFields, DeviceFields};

use crate::world::{IMEI_A, IMEI_B, NUMBER_A, NUMBER_B, World, account, admin, fault, id, msisdn};

fn fields(imei: &str) -> DeviceFields {
    DeviceFields { device_id: Some(id(imei)), ..DeviceFields::default() }
}

#[tokio::test]
async fn an_import_tells_what_became_of_each_record() {
    let world = World::new();
    world.stranger(None, Some(IMEI_A)).await;
    world.stranger(Some(NUMBER_B), Some(IMEI_B)).await;
    let records = vec![
        DeviceFields { model: Some("One".into()), ..fields(IMEI_A) },
        DeviceFields { phone_number: Some(msisdn(NUMBER_B)), ..fields(IMEI_B) },
        fields("MEID:A1000012345678"),
        DeviceFields::default(),
        DeviceFields { imsi: Some("1".into()), ..fields("MEID:1") },
        DeviceFields { capability_oid: Some("c-00000000000000000000000000000001".into()), ..fields("MEID:2") },
    ];
    let result = world.broker.import_devices(&admin(), records, true, None).await.unwrap();
    assert_eq!((result.created, result.updated, result.unchanged), (1, 1, 1));
    let rejected: Vec<_> =
        result.rejected.iter().map(|rejected| (rejected.index, rejected.message_id.as_str())).collect();
    assert_eq!(rejected, [(3, "DMS0002"), (4, "DMS0001"), (5, "DMS0104")]);
}

#[tokio::test]
async fn records_that_exist_are_rejected_unless_they_are_to_be_updated() {
    let world = World::new();
    world.stranger(None, Some(IMEI_A)).await;
    let records = vec![fields(IMEI_A), DeviceFields::default(), fields(IMEI_B)];
    let result = world.broker.import_devices(&admin(), records, false, None).await.unwrap();
    assert_eq!(result.created, 1);
    let rejected: Vec<_> =
        result.rejected.iter().map(|rejected| (rejected.index, rejected.message_id.as_str())).collect();
    assert_eq!(rejected, [(0, "DMS0201"), (1, "DMS0002")]);
}

#[tokio::test]
async fn an_import_with_update_may_be_repeated_also_for_records_that_have_a_number_only() {
    let world = World::new();
    let records = || {
        vec![
            fields(IMEI_A),
            DeviceFields { phone_number: Some(msisdn(NUMBER_A)), ..DeviceFields::default() },
            DeviceFields { account: Some(account("b")), ..fields(IMEI_B) },
        ]
    };
    let first = world.broker.import_devices(&admin(), records(), true, None).await.unwrap();
    assert_eq!(first.created, 3);
    let second = world.broker.import_devices(&admin(), records(), true, None).await.unwrap();
    assert_eq!((second.created, second.rejected.len()), (0, 0));
    assert_ne!(second.import_id, first.import_id);
}

#[tokio::test]
async fn an_oid_names_a_record_that_must_exist() {
    let world = World::new();
    let stored = world.stranger(None, Some(IMEI_A)).await;
    let by = |oid: String| vec![DeviceFields { oid: Some(oid), model: Some("One".into()), ..fields(IMEI_A) }];
    let updated = world.broker.import_devices(&admin(), by(stored.oid.to_string()), true, None).await.unwrap();
    assert_eq!(updated.updated, 1);
    for (oid, update, code) in [
        ("d".to_owned(), true, "DMS0103"),
        ("d000-00000000000000000000000000000001".to_owned(), true, "DMS0103"),
        (stored.oid.to_string(), false, "DMS0001"),
    ] {
        let result = world.broker.import_devices(&admin(), by(oid.clone()), update, None).await.unwrap();
        assert_eq!(result.rejected[0].message_id, code, "{oid}");
    }
}

#[tokio::test]
async fn a_new_account_needs_a_secret_and_a_stored_one_does_not() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let bare = |name: &str| Some(AccountFields { client_secret: None, ..account(name) });
    let records = vec![
        DeviceFields { account: bare(IMEI_A), ..fields(IMEI_A) },
        DeviceFields { account: bare("b"), ..fields(IMEI_B) },
    ];
    let result = world.broker.import_devices(&admin(), records, true, None).await.unwrap();
    assert_eq!((result.created, result.rejected.len()), (0, 1));
    assert_eq!((result.rejected[0].index, result.rejected[0].message_id.as_str()), (1, "DMS0002"));
    let kept = world.broker.device_by_device_id(&admin(), &id(IMEI_A)).await.unwrap().account.unwrap();
    assert_eq!(world.broker.vault().open(&kept.client_secret).unwrap(), b"client secret");
}

#[tokio::test]
async fn an_import_has_1_to_1000_records() {
    let world = World::new();
    let import = async |number: usize| {
        let records = (0..number).map(|n| fields(&format!("TEST:{n}"))).collect();
        world.broker.import_devices(&admin(), records, true, None).await
    };
    assert_eq!(fault(import(0).await), FaultName::MissingArgument);
    assert_eq!(fault(import(1001).await), FaultName::TooManyEntries);
    assert_eq!(import(1000).await.unwrap().created, 1000);
}
