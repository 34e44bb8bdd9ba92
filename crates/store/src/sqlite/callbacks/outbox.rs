//! Queues, and what waits in them.

use muster_broker::callback::{self, CallbackUrl, Event, Progress, QueueId, Reply, SoapVersion};
use muster_broker::id::{CallbackAddressId, EventId};
use muster_broker::ledger::{ChargeableEvent, Names};
use muster_broker::page::{Listed, Page};
use muster_broker::store::{ClaimWanted, Claimed, Content, Due, Lease, QueueView, Settled, Settlement, Waiting};
use muster_broker::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::addresses::{self, ADDRESS};
use super::letters;
use crate::sqlite::charges;
use crate::sqlite::query::{Where, foreign_key, listed, many, one, one_more, run};
use crate::sqlite::rows::{Cells, Done, Failure};

/// What is given up of an ended queue in one transaction.
const GIVEN_UP_MAX: u32 = 500;

/// How contents are kept.
#[derive(Deserialize, Serialize)]
struct KeptReply {
    id: EventId,
    action: String,
    envelope: String,
}

const EVENT: i64 = 0;
const REPLY: i64 = 1;

/// Where a queue leads.
pub(super) struct Receiver<'a> {
    pub(super) queue: QueueId,
    pub(super) tenant: &'a str,
    pub(super) address: CallbackAddressId,
    pub(super) url: &'a CallbackUrl,
    pub(super) soap_version: SoapVersion,
}

/// Puts an event into the queue of its receiver, in the transaction of what it tells about.
pub(in crate::sqlite) fn tell(connection: &Connection, due: &callback::Due<'_>) -> Done<()> {
    let callback::Due { callback, tenant, owner, asked_at, event } = due;
    let receiver = Receiver {
        queue: callback.queue(),
        tenant,
        address: callback.address,
        url: &callback.url,
        soap_version: callback.soap_version,
    };
    wake(connection, &receiver, event.at, *asked_at)?;
    put(connection, receiver.queue, event.id.0, event.at, owner, EVENT, &serde_json::to_string(event)?)
}

/// Puts an answer that goes elsewhere into its queue.
pub(super) fn reply(connection: &Connection, reply: &Reply, now: Timestamp) -> Done<()> {
    let receiver = Receiver {
        queue: reply.queue(),
        tenant: &reply.to.tenant,
        address: reply.to.address,
        url: &reply.to.url,
        soap_version: reply.to.soap_version,
    };
    let content = serde_json::to_string(&KeptReply {
        id: reply.id,
        action: reply.action.clone(),
        envelope: reply.envelope.clone(),
    })?;
    wake(connection, &receiver, now, now)?;
    put(connection, receiver.queue, reply.id.0, now, &reply.to.owner, REPLY, &content)
}

/// Makes the queue, or lets it be due if nothing waited in it. One whose receiver has said that it is gone stays so,
/// unless what is told was asked for after that.
pub(super) fn wake(connection: &Connection, to: &Receiver<'_>, now: Timestamp, asked_at: Timestamp) -> Done<()> {
    run(
        connection,
        "INSERT INTO callback_queue (id, tenant, address, url, soap_version, due_at, tried_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (id) DO UPDATE SET due_at = coalesce(due_at, excluded.due_at), \
         ended_at = CASE WHEN ended_at >= ?7 THEN ended_at END WHERE due_at IS NULL OR ended_at < ?7",
        params![
            to.queue.0.as_bytes(),
            to.tenant,
            to.address.0.as_bytes(),
            to.url.as_str(),
            to.soap_version.as_str(),
            now.0,
            asked_at.0
        ],
    )?;
    Ok(())
}

/// Appends to a queue.
pub(super) fn put(
    connection: &Connection,
    queue: QueueId,
    id: Uuid,
    queued_at: Timestamp,
    owner: &str,
    kind: i64,
    content: &str,
) -> Done<()> {
    run(
        connection,
        "INSERT INTO outbox (queue, number, id, queued_at, owner, kind, content) \
         SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM outbox WHERE queue = ?1",
        params![queue.0.as_bytes(), id.as_bytes(), queued_at.0, owner, kind, content],
    )?;
    Ok(())
}

/// Reads what [`put`] kept.
pub(super) fn content(kind: i64, text: &str) -> Done<Content> {
    match kind {
        EVENT => Ok(Content::Event(serde_json::from_str::<Event>(text)?)),
        REPLY => {
            let KeptReply { id, action, envelope } = serde_json::from_str(text)?;
            Ok(Content::Reply { id, action, envelope })
        }
        _ => Err(Failure::Broken(format!("{kind} is no kind of content that this version knows"))),
    }
}

