//! IDeploymentBrokerServices.

use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::task::TaskStatus;
use muster_broker::time::Timestamp;

use super::record::record;
use super::session::UserSession;
use super::value::{AcceptDevicePolicy, AnyUri, DayTime, Secret};

record! {
    /// Bootstraps a single device, or several as a bulk job.
    DoBootstrap {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Full MSISDN; more than one makes a job.
        "phoneNumber" phone_number: some Msisdn,
        /// True for user interaction, false for background.
        "bOptin" opt_in: one bool,
        /// Policy for unexpected device responses.
        "acceptDevicePolicy" accept_device_policy: one AcceptDevicePolicy,
        /// True if this is a test cycle.
        "testCycle" test_cycle: one bool,
        /// Expected device; only with a single phoneNumber.
        "deviceID" device_id: opt DeviceId,
        /// Profile to deliver; the domain's default when left out.
        "bootstrapProfile" bootstrap_profile: opt String,
        /// DM-NETWPIN, DM-USERPIN, CP-NETWPIN, CP-USERPIN, CP-USERNETWPIN or CP-USERPINMAC; chosen from the
        /// device's capabilities when left out.
        "bootstrapMethod" bootstrap_method: opt String,
        /// PIN the user will be asked for, with the USERPIN methods.
        "userPin" user_pin: opt Secret,
        /// Where to report the end of the task.
        "callback" callback: opt Callback,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
        /// When to start, until when to try and how often; the fields about jobs (maxConcurrentTasks,
        /// tasksPerMinute, failureThresholdPercent) do not count for a single task.
        "schedule" schedule: opt Schedule,
    }

    /// Updates or queries a device. Returns at once with the task identifier; the operation itself goes on.
    DoOperation {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Operation name, for example UPDATE.
        "operation" operation: one String,
        /// Full MSISDN; may be left out where deviceID is given.
        "phoneNumber" phone_number: opt Msisdn,
        /// True for user interaction, false for background.
        "bOptin" opt_in: one bool,
        /// Policy for unexpected device responses.
        "acceptDevicePolicy" accept_device_policy: one AcceptDevicePolicy,
        /// True if this is a test cycle: everything is checked and recorded, nothing is sent to a device.
        "testCycle" test_cycle: one bool,
        /// Expected device.
        "deviceID" device_id: opt DeviceId,
        /// What the operation works on.
        "arguments" arguments: opt OperationArguments,
        /// Where to report the end of the task.
        "callback" callback: opt Callback,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
        /// When to start, until when to try and how often; the fields about jobs (maxConcurrentTasks,
        /// tasksPerMinute, failureThresholdPercent) do not count for a single task.
        "schedule" schedule: opt Schedule,
    }

    /// As doOperation, for an array of requests. The entries are accepted or rejected one by one.
    DoBulkOperation {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Requests, at most 1000.
        "request" request: some OperationRequest,
        /// Short name of the job.
        "name" name: opt String,
        /// When and how fast.
        "schedule" schedule: opt Schedule,
        /// Where to report the end of the task.
        "callback" callback: opt Callback,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Returns a task, so that its progress can be followed.
    GetTaskById {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Task identifier.
        "taskId" task_id: one String,
    }

    /// Lists the operations this server can carry out.
    GetOperationDefinitions {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
    }
}

record! {
    /// Where an External System wants results and notifications delivered. The address must be one the External
    /// System is allowed to use.
    Callback {
        /// https URL that serves INotificationConsumer.
        "address" address: one AnyUri,
        /// Free text given back with every delivery.
        "reference" reference: opt String,
        /// 1.1 (default) or 1.2.
        "soapVersion" soap_version: opt String,
    }

