//! IBulkOperationsManagerServices: jobs and their tasks.

use serde::{Deserialize, Serialize};

use super::deployment_broker::{PRIORITY, new_job_status, read_task_id, unknown_task};
use super::once::{self, operation};
use super::{Broker, Rejected, RequestKey, arguments, checks, scheduling};
use crate::access::{Caller, Right};
use crate::fault::{Fault, FaultName};
use crate::id::JobId;
use crate::identity::{DeviceId, Msisdn};
use crate::job::{DeviceFilter, Expansion, Job, JobEvent, JobStatus, JobView, Selector, TaskTemplate};
use crate::operation::Arguments;
use crate::page::{Page, PageRequest, Paged};
use crate::schedule::Schedule;
use crate::store::{CapabilityKey, HistoryOf, JobFilter, Once, TaskFilter};
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
    /// Callback address, where one was given.
    pub callback: Option<String>,
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

/// Which tasks; at least one of the first four is given.
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
}

/// Most deployments of a request.
const DEPLOYMENTS_MAX: usize = 100;
/// Most devices that a deployment names one by one.
const NAMED_DEVICES_MAX: usize = 10_000;
/// Most capability records that a deployment names.
const CAPABILITIES_MAX: usize = 100;

impl Broker {
    /// Makes a job of each deployment; their tasks are made in the background.
    ///
    /// # Errors
    /// Those of the contract, section 5, `createDeployments`. What is wrong with a deployment is in the receipt.
    pub async fn create_deployments(
        &self,
        caller: &Caller,
        deployments: Vec<Deployment>,
        request: Option<RequestKey>,
    ) -> Result<DeploymentReceipt, Fault> {
        caller.must(Right::new("job", "create"))?;
        checks::request_key(request.as_ref())?;
        // Before anything else, because deployments with keys of their own leave a trace.
        if let Some(answer) = self.answer_of_before(caller, operation::CREATE_DEPLOYMENTS, request.as_ref()).await? {
            return once::read(&answer);
        }
        checks::entries("deployment", deployments.len(), DEPLOYMENTS_MAX)?;
        for deployment in &deployments {
            checks::callback(deployment.callback.as_deref())?;
        }
        let now = self.environment.now();
        let mut receipt = DeploymentReceipt::default();
        let mut jobs: Vec<Job> = Vec::new();
        for (index, deployment) in deployments.into_iter().enumerate() {
            match self.deployed(caller, deployment, now).await {
                Ok(Deployed::Before(job)) => receipt.job_id.push(job.to_string()),
                Ok(Deployed::New(job)) => {
                    receipt.job_id.push(job.id.to_string());
                    // Two deployments with one key are one job.
                    if jobs.iter().all(|known| known.id != job.id) {
                        jobs.push(*job);
                    }
                }
                Err(fault) if fault.name.is_servers() => return Err(fault),
                Err(fault) => receipt.rejected.push(Rejected::new(index, &fault)),
            }
        }
        if jobs.is_empty() {
            return Ok(receipt);
        }
        let answer = serde_json::to_string(&receipt).ok();
        let remember = self.remember(caller, operation::CREATE_DEPLOYMENTS, request.as_ref(), |()| answer);
        match self.store.job_create(jobs, remember).await? {
            Once::Now(()) => Ok(receipt),
            Once::Before(answer) => once::read(&answer),
            Once::Reused => Err(once::reused()),
        }
    }

    /// Jobs, newest first.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `InvalidPageToken`.
    pub async fn jobs(
        &self,
        caller: &Caller,
        status: Vec<JobStatus>,
        owner: Option<String>,
        page: &PageRequest,
    ) -> Result<Paged<JobView>, Fault> {
        caller.must(Right::new("job", "read"))?;
        checks::line_if_given("owner", owner.as_deref(), 255)?;
        let filter = JobFilter { status: each_once(status), owner, ..JobFilter::default() };
        self.jobs_listed(caller, filter, page).await
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
        caller.must(Right::new("job", "read"))?;
        let JobsByDate { from, to } = dates;
        if from >= to {
            return Err(Fault::new(FaultName::ConflictingArguments, "fromDate must be before toDate")
                .with(from)
                .with(to));
        }
        let filter = JobFilter { created_since: Some(from), created_before: Some(to), ..JobFilter::default() };
        self.jobs_listed(caller, filter, page).await
    }

