//! Devices in contact: the hot path.

use std::cmp::Reverse;
use std::sync::{Arc, LazyLock};

use muster_broker::id::{DeviceOid, JobId};
use muster_broker::ledger::{AuditEntry, Deed};
use muster_broker::quota::Kind;
use muster_broker::store::{
    Contact, ContactKey, ContactState, ContactStep, ContactStore, DialogueState, OpenTask, Pending, Verdict,
};
use muster_broker::task::TaskStatus;
use muster_broker::time::Timestamp;
use rusqlite::{Connection, Params, params};

use super::SqliteStore;
use super::classes::{HAS_LAST_SEEN, Tallied};
use super::device_write;
use super::devices::{KIND_CLIENT_NAME, KIND_DEVICE_ID};
use super::ledger;
use super::query::{many, one, run};
use super::rows::{Cells, DEVICE, DIALOGUE, Done, Failure, TASK, job_status};
use super::tasks::{self, Moves, Stored};
use super::traces;
use super::writer::{Guard, Transaction};

/// Bits of a time in milliseconds that a span of contacts leaves out: 4096 ms.
pub(super) const SPAN_BITS: u32 = 12;

/// Up to two, so that an identifier that two domains know is seen to be ambiguous.
static BY_KEY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {DEVICE}, {} FROM device_key k \
         JOIN device d ON d.bucket = k.bucket AND d.oid = k.oid \
         JOIN contact c ON c.bucket = d.bucket AND c.oid = d.oid \
         WHERE k.kind = ? AND k.value = ? AND d.client_name IS NOT NULL LIMIT 2",
        *STATE
    )
});
static BY_OID: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {DEVICE}, {} FROM device d JOIN contact c ON c.bucket = d.bucket AND c.oid = d.oid \
         WHERE d.bucket = ? AND d.oid = ?",
        *STATE
    )
});
static STATE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "c.generation, c.server_nonce, c.last_seen_at, c.revision, c.resync, {DIALOGUE}, c.trace_until, c.trace_sessions"
    )
});
/// Of more tasks than are loaded, those that are under way come first (1 to 4), so that no other ones push them out in
/// mid-session, and those last that are paused or have no slot; between them, those that may start earliest, so that
/// tasks of next week do not hide one of today.
static OPEN_TASKS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {TASK}, j.status, j.hold FROM task t LEFT JOIN job j ON j.id = t.job \
         WHERE t.device_bucket = ? AND t.device = ? AND t.is_open = 1 AND t.held = 0 \
         ORDER BY CASE WHEN t.status BETWEEN 1 AND 4 THEN 0 \
         WHEN t.status = 6 OR NOT t.released OR j.hold > 0 THEN 2 ELSE 1 END, \
         CASE t.status WHEN 0 THEN t.start_at ELSE t.created_at END, \
         t.priority DESC, t.created_at, t.bucket, t.id LIMIT {}",
        Contact::TASKS_MAX
    )
});

/// Of the contact of a device.
static KEEP: LazyLock<String> = LazyLock::new(|| keep_sql("", ""));
/// SQLite writes the index of a column that a statement names, changed or not: hence this one is named where it changes.
static KEEP_SEEN: LazyLock<String> = LazyLock::new(|| keep_sql(", seen = ?17", ""));
/// Once in the life of a device.
static KEEP_SEEN_FIRST: LazyLock<String> = LazyLock::new(|| keep_sql(", seen = ?17", " RETURNING tenant"));

fn keep_sql(seen: &str, returning: &str) -> String {
    format!(
        "UPDATE contact SET generation = ?1, server_nonce = ?2, last_seen_at = ?3, session_id = ?4, state = ?5, \
         task_bucket = ?6, task = ?7, request_digest = ?8, reply = ?9, touched_at = ?10, ended = ?11, \
         reply_seal = ?12, resync = ?13, revision = revision + 1{seen} \
         WHERE bucket = ?14 AND oid = ?15 AND revision = ?16{returning}"
    )
}

fn contact(cells: &mut Cells<'_>) -> Done<Contact> {
    let device = cells.device()?;
    let state = ContactState {
        generation: cells.get()?,
        server_nonce: cells.get()?,
        last_seen_at: cells.maybe_time()?,
        revision: cells.get()?,
        resync: cells.get()?,
        dialogue: cells.dialogue()?,
    };
    Ok(Contact { device, state, tasks: Vec::new(), recording: traces::recording(cells)? })
}

