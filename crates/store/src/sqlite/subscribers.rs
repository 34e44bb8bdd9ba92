//! Subscribers. Whose a device is stands in the device's row alone.

use muster_broker::device::Device;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::ledger::{AuditEntry, Deed, Object, subscriber as picture};
use muster_broker::page::{Listed, Page};
use muster_broker::quota::Kind;
use muster_broker::store::{
    Assignment, DeviceKey, Once, Pending, Remember, SubscriberFilter, SubscriberGiven, SubscriberKey, SubscriberStore,
    SubscriberVerdict, WriteMode,
};
use muster_broker::subscriber::{self, Subscriber, SubscriberView};
use muster_broker::time::Timestamp;
use rusqlite::{Connection, params};

use super::devices::{find as find_device, outdated};
use super::ledger;
use super::lists;
use super::query::{listed, many, one, run};
use super::requests::once;
use super::rows::{Cells, DEVICE, Done, json_unless_default};
use super::writer::{Guard, Transaction};
use super::{SqliteStore, device_write, quotas};

/// Columns for [`subscriber`], from `subscriber s`.
pub(super) const COLUMNS: &str =
    "s.id, s.tenant, s.phone_number, s.imsi, s.account_reference, s.opt_in, s.attributes, s.version";

/// Devices named on one page: a page ends early rather than become longer than an answer should be.
const DEVICES_ON_PAGE: usize = 10_000;

pub(super) fn read(cells: &mut Cells<'_>) -> Done<Subscriber> {
    Ok(Subscriber {
        id: cells.get()?,
        tenant: cells.get()?,
        phone_number: cells.maybe_text()?,
        imsi: cells.get()?,
        account_reference: cells.get()?,
        opt_in: cells.get()?,
        attribute: cells.json_or_default()?,
        version: cells.get()?,
    })
}

pub(super) fn get(connection: &Connection, tenant: &str, id: &str) -> Done<Option<Subscriber>> {
    let sql = format!("SELECT {COLUMNS} FROM subscriber s WHERE s.tenant = ? AND s.id = ?");
    one(connection, &sql, params![tenant, id], read)
}

fn by_phone(connection: &Connection, tenant: &str, number: &Msisdn) -> Done<Option<Subscriber>> {
    let sql = format!("SELECT {COLUMNS} FROM subscriber s WHERE s.tenant = ? AND s.phone_number = ?");
    one(connection, &sql, params![tenant, number.as_str()], read)
}

/// With the devices that are its.
fn view(connection: &Connection, subscriber: Subscriber) -> Done<SubscriberView> {
    let devices = many(
        connection,
        "SELECT d.device_id FROM device d INDEXED BY device_subscriber \
         WHERE d.tenant = ? AND d.subscriber_id = ? AND d.device_id IS NOT NULL ORDER BY d.device_id",
        params![subscriber.tenant, subscriber.id],
        |cells| cells.maybe_text::<DeviceId>(),
    )?;
    Ok(SubscriberView { subscriber, devices: devices.into_iter().flatten().collect() })
}

/// Why `device` cannot become the subscriber's that its record names, if so. `before` is what is stored of it.
pub(super) fn unfit(connection: &Connection, device: &Device, before: Option<&Device>) -> Done<Option<Fault>> {
    let Some(id) = device.subscriber_id.as_deref() else { return Ok(None) };
    if before.is_some_and(|before| before.subscriber_id.as_deref() == Some(id)) {
        return Ok(None);
    }
    Ok(match room(connection, &device.tenant, id)? {
        None => Some(subscriber::unknown(id)),
        Some(0) => Some(subscriber::too_many_devices()),
        Some(_) => None,
    })
}

/// How many more devices a subscriber may have; nothing if there is no such subscriber.
pub(super) fn room(connection: &Connection, tenant: &str, id: &str) -> Done<Option<usize>> {
    let is_there = connection
        .prepare_cached("SELECT 1 FROM subscriber WHERE tenant = ? AND id = ?")?
        .exists(params![tenant, id])?;
    if !is_there {
        return Ok(None);
    }
    let number: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM device d INDEXED BY device_subscriber \
             WHERE d.tenant = ? AND d.subscriber_id = ? LIMIT ?)",
        )?
        .query_row(params![tenant, id, subscriber::DEVICES_MAX as i64], |row| row.get(0))?;
    let number = usize::try_from(number).unwrap_or(subscriber::DEVICES_MAX);
    Ok(Some(subscriber::DEVICES_MAX.saturating_sub(number)))
}

/// Whether the subscriber of a device has consented to background management.
pub(super) fn consents(
    connection: &Connection,
    tenant: &str,
    subscriber_id: Option<&str>,
    phone_number: Option<&Msisdn>,
) -> Done<bool> {
    let (column, value) = match (subscriber_id, phone_number) {
        (Some(id), _) => ("id", id),
        (None, Some(number)) => ("phone_number", number.as_str()),
        (None, None) => return Ok(false),
    };
    let sql = format!("SELECT opt_in FROM subscriber WHERE tenant = ? AND {column} = ?");
    Ok(one(connection, &sql, params![tenant, value], |cells| cells.get())?.unwrap_or(false))
}

