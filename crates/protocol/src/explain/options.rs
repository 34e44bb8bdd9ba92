use serde::Serialize;

/// What octets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// An XML document.
    Xml,
    /// A WBXML document: SyncML, management tree, provisioning.
    Wbxml,
    /// Package 0.
    Package0,
    /// A WSP push.
    Wsp,
    /// User data of a short message, header first.
    Sms,
    /// A whole short message.
    Tpdu,
    /// HTTP requests and responses one after the other.
    Http,
    /// A capture file.
    Pcap,
}

/// What is known of accounts. Each name is tried with each secret and each nonce.
#[derive(Clone, Default)]
pub struct Keys {
    /// Names of accounts, besides those that messages name.
    pub users: Vec<String>,
    /// Secrets of accounts.
    pub secrets: Vec<String>,
    /// Nonces, decoded, besides those that messages issue.
    pub nonces: Vec<Vec<u8>>,
    /// The server's identifier in package 0's digest, where it is not the one in package 0.
    pub server_id: Option<String>,
    /// Digits of the IMSI, for provisioning documents.
    pub imsi: Option<String>,
    /// The PIN, for provisioning documents.
    pub pin: Option<String>,
    /// The key of a provisioning document's MAC itself.
    pub mac_key: Option<Vec<u8>>,
}

/// How to explain.
#[derive(Default)]
pub struct Options<'a> {
    /// How the input stands for octets; found out if not given.
    pub packing: Option<super::Packing>,
    /// What the octets are; found out if not given.
    pub form: Option<Form>,
    /// To check credentials with.
    pub keys: Keys,
    /// Value of the `x-syncml-hmac` header that came with a single message.
    pub hmac: Option<&'a str>,
    /// Whether secrets stand in the tree. Without it they are [`Value::Hidden`](super::Value::Hidden).
    pub show_secrets: bool,
}
