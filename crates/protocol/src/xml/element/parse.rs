//! From text to tree.

use std::sync::Arc;

use compact_str::CompactString;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Attribute, Element, Name, TreeLimits, XmlError};

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Reads the one element of a document.
pub(super) fn tree(text: &str, limits: &TreeLimits) -> Result<Element, XmlError> {
    only_xml_characters(text)?;
    // One has been taken away with the encoding; the reader below would take another.
    if text.starts_with('\u{FEFF}') {
        return Err(malformed("a second byte order mark"));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut builder = Builder { limits, elements: 0, open: Vec::new(), bindings: Bindings::new(), root: None };
    let mut is_first = true;
    loop {
        let event =
            reader.read_event().map_err(|_| malformed("a tag, comment or section is broken or does not match"))?;
        match event {
            Event::Start(tag) => builder.open(&tag)?,
            Event::Empty(tag) => {
                builder.open(&tag)?;
                builder.close()?;
            }
            Event::End(_) => builder.close()?,
            Event::Text(piece) => {
                let piece = piece.xml10_content();
                if piece.contains("]]>") {
                    return Err(malformed("text with ]]>"));
                }
                builder.text(&piece)?;
            }
            Event::CData(piece) => builder.cdata(&piece.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = reference_of(&reference.into_inner())?;
                builder.cdata(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::Comment(_) => {}
            Event::Decl(_) if is_first => {}
            Event::Decl(_) => return Err(malformed("an XML declaration that is not at the start")),
            Event::PI(_) => return Err(XmlError::ProcessingInstruction),
            Event::DocType(_) => return Err(XmlError::DocType),
            Event::Eof => break,
        }
        is_first = false;
    }
    if !builder.open.is_empty() {
        return Err(malformed("it ends inside an element"));
    }
    builder.root.ok_or(malformed("there is no element"))
}

fn malformed(why: &'static str) -> XmlError {
    XmlError::Malformed { why }
}

/// Refuses characters that XML 1.0 does not have.
fn only_xml_characters(text: &str) -> Result<(), XmlError> {
    let is_plain = text.bytes().all(|octet| octet >= 0x20 || matches!(octet, b'\t' | b'\n' | b'\r'));
    let has_none = !text.contains(['\u{FFFE}', '\u{FFFF}']);
    if is_plain && has_none { Ok(()) } else { Err(malformed("a character that XML does not allow")) }
}

fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The character that the text between `&` and `;` stands for.
fn reference_of(name: &str) -> Result<char, XmlError> {
    let refused = || malformed("an entity beyond the five predefined, or a reference to no character");
    let number = match name {
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "amp" => return Ok('&'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => name.strip_prefix('#').ok_or_else(refused)?,
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(refused());
    }
    let code = u32::from_str_radix(digits, radix).map_err(|_| refused())?;
    char::from_u32(code).filter(|it| is_xml_character(*it)).ok_or_else(refused)
}

/// An attribute's value after normalisation: references replaced, white space made spaces.
fn value_of(raw: &str) -> Result<String, XmlError> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '<', '\t', '\n', '\r']) {
        let (plain, from) = rest.split_at(at);
        value.push_str(plain);
        if let Some(after) = from.strip_prefix('&') {
            let (name, after) = after.split_once(';').ok_or(malformed("an ampersand that begins no reference"))?;
            value.push(reference_of(name)?);
            rest = after;
        } else if let Some(after) = from.strip_prefix("\r\n") {
            value.push(' ');
            rest = after;
        } else if let Some(after) = from.strip_prefix(['\t', '\n', '\r']) {
            value.push(' ');
            rest = after;
        } else {
            return Err(malformed("a less-than sign in an attribute"));
        }
    }
    value.push_str(rest);
    Ok(value)
}

/// Splits a qualified name; both parts are names without colon.
fn qualified<'n>(name: &'n str, limits: &TreeLimits) -> Result<(&'n str, &'n str), XmlError> {
    if name.len() > limits.name_bytes_max {
        return Err(XmlError::TooLarge { what: "octets in a name", max: limits.name_bytes_max });
    }
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) if is_ncname(prefix) => (prefix, local),
        Some(_) => return Err(malformed("an impossible name")),
        None => ("", name),
    };
    if is_ncname(local) { Ok((prefix, local)) } else { Err(malformed("an impossible name")) }
}

