//! What is recorded of devices.

use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::{Bucket, DeviceOid, TaskId};
use muster_broker::ledger::{AuditEntry, Deed, Object, recording as picture};
use muster_broker::page::{Listed, Page};
use muster_broker::store::{DeviceKey, Due, Pending, TraceStore};
use muster_broker::time::Timestamp;
use muster_broker::trace::{Recording, TraceDirection, TraceMessage, TraceSession, TraceStep, surplus};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::devices::find;
use super::ledger;
use super::query::{Where, foreign_key, listed, many, one, one_more, run};
use super::rows::{Cells, Done};
use super::writer::{Guard, Transaction};

/// Sessions of one device that are ever looked at: all, since the surplus goes with each step.
const SESSIONS_MAX: u32 = 2 * Recording::SESSIONS_MAX + 1;

/// Columns for [`session`], from `trace_session`.
const SESSION: &str = "number, session_id, msg_id, began_at, last_at, is_let_in, ending, task_bucket, task, messages, \
    octets, left_out";
/// Columns for [`message`], from `trace_message`.
const MESSAGE: &str = "number, at, direction, content_type, length, octets, note";

fn session(cells: &mut Cells<'_>) -> Done<TraceSession> {
    Ok(TraceSession {
        number: cells.get()?,
        session_id: cells.get()?,
        msg_id: cells.get()?,
        began_at: cells.time()?,
        last_at: cells.time()?,
        is_let_in: cells.get()?,
        ending: cells.get()?,
        task: {
            let (bucket, task) = (cells.get::<Option<u16>>()?, cells.get::<Option<[u8; 16]>>()?);
            bucket
                .zip(task)
                .map(|(bucket, task)| TaskId { bucket: Bucket(bucket), unique: uuid::Uuid::from_bytes(task) })
        },
        messages: cells.get()?,
        octets: cells.get::<i64>().map(|octets| u64::try_from(octets).unwrap_or(0))?,
        left_out: cells.get()?,
    })
}

fn message(cells: &mut Cells<'_>) -> Done<TraceMessage> {
    Ok(TraceMessage {
        number: cells.get()?,
        at: cells.time()?,
        direction: if cells.get::<bool>()? { TraceDirection::Sent } else { TraceDirection::Received },
        content_type: cells.get()?,
        length: cells.get()?,
        octets: cells.get()?,
        note: cells.get()?,
    })
}

/// The columns of a contact that say whether it is recorded.
pub(super) fn recording(cells: &mut Cells<'_>) -> Done<Option<Recording>> {
    let (until, sessions) = (cells.maybe_time()?, cells.get::<Option<u32>>()?);
    Ok(until.map(|until| Recording { until, sessions: sessions.unwrap_or(Recording::SESSIONS) }))
}

/// Keeps what a step adds, and lets go of what is too much then.
pub(super) fn add(connection: &Connection, step: &TraceStep) -> Done<()> {
    let sql = format!(
        "SELECT {SESSION} FROM trace_session WHERE bucket = ? AND oid = ? ORDER BY number DESC LIMIT {SESSIONS_MAX}"
    );
    let mut sessions = many(connection, &sql, params![step.device.bucket.0, step.device.unique.as_bytes()], session)?;
    let goes_on = sessions.first().is_some_and(|newest| newest.goes_on(step));
    if !goes_on {
        if step.messages.is_empty() {
            return Ok(());
        }
        let number = sessions.first().map_or(1, |newest| newest.number.saturating_add(1));
        sessions.insert(0, TraceSession::begin(number, step));
    }
    let Some(newest) = sessions.first_mut() else { return Ok(()) };
    let kept = newest.take(step);
    put_session(connection, step.device, newest)?;
    for message in &kept {
        put_message(connection, step.device, newest.number, message)?;
    }
    for number in surplus(&sessions, step.recorded.keep) {
        delete(connection, step.device, number)?;
    }
    Ok(())
}

fn put_session(connection: &Connection, device: DeviceOid, session: &TraceSession) -> Done<()> {
    run(
        connection,
        "INSERT INTO trace_session (bucket, oid, number, session_id, msg_id, began_at, last_at, is_let_in, ending, \
         task_bucket, task, messages, octets, left_out) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (bucket, oid, number) DO UPDATE SET msg_id = excluded.msg_id, last_at = excluded.last_at, \
         is_let_in = excluded.is_let_in, ending = excluded.ending, messages = excluded.messages, \
         octets = excluded.octets, left_out = excluded.left_out",
        params![
            device.bucket.0,
            device.unique.as_bytes(),
            session.number,
            session.session_id,
            session.msg_id,
            session.began_at.0,
            session.last_at.0,
            session.is_let_in,
            session.ending,
            session.task.map(|task| task.bucket.0),
            session.task.as_ref().map(|task| task.unique.as_bytes()),
            session.messages,
            i64::try_from(session.octets).unwrap_or(i64::MAX),
            session.left_out,
        ],
    )?;
    Ok(())
}

