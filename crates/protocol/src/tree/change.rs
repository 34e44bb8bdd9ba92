//! The commands of a server on single nodes, and what a device's maker does without asking.

use super::journal::Journal;
use super::node::{Content, Leaf, Node};
use super::{
    Access, Acl, Actor, Format, LocUri, Part, Parts, Property, Query, Refusal, ServerId, Tree, TreeLimits, acl,
};
use crate::syncml::Text;

/// What a Replace gives a leaf. What is left out stays as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// `Format`, if the command named one.
    pub format: Option<Format>,
    /// `Type`, if the command named one.
    pub mime: Option<Text>,
    /// Octets, decoded from base64.
    pub value: Vec<u8>,
}

impl From<Leaf> for Replacement {
    fn from(leaf: Leaf) -> Self {
        Self { format: Some(leaf.format), mime: leaf.mime, value: leaf.value }
    }
}

/// A node found, with the list that says who may do what with it.
pub(super) struct Found<'t> {
    pub(super) node: &'t Node,
    /// The node's own list, or that of the nearest ancestor that has one.
    pub(super) acl: &'t Acl,
    /// The same for its parent; nothing for the root.
    parent_acl: Option<&'t Acl>,
}

impl Found<'_> {
    /// Whether the node's kind and its list let the server do this.
    pub(super) fn allows(&self, server: &ServerId, command: Access) -> Result<(), Refusal> {
        if !self.node.access.contains(command) {
            Err(Refusal::NotAllowed)
        } else if !self.acl.allows(server, command) {
            Err(Refusal::PermissionDenied)
        } else {
            Ok(())
        }
    }

    /// Whether the server may change the list: for an interior node by the Replace right on it or on its parent, for
    /// a leaf by that on its parent alone.
    fn allows_acl_change(&self, server: &ServerId) -> bool {
        let by_parent = self.parent_acl.is_some_and(|it| it.allows(server, Access::REPLACE));
        by_parent || (self.node.is_interior() && self.acl.allows(server, Access::REPLACE))
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new(TreeLimits::DEVICE)
    }
}

impl Tree {
    /// A tree of the root alone, with the access control list that a root has by default.
    #[must_use]
    pub fn new(limits: TreeLimits) -> Self {
        let mut root = Node::object(None);
        root.access = Access::GET.and(Access::ADD);
        root.acl = Acl::of_root();
        Self { root, limits, supported: Parts::ALL, nodes: 0, value_bytes: 0, journal: Journal::default() }
    }

    /// The same tree with these properties only; the others are answered 406. What every device must have stays.
    #[must_use]
    pub fn supporting(mut self, parts: Parts) -> Self {
        self.supported = Parts::MANDATORY.iter().fold(parts, Parts::with);
        self
    }

    /// Puts a node in as its maker does, without asking for access; missing ancestors become permanent interior
    /// nodes that can only be read. A node that is there is overwritten with all below it.
    ///
    /// # Errors
    /// [`Refusal::Uri`] if `uri` cannot be an address; [`Refusal::NotAllowed`] below a leaf and for the root;
    /// [`Refusal::Full`].
    pub fn install(&mut self, uri: &str, node: Node) -> Result<(), Refusal> {
        let uri = LocUri::parse_within(uri, &self.limits.uri)?;
        if uri.is_root() {
            return Err(Refusal::NotAllowed);
        }
        for ancestor in uri.ancestors() {
            match self.find(&ancestor) {
                Ok(found) if !found.node.is_interior() => return Err(Refusal::NotAllowed),
                Ok(_) => {}
                Err(_) => {
                    self.room(1, 0)?;
                    self.put_in(&ancestor, Box::new(Node::object(None)));
                }
            }
        }
        let (nodes, bytes) = node.weight();
        self.take_out(&uri);
        self.room(nodes, bytes)?;
        self.put_in(&uri, Box::new(node));
        Ok(())
    }