/// What [`put`] kept, without these names; nothing where it has none.
pub(in crate::sqlite) fn without(kind: i64, text: &str, names: &Names) -> Done<Option<String>> {
    let changed = match kind {
        REPLY => {
            let reply: KeptReply = serde_json::from_str(text)?;
            let Some(envelope) = names.taken_out(&reply.envelope) else { return Ok(None) };
            serde_json::to_string(&KeptReply { envelope, ..reply })?
        }
        _ => {
            let mut event: Event = serde_json::from_str(text)?;
            event.device_id = event.device_id.filter(|id| !names.are(id.as_str()));
            event.phone_number = event.phone_number.filter(|number| !names.are(number.as_str()));
            for told in [&mut event.reference, &mut event.relates_to] {
                if let Some(rest) = told.as_deref().and_then(|it| names.taken_out(it)) {
                    *told = Some(rest);
                }
            }
            serde_json::to_string(&event)?
        }
    };
    Ok((changed != text).then_some(changed))
}

pub(super) fn soap_version(cells: &mut Cells<'_>) -> Done<SoapVersion> {
    let text: String = cells.get()?;
    SoapVersion::parse(&text).ok_or_else(|| Failure::Broken(format!("{text} is no SOAP that this version knows")))
}

/// Queues that may be claimed, address by address.
pub(super) fn due(connection: &Connection, wanted: &ClaimWanted) -> Done<Vec<QueueId>> {
    let mut found = Vec::new();
    // From behind the place where the last round ended to the end, then from the beginning to that place.
    let begin = wanted.after.map(|after| after.0.as_bytes().to_vec()).unwrap_or_default();
    let mut at = begin.clone();
    let mut has_wrapped = begin.is_empty();
    while found.len() < wanted.claims_max {
        let next = one(
            connection,
            "SELECT address FROM callback_queue INDEXED BY callback_queue_due WHERE due_at IS NOT NULL AND address > ? \
             ORDER BY address LIMIT 1",
            [&at],
            |cells| cells.get::<Vec<u8>>(),
        )?;
        match next {
            Some(address) if !has_wrapped || wanted.after.is_none() || address <= begin => {
                of_address(connection, &address, wanted, &mut found)?;
                at = address;
            }
            None if !has_wrapped => (at, has_wrapped) = (Vec::new(), true),
            Some(_) | None => break,
        }
    }
    Ok(found)
}

fn of_address(connection: &Connection, address: &[u8], wanted: &ClaimWanted, found: &mut Vec<QueueId>) -> Done<()> {
    let id = <[u8; 16]>::try_from(address).map(|octets| CallbackAddressId(Uuid::from_bytes(octets)));
    let busy = id.ok().and_then(|id| wanted.under_way.get(&id)).copied().unwrap_or(0);
    let room = wanted.per_address_max.saturating_sub(busy).min(wanted.claims_max.saturating_sub(found.len()));
    if room > 0 {
        found.extend(many(
            connection,
            "SELECT id FROM callback_queue INDEXED BY callback_queue_due WHERE address = ? AND due_at <= ? \
             ORDER BY due_at LIMIT ?",
            params![address, wanted.now.0, i64::try_from(room).unwrap_or(i64::MAX)],
            |cells| Ok(QueueId(cells.uuid()?)),
        )?);
    }
    Ok(())
}

/// Takes those of the queues that are still due.
pub(super) fn claim(connection: &Connection, due: &[QueueId], wanted: &ClaimWanted) -> Done<Vec<Claimed>> {
    let mut claims = Vec::new();
    for queue in due {
        let taken = run(
            connection,
            "UPDATE callback_queue SET lease = ?, due_at = ? WHERE id = ? AND due_at <= ?",
            params![wanted.lease.0.as_bytes(), wanted.until.0, queue.0.as_bytes(), wanted.now.0],
        )?;
        if taken == 1 {
            claims.extend(claimed(connection, *queue)?);
        }
    }
    Ok(claims)
}

fn claimed(connection: &Connection, queue: QueueId) -> Done<Option<Claimed>> {
    let sql = format!(
        "SELECT q.tenant, q.address, q.url, q.soap_version, q.failed, q.ended_at IS NOT NULL, {ADDRESS} \
         FROM callback_queue q LEFT JOIN callback_address a ON a.id = q.address AND a.tenant = q.tenant WHERE q.id = ?"
    );
    one(connection, &sql, [queue.0.as_bytes()], |cells| {
        Ok(Claimed {
            queue,
            tenant: cells.get()?,
            address_id: CallbackAddressId(cells.uuid()?),
            url: addresses::url(cells)?,
            soap_version: soap_version(cells)?,
            failed: cells.get()?,
            is_ended: cells.get()?,
            address: match cells.get::<Option<[u8; 16]>>()? {
                Some(id) => Some(addresses::read(cells, CallbackAddressId(Uuid::from_bytes(id)))?),
                None => None,
            },
        })
    })
}

