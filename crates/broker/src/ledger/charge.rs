use std::fmt;

use crate::id::{DeviceOid, JobId, TaskId};
use crate::identity::{DeviceId, Msisdn};
use crate::names::names;
use crate::task::Task;
use crate::time::Timestamp;

/// What is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChargeKind {
    /// A bootstrap.
    Bootstrap,
    /// A task that reached its device.
    Operation,
    /// A job.
    Job,
    /// A registration for events.
    Registration,
    /// An event that was taken.
    Event,
    /// Content, by bytes.
    Package,
    /// A tunnel, by bytes.
    Tunnel,
}

names! {
    ChargeKind {
        "BOOTSTRAP" Bootstrap
        "OPERATION" Operation
        "JOB" Job
        "REGISTRATION" Registration
        "EVENT" Event
        "PACKAGE" Package
        "TUNNEL" Tunnel
    }
}

/// Names one chargeable event, and its place in the feed: `e-` and 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub i64);

/// A text that names no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of a chargeable event")]
pub struct NotAnEventId;

impl EventId {
    /// Reads the text form.
    ///
    /// # Errors
    /// `NotAnEventId`.
    pub fn parse(text: &str) -> Result<Self, NotAnEventId> {
        let digits = text.strip_prefix("e-").ok_or(NotAnEventId)?;
        if digits.len() != 16 || !digits.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NotAnEventId);
        }
        i64::from_str_radix(digits, 16).map(Self).map_err(|_| NotAnEventId)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e-{:016x}", self.0)
    }
}

/// Something to be charged for.
///
/// Source: DM WSI contract, section 3, "Chargeable events".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeableEvent {
    /// Place in the feed; the store gives it.
    pub id: EventId,
    /// What for.
    pub kind: ChargeKind,
    /// When.
    pub at: Timestamp,
    /// Domain.
    pub tenant: String,
    /// Who is charged.
    pub caller: String,
    /// Operation on the device, for example `QUERY`, or of the contract where no device is concerned.
    pub operation: String,
    /// 1; bytes for PACKAGE and TUNNEL.
    pub quantity: i64,
    /// Task concerned.
    pub task: Option<TaskId>,
    /// Job concerned.
    pub job: Option<JobId>,
    /// Device record concerned.
    pub device: Option<DeviceOid>,
    /// Other object concerned: registration, package, tunnel, event.
    pub object: Option<String>,
    /// Device of the task: not kept with the event but read from the task, so that an erasure there is one here.
    pub device_id: Option<DeviceId>,
    /// Number of the task, in the same way.
    pub phone_number: Option<Msisdn>,
}

impl ChargeableEvent {
    /// A task reached its device. None for a test cycle.
    #[must_use]
    pub fn of_task(task: &Task, at: Timestamp) -> Option<Self> {
        (!task.test_cycle).then(|| Self {
            task: Some(task.id),
            job: task.job,
            device: Some(task.device),
            ..Self::new(ChargeKind::Operation, &task.tenant, &task.owner, task.operation.as_str(), at)
        })
    }

    /// An event was taken by a receiver that `caller` had named. None for one of a test cycle.
    #[must_use]
    pub fn of_event(event: &crate::callback::Event, tenant: &str, caller: &str, at: Timestamp) -> Option<Self> {
        (!event.is_test).then(|| Self {
            task: event.task,
            job: event.job,
            object: Some(event.id.to_string()),
            ..Self::new(ChargeKind::Event, tenant, caller, "notifyEvents", at)
        })
    }

    /// A job was made. None for a job of test cycles.
    #[must_use]
    pub fn of_job(job: &crate::job::Job, operation: &str, at: Timestamp) -> Option<Self> {
        let made = Self { job: Some(job.id), ..Self::new(ChargeKind::Job, &job.tenant, &job.owner, operation, at) };
        (!job.template.test_cycle).then_some(made)
    }

    /// An event of any kind, of quantity 1, about nothing yet.
    #[must_use]
    pub fn new(kind: ChargeKind, tenant: &str, caller: &str, operation: &str, at: Timestamp) -> Self {
        Self {
            id: EventId(0),
            kind,
            at,
            tenant: tenant.to_owned(),
            caller: caller.to_owned(),
            operation: operation.to_owned(),
            quantity: 1,
            task: None,
            job: None,
            device: None,
            object: None,
            device_id: None,
            phone_number: None,
        }
    }
}

/// A part of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Events, in order.
    pub events: Vec<ChargeableEvent>,
    /// Whether more are there already.
    pub has_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_as_it_was_written_and_other_text_is_none() {
        assert_eq!(EventId::parse(&EventId(255).to_string()), Ok(EventId(255)));
        for text in ["", "e-", "e-1", "e-00000000000000FF", "e-ffffffffffffffff", "x-00000000000000ff"] {
            assert_eq!(EventId::parse(text), Err(NotAnEventId), "{text}");
        }
    }
}
