//! Making, replacing and deleting device records. Everything is checked before anything is written, so that a
//! refused record of a batch leaves nothing behind.

use muster_broker::device::Device;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::{CapabilityOid, DeviceOid};
use muster_broker::ledger::{AuditEntry, Deed, Object, Picture, Telling, device as picture};
use muster_broker::store::{DeviceGiven, DeviceKey, DeviceVerdict, DeviceWrite, WriteMode};
use muster_broker::task::TaskEvent;
use rusqlite::{Connection, Statement, params};

use super::classes::{self, Tally};
use super::devices::{KIND_CLIENT_NAME, KIND_DEVICE_ID, find, get, holder, outdated};
use super::ledger;
use super::query::run;
use super::rows::{Done, Failure, auth_type_number, json_unless_default, management_state_number};
use super::subscribers;
use super::tasks::{self, Note};
use super::traces;
use super::writer::Transaction;
use super::{capabilities, contacts, membership};
use crate::vault::FileVault;

/// Open tasks looked at in one read while a record is deleted.
const TASKS_PAGE: u32 = 256;

/// Writes one record given by a caller.
pub(super) fn write(
    connection: &Transaction<'_>,
    vault: &FileVault,
    tally: &Tally,
    tenant: &str,
    write: &DeviceWrite,
    deed: &Deed,
) -> Done<DeviceVerdict> {
    let given = &write.given;
    let stored = if write.mode == WriteMode::Create { None } else { stored(connection, tenant, given)? };
    match (stored, write.mode) {
        (Some(stored), _) => replace(connection, vault, &stored, given, deed),
        (None, WriteMode::Upsert) if given.oid.is_none() => create(connection, tally, tenant, given, deed),
        (None, WriteMode::Create) => create(connection, tally, tenant, given, deed),
        (None, _) => Ok(DeviceVerdict::Refused(unknown(given))),
    }
}

fn stored(connection: &Connection, tenant: &str, given: &DeviceGiven) -> Done<Option<Device>> {
    let key = given.oid.map(DeviceKey::Oid).or_else(|| given.device.device_id.clone().map(DeviceKey::DeviceId));
    let Some(key) = key else { return Ok(None) };
    Ok(find(connection, tenant, &key, 1)?.pop())
}

fn unknown(given: &DeviceGiven) -> Fault {
    let key = given.oid.map(|oid| oid.to_string()).or_else(|| given.device.device_id.as_ref().map(ToString::to_string));
    match key {
        Some(key) => Fault::new(FaultName::UnknownDevice, format!("there is no device record {key}")).with(key),
        None => Fault::new(FaultName::UnknownDevice, "neither oid nor deviceID names a device record"),
    }
}

/// Makes a new record ready to be kept, or tells why there can be none.
pub(super) fn as_new(tenant: &str, device: &mut Device, has_client_secret: bool) -> Result<(), Fault> {
    if device.account.is_some() && !has_client_secret {
        return Err(Fault::missing("dmAccount.clientSecret"));
    }
    if device.tenant != tenant {
        tenant.clone_into(&mut device.tenant);
    }
    device.version = 1;
    device.last_seen_at = None;
    Ok(())
}

fn create(
    connection: &Transaction<'_>,
    tally: &Tally,
    tenant: &str,
    given: &DeviceGiven,
    deed: &Deed,
) -> Done<DeviceVerdict> {
    let mut device = given.device.clone();
    device.management_state = given.state.unwrap_or(device.management_state);
    if let Err(fault) = as_new(tenant, &mut device, given.has_client_secret) {
        return Ok(DeviceVerdict::Refused(fault));
    }
    if let Some(fault) = unfit(connection, &mut device, None)? {
        return Ok(DeviceVerdict::Refused(fault));
    }
    if get(connection, device.oid)?.is_some() {
        return Ok(DeviceVerdict::Refused(taken("oid", &device.oid.to_string())));
    }
    insert(connection, tally, &device)?;
    tell(connection, deed, || AuditEntry::done(deed, Object::device(device.oid), None, Some(picture(&device))))?;
    Ok(DeviceVerdict::Created(device))
}

