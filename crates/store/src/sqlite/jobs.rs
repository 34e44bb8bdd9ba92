//! Jobs: one row each. Their tasks follow in the background.

use muster_broker::callback::{self, Event};
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::JobId;
use muster_broker::job::{Hold, Job, JobEvent, JobStatus, JobView};
use muster_broker::ledger::{AuditEntry, ChargeableEvent, Deed, Object, Picture, job as picture};
use muster_broker::page::{Listed, Page};
use muster_broker::power::{Action, ApprovalEvent};
use muster_broker::progress::Pace;
use muster_broker::quota::Kind;
use muster_broker::store::{JobFilter, JobStore, Once, Pending, Remember};
use muster_broker::task::TaskStatus;
use muster_broker::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::approvals::class_number;
use super::callbacks;
use super::expansion::left_out;
use super::lists;
use super::query::{Where, foreign_key, listed, many, one, one_more, run};
use super::requests::once;
use super::rows::{Cells, Done, JOB, hold_number, job_status_number, json_unless_default, task_status};
use super::tasks::page_key;
use super::writer::{Concerns, Guard, Transaction};
use super::{approvals, charges, guard, ledger, quotas, waves};

/// A change that the tasks of a job follow page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sweep {
    Pause,
    Resume,
    Cancel,
    Stop,
}

/// A sweep's number in the database is its place here; places never change.
const SWEEPS: [(i64, Sweep); 4] = [(1, Sweep::Pause), (2, Sweep::Resume), (3, Sweep::Cancel), (4, Sweep::Stop)];

/// How far background work on a job has come. Kept with it, so that a crash between two pages loses none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) sweep: Option<Sweep>,
    pub(super) sweep_after: Option<String>,
    pub(super) retry_at: Option<Timestamp>,
    pub(super) retry_after: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) paced_at: Timestamp,
    pub(super) paced: u32,
    pub(super) skipped: i64,
    pub(super) unmatched: i64,
    pub(super) without_consent: i64,
    pub(super) pace: Pace,
}

/// A job with its progress.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) job: Job,
    pub(super) progress: Progress,
    /// As it is stored.
    stored: JobStatus,
    /// Whether no task can be made for want of a quota. Not stored.
    pub(super) is_stalled: bool,
    /// What its callback is told about the states it has entered, until it is written.
    told: Vec<Event>,
}

impl Kept {
    /// Goes on to `status`, which the pure table gave.
    pub(super) fn enter(&mut self, status: JobStatus, now: Timestamp) {
        self.job.status = status;
        self.job.finished_at = status.is_final().then_some(now);
        self.job.version = self.job.version.saturating_add(1);
        self.told.extend(callback::of_job(&self.job, now).map(|due| due.event));
    }

    /// What [`update`] writes of it, to see whether it has changed. What is left out changes with the version.
    pub(super) fn mark(&self) -> (i64, Option<Option<String>>, Progress) {
        (self.job.version, self.job.expansion.as_ref().map(|rest| rest.after.clone()), self.progress.clone())
    }

    /// Whether it waits for a second person.
    pub(super) fn waits(&self) -> bool {
        self.job.hold == Hold::Waiting && !self.is_ending()
    }

    /// Holds it no longer.
    pub(super) fn release(&mut self, detail: Option<String>) {
        self.job.hold = Hold::None;
        self.job.detail = detail;
        self.job.version = self.job.version.saturating_add(1);
    }

    fn is_ending(&self) -> bool {
        self.job.status == JobStatus::Cancelling || self.job.status.is_final()
    }

    fn is_active(&self) -> bool {
        !self.job.status.is_final() || self.progress.sweep.is_some()
    }

    fn read(cells: &mut Cells<'_>) -> Done<Self> {
        let job = cells.job()?;
        Ok(Self {
            stored: job.status,
            is_stalled: false,
            job,
            progress: Progress {
                sweep: cells
                    .get::<Option<i64>>()?
                    .and_then(|number| SWEEPS.iter().find(|(known, _)| *known == number).map(|(_, sweep)| *sweep)),
                sweep_after: cells.get()?,
                retry_at: cells.maybe_time()?,
                retry_after: cells.get()?,
                actor: cells.get()?,
                paced_at: cells.time()?,
                paced: cells.get()?,
                skipped: cells.get()?,
                unmatched: cells.get()?,
                without_consent: cells.get()?,
                pace: cells.json_or_default()?,
            },
            told: Vec::new(),
        })
    }
}

