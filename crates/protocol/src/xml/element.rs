//! A bounded tree of elements with resolved namespaces: how SOAP messages are read.
//!
//! What well-formed XML may do and SOAP forbids is refused while reading, before it costs anything: document type
//! declarations (and with them every entity but the five predefined), processing instructions, and whatever exceeds a
//! limit. Comments and CDATA sections leave no trace: the text around them is one text.
//!
//! Sources: XML 1.0 (fifth edition); Namespaces in XML 1.0; WS-I Basic Profile 1.1, R1008, R1009 and R1012.

mod charset;
mod parse;
mod writer;

use std::sync::Arc;

use compact_str::CompactString;

pub use charset::decode;
pub use writer::XmlWriter;

use crate::limits::Limits;

/// Namespace of `xsi:nil`, `xsi:type` and `xsi:schemaLocation`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// An expanded name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// Namespace name; absent for a name in no namespace.
    pub namespace: Option<Arc<str>>,
    /// Local part.
    pub local: CompactString,
}

impl Name {
    /// Whether this is `local` in `namespace`.
    #[must_use]
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && self.namespace.as_deref() == Some(namespace)
    }
}

/// An attribute that is no namespace declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Name.
    pub name: Name,
    /// Value after normalisation.
    pub value: String,
}

/// An element with everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Name.
    pub name: Name,
    /// Attributes, in document order.
    pub attributes: Vec<Attribute>,
    /// Child elements, in document order.
    pub children: Vec<Element>,
    /// The element's own text, pieces between children joined.
    pub text: CompactString,
}

/// How much a document may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeLimits {
    /// Bounds that all decoders share.
    pub document: Limits,
    /// Octets of one name with its prefix.
    pub name_bytes_max: usize,
    /// Namespace bindings in force at one place.
    pub bindings_max: usize,
}

impl TreeLimits {
    /// For requests of External Systems.
    pub const WSI: Self = Self { document: Limits::WSI, name_bytes_max: 256, bindings_max: 128 };
    /// For answers of receivers of notifications, which are short.
    pub const ANSWER: Self = Self {
        document: Limits { document_bytes_max: 64 << 10, depth_max: 16, elements_max: 1_000, ..Limits::WSI },
        ..Self::WSI
    };
}

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The document is larger than allowed; the limit is named.
    #[error("the document exceeds the limit of {max} {what}")]
    TooLarge {
        /// What there is too much of, for example `elements`.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// An encoding other than UTF-8 and UTF-16, or octets that are not in the encoding named.
    #[error("the document is not in the encoding it names; use UTF-8 or UTF-16")]
    Encoding,
    /// A document type declaration.
    #[error("a document type declaration is not allowed")]
    DocType,
    /// A processing instruction.
    #[error("processing instructions are not allowed")]
    ProcessingInstruction,
    /// Not well-formed, or not namespace-well-formed.
    #[error("the document is not well-formed XML: {why}")]
    Malformed {
        /// What is wrong.
        why: &'static str,
    },
}

impl Element {
    /// Reads a document. `charset` is the parameter of the media type, which counts before the XML declaration.
    ///
    /// # Errors
    /// [`XmlError`].
    pub fn read(document: &[u8], charset: Option<&str>, limits: &TreeLimits) -> Result<Self, XmlError> {
        if document.len() > limits.document.document_bytes_max {
            return Err(XmlError::TooLarge { what: "octets", max: limits.document.document_bytes_max });
        }
        parse::tree(&decode(document, charset)?, limits)
    }

    /// Whether this is `local` in `namespace`.
    #[must_use]
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.name.is(namespace, local)
    }

    /// The first child of this name.
    #[must_use]
    pub fn child(&self, namespace: &str, local: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(namespace, local))
    }

    /// The value of an attribute in a namespace.
    #[must_use]
    pub fn attribute(&self, namespace: &str, local: &str) -> Option<&str> {
        self.attributes.iter().find(|it| it.name.is(namespace, local)).map(|it| it.value.as_str())
    }

    /// The value of an attribute in no namespace.
    #[must_use]
    pub fn plain_attribute(&self, local: &str) -> Option<&str> {
        let named = |it: &&Attribute| it.name.namespace.is_none() && it.name.local == local;
        self.attributes.iter().find(named).map(|it| it.value.as_str())
    }

    /// Octets of names, values and texts of this element and all below it.
    #[must_use]
    pub fn weight(&self) -> usize {
        let own = self.name.local.len() + self.text.len();
        let attributes: usize = self.attributes.iter().map(|it| it.name.local.len() + it.value.len()).sum();
        own + attributes + self.children.iter().map(Self::weight).sum::<usize>()
    }
}
