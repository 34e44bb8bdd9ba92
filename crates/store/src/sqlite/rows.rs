//! Rows to values and back: the one place that knows how a value is written in a column.

use muster_broker::device::{AuthType, Device, DmAccount, ManagementState, Sealed};
use muster_broker::fault::Fault;
use muster_broker::id::{Bucket, CapabilityOid, DeviceOid, JobId, TaskId};
use muster_broker::job::{Expansion, Hold, Job, JobStatus};
use muster_broker::operation::{Arguments, Operation};
use muster_broker::policy::AcceptDevicePolicy;
use muster_broker::schedule::Schedule;
use muster_broker::store::{DialogueState, StoreError};
use muster_broker::task::{HistoryEntry, Task, TaskStatus};
use muster_broker::time::Timestamp;
use rusqlite::types::FromSql;
use rusqlite::{ErrorCode, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::approvals::class;

/// Why something in the database did not go through.
#[derive(Debug)]
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Broken(String),
    /// As `Broken`, and nothing was written before it was found.
    Refused(String),
    /// A rule does not admit it: what was written is undone, and the caller is told.
    Denied(Box<Fault>),
}

pub(super) type Done<T> = Result<T, Failure>;

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(format!("a stored value cannot be read: {error}"))
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(reason) | Failure::Refused(reason) => Self::Broken { reason },
            Failure::Denied(fault) => Self::Denied(fault),
            Failure::Sqlite(error) => {
                let reason = error.to_string();
                match error.sqlite_error_code() {
                    Some(
                        ErrorCode::DiskFull
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::OutOfMemory
                        | ErrorCode::CannotOpen
                        | ErrorCode::ReadOnly
                        | ErrorCode::OperationInterrupted,
                    ) => Self::Unavailable { reason },
                    _ => Self::Broken { reason },
                }
            }
        }
    }
}

/// A state's number is its place here; places never change.
const TASK_STATUS: [TaskStatus; 12] = [
    TaskStatus::Scheduled,
    TaskStatus::Notifying,
    TaskStatus::AwaitingUser,
    TaskStatus::InProgress,
    TaskStatus::AwaitingDevice,
    TaskStatus::RetryWait,
    TaskStatus::Paused,
    TaskStatus::Succeeded,
    TaskStatus::Failed,
    TaskStatus::Rejected,
    TaskStatus::Cancelled,
    TaskStatus::Expired,
];

/// As [`TASK_STATUS`].
const JOB_STATUS: [JobStatus; 7] = [
    JobStatus::Scheduled,
    JobStatus::Running,
    JobStatus::Paused,
    JobStatus::Cancelling,
    JobStatus::Completed,
    JobStatus::Cancelled,
    JobStatus::Stopped,
];

/// As [`TASK_STATUS`].
const HOLD: [Hold; 3] = [Hold::None, Hold::Counting, Hold::Waiting];

/// As [`TASK_STATUS`].
const MANAGEMENT_STATE: [ManagementState; 5] = [
    ManagementState::Known,
    ManagementState::Bootstrapped,
    ManagementState::Managed,
    ManagementState::Suspended,
    ManagementState::Retired,
];

/// As [`TASK_STATUS`].
const AUTH_TYPE: [AuthType; 3] = [AuthType::Basic, AuthType::Digest, AuthType::Hmac];

pub(super) fn number_in<T: PartialEq>(table: &[T], value: &T) -> i64 {
    table.iter().position(|known| known == value).and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)
}

pub(super) fn value_in<T: Copy>(table: &[T], number: i64) -> Done<T> {
    usize::try_from(number)
        .ok()
        .and_then(|place| table.get(place).copied())
        .ok_or_else(|| Failure::Broken(format!("{number} is no state that this version knows")))
}

pub(super) fn task_status_number(status: TaskStatus) -> i64 {
    number_in(&TASK_STATUS, &status)
}

pub(super) fn task_status(number: i64) -> Done<TaskStatus> {
    value_in(&TASK_STATUS, number)
}

pub(super) fn job_status_number(status: JobStatus) -> i64 {
    number_in(&JOB_STATUS, &status)
}

pub(super) fn job_status(number: i64) -> Done<JobStatus> {
    value_in(&JOB_STATUS, number)
}

pub(super) fn hold_number(hold: Hold) -> i64 {
    number_in(&HOLD, &hold)
}

