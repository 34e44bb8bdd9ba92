use std::fmt;

use super::StatusCode;
use crate::limits::LimitExceeded;
use crate::wbxml::WbxmlError;
use crate::xml::XmlError;
use crate::xml::writer::NotXmlCharacter;

/// Why octets are not a SyncML message, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub fault: DecodeFault,
    /// Octets from the start of the document to the fault, or to where it was noticed.
    pub at: usize,
    /// Names of the elements that were open there, the root first, for example `SyncML/SyncBody/Alert/Item/Data`.
    /// Empty before the root. Names hold nothing but ASCII letters, digits and `-_.:?`.
    pub path: String,
}

impl DecodeError {
    /// Name of the fault for counting: short, in `snake_case`, one of [`DecodeFault::KINDS`], the same in every version.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.fault.kind()
    }

    /// What the sender is told, as [`DecodeFault::status`].
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.fault.status()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)?;
        if self.fault.at().is_none() {
            write!(f, " (octet {})", self.at)?;
        }
        if self.path.is_empty() { Ok(()) } else { write!(f, ", in {}", self.path) }
    }
}

impl std::error::Error for DecodeError {}

/// Why octets are not a SyncML message. `at` counts octets from the start of the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
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

impl DecodeFault {
    /// Every name that [`Self::kind`] gives.
    pub const KINDS: [&str; 34] = [
        "limit_attributes",
        "limit_commands",
        "limit_depth",
        "limit_document_bytes",
        "limit_elements",
        "limit_items",
        "limit_other",
        "limit_string_table_bytes",
        "limit_text_bytes",
        "syncml_missing_element",
        "syncml_not_base64",
        "syncml_not_number",
        "syncml_not_text",
        "syncml_other_document",
        "syncml_repeated_element",
        "wbxml_charset",
        "wbxml_entity",
        "wbxml_integer",
        "wbxml_not_text",
        "wbxml_string_table",
        "wbxml_token",
        "wbxml_trailing",
        "wbxml_truncated",
        "wbxml_version",
        "xml_character",
        "xml_document_type",
        "xml_encoding",
        "xml_entity",
        "xml_namespace",
        "xml_not_text",
        "xml_outside_root",
        "xml_processing_instruction",
        "xml_syntax",
        "xml_truncated",
    ];

    /// Name for counting: short, in `snake_case`, the same in every version.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Xml(error) => error.kind(),
            Self::Wbxml(error) => error.kind(),
            Self::Limit(error) => error.kind(),
            Self::NotSyncMl => "syncml_other_document",
            Self::Missing { .. } => "syncml_missing_element",
            Self::Repeated { .. } => "syncml_repeated_element",
            Self::NotNumber { .. } => "syncml_not_number",
            Self::NotBase64 { .. } => "syncml_not_base64",
            Self::NotText { .. } => "syncml_not_text",
        }
    }

    /// What the sender is told. A message that cannot be read has no header to answer, so this is the HTTP status, which
    /// has the same number: 413 above a size or a count, 415 for another document type, version or character set, else
    /// 400.
    ///
    /// Source: OMA DM 1.2 HTTP Binding; SyncML Representation Protocol 1.2, "Response Status Codes".
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Xml(XmlError::Limit(error)) | Self::Wbxml(WbxmlError::Limit(error)) | Self::Limit(error) => {
                // Depth and attributes say nothing of size: no message needs as many.
                match error.limit {
                    "depth_max" | "attributes_max" => StatusCode::BAD_REQUEST,
                    _ => StatusCode::TOO_LARGE,
                }
            }
            Self::NotSyncMl
            | Self::Xml(XmlError::Encoding { .. })
            | Self::Wbxml(WbxmlError::Version { .. } | WbxmlError::Charset { .. }) => StatusCode::UNSUPPORTED_FORMAT,
            Self::Xml(_)
            | Self::Wbxml(_)
            | Self::Missing { .. }
            | Self::Repeated { .. }
            | Self::NotNumber { .. }
            | Self::NotBase64 { .. }
            | Self::NotText { .. } => StatusCode::BAD_REQUEST,
        }
    }

    /// The octet the fault names, if it names one.
    pub(super) fn at(&self) -> Option<usize> {
        match self {
            Self::Xml(error) => error.at(),
            Self::Wbxml(error) => error.at(),
            Self::Limit(error) => Some(error.at),
            Self::NotSyncMl | Self::Missing { .. } => None,
            Self::Repeated { at, .. }
            | Self::NotNumber { at, .. }
            | Self::NotBase64 { at, .. }
            | Self::NotText { at } => Some(*at),
        }
    }

    /// The fault with the octet it names counted from elsewhere.
    pub(super) fn moved(self, to: impl Fn(usize) -> usize) -> Self {
        match self {
            Self::Xml(error) => Self::Xml(error.moved(to)),
            Self::Limit(error) => Self::Limit(LimitExceeded { at: to(error.at), ..error }),
            Self::Repeated { element, at } => Self::Repeated { element, at: to(at) },
            Self::NotNumber { element, at } => Self::NotNumber { element, at: to(at) },
            Self::NotBase64 { element, at } => Self::NotBase64 { element, at: to(at) },
            Self::NotText { at } => Self::NotText { at: to(at) },
            // Nothing stands before a WBXML document.
            Self::Wbxml(_) | Self::NotSyncMl | Self::Missing { .. } => self,
        }
    }
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
