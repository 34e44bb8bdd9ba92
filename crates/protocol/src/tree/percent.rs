//! Percent-encoding of node names over UTF-8.
//!
//! Source: RFC 3986, section 2; OMA DM 1.2 Tree and Description, "Addressing object values".

use std::borrow::Cow;

/// A node name as one segment of an address: everything but unreserved characters and those that no DM client
/// encodes (`:`, `@`, `!`, `$`, `'`, `(`, `)`, `*`, `,`, `;`) is written as `%XX`.
#[must_use]
pub fn encode(name: &str) -> Cow<'_, str> {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~:@!$'()*,;".contains(&octet);
    if name.bytes().all(is_plain) {
        return Cow::Borrowed(name);
    }
    let mut encoded = String::with_capacity(name.len() + 8);
    for octet in name.bytes() {
        if is_plain(octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.push('%');
            for digit in [octet >> 4, octet & 0x0F] {
                encoded.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    Cow::Owned(encoded)
}

/// The name that a segment stands for; nothing if its octets are not UTF-8. A `%` without two hexadecimal digits
/// after it stands for itself: devices have nodes called `50%`.
#[must_use]
pub fn decode(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let mut octets = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|octet| char::from(*octet).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                octets.push((high << 4 | low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                octets.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(octets).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_encoding_and_decoding() {
        for (name, encoded) in [
            ("Man", "Man"),
            ("a b/c", "a%20b%2Fc"),
            ("{90140000-0115}", "%7B90140000-0115%7D"),
            ("grün€", "gr%C3%BCn%E2%82%AC"),
            ("50%", "50%25"),
            ("", ""),
        ] {
            assert_eq!(encode(name), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_no_encoding_stands_for_itself_and_octets_that_are_no_text_are_refused() {
        assert_eq!(decode("50%").as_deref(), Some("50%"));
        assert_eq!(decode("%zz%4").as_deref(), Some("%zz%4"));
        assert_eq!(decode("%c3%bc").as_deref(), Some("ü"));
        assert_eq!(decode("%FF"), None);
        assert_eq!(decode("%C0%AF"), None);
    }
}
