//! The states of a task and how it goes from one to the other: one table.
//!
//! Source: DM WSI contract, sections 4 and 6 (`TaskStatus`).

use serde::{Deserialize, Serialize};

use crate::names::names;

/// State of a task. The last five are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskStatus {
    /// Waits for its start time, its daily window or a free slot of its job.
    Scheduled,
    /// The device has been asked to connect.
    Notifying,
    /// The user has been asked to opt in.
    AwaitingUser,
    /// A session with the device is open for this task.
    InProgress,
    /// The device carries on by itself and will report.
    AwaitingDevice,
    /// An attempt failed, a further one is planned.
    RetryWait,
    /// Held because its job is paused.
    Paused,
    /// The device confirmed the operation.
    Succeeded,
    /// The operation failed and no attempt is left.
    Failed,
    /// Refused by the user or by policy.
    Rejected,
    /// Cancelled by cancelTask or cancelJob.
    Cancelled,
    /// The end time passed before the operation completed.
    Expired,
}

/// What happens to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEvent {
    /// The device has been asked to connect.
    Notified,
    /// The device is connected and takes up the task.
    Connected,
    /// The user has been asked.
    UserAsked,
    /// The user agreed.
    UserAccepted,
    /// The user declined.
    UserDeclined,
    /// The device goes on by itself.
    DeviceCarriesOn,
    /// The device reported what it did by itself.
    DeviceReported,
    /// Everything asked for was done; also the good end of a test cycle.
    Done,
    /// The device, or a test cycle, gave a reason for which no other attempt would help.
    GivenUp,
    /// The attempt failed in a way that another may not.
    AttemptFailed {
        /// How many may follow.
        attempts_left: u32,
    },
    /// cancelTask or cancelJob.
    CancelAsked,
    /// The end time has come.
    TimeOver,
    /// A second person did not approve of the task, or nobody did in time.
    NotApproved,
    /// The job was paused.
    JobPaused,
    /// The job goes on.
    JobResumed,
    /// restartJob with retryFailed.
    Retried,
}

/// An event that is not possible in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible while the task is {status:?}")]
pub struct WrongState {
    /// State the task is in.
    pub status: TaskStatus,
    /// What was to happen.
    pub event: TaskEvent,
}

names! {
    TaskStatus {
        "SCHEDULED" Scheduled
        "NOTIFYING" Notifying
        "AWAITING_USER" AwaitingUser
        "IN_PROGRESS" InProgress
        "AWAITING_DEVICE" AwaitingDevice
        "RETRY_WAIT" RetryWait
        "PAUSED" Paused
        "SUCCEEDED" Succeeded
        "FAILED" Failed
        "REJECTED" Rejected
        "CANCELLED" Cancelled
        "EXPIRED" Expired
    }
}

