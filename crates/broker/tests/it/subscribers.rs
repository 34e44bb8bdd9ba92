use muster_broker::access::Tenant;
use muster_broker::fault::FaultName;
use muster_broker::job::{JobStatus, Selector};
use muster_broker::page::PageRequest;
use muster_broker::ports::Environment as _;
use muster_broker::schedule::Schedule;
use muster_broker::services::{BulkRequest, Deployment, DeviceFields, RequestKey, SubscriberFields};
use muster_broker::store::{Keep, Once};

use crate::world::{
    IMEI_A, IMEI_B, MORNING, NUMBER_A, NUMBER_B, World, admin, deployment, fault, foreigner, id, msisdn, page, query,
};

fn named(id: &str) -> SubscriberFields {
    SubscriberFields { subscriber_id: Some(id.to_owned()), ..SubscriberFields::default() }
}

fn key(id: &str, content: u8) -> Option<RequestKey> {
    Some(RequestKey { id: id.to_owned(), content: [content; 32] })
}

/// A world whose domain demands consent.
async fn strict() -> World {
    let world = World::new();
    let mut tenant = Tenant::new("acme", world.clock.now());
    tenant.settings.consent_demanded = true;
    let kept = world
        .broker
        .store()
        .tenant_keep(tenant, Keep::New, muster_broker::ledger::Deed::local("acme", "test", MORNING), None)
        .await
        .unwrap();
    assert!(matches!(kept, Once::Now(Ok(_))), "{kept:?}");
    world
}

async fn consent(world: &World, fields: SubscriberFields) {
    world.broker.create_subscriber(&admin(), SubscriberFields { opt_in: Some(true), ..fields }, None).await.unwrap();
}

#[tokio::test]
async fn a_subscriber_gets_an_identifier_where_it_brings_none() {
    let world = World::new();
    let broker = &world.broker;
    let first = broker.create_subscriber(&admin(), SubscriberFields::default(), None).await.unwrap().subscriber;
    let second = broker.create_subscriber(&admin(), SubscriberFields::default(), None).await.unwrap().subscriber;
    assert!(first.id.starts_with("s-") && first.id != second.id);
    assert_eq!((first.version, first.opt_in), (1, false));
    assert_eq!(broker.subscriber_by_id(&admin(), &first.id).await.unwrap().subscriber, first);
    assert_eq!(fault(broker.subscriber_by_id(&foreigner(), &first.id).await), FaultName::UnknownSubscriber);
    assert_eq!(fault(broker.subscriber_by_id(&admin(), "").await), FaultName::UnknownSubscriber);
    let unknown = broker.subscriber_by_phone_number(&admin(), &msisdn(NUMBER_A)).await;
    assert_eq!(fault(unknown), FaultName::UnknownSubscriber);
}

#[tokio::test]
async fn what_a_subscriber_record_holds_is_checked() {
    let world = World::new();
    let with = |change: &dyn Fn(&mut SubscriberFields)| {
        let mut fields = SubscriberFields::default();
        change(&mut fields);
        fields
    };
    let pair = || ("a".to_owned(), "v".to_owned());
    for given in [
        with(&|f| f.subscriber_id = Some(String::new())),
        with(&|f| f.subscriber_id = Some("s".repeat(256))),
        with(&|f| f.subscriber_id = Some("a\nb".into())),
        with(&|f| f.imsi = Some("12345".into())),
        with(&|f| f.imsi = Some("1234567890123456".into())),
        with(&|f| f.account_reference = Some("a\u{0}".into())),
        with(&|f| f.account_reference = Some("a".repeat(256))),
        with(&|f| f.attribute = vec![pair(), pair()]),
    ] {
        let told = format!("{given:?}");
        let refused = world.broker.create_subscriber(&admin(), given, None).await;
        assert_eq!(fault(refused), FaultName::InvalidArgument, "{told}");
    }
    let whole = with(&|f| {
        f.subscriber_id = Some("s".repeat(255));
        f.imsi = Some("262011".into());
        f.account_reference = Some("a".repeat(255));
        f.attribute = vec![pair()];
    });
    assert!(world.broker.create_subscriber(&admin(), whole, None).await.is_ok());
    let long = world.broker.subscribers(&admin(), Some("a".repeat(256)), None, &page()).await;
    assert_eq!(fault(long), FaultName::InvalidArgument);
}