const PROGRESS: &str = "j.sweep, j.sweep_after, j.retry_at, j.retry_after, j.actor, j.paced_at, j.paced, j.skipped, \
    j.unmatched, j.without_consent, j.pace";

pub(super) fn get(connection: &Connection, id: JobId) -> Done<Option<Job>> {
    one(connection, &format!("SELECT {JOB} FROM job j WHERE j.id = ?"), [id.0.as_bytes()], |cells| cells.job())
}

pub(super) fn kept(connection: &Connection, id: JobId) -> Done<Option<Kept>> {
    let sql = format!("SELECT {JOB}, {PROGRESS} FROM job j WHERE j.id = ?");
    one(connection, &sql, [id.0.as_bytes()], Kept::read)
}

/// Jobs with background work to do, by identifier, after `after`.
pub(super) fn active(connection: &Connection, after: Option<JobId>, limit: u32) -> Done<Vec<Kept>> {
    let sql = format!(
        "SELECT {JOB}, {PROGRESS} FROM job j WHERE j.is_active = 1 AND (?1 IS NULL OR j.id > ?1) ORDER BY j.id LIMIT ?2"
    );
    many(connection, &sql, params![after.as_ref().map(|id| id.0.as_bytes()), limit], Kept::read)
}

/// Keeps a new job, which is charged for and told in the log; false if it is there already, and left alone. What its
/// domain and owner use is left to the caller.
pub(super) fn keep_new(connection: &Transaction<'_>, job: &Job, deed: &Deed) -> Done<bool> {
    if !insert(connection, job)? {
        return Ok(false);
    }
    ledger::add(connection, AuditEntry::done(deed, Object::job(job.id), None, Some(picture(job))))?;
    if let Some(event) = ChargeableEvent::of_job(job, deed.operation, deed.at) {
        charges::add(connection, &event)?;
    }
    Ok(true)
}

/// What the log tells of a job that goes on to another status.
pub(super) fn changed(deed: &Deed, before: JobStatus, job: &Job, is_retried: bool) -> AuditEntry {
    let (before, after) = (
        Picture::of(serde_json::json!({ "status": before.as_str() })),
        Picture::of(serde_json::json!({
            "status": job.status.as_str(),
            "detail": job.detail,
            "retryFailed": is_retried.then_some(true),
            "wave": job.rollout.as_ref().map(|rollout| rollout.current.saturating_add(1)),
        })),
    );
    AuditEntry::done(deed, Object::job(job.id), Some(before), Some(after))
}

/// False if it is there already.
fn insert(connection: &Connection, job: &Job) -> Done<bool> {
    let inserted = run(
        connection,
        "INSERT INTO job (id, tenant, owner, name, description, template, is_mixed, schedule, selector, \
         expand_after, hold, class, status, detail, created_at, finished_at, version, is_active, paced_at, paced, skipped, \
         unmatched, reach, callback, operation, test_cycle) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?, ?, ?, ?) \
         ON CONFLICT (id) DO NOTHING",
        params![
            job.id.0.as_bytes(),
            job.tenant,
            job.owner,
            job.name,
            job.description,
            serde_json::to_string(&job.template)?,
            job.is_mixed,
            serde_json::to_string(&job.schedule)?,
            job.expansion.as_ref().map(|expansion| serde_json::to_string(&expansion.selector)).transpose()?,
            job.expansion.as_ref().and_then(|expansion| expansion.after.as_ref()),
            hold_number(job.hold),
            job.class.map(class_number),
            job_status_number(job.status),
            job.detail,
            job.created_at.0,
            job.finished_at.map(|time| time.0),
            job.version,
            !job.status.is_final(),
            json_unless_default(&job.reach)?,
            json_unless_default(&job.callback)?,
            (!job.is_mixed).then(|| job.template.operation.as_str()),
            job.template.test_cycle,
        ],
    )?;
    Ok(inserted == 1)
}

/// Tells the callback of a new job which state it begins in.
pub(super) fn tell_new(connection: &Connection, job: &Job) -> Done<()> {
    callback::of_job(job, job.created_at).map_or(Ok(()), |due| callbacks::tell(connection, &due))
}

