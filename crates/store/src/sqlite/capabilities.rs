//! Device capability records.

use muster_broker::capability::Capability;
use muster_broker::device::Device;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::CapabilityOid;
use muster_broker::ledger::{AuditEntry, Deed, Object, capability as picture};
use muster_broker::page::{Listed, Page};
use muster_broker::store::{CapabilityFilter, CapabilityKey, CapabilityVerdict, CapabilityWrite};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::devices::outdated;
use super::ledger;
use super::lists;
use super::query::{Where, foreign_key, listed, one, one_more, run};
use super::rows::{Cells, Done};
use super::writer::Transaction;

/// The whole record is kept as JSON; the columns beside it are what it is found by.
const COLUMNS: &str = "k.rest, k.version";

fn capability(cells: &mut Cells<'_>) -> Done<Capability> {
    let mut capability: Capability = cells.json()?;
    capability.version = cells.get()?;
    Ok(capability)
}

fn get(connection: &Connection, tenant: &str, oid: CapabilityOid) -> Done<Option<Capability>> {
    let sql = format!("SELECT {COLUMNS} FROM capability k WHERE k.oid = ? AND k.tenant = ?");
    one(connection, &sql, params![oid.0.as_bytes(), tenant], capability)
}

pub(super) fn exists(connection: &Connection, tenant: &str, oid: CapabilityOid) -> Done<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM capability WHERE oid = ? AND tenant = ?")?;
    Ok(statement.exists(params![oid.0.as_bytes(), tenant])?)
}

/// The record with exactly this make, model and firmware version; `None` names the one that covers every version.
fn exact(
    connection: &Connection,
    tenant: &str,
    manufacturer: &str,
    model: &str,
    firmware_version: Option<&str>,
) -> Done<Option<CapabilityOid>> {
    let found: Option<[u8; 16]> = match firmware_version {
        Some(version) => connection
            .prepare_cached(
                "SELECT oid FROM capability \
                 WHERE tenant = ? AND manufacturer = ? AND model = ? AND firmware_version = ?",
            )?
            .query_row(params![tenant, manufacturer, model, version], |row| row.get(0))
            .optional()?,
        None => connection
            .prepare_cached(
                "SELECT oid FROM capability \
                 WHERE tenant = ? AND manufacturer = ? AND model = ? AND firmware_version IS NULL",
            )?
            .query_row(params![tenant, manufacturer, model], |row| row.get(0))
            .optional()?,
    };
    Ok(found.map(|oid| CapabilityOid(uuid::Uuid::from_bytes(oid))))
}

fn most_specific(
    connection: &Connection,
    tenant: &str,
    manufacturer: &str,
    model: &str,
    firmware_version: Option<&str>,
) -> Done<Option<CapabilityOid>> {
    if firmware_version.is_some()
        && let Some(found) = exact(connection, tenant, manufacturer, model, firmware_version)?
    {
        return Ok(Some(found));
    }
    exact(connection, tenant, manufacturer, model, None)
}

/// The most specific record for a device, if its make and model are known.
pub(super) fn best_match(connection: &Connection, device: &Device) -> Done<Option<CapabilityOid>> {
    let (Some(manufacturer), Some(model)) = (&device.manufacturer, &device.model) else { return Ok(None) };
    most_specific(connection, &device.tenant, manufacturer, model, device.firmware_version.as_deref())
}

pub(super) fn find(connection: &Connection, tenant: &str, key: &CapabilityKey) -> Done<Option<Capability>> {
    let oid = match key {
        CapabilityKey::Oid(oid) => Some(*oid),
        CapabilityKey::Model { manufacturer, model, firmware_version } => {
            most_specific(connection, tenant, manufacturer, model, firmware_version.as_deref())?
        }
        // A code should stand in one record only; of several the first counts, always the same one.
        CapabilityKey::Tac(tac) => one(
            connection,
            "SELECT oid FROM capability_tac WHERE tenant = ? AND tac = ? ORDER BY oid LIMIT 1",
            params![tenant, tac],
            |cells| Ok(CapabilityOid(cells.uuid()?)),
        )?,
    };
    oid.map_or(Ok(None), |oid| get(connection, tenant, oid))
}

fn unknown(oid: CapabilityOid) -> Fault {
    Fault::new(FaultName::UnknownCapability, format!("there is no device capability record {oid}")).with(oid)
}

