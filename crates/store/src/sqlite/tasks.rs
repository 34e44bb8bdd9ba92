//! Tasks, their history, and the counters of their jobs.

use std::collections::HashSet;

use muster_broker::callback;
use muster_broker::device::Device;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::{DeviceOid, TaskId};
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::job::Job;
use muster_broker::ledger::{AuditEntry, ChargeableEvent, Deed, Object, Picture, task as picture};
use muster_broker::page::{Listed, Page};
use muster_broker::power::ApprovalEvent;
use muster_broker::quota::Kind;
use muster_broker::store::{HistoryOf, Once, Pending, Remember, Target, TaskFilter, TaskStore};
use muster_broker::task::{HistoryEntry, Task, TaskEvent, TaskStatus};
use muster_broker::time::Timestamp;
use muster_broker::{progress, rollout};
use rusqlite::types::Value;
use rusqlite::{Connection, ToSql, params};

use super::SqliteStore;
use super::counts::Moved;
use super::ledger::{self, Draft};
use super::query::{foreign_key, one, run};
use super::requests::once;
use super::rows::{Done, TASK, json_unless_default, task_status_number};
use super::writer::{Concerns, Guard, Transaction};
use super::{approvals, callbacks, charges, classes, counts, guard, history, jobs, lists, query, quotas};

/// What decisions about a stored task depend on, and what it is found by.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) version: i64,
    pub(super) status: TaskStatus,
    pub(super) history_len: u32,
    class: i64,
    /// Wave of its job in which it was let go; 0 if in none.
    wave: i64,
    /// Whether it was charged for.
    pub(super) is_charged: bool,
    found_by: FoundBy,
}

/// Columns with indexes of their own, besides the status.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FoundBy {
    end_at: Timestamp,
    phone_number: Option<Msisdn>,
    expected: Option<DeviceId>,
    actual: Option<DeviceId>,
}

impl FoundBy {
    fn of(task: &Task) -> Self {
        Self {
            end_at: task.end_at,
            phone_number: task.phone_number.clone(),
            expected: task.expected.clone(),
            actual: task.actual.clone(),
        }
    }
}

impl Stored {
    /// Of a task that was just read, where it does not matter whether it was charged for.
    pub(super) fn of(connection: &Connection, task: &Task) -> Done<Self> {
        let sql = "SELECT class, wave FROM task WHERE bucket = ? AND id = ?";
        let key = params![task.id.bucket.0, task.id.unique.as_bytes()];
        let (class, wave) = one(connection, sql, key, |cells| Ok((cells.get()?, cells.get()?)))?.unwrap_or_default();
        Ok(Self {
            version: task.version,
            status: task.status,
            history_len: task.history_len,
            class,
            wave,
            is_charged: false,
            found_by: FoundBy::of(task),
        })
    }
}

pub(super) fn stored(connection: &Connection, id: TaskId) -> Done<Option<Stored>> {
    one(
        connection,
        "SELECT version, status, history_len, class, wave, charged, end_at, phone_number, expected, actual FROM task \
         WHERE bucket = ? AND id = ?",
        params![id.bucket.0, id.unique.as_bytes()],
        |cells| {
            Ok(Stored {
                version: cells.get()?,
                status: cells.task_status()?,
                history_len: cells.get()?,
                class: cells.get()?,
                wave: cells.get()?,
                is_charged: cells.get()?,
                found_by: FoundBy {
                    end_at: cells.time()?,
                    phone_number: cells.maybe_text()?,
                    expected: cells.maybe_text()?,
                    actual: cells.maybe_text()?,
                },
            })
        },
    )
}

pub(super) fn get(connection: &Connection, id: TaskId) -> Done<Option<Task>> {
    let sql = format!("SELECT {TASK} FROM task t WHERE t.bucket = ? AND t.id = ?");
    one(connection, &sql, params![id.bucket.0, id.unique.as_bytes()], |cells| cells.task())
}

/// Keeps what changed of a task with the entries in its history, and moves the counters of its job.
pub(super) fn update(connection: &Connection, task: &Task, stored: &Stored, entries: &[&HistoryEntry]) -> Done<()> {
    let Moves { moved, opened } = keep(connection, task, stored, entries)?;
    quotas::change(connection, &task.tenant, &task.owner, Kind::OpenTasks, opened, task.updated_at)?;
    moved.map_or(Ok(()), |moved| moved.keep(connection))
}

/// What counters a change of a task moves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moves {
    /// Those of its job.
    pub(super) moved: Option<Moved>,
    /// By how much the open tasks of its domain and its owner change.
    pub(super) opened: i64,
}

