use std::str;

use super::super::markup::Markup;
use super::super::source::{Source, Token, as_plain_text, unknown_text};
use super::super::{DecodeFault, ItemData, Text};
use super::{Decoder, skip};
use crate::limits::check;

impl<'a, S: Source<'a>> Decoder<'_, S> {
    /// The text of the element just opened, in place of what is in `into`. Elements inside are passed over.
    #[inline]
    pub(super) fn leaf(&mut self, into: &mut Text) -> Result<(), DecodeFault> {
        if let Some(text) = self.source.simple_text() {
            put(into, text);
            return Ok(());
        }
        match self.source.next()? {
            Token::Close => into.clear(),
            Token::Text(first) => match self.source.next()? {
                Token::Close => put(into, first),
                token => *into = self.leaf_rest(first.to_owned(), token)?,
            },
            token => *into = self.leaf_rest(String::new(), token)?,
        }
        Ok(())
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
            Token::Extension(token, at) => return Err(unknown_text(token, at)),
            Token::Open(_) | Token::Other | Token::Close | Token::End => "",
        };
        check("text_bytes_max", self.limits.text_bytes_max, text.len() + part.len(), at)?;
        text.push_str(part);
        Ok(())
    }

    /// `Data` of an item: text, opaque octets, or mark-up.
    #[inline]
    pub(super) fn item_data(&mut self, into: &mut Option<ItemData>) -> Result<(), DecodeFault> {
        if let Some(text) = self.source.simple_text() {
            classify(text.as_bytes(), into);
            return Ok(());
        }
        if let Some(octets) = self.source.simple_opaque() {
            classify(octets, into);
            return Ok(());
        }
        let first: &[u8] = match self.source.next()? {
            Token::Close => {
                *into = Some(ItemData::Text(Text::default()));
                return Ok(());
            }
            Token::Text(text) => text.as_bytes(),
            Token::Opaque(octets) => octets,
            token => return self.item_data_rest(Vec::new(), token, into),
        };
        match self.source.next()? {
            Token::Close => classify(first, into),
            token => self.item_data_rest(first.to_owned(), token, into)?,
        }
        Ok(())
    }

    fn item_data_rest(
        &mut self,
        mut octets: Vec<u8>,
        mut token: Token<'a>,
        into: &mut Option<ItemData>,
    ) -> Result<(), DecodeFault> {
        loop {
            let mut buffer = [0; 4];
            let part: &[u8] = match token {
                Token::Close | Token::End => {
                    classify(&octets, into);
                    return Ok(());
                }
                Token::Open(_) | Token::Other => return self.markup(&octets, into),
                Token::Text(text) => text.as_bytes(),
                Token::Char(character) => character.encode_utf8(&mut buffer).as_bytes(),
                Token::Opaque(part) => part,
                Token::Extension(token, at) => return Err(unknown_text(token, at)),
            };
            let length = octets.len() + part.len();
            check("text_bytes_max", self.limits.text_bytes_max, length, self.source.at())?;
            octets.extend_from_slice(part);
            token = self.source.next()?;
        }
    }

    /// The rest of a `Data` in which an element was just opened.
    fn markup(&mut self, before: &[u8], into: &mut Option<ItemData>) -> Result<(), DecodeFault> {
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
        classify(&markup.out, into);
        Ok(())
    }
}

#[inline]
fn classify(octets: &[u8], into: &mut Option<ItemData>) {
    match as_plain_text(octets) {
        Some(text) => {
            if let ItemData::Text(place) = into.insert(ItemData::Text(Text::default())) {
                put(place, text);
            }
        }
        None => *into = Some(ItemData::Opaque(octets.to_owned())),
    }
}

/// Makes `into` hold `text`. A short one is written where it stays: made elsewhere and moved, its octets would be read
/// back as words before they have left the processor's store buffer, which takes longer than all the rest.
#[inline]
fn put(into: &mut Text, text: &str) {
    if text.len() <= size_of::<Text>() {
        into.clear();
        into.push_str(text);
    } else {
        *into = Text::new(text);
    }
}
