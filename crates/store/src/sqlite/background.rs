//! What happens without being asked for.

use std::sync::PoisonError;

use muster_broker::id::JobId;
use muster_broker::job::{Hold, JobEvent, JobStatus};
use muster_broker::ledger::Deed;
use muster_broker::progress;
use muster_broker::store::{BackgroundStore, Contact, Due, Pending};
use muster_broker::task::{Task, TaskEvent, TaskStatus};
use muster_broker::time::Timestamp;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::expansion::{expand, left_out_in_words};
use super::jobs::{self, Kept, Sweep};
use super::ledger;
use super::query::{Where, many, one, run};
use super::rows::{Done, TASK};
use super::tasks::{self, Note, Stored, id_values, page_key, task_key};
use super::writer::{Guard, Transaction};
use super::{approvals, classes, contacts, counts, guard, waves};

/// Jobs looked at in one transaction.
const JOBS_MAX: u32 = 256;
/// Who does what nobody asked for.
const SERVER: &str = "server";

/// A round over all jobs with background work, in several transactions if there are many. One that is lost by a
/// restart begins anew.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round {
    /// Last job looked at; nothing at the beginning.
    after: Option<JobId>,
    /// Whether any job looked at has pages left.
    has_pages: bool,
}

/// Goes on with a round; gives where it is afterwards, and whether to call again.
fn pump(connection: &Transaction<'_>, mut round: Round, now: Timestamp, limit: u32) -> Done<(Round, Due)> {
    classes::begin_stretch(connection, now)?;
    let mut budget = limit.max(1);
    let jobs = jobs::active(connection, round.after, JOBS_MAX)?;
    let mut is_through = jobs.len() < JOBS_MAX as usize;
    for mut kept in jobs {
        let (before, status, hold) = (kept.mark(), kept.job.status, kept.job.hold);
        round.has_pages |= pump_job(connection, &mut kept, now, &mut budget)?;
        if kept.mark() != before {
            jobs::update(connection, &kept, now)?;
        }
        let now_waits = kept.job.hold == Hold::Waiting && hold != Hold::Waiting;
        if kept.job.status != status || now_waits {
            let deed = Deed::of_server(&kept.job.tenant, "jobs", now);
            ledger::add(connection, jobs::changed(&deed, status, &kept.job, false))?;
        }
        round.after = Some(kept.job.id);
        if budget == 0 {
            (round.has_pages, is_through) = (true, false);
            break;
        }
    }
    if !is_through {
        return Ok((round, Due::More));
    }
    Ok((Round::default(), if round.has_pages { Due::More } else { Due::Nothing }))
}

/// One job; true if it has pages left.
fn pump_job(connection: &Connection, kept: &mut Kept, now: Timestamp, budget: &mut u32) -> Done<bool> {
    if kept.job.hold == Hold::None
        && kept.job.schedule.starts_at(kept.job.created_at) <= now
        && let Ok(status) = kept.job.status.after(JobEvent::Started)
    {
        kept.enter(status, now);
    }
    sweep(connection, kept, now, budget)?;
    if kept.job.hold == Hold::Counting && makes_tasks(kept) {
        count_devices(connection, kept, now, budget)?;
    }
    if kept.job.status == JobStatus::Running {
        retry(connection, kept, now, budget)?;
        expand(connection, kept, now, budget)?;
        stop(connection, kept, now)?;
    }
    if kept.job.status == JobStatus::Running {
        waves::step(connection, kept, now)?;
    }
    if kept.job.status == JobStatus::Running {
        release(connection, kept, now, budget)?;
        pace(connection, kept, now)?;
    }
    settle(connection, kept, now)?;
    let has_pages = kept.progress.sweep.is_some()
        || (kept.job.status == JobStatus::Running && kept.progress.retry_at.is_some())
        || (kept.job.expansion.is_some() && !kept.is_stalled && makes_tasks(kept));
    Ok(has_pages)
}

/// Whether tasks of the job are made now.
fn makes_tasks(kept: &Kept) -> bool {
    match kept.job.status {
        JobStatus::Running => true,
        JobStatus::Scheduled => kept.job.hold == Hold::Counting,
        _ => false,
    }
}

