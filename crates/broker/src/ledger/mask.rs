//! How personal data look to callers who need not see them.
//!
//! Who lacks the right `personal.read` sees of a phone number, an IMSI or the identifier of a device its beginning and
//! its last two characters. Where the schema wants digits, as for `phoneNumber` of the contract, a masked value would
//! be no value of the type, and the field is left out as what is unknown is.

use serde_json::Value;

/// Characters of a masked value that stay at its end.
const TAIL: usize = 2;
/// Characters of a phone number that stay at its beginning, with the plus sign.
const HEAD_OF_NUMBER: usize = 5;
/// Characters of anything else that stay at its beginning: of an IMEI the type allocation code, with `IMEI:`.
const HEAD: usize = 13;

/// Members of the audit log that people write as they like.
pub const FREE_TEXT: [&str; 4] = ["description", "detail", "jobName", "reason"];

/// `+15551234567` becomes `+1555*****67`, `IMEI:490154203237518` becomes `IMEI:49015420*****18`.
///
/// Of a short value at most a third is shown.
#[must_use]
pub fn text(value: &str) -> String {
    let length = value.chars().count();
    let head = if value.starts_with('+') { HEAD_OF_NUMBER } else { HEAD };
    let (head, tail) = if length > head + TAIL + 2 { (head, TAIL) } else { (length / 3, 0) };
    let masked = length.saturating_sub(head + tail);
    let mut shown: String = value.chars().take(head).collect();
    shown.extend(std::iter::repeat_n('*', masked));
    shown.extend(value.chars().skip(head + masked));
    shown
}

/// Every text of a JSON value, masked; of free text the words that look like names.
#[must_use]
pub fn json(value: Value) -> Value {
    match value {
        Value::String(value) => Value::String(text(&value)),
        Value::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        Value::Object(members) => Value::Object(members.into_iter().map(member).collect()),
        other => other,
    }
}

fn member((name, value): (String, Value)) -> (String, Value) {
    let value = match value {
        Value::String(told) if FREE_TEXT.contains(&name.as_str()) => Value::String(words(&told)),
        value => json(value),
    };
    (name, value)
}

/// Masks each word of a text that looks like the identifier of a device or a number: with a scheme that devices have,
/// or of 10 to 17 digits.
#[must_use]
pub fn words(shown: &str) -> String {
    let mask = |word: &str| {
        let (core, rest) = word.split_at(word.trim_end_matches([',', ';', '.', ')']).len());
        let digits = core.trim_start_matches('+');
        let is_number = (10..=17).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
        let is_device = ["IMEI:", "MEID:", "ESN:", "IMSI:"].iter().any(|scheme| core.starts_with(scheme));
        if is_number || is_device { format!("{}{rest}", text(core)) } else { word.to_owned() }
    };
    shown.split(' ').map(mask).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_last_two_characters_stay() {
        for (value, shown) in [
            ("+15551234567", "+1555*****67"),
            ("IMEI:490154203237518", "IMEI:49015420*****18"),
            ("+12345", "+1****"),
            ("MEID:A1", "ME*****"),
            ("", ""),
            ("é", "*"),
        ] {
            assert_eq!(text(value), shown, "{value}");
        }
    }

    #[test]
    fn free_text_can_be_read_but_for_what_looks_like_a_name() {
        let told = serde_json::json!({"reason": "lost by +15551234567", "subscriberId": "S-1234567"});
        let shown = serde_json::json!({"reason": "lost by +1555*****67", "subscriberId": "S-1******"});
        assert_eq!(json(told), shown);
    }

    #[test]
    fn identifiers_within_a_text_are_masked_and_other_words_are_not() {
        let told = "IMEI:490154203237518 answered, +15551234567 was expected; session 12 of 3 on 2026-11-28";
        let shown = "IMEI:49015420*****18 answered, +1555*****67 was expected; session 12 of 3 on 2026-11-28";
        assert_eq!(words(told), shown);
    }
}
