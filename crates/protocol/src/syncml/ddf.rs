//! Whole DM DDF documents: from WBXML to XML and back.

use super::markup::Markup;
use super::source::{Source, Token, WbxmlSource, XmlSource};
use super::{DecodeError, DecodeFault};
use crate::limits::Limits;
use crate::wbxml::tags::{DDF_PAGE, ddf_token};
use crate::wbxml::writer::Writer;
use crate::xml::document_text;

/// The public identifier, with the zero that libwbxml writes after it.
const PUBLIC_ID: &str = "-//OMA//DTD-DM-DDF 1.2//EN\0";

/// The XML text of a document in WBXML.
pub(crate) fn ddf_document(octets: &[u8], limits: &Limits) -> Result<String, DecodeError> {
    let mut source = WbxmlSource::of_any_type(octets, limits).map_err(DecodeError::before_root)?;
    let mut markup = Markup::empty(limits);
    let text = markup.document(&mut source).and_then(|()| {
        let at = source.at();
        String::from_utf8(markup.out).map_err(|_| DecodeFault::NotText { at })
    });
    text.map_err(|fault| {
        let mut again = WbxmlSource::of_any_type(octets, limits).ok();
        DecodeError::located(fault, again.as_mut(), source.at())
    })
}

/// A document in WBXML of an XML text.
pub(crate) fn ddf_octets(text: &str, limits: &Limits) -> Result<Vec<u8>, DecodeError> {
    let body = document_text(text.as_bytes(), limits).map_err(|error| DecodeError::before_root(error.into()))?;
    let mut source = XmlSource::new(&body, limits);
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.header_with_text(0x02, PUBLIC_ID);
    match document(&mut source, &mut writer) {
        Ok(()) => Ok(out),
        Err(fault) => Err(DecodeError::located(fault, Some(&mut XmlSource::new(&body, limits)), source.at())
            .in_document(text.as_bytes(), &body, str::len)),
    }
}

fn document<'a>(source: &mut XmlSource<'a>, writer: &mut Writer<'_>) -> Result<(), DecodeFault> {
    source.next()?;
    match (source.name(), source.name().and_then(ddf_token)) {
        (Some("MgmtTree"), Some(token)) => element(source, token, writer)?,
        _ => return Err(DecodeFault::Missing { element: "MgmtTree" }),
    }
    source.next()?;
    Ok(())
}

/// The element just opened, to its end. Elements that code page 2 does not have are passed over, attributes too. White
/// space stays where there is nothing else.
fn element<'a>(source: &mut XmlSource<'a>, token: u8, writer: &mut Writer<'_>) -> Result<(), DecodeFault> {
    let mut opened = false;
    let mut text = String::new();
    loop {
        match source.next()? {
            Token::Text(part) => text.push_str(part),
            Token::Char(character) => text.push(character),
            Token::Open(_) | Token::Other => {
                let Some(child) = source.name().and_then(ddf_token) else {
                    super::decode::skip(source)?;
                    continue;
                };
                if !opened {
                    writer.open(DDF_PAGE, token);
                    opened = true;
                }
                if !text.trim_ascii().is_empty() {
                    writer.string(&text);
                }
                text.clear();
                element(source, child, writer)?;
            }
            Token::Opaque(_) | Token::Extension(..) => {}
            Token::Close | Token::End => break,
        }
    }
    if opened && text.trim_ascii().is_empty() {
        writer.close();
    } else if opened || !text.is_empty() {
        if !opened {
            writer.open(DDF_PAGE, token);
        }
        writer.string(&text);
        writer.close();
    } else {
        writer.empty(DDF_PAGE, token);
    }
    Ok(())
}