/// A page of a job that may need approval: its tasks are made although it has not begun, so that what is approved is
/// what will be sent; when all are there, it is judged.
fn count_devices(connection: &Connection, kept: &mut Kept, now: Timestamp, budget: &mut u32) -> Done<()> {
    expand(connection, kept, now, budget)?;
    if kept.job.expansion.is_some() {
        return Ok(());
    }
    guard::judge_counted(connection, kept, left_out_in_words(kept), now)
}

/// The next tasks of a job in the order of their making.
fn next_tasks(connection: &Connection, job: JobId, after: Option<&str>, limit: u32) -> Done<Vec<Task>> {
    let mut wanted = Where::default();
    wanted.and("t.job = ?", [rusqlite::types::Value::from(job.0.as_bytes().to_vec())]);
    if let Some(after) = after {
        let (at, id) = task_key(after)?;
        let [bucket, unique] = id_values(id);
        wanted.and("(t.created_at, t.bucket, t.id) > (?, ?, ?)", [at.into(), bucket, unique]);
    }
    wanted.select(connection, TASK, "task t", "t.created_at, t.bucket, t.id", limit, |cells| cells.task())
}

fn key_of(task: &Task) -> String {
    page_key(task.created_at, &task.id.to_string())
}

/// A page of tasks follows a change of their job.
fn sweep(connection: &Connection, kept: &mut Kept, now: Timestamp, budget: &mut u32) -> Done<()> {
    let Some(sweep) = kept.progress.sweep else { return Ok(()) };
    if *budget == 0 {
        return Ok(());
    }
    let (event, name) = match sweep {
        Sweep::Pause => (TaskEvent::JobPaused, "JobPaused"),
        Sweep::Resume => (TaskEvent::JobResumed, "JobResumed"),
        Sweep::Cancel => (TaskEvent::CancelAsked, "JobCancelled"),
        Sweep::Stop => (TaskEvent::CancelAsked, "JobStopped"),
    };
    let asked = *budget;
    let tasks = next_tasks(connection, kept.job.id, kept.progress.sweep_after.as_deref(), asked)?;
    let found = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
    *budget = budget.saturating_sub(found);
    let actor = kept.progress.actor.clone().unwrap_or_else(|| SERVER.into());
    for mut task in tasks {
        // Tasks in other states are not concerned.
        let unsaid = || (sweep == Sweep::Cancel).then(|| format!("the job was cancelled by {actor}"));
        let note = Note { event: name, detail: kept.job.detail.clone().or_else(unsaid), actor: &actor };
        tasks::advance(connection, &mut task, event, now, &note)?;
        kept.progress.sweep_after = Some(key_of(&task));
    }
    if found < asked {
        (kept.progress.sweep, kept.progress.sweep_after) = (None, None);
    }
    Ok(())
}

/// A page of failed, expired and cancelled tasks runs again: those that had ended when that was asked for.
fn retry(connection: &Connection, kept: &mut Kept, now: Timestamp, budget: &mut u32) -> Done<()> {
    let Some(asked_at) = kept.progress.retry_at else { return Ok(()) };
    if *budget == 0 || kept.progress.sweep.is_some() {
        return Ok(());
    }
    let asked = *budget;
    let tasks = next_tasks(connection, kept.job.id, kept.progress.retry_after.as_deref(), asked)?;
    let found = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
    *budget = budget.saturating_sub(found);
    for mut task in tasks {
        kept.progress.retry_after = Some(key_of(&task));
        if task.finished_at.is_some_and(|finished| finished <= asked_at) {
            retry_one(connection, kept, &mut task, now)?;
        }
    }
    if found < asked {
        (kept.progress.retry_at, kept.progress.retry_after) = (None, None);
    }
    Ok(())
}

