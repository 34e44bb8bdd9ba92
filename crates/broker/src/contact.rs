//! Decisions about a device that is in contact: which task it gets, and what becomes of it.
//!
//! An [`Encounter`] begins with what the store knew, takes what happens in one message, and ends as the one step that
//! the store applies whole or not at all. Nothing here knows a protocol: adapters tell what the device said.

use crate::device::{Device, ManagementState};
use crate::id::{JobId, TaskId};
use crate::identity::DeviceId;
use crate::policy::AcceptDevicePolicy;
use crate::store::{Contact, ContactState, ContactStep, DialogueState};
use crate::task::{HistoryEntry, Task, TaskEvent, TaskStatus};
use crate::time::Timestamp;
use crate::trace::{self, TraceStep};

/// Who did it, in the history of tasks.
const DEVICE: &str = "device";
const SERVER: &str = "server";
/// Why a session that was broken off ended.
const SILENT: &str = "the device went silent in the session";

/// One message of a device, while it is being decided.
#[derive(Clone, Debug)]
pub struct Encounter {
    now: Timestamp,
    contact: Contact,
    state: ContactState,
    record: Device,
    record_changed: bool,
    changed: Vec<TaskId>,
    history: Vec<HistoryEntry>,
    reached: Vec<TaskId>,
    running_jobs: Vec<JobId>,
}

/// How an attempt at a task ended, as the adapter found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything asked for was done.
    Done,
    /// The user said no.
    Declined,
    /// It failed for a reason for which no other attempt would help.
    GivenUp,
    /// It failed in a way that another attempt may not.
    Failed,
}

impl Encounter {
    /// Begins with what is known.
    #[must_use]
    pub fn new(contact: Contact, now: Timestamp) -> Self {
        Self {
            now,
            state: contact.state.clone(),
            record: contact.device.clone(),
            record_changed: false,
            changed: Vec::new(),
            history: Vec::new(),
            reached: Vec::new(),
            running_jobs: Vec::new(),
            contact,
        }
    }

