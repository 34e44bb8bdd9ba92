use std::borrow::Cow;

use super::XmlError;

/// The characters of a document in UTF-8 or UTF-16, without byte order mark.
///
/// `charset` is the parameter of the media type; it counts before byte order mark and XML declaration.
///
/// # Errors
/// [`XmlError::Encoding`] for any other encoding, and for octets that are not in it.
pub fn decode<'a>(document: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, XmlError> {
    let encoding = match charset {
        Some(name) => named(name, document)?,
        None => guessed(document),
    };
    let text = match encoding {
        Encoding::Utf8 => {
            let octets = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
            Cow::Borrowed(std::str::from_utf8(octets).map_err(|_| XmlError::Encoding)?)
        }
        Encoding::Utf16(order) => Cow::Owned(utf16(document, order)?),
    };
    // Without a parameter the declaration must agree with what the octets are.
    if charset.is_none()
        && let Some(declared) = declared(&text)
    {
        let is_wide = declared.to_ascii_lowercase().starts_with("utf-16");
        let agrees = match encoding {
            Encoding::Utf8 => is_utf8(declared) && (!is_ascii(declared) || text.is_ascii()),
            Encoding::Utf16(_) => is_wide,
        };
        if !agrees {
            return Err(XmlError::Encoding);
        }
    }
    Ok(text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16(Order),
}

fn is_ascii(name: &str) -> bool {
    name.eq_ignore_ascii_case("us-ascii") || name.eq_ignore_ascii_case("ascii")
}

fn is_utf8(name: &str) -> bool {
    name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8") || is_ascii(name)
}

fn named(name: &str, document: &[u8]) -> Result<Encoding, XmlError> {
    let name = name.trim();
    if is_utf8(name) {
        if is_ascii(name) && !document.is_ascii() {
            return Err(XmlError::Encoding);
        }
        return Ok(Encoding::Utf8);
    }
    match name.to_ascii_lowercase().as_str() {
        "utf-16be" => Ok(Encoding::Utf16(Order::Big)),
        "utf-16le" => Ok(Encoding::Utf16(Order::Little)),
        "utf-16" => Ok(match guessed(document) {
            Encoding::Utf8 => Encoding::Utf16(Order::Big),
            wide => wide,
        }),
        _ => Err(XmlError::Encoding),
    }
}

/// What the first octets show.
///
/// Source: XML 1.0, appendix F.
fn guessed(document: &[u8]) -> Encoding {
    match document {
        [0xFE, 0xFF, ..] | [0, b'<', ..] => Encoding::Utf16(Order::Big),
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => Encoding::Utf16(Order::Little),
        _ => Encoding::Utf8,
    }
}

fn utf16(document: &[u8], order: Order) -> Result<String, XmlError> {
    let (pairs, rest) = document.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(XmlError::Encoding);
    }
    let units = pairs.iter().map(|pair| match order {
        Order::Big => u16::from_be_bytes(*pair),
        Order::Little => u16::from_le_bytes(*pair),
    });
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| XmlError::Encoding)?;
    Ok(text.strip_prefix('\u{FEFF}').map_or_else(|| text.clone(), str::to_owned))
}

/// The encoding that the XML declaration names.
fn declared(text: &str) -> Option<&str> {
    let declaration = text.strip_prefix("<?xml")?;
    let declaration = &declaration[..declaration.find("?>")?];
    let after = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|it| matches!(it, '"' | '\''))?;
    after.get(1..)?.split(quote).next()
}
