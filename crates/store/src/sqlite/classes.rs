//! Classes of records: what lists are narrowed and counted by.
//!
//! Records that are alike in everything but their names, and tasks that are alike in what they do, are of one class.
//! There are few classes and many records, so a filter is asked of the classes, and the counters of those that it
//! takes give the length of a list without a look at the records. The identifier of a class follows from its content,
//! so that nobody has to look it up. Beside the classes, values of single fields are tallied.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::digest::{SHA256, digest};
use muster_broker::device::Device;
use muster_broker::task::{Task, TaskStatus};
use muster_broker::time::Timestamp;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ToSql, params};

use super::query::{one, run};
use super::rows::{Done, management_state_number, task_status_number};

/// The record has a deviceID.
pub(super) const HAS_DEVICE_ID: i64 = 1;
/// The record has a phone number.
pub(super) const HAS_PHONE_NUMBER: i64 = 2;
/// The record has an IMSI.
pub(super) const HAS_IMSI: i64 = 4;
/// The record is assigned to a subscriber.
pub(super) const HAS_SUBSCRIBER: i64 = 8;
/// The record is in a group.
pub(super) const HAS_GROUP: i64 = 16;
/// The device was seen. Only tallied: it is no part of a class.
pub(super) const HAS_LAST_SEEN: i64 = 32;

/// What is tallied by value in `device_tally`. A field's number is its place in [`Self::ALL`]; places never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tallied {
    Manufacturer,
    Model,
    FirmwareVersion,
    SoftwareVersion,
    ManagementState,
    Capability,
    /// The value is one of the bits.
    Has,
    /// The value is the name of a further attribute.
    Attribute,
    Group,
}

impl Tallied {
    const ALL: [Self; 9] = [
        Self::Manufacturer,
        Self::Model,
        Self::FirmwareVersion,
        Self::SoftwareVersion,
        Self::ManagementState,
        Self::Capability,
        Self::Has,
        Self::Attribute,
        Self::Group,
    ];

    pub(super) fn number(self) -> i64 {
        Self::ALL.iter().position(|known| *known == self).and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)
    }
}

/// A value that is tallied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum TallyValue {
    Text(String),
    Number(i64),
    Octets([u8; 16]),
}

impl ToSql for TallyValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Number(number) => number.to_sql(),
            Self::Octets(octets) => octets.to_sql(),
        }
    }
}

/// Tasks after which a new stretch begins: as many as are looked through for a page, once in a list.
const STRETCH_TASKS: i64 = 20_000;
/// A new stretch begins so much later than it is decided on, so that no task made before is of it.
const STRETCH_AHEAD_MS: i64 = 2_000;

/// Takes parts of a class together to its identifier.
#[derive(Default)]
struct Content(Vec<u8>);

impl Content {
    fn text(&mut self, text: Option<&str>) {
        match text {
            None => self.0.push(0),
            Some(text) => {
                self.0.push(1);
                self.0.extend((text.len() as u64).to_be_bytes());
                self.0.extend(text.as_bytes());
            }
        }
    }

    fn number(&mut self, number: i64) {
        self.0.extend(number.to_be_bytes());
    }

    /// 63 bits of a digest: of a million classes, no two are the same but with a chance of 1 in 10 million.
    fn id(&self) -> i64 {
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(digest(&SHA256, &self.0).as_ref()) {
            *to = *from;
        }
        i64::from_be_bytes(id) & i64::MAX
    }
}

fn has(device: &Device) -> i64 {
    [
        (device.device_id.is_some(), HAS_DEVICE_ID),
        (device.phone_number.is_some(), HAS_PHONE_NUMBER),
        (device.imsi.is_some(), HAS_IMSI),
        (device.subscriber_id.is_some(), HAS_SUBSCRIBER),
        (!device.group.is_empty(), HAS_GROUP),
    ]
    .into_iter()
    .filter_map(|(is_there, bit)| is_there.then_some(bit))
    .sum()
}

