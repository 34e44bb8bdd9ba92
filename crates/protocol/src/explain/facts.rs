//! What is only understood when all of the input has been read.

/// Which fact a node stands for: the row of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Command(usize),
    Answer(usize),
    Credential(usize),
    Mac(usize),
    Digest(usize),
}

#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) messages: Vec<Message>,
    pub(super) commands: Vec<Command>,
    pub(super) answers: Vec<Answer>,
    pub(super) nonces: Vec<Nonce>,
    pub(super) credentials: Vec<Credential>,
    pub(super) macs: Vec<Mac>,
    /// Packages 0.
    pub(super) digests: Vec<Vec<u8>>,
}

/// A SyncML message.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) session_id: String,
    pub(super) msg_id: String,
    /// `Source/LocURI` of the header.
    pub(super) sender: String,
    /// `Source/LocName` of the header.
    pub(super) sender_name: String,
}

/// A command, or the header of a message, whose `CmdID` is `0`.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) message: usize,
    pub(super) cmd_id: String,
    /// Name and what it is about.
    pub(super) title: String,
}

/// A `Status` or `Results`.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) message: usize,
    pub(super) msg_ref: String,
    pub(super) cmd_ref: String,
    /// `TargetRef` or `SourceRef`, the first one.
    pub(super) about: String,
    /// `Data` of a `Status`; nothing for `Results`.
    pub(super) code: Option<String>,
    /// `Results` are commands too: the first part of a large object is answered.
    pub(super) command: Option<usize>,
}

/// A nonce that a message issues.
#[derive(Debug)]
pub(super) struct Nonce {
    pub(super) message: usize,
    pub(super) octets: Vec<u8>,
}

/// A `Cred`.
#[derive(Debug)]
pub(super) struct Credential {
    pub(super) message: usize,
    /// `Meta/Type`.
    pub(super) kind: String,
    /// `Data`.
    pub(super) data: String,
}

/// An `x-syncml-hmac` header and what it covers.
#[derive(Debug)]
pub(super) struct Mac {
    pub(super) header: String,
    pub(super) body: Vec<u8>,
}
