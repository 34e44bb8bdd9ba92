use std::fmt::Write as _;

use muster_broker::ledger::{ChargeableEvent, EventId, Feed, Outcome, Recorded};
use muster_broker::page::Paged;
use muster_broker::services::{AuditVerification, AuditWanted, ErasureWanted};
use muster_broker::store::{Erased, Rest};

use crate::contract::administration::ledger as wire;
use crate::contract::value::AuditOutcome;
use crate::convert::long;

impl From<wire::GetAuditEntries> for AuditWanted {
    fn from(request: wire::GetAuditEntries) -> Self {
        Self {
            tenant: request.tenant,
            since: request.since,
            until: request.until,
            actor: request.actor,
            operation: request.operation,
            object_kind: request.object_kind,
            object_id: request.object_id,
            is_refused: request.outcome.map(|outcome| outcome == AuditOutcome::Refused),
            task_id: request.task_id,
            job_id: request.job_id,
            correlation_id: request.correlation_id,
        }
    }
}

impl From<wire::ErasePersonalData> for ErasureWanted {
    fn from(request: wire::ErasePersonalData) -> Self {
        Self {
            tenant: request.tenant,
            subscriber_id: request.subscriber_id,
            phone_number: request.phone_number,
            device_id: request.device_id,
            other_name: request.other_name,
        }
    }
}

impl From<Recorded> for wire::AuditEntry {
    fn from(recorded: Recorded) -> Self {
        let Recorded { number, entry, hash, .. } = recorded;
        let (outcome, message_id) = match entry.outcome {
            Outcome::Done => (AuditOutcome::Done, None),
            Outcome::Refused(fault) => (AuditOutcome::Refused, Some(fault.message_id().to_owned())),
        };
        Self {
            number,
            time: entry.at,
            tenant: entry.tenant,
            actor: entry.actor,
            face: entry.face,
            way: (!entry.way.is_empty()).then_some(entry.way),
            peer_address: entry.peer.map(|peer| peer.to_string()),
            correlation_id: entry.correlation.map(|correlation| correlation.to_string()),
            operation: entry.operation,
            outcome,
            message_id,
            count: i32::try_from(entry.count).unwrap_or(i32::MAX),
            object_kind: entry.object_kind,
            object_id: entry.object_id,
            before: entry.before,
            after: entry.after,
            personal: entry.personal,
            task_id: entry.task.map(|task| task.to_string()),
            job_id: entry.job.map(|job| job.to_string()),
            oid: entry.device.map(|device| device.to_string()),
            device_session: entry.device_session,
            hash: hash.iter().fold(String::with_capacity(64), |mut text, octet| {
                // Writing to a string does not fail.
                let _ = write!(text, "{octet:02x}");
                text
            }),
        }
    }
}

impl From<Paged<Recorded>> for wire::AuditEntryList {
    fn from(page: Paged<Recorded>) -> Self {
        Self {
            audit_entry: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<AuditVerification> for wire::AuditVerification {
    fn from(found: AuditVerification) -> Self {
        Self {
            valid: found.broken.is_none(),
            complete: found.is_complete,
            head: found.head.to_string(),
            last_number: found.head.number,
            erased_count: long(found.erased),
            broken_number: found.broken.map(|broken| broken.number()),
            reason: found.broken.map(|broken| broken.to_string()),
        }
    }
}

impl From<ChargeableEvent> for wire::ChargeableEvent {
    fn from(event: ChargeableEvent) -> Self {
        Self {
            event_id: event.id.to_string(),
            kind: event.kind,
            time: event.at,
            tenant: event.tenant,
            caller: event.caller,
            operation: event.operation,
            quantity: event.quantity,
            task_id: event.task.map(|task| task.to_string()),
            job_id: event.job.map(|job| job.to_string()),
            oid: event.device.map(|device| device.to_string()),
            object_id: event.object,
            device_id: event.device_id,
            phone_number: event.phone_number,
        }
    }
}

impl wire::ChargeableEventList {
    /// A part of the feed that was asked for after the event `after`.
    pub(crate) fn of(feed: Feed, after: Option<String>) -> Self {
        let last = feed.events.last().map(|event| event.id.to_string());
        Self {
            total_count: long(u64::try_from(feed.events.len()).unwrap_or(u64::MAX)),
            chargeable_event: feed.events.into_iter().map(Into::into).collect(),
            last_event_id: last.or(after).unwrap_or_else(|| EventId(0).to_string()),
            has_more: feed.has_more,
        }
    }
}

impl From<Erased> for wire::ErasureReceipt {
    fn from(erased: Erased) -> Self {
        Self {
            entry_count: long(erased.entries),
            task_count: long(erased.tasks),
            device_count: long(erased.devices),
            text_count: long(erased.texts),
            complete: erased.rest == Rest::Nothing,
        }
    }
}
