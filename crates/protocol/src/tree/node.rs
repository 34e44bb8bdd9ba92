use std::collections::BTreeMap;

use super::{Access, Acl, Format, TStamp};
use crate::syncml::Text;

/// One node with everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What the node's `AccessType` allows; anything else is answered 405.
    pub access: Access,
    /// Built in: cannot be deleted or renamed.
    pub permanent: bool,
    /// The node's own access control list; without a value the nearest ancestor's counts.
    pub acl: Acl,
    /// `Title` property.
    pub title: Option<Text>,
    /// `TStamp` property.
    pub t_stamp: Option<TStamp>,
    /// `VerNo` property.
    pub ver_no: u16,
    /// What it holds.
    pub content: Content,
    // Invariant: empty for a leaf. Boxed, so that a map of few nodes takes little room.
    pub(super) children: BTreeMap<Text, Box<Node>>,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Other nodes.
    Interior {
        /// Identifier of the management object rooted here.
        object: Option<Text>,
    },
    /// A value.
    Leaf(Leaf),
}

/// A value with its properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// `Format` property; never `b64`, which is only how `bin` travels in XML, and never `node`.
    pub format: Format,
    /// `Type` property: a MIME type; nothing means `text/plain`.
    pub mime: Option<Text>,
    /// Octets, decoded from base64.
    pub value: Vec<u8>,
}

impl Leaf {
    /// A text.
    #[must_use]
    pub fn text(value: &str) -> Self {
        Self::of(Format::Chr, value)
    }

    /// A value of any format that is written as text.
    #[must_use]
    pub fn of(format: Format, value: &str) -> Self {
        Self { format, mime: None, value: value.as_bytes().to_vec() }
    }
}

impl Content {
    /// `Format` property.
    #[must_use]
    pub fn format(&self) -> Format {
        match self {
            Self::Interior { .. } => Format::Node,
            Self::Leaf(leaf) => leaf.format,
        }
    }

    /// `Type` property: `text/plain` for a leaf without one, nothing for an interior node that is no management
    /// object's root.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        match self {
            Self::Interior { object } => object.as_deref(),
            Self::Leaf(leaf) => Some(leaf.mime.as_deref().unwrap_or(TEXT_PLAIN)),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Interior { .. } => 0,
            Self::Leaf(leaf) => leaf.value.len(),
        }
    }
}

/// `Type` of a leaf that says nothing else.
pub(super) const TEXT_PLAIN: &str = "text/plain";

impl Node {
    /// A node with this content as a server makes it: dynamic, everything but Exec allowed.
    #[must_use]
    pub fn dynamic(content: Content) -> Self {
        Self {
            access: Access::DYNAMIC,
            permanent: false,
            acl: Acl::NONE,
            title: None,
            t_stamp: None,
            ver_no: 0,
            content,
            children: BTreeMap::new(),
        }
    }

    /// An interior node as a server makes it.
    #[must_use]
    pub fn interior() -> Self {
        Self::dynamic(Content::Interior { object: None })
    }

    /// A built-in interior node that can be read, the root of a management object if `object` is its identifier.
    #[must_use]
    pub fn object(object: Option<&str>) -> Self {
        let content = Content::Interior { object: object.map(Text::from) };
        Self { access: Access::GET, permanent: true, ..Self::dynamic(content) }
    }

    /// A built-in leaf.
    #[must_use]
    pub fn leaf(access: Access, leaf: Leaf) -> Self {
        Self { access, permanent: true, ..Self::dynamic(Content::Leaf(leaf)) }
    }

    /// The same node, to Exec as well.
    #[must_use]
    pub fn executable(mut self) -> Self {
        self.access = self.access.and(Access::EXEC);
        self
    }

    /// The nodes directly below, in the order of their names.
    pub fn children(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.children.iter().map(|(name, node)| (name.as_str(), &**node))
    }

    /// Whether it may have nodes below.
    #[must_use]
    pub fn is_interior(&self) -> bool {
        matches!(self.content, Content::Interior { .. })
    }

    /// The value of a leaf as text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Leaf(leaf) => std::str::from_utf8(&leaf.value).ok(),
            Content::Interior { .. } => None,
        }
    }

    /// Nodes in the sub-tree, this one counted, and octets of their values.
    pub(super) fn weight(&self) -> (usize, usize) {
        let own = (1, self.content.bytes());
        self.children.values().map(|it| it.weight()).fold(own, |sum, it| (sum.0 + it.0, sum.1 + it.1))
    }

    /// Notes that the node has changed.
    pub(super) fn touch(&mut self, now: Option<TStamp>) {
        self.ver_no = self.ver_no.wrapping_add(1);
        self.t_stamp = now.or(self.t_stamp);
    }
}
