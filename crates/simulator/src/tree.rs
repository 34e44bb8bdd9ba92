//! The management tree of a device: nodes, what may be done to them, and the commands that do it.

mod node;
mod standard;
mod uri;

use std::collections::BTreeMap;

use muster_protocol::syncml::StatusCode;

pub use node::{Access, Content, Leaf, Node};
pub use standard::Profile;

/// Nodes one device holds; an Add beyond is answered 420.
pub const NODES_MAX: usize = 4_096;

/// Octets of one value; more is answered 413.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// Why a command on a node was not carried out. [`Refusal::status`] is what the device answers.
///
/// Source: OMA DM 1.2 Representation Protocol usage, statuses of Add, Copy, Delete, Exec, Get and Replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such node, or an address that can never be one.
    #[error("no such node")]
    NotFound,
    /// The node's kind or `AccessType` does not allow the command.
    #[error("the node does not allow this command")]
    NotAllowed,
    /// Add of a node that exists.
    #[error("the node exists")]
    AlreadyExists,
    /// The access control list gives the server no such right.
    #[error("the server has no right to do this")]
    PermissionDenied,
    /// Properties and lists of nodes.
    #[error("properties and lists are not supported")]
    NotSupported,
    /// A whole tree in one value, or a value its format cannot hold.
    #[error("the format or type of the value is not supported")]
    UnsupportedFormat,
    /// Longer or deeper than `./DevDetail/URI` says.
    #[error("the address is too long or too deep")]
    UriTooLong,
    /// A value above [`VALUE_BYTES_MAX`].
    #[error("the value is larger than {VALUE_BYTES_MAX} octets")]
    TooLarge,
    /// More than [`NODES_MAX`] nodes.
    #[error("the tree is full")]
    Full,
}

impl Refusal {
    /// The status a device answers.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotAllowed => StatusCode::NOT_ALLOWED,
            Self::AlreadyExists => StatusCode::ALREADY_EXISTS,
            Self::PermissionDenied => StatusCode::PERMISSION_DENIED,
            Self::NotSupported => StatusCode::NOT_SUPPORTED,
            Self::UnsupportedFormat => StatusCode::UNSUPPORTED_FORMAT,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::TooLarge => StatusCode::TOO_LARGE,
            Self::Full => StatusCode::DEVICE_FULL,
        }
    }
}