/// The class of a device record.
pub(super) fn of_device(device: &Device) -> i64 {
    let mut content = Content::default();
    content.text(Some(&device.tenant));
    for text in [&device.manufacturer, &device.model, &device.firmware_version, &device.software_version] {
        content.text(text.as_deref());
    }
    content.number(management_state_number(device.management_state));
    if let Some(capability) = device.capability {
        content.0.extend(capability.0.as_bytes());
    }
    content.number(has(device));
    content.id()
}

/// What the records written by one job do to counters: mostly the same few rows, so they are written once. Dropping it
/// without [`Self::keep`] forgets what it was told.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Change by class, with a record of it.
    classes: RefCell<HashMap<i64, (i64, Device)>>,
    /// Change by domain, field and value, of what is no part of a class.
    values: RefCell<Values>,
}

type Values = BTreeMap<(String, i64, TallyValue), i64>;

fn change(values: &mut Values, tenant: &str, field: Tallied, value: TallyValue, change: i64) {
    let sum = values.entry((tenant.to_owned(), field.number(), value)).or_default();
    *sum = sum.saturating_add(change);
}

impl Tally {
    /// A record that became one of a class, or with -1 is so no longer.
    pub(super) fn class(&self, class: i64, device: &Device, change: i64) {
        let mut classes = self.classes.borrow_mut();
        match classes.get_mut(&class) {
            Some((sum, _)) => *sum = sum.saturating_add(change),
            None => {
                let alike = Device { account: None, ..device.clone() };
                classes.insert(class, (change, alike));
            }
        }
    }

    /// A record that came into a group, or with -1 left it.
    pub(super) fn group(&self, tenant: &str, group: &str, by: i64) {
        change(&mut self.values.borrow_mut(), tenant, Tallied::Group, TallyValue::Text(group.to_owned()), by);
    }

    /// A record that got an attribute of this name, or with -1 has it no longer.
    pub(super) fn attribute(&self, tenant: &str, name: &str, by: i64) {
        change(&mut self.values.borrow_mut(), tenant, Tallied::Attribute, TallyValue::Text(name.to_owned()), by);
    }

    /// Writes the counters.
    pub(super) fn keep(self, connection: &Connection) -> Done<()> {
        let mut values = self.values.into_inner();
        for (class, (by, device)) in self.classes.into_inner() {
            if by != 0 {
                add_devices(connection, class, &device, by)?;
                tally_class(&mut values, &device, by);
            }
        }
        for ((tenant, field, value), by) in values {
            if by != 0 {
                run(
                    connection,
                    "INSERT INTO device_tally (tenant, field, value, bucket, count) VALUES (?1, ?2, ?3, 0, ?4) \
                     ON CONFLICT (tenant, field, value, bucket) DO UPDATE SET count = count + ?4",
                    params![tenant, field, value, by],
                )?;
            }
        }
        Ok(())
    }
}

/// The values of the records of a class.
fn tally_class(values: &mut Values, device: &Device, by: i64) {
    let texts = [
        (Tallied::Manufacturer, &device.manufacturer),
        (Tallied::Model, &device.model),
        (Tallied::FirmwareVersion, &device.firmware_version),
        (Tallied::SoftwareVersion, &device.software_version),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            change(values, &device.tenant, field, TallyValue::Text(text.clone()), by);
        }
    }
    let state = TallyValue::Number(management_state_number(device.management_state));
    change(values, &device.tenant, Tallied::ManagementState, state, by);
    if let Some(capability) = device.capability {
        change(values, &device.tenant, Tallied::Capability, TallyValue::Octets(*capability.0.as_bytes()), by);
    }
    let has = has(device);
    for bit in [HAS_DEVICE_ID, HAS_PHONE_NUMBER, HAS_IMSI, HAS_SUBSCRIBER, HAS_GROUP] {
        if has & bit != 0 {
            change(values, &device.tenant, Tallied::Has, TallyValue::Number(bit), by);
        }
    }
}