/// Keeps what can change of a job, and tells its callback of the states it has entered. The selector, which may be
/// long, is not written again: it is there or dropped.
pub(super) fn update(connection: &Connection, kept: &Kept, now: Timestamp) -> Done<()> {
    let Kept { job, progress, told, stored: status_before, .. } = kept;
    let hold = if kept.is_ending() { Hold::None } else { job.hold };
    for event in told {
        if let Some(due) = callback::of_job(job, event.at) {
            callbacks::tell(connection, &callback::Due { event: event.clone(), ..due })?;
        }
    }
    let sweep = SWEEPS.iter().find(|(_, sweep)| Some(*sweep) == progress.sweep).map(|(number, _)| *number);
    run(
        connection,
        "UPDATE job SET selector = CASE WHEN ? THEN selector END, expand_after = ?, hold = ?, status = ?, detail = ?, \
         finished_at = ?, version = ?, is_active = ?, sweep = ?, sweep_after = ?, retry_at = ?, retry_after = ?, \
         actor = ?, paced_at = ?, paced = ?, skipped = ?, unmatched = ?, without_consent = ?, rollout = ?, pace = ? WHERE id = ?",
        params![
            job.expansion.is_some(),
            job.expansion.as_ref().and_then(|expansion| expansion.after.as_ref()),
            hold_number(hold),
            job_status_number(job.status),
            job.detail,
            job.finished_at.map(|time| time.0),
            job.version,
            kept.is_active(),
            sweep,
            progress.sweep_after,
            progress.retry_at.map(|time| time.0),
            progress.retry_after,
            progress.actor,
            progress.paced_at.0,
            progress.paced,
            progress.skipped,
            progress.unmatched,
            progress.without_consent,
            job.rollout.as_ref().map(serde_json::to_string).transpose()?,
            json_unless_default(&progress.pace)?,
            job.id.0.as_bytes(),
        ],
    )?;
    let ended = i64::from(status_before.is_final()) - i64::from(job.status.is_final());
    quotas::change(connection, &job.tenant, &job.owner, Kind::JobsAtOnce, ended, now)?;
    if job.status != *status_before && kept.is_ending() {
        // What can be run again later may still be approved.
        let (only, event) = match job.status {
            JobStatus::Cancelling => (None, ApprovalEvent::Withdraw),
            _ => (Some(Action::Start), ApprovalEvent::TimeOver),
        };
        approvals::close_job(connection, job.id, only, event, job.detail.as_deref(), now)?;
    }
    Ok(())
}

/// Number of tasks of a job by state; states without tasks are left out.
pub(super) fn counts(connection: &Connection, job: JobId) -> Done<Vec<(TaskStatus, u64)>> {
    many(
        connection,
        "SELECT status, sum(count) FROM job_count WHERE job = ? GROUP BY status HAVING sum(count) > 0 ORDER BY status",
        [job.0.as_bytes()],
        |cells| Ok((task_status(cells.get()?)?, u64::try_from(cells.get::<i64>()?).unwrap_or(0))),
    )
}

/// A job as lists tell it.
fn row_of_list(connection: &Connection, job: Job) -> Done<JobView> {
    let counts = counts(connection, job.id)?;
    let wave_counts = waves::counts(connection, &job)?;
    let (reasons, left_out, pace) = (Vec::new(), Vec::new(), Pace::default());
    Ok(JobView { job, counts, wave_counts, reasons, left_out, pace, outlook: None })
}

/// A job as it is told alone.
fn view(connection: &Connection, job: Job) -> Done<JobView> {
    let reasons = super::counts::reasons(connection, job.id)?;
    let progress = kept(connection, job.id)?.map(|kept| kept.progress).unwrap_or_default();
    let left_out = left_out(&progress).into_iter().map(|(why, number)| (why.to_owned(), number)).collect();
    Ok(JobView { reasons, left_out, pace: progress.pace, ..row_of_list(connection, job)? })
}

