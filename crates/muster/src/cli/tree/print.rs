//! Trees and their differences, for people and for scripts.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_protocol::tree::ddf::{Catalogue, DdfNode};
use muster_protocol::tree::{Change, Content, Difference, Leaf, Listed, LocUri, Tree};
use serde_json::{Value, json};

use crate::show::{Table, short};

/// Longest value and meaning on a terminal, and elsewhere.
const CELL: (usize, usize) = (40, 80);

/// The tree as a table, each node below the one it is in.
pub(super) fn tree(tree: &Tree) -> Table {
    let nodes = tree.nodes(&LocUri::root());
    let known: Vec<Option<&DdfNode>> = nodes.iter().map(|it| meaning(tree, it)).collect();
    let has_lists = nodes.iter().any(|it| !it.node.acl.is_none() && !it.uri.is_root());
    let mut headings = vec!["node", "format", "value"];
    if has_lists {
        headings.push("access");
    }
    headings.push("meaning");
    let mut table = Table::new(&headings);
    let width = width();
    for (it, known) in nodes.iter().zip(known) {
        let depth = it.uri.segments().count();
        let mut row = vec![
            format!("{}{}", "  ".repeat(depth), clean(it.uri.name())),
            it.node.content.format().to_string(),
            short(&clean(&value(&it.node.content)), width),
        ];
        if has_lists {
            row.push(it.node.acl.to_string());
        }
        row.push(known.map(|it| short(&told(it), width)).unwrap_or_default());
        table.row(row);
    }
    table
}

/// The tree as a list of nodes.
pub(super) fn tree_json(tree: &Tree) -> Value {
    let node = |it: &Listed<'_>| {
        let mut object = content_json(&it.node.content);
        object["path"] = it.uri.to_string().into();
        if !it.node.acl.is_none() {
            object["acl"] = it.node.acl.to_string().into();
        }
        if let Some(title) = &it.node.title {
            object["title"] = title.as_str().into();
        }
        if let Some(known) = meaning(tree, it) {
            object["meaning"] = known.meaning().into();
            object["verified"] = known.is_verified().into();
        }
        object
    };
    tree.nodes(&LocUri::root()).iter().map(node).collect()
}

/// What has changed, a line for each change, and how many of each there are.
pub(super) fn difference(difference: &Difference) -> String {
    let (mut text, mut counts) = (String::new(), [0_usize; 3]);
    let width = width();
    let quoted = |value: &str| format!("{:?}", short(value, width));
    for change in &difference.changes {
        let (at, line) = match change {
            Change::Added { uri, content } => (0, format!("+ {uri}  {}", one_line(content, width))),
            Change::Removed { uri, content } => (1, format!("- {uri}  {}", one_line(content, width))),
            Change::Changed { uri, aspects } => {
                let aspects: Vec<String> = aspects
                    .iter()
                    .map(|it| format!("{} {} → {}", it.part.name(), quoted(&it.before), quoted(&it.after)))
                    .collect();
                (2, format!("* {uri}  {}", aspects.join(", ")))
            }
        };
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
        let _ = writeln!(text, "{line}");
    }
    let [added, removed, changed] = counts;
    let more = if difference.is_cut { ", and more that are not shown" } else { "" };
    let _ = writeln!(text, "{added} added, {removed} removed, {changed} changed{more}");
    text
}

/// What has changed, for scripts.
pub(super) fn difference_json(difference: &Difference) -> Value {
    let change = |change: &Change| match change {
        Change::Added { uri, content } => with(content_json(content), "added", uri),
        Change::Removed { uri, content } => with(content_json(content), "removed", uri),
        Change::Changed { uri, aspects } => {
            let aspects: Vec<Value> = aspects
                .iter()
                .map(|it| json!({"part": it.part.name(), "before": it.before, "after": it.after}))
                .collect();
            with(json!({ "aspects": aspects }), "changed", uri)
        }
    };
    let changes: Vec<Value> = difference.changes.iter().map(change).collect();
    json!({"changes": changes, "isCut": difference.is_cut})
}

fn with(mut object: Value, change: &str, uri: &LocUri) -> Value {
    object["change"] = change.into();
    object["path"] = uri.to_string().into();
    object
}

fn meaning<'c>(tree: &Tree, node: &Listed<'_>) -> Option<&'c DdfNode> {
    Catalogue::built_in().describe(Some(tree), &node.uri)
}

fn told(known: &DdfNode) -> String {
    let unsure = if known.is_verified() { "" } else { "perhaps: " };
    format!("{unsure}{}", known.meaning().unwrap_or_default())
}

fn content_json(content: &Content) -> Value {
    let mut object = json!({"format": content.format().name()});
    if let Some(kind) = content.kind() {
        object["type"] = kind.into();
    }
    if let Content::Leaf(leaf) = content {
        object["value"] = text(leaf).into();
    }
    object
}

/// A value in a cell: that of an interior node is the object it is.
fn value(content: &Content) -> String {
    match content {
        Content::Interior { object } => object.as_deref().unwrap_or_default().to_owned(),
        Content::Leaf(leaf) => text(leaf),
    }
}

fn one_line(content: &Content, width: usize) -> String {
    match content {
        Content::Interior { .. } => format!("node {}", value(content)).trim_end().to_owned(),
        Content::Leaf(leaf) => format!("{} {:?}", leaf.format, short(&text(leaf), width)),
    }
}

/// Octets as base64.
fn text(leaf: &Leaf) -> String {
    match std::str::from_utf8(&leaf.value) {
        Ok(text) if !leaf.format.is_octets() => text.to_owned(),
        _ => STANDARD.encode(&leaf.value),
    }
}

/// Without what would move the cursor of a terminal: a device may hold anything.
fn clean(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

fn width() -> usize {
    if std::io::stdout().is_terminal() { CELL.0 } else { CELL.1 }
}
