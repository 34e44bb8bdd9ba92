//! Both wire forms as one stream of elements and texts, each text with the place where it stands.

use std::ops::Range;

use super::edit::Edits;
use super::secret::is_secret_node;
use super::{BLANK, DecodeFault};
use crate::limits::Limits;
use crate::wbxml::tags::{self, Tag};
use crate::wbxml::{Charset, Header, PublicId, Reader, Token, WbxmlError, mb_u_int32};
use crate::xml::{Event, PullReader, writer};

/// One step through a document.
#[derive(Clone, Copy, Debug)]
pub(in crate::syncml) enum Step<'a> {
    /// An element by its local name; empty where WBXML has none for it.
    Open(&'a str),
    Text(&'a [u8]),
    Char(char),
    Close,
    End,
}

pub(in crate::syncml) trait Marked<'a> {
    fn step(&mut self) -> Result<Step<'a>, DecodeFault>;
    /// Octets read so far.
    fn at(&self) -> usize;
    /// Where the text given last stands; empty if the whole was told with a part before.
    fn span(&self) -> Range<usize>;
    /// Blanks the value of the element opened last, if it is a parameter that has its value in an attribute.
    fn blank_parameter(&self, edits: &mut Edits);
    /// Lets `text` stand where an element's texts stood, in the form that they had.
    fn rewrite(&self, spans: &[Range<usize>], text: &[u8], edits: &mut Edits);
}

pub(in crate::syncml) struct XmlMarked<'a> {
    text: &'a str,
    reader: PullReader<'a>,
    before: usize,
}

impl<'a> XmlMarked<'a> {
    pub(in crate::syncml) fn new(text: &'a str, limits: &Limits) -> Self {
        Self { text, reader: PullReader::new(text, limits), before: 0 }
    }

    /// Where the attribute of this name has its value in the start tag read last.
    fn attribute(&self, name: &str) -> Option<Range<usize>> {
        // No '<' can stand inside a start tag.
        let start = self.text.get(..self.reader.at())?.rfind('<')?;
        let mut at = start;
        loop {
            let rest = self.text.get(at..self.reader.at())?;
            let equals = rest.find('=')?;
            let before = rest.get(..equals)?.trim_end();
            let quote = rest.get(equals..)?.find(['"', '\''])?;
            let open = at + equals + quote + 1;
            let mark = char::from(*self.text.as_bytes().get(open - 1)?);
            let end = open + self.text.get(open..self.reader.at())?.find(mark)?;
            if before.ends_with(name)
                && before.len() > name.len()
                && before.trim_end_matches(name).ends_with([' ', '\t', '\r', '\n'])
            {
                return Some(open..end);
            }
            at = end + 1;
        }
    }
}

impl<'a> Marked<'a> for XmlMarked<'a> {
    fn step(&mut self) -> Result<Step<'a>, DecodeFault> {
        self.before = self.reader.at();
        Ok(match self.reader.next_event()? {
            Event::Open { name, .. } => Step::Open(name),
            Event::Text(text) => Step::Text(text.as_bytes()),
            Event::Char(character) => Step::Char(character),
            Event::Close => Step::Close,
            Event::End => Step::End,
        })
    }

    fn at(&self) -> usize {
        self.reader.at()
    }

    fn span(&self) -> Range<usize> {
        self.before..self.reader.at()
    }

    fn blank_parameter(&self, edits: &mut Edits) {
        let named = |wanted: &str| {
            self.reader.attributes().filter_map(Result::ok).find(|(_, name, _)| *name == wanted).map(|it| it.2)
        };
        if named("name").is_some_and(|name| is_secret_node(&name))
            && let Some(span) = self.attribute("value").filter(|span| !span.is_empty())
        {
            edits.replace(span, BLANK.into());
            edits.count();
        }
    }

    fn rewrite(&self, spans: &[Range<usize>], text: &[u8], edits: &mut Edits) {
        let [first, rest @ ..] = spans else { return };
        let is_cdata = rest.is_empty() && self.text.get(first.clone()).is_some_and(|it| it.starts_with("<![CDATA["));
        let text = std::str::from_utf8(text).unwrap_or(BLANK);
        let mut out = Vec::new();
        if is_cdata && !text.contains("]]>") {
            out.extend_from_slice(format!("<![CDATA[{text}]]>").as_bytes());
        } else if writer::put_text(text, &mut out).is_err() {
            out = BLANK.into();
        }
        edits.replace(first.clone(), out);
        rest.iter().for_each(|span| edits.replace(span.clone(), Vec::new()));
    }
}

