//! Lists against a model in memory: random records, random expressions, every way of reading.

use std::cell::Cell;
use std::collections::BTreeSet;

use muster_broker::device::{AuthType, Device, DmAccount, ManagementState, Sealed};
use muster_broker::filter::{Comparison, DeviceField, Field as _, Filter, TaskField, Test, Value};
use muster_broker::id::{CapabilityOid, DeviceOid, JobId, TaskId};
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::job::DeviceFilter;
use muster_broker::ledger::Deed;
use muster_broker::operation::{Arguments, Operation};
use muster_broker::page::Page;
use muster_broker::policy::AcceptDevicePolicy;
use muster_broker::schedule::Schedule;
use muster_broker::store::{
    BackgroundStore as _, ContactKey, ContactStep, ContactStore as _, DeviceGiven, DeviceKey, DeviceStore as _,
    DeviceVerdict, DeviceWrite, DialogueState, Once, Target, TaskFilter, TaskStore as _, Verdict, WriteMode,
};
use muster_broker::task::{Task, TaskStatus};
use muster_broker::time::Timestamp;
use uuid::Uuid;

use super::super::SqliteStore;
use super::{device_list, task_list};
use crate::open::Options;

thread_local! {
    /// In place of what is few. With 0 everything is read in order, and counted by the shorter side.
    pub(super) static FEW: Cell<Option<u64>> = const { Cell::new(None) };
}

const TENANT: &str = "alpha";
const NOW: Timestamp = Timestamp(1_795_248_000_000);
/// What is written in records and in expressions: also what would do harm if it were pasted.
const TEXTS: [&str; 12] = [
    "a",
    "ab",
    "b",
    "'; DROP TABLE device; --",
    "' OR 1=1 --",
    "\"x\" \\ * %_",
    "?",
    "\u{0}",
    "é",
    "\u{10ffff}",
    "$[0]",
    "{\"a\":[1]}",
];

struct World {
    store: SqliteStore,
    devices: Vec<Device>,
    _folder: tempfile::TempDir,
}

fn deed(at: Timestamp) -> Deed {
    Deed::local(TENANT, "test", at)
}

fn pick<T: Clone>(random: &mut fastrand::Rng, from: &[T]) -> T {
    from[random.usize(0..from.len())].clone()
}

fn text(random: &mut fastrand::Rng) -> String {
    pick(random, &TEXTS).to_owned()
}

fn maybe_text(random: &mut fastrand::Rng) -> Option<String> {
    random.bool().then(|| text(random))
}

fn id(number: u32) -> DeviceId {
    DeviceId::from_device(&format!("MEID:A{number:012}")).unwrap()
}

fn number(number: u32) -> Msisdn {
    Msisdn::parse(&format!("+1555{number:07}")).unwrap()
}

fn device(random: &mut fastrand::Rng, index: u32) -> Device {
    let mut attribute: Vec<(String, String)> = Vec::new();
    for name in ["site", "' --"] {
        if random.bool() {
            attribute.push((name.to_owned(), text(random)));
        }
    }
    Device {
        oid: DeviceOid::new(Uuid::from_u128(random.u128(..))),
        tenant: TENANT.into(),
        device_id: (!index.is_multiple_of(5)).then(|| id(index)),
        phone_number: (index.is_multiple_of(5) || random.bool()).then(|| number(index % 17)),
        imsi: random.bool().then(|| format!("26201{:06}", index % 9)),
        capability: None,
        manufacturer: maybe_text(random),
        model: maybe_text(random),
        firmware_version: maybe_text(random),
        software_version: maybe_text(random),
        management_state: pick(random, &ManagementState::NAMES.iter().map(|(_, state)| *state).collect::<Vec<_>>()),
        subscriber_id: None,
        group: TEXTS.iter().filter(|_| random.u8(..4) == 0).map(|group| (*group).to_owned()).collect(),
        attribute,
        account: Some(DmAccount {
            auth_type: AuthType::Digest,
            client_name: format!("client{index}"),
            client_secret: Sealed(vec![1]),
            client_nonce: None,
            server_id: None,
            server_name: None,
            server_secret: None,
            server_nonce: None,
        }),
        last_seen_at: None,
        version: 1,
    }
}

