//! A job: the tasks made from one deployment or one bulk request.

use serde::{Deserialize, Serialize};

use crate::access::Reach;
use crate::callback::Callback;
use crate::device::ManagementState;
use crate::filter::{Comparison, DeviceField, Filter, Test, Value};
use crate::id::{CapabilityOid, JobId};
use crate::identity::{DeviceId, Msisdn};
use crate::names::names;
use crate::operation::{Arguments, Operation};
use crate::policy::AcceptDevicePolicy;
use crate::power::{Class, Policy, class_of};
use crate::progress::{Outlook, Pace};
use crate::rollout::Rollout;
use crate::schedule::Schedule;
use crate::task::TaskStatus;
use crate::time::Timestamp;

/// State of a job. The last three are final.
///
/// Source: DM WSI contract, sections 4 and 6 (`JobStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// The start time lies in the future.
    Scheduled,
    /// Tasks are being carried out.
    Running,
    /// No new task is started.
    Paused,
    /// cancelJob was accepted; tasks are being cancelled.
    Cancelling,
    /// Every task is final.
    Completed,
    /// Cancelled, and every task is final.
    Cancelled,
    /// The failure threshold or the end time was reached.
    Stopped,
}

/// What happens to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEvent {
    /// The start time has come.
    Started,
    /// Every task has been made and is final.
    AllFinal,
    /// More tasks failed than the threshold allows.
    ThresholdPassed,
    /// cancelJob.
    CancelAsked,
    /// pauseJob.
    PauseAsked,
    /// restartJob.
    RestartAsked {
        /// Whether failed, expired and cancelled tasks run again.
        retry_failed: bool,
    },
    /// A wave did not go well.
    WaveStopped,
    /// releaseWave.
    WaveReleased,
}

/// An event that is not possible in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible while the job is {status:?}")]
pub struct WrongJobState {
    /// State the job is in.
    pub status: JobStatus,
    /// What was to happen.
    pub event: JobEvent,
}

names! {
    JobStatus {
        "SCHEDULED" Scheduled
        "RUNNING" Running
        "PAUSED" Paused
        "CANCELLING" Cancelling
        "COMPLETED" Completed
        "CANCELLED" Cancelled
        "STOPPED" Stopped
    }
}

impl JobStatus {
    /// The status after `event`. Asking again for what is so already changes nothing.
    ///
    /// # Errors
    /// [`WrongJobState`] where the contract has no such transition.
    pub fn after(self, event: JobEvent) -> Result<Self, WrongJobState> {
        use JobEvent::*;
        use JobStatus::*;
        Ok(match (self, event) {
            (Scheduled, Started) => Running,
            (Scheduled | Running | Paused, AllFinal) => Completed,
            (Cancelling, AllFinal) => Cancelled,
            (Running | Paused, ThresholdPassed) => Stopped,
            (Scheduled | Running | Paused | Cancelling, CancelAsked) => Cancelling,
            (Cancelled, CancelAsked) => Cancelled,
            (Scheduled | Running | Paused, PauseAsked) => Paused,
            (Paused | Running, RestartAsked { .. } | WaveReleased) => Running,
            (Running, WaveStopped) => Paused,
            (Completed | Stopped, RestartAsked { retry_failed: true }) => Running,
            (status, event) => return Err(WrongJobState { status, event }),
        })
    }

    /// Whether the job has ended.
    #[must_use]
    pub fn is_final(self) -> bool {
        self >= Self::Completed
    }

    /// Whether tasks of the job may go on to the device: nothing of a job that is paused or being cancelled is sent.
    #[must_use]
    pub fn lets_tasks_run(self) -> bool {
        matches!(self, Self::Scheduled | Self::Running)
    }
}

/// Whether a job may begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// It may.
    #[default]
    None,
    /// Its devices are being counted, to know whether it needs approval.
    Counting,
    /// It waits for the approval of a second person.
    Waiting,
}

