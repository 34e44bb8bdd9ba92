use std::str;

use super::super::markup::Markup;
use super::super::source::{Source, Token, as_plain_text};
use super::super::{DecodeFault, ItemData, Text};
use super::{Decoder, skip};
use crate::limits::check;

impl<'a, S: Source<'a>> Decoder<'_, S> {
    /// The text of the element just opened. Elements inside are passed over.
    #[inline]
    pub(super) fn leaf(&mut self) -> Result<Text, DecodeFault> {
        if let Some(text) = self.source.simple_text() {
            return Ok(Text::new(text));
        }
        match self.source.next()? {
            Token::Close => Ok(Text::default()),
            Token::Text(first) => match self.source.next()? {
                Token::Close => Ok(Text::new(first)),
                token => self.leaf_rest(first.to_owned(), token),
            },
            token => self.leaf_rest(String::new(), token),
        }
    }

    fn leaf_rest(&mut self, mut text: String, mut token: Token<'a>) -> Result<Text, DecodeFault> {
        loop {
            match token {
                Token::Close | Token::End => return Ok(Text::from(text)),
                Token::Open(_) | Token::Other => skip(&mut self.source)?,
                piece => self.append(&mut text, piece)?,
            }
            token = self.source.next()?;
        }
    }

    /// Adds a part of a text, within `text_bytes_max`.
    pub(super) fn append(&self, text: &mut String, piece: Token<'a>) -> Result<(), DecodeFault> {
        let at = self.source.at();
        let mut buffer = [0; 4];
        let part = match piece {
            Token::Text(part) => part,
            Token::Char(character) => character.encode_utf8(&mut buffer),
            Token::Opaque(octets) => str::from_utf8(octets).map_err(|_| DecodeFault::NotText { at })?,
            Token::Open(_) | Token::Other | Token::Close | Token::End => "",
        };
        check("text_bytes_max", self.limits.text_bytes_max, text.len() + part.len(), at)?;
        text.push_str(part);
        Ok(())
    }

    /// `Data` of an item: text, opaque octets, or mark-up.
    #[inline]
    pub(super) fn item_data(&mut self) -> Result<ItemData, DecodeFault> {
        if let Some(text) = self.source.simple_text() {
            return Ok(classify(text.as_bytes()));
        }
        if let Some(octets) = self.source.simple_opaque() {
            return Ok(classify(octets));
        }
        let first: &[u8] = match self.source.next()? {
            Token::Close => return Ok(ItemData::Text(Text::default())),
            Token::Text(text) => text.as_bytes(),
            Token::Opaque(octets) => octets,
            token => return self.item_data_rest(Vec::new(), token),
        };
        match self.source.next()? {
            Token::Close => Ok(classify(first)),
            token => self.item_data_rest(first.to_owned(), token),
        }
    }

    fn item_data_rest(&mut self, mut octets: Vec<u8>, mut token: Token<'a>) -> Result<ItemData, DecodeFault> {
        loop {
            let mut buffer = [0; 4];
            let part: &[u8] = match token {
                Token::Close | Token::End => return Ok(classify(&octets)),
                Token::Open(_) | Token::Other => return self.markup(&octets),
                Token::Text(text) => text.as_bytes(),
                Token::Char(character) => character.encode_utf8(&mut buffer).as_bytes(),
                Token::Opaque(part) => part,
            };
            let length = octets.len() + part.len();
            check("text_bytes_max", self.limits.text_bytes_max, length, self.source.at())?;
            octets.extend_from_slice(part);
            token = self.source.next()?;
        }
    }

    /// The rest of a `Data` in which an element was just opened.
    fn markup(&mut self, before: &[u8]) -> Result<ItemData, DecodeFault> {
        let mut markup = Markup::new(before, self.limits, self.source.at())?;
        markup.element(&mut self.source, "")?;
        loop {
            match self.source.next()? {
                Token::Close | Token::End => break,
                Token::Open(_) | Token::Other => markup.element(&mut self.source, "")?,
                Token::Text(text) if text.trim_ascii().is_empty() => {}
                piece => markup.piece(piece, self.source.at())?,
            }
        }
        Ok(classify(&markup.out))
    }
}

#[inline]
fn classify(octets: &[u8]) -> ItemData {
    match as_plain_text(octets) {
        Some(text) => ItemData::Text(Text::new(text)),
        None => ItemData::Opaque(octets.to_owned()),
    }
}
