//! Mark-up inside `Data`, written out as canonical XML text.
//!
//! The form: no prefixes on elements; a default namespace declaration where the namespace differs from the element
//! around it; `<name/>` for elements without content; attributes in their order, declarations left out; `&`, `<`,
//! `>` and carriage return as references. The same content in XML and in code page 2 of WBXML gives the same text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::DecodeFault;
use super::source::{Source, Token, as_plain_text, unknown_text};
use crate::limits::{Limits, check};
use crate::wbxml::tags::DDF_NAMESPACE;
use crate::xml::writer;

/// Collects the canonical text of one `Data`.
pub(super) struct Markup<'l> {
    pub(super) out: Vec<u8>,
    limits: &'l Limits,
}

impl<'l> Markup<'l> {
    /// Nothing yet.
    pub(super) fn empty(limits: &'l Limits) -> Self {
        Self { out: Vec::new(), limits }
    }

    /// `before` is the text of `Data` that came before its first element.
    pub(super) fn new(before: &[u8], limits: &'l Limits, at: usize) -> Result<Self, DecodeFault> {
        let mut markup = Self::empty(limits);
        if !before.trim_ascii().is_empty() {
            markup.opaque(before, at)?;
        }
        Ok(markup)
    }

    /// Writes a document whose root is `MgmtTree`.
    pub(super) fn document<'a>(&mut self, source: &mut impl Source<'a>) -> Result<(), DecodeFault> {
        source.next()?;
        if source.namespace() != DDF_NAMESPACE || source.name() != Some("MgmtTree") {
            return Err(DecodeFault::Missing { element: "MgmtTree" });
        }
        self.element(source, "")?;
        source.next()?;
        Ok(())
    }

    /// Writes the element just opened, to its end. `around` is the namespace name in force.
    pub(super) fn element<'a>(&mut self, source: &mut impl Source<'a>, around: &str) -> Result<(), DecodeFault> {
        let Some(name) = source.name() else { return super::decode::skip(source) };
        let namespace = source.namespace();
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        if namespace != around {
            writer::put_attribute("xmlns", namespace, &mut self.out).map_err(|_| not_text(source.at()))?;
        }
        source.put_attributes(&mut self.out)?;
        let start = self.out.len();
        loop {
            let token = source.next()?;
            if self.out.len() == start && !matches!(token, Token::Close | Token::Text("")) {
                self.out.push(b'>');
            }
            match token {
                Token::Close | Token::End => break,
                Token::Open(_) | Token::Other => self.element(source, namespace)?,
                piece => self.piece(piece, source.at())?,
            }
        }
        if self.out.len() == start {
            self.out.extend_from_slice(b"/>");
        } else {
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b'>');
        }
        self.check(source.at())
    }

    /// Writes a part of the text between elements.
    pub(super) fn piece(&mut self, token: Token<'_>, at: usize) -> Result<(), DecodeFault> {
        match token {
            Token::Text(text) => self.opaque(text.as_bytes(), at),
            Token::Char(character) => self.opaque(character.encode_utf8(&mut [0; 4]).as_bytes(), at),
            Token::Opaque(octets) => self.opaque(octets, at),
            Token::Extension(token, at) => Err(unknown_text(token, at)),
            Token::Open(_) | Token::Other | Token::Close | Token::End => Ok(()),
        }
    }

    /// Octets that are not text become base64, as `Format` `b64` has them.
    fn opaque(&mut self, octets: &[u8], at: usize) -> Result<(), DecodeFault> {
        match as_plain_text(octets) {
            Some(text) => writer::put_text(text, &mut self.out).map_err(|_| not_text(at))?,
            None => self.out.extend_from_slice(STANDARD.encode(octets).as_bytes()),
        }
        self.check(at)
    }

    fn check(&self, at: usize) -> Result<(), DecodeFault> {
        Ok(check("text_bytes_max", self.limits.text_bytes_max, self.out.len(), at)?)
    }
}

fn not_text(at: usize) -> DecodeFault {
    DecodeFault::NotText { at }
}
