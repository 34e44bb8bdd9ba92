//! The session: a value that takes messages and makes replies.
//!
//! Source: OMA DM Protocol 1.2, "Protocol packages"; OMA DM Security 1.2, "Authentication".

mod answer;
mod due;
mod queue;
mod receive;
mod room;
mod upload;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use self::{
    due::{Due, Late},
    queue::Unrolled,
    upload::Upload,
};
use super::{
    Account, Answer, AuthType, Identity, Incoming, Order, Outcome, credential::Standing, large::Assembly, open::OnWire,
};
use crate::syncml::{Encoding, Text};

/// Octets of the largest message for a device that announced nothing: the figure in the examples of the specification.
pub const MAX_MSG_SIZE_DEFAULT: u64 = 5_000;
/// Orders of one session that wait or are on the wire, members counted: what a session may take in a store. Room for a
/// container of 500, which is the most nodes that an operation writes.
pub const ORDERS_MAX: usize = 512;
/// Octets of a `SessionID`, `Source/LocURI` or `MsgID` that is kept: the longest seen are URIs below 200.
const IDENTIFIER_BYTES_MAX: usize = 1_024;
/// Messages of one device in one session: room for large trees, an end to endless ones.
const MESSAGES_MAX: u32 = 2_000;

/// One session with a device, from its package 1 to our last status. A plain value without octets of messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// `SessionID` as the device writes it.
    id: Text,
    encoding: Encoding,
    version: Version,
    phase: Phase,
    /// The scheme that the client proved itself with first.
    scheme: Option<AuthType>,
    /// The client has to prove itself in every message.
    each_message: bool,
    /// The nonce of resynchronisation was taken.
    resynchronised: bool,
    /// `Source/LocURI` of the device; empty before its first message.
    device: Text,
    /// `MsgID` of the device's last message.
    seen: u32,
    /// `MsgID` of our last message.
    sent: u32,
    /// Failed authentications of the client since it last succeeded.
    failures: u8,
    skipped: u32,
    unexpected: u32,
    /// `MaxMsgSize` as announced last, never 0.
    max_msg_size: Option<u64>,
    /// `MaxObjSize` as announced last, never 0.
    max_obj_size: Option<u64>,
    /// `MaxMsgSize` that the device was told.
    told_max_msg_size: Option<u32>,
    standing: Standing,
    /// What the device owes statuses for.
    wire: OnWire,
    /// The orders on the wire as given with their numbers, while the device may yet refuse our credential.
    again: Vec<(u32, Order)>,
    /// Orders that wait for a message with room.
    queue: VecDeque<Order>,
    /// The object that goes out in parts.
    upload: Option<Upload>,
    /// The Sequence that goes out member by member.
    unrolled: Option<Unrolled>,
    /// Parts of a large object of the device.
    parts: Assembly,
    /// Command numbers of the alerts in our last message, which the device answers with a status.
    own_alerts: Vec<u32>,
    /// Added to the numbers of commands that want an answer.
    #[serde(default)]
    numbers_from: u32,
    /// Statuses that earlier answers had no room for.
    late: VecDeque<Late>,
    /// What the answer to the last message owes, until it is made.
    due: Option<Due>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// The client has not proved who it is.
    Stranger,
    /// It has.
    Known,
    /// Nothing more is expected.
    Over,
}

/// A version of OMA DM that is spoken here, always that of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    /// 1.1.2: no generic alerts, and no `Correlator`.
    V1_1,
    /// 1.2.
    V1_2,
}

impl Version {
    /// `VerDTD` and `VerProto` as this server writes them.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::V1_1 => ("1.1", "DM/1.1"),
            Self::V1_2 => ("1.2", "DM/1.2"),
        }
    }
}

impl Session {
    /// A session that has seen nothing; `session_id` as in the first message, `encoding` that of the device.
    #[must_use]
    pub fn new(session_id: &str, encoding: Encoding) -> Self {
        Self {
            id: session_id.into(),
            encoding,
            version: Version::V1_2,
            phase: Phase::Stranger,
            scheme: None,
            each_message: false,
            resynchronised: false,
            device: Text::default(),
            seen: 0,
            sent: 0,
            failures: 0,
            skipped: 0,
            unexpected: 0,
            max_msg_size: None,
            max_obj_size: None,
            told_max_msg_size: None,
            standing: Standing::default(),
            wire: OnWire::default(),
            again: Vec::new(),
            queue: VecDeque::new(),
            upload: None,
            unrolled: None,
            parts: Assembly::default(),
            own_alerts: Vec::new(),
            numbers_from: 0,
            late: VecDeque::new(),
            due: None,
        }
    }

    /// A session of which only the number of messages is known: nothing is kept of one whose client has not proved who it
    /// is, so that a stranger costs no memory. With `messages` above 0 the client has been challenged before, and the next
    /// bad credential is its second. Our own messages are counted like those of the device.
    #[must_use]
    pub fn after_challenge(session_id: &str, encoding: Encoding, messages: u32) -> Self {
        let messages = messages.min(MESSAGES_MAX);
        Self { seen: messages, sent: messages, failures: u8::from(messages > 0), ..Self::new(session_id, encoding) }
    }

    /// The same session, which numbers the commands that want an answer from above `number`.
    ///
    /// For a session that a message of an earlier one can have begun again: what the device said in the earlier one
    /// would else be taken for an answer to commands of this one, since both count messages and commands from 1. A
    /// `CmdID` may be any text that is unique in its message.
    #[must_use]
    pub fn numbered_from(self, number: u32) -> Self {
        Self { numbers_from: number, ..self }
    }

    /// Ends the session without a word, for one that the device left: every order that is open ends.
    pub fn close(&mut self) -> Vec<Outcome> {
        self.phase = Phase::Over;
        self.parts.clear();
        self.late.clear();
        self.end_orders()
    }

    /// `SessionID` as the device writes it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How messages of this session travel.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// `Source/LocURI` of the device; empty before its first message.
    #[must_use]
    pub fn device_uri(&self) -> &str {
        &self.device
    }

    /// Whether the client has proved who it is.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.phase == Phase::Known
    }

    /// Whether nothing more is expected from the device.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether the device's next message goes on with an object whose first parts came before.
    #[must_use]
    pub fn is_taking_object(&self) -> bool {
        self.parts.is_waiting()
    }

    /// Orders that wait or are on the wire, members counted.
    fn open_orders(&self) -> usize {
        let unrolled = self.unrolled.as_ref().map_or(0, Unrolled::len) + usize::from(self.upload.is_some());
        self.wire.len() + unrolled + self.queue.iter().map(|it| 1 + it.action.members().len()).sum::<usize>()
    }
}

/// Outcomes of an order and its members, all ended in the same way by the session.
fn ended(order: &Order, answer: Answer, note: Option<super::Note>) -> Vec<Outcome> {
    order.action.members().iter().fold(vec![Outcome::bare(order.tag, answer, note)], |mut all, member| {
        all.extend(ended(member, answer, note));
        all
    })
}

/// Gives the commands of a message their numbers, from 1.
#[derive(Clone, Copy)]
struct Number(usize);

impl Number {
    fn take(&mut self) -> u32 {
        self.0 = self.0.saturating_add(1);
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

fn text(number: u32) -> Text {
    use std::fmt::Write;
    let mut text = Text::default();
    // Writing to a string does not fail.
    let _ = write!(text, "{number}");
    text
}
