//! Whole sub-trees given as one document: Add, Replace, and what a device does with its Inbox.

use std::collections::BTreeSet;

use super::node::{Content, Leaf};
use super::tnds::{Document, Entry};
use super::{Access, Actor, LocUri, Part, Property, Query, Refusal, ServerId, Tree};

impl Tree {
    /// Add with a document: makes all its nodes or none.
    ///
    /// # Errors
    /// Those of [`Self::add`] for any of the nodes, in [`Refusal::Member`]; [`Refusal::Malformed`] for nodes outside
    /// of the target.
    pub fn add_object(&mut self, actor: &Actor<'_>, target: &LocUri, document: &Document) -> Result<(), Refusal> {
        if target.query().is_some() {
            return Err(Refusal::NotAllowed);
        }
        let entries = within(document, target, self)?;
        self.whole(|tree| {
            for (uri, entry) in &entries {
                tree.add(actor, uri, entry.content.clone()).map_err(|why| why.of_member(uri.clone()))?;
            }
            tree.describe(&entries);
            Ok(())
        })
    }

    /// Replace with a document: makes the sub-tree equal to it, or changes nothing. Nodes that the document does not
    /// have are removed; lists of access that it does not have stay as they are.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::NotAllowed`] and [`Refusal::PermissionDenied`] of the target; those of Add,
    /// Replace and Delete for any of the nodes, in [`Refusal::Member`].
    ///
    /// Source: OMA DM 1.2 Tree and Description Serialization, "Replace".
    pub fn replace_object(&mut self, actor: &Actor<'_>, target: &LocUri, document: &Document) -> Result<(), Refusal> {
        if target.query().is_some() {
            return Err(Refusal::NotAllowed);
        }
        self.find(target)?.allows(actor.server, Access::REPLACE)?;
        let entries = within(document, target, self)?;
        let kept: BTreeSet<&LocUri> = entries.iter().map(|(uri, _)| uri).collect();
        let stays = |uri: &LocUri| uri == target || kept.contains(uri);
        let gone: Vec<LocUri> = self
            .nodes(target)
            .into_iter()
            .map(|it| it.uri)
            .filter(|uri| !stays(uri) && uri.parent().is_none_or(|it| stays(&it)))
            .collect();
        self.whole(|tree| {
            for uri in &gone {
                tree.delete(actor, uri).map_err(|why| why.of_member(uri.clone()))?;
            }
            for (uri, entry) in &entries {
                tree.make_equal(actor, uri, entry).map_err(|why| why.of_member(uri.clone()))?;
            }
            Ok(())
        })
    }

    fn make_equal(&mut self, actor: &Actor<'_>, uri: &LocUri, entry: &Entry) -> Result<(), Refusal> {
        let Some(node) = self.node(uri) else {
            self.add(actor, uri, entry.content.clone())?;
            self.describe(&[(uri.clone(), entry)]);
            return Ok(());
        };
        let acl = entry.acl.clone().filter(|it| *it != node.acl);
        match (&node.content, &entry.content) {
            (before, after) if before == after => {}
            // The identifier of an object can be left out of a document.
            (Content::Interior { .. }, Content::Interior { object: None }) => {}
            (Content::Leaf(_), Content::Leaf(Leaf { format, mime, value })) => {
                let with = super::Replacement { format: Some(*format), mime: mime.clone(), value: value.clone() };
                self.replace(actor, uri, with)?;
            }
            // A leaf that becomes an interior node, or the other way round, or another object.
            (_, content) => {
                let content = content.clone();
                self.delete(actor, uri)?;
                self.add(actor, uri, content)?;
            }
        }
        if let Some(acl) = acl {
            let property = Property::parse(Part::Acl.name()).ok_or(Refusal::NotSupported)?;
            let with = Leaf::text(&acl.to_string());
            self.replace(actor, &uri.with(Query::Property(property)), with.into())?;
        }
        Ok(())
    }

    /// Puts a management object where the device wants it, as the device itself: an Add to its Inbox. Returns where
    /// the object is. A name that is taken, or none, becomes a free number.
    ///
    /// # Errors
    /// [`Refusal`]: not one object; an address or a value that can be none; the limits.
    ///
    /// Source: OMA DM 1.2 Standardized Objects, "Inbox"; Tree and Description, "ACL".
    pub fn place_object(&mut self, actor: &Actor<'_>, parent: &LocUri, document: &Document) -> Result<LocUri, Refusal> {
        let [entry] = document.nodes.as_slice() else {
            return Err(Refusal::Malformed("not one management object".into()));
        };
        let limits = self.limits.uri;
        let named = (!entry.name.is_empty()).then(|| parent.child(&entry.name, &limits)).transpose()?;
        let free = |uri: &LocUri| self.node(uri).is_none();
        let uri = match named.filter(free) {
            Some(uri) => uri,
            None => (1..=self.limits.nodes_max)
                .filter_map(|number| parent.child(&number.to_string(), &limits).ok())
                .find(free)
                .ok_or(Refusal::Full)?,
        };
        let lone = Document {
            nodes: vec![Entry { name: uri.name().into(), path: Some(parent.path().into()), ..entry.clone() }],
        };
        let entries = lone.entries(&uri, &limits)?;
        self.whole(|tree| {
            for ancestor in uri.ancestors().filter(|it| !it.is_root()) {
                if tree.node(&ancestor).is_none() {
                    tree.install(ancestor.path(), super::Node::object(None))?;
                }
            }
            let mut node = lone.tree(&uri, &tree.limits)?.node(&uri).cloned().ok_or(Refusal::NotFound)?;
            if node.acl.is_none() {
                node.acl = tree.granted_to_maker(&uri, actor.server);
            }
            tree.install(uri.path(), node)?;
            for (uri, _) in &entries {
                tree.alter(uri, |node| node.t_stamp = actor.now);
            }
            Ok(())
        })?;
        Ok(uri)
    }

    /// Whether a server may do this to a node.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::NotAllowed`], [`Refusal::PermissionDenied`].
    pub fn allows(&self, server: &ServerId, uri: &LocUri, command: Access) -> Result<(), Refusal> {
        self.find(uri)?.allows(server, command)
    }

    /// Gives nodes just made what a document says of them besides their content.
    fn describe(&mut self, entries: &[(LocUri, &Entry)]) {
        for (uri, entry) in entries {
            self.alter(uri, |node| {
                if let Some(acl) = &entry.acl {
                    node.acl = acl.clone();
                }
                node.title.clone_from(&entry.title);
            });
        }
    }

    /// Does all of it or nothing.
    fn whole(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mark = self.begin();
        match act(self) {
            Ok(()) => {
                self.keep(mark);
                Ok(())
            }
            Err(refusal) => {
                self.undo(mark);
                Err(refusal)
            }
        }
    }
}

/// The nodes of a document with their addresses, all of them the target or below it, each once.
fn within<'d>(document: &'d Document, target: &LocUri, tree: &Tree) -> Result<Vec<(LocUri, &'d Entry)>, Refusal> {
    let entries = document.entries(target, &tree.limits.uri)?;
    let mut seen = BTreeSet::new();
    for (uri, entry) in &entries {
        if uri.relative_to(&target.node()).is_none() {
            return Err(Refusal::Malformed("a node outside of the target".into()).of_member(uri.clone()));
        }
        if !seen.insert(uri) {
            return Err(Refusal::AlreadyExists.of_member(uri.clone()));
        }
        let is_leaf = matches!(entry.content, Content::Leaf(_));
        if is_leaf && !entry.children.is_empty() {
            return Err(Refusal::NotAllowed.of_member(uri.clone()));
        }
    }
    Ok(entries)
}
