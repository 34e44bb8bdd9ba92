use super::Text;

/// Meta-information of a message, a command, an item or a credential. What is absent was not sent; the defaults of
/// the specification (`Format` chr, `Type` text/plain) are the reader's to apply.
///
/// Source: SyncML Meta-Information 1.2, as DM uses it. Elements that only data synchronisation uses are skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Meta {
    /// `b64`, `bin`, `bool`, `chr`, `int`, `node`, `null`, `xml`, `date`, `time` or `float`.
    pub format: Option<Text>,
    /// MIME type, management object identifier, alert type, or `syncml:auth-*`.
    pub kind: Option<Text>,
    /// Importance of a Generic Alert, `fatal` to `indeterminate`.
    pub mark: Option<Text>,
    /// Octets of the whole object as carried (base64 text counted as such).
    pub size: Option<u64>,
    /// Content version.
    pub version: Option<Text>,
    /// Nonce for the next credential, decoded from base64.
    pub next_nonce: Option<Vec<u8>>,
    /// Largest message the sender takes, in octets.
    pub max_msg_size: Option<u64>,
    /// Largest object the sender takes, in octets.
    pub max_obj_size: Option<u64>,
    /// Experimental meta-information, kept as text.
    pub emi: Vec<Text>,
}

impl Meta {
    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
