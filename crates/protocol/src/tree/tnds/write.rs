use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{Access, Content, LocUri, Node, Part, Parts, Refusal, ServerId, Tree, UriLimits};
use crate::syncml::Encoding;
use crate::wbxml::tags::{DDF, DDF_NAMESPACE, DDF_PAGE};
use crate::wbxml::writer::Writer;
use crate::xml::writer as xml;

/// Version, public identifier as the first text of the string table, UTF-8, and the table.
const WBXML_HEADER: &[u8] = b"\x02\x00\x00\x6A\x1B-//OMA//DTD-DM-DDF 1.2//EN\x00";

/// A document and how much of the tree it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The document.
    pub octets: Vec<u8>,
    /// Nodes in it.
    pub nodes: usize,
}

impl Tree {
    /// A sub-tree as a document, with these parts of each node. Only what `server` may read is in it; without a
    /// server, everything. A node's name is always there and `Name` is not repeated among the properties; `Type` is
    /// there whenever a property is, because the grammar wants it.
    ///
    /// Octets are written as base64 in both encodings, under the format `b64`.
    ///
    /// # Errors
    /// As [`Self::get`] of the sub-tree's root.
    ///
    /// Source: OMA DM 1.2 Tree and Description Serialization; WBXML header as libwbxml writes it.
    pub fn tnds(
        &self,
        server: Option<&ServerId>,
        uri: &LocUri,
        parts: Parts,
        encoding: Encoding,
    ) -> Result<Written, Refusal> {
        let node = match server {
            Some(server) => self.get(server, uri)?,
            None => self.node(uri).ok_or(Refusal::NotFound)?,
        };
        let rest = parts.without(Part::Value).without(Part::Name).without(Part::Type);
        let parts = if rest == Parts::NONE { parts } else { parts.with(Part::Type) };
        let mut writing = Writing { tree: self, server, parts: parts.in_both(self.supported), nodes: 0 };
        let mut octets = Vec::new();
        match encoding {
            Encoding::Xml => writing.document(&mut Marked { out: &mut octets }, &uri.node(), node),
            Encoding::Wbxml => {
                octets.extend_from_slice(WBXML_HEADER);
                writing.document(&mut Binary { writer: Writer::new(&mut octets) }, &uri.node(), node);
            }
        }
        Ok(Written { octets, nodes: writing.nodes })
    }
}

