//! How a device knows who sent a provisioning document: `SEC` and `MAC` of its media type.
//!
//! Source: OMA Provisioning Bootstrap 1.1, "Security"; OMA DM Bootstrap 1.2, "Security" (words instead of numbers).

use std::hint::black_box;

use sha1_smol::Sha1;

/// The method that `SEC` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sec {
    /// The key is a secret that device and network share: of GSM the IMSI.
    NetwPin,
    /// The key is a PIN that the user types.
    UserPin,
    /// The key is the network's secret and then the PIN.
    UserNetwPin,
    /// The PIN holds its own check: half of it is random, the other half comes from the document.
    UserPinMac,
}

impl Sec {
    const ALL: [Self; 4] = [Self::NetwPin, Self::UserPin, Self::UserNetwPin, Self::UserPinMac];

    /// The method with this number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|it| u64::from(it.number()) == number)
    }

    /// The method by its number or word, as it stands in a media type.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "NETWORKID" => Some(Self::NetwPin),
            "USERPIN" => Some(Self::UserPin),
            "USERPIN_NETWORKID" => Some(Self::UserNetwPin),
            number => Self::from_number(number.parse().ok()?),
        }
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NetwPin => "NETWPIN",
            Self::UserPin => "USERPIN",
            Self::UserNetwPin => "USERNETWPIN",
            Self::UserPinMac => "USERPINMAC",
        }
    }

    /// What it asks of the one who checks.
    #[must_use]
    pub fn needs(self) -> &'static str {
        match self {
            Self::NetwPin => "the IMSI",
            Self::UserPin | Self::UserPinMac => "the PIN",
            Self::UserNetwPin => "the IMSI and the PIN",
        }
    }
}

/// What is known to check a document with.
#[derive(Clone, Copy, Default)]
pub struct Secrets<'a> {
    /// Digits of the IMSI.
    pub imsi: Option<&'a str>,
    /// The PIN.
    pub pin: Option<&'a str>,
    /// The key itself, where it is made in a way that is not known here. Counts before the others.
    pub key: Option<&'a [u8]>,
}

/// What checking a document gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sender knew the secret.
    Right,
    /// The sender did not know the secret, or the document was changed.
    Wrong,
    /// The secret that this method needs is not given.
    NoSecret,
    /// The method needs a MAC and there is none, or it is not 40 hexadecimal digits.
    NoMac,
}

/// HMAC-SHA1 of the document's octets.
///
/// Source: RFC 2104.
#[must_use]
pub fn mac(key: &[u8], document: &[u8]) -> [u8; 20] {
    const BLOCK_BYTES: usize = 64;
    let hashed = Sha1::from(key).digest().bytes();
    let key = if key.len() > BLOCK_BYTES { hashed.as_slice() } else { key };
    let mut padded = [0_u8; BLOCK_BYTES];
    for (place, octet) in padded.iter_mut().zip(key) {
        *place = *octet;
    }
    let round = |pad: u8, message: &[u8]| {
        let mut sha = Sha1::from(padded.map(|octet| octet ^ pad));
        sha.update(message);
        sha.digest().bytes()
    };
    round(0x5C, &round(0x36, document))
}

/// The MAC as it is sent: 40 upper-case hexadecimal digits.
#[must_use]
pub fn mac_text(key: &[u8], document: &[u8]) -> String {
    mac(key, document).iter().map(|octet| format!("{octet:02X}")).collect()
}

/// The key that GSM devices make of their IMSI: its digits as a SIM card keeps them, two to an octet, the first in the
/// low half, a parity digit before them and a filler behind an even number of them. Nothing for what are not digits.
#[must_use]
pub fn imsi_key(imsi: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = imsi.chars().map(|it| it.to_digit(10).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|it| (6..=15).contains(&it.len()))?;
    let (parity, filler) = if digits.len() % 2 == 1 { (9, None) } else { (1, Some(0xF)) };
    let halves: Vec<u8> = [parity].into_iter().chain(digits).chain(filler).collect();
    Some(halves.chunks(2).map(|pair| pair.iter().rev().fold(0, |octet, half| octet << 4 | half)).collect())
}

