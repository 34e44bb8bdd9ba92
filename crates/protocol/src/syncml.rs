//! The SyncML representation of OMA DM 1.x as types, read from and written to XML and WBXML.
//!
//! Source: SyncML Representation Protocol 1.2, as OMA DM 1.2 uses it.

pub mod blank;
mod command;
mod ddf;
mod decode;
mod encode;
mod encoding;
mod error;
mod markup;
mod message;
mod meta;
mod place;
mod sender;
mod sink;
mod source;
mod status_code;
mod style;
mod styled_sink;

pub use command::{Alert, Command, Exec, Get, Item, ItemData, Nested, NestedKind, Results, Status, Write, WriteKind};
pub(crate) use ddf::{ddf_document, ddf_octets};
pub use encoding::Encoding;
pub use error::{DecodeError, DecodeFault, EncodeError};
pub use message::{Address, Challenge, Credential, Header, Message};
pub use meta::Meta;
pub use sender::Sender;
pub use status_code::StatusCode;
pub use style::{DataForm, MarkupForm, MetaNamespace, OctetsForm, PublicIdForm, Style, WbxmlVersion};

/// Short text: up to 24 octets are kept without an allocation, which covers nearly every CmdID, MsgRef and code.
pub use compact_str::CompactString as Text;
