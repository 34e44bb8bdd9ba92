//! IBulkOperationsManagerServices: jobs and their tasks.

use serde::{Deserialize, Serialize};

use super::deployment_broker::{read_task_id, unknown_task};
use super::{Broker, Rejected, RequestKey, checks};
use crate::access::{Caller, Reach, Right, Scope};
use crate::bounds::TEXT_CHARS_MAX;
use crate::callback::CallbackWanted;
use crate::fault::{Fault, FaultName};
use crate::filter::Filter;
use crate::id::JobId;
use crate::identity::{DeviceId, Msisdn};
use crate::job::{JobEvent, JobStatus, JobView, Selector};
use crate::operation::Arguments;
use crate::page::{Page, PageRequest, Paged};
use crate::progress;
use crate::schedule::Schedule;
use crate::store::{HistoryOf, JobFilter, TaskFilter};
use crate::task::{HistoryEntry, Task, TaskStatus};
use crate::time::Timestamp;

/// One operation on a set of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Short name for people.
    pub name: String,
    /// Longer text.
    pub description: Option<String>,
    /// Operation name.
    pub operation: String,
    /// Which devices.
    pub devices: Selector,
    /// Whether the users are asked first.
    pub opt_in: bool,
    /// acceptDevicePolicy as given.
    pub policy: i32,
    /// Whether nothing is sent.
    pub test_cycle: bool,
    /// What the operation works on.
    pub arguments: Arguments,
    /// When and how fast.
    pub schedule: Schedule,
    /// 1 to 9; 5 when left out.
    pub priority: Option<i32>,
    /// Who is told of each status of the job.
    pub callback: Option<CallbackWanted>,
    /// Idempotency key of this deployment.
    pub request: Option<RequestKey>,
}

/// Jobs made from a list of deployments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentReceipt {
    /// Jobs, in the order of the accepted deployments.
    pub job_id: Vec<String>,
    /// Deployments that were not accepted.
    pub rejected: Vec<Rejected>,
}

/// Which jobs, by when they were created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobsByDate {
    /// At this time or later.
    pub from: Timestamp,
    /// Before this time.
    pub to: Timestamp,
}

/// Which tasks; at least one of the first four, or an expression, is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TasksWanted {
    /// Of this job.
    pub job_id: Option<String>,
    /// Of this device.
    pub device_id: Option<DeviceId>,
    /// Addressed to this number.
    pub phone_number: Option<Msisdn>,
    /// Made at this time or later.
    pub created_since: Option<Timestamp>,
    /// In one of these states.
    pub status: Vec<TaskStatus>,
    /// Expression of the filter language.
    pub expression: Option<String>,
}

const READ_JOBS: Right = Right::new("job", "read");
const READ_TASKS: Right = Right::new("task", "read");