impl TaskStatus {
    /// The status after `event`. Pure: no clock, no storage.
    ///
    /// # Errors
    /// [`WrongState`] where the contract has no such transition.
    pub fn after(self, event: TaskEvent) -> Result<Self, WrongState> {
        use TaskEvent::*;
        use TaskStatus::*;
        Ok(match (self, event) {
            (Scheduled | RetryWait, Notified) => Notifying,
            (Scheduled | Notifying | RetryWait | AwaitingDevice, Connected) => InProgress,
            (InProgress, UserAsked) => AwaitingUser,
            (AwaitingUser, UserAccepted) => InProgress,
            (AwaitingUser, UserDeclined) => Rejected,
            (InProgress, DeviceCarriesOn) => AwaitingDevice,
            (AwaitingDevice, DeviceReported) => InProgress,
            (InProgress | AwaitingDevice, Done) => Succeeded,
            (Scheduled | InProgress | AwaitingUser | AwaitingDevice, GivenUp) => Failed,
            (Notifying | InProgress | AwaitingUser | AwaitingDevice, AttemptFailed { attempts_left: 0 }) => Failed,
            (Notifying | InProgress | AwaitingUser | AwaitingDevice, AttemptFailed { .. }) => RetryWait,
            (Scheduled, NotApproved) => Rejected,
            (Scheduled | RetryWait, JobPaused) => Paused,
            (Paused, JobResumed) => Scheduled,
            (Failed | Expired | Cancelled, Retried) => Scheduled,
            (status, CancelAsked) if !status.is_final() => Cancelled,
            (status, TimeOver) if !status.is_final() => Expired,
            (status, event) => return Err(WrongState { status, event }),
        })
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_final(self) -> bool {
        self >= Self::Succeeded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: &[TaskEvent] = &[
        TaskEvent::Notified,
        TaskEvent::Connected,
        TaskEvent::UserAsked,
        TaskEvent::UserAccepted,
        TaskEvent::UserDeclined,
        TaskEvent::DeviceCarriesOn,
        TaskEvent::DeviceReported,
        TaskEvent::Done,
        TaskEvent::GivenUp,
        TaskEvent::AttemptFailed { attempts_left: 0 },
        TaskEvent::AttemptFailed { attempts_left: 2 },
        TaskEvent::CancelAsked,
        TaskEvent::TimeOver,
        TaskEvent::NotApproved,
        TaskEvent::JobPaused,
        TaskEvent::JobResumed,
        TaskEvent::Retried,
    ];

    /// The whole table as the contract has it: a row for each state, a letter for each event of `EVENTS`;
    /// `.` is a refusal, else the first letters of the state that follows.
    const TABLE: &str = "
        Scheduled      | No In .. .. .. .. .. .. Fa .. .. Ca Ex Rj Pa .. ..
        Notifying      | .. In .. .. .. .. .. .. .. Fa Re Ca Ex .. .. .. ..
        AwaitingUser   | .. .. .. In Rj .. .. .. Fa Fa Re Ca Ex .. .. .. ..
        InProgress     | .. .. Us .. .. De .. Su Fa Fa Re Ca Ex .. .. .. ..
        AwaitingDevice | .. In .. .. .. .. In Su Fa Fa Re Ca Ex .. .. .. ..
        RetryWait      | No In .. .. .. .. .. .. .. .. .. Ca Ex .. Pa .. ..
        Paused         | .. .. .. .. .. .. .. .. .. .. .. Ca Ex .. .. Sc ..
        Succeeded      | .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..
        Failed         | .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. Sc
        Rejected       | .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..
        Cancelled      | .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. Sc
        Expired        | .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. Sc";

    fn letters(status: TaskStatus) -> &'static str {
        match status {
            TaskStatus::Scheduled => "Sc",
            TaskStatus::Notifying => "No",
            TaskStatus::AwaitingUser => "Us",
            TaskStatus::InProgress => "In",
            TaskStatus::AwaitingDevice => "De",
            TaskStatus::RetryWait => "Re",
            TaskStatus::Paused => "Pa",
            TaskStatus::Succeeded => "Su",
            TaskStatus::Failed => "Fa",
            TaskStatus::Rejected => "Rj",
            TaskStatus::Cancelled => "Ca",
            TaskStatus::Expired => "Ex",
        }
    }

    #[test]
    fn every_state_takes_the_events_of_the_contract_and_refuses_all_others() {
        let mut rows = 0;
        for (line, (name, status)) in TABLE.trim().lines().zip(TaskStatus::NAMES) {
            let (row, cells) = line.split_once('|').unwrap_or(("", ""));
            assert_eq!(row.trim(), format!("{status:?}"), "{name}");
            let cells: Vec<&str> = cells.split_whitespace().collect();
            assert_eq!(cells.len(), EVENTS.len());
            for (event, cell) in EVENTS.iter().zip(cells) {
                let after = status.after(*event).map_or("..", letters);
                assert_eq!(after, cell, "{status:?} {event:?}");
            }
            rows += 1;
        }
        assert_eq!(rows, TaskStatus::NAMES.len());
    }

    #[test]
    fn the_last_five_states_are_final() {
        let finals = TaskStatus::NAMES.iter().filter(|(_, status)| status.is_final()).count();
        assert_eq!(finals, 5);
        assert!(TaskStatus::NAMES.iter().skip(7).all(|(_, status)| status.is_final()));
    }
}
