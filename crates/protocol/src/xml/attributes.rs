use super::XmlError;
use crate::limits::{Limits, check};

/// One attribute as written: name with its prefix, value with its references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawAttribute<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

/// Whether `name` may name an element or attribute. Of the characters above ASCII all are taken.
pub(super) fn is_name(name: &str) -> bool {
    let mut octets = name.bytes();
    let first = octets.next().is_some_and(|it| it.is_ascii_alphabetic() || matches!(it, b'_' | 0x80..));
    first && octets.all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.' | b':' | 0x80..))
}

/// Reads the attributes of a start tag into `out`, which is cleared first. `raw` is what follows the element's name.
pub(super) fn read<'a>(
    raw: &'a str,
    at: usize,
    limits: &Limits,
    out: &mut Vec<RawAttribute<'a>>,
) -> Result<(), XmlError> {
    const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
    out.clear();
    let mut rest = raw;
    loop {
        let trimmed = rest.trim_start_matches(SPACE);
        if trimmed.is_empty() {
            return Ok(());
        }
        if trimmed.len() == rest.len() {
            return Err(XmlError::syntax(at, "no space before an attribute"));
        }
        let (name, after) = trimmed.split_once('=').ok_or_else(|| XmlError::syntax(at, "attribute without a value"))?;
        let name = name.trim_end_matches(SPACE);
        let after = after.trim_start_matches(SPACE);
        let quote = after.chars().next().filter(|it| matches!(it, '"' | '\''));
        let quote = quote.ok_or_else(|| XmlError::syntax(at, "attribute value without quotes"))?;
        let value = after.get(1..).and_then(|value| value.split_once(quote));
        let (value, after) = value.ok_or_else(|| XmlError::syntax(at, "attribute value without end"))?;
        if !is_name(name) {
            return Err(XmlError::syntax(at, "attribute name"));
        }
        if value.contains('<') {
            return Err(XmlError::syntax(at, "'<' in an attribute value"));
        }
        if out.iter().any(|earlier| earlier.name == name) {
            return Err(XmlError::syntax(at, "attribute given twice"));
        }
        check("attributes_max", limits.attributes_max, out.len() + 1, at)?;
        out.push(RawAttribute { name, value });
        rest = after;
    }
}