    /// The time of this message.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The device record as it will be.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.record
    }

    /// What is kept between messages, as it will be.
    #[must_use]
    pub fn state(&self) -> &ContactState {
        &self.state
    }

    /// A credential of the device was accepted: every nonce given out so far is spent.
    pub fn accept_credential(&mut self) {
        self.state.generation = self.state.generation.saturating_add(1);
        self.state.resync = false;
        self.seen();
        if matches!(self.record.management_state, ManagementState::Known | ManagementState::Bootstrapped) {
            self.record.management_state = ManagementState::Managed;
            self.record_changed = true;
        }
    }

    /// An authenticated message came.
    pub fn seen(&mut self) {
        self.state.last_seen_at = Some(self.now);
    }

    /// The device issued the nonce for our next credential.
    pub fn take_server_nonce(&mut self, nonce: Vec<u8>) {
        self.state.server_nonce = Some(nonce);
    }

    /// The device told facts about itself; what is new is kept in its record.
    pub fn learn(&mut self, learn: impl FnOnce(&mut Device)) {
        let before = self.record.clone();
        learn(&mut self.record);
        self.record_changed |= self.record != before;
    }

    /// Whether any task that waits would run on the device that answered as `answered`.
    #[must_use]
    pub fn would_admit(&self, answered: &DeviceId) -> bool {
        self.contact.tasks.iter().any(|open| open.task.policy.admits(open.task.expected.as_ref(), answered))
    }

    /// Takes up the next task for the device that answered as `answered`: the first that may start now, is not in
    /// `tried`, and whose policy admits the device. A task whose policy does not, loses this attempt, is noted, and is
    /// added to `tried`, so that each task is looked at once in a session.
    ///
    /// Nothing is taken up for a device whose record is suspended or retired.
    pub fn take_up(&mut self, answered: &DeviceId, tried: &mut Vec<TaskId>, session: &str) -> Option<TaskId> {
        if !self.record.management_state.takes_operations() {
            return None;
        }
        loop {
            let index =
                self.contact.tasks.iter().position(|open| {
                    open.may_run && open.task.is_startable(self.now) && !tried.contains(&open.task.id)
                })?;
            let task = &mut self.contact.tasks[index].task;
            tried.push(task.id);
            task.actual = Some(answered.clone());
            if task.advance(TaskEvent::Connected, self.now).is_err() {
                continue;
            }
            let (id, job) = (task.id, task.job);
            let admitted = task.policy.admits(task.expected.as_ref(), answered);
            self.changed.push(id);
            self.running_jobs.extend(job);
            self.note(id, "SessionOpened", Some(format!("session {session}")), DEVICE);
            if admitted {
                self.reached.push(id);
                self.adopt_identity(id, answered);
                return Some(id);
            }
            self.refuse_other_device(id, answered);
        }
    }

    /// A pass with another device than the record says changes the record.
    fn adopt_identity(&mut self, id: TaskId, answered: &DeviceId) {
        if self.record.device_id.as_ref() == Some(answered) {
            return;
        }
        let before = self.record.device_id.replace(answered.clone());
        self.record_changed = true;
        if let Some(before) = before {
            self.note(id, "DeviceChanged", Some(format!("{before} answers as {answered}")), DEVICE);
        }
    }

    fn refuse_other_device(&mut self, id: TaskId, answered: &DeviceId) {
        let Some(task) = self.task_mut(id) else { return };
        let expected = task.expected.as_ref().map_or("no device".to_owned(), ToString::to_string);
        let policy = i32::from(task.policy);
        let detail = match task.policy {
            AcceptDevicePolicy::SameTac if task.expected.is_none() => {
                format!("{answered} answered; policy {policy} needs an expected device to compare it with")
            }
            _ => format!("{answered} answered, {expected} was expected, and policy {policy} does not allow it"),
        };
        self.end(id, Ending::Failed, "DeviceMismatch", detail);
    }

    /// The task with this identifier, for the adapter's own fields (plan, results, counters).
    pub fn task_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        let open = self.contact.tasks.iter_mut().find(|open| open.task.id == id)?;
        if !self.changed.contains(&id) {
            self.changed.push(id);
        }
        Some(&mut open.task)
    }

    /// Tasks that this message changed.
    pub fn changed_tasks(&self) -> impl Iterator<Item = &Task> {
        self.contact.tasks.iter().map(|open| &open.task).filter(|task| self.changed.contains(&task.id))
    }

    /// The task with this identifier, if it is known here.
    #[must_use]
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        self.contact.tasks.iter().find(|open| open.task.id == id).map(|open| &open.task)
    }

    /// Whether something more of this task may be sent: nothing is of a job that is paused or being cancelled, nor
    /// after the end time. A yes counts only if the job still runs when the step is applied.
    pub fn may_go_on(&mut self, id: TaskId) -> bool {
        let now = self.now;
        let Some(open) = self.contact.tasks.iter().find(|open| open.task.id == id) else { return false };
        let may = open.may_run && now < open.task.end_at;
        if may {
            // Only a yes needs the job to be as it was: under this condition, a no could never be stored.
            self.running_jobs.extend(open.task.job);
        }
        may
    }

    /// Takes a task through one event of its life, and notes it. An event that is not possible is left out: what the
    /// device says late changes no status (contract, section 4).
    pub fn advance(&mut self, id: TaskId, event: TaskEvent, name: &str, detail: Option<String>) {
        let now = self.now;
        let Some(task) = self.task_mut(id) else { return };
        if task.advance(event, now).is_ok() {
            self.note(id, name, detail, DEVICE);
        }
    }

    /// Ends the attempt at a task.
    pub fn end(&mut self, id: TaskId, ending: Ending, name: &str, detail: String) {
        let now = self.now;
        let Some(task) = self.task_mut(id) else { return };
        let advanced = match ending {
            Ending::Done => task.advance(TaskEvent::Done, now),
            Ending::Declined => task.advance(TaskEvent::UserDeclined, now),
            Ending::GivenUp => task.advance(TaskEvent::GivenUp, now),
            Ending::Failed => task.fail_attempt(now),
        };
        if advanced.is_err() {
            return;
        }
        task.detail = Some(detail.clone());
        let status = task.status;
        self.note(id, name, Some(detail), DEVICE);
        if status == TaskStatus::RetryWait {
            let start_at = self.task(id).map(|task| task.start_at).unwrap_or(now);
            self.note(
                id,
                "RetryPlanned",
                Some(format!("not before {start_at}, unless the device connects by itself")),
                SERVER,
            );
        }
    }

    /// Whether the end time of a task has come although it is not final.
    #[must_use]
    pub fn is_over(&self, id: TaskId) -> bool {
        self.task(id).is_some_and(|task| !task.status.is_final() && task.end_at <= self.now)
    }

    /// Ends a task whose end time has come, without waiting for the background to find it.
    pub fn expire(&mut self, id: TaskId) {
        let now = self.now;
        let Some(task) = self.task_mut(id) else { return };
        if task.advance(TaskEvent::TimeOver, now).is_ok() {
            let detail = "the end time passed before the operation completed".to_owned();
            task.detail = Some(detail.clone());
            self.note(id, "Expired", Some(detail), SERVER);
        }
    }

    /// Breaks an attempt off because the task's job holds it. It does not count: nothing failed.
    pub fn hold(&mut self, id: TaskId) {
        let now = self.now;
        let Some(task) = self.task_mut(id) else { return };
        let mut held = task.clone();
        held.attempts = held.attempts.saturating_sub(1);
        if held.fail_attempt(now).is_ok() {
            *task = held;
            self.note(id, "Held", Some("the job of the task does not let it go on".to_owned()), SERVER);
        }
    }

    /// Notes something in a task's history.
    pub fn note(&mut self, id: TaskId, event: &str, detail: Option<String>, actor: &str) {
        let now = self.now;
        if let Some(task) = self.task_mut(id) {
            task.updated_at = now;
            let entry = task.note(now, event, detail, actor);
            self.history.push(entry);
        }
    }

    /// Ends the encounter: what is to be stored. `dialogue` is the session from now on.
    #[must_use]
    pub fn into_step(self, dialogue: DialogueState) -> ContactStep {
        let Self { contact, mut state, record, record_changed, changed, history, reached, running_jobs, .. } = self;
        state.dialogue = Some(dialogue);
        ContactStep {
            device: contact.device.oid,
            revision: contact.state.revision,
            seen_before: contact.state.last_seen_at,
            state,
            record: record_changed.then_some(record),
            tasks: contact.tasks.into_iter().map(|open| open.task).filter(|task| changed.contains(&task.id)).collect(),
            history,
            reached,
            running_jobs,
            trace: None,
        }
    }
}

