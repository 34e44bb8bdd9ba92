//! IBulkOperationsManagerServices.

use muster_broker::device::ManagementState;
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::job::JobStatus;
use muster_broker::progress::Certainty;
use muster_broker::rollout::WaveState;
use muster_broker::task::TaskStatus;
use muster_broker::time::Timestamp;

use super::deployment_broker::{Callback, NameValue, OperationArguments, RejectedRequest, Schedule, TaskData};
use super::record::record;
use super::session::UserSession;
use super::value::AcceptDevicePolicy;

record! {
    /// Creates bulk jobs, one for each deployment.
    CreateDeployments {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Deployments, at most 100.
        "deployment" deployment: some Deployment,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Retrieves the list of jobs.
    GetJobs {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Only jobs in one of these states.
        "status" status: many JobStatus,
        /// Only jobs of this user or External System.
        "owner" owner: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
        /// Expression of the filter language over the fields of jobs, at most 4096 octets; it must hold besides.
        "filterExpression" filter_expression: opt String,
    }

    /// Retrieves the jobs created in a date range.
    GetJobsByDate {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Created at this time or later; UTC.
        "fromDate" from_date: one Timestamp,
        /// Created before this time; UTC.
        "toDate" to_date: one Timestamp,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Retrieves one job.
    GetJobById {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Job identifier.
        "jobId" job_id: one String,
    }

    /// Retrieves the tasks within a job, or the tasks of a device.
    GetTasks {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Job identifier; or give deviceID, phoneNumber, createdSince or filterExpression.
        "jobId" job_id: opt String,
        /// Only tasks in one of these states.
        "status" status: many TaskStatus,
        /// Which part of the list.
        "page" page: opt PageRequest,
        /// Only tasks of this device, in a job or on their own.
        "deviceID" device_id: opt DeviceId,
        /// Only tasks addressed to this number.
        "phoneNumber" phone_number: opt Msisdn,
        /// Only tasks made at this time or later; UTC.
        "createdSince" created_since: opt Timestamp,
        /// Expression of the filter language over the fields of tasks, at most 4096 octets; it must hold besides.
        "filterExpression" filter_expression: opt String,
    }

    /// Retrieves the task details for a job, or for one task.
    GetTaskHistory {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Job identifier; may be left out where taskId is given.
        "jobId" job_id: opt String,
        /// Only this task.
        "taskId" task_id: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Cancels a job and every task of it that is not final.
    CancelJob {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Job identifier.
        "jobId" job_id: one String,
        /// Text for the history.
        "reason" reason: opt String,
    }

    /// Cancels a task, within a job or on its own.
    CancelTask {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Task identifier.
        "taskId" task_id: one String,
        /// Text for the history.
        "reason" reason: opt String,
    }

    /// Pauses a job: no new task is started.
    PauseJob {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Job identifier.
        "jobId" job_id: one String,
        /// Text for the history.
        "reason" reason: opt String,
    }

    /// Restarts a paused job; with retryFailed, also a finished one.
    RestartJob {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Job identifier.
        "jobId" job_id: one String,
        /// True to run failed, expired and cancelled tasks again; false when left out.
        "retryFailed" retry_failed: opt bool,
        /// Text for the history.
        "reason" reason: opt String,
    }

    /// Lets the next wave of a job begin: of one that waits at a manual gate, or of one that was paused because a wave
    /// did not go well.
    ReleaseWave {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Job identifier.
        "jobId" job_id: one String,
        /// Text for the history.
        "reason" reason: opt String,
    }
}

record! {
    /// Which part of a long list is wanted.
    PageRequest {
        /// Most entries to return, 1 to 1000; 100 when left out.
        "pageSize" page_size: opt i32,
        /// nextPageToken of the previous answer; left out for the first page.
        "pageToken" page_token: opt String,
    }

    /// One operation on a set of devices.
    Deployment {
        /// Short name for people.
        "name" name: one String,
        /// Longer text.
        "description" description: opt String,
        /// Operation name.
        "operation" operation: one String,
        /// Which devices.
        "devices" devices: one DeviceSelector,
        /// True for user interaction, false for background.
        "bOptin" opt_in: one bool,
        /// Policy for unexpected device responses.
        "acceptDevicePolicy" accept_device_policy: one AcceptDevicePolicy,
        /// True if this is a test cycle.
        "testCycle" test_cycle: one bool,
        /// What the operation works on.
        "arguments" arguments: opt OperationArguments,
        /// When and how fast.
        "schedule" schedule: opt Schedule,
        /// 1 (lowest) to 9 (highest); 5 when left out.
        "priority" priority: opt i32,
        /// Where to report the end of the job.
        "callback" callback: opt Callback,
        /// Caller's idempotency key.
        "requestId" request_id: opt String,
    }

    /// Which devices a deployment is for. The kinds add up; criteria within one kind must all hold.
    DeviceSelector {
        /// Devices by MSISDN.
        "phoneNumber" phone_number: many Msisdn,
        /// Devices by identifier.
        "deviceID" device_id: many DeviceId,
        /// Every device of these makes, models and firmware versions.
        "deviceCapabilityOid" device_capability_oid: many String,
        /// Every device that matches; a filter without any criterion is refused.
        "filter" filter: opt DeviceFilter,
        /// True to address every device of the domain. It must be said: without it an empty selector is refused,
        /// never read as all.
        "allDevices" all_devices: opt bool,
    }

    /// Criteria for device records; those given must all hold.
    DeviceFilter {
        /// Exact manufacturer.
        "manufacturer" manufacturer: opt String,
        /// Exact model.
        "model" model: opt String,
        /// Exact firmware version.
        "firmwareVersion" firmware_version: opt String,
        /// Life cycle state.
        "managementState" management_state: opt ManagementState,
        /// Name of a device group.
        "group" group: opt String,
        /// Last session earlier than this; UTC.
        "lastSeenBefore" last_seen_before: opt Timestamp,
        /// Last session at this time or later; UTC.
        "lastSeenSince" last_seen_since: opt Timestamp,
        /// Exact values of further attributes.
        "attribute" attribute: many NameValue,
    }

    /// Jobs made from a list of deployments.
    DeploymentReceipt {
        /// Jobs, in the order of the accepted deployments.
        "jobId" job_id: many String,
        /// Deployments that were not accepted.
        "rejected" rejected: many RejectedRequest,
    }

    /// A page of jobs.
    JobList {
        /// Jobs, newest first.
        "job" job: many JobData,
        /// Number of jobs in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// A bulk job: a set of tasks made from one deployment or one bulk request.
    JobData {
        /// Identifier.
        "jobId" job_id: one String,
        /// Short name.
        "name" name: one String,
        /// Longer text.
        "description" description: opt String,
        /// Operation name; absent where the entries differ.
        "operation" operation: opt String,
        /// Status.
        "status" status: one JobStatus,
        /// Explanation in English.
        "statusDetail" status_detail: opt String,
        /// User or External System that made it.
        "owner" owner: one String,
        /// Whether this is a test cycle.
        "testCycle" test_cycle: one bool,
        /// Creation; UTC.
        "createdAt" created_at: one Timestamp,
        /// Planned or actual start; UTC.
        "startTime" start_time: opt Timestamp,
        /// Planned end; UTC.
        "endTime" end_time: opt Timestamp,
        /// Entry into a final state; UTC.
        "finishedAt" finished_at: opt Timestamp,
        /// Number of tasks by status; a status without tasks is left out.
        "taskCount" task_count: many TaskCount,
        /// When and how fast.
        "schedule" schedule: opt Schedule,
        /// The waves and how far they have come, once every task is made; absent without waves.
        "waveProgress" wave_progress: many WaveProgress,
        /// Why tasks ended without success and why devices got none, most first; not in lists.
        "reason" reason: many ReasonCount,
        /// How fast it goes and when it may end; only in answers of getJobById.
        "progress" progress: opt JobProgress,
        /// What a test cycle came to, once it has ended; only in answers of getJobById.
        "rehearsal" rehearsal: opt Rehearsal,
    }

    /// Number of tasks that ended for one reason, or of devices that got no task for it.
    ReasonCount {
        /// Status in which the tasks ended; absent for devices that got no task.
        "status" status: opt TaskStatus,
        /// Reason in English, without what belongs to one device. At most 100 are told apart.
        "text" text: one String,
        /// Number.
        "count" count: one i64,
    }

    /// How fast a job goes and when it may end, as if the tasks that remain went like those before.
    JobProgress {
        /// Tasks that are final.
        "finishedCount" finished_count: one i64,
        /// Tasks that are not; more may be made while the job begins.
        "remainingCount" remaining_count: one i64,
        /// Tasks that would be finished in an hour at the rate of the last minutes; absent while nothing was finished.
        "tasksPerHour" tasks_per_hour: opt i64,
        /// Minutes in which that was seen, at most 15.
        "observedMinutes" observed_minutes: one i32,
        /// Hardly ends before this; absent where nothing is known; UTC.
        "earliestEnd" earliest_end: opt Timestamp,
        /// Hardly ends after this, and never after the end time; UTC.
        "latestEnd" latest_end: opt Timestamp,
        /// How sure that is.
        "certainty" certainty: one Certainty,
        /// What it follows from, in English.
        "basis" basis: one String,
    }

    /// What a test cycle tells of the job that it stands for.
    Rehearsal {
        /// Devices that would be sent the operation.
        "reachedCount" reached_count: one i64,
        /// Devices that were named or match, and would not; reason tells why.
        "leftOutCount" left_out_count: one i64,
        /// Sizes of the waves that they come to, first to last.
        "waveSize" wave_size: many i64,
        /// How long it takes at least at the rates, windows and waves of the schedule, in seconds; absent where it has
        /// none, and where no end is found.
        "leastDurationSeconds" least_duration_seconds: opt i64,
        /// Whether it could end before the end time.
        "endsInTime" ends_in_time: one bool,
        /// Whether a person has to let a wave begin, which takes as long as it takes.
        "manualGate" manual_gate: one bool,
    }

    /// How far one wave of a job has come.
    WaveProgress {
        /// Place of the wave, counted from 1.
        "number" number: one i32,
        /// State.
        "state" state: one WaveState,
        /// Number of its tasks when the waves were cut.
        "size" size: one i64,
        /// Number of tasks by status, of those that were let go; a status without tasks is left out.
        "taskCount" task_count: many TaskCount,
        /// Beginning; only of the wave under way; UTC.
        "startTime" start_time: opt Timestamp,
        /// End of the time in which it is watched; only while it is; UTC.
        "soaksUntil" soaks_until: opt Timestamp,
    }

    /// Number of tasks in one status.
    TaskCount {
        /// Status.
        "status" status: one TaskStatus,
        /// Number of tasks.
        "count" count: one i64,
    }

    /// A page of tasks.
    TaskList {
        /// Tasks, oldest first.
        "task" task: many TaskData,
        /// Number of tasks in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// A page of task details.
    TaskHistory {
        /// Steps, oldest first.
        "entry" entry: many TaskHistoryEntry,
        /// Number of entries in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// One step in the life of a task.
    TaskHistoryEntry {
        /// Task.
        "taskId" task_id: one String,
        /// When; UTC.
        "at" at: one Timestamp,
        /// Status entered or kept.
        "status" status: one TaskStatus,
        /// Short name of what happened, for example NotificationSent, SessionOpened, AlertReceived.
        "event" event: one String,
        /// Explanation in English.
        "detail" detail: opt String,
        /// User, External System or component that caused it.
        "actor" actor: opt String,
        /// Device concerned.
        "deviceID" device_id: opt DeviceId,
    }
}