    /// A job.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownJob`.
    pub async fn job_by_id(&self, caller: &Caller, job_id: &str) -> Result<JobView, Fault> {
        caller.must(Right::new("job", "read"))?;
        self.job_there(caller, job_id).await
    }

    /// Tasks of a job, of a device, of a number, or made lately; oldest first.
    ///
    /// # Errors
    /// `NotAuthorized`, `MissingArgument` if none of the four is given, `UnknownJob`, `InvalidArgument`,
    /// `InvalidPageToken`.
    pub async fn tasks(&self, caller: &Caller, wanted: TasksWanted, page: &PageRequest) -> Result<Paged<Task>, Fault> {
        caller.must(Right::new("task", "read"))?;
        let TasksWanted { job_id, device_id, phone_number, created_since, status } = wanted;
        if job_id.is_none() && device_id.is_none() && phone_number.is_none() && created_since.is_none() {
            let text = "give jobId, deviceID, phoneNumber or createdSince";
            return Err(Fault::new(FaultName::MissingArgument, text).with("jobId"));
        }
        let job = match job_id {
            None => None,
            Some(job_id) => Some(self.job_there(caller, &job_id).await?.job.id),
        };
        let filter = TaskFilter { job, status: each_once(status), device_id, phone_number, created_since };
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
        caller.must(Right::new("task", "read"))?;
        let job = match job_id {
            None => None,
            Some(job_id) => Some(self.job_there(caller, job_id).await?.job.id),
        };
        let of = match (job, task_id) {
            (None, None) => {
                return Err(Fault::new(FaultName::MissingArgument, "give jobId or taskId").with("jobId"));
            }
            (Some(job), None) => HistoryOf::Job(job),
            (job, Some(task_id)) => {
                let id = read_task_id(task_id)?;
                let task = self.store.task_get(&caller.tenant, id).await?.ok_or_else(|| unknown_task(task_id))?;
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
        caller.must(Right::new("job", "cancel"))?;
        self.job_led(caller, job_id, JobEvent::CancelAsked, reason).await
    }

    /// Pauses a job: no new task is started.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownJob`, `WrongState`.
    pub async fn pause_job(&self, caller: &Caller, job_id: &str, reason: Option<String>) -> Result<JobView, Fault> {
        caller.must(Right::new("job", "pause"))?;
        self.job_led(caller, job_id, JobEvent::PauseAsked, reason).await
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
        caller.must(Right::new("job", "restart"))?;
        self.job_led(caller, job_id, JobEvent::RestartAsked { retry_failed }, reason).await
    }

    /// Cancels a task, within a job or on its own.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownTask`, `WrongState`.
    pub async fn cancel_task(&self, caller: &Caller, task_id: &str, reason: Option<String>) -> Result<Task, Fault> {
        caller.must(Right::new("task", "cancel"))?;
        let id = read_task_id(task_id)?;
        checks::reason(reason.as_deref())?;
        let now = self.environment.now();
        self.store.task_cancel(&caller.tenant, id, reason, &caller.name, now).await?
    }

    /// The job of a deployment, which may have been made before.
    async fn deployed(&self, caller: &Caller, deployment: Deployment, now: Timestamp) -> Result<Deployed, Fault> {
        checks::request_key(deployment.request.as_ref())?;
        let key = deployment.request.clone();
        let mut job = match self.job_planned(caller, deployment, now).await {
            Ok(job) => job,
            Err(fault) => {
                let before = self.answer_of_before(caller, operation::DEPLOYMENT, key.as_ref()).await?;
                let before = before.and_then(|answer| JobId::parse(&answer).ok());
                return before.map(Deployed::Before).ok_or(fault);
            }
        };
        if let Some(answer) = self.reserve(caller, operation::DEPLOYMENT, key.as_ref(), job.id.to_string()).await?
            && let Ok(before) = JobId::parse(&answer)
        {
            if self.store.job_get(&caller.tenant, before).await?.is_some() {
                return Ok(Deployed::Before(before));
            }
            // The server failed after it had promised this identifier.
            job.id = before;
        }
        Ok(Deployed::New(Box::new(job)))
    }

    async fn job_planned(&self, caller: &Caller, deployment: Deployment, now: Timestamp) -> Result<Job, Fault> {
        caller.must(Right::new("device", "operate"))?;
        if deployment.devices.all_devices {
            caller.must(Right::new("job", "create:all"))?;
        }
        checks::line("name", &deployment.name, 200)?;
        checks::prose("description", deployment.description.as_deref().unwrap_or_default(), 2000)?;
        let priority = match deployment.priority {
            None => PRIORITY,
            Some(priority) => u8::try_from(priority)
                .ok()
                .filter(|priority| (1..=9).contains(priority))
                .ok_or_else(|| Fault::invalid("priority", priority, "must be 1 to 9"))?,
        };
        let template = TaskTemplate {
            operation: arguments::operation(&deployment.operation)?,
            policy: arguments::policy(deployment.policy)?,
            arguments: deployment.arguments,
            opt_in: deployment.opt_in,
            test_cycle: deployment.test_cycle,
            priority,
        };
        arguments::checked(template.operation, &template.arguments)?;
        let schedule = scheduling::checked(deployment.schedule, now)?;
        selector(&deployment.devices)?;
        for oid in &deployment.devices.capability {
            let key = CapabilityKey::Oid(*oid);
            if self.store.capability_find(&caller.tenant, key).await?.is_none() {
                return Err(Fault::new(FaultName::UnknownCapability, "there is no such capability record").with(oid));
            }
        }
        Ok(Job {
            id: JobId(self.environment.uuid()),
            tenant: caller.tenant.clone(),
            owner: caller.name.clone(),
            name: deployment.name,
            description: deployment.description,
            template,
            is_mixed: false,
            status: new_job_status(&schedule),
            schedule,
            expansion: Some(Expansion { selector: deployment.devices, after: None }),
            detail: None,
            created_at: now,
            finished_at: None,
            version: 1,
        })
    }

    async fn job_there(&self, caller: &Caller, job_id: &str) -> Result<JobView, Fault> {
        let id = JobId::parse(job_id).map_err(|_| unknown_job(job_id))?;
        self.store.job_get(&caller.tenant, id).await?.ok_or_else(|| unknown_job(job_id))
    }

    async fn job_led(
        &self,
        caller: &Caller,
        job_id: &str,
        event: JobEvent,
        reason: Option<String>,
    ) -> Result<JobView, Fault> {
        let id = JobId::parse(job_id).map_err(|_| unknown_job(job_id))?;
        checks::reason(reason.as_deref())?;
        let now = self.environment.now();
        self.store.job_advance(&caller.tenant, id, event, reason, &caller.name, now).await?
    }

    async fn jobs_listed(
        &self,
        caller: &Caller,
        filter: JobFilter,
        page: &PageRequest,
    ) -> Result<Paged<JobView>, Fault> {
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

/// What a deployment became.
enum Deployed {
    /// A new job.
    New(Box<Job>),
    /// The job that was made under the same key before.
    Before(JobId),
}

/// Refuses a selector that names nothing, or too much one by one.
fn selector(devices: &Selector) -> Result<(), Fault> {
    if devices.is_empty() || devices.filter.as_ref().is_some_and(DeviceFilter::is_empty) {
        let text = "devices names nothing; say allDevices for every device of the domain";
        return Err(Fault::new(FaultName::MissingArgument, text).with("devices"));
    }
    let named = devices.phone_number.len().saturating_add(devices.device_id.len());
    for (parameter, number, max) in [
        ("phoneNumber and deviceID", named, NAMED_DEVICES_MAX),
        ("deviceCapabilityOid", devices.capability.len(), CAPABILITIES_MAX),
    ] {
        if number > max {
            let text = format!("{parameter}: a deployment may name {max}; use a filter or several deployments");
            return Err(Fault::new(FaultName::TooManyEntries, text).with(max));
        }
    }
    devices.filter.as_ref().map_or(Ok(()), checks::device_filter)
}

/// States that a list is narrowed to; one that stands twice is one.
fn each_once<T: Copy + Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

/// The fault for a job that is not there, or not in the caller's domain.
fn unknown_job(text: &str) -> Fault {
    Fault::new(FaultName::UnknownJob, "there is no such job").with(text.escape_debug())
}
