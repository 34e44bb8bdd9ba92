//! Device records.

use muster_broker::device::Device;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::{CapabilityOid, DeviceOid};
use muster_broker::job::DeviceFilter;
use muster_broker::ledger::Deed;
use muster_broker::page::{Listed, Page};
use muster_broker::quota::Kind;
use muster_broker::store::{
    CapabilityFilter, CapabilityKey, CapabilityVerdict, CapabilityWrite, DeviceKey, DeviceStore, DeviceVerdict,
    DeviceWrite, Once, Pending, Remember,
};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::classes::Tally;
use super::device_write::{self, delete};
use super::query::{Where, many, one};
use super::requests::once;
use super::rows::{DEVICE, DEVICE_FROM, DEVICE_FROM_PHONE, Done};
use super::writer::Guard;
use super::{SqliteStore, adoption, capabilities, lists, quotas};

/// `device_key.kind` of a deviceID, whose scope is the tenant.
pub(super) const KIND_DEVICE_ID: i64 = 1;
/// `device_key.kind` of a clientName, whose scope is empty.
pub(super) const KIND_CLIENT_NAME: i64 = 2;

/// The record with this identifier.
pub(super) fn get(connection: &Connection, oid: DeviceOid) -> Done<Option<Device>> {
    let sql = format!("SELECT {DEVICE} FROM {DEVICE_FROM} WHERE d.bucket = ? AND d.oid = ?");
    one(connection, &sql, params![oid.bucket.0, oid.unique.as_bytes()], |cells| cells.device())
}

/// Whose a name is.
pub(super) fn holder(connection: &Connection, kind: i64, scope: &str, value: &str) -> Done<Option<DeviceOid>> {
    one(
        connection,
        "SELECT bucket, oid FROM device_key WHERE kind = ? AND value = ? AND scope = ?",
        params![kind, value, scope],
        |cells| cells.device_oid(),
    )
}

/// Records of a domain with this key, by oid, at most `limit`.
pub(super) fn find(connection: &Connection, tenant: &str, key: &DeviceKey, limit: u32) -> Done<Vec<Device>> {
    let oid = match key {
        DeviceKey::Oid(oid) => Some(*oid),
        DeviceKey::DeviceId(id) => holder(connection, KIND_DEVICE_ID, tenant, id.as_str())?,
        DeviceKey::Phone(number) => {
            let sql = format!(
                "SELECT {DEVICE} FROM {DEVICE_FROM_PHONE} WHERE d.tenant = ? AND d.phone_number = ? \
                 ORDER BY d.bucket, d.oid LIMIT ?"
            );
            return many(connection, &sql, params![tenant, number.as_str(), limit], |cells| cells.device());
        }
    };
    let Some(oid) = oid.filter(|_| limit > 0) else { return Ok(Vec::new()) };
    Ok(get(connection, oid)?.filter(|device| device.tenant == tenant).into_iter().collect())
}

/// Only records after this one.
pub(super) fn after(wanted: &mut Where, oid: DeviceOid) {
    let values = [Value::from(i64::from(oid.bucket.0)), Value::from(oid.unique.as_bytes().to_vec())];
    wanted.and("(d.bucket, d.oid) > (?, ?)", values);
}

/// The fault for a version that is not the stored one.
pub(super) fn outdated(stored: i64, given: i64) -> Fault {
    Fault::new(FaultName::OutdatedVersion, format!("the record has version {stored}, not {given}; read it again"))
        .with(stored)
}

impl DeviceStore for SqliteStore {
    fn device_write(
        &self,
        tenant: &str,
        writes: Vec<DeviceWrite>,
        deed: Deed,
        remember: Option<Remember<Vec<DeviceVerdict>>>,
    ) -> Pending<'_, Once<Vec<DeviceVerdict>>> {
        let (tenant, vault) = (tenant.to_owned(), self.vault());
        let bytes = writes.len().saturating_mul(2048);
        Box::pin(self.write(Guard::Savepoint, bytes, move |connection| {
            once(connection, remember, |connection| {
                let tally = Tally::default();
                let write = |write| device_write::write(connection, &vault, &tally, &tenant, write, &deed);
                let verdicts = writes.iter().map(write).collect::<Done<Vec<_>>>()?;
                tally.keep(connection)?;
                device_write::tell_together(connection, &deed, &verdicts)?;
                let created = verdicts.iter().filter(|it| matches!(it, DeviceVerdict::Created(_))).count();
                quotas::records_made(connection, &tenant, "", Kind::Devices, created, deed.at)?;
                Ok(verdicts)
            })
        }))
    }

    fn device_delete(
        &self,
        tenant: &str,
        key: DeviceKey,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>> {
        let tenant = tenant.to_owned();
        Box::pin(
            self.write(Guard::Savepoint, 4096, move |connection| delete(connection, &tenant, &key, version, &deed)),
        )
    }

    fn device_find(&self, tenant: &str, key: DeviceKey, limit: u32) -> Pending<'_, Vec<Device>> {
        let tenant = tenant.to_owned();
        Box::pin(async move { self.points.read(|connection| find(connection, &tenant, &key, limit)) })
    }

    fn device_list(&self, tenant: &str, filter: DeviceFilter, page: Page) -> Pending<'_, Listed<Device>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| lists::device_list(connection, &tenant, &filter, &page)))
    }

    fn device_adopt(&self, from: DeviceOid, to: DeviceOid, deed: Deed) -> Pending<'_, bool> {
        Box::pin(self.write(Guard::Savepoint, 4096, move |connection| adoption::adopt(connection, from, to, &deed)))
    }

    fn capability_write(
        &self,
        write: CapabilityWrite,
        deed: Deed,
        remember: Option<Remember<CapabilityVerdict>>,
    ) -> Pending<'_, Once<CapabilityVerdict>> {
        Box::pin(self.write(Guard::Savepoint, 4096, move |connection| {
            once(connection, remember, |connection| capabilities::write(connection, &write, &deed))
        }))
    }

    fn capability_delete(
        &self,
        tenant: &str,
        oid: CapabilityOid,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>> {
        let tenant = tenant.to_owned();
        Box::pin(self.write(Guard::Savepoint, 1024, move |connection| {
            capabilities::delete(connection, &tenant, oid, version, &deed)
        }))
    }

    fn capability_find(
        &self,
        tenant: &str,
        key: CapabilityKey,
    ) -> Pending<'_, Option<muster_broker::capability::Capability>> {
        let tenant = tenant.to_owned();
        Box::pin(async move { self.points.read(|connection| capabilities::find(connection, &tenant, &key)) })
    }

    fn capability_list(
        &self,
        tenant: &str,
        filter: CapabilityFilter,
        page: Page,
    ) -> Pending<'_, Listed<muster_broker::capability::Capability>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| capabilities::list(connection, &tenant, &filter, &page)))
    }
}
