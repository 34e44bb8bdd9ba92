//! IBulkOperationsManagerServices: jobs and their tasks.

use serde::{Deserialize, Serialize};

use super::{Rejected, RequestKey};
use crate::identity::{DeviceId, Msisdn};
use crate::job::Selector;
use crate::operation::Arguments;
use crate::schedule::Schedule;
use crate::task::TaskStatus;
use crate::time::Timestamp;

/// One operation on a set of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Short name for people.
    pub name: String,
    /// Longer text.
    pub description: Option<String>,
    /// Operation name.
    pub operation: String,
    /// Which devices.
    pub devices: Selector,
    /// Whether the users are asked first.
    pub opt_in: bool,
    /// acceptDevicePolicy as given.
    pub policy: i32,
    /// Whether nothing is sent.
    pub test_cycle: bool,
    /// What the operation works on.
    pub arguments: Arguments,
    /// When and how fast.
    pub schedule: Schedule,
    /// 1 to 9; 5 when left out.
    pub priority: Option<i32>,
    /// Callback address, where one was given.
    pub callback: Option<String>,
    /// Idempotency key of this deployment.
    pub request: Option<RequestKey>,
}

/// Jobs made from a list of deployments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentReceipt {
    /// Jobs, in the order of the accepted deployments.
    pub job_id: Vec<String>,
    /// Deployments that were not accepted.
    pub rejected: Vec<Rejected>,
}

/// Which jobs, by when they were created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobsByDate {
    /// At this time or later.
    pub from: Timestamp,
    /// Before this time.
    pub to: Timestamp,
}

/// Which tasks; at least one of the first four is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TasksWanted {
    /// Of this job.
    pub job_id: Option<String>,
    /// Of this device.
    pub device_id: Option<DeviceId>,
    /// Addressed to this number.
    pub phone_number: Option<Msisdn>,
    /// Made at this time or later.
    pub created_since: Option<Timestamp>,
    /// In one of these states.
    pub status: Vec<TaskStatus>,
}
