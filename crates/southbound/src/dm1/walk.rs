//! DISCOVER: reading a subtree, in one list where the device has lists, else level by level.
//!
//! A list has only what may be read, and of interior nodes not the names of what is below. So each interior node of it
//! is read too, and what the list left out, such as nodes that can only be executed, shows by its name.
//!
//! Source: OMA DM 1.2 Tree and Description Serialization, "Struct", "StructData" and "TNDS".

use muster_broker::operation::Parameter;
use muster_protocol::dm1::Outcome;
use muster_protocol::syncml::{ItemData, StatusCode};
use muster_protocol::tree::tnds::{DOCUMENT, Document};
use muster_protocol::tree::{Content, List, LocUri, Parts, Query, TreeLimits, UriLimits, percent_encoded};
use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::planned::{Planned, Progress, Verb};
use crate::profile::Profile;

/// Levels below the root when the option `depth` is left out.
pub(super) const DEPTH: u32 = 3;
/// Most nodes that one walk reads, however wide the tree is.
pub(super) const NODES_MAX: usize = 2_000;

/// How devices are walked, as far as they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manner {
    /// What is asked for first.
    #[serde(rename = "l", default)]
    pub(super) lists: Lists,
    /// Names of children in what a Get of an interior node answers are percent-encoded already, as Windows does it.
    #[serde(rename = "e", default)]
    pub(super) child_names_encoded: bool,
}

impl Manner {
    /// That of devices with this profile.
    pub(super) fn of(profile: &Profile) -> Self {
        Self {
            lists: if profile.session.list { Lists::StructData } else { Lists::No },
            child_names_encoded: profile.tree.child_names_encoded,
        }
    }
}

/// In which form a device lists a subtree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Lists {
    /// `?list=StructData`; a device that has no lists says so, and is walked.
    #[default]
    StructData,
    /// `?list=TNDS`.
    Tnds,
    /// None that is worth a question: plans of before there were lists, and devices known to have none.
    No,
}

/// The first command of a walk.
pub(super) fn first(root: &str, depth: u32, manner: Manner) -> Planned {
    let list = match manner.lists {
        // A list has the whole subtree, however little of it was asked for.
        _ if depth <= 1 => None,
        Lists::StructData => Some(List::StructData),
        Lists::Tnds => Some(List::Tnds(Parts::ALL)),
        Lists::No => None,
    };
    match (LocUri::parse(root), list) {
        (Ok(uri), Some(list)) => {
            let mut planned = Planned::new(Verb::Get, node(&uri.with(Query::List(list)).to_string()));
            planned.is_list = true;
            planned
        }
        _ => Planned::new(Verb::Get, node(root)),
    }
}

/// Plans what is to be read after the node that command `index` read, if it is part of a walk.
pub(super) fn extend(plan: &mut Plan, index: usize, outcome: &Outcome) {
    let Some(depth) = plan.walk_depth else { return };
    let Some(parent) = plan.commands.get(index) else { return };
    if parent.progress != Progress::Answered {
        return;
    }
    if parent.is_list {
        list(plan, index, depth, outcome);
        return;
    }
    if !parent.succeeded() || parent.level >= depth {
        return;
    }
    let level = parent.level + 1;
    let is_interior = parent.result.iter().any(|it| it.format.as_deref() == Some("node"));
    let names = parent.result.first().and_then(|it| it.value.clone()).unwrap_or_default();
    let Ok(base) = LocUri::parse(&parent.node.path) else { return };
    if !is_interior {
        return;
    }
    for name in names.split('/').filter(|name| !name.is_empty()) {
        if plan.commands.len() >= NODES_MAX {
            return;
        }
        // A name that can be none is not asked for: what a device answers is as little to be trusted as anything else.
        let Ok(uri) = child(&base, name, plan.manner) else { continue };
        let path = uri.to_string();
        // What was in the list is not read again.
        if plan.is_listed && plan.commands.iter().any(|it| it.node.path == path) {
            continue;
        }
        let mut child = Planned::new(Verb::Get, node(&path));
        child.level = level;
        plan.commands.push(child);
    }
}

