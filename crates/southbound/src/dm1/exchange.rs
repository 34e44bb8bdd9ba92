//! One message of a device in, one answer out.
//!
//! Read what is known, decide, store under the condition that nothing has changed meanwhile, answer. If something has,
//! decide again on what is known now.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use muster_broker::identity::DeviceId;
use muster_broker::ports::{Environment, Vault};
use muster_broker::store::{Contact, ContactKey, ContactStep, DeviceKey, OpenTask, Store, StoreError, Verdict};
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, DecodeError, EncodeError, Encoding, Message};

use super::account::OpenAccount;
use super::conversation::{Decision, Dialogue, Turn, token};

/// What the operator sets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Identifier of this server towards devices whose account names none.
    pub server_id: String,
    /// Public address of the device endpoint, for `RespURI`; where absent, the address that the device used.
    pub device_url: Option<String>,
    /// Largest message taken, in octets; told to devices as `MaxMsgSize`.
    pub message_bytes_max: u32,
    /// Largest object taken, in octets; told to devices as `MaxObjSize`.
    pub object_bytes_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_id: "muster".to_owned(),
            device_url: None,
            message_bytes_max: 64 << 10,
            object_bytes_max: 1 << 20,
        }
    }
}

/// What came, without HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// What follows the address of the endpoint: the token of a `RespURI`.
    pub token: Option<&'a str>,
    /// Octets of the message.
    pub body: &'a [u8],
}

/// What goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Encoding of the request.
    pub encoding: Encoding,
    /// Octets of the message.
    pub body: Vec<u8>,
}

/// Why there is no answer in SyncML.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// HTTP 415.
    #[error("neither a SyncML DM message in XML nor in WBXML")]
    NotSyncml,
    /// HTTP 400.
    #[error("the message cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
    /// HTTP 413.
    #[error("a message may have {max} octets")]
    TooLarge {
        /// The limit.
        max: u32,
    },
    /// HTTP 503: the server ends, or is not able to store anything now.
    #[error("not now; come back in {retry_after_s} s")]
    NotNow {
        /// Seconds.
        retry_after_s: u32,
    },
    /// HTTP 500.
    #[error("the server failed")]
    Failed,
}

/// The device endpoint.
pub struct Exchange {
    store: Arc<dyn Store>,
    vault: Arc<dyn Vault>,
    environment: Arc<dyn Environment>,
    settings: Settings,
    limits: Limits,
    draining: AtomicBool,
}

/// How often a message is decided again before the device is asked to come back: each time somebody else was faster.
const DECISIONS_MAX: usize = 8;

