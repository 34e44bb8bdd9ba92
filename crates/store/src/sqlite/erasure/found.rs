//! What an index finds: entries, tasks and recorded messages of the devices that have a name, or had it.

use muster_broker::device::Device;
use muster_broker::id::{Bucket, DeviceOid};
use muster_broker::ledger::Subject;
use muster_broker::store::ErasureOf;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::Erasure;
use super::stages;
use crate::sqlite::ledger::Sha;
use crate::sqlite::query::{many, one, run};
use crate::sqlite::rows::Done;
use crate::sqlite::{devices, subscribers, traces};

/// Rows that one transaction takes away; the rest is found by looking through the tables.
const FOUND_MAX: u32 = 20_000;

/// The names that were given, and of a subscriber that is there its number, its devices, and what else it is called.
pub(super) fn all_names(connection: &Connection, tenant: &str, of: ErasureOf) -> Done<(Vec<Subject>, Vec<String>)> {
    let ErasureOf { mut subjects, mut others } = of;
    for subject in subjects.clone().iter().filter(|subject| subject.is_subscriber()) {
        if let Some(subscriber) = subscribers::get(connection, tenant, subject.value())? {
            subjects.extend(subscriber.phone_number.as_ref().map(Subject::phone));
            others.extend([subscriber.imsi, subscriber.account_reference].into_iter().flatten());
        }
        for key in live(connection, tenant, subject)? {
            let Some(device) = record(connection, key)? else { continue };
            subjects.extend(device.phone_number.as_ref().map(Subject::phone));
            subjects.extend(device.device_id.as_ref().map(Subject::device));
            others.extend(device.imsi);
            others.extend(device.account.map(|account| account.client_name));
        }
    }
    subjects.sort_unstable();
    subjects.dedup();
    others.sort_unstable();
    others.dedup();
    Ok((subjects, others))
}

/// Takes away what the names find.
pub(super) fn take(connection: &Connection, erasure: &mut Erasure) -> Done<()> {
    let tenant = erasure.tenant.clone();
    let mut keys = Vec::new();
    for subject in &erasure.subjects {
        let sql = "SELECT key FROM audit_subject WHERE tenant = ? AND name = ?";
        keys.extend(many(connection, sql, params![tenant, subject.as_str()], |cells| cells.get::<[u8; 16]>())?);
        keys.extend(live(connection, &tenant, subject)?);
        if subject.is_subscriber() {
            keys.extend(subscribers::object(&tenant, subject.value()).key(&Sha));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        take_entries(connection, erasure, key)?;
        let device = oid(key);
        let tasks = many(
            connection,
            "SELECT bucket, id, is_open FROM task WHERE device_bucket = ? AND device = ? AND tenant = ? LIMIT ?",
            params![device.bucket.0, device.unique.as_bytes(), tenant, FOUND_MAX],
            |cells| Ok((cells.task_id()?, cells.get::<bool>()?)),
        )?;
        for (id, is_open) in tasks {
            take_entries(connection, erasure, id.unique.into_bytes())?;
            if !is_open {
                stages::take_task(connection, erasure, id)?;
            }
        }
        let sql = "SELECT 1 FROM trace_session WHERE bucket = ? AND oid = ? LIMIT 1";
        let at = params![device.bucket.0, device.unique.as_bytes()];
        if one(connection, sql, at, |cells| cells.get::<i64>())?.is_some() {
            traces::discard(connection, device)?;
            erasure.erased.devices = erasure.erased.devices.saturating_add(1);
        }
    }
    forget(connection, &tenant, &erasure.subjects)
}

/// The entries with this key that have one of the names.
pub(super) fn take_entries(connection: &Connection, erasure: &mut Erasure, key: [u8; 16]) -> Done<()> {
    let found = many(
        connection,
        "SELECT a.number, a.personal FROM audit_key k JOIN audit a ON a.number = k.number \
         WHERE k.key = ? AND a.tenant = ? AND a.personal IS NOT NULL LIMIT ?",
        params![key, erasure.tenant, FOUND_MAX],
        |cells| Ok((cells.get::<i64>()?, cells.get::<String>()?)),
    )?;
    for (number, personal) in found {
        if erasure.names.are_in(&personal) {
            stages::take_entry(connection, erasure, number)?;
        }
    }
    Ok(())
}

/// Forgets what the names find.
pub(super) fn forget(connection: &Connection, tenant: &str, subjects: &[Subject]) -> Done<()> {
    for subject in subjects {
        let sql = "DELETE FROM audit_subject WHERE tenant = ? AND name = ?";
        run(connection, sql, params![tenant, subject.as_str()])?;
        // What a subscriber is found by is made of its name, and could be guessed back to it.
        let key = subscribers::object(tenant, subject.value()).key(&Sha).filter(|_| subject.is_subscriber());
        if let Some(key) = key {
            run(connection, "DELETE FROM audit_key WHERE key = ?", [key])?;
        }
    }
    Ok(())
}

/// Device records that have a name now.
fn live(connection: &Connection, tenant: &str, subject: &Subject) -> Done<Vec<[u8; 16]>> {
    let sql = if subject.is_subscriber() {
        "SELECT oid FROM device INDEXED BY device_subscriber WHERE tenant = ? AND subscriber_id = ?"
    } else if subject.is_phone() {
        "SELECT oid FROM device INDEXED BY device_phone WHERE tenant = ? AND phone_number = ?"
    } else {
        "SELECT oid FROM device_key WHERE kind = 1 AND scope = ? AND value = ?"
    };
    many(connection, sql, params![tenant, subject.value()], |cells| cells.get())
}

fn oid(key: [u8; 16]) -> DeviceOid {
    let unique = Uuid::from_bytes(key);
    DeviceOid { bucket: Bucket::of(unique), unique }
}

fn record(connection: &Connection, key: [u8; 16]) -> Done<Option<Device>> {
    devices::get(connection, oid(key))
}
