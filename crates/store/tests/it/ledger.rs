//! The audit log: what is told, and what is not.

use std::collections::BTreeSet;

use muster_broker::fault::FaultName;
use muster_broker::job::{JobEvent, Selector};
use muster_broker::ledger::{AuditEntry, AuditFilter, Deed, Object, Outcome, Recorded, Subject};
use muster_broker::page::Page;
use muster_broker::store::{CapabilityWrite, DeviceKey, DeviceWrite, ImportBatch, Keep, SessionRecord, WriteMode};
use muster_broker::task::TaskEvent;
use muster_broker::trace::Recording;
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::ledger_chain::verify;
use crate::world::{ALL, NOW, TENANT, World, deed, deed_at, phone, step};

/// Every entry, in order.
async fn entries(world: &World) -> Vec<Recorded> {
    world.store().audit_list(None, AuditFilter::default(), ALL).await.unwrap().items
}

/// Operation, kind of object and what became of it, of each entry after the first `skipped`.
async fn told(world: &World, skipped: usize) -> Vec<(String, String, bool, bool)> {
    let entries = entries(world).await.into_iter().skip(skipped);
    entries
        .map(|it| (it.entry.actor, it.entry.object_kind, it.entry.before.is_some(), it.entry.after.is_some()))
        .collect()
}

fn shown(actor: &str, kind: &str, has_before: bool, has_after: bool) -> (String, String, bool, bool) {
    (actor.to_owned(), kind.to_owned(), has_before, has_after)
}

#[tokio::test]
async fn every_write_leaves_exactly_its_entries() {
    let world = World::new();
    let store = world.store();
    let mut seen = 0;
    // What was done since the last look: actor, kind, and whether there is a before and an after.
    let mut check = async |what: &str, wanted: &[(&str, &str, bool, bool)]| {
        let wanted: Vec<_> = wanted.iter().map(|(who, kind, had, has)| shown(who, kind, *had, *has)).collect();
        assert_eq!(told(&world, seen).await, wanted, "{what}");
        seen += wanted.len();
    };

    let given = world.given("d1");
    let device = world.create(given.clone()).await;
    check("a record is made", &[("care", "device", false, true)]).await;
    let mut changed = given.clone();
    (changed.oid, changed.device.model) = (Some(device.oid), Some("Two".into()));
    world.write(WriteMode::Replace, changed.clone()).await;
    check("it is changed", &[("care", "device", true, true)]).await;
    world.write(WriteMode::Replace, changed.clone()).await;
    check("it is changed to what it is", &[]).await;
    changed.version = Some(99);
    world.write(WriteMode::Replace, changed).await;
    check("a change is refused", &[]).await;

    let target = world.target(&device);
    world.keep(target.clone()).await;
    check("a task is made", &[("care", "task", false, true)]).await;
    world.keep(target.clone()).await;
    check("it is made again", &[]).await;
    store.task_cancel(TENANT, target.task.id, None, deed("care")).await.unwrap().unwrap();
    check("it is cancelled", &[("care", "task", true, true)]).await;
    store.task_cancel(TENANT, target.task.id, None, deed("care")).await.unwrap().unwrap();
    check("it is cancelled again", &[]).await;

    let job = world.job(Selector { all_devices: true, ..Selector::default() });
    store.job_create(vec![job.clone()], deed("campaign"), None).await.unwrap();
    check("a job is made", &[("campaign", "job", false, true)]).await;
    let advance =
        async |event| store.job_advance(TENANT, job.id, event, None, deed("campaign")).await.unwrap().unwrap();
    advance(JobEvent::PauseAsked).await;
    check("it is paused", &[("campaign", "job", true, true)]).await;
    advance(JobEvent::PauseAsked).await;
    check("it is paused again", &[]).await;
    advance(JobEvent::CancelAsked).await;
    check("it is cancelled", &[("campaign", "job", true, true)]).await;
    store.job_pump(NOW, 100).await.unwrap();
    check("the server ends it", &[("server", "job", true, true)]).await;

    let expiring = world.task(&device).await;
    check("another task", &[("care", "task", false, true)]).await;
    store.task_expire(expiring.end_at, 10).await.unwrap();
    check("its end has come", &[("server", "task", true, true)]).await;

    let recording = Some(Recording { until: NOW.plus_s(60), sessions: 3 });
    store.trace_set(TENANT, device.oid, recording, false, deed("care")).await.unwrap().unwrap();
    check("messages are recorded", &[("care", "device", true, true)]).await;
    store.trace_set(TENANT, device.oid, recording, false, deed("care")).await.unwrap().unwrap();
    check("they are already", &[]).await;

    let capability = crate::capabilities::capability(&world, None);
    let write = CapabilityWrite { capability: capability.clone(), oid: None, version: None };
    store.capability_write(write, deed("care"), None).await.unwrap();
    check("a capability record is made", &[("care", "capability", false, true)]).await;
    store.capability_delete(TENANT, capability.oid, None, deed("care")).await.unwrap().unwrap();
    check("it is deleted", &[("care", "capability", true, false)]).await;

    let session = SessionRecord {
        digest: [5; 32],
        principal: "shop".into(),
        tenant: TENANT.into(),
        created_at: NOW,
        used_at: NOW,
    };
    store.session_put(session, deed("shop")).await.unwrap();
    check("somebody logs in", &[("shop", "session", false, false)]).await;
    store.session_delete([5; 32], deed("")).await.unwrap();
    check("and out", &[("shop", "session", false, false)]).await;
    store.session_delete([5; 32], deed("")).await.unwrap();
    check("and out again", &[]).await;

    world.task(&device).await;
    check("a third task", &[("care", "task", false, true)]).await;
    store.device_delete(TENANT, DeviceKey::Oid(device.oid), None, deed("root")).await.unwrap().unwrap();
    check(
        "the record is deleted with its open tasks",
        &[("root", "task", true, true), ("root", "device", true, false)],
    )
    .await;
}

