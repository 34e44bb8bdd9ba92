//! The history of tasks: a row for each entry, in the order in which they were written, so that what is written
//! together lies together. The row of a task says which are its own.

use muster_broker::id::TaskId;
use muster_broker::page::{Listed, Page};
use muster_broker::store::HistoryOf;
use muster_broker::task::HistoryEntry;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::jobs;
use super::query::{Where, foreign_key, listed, one, one_more, run};
use super::rows::{Done, HISTORY, task_status_number};
use super::tasks::{id_values, page_key, task_key};

/// Octets of an identifier in `task.history`, the most significant first.
const ID_BYTES: usize = 8;

/// Keeps entries; gives what is to be appended to the `history` of their task.
pub(super) fn insert<'e>(
    connection: &Connection,
    entries: impl IntoIterator<Item = &'e HistoryEntry>,
) -> Done<Vec<u8>> {
    let mut ids = Vec::new();
    for entry in entries {
        ids.extend(insert_one(connection, entry)?.to_be_bytes());
    }
    Ok(ids)
}

fn insert_one(connection: &Connection, entry: &HistoryEntry) -> Done<i64> {
    run(
        connection,
        "INSERT INTO task_history (bucket, task, number, job, at, status, event, detail, actor, device_id) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            entry.task.bucket.0,
            entry.task.unique.as_bytes(),
            entry.number,
            entry.job.as_ref().map(|job| job.0.as_bytes()),
            entry.at.0,
            task_status_number(entry.status),
            entry.event,
            entry.detail,
            entry.actor,
            entry.device.as_ref().map(|id| id.as_str()),
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

/// The entries of a task; nothing if the domain has no such task.
fn ids(connection: &Connection, tenant: &str, id: TaskId) -> Done<Option<Vec<i64>>> {
    let sql = "SELECT history FROM task WHERE bucket = ? AND id = ? AND tenant = ?";
    let key = params![id.bucket.0, id.unique.as_bytes(), tenant];
    let octets = one(connection, sql, key, |cells| cells.get::<Vec<u8>>())?;
    let (ids, _) = match &octets {
        Some(octets) => octets.as_chunks::<ID_BYTES>(),
        None => return Ok(None),
    };
    Ok(Some(ids.iter().map(|octets| i64::from_be_bytes(*octets)).collect()))
}

/// The entries of a task by number, or of a job by time.
pub(super) fn list(
    connection: &Connection,
    tenant: &str,
    of: HistoryOf,
    page: &Page,
) -> Done<Option<Listed<HistoryEntry>>> {
    let mut wanted = Where::default();
    let is_there = match of {
        HistoryOf::Task(id) => {
            let ids = ids(connection, tenant, id)?;
            wanted.and("h.id IN (SELECT value FROM json_each(?))", [Value::from(serde_json::to_string(&ids)?)]);
            ids.is_some()
        }
        HistoryOf::Job(id) => {
            wanted.and("h.job = ?", [Value::from(id.0.as_bytes().to_vec())]);
            jobs::get(connection, id)?.is_some_and(|job| job.tenant == tenant)
        }
    };
    if !is_there {
        return Ok(None);
    }
    let total = wanted.count(connection, "task_history h")?;
    if let Some(after) = &page.after {
        let (key, number) = after.rsplit_once('.').ok_or_else(foreign_key)?;
        let number = Value::from(number.parse::<i64>().map_err(|_| foreign_key())?);
        let (at, id) = task_key(key)?;
        let [bucket, unique] = id_values(id);
        match of {
            HistoryOf::Task(_) => wanted.and("h.number > ?", [number]),
            HistoryOf::Job(_) => wanted
                .and("(h.at, h.bucket, h.task, h.number) > (?, ?, ?, ?)", [Value::from(at), bucket, unique, number]),
        }
    }
    let order = match of {
        HistoryOf::Task(_) => "h.number",
        HistoryOf::Job(_) => "h.at, h.bucket, h.task, h.number",
    };
    let items = wanted.select(connection, HISTORY, "task_history h", order, one_more(page), |cells| cells.history())?;
    let key = |entry: &HistoryEntry| format!("{}.{}", page_key(entry.at, &entry.task.to_string()), entry.number);
    Ok(Some(listed(items, page, total, key)))
}