fn replace(
    connection: &Transaction<'_>,
    vault: &FileVault,
    stored: &Device,
    given: &DeviceGiven,
    deed: &Deed,
) -> Done<DeviceVerdict> {
    if let Some(version) = given.version.filter(|version| *version != stored.version) {
        return Ok(DeviceVerdict::Refused(outdated(stored.version, version)));
    }
    if given.device.account.is_some() && stored.account.is_none() && !given.has_client_secret {
        return Ok(DeviceVerdict::Refused(Fault::missing("dmAccount.clientSecret")));
    }
    let mut next = stored.replaced_by(given);
    // The same secret sealed again looks different: what is stored stays, so that a repeated import changes nothing.
    if let (Some(next), Some(stored)) = (&mut next.account, &stored.account) {
        if vault.is_same(&next.client_secret, &stored.client_secret) {
            next.client_secret = stored.client_secret.clone();
        }
        if let (Some(secret), Some(before)) = (&mut next.server_secret, &stored.server_secret)
            && vault.is_same(secret, before)
        {
            *secret = before.clone();
        }
    }
    if let Some(fault) = unfit(connection, &mut next, Some(stored))? {
        return Ok(DeviceVerdict::Refused(fault));
    }
    if next == *stored {
        return Ok(DeviceVerdict::Unchanged(next));
    }
    next.version = stored.version.saturating_add(1);
    update(connection, &next, stored)?;
    ledger::add(connection, changed(deed, stored, &next))?;
    Ok(DeviceVerdict::Updated(next))
}

fn tell(connection: &Transaction<'_>, deed: &Deed, entry: impl FnOnce() -> AuditEntry) -> Done<()> {
    match deed.telling {
        Telling::Each => ledger::add(connection, entry()),
        Telling::Together => Ok(()),
    }
}

/// Tells of all records of a deed in one entry, where it is to be told so and something was done.
pub(super) fn tell_together(connection: &Transaction<'_>, deed: &Deed, verdicts: &[DeviceVerdict]) -> Done<()> {
    let count = |is: fn(&DeviceVerdict) -> bool| verdicts.iter().filter(|verdict| is(verdict)).count();
    let created = count(|verdict| matches!(verdict, DeviceVerdict::Created(_)));
    let updated = count(|verdict| matches!(verdict, DeviceVerdict::Updated(_)));
    if deed.telling == Telling::Each || created + updated == 0 {
        return Ok(());
    }
    let told = Picture::of(serde_json::json!({
        "created": created,
        "updated": updated,
        "unchanged": count(|verdict| matches!(verdict, DeviceVerdict::Unchanged(_))),
        "rejected": count(|verdict| matches!(verdict, DeviceVerdict::Refused(_))),
    }));
    ledger::add(connection, AuditEntry::done(deed, Object::named("devices", None), None, Some(told)))
}

/// What the log tells of a changed record. A new secret is told as that, not as what it is.
pub(super) fn changed(deed: &Deed, before: &Device, after: &Device) -> AuditEntry {
    let mut told = picture(after);
    let secret =
        |device: &Device| device.account.as_ref().map(|it| (it.client_secret.clone(), it.server_secret.clone()));
    if secret(before) != secret(after) {
        told.open.insert("secretChanged".to_owned(), true.into());
    }
    AuditEntry::done(deed, Object::device(after.oid), Some(picture(before)), Some(told))
}

/// The changed record of a step of the device itself. False if it was decided on another version, or takes a name
/// that another record has by now; nothing is written then.
pub(super) fn write_in_step(
    connection: &Transaction<'_>,
    oid: DeviceOid,
    record: &Device,
    told: impl FnOnce(AuditEntry) -> AuditEntry,
    deed: &Deed,
) -> Done<bool> {
    if record.oid != oid {
        return Err(Failure::Broken(format!("a step of {oid} carries the record of {}", record.oid)));
    }
    let Some(stored) = get(connection, oid)?.filter(|stored| stored.version == record.version) else {
        return Ok(false);
    };
    let mut next = record.clone();
    next.last_seen_at = stored.last_seen_at;
    // Most steps change no name, and then nobody can have taken it.
    let keeps_names = device_id(&next) == device_id(&stored) && client_name(&next) == client_name(&stored);
    if !keeps_names && name_taken(connection, &next)?.is_some() {
        return Ok(false);
    }
    if unfit_capability(connection, &mut next)?.is_some() {
        return Ok(false);
    }
    if next != stored {
        next.version = stored.version.saturating_add(1);
        update(connection, &next, &stored)?;
        ledger::add(connection, told(changed(deed, &stored, &next)))?;
    }
    Ok(true)
}

pub(super) fn taken(key: &str, value: &str) -> Fault {
    Fault::new(FaultName::AlreadyExists, format!("another record has this {key}")).with(key).with(value)
}

/// Why a record cannot be stored as it is, if so. Finds its capability record where none is given.
fn unfit(connection: &Connection, device: &mut Device, before: Option<&Device>) -> Done<Option<Fault>> {
    if let Some(fault) = name_taken(connection, device)? {
        return Ok(Some(fault));
    }
    if let Some(fault) = subscribers::unfit(connection, device, before)? {
        return Ok(Some(fault));
    }
    unfit_capability(connection, device)
}

