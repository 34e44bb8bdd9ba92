use super::{Command, Meta, Text};

/// One SyncML message: what one HTTP request or response carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `SyncHdr`.
    pub header: Header,
    /// The commands of `SyncBody` in document order.
    pub commands: Vec<Command>,
    /// Whether `Final` closes the package.
    pub is_final: bool,
}

/// `SyncHdr`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `1.2` for DM 1.2.
    pub ver_dtd: Text,
    /// `DM/1.2` for DM 1.2.
    pub ver_proto: Text,
    /// Opaque text, the same in both directions for the whole session.
    pub session_id: Text,
    /// Each side numbers its own messages from 1. Kept as sent; numbers are the reader's to check.
    pub msg_id: Text,
    /// Who the message is for.
    pub target: Address,
    /// Who sent it. `name` is the user of MD5 and HMAC authentication.
    pub source: Address,
    /// Where the next message must go.
    pub resp_uri: Option<Text>,
    /// `NoResp` was present. OMA DM ignores it.
    pub no_resp: bool,
    /// Credential of the sender.
    pub cred: Option<Credential>,
    /// Carries `MaxMsgSize` and `MaxObjSize`.
    pub meta: Meta,
}

/// `Target` or `Source` of a header or an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Address {
    /// `LocURI`.
    pub uri: Text,
    /// `LocName`.
    pub name: Option<Text>,
}

impl Address {
    /// An address without a display name.
    #[must_use]
    pub fn new(uri: impl Into<Text>) -> Self {
        Self { uri: uri.into(), name: None }
    }
}

/// `Cred`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credential {
    /// `Type` is `syncml:auth-basic`, `syncml:auth-md5` or another scheme; `Format` is `b64`.
    pub meta: Meta,
    /// The credential as carried: base64 text.
    pub data: Text,
}

/// `Chal`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// `Type` names the scheme wanted, `next_nonce` what to use with it.
    pub meta: Meta,
}