/// A job as kept.
///
/// Source: DM WSI contract, section 6, `JobData`, with what the server needs besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Identifier.
    pub id: JobId,
    /// Domain.
    pub tenant: String,
    /// Who made it.
    pub owner: String,
    /// Short name for people.
    pub name: String,
    /// Longer text.
    pub description: Option<String>,
    /// What each of its tasks does.
    pub template: TaskTemplate,
    /// Whether the entries of the bulk request differ, so that the job has no one operation name.
    pub is_mixed: bool,
    /// The devices that whoever made it may operate; others get no task.
    pub reach: Reach,
    /// When and how fast.
    pub schedule: Schedule,
    /// Which devices still need a task made. Absent when every task exists (always so for bulk requests).
    pub expansion: Option<Expansion>,
    /// How far its waves have come; absent without waves, and until every task is made.
    pub rollout: Option<Rollout>,
    /// Whether it waits for a second person: then nothing of it is sent.
    pub hold: Hold,
    /// The gravest danger in it, where it changes devices and is more than a rehearsal.
    pub class: Option<Class>,
    /// Where it is in its life.
    pub status: JobStatus,
    /// Explanation in English.
    pub detail: Option<String>,
    /// Who is told of each status.
    pub callback: Option<Callback>,
    /// Creation.
    pub created_at: Timestamp,
    /// Entry into a final state.
    pub finished_at: Option<Timestamp>,
    /// Raised by one on each change.
    pub version: i64,
}

impl Job {
    /// Whether its tasks may go on to the device.
    #[must_use]
    pub fn lets_tasks_run(&self) -> bool {
        self.hold == Hold::None && self.status.lets_tasks_run()
    }

    /// Notes what kind of danger a new job is, and where it is one that the domain wants judged, holds it until its
    /// devices have been counted. Nothing is decided here about jobs whose tasks exist already.
    pub fn guard(&mut self, policy: &Policy) {
        if self.template.test_cycle || self.status.is_final() {
            return;
        }
        self.class = class_of(policy, self.template.operation, &self.template.arguments);
        if self.expansion.is_some() && self.class.is_some_and(|class| policy.guards_jobs(class)) {
            self.hold = Hold::Counting;
            self.status = JobStatus::Scheduled;
            self.detail = Some("the devices are being counted, to see whether the job needs approval".to_owned());
        }
    }
}

/// What the tasks of a deployment have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTemplate {
    /// What is to be done.
    pub operation: Operation,
    /// What it works on.
    pub arguments: Arguments,
    /// What if another device answers.
    pub policy: AcceptDevicePolicy,
    /// Whether the user is asked first.
    pub opt_in: bool,
    /// Whether nothing is sent.
    pub test_cycle: bool,
    /// 1 to 9.
    pub priority: u8,
}

/// How far the making of a job's tasks has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expansion {
    /// Which devices.
    pub selector: Selector,
    /// The last record looked at, as the store orders them; absent at the beginning.
    pub after: Option<String>,
}

/// Which devices a deployment is for. The kinds add up.
///
/// Source: DM WSI contract, section 6, `DeviceSelector`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selector {
    /// Devices by MSISDN.
    pub phone_number: Vec<Msisdn>,
    /// Devices by identifier.
    pub device_id: Vec<DeviceId>,
    /// Every device of these capability records.
    pub capability: Vec<CapabilityOid>,
    /// Every device that matches.
    pub filter: Option<DeviceFilter>,
    /// Every device of the domain.
    pub all_devices: bool,
}

impl Selector {
    /// Whether it names nothing, which is refused and never read as all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.all_devices
            && self.phone_number.is_empty()
            && self.device_id.is_empty()
            && self.capability.is_empty()
            && self.filter.as_ref().is_none_or(DeviceFilter::is_empty)
    }
}

/// Criteria for device records; those given must all hold.
///
/// Source: DM WSI contract, section 6, `DeviceFilter`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceFilter {
    /// Exact manufacturer.
    pub manufacturer: Option<String>,
    /// Exact model.
    pub model: Option<String>,
    /// Exact firmware version.
    pub firmware_version: Option<String>,
    /// Life cycle state.
    pub management_state: Option<ManagementState>,
    /// Name of a device group.
    pub group: Option<String>,
    /// Last session earlier than this; a device never seen counts.
    pub last_seen_before: Option<Timestamp>,
    /// Last session at this time or later.
    pub last_seen_since: Option<Timestamp>,
    /// Exact values of further attributes.
    pub attribute: Vec<(String, String)>,
    /// An expression that must hold besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<Filter<DeviceField>>,
    /// Device groups of which the record stands in one at least: what a narrowed caller sees. Never asked for.
    #[serde(skip)]
    pub groups: Option<Vec<String>>,
}

