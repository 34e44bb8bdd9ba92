//! INotificationConsumer: what External Systems serve.

use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::time::Timestamp;

use super::deployment_broker::Parameter;
use super::record::record;

/// Port type that External Systems serve.
pub const PORT_TYPE: &str = "INotificationConsumer";

record! {
    /// Delivers events, oldest first. An event may be delivered more than once; eventId tells.
    NotifyEvents {
        /// Sending server.
        "serverId" server_id: one String,
        /// Events.
        "event" event: some EventData,
    }

    /// Something that happened.
    EventData {
        /// Identifier; the same in every delivery of this event.
        "eventId" event_id: one String,
        /// Event type.
        "eventType" event_type: one String,
        /// When; UTC.
        "occurredAt" occurred_at: one Timestamp,
        /// Registration that asked for it.
        "registrationId" registration_id: opt String,
        /// reference of the callback.
        "reference" reference: opt String,
        /// Device concerned.
        "deviceID" device_id: opt DeviceId,
        /// MSISDN of the device.
        "phoneNumber" phone_number: opt Msisdn,
        /// Task concerned.
        "taskId" task_id: opt String,
        /// Job concerned.
        "jobId" job_id: opt String,
        /// New status of what the event is about.
        "status" status: opt String,
        /// OMA DM alert code, for example 1226.
        "alertCode" alert_code: opt i32,
        /// Type of a generic alert.
        "alertType" alert_type: opt String,
        /// Source node of a generic alert.
        "alertSource" alert_source: opt String,
        /// Correlator of a generic alert.
        "correlator" correlator: opt String,
        /// Importance of a generic alert: fatal, critical, minor, warning, informational, harmless or
        /// indeterminate.
        "mark" mark: opt String,
        /// Diagnostic and other data.
        "parameter" parameter: many Parameter,
    }

    /// Answer of an External System to a delivery.
    NotificationAck {
        /// Number of events taken, counted from the first; the rest is delivered again.
        "acceptedCount" accepted_count: one i32,
    }

    /// Answer to notifyEvents.
    NotifyEventsResponse {
        /// How many were taken.
        "ack" ack: one NotificationAck,
    }
}
