use crate::limits::LimitExceeded;

/// Why an XML document was refused. `at` counts octets: of the document for [`document_text`](super::document_text) and
/// for whole messages, of the text given for [`PullReader`](super::PullReader).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not well formed.
    #[error("not well-formed XML at octet {at}: {reason}")]
    Syntax {
        /// Near where.
        at: usize,
        /// What the tokenizer said.
        reason: Box<str>,
    },
    /// The document ends inside an element, or before any.
    #[error("document ends at octet {at} before its root element does")]
    Truncated {
        /// Where the input ended.
        at: usize,
    },
    /// Declared or marked as something else than UTF-8, US-ASCII or ISO-8859-1.
    #[error("encoding {name} is not UTF-8, US-ASCII or ISO-8859-1")]
    Encoding {
        /// The name declared.
        name: Box<str>,
    },
    /// Octets that are not text in the declared encoding.
    #[error("octet {at} is not in the document's encoding")]
    NotText {
        /// The first such octet.
        at: usize,
    },
    /// A character XML 1.0 does not have, written plainly or as a reference.
    #[error("character that XML does not allow at octet {at}")]
    Character {
        /// Where it stands.
        at: usize,
    },
    /// A reference other than the five predefined ones and character references.
    #[error("unknown entity at octet {at}")]
    Entity {
        /// Where the reference begins.
        at: usize,
    },
    /// A document type declaration with an internal subset, or at a wrong place.
    #[error("document type declaration at octet {at} is not allowed there or has an internal subset")]
    DocumentType {
        /// Where it ends.
        at: usize,
    },
    /// A processing instruction, or an XML declaration that is not first.
    #[error("processing instruction at octet {at}")]
    ProcessingInstruction {
        /// Where it begins.
        at: usize,
    },
    /// A prefix without a declaration, or a declaration that the namespaces specification forbids.
    #[error("namespace prefix not declared or wrongly declared at octet {at}")]
    Namespace {
        /// Near where.
        at: usize,
    },
    /// Text or a second element outside the root.
    #[error("content outside the root element at octet {at}")]
    OutsideRoot {
        /// Where it begins.
        at: usize,
    },
    /// A bound of [`Limits`](crate::limits::Limits).
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

impl XmlError {
    /// Name for counting.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "xml_syntax",
            Self::Truncated { .. } => "xml_truncated",
            Self::Encoding { .. } => "xml_encoding",
            Self::NotText { .. } => "xml_not_text",
            Self::Character { .. } => "xml_character",
            Self::Entity { .. } => "xml_entity",
            Self::DocumentType { .. } => "xml_document_type",
            Self::ProcessingInstruction { .. } => "xml_processing_instruction",
            Self::Namespace { .. } => "xml_namespace",
            Self::OutsideRoot { .. } => "xml_outside_root",
            Self::Limit(error) => error.kind(),
        }
    }

    /// The octet named, if one is.
    pub(crate) fn at(&self) -> Option<usize> {
        match self {
            Self::Syntax { at, .. }
            | Self::Truncated { at }
            | Self::NotText { at }
            | Self::Character { at }
            | Self::Entity { at }
            | Self::DocumentType { at }
            | Self::ProcessingInstruction { at }
            | Self::Namespace { at }
            | Self::OutsideRoot { at } => Some(*at),
            Self::Limit(error) => Some(error.at),
            Self::Encoding { .. } => None,
        }
    }

    /// The error with the octet it names counted from elsewhere.
    pub(crate) fn moved(mut self, to: impl Fn(usize) -> usize) -> Self {
        match &mut self {
            Self::Syntax { at, .. }
            | Self::Truncated { at }
            | Self::NotText { at }
            | Self::Character { at }
            | Self::Entity { at }
            | Self::DocumentType { at }
            | Self::ProcessingInstruction { at }
            | Self::Namespace { at }
            | Self::OutsideRoot { at } => *at = to(*at),
            Self::Limit(error) => error.at = to(error.at),
            Self::Encoding { .. } => {}
        }
        self
    }

    pub(super) fn syntax(at: usize, reason: &str) -> Self {
        Self::Syntax { at, reason: reason.into() }
    }
}