/// What is to be stored before a device is sent a notification made with the nonce for devices that lost theirs: from
/// then on it may prove who it is with that nonce, once.
///
/// Source: OMA DM Security 1.2, "Nonce resynchronisation".
#[must_use]
pub fn resynchronised(contact: &Contact) -> ContactStep {
    ContactStep {
        device: contact.device.oid,
        revision: contact.state.revision,
        seen_before: contact.state.last_seen_at,
        state: ContactState { resync: true, ..contact.state.clone() },
        record: None,
        tasks: Vec::new(),
        history: Vec::new(),
        reached: Vec::new(),
        running_jobs: Vec::new(),
        trace: None,
    }
}

/// What becomes of a device whose session has been silent for too long: the session ends, and with it the attempt at
/// the task it was carrying out. Nothing if no session is open.
#[must_use]
pub fn lost(contact: Contact, now: Timestamp) -> Option<ContactStep> {
    let mut dialogue = contact.state.dialogue.clone().filter(|dialogue| !dialogue.ended)?;
    let recorded = trace::recorded(&contact, now);
    let mut encounter = Encounter::new(contact, now);
    if let Some(task) = dialogue.task.take() {
        encounter.end(task, Ending::Failed, "SessionLost", SILENT.to_owned());
    }
    dialogue.ended = true;
    dialogue.state = Vec::new();
    let session_id = dialogue.session_id.clone();
    let mut step = encounter.into_step(dialogue);
    step.trace = recorded.map(|recorded| TraceStep {
        device: step.device,
        session_id,
        msg_id: None,
        at: now,
        recorded,
        is_let_in: true,
        is_repetition: false,
        ending: Some(SILENT.to_owned()),
        messages: Vec::new(),
    });
    Some(step)
}