impl Broker {
    /// Jobs, newest first; `expression` is one of the filter language.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `InvalidPageToken`.
    pub async fn jobs(
        &self,
        caller: &Caller,
        status: Vec<JobStatus>,
        owner: Option<String>,
        expression: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<JobView>, Fault> {
        let scope = caller.scope(READ_JOBS)?;
        checks::line_if_given("owner", owner.as_deref(), TEXT_CHARS_MAX)?;
        let expression = Filter::read(expression)?;
        let filter = JobFilter { status: each_once(status), owner, expression, ..JobFilter::default() };
        self.jobs_listed(caller, &scope, filter, page).await
    }

    /// Jobs made within a range of time, newest first.
    ///
    /// # Errors
    /// `NotAuthorized`, `ConflictingArguments` unless the range has a beginning before its end, `InvalidArgument`,
    /// `InvalidPageToken`.
    pub async fn jobs_by_date(
        &self,
        caller: &Caller,
        dates: JobsByDate,
        page: &PageRequest,
    ) -> Result<Paged<JobView>, Fault> {
        let scope = caller.scope(READ_JOBS)?;
        let JobsByDate { from, to } = dates;
        if from >= to {
            return Err(Fault::new(FaultName::ConflictingArguments, "fromDate must be before toDate")
                .with(from)
                .with(to));
        }
        let filter = JobFilter { created_since: Some(from), created_before: Some(to), ..JobFilter::default() };
        self.jobs_listed(caller, &scope, filter, page).await
    }

    /// A job.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownJob`.
    pub async fn job_by_id(&self, caller: &Caller, job_id: &str) -> Result<JobView, Fault> {
        let mut view = self.job_reached(caller, READ_JOBS, job_id).await?;
        view.outlook = Some(progress::outlook(&view.job, &view.counts, &view.pace, self.environment.now()));
        Ok(view)
    }

    /// Tasks of a job, of a device, of a number, or made lately; oldest first.
    ///
    /// # Errors
    /// `NotAuthorized`, `MissingArgument` if none of the four and no expression is given, `UnknownJob`, `InvalidArgument`,
    /// `InvalidPageToken`.
    pub async fn tasks(&self, caller: &Caller, wanted: TasksWanted, page: &PageRequest) -> Result<Paged<Task>, Fault> {
        let reach = caller.scope(READ_TASKS)?;
        let TasksWanted { job_id, device_id, phone_number, created_since, status, expression } = wanted;
        let names_some = job_id.is_some() || device_id.is_some() || phone_number.is_some() || created_since.is_some();
        if !names_some && expression.is_none() {
            let text = "give jobId, deviceID, phoneNumber, createdSince or filterExpression";
            return Err(Fault::new(FaultName::MissingArgument, text).with("jobId"));
        }
        let job = match job_id {
            None => None,
            Some(job_id) => Some(self.job_there(caller, &reach, &job_id).await?.job.id),
        };
        let expression = Filter::read(expression.as_deref())?;
        let (status, sight) = (each_once(status), reach.sight());
        let filter = TaskFilter { job, status, device_id, phone_number, created_since, expression, sight };
        let scope = self.list_scope(caller, "tasks", &filter);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.task_list(&caller.tenant, filter, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |task| task))
    }