fn add_devices(connection: &Connection, class: i64, device: &Device, change: i64) -> Done<()> {
    // One thread writes, so one bucket of counters serves.
    run(
        connection,
        "INSERT INTO device_class (id, bucket, tenant, manufacturer, model, firmware_version, software_version, \
         management_state, capability, has, count) VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT (id, bucket) DO UPDATE SET count = count + ?10",
        params![
            class,
            device.tenant,
            device.manufacturer,
            device.model,
            device.firmware_version,
            device.software_version,
            management_state_number(device.management_state),
            device.capability.as_ref().map(|oid| oid.0.as_bytes()),
            has(device),
            change,
        ],
    )?;
    // A class that has no records any more is not looked through by every list.
    if change < 0 {
        run(connection, "DELETE FROM device_class WHERE id = ? AND bucket = 0 AND count = 0", [class])?;
    }
    Ok(())
}

/// The stretch of a task made at this time.
pub(super) fn stretch(connection: &Connection, created_at: Timestamp) -> Done<i64> {
    let sql = "SELECT begins_at FROM task_stretch WHERE begins_at <= ? ORDER BY begins_at DESC LIMIT 1";
    Ok(one(connection, sql, [created_at.0], |cells| cells.get())?.unwrap_or(0))
}

/// Begins a new stretch if the newest one is full.
pub(super) fn begin_stretch(connection: &Connection, now: Timestamp) -> Done<()> {
    let newest =
        one(connection, "SELECT coalesce(max(begins_at), 0) FROM task_stretch", [], |cells| cells.get::<i64>())?;
    let newest = newest.unwrap_or(0);
    let next = now.plus_ms(STRETCH_AHEAD_MS).0;
    if next <= newest {
        return Ok(());
    }
    let sql = "SELECT coalesce(sum(count), 0) FROM task_class WHERE stretch = ?";
    let tasks = one(connection, sql, [newest], |cells| cells.get::<i64>())?;
    if tasks.is_some_and(|tasks| tasks >= STRETCH_TASKS) {
        run(connection, "INSERT INTO task_stretch (begins_at) VALUES (?)", [next])?;
    }
    Ok(())
}

/// The class of a task in a stretch.
pub(super) fn of_task(task: &Task, stretch: i64) -> i64 {
    let mut content = Content::default();
    content.text(Some(&task.tenant));
    content.text(Some(&task.owner));
    content.text(Some(task.operation.as_str()));
    content.number(i64::from(task.test_cycle));
    content.number(i64::from(task.job.is_some()));
    content.number(stretch);
    content.id()
}

/// Counts a new task.
pub(super) fn add_task(connection: &Connection, class: i64, stretch: i64, task: &Task) -> Done<()> {
    run(
        connection,
        "INSERT INTO task_class (id, status, bucket, tenant, stretch, owner, operation, test_cycle, of_job, count) \
         VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (id, status, bucket) DO UPDATE SET count = count + 1",
        params![
            class,
            task_status_number(task.status),
            task.tenant,
            stretch,
            task.owner,
            task.operation.as_str(),
            task.test_cycle,
            task.job.is_some(),
        ],
    )?;
    Ok(())
}

/// Moves tasks of a class from one status to another.
pub(super) fn move_tasks(
    connection: &Connection,
    class: i64,
    from: TaskStatus,
    to: TaskStatus,
    number: i64,
) -> Done<()> {
    add(connection, class, task_status_number(from), -number, task_status_number(from))?;
    add(connection, class, task_status_number(to), number, task_status_number(from))
}

/// Changes one counter of a class; one that is not there yet is made like that of the status `like`.
pub(super) fn add(connection: &Connection, class: i64, status: i64, change: i64, like: i64) -> Done<()> {
    let sql = "UPDATE task_class SET count = count + ? WHERE id = ? AND status = ? AND bucket = 0";
    if run(connection, sql, params![change, class, status])? == 0 {
        run(
            connection,
            "INSERT INTO task_class (id, status, bucket, tenant, stretch, owner, operation, test_cycle, of_job, count) \
             SELECT id, ?1, 0, tenant, stretch, owner, operation, test_cycle, of_job, ?2 FROM task_class \
             WHERE id = ?3 AND status = ?4 AND bucket = 0",
            params![status, change, class, like],
        )?;
    }
    Ok(())
}
