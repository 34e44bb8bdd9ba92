//! Deciding one message of a device: what it gets for an answer, and what is to be stored before it gets it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muster_broker::contact::Encounter;
use muster_broker::device::Device;
use muster_broker::id::TaskId;
use muster_broker::identity::DeviceId;
use muster_broker::ports::Vault;
use muster_broker::store::{Contact, ContactStep, DialogueState};
use muster_broker::time::Timestamp;
use muster_protocol::dm1::{
    Account, AuthType, DeviceAlert, DeviceInfo, EndReason, Failure, Identity, Received, Reply, Session, Stage,
    Violation,
};
use muster_protocol::syncml::{EncodeError, Encoding, Message, StatusCode, Text};
use serde::{Deserialize, Serialize};

use super::account::OpenAccount;
use super::arrival::{Arrival, SealedReply};
use super::exchange::Settings;
use super::objects::{self, Objects};
use super::walk::Manner;
use super::work::Work;
use crate::profile::Profile;

/// The session with a device as it is stored between messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dialogue {
    pub(super) session: Session,
    /// Name of the device profile that is in force.
    #[serde(default)]
    pub(super) profile: String,
    /// Tasks looked at in this session: each is, once.
    tried: Vec<TaskId>,
    /// Who answered: DevInfo/DevId, or Source/LocURI where DevInfo brought none.
    pub(super) answered: Option<DeviceId>,
    /// Whether the device takes large objects, once it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    takes_large_objects: Option<bool>,
    /// The device has used the address it was told, so from then on nobody may do without.
    pub(super) follows_resp_uri: bool,
}

/// What was decided on one message, and what its credential was worth.
pub(super) struct Turned {
    pub(super) decision: Decision,
    pub(super) proof: Proof,
}

/// What a credential is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// There was none, or it was not looked at.
    None,
    Right,
    Wrong,
}

/// What is to be done.
pub(super) enum Decision {
    /// Nothing to store: the sender is not known or not let in (yet).
    Unstored(SealedReply),
    /// To be stored, then answered with the reply that the step holds, and the status that it has for the message.
    Step(Box<ContactStep>, Option<StatusCode>),
    /// The device says that it is another one, which has a record without account of its own: the account goes over
    /// to that record, and the message is decided anew.
    Adopt {
        /// What the device calls itself.
        answered: DeviceId,
    },
}

/// One message with everything that deciding on it needs.
pub(super) struct Turn<'a> {
    pub(super) settings: &'a Settings,
    pub(super) profile: &'a Profile,
    pub(super) now: Timestamp,
    pub(super) arrival: &'a Arrival<'a>,
    /// Whether the message came to the address that this session was told.
    pub(super) came_to_resp_uri: bool,
    pub(super) resp_uri: Option<String>,
    pub(super) account: &'a OpenAccount,
    /// The record that has the identifier that the device answers with, if it is another one than the account's.
    pub(super) namesake: Option<&'a Device>,
}

/// Numberings of commands before one is used again.
const NUMBERINGS: i64 = 1_000;
/// Commands of each: more than a message has.
const NUMBERS: u32 = 10_000;

impl Dialogue {
    /// A session that begins with this message. A device that was challenged goes on counting its messages, and so
    /// do we; nothing else of a session that is not authenticated is remembered.
    ///
    /// A Basic credential is always the same, so that a message of an earlier session which arrives late begins that
    /// one again, and what the device said then must not count as an answer to commands of now. `generation` is
    /// another one for each session that was let in.
    pub(super) fn begin(message: &Message, encoding: Encoding, profile: &str, generation: i64) -> Self {
        let before = message.header.msg_id.trim().parse::<u32>().unwrap_or(1).saturating_sub(1);
        let session = Session::after_challenge(&message.header.session_id, encoding, before);
        let is_basic = message.header.cred.as_ref().is_some_and(|cred| {
            cred.meta.kind.as_deref().is_none_or(|kind| AuthType::parse(kind) == Some(AuthType::Basic))
        });
        let numbers_from = if is_basic { generation.rem_euclid(NUMBERINGS) as u32 * NUMBERS } else { 0 };
        Self {
            session: session.numbered_from(numbers_from),
            profile: profile.to_owned(),
            tried: Vec::new(),
            answered: None,
            takes_large_objects: None,
            follows_resp_uri: false,
        }
    }

