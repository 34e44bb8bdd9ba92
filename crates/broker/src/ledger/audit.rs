use std::borrow::Cow;
use std::net::IpAddr;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::picture::Picture;
use super::{Deed, chain};
use crate::fault::FaultName;
use crate::id::{CapabilityOid, DeviceOid, JobId, TaskId};
use crate::identity::{DeviceId, Msisdn};
use crate::time::Timestamp;

/// Whether what was asked for was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was, and something changed.
    Done,
    /// It was refused with this fault.
    Refused(FaultName),
}

/// What something was done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// `device`, `task`, `job`, `capability`, `session`, `principal`, …
    pub kind: Cow<'static, str>,
    /// Our identifier of the record, or its name where that is all it has. Never a number or identifier of a device:
    /// those are personal data.
    pub id: Option<String>,
    /// What it is found by: the unique part of the identifier, where it has one.
    unique: Option<Uuid>,
    /// What it is found by where its name is not told.
    hidden: Option<String>,
}

impl Object {
    /// An object that is known by a name, or has none.
    #[must_use]
    pub fn named(kind: &'static str, id: Option<&str>) -> Self {
        Self { kind: kind.into(), id: id.map(str::to_owned), unique: None, hidden: None }
    }

    /// An object whose name is personal data: it is found by the name and does not tell it.
    #[must_use]
    pub fn hidden(kind: &'static str, name: &str) -> Self {
        Self { kind: kind.into(), id: None, unique: None, hidden: Some(name.to_owned()) }
    }

    /// A device record.
    #[must_use]
    pub fn device(oid: DeviceOid) -> Self {
        Self { kind: "device".into(), id: Some(oid.to_string()), unique: Some(oid.unique), hidden: None }
    }

    /// A task.
    #[must_use]
    pub fn task(id: TaskId) -> Self {
        Self { kind: "task".into(), id: Some(id.to_string()), unique: Some(id.unique), hidden: None }
    }

    /// A job.
    #[must_use]
    pub fn job(id: JobId) -> Self {
        Self { kind: "job".into(), id: Some(id.to_string()), unique: Some(id.0), hidden: None }
    }

    /// A device capability record.
    #[must_use]
    pub fn capability(oid: CapabilityOid) -> Self {
        Self { kind: "capability".into(), id: Some(oid.to_string()), unique: Some(oid.0), hidden: None }
    }

    /// The object that a kind and an identifier name.
    #[must_use]
    pub fn wanted(kind: &str, id: &str, tenant: Option<&str>) -> Self {
        if kind == "subscriber" {
            return Self::subscriber(tenant.unwrap_or_default(), id);
        }
        let unique = match kind {
            "device" => DeviceOid::parse(id).map(|oid| oid.unique).ok(),
            "task" => TaskId::parse(id).map(|id| id.unique).ok(),
            "job" => JobId::parse(id).map(|id| id.0).ok(),
            "capability" => CapabilityOid::parse(id).map(|oid| oid.0).ok(),
            _ => None,
        };
        Self { kind: kind.to_owned().into(), id: Some(id.to_owned()), unique, hidden: None }
    }

    /// A subscriber. Its identifier may be its number: the log finds it by it and does not tell it.
    #[must_use]
    pub fn subscriber(tenant: &str, id: &str) -> Self {
        Self::hidden("subscriber", &format!("{tenant}\u{0}{id}"))
    }

    /// Whether it has an identifier that only we give.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.unique.is_some()
    }

    /// What the object is found by.
    #[must_use]
    pub fn key(&self, digests: &dyn chain::Digests) -> Option<[u8; 16]> {
        match (self.unique, self.hidden.as_ref().or(self.id.as_ref())) {
            (Some(unique), _) => Some(unique.into_bytes()),
            (None, Some(name)) => Some(chain::short_key(digests, &self.kind, name)),
            (None, None) => None,
        }
    }
}

