use muster_broker::access::Tenant;
use muster_broker::fault::FaultName;
use muster_broker::identity::DeviceId;
use muster_broker::job::{JobStatus, Selector};
use muster_broker::page::Page;
use muster_broker::store::{
    Assignment, DeviceKey, DeviceVerdict, Due, Keep, Once, Remember, SubscriberFilter, SubscriberGiven, SubscriberKey,
    SubscriberVerdict, WriteMode,
};
use muster_broker::subscriber::{DEVICES_MAX, Subscriber, SubscriberView};

use crate::world::{ALL, NOW, TENANT, World, deed, phone};

fn given(id: &str) -> SubscriberGiven {
    let subscriber = Subscriber {
        id: id.into(),
        tenant: TENANT.into(),
        phone_number: None,
        imsi: None,
        account_reference: None,
        opt_in: false,
        attribute: vec![("plan".into(), "gold".into())],
        version: 1,
    };
    SubscriberGiven { subscriber, opt_in: None, version: None }
}

fn with_number(id: &str, number: &str) -> SubscriberGiven {
    let mut given = given(id);
    given.subscriber.phone_number = Some(phone(number));
    given
}

fn consenting(mut given: SubscriberGiven) -> SubscriberGiven {
    (given.subscriber.opt_in, given.opt_in) = (true, Some(true));
    given
}

async fn write(world: &World, mode: WriteMode, given: SubscriberGiven) -> SubscriberVerdict {
    match world.store().subscriber_write(mode, given, deed("care"), None).await.unwrap() {
        Once::Now(verdict) => verdict,
        other => panic!("{other:?}"),
    }
}

async fn create(world: &World, given: SubscriberGiven) -> SubscriberView {
    write(world, WriteMode::Create, given).await.unwrap()
}

async fn find(world: &World, id: &str) -> Option<SubscriberView> {
    world.store().subscriber_find(TENANT, SubscriberKey::Id(id.into())).await.unwrap()
}

fn id(name: &str) -> DeviceId {
    DeviceId::from_device(&format!("MEID:{name}")).unwrap()
}

async fn assign(world: &World, subscriber: &str, device: &str, assignment: Assignment) -> SubscriberVerdict {
    world.store().subscriber_assign(TENANT, subscriber, id(device), assignment, deed("care")).await.unwrap()
}

/// The device's subscriber, and the version of its record.
async fn owner(world: &World, device: &str) -> (Option<String>, i64) {
    let found = world.store().device_find(TENANT, DeviceKey::DeviceId(id(device)), 1).await.unwrap().pop().unwrap();
    (found.subscriber_id, found.version)
}

fn with(account: Option<&str>) -> SubscriberFilter {
    SubscriberFilter { account_reference: account.map(str::to_owned), ..SubscriberFilter::default() }
}

#[tokio::test]
async fn a_subscriber_is_found_by_identifier_and_number_in_its_domain_after_a_restart() {
    let mut world = World::new();
    let made = create(&world, with_number("s1", "+15550000001")).await;
    world.reopen();
    let by_phone = SubscriberKey::Phone(phone("+15550000001"));
    assert_eq!(find(&world, "s1").await, Some(made.clone()));
    assert_eq!(world.store().subscriber_find(TENANT, by_phone.clone()).await.unwrap(), Some(made));
    assert_eq!(world.store().subscriber_find("beta", by_phone).await.unwrap(), None);
    assert_eq!(world.store().subscriber_find("beta", SubscriberKey::Id("s1".into())).await.unwrap(), None);
}

#[tokio::test]
async fn an_identifier_and_a_number_are_taken_once_in_a_domain() {
    let world = World::new();
    create(&world, with_number("s1", "+15550000001")).await;
    create(&world, given("s2")).await;
    for (mode, given, key) in [
        (WriteMode::Create, given("s1"), "subscriberId"),
        (WriteMode::Create, with_number("s3", "+15550000001"), "phoneNumber"),
        (WriteMode::Replace, with_number("s2", "+15550000001"), "phoneNumber"),
    ] {
        let fault = write(&world, mode, given).await.unwrap_err();
        assert_eq!((fault.name, fault.variables[0].as_str()), (FaultName::AlreadyExists, key));
    }
    let mut elsewhere = with_number("s1", "+15550000001");
    elsewhere.subscriber.tenant = "beta".into();
    create(&world, elsewhere).await;
    assert_eq!(find(&world, "s2").await.unwrap().subscriber.phone_number, None);
}