    /// Add: makes a node, and the interior nodes above it that are missing.
    ///
    /// A server that adds an interior node and has no Replace right on its parent gets Add, Delete and Replace on the
    /// new node, beside whatever the node would have inherited.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`]; [`Refusal::NotAllowed`] below a leaf or where nothing may be added;
    /// [`Refusal::PermissionDenied`]; the limits; any of them inside [`Refusal::Ancestor`] if it was an interior
    /// node on the way that could not be made.
    ///
    /// Source: OMA DM 1.2 Representation Protocol usage, "Add"; Tree and Description, "ACL".
    pub fn add(&mut self, actor: &Actor<'_>, uri: &LocUri, content: Content) -> Result<(), Refusal> {
        if uri.query().is_some() {
            return Err(Refusal::NotAllowed);
        }
        if self.find(uri).is_ok() {
            return Err(Refusal::AlreadyExists);
        }
        let missing: Vec<LocUri> = uri.ancestors().filter(|it| self.find(it).is_err()).collect();
        let known = missing.first().map_or_else(|| uri.parent(), LocUri::parent).ok_or(Refusal::NotFound)?;
        let of_first = |why: Refusal| match missing.first() {
            None => why,
            Some(node) => Refusal::Ancestor { node: node.clone(), why: Box::new(why) },
        };
        let found = self.find(&known)?;
        if !found.node.is_interior() {
            return Err(of_first(Refusal::NotAllowed));
        }
        found.allows(actor.server, Access::ADD).map_err(of_first)?;
        self.check_content(&content)?;
        self.room(missing.len() + 1, content.bytes())?;
        let mark = self.begin();
        for ancestor in &missing {
            self.add_one(actor, ancestor, Content::Interior { object: None });
        }
        self.add_one(actor, uri, content);
        self.alter(&known, |node| node.touch(actor.now));
        self.keep(mark);
        Ok(())
    }

    fn add_one(&mut self, actor: &Actor<'_>, uri: &LocUri, content: Content) {
        let mut node = Node::dynamic(content);
        node.t_stamp = actor.now;
        if node.is_interior() {
            node.acl = self.granted_to_maker(uri, actor.server);
        }
        self.put_in(uri, Box::new(node));
    }

    /// The list of an interior node that a server makes.
    pub(super) fn granted_to_maker(&self, uri: &LocUri, server: &ServerId) -> Acl {
        let Some(above) = uri.parent().and_then(|it| self.find(&it).ok()) else { return Acl::NONE };
        if above.acl.allows(server, Access::REPLACE) {
            return Acl::NONE;
        }
        above.acl.clone().granting(Access::ADD.and(Access::DELETE).and(Access::REPLACE), server)
    }

    /// Replace: overwrites the value of a leaf, or with `?prop=` a property.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]: Replace never makes a node; [`Refusal::NotAllowed`] for an interior node, one that
    /// cannot be written, and `?list=`; [`Refusal::PermissionDenied`]; [`Refusal::UnsupportedFormat`] where a node
    /// of the device's maker gets another format or a value that its format cannot hold; the limits.
    pub fn replace(&mut self, actor: &Actor<'_>, uri: &LocUri, with: Replacement) -> Result<(), Refusal> {
        match uri.query() {
            None => {}
            Some(Query::List(_)) => return Err(Refusal::NotAllowed),
            Some(Query::Property(property)) => {
                let text = String::from_utf8(with.value).map_err(|_| Refusal::UnsupportedFormat)?;
                return self.set_property(actor, &uri.node(), property, &text);
            }
        }
        let found = self.find(uri)?;
        found.allows(actor.server, Access::REPLACE)?;
        let Content::Leaf(leaf) = &found.node.content else { return Err(Refusal::NotAllowed) };
        let format = with.format.unwrap_or(leaf.format);
        if found.node.permanent && (format != leaf.format || !format.holds(&with.value)) {
            return Err(Refusal::UnsupportedFormat);
        }
        let (before, after) = (leaf.value.len(), with.value.len());
        let mime = with.mime.or_else(|| leaf.mime.clone()).filter(|it| it != super::node::TEXT_PLAIN);
        let content = Content::Leaf(Leaf { format, mime, value: with.value });
        self.check_content(&content)?;
        self.room(0, after.saturating_sub(before))?;
        self.alter(uri, |node| {
            node.content = content;
            node.touch(actor.now);
        });
        Ok(())
    }