/// The tree. Addresses are `./A/B`; `A/B` means the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    // Invariant: keys are normal (`uri::normal`), the root `.` is there, and so is every ancestor of a node.
    nodes: BTreeMap<String, Node>,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    /// A tree of the root alone.
    #[must_use]
    pub fn new() -> Self {
        let mut root = Node::interior();
        root.permanent = true;
        root.access = Access::GET.and(Access::ADD);
        Self { nodes: BTreeMap::from([(".".to_owned(), root)]) }
    }

    /// Puts a node in as its maker does, without asking for access; missing ancestors become permanent interior
    /// nodes that can only be read.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] or [`Refusal::UriTooLong`] if `uri` cannot be an address.
    pub fn install(&mut self, uri: &str, node: Node) -> Result<(), Refusal> {
        let uri = uri::normal(uri)?;
        for ancestor in uri::ancestors(&uri) {
            self.nodes.entry(ancestor.to_owned()).or_insert_with(|| Node {
                permanent: true,
                access: Access::GET,
                ..Node::interior()
            });
        }
        self.nodes.insert(uri, node);
        Ok(())
    }

    /// Add: makes a node, and the interior nodes above it that are missing.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`]; [`Refusal::NotAllowed`] below a leaf or where nothing may be added;
    /// [`Refusal::PermissionDenied`]; the limits.
    pub fn add(&mut self, uri: &str, content: Content) -> Result<(), Refusal> {
        let uri = uri::normal(uri)?;
        if self.nodes.contains_key(&uri) {
            return Err(Refusal::AlreadyExists);
        }
        content.check()?;
        let missing: Vec<String> =
            uri::ancestors(&uri).filter(|it| !self.nodes.contains_key(*it)).map(str::to_owned).collect();
        let parent = uri::ancestors(&uri).filter_map(|it| self.nodes.get(it)).last().ok_or(Refusal::NotFound)?;
        if matches!(parent.content, Content::Leaf(_)) {
            return Err(Refusal::NotAllowed);
        }
        parent.allows(Access::ADD)?;
        if self.nodes.len() + missing.len() >= NODES_MAX {
            return Err(Refusal::Full);
        }
        for ancestor in missing {
            self.nodes.insert(ancestor, Node::interior());
        }
        self.nodes.insert(uri, Node { content, ..Node::interior() });
        Ok(())
    }

    /// Replace: overwrites the value of a leaf.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]: Replace never makes a node; [`Refusal::NotAllowed`] for an interior node or one that
    /// cannot be written; [`Refusal::PermissionDenied`]; [`Refusal::TooLarge`].
    pub fn replace(&mut self, uri: &str, leaf: Leaf) -> Result<(), Refusal> {
        let uri = uri::normal(uri)?;
        let node = self.nodes.get_mut(&uri).ok_or(Refusal::NotFound)?;
        node.allows(Access::REPLACE)?;
        let content = Content::Leaf(leaf);
        content.check()?;
        match &node.content {
            Content::Interior { .. } => Err(Refusal::NotAllowed),
            Content::Leaf(_) => {
                node.content = content;
                Ok(())
            }
        }
    }

    /// Delete: removes a node and all below it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::NotAllowed`] for the root and permanent nodes;
    /// [`Refusal::PermissionDenied`].
    pub fn delete(&mut self, uri: &str) -> Result<(), Refusal> {
        let uri = uri::normal(uri)?;
        let node = self.nodes.get(&uri).ok_or(Refusal::NotFound)?;
        if node.permanent {
            return Err(Refusal::NotAllowed);
        }
        node.allows(Access::DELETE)?;
        let below = format!("{uri}/");
        self.nodes.retain(|key, _| *key != uri && !key.starts_with(&below));
        Ok(())
    }

    /// Copy: leaf to leaf; the target is overwritten or made.
    ///
    /// # Errors
    /// Those of the Get, Replace and Add it amounts to.
    pub fn copy(&mut self, from: &str, to: &str) -> Result<(), Refusal> {
        let Content::Leaf(leaf) = self.get(from)?.clone() else {
            return Err(Refusal::NotAllowed);
        };
        match self.replace(to, leaf.clone()) {
            Err(Refusal::NotFound) => self.add(to, Content::Leaf(leaf)),
            other => other,
        }
    }

    /// Whether Exec is allowed on a node.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::NotAllowed`], [`Refusal::PermissionDenied`].
    pub fn exec(&self, uri: &str) -> Result<(), Refusal> {
        self.node(uri)?.allows(Access::EXEC)
    }

    /// Get: what a node holds, if the server may read it.
    ///
    /// # Errors
    /// [`Refusal::NotSupported`] with `?prop=` or `?list=`; [`Refusal::NotFound`]; [`Refusal::NotAllowed`];
    /// [`Refusal::PermissionDenied`].
    pub fn get(&self, uri: &str) -> Result<&Content, Refusal> {
        let node = self.node(uri)?;
        node.allows(Access::GET)?;
        Ok(&node.content)
    }

    /// Names of the nodes directly below, in order; nothing for a leaf or a missing node.
    #[must_use]
    pub fn children(&self, uri: &str) -> Vec<&str> {
        let Ok(uri) = uri::normal(uri) else {
            return Vec::new();
        };
        let below = format!("{uri}/");
        self.nodes
            .range(below.clone()..)
            .map_while(|(key, _)| key.strip_prefix(below.as_str()))
            .filter(|rest| !rest.contains('/'))
            .collect()
    }

    /// The value of a leaf as text, whoever asks; for tests and for looking at a device from outside.
    #[must_use]
    pub fn text(&self, uri: &str) -> Option<&str> {
        match &self.node(uri).ok()?.content {
            Content::Leaf(leaf) => std::str::from_utf8(&leaf.value).ok(),
            Content::Interior { .. } => None,
        }
    }

    /// Writes the value of an existing leaf as the device itself does, without asking for access. Returns whether
    /// there is such a leaf.
    pub fn set_text(&mut self, uri: &str, value: &str) -> bool {
        let node = uri::normal(uri).ok().and_then(|uri| self.nodes.get_mut(&uri));
        match node.map(|node| &mut node.content) {
            Some(Content::Leaf(leaf)) => {
                leaf.value = value.as_bytes().to_vec();
                true
            }
            _ => false,
        }
    }

    /// A node, to change its access, rights or permanence.
    pub fn node_mut(&mut self, uri: &str) -> Option<&mut Node> {
        uri::normal(uri).ok().and_then(|uri| self.nodes.get_mut(&uri))
    }

    /// Nodes, the root counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: there is always a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn node(&self, uri: &str) -> Result<&Node, Refusal> {
        self.nodes.get(&uri::normal(uri)?).ok_or(Refusal::NotFound)
    }
}

#[cfg(test)]
mod tests;
