use serde::{Deserialize, Serialize};

use super::{Class, Policy};
use crate::id::{ApprovalId, DeviceOid, JobId, TaskId};
use crate::names::names;
use crate::time::Timestamp;

/// Where a question to a second person is. All but the first are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ApprovalStatus {
    /// Nobody has answered.
    Pending,
    /// A second person agreed: what was asked for goes on.
    Approved,
    /// A second person said no.
    Refused,
    /// Nobody answered in time, or what was asked for ended meanwhile.
    Expired,
    /// Who asked no longer wants it.
    Withdrawn,
}

names! {
    ApprovalStatus {
        "PENDING" Pending
        "APPROVED" Approved
        "REFUSED" Refused
        "EXPIRED" Expired
        "WITHDRAWN" Withdrawn
    }
}

/// What happens to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalEvent {
    /// approve.
    Approve,
    /// refuse.
    Refuse,
    /// withdraw, or the task or job was cancelled.
    Withdraw,
    /// Its life is over, or that of what it is about.
    TimeOver,
}

/// An event that is not possible: the question has been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the approval is {}", .0.as_str())]
pub struct WrongApprovalState(pub ApprovalStatus);

impl ApprovalStatus {
    /// The status after `event`: a question is answered once.
    ///
    /// # Errors
    /// [`WrongApprovalState`].
    pub fn after(self, event: ApprovalEvent) -> Result<Self, WrongApprovalState> {
        match (self, event) {
            (Self::Pending, ApprovalEvent::Approve) => Ok(Self::Approved),
            (Self::Pending, ApprovalEvent::Refuse) => Ok(Self::Refused),
            (Self::Pending, ApprovalEvent::Withdraw) => Ok(Self::Withdrawn),
            (Self::Pending, ApprovalEvent::TimeOver) => Ok(Self::Expired),
            (status, _) => Err(WrongApprovalState(status)),
        }
    }
}

/// What is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A task without a job, on this device.
    Task(TaskId, DeviceOid),
    /// A job with its tasks.
    Job(JobId),
    /// This policy of the domain, made from the one whose version it has.
    Policy(Box<Policy>),
}

/// What is to be done once it is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// The task or job begins.
    Start,
    /// Failed, expired and cancelled tasks of a job run again.
    Retry,
    /// The policy of the domain is replaced.
    SetPolicy,
}

names! {
    Action {
        "START" Start
        "RETRY" Retry
        "SET_POLICY" SetPolicy
    }
}

/// What the second person is told about what it is to decide on, besides where to find it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Operation of the contract; of a job with several, of its first task.
    pub operation: String,
    /// What would be sent, in words, without values of nodes.
    pub words: String,
    /// Name of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A question put to a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Identifier.
    pub id: ApprovalId,
    /// Domain.
    pub tenant: String,
    /// Principal who asked for what is held.
    pub requester: String,
    /// The gravest danger in it.
    pub class: Class,
    /// What is held.
    pub object: Object,
    /// What happens to it when it is approved.
    pub action: Action,
    /// Devices concerned; none of a policy.
    pub devices: u64,
    /// What the second person is told.
    pub summary: Summary,
    /// Where it is.
    pub status: ApprovalStatus,
    /// Principal who decided; nobody where time did.
    pub decided_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it ends unanswered.
    pub expires_at: Timestamp,
    /// When it was answered or ended.
    pub decided_at: Option<Timestamp>,
    /// Raised by one on each change.
    pub version: i64,
}

/// What a new question is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Domain.
    pub tenant: String,
    /// Principal who asked for what is held.
    pub requester: String,
    /// The gravest danger in it.
    pub class: Class,
    /// What is held.
    pub object: Object,
    /// What happens to it when it is approved.
    pub action: Action,
    /// Devices concerned.
    pub devices: u64,
    /// What the second person is told.
    pub summary: Summary,
    /// When what is held ends by itself.
    pub ends_at: Timestamp,
}

impl Approval {
    /// A question asked at `now`. It lives as long as the policy says, and no longer than what it is about.
    #[must_use]
    pub fn ask(id: ApprovalId, question: Question, policy: &Policy, now: Timestamp) -> Self {
        let Question { tenant, requester, class, object, action, devices, summary, ends_at } = question;
        let life_s = i64::from(policy.life_hours).saturating_mul(3600);
        Self {
            id,
            tenant,
            requester,
            class,
            object,
            action,
            devices,
            summary,
            status: ApprovalStatus::Pending,
            decided_by: None,
            reason: None,
            requested_at: now,
            expires_at: now.plus_s(life_s).min(ends_at),
            decided_at: None,
            version: 1,
        }
    }

    /// What the task or job says while it is held.
    #[must_use]
    pub fn waiting_text(&self) -> String {
        format!(
            "waits for approval {} by a second person until {}: {} of {} device(s)",
            self.id,
            self.expires_at,
            self.class.as_str(),
            self.devices
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_once() {
        use ApprovalEvent::*;
        use ApprovalStatus::*;
        let answers = [(Approve, Approved), (Refuse, Refused), (Withdraw, Withdrawn), (TimeOver, Expired)];
        for (event, after) in answers {
            assert_eq!(Pending.after(event), Ok(after));
            for (_, status) in ApprovalStatus::NAMES.iter().skip(1) {
                assert_eq!(status.after(event), Err(WrongApprovalState(*status)), "{event:?}");
            }
        }
    }
}