/// Source: XML 1.0, productions 4 and 4a, without the colon.
fn is_ncname(name: &str) -> bool {
    let starts = |it: char| {
        matches!(it, 'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
            | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
            | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
            | '\u{10000}'..='\u{EFFFF}')
    };
    let goes_on = |it: char| {
        starts(it) || matches!(it, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
    };
    let mut characters = name.chars();
    characters.next().is_some_and(starts) && characters.all(goes_on)
}

/// Which prefixes stand for which namespaces, innermost last.
struct Bindings {
    list: Vec<(CompactString, Option<Arc<str>>)>,
}

impl Bindings {
    fn new() -> Self {
        Self { list: vec![(CompactString::const_new("xml"), Some(Arc::from(XML)))] }
    }

    fn bind(&mut self, prefix: &str, namespace: &str, limits: &TreeLimits) -> Result<(), XmlError> {
        let is_reserved = prefix == "xmlns"
            || (prefix == "xml") != (namespace == XML)
            || namespace == XMLNS
            || (!prefix.is_empty() && namespace.is_empty());
        if is_reserved {
            return Err(malformed("a namespace declaration that is not allowed"));
        }
        if self.list.len() > limits.bindings_max {
            return Err(XmlError::TooLarge { what: "namespace bindings", max: limits.bindings_max });
        }
        self.list.push((prefix.into(), (!namespace.is_empty()).then(|| Arc::from(namespace))));
        Ok(())
    }

    fn find(&self, prefix: &str) -> Result<Option<Arc<str>>, XmlError> {
        match self.list.iter().rev().find(|(known, _)| known == prefix) {
            Some((_, namespace)) => Ok(namespace.clone()),
            None if prefix.is_empty() => Ok(None),
            None => Err(malformed("a prefix that is not declared")),
        }
    }
}

struct Builder<'l> {
    limits: &'l TreeLimits,
    elements: usize,
    /// Elements begun and not ended, each with the number of bindings before it.
    open: Vec<(Element, usize)>,
    bindings: Bindings,
    root: Option<Element>,
}

impl Builder<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        if self.root.is_some() {
            return Err(malformed("there is a second root element"));
        }
        let document = &self.limits.document;
        if self.open.len() >= document.depth_max {
            return Err(XmlError::TooLarge { what: "nested elements", max: document.depth_max });
        }
        self.elements += 1;
        if self.elements > document.elements_max {
            return Err(XmlError::TooLarge { what: "elements", max: document.elements_max });
        }
        let bound = self.bindings.list.len();
        let attributes = self.attributes(tag)?;
        let name = tag.name();
        let (prefix, local) = qualified(name.0, self.limits)?;
        let name = Name { namespace: self.bindings.find(prefix)?, local: local.into() };
        let element = Element { name, attributes, children: Vec::new(), text: CompactString::default() };
        self.open.push((element, bound));
        Ok(())
    }

    fn attributes(&mut self, tag: &BytesStart<'_>) -> Result<Vec<Attribute>, XmlError> {
        let max = self.limits.document.attributes_max;
        let mut plain: Vec<(&str, &str, String)> = Vec::new();
        let mut declared: Vec<CompactString> = Vec::new();
        // Names are compared below, by expanded name, and only as many as the limit allows.
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| malformed("a broken attribute"))?;
            if plain.len() + declared.len() >= max {
                return Err(XmlError::TooLarge { what: "attributes of an element", max });
            }
            let (prefix, local) = qualified(attribute.key.0, self.limits)?;
            let value = value_of(&attribute.value)?;
            let bound = match (prefix, local) {
                ("", "xmlns") => Some(""),
                ("xmlns", prefix) => Some(prefix),
                _ => None,
            };
            let Some(bound) = bound else {
                plain.push((prefix, local, value));
                continue;
            };
            if declared.iter().any(|it| it == bound) {
                return Err(malformed("a namespace declared twice"));
            }
            declared.push(bound.into());
            self.bindings.bind(bound, &value, self.limits)?;
        }
        let mut attributes: Vec<Attribute> = Vec::with_capacity(plain.len());
        for (prefix, local, value) in plain {
            let namespace = if prefix.is_empty() { None } else { self.bindings.find(prefix)? };
            let name = Name { namespace, local: local.into() };
            if attributes.iter().any(|it| it.name == name) {
                return Err(malformed("an attribute given twice"));
            }
            attributes.push(Attribute { name, value });
        }
        Ok(attributes)
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let (element, bound) = self.open.pop().ok_or(malformed("an end tag without its start tag"))?;
        self.bindings.list.truncate(bound);
        match self.open.last_mut() {
            Some((parent, _)) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    /// Text as it stands: white space is allowed outside the root.
    fn text(&mut self, piece: &str) -> Result<(), XmlError> {
        let is_blank = piece.bytes().all(|octet| matches!(octet, b' ' | b'\t' | b'\n' | b'\r'));
        if self.open.is_empty() && is_blank {
            return Ok(());
        }
        self.cdata(piece)
    }

    fn cdata(&mut self, piece: &str) -> Result<(), XmlError> {
        let (element, _) = self.open.last_mut().ok_or(malformed("text outside the root element"))?;
        let max = self.limits.document.text_bytes_max;
        if element.text.len() + piece.len() > max {
            return Err(XmlError::TooLarge { what: "octets in a text", max });
        }
        element.text.push_str(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
