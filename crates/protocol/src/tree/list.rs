//! `?list=Struct` and `?list=StructData`: a sub-tree as one item for each node.

use super::change::Found;
use super::node::{Content, Node};
use super::{Access, LocUri, Refusal, ServerId, Tree, UriLimits};

/// One node of a list.
#[derive(Clone, Debug)]
pub struct Listed<'t> {
    /// Its address.
    pub uri: LocUri,
    /// The node.
    pub node: &'t Node,
}

impl Tree {
    /// The nodes of a sub-tree that the server may read, each before those below it. What is below a node that may
    /// not be read is left out with it.
    ///
    /// # Errors
    /// As [`Self::get`] of the sub-tree's root.
    ///
    /// Source: OMA DM 1.2 Tree and Description Serialization, "Struct" and "StructData".
    pub fn list(&self, server: &ServerId, uri: &LocUri) -> Result<Vec<Listed<'_>>, Refusal> {
        let found = self.find(uri)?;
        found.allows(server, Access::GET)?;
        let mut listed = Vec::new();
        self.walk(&uri.node(), found.node, &mut |uri, node| {
            let may_read = self.find(uri).is_ok_and(|it: Found<'_>| it.allows(server, Access::GET).is_ok());
            if may_read {
                listed.push(Listed { uri: uri.clone(), node });
            }
            may_read
        });
        Ok(listed)
    }

    /// Every node of a sub-tree, whoever asks, each before those below it.
    #[must_use]
    pub fn nodes(&self, uri: &LocUri) -> Vec<Listed<'_>> {
        let mut listed = Vec::new();
        if let Ok(found) = self.find(uri) {
            self.walk(&uri.node(), found.node, &mut |uri, node| {
                listed.push(Listed { uri: uri.clone(), node });
                true
            });
        }
        listed
    }

    /// The management objects in the tree: addresses of interior nodes with an identifier, and the identifiers.
    #[must_use]
    pub fn objects(&self) -> Vec<(LocUri, &str)> {
        let mut objects = Vec::new();
        self.walk(&LocUri::root(), &self.root, &mut |uri, node| {
            if let Content::Interior { object: Some(object) } = &node.content {
                objects.push((uri.clone(), object.as_str()));
            }
            true
        });
        objects
    }

    /// Goes through a sub-tree; `visit` says whether to look below a node.
    fn walk<'t>(&self, uri: &LocUri, node: &'t Node, visit: &mut impl FnMut(&LocUri, &'t Node) -> bool) {
        if !visit(uri, node) {
            return;
        }
        for (name, child) in &node.children {
            if let Ok(uri) = uri.child(name, &UriLimits::NONE) {
                self.walk(&uri, child, visit);
            }
        }
    }
}