fn write(mode: WriteMode, device: Device) -> DeviceWrite {
    let state = Some(device.management_state);
    let oid = (mode == WriteMode::Replace).then_some(device.oid);
    DeviceWrite { mode, given: DeviceGiven { device, oid, version: None, state, has_client_secret: true } }
}

impl World {
    /// Records that were made, and then changed or deleted in part.
    async fn new(random: &mut fastrand::Rng) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path())).unwrap();
        let mut devices: Vec<Device> = (0..90).map(|index| device(random, index)).collect();
        let writes = devices.iter().map(|device| write(WriteMode::Create, device.clone())).collect();
        store.device_write(TENANT, writes, deed(NOW), None).await.unwrap();
        let mut foreign = device(random, 1_000);
        foreign.tenant = "beta".into();
        store.device_write("beta", vec![write(WriteMode::Create, foreign)], deed(NOW), None).await.unwrap();
        for (index, stored) in devices.iter_mut().enumerate().take(40) {
            let mut next = device(random, u32::try_from(index).unwrap());
            next.oid = stored.oid;
            store.device_write(TENANT, vec![write(WriteMode::Replace, next.clone())], deed(NOW), None).await.unwrap();
            *stored = next;
        }
        for stored in devices.drain(..10) {
            let key = DeviceKey::Oid(stored.oid);
            store.device_delete(TENANT, key, None, deed(NOW)).await.unwrap().unwrap();
        }
        let mut world = Self { store, devices, _folder: folder };
        for index in 0..world.devices.len() {
            for _ in 0..random.u32(0..3) {
                world.seen(index, NOW.plus_ms(random.i64(0..9_000))).await;
            }
        }
        let gone = world.devices.pop().unwrap();
        world.store.device_delete(TENANT, DeviceKey::Oid(gone.oid), None, deed(NOW)).await.unwrap().unwrap();
        world.devices.sort_by_key(|device| (device.oid.bucket.0, device.oid.unique));
        world
    }

    async fn seen(&mut self, index: usize, at: Timestamp) {
        let device = &mut self.devices[index];
        let name = device.account.as_ref().unwrap().client_name.clone();
        let contact = self.store.contact_load(&ContactKey::ClientName(name)).await.unwrap().unwrap();
        let mut state = contact.state.clone();
        state.last_seen_at = Some(at);
        state.dialogue = Some(DialogueState {
            session_id: "1".into(),
            state: Vec::new(),
            task: None,
            request_digest: [0; 16],
            reply: Vec::new(),
            reply_seal: None,
            touched_at: at,
            ended: true,
        });
        let step = ContactStep {
            device: device.oid,
            revision: contact.state.revision,
            seen_before: contact.state.last_seen_at,
            state,
            record: None,
            tasks: Vec::new(),
            history: Vec::new(),
            running_jobs: Vec::new(),
            reached: Vec::new(),
            trace: None,
        };
        assert_eq!(self.store.contact_commit(step).await.unwrap(), Verdict::Applied);
        device.last_seen_at = Some(at);
    }
}

/// Values of a field in a record, as the language sees them.
fn device_values(device: &Device, field: &DeviceField) -> Vec<Value> {
    let text = |text: &Option<String>| text.clone().map(Value::Text).into_iter().collect::<Vec<_>>();
    match field {
        DeviceField::Oid => vec![Value::Text(device.oid.to_string())],
        DeviceField::DeviceId => text(&device.device_id.as_ref().map(ToString::to_string)),
        DeviceField::PhoneNumber => text(&device.phone_number.as_ref().map(ToString::to_string)),
        DeviceField::Imsi => text(&device.imsi),
        DeviceField::CapabilityOid => text(&device.capability.map(|oid| oid.to_string())),
        DeviceField::Manufacturer => text(&device.manufacturer),
        DeviceField::Model => text(&device.model),
        DeviceField::FirmwareVersion => text(&device.firmware_version),
        DeviceField::SoftwareVersion => text(&device.software_version),
        DeviceField::ManagementState => vec![Value::Text(device.management_state.as_str().to_owned())],
        DeviceField::SubscriberId => text(&device.subscriber_id),
        DeviceField::Group => device.group.iter().cloned().map(Value::Text).collect(),
        DeviceField::LastSeenAt => device.last_seen_at.map(Value::Time).into_iter().collect(),
        DeviceField::Attribute(name) => {
            let found = device.attribute.iter().filter(|(known, _)| known == name);
            found.map(|(_, value)| Value::Text(value.clone())).collect()
        }
    }
}