pub(super) fn waiting(connection: &Connection, queue: QueueId, limit: u32) -> Done<Vec<Waiting>> {
    many(
        connection,
        "SELECT number, queued_at, owner, kind, content FROM outbox WHERE queue = ? ORDER BY number LIMIT ?",
        params![queue.0.as_bytes(), limit],
        |cells| {
            Ok(Waiting {
                number: cells.get()?,
                queued_at: cells.time()?,
                owner: cells.get()?,
                content: {
                    let kind = cells.get()?;
                    content(kind, &cells.get::<String>()?)?
                },
            })
        },
    )
}

/// Ends every claim: whoever opens the database is the only one who has it, so a claim that is there is that of a
/// process that died.
pub(in crate::sqlite) fn release_all(connection: &Connection) -> Done<()> {
    run(connection, "UPDATE callback_queue SET lease = NULL, due_at = 0 WHERE lease IS NOT NULL", [])?;
    Ok(())
}

/// Whether the claim still holds: a lease that ended, and that nobody has taken since, does.
fn holds(connection: &Connection, queue: QueueId, lease: Lease) -> Done<bool> {
    let sql = "SELECT 1 FROM callback_queue WHERE id = ? AND lease = ?";
    Ok(one(connection, sql, params![queue.0.as_bytes(), lease.0.as_bytes()], |_| Ok(()))?.is_some())
}

pub(super) fn settle(connection: &Connection, settlement: &Settlement) -> Done<Settled> {
    let Settlement { queue, lease, now, numbers, progress, until } = settlement;
    if !holds(connection, *queue, *lease)? {
        return Ok(Settled::Lost);
    }
    match progress {
        Progress::On { taken } => {
            let was_reply = is_reply(connection, *queue)?;
            take(connection, *queue, numbers, *taken, *now)?;
            if was_reply {
                // It was for this one answer.
                run(connection, "DELETE FROM callback_queue WHERE id = ?", [queue.0.as_bytes()])?;
                return Ok(Settled::Over);
            }
            go_on(connection, *queue, *now, *until)
        }
        Progress::Later { taken, due_at, failed, reason } => {
            take(connection, *queue, numbers, *taken, *now)?;
            run(
                connection,
                "UPDATE callback_queue SET due_at = ?, lease = NULL, failed = ?, reason = ?, tried_at = ? WHERE id = ?",
                params![due_at.0, failed, reason, now.0, queue.0.as_bytes()],
            )?;
            Ok(Settled::Over)
        }
        Progress::GivenUp { reason } => end(connection, *queue, *now, reason),
        Progress::Ended { reason } => {
            let sql = "UPDATE callback_queue SET ended_at = coalesce(ended_at, ?) WHERE id = ?";
            run(connection, sql, params![now.0, queue.0.as_bytes()])?;
            end(connection, *queue, *now, reason)
        }
    }
}

/// Whether what waits is an answer that goes elsewhere, and so the only thing that ever does.
fn is_reply(connection: &Connection, queue: QueueId) -> Done<bool> {
    let sql = "SELECT kind FROM outbox WHERE queue = ? ORDER BY number LIMIT 1";
    Ok(one(connection, sql, [queue.0.as_bytes()], |cells| cells.get::<i64>())? == Some(REPLY))
}

/// The first `taken` of the numbers are delivered, and charged for: once, since only the claim that holds gets here.
fn take(connection: &Connection, queue: QueueId, numbers: &[i64], taken: usize, now: Timestamp) -> Done<()> {
    let Some(last) = taken.checked_sub(1).and_then(|last| numbers.get(last)) else { return Ok(()) };
    let done = many(
        connection,
        "SELECT q.tenant, o.owner, o.kind, o.content FROM outbox o JOIN callback_queue q ON q.id = o.queue \
         WHERE o.queue = ? AND o.number <= ? ORDER BY o.number",
        params![queue.0.as_bytes(), last],
        |cells| {
            let (tenant, owner, kind) = (cells.get::<String>()?, cells.get::<String>()?, cells.get()?);
            Ok((tenant, owner, content(kind, &cells.get::<String>()?)?))
        },
    )?;
    for (tenant, owner, content) in &done {
        if let Content::Event(event) = content
            && let Some(charge) = ChargeableEvent::of_event(event, tenant, owner, now)
        {
            charges::add(connection, &charge)?;
        }
    }
    run(connection, "DELETE FROM outbox WHERE queue = ? AND number <= ?", params![queue.0.as_bytes(), last])?;
    run(
        connection,
        "UPDATE callback_queue SET delivered = delivered + ?, delivered_at = ? WHERE id = ?",
        params![i64::try_from(taken).unwrap_or(i64::MAX), now.0, queue.0.as_bytes()],
    )?;
    Ok(())
}

