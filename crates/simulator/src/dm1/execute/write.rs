//! Add, Copy, Delete and Replace.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use muster_protocol::syncml::{Command, Item, Meta, StatusCode, Write, WriteKind};
use muster_protocol::tree::ddf::Catalogue;
use muster_protocol::tree::tnds::{DOCUMENT, Document, is_tnds};
use muster_protocol::tree::{Access, Content, Format, Leaf, LocUri, Query, Refusal, Replacement};

use super::{Executor, INBOX, NotDone, Outcome, is_inbox};
use crate::tree::VALUE_BYTES_MAX;

/// What an Add or Replace carries.
enum Given {
    Interior { object: Option<String> },
    Value { format: Option<Format>, mime: Option<String>, octets: Vec<u8> },
    Tree(Document),
}

impl Executor<'_> {
    pub(super) fn write(&mut self, command: &Command, write: &Write) -> Outcome {
        self.each_item(command, &write.items, |this, item, path| {
            let uri = this.address(path)?;
            this.write_item(write, item, &uri)?;
            Ok(StatusCode::OK)
        })
    }

    fn write_item(&mut self, write: &Write, item: &Item, uri: &LocUri) -> Result<(), NotDone> {
        if is_inbox(uri) && write.kind != WriteKind::Add && uri.query().is_none() {
            return Err(Refusal::NotAllowed.into());
        }
        match write.kind {
            WriteKind::Delete => self.act(|tree, actor| tree.delete(actor, uri))?,
            WriteKind::Copy => {
                let from = item.source.as_ref().ok_or(StatusCode::INCOMPLETE)?;
                let from = self.address(&from.uri)?;
                self.act(|tree, actor| tree.copy(actor, &from, uri))?;
            }
            WriteKind::Add => match given(&write.meta, item)? {
                Given::Tree(document) if is_inbox(uri) => self.take_object(&document)?,
                _ if is_inbox(uri) => return Err(Refusal::NotAllowed.into()),
                Given::Tree(document) => self.act(|tree, actor| tree.add_object(actor, uri, &document))?,
                Given::Interior { object } => {
                    let content = Content::Interior { object: object.map(Into::into) };
                    self.act(|tree, actor| tree.add(actor, uri, content))?;
                }
                Given::Value { format, mime, octets } => {
                    let leaf = Leaf {
                        format: format.unwrap_or_default(),
                        mime: mime.filter(|it| it != "text/plain").map(Into::into),
                        value: octets,
                    };
                    self.act(|tree, actor| tree.add(actor, uri, Content::Leaf(leaf)))?;
                }
            },
            WriteKind::Replace if matches!(uri.query(), Some(Query::Property(_))) => {
                let value = item.data.as_ref().map(|it| it.as_bytes().to_vec()).unwrap_or_default();
                let with = Replacement { format: None, mime: None, value };
                self.act(|tree, actor| tree.replace(actor, uri, with))?;
            }
            WriteKind::Replace => match given(&write.meta, item)? {
                Given::Tree(document) => self.act(|tree, actor| tree.replace_object(actor, uri, &document))?,
                Given::Interior { .. } => return Err(Refusal::NotAllowed.into()),
                Given::Value { format, mime, octets } => {
                    let with = Replacement { format, mime: mime.map(Into::into), value: octets };
                    self.act(|tree, actor| tree.replace(actor, uri, with))?;
                }
            },
        }
        Ok(())
    }

    /// A whole object in the Inbox: the device puts it where objects of its kind are. Of a kind that it does not know
    /// it does not know where (415).
    fn take_object(&mut self, document: &Document) -> Result<(), NotDone> {
        let inbox = self.address(INBOX)?;
        self.tree.allows(&self.server, &inbox, Access::ADD)?;
        let object = document.object().ok_or(Refusal::UnsupportedFormat)?;
        let parent = Catalogue::built_in().usual_parent(object).ok_or(Refusal::UnsupportedFormat)?;
        self.act(|tree, actor| tree.place_object(actor, &parent, document))?;
        Ok(())
    }
}

/// What an Add or Replace puts into the node. The item's Meta goes before the command's.
fn given(command: &Meta, item: &Item) -> Result<Given, NotDone> {
    let format = item.meta.format.as_ref().or(command.format.as_ref());
    let kind = item.meta.kind.as_ref().or(command.kind.as_ref());
    let format = format.map(|it| Format::parse(it).ok_or(Refusal::UnsupportedFormat)).transpose()?;
    if format == Some(Format::Node) {
        return Ok(Given::Interior { object: kind.map(ToString::to_string) });
    }
    let octets = match (&item.data, format) {
        (Some(data), _) => data.as_bytes(),
        (None, Some(Format::Null)) => &[],
        (None, _) => return Err(StatusCode::INCOMPLETE.into()),
    };
    if octets.len() / 4 * 3 > VALUE_BYTES_MAX {
        return Err(Refusal::TooLarge { max: VALUE_BYTES_MAX }.into());
    }
    let (format, octets) = match format {
        Some(Format::B64) => {
            let text: Vec<u8> = octets.iter().copied().filter(|it| !it.is_ascii_whitespace()).collect();
            (Some(Format::Bin), BASE64.decode(text).map_err(|_| Refusal::UnsupportedFormat)?)
        }
        other => (other, octets.to_vec()),
    };
    if kind.is_some_and(|it| is_tnds(it)) {
        let document = Document::read(&octets, &DOCUMENT);
        return document.map(Given::Tree).map_err(|why| Refusal::Malformed(why.to_string().into()).into());
    }
    Ok(Given::Value { format, mime: kind.map(ToString::to_string), octets })
}