    /// What happened to the tasks of a job, or to one task; oldest first.
    ///
    /// # Errors
    /// `NotAuthorized`, `MissingArgument` if neither is given, `UnknownJob`, `UnknownTask`, `ConflictingArguments` if
    /// the task is not of the job, `InvalidArgument`, `InvalidPageToken`.
    pub async fn task_history(
        &self,
        caller: &Caller,
        job_id: Option<&str>,
        task_id: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<HistoryEntry>, Fault> {
        let reach = caller.scope(READ_TASKS)?;
        let job = match job_id {
            None => None,
            Some(job_id) => Some(self.job_there(caller, &reach, job_id).await?.job.id),
        };
        let of = match (job, task_id) {
            (None, None) => {
                return Err(Fault::new(FaultName::MissingArgument, "give jobId or taskId").with("jobId"));
            }
            (Some(job), None) => HistoryOf::Job(job),
            (job, Some(task_id)) => {
                let id = read_task_id(task_id)?;
                let task = self.task_reached(caller, READ_TASKS, id).await?;
                if job.is_some() && job != task.job {
                    let text = "the task is not of this job; give one of jobId and taskId";
                    return Err(Fault::new(FaultName::ConflictingArguments, text).with("jobId").with("taskId"));
                }
                HistoryOf::Task(id)
            }
        };
        let scope = self.list_scope(caller, "history", &of);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.task_history(&caller.tenant, of, page).await?.ok_or_else(|| match task_id {
            Some(task_id) => unknown_task(task_id),
            None => unknown_job(job_id.unwrap_or_default()),
        })?;
        Ok(listed.paged(&scope, &*self.vault, |entry| entry))
    }

    /// Cancels a job and every task of it that is not final.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownJob`, `WrongState`.
    pub async fn cancel_job(&self, caller: &Caller, job_id: &str, reason: Option<String>) -> Result<JobView, Fault> {
        self.job_led(caller, Right::new("job", "cancel"), job_id, JobEvent::CancelAsked, reason, "cancelJob").await
    }

    /// Pauses a job: no new task is started.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownJob`, `WrongState`.
    pub async fn pause_job(&self, caller: &Caller, job_id: &str, reason: Option<String>) -> Result<JobView, Fault> {
        self.job_led(caller, Right::new("job", "pause"), job_id, JobEvent::PauseAsked, reason, "pauseJob").await
    }

    /// Lets a paused job go on; with `retry_failed` also a finished one, whose failed, expired and cancelled tasks run
    /// again.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownJob`, `WrongState`.
    pub async fn restart_job(
        &self,
        caller: &Caller,
        job_id: &str,
        retry_failed: bool,
        reason: Option<String>,
    ) -> Result<JobView, Fault> {
        self.job_led(
            caller,
            Right::new("job", "restart"),
            job_id,
            JobEvent::RestartAsked { retry_failed },
            reason,
            "restartJob",
        )
        .await
    }

    /// Lets the next wave of a job begin: of one that waits at its gate, and of one that was paused because a wave did
    /// not go well.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownJob`, `WrongState`.
    pub async fn release_wave(&self, caller: &Caller, job_id: &str, reason: Option<String>) -> Result<JobView, Fault> {
        self.job_led(caller, Right::new("job", "update"), job_id, JobEvent::WaveReleased, reason, "releaseWave").await
    }

    /// Cancels a task, within a job or on its own.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownTask`, `WrongState`.
    pub async fn cancel_task(&self, caller: &Caller, task_id: &str, reason: Option<String>) -> Result<Task, Fault> {
        let right = Right::new("task", "cancel");
        let scope = caller.scope(right)?;
        let id = read_task_id(task_id)?;
        checks::reason(reason.as_deref())?;
        if !scope.is_whole() {
            self.task_reached(caller, right, id).await?;
        }
        self.store.task_cancel(&caller.tenant, id, reason, self.deed(caller, "cancelTask")).await?
    }

    /// A job whose tasks are asked for; to a caller that sees some tasks only, one that it made itself.
    async fn job_there(&self, caller: &Caller, reach: &Scope, job_id: &str) -> Result<JobView, Fault> {
        let id = JobId::parse(job_id).map_err(|_| unknown_job(job_id))?;
        let view = self.store.job_get(&caller.tenant, id).await?;
        let seen = view.filter(|view| reach.is_whole() || view.job.owner == caller.name);
        seen.ok_or_else(|| unknown_job(job_id))
    }

    async fn job_led(
        &self,
        caller: &Caller,
        right: Right,
        job_id: &str,
        event: JobEvent,
        reason: Option<String>,
        operation: &'static str,
    ) -> Result<JobView, Fault> {
        let scope = caller.scope(right)?;
        let id = JobId::parse(job_id).map_err(|_| unknown_job(job_id))?;
        checks::reason(reason.as_deref())?;
        if !scope.is_whole() {
            let view = self.job_reached(caller, right, job_id).await?;
            // Made when the caller reached further than now: it does not touch those devices again.
            let runs_again = matches!(event, JobEvent::RestartAsked { .. } | JobEvent::WaveReleased);
            if runs_again && !view.job.reach.is_within(&Reach::within(scope.groups())) {
                let text = "the job has devices that you no longer reach; ask an administrator to restart it";
                return Err(Fault::new(FaultName::NotAuthorized, text).with(right.object).with(right.operation));
            }
        }
        self.store.job_advance(&caller.tenant, id, event, reason, self.deed(caller, operation)).await?
    }

    async fn jobs_listed(
        &self,
        caller: &Caller,
        reach: &Scope,
        mut filter: JobFilter,
        page: &PageRequest,
    ) -> Result<Paged<JobView>, Fault> {
        filter.made_by = (!reach.is_whole()).then(|| caller.name.clone());
        let scope = self.list_scope(caller, "jobs", &filter);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.job_list(&caller.tenant, filter, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |job| job))
    }

    /// What a page token is bound to: caller, list and filter.
    pub(super) fn list_scope(&self, caller: &Caller, list: &str, filter: &dyn std::fmt::Debug) -> String {
        format!("{}\u{0}{}\u{0}{list}\u{0}{filter:?}", caller.tenant, caller.name)
    }
}

/// States that a list is narrowed to; one that stands twice is one.
fn each_once<T: Copy + Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

/// The fault for a job that is not there, or not in the caller's domain.
pub(super) fn unknown_job(text: &str) -> Fault {
    Fault::new(FaultName::UnknownJob, "there is no such job").with(text.escape_debug())
}