/// As [`update`], but leaves it to the caller to move the counters.
///
/// SQLite writes the indexes of each column that a statement names, changed or not: hence columns that have some are
/// named only where they change.
pub(super) fn keep(connection: &Connection, task: &Task, stored: &Stored, entries: &[&HistoryEntry]) -> Done<Moves> {
    let history = history::insert(connection, entries.iter().copied())?;
    let (status, result) = (task_status_number(task.status), json_unless_default(&task.result)?);
    let (finished_at, is_open, found_by) =
        (task.finished_at.map(|time| time.0), !task.status.is_final(), FoundBy::of(task));
    let mut set = "UPDATE task SET status = ?, detail = ?, attempts = ?, start_at = ?, plan = ?, result = ?, \
         result_code = ?, messages = ?, updated_at = ?, finished_at = ?, history_len = ?, \
         history = CAST(history || ? AS BLOB), version = version + 1"
        .to_owned();
    let mut values: Vec<&dyn ToSql> = params![
        status,
        task.detail,
        task.attempts,
        task.start_at.0,
        task.plan,
        result,
        task.result_code,
        task.messages,
        task.updated_at.0,
        finished_at,
        task.history_len,
        history
    ]
    .to_vec();
    let mut opened = 0;
    if is_open == stored.status.is_final() {
        set.push_str(", is_open = ?");
        values.push(&is_open);
        opened = if is_open { 1 } else { -1 };
    }
    let texts = (
        found_by.phone_number.as_ref().map(|number| number.as_str()),
        found_by.expected.as_ref().map(|id| id.as_str()),
        found_by.actual.as_ref().map(|id| id.as_str()),
    );
    if found_by.end_at != stored.found_by.end_at {
        set.push_str(", end_at = ?");
        values.push(&found_by.end_at.0);
    }
    if found_by.phone_number != stored.found_by.phone_number {
        set.push_str(", phone_apart = 1, phone_number = ?");
        values.push(&texts.0);
    }
    if found_by.expected != stored.found_by.expected {
        set.push_str(", expected_apart = 1, expected = ?");
        values.push(&texts.1);
    }
    if found_by.actual != stored.found_by.actual {
        set.push_str(", actual = ?");
        values.push(&texts.2);
    }
    set.push_str(" WHERE bucket = ? AND id = ?");
    let unique = task.id.unique.as_bytes();
    values.extend(params![task.id.bucket.0, unique]);
    run(connection, &set, values.as_slice())?;
    if task.status != stored.status
        && let Some((job, reason)) = task.job.zip(progress::reason(task))
    {
        counts::explain(connection, job, task.status, &reason, 1)?;
    }
    if task.status != stored.status
        && let Some(due) = callback::of_task(task)
    {
        callbacks::tell(connection, &due)?;
    }
    let moved = Moved { job: task.job, wave: stored.wave, class: stored.class, from: stored.status, to: task.status };
    if task.held && opened < 0 {
        let event = match task.status {
            TaskStatus::Cancelled => ApprovalEvent::Withdraw,
            _ => ApprovalEvent::TimeOver,
        };
        approvals::close_task(connection, task.id, event, task.detail.as_deref(), task.updated_at)?;
    }
    Ok(Moves { moved: (task.status != stored.status).then_some(moved), opened })
}

/// Changes a task that was just read, and keeps the change with an entry in its history.
///
/// False if the event is not possible; nothing has changed then.
pub(super) fn advance(
    connection: &Connection,
    task: &mut Task,
    event: TaskEvent,
    now: Timestamp,
    note: &Note<'_>,
) -> Done<bool> {
    let stored = Stored::of(connection, task)?;
    if task.advance(event, now).is_err() {
        return Ok(false);
    }
    if note.detail.is_some() {
        task.detail.clone_from(&note.detail);
    }
    let entry = task.note(now, note.event, note.detail.clone(), note.actor);
    update(connection, task, &stored, &[&entry])?;
    task.version += 1;
    Ok(true)
}

/// An entry for the history.
#[derive(Clone, Debug)]
pub(super) struct Note<'a> {
    pub(super) event: &'a str,
    pub(super) detail: Option<String>,
    pub(super) actor: &'a str,
}

fn is_there(connection: &Connection, id: TaskId) -> Done<bool> {
    let key = params![id.bucket.0, id.unique.as_bytes()];
    Ok(one(connection, "SELECT 1 FROM task WHERE bucket = ? AND id = ?", key, |_| Ok(()))?.is_some())
}

