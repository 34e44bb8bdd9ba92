//! Trees as documents: `application/vnd.syncml.dmtnds+xml` and `+wbxml`.
//!
//! Source: OMA DM 1.2 Tree and Description Serialization.

mod read;
mod write;

use super::{Acl, Content, Format, Leaf, LocUri, Node, Refusal, TStamp, Tree, TreeLimits, UriError, UriLimits};
use crate::syncml::{Encoding, Text};

pub use super::element::{DOCUMENT, DocumentError};
pub use write::Written;

/// Media type of a document in XML.
pub const XML: &str = "application/vnd.syncml.dmtnds+xml";
/// Media type of a document in WBXML.
pub const WBXML: &str = "application/vnd.syncml.dmtnds+wbxml";

/// Media type of a document in an encoding.
#[must_use]
pub fn media_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Xml => XML,
        Encoding::Wbxml => WBXML,
    }
}

/// Whether a `Type` says that a value is a document of a tree. Which encoding it is in its first octet says better:
/// there are encoders that rewrite the type.
#[must_use]
pub fn is_tnds(kind: &str) -> bool {
    let media_type = kind.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case(XML) || media_type.eq_ignore_ascii_case(WBXML)
}

/// A document, read and not yet put anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The nodes directly below `MgmtTree`.
    pub nodes: Vec<Entry>,
}

/// One node of a document. What the document leaves out is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `NodeName`; empty for the last segment of the command's Target.
    pub name: Text,
    /// `Path`: where the node's parent is, of nodes directly below `MgmtTree`.
    pub path: Option<Text>,
    /// `ACL`.
    pub acl: Option<Acl>,
    /// `Title`.
    pub title: Option<Text>,
    /// `TStamp`, where it has the form of one.
    pub t_stamp: Option<TStamp>,
    /// `VerNo`.
    pub ver_no: Option<u16>,
    /// What it holds.
    pub content: Content,
    /// The nodes below.
    pub children: Vec<Entry>,
}

impl Entry {
    /// The node that the entry describes, with all below it.
    ///
    /// # Errors
    /// [`Refusal`]: a name that can be none or stands twice, nodes below a leaf, a value that is too large or has not
    /// the form of its format.
    fn node(&self, limits: &TreeLimits, depth: usize) -> Result<Node, Refusal> {
        if depth > limits.uri.depth_max {
            return Err(UriError::TooDeep { max: limits.uri.depth_max }.into());
        }
        let mut node = Node::dynamic(self.content.clone());
        Tree::new(*limits).check_content(&node.content)?;
        node.acl = self.acl.clone().unwrap_or(Acl::NONE);
        node.title.clone_from(&self.title);
        node.t_stamp = self.t_stamp;
        node.ver_no = self.ver_no.unwrap_or(0);
        for child in &self.children {
            super::uri::check_name(&child.name, &limits.uri)?;
            if !node.is_interior() {
                return Err(Refusal::NotAllowed);
            }
            let below = Box::new(child.node(limits, depth + 1)?);
            if node.children.insert(child.name.clone(), below).is_some() {
                return Err(Refusal::AlreadyExists);
            }
        }
        Ok(node)
    }
}

impl Document {
    /// Where the nodes directly below `MgmtTree` belong if the document is the value for `target`.
    ///
    /// A `Path` is below the target unless it begins at the root. A node without name and path is the target itself,
    /// and so is one with the target's name: servers repeat it.
    fn place(&self, entry: &Entry, target: &LocUri, limits: &UriLimits) -> Result<LocUri, UriError> {
        let name = if entry.name.is_empty() { target.name() } else { entry.name.as_str() };
        match entry.path.as_deref().unwrap_or_default() {
            "" if name == target.name() => Ok(target.node()),
            "" => target.child(name, limits),
            path => {
                let is_absolute = path == "." || path.starts_with("./");
                let parent = if is_absolute {
                    LocUri::parse_within(path, limits)?.node()
                } else {
                    target.below(path, limits)?
                };
                parent.child(name, limits)
            }
        }
    }

    /// Every node with its address, each before those below it, if the document is the value for `target`.
    ///
    /// # Errors
    /// [`Refusal::Member`] of a node whose address can be none.
    pub fn entries(&self, target: &LocUri, limits: &UriLimits) -> Result<Vec<(LocUri, &Entry)>, Refusal> {
        fn walk<'d>(
            uri: &LocUri,
            entry: &'d Entry,
            limits: &UriLimits,
            into: &mut Vec<(LocUri, &'d Entry)>,
        ) -> Result<(), Refusal> {
            into.push((uri.clone(), entry));
            for child in &entry.children {
                let below = uri.child(&child.name, limits).map_err(|why| Refusal::from(why).of_member(uri.clone()))?;
                walk(&below, child, limits, into)?;
            }
            Ok(())
        }
        let mut entries = Vec::new();
        for entry in &self.nodes {
            let uri = self.place(entry, target, limits).map_err(|why| Refusal::from(why).of_member(target.node()))?;
            walk(&uri, entry, limits, &mut entries)?;
        }
        Ok(entries)
    }

    /// The tree that the document describes, as the value read from `target`.
    ///
    /// # Errors
    /// [`Refusal`]: two nodes at one place, an address or a value that can be none, the limits.
    pub fn tree(&self, target: &LocUri, limits: &TreeLimits) -> Result<Tree, Refusal> {
        let mut tree = Tree::new(*limits);
        for entry in &self.nodes {
            let uri =
                self.place(entry, target, &limits.uri).map_err(|why| Refusal::from(why).of_member(target.node()))?;
            let node = entry.node(limits, uri.segments().count()).map_err(|why| why.of_member(uri.clone()))?;
            if uri.is_root() {
                let (nodes, bytes) = node.weight();
                tree.room(nodes, bytes)?;
                tree.root = Node { access: tree.root.access, permanent: true, ..node };
                tree.nodes = nodes - 1;
                tree.value_bytes = bytes;
            } else if tree.find(&uri).is_ok() {
                return Err(Refusal::AlreadyExists.of_member(uri));
            } else {
                tree.install(uri.path(), node)?;
            }
        }
        Ok(tree)
    }

    /// The identifier of the management object that the document is, if it is one.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        match self.nodes.as_slice() {
            [Entry { content: Content::Interior { object }, .. }] => object.as_deref(),
            _ => None,
        }
    }
}

/// The format that a document left out: a node with nodes below is one for nodes, a value is text.
fn content(format: Option<Format>, kind: Kind, value: Option<Vec<u8>>, has_children: bool) -> Content {
    let is_node = match format {
        Some(format) => format == Format::Node,
        None => has_children || (value.is_none() && !matches!(kind, Kind::Mime(_))),
    };
    if is_node {
        let object = if let Kind::Object(object) = kind { Some(object) } else { None };
        return Content::Interior { object };
    }
    let mime = if let Kind::Mime(mime) = kind { Some(mime).filter(|it| it != super::node::TEXT_PLAIN) } else { None };
    let format = match format {
        None => Format::Chr,
        Some(Format::B64) => Format::Bin,
        Some(format) => format,
    };
    Content::Leaf(Leaf { format, mime, value: value.unwrap_or_default() })
}

/// What `Type` holds.
enum Kind {
    None,
    Mime(Text),
    Object(Text),
}