const SWITCH_PAGE: u8 = 0x00;
const STR_I: u8 = 0x03;
const STR_T: u8 = 0x83;
const OPAQUE: u8 = 0xC3;

pub(in crate::syncml) struct WbxmlMarked<'a> {
    octets: &'a [u8],
    reader: Reader<'a>,
    table_at: usize,
    before: usize,
}

impl<'a> WbxmlMarked<'a> {
    pub(in crate::syncml) fn new(octets: &'a [u8], limits: &Limits) -> Result<Self, DecodeFault> {
        let (header, body) = Header::read(octets, limits)?;
        let table_at = body.saturating_sub(header.strings.len());
        Ok(Self { octets, reader: Reader::new(octets, limits)?, table_at, before: body })
    }

    /// What the document is.
    pub(super) fn public_id(&self) -> PublicId<'a> {
        self.reader.header().public_id
    }

    /// The string table but for the name of the document type, if that stands in it.
    pub(super) fn table_but_name(&self) -> [Range<usize>; 2] {
        let strings = self.reader.header().strings;
        let (start, end) = (self.table_at, self.table_at + strings.len());
        let PublicId::Text(name) = self.public_id() else { return [start..end, end..end] };
        let at = strings.windows(name.len().max(1)).position(|part| part == name).unwrap_or(strings.len());
        [start..start + at, (start + at + name.len()).min(end)..end]
    }

    /// Stars for a string of the table: it would stand there still when nothing refers to it.
    fn star(&self, span: &Range<usize>, edits: &mut Edits) {
        let Some(Ok((offset, _))) =
            (self.octets.get(span.start) == Some(&STR_T)).then(|| mb_u_int32(self.octets, span.start + 1))
        else {
            return;
        };
        let strings = self.reader.header().strings.get(offset as usize..).unwrap_or_default();
        let length = strings.iter().position(|octet| *octet == 0).unwrap_or(strings.len());
        let start = self.table_at + offset as usize;
        edits.overwrite(start..start + length);
    }
}

impl<'a> Marked<'a> for WbxmlMarked<'a> {
    fn step(&mut self) -> Result<Step<'a>, DecodeFault> {
        while self.reader.next_attribute()?.is_some() {}
        self.before = self.reader.at();
        Ok(match self.reader.next_token()? {
            Token::Open { page: tags::DDF_PAGE, token } => Step::Open(tags::ddf_name(token).unwrap_or_default()),
            Token::Open { page, token } => Step::Open(Tag::from_code(page, token).map_or("", Tag::name)),
            Token::Literal(_) => Step::Open(""),
            Token::Text(text) => Step::Text(text.as_bytes()),
            Token::Char(character) => Step::Char(character),
            Token::Opaque(octets) => Step::Text(octets),
            // What it stands for is not known, so it may be a secret: nothing from here on is kept.
            Token::Extension { token, at } => return Err(WbxmlError::Token { token, at }.into()),
            Token::Close => Step::Close,
            Token::End => Step::End,
        })
    }

    fn at(&self) -> usize {
        self.reader.at()
    }

    fn span(&self) -> Range<usize> {
        // The page may be switched before a text, and must still be.
        let mut start = self.before;
        while self.octets.get(start) == Some(&SWITCH_PAGE) && start + 2 <= self.reader.at() {
            start += 2;
        }
        start..self.reader.at()
    }

    fn blank_parameter(&self, _: &mut Edits) {}

    fn rewrite(&self, spans: &[Range<usize>], text: &[u8], edits: &mut Edits) {
        let [first, rest @ ..] = spans else { return };
        spans.iter().for_each(|span| self.star(span, edits));
        let is_utf8 = self.reader.header().charset == Charset::Utf8;
        let was_opaque = self.octets.get(first.start) == Some(&OPAQUE);
        let mut out = Vec::with_capacity(text.len() + 6);
        let fits = std::str::from_utf8(text).is_ok_and(|text| (is_utf8 || text.is_ascii()) && !text.contains('\0'));
        if was_opaque || !fits {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            crate::wbxml::writer::Writer::new(&mut out).opaque(length, text);
        } else {
            out.push(STR_I);
            out.extend_from_slice(text);
            out.push(0);
        }
        edits.replace(first.clone(), out);
        rest.iter().for_each(|span| edits.replace(span.clone(), Vec::new()));
    }
}