fn compare(one: &Value, other: &Value) -> std::cmp::Ordering {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::Time(one), Value::Time(other)) => one.cmp(other),
        (Value::Boolean(one), Value::Boolean(other)) => one.cmp(other),
        other => panic!("{other:?}"),
    }
}

fn holds<F>(filter: &Filter<F>, values: &dyn Fn(&F) -> Vec<Value>) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| holds(part, values)),
        Filter::Any(parts) => parts.iter().any(|part| holds(part, values)),
        Filter::Not(inner) => !holds(inner, values),
        Filter::Test(field, test) => {
            let values = values(field);
            match test {
                Test::Has => !values.is_empty(),
                Test::In(wanted) => values.iter().any(|value| wanted.contains(value)),
                Test::StartsWith(prefix) => {
                    values.iter().any(|value| matches!(value, Value::Text(text) if text.starts_with(prefix.as_str())))
                }
                Test::Is(Comparison::NotEqual, other) => !values.contains(other),
                Test::Is(comparison, other) => values.iter().any(|value| {
                    let order = compare(value, other);
                    match comparison {
                        Comparison::Equal => order.is_eq(),
                        Comparison::NotEqual => order.is_ne(),
                        Comparison::Less => order.is_lt(),
                        Comparison::LessOrEqual => order.is_le(),
                        Comparison::Greater => order.is_gt(),
                        Comparison::GreaterOrEqual => order.is_ge(),
                    }
                }),
            }
        }
    }
}

/// A test that the field stands, with a value from `values`.
fn test<F: muster_broker::filter::Field>(random: &mut fastrand::Rng, field: F, values: &[Value]) -> Filter<F> {
    let kind = field.kind();
    let value = |random: &mut fastrand::Rng| pick(random, values);
    let test = match random.u8(..8) {
        0 => Test::Has,
        1 => Test::In((0..random.usize(1..4)).map(|_| value(random)).collect()),
        2 | 3 if kind.has_prefix() => {
            let Value::Text(text) = value(random) else { panic!("a prefix of no text") };
            Test::StartsWith(text.chars().take(random.usize(0..12)).collect())
        }
        4..=6 if kind.has_order() => Test::Is(pick(random, &Comparison::SIGNS).1, value(random)),
        7 => Test::Is(Comparison::NotEqual, value(random)),
        _ => Test::Is(Comparison::Equal, value(random)),
    };
    Filter::Test(field, test)
}

fn expression<F>(
    random: &mut fastrand::Rng,
    depth: u8,
    leaf: &mut dyn FnMut(&mut fastrand::Rng) -> Filter<F>,
) -> Filter<F> {
    match random.u8(..6) {
        0 if depth > 0 => Filter::Not(Box::new(expression(random, depth - 1, leaf))),
        1 | 2 if depth > 0 => {
            Filter::all((0..random.usize(2..4)).map(|_| expression(random, depth - 1, leaf)).collect())
        }
        3 if depth > 0 => Filter::any((0..random.usize(2..4)).map(|_| expression(random, depth - 1, leaf)).collect()),
        _ => leaf(random),
    }
}

