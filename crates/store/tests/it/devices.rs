//! Device records.

use muster_broker::device::{Device, ManagementState};
use muster_broker::fault::FaultName;
use muster_broker::identity::DeviceId;
use muster_broker::job::DeviceFilter;
use muster_broker::ports::Vault as _;
use muster_broker::store::{ContactKey, DeviceKey, DeviceVerdict, DeviceWrite, Once, Verdict, WriteMode};
use muster_broker::task::TaskStatus;

use crate::world::{ALL, NOW, TENANT, World, deed, events, nobody, phone, step};

fn refusal(verdict: DeviceVerdict) -> (FaultName, Vec<String>) {
    match verdict {
        DeviceVerdict::Refused(fault) => (fault.name, fault.variables),
        other => panic!("{other:?}"),
    }
}

async fn find(world: &World, key: DeviceKey) -> Vec<Device> {
    world.store().device_find(TENANT, key, 10).await.unwrap()
}

#[tokio::test]
async fn a_record_is_found_by_each_of_its_keys_and_only_in_its_domain() {
    let mut world = World::new();
    let mut given = world.given("one");
    given.device.phone_number = Some(phone("+15551234567"));
    given.device.group = vec!["test".into()];
    given.device.attribute = vec![("site".into(), "north".into())];
    given.device.imsi = Some("262011234567890".into());
    given.device.account.as_mut().unwrap().server_nonce = Some(vec![1; 8]);
    let device = world.create(given).await;
    world.reopen();

    for key in [
        DeviceKey::Oid(device.oid),
        DeviceKey::DeviceId(device.device_id.clone().unwrap()),
        DeviceKey::Phone(phone("+15551234567")),
    ] {
        assert_eq!(find(&world, key.clone()).await, std::slice::from_ref(&device), "{key:?}");
        assert!(world.store().device_find("beta", key, 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_device_identifier_is_unique_within_a_domain_and_an_account_name_over_all() {
    let world = World::new();
    world.device("one").await;

    let mut same_id = world.given("one");
    same_id.device.account.as_mut().unwrap().client_name = "two".into();
    let (name, variables) = refusal(world.write(WriteMode::Create, same_id.clone()).await);
    assert_eq!((name, variables), (FaultName::AlreadyExists, vec!["deviceID".into(), "MEID:one".into()]));

    let write = |given| vec![DeviceWrite { mode: WriteMode::Create, given }];
    let elsewhere = world.store().device_write("beta", write(same_id), deed("care"), None).await.unwrap();
    assert!(matches!(elsewhere, Once::Now(verdicts) if matches!(verdicts.as_slice(), [DeviceVerdict::Created(_)])));

    let mut same_name = world.given("one");
    same_name.device.device_id = Some(DeviceId::from_device("MEID:three").unwrap());
    let Once::Now(mut verdicts) =
        world.store().device_write("beta", write(same_name), deed("care"), None).await.unwrap()
    else {
        panic!("no key was given");
    };
    let (name, variables) = refusal(verdicts.pop().unwrap());
    assert_eq!((name, variables), (FaultName::AlreadyExists, vec!["dmAccount.clientName".into(), "one".into()]));
}

#[tokio::test]
async fn a_phone_number_may_stand_in_several_records() {
    let world = World::new();
    for name in ["one", "two"] {
        let mut given = world.given(name);
        given.device.phone_number = Some(phone("+15551234567"));
        world.create(given).await;
    }
    assert_eq!(find(&world, DeviceKey::Phone(phone("15551234567"))).await.len(), 2);
    assert_eq!(world.store().device_find(TENANT, DeviceKey::Phone(phone("15551234567")), 1).await.unwrap().len(), 1);
    let refused = world.store().device_delete(TENANT, DeviceKey::Phone(phone("15551234567")), None, deed("")).await;
    assert_eq!(refused.unwrap().unwrap_err().name, FaultName::AmbiguousDevice);
}

#[tokio::test]
async fn a_new_account_needs_a_secret_and_a_stored_one_keeps_it() {
    let world = World::new();
    let mut given = world.given("one");
    given.has_client_secret = false;
    assert_eq!(
        refusal(world.write(WriteMode::Create, given.clone()).await),
        (FaultName::MissingArgument, vec!["dmAccount.clientSecret".into()])
    );
    let device = world.device("one").await;
    given.device.software_version = Some("2".into());
    given.device.account.as_mut().unwrap().client_secret.0.clear();
    let DeviceVerdict::Updated(after) = world.write(WriteMode::Replace, given).await else { panic!("not updated") };
    assert_eq!(after.account, device.account);
    assert_eq!(find(&world, DeviceKey::Oid(device.oid)).await, [after]);
}

#[tokio::test]
async fn an_outdated_version_is_refused_and_none_means_the_last_writer_wins() {
    let world = World::new();
    let device = world.device("one").await;
    let mut given = world.given("one");
    given.device.model = Some("Two".into());
    given.version = Some(1);
    let DeviceVerdict::Updated(after) = world.write(WriteMode::Replace, given.clone()).await else {
        panic!("not updated")
    };
    assert_eq!((after.version, after.oid), (2, device.oid));

    assert_eq!(refusal(world.write(WriteMode::Replace, given.clone()).await).0, FaultName::OutdatedVersion);
    given.version = None;
    assert_eq!(world.write(WriteMode::Replace, given).await, DeviceVerdict::Unchanged(after));
}

#[tokio::test]
async fn the_same_record_with_the_same_secret_sealed_again_is_unchanged() {
    let world = World::new();
    let vault = world.sqlite().vault();
    let mut given = world.given("one");
    given.device.account.as_mut().unwrap().client_secret = vault.seal(b"secret");
    world.create(given.clone()).await;

    given.device.account.as_mut().unwrap().client_secret = vault.seal(b"secret");
    assert!(matches!(world.write(WriteMode::Upsert, given.clone()).await, DeviceVerdict::Unchanged(_)));

    given.device.account.as_mut().unwrap().client_secret = vault.seal(b"other");
    assert!(matches!(world.write(WriteMode::Upsert, given).await, DeviceVerdict::Updated(_)));
}

#[tokio::test]
async fn replacing_needs_a_record_and_upserting_makes_one_unless_it_was_named_by_oid() {
    let world = World::new();
    assert_eq!(refusal(world.write(WriteMode::Replace, world.given("one")).await).0, FaultName::UnknownDevice);
    let mut named = world.given("one");
    named.oid = Some(nobody());
    assert_eq!(refusal(world.write(WriteMode::Upsert, named).await).0, FaultName::UnknownDevice);
    assert!(matches!(world.write(WriteMode::Upsert, world.given("one")).await, DeviceVerdict::Created(_)));
    assert!(matches!(world.write(WriteMode::Upsert, world.given("one")).await, DeviceVerdict::Unchanged(_)));
}

#[tokio::test]
async fn a_refused_record_of_a_batch_does_not_stop_the_others() {
    let world = World::new();
    world.device("two").await;
    let writes =
        ["one", "two", "three"].map(|name| DeviceWrite { mode: WriteMode::Create, given: world.given(name) }).to_vec();
    let Once::Now(verdicts) = world.store().device_write(TENANT, writes, deed("care"), None).await.unwrap() else {
        panic!("no key was given");
    };
    let created: Vec<bool> = verdicts.iter().map(|verdict| matches!(verdict, DeviceVerdict::Created(_))).collect();
    assert_eq!(created, [true, false, true]);
    assert_eq!(world.store().device_list(TENANT, DeviceFilter::default(), ALL).await.unwrap().total, 3);
}

#[tokio::test]
async fn a_renamed_account_is_found_by_its_new_name_alone_and_keeps_its_contacts() {
    let world = World::new();
    let device = world.device("one").await;
    let contact = world.contact("one").await;
    assert_eq!(world.store().contact_commit(step(&contact)).await.unwrap(), Verdict::Applied);
    let before = world.contact("one").await.state;
    let mut given = world.given("one");
    given.device.account.as_mut().unwrap().client_name = "renamed".into();
    assert!(matches!(world.write(WriteMode::Replace, given).await, DeviceVerdict::Updated(_)));

    assert_eq!(world.store().contact_load(&ContactKey::ClientName("one".into())).await.unwrap(), None);
    let after = world.contact("renamed").await;
    assert_eq!((after.device.oid, after.state), (device.oid, before));
    world.device("one-again").await;
    let mut reuse = world.given("fourth");
    reuse.device.account.as_mut().unwrap().client_name = "one".into();
    world.create(reuse).await;
}

#[tokio::test]
async fn deleting_a_record_cancels_its_open_tasks_and_frees_its_names() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    let key = DeviceKey::Oid(device.oid);
    let outdated = world.store().device_delete(TENANT, key.clone(), Some(9), deed("care")).await.unwrap();
    assert_eq!(outdated.unwrap_err().name, FaultName::OutdatedVersion);
    let foreign = world.store().device_delete("beta", key.clone(), None, deed("care")).await.unwrap();
    assert_eq!(foreign.unwrap_err().name, FaultName::UnknownDevice);

    world.store().device_delete(TENANT, key.clone(), Some(1), deed("care")).await.unwrap().unwrap();

    assert_eq!(world.stored(task.id).await.status, TaskStatus::Cancelled);
    assert_eq!(events(&world, task.id).await, ["Created", "Cancelled"]);
    assert_eq!(world.store().contact_load(&ContactKey::ClientName("one".into())).await.unwrap(), None);
    let again = world.store().device_delete(TENANT, key, None, deed("care")).await.unwrap();
    assert_eq!(again.unwrap_err().name, FaultName::UnknownDevice);
    let fresh = world.device("one").await;
    assert_ne!(fresh.oid, device.oid);
    assert_eq!(world.contact("one").await.state, Default::default(), "nothing of the old contacts is left");
}

#[tokio::test]
async fn adopting_moves_number_account_contacts_and_open_tasks_once() {
    let world = World::new();
    let mut given = world.given("one");
    given.device.phone_number = Some(phone("+15551234567"));
    let from = world.create(given).await;
    let mut bare = world.given("two");
    bare.device.account = None;
    bare.has_client_secret = false;
    let to = world.create(bare).await;
    let task = world.task(&from).await;
    let contact = world.contact("one").await;
    assert_eq!(world.store().contact_commit(step(&contact)).await.unwrap(), Verdict::Applied);

    assert!(world.store().device_adopt(from.oid, to.oid, deed("device")).await.unwrap());
    let after = world.contact("one").await;
    assert!(!world.store().device_adopt(from.oid, to.oid, deed("device")).await.unwrap(), "a second time");
    assert!(!world.store().device_adopt(to.oid, nobody(), deed("device")).await.unwrap(), "to nobody");

    assert_eq!(world.contact("one").await, after, "the second call changed nothing");
    assert_eq!((after.device.oid, after.device.phone_number.clone()), (to.oid, from.phone_number.clone()));
    assert_eq!((after.state.generation, after.state.revision), (1, 2));
    assert_eq!(after.device.last_seen_at, Some(NOW));
    assert_eq!(after.tasks.first().map(|open| (open.task.id, open.task.device)), Some((task.id, to.oid)));
    let left = find(&world, DeviceKey::Oid(from.oid)).await.pop().unwrap();
    assert_eq!((left.account, left.phone_number, left.last_seen_at), (None, None, None));
    // The moved task is carried on by its device as any other.
    let verdict = world.step("one", &[(task.id, muster_broker::task::TaskEvent::Connected)]).await;
    assert_eq!(verdict, Verdict::Applied);
}

#[tokio::test]
async fn lists_hold_what_matches_every_criterion() {
    let world = World::new();
    for (name, change) in [
        ("a", (|_| {}) as fn(&mut Device)),
        ("b", |device| device.model = Some("Two".into())),
        ("c", |device| device.group = vec!["x".into(), "y".into()]),
        ("d", |device| device.attribute = vec![("site".into(), "north".into()), ("floor".into(), "3".into())]),
        ("e", |device| device.management_state = ManagementState::Suspended),
    ] {
        let mut given = world.given(name);
        change(&mut given.device);
        world.create(given).await;
    }
    let contact = world.contact("a").await;
    world.store().contact_commit(step(&contact)).await.unwrap();
    let base = DeviceFilter::default;
    let rows = [
        (base(), "abcde"),
        (DeviceFilter { model: Some("Two".into()), ..base() }, "b"),
        (DeviceFilter { manufacturer: Some("Acme".into()), model: Some("One".into()), ..base() }, "acde"),
        (DeviceFilter { firmware_version: Some("9".into()), ..base() }, ""),
        (DeviceFilter { group: Some("y".into()), ..base() }, "c"),
        (DeviceFilter { attribute: vec![("site".into(), "north".into())], ..base() }, "d"),
        (DeviceFilter { attribute: vec![("site".into(), "3".into())], ..base() }, ""),
        (DeviceFilter { management_state: Some(ManagementState::Suspended), ..base() }, "e"),
        (DeviceFilter { last_seen_since: Some(NOW), ..base() }, "a"),
        (DeviceFilter { last_seen_before: Some(NOW), ..base() }, "bcde"),
        (DeviceFilter { last_seen_before: Some(NOW.plus_s(1)), ..base() }, "abcde"),
    ];
    for (filter, expected) in rows {
        let listed = world.store().device_list(TENANT, filter.clone(), ALL).await.unwrap();
        let mut names: Vec<String> =
            listed.items.iter().map(|device| device.account.as_ref().unwrap().client_name.clone()).collect();
        names.sort();
        assert_eq!(names.concat(), expected, "{filter:?}");
        assert_eq!(listed.total, expected.len() as u64, "{filter:?}");
    }
    assert_eq!(world.store().device_list("beta", base(), ALL).await.unwrap().total, 0);
}