#[tokio::test]
async fn a_replacement_needs_the_stored_version_and_raises_it_only_if_something_changes() {
    let world = World::new();
    create(&world, given("s1")).await;
    let same = write(&world, WriteMode::Replace, given("s1")).await.unwrap();
    assert_eq!(same.subscriber.version, 1);
    let changed = write(&world, WriteMode::Replace, consenting(given("s1"))).await.unwrap();
    assert_eq!((changed.subscriber.version, changed.subscriber.opt_in), (2, true));
    let outdated = SubscriberGiven { version: Some(1), ..given("s1") };
    assert_eq!(write(&world, WriteMode::Replace, outdated).await.unwrap_err().name, FaultName::OutdatedVersion);
    let unknown = write(&world, WriteMode::Replace, given("s2")).await.unwrap_err();
    assert_eq!(unknown.name, FaultName::UnknownSubscriber);
    // Consent left out stays.
    let mut other = given("s1");
    other.subscriber.account_reference = Some("a".into());
    let kept = write(&world, WriteMode::Replace, other).await.unwrap();
    assert_eq!((kept.subscriber.version, kept.subscriber.opt_in), (3, true));
}

#[tokio::test]
async fn a_creation_is_remembered_and_a_refused_one_leaves_its_key_free() {
    let world = World::new();
    let once = async |given: SubscriberGiven, content: u8| {
        let remember = Remember {
            caller: "alpha/shop".into(),
            operation: "createSubscriber",
            request_id: "k".into(),
            content: [content; 32],
            at: NOW,
            answer: Box::new(|verdict: &SubscriberVerdict| {
                verdict.as_ref().ok().map(|view| view.subscriber.id.clone())
            }),
        };
        world.store().subscriber_write(WriteMode::Create, given, deed("care"), Some(remember)).await.unwrap()
    };
    create(&world, given("s1")).await;
    assert!(matches!(once(given("s1"), 1).await, Once::Now(Err(_))));
    assert!(matches!(once(given("s2"), 2).await, Once::Now(Ok(_))));
    assert_eq!(once(given("s3"), 2).await, Once::Before("s2".into()));
    assert_eq!(once(given("s3"), 3).await, Once::Reused);
    assert_eq!(find(&world, "s3").await, None);
}

#[tokio::test]
async fn a_device_is_taken_from_whoever_has_it_and_unassigning_twice_is_no_error() {
    let world = World::new();
    world.device("d1").await;
    create(&world, given("s1")).await;
    create(&world, given("s2")).await;
    assert_eq!(assign(&world, "s1", "d1", Assignment::Assign).await.unwrap().devices, [id("d1")]);
    assert_eq!(owner(&world, "d1").await, (Some("s1".into()), 2));
    assert_eq!(assign(&world, "s1", "d1", Assignment::Assign).await.unwrap().devices, [id("d1")]);
    assert_eq!(owner(&world, "d1").await.1, 2, "assigning it again changes nothing");
    assert_eq!(assign(&world, "s2", "d1", Assignment::Assign).await.unwrap().devices, [id("d1")]);
    assert_eq!(find(&world, "s1").await.unwrap().devices, []);
    // Not its device any more: nothing happens.
    assign(&world, "s1", "d1", Assignment::Unassign).await.unwrap();
    assert_eq!(owner(&world, "d1").await, (Some("s2".into()), 3));
    for _ in 0..2 {
        assert_eq!(assign(&world, "s2", "d1", Assignment::Unassign).await.unwrap().devices, []);
    }
    assert_eq!(owner(&world, "d1").await, (None, 4));
    let unknown = assign(&world, "s9", "d1", Assignment::Assign).await.unwrap_err();
    assert_eq!(unknown.name, FaultName::UnknownSubscriber);
    let unknown = assign(&world, "s1", "d9", Assignment::Assign).await.unwrap_err();
    assert_eq!(unknown.name, FaultName::UnknownDevice);
}

