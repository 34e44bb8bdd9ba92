//! Schemes of authentication, and how what they show is computed.
//!
//! Source: OMA DM Security 1.2, "Authentication"; SyncML Representation Protocol 1.2, "Cred" and "Chal".

use std::hint::black_box;

use base64::{
    Engine,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
    },
};
use md5::{Digest, Md5};

use crate::syncml::{Challenge, Credential, Meta};

/// A scheme of authentication, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum AuthType {
    /// Name and password in the clear.
    Basic,
    /// Digest of name, password and a nonce.
    Md5,
    /// Digest of name, password, a nonce and the message itself, which travels beside each message in a header of the
    /// transport. Called HMAC by the specification, although it is not that of RFC 2104.
    Hmac,
}

impl AuthType {
    /// What `Meta/Type` of `Cred` and `Chal` says.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "syncml:auth-basic",
            Self::Md5 => "syncml:auth-md5",
            Self::Hmac => "syncml:auth-MAC",
        }
    }

    /// Reads `Meta/Type`. Nothing for schemes that are not known here.
    #[must_use]
    pub fn parse(kind: &str) -> Option<Self> {
        let kind = kind.trim();
        [Self::Basic, Self::Md5, Self::Hmac].into_iter().find(|it| it.name().eq_ignore_ascii_case(kind))
    }

    /// The type that `meta` names. A `Cred` or `Chal` without a type is basic.
    pub(super) fn of(meta: &Meta) -> Option<Self> {
        meta.kind.as_deref().map_or(Some(Self::Basic), Self::parse)
    }
}

/// `Cred/Data` of `syncml:auth-basic`: base64 of `user:password`.
#[must_use]
pub fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// `Cred/Data` of `syncml:auth-md5`: `B64(H(B64(H(user:password)):nonce))`.
///
/// `nonce` is the decoded octets of `NextNonce`, any values, any length; without one it is empty.
#[must_use]
pub fn md5_digest(user: &str, password: &str, nonce: &[u8]) -> String {
    STANDARD.encode(Key::new(user, password).digest(nonce))
}

/// `mac` of `syncml:auth-MAC`: `B64(H(B64(H(user:password)):nonce:B64(H(body))))`.
///
/// `body` is the octets of the message as they travel, before any coding of the transport.
#[must_use]
pub fn mac(user: &str, password: &str, nonce: &[u8], body: &[u8]) -> String {
    STANDARD.encode(Key::new(user, password).mac(nonce, &BodyHash::of(body)))
}

/// Octets of what is shown, decoded.
pub(super) const DIGEST_BYTES: usize = 16;
/// Octets of the base64 text of a digest.
const TEXT_BYTES: usize = 24;

/// `B64(H(user:password))`: all that is needed of a name and a secret for MD5 and HMAC.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key([u8; TEXT_BYTES]);

/// `B64(H(body))`.
pub(super) struct BodyHash([u8; TEXT_BYTES]);

impl Key {
    pub(super) fn new(user: &str, password: &str) -> Self {
        Self(text(&Md5::new().chain_update(user).chain_update(b":").chain_update(password).finalize().into()))
    }

    /// What an MD5 credential decodes to.
    pub(super) fn digest(&self, nonce: &[u8]) -> [u8; DIGEST_BYTES] {
        Md5::new().chain_update(self.0).chain_update(b":").chain_update(nonce).finalize().into()
    }

