//! When the device behind an account turns out to be one that has a record of its own.
//!
//! Source: DM WSI contract, section 3, "acceptDevicePolicy".

use muster_broker::id::DeviceOid;
use muster_broker::ledger::Deed;
use rusqlite::params;

use super::device_write::{changed, update};
use super::devices::get;
use super::ledger;
use super::query::run;
use super::rows::Done;
use super::traces;
use super::writer::Transaction;

/// Moves phone number, account, contacts and open tasks; false, and nothing done, where that is not possible.
pub(super) fn adopt(connection: &Transaction<'_>, from: DeviceOid, to: DeviceOid, deed: &Deed) -> Done<bool> {
    let (Some(giver), Some(taker)) = (get(connection, from)?, get(connection, to)?) else { return Ok(false) };
    if from == to || giver.tenant != taker.tenant || giver.account.is_none() || taker.account.is_some() {
        return Ok(false);
    }
    let (mut poorer, mut richer) = (giver.clone(), taker.clone());
    richer.account = poorer.account.take();
    if poorer.phone_number.is_some() {
        richer.phone_number = poorer.phone_number.take();
    }
    poorer.version = giver.version.saturating_add(1);
    richer.version = taker.version.saturating_add(1);
    // The row of contacts goes first, so that the taker's account finds it there and makes no new one.
    run(
        connection,
        "UPDATE contact SET bucket = ?, oid = ?, revision = revision + 1 WHERE bucket = ? AND oid = ?",
        params![to.bucket.0, to.unique.as_bytes(), from.bucket.0, from.unique.as_bytes()],
    )?;
    traces::hand_over(connection, from, to)?;
    update(connection, &poorer, &giver)?;
    update(connection, &richer, &taker)?;
    // Their identifiers stay: they are public, and name the bucket that the rows are found in.
    run(
        connection,
        "UPDATE task SET device_bucket = ?, device = ?, updated_at = ?, phone_apart = 1, expected_apart = 1, \
         version = version + 1 \
         WHERE device_bucket = ? AND device = ? AND is_open = 1",
        params![to.bucket.0, to.unique.as_bytes(), deed.at.0, from.bucket.0, from.unique.as_bytes()],
    )?;
    ledger::add(connection, changed(deed, &giver, &poorer))?;
    ledger::add(connection, changed(deed, &taker, &richer))?;
    Ok(true)
}