#[tokio::test]
async fn device_lists_are_those_of_a_model_however_they_are_read() {
    let mut random = fastrand::Rng::with_seed(7);
    let world = World::new(&mut random).await;
    let texts: Vec<Value> = TEXTS.iter().map(|text| Value::Text((*text).to_owned())).collect();
    let mut fields: Vec<DeviceField> =
        DeviceField::NAMES.iter().map(|name| DeviceField::parse(name).unwrap()).collect();
    fields.retain(|field| *field != DeviceField::Attribute("NAME".into()));
    fields.extend(["site", "' --", "none"].map(|name| DeviceField::Attribute(name.to_owned())));
    let mut tried = 0;
    for turn in 0..400 {
        let mut leaf = |random: &mut fastrand::Rng| {
            let field = pick(random, &fields);
            let mut values: Vec<Value> = world.devices.iter().flat_map(|it| device_values(it, &field)).collect();
            if field == DeviceField::LastSeenAt {
                values.extend((0..3).map(|span| Value::Time(NOW.plus_ms(span * 4096))));
            } else if values.is_empty() {
                values = match field {
                    DeviceField::CapabilityOid => vec![Value::Text(CapabilityOid(Uuid::nil()).to_string())],
                    _ => texts.clone(),
                };
            }
            test(random, field, &values)
        };
        let filter = expression(&mut random, if turn % 2 == 0 { 0 } else { 2 }, &mut leaf);
        let expected: Vec<DeviceOid> = world
            .devices
            .iter()
            .filter(|device| holds(&filter, &|field| device_values(device, field)))
            .map(|device| device.oid)
            .collect();
        tried += usize::from(!expected.is_empty() && expected.len() < world.devices.len());
        for few in [None, Some(0), Some(20)] {
            FEW.set(few);
            let wanted = DeviceFilter { expression: Some(filter.clone()), ..DeviceFilter::default() };
            let mut found = Vec::new();
            let mut page = Page { size: 13, after: None };
            loop {
                let listed =
                    world.store.points.read(|connection| device_list(connection, TENANT, &wanted, &page)).unwrap();
                assert_eq!(listed.total, expected.len() as u64, "{filter} with {few:?}");
                found.extend(listed.items.iter().map(|device| device.oid));
                let Some(next) = listed.next else { break };
                page.after = Some(next);
            }
            assert_eq!(found, expected, "{filter} with {few:?}");
        }
    }
    FEW.set(None);
    assert!(tried > 150, "{tried} expressions told records apart");
}

fn task(random: &mut fastrand::Rng, index: u32, device: &Device) -> Task {
    let created_at = NOW.plus_s(i64::from(index / 2));
    Task {
        id: TaskId::new(device.oid, Uuid::from_u128(random.u128(..))),
        tenant: TENANT.into(),
        owner: text(random),
        job: None,
        device: device.oid,
        phone_number: random.bool().then(|| number(index % 7)),
        expected: random.bool().then(|| id(random.u32(0..90))),
        actual: random.bool().then(|| id(random.u32(0..90))),
        operation: pick(random, &[Operation::Query, Operation::Update]),
        arguments: Arguments::default(),
        policy: AcceptDevicePolicy::Any,
        opt_in: false,
        test_cycle: random.u8(..5) == 0,
        priority: 5,
        schedule: Schedule::default(),
        released: true,
        status: pick(
            random,
            &[TaskStatus::Scheduled, TaskStatus::InProgress, TaskStatus::Succeeded, TaskStatus::Failed],
        ),
        detail: None,
        attempts: 0,
        start_at: created_at,
        end_at: created_at.plus_s(1_000_000),
        plan: None,
        result: Vec::new(),
        result_code: None,
        messages: 0,
        created_at,
        updated_at: created_at.plus_s(random.i64(0..40)),
        finished_at: None,
        history_len: 0,
        version: 1,
        callback: None,
        held: false,
    }
}

fn task_values(task: &Task, world: &World, field: &TaskField) -> Vec<Value> {
    let text = |text: Option<String>| text.map(Value::Text).into_iter().collect::<Vec<_>>();
    match field {
        TaskField::TaskId => text(Some(task.id.to_string())),
        TaskField::JobId => text(task.job.map(|job| job.to_string())),
        TaskField::Status => text(Some(task.status.as_str().to_owned())),
        TaskField::Operation => text(Some(task.operation.as_str().to_owned())),
        TaskField::PhoneNumber => text(task.phone_number.as_ref().map(ToString::to_string)),
        TaskField::DeviceId => {
            let of_record = world.devices.iter().find(|device| device.oid == task.device);
            let of_record = of_record.and_then(|device| device.device_id.as_ref());
            let ids: BTreeSet<String> = [task.expected.as_ref(), task.actual.as_ref(), of_record]
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect();
            ids.into_iter().map(Value::Text).collect()
        }
        TaskField::TestCycle => vec![Value::Boolean(task.test_cycle)],
        TaskField::Owner => text(Some(task.owner.clone())),
        TaskField::CreatedAt => vec![Value::Time(task.created_at)],
        TaskField::UpdatedAt => vec![Value::Time(task.updated_at)],
    }
}

