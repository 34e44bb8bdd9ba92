//! One message of a device in, one answer out.
//!
//! Read what is known, decide, store under the condition that nothing has changed meanwhile, answer. If something has,
//! decide again on what is known now.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use muster_broker::device::Device;
use muster_broker::ledger::Deed;
use muster_broker::ports::{Environment, Vault};
use muster_broker::store::{Contact, ContactStep, DeviceKey, OpenTask, Store, StoreError, Verdict};
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{DecodeError, EncodeError, Encoding, StatusCode};

use super::account::OpenAccount;
use super::arrival::{Arrival, SealedReply};
use super::chooser::Chooser;
use super::conversation::{Decision, Dialogue, Proof, Turn, token};
use super::counters::Counters;
use super::guard::Guard;
use super::nobody;
use super::recorder::Recorder;
use crate::profile::Profiles;

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
    /// Whether a device that authenticates with MD5 or Basic does so in every message, not once in a session.
    pub proof_in_each_message: bool,
    /// How kinds of devices depart from the specification.
    pub profiles: Arc<Profiles>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_id: "muster".to_owned(),
            device_url: None,
            message_bytes_max: 64 << 10,
            object_bytes_max: 1 << 20,
            proof_in_each_message: false,
            profiles: Arc::new(Profiles::default()),
        }
    }
}

