//! What a domain and its callers may use.

use muster_broker::access::Principal;
use muster_broker::device::Device;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::quota::{Kind, QuotaUsage};
use muster_broker::services::{DeviceFields, KeyWanted, OperationRequest, QuotaWanted, Settings, SubscriberFields};

use crate::world::{IMEI_A, NUMBER_A, NUMBER_B, World, admin, caller, fault, foreigner, key, msisdn, query};

async fn set(world: &World, kind: Kind, principal: Option<&str>, limit: Option<i64>) -> Result<QuotaUsage, Fault> {
    let wanted = QuotaWanted { kind, principal: principal.map(str::to_owned), limit, version: None, tenant: None };
    world.broker.set_quota(&admin(), wanted).await
}

async fn used(world: &World, kind: Kind, principal: Option<&str>) -> Option<u64> {
    let usage = world.broker.quotas(&admin(), principal.map(str::to_owned), None).await.unwrap();
    usage.into_iter().find(|quota| quota.kind == kind).unwrap().used
}

async fn number(world: &World, number: &str) -> Result<Device, Fault> {
    let fields = DeviceFields { phone_number: Some(msisdn(number)), ..DeviceFields::default() };
    world.broker.create_device(&admin(), fields, None).await
}

async fn known(world: &World, name: &str) {
    world
        .broker
        .store()
        .principal_put(
            Principal::of_role(name, "acme", "care", "hash"),
            muster_broker::ledger::Deed::local("acme", "principal put", muster_broker::time::Timestamp(0)),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_caller_above_its_quota_is_told_which_and_a_repeated_request_uses_none() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    known(&world, "care").await;
    set(&world, Kind::TasksPerDay, Some("care"), Some(2)).await.unwrap();
    let care = caller("care", "care");
    let request = OperationRequest { request: key("one", 1), ..query(NUMBER_A) };
    let first = world.broker.do_operation(&care, request.clone()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(world.broker.do_operation(&care, request.clone()).await.unwrap(), first);
    }
    assert_eq!(used(&world, Kind::TasksPerDay, Some("care")).await, Some(1));
    world.broker.do_operation(&care, query(NUMBER_A)).await.unwrap();
    let refused = OperationRequest { request: key("two", 2), ..query(NUMBER_A) };
    let fault_of = world.broker.do_operation(&care, refused.clone()).await.unwrap_err();
    assert_eq!(
        (fault_of.name, fault_of.variables),
        (FaultName::QuotaExceeded, vec!["TASKS_PER_DAY".into(), "2".into()])
    );
    assert_eq!(fault_of.retry_after_s, Some(16 * 3600));
    // The key of a refused request is free, and what was answered before is answered still.
    assert_eq!(world.broker.do_operation(&care, request).await.unwrap(), first);
    set(&world, Kind::TasksPerDay, Some("care"), None).await.unwrap();
    world.broker.do_operation(&care, refused).await.unwrap();
    // Another caller was never concerned.
    world.broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
}

#[tokio::test]
async fn records_are_bounded_and_freed_by_deleting() {
    let world = World::new();
    set(&world, Kind::Devices, None, Some(1)).await.unwrap();
    let device = number(&world, NUMBER_A).await.unwrap();
    assert_eq!(fault(number(&world, NUMBER_B).await), FaultName::QuotaExceeded);
    assert_eq!(used(&world, Kind::Devices, None).await, Some(1));
    world.broker.delete_device(&admin(), None, Some(device.oid.to_string()), None).await.unwrap();
    number(&world, NUMBER_B).await.unwrap();

    set(&world, Kind::Subscribers, None, Some(1)).await.unwrap();
    let subscriber = |id: &str| SubscriberFields { subscriber_id: Some(id.into()), ..SubscriberFields::default() };
    world.broker.create_subscriber(&admin(), subscriber("s1"), None).await.unwrap();
    let second = world.broker.create_subscriber(&admin(), subscriber("s2"), None).await;
    assert_eq!(fault(second), FaultName::QuotaExceeded);
}

#[tokio::test]
async fn keys_are_bounded_until_they_are_revoked_or_expire() {
    let world = World::new();
    world
        .broker
        .store()
        .principal_put(
            Principal::of_role("root", "acme", "administrator", "hash"),
            muster_broker::ledger::Deed::local("acme", "principal put", muster_broker::time::Timestamp(0)),
        )
        .await
        .unwrap();
    set(&world, Kind::ApiKeys, Some("root"), Some(1)).await.unwrap();
    let make = async || world.broker.create_api_key(&admin(), KeyWanted::default()).await.map(|(key, _)| key);
    let first = make().await.unwrap();
    assert_eq!(fault(make().await), FaultName::QuotaExceeded);
    world.broker.revoke_api_key(&admin(), &first.id).await.unwrap();
    make().await.unwrap();
    assert_eq!(fault(make().await), FaultName::QuotaExceeded);
    world.clock.advance_s(100 * 86_400);
    make().await.unwrap();
    assert_eq!(used(&world, Kind::ApiKeys, None).await, Some(1));
}

#[tokio::test]
async fn rows_of_imports_are_counted_by_day_and_not_again_when_repeated() {
    let world = World::new();
    let rows = |numbers: &[&str]| -> Vec<DeviceFields> {
        let fields = |number: &&str| DeviceFields { phone_number: Some(msisdn(number)), ..DeviceFields::default() };
        numbers.iter().map(fields).collect()
    };
    known(&world, "root").await;
    set(&world, Kind::ImportRowsPerDay, Some("root"), Some(2)).await.unwrap();
    for _ in 0..3 {
        world.broker.import_devices(&admin(), rows(&[NUMBER_A, NUMBER_B]), true, key("i", 1)).await.unwrap();
    }
    assert_eq!(used(&world, Kind::ImportRowsPerDay, Some("root")).await, Some(2));
    let refused = world.broker.import_devices(&admin(), rows(&[NUMBER_A]), true, None).await;
    assert_eq!(fault(refused), FaultName::QuotaExceeded);
}

#[tokio::test]
async fn requests_are_bounded_by_what_the_operator_and_the_domain_set() {
    let world = World::with(Settings { requests_per_second_max: 1, ..Settings::default() });
    known(&world, "care").await;
    let admit = async || world.broker.admit("acme", "care").await;
    assert!(admit().await.is_ok() && admit().await.is_ok());
    let refused = admit().await.unwrap_err();
    assert_eq!((refused.name, refused.retry_after_s), (FaultName::TooManyRequests, Some(1)));
    let told = world.broker.quotas(&admin(), Some("care".into()), None).await.unwrap();
    let told = told.iter().find(|quota| quota.kind == Kind::RequestsPerSecond).unwrap();
    assert_eq!((told.limit, told.is_default, told.used), (1, true, None));
    set(&world, Kind::RequestsPerSecond, Some("care"), Some(100)).await.unwrap();
    world.clock.advance_s(1);
    for _ in 0..50 {
        admit().await.unwrap();
    }
    set(&world, Kind::RequestsPerMinute, None, Some(1)).await.unwrap();
    admit().await.unwrap();
    let minute = admit().await.unwrap_err();
    assert_eq!(minute.name, FaultName::TooManyRequests);
}

#[tokio::test]
async fn a_quota_that_makes_no_sense_is_refused() {
    let world = World::new();
    for (kind, principal, limit, name) in [
        (Kind::Devices, Some("care"), Some(1), FaultName::ConflictingArguments),
        (Kind::OpenTasks, Some("nobody"), Some(1), FaultName::UnknownPrincipal),
        (Kind::OpenTasks, None, Some(-1), FaultName::InvalidArgument),
        (Kind::OpenTasks, None, Some(i64::MAX), FaultName::InvalidArgument),
    ] {
        assert_eq!(fault(set(&world, kind, principal, limit).await), name, "{kind:?} {principal:?} {limit:?}");
    }
    let wanted = QuotaWanted { kind: Kind::OpenTasks, principal: None, limit: Some(1), version: None, tenant: None };
    assert_eq!(fault(world.broker.set_quota(&caller("c", "campaign"), wanted.clone()).await), FaultName::NotAuthorized);
    let elsewhere = QuotaWanted { tenant: Some("acme".into()), ..wanted };
    assert_eq!(fault(world.broker.set_quota(&foreigner(), elsewhere).await), FaultName::UnknownTenant);
    assert_eq!(fault(world.broker.quotas(&caller("c", "campaign"), None, None).await), FaultName::NotAuthorized);
}