    /// What a MAC decodes to.
    pub(super) fn mac(&self, nonce: &[u8], body: &BodyHash) -> [u8; DIGEST_BYTES] {
        let begun = Md5::new().chain_update(self.0).chain_update(b":").chain_update(nonce);
        begun.chain_update(b":").chain_update(body.0).finalize().into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl BodyHash {
    pub(super) fn of(body: &[u8]) -> Self {
        Self(text(&Md5::digest(body).into()))
    }
}

/// Base64 of a digest.
fn text(digest: &[u8; DIGEST_BYTES]) -> [u8; TEXT_BYTES] {
    let mut text = [0; TEXT_BYTES];
    // 16 octets are 24 characters with their padding.
    let written = STANDARD.encode_slice(digest, &mut text);
    debug_assert_eq!(written, Ok(TEXT_BYTES));
    text
}

/// Padding may be left out: some clients do.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Reads a digest from its base64 text; white space around does not count.
pub(super) fn decode_digest(given: &str) -> Option<[u8; DIGEST_BYTES]> {
    // The decoder counts on room for whole groups of three.
    let mut octets = [0; 18];
    let length = LENIENT.decode_slice(given.trim(), &mut octets).ok()?;
    octets.get(..length)?.try_into().ok()
}

/// `Chal` that asks for `auth`, with the nonce to use where the scheme has one.
pub(super) fn challenge(auth: AuthType, nonce: &[u8]) -> Challenge {
    let next_nonce = match auth {
        AuthType::Basic => None,
        AuthType::Md5 | AuthType::Hmac => Some(nonce.to_vec()),
    };
    Challenge { meta: Meta { next_nonce, ..meta(auth) } }
}

/// A `Cred` of `auth` with this data.
pub(super) fn credential(auth: AuthType, data: &str) -> Credential {
    Credential { meta: meta(auth), data: data.into() }
}

fn meta(auth: AuthType) -> Meta {
    Meta { format: Some("b64".into()), kind: Some(auth.name().into()), ..Meta::default() }
}

/// Compares two credentials in a time that tells neither where they differ nor how long the right one is: what is compared
/// are digests of both.
pub(super) fn same(right: &str, given: &str) -> bool {
    same_digest(&Md5::digest(right).into(), &Md5::digest(given.trim()).into())
}

/// Looks at each octet, so that the time tells nothing.
pub(super) fn same_digest(right: &[u8; DIGEST_BYTES], given: &[u8; DIGEST_BYTES]) -> bool {
    let difference = right.iter().zip(given).fold(0_u8, |sum, (a, b)| black_box(sum | (a ^ b)));
    black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    /// Octets of the messages that the golden MACs are over.
    const BODIES: [(&str, &[u8]); 3] = [
        (
            "syncml/01-pkg1-client-initiated.wbxml",
            include_bytes!("../../tests/vectors/oma-dm-1/syncml/01-pkg1-client-initiated.wbxml"),
        ),
        (
            "syncml/01-pkg1-client-initiated.xml",
            include_bytes!("../../tests/vectors/oma-dm-1/syncml/01-pkg1-client-initiated.xml"),
        ),
        ("syncml/06-pkg4-end.wbxml", include_bytes!("../../tests/vectors/oma-dm-1/syncml/06-pkg4-end.wbxml")),
    ];

    fn hex(digits: &str) -> Vec<u8> {
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn golden_credentials_are_reproduced() {
        let vectors = include_str!("../../tests/vectors/oma-dm-1/auth/auth.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
        let text = |vector: &serde_json::Value, name: &str| vector[name].as_str().map(str::to_owned);
        let mut seen = [0; 3];
        for vector in &vectors {
            let (Some(user), Some(password)) = (text(vector, "user"), text(vector, "password")) else { continue };
            let nonce = || hex(&text(vector, "nonce_hex").unwrap());
            let (kind, made) = match (text(vector, "name").as_deref(), text(vector, "type").as_deref()) {
                (Some("basic"), _) => (0, basic(&user, &password)),
                (_, Some("syncml:auth-md5")) => (1, md5_digest(&user, &password, &nonce())),
                (_, Some("syncml:auth-MAC")) => {
                    let file = text(vector, "body_file");
                    let body = match &file {
                        Some(file) => BODIES.iter().find(|(name, _)| name == file).unwrap().1.to_vec(),
                        None => hex(&text(vector, "body_hex").unwrap()),
                    };
                    (2, mac(&user, &password, &nonce(), &body))
                }
                other => panic!("a vector of an unknown kind: {other:?}"),
            };
            assert_eq!(Some(made), text(vector, "output"), "{}", vector["name"]);
            seen[kind] += 1;
        }
        assert_eq!(seen, [1, 10, 4], "basic, MD5 and MAC");
    }

    #[test]
    fn digest_printed_in_the_specification_is_reproduced() {
        assert_eq!(md5_digest("Bruce2", "OhBehave", b"Nonce"), "Zz6EivR3yeaaENcRN6lpAQ==");
    }

    #[test]
    fn mac_is_not_the_hmac_of_rfc_2104() {
        // HMAC-MD5 of "hello" with the key "Bruce2:OhBehave:Nonce" would be another one.
        assert_eq!(mac("Bruce2", "OhBehave", b"Nonce", b"hello"), "7WjdTINdgy34setKE3f2Bw==");
    }

    #[test]
    fn credentials_compare_whole_and_without_surrounding_white_space() {
        assert!(same("abc", " abc\n"));
        assert!(!same("abc", "abd"));
        assert!(!same("abc", "abcd"));
        assert!(!same("abc", ""));
    }

    #[test]
    fn digest_is_read_with_and_without_padding_and_at_no_other_length() {
        let right = Key::new("u", "p").digest(b"n");
        let whole = STANDARD.encode(right);

        assert_eq!(decode_digest(&format!(" {whole}\r\n")), Some(right));
        assert_eq!(decode_digest(whole.trim_end_matches('=')), Some(right));
        for bad in ["", "!", "AAAA", &format!("{whole}AAAA"), &whole[..20], &"A".repeat(100_000)] {
            assert_eq!(decode_digest(bad), None, "{} characters", bad.len());
        }
    }

    #[test]
    fn schemes_are_ordered_by_strength_and_read_in_any_case() {
        assert!(AuthType::Basic < AuthType::Md5 && AuthType::Md5 < AuthType::Hmac);
        for auth in [AuthType::Basic, AuthType::Md5, AuthType::Hmac] {
            assert_eq!(AuthType::parse(&format!(" {}", auth.name().to_ascii_uppercase())), Some(auth));
        }
        assert_eq!(AuthType::parse("syncml:auth-X509"), None);
    }
}
