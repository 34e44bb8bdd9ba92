//! IDeploymentBrokerServices: operations on devices, singly or many at once.

use serde::{Deserialize, Serialize};

use super::once::{self, operation};
use super::selecting::Selected;
use super::together::{self, Step};
use super::{Broker, RequestKey, arguments, checks, reaching, scheduling, traces};
use crate::access::{Caller, Reach, Right};
use crate::bounds::{DISPLAY_CHARS_MAX, REQUESTS_MAX};
use crate::callback::{Callback, CallbackWanted};
use crate::fault::{Fault, FaultName};
use crate::id::{JobId, TaskId};
use crate::identity::{DeviceId, Msisdn};
use crate::job::{Hold, Job, JobStatus, TaskTemplate};
use crate::operation::{Arguments, DEFINITIONS, Definition};
use crate::schedule::Schedule;
use crate::store::{Once, Target};
use crate::task::{Order, Task};
use crate::time::Timestamp;

/// One operation on one device, as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRequest {
    /// Operation name.
    pub operation: String,
    /// Number of the device; or give `device_id`.
    pub phone_number: Option<Msisdn>,
    /// Whether the user is asked first.
    pub opt_in: bool,
    /// acceptDevicePolicy as given.
    pub policy: i32,
    /// Whether nothing is sent.
    pub test_cycle: bool,
    /// Device that is expected.
    pub device_id: Option<DeviceId>,
    /// What the operation works on.
    pub arguments: Arguments,
    /// Who is told of the end of the task.
    pub callback: Option<CallbackWanted>,
    /// When, until when, how often.
    pub schedule: Schedule,
    /// Idempotency key.
    pub request: Option<RequestKey>,
}

/// Many operations in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkRequest {
    /// Entries; their own `schedule` and `callback` are not used.
    pub requests: Vec<OperationRequest>,
    /// Short name of the job.
    pub name: Option<String>,
    /// When and how fast.
    pub schedule: Schedule,
    /// Who is told of each status of the job, and of the end of its tasks.
    pub callback: Option<CallbackWanted>,
    /// Idempotency key of the whole call.
    pub request: Option<RequestKey>,
}

/// What an accepted request became.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationReceipt {
    /// Job.
    pub job_id: Option<String>,
    /// Tasks, in the order of the accepted entries.
    pub task_id: Vec<String>,
    /// Entries that were not accepted.
    pub rejected: Vec<Rejected>,
}

/// An entry that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Position in the request, from 0.
    pub index: usize,
    /// Fault code.
    pub message_id: String,
    /// Explanation in English.
    pub text: String,
}

impl Rejected {
    /// The entry at `index`, refused because of `fault`.
    #[must_use]
    pub fn new(index: usize, fault: &Fault) -> Self {
        Self { index, message_id: fault.name.message_id().to_owned(), text: fault.text.clone() }
    }
}

/// Priority of a task that was given none.
pub(super) const PRIORITY: u8 = 5;

impl Broker {
    /// Takes one operation on one device. The identifier of its task; the operation itself goes on.
    ///
    /// # Errors
    /// Those of the contract, section 5, `doOperation`.
    pub async fn do_operation(&self, caller: &Caller, request: OperationRequest) -> Result<String, Fault> {
        caller.may_begin(Right::new("device", "operate"))?;
        checks::request_key(request.request.as_ref())?;
        let key = request.request.clone();
        let target = match self.single_target(caller, request).await {
            Ok(target) => target,
            // What was possible then may not be now: the first answer counts.
            Err(fault) => {
                let before = self.answer_of_before(caller, operation::DO_OPERATION, key.as_ref()).await?;
                return before.ok_or(fault);
            }
        };
        let id = target.task.id.to_string();
        let answer = id.clone();
        let remember = self.remember(caller, operation::DO_OPERATION, key.as_ref(), |()| Some(answer));
        let deed = self.deed(caller, operation::DO_OPERATION);
        match self.store.task_create(None, vec![target], deed, remember).await? {
            Once::Now(()) => Ok(id),
            Once::Before(answer) => Ok(answer),
            Once::Reused => Err(once::reused()),
        }
    }

    /// Bootstraps devices, which this server does not do.
    ///
    /// # Errors
    /// `NotAuthorized`, else `UnsupportedOperation`.
    pub async fn do_bootstrap(&self, caller: &Caller) -> Result<OperationReceipt, Fault> {
        caller.scope(Right::new("device", "bootstrap"))?;
        let text = "this server does not bootstrap devices; record them with a dmAccount";
        Err(Fault::new(FaultName::UnsupportedOperation, text).with("BOOTSTRAP"))
    }

