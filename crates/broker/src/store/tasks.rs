use super::{Once, Pending, Remember};
use crate::access::Sight;
use crate::fault::Fault;
use crate::filter::{Filter, JobField, TaskField};
use crate::id::{JobId, TaskId};
use crate::identity::{DeviceId, Msisdn};
use crate::job::{Job, JobStatus, JobView};
use crate::ledger::Deed;
use crate::page::{Listed, Page};
use crate::task::{HistoryEntry, Task, TaskStatus};
use crate::time::Timestamp;

/// Which tasks. What is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Of this job.
    pub job: Option<JobId>,
    /// In one of these states; any when empty.
    pub status: Vec<TaskStatus>,
    /// Of this device: expected or actual identifier, or that of the record.
    pub device_id: Option<DeviceId>,
    /// Addressed to this number.
    pub phone_number: Option<Msisdn>,
    /// Made at this time or later.
    pub created_since: Option<Timestamp>,
    /// An expression that must hold besides.
    pub expression: Option<Filter<TaskField>>,
    /// What the caller sees of them.
    pub sight: Sight,
}

/// Whose history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryOf {
    /// Of every task of a job.
    Job(JobId),
    /// Of one task.
    Task(TaskId),
}

/// Which jobs. What is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// In one of these states; any when empty.
    pub status: Vec<JobStatus>,
    /// Made by this caller.
    pub owner: Option<String>,
    /// Made by this caller too: what a narrowed caller sees.
    pub made_by: Option<String>,
    /// Created at this time or later.
    pub created_since: Option<Timestamp>,
    /// Created before this time.
    pub created_before: Option<Timestamp>,
    /// An expression that must hold besides.
    pub expression: Option<Filter<JobField>>,
}

/// A new task with the beginning of its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The task.
    pub task: Task,
    /// Its entries so far.
    pub history: Vec<HistoryEntry>,
}

/// Tasks.
pub trait TaskStore: Send + Sync {
    /// Keeps new tasks, and the job they belong to where it is new too. A task that is there already is left alone.
    fn task_create(
        &self,
        job: Option<Job>,
        tasks: Vec<Target>,
        deed: Deed,
        remember: Option<Remember<()>>,
    ) -> Pending<'_, Once<()>>;
    /// The task with this identifier.
    fn task_get(&self, tenant: &str, id: TaskId) -> Pending<'_, Option<Task>>;
    /// Tasks, oldest first.
    fn task_list(&self, tenant: &str, filter: TaskFilter, page: Page) -> Pending<'_, Listed<Task>>;
    /// Steps, oldest first. Nothing if the job or task is not there.
    fn task_history(&self, tenant: &str, of: HistoryOf, page: Page) -> Pending<'_, Option<Listed<HistoryEntry>>>;
    /// Cancels a task that is not final; one that was cancelled is returned as it is.
    ///
    /// The inner error is `UnknownTask`, or `WrongState` with the state.
    fn task_cancel(
        &self,
        tenant: &str,
        id: TaskId,
        reason: Option<String>,
        deed: Deed,
    ) -> Pending<'_, Result<Task, Fault>>;
}

/// Jobs.
pub trait JobStore: Send + Sync {
    /// Keeps new jobs whose tasks are made in the background.
    fn job_create(&self, jobs: Vec<Job>, deed: Deed, remember: Option<Remember<()>>) -> Pending<'_, Once<()>>;
    /// The job with this identifier.
    fn job_get(&self, tenant: &str, id: JobId) -> Pending<'_, Option<JobView>>;
    /// Jobs, newest first.
    fn job_list(&self, tenant: &str, filter: JobFilter, page: Page) -> Pending<'_, Listed<JobView>>;
    /// Takes `event` to the job; tasks follow in the background. A job that is so already is returned as it is.
    ///
    /// The inner error is `UnknownJob`, or `WrongState` with the state.
    fn job_advance(
        &self,
        tenant: &str,
        id: JobId,
        event: crate::job::JobEvent,
        reason: Option<String>,
        deed: Deed,
    ) -> Pending<'_, Result<JobView, Fault>>;
}