fn list(connection: &Connection, tenant: &str, filter: &JobFilter, page: &Page) -> Done<Listed<JobView>> {
    let mut wanted = Where::default();
    wanted.equal("j.tenant", Some(tenant));
    wanted.among("j.status", filter.status.iter().map(|status| job_status_number(*status)));
    wanted.equal("j.owner", filter.owner.as_deref());
    wanted.equal("j.owner", filter.made_by.as_deref());
    if let Some(since) = filter.created_since {
        wanted.and("j.created_at >= ?", [Value::from(since.0)]);
    }
    if let Some(before) = filter.created_before {
        wanted.and("j.created_at < ?", [Value::from(before.0)]);
    }
    lists::job_condition(&mut wanted, filter.expression.as_ref());
    let total = wanted.count(connection, "job j INDEXED BY job_list")?;
    if let Some(after) = &page.after {
        let (at, id) = after.split_once('.').ok_or_else(foreign_key)?;
        let at = at.parse::<i64>().map_err(|_| foreign_key())?;
        let id = JobId::parse(id).map_err(|_| foreign_key())?;
        wanted.and("(j.created_at, j.id) < (?, ?)", [Value::from(at), Value::from(id.0.as_bytes().to_vec())]);
    }
    let order = "j.created_at DESC, j.id DESC";
    let jobs =
        wanted.select(connection, JOB, "job j INDEXED BY job_list", order, one_more(page), |cells| cells.job())?;
    let views = jobs.into_iter().map(|job| row_of_list(connection, job)).collect::<Done<Vec<_>>>()?;
    Ok(listed(views, page, total, |view| page_key(view.job.created_at, &view.job.id.to_string())))
}

/// What somebody asks of a job.
pub(super) struct Asked {
    event: JobEvent,
    reason: Option<String>,
    deed: Deed,
    /// Whether a second person has approved of it.
    is_approved: bool,
}

impl Asked {
    /// Cancels it.
    pub(super) fn cancel(reason: String, deed: Deed) -> Self {
        Self { event: JobEvent::CancelAsked, reason: Some(reason), deed, is_approved: true }
    }

    /// Runs failed tasks again, as a second person approved.
    pub(super) fn retry_approved(deed: Deed) -> Self {
        Self { event: JobEvent::RestartAsked { retry_failed: true }, reason: None, deed, is_approved: true }
    }
}

pub(super) fn advance(
    connection: &Transaction<'_>,
    tenant: &str,
    id: JobId,
    asked: Asked,
) -> Done<Result<JobView, Fault>> {
    let Some(mut kept) = kept(connection, id)?.filter(|kept| kept.job.tenant == tenant) else {
        return Ok(Err(Fault::new(FaultName::UnknownJob, format!("there is no job {id}")).with(id)));
    };
    let before = kept.job.status;
    let Ok(status) = before.after(asked.event) else {
        let state = before.as_str();
        let text = format!("this is not possible while the job is {state}");
        return Ok(Err(Fault::new(FaultName::WrongState, text).with(state)));
    };
    let retries = asked.event == JobEvent::RestartAsked { retry_failed: true };
    let version = kept.job.version;
    if retries && !asked.is_approved && guard::judge_retry(connection, &mut kept, &asked.deed.actor, asked.deed.at)? {
        update(connection, &kept, asked.deed.at)?;
        // Asking again while the question is open changes nothing.
        if kept.job.version != version {
            ledger::add(connection, changed(&asked.deed, before, &kept.job, true))?;
        }
        return Ok(Ok(view(connection, kept.job)?));
    }
    // A job that is held goes back to where it waits.
    let status =
        if status == JobStatus::Running && kept.job.hold != Hold::None { JobStatus::Scheduled } else { status };
    let releases = asked.event == JobEvent::WaveReleased;
    if releases && !waves::release(&mut kept.job, asked.deed.at) {
        let state = before.as_str();
        let text = "no wave of the job waits to be released";
        return Ok(Err(Fault::new(FaultName::WrongState, text).with(state)));
    }
    if status != before || retries || releases {
        let progress = &mut kept.progress;
        match asked.event {
            JobEvent::CancelAsked => {
                (progress.sweep, progress.sweep_after) = (Some(Sweep::Cancel), None);
                (progress.retry_at, progress.retry_after) = (None, None);
                kept.job.expansion = None;
            }
            JobEvent::PauseAsked => (progress.sweep, progress.sweep_after) = (Some(Sweep::Pause), None),
            JobEvent::RestartAsked { .. } => {
                // What a stop had not reached yet goes on as it is.
                let sweep = (before == JobStatus::Paused).then_some(Sweep::Resume);
                if before != status {
                    (progress.sweep, progress.sweep_after) = (sweep, None);
                }
                if retries {
                    (progress.retry_at, progress.retry_after) = (Some(asked.deed.at), None);
                }
                waves::resume(connection, &mut kept.job, retries)?;
            }
            JobEvent::WaveReleased => {
                if before == JobStatus::Paused {
                    (progress.sweep, progress.sweep_after) = (Some(Sweep::Resume), None);
                }
            }
            JobEvent::Started | JobEvent::AllFinal | JobEvent::ThresholdPassed | JobEvent::WaveStopped => {}
        }
        kept.progress.actor = (!asked.deed.actor.is_empty()).then(|| asked.deed.actor.clone());
        // Why it waits is told until it no longer does.
        if kept.job.hold == Hold::None || status == JobStatus::Cancelling {
            kept.job.detail = asked.reason;
        }
        kept.enter(status, asked.deed.at);
        update(connection, &kept, asked.deed.at)?;
        ledger::add(connection, changed(&asked.deed, before, &kept.job, retries))?;
    }
    Ok(Ok(view(connection, kept.job)?))
}

