//! What an erasure comes back to: tasks and jobs that were under way when it came to them.

use muster_broker::id::Bucket;
use muster_broker::id::{JobId, TaskId};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{Erasure, found, stages};
use crate::sqlite::query::{many, one, run};
use crate::sqlite::rows::{Done, Failure};
use crate::sqlite::{jobs, tasks};

const TASK: i64 = 0;
const JOB: i64 = 1;

pub(super) fn note_task(connection: &Connection, erasure: &mut Erasure, bucket: i64, id: &[u8]) -> Done<()> {
    note(connection, erasure, TASK, bucket, id)
}

pub(super) fn note_job(connection: &Connection, erasure: &mut Erasure, id: &[u8]) -> Done<()> {
    note(connection, erasure, JOB, 0, id)
}

fn note(connection: &Connection, erasure: &mut Erasure, kind: i64, bucket: i64, id: &[u8]) -> Done<()> {
    let sql = "INSERT INTO erasure_left (erasure, kind, bucket, id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    run(connection, sql, params![erasure.id.as_bytes(), kind, bucket, id])?;
    erasure.has_waited = true;
    Ok(())
}

/// What is left by its kind, bucket and identifier.
type Left = (i64, i64, Vec<u8>);

/// Looks at a page of what was left; what has ended is done with. False if something goes on still.
pub(super) fn page(connection: &Connection, erasure: &mut Erasure, limit: u32) -> Done<bool> {
    let (kind, bucket, id): Left = match &erasure.after {
        Some(after) => serde_json::from_str(after)?,
        None => (-1, 0, Vec::new()),
    };
    let rows: Vec<Left> = many(
        connection,
        "SELECT kind, bucket, id FROM erasure_left WHERE erasure = ? AND (kind, bucket, id) > (?, ?, ?) \
         ORDER BY kind, bucket, id LIMIT ?",
        params![erasure.id.as_bytes(), kind, bucket, id, limit],
        |cells| Ok((cells.get()?, cells.get()?, cells.get()?)),
    )?;
    for row in &rows {
        if take(connection, erasure, row)? {
            let (kind, bucket, id) = row;
            let sql = "DELETE FROM erasure_left WHERE erasure = ? AND kind = ? AND bucket = ? AND id = ?";
            run(connection, sql, params![erasure.id.as_bytes(), kind, bucket, id])?;
        }
    }
    let is_full = u32::try_from(rows.len()).is_ok_and(|found| found >= limit);
    erasure.after = rows.last().filter(|_| is_full).map(serde_json::to_string).transpose()?;
    if is_full {
        return Ok(true);
    }
    let sql = "SELECT 1 FROM erasure_left WHERE erasure = ? LIMIT 1";
    Ok(one(connection, sql, [erasure.id.as_bytes()], |cells| cells.get::<i64>())?.is_none())
}

/// Takes the names out of a task or job with its entries in the log, if it has ended; false if it has not.
fn take(connection: &Connection, erasure: &mut Erasure, (kind, bucket, id): &Left) -> Done<bool> {
    let unique = Uuid::from_slice(id).map_err(|_| Failure::Broken("an erasure has no such identifier".into()))?;
    if *kind == JOB {
        let job = JobId(unique);
        if jobs::get(connection, job)?.is_some_and(|job| !job.status.is_final()) {
            return Ok(false);
        }
        stages::take_job(connection, erasure, job)?;
    } else {
        let task = TaskId { bucket: Bucket(u16::try_from(*bucket).unwrap_or(0)), unique };
        if tasks::get(connection, task)?.is_some_and(|task| !task.status.is_final()) {
            return Ok(false);
        }
        stages::take_task(connection, erasure, task)?;
    }
    found::take_entries(connection, erasure, unique.into_bytes())?;
    Ok(true)
}