#[tokio::test]
async fn tenants_roles_and_principals_are_told_without_their_secrets() {
    use muster_broker::access::{Principal, Role, Tenant};
    let world = World::new();
    let store = world.store();
    let tenant = Tenant::new("new", NOW);
    let kept = store.tenant_keep(tenant.clone(), Keep::New, deed("root"), None).await.unwrap();
    assert!(matches!(kept, muster_broker::store::Once::Now(Ok(_))));
    let role = Role {
        tenant: "new".into(),
        name: "desk".into(),
        about: None,
        rights: Vec::new(),
        created_at: NOW,
        version: 1,
    };
    store.role_keep(role, Keep::New, deed("root"), None).await.unwrap();
    let principal = Principal {
        digest_secret: Some(b"a sealed secret".to_vec()),
        ..Principal::of_role("shop", "new", "reader", "$argon2id$the-hash")
    };
    store.principal_keep(principal.clone(), Keep::New, deed("root"), None).await.unwrap();
    let changed = Principal { password_hash: "$argon2id$another".into(), ..principal };
    store.principal_keep(changed, Keep::Changed { version: 1 }, deed("root"), None).await.unwrap();
    store.principal_delete("new", "shop", None, deed("root")).await.unwrap().unwrap();
    store.role_delete("new", "desk", None, deed("root")).await.unwrap().unwrap();
    store.tenant_delete("new", None, deed("root")).await.unwrap().unwrap();

    let wanted = [
        shown("root", "tenant", false, true),
        shown("root", "role", false, true),
        shown("root", "principal", false, true),
        shown("root", "principal", false, true),
        shown("root", "principal", true, false),
        shown("root", "role", true, false),
        shown("root", "tenant", true, false),
    ];
    assert_eq!(told(&world, 0).await, wanted);
    let entries = entries(&world).await;
    assert!(entries.iter().all(|recorded| recorded.entry.tenant == "new"));
    assert_eq!(entries[3].entry.after.as_deref(), Some("{\"passwordChanged\":true}"));
}

