#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod addresses;
mod commands;
mod describes;
mod differences;
mod documents;
mod objects;
mod properties;
mod rights;
mod undo;

use super::*;

fn id(text: &str) -> ServerId {
    ServerId::parse(text).unwrap()
}

fn uri(text: &str) -> LocUri {
    LocUri::parse(text).unwrap()
}

fn text(value: &str) -> Content {
    Content::Leaf(Leaf::text(value))
}

fn interior() -> Content {
    Content::Interior { object: None }
}

/// A tree with something of every kind, in which `a` may do everything and others may read and add.
fn tree() -> Tree {
    let mut tree = Tree::new(TreeLimits::DEVICE);
    tree.maintain(".", |root| {
        root.acl = root.acl.clone().granting(Access::DELETE.and(Access::EXEC).and(Access::REPLACE), &id("a"));
    });
    let write = Access::GET.and(Access::REPLACE);
    for (uri, node) in [
        ("./DevInfo", Node::object(Some("urn:oma:mo:oma-dm-devinfo:1.0"))),
        ("./DevInfo/Man", Node::leaf(Access::GET, Leaf::text("Example"))),
        ("./DevInfo/Mod", Node::leaf(Access::GET, Leaf::text("M1"))),
        ("./V/Name", Node::leaf(write, Leaf::text("One"))),
        ("./V/Count", Node::leaf(write, Leaf::of(Format::Int, "7"))),
        ("./V/Do", Node::leaf(Access::EXEC, Leaf::of(Format::Null, ""))),
        ("./V/Secret", Node::leaf(Access::REPLACE, Leaf::text("s3cret"))),
        ("./V/S", Node { permanent: true, ..Node::interior() }),
    ] {
        tree.install(uri, node).unwrap();
    }
    tree
}

/// What one server does.
struct Session {
    tree: Tree,
    server: ServerId,
    now: Option<TStamp>,
}

impl Session {
    fn of(server: &str, tree: Tree) -> Self {
        Self { tree, server: id(server), now: None }
    }

    fn new() -> Self {
        Self::of("a", tree())
    }

    /// Lets another server go on.
    fn continued_by(mut self, server: &str) -> Self {
        self.server = id(server);
        self
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut Tree, &Actor<'_>) -> T) -> T {
        act(&mut self.tree, &Actor { server: &self.server, now: self.now })
    }

    fn add(&mut self, at: &str, content: Content) -> Result<(), Refusal> {
        self.act(|tree, actor| tree.add(actor, &uri(at), content))
    }

    fn replace(&mut self, at: &str, value: &str) -> Result<(), Refusal> {
        let with = Replacement { format: None, mime: None, value: value.as_bytes().to_vec() };
        self.act(|tree, actor| tree.replace(actor, &uri(at), with))
    }

    fn delete(&mut self, at: &str) -> Result<(), Refusal> {
        self.act(|tree, actor| tree.delete(actor, &uri(at)))
    }

    fn copy(&mut self, from: &str, to: &str) -> Result<(), Refusal> {
        self.act(|tree, actor| tree.copy(actor, &uri(from), &uri(to)))
    }

    fn get(&self, at: &str) -> Result<&str, Refusal> {
        self.tree.get(&self.server, &uri(at)).map(|it| it.text().unwrap_or_default())
    }

    fn property(&self, at: &str) -> Result<String, Refusal> {
        let uri = uri(at);
        let Some(Query::Property(property)) = uri.query() else { panic!("{at} asks for no property") };
        self.tree.property(&self.server, &uri, property)
    }
}
