//! What became of a tree between two looks at it.

use std::collections::btree_map;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::node::{Content, Node};
use super::{LocUri, Part, Tree, UriLimits};

/// How two trees differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// In the order of the tree, each node before those below it.
    pub changes: Vec<Change>,
    /// There are more changes than were asked for.
    pub is_cut: bool,
}

/// What became of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added {
        /// Its address.
        uri: LocUri,
        /// What it holds.
        content: Content,
    },
    /// It is gone.
    Removed {
        /// Its address.
        uri: LocUri,
        /// What it held.
        content: Content,
    },
    /// It is another one than before.
    Changed {
        /// Its address.
        uri: LocUri,
        /// In what: value, format, type or access control list. At least one.
        aspects: Vec<Aspect>,
    },
}

/// One part of a node that is not as it was, as text; octets as base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aspect {
    /// Which part.
    pub part: Part,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

impl Difference {
    /// What has to happen to `before` for it to be `after`: at most `changes_max` changes.
    #[must_use]
    pub fn between(before: &Tree, after: &Tree, changes_max: usize) -> Self {
        let mut walk = Walk { found: Self::default(), max: changes_max };
        walk.node(&LocUri::root(), &before.root, &after.root);
        walk.found
    }
}

struct Walk {
    found: Difference,
    max: usize,
}

impl Walk {
    fn note(&mut self, change: Change) {
        if self.found.changes.len() < self.max {
            self.found.changes.push(change);
        } else {
            self.found.is_cut = true;
        }
    }

    fn node(&mut self, uri: &LocUri, before: &Node, after: &Node) {
        let aspects = aspects(before, after);
        if !aspects.is_empty() {
            self.note(Change::Changed { uri: uri.clone(), aspects });
        }
        // Both are in the order of names.
        let (mut olds, mut news) = (before.children.iter().peekable(), after.children.iter().peekable());
        while !self.found.is_cut {
            let order = match (olds.peek(), news.peek()) {
                (None, None) => return,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((old, _)), Some((new, _))) => old.cmp(new),
            };
            let old = if order.is_le() { olds.next() } else { None };
            let new = if order.is_ge() { news.next() } else { None };
            self.pair(uri, old, new);
        }
    }

    fn pair(&mut self, above: &LocUri, old: Option<Entry<'_>>, new: Option<Entry<'_>>) {
        let Some((name, _)) = old.or(new) else { return };
        let Ok(uri) = above.child(name, &UriLimits::NONE) else { return };
        match (old, new) {
            (Some((_, old)), Some((_, new))) => self.node(&uri, old, new),
            (Some((_, old)), None) => self.one_sided(&uri, old, &|uri, content| Change::Removed { uri, content }),
            (None, Some((_, new))) => self.one_sided(&uri, new, &|uri, content| Change::Added { uri, content }),
            (None, None) => {}
        }
    }

    fn one_sided(&mut self, uri: &LocUri, node: &Node, change: &dyn Fn(LocUri, Content) -> Change) {
        self.note(change(uri.clone(), node.content.clone()));
        for (name, child) in &node.children {
            if self.found.is_cut {
                return;
            }
            if let Ok(uri) = uri.child(name, &UriLimits::NONE) {
                self.one_sided(&uri, child, change);
            }
        }
    }
}

type Entry<'t> = <btree_map::Iter<'t, crate::syncml::Text, Box<Node>> as Iterator>::Item;

fn aspects(before: &Node, after: &Node) -> Vec<Aspect> {
    let mut aspects = Vec::new();
    let mut note = |part: Part, before: String, after: String| {
        if before != after {
            aspects.push(Aspect { part, before, after });
        }
    };
    note(Part::Acl, before.acl.to_string(), after.acl.to_string());
    let format = |node: &Node| node.content.format().name().to_owned();
    note(Part::Format, format(before), format(after));
    let kind = |node: &Node| node.content.kind().unwrap_or_default().to_owned();
    note(Part::Type, kind(before), kind(after));
    if octets(before) != octets(after) {
        note(Part::Value, value(before), value(after));
    }
    aspects
}

fn octets(node: &Node) -> &[u8] {
    match &node.content {
        Content::Leaf(leaf) => &leaf.value,
        Content::Interior { .. } => &[],
    }
}

fn value(node: &Node) -> String {
    let octets = octets(node);
    match std::str::from_utf8(octets) {
        Ok(text) if !node.content.format().is_octets() => text.to_owned(),
        _ => STANDARD.encode(octets),
    }
}
