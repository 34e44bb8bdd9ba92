//! Chargeable events.

use muster_broker::id::{Bucket, DeviceOid, TaskId};
use muster_broker::ledger::{ChargeKind, ChargeableEvent, EventId, Feed};
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::query::{Where, run};
use super::rows::{Cells, Done, Failure};

/// A kind's number is its place here; places never change.
const KINDS: [ChargeKind; 7] = [
    ChargeKind::Bootstrap,
    ChargeKind::Operation,
    ChargeKind::Job,
    ChargeKind::Registration,
    ChargeKind::Event,
    ChargeKind::Package,
    ChargeKind::Tunnel,
];

const COLUMNS: &str = "c.number, c.kind, c.at, c.tenant, c.caller, c.operation, c.quantity, c.task_bucket, c.task, \
    c.job, c.device_bucket, c.device, c.object, t.actual, t.expected, t.phone_number";

/// Adds an event to the feed. Whether it is there already its caller knows.
pub(super) fn add(connection: &Connection, event: &ChargeableEvent) -> Done<()> {
    let kind = KINDS.iter().position(|kind| *kind == event.kind).and_then(|place| i64::try_from(place).ok());
    run(
        connection,
        "INSERT INTO charge (kind, at, tenant, caller, operation, quantity, task_bucket, task, job, device_bucket, \
         device, object) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            kind,
            event.at.0,
            event.tenant,
            event.caller,
            event.operation,
            event.quantity,
            event.task.map(|task| task.bucket.0),
            event.task.as_ref().map(|task| task.unique.as_bytes()),
            event.job.as_ref().map(|job| job.0.as_bytes()),
            event.device.map(|device| device.bucket.0),
            event.device.as_ref().map(|device| device.unique.as_bytes()),
            event.object,
        ],
    )?;
    Ok(())
}

fn event(cells: &mut Cells<'_>) -> Done<ChargeableEvent> {
    let sharded = |cells: &mut Cells<'_>| -> Done<Option<(Bucket, Uuid)>> {
        let (bucket, unique) = (cells.get::<Option<u16>>()?, cells.get::<Option<[u8; 16]>>()?);
        Ok(bucket.zip(unique).map(|(bucket, unique)| (Bucket(bucket), Uuid::from_bytes(unique))))
    };
    Ok(ChargeableEvent {
        id: EventId(cells.get()?),
        kind: {
            let number = cells.get::<u8>()?;
            *KINDS
                .get(usize::from(number))
                .ok_or_else(|| Failure::Broken(format!("there is no kind of charge {number}")))?
        },
        at: cells.time()?,
        tenant: cells.get()?,
        caller: cells.get()?,
        operation: cells.get()?,
        quantity: cells.get()?,
        task: sharded(cells)?.map(|(bucket, unique)| TaskId { bucket, unique }),
        job: cells.maybe_job()?,
        device: sharded(cells)?.map(|(bucket, unique)| DeviceOid { bucket, unique }),
        object: cells.get()?,
        device_id: {
            let (actual, expected) = (cells.maybe_text()?, cells.maybe_text()?);
            actual.or(expected)
        },
        phone_number: cells.maybe_text()?,
    })
}

/// Events after one, in order.
pub(super) fn feed(connection: &Connection, tenant: Option<&str>, after: EventId, limit: u32) -> Done<Feed> {
    let mut wanted = Where::default();
    wanted.equal("c.tenant", tenant);
    wanted.and("c.number > ?", [Value::from(after.0)]);
    let from = "charge c LEFT JOIN task t ON t.bucket = c.task_bucket AND t.id = c.task";
    let mut events = wanted.select(connection, COLUMNS, from, "c.number", limit.saturating_add(1), event)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = events.len() > limit;
    events.truncate(limit);
    Ok(Feed { events, has_more })
}