    /// Delete: removes a node and all below it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::NotAllowed`] for the root, permanent nodes and properties;
    /// [`Refusal::PermissionDenied`].
    pub fn delete(&mut self, actor: &Actor<'_>, uri: &LocUri) -> Result<(), Refusal> {
        let found = self.find(uri)?;
        if found.node.permanent || uri.query().is_some() {
            return Err(Refusal::NotAllowed);
        }
        found.allows(actor.server, Access::DELETE)?;
        let mark = self.begin();
        self.take_out(uri);
        if let Some(parent) = uri.parent() {
            self.alter(&parent, |node| node.touch(actor.now));
        }
        self.keep(mark);
        Ok(())
    }

    /// Copy: leaf to leaf; the target is overwritten or made.
    ///
    /// # Errors
    /// Those of the Get, Replace and Add it amounts to.
    pub fn copy(&mut self, actor: &Actor<'_>, from: &LocUri, to: &LocUri) -> Result<(), Refusal> {
        if from.query().is_some() || to.query().is_some() {
            return Err(Refusal::NotAllowed);
        }
        let Content::Leaf(leaf) = &self.get(actor.server, from)?.content else {
            return Err(Refusal::NotAllowed);
        };
        let leaf = leaf.clone();
        match self.find(to) {
            Ok(_) => self.replace(actor, to, leaf.into()),
            Err(_) => self.add(actor, to, Content::Leaf(leaf)),
        }
    }

    /// Whether Exec is allowed on a node.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::NotAllowed`], [`Refusal::PermissionDenied`].
    pub fn exec(&self, server: &ServerId, uri: &LocUri) -> Result<(), Refusal> {
        if uri.query().is_some() {
            return Err(Refusal::NotAllowed);
        }
        self.find(uri)?.allows(server, Access::EXEC)
    }