#[tokio::test]
async fn limits_and_what_needs_approval_are_told_with_what_was_before() {
    use muster_broker::id::ApprovalId;
    use muster_broker::power::Policy;
    use muster_broker::quota::Kind;
    use muster_broker::store::QuotaChange;
    let world = World::new();
    let set = async |limit| {
        let change = QuotaChange { kind: Kind::OpenTasks, principal: Some("care".into()), limit, version: None };
        world.store().quota_set(TENANT, change, deed("root")).await.unwrap().unwrap();
    };
    set(Some(5)).await;
    set(Some(7)).await;
    set(None).await;
    let policy = Policy { life_hours: 9, ..Policy::default() };
    let ask = || ApprovalId(world.uuid());
    world.store().power_policy_set(TENANT, policy.clone(), None, ask(), deed("root")).await.unwrap().unwrap();
    world.store().power_policy_set(TENANT, policy, Some(7), ask(), deed("root")).await.unwrap().unwrap_err();

    let entries = entries(&world).await;
    let pictures = |index: usize| {
        let entry: &AuditEntry = &entries[index].entry;
        let read = |text: &Option<String>| text.as_deref().map(|text| serde_json::from_str::<Value>(text).unwrap());
        (read(&entry.before).unwrap_or_default(), read(&entry.after).unwrap_or_default())
    };
    let limit = |index| {
        let (before, after) = pictures(index);
        (before["limit"].clone(), after["limit"].clone())
    };
    assert_eq!(entries.len(), 4);
    assert_eq!(limit(0), (Value::Null, json!(5)));
    assert_eq!(limit(1), (json!(5), json!(7)));
    assert_eq!(limit(2), (json!(7), Value::Null));
    let (before, after) = pictures(3);
    assert_eq!((&after["life_hours"], before == after), (&json!(9), false), "{before} {after}");
    assert_eq!(entries[3].entry.object_kind, "approvalPolicy");
}

#[tokio::test]
async fn what_a_device_changes_is_told_with_its_session_and_task_and_its_other_messages_are_not() {
    let world = World::new();
    let device = world.device("d1").await;
    let task = world.task(&device).await;
    world.step("d1", &[(task.id, TaskEvent::Connected)]).await;
    assert_eq!(entries(&world).await.len(), 2, "a message that changes no record is not told");
    let contact = world.contact("d1").await;
    let mut step = step(&contact);
    let mut record = contact.device.clone();
    record.firmware_version = Some("2.0".into());
    step.record = Some(record);
    world.store().contact_commit(step).await.unwrap();
    let entry = entries(&world).await.pop().unwrap().entry;
    assert_eq!((entry.actor.as_str(), entry.face.as_str()), (Deed::DEVICE, "DEVICE"));
    assert_eq!((entry.task, entry.device_session.as_deref()), (Some(task.id), Some("1")));
    let after: Value = serde_json::from_str(entry.after.as_deref().unwrap()).unwrap();
    assert_eq!(after, json!({"firmwareVersion": "2.0", "version": 2}));
}

