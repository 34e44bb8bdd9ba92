use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Callback;
use crate::id::{EventId, JobId, TaskId};
use crate::identity::{DeviceId, Msisdn};
use crate::job::Job;
use crate::names::names;
use crate::task::Task;
use crate::time::Timestamp;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// A task has entered a status.
    TaskStatus,
    /// A job has entered a status.
    JobStatus,
}

names! {
    EventType {
        "TASK_STATUS" TaskStatus
        "JOB_STATUS" JobStatus
    }
}

/// Something that happened, as a receiver is told.
///
/// Source: DM WSI contract, section 6, `EventData`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The same in every delivery.
    pub id: EventId,
    /// What it is about.
    pub kind: EventType,
    /// When.
    pub at: Timestamp,
    /// `reference` of the callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// `wsa:MessageID` of the request that set the callback up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relates_to: Option<String>,
    /// The device that answered, else the expected one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// Number that the task was addressed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<Msisdn>,
    /// Task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// Status entered.
    pub status: String,
    /// Whether it tells of a test cycle, which is not charged for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_test: bool,
}

impl Event {
    /// A task has entered its present status. The identifier follows from task, status and history, so that a change
    /// that is applied again makes the same event.
    pub(super) fn of_task(task: &Task, callback: &Callback) -> Self {
        let name = format!("{}\u{0}{}", task.status.as_str(), task.history_len);
        Self {
            id: EventId(Uuid::new_v5(&task.id.unique, name.as_bytes())),
            kind: EventType::TaskStatus,
            at: task.finished_at.unwrap_or(task.updated_at),
            reference: callback.reference.clone(),
            relates_to: callback.relates_to.clone(),
            device_id: task.actual.clone().or_else(|| task.expected.clone()),
            phone_number: task.phone_number.clone(),
            task: Some(task.id),
            job: task.job,
            status: task.status.as_str().to_owned(),
            is_test: task.test_cycle,
        }
    }

    /// A job has entered its present status.
    pub(super) fn of_job(job: &Job, callback: &Callback, now: Timestamp) -> Self {
        let name = format!("{}\u{0}{}", job.status.as_str(), job.version);
        Self {
            id: EventId(Uuid::new_v5(&job.id.0, name.as_bytes())),
            kind: EventType::JobStatus,
            at: now,
            reference: callback.reference.clone(),
            relates_to: callback.relates_to.clone(),
            device_id: None,
            phone_number: None,
            task: None,
            job: Some(job.id),
            status: job.status.as_str().to_owned(),
            is_test: job.template.test_cycle,
        }
    }
}
