//! Nothing that is kept has a name that was erased.

use std::collections::HashMap;

use muster_broker::callback::{Callback, CallbackUrl, Progress, Reply, ReplyTo, SoapVersion};
use muster_broker::device::{Device, Sealed};
use muster_broker::id::{CallbackAddressId, EventId};
use muster_broker::job::{JobEvent, JobStatus, Selector};
use muster_broker::ledger::chain::{Anchor, Verifier};
use muster_broker::ledger::{AuditFilter, Subject};
use muster_broker::operation::Parameter;
use muster_broker::ports::Vault as _;
use muster_broker::store::{
    ClaimWanted, Content, DeadLetterFilter, DeviceKey, Due, ErasureOf, Lease, Remember, Rest, Settlement,
    SubscriberGiven, WriteMode,
};
use muster_broker::subscriber::Subscriber;
use muster_broker::task::{TaskEvent, TaskStatus};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use crate::world::{ALL, NOW, TENANT, World, address, deed, deed_at, phone};

const NUMBER: &str = "+15551234567";
const DEVICE: &str = "A0000001";
const SUBSCRIBER: &str = "S-4711";
const PERSON: &str = "Anna \"Ann\" Müller";
const LEASE: Lease = Lease(Uuid::from_u128(71));

/// Says where each name is found in any cell of any table, sealed cells opened.
fn found(world: &World) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(world.folder().join("muster.db"), flags).unwrap();
    let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(tables.len() > 30, "{tables:?}");
    let vault = world.sqlite().vault();
    let needles = ["15551234567", "a0000001", "s-4711", "müller"];
    let mut found = Vec::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (index, column) in columns.iter().enumerate() {
                let (ValueRef::Text(octets) | ValueRef::Blob(octets)) = row.get_ref(index).unwrap() else { continue };
                let opened = vault.open(&Sealed(octets.to_vec())).unwrap_or_default();
                for octets in [octets, &opened] {
                    let text = String::from_utf8_lossy(octets).to_lowercase();
                    let has = needles.iter().filter(|needle| text.contains(*needle));
                    found.extend(has.map(|needle| format!("{table}.{column} has {needle}: {text}")));
                }
            }
        }
    }
    found
}

fn names(device: &Device) -> Vec<Subject> {
    vec![
        Subject::phone(&phone(NUMBER)),
        Subject::device(device.device_id.as_ref().unwrap()),
        Subject::subscriber(SUBSCRIBER),
    ]
}

fn callback(path: &str) -> Callback {
    Callback {
        address: CallbackAddressId(Uuid::from_u128(1)),
        url: CallbackUrl::parse(&format!("https://crm.example/{path}")).unwrap(),
        soap_version: SoapVersion::Soap11,
        reference: Some(format!("ticket of {NUMBER}")),
        relates_to: Some(format!("urn:{SUBSCRIBER}")),
    }
}

impl World {
    /// A device with its subscriber, and an address for callbacks.
    async fn cast(&self) -> Device {
        self.store().callback_address_create(address(1), deed("root"), None).await.unwrap();
        let mut given = self.given(DEVICE);
        given.device.phone_number = Some(phone(NUMBER));
        self.create(given).await
    }

    /// A task whose every text has a name in it; it has begun.
    async fn begun(&self, device: &Device, path: &str) -> muster_broker::task::Task {
        let mut target = self.target(device);
        target.task.callback = Some(callback(path));
        target.task.arguments.parameter.push(Parameter {
            path: "./Vendor/Acme/Owner".into(),
            value: Some(PERSON.into()),
            ..Parameter::default()
        });
        target.history[0].detail = Some(format!("asked for by {PERSON}"));
        self.keep(target.clone()).await;
        self.step(DEVICE, &[(target.task.id, TaskEvent::Connected)]).await;
        target.task
    }

    /// What waits for receivers whose address ends so becomes dead letters.
    async fn give_up(&self, url: &str) {
        let wanted = ClaimWanted {
            lease: LEASE,
            now: NOW,
            until: NOW.plus_s(60),
            claims_max: 10,
            per_address_max: 10,
            under_way: HashMap::new(),
            after: None,
        };
        for claimed in self.store().callback_claim(wanted).await.unwrap() {
            let waiting = self.store().callback_waiting(claimed.queue, 100).await.unwrap();
            let numbers = waiting.iter().map(|waiting| waiting.number).collect();
            let progress = if claimed.url.as_str().ends_with(url) {
                Progress::Ended { reason: "gone".into() }
            } else {
                Progress::Later { taken: 0, due_at: NOW.plus_s(30), failed: 1, reason: "busy".into() }
            };
            let settlement =
                Settlement { queue: claimed.queue, lease: LEASE, now: NOW, numbers, progress, until: None };
            self.store().callback_settle(settlement).await.unwrap();
        }
    }

    async fn pump_erasures(&self, seconds: i64) {
        while self.store().personal_erase_pump(NOW.plus_s(seconds), 3).await.unwrap() == Due::More {}
    }
}

