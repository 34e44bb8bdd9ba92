//! What lists find device records by besides their own columns: groups and further attributes, a row for each, and
//! their classes.

use std::collections::BTreeSet;

use muster_broker::device::Device;
use muster_broker::id::DeviceOid;
use rusqlite::{Connection, params};

use super::classes::{self, Tally};
use super::query::run;
use super::rows::Done;

/// Follows a record from what it was to what it is; nothing where it was or is not there. Its class is in its row
/// already.
pub(super) fn follow(
    connection: &Connection,
    tally: &Tally,
    before: Option<&Device>,
    after: Option<&Device>,
) -> Done<()> {
    let classes = (before.map(classes::of_device), after.map(classes::of_device));
    if classes.0 != classes.1 {
        if let (Some(class), Some(before)) = (classes.0, before) {
            tally.class(class, before, -1);
        }
        if let (Some(class), Some(after)) = (classes.1, after) {
            tally.class(class, after, 1);
        }
    }
    move_between(connection, tally, before, after)
}

/// A new record comes into its groups and gets its attributes; its class is counted by the caller.
pub(super) fn join(connection: &Connection, tally: &Tally, device: &Device) -> Done<()> {
    if device.group.is_empty() && device.attribute.is_empty() {
        return Ok(());
    }
    move_between(connection, tally, None, Some(device))
}

fn move_between(connection: &Connection, tally: &Tally, before: Option<&Device>, after: Option<&Device>) -> Done<()> {
    let Some(device) = after.or(before) else { return Ok(()) };
    let (tenant, oid) = (device.tenant.as_str(), device.oid);
    let (left, came) = differences(&groups(before), &groups(after));
    for group in left {
        run(
            connection,
            "DELETE FROM device_group WHERE tenant = ? AND grp = ? AND bucket = ? AND oid = ?",
            params![tenant, group, oid.bucket.0, oid.unique.as_bytes()],
        )?;
        tally.group(tenant, group, -1);
    }
    for group in came {
        run(
            connection,
            "INSERT INTO device_group (tenant, grp, bucket, oid) VALUES (?, ?, ?, ?)",
            params![tenant, group, oid.bucket.0, oid.unique.as_bytes()],
        )?;
        tally.group(tenant, group, 1);
    }
    let (left, came) = differences(&names(before), &names(after));
    left.into_iter().for_each(|name| tally.attribute(tenant, name, -1));
    came.into_iter().for_each(|name| tally.attribute(tenant, name, 1));
    let (left, came) = differences(&attributes(before), &attributes(after));
    for pair in left {
        let sql = "DELETE FROM device_attribute WHERE tenant = ? AND name = ? AND value = ? AND bucket = ? AND oid = ?";
        attribute(connection, sql, tenant, oid, pair)?;
    }
    for pair in came {
        let sql = "INSERT INTO device_attribute (tenant, name, value, bucket, oid) VALUES (?, ?, ?, ?, ?)";
        attribute(connection, sql, tenant, oid, pair)?;
    }
    Ok(())
}

fn attribute(connection: &Connection, sql: &str, tenant: &str, oid: DeviceOid, pair: (&str, &str)) -> Done<()> {
    run(connection, sql, params![tenant, pair.0, pair.1, oid.bucket.0, oid.unique.as_bytes()])?;
    Ok(())
}

fn groups(device: Option<&Device>) -> BTreeSet<&str> {
    device.into_iter().flat_map(|device| &device.group).map(String::as_str).collect()
}

fn names(device: Option<&Device>) -> BTreeSet<&str> {
    device.into_iter().flat_map(|device| &device.attribute).map(|(name, _)| name.as_str()).collect()
}

fn attributes(device: Option<&Device>) -> BTreeSet<(&str, &str)> {
    let pairs = device.into_iter().flat_map(|device| &device.attribute);
    pairs.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// What is only in the first, and what is only in the second.
fn differences<T: Ord + Copy>(before: &BTreeSet<T>, after: &BTreeSet<T>) -> (Vec<T>, Vec<T>) {
    (before.difference(after).copied().collect(), after.difference(before).copied().collect())
}