#[tokio::test]
async fn task_lists_are_those_of_a_model_however_they_are_read() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut world = World::new(&mut random).await;
    let mut tasks = Vec::new();
    for index in 0..120 {
        let device = pick(&mut random, &world.devices);
        tasks.push(task(&mut random, index, &device));
    }
    let jobs = [JobId(Uuid::from_u128(1)), JobId(Uuid::from_u128(2))];
    for job in jobs {
        let sql = "INSERT INTO job (id, tenant, owner, name, template, is_mixed, schedule, status, created_at, version, \
            is_active, paced_at, paced, skipped, unmatched) VALUES (?, ?, 'o', 'n', '{}', 0, '{}', 4, 0, 1, 0, 0, 0, 0, 0)";
        let write = move |connection: &super::super::writer::Transaction<'_>| {
            super::super::query::run(connection, sql, rusqlite::params![job.0.as_bytes(), TENANT])
        };
        world.store.write(super::super::writer::Guard::Savepoint, 0, write).await.unwrap();
    }
    for (index, task) in tasks.iter_mut().enumerate() {
        task.job = (index % 3 > 0).then(|| jobs[index % 3 - 1]);
        if index == 40 || index == 90 {
            let begins_at = task.created_at;
            let write = move |connection: &super::super::writer::Transaction<'_>| {
                super::super::query::run(connection, "INSERT INTO task_stretch (begins_at) VALUES (?)", [begins_at.0])
            };
            world.store.write(super::super::writer::Guard::Savepoint, 0, write).await.unwrap();
        }
        let target = Target { task: task.clone(), history: Vec::new() };
        world.store.task_create(None, vec![target], deed(NOW), None).await.unwrap();
    }
    // Some records get other names, or go: their tasks keep the numbers and identifiers that they were made with.
    for index in 0..20_u32 {
        let stored = world.devices[index as usize * 3 % world.devices.len()].clone();
        let mut next = stored.clone();
        next.phone_number = random.bool().then(|| number(random.u32(0..7)));
        next.device_id = if random.bool() { stored.device_id.clone() } else { Some(id(200 + index)) };
        next.account = None;
        let verdicts = world.store.device_write(TENANT, vec![write(WriteMode::Replace, next)], deed(NOW), None).await;
        let Once::Now(mut verdicts) = verdicts.unwrap() else { panic!("it was done before") };
        let Some(DeviceVerdict::Updated(next) | DeviceVerdict::Unchanged(next)) = verdicts.pop() else {
            panic!("it was refused")
        };
        let place = world.devices.iter().position(|device| device.oid == next.oid).unwrap();
        world.devices[place] = next;
    }
    // Some end, which moves the counters of their classes.
    for task in tasks.iter_mut().filter(|task| !task.status.is_final()).take(15) {
        let now = NOW.plus_s(500);
        *task = world.store.task_cancel(TENANT, task.id, None, deed(now)).await.unwrap().unwrap();
    }
    tasks.sort_by_key(|task| (task.created_at, task.id.bucket.0, task.id.unique));
    let fields: Vec<TaskField> = TaskField::NAMES.iter().map(|name| TaskField::parse(name).unwrap()).collect();
    let mut tried = 0;
    for turn in 0..400 {
        let mut leaf = |random: &mut fastrand::Rng| {
            let field = pick(random, &fields);
            let values: Vec<Value> = tasks.iter().flat_map(|task| task_values(task, &world, &field)).collect();
            test(random, field, &values)
        };
        let filter = expression(&mut random, if turn % 2 == 0 { 0 } else { 2 }, &mut leaf);
        let matches = |task: &&Task| holds(&filter, &|field| task_values(task, &world, field));
        let expected: Vec<TaskId> = tasks.iter().filter(matches).map(|task| task.id).collect();
        tried += usize::from(!expected.is_empty() && expected.len() < tasks.len());
        for few in [None, Some(0), Some(20)] {
            FEW.set(few);
            let wanted = TaskFilter { expression: Some(filter.clone()), ..TaskFilter::default() };
            let mut found = Vec::new();
            let mut page = Page { size: 13, after: None };
            loop {
                let listed =
                    world.store.points.read(|connection| task_list(connection, TENANT, &wanted, &page)).unwrap();
                assert_eq!(listed.total, expected.len() as u64, "{filter} with {few:?}");
                found.extend(listed.items.iter().map(|task| task.id));
                let Some(next) = listed.next else { break };
                page.after = Some(next);
            }
            assert_eq!(found, expected, "{filter} with {few:?}");
        }
    }
    FEW.set(None);
    assert!(tried > 150, "{tried} expressions told tasks apart");
    world.store.ping().await.unwrap();
}
