use crate::limits::LimitExceeded;

/// Why a WBXML document was refused. `at` counts octets from the start of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WbxmlError {
    /// The input stopped before the root element was closed.
    #[error("document ends at octet {at}, inside a token or an element")]
    Truncated {
        /// Where the input ended.
        at: usize,
    },
    /// More than 5 octets, or a value above 32 bits.
    #[error("integer at octet {at} does not fit 32 bits")]
    IntegerTooLong {
        /// Where the integer begins.
        at: usize,
    },
    /// Version octet of no version 1.
    #[error("WBXML version octet {version:#04x} is not of version 1")]
    Version {
        /// The octet.
        version: u8,
    },
    /// Character set other than UTF-8, US-ASCII or ISO-8859-1.
    #[error("character set {mib} is not UTF-8 (106), US-ASCII (3) or ISO-8859-1 (4)")]
    Charset {
        /// IANA MIBenum.
        mib: u32,
    },
    /// A string reference outside the string table.
    #[error("string table has no offset {offset} (octet {at})")]
    StringTable {
        /// The offset asked for.
        offset: u32,
        /// Where it was asked for.
        at: usize,
    },
    /// Octets that are not text in the document's character set.
    #[error("text at octet {at} is not in the document's character set")]
    NotText {
        /// Where the text begins.
        at: usize,
    },
    /// A character reference to no character.
    #[error("entity at octet {at} names no character")]
    Entity {
        /// Where the reference begins.
        at: usize,
    },
    /// Processing instructions, extension tokens in text, which no document type of OMA DM defines, and octets that are
    /// no token at this place.
    #[error("token {token:#04x} is not allowed here (octet {at})")]
    Token {
        /// The octet.
        token: u8,
        /// Where it stands.
        at: usize,
    },
    /// Something follows the root element.
    #[error("octets follow the root element (octet {at})")]
    Trailing {
        /// The first of them.
        at: usize,
    },
    /// A bound of [`Limits`](crate::limits::Limits).
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

impl WbxmlError {
    /// Name for counting.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "wbxml_truncated",
            Self::IntegerTooLong { .. } => "wbxml_integer",
            Self::Version { .. } => "wbxml_version",
            Self::Charset { .. } => "wbxml_charset",
            Self::StringTable { .. } => "wbxml_string_table",
            Self::NotText { .. } => "wbxml_not_text",
            Self::Entity { .. } => "wbxml_entity",
            Self::Token { .. } => "wbxml_token",
            Self::Trailing { .. } => "wbxml_trailing",
            Self::Limit(error) => error.kind(),
        }
    }

    /// The octet named, if one is.
    pub(crate) fn at(&self) -> Option<usize> {
        match self {
            Self::Truncated { at }
            | Self::IntegerTooLong { at }
            | Self::StringTable { at, .. }
            | Self::NotText { at }
            | Self::Entity { at }
            | Self::Token { at, .. }
            | Self::Trailing { at } => Some(*at),
            Self::Limit(error) => Some(error.at),
            Self::Version { .. } | Self::Charset { .. } => None,
        }
    }
}
