//! What was refused is told in the audit log: to a caller that proved who it is every refusal of what would have
//! changed something and of every right that it lacks, to strangers each refused credential, counted.
//!
//! Source: DM WSI contract, section 3, "Every refusal and every write is in the audit log".

use muster_broker::access::{Caller, Origin};
use muster_broker::fault::{Fault, FaultName};
use muster_broker::ledger::{Deed, Object, Refused};
use muster_broker::services::Broker;
use serde_json::{Map, Value};

use crate::contract::{Operation, OperationDescriptor, Path, Scalar, Source};

/// Members of a request that name numbers and devices: personal data.
const PERSONAL: [&str; 4] = ["phoneNumber", "deviceID", "subscriberId", "imsi"];
/// Members that name our own records, and their kinds.
const OURS: [(&str, &str); 4] =
    [("taskId", "task"), ("jobId", "job"), ("oid", "device"), ("deviceCapabilityOid", "capability")];
/// Kinds of objects whose names are theirs to choose, and may be told.
const NAMED: [&str; 4] = ["principal", "role", "tenant", "key"];
/// Longest value that is told, in characters.
const VALUE_MAX: usize = 64;

impl OperationDescriptor {
    /// Whether the operation changes something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !self.name.starts_with("get") && !self.name.starts_with("verify")
    }
}

/// Notes what was refused to a known caller, where it is to be noted. `given` has the parameters of the request, where
/// they could be read.
pub(crate) async fn note(
    broker: &Broker,
    caller: &Caller,
    operation: Operation,
    given: Option<&impl Source>,
    fault: &Fault,
) {
    let descriptor = operation.descriptor();
    let is_told = fault.name == FaultName::NotAuthorized || descriptor.is_write();
    if fault.name.is_servers() || !is_told {
        return;
    }
    let kind = descriptor.rights.first().map_or("", |(object, _)| object);
    let (object, subject) = match given {
        Some(given) => about(kind, given),
        None => (Object::named(kind, None), Map::new()),
    };
    let deed = Deed::of(caller, descriptor.name, broker.environment().now());
    broker.note_refusal(Refused { subject, ..Refused::once(deed, fault.name, object) }).await;
}

/// As [`note`], for what is no operation of the tables: `operation` is its name in the log.
pub(crate) async fn note_beside(
    broker: &Broker,
    caller: &Caller,
    operation: &'static str,
    kind: &'static str,
    is_write: bool,
    fault: &Fault,
) {
    if fault.name.is_servers() || !(is_write || fault.name == FaultName::NotAuthorized) {
        return;
    }
    let deed = Deed::of(caller, operation, broker.environment().now());
    broker.note_refusal(Refused::once(deed, fault.name, Object::named(kind, None))).await;
}

/// Notes a refusal from before anybody was known: a wrong credential, a lock, an ended session, too many requests.
/// `name` is what was given as a name, or that of the caller where it was known.
pub(crate) async fn note_at_the_door(
    broker: &Broker,
    name: Option<&str>,
    origin: Origin,
    operation: &str,
    fault: &Fault,
) {
    let operation = Operation::parse(operation).map_or("", |operation| operation.descriptor().name);
    note_stranger(broker, name, origin, operation, fault).await;
}

/// As [`note_at_the_door`], for what need be no operation of the tables.
pub(crate) async fn note_stranger(
    broker: &Broker,
    name: Option<&str>,
    origin: Origin,
    operation: &'static str,
    fault: &Fault,
) {
    let is_told = matches!(
        fault.name,
        FaultName::NotAuthenticated | FaultName::SessionExpired | FaultName::LockedOut | FaultName::TooManyRequests
    );
    // Who shows no credential at all only asks what to show.
    let Some(name) = name.filter(|_| is_told) else { return };
    let deed = Deed::from(origin, name, "", operation, broker.environment().now());
    let object = Object::named("service", None);
    broker.note_refusal(Refused { is_known: false, ..Refused::once(deed, fault.name, object) }).await;
}

/// The object that a request names, and the numbers and devices in it: at its top, or one record below.
fn about(kind: &'static str, given: &impl Source) -> (Object, Map<String, Value>) {
    let (mut object, mut subject) = (Object::named(kind, None), Map::new());
    let mut records = Vec::new();
    each_member(given, |name, value| {
        if !take(kind, name, value, &mut object, &mut subject) {
            records.push(value);
        }
    });
    for record in records {
        each_member(record, |name, value| {
            take(kind, name, value, &mut object, &mut subject);
        });
    }
    (object, subject)
}

/// Every member of a record, and every entry of one that is a list: some formats have lists, others say a name again.
fn each_member<'s, S: Source>(record: &'s S, mut look: impl FnMut(&'s str, &'s S)) {
    // What cannot be read is what the refusal may be about.
    let _ = record.members(&Path::ROOT, |member| {
        match member.value.entries() {
            Ok(Some(entries)) => entries.iter().for_each(|entry| look(member.name, entry)),
            Ok(None) | Err(_) => look(member.name, member.value),
        }
        Ok(())
    });
}

/// Takes a member that names something; true if it is a simple value.
fn take(
    kind: &'static str,
    name: &str,
    value: &impl Source,
    object: &mut Object,
    subject: &mut Map<String, Value>,
) -> bool {
    let Ok(Scalar::Lexical(text) | Scalar::Text(text)) = value.scalar() else { return false };
    let shown: String = text.trim().chars().take(VALUE_MAX).flat_map(char::escape_debug).collect();
    if PERSONAL.contains(&name) {
        subject.entry(name).or_insert(Value::String(shown));
    } else if let Some((_, named)) = OURS.iter().find(|(known, _)| *known == name) {
        let wanted = Object::wanted(named, &shown, None);
        // What is no identifier of ours may be anything.
        if wanted.is_ours() {
            *object = wanted;
        }
    } else if name == "name" && NAMED.contains(&kind) {
        *object = Object::named(kind, Some(&shown));
    }
    true
}