/// Keeps new jobs whose tasks are made in the background: what quotas do not admit is refused, and what may need a
/// second person is held. `taken` gets those that count.
fn create(transaction: &Transaction<'_>, jobs: Vec<Job>, deed: &Deed, taken: &mut Vec<Job>) -> Done<()> {
    let connection = transaction.connection;
    for mut job in jobs {
        if get(connection, job.id)?.is_some() {
            continue;
        }
        if !job.status.is_final() {
            let earlier = taken.iter().filter(|other| other.tenant == job.tenant && other.owner == job.owner).count();
            let more = u64::try_from(earlier).unwrap_or(u64::MAX).saturating_add(1);
            let kinds = [(Kind::JobsAtOnce, more)];
            transaction.quotas.admit(connection, &job.tenant, &job.owner, &kinds, job.created_at)?;
        }
        if !job.template.operation.only_reads() {
            job.guard(&guard::policy(connection, &job.tenant)?);
        }
        keep_new(transaction, &job, deed)?;
        tell_new(connection, &job)?;
        if !job.status.is_final() {
            taken.push(job);
        }
    }
    Ok(())
}

impl JobStore for SqliteStore {
    fn job_create(&self, jobs: Vec<Job>, deed: Deed, remember: Option<Remember<()>>) -> Pending<'_, Once<()>> {
        let bytes = jobs.len().saturating_mul(4096);
        let work = move |transaction: &Transaction<'_>| {
            let mut taken = Vec::new();
            let outcome = once(transaction, remember, |_| create(transaction, jobs, &deed, &mut taken))?;
            // Last: what is undone because of a failure must not be counted.
            for Job { tenant, owner, created_at, .. } in &taken {
                transaction.quotas.take(tenant, owner, &[(Kind::JobsAtOnce, 1)], *created_at);
            }
            Ok(outcome)
        };
        Box::pin(self.queue(Guard::Savepoint, bytes, Concerns::Anything, work))
    }

    fn job_get(&self, tenant: &str, id: JobId) -> Pending<'_, Option<JobView>> {
        let tenant = tenant.to_owned();
        Box::pin(async move {
            self.points.read(|connection| {
                let job = get(connection, id)?.filter(|job| job.tenant == tenant);
                job.map(|job| view(connection, job)).transpose()
            })
        })
    }

    fn job_list(&self, tenant: &str, filter: JobFilter, page: Page) -> Pending<'_, Listed<JobView>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| list(connection, &tenant, &filter, &page)))
    }

    fn job_advance(
        &self,
        tenant: &str,
        id: JobId,
        event: JobEvent,
        reason: Option<String>,
        deed: Deed,
    ) -> Pending<'_, Result<JobView, Fault>> {
        let (tenant, asked) = (tenant.to_owned(), Asked { event, reason, deed, is_approved: false });
        Box::pin(self.write(Guard::Savepoint, 1024, move |connection| advance(connection, &tenant, id, asked)))
    }
}