    pub(super) fn read(state: &[u8]) -> Option<Self> {
        serde_json::from_slice(state).ok()
    }
}

impl Turn<'_> {
    /// Decides a message of a device whose account is known.
    pub(super) fn decide(&self, contact: Contact, mut dialogue: Dialogue) -> Result<Turned, EncodeError> {
        let account = self.account();
        let is_new = !dialogue.session.is_authenticated();
        let received = match dialogue.session.receive(&account, self.arrival.incoming()) {
            Ok(received) => received,
            Err(violation) => {
                // Only who was let in ends a session, and only by a fault that its own device can make.
                let ends =
                    !is_new && matches!(violation, Violation::MessageBelow { .. } | Violation::TooManyMessages { .. });
                let decision = self.refuse(contact, dialogue, violation.status(), &violation.to_string(), ends)?;
                return Ok(Turned { decision, proof: Proof::None });
            }
        };
        let proof = worth(&received);
        Ok(Turned { decision: self.decide_received(contact, dialogue, &received, is_new)?, proof })
    }

    fn decide_received(
        &self,
        contact: Contact,
        mut dialogue: Dialogue,
        received: &Received,
        is_new: bool,
    ) -> Result<Decision, EncodeError> {
        // A session that ends knows its client no more, so what it was before this message counts.
        let is_in_doubt = matches!(received.stage, Stage::Challenge)
            || matches!(received.reason, Some(EndReason::BadCredential | EndReason::Version))
            || is_new && received.login.is_none();
        if is_in_doubt {
            let reply = dialogue.session.answer(&self.identity(), &self.account(), Vec::new());
            return Ok(Decision::Unstored(self.seal(&reply)?));
        }
        dialogue.follows_resp_uri |= self.came_to_resp_uri;
        dialogue.answered = self.who_answered(&dialogue, received.device.as_ref());
        match self.check_identity(&contact, &dialogue) {
            Identified::Fits => {}
            Identified::Refused(why) => {
                tracing::warn!(device.id = %contact.device.oid, answered = dialogue.answered.as_ref().map(tracing::field::display), why, "session refused");
                return self.refuse(contact, dialogue, StatusCode::FORBIDDEN, why, !is_new);
            }
            Identified::AnotherRecord(answered) => return Ok(Decision::Adopt { answered }),
        }
        self.go_on(contact, dialogue, received, is_new)
    }

    /// The sender is in: its task goes on, and the next one is taken up.
    fn go_on(
        &self,
        contact: Contact,
        mut dialogue: Dialogue,
        received: &Received,
        is_new: bool,
    ) -> Result<Decision, EncodeError> {
        dialogue.takes_large_objects = objects::answer(&received.outcomes).or(dialogue.takes_large_objects);
        let account = Account { large_objects: dialogue.takes_large_objects == Some(true), ..self.account() };
        let objects = Objects {
            message_bytes_max: dialogue.session.message_bytes_max(&account),
            taken: self.profile.session.large_objects.or(dialogue.takes_large_objects),
        };
        let mut encounter = Encounter::new(contact, self.now);
        let current = self.note_login(&mut encounter, received, is_new);
        let session_name = format!("{} over {}", dialogue.session.id(), dialogue.session.encoding().media_type());
        let mut work = Work { encounter: &mut encounter, current, manner: self.manner() };
        for alert in &received.alerts {
            note_alert(&mut work, alert);
        }
        work.take(&received.outcomes);
        let mut orders = Vec::new();
        match (received.stage, &dialogue.answered) {
            (Stage::Ready, Some(answered)) => {
                // What of a task that ended or is held still waits to be sent must not be.
                work.stop_if_held(|| dialogue.session.withdraw());
                if work.current.is_none() && current.is_some() {
                    dialogue.session.withdraw();
                }
                orders = work.next(answered, &mut dialogue.tried, &session_name, objects);
            }
            (Stage::End | Stage::Refuse, _) => {
                let why = received.reason.map_or("the session ended", |reason| reason.words());
                work.session_over(why);
            }
            _ => {}
        }
        let reply = dialogue.session.answer(&self.identity(), &account, orders);
        work.take(&reply.outcomes);
        if reply.over {
            work.session_over("the session ended before everything was answered");
        }
        let current = work.current;
        if let Some(info) = received.device.as_ref().filter(|_| is_of_record(&encounter, &dialogue)) {
            encounter.learn(|device| learn(device, info));
        }
        learn_versions(&mut encounter);
        self.step(encounter, &dialogue, &reply, current)
    }

    /// A new session ends the one before; what that left open is of unknown outcome. Returns the task that a session
    /// which goes on is carrying out.
    fn note_login(&self, encounter: &mut Encounter, received: &Received, is_new: bool) -> Option<TaskId> {
        let before = encounter.state().dialogue.clone().filter(|before| !before.ended);
        let task = before.as_ref().and_then(|before| before.task);
        if received.login.is_some() {
            encounter.accept_credential();
        } else {
            encounter.seen();
        }
        if let Some(nonce) = &received.server_nonce {
            encounter.take_server_nonce(nonce.clone());
        }
        if !is_new {
            return task;
        }
        if let Some(before) = before {
            let unanswered = Dialogue::read(&before.state).map(|mut it| it.session.close()).unwrap_or_default();
            Work { encounter, current: task, manner: self.manner() }.left(&unanswered);
        }
        None
    }

    /// Refuses the message. Where that ends the session, so does the attempt at the task that was under way; else
    /// nothing is stored, and a session that is open stays open.
    fn refuse(
        &self,
        contact: Contact,
        mut dialogue: Dialogue,
        code: StatusCode,
        why: &str,
        ends: bool,
    ) -> Result<Decision, EncodeError> {
        let reply = dialogue.session.refuse(&self.identity(), self.message(), code);
        if !ends {
            return Ok(Decision::Unstored(SealedReply { why: Some(why.to_owned()), ..self.seal(&reply)? }));
        }
        let mut encounter = Encounter::new(contact, self.now);
        let current = encounter.state().dialogue.as_ref().and_then(|it| it.task);
        let mut work = Work { encounter: &mut encounter, current, manner: self.manner() };
        work.take(&reply.outcomes);
        work.session_over(why);
        self.step(encounter, &dialogue, &reply, None)
    }

    fn step(
        &self,
        encounter: Encounter,
        dialogue: &Dialogue,
        reply: &Reply,
        task: Option<TaskId>,
    ) -> Result<Decision, EncodeError> {
        let SealedReply { octets, seal, status, .. } = self.seal(reply)?;
        let state = if reply.over {
            Vec::new()
        } else {
            // A dialogue is made of texts and numbers, which always serialise.
            serde_json::to_vec(dialogue).unwrap_or_default()
        };
        let stored = DialogueState {
            session_id: dialogue.session.id().to_owned(),
            state,
            task: if reply.over { None } else { task },
            request_digest: self.arrival.digest,
            reply: octets,
            reply_seal: seal,
            touched_at: self.now,
            ended: reply.over,
        };
        Ok(Decision::Step(Box::new(encounter.into_step(stored)), status))
    }

    fn message(&self) -> &Message {
        &self.arrival.message
    }

    fn account(&self) -> Account<'_> {
        self.account.lend(self.settings, self.profile)
    }

    fn manner(&self) -> Manner {
        Manner::of(self.profile)
    }

    fn seal(&self, reply: &Reply) -> Result<SealedReply, EncodeError> {
        SealedReply::of(reply, self.arrival.encoding, self.profile)
    }

    fn identity(&self) -> Identity<'_> {
        Identity {
            uri: &self.message().header.target.uri,
            resp_uri: self.resp_uri.as_deref(),
            max_msg_size: self.settings.message_bytes_max,
            max_obj_size: self.settings.object_bytes_max,
        }
    }

    fn who_answered(&self, dialogue: &Dialogue, info: Option<&DeviceInfo>) -> Option<DeviceId> {
        if let Some(dev_id) = info.and_then(|info| info.dev_id.as_deref()) {
            return DeviceId::from_device(dev_id).ok();
        }
        dialogue.answered.clone().or_else(|| DeviceId::from_device(&self.message().header.source.uri).ok())
    }

    /// Source: DM WSI contract, section 3, "acceptDevicePolicy".
    fn check_identity(&self, contact: &Contact, dialogue: &Dialogue) -> Identified {
        let Some(answered) = &dialogue.answered else {
            return Identified::Refused("the device has no identifier that could be read");
        };
        let source = DeviceId::from_device(&self.message().header.source.uri).ok();
        if source.is_some_and(|source| source.tac().is_some() && answered.tac().is_some() && source != *answered) {
            return Identified::Refused("Source/LocURI is the IMEI of another device than DevInfo/DevId");
        }
        match self.namesake {
            Some(other) if other.oid != contact.device.oid && other.device_id.as_ref() == Some(answered) => {
                if other.account.is_some() {
                    Identified::Refused(
                        "the device answers with the identifier of another record, which has an account of its own",
                    )
                } else if Encounter::new(contact.clone(), self.now).would_admit(answered) {
                    Identified::AnotherRecord(answered.clone())
                } else {
                    Identified::Fits
                }
            }
            _ => Identified::Fits,
        }
    }
}