impl Exchange {
    /// An endpoint over the broker's ports.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        vault: Arc<dyn Vault>,
        environment: Arc<dyn Environment>,
        settings: Settings,
    ) -> Self {
        let limits = Limits { document_bytes_max: settings.message_bytes_max as usize, ..Limits::DEVICE };
        Self { store, vault, environment, settings, limits, draining: AtomicBool::new(false) }
    }

    /// Largest body, in octets.
    #[must_use]
    pub fn body_bytes_max(&self) -> u32 {
        self.settings.message_bytes_max
    }

    /// From now on no new session begins; those that are open go on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Takes one message.
    ///
    /// # Errors
    /// [`Refusal`] where the answer is one of HTTP alone.
    pub async fn take(&self, post: Post<'_>) -> Result<Answer, Refusal> {
        if post.body.len() > self.settings.message_bytes_max as usize {
            return Err(Refusal::TooLarge { max: self.settings.message_bytes_max });
        }
        let encoding = Encoding::sniff(post.content_type, post.body).ok_or(Refusal::NotSyncml)?;
        let message = Message::decode(encoding, post.body, &self.limits)?;
        let digest = self.request_digest(post.body);
        let key = who(&message);
        for _ in 0..DECISIONS_MAX {
            let Some(contact) = self.store.contact_load(&key).await? else {
                return self.answer_nobody(encoding, &message);
            };
            if let Some(body) = repeated(&contact, &message, digest) {
                return Ok(Answer { encoding, body });
            }
            match self.decide(contact, encoding, &message, digest, post.token).await? {
                Decided::Unstored(body) => return Ok(Answer { encoding, body }),
                Decided::Again => {}
                Decided::Step(step) => {
                    let body = step.state.dialogue.as_ref().map(|it| it.reply.clone()).unwrap_or_default();
                    if self.store.contact_commit(*step).await? == Verdict::Applied {
                        return Ok(Answer { encoding, body });
                    }
                }
            }
        }
        Err(Refusal::NotNow { retry_after_s: 5 })
    }

    async fn decide(
        &self,
        mut contact: Contact,
        encoding: Encoding,
        message: &Message,
        request_digest: [u8; 16],
        given_token: Option<&str>,
    ) -> Result<Decided, Refusal> {
        let session_id = message.header.session_id.as_str();
        let vault = self.vault.as_ref();
        let account = OpenAccount::of(&contact, session_id, &self.settings.server_id, vault)
            .map_err(|error| {
                tracing::error!(device.id = %contact.device.oid, %error, "secrets cannot be opened");
                Refusal::Failed
            })?
            .unwrap_or_else(|| OpenAccount::of_nobody(&message.header.source.uri, session_id, vault));
        let token = token(&contact, session_id, vault);
        let came_to_resp_uri = given_token == Some(token.as_str());
        let dialogue = match open_dialogue(&contact, message) {
            Some(dialogue) if dialogue.follows_resp_uri && !came_to_resp_uri => {
                tracing::warn!(device.id = %contact.device.oid, "message of an open session came to another address than the session's");
                Dialogue::begin(message, encoding)
            }
            Some(dialogue) => {
                self.load_ended_task(&mut contact).await?;
                dialogue
            }
            None if self.draining.load(Ordering::Relaxed) => return Err(Refusal::NotNow { retry_after_s: 5 }),
            None => Dialogue::begin(message, encoding),
        };
        let namesake = self.namesake(&contact, message).await?;
        let turn = Turn {
            settings: &self.settings,
            now: self.environment.now(),
            message,
            request_digest,
            came_to_resp_uri,
            resp_uri: self.resp_uri(&message.header.target.uri, given_token, &token),
            account: &account,
            namesake: namesake.as_ref(),
        };
        let oid = contact.device.oid;
        Ok(match turn.decide(contact, dialogue)? {
            Decision::Unstored { reply } => Decided::Unstored(reply),
            Decision::Step(step) => Decided::Step(step),
            Decision::Adopt { answered } => {
                let Some(other) = &namesake else { return Err(Refusal::Failed) };
                tracing::info!(device.id = %oid, %answered, "account goes over to the record with the identifier that the device answers with");
                self.store.device_adopt(oid, other.oid, self.environment.now()).await?;
                Decided::Again
            }
        })
    }

    /// The task of the session may have ended meanwhile; what the device says of it still belongs into its history.
    async fn load_ended_task(&self, contact: &mut Contact) -> Result<(), Refusal> {
        let Some(id) = contact.state.dialogue.as_ref().and_then(|it| it.task) else { return Ok(()) };
        if contact.tasks.iter().any(|open| open.task.id == id) {
            return Ok(());
        }
        let task = self.store.task_get(&contact.device.tenant, id).await?;
        contact.tasks.extend(task.map(|task| OpenTask { task, may_run: false }));
        Ok(())
    }

    /// The other record, if any, that has the identifier which package 1 brings.
    async fn namesake(
        &self,
        contact: &Contact,
        message: &Message,
    ) -> Result<Option<muster_broker::device::Device>, Refusal> {
        let Some(answered) = claimed_identity(message) else { return Ok(None) };
        if contact.device.device_id.as_ref() == Some(&answered) {
            return Ok(None);
        }
        let found = self.store.device_find(&contact.device.tenant, DeviceKey::DeviceId(answered), 1).await?;
        Ok(found.into_iter().next().filter(|other| other.oid != contact.device.oid))
    }

    /// An answer for a sender that has no account: the same as for one that has, with a wrong credential.
    fn answer_nobody(&self, encoding: Encoding, message: &Message) -> Result<Answer, Refusal> {
        let name = message.header.source.name.as_deref().unwrap_or(&message.header.source.uri);
        let account = OpenAccount::of_nobody(name, &message.header.session_id, self.vault.as_ref());
        let mut session = Dialogue::begin(message, encoding).session;
        let identity = muster_protocol::dm1::Identity {
            uri: &message.header.target.uri,
            resp_uri: None,
            max_msg_size: self.settings.message_bytes_max,
            max_obj_size: self.settings.object_bytes_max,
        };
        let reply = match session.receive(&account.lend(), message) {
            Ok(_) => session.answer(&identity, &account.lend(), Vec::new()),
            Err(violation) => session.refuse(&identity, message, violation.status()),
        };
        Ok(Answer { encoding, body: reply.message.encode(encoding)? })
    }

    /// The address for the session's next message. `used` is the one that the device says it used, which ends in
    /// `given` if it keeps the address of this session, or of an earlier one, as the server's.
    fn resp_uri(&self, used: &str, given: Option<&str>, token: &str) -> Option<String> {
        let base = self.settings.device_url.as_deref().unwrap_or(used);
        let base = base.split(['?', '#']).next().unwrap_or_default();
        let is_http = base.starts_with("http://") || base.starts_with("https://");
        let base = given.and_then(|given| base.strip_suffix(given)?.strip_suffix('/')).unwrap_or(base);
        let base = base.trim_end_matches('/');
        (is_http && base.len() <= 512).then(|| format!("{base}/{token}"))
    }

    fn request_digest(&self, body: &[u8]) -> [u8; 16] {
        let digest = self.vault.digest("request", body);
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        short
    }
}

