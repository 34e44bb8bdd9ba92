//! What was given up.

use muster_broker::callback::QueueId;
use muster_broker::id::{CallbackAddressId, EventId};
use muster_broker::page::{Listed, Page};
use muster_broker::store::{DeadLetter, DeadLetterFilter, Due};
use muster_broker::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::addresses;
use super::outbox::{self, Receiver};
use crate::sqlite::query::{Where, foreign_key, listed, many, one_more, run};
use crate::sqlite::rows::{Cells, Done};

/// Gives up the first of what waits in a queue, at most `limit`: all, or what has waited since before a time.
pub(super) fn bury(
    connection: &Connection,
    queue: QueueId,
    queued_before: Option<Timestamp>,
    now: Timestamp,
    reason: &str,
    limit: u32,
) -> Done<Due> {
    let first = many(
        connection,
        "SELECT number, queued_at FROM outbox WHERE queue = ? ORDER BY number LIMIT ?",
        params![queue.0.as_bytes(), limit],
        |cells| Ok((cells.get::<i64>()?, cells.time()?)),
    )?;
    let given_up = first.iter().take_while(|(_, queued)| queued_before.is_none_or(|before| *queued < before)).count();
    let Some((last, _)) = given_up.checked_sub(1).and_then(|last| first.get(last)) else { return Ok(Due::Nothing) };
    run(
        connection,
        // The same event may have died before in this millisecond, after a replay: then once is enough.
        "INSERT OR IGNORE INTO dead_letter (tenant, died_at, id, queue, number, address, url, soap_version, queued_at, owner, kind, \
         content, reason) SELECT q.tenant, ?1, o.id, o.queue, o.number, q.address, q.url, q.soap_version, o.queued_at, o.owner, \
         o.kind, o.content, ?2 FROM outbox o JOIN callback_queue q ON q.id = o.queue WHERE o.queue = ?3 AND o.number <= ?4",
        params![now.0, reason, queue.0.as_bytes(), last],
    )?;
    run(connection, "DELETE FROM outbox WHERE queue = ? AND number <= ?", params![queue.0.as_bytes(), last])?;
    let is_full = u32::try_from(given_up).is_ok_and(|count| count >= limit);
    Ok(if is_full { Due::More } else { Due::Nothing })
}

const LETTER: &str = "d.id, d.address, d.url, d.queued_at, d.died_at, d.reason, d.kind, d.content";

fn letter(cells: &mut Cells<'_>) -> Done<DeadLetter> {
    Ok(DeadLetter {
        id: EventId(cells.uuid()?),
        address: CallbackAddressId(cells.uuid()?),
        url: addresses::url(cells)?,
        queued_at: cells.time()?,
        died_at: cells.time()?,
        reason: cells.get()?,
        content: {
            let kind = cells.get()?;
            outbox::content(kind, &cells.get::<String>()?)?
        },
    })
}

/// Conditions, and the table with the index that serves them.
fn wanted(tenant: &str, filter: &DeadLetterFilter) -> (Where, &'static str) {
    let mut wanted = Where::default();
    wanted.equal("d.tenant", Some(tenant));
    if let Some(address) = filter.address {
        wanted.and("d.address = ?", [Value::from(address.0.as_bytes().to_vec())]);
    }
    if !filter.ids.is_empty() {
        let marks = vec!["?"; filter.ids.len()].join(", ");
        let ids = filter.ids.iter().map(|id| Value::from(id.0.as_bytes().to_vec()));
        wanted.and(format!("d.id IN ({marks})"), ids);
    }
    let from = match filter {
        DeadLetterFilter { ids, .. } if !ids.is_empty() => "dead_letter d INDEXED BY dead_letter_id",
        DeadLetterFilter { address: Some(_), .. } => "dead_letter d INDEXED BY dead_letter_address",
        DeadLetterFilter { .. } => "dead_letter d",
    };
    (wanted, from)
}

pub(super) fn list(
    connection: &Connection,
    tenant: &str,
    filter: &DeadLetterFilter,
    page: &Page,
) -> Done<Listed<DeadLetter>> {
    let (mut wanted, from) = wanted(tenant, filter);
    let total = wanted.count(connection, from)?;
    if let Some(after) = &page.after {
        let (at, id) = after.split_once('.').ok_or_else(foreign_key)?;
        let at = at.parse::<i64>().map_err(|_| foreign_key())?;
        let id = EventId::parse(id).map_err(|_| foreign_key())?;
        wanted.and("(d.died_at, d.id) < (?, ?)", [Value::from(at), Value::from(id.0.as_bytes().to_vec())]);
    }
    let items = wanted.select(connection, LETTER, from, "d.died_at DESC, d.id DESC", one_more(page), letter)?;
    Ok(listed(items, page, total, |letter| format!("{}.{}", letter.died_at.0, letter.id)))
}

/// A dead letter with what its queue is made of.
struct Buried {
    died_at: Timestamp,
    id: EventId,
    address: CallbackAddressId,
    queue: QueueId,
    owner: String,
    kind: i64,
    content: String,
}

pub(super) fn replay(
    connection: &Connection,
    tenant: &str,
    filter: &DeadLetterFilter,
    now: Timestamp,
    limit: u32,
) -> Done<u64> {
    let (wanted, from) = wanted(tenant, filter);
    let columns = "d.died_at, d.id, d.address, d.queue, d.owner, d.kind, d.content, d.url, d.soap_version";
    let buried = wanted.select(connection, columns, from, "d.died_at, d.queue, d.number, d.id", limit, |cells| {
        let buried = Buried {
            died_at: cells.time()?,
            id: EventId(cells.uuid()?),
            address: CallbackAddressId(cells.uuid()?),
            queue: QueueId(cells.uuid()?),
            owner: cells.get()?,
            kind: cells.get()?,
            content: cells.get()?,
        };
        Ok((buried, addresses::url(cells)?, outbox::soap_version(cells)?))
    })?;
    for (letter, url, soap_version) in &buried {
        let to = Receiver { queue: letter.queue, tenant, address: letter.address, url, soap_version: *soap_version };
        // It is asked for anew: a receiver that was gone is tried again.
        outbox::wake(connection, &to, now, now.plus_ms(1))?;
        outbox::put(connection, letter.queue, letter.id.0, now, &letter.owner, letter.kind, &letter.content)?;
        run(
            connection,
            "DELETE FROM dead_letter WHERE tenant = ? AND died_at = ? AND id = ?",
            params![tenant, letter.died_at.0, letter.id.0.as_bytes()],
        )?;
    }
    Ok(u64::try_from(buried.len()).unwrap_or(u64::MAX))
}

pub(super) fn forget(
    connection: &Connection,
    died_before: Timestamp,
    tried_before: Timestamp,
    limit: u32,
) -> Done<Due> {
    let letters = run(
        connection,
        "DELETE FROM dead_letter WHERE (tenant, died_at, id) IN \
         (SELECT tenant, died_at, id FROM dead_letter INDEXED BY dead_letter_died WHERE died_at < ? LIMIT ?)",
        params![died_before.0, limit],
    )?;
    let queues = run(
        connection,
        "DELETE FROM callback_queue WHERE id IN (SELECT id FROM callback_queue INDEXED BY callback_queue_idle \
         WHERE due_at IS NULL AND tried_at < ? LIMIT ?)",
        params![tried_before.0, limit],
    )?;
    let is_full = |count: usize| u32::try_from(count).is_ok_and(|count| count >= limit);
    Ok(if is_full(letters) || is_full(queues) { Due::More } else { Due::Nothing })
}