    /// When a deployment runs and how fast.
    Schedule {
        /// Start; at once when left out; UTC.
        "startTime" start_time: opt Timestamp,
        /// Tasks not finished by then become EXPIRED; seven days after the start when left out; UTC.
        "endTime" end_time: opt Timestamp,
        /// Tasks start only after this time of day.
        "dailyWindowStart" daily_window_start: opt DayTime,
        /// Tasks start only before this time of day; may lie past midnight.
        "dailyWindowEnd" daily_window_end: opt DayTime,
        /// IANA time zone of the daily window; UTC when left out.
        "timeZone" time_zone: opt String,
        /// Most tasks under way at once.
        "maxConcurrentTasks" max_concurrent_tasks: opt i32,
        /// Most tasks started in a minute.
        "tasksPerMinute" tasks_per_minute: opt i32,
        /// Most attempts for each task; 3 when left out.
        "maxAttempts" max_attempts: opt i32,
        /// Pause before the second attempt, in seconds, doubled for each further one; 60 when left out. A device
        /// that connects by itself ends the pause.
        "retryDelaySeconds" retry_delay_seconds: opt i32,
        /// The job stops when more than this share of finished tasks failed.
        "failureThresholdPercent" failure_threshold_percent: opt i32,
        /// Waves of a job, first to last; every device at once when left out. What they leave over comes last, as a wave
        /// like the last one given.
        "wave" wave: many Wave,
        /// Tasks start only while one of these windows is open; at any time when left out. A task that has started is not
        /// interrupted at the end.
        "maintenanceWindow" maintenance_window: many MaintenanceWindow,
    }

    /// A time in which devices may be worked on, again and again. When clocks go forward, a beginning inside the hour that
    /// is skipped is at the end of that hour; when they go back, a beginning inside the hour that comes twice is in the
    /// first of the two alone. The duration is never changed by either.
    MaintenanceWindow {
        /// When it begins, by the wall clock: minute, hour, day of the month, month and day of the week, as in cron.
        /// Two o'clock on working days is 0 2 * * MON-FRI.
        "cron" cron: one String,
        /// How long it is open, in seconds, 60 to 604800.
        "durationSeconds" duration_seconds: one i32,
        /// IANA time zone, for example Europe/Berlin; UTC when left out.
        "timeZone" time_zone: opt String,
        /// True if the time zone of the device goes before, where the attribute timeZone of its record names one; false
        /// when left out.
        "deviceTimeZone" device_time_zone: opt bool,
    }

    /// Some of the devices of a job, which come before the others. The next wave begins once this one has met its
    /// condition. Which devices are in it follows from job and device, as if by lot.
    Wave {
        /// Number of devices; or give percent.
        "count" count: opt i32,
        /// Share of the devices of the job, 1 to 100, rounded up; or give count.
        "percent" percent: opt i32,
        /// The condition is met once this share of the wave succeeded; once each of its tasks is final when left out.
        /// When it can no longer be met, the job is paused.
        "successThresholdPercent" success_threshold_percent: opt i32,
        /// The job is paused when more than this share of the finished tasks of the wave failed.
        "failureThresholdPercent" failure_threshold_percent: opt i32,
        /// Neither threshold counts before so many tasks of the wave are finished; 0 when left out.
        "minObserved" min_observed: opt i32,
        /// How long the wave is watched for failures once it has met its condition, in seconds; 0 when left out.
        "soakSeconds" soak_seconds: opt i32,
        /// How long it takes until every task of the wave is let go, in seconds, evenly; at once when left out.
        "rampSeconds" ramp_seconds: opt i32,
        /// True if the next wave then waits for releaseWave; false when left out.
        "manualGate" manual_gate: opt bool,
    }

    /// What an operation works on. Which of them are needed depends on the operation; getOperationDefinitions
    /// tells.
    OperationArguments {
        /// Nodes to read (path only) or to write (path and value).
        "parameter" parameter: many Parameter,
        /// Content package to install.
        "packageId" package_id: opt String,
        /// Software component identifier, for component operations.
        "componentId" component_id: opt String,
        /// Further arguments by name.
        "option" option: many NameValue,
    }

    /// A management tree node in a request or a result.
    Parameter {
        /// Node URI in the management tree, for example ./DevDetail/SwV, or an alias known to the server.
        "path" path: one String,
        /// Node value as text; base64 text when format is bin.
        "value" value: opt String,
        /// OMA DM format: chr, int, bool, bin, float, date, time, node, null or xml; chr when left out.
        "format" format: opt String,
        /// MIME type of the value.
        "type" media_type: opt String,
        /// In results: the OMA DM status code the device gave for this node.
        "status" status: opt i32,
    }