fn put_message(connection: &Connection, device: DeviceOid, session: u32, message: &TraceMessage) -> Done<()> {
    run(
        connection,
        "INSERT INTO trace_message (bucket, oid, session, number, at, direction, content_type, length, octets, note) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            device.bucket.0,
            device.unique.as_bytes(),
            session,
            message.number,
            message.at.0,
            message.direction == TraceDirection::Sent,
            message.content_type,
            message.length,
            message.octets,
            message.note,
        ],
    )?;
    Ok(())
}

fn delete(connection: &Connection, device: DeviceOid, number: u32) -> Done<()> {
    let key = params![device.bucket.0, device.unique.as_bytes(), number];
    run(connection, "DELETE FROM trace_message WHERE bucket = ? AND oid = ? AND session = ?", key)?;
    run(connection, "DELETE FROM trace_session WHERE bucket = ? AND oid = ? AND number = ?", key)?;
    Ok(())
}

/// Forgets everything recorded of a device.
pub(super) fn discard(connection: &Connection, device: DeviceOid) -> Done<()> {
    let key = params![device.bucket.0, device.unique.as_bytes()];
    run(connection, "DELETE FROM trace_message WHERE bucket = ? AND oid = ?", key)?;
    run(connection, "DELETE FROM trace_session WHERE bucket = ? AND oid = ?", key)?;
    Ok(())
}

/// What was recorded of a device goes with its account to another record, unless that one has traces of its own.
pub(super) fn hand_over(connection: &Connection, from: DeviceOid, to: DeviceOid) -> Done<()> {
    let has_own = "SELECT 1 FROM trace_session WHERE bucket = ? AND oid = ? LIMIT 1";
    let key = params![to.bucket.0, to.unique.as_bytes()];
    if one(connection, has_own, key, |cells| cells.get::<i64>())?.is_some() {
        return Ok(());
    }
    let keys = params![to.bucket.0, to.unique.as_bytes(), from.bucket.0, from.unique.as_bytes()];
    run(connection, "UPDATE trace_message SET bucket = ?, oid = ? WHERE bucket = ? AND oid = ?", keys)?;
    run(connection, "UPDATE trace_session SET bucket = ?, oid = ? WHERE bucket = ? AND oid = ?", keys)?;
    Ok(())
}

fn set(
    connection: &Transaction<'_>,
    tenant: &str,
    device: DeviceOid,
    wanted: Option<Recording>,
    forget: bool,
    deed: &Deed,
) -> Done<Result<(), Fault>> {
    let Some(found) = find(connection, tenant, &DeviceKey::Oid(device), 1)?.pop() else {
        return Ok(Err(Fault::new(FaultName::UnknownDevice, "there is no such device record")));
    };
    if found.account.is_none() && wanted.is_some() {
        let text =
            "the device record has no dmAccount, so that the device cannot connect and nothing would be recorded";
        return Ok(Err(Fault::new(FaultName::WrongState, text)));
    }
    let key = params![device.bucket.0, device.unique.as_bytes()];
    let before = "SELECT trace_until, trace_sessions FROM contact WHERE bucket = ? AND oid = ?";
    let before = one(connection, before, key, recording)?.flatten();
    run(
        connection,
        "UPDATE contact SET trace_until = ?, trace_sessions = ? WHERE bucket = ? AND oid = ?",
        params![
            wanted.map(|recording| recording.until.0),
            wanted.map(|recording| recording.sessions),
            device.bucket.0,
            device.unique.as_bytes()
        ],
    )?;
    let mut after = picture(wanted);
    if forget {
        discard(connection, device)?;
        after.open.insert("discard".to_owned(), true.into());
    }
    if before != wanted || forget {
        ledger::add(connection, AuditEntry::done(deed, Object::device(device), Some(picture(before)), Some(after)))?;
    }
    Ok(Ok(()))
}

fn of_device(device: DeviceOid) -> Where {
    let mut wanted = Where::default();
    let values = [Value::from(i64::from(device.bucket.0)), Value::from(device.unique.as_bytes().to_vec())];
    wanted.and("bucket = ? AND oid = ?", values);
    wanted
}

