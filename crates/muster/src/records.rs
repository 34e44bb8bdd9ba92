//! Entries of the audit log and chargeable events as lines: JSON with the names of the contract, and CSV.

use std::fmt::Write as _;

use muster_broker::ledger::{ChargeableEvent, Outcome, Recorded};
use serde_json::{Map, Value, json};

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// A JSON object in each line.
    Ndjson,
    /// Comma-separated values with a line of names.
    Csv,
}

impl Format {
    /// What the name of a file ends with.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// Columns of chargeable events, in the order of the contract.
const CHARGE: [&str; 13] = [
    "eventId",
    "kind",
    "time",
    "tenant",
    "caller",
    "operation",
    "quantity",
    "taskId",
    "jobId",
    "oid",
    "objectId",
    "deviceID",
    "phoneNumber",
];

/// What a file of chargeable events begins with.
pub(crate) fn charges_head(format: Format) -> String {
    match format {
        Format::Ndjson => String::new(),
        Format::Csv => row(CHARGE.iter().map(|name| Value::from(*name))),
    }
}

/// A chargeable event, with the end of the line.
pub(crate) fn charge_line(event: &ChargeableEvent, format: Format) -> String {
    let told = charge(event);
    match format {
        Format::Ndjson => line(&told),
        Format::Csv => row(CHARGE.iter().map(|name| told.get(*name).cloned().unwrap_or_default())),
    }
}

fn charge(event: &ChargeableEvent) -> Value {
    told(json!({
        "eventId": event.id.to_string(),
        "kind": event.kind.as_str(),
        "time": event.at.to_string(),
        "tenant": event.tenant,
        "caller": event.caller,
        "operation": event.operation,
        "quantity": event.quantity,
        "taskId": event.task.map(|id| id.to_string()),
        "jobId": event.job.map(|id| id.to_string()),
        "oid": event.device.map(|oid| oid.to_string()),
        "objectId": event.object,
        "deviceID": event.device_id.as_ref().map(|id| id.as_str()),
        "phoneNumber": event.phone_number.as_ref().map(|number| number.as_str()),
    }))
}

/// An entry of the audit log as a line of JSON.
pub(crate) fn audit_line(recorded: &Recorded) -> String {
    let Recorded { number, entry, hash, .. } = recorded;
    let (outcome, message_id) = match entry.outcome {
        Outcome::Done => ("DONE", None),
        Outcome::Refused(fault) => ("REFUSED", Some(fault.message_id())),
    };
    let hash = hash.iter().fold(String::with_capacity(64), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    });
    line(&told(json!({
        "number": number,
        "time": entry.at.to_string(),
        "tenant": entry.tenant,
        "actor": entry.actor,
        "face": entry.face,
        "way": (!entry.way.is_empty()).then_some(&entry.way),
        "peerAddress": entry.peer.map(|peer| peer.to_string()),
        "correlationId": entry.correlation.map(|id| id.to_string()),
        "operation": entry.operation,
        "outcome": outcome,
        "messageId": message_id,
        "count": entry.count,
        "objectKind": entry.object_kind,
        "objectId": entry.object_id,
        "before": entry.before,
        "after": entry.after,
        "personal": entry.personal,
        "taskId": entry.task.map(|id| id.to_string()),
        "jobId": entry.job.map(|id| id.to_string()),
        "oid": entry.device.map(|oid| oid.to_string()),
        "deviceSession": entry.device_session,
        "hash": hash,
    })))
}

/// What is unknown is left out.
fn told(members: Value) -> Value {
    match members {
        Value::Object(members) => {
            Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// A value on a line of its own: control characters are escaped, so that no value begins another line.
pub(crate) fn line(value: &Value) -> String {
    format!("{value}\n")
}

/// A row of CSV.
///
/// Source: RFC 4180.
fn row(values: impl Iterator<Item = Value>) -> String {
    let cells: Vec<String> = values.map(|value| cell(&value)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell. What a spreadsheet would take for a formula gets an apostrophe before it, which makes it text: also the plus
/// sign of a phone number.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => return other.to_string(),
    };
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A row of CSV from an answer of the WSI.
pub(crate) fn charge_told(event: &Value, format: Format) -> String {
    match format {
        Format::Ndjson => line(event),
        Format::Csv => row(CHARGE.iter().map(|name| event.get(*name).cloned().unwrap_or_default())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use muster_broker::ledger::{AuditEntry, ChargeKind, Deed, EventId, Object};
    use muster_broker::time::Timestamp;
    use muster_northbound::contract::{self, FieldDescriptor, Kind};

    use super::*;

    fn event(caller: &str) -> ChargeableEvent {
        let made = ChargeableEvent::new(ChargeKind::Job, "alpha", caller, "createDeployments", Timestamp(0));
        ChargeableEvent { id: EventId(1), ..made }
    }

    #[test]
    fn no_cell_is_a_formula() {
        for caller in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let line = charge_line(&event(caller), Format::Csv);
            let cell = line.split(',').nth(4).unwrap();
            assert!(cell.trim_start_matches('"').starts_with('\''), "{caller:?} gives {cell:?}");
        }
    }

    #[test]
    fn separators_quotes_and_ends_of_lines_stay_in_their_cell() {
        let line = charge_line(&event("a\"b,c\r\nd"), Format::Csv);
        assert!(line.contains("\"a\"\"b,c\r\nd\""), "{line}");
        assert_eq!(charge_line(&event("a\r\n{\"eventId\":1}"), Format::Ndjson).matches('\n').count(), 1);
    }

    /// Names of fields of the record with this name, below the answer of an operation.
    fn fields(operation: &str, list: &str) -> Vec<&'static str> {
        let Some(FieldDescriptor { kind: Kind::Record(record), .. }) =
            contract::operation(operation).unwrap().result.as_ref()
        else {
            panic!("{operation} answers no record")
        };
        let list = record.fields.iter().find(|field| field.name == list).unwrap();
        let Kind::Record(record) = list.kind else { panic!("{} is no record", list.name) };
        record.fields.iter().map(|field| field.name).collect()
    }

    #[test]
    fn lines_have_the_names_of_the_contract() {
        assert_eq!(fields("getChargeableEvents", "chargeableEvent"), CHARGE);
        let deed = Deed::of_server("alpha", "jobs", Timestamp(0));
        let entry = AuditEntry::done(&deed, Object::named("job", Some("j")), None, None);
        let line = audit_line(&Recorded { number: 1, entry, salt: None, seal: None, hash: [0; 32] });
        let told: Value = serde_json::from_str(&line).unwrap();
        let known = fields("getAuditEntries", "auditEntry");
        assert!(told.as_object().unwrap().keys().all(|name| known.contains(&name.as_str())), "{told}");
    }
}
