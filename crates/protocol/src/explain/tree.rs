use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use super::{HttpError, PackingError, PcapError};
use crate::dm1::notification::NotificationError;
use crate::prov::ProvError;
use crate::push::sms::SmsError;
use crate::push::tpdu::TpduError;
use crate::push::wsp::WspError;
use crate::wbxml::WbxmlError;
use crate::xml::XmlError;

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// What each input says, in their order.
    pub inputs: Vec<Explained>,
    /// What could not be read, in the order of the inputs, where it stands too.
    pub failures: Vec<Failure>,
}

/// What one input says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explained {
    /// How it stands for octets, for example `hex`.
    pub packing: Option<super::Packing>,
    /// What the octets are, for example `wbxml`.
    pub form: Option<super::Form>,
    /// What they say.
    pub parts: Vec<Node>,
}

/// One thing that has a name: a document, an element, a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Node {
    /// What sort of thing this is.
    pub kind: Kind,
    /// Its name, in the spelling of its specification.
    pub name: String,
    /// Octet where it begins, counted from the start of the innermost document around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// XML attributes, without declarations of namespaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<(String, String)>,
    /// Its own value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What the value means, and whether it is right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What could not be read below or behind this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What is in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Self>,
    /// Row of the facts that will be known when all is read.
    #[serde(skip)]
    pub(super) mark: Option<super::facts::Mark>,
}

/// What sort of thing a [`Node`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something with a beginning of its own: a message, a document, a push. Offsets count from here.
    Document,
    /// An element of a document.
    #[default]
    Element,
    /// A field of a header.
    Field,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// Octets that are no text.
    Octets(Vec<u8>),
    /// A secret that is not to be shown.
    Hidden,
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (variant, text) = match self {
            Self::Text(text) => ("text", text.as_str()),
            Self::Octets(octets) => {
                return serializer.serialize_newtype_variant("Value", 1, "base64", &STANDARD.encode(octets));
            }
            Self::Hidden => return serializer.serialize_newtype_variant("Value", 2, "hidden", &true),
        };
        serializer.serialize_newtype_variant("Value", 0, variant, text)
    }
}

/// A remark of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// How it is meant.
    pub tone: Tone,
    /// What it says, in lower case and without full stop.
    pub text: String,
}

/// How a [`Note`] is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// An explanation.
    Plain,
    /// Something was checked and is right, or was done.
    Good,
    /// Something is wrong, or was refused.
    Bad,
    /// Something that is seldom, or could not be checked.
    Odd,
}

/// Why something could not be read, and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// Octet where reading stopped, counted from the start of the innermost document around it.
    pub at: usize,
    /// Names of what is around that place, the outermost first, with `/` between.
    pub path: String,
    /// What is wrong.
    #[serde(serialize_with = "as_text")]
    pub error: ExplainError,
}

fn as_text<S: Serializer>(error: &ExplainError, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(error)
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExplainError {
    /// XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// WBXML.
    #[error(transparent)]
    Wbxml(#[from] WbxmlError),
    /// A provisioning document.
    #[error(transparent)]
    Prov(#[from] ProvError),
    /// Package 0.
    #[error(transparent)]
    Notification(#[from] NotificationError),
    /// A push.
    #[error(transparent)]
    Wsp(#[from] WspError),
    /// User data of a short message.
    #[error(transparent)]
    Sms(#[from] SmsError),
    /// A short message.
    #[error(transparent)]
    Tpdu(#[from] TpduError),
    /// A stream of requests and responses.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A capture file.
    #[error(transparent)]
    Pcap(#[from] PcapError),
    /// Text that stands for octets.
    #[error(transparent)]
    Packing(#[from] PackingError),
    /// Nothing that is known here.
    #[error(
        "this is neither XML, WBXML, package 0, a WSP push, a short message nor an HTTP stream; name its form if it is one"
    )]
    NotRecognised,
    /// No octet at all.
    #[error("there is nothing to decode")]
    Empty,
    /// Short messages that are not all there.
    #[error("parts {missing} of {total} are missing")]
    PartsMissing {
        /// Their numbers, with commas.
        missing: String,
        /// Parts in all.
        total: u8,
    },
    /// More than is taken at a time.
    #[error("input has {octets} octets, more than {max}", max = super::INPUT_BYTES_MAX)]
    TooLarge {
        /// Its octets.
        octets: usize,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, ", in {}", self.path) }
    }
}

impl Node {
    pub(super) fn document(name: impl Into<String>) -> Self {
        Self { kind: Kind::Document, name: name.into(), ..Self::default() }
    }

    pub(super) fn element(name: impl Into<String>, at: Option<usize>) -> Self {
        Self { name: name.into(), at, ..Self::default() }
    }

    pub(super) fn field(name: impl Into<String>, at: usize, value: impl Into<String>) -> Self {
        let value = Some(Value::Text(value.into()));
        Self { kind: Kind::Field, name: name.into(), at: Some(at), value, ..Self::default() }
    }

    pub(super) fn noted(mut self, text: impl Into<String>) -> Self {
        self.note(Tone::Plain, text);
        self
    }

    pub(super) fn note(&mut self, tone: Tone, text: impl Into<String>) {
        self.notes.push(Note { tone, text: text.into() });
    }

    pub(super) fn fail(&mut self, at: usize, error: impl Into<ExplainError>) {
        self.failure = Some(Failure { at, path: String::new(), error: error.into() });
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|it| it.name == name)
    }

    pub(super) fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.children.iter_mut().find(|it| it.name == name)
    }

    /// Its value without white space around, empty where it has none that is text.
    pub(super) fn text(&self) -> &str {
        match &self.value {
            Some(Value::Text(text)) => text.trim(),
            Some(Value::Octets(_) | Value::Hidden) | None => "",
        }
    }

    /// The text of the first child of this name.
    pub(super) fn child_text(&self, name: &str) -> &str {
        self.child(name).map_or("", Self::text)
    }

    /// The attribute's value.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// This node and all below it, in the order of the tree.
    pub(super) fn each(&mut self, visit: &mut impl FnMut(&mut Self)) {
        visit(self);
        for child in &mut self.children {
            child.each(visit);
        }
    }
}