#[tokio::test]
async fn an_import_is_told_in_one_entry_and_each_change_by_it_in_one_of_its_own() {
    let world = World::new();
    let old = world.device("old").await;
    let mut changed = world.given("old");
    changed.device.oid = old.oid;
    changed.device.model = Some("Two".into());
    let writes = vec![
        (1, DeviceWrite { mode: WriteMode::Upsert, given: world.given("n1") }),
        (2, DeviceWrite { mode: WriteMode::Upsert, given: changed }),
        (3, DeviceWrite { mode: WriteMode::Upsert, given: world.given("n2") }),
    ];
    let batch = |is_dry_run| ImportBatch {
        tenant: TENANT.into(),
        writes: writes.clone(),
        step: None,
        is_dry_run,
        deed: deed("root"),
    };
    world.store().device_import(batch(true)).await.unwrap().unwrap();
    assert_eq!(told(&world, 1).await, [], "a dry run changes nothing");
    world.store().device_import(batch(false)).await.unwrap().unwrap();
    assert_eq!(told(&world, 1).await, [shown("root", "device", true, true), shown("root", "import", false, true)]);
    let after = entries(&world).await.pop().unwrap().entry.after.unwrap();
    assert_eq!(after, r#"{"created":2,"refused":0,"unchanged":0,"updated":1}"#);
    verify(&world, None, 1000).await.unwrap();
}

#[tokio::test]
async fn no_secret_gets_into_the_log_or_the_feed() {
    let world = World::new();
    let mut given = world.given("d1");
    if let Some(account) = &mut given.device.account {
        account.client_secret = muster_broker::device::Sealed(b"SECRET-client".to_vec());
        account.server_secret = Some(muster_broker::device::Sealed(b"SECRET-server".to_vec()));
        account.client_nonce = Some(b"SECRET-nonce".to_vec());
        account.server_nonce = Some(b"SECRET-nonce".to_vec());
    }
    let device = world.create(given.clone()).await;
    if let Some(account) = &mut given.device.account {
        account.client_secret = muster_broker::device::Sealed(b"SECRET-second".to_vec());
    }
    given.oid = Some(device.oid);
    world.write(WriteMode::Replace, given).await;
    let mut target = world.target(&device);
    let value = Some("SECRET-value".to_owned());
    target.task.arguments.parameter.push(muster_broker::operation::Parameter {
        path: "./Vendor/Acme/Password".into(),
        value,
        ..Default::default()
    });
    target.task.arguments.option.push(("userPin".into(), "SECRET-pin".into()));
    world.keep(target.clone()).await;
    world.store().task_cancel(TENANT, target.task.id, None, deed("care")).await.unwrap().unwrap();
    let told: Vec<String> = entries(&world).await.iter().filter_map(|it| it.entry.after.clone()).collect();
    assert!(told.iter().any(|after| after.contains("secretChanged")), "{told:?}");
    assert!(told.iter().any(|after| after.contains("./Vendor/Acme/Password") && after.contains("userPin")), "{told:?}");
    assert_absent(&world, &["SECRET-", "[83,69,67,82,69,84"]);
}

/// No cell of any table of the ledger has any of these.
fn assert_absent(world: &World, needles: &[&str]) {
    let connection = Connection::open(world.folder().join("muster.db")).unwrap();
    for table in ["audit", "audit_key", "audit_subject", "charge"] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                let cell = match row.get_ref(column).unwrap() {
                    rusqlite::types::ValueRef::Text(octets) | rusqlite::types::ValueRef::Blob(octets) => {
                        octets.to_vec()
                    }
                    _ => continue,
                };
                for needle in needles {
                    let found = cell.windows(needle.len()).any(|window| window == needle.as_bytes());
                    assert!(!found, "{table} has {needle} in {}", String::from_utf8_lossy(&cell));
                }
            }
        }
    }
}

#[tokio::test]
async fn erasing_a_subscriber_takes_its_data_out_and_the_chain_stays_right() {
    let world = World::new();
    let number = phone("+15551234567");
    let mut given = world.given("A0000001");
    given.device.phone_number = Some(number.clone());
    let device = world.create(given).await;
    let mut other = world.given("B0000002");
    other.device.phone_number = Some(phone("+15559999999"));
    let other = world.create(other).await;
    let (task, others) = (world.task(&device).await, world.task(&other).await);
    for id in [task.id, others.id] {
        world.store().task_cancel(TENANT, id, None, deed("care")).await.unwrap().unwrap();
    }
    let refused = Map::from_iter([("phoneNumber".to_owned(), Value::from("+15551234567"))]);
    let refusal = AuditEntry::refused(&deed("care"), FaultName::UnknownDevice, Object::device(device.oid), refused);
    world.store().audit_add(vec![refusal]).await.unwrap();
    let before = verify(&world, None, 1000).await.unwrap();

    let names = vec![Subject::phone(&number), Subject::device(device.device_id.as_ref().unwrap())];
    let erased = world.erase(names, &[], deed("root")).await;
    assert_eq!((erased.entries, erased.tasks), (3, 1));

    let after = verify(&world, Some(before), 1000).await.unwrap();
    assert_eq!(after.number, before.number + 2, "its beginning and its end are told");
    assert_absent(&world, &["+15551234567", "A0000001"]);
    let kept = world.stored(task.id).await;
    assert_eq!((kept.phone_number, kept.expected), (None, None));
    let others = world.stored(others.id).await;
    assert_eq!(others.phone_number, other.phone_number, "another subscriber's data stay");
    let is_others = |it: &&Recorded| it.entry.personal.as_ref().is_some_and(|told| told.contains("B0000002"));
    assert_eq!(entries(&world).await.iter().filter(is_others).count(), 2);
    assert_eq!(entries(&world).await.pop().unwrap().entry.object_kind, "personalData");
}

