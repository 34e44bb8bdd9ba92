//! Shapes and bounds of what callers give, before anything is done with it.

use std::collections::HashSet;

use super::RequestKey;
use crate::bounds::{
    ATTRIBUTE_NAME_CHARS_MAX, ATTRIBUTE_VALUE_CHARS_MAX, ATTRIBUTES_MAX, GROUP_CHARS_MAX, IMSI_DIGITS, KEY_CHARS,
    REASON_CHARS_MAX, TEXT_CHARS_MAX,
};
use crate::fault::{Fault, FaultName};
use crate::job::DeviceFilter;

/// A text of one line: 1 to `chars_max` characters, none of them a control character.
pub(super) fn line(parameter: &str, text: &str, chars_max: usize) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(Fault::invalid(parameter, text, "must not be empty"));
    }
    prose(parameter, text, chars_max)?;
    if text.chars().any(char::is_control) {
        return Err(Fault::invalid(parameter, text.escape_debug(), "has control characters"));
    }
    Ok(())
}

/// As [`line()`], for a text that may be left out.
pub(super) fn line_if_given(parameter: &str, text: Option<&str>, chars_max: usize) -> Result<(), Fault> {
    text.map_or(Ok(()), |text| line(parameter, text, chars_max))
}

/// A text of any number of lines, of up to `chars_max` characters, that every message format can carry.
pub(super) fn prose(parameter: &str, text: &str, chars_max: usize) -> Result<(), Fault> {
    if text.chars().nth(chars_max).is_some() {
        return Err(Fault::invalid(parameter, text, format_args!("has more than {chars_max} characters")));
    }
    if !is_portable(text) {
        return Err(Fault::invalid(parameter, text.escape_debug(), "has characters that XML cannot carry"));
    }
    Ok(())
}

/// Whether XML 1.0 can carry every character.
pub(super) fn is_portable(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}')))
}

/// The reason a caller gives for what it does.
pub(super) fn reason(reason: Option<&str>) -> Result<(), Fault> {
    reason.map_or(Ok(()), |reason| prose("reason", reason, REASON_CHARS_MAX))
}

/// Whether a text may be a key of a caller's own choice: 1 to 128 visible ASCII characters.
pub(super) fn is_key(id: &str) -> bool {
    KEY_CHARS.contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_graphic())
}

/// An idempotency key.
pub(super) fn request_key(key: Option<&RequestKey>) -> Result<(), Fault> {
    let Some(RequestKey { id, .. }) = key else { return Ok(()) };
    if is_key(id) {
        return Ok(());
    }
    Err(Fault::invalid("requestId", id.escape_debug(), "must have 1 to 128 visible ASCII characters"))
}

/// An IMSI, where one is given.
pub(super) fn imsi(imsi: Option<&str>) -> Result<(), Fault> {
    match imsi {
        Some(imsi) if !(IMSI_DIGITS.contains(&imsi.len()) && imsi.bytes().all(|octet| octet.is_ascii_digit())) => {
            Err(Fault::invalid("imsi", imsi.escape_debug(), "must have 6 to 15 digits"))
        }
        _ => Ok(()),
    }
}

/// The number of entries of a list that must not be empty.
pub(super) fn entries(parameter: &str, number: usize, max: usize) -> Result<(), Fault> {
    if number == 0 {
        return Err(Fault::missing(parameter));
    }
    if number > max {
        let text = format!("{parameter}: {number} entries, but one request may have {max}; send several requests");
        return Err(Fault::new(FaultName::TooManyEntries, text).with(max));
    }
    Ok(())
}

/// The number of values of a field.
pub(super) fn values(parameter: &str, number: usize, max: usize) -> Result<(), Fault> {
    if number <= max {
        Ok(())
    } else {
        Err(Fault::invalid(parameter, number, format_args!("has more than {max} values")))
    }
}

/// Further attributes: bounded, each name once.
pub(super) fn attributes(attribute: &[(String, String)]) -> Result<(), Fault> {
    values("attribute", attribute.len(), ATTRIBUTES_MAX)?;
    let mut seen = HashSet::new();
    for (name, value) in attribute {
        line("attribute", name, ATTRIBUTE_NAME_CHARS_MAX)?;
        prose("attribute", value, ATTRIBUTE_VALUE_CHARS_MAX)?;
        if !seen.insert(name) {
            return Err(Fault::invalid("attribute", name, "each name may stand once"));
        }
    }
    Ok(())
}

/// Criteria for device records.
pub(super) fn device_filter(filter: &DeviceFilter) -> Result<(), Fault> {
    let DeviceFilter { manufacturer, model, firmware_version, group, attribute, .. } = filter;
    line_if_given("manufacturer", manufacturer.as_deref(), TEXT_CHARS_MAX)?;
    line_if_given("model", model.as_deref(), TEXT_CHARS_MAX)?;
    line_if_given("firmwareVersion", firmware_version.as_deref(), TEXT_CHARS_MAX)?;
    line_if_given("group", group.as_deref(), GROUP_CHARS_MAX)?;
    attributes(attribute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(result: Result<(), Fault>) -> Option<FaultName> {
        result.err().map(|fault| fault.name)
    }

    #[test]
    fn a_request_key_has_1_to_128_visible_ascii_characters() {
        let key = |id: &str| request_key(Some(&RequestKey { id: id.to_owned(), content: [0; 32] }));
        assert_eq!(key("a"), Ok(()));
        assert_eq!(key(&"k".repeat(128)), Ok(()));
        for id in ["", "a b", "é", "tab\t", &"k".repeat(129)] {
            assert_eq!(refused(key(id)), Some(FaultName::InvalidArgument), "{id}");
        }
    }

    #[test]
    fn a_line_is_bounded_and_has_no_control_characters() {
        assert_eq!(line("name", "né", 2), Ok(()));
        for text in ["", "abc", "a\n"] {
            assert_eq!(refused(line("name", text, 2)), Some(FaultName::InvalidArgument), "{text:?}");
        }
    }

    #[test]
    fn an_attribute_name_may_stand_once() {
        let pair = |name: &str| (name.to_owned(), "v".to_owned());
        assert_eq!(attributes(&[pair("a"), pair("b")]), Ok(()));
        assert_eq!(refused(attributes(&[pair("a"), pair("a")])), Some(FaultName::InvalidArgument));
    }
}