/// The address of a child. A name that was not encoded and holds what means something else in an address is encoded.
fn child(base: &LocUri, name: &str, manner: Manner) -> Result<LocUri, muster_protocol::tree::UriError> {
    if !manner.child_names_encoded && name.contains('?') {
        return base.child(&percent_encoded(name), &UriLimits::SERVER);
    }
    base.child(name, &UriLimits::SERVER)
}

/// Takes a list that came, or goes on without.
fn list(plan: &mut Plan, index: usize, depth: u32, outcome: &Outcome) {
    let Some(command) = plan.commands.get_mut(index) else { return };
    let confirmed = command.code.is_some_and(|code| StatusCode(code).is_success());
    // What it gave becomes commands of its own, and what it did not give is walked for: it is not asked again.
    command.result = Vec::new();
    command.code = None;
    let Ok(root) = LocUri::parse(&command.node.path).map(|it| it.node()) else { return };
    let listed = if confirmed { nodes(outcome, &root) } else { Vec::new() };
    plan.is_listed = !listed.is_empty();
    if !listed.iter().any(|(uri, _)| *uri == root) {
        plan.commands.push(Planned::new(Verb::Get, node(root.path())));
    }
    for (uri, parameter) in listed {
        let level = uri.relative_to(&root).map_or(0, |below| below.split('/').filter(|it| !it.is_empty()).count());
        let Some(level) = u32::try_from(level).ok().filter(|it| *it <= depth) else { continue };
        if plan.commands.len() >= NODES_MAX {
            return;
        }
        let mut read = Planned::new(Verb::Get, node(uri.path()));
        read.level = level;
        // The names of what is below are not in the list.
        if parameter.format.as_deref() != Some("node") {
            read.progress = Progress::Answered;
            read.code = Some(StatusCode::OK.0);
            read.result = vec![Parameter { path: uri.to_string(), ..parameter }];
        }
        plan.commands.push(read);
    }
}

/// The nodes of a list, each once: those below its root.
fn nodes(outcome: &Outcome, root: &LocUri) -> Vec<(LocUri, Parameter)> {
    let mut nodes: Vec<(LocUri, Parameter)> = match outcome.nodes.as_slice() {
        [one] if one.kind.as_deref().is_some_and(muster_protocol::tree::tnds::is_tnds) => {
            one.data.as_ref().map(|data| document(data, &one.format, root)).unwrap_or_default()
        }
        several => several
            .iter()
            .filter_map(|it| {
                let uri = LocUri::parse(&it.uri).ok()?.node();
                Some((uri, super::outcome::parameter(it, StatusCode::OK)))
            })
            .collect(),
    };
    nodes.retain(|(uri, _)| uri.relative_to(root).is_some());
    nodes.sort_by(|(a, _), (b, _)| a.cmp(b));
    nodes.dedup_by(|(a, _), (b, _)| a == b);
    nodes
}

/// The nodes of a document; nothing of one that cannot be read.
fn document(data: &ItemData, format: &str, root: &LocUri) -> Vec<(LocUri, Parameter)> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let decoded = if format == "b64" { STANDARD.decode(data.as_bytes()).ok() } else { None };
    let octets = decoded.as_deref().unwrap_or(data.as_bytes());
    let document = Document::read(octets, &DOCUMENT);
    let Some(tree) = document.ok().and_then(|it| it.tree(root, &TreeLimits::SNAPSHOT).ok()) else { return Vec::new() };
    let parameter = |content: &Content| {
        let (format, value) = match content {
            Content::Interior { .. } => ("node", String::new()),
            Content::Leaf(leaf) => match std::str::from_utf8(&leaf.value) {
                Ok(text) if !leaf.format.is_octets() => (leaf.format.name(), text.to_owned()),
                _ => ("bin", STANDARD.encode(&leaf.value)),
            },
        };
        Parameter {
            value: Some(value),
            format: Some(format.to_owned()),
            kind: content.kind().map(str::to_owned),
            status: Some(StatusCode::OK.0.into()),
            ..Parameter::default()
        }
    };
    tree.nodes(root).into_iter().map(|it| (it.uri, parameter(&it.node.content))).collect()
}

