use std::borrow::Cow;

use quick_xml::events::Event as Lexeme;

use super::attributes::{self, RawAttribute, is_name};
use super::{Namespace, XmlError, reference};
use crate::limits::{Limits, check};

const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// One step through a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// An element begins.
    Open {
        /// Its namespace.
        namespace: Namespace,
        /// Its name without prefix.
        name: &'a str,
    },
    /// Part of the text of the innermost open element; CDATA and comments leave no trace but a border between parts.
    Text(&'a str),
    /// One character of it, written as a reference.
    Char(char),
    /// The innermost element ends.
    Close,
    /// The root was closed and nothing but white space and comments followed.
    End,
}

/// A namespace declaration in force.
#[derive(Clone, Copy, Debug)]
struct Binding<'a> {
    depth: usize,
    prefix: &'a str,
    name: &'a str,
    namespace: Namespace,
}

/// Reads XML event by event, within [`Limits`].
#[derive(Debug)]
pub struct PullReader<'a> {
    text: &'a str,
    lexer: quick_xml::Reader<&'a [u8]>,
    limits: Limits,
    bindings: Vec<Binding<'a>>,
    attributes: Vec<RawAttribute<'a>>,
    /// Namespace name of the element opened last.
    namespace_name: &'a str,
    depth: usize,
    elements: usize,
    /// What is left of a text with carriage returns in it.
    pending: &'a str,
    empty: bool,
    started: bool,
    doctype_seen: bool,
}

impl<'a> PullReader<'a> {
    /// A reader at the start of `text`, which [`document_text`](super::document_text) made.
    #[must_use]
    pub fn new(text: &'a str, limits: &Limits) -> Self {
        Self {
            text,
            lexer: quick_xml::Reader::from_str(text),
            limits: *limits,
            bindings: Vec::new(),
            attributes: Vec::new(),
            namespace_name: "",
            depth: 0,
            elements: 0,
            pending: "",
            empty: false,
            started: false,
            doctype_seen: false,
        }
    }

    /// Octets read so far.
    #[must_use]
    pub fn at(&self) -> usize {
        position(self.lexer.buffer_position())
    }