#[tokio::test]
async fn a_number_of_a_deleted_record_is_found_and_erased() {
    let world = World::new();
    let number = phone("+15551234567");
    let mut given = world.given("A0000001");
    given.device.phone_number = Some(number.clone());
    let device = world.create(given).await;
    world.store().device_delete(TENANT, DeviceKey::Oid(device.oid), None, deed("root")).await.unwrap().unwrap();
    let erased = world.erase(vec![Subject::phone(&number)], &[], deed("root")).await;
    assert_eq!(erased.entries, 2);
    assert_absent(&world, &["+15551234567"]);
    verify(&world, None, 1000).await.unwrap();
    let foreign = Deed { tenant: "beta".into(), ..deed("root") };
    let erased = world.erase(vec![Subject::phone(&number)], &[], foreign).await;
    assert_eq!(erased.entries, 0);
}

#[tokio::test]
async fn erased_numbers_cannot_be_guessed_back_from_what_is_left() {
    let world = World::new();
    let number = phone("+15551234567");
    let mut given = world.given("A0000001");
    given.device.phone_number = Some(number.clone());
    world.create(given).await;
    let personal = entries(&world).await[0].entry.personal.clone().unwrap();
    world.erase(vec![Subject::phone(&number)], &[], deed("root")).await;
    let recorded = entries(&world).await.swap_remove(0);
    assert_eq!((recorded.entry.personal, recorded.salt), (None, None));
    let seal = recorded.seal.unwrap();
    // Who tries all numbers needs the salt.
    for salt in [&b""[..], &[0; 16]] {
        let guess =
            aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, salt), personal.as_bytes());
        assert_ne!(guess.as_ref(), seal);
    }
}

