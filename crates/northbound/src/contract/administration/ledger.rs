//! The audit log, the feed of chargeable events, and the erasure of personal data.

use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::ledger::ChargeKind;
use muster_broker::time::Timestamp;

use crate::contract::bulk_operations::PageRequest;
use crate::contract::record::record;
use crate::contract::session::UserSession;
use crate::contract::value::AuditOutcome;

record! {
    /// Returns entries of the audit log, oldest first. Of the criteria given all must hold.
    GetAuditEntries {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Tenant; the caller's when left out, and * for every one, where the caller may.
        "tenant" tenant: opt String,
        /// At this time or later.
        "since" since: opt Timestamp,
        /// Before this time.
        "until" until: opt Timestamp,
        /// By this External System or person; also device, server and operator.
        "actor" actor: opt String,
        /// By this operation.
        "operation" operation: opt String,
        /// Of this kind of object: device, task, job, capability, subscriber, session, principal, tenant, role.
        "objectKind" object_kind: opt String,
        /// Of this object; needs objectKind.
        "objectId" object_id: opt String,
        /// What became of it.
        "outcome" outcome: opt AuditOutcome,
        /// Concerning this task.
        "taskId" task_id: opt String,
        /// Concerning this job.
        "jobId" job_id: opt String,
        /// Of this request, by the identifier that its fault or log tells.
        "correlationId" correlation_id: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Looks through the hash chain of the audit log of the whole server.
    VerifyAuditLog {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Head of an answer before: only what follows it is looked through. From the beginning when left out.
        "after" after: opt String,
        /// Head of an answer before, kept elsewhere, that must be in the log still: shows that its end was not cut off.
        "anchor" anchor: opt String,
    }

    /// Returns chargeable events in the order in which they were made.
    GetChargeableEvents {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Tenant; the caller's when left out, and * for every one, where the caller may.
        "tenant" tenant: opt String,
        /// Only events after this one; from the first when left out.
        "afterEventId" after_event_id: opt String,
        /// Most events, 1 to 1000; 100 when left out.
        "limit" limit: opt i32,
    }

    /// Takes personal data out of the audit log, and out of tasks that are over with their history and their chargeable
    /// events, and forgets recorded messages. The chain of the log stays valid. Give every name that the subscriber had.
    ErasePersonalData {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Tenant; the caller's when left out.
        "tenant" tenant: opt String,
        /// Subscriber; where its record is there, its number and its devices count as given.
        "subscriberId" subscriber_id: opt String,
        /// Numbers.
        "phoneNumber" phone_number: many Msisdn,
        /// Devices.
        "deviceID" device_id: many DeviceId,
        /// Other names that stand in texts, such as an IMSI, the name of a person or a reference to an account; each of
        /// 4 characters or more.
        "otherName" other_name: many String,
    }
}

record! {
    /// An entry of the audit log.
    AuditEntry {
        /// Number, from 1 over all tenants.
        "number" number: one i64,
        /// When; UTC.
        "time" time: one Timestamp,
        /// Tenant concerned; empty where none is.
        "tenant" tenant: one String,
        /// External System or person; device, server or operator for what none of them asked for; empty for a stranger.
        "actor" actor: one String,
        /// Where it came in: SOAP, REST, LOCAL, DEVICE or SERVER.
        "face" face: one String,
        /// How the actor proved who it is.
        "way" way: opt String,
        /// Address that it came from.
        "peerAddress" peer_address: opt String,
        /// Identifier of the request, the same as in faults and in the log.
        "correlationId" correlation_id: opt String,
        /// Operation of the contract, or a word for what nobody asked for.
        "operation" operation: one String,
        /// What became of it.
        "outcome" outcome: one AuditOutcome,
        /// Code of the fault of a refusal.
        "messageId" message_id: opt String,
        /// How many equal refusals of a minute this entry stands for; else 1.
        "count" count: one i32,
        /// Kind of the object.
        "objectKind" object_kind: one String,
        /// Identifier of the object.
        "objectId" object_id: opt String,
        /// What was there before, as JSON; of a change only what changed.
        "before" before: opt String,
        /// What is there now, as JSON; of a change only what changed.
        "after" after: opt String,
        /// Personal data of the entry, as JSON; masked without the right personal.read, and gone after an erasure.
        "personal" personal: opt String,
        /// Task concerned.
        "taskId" task_id: opt String,
        /// Job concerned.
        "jobId" job_id: opt String,
        /// Device record concerned.
        "oid" oid: opt String,
        /// SessionID of the device's session in which it happened.
        "deviceSession" device_session: opt String,
        /// Hash of the entry and of all before it: 64 hexadecimal digits.
        "hash" hash: one String,
    }