pub(super) fn hold(number: i64) -> Done<Hold> {
    value_in(&HOLD, number)
}

pub(super) fn management_state_number(state: ManagementState) -> i64 {
    number_in(&MANAGEMENT_STATE, &state)
}

pub(super) fn auth_type_number(auth: AuthType) -> i64 {
    number_in(&AUTH_TYPE, &auth)
}

/// JSON of a value, or nothing where it is the default: most rows have none, and stay small.
pub(super) fn json_unless_default<T: Serialize + Default + PartialEq>(value: &T) -> Done<Option<String>> {
    if *value == T::default() { Ok(None) } else { Ok(Some(serde_json::to_string(value)?)) }
}

/// A text type with a private field, from its stored form.
fn text_type<T: DeserializeOwned>(text: String) -> Done<T> {
    Ok(T::deserialize(serde::de::value::StringDeserializer::<serde_json::Error>::new(text))?)
}

/// Reads the columns of a row from left to right.
pub(super) struct Cells<'r> {
    row: &'r Row<'r>,
    at: usize,
}

impl<'r> Cells<'r> {
    pub(super) fn new(row: &'r Row<'r>) -> Self {
        Self { row, at: 0 }
    }

    pub(super) fn get<T: FromSql>(&mut self) -> Done<T> {
        let value = self.row.get(self.at)?;
        self.at += 1;
        Ok(value)
    }

    pub(super) fn time(&mut self) -> Done<Timestamp> {
        Ok(Timestamp(self.get()?))
    }

