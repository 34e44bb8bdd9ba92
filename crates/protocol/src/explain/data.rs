//! What is inside `Data`: documents of their own, base64, octets.

use super::facts::Facts;
use super::packing::base64;
use super::{NESTED_MAX, Node, Options, Tone, Value, element, run};
use crate::syncml::blank::is_secret_node;

/// Octets shown of a value in a note.
const PREVIEW_OCTETS: usize = 16;
/// Characters shown of a value in a note.
const PREVIEW_CHARACTERS: usize = 60;

/// Opens what `data` holds, as its `Format` says it is held.
pub(super) fn open(data: &mut Node, format: &str, facts: &mut Facts, options: &Options<'_>, depth: usize) {
    if !data.children.is_empty() {
        // A document without a header of its own, as elements.
        data.each(&mut |node| hide(node, options));
        return;
    }
    match &data.value {
        Some(Value::Octets(octets)) => {
            let octets = octets.clone();
            if !nested(data, &octets, facts, options, depth) {
                data.note(Tone::Plain, format!("{} octets", octets.len()));
            }
        }
        Some(Value::Text(text)) if format == "b64" => match base64(text) {
            Ok(octets) => {
                if !nested(data, &octets, facts, options, depth) {
                    data.note(Tone::Plain, describe(&octets));
                }
            }
            Err(_) => data.note(Tone::Bad, "is not base64, though its format says so"),
        },
        Some(Value::Text(text)) if text.trim_start().starts_with('<') => {
            let octets = text.clone().into_bytes();
            nested(data, octets.trim_ascii_start(), facts, options, depth);
        }
        Some(Value::Text(_) | Value::Hidden) | None => {}
    }
}

/// Puts the document that `octets` are below `data`; whether they are one. Its text stands in the tree then, so `data`
/// does without.
fn nested(data: &mut Node, octets: &[u8], facts: &mut Facts, options: &Options<'_>, depth: usize) -> bool {
    let binary = matches!(octets, [1..=3, ..]);
    if depth >= NESTED_MAX || !(binary || octets.starts_with(b"<")) {
        return false;
    }
    let read = if binary { element::wbxml(octets) } else { element::xml(octets) };
    // Octets and text that only begin like a document are a value.
    if read.children.is_empty() || (read.name == "document" && (binary || is_broken(&read))) {
        return false;
    }
    data.children.push(run::annotated(read, facts, options, depth + 1));
    data.value = None;
    true
}

fn is_broken(node: &Node) -> bool {
    node.failure.is_some() || node.children.iter().any(is_broken)
}

/// How many octets there are, and what they say if that is text.
fn describe(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) if !text.is_empty() && element::is_readable(text) => {
            let shown: String = text.chars().take(PREVIEW_CHARACTERS).collect();
            let more = if shown.len() < text.len() { "…" } else { "" };
            let shown = shown.replace(['\r', '\n'], " ");
            format!("{} octets: \"{shown}{more}\"", octets.len())
        }
        _ => format!("{} octets: {}", octets.len(), preview(octets)),
    }
}

/// The first octets in hexadecimal.
pub(super) fn preview(octets: &[u8]) -> String {
    let shown: String = octets.iter().take(PREVIEW_OCTETS).map(|octet| format!("{octet:02x}")).collect();
    if octets.len() > PREVIEW_OCTETS { format!("{shown}…") } else { shown }
}

/// Hides the values of nodes of a tree document that hold secrets, and credentials of messages that are fragments.
pub(super) fn hide(node: &mut Node, options: &Options<'_>) {
    let secret = match node.name.as_str() {
        "Node" if is_secret_node(node.child_text("NodeName")) => "Value",
        "Cred" if !node.child("Meta").is_some_and(|it| it.child_text("Type").ends_with("md5")) => "Data",
        _ => return,
    };
    if let Some(value) = node.child_mut(secret).filter(|it| it.value.is_some() && !options.show_secrets) {
        value.value = Some(Value::Hidden);
    }
}
