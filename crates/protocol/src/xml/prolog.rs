use std::borrow::Cow;
use std::str;

use super::{XmlError, attributes};
use crate::limits::{Limits, check};

/// An XML document as text: octet order mark and XML declaration taken away, the declared encoding applied.
///
/// # Errors
/// Above `document_bytes_max`; an encoding other than UTF-8, US-ASCII and ISO-8859-1; octets or characters that do
/// not belong in it.
///
/// Source: XML 1.0, sections 2.2, 2.8 and 4.3.3.
pub fn document_text<'a>(octets: &'a [u8], limits: &Limits) -> Result<Cow<'a, str>, XmlError> {
    check("document_bytes_max", limits.document_bytes_max, octets.len(), 0)?;
    if octets.starts_with(&[0xFE, 0xFF]) || octets.starts_with(&[0xFF, 0xFE]) || octets.contains(&0) {
        return Err(XmlError::Encoding { name: "UTF-16".into() });
    }
    let marked = octets.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(octets);
    let (encoding, body) = declaration(marked, limits).map_err(|it| it.moved(|at| at + octets.len() - marked.len()))?;
    body_text(encoding, body).map_err(|it| it.moved(|at| at + octets.len() - body.len()))
}

/// What follows the declaration, with the encoding it names.
fn body_text<'a>(encoding: Option<&str>, body: &'a [u8]) -> Result<Cow<'a, str>, XmlError> {
    let text = match encoding {
        Some(name) if name.eq_ignore_ascii_case("ISO-8859-1") || name.eq_ignore_ascii_case("latin1") => latin1(body)?,
        Some(name) if name.eq_ignore_ascii_case("US-ASCII") || name.eq_ignore_ascii_case("ASCII") => {
            if let Some(at) = body.iter().position(|octet| !octet.is_ascii()) {
                return Err(XmlError::NotText { at });
            }
            utf8(body)?
        }
        Some(name) if !name.eq_ignore_ascii_case("UTF-8") && !name.eq_ignore_ascii_case("UTF8") => {
            return Err(XmlError::Encoding { name: name.chars().take(40).collect() });
        }
        _ => utf8(body)?,
    };
    check_characters(&text)?;
    Ok(text)
}

/// The declared encoding, if any, and what follows the declaration.
fn declaration<'a>(octets: &'a [u8], limits: &Limits) -> Result<(Option<&'a str>, &'a [u8]), XmlError> {
    let Some(rest) = octets.strip_prefix(b"<?xml") else { return Ok((None, octets)) };
    if !rest.first().is_some_and(u8::is_ascii_whitespace) {
        return Ok((None, octets));
    }
    let end = rest.windows(2).position(|pair| pair == b"?>").ok_or(XmlError::Truncated { at: octets.len() })?;
    let (inside, body) = rest.split_at(end);
    let inside = str::from_utf8(inside).map_err(|_| XmlError::NotText { at: 0 })?;
    let mut found = Vec::new();
    attributes::read(inside, 0, limits, &mut found)?;
    if !found.first().is_some_and(|it| it.name == "version" && it.value.starts_with("1.")) {
        return Err(XmlError::syntax(0, "XML declaration without version 1"));
    }
    let encoding = found.iter().find(|it| it.name == "encoding").map(|it| it.value);
    Ok((encoding, body.get(2..).unwrap_or_default()))
}

fn utf8(octets: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    str::from_utf8(octets).map(Cow::Borrowed).map_err(|error| XmlError::NotText { at: error.valid_up_to() })
}

fn latin1(octets: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    match octets.iter().position(is_control) {
        Some(at) => Err(XmlError::Character { at }),
        None => Ok(Cow::Owned(octets.iter().map(|octet| char::from(*octet)).collect())),
    }
}

fn is_control(octet: &u8) -> bool {
    *octet < 0x20 && !matches!(octet, b'\t' | b'\n' | b'\r')
}

/// Refuses the characters XML does not have. Looks at whole octets first, since nearly every document is clean.
fn check_characters(text: &str) -> Result<(), XmlError> {
    let suspect = text.as_bytes().iter().fold(false, |found, octet| found | is_control(octet));
    if suspect || (!text.is_ascii() && text.contains(['\u{FFFE}', '\u{FFFF}'])) {
        let at = text.char_indices().find(|(_, it)| !super::reference::is_xml_char(*it)).map_or(0, |(at, _)| at);
        return Err(XmlError::Character { at });
    }
    Ok(())
}
