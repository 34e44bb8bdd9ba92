//! The one stream of tokens that both wire forms become.

use std::borrow::Cow;
use std::str;

use super::DecodeFault;
use crate::limits::Limits;
use crate::wbxml::tags::{self, Tag};
use crate::wbxml::{PublicId, Reader, Token as Octets, WbxmlError};
use crate::xml::{Event, Namespace, PullReader, writer};

/// One step through a message, whichever way it travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An element of SyncML or its meta-information. The namespace of XML names is not looked at closer than that:
    /// clients put `Meta` into the namespace of its children and leave theirs out.
    Open(Tag),
    /// Any other element.
    Other,
    Text(&'a str),
    Char(char),
    Opaque(&'a [u8]),
    /// Token and octet of something whose meaning is not known.
    Extension(u8, usize),
    Close,
    End,
}

/// Where tokens come from.
pub(super) trait Source<'a> {
    fn next(&mut self) -> Result<Token<'a>, DecodeFault>;
    /// The whole text of the element just opened, if it is in one piece; the element is closed then. Otherwise nothing
    /// is read. Nearly all texts are in one piece.
    fn simple_text(&mut self) -> Option<&'a str>;
    /// As [`Self::simple_text`], for octets with their length in front.
    fn simple_opaque(&mut self) -> Option<&'a [u8]> {
        None
    }
    /// Octets read so far.
    fn at(&self) -> usize;
    /// Octets there are.
    fn length(&self) -> usize;
    /// Whether the element opened last may be the root of a message.
    fn is_syncml(&self) -> bool;
    /// Name of the element opened last, if it has one that XML can say.
    fn name(&self) -> Option<&'a str>;
    /// What to call it where it went wrong: its name, or code page and token.
    fn label(&self) -> Cow<'a, str>;
    /// Its namespace name.
    fn namespace(&self) -> &'a str;
    /// Appends its attributes as XML. WBXML attributes have no meaning in any document type of OMA DM and are left out.
    fn put_attributes(&self, out: &mut Vec<u8>) -> Result<(), DecodeFault>;
}

pub(super) struct XmlSource<'a> {
    reader: PullReader<'a>,
    name: &'a str,
    namespace: Namespace,
}

impl<'a> XmlSource<'a> {
    pub(super) fn new(text: &'a str, limits: &Limits) -> Self {
        Self { reader: PullReader::new(text, limits), name: "", namespace: Namespace::None }
    }
}

impl<'a> Source<'a> for XmlSource<'a> {
    #[inline]
    fn next(&mut self) -> Result<Token<'a>, DecodeFault> {
        Ok(match self.reader.next_event()? {
            Event::Open { namespace, name } => {
                self.name = name;
                self.namespace = namespace;
                match Tag::from_name(name) {
                    Some(tag) if namespace != Namespace::Other => Token::Open(tag),
                    _ => Token::Other,
                }
            }
            Event::Text(text) => Token::Text(text),
            Event::Char(character) => Token::Char(character),
            Event::Close => Token::Close,
            Event::End => Token::End,
        })
    }

    #[inline]
    fn simple_text(&mut self) -> Option<&'a str> {
        self.reader.simple_text()
    }

    fn at(&self) -> usize {
        self.reader.at()
    }

    fn length(&self) -> usize {
        self.reader.length()
    }

    fn is_syncml(&self) -> bool {
        matches!(self.namespace, Namespace::None | Namespace::SyncMl)
    }

    fn name(&self) -> Option<&'a str> {
        Some(self.name)
    }

    fn label(&self) -> Cow<'a, str> {
        Cow::Borrowed(self.name)
    }

    fn namespace(&self) -> &'a str {
        self.reader.namespace_name()
    }

    fn put_attributes(&self, out: &mut Vec<u8>) -> Result<(), DecodeFault> {
        for (number, attribute) in self.reader.attributes().enumerate() {
            let (namespace, name, value) = attribute?;
            let qualified = match namespace {
                "" => name.to_owned(),
                "http://www.w3.org/XML/1998/namespace" => format!("xml:{name}"),
                _ => {
                    put_attribute(&format!("xmlns:a{number}"), namespace, out)?;
                    format!("a{number}:{name}")
                }
            };
            put_attribute(&qualified, &value, out)?;
        }
        Ok(())
    }
}