    /// Get: a node, if the server may read it. What is asked of it is the caller's to look at: [`Self::property`] and
    /// [`Self::list`].
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::NotAllowed`]; [`Refusal::PermissionDenied`].
    pub fn get(&self, server: &ServerId, uri: &LocUri) -> Result<&Node, Refusal> {
        let found = self.find(uri)?;
        found.allows(server, Access::GET)?;
        Ok(found.node)
    }

    /// Get with `?prop=`. An access control list that was not set reads as no text, not as the inherited one. The
    /// right to Get counts, the node's `AccessType` does not: what a secret is called is no secret.
    ///
    /// # Errors
    /// [`Refusal::NotSupported`] for a property that this tree, or this kind of node, does not have;
    /// [`Refusal::NotFound`]; [`Refusal::PermissionDenied`].
    ///
    /// Source: OMA DM 1.2 Tree and Description, "Properties of Management Objects".
    pub fn property(&self, server: &ServerId, uri: &LocUri, property: Property) -> Result<String, Refusal> {
        let found = self.find(uri)?;
        if !self.supported.contains(property.part()) {
            return Err(Refusal::NotSupported);
        }
        if !found.acl.allows(server, Access::GET) {
            return Err(Refusal::PermissionDenied);
        }
        let node = found.node;
        Ok(match (property.part(), &node.content) {
            (Part::Acl, _) => node.acl.to_string(),
            (Part::Format, content) => content.format().name().to_owned(),
            (Part::Name, _) => uri.name().to_owned(),
            (Part::Size, Content::Leaf(leaf)) => leaf.value.len().to_string(),
            (Part::Size | Part::Value, _) => return Err(Refusal::NotSupported),
            (Part::Title, _) => node.title.as_deref().unwrap_or_default().to_owned(),
            (Part::TStamp, _) => node.t_stamp.map(|it| it.to_string()).unwrap_or_default(),
            (Part::Type, content) => content.kind().unwrap_or_default().to_owned(),
            (Part::VerNo, _) => node.ver_no.to_string(),
        })
    }

    fn set_property(&mut self, actor: &Actor<'_>, uri: &LocUri, property: Property, text: &str) -> Result<(), Refusal> {
        let found = self.find(uri)?;
        if !self.supported.contains(property.part()) {
            return Err(Refusal::NotSupported);
        }
        let may_replace = found.acl.allows(actor.server, Access::REPLACE);
        match property.part() {
            Part::Acl => {
                if !found.allows_acl_change(actor.server) {
                    return Err(Refusal::PermissionDenied);
                }
                let acl: Acl = text.parse().map_err(|error: acl::AclError| match error {
                    acl::AclError::TooLong => Refusal::TooLarge { max: acl::ACL_BYTES_MAX },
                    error => Refusal::Malformed(error.to_string().into()),
                })?;
                let acl = match (uri.is_root(), acl.is_none()) {
                    (true, true) => Acl::of_root().for_root_after(&found.node.acl),
                    (true, false) => acl.for_root_after(&found.node.acl),
                    (false, _) => acl,
                };
                self.alter(uri, |node| {
                    node.acl = acl;
                    node.touch(actor.now);
                });
            }
            Part::Title => {
                if !may_replace {
                    return Err(Refusal::PermissionDenied);
                }
                if text.len() > self.limits.title_bytes_max {
                    return Err(Refusal::TooLarge { max: self.limits.title_bytes_max });
                }
                let title = (!text.is_empty()).then(|| Text::from(text));
                self.alter(uri, |node| {
                    node.title = title;
                    node.touch(actor.now);
                });
            }
            Part::Name => {
                if found.node.permanent {
                    return Err(Refusal::NotAllowed);
                }
                if !may_replace {
                    return Err(Refusal::PermissionDenied);
                }
                self.rename(actor, uri, text)?;
            }
            _ => return Err(Refusal::NotAllowed),
        }
        Ok(())
    }

    fn rename(&mut self, actor: &Actor<'_>, uri: &LocUri, name: &str) -> Result<(), Refusal> {
        let parent = uri.parent().ok_or(Refusal::NotAllowed)?;
        let renamed = parent.child(name, &self.limits.uri)?;
        if renamed == *uri {
            return Ok(());
        }
        if self.find(&renamed).is_ok() {
            return Err(Refusal::AlreadyExists);
        }
        // A longer name makes every address below longer.
        let (longest, limit) = (self.longest_below(uri), self.limits.uri.total_bytes_max);
        if (longest + renamed.path().len()).saturating_sub(uri.path().len()) > limit {
            return Err(super::UriError::TooLong { max: limit }.into());
        }
        let mark = self.begin();
        self.give_name(uri, name.into());
        self.alter(&renamed, |node| node.touch(actor.now));
        self.alter(&parent, |node| node.touch(actor.now));
        self.keep(mark);
        Ok(())
    }

    /// Octets of the longest address in a sub-tree.
    fn longest_below(&self, uri: &LocUri) -> usize {
        fn longest(node: &Node) -> usize {
            node.children.iter().map(|(name, child)| 1 + name.len() + longest(child)).max().unwrap_or(0)
        }
        uri.path().len() + self.node(uri).map_or(0, longest)
    }

    /// A node, whoever asks.
    #[must_use]
    pub fn node(&self, uri: &LocUri) -> Option<&Node> {
        self.find(uri).ok().map(|it| it.node)
    }

    /// The list that counts for a node: its own, or that of the nearest ancestor that has one.
    #[must_use]
    pub fn acl(&self, uri: &LocUri) -> Option<&Acl> {
        self.find(uri).ok().map(|it| it.acl)
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// How much it may hold.
    #[must_use]
    pub fn limits(&self) -> &TreeLimits {
        &self.limits
    }

    /// Names of the nodes directly below, in order; nothing for a leaf, a missing node or what is no address.
    #[must_use]
    pub fn children(&self, uri: &str) -> Vec<&str> {
        let uri = LocUri::parse_within(uri, &self.limits.uri);
        let node = uri.ok().and_then(|uri| self.node(&uri));
        node.into_iter().flat_map(Node::children).map(|(name, _)| name).collect()
    }

    /// The value of a leaf as text, whoever asks; for tests and for looking at a device from outside.
    #[must_use]
    pub fn text(&self, uri: &str) -> Option<&str> {
        self.node(&LocUri::parse_within(uri, &self.limits.uri).ok()?)?.text()
    }

    /// Writes the value of an existing leaf as the device itself does, without asking for access. Returns whether
    /// there is such a leaf and room in it.
    pub fn set_text(&mut self, uri: &str, value: &str) -> bool {
        let Ok(uri) = LocUri::parse_within(uri, &self.limits.uri) else { return false };
        let Some(Content::Leaf(leaf)) = self.node(&uri).map(|it| &it.content) else { return false };
        let more = value.len().saturating_sub(leaf.value.len());
        if value.len() > self.limits.value_bytes_max || self.room(0, more).is_err() {
            return false;
        }
        self.alter(&uri, |node| {
            if let Content::Leaf(leaf) = &mut node.content {
                leaf.value = value.as_bytes().to_vec();
            }
            node.touch(None);
        });
        true
    }

    /// Changes a node itself as its maker does: access, list, permanence, value. Returns whether it is there.
    pub fn maintain(&mut self, uri: &str, change: impl FnOnce(&mut Node)) -> bool {
        let Ok(uri) = LocUri::parse_within(uri, &self.limits.uri) else { return false };
        if self.node(&uri).is_none() {
            return false;
        }
        self.alter(&uri, change);
        true
    }

    /// Nodes, the root counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes + 1
    }

    /// Never true: there is always a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Octets of all values together.
    #[must_use]
    pub fn value_bytes(&self) -> usize {
        self.value_bytes
    }

    pub(super) fn find(&self, uri: &LocUri) -> Result<Found<'_>, Refusal> {
        let mut found = Found { node: &self.root, acl: &self.root.acl, parent_acl: None };
        for name in uri.segments() {
            let node = found.node.children.get(name).ok_or(Refusal::NotFound)?;
            let acl = if node.acl.is_none() { found.acl } else { &node.acl };
            found = Found { node, acl, parent_acl: Some(found.acl) };
        }
        Ok(found)
    }

    /// Whether a value is within the limits and has the form of its format.
    pub(super) fn check_content(&self, content: &Content) -> Result<(), Refusal> {
        let Content::Leaf(leaf) = content else { return Ok(()) };
        if leaf.value.len() > self.limits.value_bytes_max {
            return Err(Refusal::TooLarge { max: self.limits.value_bytes_max });
        }
        if leaf.format == Format::Node || !leaf.format.holds(&leaf.value) {
            return Err(Refusal::UnsupportedFormat);
        }
        Ok(())
    }

    /// Whether there is room for so many more nodes and octets.
    pub(super) fn room(&self, nodes: usize, bytes: usize) -> Result<(), Refusal> {
        let fits = self.len().saturating_add(nodes) <= self.limits.nodes_max
            && self.value_bytes.saturating_add(bytes) <= self.limits.values_bytes_max;
        if fits { Ok(()) } else { Err(Refusal::Full) }
    }
}
