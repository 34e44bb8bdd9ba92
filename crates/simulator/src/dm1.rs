//! The device's side of an OMA DM 1.2 session, without input or output.
//!
//! [`Device::start`] gives package 1; every message of the server goes into [`Device::receive`], which gives the next
//! message, or the end of the session. The device is a plain value that keeps its tree, nonces and
//! [`Ledger`] from one session to the next.
//!
//! Source: OMA DM 1.2 Protocol and Security.

mod complaint;
mod credential;
mod event;
mod execute;
mod interaction;
mod large_object;
mod ledger;
mod outbox;
mod proof;
mod session;
mod size;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use muster_protocol::syncml::{
    Address, Alert, Command, Encoding, Item, ItemData, Message, Meta, StatusCode, Text, Write, WriteKind,
};
use muster_protocol::tree::Parts;

pub use event::{Event, EventKind, ExecOutcome, Told};
pub use ledger::{Executed, Ledger};

use crate::account::Account;
use crate::behaviour::{Behaviour, Faults};
use crate::tree::{Profile, TStamp, Tree, standard};
use session::Session;

/// `MaxMsgSize` that a device announces, in octets, unless it is made to send small messages.
pub const MESSAGE_BYTES_MAX: u64 = 16_384;

/// Why a session begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Initiation {
    /// The device wants it: Alert 1201.
    Client,
    /// The server asked for it by a notification: Alert 1200.
    Server {
        /// Session id out of the notification, as it is to appear in `SessionID`.
        session_id: String,
    },
}

/// What to do after a message of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Send this, whether or not the session is over.
    pub reply: Option<Message>,
    /// The session is over; an answer to `reply` is not to be read.
    pub finished: Option<SessionEnd>,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// The server had nothing more to do.
    Complete,
    /// The server sent Alert 1223.
    AbortedByServer,
    /// The server does not take the device's credentials.
    NotAuthenticated,
    /// The server did not prove who it is, though asked twice.
    ServerNotAuthenticated,
    /// The server refused the whole message for another reason.
    Refused(StatusCode),
    /// The server broke the protocol so that the session could not go on.
    Violation(String),
    /// The device is switched off and did not begin (see [`Behaviour::NeverConnects`]).
    SwitchedOff,
    /// The connection was lost on purpose (see [`Behaviour::DropsConnection`]).
    Dropped,
    /// The server could not be reached, or did not answer with a message.
    Transport(String),
    /// More messages than the device allows in one session.
    TooManyMessages,
    /// The session took longer than allowed.
    TimedOut,
}

/// A device.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its management tree.
    pub tree: Tree,
    /// What it knows about its server.
    pub account: Account,
    encoding: Encoding,
    uri: String,
    faults: Faults,
    execs: Vec<(String, ExecOutcome)>,
    ledger: Ledger,
    events: VecDeque<Event>,
    events_later: VecDeque<Event>,
    random: fastrand::Rng,
    now: Option<TStamp>,
    sessions: u16,
    session: Option<Session>,
    complaints: Vec<String>,
}

impl Device {
    /// A device with the standard tree, before its first session.
    ///
    /// `seed` decides its nonces and session ids, so that a run can be repeated.
    #[must_use]
    pub fn new(
        profile: &Profile,
        mut account: Account,
        encoding: Encoding,
        behaviours: &[Behaviour],
        seed: u64,
    ) -> Self {
        let faults = Faults::of(behaviours);
        let mut profile = profile.clone();
        if let Some(imei) = &faults.other_imei {
            profile.dev_id = format!("IMEI:{imei}");
        }
        if faults.wrong_credentials {
            account.client_secret.push_str("-wrong");
        }
        let mut random = fastrand::Rng::with_seed(seed);
        let mut tree = standard(&profile, &account.server_id);
        if faults.few_properties {
            tree = tree.supporting(Parts::NONE);
        }
        Self {
            tree,
            account,
            encoding,
            uri: profile.dev_id,
            faults,
            execs: ExecOutcome::standard(),
            ledger: Ledger::default(),
            events: VecDeque::new(),
            events_later: VecDeque::new(),
            sessions: random.u16(..),
            random,
            now: None,
            session: None,
            complaints: Vec::new(),
        }
    }