#[tokio::test]
async fn a_repeated_creation_gives_the_first_record() {
    let world = World::new();
    let create = async |fields, content| world.broker.create_subscriber(&admin(), fields, key("k", content)).await;
    let first = create(SubscriberFields::default(), 1).await.unwrap();
    assert_eq!(create(SubscriberFields::default(), 1).await.unwrap(), first);
    assert_eq!(fault(create(named("other"), 2).await), FaultName::RequestIdReused);
    assert_eq!(world.broker.subscribers(&admin(), None, None, &page()).await.unwrap().total, 1);
    let bad = world.broker.create_subscriber(&admin(), named("x"), key("", 1)).await;
    assert_eq!(fault(bad), FaultName::InvalidArgument);
}

#[tokio::test]
async fn an_update_names_its_subscriber_and_may_hold_its_version() {
    let world = World::new();
    let broker = &world.broker;
    broker.create_subscriber(&admin(), named("s"), None).await.unwrap();
    let update = async |fields| broker.update_subscriber(&admin(), fields).await;
    assert_eq!(fault(update(SubscriberFields::default()).await), FaultName::MissingArgument);
    assert_eq!(fault(update(named("t")).await), FaultName::UnknownSubscriber);
    let changed =
        update(SubscriberFields { imsi: Some("262011".into()), version: Some(1), ..named("s") }).await.unwrap();
    assert_eq!(changed.subscriber.version, 2);
    assert_eq!(fault(update(SubscriberFields { version: Some(1), ..named("s") }).await), FaultName::OutdatedVersion);
    assert_eq!(fault(broker.update_subscriber(&foreigner(), named("s")).await), FaultName::UnknownSubscriber);
    assert_eq!(fault(broker.delete_subscriber(&foreigner(), "s", None).await), FaultName::UnknownSubscriber);
    assert_eq!(fault(broker.delete_subscriber(&admin(), "s", Some(1)).await), FaultName::OutdatedVersion);
    broker.delete_subscriber(&admin(), "s", Some(2)).await.unwrap();
    assert_eq!(fault(broker.delete_subscriber(&admin(), "s", None).await), FaultName::UnknownSubscriber);
}

#[tokio::test]
async fn a_page_token_belongs_to_its_list_and_filter() {
    let world = World::new();
    let broker = &world.broker;
    for name in ["a", "b"] {
        let fields = SubscriberFields { account_reference: Some("x".into()), ..named(name) };
        broker.create_subscriber(&admin(), fields, None).await.unwrap();
    }
    let one = |token| PageRequest { size: Some(1), token };
    let first = broker.subscribers(&admin(), None, None, &one(None)).await.unwrap();
    assert_eq!((first.items.len(), first.total), (1, 2));
    let second = broker.subscribers(&admin(), None, None, &one(first.next_token.clone())).await.unwrap();
    assert_eq!((second.items[0].subscriber.id.as_str(), second.next_token), ("b", None));
    let mixed = broker.subscribers(&admin(), Some("x".into()), None, &one(first.next_token)).await;
    assert_eq!(fault(mixed), FaultName::InvalidPageToken);
}

#[tokio::test]
async fn whose_a_device_is_stands_in_both_records_however_it_was_said() {
    let world = World::new();
    let broker = &world.broker;
    broker.create_subscriber(&admin(), named("s"), None).await.unwrap();
    let fields = |subscriber: Option<&str>| DeviceFields {
        device_id: Some(id(IMEI_A)),
        subscriber_id: subscriber.map(str::to_owned),
        ..DeviceFields::default()
    };
    let devices = async || broker.subscriber_by_id(&admin(), "s").await.unwrap().devices;
    let owner = async || broker.device_by_device_id(&admin(), &id(IMEI_A)).await.unwrap().subscriber_id;

    let unknown = broker.create_device(&admin(), fields(Some("t")), None).await;
    assert_eq!(fault(unknown), FaultName::UnknownSubscriber);
    broker.create_device(&admin(), fields(Some("s")), None).await.unwrap();
    assert_eq!(devices().await, [id(IMEI_A)]);

    assert_eq!(broker.unassign_device(&admin(), "s", id(IMEI_A)).await.unwrap().devices, []);
    assert_eq!(owner().await, None);
    assert_eq!(broker.assign_device(&admin(), "s", id(IMEI_A)).await.unwrap().devices, [id(IMEI_A)]);
    assert_eq!(owner().await.as_deref(), Some("s"));

    assert_eq!(fault(broker.update_device(&admin(), fields(Some("t"))).await), FaultName::UnknownSubscriber);
    broker.update_device(&admin(), fields(None)).await.unwrap();
    assert_eq!(devices().await, []);

    let imported = broker.import_devices(&admin(), vec![fields(Some("s"))], true, None).await.unwrap();
    assert_eq!((imported.updated, devices().await), (1, vec![id(IMEI_A)]));
    let imported = broker.import_devices(&admin(), vec![fields(Some("t"))], true, None).await.unwrap();
    assert_eq!(imported.rejected[0].message_id, "DMS0105");

    broker.delete_subscriber(&admin(), "s", None).await.unwrap();
    assert_eq!(owner().await, None);
    assert_eq!(fault(broker.assign_device(&admin(), "s", id(IMEI_A)).await), FaultName::UnknownSubscriber);
    broker.create_subscriber(&admin(), named("s"), None).await.unwrap();
    for refused in
        [broker.assign_device(&admin(), "s", id(IMEI_B)).await, broker.unassign_device(&admin(), "s", id(IMEI_B)).await]
    {
        assert_eq!(fault(refused), FaultName::UnknownDevice);
    }
    assert_eq!(fault(broker.assign_device(&foreigner(), "s", id(IMEI_A)).await), FaultName::UnknownSubscriber);
}