/// What the credential of a message was worth. One that shows the secret and a nonce that does not count any more is no
/// guess, and neither is one of a type that was not looked at.
fn worth(received: &Received) -> Proof {
    match received.failure {
        None if received.login.is_some() => Proof::Right,
        Some(Failure::Wrong | Failure::Header(_) | Failure::OtherUser) => Proof::Wrong,
        None | Some(Failure::Missing | Failure::SpentNonce | Failure::UninvitedResync | Failure::WrongType { .. }) => {
            Proof::None
        }
    }
}

enum Identified {
    Fits,
    Refused(&'static str),
    AnotherRecord(DeviceId),
}

/// The address a session's next message is to go to. It cannot be guessed, so that nobody can speak in a session that
/// carries no credentials any more.
pub(super) fn token(contact: &Contact, session_id: &str, vault: &dyn Vault) -> String {
    let digest = vault.digest("resp-uri", format!("{}\u{0}{session_id}", contact.device.oid).as_bytes());
    URL_SAFE_NO_PAD.encode(&digest[..12])
}

/// Whether the device that answered is the one that the record is of.
fn is_of_record(encounter: &Encounter, dialogue: &Dialogue) -> bool {
    let recorded = encounter.device().device_id.as_ref();
    recorded.is_none() || recorded == dialogue.answered.as_ref()
}

/// What package 1 tells of the device.
fn learn(device: &mut Device, info: &DeviceInfo) {
    let take = |field: &mut Option<String>, value: &Option<Text>| {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty() && value.len() <= 255) {
            *field = Some(value.to_owned());
        }
    };
    take(&mut device.manufacturer, &info.man);
    take(&mut device.model, &info.model);
}

