use super::{Task, TaskEvent, TaskStatus};
use crate::callback::Callback;
use crate::device::Device;
use crate::id::{JobId, TaskId};
use crate::identity::{DeviceId, Msisdn};
use crate::job::{Job, TaskTemplate};
use crate::policy::AcceptDevicePolicy;
use crate::schedule::Schedule;
use crate::store::Target;
use crate::time::Timestamp;

/// How the detail of a test cycle begins.
pub(crate) const REHEARSED: &str = "test cycle, nothing was sent. ";

/// Everything a new task is made of.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// Identifier of the task.
    pub id: TaskId,
    /// Who asks for it.
    pub owner: &'a str,
    /// Job it belongs to.
    pub job: Option<JobId>,
    /// Record it is for.
    pub device: &'a Device,
    /// Number it is addressed to; that of the record when absent.
    pub phone_number: Option<Msisdn>,
    /// Device that is expected.
    pub expected: Option<DeviceId>,
    /// What is to be done.
    pub template: TaskTemplate,
    /// When, until when, how often.
    pub schedule: Schedule,
    /// Who is told of its end.
    pub callback: Option<Callback>,
}

impl Order<'_> {
    /// The task with the beginning of its history. A test cycle has ended already: its detail tells what would have
    /// been done.
    ///
    /// Source: DM WSI contract, section 3, "Test cycle".
    #[must_use]
    pub fn place(self, now: Timestamp) -> Target {
        let TaskTemplate { operation, arguments, policy, opt_in, test_cycle, priority } = self.template;
        let mut task = Task {
            id: self.id,
            tenant: self.device.tenant.clone(),
            owner: self.owner.to_owned(),
            job: self.job,
            device: self.device.oid,
            phone_number: self.phone_number.or_else(|| self.device.phone_number.clone()),
            expected: self.expected,
            actual: None,
            operation,
            arguments,
            policy,
            opt_in,
            test_cycle,
            priority,
            // What has ended needs no slot of its job.
            released: test_cycle || self.job.is_none() || !self.schedule.is_paced(),
            held: false,
            status: TaskStatus::Scheduled,
            detail: None,
            attempts: 0,
            start_at: self.schedule.starts_at(now),
            end_at: self.schedule.ends_at(now),
            schedule: self.schedule.of_task(&self.device.attribute),
            plan: None,
            result: Vec::new(),
            result_code: None,
            messages: 0,
            created_at: now,
            updated_at: now,
            finished_at: None,
            history_len: 0,
            callback: self.callback,
            version: 1,
        };
        let mut history = vec![task.note(now, "Created", None, self.owner)];
        if test_cycle {
            let (ended, detail) = rehearse(&task, self.device);
            // A pretended session ends as the real one would; it is no attempt.
            if ended == TaskEvent::Done {
                let connected = task.advance(TaskEvent::Connected, now);
                debug_assert!(connected.is_ok(), "a new task can be taken up");
            }
            let over = task.advance(ended, now);
            debug_assert!(over.is_ok(), "a task that was taken up can end");
            task.attempts = 0;
            task.detail = Some(detail.clone());
            history.push(task.note(now, "TestCycleEnded", Some(detail), self.owner));
        }
        Target { task, history }
    }
}

impl Job {
    /// The task that this job makes for a device, always under the same identifier.
    #[must_use]
    pub fn target_for(&self, device: &Device, now: Timestamp) -> Target {
        let order = Order {
            id: TaskId::of_job(self.id, device.oid),
            owner: &self.owner,
            job: Some(self.id),
            device,
            phone_number: None,
            expected: device.device_id.clone(),
            template: self.template.clone(),
            schedule: self.schedule.clone(),
            // A deployment asks for the end of its job, not for that of each task.
            callback: None,
        };
        let mut target = order.place(now);
        // From the creation of the job, so that its last task does not live longer than its first.
        target.task.start_at = self.schedule.starts_at(self.created_at);
        target.task.end_at = self.schedule.ends_at(self.created_at);
        target
    }
}

/// How a test cycle ends, and what it tells.
fn rehearse(task: &Task, device: &Device) -> (TaskEvent, String) {
    let words = task.operation.in_words(&task.arguments);
    let consent = if task.opt_in { ", once its user agreed" } else { "" };
    let plan = format!("it would have been sent: {words}{consent}");
    if device.account.is_none() {
        let detail = format!("{REHEARSED}The device has no account to authenticate with; else {plan}");
        return (TaskEvent::GivenUp, detail);
    }
    if task.policy == AcceptDevicePolicy::SameTac && task.expected.is_none() {
        let detail =
            format!("{REHEARSED}No device is expected, so that none passes acceptDevicePolicy 10; else {plan}");
        return (TaskEvent::GivenUp, detail);
    }
    let who = task.expected.as_ref().map_or_else(|| device.oid.to_string(), DeviceId::to_string);
    (TaskEvent::Done, format!("{REHEARSED}Device {who}: {plan}"))
}