fn taken(key: &str, value: &str) -> Fault {
    Fault::new(FaultName::AlreadyExists, format!("another subscriber has this {key}")).with(key).with(value)
}

fn write(
    connection: &Transaction<'_>,
    mode: WriteMode,
    given: &SubscriberGiven,
    deed: &Deed,
) -> Done<SubscriberVerdict> {
    let tenant = given.subscriber.tenant.as_str();
    let stored = get(connection, tenant, &given.subscriber.id)?;
    let next = match (&stored, mode) {
        (Some(stored), WriteMode::Create) => return Ok(Err(taken("subscriberId", &stored.id))),
        (None, WriteMode::Replace) => return Ok(Err(subscriber::unknown(&given.subscriber.id))),
        (None, WriteMode::Create | WriteMode::Upsert) => Subscriber { version: 1, ..given.subscriber.clone() },
        (Some(stored), WriteMode::Replace | WriteMode::Upsert) => {
            if let Some(version) = given.version.filter(|version| *version != stored.version) {
                return Ok(Err(outdated(stored.version, version)));
            }
            stored.replaced_by(given)
        }
    };
    if stored.as_ref() == Some(&next) {
        return Ok(Ok(view(connection, next)?));
    }
    if let Some(number) = &next.phone_number
        && by_phone(connection, tenant, number)?.is_some_and(|holder| holder.id != next.id)
    {
        return Ok(Err(taken("phoneNumber", number.as_str())));
    }
    let next = Subscriber { version: stored.as_ref().map_or(1, |stored| stored.version.saturating_add(1)), ..next };
    keep(connection, &next)?;
    if stored.is_none() {
        count(connection, tenant, 1)?;
    }
    let before = stored.as_ref().map(picture);
    ledger::add(connection, AuditEntry::done(deed, object(tenant, &next.id), before, Some(picture(&next))))?;
    Ok(Ok(view(connection, next)?))
}

fn keep(connection: &Connection, subscriber: &Subscriber) -> Done<()> {
    run(
        connection,
        "INSERT INTO subscriber (tenant, id, phone_number, imsi, account_reference, opt_in, attributes, version) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, id) DO UPDATE SET phone_number = excluded.phone_number, \
         imsi = excluded.imsi, account_reference = excluded.account_reference, opt_in = excluded.opt_in, \
         attributes = excluded.attributes, version = excluded.version",
        params![
            subscriber.tenant,
            subscriber.id,
            subscriber.phone_number.as_ref().map(Msisdn::as_str),
            subscriber.imsi,
            subscriber.account_reference,
            subscriber.opt_in,
            json_unless_default(&subscriber.attribute)?,
            subscriber.version,
        ],
    )?;
    Ok(())
}

fn count(connection: &Connection, tenant: &str, change: i64) -> Done<()> {
    run(
        connection,
        "INSERT INTO subscriber_count (tenant, count) VALUES (?1, ?2) \
         ON CONFLICT (tenant) DO UPDATE SET count = count + ?2",
        params![tenant, change],
    )?;
    Ok(())
}

/// Its identifier may be its number: what the log finds it by tells neither.
pub(super) fn object(tenant: &str, id: &str) -> Object {
    Object::subscriber(tenant, id)
}

fn delete(
    connection: &Transaction<'_>,
    tenant: &str,
    id: &str,
    version: Option<i64>,
    deed: &Deed,
) -> Done<Result<(), Fault>> {
    let Some(stored) = get(connection, tenant, id)? else { return Ok(Err(subscriber::unknown(id))) };
    if let Some(version) = version.filter(|version| *version != stored.version) {
        return Ok(Err(outdated(stored.version, version)));
    }
    let sql = format!(
        "SELECT {DEVICE} FROM device d INDEXED BY device_subscriber \
         LEFT JOIN contact c ON c.bucket = d.bucket AND c.oid = d.oid WHERE d.tenant = ? AND d.subscriber_id = ?"
    );
    let devices = many(connection, &sql, params![tenant, id], |cells| cells.device())?;
    let unassigned = devices.len();
    for device in devices {
        let version = device.version.saturating_add(1);
        device_write::update(connection, &Device { subscriber_id: None, version, ..device.clone() }, &device)?;
    }
    run(connection, "DELETE FROM subscriber WHERE tenant = ? AND id = ?", params![tenant, id])?;
    count(connection, tenant, -1)?;
    let mut before = picture(&stored);
    before.open.insert("devices".to_owned(), unassigned.into());
    ledger::add(connection, AuditEntry::done(deed, object(tenant, id), Some(before), None))?;
    Ok(Ok(()))
}

