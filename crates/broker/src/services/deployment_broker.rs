//! IDeploymentBrokerServices: operations on devices, singly or many at once.

use serde::{Deserialize, Serialize};

use super::RequestKey;
use crate::fault::Fault;
use crate::identity::{DeviceId, Msisdn};
use crate::operation::Arguments;
use crate::schedule::Schedule;

/// One operation on one device, as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRequest {
    /// Operation name.
    pub operation: String,
    /// Number of the device; or give `device_id`.
    pub phone_number: Option<Msisdn>,
    /// Whether the user is asked first.
    pub opt_in: bool,
    /// acceptDevicePolicy as given.
    pub policy: i32,
    /// Whether nothing is sent.
    pub test_cycle: bool,
    /// Device that is expected.
    pub device_id: Option<DeviceId>,
    /// What the operation works on.
    pub arguments: Arguments,
    /// Callback address, where one was given.
    pub callback: Option<String>,
    /// When, until when, how often.
    pub schedule: Schedule,
    /// Idempotency key.
    pub request: Option<RequestKey>,
}

/// Many operations in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkRequest {
    /// Entries; their own `schedule` and `callback` are not used.
    pub requests: Vec<OperationRequest>,
    /// Short name of the job.
    pub name: Option<String>,
    /// When and how fast.
    pub schedule: Schedule,
    /// Callback address, where one was given.
    pub callback: Option<String>,
    /// Idempotency key of the whole call.
    pub request: Option<RequestKey>,
}

/// What an accepted request became.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationReceipt {
    /// Job.
    pub job_id: Option<String>,
    /// Tasks, in the order of the accepted entries.
    pub task_id: Vec<String>,
    /// Entries that were not accepted.
    pub rejected: Vec<Rejected>,
}

/// An entry that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Position in the request, from 0.
    pub index: usize,
    /// Fault code.
    pub message_id: String,
    /// Explanation in English.
    pub text: String,
}

impl Rejected {
    /// The entry at `index`, refused because of `fault`.
    #[must_use]
    pub fn new(index: usize, fault: &Fault) -> Self {
        Self { index, message_id: fault.name.message_id().to_owned(), text: fault.text.clone() }
    }
}
