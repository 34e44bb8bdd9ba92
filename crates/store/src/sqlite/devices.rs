//! Device records.

use muster_broker::device::Device;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::{CapabilityOid, DeviceOid};
use muster_broker::job::DeviceFilter;
use muster_broker::ledger::Deed;
use muster_broker::page::{Listed, Page};
use muster_broker::quota::Kind;
use muster_broker::store::{
    CapabilityKey, CapabilityVerdict, CapabilityWrite, DeviceKey, DeviceStore, DeviceVerdict, DeviceWrite, Once,
    Pending, Remember,
};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::device_write::{self, delete};
use super::query::{Where, foreign_key, listed, many, one, one_more};
use super::requests::once;
use super::rows::{DEVICE, DEVICE_FROM, DEVICE_FROM_PHONE, Done, management_state_number};
use super::writer::Guard;
use super::{SqliteStore, adoption, capabilities, quotas};

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

/// Conditions on [`DEVICE_FROM`] for the records of a domain that match.
pub(super) fn matching(tenant: &str, filter: &DeviceFilter) -> Where {
    let mut wanted = Where::default();
    wanted.equal("d.tenant", Some(tenant));
    wanted.equal("d.manufacturer", filter.manufacturer.as_deref());
    wanted.equal("d.model", filter.model.as_deref());
    wanted.equal("d.firmware_version", filter.firmware_version.as_deref());
    wanted.among("d.management_state", filter.management_state.map(management_state_number));
    if let Some(group) = &filter.group {
        wanted.and("EXISTS (SELECT 1 FROM json_each(d.groups) WHERE value = ?)", [Value::from(group.clone())]);
    }
    if let Some(before) = filter.last_seen_before {
        wanted.and("(c.last_seen_at IS NULL OR c.last_seen_at < ?)", [Value::from(before.0)]);
    }
    if let Some(since) = filter.last_seen_since {
        wanted.and("c.last_seen_at >= ?", [Value::from(since.0)]);
    }
    if let Some(groups) = &filter.groups {
        let any = "EXISTS (SELECT 1 FROM json_each(d.groups) g WHERE g.value IN (SELECT value FROM json_each(?)))";
        wanted.and(any, [json_list(groups)]);
    }
    for (name, value) in &filter.attribute {
        wanted.and(
            "EXISTS (SELECT 1 FROM json_each(d.attributes) a WHERE json_extract(a.value, '$[0]') = ? \
             AND json_extract(a.value, '$[1]') = ?)",
            [Value::from(name.clone()), Value::from(value.clone())],
        );
    }
    wanted
}

/// A list as one value, for `json_each`.
pub(super) fn json_list(values: &[String]) -> Value {
    Value::from(serde_json::Value::from(values).to_string())
}

/// Only records after this one.
pub(super) fn after(wanted: &mut Where, oid: DeviceOid) {
    let values = [Value::from(i64::from(oid.bucket.0)), Value::from(oid.unique.as_bytes().to_vec())];
    wanted.and("(d.bucket, d.oid) > (?, ?)", values);
}

fn list(connection: &Connection, tenant: &str, filter: &DeviceFilter, page: &Page) -> Done<Listed<Device>> {
    let mut wanted = matching(tenant, filter);
    let total = if *filter == DeviceFilter::default() {
        let count = "SELECT coalesce(sum(count), 0) FROM device_count WHERE tenant = ?";
        let count = one(connection, count, [tenant], |cells| cells.get::<i64>())?;
        count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
    } else {
        wanted.count(connection, DEVICE_FROM)?
    };
    if let Some(key) = &page.after {
        after(&mut wanted, DeviceOid::parse(key).map_err(|_| foreign_key())?);
    }
    let items =
        wanted.select(connection, DEVICE, DEVICE_FROM, "d.bucket, d.oid", one_more(page), |cells| cells.device())?;
    Ok(listed(items, page, total, |device| device.oid.to_string()))
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
                let verdicts = writes
                    .iter()
                    .map(|write| device_write::write(connection, &vault, &tenant, write, &deed))
                    .collect::<Done<Vec<_>>>()?;
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
        Box::pin(self.scan(move |connection| list(connection, &tenant, &filter, &page)))
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
        manufacturer: Option<String>,
        model: Option<String>,
        page: Page,
    ) -> Pending<'_, Listed<muster_broker::capability::Capability>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| {
            capabilities::list(connection, &tenant, manufacturer.as_deref(), model.as_deref(), &page)
        }))
    }
}
