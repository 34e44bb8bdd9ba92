//! What has to be undone if something that was begun is not to have happened.
//!
//! Nodes that go are kept, not copied, so that an undo costs what was changed and not what there is.

use super::node::{Content, Node};
use super::{Acl, LocUri, TStamp, Tree};
use crate::syncml::Text;

/// Where to go back to.
#[derive(Debug)]
#[must_use = "a beginning has an end: keep or undo"]
pub struct Mark {
    at: usize,
}

/// Steps back, the first one last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Journal {
    steps: Vec<Step>,
    open: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Remove(LocUri),
    Insert(LocUri, Box<Node>),
    Restore(LocUri, Box<Own>),
    Rename { from: LocUri, to: Text },
}

/// What a node has besides its children.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Own {
    acl: Acl,
    title: Option<Text>,
    t_stamp: Option<TStamp>,
    ver_no: u16,
    content: Content,
}

impl Journal {
    fn note(&mut self, step: impl FnOnce() -> Step) {
        if self.open > 0 {
            self.steps.push(step());
        }
    }
}

impl Tree {
    /// Begins something that is to happen whole or not at all. What follows is kept by [`Self::keep`] or undone by
    /// [`Self::undo`]; marks inside one another are ended in the opposite order.
    pub fn begin(&mut self) -> Mark {
        self.journal.open += 1;
        Mark { at: self.journal.steps.len() }
    }

    /// Keeps what was done since the mark.
    #[expect(clippy::needless_pass_by_value, reason = "a mark is used once")]
    pub fn keep(&mut self, mark: Mark) {
        // Steps stay as long as something around may still be undone.
        let Mark { at: _ } = mark;
        self.journal.open = self.journal.open.saturating_sub(1);
        if self.journal.open == 0 {
            self.journal.steps.clear();
        }
    }

    /// Undoes what was done since the mark.
    #[expect(clippy::needless_pass_by_value, reason = "a mark is used once")]
    pub fn undo(&mut self, mark: Mark) {
        let steps = self.journal.steps.split_off(mark.at.min(self.journal.steps.len()));
        let open = std::mem::take(&mut self.journal.open);
        for step in steps.into_iter().rev() {
            match step {
                Step::Remove(uri) => drop(self.take_out(&uri)),
                Step::Insert(uri, node) => self.put_in(&uri, node),
                Step::Restore(uri, own) => {
                    let Own { acl, title, t_stamp, ver_no, content } = *own;
                    if let Some(node) = self.node_at_mut(&uri) {
                        let change = (node.content.bytes(), content.bytes());
                        (node.acl, node.title, node.t_stamp, node.ver_no) = (acl, title, t_stamp, ver_no);
                        node.content = content;
                        self.value_bytes = self.value_bytes.saturating_sub(change.0).saturating_add(change.1);
                    }
                }
                Step::Rename { from, to } => self.give_name(&from, to),
            }
        }
        self.journal.open = open.saturating_sub(1);
        if self.journal.open == 0 {
            self.journal.steps.clear();
        }
    }

    /// Puts a node where there is none. Its parent exists and is interior.
    pub(super) fn put_in(&mut self, uri: &LocUri, node: Box<Node>) {
        let weight = node.weight();
        let Some(parent) = uri.parent() else { return };
        let Some(place) = self.node_at_mut(&parent) else { return };
        place.children.insert(uri.name().into(), node);
        self.nodes += weight.0;
        self.value_bytes += weight.1;
        self.journal.note(|| Step::Remove(uri.clone()));
    }

    /// Takes a node out with all below it. The root stays.
    pub(super) fn take_out(&mut self, uri: &LocUri) -> bool {
        let Some(parent) = uri.parent() else { return false };
        let Some(node) = self.node_at_mut(&parent).and_then(|it| it.children.remove(uri.name())) else { return false };
        let weight = node.weight();
        self.nodes = self.nodes.saturating_sub(weight.0);
        self.value_bytes = self.value_bytes.saturating_sub(weight.1);
        self.journal.note(|| Step::Insert(uri.clone(), node));
        true
    }

    /// Changes a node itself. What is below it is not touched.
    pub(super) fn alter(&mut self, uri: &LocUri, change: impl FnOnce(&mut Node)) {
        let records = self.journal.open > 0;
        let Some(node) = self.node_at_mut(uri) else { return };
        let own = records.then(|| {
            Box::new(Own {
                acl: node.acl.clone(),
                title: node.title.clone(),
                t_stamp: node.t_stamp,
                ver_no: node.ver_no,
                content: node.content.clone(),
            })
        });
        let before = node.content.bytes();
        change(node);
        let after = node.content.bytes();
        self.value_bytes = self.value_bytes.saturating_sub(before).saturating_add(after);
        if let Some(own) = own {
            self.journal.note(|| Step::Restore(uri.clone(), own));
        }
    }

    /// Gives a node another name, which no sibling has.
    pub(super) fn give_name(&mut self, uri: &LocUri, name: Text) {
        let Some(parent) = uri.parent() else { return };
        let limits = self.limits.uri;
        let Ok(renamed) = parent.child(&name, &limits) else { return };
        let Some(above) = self.node_at_mut(&parent) else { return };
        let Some(node) = above.children.remove(uri.name()) else { return };
        above.children.insert(name, node);
        self.journal.note(|| Step::Rename { from: renamed, to: uri.name().into() });
    }

    pub(super) fn node_at_mut(&mut self, uri: &LocUri) -> Option<&mut Node> {
        uri.segments().try_fold(&mut self.root, |node, name| node.children.get_mut(name).map(|it| &mut **it))
    }
}