impl DeviceFilter {
    /// Whether there is no criterion.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The criteria as one expression; nothing without any.
    #[must_use]
    pub fn as_expression(&self) -> Option<Filter<DeviceField>> {
        let text = |field: DeviceField, value: &Option<String>| {
            value.clone().map(|value| Filter::equal(field, Value::Text(value)))
        };
        let time =
            |comparison, at: Timestamp| Filter::Test(DeviceField::LastSeenAt, Test::Is(comparison, Value::Time(at)));
        let mut parts = Vec::new();
        parts.extend(text(DeviceField::Manufacturer, &self.manufacturer));
        parts.extend(text(DeviceField::Model, &self.model));
        parts.extend(text(DeviceField::FirmwareVersion, &self.firmware_version));
        let state = self.management_state.map(|state| state.as_str().to_owned());
        parts.extend(text(DeviceField::ManagementState, &state));
        parts.extend(text(DeviceField::Group, &self.group));
        parts.extend(self.last_seen_before.map(|before| {
            let never = Filter::Not(Box::new(Filter::Test(DeviceField::LastSeenAt, Test::Has)));
            Filter::any(vec![never, time(Comparison::Less, before)])
        }));
        parts.extend(self.last_seen_since.map(|since| time(Comparison::GreaterOrEqual, since)));
        for (name, value) in &self.attribute {
            parts.extend(text(DeviceField::Attribute(name.clone()), &Some(value.clone())));
        }
        parts.extend(self.expression.clone());
        parts.extend(self.groups.as_ref().map(|groups| {
            Filter::Test(DeviceField::Group, Test::In(groups.iter().cloned().map(Value::Text).collect()))
        }));
        (!parts.is_empty()).then(|| Filter::all(parts))
    }
}

/// A job with how many of its tasks are in each state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// The job.
    pub job: Job,
    /// Number of tasks by state; states without tasks are left out.
    pub counts: Vec<(TaskStatus, u64)>,
    /// The same of each wave that has begun, by its place from 0.
    pub wave_counts: Vec<(usize, TaskStatus, u64)>,
    /// Number of tasks that ended without success by status and reason, most first. Not in lists.
    pub reasons: Vec<(TaskStatus, String, u64)>,
    /// Number of devices that got no task, by why. Not in lists.
    pub left_out: Vec<(String, u64)>,
    /// How many tasks were finished in the last minutes. Not in lists.
    pub pace: Pace,
    /// When it may end. Of one job that is asked for alone.
    pub outlook: Option<Outlook>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_takes_the_events_of_the_contract_and_refuses_all_others() {
        use JobEvent::*;
        use JobStatus::*;
        let events = [
            Started,
            AllFinal,
            ThresholdPassed,
            CancelAsked,
            PauseAsked,
            RestartAsked { retry_failed: false },
            RestartAsked { retry_failed: true },
            WaveStopped,
            WaveReleased,
        ];
        let table = [
            (Scheduled, [Some(Running), Some(Completed), None, Some(Cancelling), Some(Paused), None, None, None, None]),
            (
                Running,
                [
                    None,
                    Some(Completed),
                    Some(Stopped),
                    Some(Cancelling),
                    Some(Paused),
                    Some(Running),
                    Some(Running),
                    Some(Paused),
                    Some(Running),
                ],
            ),
            (
                Paused,
                [
                    None,
                    Some(Completed),
                    Some(Stopped),
                    Some(Cancelling),
                    Some(Paused),
                    Some(Running),
                    Some(Running),
                    None,
                    Some(Running),
                ],
            ),
            (Cancelling, [None, Some(Cancelled), None, Some(Cancelling), None, None, None, None, None]),
            (Completed, [None, None, None, None, None, None, Some(Running), None, None]),
            (Cancelled, [None, None, None, Some(Cancelled), None, None, None, None, None]),
            (Stopped, [None, None, None, None, None, None, Some(Running), None, None]),
        ];
        for (status, row) in table {
            for (event, after) in events.into_iter().zip(row) {
                assert_eq!(status.after(event).ok(), after, "{status:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_selector_without_criteria_names_nothing() {
        assert!(Selector::default().is_empty());
        assert!(Selector { filter: Some(DeviceFilter::default()), ..Selector::default() }.is_empty());
        assert!(!Selector { all_devices: true, ..Selector::default() }.is_empty());
    }
}
