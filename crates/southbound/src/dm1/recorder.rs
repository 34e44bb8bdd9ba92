//! Recording messages: what an exchange adds to the trace of its device.
//!
//! What an accepted message adds is part of its step. A message that changes nothing else, because it was refused, is
//! kept by a write of its own, and only so many a minute: nobody has proved who sent it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use muster_broker::id::DeviceOid;
use muster_broker::identity::DeviceId;
use muster_broker::ports::{Environment, Vault};
use muster_broker::store::{Contact, ContactKey, ContactStep, Store};
use muster_broker::time::Timestamp;
use muster_broker::trace::{OPTION, Recorded, TraceDirection, TraceMessage, TraceStep, recorded};
use muster_protocol::dm1::HmacHeader;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::blank::{Known, blank, blank_hmac};
use muster_protocol::syncml::{Command, DecodeError, Encoding, Message, Sender, StatusCode};

use super::Post;
use super::arrival::{Arrival, SealedReply};
use super::conversation::{Dialogue, token};
use super::counters::{Counters, Recording};

/// Refused messages of one device that are kept in one minute.
const REFUSED_PER_MINUTE: u32 = 30;
/// Devices that are counted at the same time. When there are more, counting begins anew.
const DEVICES_MAX: usize = 1024;

/// Keeps what is said.
pub(super) struct Recorder {
    store: Arc<dyn Store>,
    vault: Arc<dyn Vault>,
    limits: Limits,
    /// The minute, and how many messages each device had refused in it.
    refused: Mutex<(i64, HashMap<DeviceOid, u32>)>,
}

/// An exchange that is recorded, as it began.
pub(super) struct Tape {
    device: DeviceOid,
    recorded: Recorded,
    secrets: Vec<Vec<u8>>,
    /// Of the address that the session was told.
    token: String,
    /// Whether the device, and the server, go on with a large object.
    continues: (bool, bool),
    at: Timestamp,
}

impl Recorder {
    pub(super) fn new(store: Arc<dyn Store>, vault: Arc<dyn Vault>, limits: Limits) -> Self {
        Self { store, vault, limits, refused: Mutex::default() }
    }

    /// Begins to record an exchange, if the device or a task wants that.
    pub(super) fn tape(&self, contact: &Contact, session_id: &str, environment: &dyn Environment) -> Option<Tape> {
        if contact.recording.is_none() && !contact.tasks.iter().any(|open| open.task.arguments.is_set(OPTION)) {
            return None;
        }
        let now = environment.now();
        let recorded = recorded(contact, now)?;
        let account = contact.device.account.as_ref();
        let sealed = account.into_iter().flat_map(|it| [Some(&it.client_secret), it.server_secret.as_ref()]);
        let stored = contact.state.dialogue.as_ref();
        let dialogue = stored.and_then(|it| Dialogue::read(&it.state));
        let said = stored.zip(dialogue.as_ref()).and_then(|(stored, dialogue)| {
            Message::decode(dialogue.session.encoding(), &stored.reply, &self.limits).ok()
        });
        let is_amid = dialogue.is_some_and(|dialogue| dialogue.session.is_taking_object());
        Some(Tape {
            device: contact.device.oid,
            recorded,
            secrets: sealed.flatten().filter_map(|secret| self.vault.open(secret).ok()).collect(),
            token: token(contact, session_id, self.vault.as_ref()),
            continues: (is_amid, said.is_some_and(|said| said.commands.iter().any(has_part))),
            at: now,
        })
    }

    /// Lets a step carry what was said.
    pub(super) fn add(&self, tape: &Tape, arrival: &Arrival<'_>, step: &mut ContactStep) {
        let Some(dialogue) = &step.state.dialogue else { return };
        let reply = SealedReply::stored(dialogue);
        let said = Message::decode(arrival.encoding, &reply.octets, &self.limits);
        let ending = dialogue.ended.then(|| ending(&arrival.message, said.as_ref().ok()));
        let mut trace = self.exchange(tape, arrival, &reply, None);
        (trace.is_let_in, trace.ending) = (true, ending);
        step.trace = Some(trace);
    }

    /// Keeps a message that was refused, or repeated, with its answer.
    pub(super) async fn refused(&self, tape: Tape, arrival: &Arrival<'_>, reply: &SealedReply, counters: &Counters) {
        let is_repetition = reply.status.is_none();
        // What an object lacked before the message was answered first is not known any more.
        let continues = if is_repetition { (true, true) } else { tape.continues };
        let tape = &Tape { continues, ..tape };
        let repeated = || "the message was a repetition, and the answer of before went again".to_owned();
        let note = if is_repetition { Some(repeated()) } else { reply.why.clone() };
        let trace = self.exchange(tape, arrival, reply, note);
        self.keep(TraceStep { is_repetition, ..trace }, counters).await;
    }

    /// Keeps a message that cannot be read, if its header says which device sent it and that one is recorded.
    pub(super) async fn unreadable(
        &self,
        post: &Post<'_>,
        error: &DecodeError,
        environment: &dyn Environment,
        counters: &Counters,
    ) {
        let Some(encoding) = Encoding::sniff(post.content_type, post.body) else { return };
        let Some(mut sender) = Sender::read(encoding, post.body, &self.limits) else { return };
        let signer = || Some(HmacHeader::parse(post.hmac?).ok()?.username);
        sender.name = sender.name.take().or_else(signer);
        let contact = match self.store.contact_load(&key(&sender)).await {
            Ok(Some(contact)) => contact,
            Ok(None) | Err(_) => return,
        };
        let Some(tape) = self.tape(&contact, &sender.session_id, environment) else { return };
        let note = format!("cannot be read: {error}; answered with HTTP {}", error.status().0);
        let received = self.message(&tape, TraceDirection::Received, encoding, post.body, Some(note));
        let trace = TraceStep {
            device: tape.device,
            session_id: sender.session_id,
            msg_id: sender.msg_id,
            at: tape.at,
            recorded: tape.recorded,
            is_let_in: false,
            is_repetition: false,
            ending: None,
            messages: vec![received],
        };
        self.keep(trace, counters).await;
    }

