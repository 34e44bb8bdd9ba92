use super::{Address, Challenge, Credential, Meta, StatusCode, Text};

/// A child of `SyncBody`, `Atomic` or `Sequence`.
///
/// Source: SyncML Representation Protocol 1.2, section "Protocol Command Elements", in the subset of OMA DM 1.2.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "most commands of a message are the largest, Status; a box would cost each an allocation"
)]
pub enum Command {
    /// Report or request of either side.
    Alert(Alert),
    /// Add, Copy, Delete or Replace.
    Write(Write),
    /// Reads nodes.
    Get(Get),
    /// Starts what a node stands for.
    Exec(Exec),
    /// Atomic or Sequence.
    Nested(Nested),
    /// Answer to a Get.
    Results(Results),
    /// Answer to a command or header.
    Status(Status),
    /// A command of SyncML that OMA DM does not use (Put, Search, Sync, Map, Move), named so that it can be refused.
    Unsupported {
        /// Element name.
        name: Text,
        /// Its `CmdID`, empty where absent.
        cmd_id: Text,
    },
}

/// `Alert`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alert {
    /// `CmdID`.
    pub cmd_id: Text,
    /// Alert code as text, for example `1201`. Empty where `Data` was absent.
    pub code: Text,
    /// Ties a Generic Alert to the Exec that caused it.
    pub correlator: Option<Text>,
    /// Options, texts and choices of user interaction; events of client and generic alerts.
    pub items: Vec<Item>,
}

/// Which of the commands that change the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum WriteKind {
    /// Makes a node.
    Add,
    /// Copies a node; each item has `source` and `target`.
    Copy,
    /// Removes a node and what is below.
    Delete,
    /// Overwrites a value or a property.
    Replace,
}

impl WriteKind {
    /// Element name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Copy => "Copy",
            Self::Delete => "Delete",
            Self::Replace => "Replace",
        }
    }
}

/// `Add`, `Copy`, `Delete` or `Replace`: the same shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which one.
    pub kind: WriteKind,
    /// `CmdID`.
    pub cmd_id: Text,
    /// For every item that has none of its own.
    pub meta: Meta,
    /// At least one in a correct message.
    pub items: Vec<Item>,
}

/// `Get`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Get {
    /// `CmdID`.
    pub cmd_id: Text,
    /// For every item that has none of its own.
    pub meta: Meta,
    /// One for each node.
    pub items: Vec<Item>,
}

/// `Exec`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    /// `CmdID`.
    pub cmd_id: Text,
    /// For the item if it has none of its own.
    pub meta: Meta,
    /// Comes back in the Generic Alert that tells the outcome.
    pub correlator: Option<Text>,
    /// Exactly one in a correct message; others are kept so that they can be refused.
    pub items: Vec<Item>,
}

/// Which container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum NestedKind {
    /// All or nothing.
    Atomic,
    /// One after the other.
    Sequence,
}

impl NestedKind {
    /// Element name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Atomic => "Atomic",
            Self::Sequence => "Sequence",
        }
    }
}

/// `Atomic` or `Sequence`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nested {
    /// Which one.
    pub kind: NestedKind,
    /// `CmdID`.
    pub cmd_id: Text,
    /// Meta of the container.
    pub meta: Meta,
    /// Members in document order.
    pub commands: Vec<Command>,
}

/// `Results`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// `CmdID`.
    pub cmd_id: Text,
    /// `MsgID` of the message with the Get. Absent means `1`.
    pub msg_ref: Option<Text>,
    /// `CmdID` of the Get.
    pub cmd_ref: Text,
    /// For every item that has none of its own.
    pub meta: Meta,
    /// `TargetRef`.
    pub target_ref: Option<Text>,
    /// `SourceRef`.
    pub source_ref: Option<Text>,
    /// One for each node read.
    pub items: Vec<Item>,
}

/// `Status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `CmdID`.
    pub cmd_id: Text,
    /// `MsgID` of the message answered.
    pub msg_ref: Text,
    /// `CmdID` answered; `0` for the header.
    pub cmd_ref: Text,
    /// Name of the command answered; `SyncHdr` for the header.
    pub cmd: Text,
    /// `TargetRef`s, in order.
    pub target_refs: Vec<Text>,
    /// `SourceRef`s, in order.
    pub source_refs: Vec<Text>,
    /// Credential; not used by OMA DM inside a command.
    pub cred: Option<Credential>,
    /// Challenge.
    pub chal: Option<Challenge>,
    /// The code. What is not a number reads as [`StatusCode::COMMAND_FAILED`] (seen from libdmclient: `0`).
    pub code: StatusCode,
    /// Answers to user interaction, or the node that stopped an implicit Add.
    pub items: Vec<Item>,
}

/// `Item`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// `Target`.
    pub target: Option<Address>,
    /// `Source`.
    pub source: Option<Address>,
    /// Overrides the command's.
    pub meta: Meta,
    /// `Data`.
    pub data: Option<ItemData>,
    /// More of this object follows in the next message.
    pub more_data: bool,
}

/// What `Data` carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemData {
    /// Character data. Opaque octets of WBXML that are UTF-8 read as this too.
    Text(Text),
    /// Opaque octets that are not UTF-8 text (only WBXML can carry them).
    Opaque(Vec<u8>),
}

impl ItemData {
    /// The octets carried.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Opaque(octets) => octets,
        }
    }

    /// The text, unless these are octets that are not.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Opaque(_) => None,
        }
    }
}

impl From<&str> for ItemData {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl Command {
    /// `CmdID`, empty where the sender left it out.
    #[must_use]
    pub fn cmd_id(&self) -> &Text {
        match self {
            Self::Alert(it) => &it.cmd_id,
            Self::Write(it) => &it.cmd_id,
            Self::Get(it) => &it.cmd_id,
            Self::Exec(it) => &it.cmd_id,
            Self::Nested(it) => &it.cmd_id,
            Self::Results(it) => &it.cmd_id,
            Self::Status(it) => &it.cmd_id,
            Self::Unsupported { cmd_id, .. } => cmd_id,
        }
    }

    /// Element name, as `Status` repeats it in `Cmd`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Alert(_) => "Alert",
            Self::Write(it) => it.kind.name(),
            Self::Get(_) => "Get",
            Self::Exec(_) => "Exec",
            Self::Nested(it) => it.kind.name(),
            Self::Results(_) => "Results",
            Self::Status(_) => "Status",
            Self::Unsupported { name, .. } => name,
        }
    }
}