fn retry_one(connection: &Connection, kept: &Kept, task: &mut Task, now: Timestamp) -> Done<()> {
    let stored = Stored::of(connection, task)?;
    let reason = progress::reason(task);
    let status = task.status;
    // What was erased must not be written to a device in its place.
    if task.arguments.are_erased() || task.advance(TaskEvent::Retried, now).is_err() {
        return Ok(());
    }
    if let Some(reason) = reason {
        counts::explain(connection, kept.job.id, status, &reason, -1)?;
    }
    // A life that is over would end the new attempt at once: the task gets as long a life as it had, from now on.
    let life_ms = task.end_at.0.saturating_sub(task.start_at.0.min(task.created_at.0)).max(0);
    task.start_at = task.start_at.max(now);
    if task.end_at <= now {
        task.end_at = now.plus_ms(life_ms);
    }
    task.detail = None;
    let actor = kept.progress.actor.as_deref().unwrap_or(SERVER);
    let entry = task.note(now, "Retried", kept.job.detail.clone(), actor);
    tasks::update(connection, task, &stored, &[&entry])?;
    if kept.job.schedule.is_paced() {
        run(
            connection,
            "UPDATE task SET released = 0 WHERE bucket = ? AND id = ?",
            params![task.id.bucket.0, task.id.unique.as_bytes()],
        )?;
    }
    // Run again, it is charged for again (contract, section 5, restartJob).
    run(
        connection,
        "UPDATE task SET charged = 0 WHERE bucket = ? AND id = ?",
        params![task.id.bucket.0, task.id.unique.as_bytes()],
    )?;
    Ok(())
}

/// Stops a job of whose finished tasks more failed than its threshold allows. Cancelled tasks do not count.
fn stop(connection: &Connection, kept: &mut Kept, now: Timestamp) -> Done<()> {
    let Some(percent) = kept.job.schedule.failure_threshold_percent else { return Ok(()) };
    // While failed tasks are being taken up again the counters tell of the past.
    if kept.progress.retry_at.is_some() {
        return Ok(());
    }
    let counts = jobs::counts(connection, kept.job.id)?;
    let sum = |wanted: fn(TaskStatus) -> bool| -> u64 {
        counts.iter().filter(|(status, _)| wanted(*status)).map(|(_, count)| count).sum()
    };
    let failed = sum(|status| status == TaskStatus::Failed);
    let finished = sum(|status| status.is_final() && status != TaskStatus::Cancelled);
    if failed.saturating_mul(100) <= finished.saturating_mul(u64::from(percent)) {
        return Ok(());
    }
    if let Ok(status) = kept.job.status.after(JobEvent::ThresholdPassed) {
        kept.enter(status, now);
        kept.job.detail = Some(format!("stopped: {failed} of {finished} finished tasks failed, allowed {percent} %"));
        kept.progress.actor = None;
        (kept.progress.sweep, kept.progress.sweep_after) = (Some(Sweep::Stop), None);
    }
    Ok(())
}

/// Gives slots of a paced job to waiting tasks.
fn release(connection: &Connection, kept: &mut Kept, now: Timestamp, budget: &mut u32) -> Done<()> {
    let schedule = &kept.job.schedule;
    if !schedule.is_paced() {
        return Ok(());
    }
    let job = kept.job.id;
    let mut free = *budget;
    if let Some(most) = schedule.concurrent_max {
        let used = one(
            connection,
            "SELECT count(*) FROM (SELECT 1 FROM task INDEXED BY task_slot \
             WHERE job = ? AND released = 2 AND is_open = 1 LIMIT ?)",
            params![job.0.as_bytes(), most],
            |cells| cells.get::<u32>(),
        )?;
        free = free.min(most.saturating_sub(used.unwrap_or(0)));
    }
    if let Some(most) = schedule.per_minute_max {
        if kept.progress.paced_at.plus_s(60) <= now || now < kept.progress.paced_at {
            (kept.progress.paced_at, kept.progress.paced) = (now, 0);
        }
        free = free.min(most.saturating_sub(kept.progress.paced));
    }
    let Some(share) = waves::share(connection, &kept.job, now)? else { return Ok(()) };
    free = free.min(share.most);
    if free == 0 {
        return Ok(());
    }
    let given = waves::let_go(connection, job, share, free)?;
    kept.progress.paced = kept.progress.paced.saturating_add(given);
    *budget = budget.saturating_sub(given);
    Ok(())
}

/// Notes how many tasks are finished, once in a minute in which tasks may start.
fn pace(connection: &Connection, kept: &mut Kept, now: Timestamp) -> Done<()> {
    if kept.progress.pace.is_due(now) && kept.job.schedule.is_open(now) {
        let finished = jobs::counts(connection, kept.job.id)?;
        let finished = finished.iter().filter(|(status, _)| status.is_final()).map(|(_, count)| count).sum();
        kept.progress.pace.note(now, finished);
    }
    Ok(())
}

