//! Idempotency keys: an effect and the answer to it are kept in one transaction.

use muster_broker::store::{Once, Remember};
use rusqlite::params;

use super::query::{one, run};
use super::rows::Done;
use super::writer::Transaction;

/// Does `work` unless its key was used before.
pub(super) fn once<T>(
    connection: &Transaction<'_>,
    remember: Option<Remember<T>>,
    work: impl FnOnce(&Transaction<'_>) -> Done<T>,
) -> Done<Once<T>> {
    let Some(Remember { caller, operation, request_id, content, at, answer }) = remember else {
        return Ok(Once::Now(work(connection)?));
    };
    let before = one(
        connection,
        "SELECT content, answer FROM request WHERE caller = ? AND operation = ? AND request_id = ?",
        params![caller, operation, request_id],
        |cells| Ok((cells.get::<[u8; 32]>()?, cells.get::<String>()?)),
    )?;
    if let Some((stored, answer)) = before {
        return Ok(if stored == content { Once::Before(answer) } else { Once::Reused });
    }
    let outcome = work(connection)?;
    if let Some(answer) = answer(&outcome) {
        run(
            connection,
            "INSERT INTO request (caller, operation, request_id, content, at, answer) VALUES (?, ?, ?, ?, ?, ?)",
            params![caller, operation, request_id, content, at.0, answer],
        )?;
    }
    Ok(Once::Now(outcome))
}
