//! Jobs from deployments: one operation on a set of devices.

use super::bulk_operations::{Deployment, DeploymentReceipt};
use super::deployment_broker::{PRIORITY, new_job_status};
use super::once::{self, operation};
use super::{Broker, Given, Rejected, RequestKey, arguments, checks, reaching, scheduling, traces};
use crate::access::{Caller, Reach, Right};
use crate::bounds::{
    DEPLOYMENT_ABOUT_CHARS_MAX, DEPLOYMENTS_MAX, DISPLAY_CHARS_MAX, PRIORITIES, SELECTED_CAPABILITIES_MAX,
};
use crate::callback::Callback;
use crate::fault::{Fault, FaultName};
use crate::id::JobId;
use crate::job::{DeviceFilter, Expansion, Hold, Job, Selector, TaskTemplate};
use crate::store::Once;
use crate::time::Timestamp;

/// Most devices that a deployment names one by one.
const NAMED_DEVICES_MAX: usize = 10_000;

impl Broker {
    /// Makes a job of each deployment; their tasks are made in the background.
    ///
    /// # Errors
    /// Those of the contract, section 5, `createDeployments`. What is wrong with a deployment is in the receipt.
    pub async fn create_deployments(
        &self,
        caller: &Caller,
        deployments: Vec<impl Into<Given<Deployment>>>,
        request: Option<RequestKey>,
    ) -> Result<DeploymentReceipt, Fault> {
        caller.scope(Right::new("job", "create"))?;
        checks::request_key(request.as_ref())?;
        // Before anything else, because deployments with keys of their own leave a trace.
        if let Some(answer) = self.answer_of_before(caller, operation::CREATE_DEPLOYMENTS, request.as_ref()).await? {
            return once::read(&answer);
        }
        checks::entries("deployment", deployments.len(), DEPLOYMENTS_MAX)?;
        let deployments: Vec<_> = deployments.into_iter().map(|entry| entry.into().read()).collect();
        let mut callbacks = Vec::with_capacity(deployments.len());
        for deployment in &deployments {
            let wanted = deployment.as_ref().ok().and_then(|deployment| deployment.callback.clone());
            callbacks.push(self.callback(caller, wanted).await?);
        }
        let now = self.environment.now();
        let mut receipt = DeploymentReceipt::default();
        let mut jobs: Vec<Job> = Vec::new();
        for (index, (deployment, callback)) in deployments.into_iter().zip(callbacks).enumerate() {
            let deployed = match deployment {
                Ok(deployment) => self.deployed(caller, deployment, callback, now).await,
                Err(fault) => Err(fault),
            };
            match deployed {
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
        let deed = self.deed(caller, operation::CREATE_DEPLOYMENTS);
        match self.store.job_create(jobs, deed, remember).await? {
            Once::Now(()) => Ok(receipt),
            Once::Before(answer) => once::read(&answer),
            Once::Reused => Err(once::reused()),
        }
    }

    /// The job of a deployment, which may have been made before.
    async fn deployed(
        &self,
        caller: &Caller,
        deployment: Deployment,
        callback: Option<Callback>,
        now: Timestamp,
    ) -> Result<Deployed, Fault> {
        checks::request_key(deployment.request.as_ref())?;
        let key = deployment.request.clone();
        let mut job = match self.job_planned(caller, deployment, now).await {
            Ok(job) => Job { callback, ..job },
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
        caller.may_begin(Right::new("device", "operate"))?;
        let reach = Reach::within(caller.scope(Right::new("job", "create"))?.groups());
        if deployment.devices.all_devices {
            caller.must(Right::new("job", "create").of(Right::ALL))?;
        }
        checks::line("name", &deployment.name, DISPLAY_CHARS_MAX)?;
        checks::prose(
            "description",
            deployment.description.as_deref().unwrap_or_default(),
            DEPLOYMENT_ABOUT_CHARS_MAX,
        )?;
        let priority = match deployment.priority {
            None => PRIORITY,
            Some(priority) => u8::try_from(priority)
                .ok()
                .filter(|priority| PRIORITIES.contains(priority))
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
        let reach = reach.and(reaching::operation(caller, template.operation, &template.arguments)?);
        traces::is_not_of_many(&template.arguments)?;
        let schedule = scheduling::checked(deployment.schedule, now)?;
        selector(&deployment.devices)?;
        for oid in &deployment.devices.capability {
            self.capability_exists(&caller.tenant, Some(*oid)).await?;
        }
        Ok(Job {
            id: JobId(self.environment.uuid()),
            tenant: caller.tenant.clone(),
            owner: caller.name.clone(),
            name: deployment.name,
            description: deployment.description,
            template,
            is_mixed: false,
            reach,
            status: new_job_status(&schedule),
            schedule,
            expansion: Some(Expansion { selector: deployment.devices, after: None }),
            rollout: None,
            hold: Hold::None,
            class: None,
            detail: None,
            callback: None,
            created_at: now,
            finished_at: None,
            version: 1,
        })
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
        ("deviceCapabilityOid", devices.capability.len(), SELECTED_CAPABILITIES_MAX),
    ] {
        if number > max {
            let text = format!("{parameter}: a deployment may name {max}; use a filter or several deployments");
            return Err(Fault::new(FaultName::TooManyEntries, text).with(max));
        }
    }
    devices.filter.as_ref().map_or(Ok(()), checks::device_filter)
}
