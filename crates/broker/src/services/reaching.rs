//! What a caller whose rights are narrowed reaches, and what becomes of a request for something else.
//!
//! A device that the caller may not see is unknown to it. One that it sees and may not change is refused.

use super::bulk_operations::unknown_job;
use super::deployment_broker::unknown_task;
use super::{Broker, selecting};
use crate::access::{Caller, Reach, Right, Scope};
use crate::device::Device;
use crate::fault::{Fault, FaultName};
use crate::id::{JobId, TaskId};
use crate::job::{Job, JobView};
use crate::operation::{Arguments, Operation};
use crate::store::DeviceKey;
use crate::task::Task;

const OPERATE: Right = Right::new("device", "operate");

/// The right to see device records.
pub(super) const SEE: Right = Right::new("device", "read");

/// The devices on which a caller may carry out an operation with these arguments.
///
/// # Errors
/// `NotAuthorized` if there are none.
pub(super) fn operation(caller: &Caller, operation: Operation, arguments: &Arguments) -> Result<Reach, Fault> {
    caller.scope(OPERATE.of(operation.as_str()))?.reach(arguments)
}

/// Refuses a record that a caller narrowed to groups may not write: it must stand in one of its groups at least, and
/// the caller neither puts it into other groups nor takes it out of them.
///
/// # Errors
/// `NotAuthorized`.
pub(super) fn written(scope: &Scope, right: Right, stored: Option<&Device>, group: &[String]) -> Result<(), Fault> {
    let Some(own) = scope.groups() else { return Ok(()) };
    let before = stored.map(|device| device.group.as_slice()).unwrap_or_default();
    let foreign = |groups: &[String]| -> Vec<String> {
        let mut groups: Vec<String> = groups.iter().filter(|group| !own.contains(group)).cloned().collect();
        groups.sort_unstable();
        groups
    };
    if group.iter().any(|group| own.contains(group)) && foreign(before) == foreign(group) {
        return Ok(());
    }
    let text = format!(
        "group: a record that you write stands in one at least of {}, and its other groups stay as they are",
        own.join(", ")
    );
    Err(Fault::new(FaultName::NotAuthorized, text).with(right.object).with(right.operation))
}

/// The fault for a device that is not in reach of what was asked: unknown, unless the caller sees it.
pub(super) fn out_of_reach(caller: &Caller, right: Right, device: &Device) -> Fault {
    if caller.scope(SEE).is_ok_and(|scope| scope.sees(device)) {
        let text = format!("the right {right} does not reach this device; ask an administrator for it");
        return Fault::new(FaultName::NotAuthorized, text).with(right.object).with(right.operation);
    }
    selecting::unknown()
}

/// As [`out_of_reach`], for operations.
pub(super) fn not_operated(caller: &Caller, device: &Device) -> Fault {
    out_of_reach(caller, OPERATE, device)
}

/// Whether a job is in reach: narrowed callers reach those that they made.
fn has_job(caller: &Caller, scope: &Scope, job: &Job) -> bool {
    scope.is_whole() || job.owner == caller.name
}

impl Broker {
    /// The one record with this key that is in reach.
    ///
    /// # Errors
    /// `UnknownDevice`, `AmbiguousDevice`; `NotAuthorized` if the caller sees it without having `right` on it.
    pub(super) async fn device_reached(
        &self,
        caller: &Caller,
        right: Right,
        scope: &Scope,
        key: DeviceKey,
    ) -> Result<Device, Fault> {
        let limit = if scope.is_whole() { 2 } else { selecting::SAME_NUMBER_MAX };
        let mut devices = self.store.device_find(&caller.tenant, key, limit).await?;
        let first = devices.first().cloned();
        devices.retain(|device| scope.sees(device));
        match first {
            Some(device) if devices.is_empty() => Err(out_of_reach(caller, right, &device)),
            _ => selecting::only(devices),
        }
    }

    /// A task that is in reach of a right.
    ///
    /// # Errors
    /// `UnknownTask`; `NotAuthorized` if the caller sees it without having `right` on it.
    pub(super) async fn task_reached(&self, caller: &Caller, right: Right, id: TaskId) -> Result<Task, Fault> {
        let scope = caller.scope(right)?;
        let unknown = || unknown_task(&id.to_string());
        let task = self.store.task_get(&caller.tenant, id).await?.ok_or_else(unknown)?;
        if scope.is_whole() {
            return Ok(task);
        }
        let device = self.store.device_find(&caller.tenant, DeviceKey::Oid(task.device), 1).await?.pop();
        let sees = |scope: &Scope| scope.sees_made_by(&task.owner, device.as_ref());
        if sees(&scope) {
            return Ok(task);
        }
        if caller.scope(Right::new("task", "read")).is_ok_and(|scope| sees(&scope)) {
            let text = format!("the right {right} does not reach this task; ask an administrator for it");
            return Err(Fault::new(FaultName::NotAuthorized, text).with(right.object).with(right.operation));
        }
        Err(unknown())
    }

    /// A job that is in reach of a right.
    ///
    /// # Errors
    /// `UnknownJob`; `NotAuthorized` if the caller sees it without having `right` on it.
    pub(super) async fn job_reached(&self, caller: &Caller, right: Right, job_id: &str) -> Result<JobView, Fault> {
        let scope = caller.scope(right)?;
        let id = JobId::parse(job_id).map_err(|_| unknown_job(job_id))?;
        let view = self.store.job_get(&caller.tenant, id).await?.ok_or_else(|| unknown_job(job_id))?;
        if has_job(caller, &scope, &view.job) {
            return Ok(view);
        }
        if caller.scope(Right::new("job", "read")).is_ok_and(|scope| has_job(caller, &scope, &view.job)) {
            let text = format!("the right {right} does not reach a job of {}; ask an administrator", view.job.owner);
            return Err(Fault::new(FaultName::NotAuthorized, text).with(right.object).with(right.operation));
        }
        Err(unknown_job(job_id))
    }
}