    /// Takes many operations in one request; entries are accepted or rejected one by one.
    ///
    /// # Errors
    /// Those of the contract, section 5, `doBulkOperation`. What is wrong with an entry is in the receipt.
    pub async fn do_bulk_operation(&self, caller: &Caller, request: BulkRequest) -> Result<OperationReceipt, Fault> {
        let reach = Reach::within(caller.scope(Right::new("job", "create"))?.groups());
        checks::request_key(request.request.as_ref())?;
        let key = request.request.clone();
        // Before anything else, because entries with keys of their own leave a trace.
        if let Some(answer) = self.answer_of_before(caller, operation::DO_BULK_OPERATION, key.as_ref()).await? {
            return once::read(&answer);
        }
        let BulkRequest { requests, name, schedule, callback, .. } = request;
        checks::entries("request", requests.len(), REQUESTS_MAX)?;
        checks::line_if_given("name", name.as_deref(), DISPLAY_CHARS_MAX)?;
        let callback = self.callback(caller, callback).await?;
        let now = self.environment.now();
        let schedule = scheduling::checked(schedule, now)?;

        let frame = Frame { job: JobId(self.environment.uuid()), reach, schedule, callback };
        let mut receipt = OperationReceipt::default();
        let mut targets: Vec<Target> = Vec::new();
        let entries =
            requests.into_iter().map(|entry| -> Step<'_, _> { Box::pin(self.bulk_entry(caller, &frame, entry, now)) });
        for (index, entry) in together::all(entries).await.into_iter().enumerate() {
            match entry {
                Ok(Entry::Before(task)) => receipt.task_id.push(task.to_string()),
                Ok(Entry::New(target)) => {
                    receipt.task_id.push(target.task.id.to_string());
                    // Two entries with one key are one task: the store makes it once.
                    targets.push(*target);
                }
                Err(fault) if fault.name.is_servers() => return Err(fault),
                Err(fault) => receipt.rejected.push(Rejected::new(index, &fault)),
            }
        }
        let id = frame.job.to_string();
        let Some(job) = bulk_job(caller, frame, name, &targets, now) else { return Ok(receipt) };
        receipt.job_id = Some(id);
        let answer = serde_json::to_string(&receipt).ok();
        let remember = self.remember(caller, operation::DO_BULK_OPERATION, key.as_ref(), |()| answer);
        let deed = self.deed(caller, operation::DO_BULK_OPERATION);
        match self.store.task_create(Some(job), targets, deed, remember).await? {
            Once::Now(()) => Ok(receipt),
            Once::Before(answer) => once::read(&answer),
            Once::Reused => Err(once::reused()),
        }
    }

    /// A task.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTask`.
    pub async fn task_by_id(&self, caller: &Caller, task_id: &str) -> Result<Task, Fault> {
        let right = Right::new("task", "read");
        caller.scope(right)?;
        self.task_reached(caller, right, read_task_id(task_id)?).await
    }

    /// What this server can carry out.
    ///
    /// # Errors
    /// `NotAuthorized`.
    pub fn operation_definitions(&self, caller: &Caller) -> Result<&'static [Definition], Fault> {
        caller.may_begin(Right::new("service", "read"))?;
        Ok(DEFINITIONS)
    }

    /// The task of a request on its own.
    async fn single_target(&self, caller: &Caller, request: OperationRequest) -> Result<Target, Fault> {
        let now = self.environment.now();
        let callback = self.callback(caller, request.callback.clone()).await?;
        let schedule = scheduling::of_single_task(scheduling::checked(request.schedule.clone(), now)?);
        let phone_number = request.phone_number.clone();
        let (template, selected) = self.planned(caller, Reach::default(), request).await?;
        let order = Order {
            id: TaskId::new(selected.device.oid, self.environment.uuid()),
            owner: &caller.name,
            job: None,
            device: &selected.device,
            phone_number,
            expected: selected.expected,
            template,
            schedule,
            callback,
        };
        Ok(order.place(now))
    }