#[tokio::test]
async fn a_device_record_may_name_only_a_subscriber_that_is_there() {
    let world = World::new();
    create(&world, given("s1")).await;
    let named = |name: &str, subscriber: &str| {
        let mut given = world.given(name);
        given.device.subscriber_id = Some(subscriber.into());
        given
    };
    let refused = world.write(WriteMode::Create, named("d1", "s9")).await;
    let DeviceVerdict::Refused(fault) = refused else { panic!("{refused:?}") };
    assert_eq!((fault.name, fault.variables), (FaultName::UnknownSubscriber, vec!["s9".to_owned()]));
    world.create(named("d1", "s1")).await;
    assert_eq!(find(&world, "s1").await.unwrap().devices, [id("d1")]);
    let refused = world.write(WriteMode::Upsert, named("d1", "s9")).await;
    assert!(matches!(refused, DeviceVerdict::Refused(_)), "{refused:?}");
    // A record that replaces it without naming the subscriber takes the device away.
    assert!(matches!(world.write(WriteMode::Replace, world.given("d1")).await, DeviceVerdict::Updated(_)));
    assert_eq!(find(&world, "s1").await.unwrap().devices, []);
}

#[tokio::test]
async fn devices_of_a_deleted_subscriber_stay_unassigned() {
    let world = World::new();
    world.device("d1").await;
    create(&world, given("s1")).await;
    assign(&world, "s1", "d1", Assignment::Assign).await.unwrap();
    let outdated = world.store().subscriber_delete(TENANT, "s1", Some(7), deed("care")).await.unwrap().unwrap_err();
    assert_eq!(outdated.name, FaultName::OutdatedVersion);
    assert!(world.store().subscriber_delete("beta", "s1", None, deed("care")).await.unwrap().is_err());
    world.store().subscriber_delete(TENANT, "s1", Some(1), deed("care")).await.unwrap().unwrap();
    assert_eq!(owner(&world, "d1").await, (None, 3));
    let again = world.store().subscriber_delete(TENANT, "s1", None, deed("care")).await.unwrap().unwrap_err();
    assert_eq!(again.name, FaultName::UnknownSubscriber);
    // A new one of the same name does not get the devices of the old one.
    assert_eq!(create(&world, given("s1")).await.devices, []);
}

#[tokio::test]
async fn subscribers_are_listed_by_identifier_and_account_in_pages() {
    let world = World::new();
    for number in 0..5 {
        let mut given = given(&format!("s{number}"));
        given.subscriber.account_reference = (number % 2 == 0).then(|| "even".to_owned());
        create(&world, given).await;
    }
    let ids = async |account: Option<&str>, size: u32, after: Option<&str>| {
        let page = Page { size, after: after.map(str::to_owned) };
        let listed = world.store().subscriber_list(TENANT, with(account), page).await.unwrap();
        let ids: Vec<_> = listed.items.into_iter().map(|view| view.subscriber.id).collect();
        (ids.join(" "), listed.total, listed.next)
    };
    assert_eq!(ids(None, 2, None).await, ("s0 s1".into(), 5, Some("s1".into())));
    assert_eq!(ids(None, 3, Some("s1")).await, ("s2 s3 s4".into(), 5, None));
    assert_eq!(ids(Some("even"), 2, None).await, ("s0 s2".into(), 3, Some("s2".into())));
    assert_eq!(ids(Some("even"), 2, Some("s2")).await, ("s4".into(), 3, None));
    assert_eq!(ids(Some("odd"), 2, None).await, (String::new(), 0, None));
    assert_eq!(world.store().subscriber_list("beta", with(None), ALL).await.unwrap().total, 0);
    world.store().subscriber_delete(TENANT, "s0", None, deed("care")).await.unwrap().unwrap();
    assert_eq!(ids(None, 1, None).await, ("s1".into(), 4, Some("s1".into())));
}

