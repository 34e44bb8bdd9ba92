use super::Pending;
use crate::device::Device;
use crate::id::{DeviceOid, JobId, TaskId};
use crate::identity::DeviceId;
use crate::task::{HistoryEntry, Task};
use crate::time::Timestamp;
use crate::trace::{Recording, TraceStep};

/// How a device is found when it connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactKey {
    /// By the name of its account.
    ClientName(String),
    /// By its identifier, where it does not name its account. Only a record with an account is found, and only if
    /// there is one such record over all domains.
    DeviceId(DeviceId),
}

/// What is kept of a device between its messages. One row, changed by each message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactState {
    /// Credentials accepted so far: the nonces of the device derive from it.
    pub generation: i64,
    /// Nonce for our next credential towards the device, once it has issued one.
    pub server_nonce: Option<Vec<u8>>,
    /// The device was sent a notification made with the nonce for devices that lost theirs, and has not proved who it
    /// is since: it may do so with that nonce, once.
    pub resync: bool,
    /// Last message of an authenticated session.
    pub last_seen_at: Option<Timestamp>,
    /// The session of the device, open or ended.
    pub dialogue: Option<DialogueState>,
    /// Raised by one on each change; what was decided on an older revision is not applied.
    pub revision: i64,
}

/// A session with the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogueState {
    /// As the device named it.
    pub session_id: String,
    /// The adapter's own state, opaque here. Empty once the session has ended.
    pub state: Vec<u8>,
    /// Task that the session is carrying out.
    pub task: Option<TaskId>,
    /// Digest of the message that was answered last.
    pub request_digest: [u8; 16],
    /// The answer, to be given again should the device repeat itself.
    pub reply: Vec<u8>,
    /// The header that signs the answer, in a session of signed messages.
    pub reply_seal: Option<String>,
    /// When the last message came.
    pub touched_at: Timestamp,
    /// Whether the session has ended.
    pub ended: bool,
}

/// A task that is not final, and whether its job lets it run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTask {
    /// The task.
    pub task: Task,
    /// False while its job is paused or being cancelled.
    pub may_run: bool,
}

/// Everything that deciding on a device's message needs, from one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The record, with its account.
    pub device: Device,
    /// What is kept between messages.
    pub state: ContactState,
    /// Tasks that are not final: highest priority first, then oldest first. At most [`Contact::TASKS_MAX`]; of more,
    /// those under way and those that may start earliest.
    pub tasks: Vec<OpenTask>,
    /// Whether its messages are recorded.
    pub recording: Option<Recording>,
}

impl Contact {
    /// Most open tasks that are loaded at once; the others wait until these are done.
    pub const TASKS_MAX: usize = 32;
}

/// What one message of a device changes. Applied whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactStep {
    /// Whose.
    pub device: DeviceOid,
    /// Revision it was decided on.
    pub revision: i64,
    /// `last_seen_at` that it was decided on.
    pub seen_before: Option<Timestamp>,
    /// What is kept from now on; its `revision` is set by the store.
    pub state: ContactState,
    /// The changed record, if it changed, decided on its `version`; the store raises it.
    pub record: Option<Device>,
    /// Changed tasks, each decided on its `version`; the store raises it and keeps the counters of jobs.
    pub tasks: Vec<Task>,
    /// New history.
    pub history: Vec<HistoryEntry>,
    /// Tasks that reached their device by this message; each is charged for the first time that it does.
    pub reached: Vec<TaskId>,
    /// Jobs that must still let their tasks run.
    pub running_jobs: Vec<JobId>,
    /// What is recorded of the message, if anything.
    pub trace: Option<TraceStep>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Durable.
    Applied,
    /// Something it was decided on has changed meanwhile; nothing was applied: load and decide again.
    Conflict,
}

/// Devices in contact.
pub trait ContactStore: Send + Sync {
    /// Loads what is known of a device that connects. Fast: called on the worker that serves the device.
    fn contact_load(&self, key: &ContactKey) -> Pending<'_, Option<Contact>>;
    /// Applies a step.
    fn contact_commit(&self, step: ContactStep) -> Pending<'_, Verdict>;
}
