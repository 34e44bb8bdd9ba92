//! A tree as text, two spaces for each level, so that changes of the description are changes of lines.

use crate::contract::{Node, json_text};

/// The document.
pub(crate) fn printed(node: &Node<'_>) -> String {
    let mut out = String::new();
    write(&mut out, node, 0);
    out.push('\n');
    out
}

/// Values that fit a line are written on one.
const LINE_MAX: usize = 100;

fn write(out: &mut String, node: &Node<'_>, depth: usize) {
    if let Some(line) = line(node) {
        out.push_str(&line);
        return;
    }
    let indent = "  ".repeat(depth + 1);
    let mut separator = "\n";
    let mut begin = |out: &mut String| {
        out.push_str(std::mem::replace(&mut separator, ",\n"));
        out.push_str(&indent);
    };
    let close = match node {
        Node::Record(members) => {
            out.push('{');
            for (name, value) in members {
                begin(out);
                json_text(out, name);
                out.push_str(": ");
                write(out, value, depth + 1);
            }
            '}'
        }
        Node::List(entries) => {
            out.push('[');
            for entry in entries {
                begin(out);
                write(out, entry, depth + 1);
            }
            ']'
        }
        // A simple value is always one line.
        Node::Lexical(_) | Node::Text(_) | Node::Null | Node::Boolean(_) | Node::Whole(_) | Node::Other(_) => return,
    };
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}

/// The value on one line: always if it is simple, else if it is short and has no more than one level.
fn line(node: &Node<'_>) -> Option<String> {
    let mut out = String::new();
    match node {
        Node::Lexical(text) | Node::Text(text) => json_text(&mut out, text),
        Node::Null => out.push_str("null"),
        Node::Boolean(is_so) => out.push_str(if *is_so { "true" } else { "false" }),
        Node::Whole(number) => out.push_str(&number.to_string()),
        Node::Other(number) => out.push_str(&number.to_string()),
        Node::List(entries) => {
            let is_flat = entries.iter().all(|entry| !matches!(entry, Node::Record(members) if members.len() > 1));
            let lines: Option<Vec<String>> = entries.iter().map(line).collect();
            out = format!("[{}]", lines.filter(|_| is_flat)?.join(", "));
        }
        Node::Record(members) if members.is_empty() => out.push_str("{}"),
        Node::Record(members) => {
            let is_flat = |value: &Node<'_>| !matches!(value, Node::Record(below) if !below.is_empty());
            if members.len() > 1 && !members.iter().all(|(_, value)| is_flat(value)) {
                return None;
            }
            let member = |(name, value): &(std::borrow::Cow<'_, str>, Node<'_>)| {
                let mut out = String::new();
                json_text(&mut out, name);
                Some(format!("{out}: {}", line(value)?))
            };
            let lines: Option<Vec<String>> = members.iter().map(member).collect();
            out = format!("{{ {} }}", lines?.join(", "));
        }
    }
    let is_simple = !matches!(node, Node::List(_) | Node::Record(_));
    (is_simple || out.len() <= LINE_MAX).then_some(out)
}

/// Conversions that make descriptions easy to write.
mod from {
    use std::borrow::Cow;

    use crate::contract::Node;

    impl From<&'static str> for Node<'static> {
        fn from(text: &'static str) -> Self {
            Self::Text(Cow::Borrowed(text))
        }
    }

    impl From<String> for Node<'static> {
        fn from(text: String) -> Self {
            Self::Text(Cow::Owned(text))
        }
    }

    impl From<i64> for Node<'static> {
        fn from(number: i64) -> Self {
            Self::Whole(number)
        }
    }

    impl From<bool> for Node<'static> {
        fn from(is_so: bool) -> Self {
            Self::Boolean(is_so)
        }
    }

    impl From<Vec<Node<'static>>> for Node<'static> {
        fn from(entries: Vec<Node<'static>>) -> Self {
            Self::List(entries)
        }
    }

    impl From<Vec<(Cow<'static, str>, Node<'static>)>> for Node<'static> {
        fn from(members: Vec<(Cow<'static, str>, Node<'static>)>) -> Self {
            Self::Record(members)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use serde_json::Value;

    use super::super::DOCUMENT;
    use super::*;

    /// The same by the simplest rule.
    fn compact(node: &Node<'_>) -> String {
        match node {
            Node::Record(members) => {
                let member = |(name, value): &(std::borrow::Cow<'_, str>, Node<'_>)| {
                    format!("{}:{}", Value::from(name.as_ref()), compact(value))
                };
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
            }
            Node::List(entries) => format!("[{}]", entries.iter().map(compact).collect::<Vec<_>>().join(",")),
            simple => line(simple).unwrap(),
        }
    }

    #[test]
    fn what_is_printed_is_json_and_the_same() {
        let text = printed(&DOCUMENT);
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, serde_json::from_str::<Value>(&compact(&DOCUMENT)).unwrap());
        assert_eq!(read["openapi"], "3.1.0");
        assert_eq!(printed(&Node::Record(Vec::new())), "{}\n");
    }
}