#[tokio::test]
async fn a_subscriber_has_so_many_devices_and_a_page_of_full_ones_ends_early() {
    let world = World::new();
    let full = 11;
    for subscriber in 0..full {
        let subscriber = format!("s{subscriber:02}");
        create(&world, given(&subscriber)).await;
        let writes = (0..DEVICES_MAX).map(|number| {
            let mut given = world.given(&format!("{subscriber}-{number}"));
            (given.device.subscriber_id, given.device.account) = (Some(subscriber.clone()), None);
            muster_broker::store::DeviceWrite { mode: WriteMode::Create, given }
        });
        let Once::Now(verdicts) =
            world.store().device_write(TENANT, writes.collect(), deed("care"), None).await.unwrap()
        else {
            panic!()
        };
        assert!(verdicts.iter().all(|verdict| matches!(verdict, DeviceVerdict::Created(_))));
    }
    world.device("more").await;
    let refused = assign(&world, "s00", "more", Assignment::Assign).await.unwrap_err();
    assert_eq!(refused.name, FaultName::QuotaExceeded);
    assert_eq!(refused.variables, ["devices of a subscriber", "1000"]);
    let mut given = world.given("more");
    given.device.subscriber_id = Some("s00".into());
    assert!(matches!(world.write(WriteMode::Upsert, given).await, DeviceVerdict::Refused(_)));

    let first = world.store().subscriber_list(TENANT, with(None), ALL).await.unwrap();
    assert_eq!((first.items.len(), first.total, first.next.as_deref()), (10, full, Some("s09")));
    let rest = Page { after: first.next, ..ALL };
    assert_eq!(world.store().subscriber_list(TENANT, with(None), rest).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn consent_is_that_of_the_devices_subscriber_or_else_of_its_numbers() {
    let world = World::new();
    create(&world, consenting(with_number("yes", "+15550000001"))).await;
    create(&world, with_number("no", "+15550000002")).await;
    let consents = async |subscriber: Option<&str>, number: Option<&str>| {
        let (subscriber, number) = (subscriber.map(str::to_owned), number.map(phone));
        world.store().subscriber_consents(TENANT, subscriber, number).await.unwrap()
    };
    for (subscriber, number, expected) in [
        (Some("yes"), None, true),
        (Some("no"), None, false),
        // The number counts only for a device that is assigned to nobody.
        (Some("no"), Some("+15550000001"), false),
        (Some("yes"), Some("+15550000002"), true),
        (None, Some("+15550000001"), true),
        (None, Some("+15550000002"), false),
        (None, Some("+15550000003"), false),
        (None, None, false),
    ] {
        assert_eq!(consents(subscriber, number).await, expected, "{subscriber:?} {number:?}");
    }
    let elsewhere = world.store().subscriber_consents("beta", None, Some(phone("+15550000001")));
    assert!(!elsewhere.await.unwrap());
}

#[tokio::test]
async fn a_job_that_needs_consent_passes_over_devices_without_it_and_says_how_many() {
    let mut world = World::new();
    create(&world, consenting(given("yes"))).await;
    for name in ["d1", "d2", "d3"] {
        world.device(name).await;
    }
    assign(&world, "yes", "d1", Assignment::Assign).await.unwrap();
    let job = world.job(Selector { all_devices: true, ..Selector::default() });
    // The domain demands it by the time the tasks are made.
    let mut tenant = Tenant::new(TENANT, NOW);
    tenant.settings.consent_demanded = true;
    let kept = world.store().tenant_keep(tenant, Keep::New, deed("care"), None).await.unwrap();
    assert!(matches!(kept, Once::Now(Ok(_))), "{kept:?}");
    assert_eq!(world.store().job_create(vec![job.clone()], deed("campaign"), None).await.unwrap(), Once::Now(()));
    // One record at a time, over a restart: the count goes on.
    world.store().job_pump(NOW, 1).await.unwrap();
    world.reopen();
    for _ in 0..20 {
        if world.store().job_pump(NOW, 1).await.unwrap() == Due::Nothing {
            break;
        }
    }
    let view = world.store().job_get(TENANT, job.id).await.unwrap().unwrap();
    assert_eq!(view.job.status, JobStatus::Running);
    assert_eq!(view.counts.iter().map(|(_, count)| count).sum::<u64>(), 1);
    assert_eq!(view.job.detail.as_deref(), Some("devices without their subscriber's consent got no task: 2"));
}
