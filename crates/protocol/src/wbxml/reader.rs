use std::str;

use super::header::table_string;
use super::{Charset, Header, WbxmlError, mb_u_int32};
use crate::limits::{LimitExceeded, Limits, check};
use crate::xml::scan::find_zero;

const SWITCH_PAGE: u8 = 0x00;
const END: u8 = 0x01;
const ENTITY: u8 = 0x02;
const STR_I: u8 = 0x03;
const LITERAL: u8 = 0x04;
const PI: u8 = 0x43;
const STR_T: u8 = 0x83;
const OPAQUE: u8 = 0xC3;
const WITH_CONTENT: u8 = 0x40;
const WITH_ATTRIBUTES: u8 = 0x80;

/// One step through the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// An element of a code page begins.
    Open {
        /// Tag code page.
        page: u8,
        /// The low 6 bits, 0x05 to 0x3F.
        token: u8,
    },
    /// An element with a name of the string table begins.
    Literal(&'a [u8]),
    /// Part of the text of the innermost open element.
    Text(&'a str),
    /// One character of it.
    Char(char),
    /// Octets with a length in front, whatever they are.
    Opaque(&'a [u8]),
    /// A document type's own extension, and what it carried read over. No document type of OMA DM defines any, so what it
    /// stands for is not known: it may be ignored where nothing is read, and not where it is part of a text.
    Extension {
        /// EXT_I 0x40 to 0x42, EXT_T 0x80 to 0x82, EXT 0xC0 to 0xC2.
        token: u8,
        /// Where it stands.
        at: usize,
    },
    /// The innermost element ends. Follows at once where an element has no content.
    Close,
    /// The root was closed and the document is over.
    End,
}

/// One step through the attributes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute<'a> {
    /// An attribute begins: its name, perhaps with the head of its value.
    Start {
        /// Attribute code page.
        page: u8,
        /// 0x05 to 0x7F.
        token: u8,
    },
    /// An attribute with a name of the string table begins.
    Literal(&'a [u8]),
    /// A part of the value that has a token.
    Value {
        /// Attribute code page.
        page: u8,
        /// 0x85 to 0xFF.
        token: u8,
    },
    /// A part of the value.
    Text(&'a str),
    /// One character of it.
    Char(char),
    /// Octets of it.
    Opaque(&'a [u8]),
}

/// Reads a WBXML document token by token, within [`Limits`]. Nothing is copied but the depth counter.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    header: Header<'a>,
    limits: Limits,
    tag_page: u8,
    attribute_page: u8,
    depth: usize,
    elements: usize,
    attributes: usize,
    /// Octets taken out of the string table so far: one table string may be named thousands of times.
    expanded: usize,
    /// What is left of a string in ISO-8859-1.
    latin1: &'a [u8],
    in_attributes: bool,
    /// The element just opened has no content.
    empty: bool,
    started: bool,
}

impl<'a> Reader<'a> {
    /// Reads the header and stands before the root.
    ///
    /// # Errors
    /// As [`Header::read`], or a document above `document_bytes_max`.
    pub fn new(input: &'a [u8], limits: &Limits) -> Result<Self, WbxmlError> {
        check("document_bytes_max", limits.document_bytes_max, input.len(), 0)?;
        let (header, at) = Header::read(input, limits)?;
        Ok(Self {
            input,
            at,
            header,
            limits: *limits,
            tag_page: 0,
            attribute_page: 0,
            depth: 0,
            elements: 0,
            attributes: 0,
            expanded: 0,
            latin1: &[],
            in_attributes: false,
            empty: false,
            started: false,
        })
    }

    /// What the header said.
    #[must_use]
    pub fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// Octets read so far.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Octets there are to read.
    #[must_use]
    pub(crate) fn length(&self) -> usize {
        self.input.len()
    }

    /// The next token. Attributes the caller did not ask for with [`Self::next_attribute`] are passed over.
    ///
    /// # Errors
    /// [`WbxmlError`], after which the reader is of no more use.
    ///
    /// Source: WBXML, "Binary Document Syntax".
    #[inline(always)]
    pub fn next_token(&mut self) -> Result<Token<'a>, WbxmlError> {
        // Starts without attributes and ends are most tokens. Taken here, they need no detour through memory.
        if self.depth > 0 && !self.empty && !self.in_attributes && self.latin1.is_empty() {
            match self.input.get(self.at) {
                Some(&END) => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(Token::Close);
                }
                Some(&octet) if octet & WITH_ATTRIBUTES == 0 && octet & 0x3F > LITERAL => {
                    self.at += 1;
                    self.count_element(octet, self.at - 1)?;
                    return Ok(Token::Open { page: self.tag_page, token: octet & 0x3F });
                }
                _ => {}
            }
        }
        self.next_rare()
    }

    #[inline(never)]
    fn next_rare(&mut self) -> Result<Token<'a>, WbxmlError> {
        if self.in_attributes {
            while self.next_attribute()?.is_some() {}
        }
        if self.empty {
            self.empty = false;
            self.depth -= 1;
            return Ok(Token::Close);
        }
        if self.depth == 0 && self.started {
            return self.end();
        }
        if !self.latin1.is_empty() {
            return Ok(self.latin1_piece());
        }
        loop {
            let at = self.at;
            let Some(&octet) = self.input.get(at) else {
                return Err(WbxmlError::Truncated { at });
            };
            self.at = at + 1;
            match octet {
                END if self.depth > 0 => {
                    self.depth -= 1;
                    return Ok(Token::Close);
                }
                SWITCH_PAGE => self.tag_page = self.octet()?,
                STR_I | STR_T | OPAQUE | ENTITY if self.depth > 0 => match self.string(octet, at)? {
                    Token::Text("") => {}
                    token => return Ok(token),
                },
                0x40..=0x42 | 0x80..=0x82 | 0xC0..=0xC2 if self.depth > 0 => return self.extension(octet, at),
                _ => return self.open(octet, at),
            }
        }
    }

    /// The whole text of the element just opened, if it is one inline string; the element is closed then. Otherwise
    /// nothing is read.
    #[inline]
    pub fn simple_text(&mut self) -> Option<&'a str> {
        if self.empty || self.in_attributes || self.header.charset != Charset::Utf8 || self.depth == 0 {
            return None;
        }
        let (&STR_I, rest) = self.input.get(self.at..)?.split_first()? else { return None };
        let string = rest.get(..find_zero(rest)?)?;
        if rest.get(string.len() + 1) != Some(&END) || string.len() > self.limits.text_bytes_max {
            return None;
        }
        let text = str::from_utf8(string).ok()?;
        self.at += string.len() + 3;
        self.depth -= 1;
        Some(text)
    }

    /// The octets of the element just opened, if it holds one opaque and nothing else; the element is closed then.
    /// Otherwise nothing is read.
    #[inline]
    pub fn simple_opaque(&mut self) -> Option<&'a [u8]> {
        if self.empty || self.in_attributes || self.depth == 0 || self.input.get(self.at) != Some(&OPAQUE) {
            return None;
        }
        let (length, start) = mb_u_int32(self.input, self.at + 1).ok()?;
        let rest = self.input.get(start..)?;
        let octets = rest.get(..length as usize)?;
        if rest.get(octets.len()) != Some(&END) || octets.len() > self.limits.text_bytes_max {
            return None;
        }
        self.at = start + octets.len() + 1;
        self.depth -= 1;
        Some(octets)
    }

    /// The next part of the attributes of the element just opened, or nothing once they are over.
    ///
    /// # Errors
    /// [`WbxmlError`], after which the reader is of no more use.
    pub fn next_attribute(&mut self) -> Result<Option<Attribute<'a>>, WbxmlError> {
        if !self.in_attributes {
            return Ok(None);
        }
        if !self.latin1.is_empty() {
            return Ok(Some(attribute_part(self.latin1_piece())));
        }
        loop {
            let at = self.at;
            let octet = self.octet()?;
            return Ok(Some(match octet {
                END => {
                    self.in_attributes = false;
                    return Ok(None);
                }
                SWITCH_PAGE => {
                    self.attribute_page = self.octet()?;
                    continue;
                }
                STR_I | STR_T | OPAQUE | ENTITY => attribute_part(self.string(octet, at)?),
                LITERAL => {
                    self.count_attribute(at)?;
                    Attribute::Literal(self.table_reference(at)?)
                }
                0x05..=0x3F | 0x45..=0x7F => {
                    self.count_attribute(at)?;
                    Attribute::Start { page: self.attribute_page, token: octet }
                }
                0x85..=0xBF | 0xC5..=0xFF => Attribute::Value { page: self.attribute_page, token: octet },
                token => return Err(WbxmlError::Token { token, at }),
            }));
        }
    }

    fn end(&self) -> Result<Token<'a>, WbxmlError> {
        if self.at < self.input.len() { Err(WbxmlError::Trailing { at: self.at }) } else { Ok(Token::End) }
    }

    #[inline]
    fn open(&mut self, octet: u8, at: usize) -> Result<Token<'a>, WbxmlError> {
        let token = octet & 0x3F;
        if token < LITERAL || octet == PI {
            return Err(WbxmlError::Token { token: octet, at });
        }
        self.count_element(octet, at)?;
        self.started = true;
        self.in_attributes = octet & WITH_ATTRIBUTES != 0;
        self.attributes = 0;
        if token == LITERAL {
            return Ok(Token::Literal(self.table_reference(at)?));
        }
        Ok(Token::Open { page: self.tag_page, token })
    }

    #[inline(always)]
    fn count_element(&mut self, octet: u8, at: usize) -> Result<(), LimitExceeded> {
        self.elements += 1;
        check("elements_max", self.limits.elements_max, self.elements, at)?;
        check("depth_max", self.limits.depth_max, self.depth + 1, at)?;
        self.depth += 1;
        self.empty = octet & WITH_CONTENT == 0;
        Ok(())
    }

    #[inline]
    fn string(&mut self, kind: u8, at: usize) -> Result<Token<'a>, WbxmlError> {
        match kind {
            STR_I => {
                let string = self.inline_string()?;
                self.at += string.len() + 1;
                self.text(string, at)
            }
            STR_T => {
                let string = self.table_reference(at)?;
                self.text(string, at)
            }
            OPAQUE => {
                let (length, start) = mb_u_int32(self.input, self.at)?;
                let octets = self.input.get(start..).and_then(|rest| rest.get(..length as usize));
                let octets = octets.ok_or(WbxmlError::Truncated { at: self.input.len() })?;
                self.check_text(octets.len(), at)?;
                self.at = start + octets.len();
                Ok(Token::Opaque(octets))
            }
            _ => {
                let (code, next) = mb_u_int32(self.input, self.at)?;
                self.at = next;
                let character = char::from_u32(code).filter(|character| *character != '\0');
                Ok(Token::Char(character.ok_or(WbxmlError::Entity { at })?))
            }
        }
    }

    /// Reads over a string, an integer, or nothing, by the kind of extension.
    fn extension(&mut self, token: u8, at: usize) -> Result<Token<'a>, WbxmlError> {
        match token & 0xC0 {
            0x40 => self.at += self.inline_string()?.len() + 1,
            0x80 => self.at = mb_u_int32(self.input, self.at)?.1,
            _ => {}
        }
        Ok(Token::Extension { token, at })
    }

    /// The octets before the next zero.
    fn inline_string(&self) -> Result<&'a [u8], WbxmlError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let string = find_zero(rest).and_then(|length| rest.get(..length));
        string.ok_or(WbxmlError::Truncated { at: self.input.len() })
    }

    #[inline]
    fn text(&mut self, string: &'a [u8], at: usize) -> Result<Token<'a>, WbxmlError> {
        self.check_text(string.len(), at)?;
        match self.header.charset {
            Charset::Utf8 => {}
            Charset::Ascii if string.is_ascii() => {}
            Charset::Ascii => return Err(WbxmlError::NotText { at }),
            Charset::Latin1 => {
                self.latin1 = string;
                return Ok(self.latin1_piece());
            }
        }
        str::from_utf8(string).map(Token::Text).map_err(|_| WbxmlError::NotText { at })
    }

    /// A run of ASCII, or one character above it.
    fn latin1_piece(&mut self) -> Token<'a> {
        let run = self.latin1.iter().position(|octet| !octet.is_ascii()).unwrap_or(self.latin1.len());
        if let (0, Some((octet, rest))) = (run, self.latin1.split_first()) {
            self.latin1 = rest;
            return Token::Char(char::from(*octet));
        }
        let (ascii, rest) = self.latin1.split_at(run);
        self.latin1 = rest;
        Token::Text(str::from_utf8(ascii).unwrap_or_default())
    }

    fn table_reference(&mut self, at: usize) -> Result<&'a [u8], WbxmlError> {
        let (offset, next) = mb_u_int32(self.input, self.at)?;
        self.at = next;
        let string = table_string(self.header.strings, offset, at)?;
        self.expanded += string.len();
        check("document_bytes_max", self.limits.document_bytes_max, self.expanded, at)?;
        Ok(string)
    }

    fn count_attribute(&mut self, at: usize) -> Result<(), LimitExceeded> {
        self.attributes += 1;
        check("attributes_max", self.limits.attributes_max, self.attributes, at)
    }

    fn check_text(&self, length: usize, at: usize) -> Result<(), LimitExceeded> {
        check("text_bytes_max", self.limits.text_bytes_max, length, at)
    }

    fn octet(&mut self) -> Result<u8, WbxmlError> {
        let at = self.at;
        let octet = *self.input.get(at).ok_or(WbxmlError::Truncated { at })?;
        self.at = at + 1;
        Ok(octet)
    }
}

fn attribute_part(token: Token<'_>) -> Attribute<'_> {
    match token {
        Token::Char(character) => Attribute::Char(character),
        Token::Opaque(octets) => Attribute::Opaque(octets),
        Token::Text(text) => Attribute::Text(text),
        // `string` and `latin1_piece` make no other token.
        Token::Open { .. } | Token::Literal(_) | Token::Extension { .. } | Token::Close | Token::End => {
            Attribute::Text("")
        }
    }
}
