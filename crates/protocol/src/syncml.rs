//! The SyncML representation of OMA DM 1.x as types, read from and written to XML and WBXML.
//!
//! Source: SyncML Representation Protocol 1.2, as OMA DM 1.2 uses it.

mod command;
mod message;
mod meta;
mod status_code;

pub use command::{Alert, Command, Exec, Get, Item, ItemData, Nested, NestedKind, Results, Status, Write, WriteKind};
pub use message::{Address, Challenge, Credential, Header, Message};
pub use meta::Meta;
pub use status_code::StatusCode;

/// Short text: up to 24 octets are kept without an allocation, which covers nearly every CmdID, MsgRef and code.
pub use compact_str::CompactString as Text;

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Encoding {
    /// `application/vnd.syncml.dm+xml`
    Xml,
    /// `application/vnd.syncml.dm+wbxml`
    Wbxml,
}

impl Encoding {
    /// The media type of a DM 1.2 message in this encoding.
    ///
    /// Source: OMA DM 1.2 Protocol, MIME usage.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/vnd.syncml.dm+xml",
            Self::Wbxml => "application/vnd.syncml.dm+wbxml",
        }
    }
}