/// Versions that a task has read are kept in the record.
fn learn_versions(encounter: &mut Encounter) {
    let mut firmware = None;
    let mut software = None;
    for task in encounter.changed_tasks() {
        for node in &task.result {
            let value = || node.value.clone().filter(|value| !value.is_empty() && value.len() <= 255);
            match node.path.as_str() {
                "./DevDetail/FwV" => firmware = value().or(firmware),
                "./DevDetail/SwV" => software = value().or(software),
                _ => {}
            }
        }
    }
    encounter.learn(|device| {
        device.firmware_version = firmware.or(device.firmware_version.take());
        device.software_version = software.or(device.software_version.take());
    });
}

fn note_alert(work: &mut Work<'_>, alert: &DeviceAlert) {
    let mut words = format!("{:?} {}", alert.event, alert.alert_type);
    if let Some(source) = &alert.source {
        words.push_str(&format!(" from {source}"));
    }
    if !alert.mark.is_empty() {
        words.push_str(&format!(", {}", alert.mark));
    }
    if let Some(correlator) = &alert.correlator {
        words.push_str(&format!(", correlator {correlator}"));
    }
    if let Some(text) = alert.data.as_ref().and_then(|data| data.as_text()) {
        words.push_str(&format!(": {}", text.chars().take(200).collect::<String>()));
    }
    match work.current {
        Some(task) => work.encounter.note(task, "AlertReceived", Some(words), "device"),
        None => tracing::info!(device.id = %work.encounter.device().oid, alert = words, "alert received"),
    }
}