    pub(super) fn maybe_time(&mut self) -> Done<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>()?.map(Timestamp))
    }

    pub(super) fn uuid(&mut self) -> Done<Uuid> {
        Ok(Uuid::from_bytes(self.get()?))
    }

    fn maybe_uuid(&mut self) -> Done<Option<Uuid>> {
        Ok(self.get::<Option<[u8; 16]>>()?.map(Uuid::from_bytes))
    }

    pub(super) fn device_oid(&mut self) -> Done<DeviceOid> {
        Ok(DeviceOid { bucket: Bucket(self.get()?), unique: self.uuid()? })
    }

    pub(super) fn task_id(&mut self) -> Done<TaskId> {
        Ok(TaskId { bucket: Bucket(self.get()?), unique: self.uuid()? })
    }

    pub(super) fn maybe_task_id(&mut self) -> Done<Option<TaskId>> {
        let (bucket, unique): (Option<u16>, _) = (self.get()?, self.maybe_uuid()?);
        Ok(bucket.zip(unique).map(|(bucket, unique)| TaskId { bucket: Bucket(bucket), unique }))
    }

    pub(super) fn maybe_device_oid(&mut self) -> Done<Option<DeviceOid>> {
        let (bucket, unique): (Option<u16>, _) = (self.get()?, self.maybe_uuid()?);
        Ok(bucket.zip(unique).map(|(bucket, unique)| DeviceOid { bucket: Bucket(bucket), unique }))
    }

    pub(super) fn maybe_job(&mut self) -> Done<Option<JobId>> {
        Ok(self.maybe_uuid()?.map(JobId))
    }

    pub(super) fn maybe_text<T: DeserializeOwned>(&mut self) -> Done<Option<T>> {
        self.get::<Option<String>>()?.map(text_type).transpose()
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Done<T> {
        let text = self.row.get_ref(self.at)?.as_str().map_err(|error| Failure::Broken(error.to_string()))?;
        self.at += 1;
        Ok(serde_json::from_str(text)?)
    }

    pub(super) fn json_or_default<T: DeserializeOwned + Default>(&mut self) -> Done<T> {
        if self.row.get_ref(self.at)? == rusqlite::types::ValueRef::Null {
            self.at += 1;
            return Ok(T::default());
        }
        self.json()
    }

    pub(super) fn task_status(&mut self) -> Done<TaskStatus> {
        task_status(self.get()?)
    }

    pub(super) fn job_status(&mut self) -> Done<JobStatus> {
        job_status(self.get()?)
    }

    /// The columns of [`DEVICE`].
    pub(super) fn device(&mut self) -> Done<Device> {
        Ok(Device {
            oid: self.device_oid()?,
            tenant: self.get()?,
            device_id: self.maybe_text()?,
            phone_number: self.maybe_text()?,
            imsi: self.get()?,
            capability: self.maybe_uuid()?.map(CapabilityOid),
            manufacturer: self.get()?,
            model: self.get()?,
            firmware_version: self.get()?,
            software_version: self.get()?,
            management_state: value_in(&MANAGEMENT_STATE, self.get()?)?,
            subscriber_id: self.get()?,
            group: self.json_or_default()?,
            attribute: self.json_or_default()?,
            account: self.account()?,
            version: self.get()?,
            last_seen_at: self.maybe_time()?,
        })
    }

    fn account(&mut self) -> Done<Option<DmAccount>> {
        let auth_type: Option<i64> = self.get()?;
        let (client_name, client_secret) = (self.get::<Option<String>>()?, self.get::<Option<Vec<u8>>>()?);
        let (client_nonce, server_id, server_name) = (self.get()?, self.get()?, self.get()?);
        let (server_secret, server_nonce) = (self.get::<Option<Vec<u8>>>()?, self.get()?);
        let (Some(auth_type), Some(client_name), Some(client_secret)) = (auth_type, client_name, client_secret) else {
            return Ok(None);
        };
        Ok(Some(DmAccount {
            auth_type: value_in(&AUTH_TYPE, auth_type)?,
            client_name,
            client_secret: Sealed(client_secret),
            client_nonce,
            server_id,
            server_name,
            server_secret: server_secret.map(Sealed),
            server_nonce,
        }))
    }

    /// The columns of [`DIALOGUE`].
    pub(super) fn dialogue(&mut self) -> Done<Option<DialogueState>> {
        let session_id: Option<String> = self.get()?;
        let state: Option<Vec<u8>> = self.get()?;
        let (bucket, task): (Option<u16>, Option<Uuid>) = (self.get()?, self.maybe_uuid()?);
        let digest: Option<[u8; 16]> = self.get()?;
        let reply: Option<Vec<u8>> = self.get()?;
        let (touched_at, ended) = (self.maybe_time()?, self.get::<Option<bool>>()?);
        let reply_seal = self.get()?;
        let (Some(session_id), Some(touched_at)) = (session_id, touched_at) else { return Ok(None) };
        Ok(Some(DialogueState {
            session_id,
            state: state.unwrap_or_default(),
            task: bucket.zip(task).map(|(bucket, unique)| TaskId { bucket: Bucket(bucket), unique }),
            request_digest: digest.unwrap_or_default(),
            reply: reply.unwrap_or_default(),
            reply_seal,
            touched_at,
            ended: ended.unwrap_or(true),
        }))
    }

    /// The columns of [`TASK`].
    pub(super) fn task(&mut self) -> Done<Task> {
        Ok(Task {
            id: self.task_id()?,
            tenant: self.get()?,
            owner: self.get()?,
            job: self.maybe_job()?,
            device: self.device_oid()?,
            phone_number: self.maybe_text()?,
            expected: self.maybe_text()?,
            actual: self.maybe_text()?,
            operation: {
                let name: String = self.get()?;
                Operation::parse(&name)
                    .ok_or_else(|| Failure::Broken(format!("{name} is no operation that this version knows")))?
            },
            arguments: self.json_or_default::<Arguments>()?,
            policy: AcceptDevicePolicy::try_from(self.get::<i32>()?)
                .map_err(|error| Failure::Broken(error.to_string()))?,
            opt_in: self.get()?,
            test_cycle: self.get()?,
            priority: self.get()?,
            schedule: self.json_or_default::<Schedule>()?,
            released: self.get::<i64>()? != 0,
            held: self.get()?,
            status: self.task_status()?,
            detail: self.get()?,
            attempts: self.get()?,
            start_at: self.time()?,
            end_at: self.time()?,
            plan: self.get()?,
            result: self.json_or_default()?,
            result_code: self.get()?,
            messages: self.get()?,
            created_at: self.time()?,
            updated_at: self.time()?,
            finished_at: self.maybe_time()?,
            history_len: self.get()?,
            version: self.get()?,
            callback: self.json_or_default()?,
        })
    }

    /// The columns of [`HISTORY`].
    pub(super) fn history(&mut self) -> Done<HistoryEntry> {
        Ok(HistoryEntry {
            task: self.task_id()?,
            number: self.get()?,
            job: self.maybe_job()?,
            at: self.time()?,
            status: self.task_status()?,
            event: self.get()?,
            detail: self.get()?,
            actor: self.get()?,
            device: self.maybe_text()?,
        })
    }

    /// The columns of [`JOB`].
    pub(super) fn job(&mut self) -> Done<Job> {
        Ok(Job {
            id: JobId(self.uuid()?),
            tenant: self.get()?,
            owner: self.get()?,
            name: self.get()?,
            description: self.get()?,
            template: self.json()?,
            is_mixed: self.get()?,
            schedule: self.json()?,
            expansion: {
                let selector: Option<String> = self.get()?;
                let after = self.get()?;
                selector
                    .map(|selector| Ok::<_, Failure>(Expansion { selector: serde_json::from_str(&selector)?, after }))
                    .transpose()?
            },
            rollout: self.json_or_default()?,
            hold: hold(self.get()?)?,
            class: self.get::<Option<i64>>()?.map(class).transpose()?,
            status: self.job_status()?,
            detail: self.get()?,
            created_at: self.time()?,
            finished_at: self.maybe_time()?,
            version: self.get()?,
            reach: self.json_or_default()?,
            callback: self.json_or_default()?,
        })
    }
}