/// Keeps a new task; false if it is there already. What its domain and owner use is left to the caller.
pub(super) fn insert(connection: &Connection, target: &Target) -> Done<bool> {
    if is_there(connection, target.task.id)? {
        return Ok(false);
    }
    insert_new(connection, target)?;
    Ok(true)
}

fn insert_new(connection: &Connection, target: &Target) -> Done<()> {
    let task = &target.task;
    let stretch = classes::stretch(connection, task.created_at)?;
    let class = classes::of_task(task, stretch);
    let (phone_apart, expected_apart) = apart(connection, task)?;
    let history = history::insert(connection, &target.history)?;
    run(
        connection,
        "INSERT INTO task (bucket, id, tenant, owner, job, device_bucket, device, phone_number, expected, actual, \
         operation, arguments, policy, opt_in, test_cycle, priority, schedule, released, held, status, is_open, detail, \
         attempts, start_at, end_at, plan, result, result_code, messages, created_at, updated_at, finished_at, \
         history_len, history, version, callback, class, phone_apart, expected_apart, rank) VALUES (?, ?, ?, ?, ?, ?, \
         ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            task.id.bucket.0,
            task.id.unique.as_bytes(),
            task.tenant,
            task.owner,
            task.job.as_ref().map(|job| job.0.as_bytes()),
            task.device.bucket.0,
            task.device.unique.as_bytes(),
            task.phone_number.as_ref().map(|number| number.as_str()),
            task.expected.as_ref().map(|id| id.as_str()),
            task.actual.as_ref().map(|id| id.as_str()),
            task.operation.as_str(),
            json_unless_default(&task.arguments)?,
            i32::from(task.policy),
            task.opt_in,
            task.test_cycle,
            task.priority,
            json_unless_default(&task.schedule)?,
            task.released,
            task.held,
            task_status_number(task.status),
            !task.status.is_final(),
            task.detail,
            task.attempts,
            task.start_at.0,
            task.end_at.0,
            task.plan,
            json_unless_default(&task.result)?,
            task.result_code,
            task.messages,
            task.created_at.0,
            task.updated_at.0,
            task.finished_at.map(|time| time.0),
            task.history_len,
            history,
            task.version,
            json_unless_default(&task.callback)?,
            class,
            phone_apart,
            expected_apart,
            // Only who waits has a place in the order.
            task.job.filter(|_| !task.released).map_or(0, |job| rollout::rank(job, task.device)),
        ],
    )?;
    classes::add_task(connection, class, stretch, task)?;
    if let Some(job) = task.job {
        counts::created(connection, job, task.status)?;
        if let Some(reason) = progress::reason(task) {
            counts::explain(connection, job, task.status, &reason, 1)?;
        }
    }
    if let Some(due) = callback::of_task(task) {
        callbacks::tell(connection, &due)?;
    }
    Ok(())
}

/// Whether a new task is found by its own number and by the identifier it expects, and not by those of its record.
fn apart(connection: &Connection, task: &Task) -> Done<(bool, bool)> {
    let record = one(
        connection,
        "SELECT phone_number, device_id FROM device WHERE bucket = ? AND oid = ?",
        params![task.device.bucket.0, task.device.unique.as_bytes()],
        |cells| Ok((cells.maybe_text::<Msisdn>()?, cells.maybe_text::<DeviceId>()?)),
    )?;
    let (number, id) = record.unwrap_or_default();
    Ok((task.phone_number != number, task.expected != id))
}

/// A record has another number or identifier, or is gone: tasks that were found by the one before are so no longer.
pub(super) fn part(connection: &Connection, before: &Device, after: Option<&Device>) -> Done<()> {
    fn names(device: &Device) -> [Option<&str>; 2] {
        [device.phone_number.as_ref().map(|number| number.as_str()), device.device_id.as_ref().map(|id| id.as_str())]
    }
    let after = after.map(names).unwrap_or_default();
    let columns = [("phone_apart", "phone_number"), ("expected_apart", "expected")];
    for ((before_name, after_name), (apart, column)) in names(before).into_iter().zip(after).zip(columns) {
        let Some(gone) = before_name.filter(|name| after_name != Some(*name)) else { continue };
        let sql = format!(
            "UPDATE task INDEXED BY task_of_device SET {apart} = 1 \
             WHERE device_bucket = ? AND device = ? AND {column} = ? AND {apart} = 0"
        );
        run(connection, &sql, params![before.oid.bucket.0, before.oid.unique.as_bytes(), gone])?;
    }
    Ok(())
}