/// The part of a PIN that the document makes, for a random part of as many digits.
#[must_use]
pub fn pin_mac(random: &str, document: &[u8]) -> String {
    let digits = mac(random.as_bytes(), document);
    digits.iter().take(random.len()).map(|octet| char::from(b'0' + octet % 10)).collect()
}

/// Checks what `SEC` and `MAC` say about the exact octets of a document.
#[must_use]
pub fn check(sec: Sec, given: Option<&str>, document: &[u8], secrets: &Secrets<'_>) -> Verdict {
    if sec == Sec::UserPinMac {
        let Some(pin) = secrets.pin else { return Verdict::NoSecret };
        return verdict(check_pin(pin, document));
    }
    let imsi = secrets.imsi.and_then(imsi_key);
    let pin = secrets.pin.map(|it| it.as_bytes().to_vec());
    let made = match sec {
        Sec::NetwPin => imsi,
        Sec::UserPin | Sec::UserPinMac => pin,
        Sec::UserNetwPin => imsi.zip(pin).map(|(imsi, pin)| [imsi, pin].concat()),
    };
    let Some(key) = secrets.key.map(<[u8]>::to_vec).or(made) else { return Verdict::NoSecret };
    let hexadecimal = |it: &&str| it.len() == 40 && it.bytes().all(|octet| octet.is_ascii_hexdigit());
    let Some(given) = given.map(str::trim).filter(hexadecimal) else { return Verdict::NoMac };
    verdict(same(&mac_text(&key, document), &given.to_ascii_uppercase()))
}

/// Digits of one half of a PIN with its own check.
const PIN_HALF_DIGITS_MIN: usize = 5;

fn check_pin(pin: &str, document: &[u8]) -> bool {
    let half = pin.len() / 2;
    let Some((random, made)) = pin.split_at_checked(half) else { return false };
    half >= PIN_HALF_DIGITS_MIN && pin.len().is_multiple_of(2) && same(&pin_mac(random, document), made)
}

fn verdict(right: bool) -> Verdict {
    if right { Verdict::Right } else { Verdict::Wrong }
}