    /// A name and its text value.
    NameValue {
        /// Name.
        "name" name: one String,
        /// Value; may be empty.
        "value" value: one String,
    }

    /// One entry of a bulk operation; the same fields as doOperation.
    OperationRequest {
        /// Operation name.
        "operation" operation: one String,
        /// Full MSISDN; may be left out where deviceID is given.
        "phoneNumber" phone_number: opt Msisdn,
        /// True for user interaction, false for background.
        "bOptin" opt_in: one bool,
        /// Policy for unexpected device responses.
        "acceptDevicePolicy" accept_device_policy: one AcceptDevicePolicy,
        /// True if this is a test cycle: everything is checked and recorded, nothing is sent to a device.
        "testCycle" test_cycle: one bool,
        /// Expected device.
        "deviceID" device_id: opt DeviceId,
        /// What the operation works on.
        "arguments" arguments: opt OperationArguments,
        /// Caller's idempotency key for this entry.
        "requestId" request_id: opt String,
    }

    /// An entry of a bulk request that was not accepted.
    RejectedRequest {
        /// Position of the entry in the request, counted from 0.
        "index" index: one i32,
        /// Fault code, as in ServiceException.
        "messageId" message_id: one String,
        /// Explanation in English.
        "text" text: one String,
    }

    /// What an accepted request became.
    OperationReceipt {
        /// Job, where the request made more than one task.
        "jobId" job_id: opt String,
        /// Tasks, in the order of the accepted entries.
        "taskId" task_id: many String,
        /// Entries that were not accepted.
        "rejected" rejected: many RejectedRequest,
    }

    /// A task: one operation on one device. Older texts call this object TaskTransport.
    TaskData {
        /// Identifier.
        "taskId" task_id: one String,
        /// Job the task belongs to, if any.
        "jobId" job_id: opt String,
        /// Status; this is what getStatus() returns.
        "status" status: one TaskStatus,
        /// Explanation in English.
        "statusDetail" status_detail: opt String,
        /// Operation name.
        "operation" operation: one String,
        /// Full MSISDN.
        "phoneNumber" phone_number: opt Msisdn,
        /// Device that was expected.
        "deviceID" device_id: opt DeviceId,
        /// Device that answered.
        "actualDeviceID" actual_device_id: opt DeviceId,
        /// Whether this is a test cycle.
        "testCycle" test_cycle: one bool,
        /// Attempts made so far.
        "attempts" attempts: one i32,
        /// 0 to 100, where known.
        "progressPercent" progress_percent: opt i32,
        /// Result code the device reported: OMA DM status, or FUMO or SCOMO result code.
        "resultCode" result_code: opt i32,
        /// Nodes read or written, with their status.
        "result" result: many Parameter,
        /// Acceptance; UTC.
        "createdAt" created_at: one Timestamp,
        /// Last change; UTC.
        "updatedAt" updated_at: one Timestamp,
        /// Entry into a final state; UTC.
        "finishedAt" finished_at: opt Timestamp,
        /// Peer server the task was forwarded to.
        "forwardedTo" forwarded_to: opt String,
        /// Task identifier at that peer.
        "remoteTaskId" remote_task_id: opt String,
    }

    /// Operations the server can carry out.
    OperationDefinitionList {
        /// Operations, by name.
        "operationDefinition" operation_definition: many OperationDefinition,
        /// Number of operations; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
    }

    /// One operation the server can carry out.
    OperationDefinition {
        /// Name to pass to doOperation, for example UPDATE.
        "operation" operation: one String,
        /// What it does.
        "description" description: one String,
        /// Management object the device must support, as a URN.
        "requiredCapability" required_capability: opt String,
        /// Arguments it takes.
        "argument" argument: many OperationArgument,
        /// Whether carrying it out makes a charging record.
        "chargeable" chargeable: one bool,
    }

    /// One argument of an operation definition.
    OperationArgument {
        /// parameter, packageId, componentId or the name of an option.
        "name" name: one String,
        /// Meaning and unit.
        "description" description: one String,
        /// Whether the operation is refused without it.
        "required" required: one bool,
    }
}
