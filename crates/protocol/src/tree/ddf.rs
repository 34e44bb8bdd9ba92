//! Device description: what the nodes of known management objects are, in what format, and what may be done to them.
//!
//! [`Catalogue::built_in`] is made of the files in the crate's folder `mo`; each was written for this project and holds
//! what is known of one management object. They never say what a device must refuse: its own tree, its access control
//! lists and its statuses decide. They give formats to values, names and meanings to nodes, and a device its nodes.
//!
//! Source: OMA DM 1.2 Tree and Description, "Device Description Framework".

mod catalogue;
mod files;
mod read;

use super::{Access, Format};
use crate::syncml::Text;

pub use super::element::{DOCUMENT, DocumentError};
pub use catalogue::Catalogue;
pub use files::FILES;

/// One management object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Identifier, for example `urn:oma:mo:oma-fumo:1.0`.
    pub object: Text,
    /// Where the object is, or may be: a hint, but for those of a fixed place.
    pub path: Text,
    /// Its root.
    pub root: DdfNode,
}

/// One node of a management object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DdfNode {
    /// Its name; nothing for nodes that are named at run time.
    pub name: Option<Text>,
    /// Formats that its value may have; `node` for an interior node.
    pub formats: Vec<Format>,
    /// The least that a device lets be done with it.
    pub access: Access,
    /// How many there may be.
    pub occurrence: Occurrence,
    /// Whether it is built in.
    pub is_permanent: bool,
    /// Name for people.
    pub title: Option<Text>,
    /// What it means.
    pub description: Option<Text>,
    /// Value that it has if nobody gave it one.
    pub default: Option<Text>,
    /// MIME types that its value may have.
    pub mime: Vec<Text>,
    /// Names compare by letter case.
    pub is_case_sensitive: bool,
    /// The nodes below.
    pub children: Vec<DdfNode>,
}

/// How many nodes of a kind there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// Exactly one.
    One,
    /// None or one.
    ZeroOrOne,
    /// Any number.
    ZeroOrMore,
    /// At least one.
    OneOrMore,
    /// None or so many at most.
    ZeroOrN(u32),
    /// One at least, and so many at most.
    OneOrN(u32),
}

/// Beginning of a description of which not even the node's name is certain.
const UNVERIFIED: &str = "[unverified]";

impl DdfNode {
    /// The node's format, if there is only one that it can have.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        if let [format] = self.formats.as_slice() { Some(*format) } else { None }
    }

    /// What the node means, in a line.
    #[must_use]
    pub fn meaning(&self) -> Option<&str> {
        let text = self.description.as_deref().or(self.title.as_deref())?;
        Some(text.strip_prefix(UNVERIFIED).unwrap_or(text).trim())
    }

    /// Whether name, place and format are known for certain. Nothing is to be built on a node of which they are not.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        !self.description.as_deref().is_some_and(|it| it.starts_with(UNVERIFIED))
    }

    /// The node at the end of these segments below this one.
    #[must_use]
    pub fn below<'a>(&self, mut segments: impl Iterator<Item = &'a str>) -> Option<&Self> {
        segments.try_fold(self, |node, name| {
            let named = node.children.iter().find(|it| it.name.as_deref() == Some(name));
            named.or_else(|| node.children.iter().find(|it| it.name.is_none()))
        })
    }

    /// Nodes in the description, this one counted.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }
}
