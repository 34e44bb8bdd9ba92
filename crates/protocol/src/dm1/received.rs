//! What a session tells its caller.

use serde::{Deserialize, Serialize};

use super::{DeviceAlert, DeviceInfo, Failure, Login, Outcome, Seal};
use crate::syncml::{Message, StatusCode, Text};

/// What one message of the device brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The client proved who it is with this message.
    pub login: Option<Login>,
    /// The client did not prove who it is, and this is why.
    pub failure: Option<Failure>,
    /// The nonce that the device, authenticated, issued for our next credential and notification.
    pub server_nonce: Option<Vec<u8>>,
    /// `./DevInfo` as an authenticated package 1 brought it.
    pub device: Option<DeviceInfo>,
    /// Who began the session, where an authenticated message says so.
    pub initiation: Option<Initiation>,
    /// Orders that ended with this message.
    pub outcomes: Vec<Outcome>,
    /// Events of authenticated messages, one for each item.
    pub alerts: Vec<DeviceAlert>,
    /// What [`super::Session::answer`] will do.
    pub stage: Stage,
    /// Why the session ends, where `stage` says that it does.
    pub reason: Option<EndReason>,
    /// Messages of the device that never came, in the whole session so far.
    pub skipped: u32,
    /// `Status` and `Results` that fit nothing asked, in the whole session so far.
    pub unexpected: u32,
}

/// Who began the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Initiation {
    /// Alert 1201.
    Client,
    /// Alert 1200: the device follows a notification.
    Server,
}

/// What the answer to a message will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Ask for a credential: 401 or 407 with a challenge.
    Challenge,
    /// Refuse and end: a second bad credential, or a version that is not spoken here.
    Refuse,
    /// Ask for the rest of the device's package.
    NextMessage,
    /// Send the next part of a large object. Orders are not taken.
    NextPart,
    /// Take orders; without any the session ends well.
    Ready,
    /// Close the session: the device aborted it, or it does not let this server in.
    End,
}

/// Why a session ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndReason {
    /// The device sent alert 1223.
    DeviceAborted,
    /// The client failed to prove who it is for the second time.
    BadCredential,
    /// The device asks for a credential and there is none for it.
    NoServerCredential,
    /// The device asks for a scheme that is unknown here or weaker than the account allows.
    ServerSchemeRefused,
    /// The device refused our credential although it was made with the nonce it asked for.
    ServerCredentialRefused,
    /// `VerDTD` or `VerProto` is not spoken here.
    Version,
}

impl EndReason {
    /// In words, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::DeviceAborted => "the device aborted the session (alert 1223)",
            Self::BadCredential => "the device did not prove who it is",
            Self::NoServerCredential => "the device asks for a credential of the server, and its account has none",
            Self::ServerSchemeRefused => "the device asks for an authentication type that its account does not allow",
            Self::ServerCredentialRefused => "the device refused the credential of the server",
            Self::Version => "the device speaks a version that is not spoken here",
        }
    }
}

/// A message for the device, and what else came of making it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Goes to the device.
    pub message: Message,
    /// Makes the header that goes with it, where this server proves who it is by a MAC.
    pub seal: Option<Seal>,
    /// Orders that ended without being sent, or with the session.
    pub outcomes: Vec<Outcome>,
    /// Nothing more is expected from the device: forget the session when the message has left.
    pub over: bool,
}

/// Why a message cannot be part of the session. The session is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The session ended before.
    #[error("the session is over")]
    Over,
    /// `SessionID` is of another session.
    #[error("message of session {got}, but this is {expected}")]
    OtherSession {
        /// Ours.
        expected: Text,
        /// In the message.
        got: Text,
    },
    /// `Source/LocURI` is another device than in the messages before.
    #[error("message of device {got}, but the session is of {expected}")]
    OtherDevice {
        /// Ours.
        expected: Text,
        /// In the message.
        got: Text,
    },
    /// `SessionID`, `Source/LocURI` or `MsgID` is longer than any real one.
    #[error("an identifier in the header has more than {max} octets")]
    IdentifierTooLong {
        /// The bound.
        max: usize,
    },
    /// `MsgID` is no whole number of at most 32 bits.
    #[error("message number {got:?} is no number")]
    MessageNumber {
        /// In the message.
        got: Text,
    },
    /// `MsgID` was used before.
    #[error("message {got} came, but {expected} is the next")]
    MessageBelow {
        /// Next in turn.
        expected: u32,
        /// In the message.
        got: u32,
    },
    /// The message has more octets than the device was told that it may have.
    #[error("the message has {got} octets, but the device was told {max}")]
    MessageTooLong {
        /// `MaxMsgSize` as told.
        max: u32,
        /// Octets of the message.
        got: usize,
    },
    /// The session has had all the messages it may have.
    #[error("the session has had {max} messages and may have no more")]
    TooManyMessages {
        /// The bound.
        max: u32,
    },
}

impl Violation {
    /// The code that [`super::Session::refuse`] should give.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooManyMessages { .. } => StatusCode::OPERATION_CANCELLED,
            Self::MessageTooLong { .. } => StatusCode::TOO_LARGE,
            Self::Over
            | Self::OtherSession { .. }
            | Self::OtherDevice { .. }
            | Self::IdentifierTooLong { .. }
            | Self::MessageNumber { .. }
            | Self::MessageBelow { .. } => StatusCode::BAD_REQUEST,
        }
    }
}
