//! The device's side of an OMA DM 1.2 session, without input or output.
//!
//! [`Device::start`] gives package 1; every message of the server goes into [`Device::receive`], which gives the next
//! message, or the end of the session. [`Device::write`] makes octets of a message, [`Device::seal`] the header of HTTP
//! that goes with them, and [`Device::receive_sealed`] takes a message with its own. [`Device::notified`] takes a
//! notification. The device is a plain value that keeps its tree, nonces and [`Ledger`] from one session to the next.
//!
//! Source: OMA DM 1.2 Protocol and Security.

mod complaint;
mod credential;
mod event;
mod execute;
mod interaction;
mod large_object;
mod ledger;
mod notification;
mod outbox;
mod proof;
mod quirk;
mod reply;
mod session;
mod size;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::VecDeque;

use muster_protocol::syncml::{
    Address, Command, Encoding, Item, ItemData, Message, Meta, StatusCode, Text, Write, WriteKind,
};
use muster_protocol::tree::Parts;

pub use event::{Event, EventKind, ExecOutcome, Told};
pub use ledger::{Executed, Ledger};
pub use notification::Unfollowed;

use crate::account::Account;
use crate::behaviour::{Behaviour, Faults};
use crate::tree::{Profile, TStamp, Tree, standard};
use proof::Sealed;
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// The device sent Alert 1223 (see [`Behaviour::Aborts`]).
    AbortedByDevice,
    /// The device restarted (see [`Behaviour::Reboots`] and [`Behaviour::CrashesOnSequence`]).
    Rebooted,
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
    /// Each entry is one alert.
    events: VecDeque<Vec<Event>>,
    events_later: VecDeque<Vec<Event>>,
    /// Session ids of the notifications heard last.
    notified: VecDeque<u16>,
    /// The session that a notification with the nonce of a resynchronisation asked for, and that nonce.
    resync: Option<(String, Vec<u8>)>,
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
        if faults.no_large_objects {
            tree.set_text("./DevDetail/LrgObj", "false");
        }
        if faults.dm_1_1_2 {
            tree.set_text("./DevInfo/DmV", "1.1.2");
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
            notified: VecDeque::new(),
            resync: None,
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
                (self.faults.session_id(self.sessions), "1201")
            }
        };
        let special = self.resync.take().filter(|(asked, _)| *asked == id).map(|(_, nonce)| nonce);
        let mut session = Session::new(id.into());
        session.client.nonce.clone_from(&special);
        session.client.nonce_is_special = special.is_some();
        session.server_nonce_special = special;
        session.outbox.push(reply::alert(alert));
        session.outbox.push(self.device_information());
        for kind in self.faults.events.clone() {
            self.tell(&mut session, vec![Event::client(&kind, "1")]);
        }
        while let Some(events) = self.events.pop_front() {
            self.tell(&mut session, events);
        }
        let message = self.next_message(&mut session, None);
        self.session = Some(session);
        message
    }

    /// Takes a message of the server that came without the header of a MAC.
    #[must_use]
    pub fn receive(&mut self, message: &Message) -> Step {
        self.receive_sealed(message, &[], None)
    }

    /// Takes a message of the server, the octets it was read from, and the `x-syncml-hmac` that came with them. A
    /// message received before gets the reply it got before, and nothing is done twice; so does an older one.
    #[must_use]
    pub fn receive_sealed(&mut self, message: &Message, octets: &[u8], header: Option<&str>) -> Step {
        let Some(mut session) = self.session.take() else {
            return Step::end(SessionEnd::Violation("a message came outside of a session".to_owned()));
        };
        if session.has_answered(&message.header) {
            let step = session.answered.as_ref().map(|(_, step)| step.clone());
            self.session = Some(session);
            return step.unwrap_or_default();
        }
        let step = if session.answered.as_ref().is_some_and(|(_, step)| step.finished.is_some()) {
            return Step::end(SessionEnd::Violation("a message came after the end of the session".to_owned()));
        } else if self.aborts(&session) {
            // What is answered to an abort is ignored.
            Step::end(SessionEnd::AbortedByDevice)
        } else if message.commands.iter().any(|it| self.faults.crashes_on(it)) {
            return Step::end(SessionEnd::Rebooted);
        } else {
            self.take(&mut session, message, Sealed { octets, header })
        };
        session.answered = Some((message.header.msg_id.clone(), step.clone()));
        // The session stays after its end, to answer a repetition; `start` replaces it.
        self.session = Some(session);
        step
    }

    /// The device restarts: a session that is open is forgotten, tree and nonces stay.
    pub fn reboot(&mut self) {
        self.session = None;
        self.resync = None;
    }

    /// The device loses its nonces: its own, and the one it gave out.
    pub fn forget_nonces(&mut self) {
        self.account.client_nonce = None;
        if let Some(server) = &mut self.account.server {
            server.nonce.clear();
        }
    }

    /// Tells the server something unasked, in the next package that goes out.
    pub fn raise(&mut self, event: Event) {
        self.events.push_back(vec![event]);
    }

    /// Tells the server several things of one kind in one alert, in the next package that goes out. Of their
    /// correlators the first counts.
    pub fn raise_together(&mut self, events: Vec<Event>) {
        self.events.push_back(events);
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
        const NAMES: [&str; 5] = ["DevId", "Man", "Mod", "DmV", "Lang"];
        let meta = |format: &str| {
            let meta = Meta { format: Some(format.into()), kind: Some("text/plain".into()), ..Meta::default() };
            if self.faults.dev_info_with_nodes { meta } else { Meta::default() }
        };
        let item = |uri: String, data: &str, format: &str| Item {
            meta: meta(format),
            data: Some(ItemData::from(data)),
            source: Some(Address::new(uri)),
            ..Item::default()
        };
        let root = self.faults.dev_info_with_nodes.then(|| item("./DevInfo".to_owned(), &NAMES.join("/"), "node"));
        let leaves = NAMES.iter().map(|name| {
            let uri = format!("./DevInfo/{name}");
            let value = self.tree.text(&uri).unwrap_or("").to_owned();
            item(uri, &value, "chr")
        });
        Command::Write(Write {
            kind: WriteKind::Replace,
            cmd_id: Text::default(),
            meta: Meta::default(),
            items: root.into_iter().chain(leaves).collect(),
        })
    }
}

impl Step {
    fn end(end: SessionEnd) -> Self {
        Self { reply: None, finished: Some(end) }
    }
}
