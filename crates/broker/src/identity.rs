//! What devices and subscribers are called: device identifiers and phone numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A device identifier in its stored form: `IMEI:` and 15 digits for an IMEI, else as given with the scheme in
/// upper case, so that two spellings of one device are equal.
///
/// Source: DM WSI contract, section 3, "Device identity".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(String);

/// Why a text from a caller is no device identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADeviceId {
    /// Empty, too long, or with characters that do not print.
    #[error("a device identifier has 1 to 255 printable characters")]
    Shape,
    /// An IMEI whose last digit does not fit the others.
    #[error("the check digit of the IMEI is wrong")]
    CheckDigit,
}

impl DeviceId {
    /// Reads an identifier that a caller gave.
    ///
    /// # Errors
    /// [`NotADeviceId`] where the shape is impossible or an IMEI has a wrong check digit.
    pub fn from_caller(text: &str) -> Result<Self, NotADeviceId> {
        let text = shaped(text)?;
        match imei_digits(text) {
            Some(digits) => imei(&digits).map(Self).ok_or(NotADeviceId::CheckDigit),
            None => Ok(Self(opaque(text))),
        }
    }

    /// Reads an identifier that a device gave. An IMEI with a wrong check digit is taken as an opaque identifier.
    ///
    /// # Errors
    /// [`NotADeviceId::Shape`].
    pub fn from_device(text: &str) -> Result<Self, NotADeviceId> {
        let text = shaped(text)?;
        Ok(Self(imei_digits(text).and_then(|digits| imei(&digits)).unwrap_or_else(|| opaque(text))))
    }

    /// The stored form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As who need not see it sees it: its beginning and its end.
    #[must_use]
    pub fn masked(&self) -> Self {
        Self(crate::ledger::mask::text(&self.0))
    }

    /// Type allocation code: the first eight digits, if this is a valid IMEI.
    #[must_use]
    pub fn tac(&self) -> Option<&str> {
        let digits = self.0.strip_prefix("IMEI:")?;
        (digits.len() == 15 && imei(digits.as_bytes()).is_some()).then(|| &digits[..8])
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn shaped(text: &str) -> Result<&str, NotADeviceId> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control);
    fits.then_some(text).ok_or(NotADeviceId::Shape)
}

/// The digits of a text that means an IMEI or IMEISV, in any of its spellings.
fn imei_digits(text: &str) -> Option<Vec<u8>> {
    let lower = text.to_ascii_lowercase();
    let named = lower.strip_prefix("urn:imei:").or_else(|| lower.strip_prefix("imei:"));
    let digits: Vec<u8> = named.unwrap_or(&lower).bytes().filter(|octet| *octet != b'-').collect();
    ((14..=16).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)).then_some(digits)
}

/// The stored form of 14 (no check digit), 15 or 16 (IMEISV) digits; nothing if a check digit is wrong.
fn imei(digits: &[u8]) -> Option<String> {
    let (body, given) = match digits.len() {
        14 | 16 => (digits.get(..14)?, None),
        15 => (digits.get(..14)?, digits.last().copied()),
        _ => return None,
    };
    let check = b'0' + luhn(body);
    if given.is_some_and(|given| given != check) {
        return None;
    }
    let mut text = String::with_capacity(20);
    text.push_str("IMEI:");
    text.extend(body.iter().chain([&check]).map(|octet| char::from(*octet)));
    Some(text)
}

/// The check digit, 0 to 9, of digits to which it will be appended.
///
/// Source: ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, octet)| {
            let digit = u32::from(octet - b'0') * if place % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    ((10 - sum % 10) % 10) as u8
}

/// An identifier of another scheme: the part before the last colon does not care about case.
fn opaque(text: &str) -> String {
    match text.rsplit_once(':') {
        Some((scheme, value)) => format!("{}:{value}", scheme.to_ascii_uppercase()),
        None => text.to_owned(),
    }
}

/// A full international MSISDN in its stored form: a plus sign and 5 to 15 digits.
///
/// Source: E.164; DM WSI contract, section 6.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Msisdn(String);

/// A text that is no MSISDN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a phone number has 5 to 15 digits, with or without a leading plus sign")]
pub struct NotAnMsisdn;

impl Msisdn {
    /// Reads `+15551234567` or `15551234567`.
    ///
    /// # Errors
    /// [`NotAnMsisdn`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NotAnMsisdn> {
        let text = text.trim();
        let digits = text.strip_prefix('+').unwrap_or(text);
        let fits = (5..=15).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
        fits.then(|| Self(format!("+{digits}"))).ok_or(NotAnMsisdn)
    }

    /// The stored form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_imei_is_one_device() {
        for text in [
            "IMEI:490154203237518",
            "urn:imei:490154203237518",
            "URN:IMEI:49015420-323751-8",
            "imei:49015420-323751-8",
            "490154203237518",
            "49015420323751",
            "4901542032375101",
        ] {
            assert_eq!(
                DeviceId::from_caller(text).map(|id| id.to_string()),
                Ok("IMEI:490154203237518".into()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_wrong_check_digit_is_an_error_of_callers_and_opaque_from_devices() {
        assert_eq!(DeviceId::from_caller("IMEI:490154203237510"), Err(NotADeviceId::CheckDigit));
        let device = DeviceId::from_device("imei:490154203237510");
        assert_eq!(device.as_ref().map(DeviceId::as_str), Ok("IMEI:490154203237510"));
        assert_eq!(device.map(|id| id.tac().map(str::to_owned)), Ok(None));
    }

    #[test]
    fn the_scheme_of_other_identifiers_does_not_care_about_case() {
        assert_eq!(DeviceId::from_caller("meid:A10000"), DeviceId::from_device("MEID:A10000"));
        assert_ne!(DeviceId::from_caller("meid:a10000"), DeviceId::from_caller("meid:A10000"));
    }

    #[test]
    fn a_phone_number_is_stored_with_its_plus_sign() {
        assert_eq!(Msisdn::parse("15551234567"), Msisdn::parse("+15551234567"));
        for text in ["", "+", "1234", "+1555123456789012", "+1555-1234", "tel:+15551234567"] {
            assert_eq!(Msisdn::parse(text), Err(NotAnMsisdn), "{text}");
        }
    }
}