/// A part of a text whose meaning is not known, so that the text is not either.
pub(super) fn unknown_text(token: u8, at: usize) -> DecodeFault {
    WbxmlError::Token { token, at }.into()
}

/// What the reader let through, XML can carry: its characters were checked before.
fn put_attribute(name: &str, value: &str, out: &mut Vec<u8>) -> Result<(), DecodeFault> {
    writer::put_attribute(name, value, out).map_err(|_| DecodeFault::NotText { at: 0 })
}

pub(super) struct WbxmlSource<'a> {
    reader: Reader<'a>,
    /// Page and token of the element opened last.
    code: (u8, u8),
}

impl<'a> WbxmlSource<'a> {
    pub(super) fn new(octets: &'a [u8], limits: &Limits) -> Result<Self, DecodeFault> {
        let reader = Reader::new(octets, limits)?;
        let syncml = match reader.header().public_id {
            PublicId::Number(id) => matches!(id, 0x01 | 0x0FD1 | 0x0FD3 | 0x1201),
            PublicId::Text(text) => matches!(
                text,
                b"-//SYNCML//DTD SyncML 1.2//EN" | b"-//SYNCML//DTD SyncML 1.1//EN" | b"-//SYNCML//DTD SyncML 1.0//EN"
            ),
        };
        if syncml { Ok(Self { reader, code: (0, 0) }) } else { Err(DecodeFault::NotSyncMl) }
    }

    /// A source whose document type the caller finds out by the root.
    pub(super) fn of_any_type(octets: &'a [u8], limits: &Limits) -> Result<Self, DecodeFault> {
        Ok(Self { reader: Reader::new(octets, limits)?, code: (0, 0) })
    }
}

impl<'a> Source<'a> for WbxmlSource<'a> {
    #[inline(always)]
    fn next(&mut self) -> Result<Token<'a>, DecodeFault> {
        Ok(match self.reader.next_token()? {
            Octets::Open { page, token } => {
                self.code = (page, token);
                Tag::from_code(page, token).map_or(Token::Other, Token::Open)
            }
            Octets::Literal(_) => {
                self.code = (0, 0);
                Token::Other
            }
            Octets::Text(text) => Token::Text(text),
            Octets::Char(character) => Token::Char(character),
            Octets::Opaque(octets) => Token::Opaque(octets),
            Octets::Extension { token, at } => Token::Extension(token, at),
            Octets::Close => Token::Close,
            Octets::End => Token::End,
        })
    }

    #[inline]
    fn simple_opaque(&mut self) -> Option<&'a [u8]> {
        self.reader.simple_opaque()
    }

    #[inline]
    fn simple_text(&mut self) -> Option<&'a str> {
        self.reader.simple_text()
    }

    fn at(&self) -> usize {
        self.reader.at()
    }

    fn length(&self) -> usize {
        self.reader.length()
    }

    fn is_syncml(&self) -> bool {
        true
    }

    fn name(&self) -> Option<&'a str> {
        match self.code {
            (tags::DDF_PAGE, token) => tags::ddf_name(token),
            (page, token) => Tag::from_code(page, token).map(Tag::name),
        }
    }

    fn label(&self) -> Cow<'a, str> {
        match (self.name(), self.code) {
            (Some(name), _) => Cow::Borrowed(name),
            (None, (0, 0)) => Cow::Borrowed("literal"),
            (None, (page, token)) => Cow::Owned(format!("{page}:{token:02X}")),
        }
    }

    fn namespace(&self) -> &'a str {
        match self.code.0 {
            tags::DDF_PAGE => tags::DDF_NAMESPACE,
            1 => tags::METINF_NAMESPACE,
            _ => tags::SYNCML_NAMESPACE,
        }
    }

    fn put_attributes(&self, _: &mut Vec<u8>) -> Result<(), DecodeFault> {
        Ok(())
    }
}

/// The octets as text that XML can carry too, or nothing.
#[inline]
pub(super) fn as_plain_text(octets: &[u8]) -> Option<&str> {
    let control = |octet: &u8| *octet < 0x20 && !matches!(octet, b'\t' | b'\n' | b'\r');
    if octets.iter().fold(false, |found, octet| found | control(octet)) {
        return None;
    }
    let text = str::from_utf8(octets).ok()?;
    let forbidden = !text.is_ascii() && text.contains(['\u{FFFE}', '\u{FFFF}']);
    (!forbidden).then_some(text)
}