    /// Begins a session and gives its first message. A session still open is forgotten.
    #[must_use]
    pub fn start(&mut self, initiation: &Initiation) -> Message {
        self.ledger.begin_session();
        self.complaints.clear();
        self.events.append(&mut self.events_later);
        let (id, alert) = match initiation {
            Initiation::Server { session_id } => (session_id.clone(), "1200"),
            Initiation::Client => {
                // Four hexadecimal digits at most, never 0.
                self.sessions = self.sessions.checked_add(1).unwrap_or(1);
                (format!("{:X}", self.sessions), "1201")
            }
        };
        let mut session = Session::new(id.into());
        session.outbox.push(Command::Alert(Alert { code: alert.into(), ..Alert::default() }));
        session.outbox.push(self.device_information());
        for event in self.events.drain(..) {
            session.outbox.push(event.into_command());
        }
        let message = self.next_message(&mut session, None);
        self.session = Some(session);
        message
    }

    /// Takes a message of the server. A message received before gets the reply it got before, and nothing is done
    /// twice.
    #[must_use]
    pub fn receive(&mut self, message: &Message) -> Step {
        let Some(mut session) = self.session.take() else {
            return Step::end(SessionEnd::Violation("a message came outside of a session".to_owned()));
        };
        if let Some((answered, step)) = &session.answered
            && *answered == message.header.msg_id
        {
            let step = step.clone();
            self.session = Some(session);
            return step;
        }
        let step = self.take(&mut session, message);
        session.answered = Some((message.header.msg_id.clone(), step.clone()));
        // The session stays after its end, to answer a repetition; `start` replaces it.
        self.session = Some(session);
        step
    }

    /// Tells the server something unasked, in the next package that goes out.
    pub fn raise(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Decides what an Exec on `path` does from now on. The node itself must allow Exec.
    pub fn on_exec(&mut self, path: &str, outcome: ExecOutcome) {
        self.execs.retain(|(at, _)| at != path);
        self.execs.push((path.to_owned(), outcome));
    }

    /// Sets the device's clock: what `TStamp` becomes on nodes that change from now on.
    pub fn set_clock(&mut self, now: TStamp) {
        self.now = Some(now);
    }

    /// What the device was asked and did.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Where the server departed from the specification in this session, in words; empty for a good server.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// How its messages travel.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// `MaxMsgSize` that it announces, in octets.
    #[must_use]
    pub fn message_bytes_max(&self) -> u64 {
        self.faults.message_bytes_max.map_or(MESSAGE_BYTES_MAX, |it| it as u64)
    }

    /// `Source/LocURI` of its messages, which is also its `./DevInfo/DevId`.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// `SessionID` of the session that was started last.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.id.as_str())
    }

    /// Where the next message of the session goes: `RespURI`, or the address of the account.
    #[must_use]
    pub fn next_url(&self) -> &str {
        let resp_uri = self.session.as_ref().and_then(|session| session.resp_uri.as_deref());
        resp_uri.unwrap_or(&self.account.server_url)
    }

    /// The Replace of `./DevInfo` in package 1.
    fn device_information(&self) -> Command {
        let items = ["DevId", "Man", "Mod", "DmV", "Lang"].map(|name| {
            let uri = format!("./DevInfo/{name}");
            Item {
                data: Some(ItemData::from(self.tree.text(&uri).unwrap_or(""))),
                source: Some(Address::new(uri)),
                ..Item::default()
            }
        });
        Command::Write(Write {
            kind: WriteKind::Replace,
            cmd_id: Text::default(),
            meta: Meta::default(),
            items: items.into(),
        })
    }
}

impl Step {
    fn end(end: SessionEnd) -> Self {
        Self { reply: None, finished: Some(end) }
    }
}