fn load(connection: &Connection, sql: &str, key: impl Params) -> Done<Option<Contact>> {
    let mut found = many(connection, sql, key, contact)?;
    let (Some(mut contact), true) = (found.pop(), found.is_empty()) else { return Ok(None) };
    let oid = contact.device.oid;
    contact.tasks = many(connection, &OPEN_TASKS, params![oid.bucket.0, oid.unique.as_bytes()], |cells| {
        let task = cells.task()?;
        let job = cells.get::<Option<i64>>()?.map(job_status).transpose()?;
        let is_held = cells.get::<Option<i64>>()?.is_some_and(|hold| hold > 0);
        // A job that is gone cannot let its task run.
        let may_run = task.job.is_none() || !is_held && job.is_some_and(|status| status.lets_tasks_run());
        Ok(OpenTask { task, may_run })
    })?;
    contact.tasks.sort_by_key(|OpenTask { task, .. }| (Reverse(task.priority), task.created_at, task.id));
    Ok(Some(contact))
}

/// What is known of a device by its record.
pub(super) fn load_oid(connection: &Connection, oid: DeviceOid) -> Done<Option<Contact>> {
    load(connection, &BY_OID, params![oid.bucket.0, oid.unique.as_bytes()])
}

/// Steps change no job, and mostly belong to the same few: each is read once among them.
fn lets_tasks_run(transaction: &Transaction<'_>, job: JobId) -> Done<bool> {
    if let Some(known) = transaction.jobs.borrow().get(&job) {
        return Ok(*known);
    }
    let sql = "SELECT status, hold FROM job WHERE id = ?";
    let found =
        one(transaction.connection, sql, [job.0.as_bytes()], |cells| Ok((cells.job_status()?, cells.get::<i64>()?)))?;
    let may = found.is_some_and(|(status, hold)| hold == 0 && status.lets_tasks_run());
    transaction.jobs.borrow_mut().insert(job, may);
    Ok(may)
}

/// The tasks of a step as they are stored, if they and their jobs are what the step was decided on. Only reads.
fn current(transaction: &Transaction<'_>, step: &ContactStep) -> Done<Option<Vec<Stored>>> {
    let connection = transaction.connection;
    for job in &step.running_jobs {
        if !lets_tasks_run(transaction, *job)? {
            return Ok(None);
        }
    }
    let mut stored = Vec::with_capacity(step.tasks.len());
    for task in &step.tasks {
        match tasks::stored(connection, task.id)? {
            Some(found) if found.version == task.version => stored.push(found),
            _ => return Ok(None),
        }
    }
    // What has no place in the history would fail halfway: a mistake of the caller, found before anything is written.
    for (place, entry) in step.history.iter().enumerate() {
        let owner = step.tasks.iter().zip(&stored).find(|(task, _)| task.id == entry.task);
        let fits = owner.is_some_and(|(task, stored)| (stored.history_len..task.history_len).contains(&entry.number));
        let is_repeated =
            step.history.iter().take(place).any(|other| other.task == entry.task && other.number == entry.number);
        if !fits || is_repeated {
            return Err(Failure::Refused(format!("history entry {} of {} has no place", entry.number, entry.task)));
        }
    }
    Ok(Some(stored))
}

fn commit(transaction: &Transaction<'_>, step: &ContactStep) -> Done<Verdict> {
    let connection = transaction.connection;
    let Some(stored) = current(transaction, step)? else { return Ok(Verdict::Conflict) };
    if let Some(record) = &step.record {
        let dialogue = step.state.dialogue.as_ref();
        let deed = Deed::of_device(&record.tenant, "session", step.state.last_seen_at.unwrap_or_default());
        let task = dialogue.and_then(|dialogue| dialogue.task);
        let told =
            |entry: AuditEntry| entry.of_task(task).in_session(dialogue.map(|dialogue| dialogue.session_id.as_str()));
        if !is_revision(connection, step)?
            || !device_write::write_in_step(transaction, step.device, record, told, &deed)?
        {
            return Ok(Verdict::Conflict);
        }
    }
    if !keep(connection, step)? {
        return Ok(Verdict::Conflict);
    }
    let mut moves = Vec::new();
    for (task, stored) in step.tasks.iter().zip(&stored) {
        let entries: Vec<_> = step.history.iter().filter(|entry| entry.task == task.id).collect();
        moves.push((task, tasks::keep(connection, task, stored, &entries)?));
        if step.reached.contains(&task.id) {
            tasks::charge(connection, task, stored, task.updated_at)?;
        }
        if task.status == TaskStatus::Expired && stored.status != TaskStatus::Expired {
            let deed = Deed::of_server(&task.tenant, "expire", task.updated_at);
            ledger::add(transaction, tasks::changed(&deed, stored.status, task))?;
        }
    }
    if let Some(trace) = &step.trace {
        traces::add(connection, trace)?;
    }
    // Last: what is undone because of a failure must not be counted.
    for (task, Moves { moved, opened }) in moves {
        moved.into_iter().for_each(|moved| transaction.counts.add(moved));
        transaction.quotas.change(&task.tenant, &task.owner, Kind::OpenTasks, opened, task.updated_at);
    }
    Ok(Verdict::Applied)
}

