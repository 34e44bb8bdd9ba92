use std::borrow::Cow;

use super::attributes::{self, RawAttribute};
use super::scan::{find_either, name_length};
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
///
/// The tokens are read here and not by a library: every device message passes, and this is three times as fast.
#[derive(Debug)]
pub struct PullReader<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
    /// Names of the open elements as written.
    open: Vec<&'a str>,
    bindings: Vec<Binding<'a>>,
    attributes: Vec<RawAttribute<'a>>,
    /// A start tag's rest that was nothing but a default namespace declaration, its `>` included, and what it
    /// declared: each child of `Meta` repeats the same one.
    usual: (&'a str, &'a str, Namespace),
    /// Namespace name of the element opened last.
    namespace_name: &'a str,
    elements: usize,
    /// What is left of a text with carriage returns in it.
    pending: &'a str,
    /// The document has a carriage return somewhere.
    returns: bool,
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
            at: 0,
            limits: *limits,
            open: Vec::new(),
            bindings: Vec::new(),
            attributes: Vec::new(),
            usual: ("", "", Namespace::None),
            namespace_name: "",
            elements: 0,
            pending: "",
            returns: text.as_bytes().contains(&b'\r'),
            empty: false,
            started: false,
            doctype_seen: false,
        }
    }

    /// Octets read so far.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Octets there are to read.
    #[must_use]
    pub(crate) fn length(&self) -> usize {
        self.text.len()
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
        let at = self.at;
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
            self.open.pop();
            return Ok(self.close());
        }
        if !self.pending.is_empty() {
            return Ok(Event::Text(self.next_line()));
        }
        loop {
            let octets = self.text.as_bytes();
            let start = self.at;
            match (octets.get(start), octets.get(start + 1)) {
                (Some(b'<'), Some(b'/')) => return self.end_tag(),
                (Some(b'<'), Some(b'!')) => {
                    if let Some(text) = self.declaration()? {
                        return Ok(Event::Text(text));
                    }
                }
                (Some(b'<'), Some(b'?')) => return Err(XmlError::ProcessingInstruction { at: start }),
                (Some(b'<'), _) => return self.start_tag(),
                (Some(b'&'), _) => return self.reference(),
                (Some(_), _) => {
                    let rest = self.slice(start, self.text.len());
                    self.at = start + find_either(rest.as_bytes(), b'<', b'&');
                    if let Some(text) = self.characters(start, self.at)? {
                        return Ok(Event::Text(text));
                    }
                }
                (None, _) if !self.open.is_empty() || !self.started => return Err(XmlError::Truncated { at: start }),
                (None, _) => return Ok(Event::End),
            }
        }
    }

    /// The whole text of the element just opened, if it is one piece right before the end tag; the element is closed
    /// then. Otherwise nothing is read.
    #[inline]
    pub fn simple_text(&mut self) -> Option<&'a str> {
        if self.empty || self.returns || !self.pending.is_empty() {
            return None;
        }
        let rest = self.text.get(self.at..)?;
        let length = find_either(rest.as_bytes(), b'<', b'&');
        let after = rest.get(length..)?.strip_prefix("</")?;
        let name = self.open.last()?;
        if length > self.limits.text_bytes_max || !after.as_bytes().starts_with(name.as_bytes()) {
            return None;
        }
        if after.as_bytes().get(name.len()) != Some(&b'>') {
            return None;
        }
        self.at += length + "</".len() + name.len() + ">".len();
        self.open.pop();
        self.close();
        rest.get(..length)
    }

    fn start_tag(&mut self) -> Result<Event<'a>, XmlError> {
        let start = self.at + 1;
        if self.open.is_empty() && self.started {
            return Err(XmlError::OutsideRoot { at: start });
        }
        self.started = true;
        self.elements += 1;
        check("elements_max", self.limits.elements_max, self.elements, start)?;
        check("depth_max", self.limits.depth_max, self.open.len() + 1, start)?;
        let rest = self.slice(start, self.text.len());
        let (length, colon) = name_length(rest.as_bytes());
        let name = rest.get(..length).unwrap_or_default();
        if name.is_empty() {
            return Err(self.broken(start, "element name"));
        }
        let after = rest.get(length..).unwrap_or_default();
        self.open.push(name);
        self.attributes.clear();
        if after.as_bytes().first() == Some(&b'>') {
            self.at = start + length + 1;
        } else if !self.usual.0.is_empty() && after.as_bytes().starts_with(self.usual.0.as_bytes()) {
            self.at = start + length + self.usual.0.len();
            let (_, declared, namespace) = self.usual;
            self.bindings.push(Binding { depth: self.open.len(), prefix: "", name: declared, namespace });
        } else {
            self.tag_rest(after, start + length)?;
        }
        if colon {
            return self.prefixed(name, start);
        }
        let (namespace_name, namespace) = self.default_namespace();
        self.namespace_name = namespace_name;
        Ok(Event::Open { namespace, name })
    }

    /// Attributes, `/` and `>`. `after` is what follows the element's name, at octet `at`.
    fn tag_rest(&mut self, after: &'a str, at: usize) -> Result<(), XmlError> {
        let mut quote = None;
        let end = after.bytes().position(|octet| {
            match (quote, octet) {
                (None, b'>') => return true,
                (None, b'"' | b'\'') => quote = Some(octet),
                (Some(open), _) if open == octet => quote = None,
                _ => {}
            }
            false
        });
        let end = end.ok_or_else(|| self.broken(at, "start tag without end"))?;
        let inside = after.get(..end).unwrap_or_default();
        self.at = at + end + 1;
        let (raw, empty) = match inside.strip_suffix('/') {
            Some(raw) => (raw, true),
            None => (inside, false),
        };
        self.empty = empty;
        attributes::read(raw, at, &self.limits, &mut self.attributes)?;
        for attribute in &self.attributes {
            let Some(prefix) = declared_prefix(attribute.name) else { continue };
            let name = attribute.value;
            // A namespace name with a reference in it is legal and never seen; it would need a copy.
            let forbidden = name.contains('&')
                || prefix == "xmlns"
                || (prefix == "xml") != (name == XML_NAMESPACE)
                || (name.is_empty() && !prefix.is_empty());
            if forbidden {
                return Err(XmlError::Namespace { at });
            }
            let namespace = Namespace::of(name);
            self.bindings.push(Binding { depth: self.open.len(), prefix, name, namespace });
            if prefix.is_empty() && !empty && self.attributes.len() == 1 {
                self.usual = (after.get(..=end).unwrap_or_default(), name, namespace);
            }
        }
        Ok(())
    }

    fn prefixed(&mut self, name: &'a str, at: usize) -> Result<Event<'a>, XmlError> {
        let (prefix, local) = name.split_once(':').unwrap_or_default();
        if prefix.is_empty() || !attributes::is_name(local) || local.contains(':') {
            return Err(XmlError::Namespace { at });
        }
        let (namespace_name, namespace) = self.resolve(prefix, at)?;
        self.namespace_name = namespace_name;
        Ok(Event::Open { namespace, name: local })
    }

    #[inline]
    fn default_namespace(&self) -> (&'a str, Namespace) {
        let binding = self.bindings.iter().rev().find(|binding| binding.prefix.is_empty());
        binding.map_or(("", Namespace::None), |binding| (binding.name, binding.namespace))
    }

    fn resolve(&self, prefix: &str, at: usize) -> Result<(&'a str, Namespace), XmlError> {
        match self.bindings.iter().rev().find(|binding| binding.prefix == prefix) {
            Some(binding) => Ok((binding.name, binding.namespace)),
            None if prefix == "xml" => Ok((XML_NAMESPACE, Namespace::Other)),
            None => Err(XmlError::Namespace { at }),
        }
    }

    fn end_tag(&mut self) -> Result<Event<'a>, XmlError> {
        let at = self.at;
        let rest = self.slice(at + "</".len(), self.text.len());
        let name = self.open.pop().ok_or_else(|| XmlError::syntax(at, "end tag without start tag"))?;
        let after = rest.strip_prefix(name).map(|after| after.trim_start_matches([' ', '\t', '\r', '\n']));
        let after = after.and_then(|after| after.strip_prefix('>'));
        let after = after.ok_or_else(|| XmlError::syntax(at, "end tag of another element"))?;
        self.at = self.text.len() - after.len();
        Ok(self.close())
    }

    /// Takes the declarations of the element just popped from `open` out of force.
    #[inline]
    fn close(&mut self) -> Event<'a> {
        while self.bindings.last().is_some_and(|binding| binding.depth > self.open.len()) {
            self.bindings.pop();
        }
        Event::Close
    }

    fn reference(&mut self) -> Result<Event<'a>, XmlError> {
        let at = self.at;
        if self.open.is_empty() {
            return Err(XmlError::OutsideRoot { at });
        }
        let rest = self.slice(at + 1, self.text.len());
        let length = rest.bytes().take(12).position(|octet| octet == b';').ok_or(XmlError::Entity { at })?;
        self.at = at + 1 + length + 1;
        Ok(Event::Char(reference::character(rest.get(..length).unwrap_or_default(), at)?))
    }

    /// A comment, a document type declaration, or CDATA, whose text is given back.
    fn declaration(&mut self) -> Result<Option<&'a str>, XmlError> {
        let at = self.at;
        let rest = self.slice(at, self.text.len());
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("--").ok_or_else(|| self.broken(at, "comment without end"))?;
            if comment.as_bytes().get(end + 2) != Some(&b'>') {
                return Err(XmlError::syntax(at, "two hyphens in a comment"));
            }
            self.at = at + "<!--".len() + end + "-->".len();
            return Ok(None);
        }
        if let Some(text) = rest.strip_prefix("<![CDATA[") {
            let end = text.find("]]>").ok_or_else(|| self.broken(at, "CDATA without end"))?;
            if self.open.is_empty() {
                return Err(XmlError::OutsideRoot { at });
            }
            let start = at + "<![CDATA[".len();
            self.at = start + end + "]]>".len();
            return self.characters(start, start + end);
        }
        if rest.starts_with("<!DOCTYPE") {
            return self.doctype(rest).map(|()| None);
        }
        Err(self.broken(at, "mark-up declaration"))
    }

    /// Takes a document type declaration before the root and ignores it; refuses one with an internal subset.
    fn doctype(&mut self, rest: &str) -> Result<(), XmlError> {
        let at = self.at;
        let mut quote = None;
        let mut end = None;
        for (number, octet) in rest.bytes().enumerate() {
            match (quote, octet) {
                (None, b'>') => {
                    end = Some(number);
                    break;
                }
                (None, b'[' | b'<') if number > 0 => break,
                (None, b'"' | b'\'') => quote = Some(octet),
                (Some(open), _) if open == octet => quote = None,
                _ => {}
            }
        }
        match end {
            Some(end) if !self.started && !self.doctype_seen => self.at = at + end + 1,
            _ => return Err(XmlError::DocumentType { at }),
        }
        self.doctype_seen = true;
        Ok(())
    }

    /// The first part of a text, or nothing for white space outside the root and for no text at all.
    #[inline]
    fn characters(&mut self, start: usize, end: usize) -> Result<Option<&'a str>, XmlError> {
        let text = self.slice(start, end);
        if self.open.is_empty() {
            let white = text.bytes().all(|octet| matches!(octet, b' ' | b'\t' | b'\n' | b'\r'));
            return if white { Ok(None) } else { Err(XmlError::OutsideRoot { at: start }) };
        }
        check("text_bytes_max", self.limits.text_bytes_max, text.len(), start)?;
        if text.is_empty() {
            return Ok(None);
        }
        if !self.returns || !text.as_bytes().contains(&b'\r') {
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

    #[cold]
    fn broken(&self, at: usize, reason: &str) -> XmlError {
        XmlError::syntax(at, reason)
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