/// What new tasks and their job take of quotas. Test cycles take nothing.
fn cost(job: Option<&Job>, targets: &[Target]) -> [(Kind, u64); 4] {
    let made = targets.iter().filter(|target| !target.task.status.is_final()).count();
    let made = u64::try_from(made).unwrap_or(u64::MAX);
    let jobs = u64::from(job.is_some_and(|job| !job.status.is_final()));
    [(Kind::TasksPerHour, made), (Kind::TasksPerDay, made), (Kind::OpenTasks, made), (Kind::JobsAtOnce, jobs)]
}

/// What a request took of quotas, once it has been carried out.
struct Taken {
    tenant: String,
    principal: String,
    kinds: [(Kind, u64); 4],
    now: Timestamp,
}

/// Keeps new tasks and their job: what quotas do not admit is refused, and what needs a second person is held.
fn create(
    transaction: &Transaction<'_>,
    mut job: Option<Job>,
    given: Vec<(Target, Draft)>,
    deed: &Deed,
    taken: &mut Option<Taken>,
) -> Done<()> {
    let connection = transaction.connection;
    let mut seen = HashSet::with_capacity(given.len());
    let (mut targets, mut drafts) = (Vec::with_capacity(given.len()), Vec::with_capacity(given.len()));
    for (target, draft) in given {
        if seen.insert(target.task.id) && !is_there(connection, target.task.id)? {
            targets.push(target);
            drafts.push(draft);
        }
    }
    let is_known = match &job {
        Some(job) => jobs::get(connection, job.id)?.is_some(),
        None => false,
    };
    if let Some(first) = targets.first() {
        let (tenant, principal) = (first.task.tenant.clone(), first.task.owner.clone());
        let (now, kinds) = (first.task.created_at, cost(job.as_ref().filter(|_| !is_known), &targets));
        transaction.quotas.admit(connection, &tenant, &principal, &kinds, now)?;
        if !is_known && targets.iter().any(|target| !target.task.operation.only_reads()) {
            let policy = guard::policy(connection, &tenant)?;
            match &mut job {
                Some(job) => guard::judge_bulk(connection, &policy, job, &targets)?,
                None => guard::judge_singles(connection, &policy, &mut targets)?,
            }
        }
        *taken = Some(Taken { tenant, principal, kinds, now });
    }
    let job = job.filter(|_| !is_known);
    if let Some(job) = &job {
        jobs::keep_new(transaction, job, deed)?;
    }
    for (target, draft) in targets.iter().zip(drafts) {
        insert_new(connection, target)?;
        // What was held meanwhile is not what the draft says.
        let draft = if target.task.held { Draft::new(created(deed, &target.task))? } else { draft };
        ledger::append(transaction, draft)?;
    }
    // After its tasks, since it may have ended with them.
    job.map_or(Ok(()), |job| jobs::tell_new(connection, &job))
}

/// Tasks of a device that are not final, at most `limit`.
pub(super) fn open_of(connection: &Connection, device: DeviceOid, limit: u32) -> Done<Vec<Task>> {
    let sql = format!(
        "SELECT {TASK} FROM task t WHERE t.device_bucket = ? AND t.device = ? AND t.is_open = 1 \
         ORDER BY t.priority DESC, t.created_at, t.bucket, t.id LIMIT ?"
    );
    query::many(connection, &sql, params![device.bucket.0, device.unique.as_bytes(), limit], |cells| cells.task())
}

/// `time.id`: where a list by age goes on.
pub(super) fn page_key(at: Timestamp, id: &str) -> String {
    format!("{}.{id}", at.0)
}

/// Reads a [`page_key`] whose identifier is a task's.
pub(super) fn task_key(key: &str) -> Done<(i64, TaskId)> {
    let (at, id) = key.split_once('.').ok_or_else(foreign_key)?;
    Ok((at.parse().map_err(|_| foreign_key())?, TaskId::parse(id).map_err(|_| foreign_key())?))
}

pub(super) fn id_values(id: TaskId) -> [Value; 2] {
    [Value::from(i64::from(id.bucket.0)), Value::from(id.unique.as_bytes().to_vec())]
}

/// What the log tells of a task that goes on to another status.
pub(super) fn changed(deed: &Deed, before: TaskStatus, task: &Task) -> AuditEntry {
    let status = |status: TaskStatus, detail: Option<&str>| {
        Picture::of(serde_json::json!({ "status": status.as_str(), "detail": detail }))
    };
    // The detail is what somebody gave as a reason, or a text of ours without names.
    let (before, after) = (status(before, None), status(task.status, task.detail.as_deref()));
    AuditEntry::done(deed, Object::task(task.id), Some(before), Some(after))
        .of_job(task.job)
        .of_device(Some(task.device))
}