fn assign(
    connection: &Transaction<'_>,
    tenant: &str,
    id: &str,
    device: &DeviceId,
    assignment: Assignment,
    deed: &Deed,
) -> Done<SubscriberVerdict> {
    let Some(subscriber) = get(connection, tenant, id)? else { return Ok(Err(subscriber::unknown(id))) };
    let Some(stored) = find_device(connection, tenant, &DeviceKey::DeviceId(device.clone()), 1)?.pop() else {
        return Ok(Err(Fault::new(FaultName::UnknownDevice, "there is no such device record").with(device)));
    };
    let is_its = stored.subscriber_id.as_deref() == Some(id);
    let changed = match assignment {
        Assignment::Assign if !is_its => Some(Device { subscriber_id: Some(id.to_owned()), ..stored.clone() }),
        Assignment::Unassign if is_its => Some(Device { subscriber_id: None, ..stored.clone() }),
        Assignment::Assign | Assignment::Unassign => None,
    };
    if let Some(next) = changed {
        if let Some(fault) = unfit(connection, &next, Some(&stored))? {
            return Ok(Err(fault));
        }
        let next = Device { version: stored.version.saturating_add(1), ..next };
        device_write::update(connection, &next, &stored)?;
        ledger::add(connection, device_write::changed(deed, &stored, &next))?;
    }
    Ok(Ok(view(connection, subscriber)?))
}

fn list(connection: &Connection, tenant: &str, filter: &SubscriberFilter, page: &Page) -> Done<Listed<SubscriberView>> {
    let (total, found) = lists::subscriber_list(connection, tenant, filter, page)?;
    let (mut views, mut devices) = (Vec::with_capacity(found.len()), 0_usize);
    let mut is_cut = false;
    for subscriber in found {
        if devices >= DEVICES_ON_PAGE {
            is_cut = true;
            break;
        }
        let view = view(connection, subscriber)?;
        devices = devices.saturating_add(view.devices.len());
        views.push(view);
    }
    let key = |view: &SubscriberView| view.subscriber.id.clone();
    let mut listed = listed(views, page, total, key);
    if is_cut {
        listed.next = listed.items.last().map(key);
    }
    Ok(listed)
}

impl SubscriberStore for SqliteStore {
    fn subscriber_write(
        &self,
        mode: WriteMode,
        given: SubscriberGiven,
        deed: Deed,
        remember: Option<Remember<SubscriberVerdict>>,
    ) -> Pending<'_, Once<SubscriberVerdict>> {
        Box::pin(self.write(Guard::Savepoint, 1024, move |connection| {
            once(connection, remember, |connection| {
                let verdict = write(connection, mode, &given, &deed)?;
                let created = usize::from(mode == WriteMode::Create && verdict.is_ok());
                // The number of records is of no time.
                quotas::records_made(
                    connection,
                    &given.subscriber.tenant,
                    "",
                    Kind::Subscribers,
                    created,
                    Timestamp(0),
                )?;
                Ok(verdict)
            })
        }))
    }

    fn subscriber_delete(
        &self,
        tenant: &str,
        id: &str,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        Box::pin(self.write(Guard::Savepoint, 4096, move |connection| delete(connection, &tenant, &id, version, &deed)))
    }

    fn subscriber_assign(
        &self,
        tenant: &str,
        id: &str,
        device: DeviceId,
        assignment: Assignment,
        deed: Deed,
    ) -> Pending<'_, SubscriberVerdict> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        Box::pin(self.write(Guard::Savepoint, 1024, move |connection| {
            assign(connection, &tenant, &id, &device, assignment, &deed)
        }))
    }

    fn subscriber_find(&self, tenant: &str, key: SubscriberKey) -> Pending<'_, Option<SubscriberView>> {
        let tenant = tenant.to_owned();
        Box::pin(async move {
            self.points.read(|connection| {
                let found = match &key {
                    SubscriberKey::Id(id) => get(connection, &tenant, id)?,
                    SubscriberKey::Phone(number) => by_phone(connection, &tenant, number)?,
                };
                found.map(|subscriber| view(connection, subscriber)).transpose()
            })
        })
    }

    fn subscriber_list(
        &self,
        tenant: &str,
        filter: SubscriberFilter,
        page: Page,
    ) -> Pending<'_, Listed<SubscriberView>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| list(connection, &tenant, &filter, &page)))
    }

    fn subscriber_consents(
        &self,
        tenant: &str,
        subscriber_id: Option<String>,
        phone_number: Option<Msisdn>,
    ) -> Pending<'_, bool> {
        let tenant = tenant.to_owned();
        Box::pin(async move {
            self.points
                .read(|connection| consents(connection, &tenant, subscriber_id.as_deref(), phone_number.as_ref()))
        })
    }
}
