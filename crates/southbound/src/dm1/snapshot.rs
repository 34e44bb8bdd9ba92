//! What was read of a device, as a tree.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_broker::operation::Parameter;
use muster_protocol::tree::{Access, Content, Format, Leaf, LocUri, Node, Tree, TreeLimits};

/// The tree that these nodes are, as a task has them in its result. Nodes that the device refused are in it without
/// a value, so that it shows what there is; what has no address, and what is beyond the limits, is left out.
#[must_use]
pub fn snapshot(nodes: &[Parameter]) -> Tree {
    let mut tree = Tree::new(TreeLimits::SNAPSHOT);
    for node in nodes {
        let Some(uri) = LocUri::parse(&node.path).ok().filter(|it| it.query().is_none()) else { continue };
        let is_read = node.value.is_some();
        let content = content(node);
        if tree.node(&uri).is_some() {
            // It is there because something below it was read first.
            tree.maintain(uri.path(), |known| {
                if known.is_interior() == matches!(content, Content::Interior { .. }) {
                    known.content = content;
                }
            });
            continue;
        }
        let mut made = Node::dynamic(content);
        made.access = if is_read { Access::GET } else { Access::NONE };
        // A node below a leaf, or one too many: the rest is worth showing.
        let _ = tree.install(uri.path(), made);
    }
    tree
}

fn content(node: &Parameter) -> Content {
    let format = node.format.as_deref().and_then(Format::parse).unwrap_or_default();
    let kind = node.kind.as_deref().filter(|it| *it != "text/plain");
    if format == Format::Node {
        return Content::Interior { object: kind.filter(|it| !it.is_empty()).map(Into::into) };
    }
    let text = node.value.as_deref().unwrap_or_default();
    let octets = format.is_octets().then(|| STANDARD.decode(text).ok()).flatten();
    let format = if format == Format::B64 { Format::Bin } else { format };
    let value = octets.unwrap_or_else(|| text.as_bytes().to_vec());
    Content::Leaf(Leaf { format, mime: kind.map(Into::into), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, format: &str, value: Option<&str>) -> Parameter {
        Parameter {
            path: path.to_owned(),
            format: Some(format.to_owned()),
            value: value.map(str::to_owned),
            ..Parameter::default()
        }
    }

    #[test]
    fn what_was_read_is_a_tree_in_whatever_order_it_came() {
        let mut nodes = vec![
            read("./A", "node", Some("b/c")),
            read("./A/b", "int", Some("5")),
            read("./A/c", "b64", Some("AP8=")),
            read("./A/d", "chr", None),
            read("../x", "chr", Some("v")),
            read("./A?prop=ACL", "chr", Some("v")),
            read("./A/b/x", "chr", Some("below a leaf")),
        ];
        nodes[0].kind = Some("urn:oma:mo:x:1.0".into());
        let tree = snapshot(&nodes);
        nodes.reverse();
        // What stands below a leaf makes an interior node of it if it comes first.
        nodes.remove(0);

        assert_eq!(tree.children("./A"), ["b", "c", "d"]);
        assert_eq!(tree.objects().len(), 1);
        assert_eq!(tree.text("./A/b"), Some("5"));
        assert_eq!(snapshot(&nodes).objects(), tree.objects());
        assert_eq!(snapshot(&nodes).len(), tree.len());
    }
}