#[tokio::test]
async fn background_operations_need_consent_where_the_domain_demands_it_and_only_there() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();

    let world = strict().await;
    world.device(NUMBER_A, IMEI_A).await;
    let broker = &world.broker;
    let refused = broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap_err();
    assert_eq!((refused.name, refused.variables), (FaultName::ConsentRequired, vec![IMEI_A.to_owned()]));
    let tried = muster_broker::services::OperationRequest { test_cycle: true, ..query(NUMBER_A) };
    assert_eq!(fault(broker.do_operation(&admin(), tried).await), FaultName::ConsentRequired);
    // The user is asked: no standing consent is needed.
    let asked = muster_broker::services::OperationRequest { opt_in: true, ..query(NUMBER_A) };
    broker.do_operation(&admin(), asked).await.unwrap();

    let number = SubscriberFields { phone_number: Some(msisdn(NUMBER_A)), ..named("s") };
    consent(&world, number.clone()).await;
    broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();

    // Consent is withdrawn.
    broker.update_subscriber(&admin(), SubscriberFields { opt_in: Some(false), ..number }).await.unwrap();
    assert_eq!(fault(broker.do_operation(&admin(), query(NUMBER_A)).await), FaultName::ConsentRequired);

    // The subscriber that the device is assigned to counts before the one that has its number.
    consent(&world, named("owner")).await;
    broker.assign_device(&admin(), "owner", id(IMEI_A)).await.unwrap();
    broker.do_operation(&admin(), query(NUMBER_A)).await.unwrap();
}

#[tokio::test]
async fn a_number_given_with_the_request_brings_no_consent_of_another() {
    let world = strict().await;
    world.stranger(None, Some(IMEI_B)).await;
    consent(&world, SubscriberFields { phone_number: Some(msisdn(NUMBER_A)), ..named("s") }).await;
    let request = muster_broker::services::OperationRequest { device_id: Some(id(IMEI_B)), ..query(NUMBER_A) };
    assert_eq!(fault(world.broker.do_operation(&admin(), request).await), FaultName::ConsentRequired);
}

#[tokio::test]
async fn a_bulk_request_rejects_the_entries_without_consent() {
    let world = strict().await;
    world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_B, IMEI_B).await;
    consent(&world, SubscriberFields { phone_number: Some(msisdn(NUMBER_B)), ..named("s") }).await;
    let request = BulkRequest {
        requests: vec![query(NUMBER_A), query(NUMBER_B)],
        name: None,
        schedule: Schedule::default(),
        callback: None,
        request: None,
    };
    let receipt = world.broker.do_bulk_operation(&admin(), request).await.unwrap();
    assert_eq!(receipt.task_id.len(), 1);
    assert_eq!((receipt.rejected[0].index, receipt.rejected[0].message_id.as_str()), (0, "DMP0006"));
}

#[tokio::test]
async fn a_deployment_passes_over_devices_without_consent_unless_their_users_are_asked() {
    let world = strict().await;
    world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_B, IMEI_B).await;
    consent(&world, SubscriberFields { phone_number: Some(msisdn(NUMBER_B)), ..named("s") }).await;
    let everywhere =
        || Deployment { devices: Selector { all_devices: true, ..Selector::default() }, ..deployment(&[]) };
    let deployments = vec![everywhere(), Deployment { opt_in: true, ..everywhere() }];
    let receipt = world.broker.create_deployments(&admin(), deployments, None).await.unwrap();
    world.pump().await;
    let mut seen = Vec::new();
    for job in &receipt.job_id {
        let view = world.broker.job_by_id(&admin(), job).await.unwrap();
        assert_eq!(view.job.status, JobStatus::Running);
        seen.push((view.counts.iter().map(|(_, count)| count).sum::<u64>(), view.job.detail));
    }
    let told = "devices without their subscriber's consent got no task: 1".to_owned();
    assert_eq!(seen, [(1, Some(told)), (2, None)]);
}
