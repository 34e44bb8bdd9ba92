//! Text on its way into an XML document.

use super::reference::is_xml_char;
use super::scan::plain_length;

/// A character that XML 1.0 has no way to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("XML cannot carry the character U+{:04X}", u32::from(*character))]
pub struct NotXmlCharacter {
    /// The character.
    pub character: char,
}

/// Appends `text` as character data: `&`, `<`, `>` and carriage return as references.
///
/// # Errors
/// [`NotXmlCharacter`]; what stands in `out` then is of no use.
///
/// Source: XML 1.0, sections 2.2, 2.4 and 2.11.
pub fn put_text(text: &str, out: &mut Vec<u8>) -> Result<(), NotXmlCharacter> {
    let mut rest = text;
    loop {
        let (plain, tail) = rest.split_at(plain_length(rest.as_bytes()));
        out.extend_from_slice(plain.as_bytes());
        let Some(character) = tail.chars().next() else { return Ok(()) };
        match character {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '\r' => out.extend_from_slice(b"&#13;"),
            _ if is_xml_char(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => return Err(NotXmlCharacter { character }),
        }
        rest = tail.get(character.len_utf8()..).unwrap_or_default();
    }
}

/// Appends `text` as a CDATA section, or several where it has `]]>` in it. A carriage return comes back as a line feed.
///
/// # Errors
/// [`NotXmlCharacter`]; what stands in `out` then is of no use.
///
/// Source: XML 1.0, section 2.7.
pub fn put_cdata(text: &str, out: &mut Vec<u8>) -> Result<(), NotXmlCharacter> {
    if let Some(character) = text.chars().find(|it| !is_xml_char(*it)) {
        return Err(NotXmlCharacter { character });
    }
    out.extend_from_slice(b"<![CDATA[");
    for (number, part) in text.split("]]>").enumerate() {
        if number > 0 {
            out.extend_from_slice(b"]]]]><![CDATA[>");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(b"]]>");
    Ok(())
}

/// Appends ` name="value"`.
///
/// # Errors
/// [`NotXmlCharacter`].
pub fn put_attribute(name: &str, value: &str, out: &mut Vec<u8>) -> Result<(), NotXmlCharacter> {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    for character in value.chars() {
        match character {
            '"' => out.extend_from_slice(b"&quot;"),
            '\t' => out.extend_from_slice(b"&#9;"),
            '\n' => out.extend_from_slice(b"&#10;"),
            _ => put_text(character.encode_utf8(&mut [0; 4]), out)?,
        }
    }
    out.push(b'"');
    Ok(())
}
