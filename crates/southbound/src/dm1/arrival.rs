//! A message as it arrived: read, and what it says of its sender before anything is believed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_broker::identity::DeviceId;
use muster_broker::store::{ContactKey, DialogueState};
use muster_protocol::dm1::{HmacHeader, Incoming, Reply};
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, EncodeError, Encoding, Message, StatusCode};

use super::recorder::header_status;
use super::{Answer, Post, Refusal};
use crate::profile::{Observation, Profile, observe};

/// One message on its way in.
pub(super) struct Arrival<'a> {
    pub(super) post: Post<'a>,
    pub(super) encoding: Encoding,
    pub(super) message: Message,
    /// How its sender is found.
    pub(super) sender: ContactKey,
    /// Digest of the octets, by which a repetition is known.
    pub(super) digest: [u8; 16],
}

impl<'a> Arrival<'a> {
    /// Reads what came; `digest` is that of the octets.
    ///
    /// # Errors
    /// [`Refusal::NotSyncml`] for other media types, [`Refusal::Unreadable`].
    pub(super) fn read(post: Post<'a>, digest: [u8; 16], limits: &Limits) -> Result<Self, Refusal> {
        let encoding = Encoding::sniff(post.content_type, post.body).ok_or(Refusal::NotSyncml)?;
        let message = Message::decode(encoding, post.body, limits)?;
        let sender = sender(&message, post.hmac);
        Ok(Self { post, encoding, message, sender, digest })
    }

    /// What goes back.
    pub(super) fn answer(&self, reply: SealedReply) -> Answer {
        Answer {
            encoding: self.encoding,
            content_type: self.encoding.media_type_of_answer(self.post.content_type),
            body: reply.octets,
            hmac: reply.seal,
        }
    }

    /// What the session machine takes.
    pub(super) fn incoming(&self) -> Incoming<'_> {
        Incoming { message: &self.message, body: self.post.body, hmac: self.post.hmac }
    }

    /// `SessionID` as the device writes it.
    pub(super) fn session_id(&self) -> &str {
        &self.message.header.session_id
    }

    /// Whether its sender tries to prove who it is.
    pub(super) fn has_proof(&self) -> bool {
        self.message.header.cred.is_some() || self.post.hmac.is_some()
    }

    /// Whether it is a package 1: it has the alert that only a package 1 has.
    pub(super) fn begins_session(&self) -> bool {
        self.message
            .commands
            .iter()
            .any(|command| matches!(command, Command::Alert(alert) if matches!(alert.code.trim(), "1200" | "1201")))
    }

    /// DevInfo/DevId, which may come in a later message of package 1 than the first, or Source/LocURI of a first
    /// message that brings none.
    pub(super) fn claimed_identity(&self) -> Option<DeviceId> {
        let source = self.begins_session().then_some(self.message.header.source.uri.as_str());
        DeviceId::from_device(self.dev_info("DevId").or(source)?).ok()
    }

    /// The text of a leaf of DevInfo that the message brings.
    pub(super) fn dev_info(&self, name: &str) -> Option<&str> {
        self.message.commands.iter().find_map(|command| {
            let Command::Write(write) = command else { return None };
            write.items.iter().find_map(|item| {
                let uri = item.source.as_ref().or(item.target.as_ref())?.uri.as_str();
                let is_it = uri.strip_prefix("./").unwrap_or(uri).strip_prefix("DevInfo/") == Some(name);
                is_it.then(|| item.data.as_ref()?.as_text()).flatten()
            })
        })
    }

    /// What the message shows of the device behind it.
    pub(super) fn observed(&self) -> Vec<Observation> {
        observe(self.post.content_type, self.encoding, self.post.body, &self.message)
    }
}

/// A message for the device as it leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SealedReply {
    pub(super) octets: Vec<u8>,
    /// `x-syncml-hmac`, in a session of signed messages.
    pub(super) seal: Option<String>,
    /// What it says of the message that it answers; unknown of an answer that is given again.
    pub(super) status: Option<StatusCode>,
    /// Why the message was refused, where that was for another reason than a missing or wrong credential.
    pub(super) why: Option<String>,
}

impl SealedReply {
    /// The message in the form that this kind of device reads, signed if the session is one of signed messages.
    pub(super) fn of(reply: &Reply, encoding: Encoding, profile: &Profile) -> Result<Self, EncodeError> {
        let octets = reply.message.encode_styled(encoding, &profile.form)?;
        let seal = reply.seal.as_ref().map(|seal| seal.header(&octets));
        Ok(Self { octets, seal, status: header_status(&reply.message), why: None })
    }

    /// The answer to the message that was answered last.
    pub(super) fn stored(dialogue: &DialogueState) -> Self {
        Self { octets: dialogue.reply.clone(), seal: dialogue.reply_seal.clone(), ..Self::default() }
    }
}

/// How the sender of a message is found: by the name it authenticates with, else by its identifier.
///
/// Source: OMA DM Security 1.2: the user is Source/LocName, or in the header that signs the message, or inside a Basic
/// credential.
fn sender(message: &Message, hmac: Option<&str>) -> ContactKey {
    if let Some(name) = message.header.source.name.as_ref().filter(|name| !name.is_empty()) {
        return ContactKey::ClientName(name.to_string());
    }
    if let Some(header) = hmac.and_then(|value| HmacHeader::parse(value).ok()) {
        return ContactKey::ClientName(header.username);
    }
    let basic = message.header.cred.as_ref().filter(|cred| cred.meta.kind.as_deref() == Some("syncml:auth-basic"));
    let decoded = basic.and_then(|cred| STANDARD.decode(cred.data.trim()).ok());
    if let Some(text) = decoded.and_then(|octets| String::from_utf8(octets).ok())
        && let Some((user, _)) = text.split_once(':')
    {
        return ContactKey::ClientName(user.to_owned());
    }
    match DeviceId::from_device(&message.header.source.uri) {
        Ok(id) => ContactKey::DeviceId(id),
        Err(_) => ContactKey::ClientName(message.header.source.uri.to_string()),
    }
}
