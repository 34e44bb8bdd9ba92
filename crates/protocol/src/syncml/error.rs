use crate::limits::LimitExceeded;
use crate::wbxml::WbxmlError;
use crate::xml::XmlError;
use crate::xml::writer::NotXmlCharacter;

/// Why octets are not a SyncML message. `at` counts octets from the start of the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not XML that is taken.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Not WBXML that is taken.
    #[error(transparent)]
    Wbxml(#[from] WbxmlError),
    /// A bound of [`Limits`](crate::limits::Limits).
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// Root element, namespace or public identifier of another document type.
    #[error("document is not SyncML 1.0, 1.1 or 1.2")]
    NotSyncMl,
    /// An element without which a message cannot be answered.
    #[error("message has no {element}")]
    Missing {
        /// Its name.
        element: &'static str,
    },
    /// A second header or body.
    #[error("message has more than one {element} (octet {at})")]
    Repeated {
        /// Its name.
        element: &'static str,
        /// Where the second one begins.
        at: usize,
    },
    /// Not a decimal number of 64 bits.
    #[error("{element} before octet {at} is not a number")]
    NotNumber {
        /// The element.
        element: &'static str,
        /// Where its content ends.
        at: usize,
    },
    /// A nonce that is not base64.
    #[error("{element} before octet {at} is not base64")]
    NotBase64 {
        /// The element.
        element: &'static str,
        /// Where its content ends.
        at: usize,
    },
    /// Opaque octets where text belongs.
    #[error("octets before octet {at} are not UTF-8 text")]
    NotText {
        /// Where they end.
        at: usize,
    },
}

/// Why a message cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Text that XML cannot carry; WBXML can.
    #[error(transparent)]
    Character(#[from] NotXmlCharacter),
    /// A text of 4 GiB or more, which WBXML has no length for.
    #[error("text of {octets} octets is too long for WBXML")]
    TooLong {
        /// Its octets.
        octets: usize,
    },
}