    /// Namespace name of the element opened last, empty for none.
    #[must_use]
    pub fn namespace_name(&self) -> &'a str {
        self.namespace_name
    }

    /// Attributes of the element opened last, namespace declarations left out: namespace name, local name, value.
    ///
    /// # Errors
    /// A prefix that is not declared or a reference that is not allowed.
    pub fn attributes(&self) -> impl Iterator<Item = Result<(&'a str, &'a str, Cow<'a, str>), XmlError>> {
        let at = self.at();
        let plain = self.attributes.iter().filter(|it| declared_prefix(it.name).is_none());
        plain.map(move |it| {
            let (namespace, name) = match it.name.split_once(':') {
                Some((prefix, name)) => (self.resolve(prefix, at)?.0, name),
                None => ("", it.name),
            };
            Ok((namespace, name, reference::attribute_value(it.value, at)?))
        })
    }

    /// The next event.
    ///
    /// # Errors
    /// [`XmlError`], after which the reader is of no more use.
    #[inline]
    pub fn next_event(&mut self) -> Result<Event<'a>, XmlError> {
        if self.empty {
            self.empty = false;
            return Ok(self.close());
        }
        if !self.pending.is_empty() {
            return Ok(Event::Text(self.next_line()));
        }
        loop {
            let before = self.at();
            let lexeme = self.lexer.read_event();
            let after = position(self.lexer.buffer_position());
            let lexeme = lexeme.map_err(|error| self.refused(&error))?;
            match lexeme {
                Lexeme::Start(tag) => {
                    let name_length = tag.name().as_ref().len();
                    return self.open(before + 1, name_length, after.saturating_sub(1));
                }
                Lexeme::Empty(tag) => {
                    let name_length = tag.name().as_ref().len();
                    self.empty = true;
                    return self.open(before + 1, name_length, after.saturating_sub(2));
                }
                Lexeme::End(_) => return Ok(self.close()),
                Lexeme::Text(_) => {
                    if let Some(text) = self.characters(before, after)? {
                        return Ok(Event::Text(text));
                    }
                }
                Lexeme::CData(_) => {
                    if self.depth == 0 {
                        return Err(XmlError::OutsideRoot { at: before });
                    }
                    let inside = (before + "<![CDATA[".len(), after.saturating_sub("]]>".len()));
                    if let Some(text) = self.characters(inside.0, inside.1)? {
                        return Ok(Event::Text(text));
                    }
                }
                Lexeme::GeneralRef(_) => {
                    if self.depth == 0 {
                        return Err(XmlError::OutsideRoot { at: before });
                    }
                    let name = self.slice(before + 1, after.saturating_sub(1));
                    return Ok(Event::Char(reference::character(name, before)?));
                }
                Lexeme::Comment(_) => {}
                Lexeme::DocType(_) => self.doctype(before, after)?,
                Lexeme::Decl(_) | Lexeme::PI(_) => return Err(XmlError::ProcessingInstruction { at: before }),
                Lexeme::Eof if self.depth > 0 || !self.started => return Err(XmlError::Truncated { at: after }),
                Lexeme::Eof => return Ok(Event::End),
            }
        }
    }

    #[inline]
    fn open(&mut self, start: usize, name_length: usize, end: usize) -> Result<Event<'a>, XmlError> {
        if self.depth == 0 && self.started {
            return Err(XmlError::OutsideRoot { at: start });
        }
        self.started = true;
        self.elements += 1;
        check("elements_max", self.limits.elements_max, self.elements, start)?;
        self.depth += 1;
        check("depth_max", self.limits.depth_max, self.depth, start)?;
        let name = self.slice(start, start + name_length);
        if !is_name(name) {
            return Err(XmlError::syntax(start, "element name"));
        }
        self.attributes.clear();
        if start + name_length < end {
            self.declare(start + name_length, end)?;
        }
        let (prefix, name) = match name.split_once(':') {
            Some((prefix, name)) if is_name(name) && !name.contains(':') => (prefix, name),
            Some(_) => return Err(XmlError::Namespace { at: start }),
            None => ("", name),
        };
        let (namespace_name, namespace) = self.resolve(prefix, start)?;
        self.namespace_name = namespace_name;
        Ok(Event::Open { namespace, name })
    }

    /// Reads the attributes and puts the namespace declarations among them in force.
    fn declare(&mut self, start: usize, end: usize) -> Result<(), XmlError> {
        let raw = self.slice(start, end);
        attributes::read(raw, start, &self.limits, &mut self.attributes)?;
        for attribute in &self.attributes {
            let Some(prefix) = declared_prefix(attribute.name) else { continue };
            let name = attribute.value;
            // A namespace name with a reference in it is legal and never seen; it would need a copy.
            let forbidden = name.contains('&')
                || prefix == "xmlns"
                || (prefix == "xml") != (name == XML_NAMESPACE)
                || (name.is_empty() && !prefix.is_empty());
            if forbidden {
                return Err(XmlError::Namespace { at: start });
            }
            check("attributes_max", self.limits.attributes_max * self.limits.depth_max, self.bindings.len(), start)?;
            let namespace = Namespace::of(name);
            self.bindings.push(Binding { depth: self.depth, prefix, name, namespace });
        }
        Ok(())
    }

    #[inline]
    fn resolve(&self, prefix: &str, at: usize) -> Result<(&'a str, Namespace), XmlError> {
        match self.bindings.iter().rev().find(|binding| binding.prefix == prefix) {
            Some(binding) => Ok((binding.name, binding.namespace)),
            None if prefix.is_empty() => Ok(("", Namespace::None)),
            None if prefix == "xml" => Ok((XML_NAMESPACE, Namespace::Other)),
            None => Err(XmlError::Namespace { at }),
        }
    }

    #[inline]
    fn close(&mut self) -> Event<'a> {
        while self.bindings.last().is_some_and(|binding| binding.depth == self.depth) {
            self.bindings.pop();
        }
        self.depth = self.depth.saturating_sub(1);
        Event::Close
    }

    /// The first part of a text, or nothing for white space outside the root and for no text at all.
    #[inline]
    fn characters(&mut self, start: usize, end: usize) -> Result<Option<&'a str>, XmlError> {
        let text = self.slice(start, end);
        if self.depth == 0 {
            let white = text.bytes().all(|octet| matches!(octet, b' ' | b'\t' | b'\n' | b'\r'));
            return if white { Ok(None) } else { Err(XmlError::OutsideRoot { at: start }) };
        }
        check("text_bytes_max", self.limits.text_bytes_max, text.len(), start)?;
        if text.is_empty() {
            return Ok(None);
        }
        if !text.as_bytes().contains(&b'\r') {
            return Ok(Some(text));
        }
        self.pending = text;
        Ok(Some(self.next_line()))
    }

    /// The next part of `pending`: up to a carriage return, or a line end made one line feed.
    fn next_line(&mut self) -> &'a str {
        let text = self.pending;
        let end = text.find('\r').unwrap_or(text.len());
        if end > 0 {
            let (line, rest) = text.split_at(end);
            self.pending = rest;
            return line;
        }
        self.pending = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\r')).unwrap_or_default();
        "\n"
    }

    /// Takes a document type declaration before the root and ignores it; refuses one with an internal subset.
    fn doctype(&mut self, start: usize, end: usize) -> Result<(), XmlError> {
        let mut quote = None;
        for character in self.slice(start, end).chars() {
            match (quote, character) {
                (None, '[') => return Err(XmlError::DocumentType { at: start }),
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), _) if open == character => quote = None,
                _ => {}
            }
        }
        if self.started || self.doctype_seen || quote.is_some() {
            return Err(XmlError::DocumentType { at: start });
        }
        self.doctype_seen = true;
        Ok(())
    }

    #[cold]
    fn refused(&self, error: &quick_xml::Error) -> XmlError {
        let at = position(self.lexer.error_position());
        let unfinished = matches!(error, quick_xml::Error::Syntax(_));
        if unfinished && !self.text.get(at..).is_some_and(|rest| rest.starts_with("<!DOCTYPE")) {
            return XmlError::Syntax { at, reason: error.to_string().into() };
        }
        if unfinished {
            XmlError::DocumentType { at }
        } else {
            XmlError::Syntax { at, reason: error.to_string().into() }
        }
    }

    #[inline]
    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }
}

/// The prefix that a namespace declaration declares, empty for the default one; nothing for other attributes.
fn declared_prefix(attribute: &str) -> Option<&str> {
    let rest = attribute.strip_prefix("xmlns")?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix(':') }
}

#[inline]
fn position(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}