/// What came, without HTTP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Post<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `User-Agent`.
    pub user_agent: Option<&'a str>,
    /// `x-syncml-hmac`.
    pub hmac: Option<&'a str>,
    /// Address that it came from.
    pub peer: Option<IpAddr>,
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
    /// `Content-Type`, of the family of the request's.
    pub content_type: &'static str,
    /// Octets of the message.
    pub body: Vec<u8>,
    /// `x-syncml-hmac`, where this server proves itself by it.
    pub hmac: Option<String>,
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
    profiles: Chooser,
    limits: Limits,
    guard: Guard,
    recorder: Recorder,
    counters: Counters,
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
        let profiles = Chooser::new(settings.profiles.clone());
        let recorder = Recorder::new(Arc::clone(&store), Arc::clone(&vault), limits);
        let (guard, counters, draining) = (Guard::new(), Counters::default(), AtomicBool::new(false));
        Self { store, vault, environment, settings, profiles, limits, guard, recorder, counters, draining }
    }

    /// What came so far, and what became of it.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
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
        let outcome = self.answer(post).await;
        if let Err(refusal) = &outcome {
            self.counters.refused(refusal);
        }
        if let Err(Refusal::Unreadable(error)) = &outcome {
            self.recorder.unreadable(&post, error, self.environment.as_ref(), &self.counters).await;
        }
        outcome
    }

    async fn answer(&self, post: Post<'_>) -> Result<Answer, Refusal> {
        if post.body.len() > self.settings.message_bytes_max as usize {
            return Err(Refusal::TooLarge { max: self.settings.message_bytes_max });
        }
        let arrival = Arrival::read(post, self.request_digest(post.body), &self.limits)?;
        if post.token.is_none() {
            // Before anything is read for a sender that has to wait.
            self.guard.admit(&arrival.sender, post.peer, self.environment.now())?;
        }
        for _ in 0..DECISIONS_MAX {
            let Some(contact) = self.store.contact_load(&arrival.sender).await? else {
                return Ok(self.counted(&arrival, self.answer_nobody(&arrival)?));
            };
            let tape = self.recorder.tape(&contact, arrival.session_id(), self.environment.as_ref());
            let goes_on = is_open(&contact, &arrival);
            let repeated = repeated(&contact, &arrival);
            let decided = match repeated {
                Some(repeated) => Decided::Unstored(repeated),
                None => self.decide(contact, &arrival).await?,
            };
            match decided {
                Decided::Unstored(sealed) => {
                    if let Some(tape) = tape {
                        self.recorder.refused(tape, &arrival, &sealed, &self.counters).await;
                    }
                    return Ok(self.counted(&arrival, sealed));
                }
                Decided::Again => {}
                Decided::Step(mut step, status) => {
                    if let Some(tape) = tape {
                        self.recorder.add(&tape, &arrival, &mut step);
                    }
                    let dialogue = step.state.dialogue.as_ref();
                    let sealed = dialogue.map(SealedReply::stored).unwrap_or_default();
                    let ends = dialogue.is_some_and(|dialogue| dialogue.ended);
                    if self.store.contact_commit(*step).await? == Verdict::Applied {
                        self.counters.session(!goes_on, ends);
                        return Ok(self.counted(&arrival, SealedReply { status, ..sealed }));
                    }
                }
            }
        }
        Err(Refusal::NotNow { retry_after_s: 5 })
    }

    async fn decide(&self, mut contact: Contact, arrival: &Arrival<'_>) -> Result<Decided, Refusal> {
        let message = &arrival.message;
        let session_id = message.header.session_id.as_str();
        let vault = self.vault.as_ref();
        let now = self.environment.now();
        let token = token(&contact, session_id, vault);
        let came_to_resp_uri = arrival.post.token == Some(token.as_str());
        if !came_to_resp_uri {
            // Nobody else knows the address of an open session, so whoever speaks there need not wait for others.
            self.guard.admit(&arrival.sender, arrival.post.peer, now)?;
        }
        let dialogue = match open_dialogue(&contact, arrival) {
            Some(dialogue) if dialogue.follows_resp_uri && !came_to_resp_uri => {
                tracing::warn!(device.id = %contact.device.oid, "message of an open session came to another address than the session's");
                None
            }
            Some(dialogue) => {
                self.load_ended_task(&mut contact).await?;
                Some(dialogue)
            }
            None if self.draining.load(Ordering::Relaxed) => return Err(Refusal::NotNow { retry_after_s: 5 }),
            None => None,
        };
        let profile = self.profiles.choose(self.store.as_ref(), &contact, dialogue.as_ref(), arrival, now).await?;
        let dialogue = dialogue
            .unwrap_or_else(|| Dialogue::begin(message, arrival.encoding, &profile.name, contact.state.generation));
        let account = OpenAccount::of(&contact, session_id, &self.settings.server_id, vault)
            .map_err(|error| {
                tracing::error!(device.id = %contact.device.oid, %error, "secrets cannot be opened");
                Refusal::Failed
            })?
            .unwrap_or_else(|| OpenAccount::of_nobody(&message.header.source.uri, session_id, vault));
        let namesake = self.namesake(&contact, arrival).await?;
        let turn = Turn {
            settings: &self.settings,
            profile,
            now,
            arrival,
            came_to_resp_uri,
            resp_uri: self.resp_uri(&message.header.target.uri, arrival.post.token, &token),
            account: &account,
            namesake: namesake.as_ref(),
        };
        let oid = contact.device.oid;
        let turned = turn.decide(contact, dialogue)?;
        match turned.proof {
            Proof::Right => self.guard.succeeded(&arrival.sender, arrival.post.peer),
            Proof::Wrong => self.guard.failed(&arrival.sender, arrival.post.peer, now),
            Proof::None => {}
        }
        if turned.proof != Proof::None {
            self.counters.proof(turned.proof == Proof::Right);
        }
        Ok(match turned.decision {
            Decision::Unstored(sealed) => Decided::Unstored(sealed),
            Decision::Step(step, status) => Decided::Step(step, status),
            Decision::Adopt { answered } => {
                let Some(other) = &namesake else { return Err(Refusal::Failed) };
                tracing::info!(device.id = %oid, %answered, "account goes over to the record with the identifier that the device answers with");
                let deed = Deed::of_device(&other.tenant, "adopt", now);
                self.store.device_adopt(oid, other.oid, deed).await?;
                Decided::Again
            }
        })
    }

    fn counted(&self, arrival: &Arrival<'_>, sealed: SealedReply) -> Answer {
        self.counters.answered(arrival.encoding, &sealed);
        arrival.answer(sealed)
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
    async fn namesake(&self, contact: &Contact, arrival: &Arrival<'_>) -> Result<Option<Device>, Refusal> {
        let Some(answered) = arrival.claimed_identity() else { return Ok(None) };
        if contact.device.device_id.as_ref() == Some(&answered) {
            return Ok(None);
        }
        let found = self.store.device_find(&contact.device.tenant, DeviceKey::DeviceId(answered), 1).await?;
        Ok(found.into_iter().next().filter(|other| other.oid != contact.device.oid))
    }

    /// A name that nobody has waits like any other.
    fn answer_nobody(&self, arrival: &Arrival<'_>) -> Result<SealedReply, Refusal> {
        let (header, now) = (&arrival.message.header, self.environment.now());
        self.guard.admit(&arrival.sender, arrival.post.peer, now)?;
        if arrival.has_proof() {
            self.guard.failed(&arrival.sender, arrival.post.peer, now);
            self.counters.proof(false);
        }
        let name = header.source.name.as_deref().unwrap_or(&header.source.uri);
        let account = OpenAccount::of_nobody(name, &header.session_id, self.vault.as_ref());
        nobody::answer(&account, &self.settings, arrival)
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
    Unstored(SealedReply),
    Step(Box<ContactStep>, Option<StatusCode>),
    Again,
}

/// The stored answer, if this is the message that was answered last.
fn repeated(contact: &Contact, arrival: &Arrival<'_>) -> Option<SealedReply> {
    let last = contact.state.dialogue.as_ref()?;
    let is_repeat = last.request_digest == arrival.digest && last.session_id == arrival.session_id();
    is_repeat.then(|| SealedReply::stored(last))
}

/// The session that the message belongs to, if it is open.
fn open_dialogue(contact: &Contact, arrival: &Arrival<'_>) -> Option<Dialogue> {
    let stored = contact.state.dialogue.as_ref().filter(|_| is_open(contact, arrival))?;
    Dialogue::read(&stored.state)
}

/// Whether the message belongs to an open session; not if it is a package 1, which begins a new one.
fn is_open(contact: &Contact, arrival: &Arrival<'_>) -> bool {
    let stored = contact.state.dialogue.as_ref().filter(|it| !it.ended);
    stored.is_some_and(|it| it.session_id == arrival.session_id()) && !arrival.begins_session()
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { reason } => {
                tracing::warn!(reason, "a device has to come back: the store is not available");
                Self::NotNow { retry_after_s: 5 }
            }
            StoreError::Denied(fault) => {
                tracing::error!(%fault, "a device cannot be served: the store does not admit it");
                Self::Failed
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
