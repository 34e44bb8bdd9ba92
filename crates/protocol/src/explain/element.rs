//! Documents as trees of elements, known or not.

use std::borrow::Cow;

use super::{ExplainError, Failure, LIMITS, Node, Value};
use crate::prov;
use crate::wbxml::tags::{self, Tag};
use crate::wbxml::{Charset, Header, PublicId, Reader, Token, WbxmlError};
use crate::xml::{Event, PullReader, XmlError, document_text};

/// Reads a WBXML document, as far as it can be read.
pub(super) fn wbxml(octets: &[u8]) -> Node {
    let mut tree = Tree::default();
    let mut about = format!("WBXML, {} octets", octets.len());
    match Reader::new(octets, &LIMITS) {
        Ok(mut reader) => {
            about = describe(reader.header(), octets.len());
            let dialect = Dialect::of(reader.header());
            if let Err((at, error)) = read_wbxml(octets, &mut reader, dialect, &mut tree) {
                tree.fail(at, error);
            }
        }
        Err(error) => tree.fail(place_in_wbxml(&error, 0), error.into()),
    }
    tree.document(about)
}

/// Reads an XML document, as far as it can be read.
pub(super) fn xml(octets: &[u8]) -> Node {
    let mut tree = Tree::default();
    match document_text(octets, &LIMITS) {
        Ok(text) => {
            // Where the encoding is one octet to a character but not ours, places are those of the text in UTF-8.
            let before = match text {
                Cow::Borrowed(text) => octets.len() - text.len(),
                Cow::Owned(_) => 0,
            };
            if let Err((at, error)) = read_xml(&text, before, &mut tree) {
                tree.fail(at, error);
            }
        }
        Err(error) => tree.fail(place_in_xml(&error, 0), error.into()),
    }
    tree.document(format!("XML, {} octets", octets.len()))
}

/// Which tables a WBXML document is read with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Pages of SyncML, MetInf and DM DDF.
    SyncMl,
    Prov,
    /// Whose tables we have not.
    Other,
}

impl Dialect {
    fn of(header: &Header<'_>) -> Self {
        match header.public_id {
            PublicId::Number(0x01 | 0x0FD1 | 0x0FD3 | 0x1201 | 0x1202) => Self::SyncMl,
            PublicId::Number(prov::PUBLIC_ID) => Self::Prov,
            PublicId::Number(_) => Self::Other,
            PublicId::Text(text) if text == prov::PUBLIC_ID_TEXT.as_bytes() => Self::Prov,
            PublicId::Text(text) if text.starts_with(b"-//SYNCML//DTD DevInf") => Self::Other,
            PublicId::Text(text) if text.starts_with(b"-//SYNCML//") || text.starts_with(b"-//OMA//") => Self::SyncMl,
            PublicId::Text(_) => Self::Other,
        }
    }

    fn name(self, page: u8, token: u8) -> String {
        let known = match self {
            Self::SyncMl if page == tags::DDF_PAGE => tags::ddf_name(token),
            Self::SyncMl => Tag::from_code(page, token).map(Tag::name),
            Self::Prov => prov::tag(page, token),
            Self::Other => None,
        };
        known.map_or_else(|| format!("tag {token:#04x} of page {page}"), str::to_owned)
    }
}

fn describe(header: &Header<'_>, length: usize) -> String {
    let charset = match header.charset {
        Charset::Utf8 => "UTF-8",
        Charset::Ascii => "US-ASCII",
        Charset::Latin1 => "ISO-8859-1",
    };
    let public_id = match header.public_id {
        PublicId::Number(1) => "unknown".to_owned(),
        PublicId::Number(id) => match id {
            0x0FD1 => "SyncML 1.0".to_owned(),
            0x0FD3 => "SyncML 1.1".to_owned(),
            0x1201 => "SyncML 1.2".to_owned(),
            0x1202 => "MetInf 1.2".to_owned(),
            0x0FD2 | 0x0FD4 | 0x1203 => "DevInf".to_owned(),
            prov::PUBLIC_ID => "PROV 1.0".to_owned(),
            _ => format!("{id:#06x}"),
        },
        PublicId::Text(text) => String::from_utf8_lossy(text).chars().take(60).collect(),
    };
    let table = match header.strings.len() {
        0 => String::new(),
        octets => format!(", string table of {octets}"),
    };
    format!("WBXML 1.{}, {public_id}, {charset}{table}, {length} octets", header.version)
}

type Stopped = (usize, ExplainError);