trait Sink {
    fn open(&mut self, name: &'static str);
    fn close(&mut self, name: &'static str);
    fn empty(&mut self, name: &'static str);
    /// Whether the encoding can carry a text.
    fn carries(text: &str) -> bool;
    /// `text` is one that it carries.
    fn text(&mut self, text: &str);
}

struct Writing<'t> {
    tree: &'t Tree,
    server: Option<&'t ServerId>,
    parts: Parts,
    nodes: usize,
}

impl Writing<'_> {
    fn document<S: Sink>(&mut self, sink: &mut S, uri: &LocUri, node: &Node) {
        sink.open("MgmtTree");
        leaf(sink, "VerDTD", "1.2");
        let parent = uri.parent();
        self.node(sink, uri, node, parent.as_ref().map(LocUri::path));
        sink.close("MgmtTree");
    }

    fn node<S: Sink>(&mut self, sink: &mut S, uri: &LocUri, node: &Node, path: Option<&str>) {
        self.nodes += 1;
        sink.open("Node");
        leaf(sink, "NodeName", uri.name());
        if let Some(path) = path {
            leaf(sink, "Path", path);
        }
        // What the encoding cannot carry as text goes as octets.
        let as_octets = match &node.content {
            Content::Leaf(it) => it.format.is_octets() || !std::str::from_utf8(&it.value).is_ok_and(S::carries),
            Content::Interior { .. } => false,
        };
        self.properties(sink, node, as_octets);
        match &node.content {
            Content::Interior { .. } => {
                for (name, child) in node.children() {
                    let Ok(below) = uri.child(name, &UriLimits::NONE) else { continue };
                    if self.may_read(&below) {
                        self.node(sink, &below, child, None);
                    }
                }
            }
            Content::Leaf(it) if self.parts.contains(Part::Value) && !it.value.is_empty() => {
                if as_octets {
                    leaf(sink, "Value", &STANDARD.encode(&it.value));
                } else {
                    leaf(sink, "Value", std::str::from_utf8(&it.value).unwrap_or_default());
                }
            }
            Content::Leaf(_) => {}
        }
        sink.close("Node");
    }

    fn may_read(&self, uri: &LocUri) -> bool {
        let Some(server) = self.server else { return true };
        self.tree.find(uri).is_ok_and(|it| it.allows(server, Access::GET).is_ok())
    }

    fn properties<S: Sink>(&self, sink: &mut S, node: &Node, as_octets: bool) {
        let parts = self.parts;
        if parts.without(Part::Value).without(Part::Name) == Parts::NONE {
            return;
        }
        sink.open("RTProperties");
        if parts.contains(Part::Acl) && !node.acl.is_none() {
            leaf(sink, "ACL", &node.acl.to_string());
        }
        if parts.contains(Part::Format) {
            sink.open("Format");
            sink.empty(if as_octets { "b64" } else { node.content.format().name() });
            sink.close("Format");
        }
        if parts.contains(Part::Size)
            && let Content::Leaf(it) = &node.content
        {
            leaf(sink, "Size", &it.value.len().to_string());
        }
        if parts.contains(Part::Title)
            && let Some(title) = node.title.as_deref().filter(|it| S::carries(it))
        {
            leaf(sink, "Title", title);
        }
        if parts.contains(Part::TStamp)
            && let Some(t_stamp) = node.t_stamp
        {
            leaf(sink, "TStamp", &t_stamp.to_string());
        }
        if parts.contains(Part::Type) {
            let kind = node.content.kind().filter(|it| S::carries(it)).unwrap_or_default();
            sink.open("Type");
            leaf(sink, if node.is_interior() { "DDFName" } else { "MIME" }, kind);
            sink.close("Type");
        }
        if parts.contains(Part::VerNo) {
            leaf(sink, "VerNo", &node.ver_no.to_string());
        }
        sink.close("RTProperties");
    }
}

fn leaf<S: Sink>(sink: &mut S, name: &'static str, text: &str) {
    if text.is_empty() {
        sink.empty(name);
        return;
    }
    sink.open(name);
    sink.text(text);
    sink.close(name);
}

struct Marked<'o> {
    out: &'o mut Vec<u8>,
}

impl Marked<'_> {
    fn tag(&mut self, start: &str, name: &str, end: &str) {
        self.out.extend_from_slice(start.as_bytes());
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(end.as_bytes());
    }
}

impl Sink for Marked<'_> {
    fn open(&mut self, name: &'static str) {
        if name == "MgmtTree" {
            self.tag("<MgmtTree xmlns=\"", DDF_NAMESPACE, "\">");
        } else {
            self.tag("<", name, ">");
        }
    }

    fn close(&mut self, name: &'static str) {
        self.tag("</", name, ">");
    }

    fn empty(&mut self, name: &'static str) {
        self.tag("<", name, "/>");
    }

    fn carries(text: &str) -> bool {
        xml::put_text(text, &mut Vec::with_capacity(text.len())).is_ok()
    }

    fn text(&mut self, text: &str) {
        // Looked at before; names cannot have what XML cannot carry.
        let _ = xml::put_text(text, self.out);
    }
}

struct Binary<'o> {
    writer: Writer<'o>,
}

impl Binary<'_> {
    fn token(name: &str) -> u8 {
        let at = DDF.iter().position(|it| *it == name).unwrap_or_default();
        // 56 names.
        (at + 5) as u8
    }
}

impl Sink for Binary<'_> {
    fn open(&mut self, name: &'static str) {
        self.writer.open(DDF_PAGE, Self::token(name));
    }

    fn close(&mut self, _: &'static str) {
        self.writer.close();
    }

    fn empty(&mut self, name: &'static str) {
        self.writer.empty(DDF_PAGE, Self::token(name));
    }

    fn carries(text: &str) -> bool {
        !text.contains('\0')
    }

    fn text(&mut self, text: &str) {
        self.writer.string(text);
    }
}