fn is_revision(connection: &Connection, step: &ContactStep) -> Done<bool> {
    let revision = one(
        connection,
        "SELECT revision FROM contact WHERE bucket = ? AND oid = ?",
        params![step.device.bucket.0, step.device.unique.as_bytes()],
        |cells| cells.get::<i64>(),
    )?;
    Ok(revision == Some(step.revision))
}

/// Keeps the state of the contact; false if it is not the one that the step was decided on any more.
fn keep(connection: &Connection, step: &ContactStep) -> Done<bool> {
    let state = &step.state;
    let dialogue = state.dialogue.as_ref();
    let task = dialogue.and_then(|dialogue| dialogue.task);
    let seen = state.last_seen_at.map(span);
    let values = params![
        state.generation,
        state.server_nonce,
        state.last_seen_at.map(|time| time.0),
        dialogue.map(|dialogue| &dialogue.session_id),
        dialogue.map(|dialogue| &dialogue.state),
        task.map(|task| task.bucket.0),
        task.as_ref().map(|task| task.unique.as_bytes()),
        dialogue.map(|dialogue| dialogue.request_digest),
        dialogue.map(|dialogue| &dialogue.reply),
        dialogue.map(|dialogue| dialogue.touched_at.0),
        dialogue.map(|dialogue| dialogue.ended),
        dialogue.and_then(|dialogue| dialogue.reply_seal.as_ref()),
        state.resync,
        step.device.bucket.0,
        step.device.unique.as_bytes(),
        step.revision,
    ];
    if seen == step.seen_before.map(span) {
        return Ok(run(connection, &KEEP, values)? == 1);
    }
    let mut values = values.to_vec();
    values.push(&seen);
    if step.seen_before.is_some() {
        return Ok(run(connection, &KEEP_SEEN, values.as_slice())? == 1);
    }
    match one(connection, &KEEP_SEEN_FIRST, values.as_slice(), |cells| cells.get::<String>())? {
        None => Ok(false),
        Some(tenant) => count_seen(connection, &tenant, 1).map(|()| true),
    }
}

/// The span of time that a contact falls in, as the index has it.
pub(super) fn span(at: Timestamp) -> i64 {
    at.0 >> SPAN_BITS
}

/// Counts a device that was seen for the first time, or with -1 one that is deleted.
pub(super) fn count_seen(connection: &Connection, tenant: &str, change: i64) -> Done<()> {
    run(
        connection,
        "INSERT INTO device_tally (tenant, field, value, bucket, count) VALUES (?1, ?2, ?3, 0, ?4) \
         ON CONFLICT (tenant, field, value, bucket) DO UPDATE SET count = count + ?4",
        params![tenant, Tallied::Has.number(), HAS_LAST_SEEN, change],
    )?;
    Ok(())
}

/// About what a step writes.
fn bytes(step: &ContactStep) -> usize {
    let dialogue = |dialogue: &DialogueState| dialogue.state.len().saturating_add(dialogue.reply.len());
    let tasks = step.tasks.iter().map(|task| {
        let results = task.result.iter().map(|node| node.path.len() + node.value.as_ref().map_or(0, String::len));
        512 + task.plan.as_ref().map_or(0, String::len) + results.sum::<usize>()
    });
    let trace = step.trace.as_ref().map_or(0, traces::bytes);
    512 + step.state.dialogue.as_ref().map_or(0, dialogue) + tasks.sum::<usize>() + step.history.len() * 256 + trace
}

impl ContactStore for SqliteStore {
    fn contact_load(&self, key: &ContactKey) -> Pending<'_, Option<Contact>> {
        let (kind, value) = match key {
            ContactKey::ClientName(name) => (KIND_CLIENT_NAME, name.clone()),
            ContactKey::DeviceId(id) => (KIND_DEVICE_ID, id.as_str().to_owned()),
        };
        Box::pin(async move {
            if kind == KIND_CLIENT_NAME
                && let Some(contact) = self.cache.get(&value)
            {
                return Ok(Some(contact));
            }
            let epoch = self.cache.epoch();
            let found = self.points.read(|connection| load(connection, &BY_KEY, params![kind, value]))?;
            if let Some(contact) = &found {
                self.cache.put(epoch, contact);
            }
            Ok(found)
        })
    }

    fn contact_commit(&self, step: ContactStep) -> Pending<'_, Verdict> {
        let guard = if step.record.is_some() || step.trace.is_some() { Guard::Savepoint } else { Guard::None };
        Box::pin(async move {
            let (bytes, step) = (bytes(&step), Arc::new(step));
            let given = Arc::clone(&step);
            let verdict = self.write_step(guard, bytes, move |transaction| commit(transaction, &given)).await?;
            match verdict {
                Verdict::Applied => self.cache.applied(&step),
                Verdict::Conflict => self.cache.forget(step.device),
            }
            Ok(verdict)
        })
    }
}