/// Looks at each octet, so that the time tells nothing.
fn same(right: &str, given: &str) -> bool {
    let difference = right.bytes().zip(given.bytes()).fold(0_u8, |sum, (a, b)| black_box(sum | (a ^ b)));
    right.len() == given.len() && black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use serde_json::Value;

    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn document(name: &str) -> &'static [u8] {
        match name {
            "cp-full" => include_bytes!("../../tests/vectors/oma-dm-1/cp/cp-full.wbxml"),
            "cp-w7-minimal" => include_bytes!("../../tests/vectors/oma-dm-1/cp/cp-w7-minimal.wbxml"),
            "cp-w7-inline-authtype" => include_bytes!("../../tests/vectors/oma-dm-1/cp/cp-w7-inline-authtype.wbxml"),
            _ => include_bytes!("../../tests/vectors/oma-dm-1/syncml/22-tnds-wbxml-add-inbox.wbxml"),
        }
    }

    fn vectors() -> serde_json::Map<String, Value> {
        let vectors = include_str!("../../tests/vectors/oma-dm-1/cp/mac.json");
        serde_json::from_str(vectors).unwrap()
    }

    const IMSI: &str = "262011234567890";

    #[test]
    fn golden_macs_are_made_and_checked() {
        let mut seen = 0;
        for (name, case) in vectors().iter().filter(|(name, _)| name.starts_with("cp-")) {
            for (word, security) in case.as_object().unwrap().iter().filter(|(word, _)| *word != "_doc") {
                let sec = Sec::from_number(security["sec"].as_u64().unwrap()).unwrap();
                assert_eq!(sec.name(), word);
                let octets_of = document(name);
                if let Some(key) = security["key_hex"].as_str().filter(|_| sec != Sec::UserPinMac) {
                    let expected = security["mac_hex"].as_str().unwrap();
                    assert_eq!(mac_text(&octets(key), octets_of), expected, "{name} {word}");
                    let secrets = Secrets { imsi: Some(IMSI), pin: Some("1234"), key: None };
                    assert_eq!(check(sec, Some(expected), octets_of, &secrets), Verdict::Right, "{name} {word}");
                    let lower = expected.to_lowercase();
                    let by_key = Secrets { key: Some(&octets(key)), ..Secrets::default() };
                    assert_eq!(check(sec, Some(&lower), octets_of, &by_key), Verdict::Right);
                } else {
                    let pin = security["full_user_pin"].as_str().unwrap();
                    let random = security["random_part"].as_str().unwrap();
                    assert_eq!(format!("{random}{}", pin_mac(random, octets_of)), pin);
                    let secrets = Secrets { pin: Some(pin), ..Secrets::default() };
                    assert_eq!(check(sec, None, octets_of, &secrets), Verdict::Right, "{name} {word}");
                }
                seen += 1;
            }
        }
        assert_eq!(seen, 12);
    }

    #[test]
    fn messages_of_the_dm_profile_have_words_instead_of_numbers() {
        for (word, sec) in [("NETWORKID", Sec::NetwPin), ("USERPIN", Sec::UserPin)] {
            let content_type = vectors()["dm-profile"][word]["content_type"].as_str().unwrap().to_owned();
            let (_, expected) = content_type.split_once("MAC=").unwrap();
            assert_eq!(Sec::parse(word), Some(sec));
            let secrets = Secrets { imsi: Some(IMSI), pin: Some("1234"), key: None };
            assert_eq!(check(sec, Some(expected), document("dm-profile"), &secrets), Verdict::Right);
        }
        assert_eq!(Sec::parse("USERPIN_NETWORKID"), Some(Sec::UserNetwPin));
        assert_eq!((Sec::parse("3"), Sec::parse("4"), Sec::parse("")), (Some(Sec::UserPinMac), None, None));
    }

    #[test]
    fn keys_of_subscribers_are_made_as_a_sim_card_keeps_them() {
        for example in vectors()["_imsi_key_examples"].as_array().unwrap() {
            let key = imsi_key(example["imsi"].as_str().unwrap()).unwrap();
            assert_eq!(key, octets(example["key_hex"].as_str().unwrap()));
        }
        for wrong in ["", "26201", "26201123456789x", "2620112345678901"] {
            assert_eq!(imsi_key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_does_not_match_is_told_apart_from_what_is_not_known() {
        let document = document("cp-full");
        let known = Secrets { imsi: Some(IMSI), pin: Some("1234"), key: None };
        let mac = "356FDF547AD0BC4D30638F64F24CE4C4E543B29E";
        assert_eq!(check(Sec::NetwPin, Some(mac), document, &known), Verdict::Right);
        assert_eq!(check(Sec::NetwPin, Some(mac), &document[1..], &known), Verdict::Wrong);
        assert_eq!(check(Sec::UserPin, Some(mac), document, &known), Verdict::Wrong);
        assert_eq!(check(Sec::NetwPin, Some(mac), document, &Secrets::default()), Verdict::NoSecret);
        assert_eq!(check(Sec::NetwPin, None, document, &known), Verdict::NoMac);
        assert_eq!(check(Sec::NetwPin, Some(&mac[1..]), document, &known), Verdict::NoMac);
        for pin in ["4815140563", "48151405", "481514056", "", "ééééééééé"] {
            let secrets = Secrets { pin: Some(pin), ..Secrets::default() };
            assert_eq!(check(Sec::UserPinMac, None, document, &secrets), Verdict::Wrong, "{pin}");
        }
        assert_eq!(check(Sec::UserPinMac, None, document, &Secrets::default()), Verdict::NoSecret);
    }

    #[test]
    fn hmac_is_that_of_the_rfc_for_short_and_for_long_keys() {
        // RFC 2202, test cases 2 and 6.
        let short = mac_text(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(short, "EFFCDF6AE5EB2FA2D27416D5F184DF9C259A7C79");
        let long = mac_text(&[0xAA; 80], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(long, "AA4AE5E15272D00E95705637CE8A3B55ED402112");
    }
}