    /// The task of an entry of a bulk request, which may have been made before.
    async fn bulk_entry(
        &self,
        caller: &Caller,
        frame: &Frame,
        entry: OperationRequest,
        now: Timestamp,
    ) -> Result<Entry, Fault> {
        caller.may_begin(Right::new("device", "operate"))?;
        checks::request_key(entry.request.as_ref())?;
        let key = entry.request.clone();
        let phone_number = entry.phone_number.clone();
        let (template, selected) = match self.planned(caller, frame.reach.clone(), entry).await {
            Ok(planned) => planned,
            Err(fault) => {
                let before = self.answer_of_before(caller, operation::BULK_ENTRY, key.as_ref()).await?;
                let before = before.and_then(|answer| TaskId::parse(&answer).ok());
                return before.map(Entry::Before).ok_or(fault);
            }
        };
        let mut id = TaskId::new(selected.device.oid, self.environment.uuid());
        if let Some(answer) = self.reserve(caller, operation::BULK_ENTRY, key.as_ref(), id.to_string()).await?
            && let Ok(before) = TaskId::parse(&answer)
        {
            if self.store.task_get(&caller.tenant, before).await?.is_some() {
                return Ok(Entry::Before(before));
            }
            // The server failed after it had promised this identifier.
            id = TaskId::new(selected.device.oid, before.unique);
        }
        let order = Order {
            id,
            owner: &caller.name,
            job: Some(frame.job),
            device: &selected.device,
            phone_number,
            expected: selected.expected,
            template,
            schedule: frame.schedule.clone(),
            callback: frame.callback.clone(),
        };
        Ok(Entry::New(Box::new(order.place(now))))
    }

    /// What a request asks for, and of which device in `reach` of the caller.
    async fn planned(
        &self,
        caller: &Caller,
        reach: Reach,
        request: OperationRequest,
    ) -> Result<(TaskTemplate, Selected), Fault> {
        let template = TaskTemplate {
            operation: arguments::operation(&request.operation)?,
            policy: arguments::policy(request.policy)?,
            arguments: request.arguments,
            opt_in: request.opt_in,
            test_cycle: request.test_cycle,
            priority: PRIORITY,
        };
        arguments::checked(template.operation, &template.arguments)?;
        let reach = reach.and(reaching::operation(caller, template.operation, &template.arguments)?);
        let tracing = traces::may_trace(caller, &template.arguments)?;
        let (number, id) = (request.phone_number.as_ref(), request.device_id.as_ref());
        let selected = self.device_meant(caller, number, id, template.policy, &reach).await?;
        if tracing.is_some_and(|scope| !scope.sees(&selected.device)) {
            return Err(reaching::out_of_reach(caller, traces::RIGHT, &selected.device));
        }
        self.consented(&selected.device, template.opt_in).await?;
        Ok((template, selected))
    }
}

/// What the entries of a bulk request have in common.
struct Frame {
    job: JobId,
    reach: Reach,
    schedule: Schedule,
    callback: Option<Callback>,
}

/// What an entry of a bulk request became.
enum Entry {
    /// A new task.
    New(Box<Target>),
    /// The task that was made under the same key before.
    Before(TaskId),
}

/// The job of a bulk request; none if no entry made a task.
fn bulk_job(caller: &Caller, frame: Frame, name: Option<String>, targets: &[Target], now: Timestamp) -> Option<Job> {
    let Frame { job: id, reach, schedule, callback } = frame;
    let first = &targets.first()?.task;
    let is_mixed = targets.iter().any(|target| target.task.operation != first.operation);
    let what = if is_mixed { "operations" } else { first.operation.as_str() };
    let is_over = targets.iter().all(|target| target.task.status.is_final());
    let status = if is_over { JobStatus::Completed } else { new_job_status(&schedule) };
    Some(Job {
        id,
        tenant: caller.tenant.clone(),
        owner: caller.name.clone(),
        name: name.unwrap_or_else(|| format!("{what} of {}", caller.name)),
        description: None,
        template: TaskTemplate {
            operation: first.operation,
            arguments: first.arguments.clone(),
            policy: first.policy,
            opt_in: first.opt_in,
            test_cycle: targets.iter().all(|target| target.task.test_cycle),
            priority: first.priority,
        },
        is_mixed,
        reach,
        schedule,
        expansion: None,
        status,
        rollout: None,
        hold: Hold::None,
        class: None,
        detail: None,
        callback,
        created_at: now,
        finished_at: status.is_final().then_some(now),
        version: 1,
    })
}

/// A job whose start lies in the future waits for it.
pub(super) fn new_job_status(schedule: &Schedule) -> JobStatus {
    if schedule.start.is_some() { JobStatus::Scheduled } else { JobStatus::Running }
}

/// Reads a task identifier; what is none names no task.
pub(super) fn read_task_id(text: &str) -> Result<TaskId, Fault> {
    TaskId::parse(text).map_err(|_| unknown_task(text))
}

/// The fault for a task that is not there, or not in the caller's domain.
pub(super) fn unknown_task(text: &str) -> Fault {
    Fault::new(FaultName::UnknownTask, "there is no such task").with(text.escape_debug())
}