async fn verify(world: &World) {
    let verifier = Verifier::after(Anchor::EMPTY, None);
    let (verifier, outcome) = world.store().audit_verify(verifier, 1000).await.unwrap();
    assert_eq!(outcome, Ok(Due::Nothing));
    verifier.end().unwrap();
}

#[tokio::test]
async fn what_is_kept_of_a_subscriber_has_none_of_its_names_after_an_erasure() {
    let world = World::new();
    let device = world.cast().await;
    let subscriber = Subscriber {
        id: SUBSCRIBER.into(),
        tenant: TENANT.into(),
        phone_number: Some(phone(NUMBER)),
        imsi: None,
        account_reference: Some(PERSON.into()),
        opt_in: true,
        attribute: vec![("name".into(), PERSON.into())],
        version: 1,
    };
    let given = SubscriberGiven { subscriber, opt_in: Some(true), version: None };
    world.store().subscriber_write(WriteMode::Create, given, deed("care"), None).await.unwrap();

    // Tasks that ended: one told nowhere, one whose callback waits, one that was given up, one at an address of its own.
    let silent = world.begun(&device, "none").await;
    let reason = Some(format!("{PERSON} called from 0015551234567"));
    world.store().task_cancel(TENANT, silent.id, reason.clone(), deed("care")).await.unwrap().unwrap();
    for path in ["waits", "gone", "of/15551234567"] {
        let task = world.begun(&device, path).await;
        world.step(DEVICE, &[(task.id, TaskEvent::Done)]).await;
    }
    let to = ReplyTo {
        address: CallbackAddressId(Uuid::from_u128(1)),
        url: CallbackUrl::parse("https://crm.example/replies").unwrap(),
        soap_version: SoapVersion::Soap11,
        tenant: TENANT.into(),
        owner: "care".into(),
    };
    let envelope = format!("<phoneNumber>{NUMBER}</phoneNumber><attribute>{PERSON}</attribute>");
    let reply = Reply { id: EventId(world.uuid()), to, action: "urn:a".into(), envelope };
    world.store().callback_reply(reply, NOW).await.unwrap();
    world.give_up("gone").await;
    world.give_up("of/15551234567").await;

    // A job that ended with its texts, and a wipe that was refused.
    let mut job = world.job(Selector { phone_number: vec![phone(NUMBER)], ..Selector::default() });
    job.name = format!("for {PERSON}");
    job.description = Some(format!("device {DEVICE}"));
    (job.template.operation, job.template.arguments.parameter) = (
        muster_broker::operation::Operation::Execute,
        vec![Parameter { path: "./LAWMO/Operations/Wipe".into(), value: Some(NUMBER.into()), ..Parameter::default() }],
    );
    job.callback = Some(callback("jobs"));
    let remember = Remember {
        caller: format!("{TENANT}/care"),
        operation: "createDeployments",
        request_id: "one".into(),
        content: [7; 32],
        at: NOW,
        answer: Box::new(|_: &()| Some(format!(r#"{{"subscriberId":"{SUBSCRIBER}","phoneNumber":"{NUMBER}"}}"#))),
    };
    world.store().job_create(vec![job.clone()], deed("care"), Some(remember)).await.unwrap();
    for _ in 0..20 {
        world.store().job_pump(NOW, 100).await.unwrap();
    }
    let waits =
        world.store().approval_list(TENANT, muster_broker::store::ApprovalFilter::default(), ALL).await.unwrap();
    assert!(waits.items[0].summary.name.as_ref().is_some_and(|name| name.contains(PERSON)), "{waits:?}");
    world.store().job_advance(TENANT, job.id, JobEvent::CancelAsked, reason, deed("care")).await.unwrap().unwrap();
    for _ in 0..20 {
        world.store().job_pump(NOW, 100).await.unwrap();
    }

    // A job that tells why its task failed.
    let mut told = world.job(Selector::default());
    (told.expansion, told.status) = (None, JobStatus::Completed);
    let mut failed = world.target(&device);
    (failed.task.job, failed.task.status) = (Some(told.id), TaskStatus::Failed);
    failed.task.detail = Some(format!("{PERSON} took the card out"));
    let told_id = told.id;
    world.store().task_create(Some(told), vec![failed], deed("care"), None).await.unwrap();

    // Records are deleted by their own operations.
    world.store().device_delete(TENANT, DeviceKey::Oid(device.oid), None, deed("root")).await.unwrap().unwrap();
    world.store().subscriber_delete(TENANT, SUBSCRIBER, None, deed("root")).await.unwrap().unwrap();
    let before = found(&world);
    for table in [
        "audit.",
        "audit_subject.",
        "task.",
        "task_history.",
        "job.",
        "job_reason.",
        "approval.",
        "request.",
        "outbox.",
        "dead_letter.",
    ] {
        assert!(before.iter().any(|it| it.starts_with(table)), "the test has nothing to find in {table}");
    }

    let erased = world.erase(names(&device), &[PERSON], deed("root")).await;
    assert_eq!(erased.rest, Rest::Nothing);
    assert_eq!(found(&world), [""; 0]);
    verify(&world).await;
    let listed = world.store().dead_letter_list(TENANT, DeadLetterFilter::default(), ALL).await.unwrap();
    let [letter] = listed.items.as_slice() else { panic!("{listed:?}") };
    let Content::Event(event) = &letter.content else { panic!("{letter:?}") };
    assert_eq!(
        (event.reference.as_deref(), &event.phone_number, &event.device_id),
        (Some("ticket of (erased)"), &None, &None)
    );
    let told = world.store().job_get(TENANT, told_id).await.unwrap().unwrap();
    assert_eq!(told.reasons, [(TaskStatus::Failed, "(erased) took the card out".to_owned(), 1)]);
    let kept = world.stored(silent.id).await;
    assert_eq!(kept.detail.as_deref(), Some("(erased) called from (erased)"));
    assert_eq!(kept.arguments.parameter[0].value.as_deref(), Some("(erased)"));
}

#[tokio::test]
async fn a_task_under_way_keeps_what_it_needs_and_loses_it_once_it_has_ended() {
    let mut world = World::new();
    let device = world.cast().await;
    let task = world.begun(&device, "waits").await;
    let erased = world.erase(names(&device), &[PERSON], deed("root")).await;
    assert_eq!((erased.rest, erased.tasks), (Rest::UnderWay, 0));
    let open = world.stored(task.id).await;
    assert_eq!((open.phone_number, open.arguments), (Some(phone(NUMBER)), task.arguments));
    world.reopen();
    world.pump_erasures(61).await;
    assert_eq!(world.stored(task.id).await.phone_number, Some(phone(NUMBER)), "it is under way still");

    world.step(DEVICE, &[(task.id, TaskEvent::Done)]).await;
    world.store().device_delete(TENANT, DeviceKey::Oid(device.oid), None, deed_at("root", NOW)).await.unwrap().unwrap();
    assert_eq!(world.stored(task.id).await.status, TaskStatus::Succeeded);
    world.pump_erasures(122).await;
    world.give_up("gone").await;
    let left: Vec<String> = found(&world).into_iter().filter(|it| !it.starts_with("audit")).collect();
    assert_eq!(left, [""; 0]);
    let of_task = AuditFilter { task: Some(task.id), ..AuditFilter::default() };
    let told = world.store().audit_list(None, of_task, ALL).await.unwrap().items;
    assert!(told.iter().all(|it| it.entry.personal.is_none()), "{told:?}");
    verify(&world).await;
}

#[tokio::test]
async fn an_erasure_that_was_broken_off_goes_on_where_it_was_and_takes_nothing_of_later_or_of_others() {
    let mut world = World::new();
    let device = world.cast().await;
    let task = world.begun(&device, "waits").await;
    world.step(DEVICE, &[(task.id, TaskEvent::Done)]).await;
    let mut later = world.target(&device);
    later.task.created_at = NOW.plus_s(1);
    world.keep(later.clone()).await;
    world.step(DEVICE, &[(later.task.id, TaskEvent::Connected)]).await;
    world.step(DEVICE, &[(later.task.id, TaskEvent::Done)]).await;

    let id = world.uuid();
    // By a text alone, so that no index finds anything at the beginning.
    let of = ErasureOf { subjects: Vec::new(), others: vec![NUMBER.into(), PERSON.into()] };
    let begun = world.store().personal_erase(id, of, deed("root")).await.unwrap();
    assert_eq!((begun.rest, begun.tasks), (Rest::More, 0));
    world.store().personal_erase_step(id, NOW, 1).await.unwrap();
    let foreign = ErasureOf { subjects: vec![Subject::phone(&phone(NUMBER))], others: vec![PERSON.into()] };
    let deed_elsewhere = muster_broker::ledger::Deed { tenant: "beta".into(), ..deed("root") };
    let other = world.uuid();
    world.store().personal_erase(other, foreign, deed_elsewhere).await.unwrap();
    world.reopen();
    while let Some(step) = world.store().personal_erase_step(other, NOW, 2).await.unwrap() {
        assert_eq!((step.entries, step.tasks, step.texts), (0, 0, 0));
    }
    assert_eq!(world.stored(task.id).await.phone_number, Some(phone(NUMBER)));
    world.pump_erasures(0).await;
    let kept = world.stored(task.id).await;
    assert_eq!(kept.phone_number, None);
    assert_eq!(kept.arguments.parameter[0].value.as_deref(), Some("(erased)"));
    assert_eq!(world.stored(later.task.id).await.phone_number, Some(phone(NUMBER)), "asked for after the erasure");
    assert_eq!(world.store().personal_erase_step(id, NOW, 1).await.unwrap(), None);
    verify(&world).await;
}