fn after(page: &Page) -> Done<Option<i64>> {
    page.after.as_deref().map(|key| key.parse().map_err(|_| foreign_key())).transpose()
}

fn list(
    connection: &Connection,
    tenant: &str,
    device: DeviceOid,
    page: &Page,
) -> Done<(Option<Recording>, Listed<TraceSession>)> {
    if find(connection, tenant, &DeviceKey::Oid(device), 1)?.is_empty() {
        return Ok((None, Listed { items: Vec::new(), total: 0, next: None }));
    }
    let key = params![device.bucket.0, device.unique.as_bytes()];
    let setting = "SELECT trace_until, trace_sessions FROM contact WHERE bucket = ? AND oid = ?";
    let setting = one(connection, setting, key, recording)?.flatten();
    let mut wanted = of_device(device);
    let total = wanted.count(connection, "trace_session")?;
    if let Some(after) = after(page)? {
        wanted.and("number < ?", [Value::from(after)]);
    }
    let items = wanted.select(connection, SESSION, "trace_session", "number DESC", one_more(page), session)?;
    Ok((setting, listed(items, page, total, |session| session.number.to_string())))
}

fn messages(
    connection: &Connection,
    tenant: &str,
    device: DeviceOid,
    session: u32,
    page: &Page,
) -> Done<Option<Listed<TraceMessage>>> {
    let mut known = of_device(device);
    known.and("number = ?", [Value::from(i64::from(session))]);
    let is_there = !find(connection, tenant, &DeviceKey::Oid(device), 1)?.is_empty();
    if !is_there || known.count(connection, "trace_session")? == 0 {
        return Ok(None);
    }
    let mut wanted = of_device(device);
    wanted.and("session = ?", [Value::from(i64::from(session))]);
    let total = wanted.count(connection, "trace_message")?;
    if let Some(after) = after(page)? {
        wanted.and("number > ?", [Value::from(after)]);
    }
    let items = wanted.select(connection, MESSAGE, "trace_message", "number", one_more(page), message)?;
    Ok(Some(listed(items, page, total, |message| message.number.to_string())))
}

fn forget(connection: &Connection, before: Timestamp, limit: u32) -> Done<Due> {
    let old = "SELECT bucket, oid, number FROM trace_session WHERE last_at < ? ORDER BY last_at LIMIT ?";
    let old = many(connection, old, params![before.0, limit], |cells| Ok((cells.device_oid()?, cells.get::<u32>()?)))?;
    for (device, number) in &old {
        delete(connection, *device, *number)?;
    }
    Ok(if old.len() < limit as usize { Due::Nothing } else { Due::More })
}

/// About what a step writes.
pub(super) fn bytes(step: &TraceStep) -> usize {
    step.messages.iter().fold(512, |sum: usize, message| sum.saturating_add(256 + message.octets.len()))
}

impl TraceStore for SqliteStore {
    fn trace_set(
        &self,
        tenant: &str,
        device: DeviceOid,
        recording: Option<Recording>,
        discard: bool,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>> {
        let tenant = tenant.to_owned();
        Box::pin(self.write(Guard::Savepoint, 4096, move |connection| {
            set(connection, &tenant, device, recording, discard, &deed)
        }))
    }

    fn trace_add(&self, step: TraceStep) -> Pending<'_, ()> {
        // Contacts stay as they are, so that those in memory stay right.
        Box::pin(self.write_step(Guard::Savepoint, bytes(&step), move |transaction| {
            let there = "SELECT 1 FROM contact WHERE bucket = ? AND oid = ?";
            let key = params![step.device.bucket.0, step.device.unique.as_bytes()];
            match one(transaction.connection, there, key, |cells| cells.get::<i64>())? {
                Some(_) => add(transaction.connection, &step),
                None => Ok(()),
            }
        }))
    }

    fn trace_list(
        &self,
        tenant: &str,
        device: DeviceOid,
        page: Page,
    ) -> Pending<'_, (Option<Recording>, Listed<TraceSession>)> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| list(connection, &tenant, device, &page)))
    }

    fn trace_messages(
        &self,
        tenant: &str,
        device: DeviceOid,
        session: u32,
        page: Page,
    ) -> Pending<'_, Option<Listed<TraceMessage>>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| messages(connection, &tenant, device, session, &page)))
    }

    fn trace_forget(&self, before: Timestamp, limit: u32) -> Pending<'_, Due> {
        Box::pin(self.write(Guard::Savepoint, 4096, move |connection| forget(connection, before, limit)))
    }
}