/// After a message that was taken: the next one at once if more waits, else the queue rests.
fn go_on(connection: &Connection, queue: QueueId, now: Timestamp, until: Option<Timestamp>) -> Done<Settled> {
    let has_more = one(connection, "SELECT 1 FROM outbox WHERE queue = ? LIMIT 1", [queue.0.as_bytes()], |_| Ok(()))?;
    let (due_at, is_held) = match (has_more, until) {
        (None, _) => (None, false),
        (Some(()), None) => (Some(now), false),
        (Some(()), Some(until)) => (Some(until), true),
    };
    run(
        connection,
        "UPDATE callback_queue SET due_at = ?, lease = CASE WHEN ? THEN lease END, failed = 0, reason = NULL, \
         tried_at = ? WHERE id = ?",
        params![due_at.map(|time| time.0), is_held, now.0, queue.0.as_bytes()],
    )?;
    Ok(if is_held { Settled::GoesOn } else { Settled::Over })
}

/// Gives up a page of what waits; the rest follows with the next claim.
fn end(connection: &Connection, queue: QueueId, now: Timestamp, reason: &str) -> Done<Settled> {
    let has_more = letters::bury(connection, queue, None, now, reason, GIVEN_UP_MAX)? == Due::More;
    run(
        connection,
        "UPDATE callback_queue SET due_at = CASE WHEN ?1 THEN ?2 END, lease = NULL, reason = ?3, tried_at = ?2 WHERE id = ?4",
        params![has_more, now.0, reason, queue.0.as_bytes()],
    )?;
    Ok(Settled::Over)
}

pub(super) fn give_up_old(
    connection: &Connection,
    queue: QueueId,
    lease: Lease,
    queued_before: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Done<Due> {
    if !holds(connection, queue, lease)? {
        return Ok(Due::Nothing);
    }
    let reason = one(connection, "SELECT reason FROM callback_queue WHERE id = ?", [queue.0.as_bytes()], |cells| {
        cells.get::<Option<String>>()
    })?;
    let last = reason.flatten().map_or_else(String::new, |reason| format!("; at last: {reason}"));
    let reason = format!("it could not be delivered for seven days{last}");
    letters::bury(connection, queue, Some(queued_before), now, &reason, limit)
}

const VIEW: &str = "q.id, q.address, q.url, q.soap_version, q.due_at, q.failed, q.delivered, q.delivered_at, \
    q.tried_at, q.reason, q.ended_at";

fn view(cells: &mut Cells<'_>) -> Done<QueueView> {
    Ok(QueueView {
        queue: QueueId(cells.uuid()?),
        address: CallbackAddressId(cells.uuid()?),
        url: addresses::url(cells)?,
        soap_version: soap_version(cells)?,
        waiting: 0,
        waiting_since: None,
        due_at: cells.maybe_time()?,
        failed: cells.get()?,
        delivered: u64::try_from(cells.get::<i64>()?).unwrap_or(0),
        delivered_at: cells.maybe_time()?,
        tried_at: cells.maybe_time()?,
        reason: cells.get()?,
        ended_at: cells.maybe_time()?,
    })
}

pub(super) fn list(connection: &Connection, tenant: &str, page: &Page) -> Done<Listed<QueueView>> {
    let mut wanted = Where::default();
    wanted.equal("q.tenant", Some(tenant));
    let total = wanted.count(connection, "callback_queue q")?;
    if let Some(after) = &page.after {
        let after = EventId::parse(after).map_err(|_| foreign_key())?;
        wanted.and("q.id > ?", [Value::from(after.0.as_bytes().to_vec())]);
    }
    let mut items = wanted.select(connection, VIEW, "callback_queue q", "q.id", one_more(page), view)?;
    for item in &mut items {
        let sql = format!(
            "SELECT count(*), min(queued_at) FROM (SELECT queued_at FROM outbox WHERE queue = ? ORDER BY number LIMIT {})",
            QueueView::COUNTED_MAX
        );
        let counted =
            one(connection, &sql, [item.queue.0.as_bytes()], |cells| Ok((cells.get::<i64>()?, cells.maybe_time()?)))?;
        if let Some((waiting, since)) = counted {
            (item.waiting, item.waiting_since) = (u64::try_from(waiting).unwrap_or(0), since);
        }
    }
    Ok(listed(items, page, total, |item| EventId(item.queue.0).to_string()))
}