    /// A page of the audit log.
    AuditEntryList {
        /// Entries, oldest first. A page may have fewer than asked for, or none, and more follow.
        "auditEntry" audit_entry: many AuditEntry,
        /// Number of entries that match, counted up to 10000; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// What looking through the audit log found.
    AuditVerification {
        /// Whether everything that was looked at is right.
        "valid" valid: one bool,
        /// Whether the end was reached; if not, call again with after set to head.
        "complete" complete: one bool,
        /// The last right entry: its number, a colon and its hash. Keep it elsewhere, as an anchor.
        "head" head: one String,
        /// Number of the last right entry.
        "lastNumber" last_number: one i64,
        /// Entries looked at whose personal data were erased.
        "erasedCount" erased_count: one i64,
        /// Number of the first entry that is wrong or missing.
        "brokenNumber" broken_number: opt i64,
        /// What is wrong with it.
        "reason" reason: opt String,
    }

    /// Something to be charged for.
    ChargeableEvent {
        /// Identifier, and place in the feed.
        "eventId" event_id: one String,
        /// What for.
        "kind" kind: one ChargeKind,
        /// When; UTC.
        "time" time: one Timestamp,
        /// Tenant.
        "tenant" tenant: one String,
        /// External System or person that is charged.
        "caller" caller: one String,
        /// Operation on the device, or of the contract where no device is concerned.
        "operation" operation: one String,
        /// 1; bytes for PACKAGE and TUNNEL.
        "quantity" quantity: one i64,
        /// Task concerned.
        "taskId" task_id: opt String,
        /// Job concerned.
        "jobId" job_id: opt String,
        /// Device record concerned.
        "oid" oid: opt String,
        /// Other object concerned.
        "objectId" object_id: opt String,
        /// Device that the task was carried out on; masked without the right personal.read, and gone after an erasure.
        "deviceID" device_id: opt DeviceId,
        /// Number of the task; left out without the right personal.read, and gone after an erasure.
        "phoneNumber" phone_number: opt Msisdn,
    }

    /// A part of the feed of chargeable events.
    ChargeableEventList {
        /// Events, in the order in which they were made.
        "chargeableEvent" chargeable_event: many ChargeableEvent,
        /// Number of events in this answer; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Identifier to go on after: that of the last event, or where there is none, the one given or that of the beginning.
        "lastEventId" last_event_id: one String,
        /// Whether more are there already.
        "hasMore" has_more: one bool,
    }

    /// What an erasure took away.
    ErasureReceipt {
        /// Entries of the audit log that lost their personal data.
        "entryCount" entry_count: one i64,
        /// Tasks that lost numbers and identifiers, with their history.
        "taskCount" task_count: one i64,
        /// Device records whose recorded messages were forgotten.
        "deviceCount" device_count: one i64,
        /// Rows of anything else that lost names: jobs, approvals, callbacks, remembered answers.
        "textCount" text_count: one i64,
        /// False while more is taken away in the background: what takes longer than a request, and tasks and jobs under
        /// way once they end. The audit log tells the end.
        "complete" complete: one bool,
    }
}