/// Columns for [`Cells::device`], from `device d LEFT JOIN contact c`.
pub(super) const DEVICE: &str = "d.bucket, d.oid, d.tenant, d.device_id, d.phone_number, d.imsi, d.capability, \
    d.manufacturer, d.model, d.firmware_version, d.software_version, d.management_state, d.subscriber_id, d.groups, \
    d.attributes, d.auth_type, d.client_name, d.client_secret, d.client_nonce, d.server_id, d.server_name, \
    d.server_secret, d.server_nonce, d.version, c.last_seen_at";

/// Where [`DEVICE`] comes from.
pub(super) const DEVICE_FROM: &str = "device d LEFT JOIN contact c ON c.bucket = d.bucket AND c.oid = d.oid";

/// As [`DEVICE_FROM`] where the phone number is given: without statistics SQLite prefers the index that gives the order,
/// and walks the whole domain.
pub(super) const DEVICE_FROM_PHONE: &str = "device d INDEXED BY device_phone \
    LEFT JOIN contact c ON c.bucket = d.bucket AND c.oid = d.oid";

/// Columns for [`Cells::dialogue`], from `contact c`.
pub(super) const DIALOGUE: &str = "c.session_id, c.state, c.task_bucket, c.task, c.request_digest, c.reply, c.touched_at, c.ended, \
    c.reply_seal";

/// Columns for [`Cells::task`], from `task t`.
pub(super) const TASK: &str = "t.bucket, t.id, t.tenant, t.owner, t.job, t.device_bucket, t.device, t.phone_number, \
    t.expected, t.actual, t.operation, t.arguments, t.policy, t.opt_in, t.test_cycle, t.priority, t.schedule, \
    t.released, t.held, t.status, t.detail, t.attempts, t.start_at, t.end_at, t.plan, t.result, t.result_code, t.messages, \
    t.created_at, t.updated_at, t.finished_at, t.history_len, t.version, t.callback";

/// Columns for [`Cells::history`], from `task_history h`.
pub(super) const HISTORY: &str =
    "h.bucket, h.task, h.number, h.job, h.at, h.status, h.event, h.detail, h.actor, h.device_id";

/// Columns for [`Cells::job`], from `job j`.
pub(super) const JOB: &str = "j.id, j.tenant, j.owner, j.name, j.description, j.template, j.is_mixed, j.schedule, \
    j.selector, j.expand_after, j.rollout, j.hold, j.class, j.status, j.detail, j.created_at, j.finished_at, j.version, j.reach, j.callback";

#[cfg(test)]
mod tests {
    use super::*;

    /// From here on a task is not `is_open`.
    const TASK_FINAL: i64 = 7;

    #[test]
    fn every_state_has_a_number_and_the_final_ones_come_last() {
        for (_, status) in TaskStatus::NAMES {
            let number = task_status_number(*status);
            assert_eq!(task_status(number).ok(), Some(*status));
            assert_eq!(number >= TASK_FINAL, status.is_final(), "{status:?}");
        }
        for (_, status) in JobStatus::NAMES {
            assert_eq!(job_status(job_status_number(*status)).ok(), Some(*status));
        }
        assert!(matches!(task_status(12), Err(Failure::Broken(_))));
        assert!(matches!(task_status(-1), Err(Failure::Broken(_))));
    }
}