enum Decided {
    Unstored(Vec<u8>),
    Step(Box<ContactStep>),
    Again,
}

/// How the sender of a message is found: by the name it authenticates with, else by its identifier.
///
/// Source: OMA DM Security 1.2: the user is Source/LocName, or inside a Basic credential.
fn who(message: &Message) -> ContactKey {
    if let Some(name) = message.header.source.name.as_ref().filter(|name| !name.is_empty()) {
        return ContactKey::ClientName(name.to_string());
    }
    let basic = message.header.cred.as_ref().filter(|cred| cred.meta.kind.as_deref() == Some("syncml:auth-basic"));
    let decoded = basic.and_then(|cred| base64::engine::general_purpose::STANDARD.decode(cred.data.trim()).ok());
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

/// The stored answer, if this is the message that was answered last.
fn repeated(contact: &Contact, message: &Message, digest: [u8; 16]) -> Option<Vec<u8>> {
    let last = contact.state.dialogue.as_ref()?;
    let is_repeat = last.request_digest == digest && last.session_id == message.header.session_id.as_str();
    is_repeat.then(|| last.reply.clone())
}

/// The session that the message belongs to, if it is open; not if the message is a package 1, which begins a new one.
fn open_dialogue(contact: &Contact, message: &Message) -> Option<Dialogue> {
    let stored = contact.state.dialogue.as_ref().filter(|it| !it.ended)?;
    if stored.session_id != message.header.session_id.as_str() || begins_session(message) {
        return None;
    }
    Dialogue::read(&stored.state)
}

/// Whether a message is a package 1: it has the alert that only a package 1 has.
fn begins_session(message: &Message) -> bool {
    message
        .commands
        .iter()
        .any(|command| matches!(command, Command::Alert(alert) if matches!(alert.code.trim(), "1200" | "1201")))
}

/// DevInfo/DevId, which may come in a later message of package 1 than the first, or Source/LocURI of a first message
/// that brings none.
fn claimed_identity(message: &Message) -> Option<DeviceId> {
    let dev_id = message.commands.iter().find_map(|command| {
        let Command::Write(write) = command else { return None };
        write.items.iter().find_map(|item| {
            let uri = item.source.as_ref().or(item.target.as_ref())?.uri.as_str();
            let is_dev_id = matches!(uri, "./DevInfo/DevId" | "DevInfo/DevId");
            is_dev_id.then(|| item.data.as_ref()?.as_text().map(str::to_owned)).flatten()
        })
    });
    let source = begins_session(message).then_some(message.header.source.uri.as_str());
    DeviceId::from_device(dev_id.as_deref().or(source)?).ok()
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { reason } => {
                tracing::warn!(reason, "a device has to come back: the store is not available");
                Self::NotNow { retry_after_s: 5 }
            }
            StoreError::Broken { reason } => {
                tracing::error!(reason, "a device cannot be served: the store failed");
                Self::Failed
            }
        }
    }
}

impl From<EncodeError> for Refusal {
    fn from(error: EncodeError) -> Self {
        tracing::error!(%error, "an answer cannot be written");
        Self::Failed
    }
}
