//! IDeviceManagerServices: what devices and the server said to each other.

use muster_broker::identity::DeviceId;
use muster_broker::time::Timestamp;
use muster_broker::trace::TraceDirection;

use super::bulk_operations::PageRequest;
use super::record::record;
use super::session::UserSession;
use super::value::Octets;

record! {
    /// Switches the recording of a device's messages on or off.
    SetDeviceTrace {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Device; or give oid. Both, and they differ: ConflictingArguments.
        "deviceID" device_id: opt DeviceId,
        /// Record identifier, for a record without deviceID.
        "oid" oid: opt String,
        /// True to record the messages of the device, false to stop.
        "enabled" enabled: one bool,
        /// Sessions that are kept, 1 to 100; 10 when left out.
        "sessions" sessions: opt i32,
        /// How long messages are recorded, in seconds, at most 7776000; seven days when left out.
        "durationSeconds" duration_seconds: opt i64,
        /// True to forget what was recorded so far.
        "discard" discard: opt bool,
    }

    /// Returns how a device is recorded, and its recorded sessions, newest first.
    GetDeviceTrace {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Device; or give oid. Both, and they differ: ConflictingArguments.
        "deviceID" device_id: opt DeviceId,
        /// Record identifier, for a record without deviceID.
        "oid" oid: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Returns the messages of one recorded session of a device, in order.
    GetTraceMessages {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Device; or give oid. Both, and they differ: ConflictingArguments.
        "deviceID" device_id: opt DeviceId,
        /// Record identifier, for a record without deviceID.
        "oid" oid: opt String,
        /// Number of the recorded session.
        "session" session: one i32,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }
}

record! {
    /// How the messages of a device are recorded.
    TraceSetting {
        /// Record identifier of the device.
        "oid" oid: one String,
        /// Device identifier, where it is known.
        "deviceID" device_id: opt DeviceId,
        /// Whether messages are recorded now.
        "enabled" enabled: one bool,
        /// When the recording ends by itself; UTC.
        "until" until: opt Timestamp,
        /// Sessions that are kept.
        "sessions" sessions: opt i32,
    }

    /// How a device is recorded, and a page of its recorded sessions.
    DeviceTrace {
        /// How it is recorded.
        "setting" setting: one TraceSetting,
        /// Recorded sessions, newest first.
        "session" session: many TraceSession,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// A recorded session.
    TraceSession {
        /// Number, for getTraceMessages; the newest has the highest.
        "number" number: one i32,
        /// SessionID as the device wrote it.
        "sessionId" session_id: one String,
        /// First message; UTC.
        "beganAt" began_at: one Timestamp,
        /// Last message; UTC.
        "lastAt" last_at: one Timestamp,
        /// Whether the device proved who it is.
        "authenticated" authenticated: one bool,
        /// How the session ended; left out while it goes on, and where nobody knows.
        "ending" ending: opt String,
        /// The task that asked for the recording, where the device is not recorded itself.
        "taskId" task_id: opt String,
        /// Messages kept.
        "messageCount" message_count: one i32,
        /// Bytes kept.
        "size" size: one i64,
        /// Messages that were not kept for want of room.
        "leftOut" left_out: one i32,
    }

    /// A recorded message.
    TraceMessage {
        /// Place in its session, from 1.
        "number" number: one i32,
        /// When; UTC.
        "at" at: one Timestamp,
        /// Which way it went.
        "direction" direction: one TraceDirection,
        /// Media type.
        "contentType" content_type: one String,
        /// Bytes that travelled.
        "length" length: one i32,
        /// The message as it travelled, but for credentials, which are blanked; a long one is cut.
        "content" content: one Octets,
        /// What is to be known besides: why it could not be read, that it was cut or repeated.
        "note" note: opt String,
    }

    /// A page of recorded messages.
    TraceMessageList {
        /// Messages, in order.
        "message" message: many TraceMessage,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }
}
