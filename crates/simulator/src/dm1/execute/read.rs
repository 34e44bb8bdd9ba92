//! Get, with `?prop=` and `?list=`.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use muster_protocol::syncml::{Address, Command, Encoding, Get, Item, ItemData, Meta, Results, StatusCode, Text};
use muster_protocol::tree::tnds::media_type;
use muster_protocol::tree::{Content, Format, Leaf, List, LocUri, Node, Parts, Query, Refusal, percent_encoded};

use super::{Executor, NotDone, Outcome, is_inbox};

impl Executor<'_> {
    /// Each node that was read comes in Results of its own, so that a long list can be spread over messages.
    pub(super) fn get(&mut self, command: &Command, get: &Get) -> Outcome {
        let mut results = Vec::new();
        let mut outcome = self.each_item(command, &get.items, |this, _, path| {
            for item in this.read(path)? {
                results.push(Command::Results(Results {
                    msg_ref: Some(this.msg_ref.clone()),
                    cmd_ref: get.cmd_id.clone(),
                    items: vec![item],
                    ..Results::default()
                }));
            }
            Ok(StatusCode::OK)
        });
        outcome.answers.append(&mut results);
        outcome
    }

    fn read(&self, path: &str) -> Result<Vec<Item>, NotDone> {
        let uri = self.address(path)?;
        if is_inbox(&uri) && !matches!(uri.query(), Some(Query::Property(_))) {
            return Err(Refusal::NotAllowed.into());
        }
        let one = |meta, data| vec![Item { meta, data, ..from(path) }];
        Ok(match uri.query() {
            None => {
                let (meta, data) = self.whole(self.tree.get(&self.server, &uri)?);
                one(meta, Some(data))
            }
            Some(Query::Property(property)) => {
                let text = self.tree.property(&self.server, &uri, property)?;
                one(Meta::default(), Some(ItemData::Text(text.into())))
            }
            Some(Query::List(_)) if self.faults.no_lists => return Err(Refusal::NotSupported.into()),
            Some(Query::List(List::Tnds(parts))) => {
                let (meta, data) = self.document(&uri, parts)?;
                one(meta, Some(data))
            }
            Some(Query::List(list)) => {
                let listed = self.tree.list(&self.server, &uri)?;
                let item = |it: &muster_protocol::tree::Listed<'_>| self.listed(&it.uri, it.node, list);
                listed.iter().map(item).collect()
            }
        })
    }

    /// A node with its value, or with the names of those below it.
    fn whole(&self, node: &Node) -> (Meta, ItemData) {
        let (format, data) = match &node.content {
            Content::Interior { .. } => {
                let encodes = self.faults.encoded_child_names;
                let name = |name: &str| if encodes { percent_encoded(name).into_owned() } else { name.to_owned() };
                let names: Vec<String> = node.children().map(|(it, _)| name(it)).collect();
                (Text::from("node"), ItemData::Text(names.join("/").into()))
            }
            Content::Leaf(leaf) => carried(leaf, self.encoding),
        };
        let kind = node.content.kind().unwrap_or("text/plain");
        (Meta { format: Some(format), kind: Some(kind.into()), ..Meta::default() }, data)
    }

    fn document(&self, uri: &LocUri, parts: Parts) -> Result<(Meta, ItemData), NotDone> {
        let written = self.tree.tnds(Some(&self.server), uri, parts, self.encoding)?;
        let (format, data) = match (self.encoding, String::from_utf8(written.octets)) {
            (Encoding::Xml, Ok(text)) => ("xml", ItemData::Text(text.into())),
            (_, Ok(text)) => ("bin", ItemData::Opaque(text.into_bytes())),
            (_, Err(octets)) => ("bin", ItemData::Opaque(octets.into_bytes())),
        };
        let kind = Some(media_type(self.encoding).into());
        Ok((Meta { format: Some(format.into()), kind, ..Meta::default() }, data))
    }

    /// One node of a list: what is as usual is left out.
    fn listed(&self, uri: &LocUri, node: &Node, list: List) -> Item {
        let (format, data) = match &node.content {
            Content::Interior { .. } => (Text::from("node"), None),
            Content::Leaf(leaf) => {
                let (format, data) = carried(leaf, self.encoding);
                (format, (list == List::StructData).then_some(data))
            }
        };
        let kind = node.content.kind().filter(|it| *it != "text/plain");
        let meta = Meta {
            format: Some(format).filter(|it| it != Format::Chr.name()),
            kind: kind.map(Text::from),
            ..Meta::default()
        };
        Item { meta, data, ..from(uri.path()) }
    }
}

fn from(path: &str) -> Item {
    Item { source: Some(Address::new(path)), ..Item::default() }
}

/// How a value travels: octets as base64 in XML, as they are in WBXML.
fn carried(leaf: &Leaf, encoding: Encoding) -> (Text, ItemData) {
    match (std::str::from_utf8(&leaf.value), encoding) {
        (_, Encoding::Xml) if leaf.format == Format::Bin => {
            ("b64".into(), ItemData::Text(BASE64.encode(&leaf.value).into()))
        }
        (_, Encoding::Wbxml) if leaf.format == Format::Bin => ("bin".into(), ItemData::Opaque(leaf.value.clone())),
        (Ok(text), _) => (leaf.format.name().into(), text.into()),
        (Err(_), _) => ("b64".into(), ItemData::Text(BASE64.encode(&leaf.value).into())),
    }
}