fn name_taken(connection: &Connection, device: &Device) -> Done<Option<Fault>> {
    let names = [
        ("deviceID", KIND_DEVICE_ID, device.tenant.as_str(), device.device_id.as_ref().map(|id| id.as_str())),
        (
            "dmAccount.clientName",
            KIND_CLIENT_NAME,
            "",
            device.account.as_ref().map(|account| account.client_name.as_str()),
        ),
    ];
    for (key, kind, scope, value) in names {
        let Some(value) = value else { continue };
        if holder(connection, kind, scope, value)?.is_some_and(|holder| holder != device.oid) {
            return Ok(Some(taken(key, value)));
        }
    }
    Ok(None)
}

pub(super) fn unknown_capability(oid: CapabilityOid) -> Fault {
    Fault::new(FaultName::UnknownCapability, format!("there is no device capability record {oid}")).with(oid)
}

/// The fault for a number that several records have.
pub(super) fn ambiguous() -> Fault {
    let text = "several records have this phone number; name one by oid or deviceID";
    Fault::new(FaultName::AmbiguousDevice, text)
}

fn unfit_capability(connection: &Connection, device: &mut Device) -> Done<Option<Fault>> {
    match device.capability {
        Some(oid) if !capabilities::exists(connection, &device.tenant, oid)? => Ok(Some(unknown_capability(oid))),
        Some(_) => Ok(None),
        None => {
            device.capability = capabilities::best_match(connection, device)?;
            Ok(None)
        }
    }
}

fn insert(connection: &Connection, tally: &Tally, device: &Device) -> Done<()> {
    set(connection, device)?;
    membership::follow(connection, tally, None, Some(device))?;
    rename(connection, device.oid, KIND_DEVICE_ID, &device.tenant, None, device_id(device))?;
    rename(connection, device.oid, KIND_CLIENT_NAME, "", None, client_name(device))?;
    count(connection, &device.tenant, 1)
}

/// Keeps a changed record and what is looked up by its names.
pub(super) fn update(connection: &Connection, device: &Device, before: &Device) -> Done<()> {
    set(connection, device)?;
    tasks::part(connection, before, Some(device))?;
    let tally = Tally::default();
    membership::follow(connection, &tally, Some(before), Some(device))?;
    tally.keep(connection)?;
    let oid = device.oid;
    rename(connection, oid, KIND_DEVICE_ID, &device.tenant, device_id(before), device_id(device))?;
    rename(connection, oid, KIND_CLIENT_NAME, "", client_name(before), client_name(device))
}

pub(super) fn device_id(device: &Device) -> Option<&str> {
    device.device_id.as_ref().map(|id| id.as_str())
}

pub(super) fn client_name(device: &Device) -> Option<&str> {
    device.account.as_ref().map(|account| account.client_name.as_str())
}

