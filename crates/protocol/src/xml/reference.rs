use std::borrow::Cow;

use super::XmlError;

/// Whether XML 1.0 has the character (production `Char`).
pub(crate) fn is_xml_char(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    }
}

/// The character that `&name;` stands for.
pub(super) fn character(name: &str, at: usize) -> Result<char, XmlError> {
    Ok(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#').ok_or(XmlError::Entity { at })?;
            let (digits, radix) = match number.strip_prefix('x') {
                Some(hexadecimal) => (hexadecimal, 16),
                None => (number, 10),
            };
            if !digits.chars().all(|digit| digit.is_digit(radix)) {
                return Err(XmlError::Entity { at });
            }
            let code = u32::from_str_radix(digits, radix).map_err(|_| XmlError::Entity { at })?;
            let character = char::from_u32(code).filter(|it| is_xml_char(*it));
            character.ok_or(XmlError::Character { at })?
        }
    })
}

/// An attribute value with its references resolved and its white space made spaces.
pub(super) fn attribute_value(raw: &str, at: usize) -> Result<Cow<'_, str>, XmlError> {
    if !raw.contains(['&', '\t', '\n', '\r']) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(next) = rest.find(['&', '\t', '\n', '\r']) {
        let (plain, special) = rest.split_at(next);
        value.push_str(plain);
        if let Some(reference) = special.strip_prefix('&') {
            let (name, after) = reference.split_once(';').ok_or(XmlError::Entity { at })?;
            value.push(character(name, at)?);
            rest = after;
        } else {
            value.push(' ');
            let after = special.strip_prefix("\r\n");
            rest = after.or_else(|| special.get(1..)).unwrap_or_default();
        }
    }
    value.push_str(rest);
    Ok(Cow::Owned(value))
}