    async fn keep(&self, trace: TraceStep, counters: &Counters) {
        let device = trace.device;
        if !self.may_keep(device, trace.at) {
            return counters.recorded(Recording::Skipped);
        }
        match self.store.trace_add(trace).await {
            Ok(()) => counters.recorded(Recording::Kept),
            Err(error) => {
                tracing::warn!(device.id = %device, %error, "a refused message was not recorded");
                counters.recorded(Recording::Failed);
            }
        }
    }

    fn may_keep(&self, device: DeviceOid, now: Timestamp) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let (minute, devices) = &mut *refused;
        let this = now.0.div_euclid(60_000);
        if *minute != this || devices.len() >= DEVICES_MAX {
            *minute = this;
            devices.clear();
        }
        let count = devices.entry(device).or_default();
        *count = count.saturating_add(1);
        *count <= REFUSED_PER_MINUTE
    }

    fn exchange(&self, tape: &Tape, arrival: &Arrival<'_>, reply: &SealedReply, note: Option<String>) -> TraceStep {
        let encoding = arrival.encoding;
        let signed = |header: Option<&str>| header.map(|value| format!("x-syncml-hmac: {}", blank_hmac(value)));
        let sent_note = [note, signed(reply.seal.as_deref())].into_iter().flatten().reduce(|a, b| format!("{a}; {b}"));
        let received_note = signed(arrival.post.hmac);
        TraceStep {
            device: tape.device,
            session_id: arrival.session_id().to_owned(),
            msg_id: arrival.message.header.msg_id.trim().parse().ok(),
            at: tape.at,
            recorded: tape.recorded,
            is_let_in: false,
            is_repetition: false,
            ending: None,
            messages: vec![
                self.message(tape, TraceDirection::Received, encoding, arrival.post.body, received_note),
                self.message(tape, TraceDirection::Sent, encoding, &reply.octets, sent_note),
            ],
        }
    }

    fn message(
        &self,
        tape: &Tape,
        direction: TraceDirection,
        encoding: Encoding,
        octets: &[u8],
        note: Option<String>,
    ) -> TraceMessage {
        let secrets: Vec<&[u8]> = tape.secrets.iter().map(Vec::as_slice).collect();
        let continues = match direction {
            TraceDirection::Received => tape.continues.0,
            TraceDirection::Sent => tape.continues.1,
        };
        let blanked =
            blank(encoding, octets, &Known { secrets: &secrets, tokens: &[&tape.token], continues }, &self.limits);
        let lost = blanked.broken.map(|broken| format!("{} octets from there on are not kept", broken.lost));
        TraceMessage {
            number: 0,
            at: tape.at,
            direction,
            content_type: encoding.media_type().to_owned(),
            length: u32::try_from(octets.len()).unwrap_or(u32::MAX),
            octets: blanked.octets,
            note: [note, lost].into_iter().flatten().reduce(|note, lost| format!("{note}; {lost}")),
        }
    }
}

/// As the sender of a message that can be read.
fn key(sender: &Sender) -> ContactKey {
    match (&sender.name, DeviceId::from_device(&sender.uri)) {
        (Some(name), _) => ContactKey::ClientName(name.clone()),
        (None, Ok(id)) => ContactKey::DeviceId(id),
        (None, Err(_)) => ContactKey::ClientName(sender.uri.clone()),
    }
}

/// The status that an answer gives for the header of the message.
pub(super) fn header_status(reply: &Message) -> Option<StatusCode> {
    reply.commands.iter().find_map(|command| match command {
        Command::Status(status) if status.cmd == "SyncHdr" => Some(status.code),
        _ => None,
    })
}

/// Whether a command carries a part of a large object, after which more come.
fn has_part(command: &Command) -> bool {
    let items = match command {
        Command::Write(it) => &it.items,
        Command::Exec(it) => &it.items,
        Command::Nested(it) => return it.commands.iter().any(has_part),
        _ => return false,
    };
    items.iter().any(|item| item.more_data)
}

/// How a session ended, from its last message and the answer to that.
fn ending(message: &Message, reply: Option<&Message>) -> String {
    let is_abort = |command: &Command| matches!(command, Command::Alert(alert) if alert.code.trim() == "1223");
    if message.commands.iter().any(is_abort) {
        return "the device aborted the session (alert 1223)".to_owned();
    }
    if let Some(status) = header_status(message).filter(|status| status.0 >= 300) {
        return format!("the device refused the server with {}", named(status));
    }
    if let Some(status) = reply.and_then(header_status).filter(|status| status.0 >= 300) {
        return format!("the server refused the device with {}", named(status));
    }
    if reply.is_some_and(|reply| reply.commands.iter().any(is_abort)) {
        return "the server aborted the session (alert 1223)".to_owned();
    }
    "everything was said".to_owned()
}

fn named(status: StatusCode) -> String {
    status.name().map_or(status.0.to_string(), |name| format!("{} {name}", status.0))
}
