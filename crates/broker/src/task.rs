//! A task: one operation on one device, and its life.

mod life;
mod order;

use serde::{Deserialize, Serialize};

pub use life::{TaskEvent, TaskStatus, WrongState};
pub use order::Order;
pub(crate) use order::REHEARSED;

use crate::callback::Callback;
use crate::id::{DeviceOid, JobId, TaskId};
use crate::identity::{DeviceId, Msisdn};
use crate::operation::{Arguments, Operation, Parameter};
use crate::policy::AcceptDevicePolicy;
use crate::schedule::Schedule;
use crate::time::Timestamp;

/// One operation on one device.
///
/// Source: DM WSI contract, section 6, `TaskData`, with what the server needs besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Identifier.
    pub id: TaskId,
    /// Domain.
    pub tenant: String,
    /// Who asked for it.
    pub owner: String,
    /// Job it belongs to.
    pub job: Option<JobId>,
    /// Record it is for.
    pub device: DeviceOid,
    /// Number it was addressed to, or that of the record.
    pub phone_number: Option<Msisdn>,
    /// Device that is expected.
    pub expected: Option<DeviceId>,
    /// Device that answered last.
    pub actual: Option<DeviceId>,
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
    /// 1 to 9; tasks of a higher priority go first.
    pub priority: u8,
    /// When, until when, how often.
    pub schedule: Schedule,
    /// Whether the task has a slot of its job (always, unless the job is paced).
    pub released: bool,
    /// Whether it waits for the approval of a second person: then nothing of it is sent. A task of a job is held with it.
    pub held: bool,
    /// Where it is in its life.
    pub status: TaskStatus,
    /// Explanation in English.
    pub detail: Option<String>,
    /// Attempts made.
    pub attempts: u32,
    /// Before this time the task is not started, unless it is waiting for a retry and the device connects by itself.
    pub start_at: Timestamp,
    /// At this time it becomes EXPIRED.
    pub end_at: Timestamp,
    /// What the adapter has done and what it will do: its own text, opaque here. A final task has none.
    pub plan: Option<String>,
    /// Nodes read or written.
    pub result: Vec<Parameter>,
    /// Code the device reported.
    pub result_code: Option<i32>,
    /// Exchanges with the device that carried something of this task.
    pub messages: u32,
    /// Acceptance.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Entry into a final state.
    pub finished_at: Option<Timestamp>,
    /// Entries in the history; the next one gets this number.
    pub history_len: u32,
    /// Who is told of its end.
    pub callback: Option<Callback>,
    /// Raised by one on each change; what was decided on an older version is not applied.
    pub version: i64,
}

/// One step in the life of a task.
///
/// Source: DM WSI contract, section 6, `TaskHistoryEntry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Task.
    pub task: TaskId,
    /// Job of the task.
    pub job: Option<JobId>,
    /// Number within the task, from 0.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Status entered or kept.
    pub status: TaskStatus,
    /// Short name of what happened, for example `SessionOpened`.
    pub event: String,
    /// Explanation in English.
    pub detail: Option<String>,
    /// Who or what caused it.
    pub actor: Option<String>,
    /// Device concerned.
    pub device: Option<DeviceId>,
}

impl Task {
    /// Goes on to the status that `event` leads to. `now` is the time of the change.
    ///
    /// # Errors
    /// [`WrongState`] if the event is not possible now; nothing has changed then.
    pub fn advance(&mut self, event: TaskEvent, now: Timestamp) -> Result<(), WrongState> {
        let status = self.status.after(event)?;
        if matches!(event, TaskEvent::Connected | TaskEvent::Notified) && self.status != TaskStatus::AwaitingDevice {
            // An attempt begins when the device was asked to connect, or connected without having been asked.
            if !(event == TaskEvent::Connected && self.status == TaskStatus::Notifying) {
                self.attempts = self.attempts.saturating_add(1);
            }
        }
        if matches!(event, TaskEvent::Retried) {
            self.attempts = 0;
            self.plan = None;
            self.result.clear();
            self.result_code = None;
        }
        if status.is_final() {
            // What is left to tell is in the result and in the history.
            self.plan = None;
        }
        self.status = status;
        self.updated_at = now;
        self.finished_at = status.is_final().then_some(now);
        Ok(())
    }

    /// Ends the attempt under way: a further one is planned if any is left.
    ///
    /// # Errors
    /// [`WrongState`] if no attempt is under way.
    pub fn fail_attempt(&mut self, now: Timestamp) -> Result<(), WrongState> {
        let attempts_left = self.schedule.attempts_max().saturating_sub(self.attempts);
        self.advance(TaskEvent::AttemptFailed { attempts_left }, now)?;
        if self.status == TaskStatus::RetryWait {
            self.start_at = now.plus_s(self.schedule.retry_delay_s(self.attempts));
        }
        Ok(())
    }

    /// Makes the next entry of the history with the present status.
    pub fn note(&mut self, now: Timestamp, event: &str, detail: Option<String>, actor: &str) -> HistoryEntry {
        let entry = HistoryEntry {
            task: self.id,
            job: self.job,
            number: self.history_len,
            at: now,
            status: self.status,
            event: event.to_owned(),
            detail,
            actor: (!actor.is_empty()).then(|| actor.to_owned()),
            device: self.actual.clone(),
        };
        self.history_len = self.history_len.saturating_add(1);
        entry
    }

    /// Whether a device that is connected at `now` may be given this task.
    ///
    /// A pause before a retry ends when the device connects by itself (contract, section 6, `Schedule`).
    #[must_use]
    pub fn is_startable(&self, now: Timestamp) -> bool {
        let due = match self.status {
            TaskStatus::Scheduled => self.start_at <= now,
            TaskStatus::Notifying | TaskStatus::RetryWait => true,
            _ => false,
        };
        due && self.released && !self.held && now < self.end_at && self.schedule.is_open(now)
    }
}