fn rename(
    connection: &Connection,
    oid: DeviceOid,
    kind: i64,
    scope: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Done<()> {
    if before == after {
        return Ok(());
    }
    if let Some(before) = before {
        run(
            connection,
            "DELETE FROM device_key WHERE kind = ? AND value = ? AND scope = ?",
            params![kind, before, scope],
        )?;
    }
    if let Some(after) = after {
        run(
            connection,
            "INSERT INTO device_key (kind, value, scope, bucket, oid) VALUES (?, ?, ?, ?, ?)",
            params![kind, after, scope, oid.bucket.0, oid.unique.as_bytes()],
        )?;
    }
    Ok(())
}

/// Makes a row of a record that is new.
macro_rules! insert_sql {
    () => {
        "INSERT INTO device (bucket, oid, tenant, device_id, phone_number, imsi, capability, manufacturer, model, \
         firmware_version, software_version, management_state, subscriber_id, groups, attributes, auth_type, \
         client_name, client_secret, client_nonce, server_id, server_name, server_secret, server_nonce, version, class) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    };
}

/// The statement that makes a row of a record; its values are given by [`fill`].
pub(super) const INSERT: &str = insert_sql!();

/// As [`INSERT`], or changes the row that is there.
const SET: &str = concat!(
    insert_sql!(),
    " ON CONFLICT (bucket, oid) DO UPDATE SET device_id = excluded.device_id, phone_number = excluded.phone_number, \
     imsi = excluded.imsi, capability = excluded.capability, manufacturer = excluded.manufacturer, \
     model = excluded.model, firmware_version = excluded.firmware_version, \
     software_version = excluded.software_version, management_state = excluded.management_state, \
     subscriber_id = excluded.subscriber_id, groups = excluded.groups, attributes = excluded.attributes, \
     auth_type = excluded.auth_type, client_name = excluded.client_name, client_secret = excluded.client_secret, \
     client_nonce = excluded.client_nonce, server_id = excluded.server_id, server_name = excluded.server_name, \
     server_secret = excluded.server_secret, server_nonce = excluded.server_nonce, version = excluded.version, \
     class = excluded.class"
);

/// Runs [`INSERT`] or [`SET`] with the values of a record and its class.
pub(super) fn fill(statement: &mut Statement<'_>, device: &Device, class: i64) -> Done<()> {
    let account = device.account.as_ref();
    statement.execute(params![
        device.oid.bucket.0,
        device.oid.unique.as_bytes(),
        device.tenant,
        device_id(device),
        device.phone_number.as_ref().map(|number| number.as_str()),
        device.imsi,
        device.capability.as_ref().map(|oid| oid.0.as_bytes()),
        device.manufacturer,
        device.model,
        device.firmware_version,
        device.software_version,
        management_state_number(device.management_state),
        device.subscriber_id,
        json_unless_default(&device.group)?,
        json_unless_default(&device.attribute)?,
        account.map(|account| auth_type_number(account.auth_type)),
        client_name(device),
        account.map(|account| &account.client_secret.0),
        account.and_then(|account| account.client_nonce.as_ref()),
        account.and_then(|account| account.server_id.as_ref()),
        account.and_then(|account| account.server_name.as_ref()),
        account.and_then(|account| account.server_secret.as_ref()).map(|secret| &secret.0),
        account.and_then(|account| account.server_nonce.as_ref()),
        device.version,
        class,
    ])?;
    Ok(())
}

/// Keeps a record, new or changed.
fn set(connection: &Connection, device: &Device) -> Done<()> {
    let mut statement = connection.prepare_cached(SET)?;
    fill(&mut statement, device, classes::of_device(device))?;
    if device.account.is_some() {
        run(
            connection,
            "INSERT INTO contact (bucket, oid, generation, revision, tenant) VALUES (?, ?, 0, 0, ?) \
             ON CONFLICT (bucket, oid) DO NOTHING",
            params![device.oid.bucket.0, device.oid.unique.as_bytes(), device.tenant],
        )?;
    }
    Ok(())
}

pub(super) fn count(connection: &Connection, tenant: &str, change: i64) -> Done<()> {
    // One thread writes, so one bucket of counters serves.
    run(
        connection,
        "INSERT INTO device_count (tenant, bucket, count) VALUES (?1, 0, ?2) \
         ON CONFLICT (tenant, bucket) DO UPDATE SET count = count + ?2",
        params![tenant, change],
    )?;
    Ok(())
}

/// Deletes a record with what is kept of its contacts; its open tasks are cancelled.
pub(super) fn delete(
    connection: &Transaction<'_>,
    tenant: &str,
    key: &DeviceKey,
    version: Option<i64>,
    deed: &Deed,
) -> Done<Result<(), Fault>> {
    let mut found = find(connection, tenant, key, 2)?;
    let Some(device) = found.pop() else {
        return Ok(Err(Fault::new(FaultName::UnknownDevice, "there is no such device record")));
    };
    if !found.is_empty() {
        return Ok(Err(ambiguous()));
    }
    if let Some(version) = version.filter(|version| *version != device.version) {
        return Ok(Err(outdated(device.version, version)));
    }
    let detail = Some("the device record was deleted".to_owned());
    loop {
        let tasks = tasks::open_of(connection, device.oid, TASKS_PAGE)?;
        if tasks.is_empty() {
            break;
        }
        for mut task in tasks {
            let note = Note { event: "Cancelled", detail: detail.clone(), actor: &deed.actor };
            let before = task.status;
            if !tasks::advance(connection, &mut task, TaskEvent::CancelAsked, deed.at, &note)? {
                return Err(Failure::Broken(format!("open task {} cannot be cancelled", task.id)));
            }
            ledger::add(connection, tasks::changed(deed, before, &task))?;
        }
    }
    rename(connection, device.oid, KIND_DEVICE_ID, tenant, device_id(&device), None)?;
    rename(connection, device.oid, KIND_CLIENT_NAME, "", client_name(&device), None)?;
    let oid = params![device.oid.bucket.0, device.oid.unique.as_bytes()];
    traces::discard(connection, device.oid)?;
    let tally = Tally::default();
    membership::follow(connection, &tally, Some(&device), None)?;
    tasks::part(connection, &device, None)?;
    tally.keep(connection)?;
    if device.last_seen_at.is_some() {
        contacts::count_seen(connection, tenant, -1)?;
    }
    run(connection, "DELETE FROM contact WHERE bucket = ? AND oid = ?", oid)?;
    run(connection, "DELETE FROM device WHERE bucket = ? AND oid = ?", oid)?;
    count(connection, tenant, -1)?;
    ledger::add(connection, AuditEntry::done(deed, Object::device(device.oid), Some(picture(&device)), None))?;
    Ok(Ok(()))
}
