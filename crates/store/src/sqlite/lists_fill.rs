//! What the tables of lists hold of records that are older than they.

use muster_broker::time::Timestamp;
use rusqlite::{Connection, params};

use super::classes::{self, HAS_LAST_SEEN, Tallied, Tally};
use super::contacts::SPAN_BITS;
use super::membership;
use super::query::{many, one, run};
use super::rows::{DEVICE, DEVICE_FROM, Done, TASK};

/// Records looked at in one read.
const PAGE: u32 = 1_000;
/// Tasks of a stretch, as in steady work.
const STRETCH_TASKS: u32 = 20_000;

/// Fills them.
pub(super) fn fill(connection: &Connection) -> Done<()> {
    devices(connection)?;
    contacts(connection)?;
    tasks(connection)
}

fn devices(connection: &Connection) -> Done<()> {
    let sql = format!("SELECT d.rowid, {DEVICE} FROM {DEVICE_FROM} WHERE d.rowid > ? ORDER BY d.rowid LIMIT {PAGE}");
    let mut after = 0_i64;
    loop {
        let page = many(connection, &sql, [after], |cells| Ok((cells.get::<i64>()?, cells.device()?)))?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = *last;
        let tally = Tally::default();
        for (row, device) in &page {
            run(connection, "UPDATE device SET class = ? WHERE rowid = ?", params![classes::of_device(device), row])?;
            membership::follow(connection, &tally, None, Some(device))?;
        }
        tally.keep(connection)?;
    }
}

fn contacts(connection: &Connection) -> Done<()> {
    run(
        connection,
        &format!(
            "UPDATE contact SET seen = last_seen_at >> {SPAN_BITS}, tenant = (SELECT d.tenant FROM device d \
             WHERE d.bucket = contact.bucket AND d.oid = contact.oid)"
        ),
        [],
    )?;
    run(
        connection,
        "INSERT INTO device_tally (tenant, field, value, bucket, count) SELECT tenant, ?, ?, 0, count(*) FROM contact \
         WHERE seen IS NOT NULL AND tenant IS NOT NULL GROUP BY tenant",
        params![Tallied::Has.number(), HAS_LAST_SEEN],
    )?;
    Ok(())
}

/// Stretches are of tasks in the order of their making, whatever domain they are of.
fn tasks(connection: &Connection) -> Done<()> {
    let order = "SELECT rowid, created_at FROM task ORDER BY created_at";
    let mut in_stretch = 0_u32;
    let (mut stretch, mut latest) = (0_i64, Timestamp(i64::MIN));
    for (row, created_at) in many(connection, order, [], |cells| Ok((cells.get::<i64>()?, cells.time()?)))? {
        if in_stretch >= STRETCH_TASKS && created_at != latest {
            (stretch, in_stretch) = (created_at.0, 0);
            run(connection, "INSERT INTO task_stretch (begins_at) VALUES (?)", [stretch])?;
        }
        latest = created_at;
        in_stretch = in_stretch.saturating_add(1);
        let sql = format!("SELECT {TASK} FROM task t WHERE t.rowid = ?");
        let Some(task) = one(connection, &sql, [row], |cells| cells.task())? else { continue };
        let class = classes::of_task(&task, stretch);
        run(connection, "UPDATE task SET class = ? WHERE rowid = ?", params![class, row])?;
        classes::add_task(connection, class, stretch, &task)?;
    }
    Ok(())
}