/// An entry of the audit log, before it has its place there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Domain concerned.
    pub tenant: String,
    /// Who: name of the External System or person, `device`, `server` or `operator`.
    pub actor: String,
    /// Where it came in: `SOAP`, `REST`, `LOCAL`, `DEVICE` or `SERVER`.
    pub face: String,
    /// How the actor proved who it is.
    pub way: String,
    /// Address it came from.
    pub peer: Option<IpAddr>,
    /// Joins what one request did, and leads to the log.
    pub correlation: Option<Uuid>,
    /// Operation of the contract, or a word of ours.
    pub operation: String,
    /// Whether it was done. Text of a fault is not kept: it quotes what was asked.
    pub outcome: Outcome,
    /// How many times, where equal refusals of a minute are one entry; else 1.
    pub count: u32,
    /// Kind of the object.
    pub object_kind: String,
    /// Our identifier or name of the object.
    pub object_id: Option<String>,
    /// What was there before, as JSON; of a change only what changed. Without secrets and personal data.
    pub before: Option<String>,
    /// What is there now, in the same way.
    pub after: Option<String>,
    /// Personal data of the entry, as JSON with the members `before`, `after` and `subject`; gone after an erasure.
    pub personal: Option<String>,
    /// Task concerned, besides the object.
    pub task: Option<TaskId>,
    /// Job concerned.
    pub job: Option<JobId>,
    /// Device record concerned.
    pub device: Option<DeviceOid>,
    /// Session of the device in which it happened, as the device wrote it.
    pub device_session: Option<String>,
    /// The object, to be found by.
    pub object: Object,
    /// Names by which personal data of a device record may be asked to be erased.
    pub subjects: Vec<Subject>,
}

/// A name that a subscriber or device is known by, and that finds what is to be erased.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(String);

impl Subject {
    /// By phone number.
    #[must_use]
    pub fn phone(number: &Msisdn) -> Self {
        Self(format!("phone:{number}"))
    }

    /// By device identifier.
    #[must_use]
    pub fn device(id: &DeviceId) -> Self {
        Self(format!("device:{id}"))
    }

    /// By the identifier of the subscriber.
    #[must_use]
    pub fn subscriber(id: &str) -> Self {
        Self(format!("subscriber:{id}"))
    }

    /// As kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What [`Subject::as_str`] gave.
    #[must_use]
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// Whether it is a phone number.
    #[must_use]
    pub fn is_phone(&self) -> bool {
        self.0.starts_with("phone:")
    }

    /// Whether it is the identifier of a subscriber.
    #[must_use]
    pub fn is_subscriber(&self) -> bool {
        self.0.starts_with("subscriber:")
    }

    /// The name alone.
    #[must_use]
    pub fn value(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, value)| value)
    }
}