#[tokio::test]
async fn entries_are_found_by_everything_that_a_filter_has_and_in_their_tenant_alone() {
    let world = World::new();
    let device = world.device("d1").await;
    let task = world.task(&device).await;
    world.store().task_cancel(TENANT, task.id, None, deed_at("root", NOW.plus_s(10))).await.unwrap().unwrap();
    let correlation = uuid::Uuid::from_u128(77);
    let refused = Deed { correlation: Some(correlation), ..deed_at("shop", NOW.plus_s(20)) };
    let refusal = AuditEntry::refused(&refused, FaultName::NotAuthorized, Object::job(job_id()), Map::new());
    world.store().audit_add(vec![refusal]).await.unwrap();

    let numbers = async |filter: AuditFilter| -> Vec<i64> {
        let listed = world.store().audit_list(Some(TENANT), filter.clone(), ALL).await.unwrap();
        assert_eq!(listed.total, listed.items.len() as u64, "{filter:?}");
        // One by one they are the same.
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let page = Page { size: 1, after };
            let listed = world.store().audit_list(Some(TENANT), filter.clone(), page).await.unwrap();
            walked.extend(listed.items.iter().map(|it| it.number));
            match listed.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let all: Vec<i64> = listed.items.iter().map(|it| it.number).collect();
        assert_eq!(walked, all, "{filter:?}");
        all
    };
    let none = AuditFilter::default;
    assert_eq!(numbers(none()).await, [1, 2, 3, 4]);
    assert_eq!(numbers(AuditFilter { actor: Some("care".into()), ..none() }).await, [1, 2]);
    assert_eq!(numbers(AuditFilter { operation: Some("test".into()), ..none() }).await, [1, 2, 3, 4]);
    assert_eq!(numbers(AuditFilter { operation: Some("other".into()), ..none() }).await, [0; 0]);
    assert_eq!(numbers(AuditFilter { is_refused: Some(true), ..none() }).await, [4]);
    assert_eq!(numbers(AuditFilter { is_refused: Some(false), ..none() }).await, [1, 2, 3]);
    assert_eq!(numbers(AuditFilter { object_kind: Some("task".into()), ..none() }).await, [2, 3]);
    assert_eq!(numbers(AuditFilter { object: Some(Object::device(device.oid)), ..none() }).await, [1, 2, 3]);
    assert_eq!(numbers(AuditFilter { task: Some(task.id), ..none() }).await, [2, 3]);
    assert_eq!(numbers(AuditFilter { task: Some(task.id), actor: Some("root".into()), ..none() }).await, [3]);
    assert_eq!(numbers(AuditFilter { job: Some(job_id()), ..none() }).await, [4]);
    assert_eq!(numbers(AuditFilter { correlation: Some(correlation), ..none() }).await, [4]);
    assert_eq!(numbers(AuditFilter { since: Some(NOW.plus_s(10)), ..none() }).await, [3, 4]);
    assert_eq!(numbers(AuditFilter { until: Some(NOW.plus_s(10)), ..none() }).await, [1, 2]);
    assert_eq!(
        numbers(AuditFilter { since: Some(NOW.plus_s(11)), until: Some(NOW.plus_s(20)), ..none() }).await,
        [0; 0]
    );
    let foreign = world.store().audit_list(Some("beta"), none(), ALL).await.unwrap();
    assert_eq!((foreign.items.len(), foreign.total), (0, 0));
    let foreign =
        world.store().audit_list(Some("beta"), AuditFilter { task: Some(task.id), ..none() }, ALL).await.unwrap();
    assert_eq!(foreign.items, []);
}

fn job_id() -> muster_broker::id::JobId {
    muster_broker::id::JobId(uuid::Uuid::from_u128(9))
}

#[tokio::test]
async fn a_clock_that_goes_back_does_not_take_the_log_with_it() {
    let world = World::new();
    let entry =
        |at| AuditEntry::refused(&deed_at("a", at), FaultName::WrongState, Object::named("x", None), Map::new());
    world.store().audit_add(vec![entry(NOW.plus_s(60)), entry(NOW)]).await.unwrap();
    let times: BTreeSet<_> = entries(&world).await.iter().map(|it| it.entry.at).collect();
    assert_eq!(times, BTreeSet::from([NOW.plus_s(60)]));
    assert_eq!(entries(&world).await[0].entry.outcome, Outcome::Refused(FaultName::WrongState));
}

#[tokio::test]
async fn what_fails_halfway_is_not_told_and_the_chain_goes_on() {
    let world = World::new();
    world.device("d1").await;
    // No room for what follows: the whole batch is undone.
    world.sqlite().limit_pages(1).await.unwrap();
    let mut failed = 0;
    for number in 0..2000 {
        let entry = AuditEntry::refused(
            &deed("x"),
            FaultName::WrongState,
            Object::named("x", Some(&format!("{number}-{}", "y".repeat(3000)))),
            Map::new(),
        );
        failed += u32::from(world.store().audit_add(vec![entry]).await.is_err());
        if failed > 3 {
            break;
        }
    }
    assert!(failed > 3, "the disk is never full");
    world.sqlite().limit_pages(1 << 30).await.unwrap();
    world.device("d2").await;
    verify(&world, None, 1000).await.unwrap();
}