/// Ends a job whose tasks all exist and are final.
fn settle(connection: &Connection, kept: &mut Kept, now: Timestamp) -> Done<()> {
    let progress = &kept.progress;
    if kept.job.expansion.is_some() || progress.sweep.is_some() || progress.retry_at.is_some() {
        return Ok(());
    }
    let Ok(status) = kept.job.status.after(JobEvent::AllFinal) else { return Ok(()) };
    if jobs::counts(connection, kept.job.id)?.iter().all(|(status, _)| status.is_final()) {
        kept.enter(status, now);
    }
    Ok(())
}

fn expire(connection: &Transaction<'_>, now: Timestamp, limit: u32) -> Done<Due> {
    let limit = limit.max(1);
    let sql = format!("SELECT {TASK} FROM task t WHERE t.end_at <= ? AND t.is_open = 1 ORDER BY t.end_at LIMIT ?");
    let tasks = many(connection, &sql, params![now.0, limit], |cells| cells.task())?;
    let is_full = u32::try_from(tasks.len()).is_ok_and(|found| found >= limit);
    for mut task in tasks {
        let detail = Some("the end time passed before the operation completed".to_owned());
        let note = Note { event: "Expired", detail, actor: SERVER };
        let before = task.status;
        if tasks::advance(connection, &mut task, TaskEvent::TimeOver, now, &note)? {
            let deed = Deed::of_server(&task.tenant, "expire", now);
            ledger::add(connection, tasks::changed(&deed, before, &task))?;
        }
    }
    Ok(if is_full { Due::More } else { Due::Nothing })
}

fn silent(connection: &Connection, before: Timestamp, limit: u32) -> Done<Vec<Contact>> {
    let oids = many(
        connection,
        "SELECT bucket, oid FROM contact WHERE task IS NOT NULL AND ended = 0 AND touched_at < ? \
         ORDER BY touched_at LIMIT ?",
        params![before.0, limit],
        |cells| cells.device_oid(),
    )?;
    oids.into_iter().filter_map(|oid| contacts::load_oid(connection, oid).transpose()).collect()
}

impl BackgroundStore for SqliteStore {
    fn job_pump(&self, now: Timestamp, limit: u32) -> Pending<'_, Due> {
        Box::pin(async move {
            let round = *self.round.lock().unwrap_or_else(PoisonError::into_inner);
            let work = move |transaction: &Transaction<'_>| pump(transaction, round, now, limit);
            let (round, due) = self.write(Guard::Savepoint, 1 << 20, work).await?;
            *self.round.lock().unwrap_or_else(PoisonError::into_inner) = round;
            Ok(due)
        })
    }

    fn task_expire(&self, now: Timestamp, limit: u32) -> Pending<'_, Due> {
        Box::pin(self.write(Guard::Savepoint, 1 << 20, move |connection| expire(connection, now, limit)))
    }

    fn approval_expire(&self, now: Timestamp, limit: u32) -> Pending<'_, Due> {
        Box::pin(self.write(Guard::Savepoint, 1 << 20, move |connection| approvals::expire(connection, now, limit)))
    }

    fn approval_forget(&self, ended_before: Timestamp, limit: u32) -> Pending<'_, Due> {
        Box::pin(
            self.write(Guard::Savepoint, 1 << 16, move |connection| approvals::forget(connection, ended_before, limit)),
        )
    }

    fn contact_silent(&self, silent_since: Timestamp, limit: u32) -> Pending<'_, Vec<Contact>> {
        Box::pin(self.scan(move |connection| silent(connection, silent_since, limit)))
    }

    fn forget(&self, sessions_before: Timestamp, requests_before: Timestamp) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 4096, move |connection| {
            run(connection, "DELETE FROM wsi_session WHERE used_at < ?", [sessions_before.0])?;
            run(connection, "DELETE FROM request WHERE at < ?", [requests_before.0])?;
            Ok(())
        }))
    }

    fn ping(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            self.points.read(|connection| one(connection, "SELECT 1", [], |cells| cells.get::<i64>()))?;
            self.write(Guard::Savepoint, 0, |_| Ok(())).await
        })
    }
}