impl AuditEntry {
    /// Something was done. Where there is a before and an after, only what differs is told; nothing if nothing does.
    #[must_use]
    pub fn done(deed: &Deed, object: Object, before: Option<Picture>, after: Option<Picture>) -> Self {
        // A device record that is there is found by its names; those that it loses must be remembered.
        let is_found = object.kind == "device";
        let mut subjects: Vec<Subject> = before
            .iter()
            .chain(after.iter().filter(|_| !is_found))
            .flat_map(|picture| picture.subjects.iter().cloned())
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => {
                let (before, after) = before.differing(after);
                (Some(before), Some(after))
            }
            both => both,
        };
        let mut personal = Map::new();
        let told = |picture: Option<Picture>, name: &str, personal: &mut Map<String, Value>| {
            let picture = picture?;
            if !picture.personal.is_empty() {
                personal.insert(name.to_owned(), Value::Object(picture.personal));
            }
            (!picture.open.is_empty()).then(|| Value::Object(picture.open).to_string())
        };
        let before = told(before, "before", &mut personal);
        let after = told(after, "after", &mut personal);
        let mut entry = Self::bare(deed, Outcome::Done, object);
        (entry.before, entry.after, entry.subjects) = (before, after, subjects);
        entry.personal = (!personal.is_empty()).then(|| Value::Object(personal).to_string());
        entry
    }

    /// Something was refused. `subject` are numbers and identifiers of devices that the request named.
    #[must_use]
    pub fn refused(deed: &Deed, fault: FaultName, object: Object, subject: Map<String, Value>) -> Self {
        let mut entry = Self::bare(deed, Outcome::Refused(fault), object);
        entry.subjects = subjects_of(&subject);
        if !subject.is_empty() {
            let personal = Map::from_iter([("subject".to_owned(), Value::Object(subject))]);
            entry.personal = Some(Value::Object(personal).to_string());
        }
        entry
    }

    fn bare(deed: &Deed, outcome: Outcome, object: Object) -> Self {
        Self {
            at: deed.at,
            tenant: deed.tenant.clone(),
            actor: deed.actor.clone(),
            face: deed.face.to_owned(),
            way: deed.way.to_owned(),
            peer: deed.peer,
            correlation: deed.correlation,
            operation: deed.operation.to_owned(),
            outcome,
            count: 1,
            object_kind: object.kind.clone().into_owned(),
            object_id: object.id.clone(),
            before: None,
            after: None,
            personal: None,
            task: None,
            job: None,
            device: None,
            device_session: None,
            object,
            subjects: Vec::new(),
        }
    }

    /// The name that somebody gave who did not prove who it is; nothing for all other entries.
    #[must_use]
    pub fn name_of_stranger(&self) -> Option<String> {
        let is_of_stranger = self.actor.is_empty() && self.outcome != Outcome::Done;
        let personal = self.personal.as_deref().filter(|_| is_of_stranger)?;
        let told: Value = serde_json::from_str(personal).ok()?;
        told.get("subject")?.get("userName")?.as_str().map(str::to_owned)
    }

    /// The name that a stranger gave is that of a principal: the entry is told of under it, and in its domain.
    pub fn know_stranger(&mut self, name: &str, tenant: &str) {
        name.clone_into(&mut self.actor);
        tenant.clone_into(&mut self.tenant);
        self.personal = None;
    }

    /// Concerns this task besides its object.
    #[must_use]
    pub fn of_task(mut self, task: Option<TaskId>) -> Self {
        self.task = task;
        self
    }

    /// Concerns this job besides its object.
    #[must_use]
    pub fn of_job(mut self, job: Option<JobId>) -> Self {
        self.job = job;
        self
    }

    /// Concerns this device record besides its object.
    #[must_use]
    pub fn of_device(mut self, device: Option<DeviceOid>) -> Self {
        self.device = device;
        self
    }

    /// Happened in this session of the device.
    #[must_use]
    pub fn in_session(mut self, session: Option<&str>) -> Self {
        self.device_session = session.map(str::to_owned);
        self
    }

    /// Everything that the entry is found by: object, task, job, device, correlation; each once. An entry of a task is
    /// found by its device through the task: devices lie apart, and each would cost a page of its own.
    #[must_use]
    pub fn keys(&self, digests: &dyn chain::Digests) -> Vec<[u8; 16]> {
        let mut keys: Vec<[u8; 16]> = self.object.key(digests).into_iter().collect();
        keys.extend(self.task.map(|task| task.unique.into_bytes()));
        keys.extend(self.job.map(|job| job.0.into_bytes()));
        keys.extend(self.device.filter(|_| self.task.is_none()).map(|device| device.unique.into_bytes()));
        keys.extend(self.correlation.map(Uuid::into_bytes));
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// Names that erasing a refusal may be asked for by.
fn subjects_of(subject: &Map<String, Value>) -> Vec<Subject> {
    let text = |name: &str| subject.get(name).and_then(Value::as_str);
    let phone = text("phoneNumber").and_then(|number| Msisdn::parse(number).ok());
    let device = text("deviceID").and_then(|id| DeviceId::from_caller(id).ok());
    let named = [
        phone.as_ref().map(Subject::phone),
        device.as_ref().map(Subject::device),
        text("subscriberId").map(Subject::subscriber),
    ];
    named.into_iter().flatten().collect()
}

/// An entry in its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// From 1, without gaps.
    pub number: i64,
    /// What it says.
    pub entry: AuditEntry,
    /// Salt of the personal data; gone after an erasure.
    pub salt: Option<Vec<u8>>,
    /// What the chain has of the personal data; absent where there was none.
    pub seal: Option<[u8; 32]>,
    /// Hash of this entry and, by the one before, of all before it.
    pub hash: [u8; 32],
}

/// Which entries. What is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// At this time or later.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// By this actor.
    pub actor: Option<String>,
    /// By this operation.
    pub operation: Option<String>,
    /// Of this kind of object.
    pub object_kind: Option<String>,
    /// Of this object.
    pub object: Option<Object>,
    /// Done, or refused.
    pub is_refused: Option<bool>,
    /// Concerning this task.
    pub task: Option<TaskId>,
    /// Concerning this job.
    pub job: Option<JobId>,
    /// Of this request.
    pub correlation: Option<Uuid>,
}

impl AuditFilter {
    /// Keys that each entry must be found by.
    #[must_use]
    pub fn keys(&self, digests: &dyn chain::Digests) -> Vec<[u8; 16]> {
        let mut keys: Vec<[u8; 16]> = self.object.iter().filter_map(|object| object.key(digests)).collect();
        keys.extend(self.task.map(|task| task.unique.into_bytes()));
        keys.extend(self.job.map(|job| job.0.into_bytes()));
        keys.extend(self.correlation.map(Uuid::into_bytes));
        keys
    }
}
