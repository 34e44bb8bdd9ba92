use crate::limits::LimitExceeded;

/// Why an XML document was refused. `at` counts octets of the text after its declaration of encoding was applied.
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
    pub(super) fn syntax(at: usize, reason: &str) -> Self {
        Self::Syntax { at, reason: reason.into() }
    }
}