fn node(path: &str) -> Parameter {
    Parameter { path: path.to_owned(), ..Parameter::default() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use muster_protocol::dm1::{Action, Answer, NodeResult};
    use muster_protocol::syncml::Encoding;
    use muster_protocol::tree::{Leaf, Node, Tree};

    use super::*;

    const LISTS: [Lists; 3] = [Lists::StructData, Lists::Tnds, Lists::No];

    fn plan(root: &str, depth: u32, manner: Manner) -> Plan {
        let commands = serde_json::to_value([first(root, depth, manner)]).unwrap();
        let stored = serde_json::json!({"u": "NotNeeded", "m": "Plain", "w": depth, "d": manner, "c": commands});
        serde_json::from_value(stored).unwrap()
    }

    fn device() -> Tree {
        let mut tree = Tree::new(TreeLimits::DEVICE);
        let get = muster_protocol::tree::Access::GET;
        let unreadable = muster_protocol::tree::Access::EXEC;
        for (at, node) in [
            ("./A/x", Node::leaf(get, Leaf::text("1"))),
            ("./A/B/y", Node::leaf(get, Leaf::text("2"))),
            ("./A/B/run", Node::leaf(unreadable, Leaf::text(""))),
            ("./A/B/C/D/deep", Node::leaf(get, Leaf::text("3"))),
        ] {
            tree.install(at, node).unwrap();
        }
        tree
    }

    /// What the device says to a Get.
    fn said(tree: &Tree, tag: u32, uri: &str) -> Outcome {
        let server = muster_protocol::tree::ServerId::parse("s").unwrap();
        let bare =
            |answer| Outcome { tag, answer, nodes: vec![], statuses: vec![], items: vec![], user: None, note: None };
        let uri = LocUri::parse(uri).unwrap();
        let node = |uri: &LocUri, node: &Node| NodeResult {
            uri: uri.to_string().into(),
            format: node.content.format().name().into(),
            kind: None,
            data: node.text().map(ItemData::from),
        };
        let nodes = match uri.query() {
            None => tree.get(&server, &uri).map(|it| {
                let mut read = node(&uri, it);
                let names: Vec<&str> = it.children().map(|(name, _)| name).collect();
                read.data = read.data.or(Some(ItemData::from(names.join("/").as_str())));
                vec![read]
            }),
            Some(Query::List(List::Tnds(parts))) => tree.tnds(Some(&server), &uri, parts, Encoding::Wbxml).map(|it| {
                let kind = Some(muster_protocol::tree::tnds::WBXML.into());
                let data = Some(ItemData::Opaque(it.octets));
                vec![NodeResult { uri: uri.to_string().into(), format: "bin".into(), kind, data }]
            }),
            Some(_) => tree.list(&server, &uri).map(|it| it.iter().map(|it| node(&it.uri, it.node)).collect()),
        };
        match nodes {
            Ok(nodes) => Outcome { nodes, ..bare(Answer::Status(StatusCode::OK)) },
            Err(refusal) => bare(Answer::Status(refusal.status())),
        }
    }

    /// Walks a device to the end. The rounds it took, and what was found: path, value and status.
    fn walked(mut plan: Plan, tree: &Tree, lists: bool) -> (usize, Vec<(String, Option<String>, i32)>) {
        let mut rounds = 0;
        loop {
            let orders = plan.orders("");
            if orders.is_empty() {
                break;
            }
            rounds += 1;
            for order in orders {
                let Action::Get { uri } = order.action else { panic!("a walk only reads") };
                let mut outcome = said(tree, order.tag, &uri);
                if uri.contains('?') && !lists {
                    outcome.answer = Answer::Status(StatusCode::NOT_SUPPORTED);
                    outcome.nodes.clear();
                }
                plan.take(&outcome);
            }
        }
        let mut found: Vec<_> =
            plan.results().into_iter().map(|it| (it.path, it.value, it.status.unwrap_or_default())).collect();
        found.sort();
        (rounds, found)
    }

    #[test]
    fn every_way_to_walk_finds_the_same() {
        let tree = device();
        let by_nodes = walked(plan("./A", 3, Manner { lists: Lists::No, ..Manner::default() }), &tree, true);
        assert_eq!(by_nodes.1.len(), 7);
        assert!(by_nodes.1.iter().any(|it| *it == ("./A/B/run".into(), None, 405)), "{by_nodes:?}");
        assert!(!by_nodes.1.iter().any(|(path, ..)| path.ends_with("deep")));

        for lists in LISTS {
            for supported in [true, false] {
                let manner = Manner { lists, ..Manner::default() };
                let (rounds, found) = walked(plan("./A", 3, manner), &tree, supported);
                assert_eq!(found, by_nodes.1, "{lists:?} {supported}");
                if supported && lists != Lists::No {
                    assert_eq!(rounds, 3, "{lists:?}");
                }
            }
        }
    }

    #[test]
    fn a_list_of_other_nodes_than_those_asked_for_gives_none_of_them() {
        let mut walk = plan("./A", 3, Manner::default());
        let orders = walk.orders("");
        let mut outcome = said(&device(), orders[0].tag, "./A?list=StructData");
        for node in &mut outcome.nodes {
            node.uri = format!("./Elsewhere/{}", node.uri.replace('/', "//")).into();
        }

        walk.take(&outcome);

        assert!(walk.results().is_empty());
        assert_eq!(walk.orders("").len(), 1);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_walked_for() {
        let mut walk = plan("./A", 3, Manner { lists: Lists::Tnds, ..Manner::default() });
        let orders = walk.orders("");
        let mut outcome = said(&device(), orders[0].tag, "./A?list=TNDS");
        outcome.nodes[0].data = Some(ItemData::from("<MgmtTree><Node>"));

        walk.take(&outcome);

        let next = walk.orders("");
        assert!(matches!(&next[..], [order] if matches!(&order.action, Action::Get { uri } if *uri == "./A")));
    }

    #[test]
    fn names_that_can_be_none_are_not_asked_for_and_others_are_made_to_fit() {
        for (encoded, name, asked) in [
            (false, "My Net", Some("./A/My Net")),
            (false, "a?b", Some("./A/a%3Fb")),
            (true, "My%20Net", Some("./A/My%20Net")),
            (true, "a%3Fb", Some("./A/a%3Fb")),
            (true, "a?b", None),
            (true, "a%2Fb", None),
            (false, "..", None),
            (false, "%2e%2e", None),
            (false, "a\u{7f}", None),
        ] {
            let mut walk = plan("./A", 1, Manner { child_names_encoded: encoded, ..Manner::default() });
            let tag = walk.orders("")[0].tag;
            let mut outcome = said(&device(), tag, "./A");
            outcome.nodes[0].data = Some(ItemData::from(name));
            walk.take(&outcome);
            let next = walk.orders("").pop().map(|it| match it.action {
                Action::Get { uri } => uri.to_string(),
                other => panic!("{other:?}"),
            });
            assert_eq!(next.as_deref(), asked, "{name}");
        }
    }

    #[test]
    fn a_plan_of_before_there_were_lists_goes_on() {
        let stored =
            r#"{"u":"NotNeeded","m":"Plain","r":false,"w":2,"c":[{"v":"Get","p":{"path":"./A"},"l":0,"s":"Waiting"}]}"#;
        let plan: Plan = serde_json::from_str(stored).unwrap();

        let (_, found) = walked(plan, &device(), true);

        assert_eq!(found.len(), 6);
    }
}