fn read_wbxml(octets: &[u8], reader: &mut Reader<'_>, dialect: Dialect, tree: &mut Tree) -> Result<(), Stopped> {
    loop {
        let mut start = reader.at();
        let token = reader.next_token();
        let token = token.map_err(|error| (place_in_wbxml(&error, reader.at()), error.into()))?;
        // A change of the page stands before the tag.
        while octets.get(start) == Some(&0) && start < reader.at() {
            start += 2;
        }
        match token {
            Token::Open { page, token } => {
                let mut node = Node::element(dialect.name(page, token), Some(start));
                if dialect == Dialect::Prov {
                    let read = prov::wbxml_attributes(reader).map_err(|error| (reader.at(), error.into()));
                    let attributes = read.map_err(|stopped| tree.stopped_in(node.name.clone(), stopped))?;
                    node.attributes = attributes.into_iter().map(|it| (it.name.into_owned(), it.value)).collect();
                }
                tree.open(node);
            }
            Token::Literal(name) => {
                tree.open(Node::element(String::from_utf8_lossy(name).into_owned(), Some(start)));
            }
            Token::Text(text) => tree.content(text.as_bytes()),
            Token::Char(character) => tree.content(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Token::Opaque(octets) => tree.content(octets),
            Token::Extension { token, .. } => {
                tree.open(Node::element(format!("extension {token:#04x}"), Some(start)));
                tree.close();
            }
            Token::Close => tree.close(),
            Token::End => return Ok(()),
        }
    }
}

fn read_xml(text: &str, before: usize, tree: &mut Tree) -> Result<(), Stopped> {
    let mut reader = PullReader::new(text, &LIMITS);
    loop {
        let event = reader.next_event();
        let read = reader.at();
        match event.map_err(|error| (before + place_in_xml(&error, read), error.into()))? {
            Event::Open { name, .. } => {
                // No start tag has a second `<` in it.
                let start = text.get(..read).and_then(|read| read.rfind('<'));
                let mut node = Node::element(name, start.map(|at| before + at));
                for attribute in reader.attributes() {
                    let (_, name, value) = attribute.map_err(|error| (before + reader.at(), error.into()))?;
                    node.attributes.push((name.to_owned(), value.into_owned()));
                }
                tree.open(node);
            }
            Event::Text(text) => tree.content(text.as_bytes()),
            Event::Char(character) => tree.content(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Event::Close => tree.close(),
            Event::End => return Ok(()),
        }
    }
}

/// The octet that an error names, else the one that was read to.
fn place_in_wbxml(error: &WbxmlError, read: usize) -> usize {
    match *error {
        WbxmlError::Truncated { at }
        | WbxmlError::IntegerTooLong { at }
        | WbxmlError::StringTable { at, .. }
        | WbxmlError::NotText { at }
        | WbxmlError::Entity { at }
        | WbxmlError::Token { at, .. }
        | WbxmlError::Trailing { at } => at,
        WbxmlError::Limit(limit) => limit.at,
        _ => read,
    }
}

/// The octet that an error names, else the one that was read to.
fn place_in_xml(error: &XmlError, read: usize) -> usize {
    match *error {
        XmlError::Syntax { at, .. }
        | XmlError::Truncated { at }
        | XmlError::NotText { at }
        | XmlError::Character { at }
        | XmlError::Entity { at }
        | XmlError::DocumentType { at }
        | XmlError::ProcessingInstruction { at }
        | XmlError::Namespace { at }
        | XmlError::OutsideRoot { at } => at,
        XmlError::Limit(limit) => limit.at,
        _ => read,
    }
}

/// What was read so far.
#[derive(Default)]
struct Tree {
    /// Open elements, the outermost first, each with its content.
    open: Vec<(Node, Vec<u8>)>,
    root: Option<Node>,
    failure: Option<Failure>,
}

impl Tree {
    fn open(&mut self, node: Node) {
        self.open.push((node, Vec::new()));
    }

    fn content(&mut self, octets: &[u8]) {
        if let Some((_, content)) = self.open.last_mut() {
            content.extend_from_slice(octets);
        }
    }

    fn close(&mut self) {
        let Some((mut node, content)) = self.open.pop() else { return };
        // White space between elements is layout.
        if !content.is_empty() && (node.children.is_empty() || !content.trim_ascii().is_empty()) {
            node.value = Some(value(content));
        }
        match self.open.last_mut() {
            Some((around, _)) => around.children.push(node),
            None => self.root = Some(node),
        }
    }

    /// The element whose attributes cannot be read is shown without them.
    fn stopped_in(&mut self, name: String, stopped: Stopped) -> Stopped {
        self.open(Node::element(name, None));
        stopped
    }

    fn fail(&mut self, at: usize, error: ExplainError) {
        let failure = Failure { at, path: String::new(), error };
        match self.open.last_mut() {
            Some((node, _)) => node.failure = Some(failure),
            None => self.failure = Some(failure),
        }
        while !self.open.is_empty() {
            self.close();
        }
    }

    fn document(self, about: String) -> Node {
        let root = self.root.as_ref().map_or("", |it| it.name.as_str());
        let name = match root {
            "SyncML" => "SyncML message",
            "MgmtTree" => "management tree",
            "wap-provisioningdoc" => "provisioning document",
            _ => "document",
        };
        let mut document = Node::document(name).noted(about);
        document.failure = self.failure;
        document.children.extend(self.root);
        document
    }
}

/// Text if it is some, else octets.
pub(super) fn value(octets: Vec<u8>) -> Value {
    match String::from_utf8(octets) {
        Ok(text) if is_readable(&text) => Value::Text(text),
        Ok(text) => Value::Octets(text.into_bytes()),
        Err(error) => Value::Octets(error.into_bytes()),
    }
}

/// Whether text has no control characters but those of layout.
pub(super) fn is_readable(text: &str) -> bool {
    !text.contains(|it: char| it.is_control() && !matches!(it, '\t' | '\r' | '\n'))
}