pub(super) fn write(connection: &Transaction<'_>, write: &CapabilityWrite, deed: &Deed) -> Done<CapabilityVerdict> {
    let mut next = write.capability.clone();
    let stored = match write.oid {
        None => None,
        Some(oid) => match get(connection, &next.tenant, oid)? {
            None => return Ok(Err(unknown(oid))),
            stored => stored,
        },
    };
    next.version = 1;
    if let Some(stored) = &stored {
        if let Some(version) = write.version.filter(|version| *version != stored.version) {
            return Ok(Err(outdated(stored.version, version)));
        }
        next.oid = stored.oid;
        next.version = stored.version;
        if next == *stored {
            return Ok(Ok(next));
        }
        next.version = stored.version.saturating_add(1);
    }
    let holder = exact(connection, &next.tenant, &next.manufacturer, &next.model, next.firmware_version.as_deref())?;
    if holder.is_some_and(|holder| holder != next.oid) {
        let version = next.firmware_version.as_deref().unwrap_or("every firmware version");
        let value = format!("{} {} {version}", next.manufacturer, next.model);
        let text = "another record covers this make, model and firmware version";
        return Ok(Err(Fault::new(FaultName::AlreadyExists, text)
            .with("manufacturer, model, firmwareVersion")
            .with(value)));
    }
    keep(connection, &next)?;
    let (object, before) = (Object::capability(next.oid), stored.as_ref().map(picture));
    ledger::add(connection, AuditEntry::done(deed, object, before, Some(picture(&next))))?;
    Ok(Ok(next))
}

fn keep(connection: &Connection, capability: &Capability) -> Done<()> {
    run(
        connection,
        "INSERT INTO capability (oid, tenant, manufacturer, model, firmware_version, rest, version) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (oid) DO UPDATE SET manufacturer = excluded.manufacturer, \
         model = excluded.model, firmware_version = excluded.firmware_version, rest = excluded.rest, \
         version = excluded.version",
        params![
            capability.oid.0.as_bytes(),
            capability.tenant,
            capability.manufacturer,
            capability.model,
            capability.firmware_version,
            serde_json::to_string(capability)?,
            capability.version
        ],
    )?;
    run(connection, "DELETE FROM capability_tac WHERE oid = ?", [capability.oid.0.as_bytes()])?;
    for tac in &capability.tac {
        run(
            connection,
            "INSERT INTO capability_tac (tenant, tac, oid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            params![capability.tenant, tac, capability.oid.0.as_bytes()],
        )?;
    }
    Ok(())
}

pub(super) fn delete(
    connection: &Transaction<'_>,
    tenant: &str,
    oid: CapabilityOid,
    version: Option<i64>,
    deed: &Deed,
) -> Done<Result<(), Fault>> {
    let Some(stored) = get(connection, tenant, oid)? else { return Ok(Err(unknown(oid))) };
    if let Some(version) = version.filter(|version| *version != stored.version) {
        return Ok(Err(outdated(stored.version, version)));
    }
    let is_used = connection
        .prepare_cached("SELECT 1 FROM device_class WHERE capability = ? AND count > 0 LIMIT 1")?
        .exists([oid.0.as_bytes()])?;
    if is_used {
        let text = "device records refer to this capability record; change or delete them first";
        return Ok(Err(Fault::new(FaultName::InUse, text).with(oid)));
    }
    run(connection, "DELETE FROM capability_tac WHERE oid = ?", [oid.0.as_bytes()])?;
    run(connection, "DELETE FROM capability WHERE oid = ?", [oid.0.as_bytes()])?;
    ledger::add(connection, AuditEntry::done(deed, Object::capability(oid), Some(picture(&stored)), None))?;
    Ok(Ok(()))
}

pub(super) fn list(
    connection: &Connection,
    tenant: &str,
    filter: &CapabilityFilter,
    page: &Page,
) -> Done<Listed<Capability>> {
    let mut wanted = Where::default();
    wanted.equal("k.tenant", Some(tenant));
    wanted.equal("k.manufacturer", filter.manufacturer.as_deref());
    wanted.equal("k.model", filter.model.as_deref());
    lists::capability_condition(&mut wanted, filter.expression.as_ref());
    let total = wanted.count(connection, "capability k")?;
    if let Some(after) = &page.after {
        let oid = CapabilityOid::parse(after).map_err(|_| foreign_key())?;
        wanted.and("k.oid > ?", [Value::from(oid.0.as_bytes().to_vec())]);
    }
    let items = wanted.select(connection, COLUMNS, "capability k", "k.oid", one_more(page), capability)?;
    Ok(listed(items, page, total, |capability| capability.oid.to_string()))
}