/// What the log tells of a new task.
fn created(deed: &Deed, task: &Task) -> AuditEntry {
    AuditEntry::done(deed, Object::task(task.id), None, Some(picture(task)))
        .of_job(task.job)
        .of_device(Some(task.device))
}

/// A task that reached its device is charged for, unless it was before.
pub(super) fn charge(connection: &Connection, task: &Task, stored: &Stored, now: Timestamp) -> Done<()> {
    let Some(event) = ChargeableEvent::of_task(task, now).filter(|_| !stored.is_charged) else { return Ok(()) };
    charges::add(connection, &event)?;
    let id = params![task.id.bucket.0, task.id.unique.as_bytes()];
    run(connection, "UPDATE task SET charged = 1 WHERE bucket = ? AND id = ?", id)?;
    Ok(())
}

fn cancel(
    connection: &Transaction<'_>,
    tenant: &str,
    id: TaskId,
    reason: Option<String>,
    deed: &Deed,
) -> Done<Result<Task, Fault>> {
    let (actor, now) = (deed.actor.as_str(), deed.at);
    let Some(mut task) = get(connection, id)?.filter(|task| task.tenant == tenant) else {
        return Ok(Err(Fault::new(FaultName::UnknownTask, format!("there is no task {id}")).with(id)));
    };
    if task.status == TaskStatus::Cancelled {
        return Ok(Ok(task));
    }
    // Without a reason the task must not be left with that of the attempt before.
    let detail = reason.unwrap_or_else(|| format!("cancelled by {actor}"));
    let note = Note { event: "Cancelled", detail: Some(detail), actor };
    let before = task.status;
    if advance(connection, &mut task, TaskEvent::CancelAsked, now, &note)? {
        ledger::add(connection, changed(deed, before, &task))?;
        return Ok(Ok(task));
    }
    let state = task.status.as_str();
    Ok(Err(Fault::new(FaultName::WrongState, format!("the task is {state} and cannot be cancelled")).with(state)))
}

impl TaskStore for SqliteStore {
    fn task_create(
        &self,
        job: Option<Job>,
        tasks: Vec<Target>,
        deed: Deed,
        remember: Option<Remember<()>>,
    ) -> Pending<'_, Once<()>> {
        let bytes = tasks.len().saturating_mul(2048);
        let (guard, concerns) = match (&job, &*tasks) {
            // It is refused before anything of it is written.
            (None, [only]) => (Guard::None, Concerns::TasksOf(only.task.device)),
            _ => (Guard::Savepoint, Concerns::Anything),
        };
        Box::pin(async move {
            // Made here, so that the writer has less to do.
            let targets = tasks
                .into_iter()
                .map(|target| Draft::new(created(&deed, &target.task)).map(|draft| (target, draft)))
                .collect::<Done<Vec<_>>>()?;
            let work = move |transaction: &Transaction<'_>| {
                let mut taken = None;
                let outcome = once(transaction, remember, |_| create(transaction, job, targets, &deed, &mut taken))?;
                // Last: what is undone because of a failure must not be counted.
                if let Some(Taken { tenant, principal, kinds, now }) = taken {
                    transaction.quotas.take(&tenant, &principal, &kinds, now);
                }
                Ok(outcome)
            };
            self.queue(guard, bytes, concerns, work).await
        })
    }

    fn task_get(&self, tenant: &str, id: TaskId) -> Pending<'_, Option<Task>> {
        let tenant = tenant.to_owned();
        Box::pin(async move {
            let task = self.points.read(|connection| get(connection, id))?;
            Ok(task.filter(|task| task.tenant == tenant))
        })
    }

    fn task_list(&self, tenant: &str, filter: TaskFilter, page: Page) -> Pending<'_, Listed<Task>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| lists::task_list(connection, &tenant, &filter, &page)))
    }

    fn task_history(&self, tenant: &str, of: HistoryOf, page: Page) -> Pending<'_, Option<Listed<HistoryEntry>>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| history::list(connection, &tenant, of, &page)))
    }

    fn task_cancel(
        &self,
        tenant: &str,
        id: TaskId,
        reason: Option<String>,
        deed: Deed,
    ) -> Pending<'_, Result<Task, Fault>> {
        let tenant = tenant.to_owned();
        Box::pin(self.write(Guard::Savepoint, 2048, move |connection| cancel(connection, &tenant, id, reason, &deed)))
    }
}
