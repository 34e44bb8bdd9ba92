//! Credentials as a device computes and checks them, from the published formulas alone.
//!
//! Source: OMA DM 1.2 Security, "Credentials", "MD-5 authentication" and "Computation of the HMAC"; OMA DM 1.2
//! Notification, "Digest".

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use md5::{Digest, Md5};
use muster_protocol::syncml::{Challenge, Credential, Meta};

use crate::account::AuthType;

/// The nonce of a resynchronisation as most clients read `0x00000000`.
pub(crate) const RESYNC_OCTETS: [u8; 4] = [0; 4];
/// The same as libdmclient reads it.
pub(crate) const RESYNC_TEXT: &[u8] = b"0x00000000";

/// `B64(name ":" secret)`.
pub(crate) fn basic(name: &str, secret: &str) -> String {
    BASE64.encode(format!("{name}:{secret}"))
}

/// `B64(H(B64(H(name ":" secret)) ":" nonce))` with the octets of the nonce, not its base64 text.
pub(crate) fn md5(name: &str, secret: &str, nonce: &[u8]) -> String {
    BASE64.encode(keyed(name, secret, nonce).finalize())
}

/// `B64(H(B64(H(name ":" secret)) ":" nonce ":" B64(H(body))))`.
pub(crate) fn mac(name: &str, secret: &str, nonce: &[u8], body: &[u8]) -> String {
    BASE64.encode(over(name, secret, nonce, body))
}

/// The digest of a notification: as [`mac`], over the trigger, as octets.
pub(crate) fn of_trigger(name: &str, secret: &str, nonce: &[u8], trigger: &[u8]) -> [u8; 16] {
    over(name, secret, nonce, trigger)
}

fn over(name: &str, secret: &str, nonce: &[u8], octets: &[u8]) -> [u8; 16] {
    let inner = BASE64.encode(Md5::digest(octets));
    keyed(name, secret, nonce).chain_update(b":").chain_update(inner).finalize().into()
}

fn keyed(name: &str, secret: &str, nonce: &[u8]) -> Md5 {
    let inner = BASE64.encode(Md5::digest(format!("{name}:{secret}")));
    Md5::new().chain_update(inner).chain_update(b":").chain_update(nonce)
}

/// `Cred` of the given scheme; nothing for a MAC, which is not in the message.
pub(crate) fn credential(auth: AuthType, name: &str, secret: &str, nonce: &[u8]) -> Option<Credential> {
    let data = match auth {
        AuthType::Basic => basic(name, secret),
        AuthType::Md5 => md5(name, secret, nonce),
        AuthType::Hmac => return None,
    };
    Some(Credential { meta: b64(auth), data: data.into() })
}

/// `Chal` that asks for `auth`, with `nonce` where the scheme has one.
pub(crate) fn challenge(auth: AuthType, nonce: &[u8]) -> Challenge {
    let next_nonce = (auth != AuthType::Basic).then(|| nonce.to_vec());
    Challenge { meta: Meta { next_nonce, ..b64(auth) } }
}

fn b64(auth: AuthType) -> Meta {
    Meta { format: Some("b64".into()), kind: Some(auth.name().into()), ..Meta::default() }
}

/// The header of HTTP that carries a MAC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) user: String,
    pub(crate) mac: String,
}

/// Octets of the longest header that is read: a name of 255 octets, a digest, and room for white space.
const HEADER_BYTES_MAX: usize = 1_024;

impl Seal {
    /// As the header is written.
    pub(crate) fn to_header(&self) -> String {
        format!("algorithm=MD5, username=\"{}\", mac={}", self.user, self.mac)
    }

    /// Reads the header: attributes in any order, values quoted or not. Nothing if it is not one, or names another
    /// algorithm than MD5.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        if header.len() > HEADER_BYTES_MAX {
            return None;
        }
        let (mut user, mut mac) = (None, None);
        for attribute in attributes(header) {
            let (name, value) = attribute.split_once('=')?;
            let value = value.trim();
            let value = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(value);
            match name.trim().to_ascii_lowercase().as_str() {
                "algorithm" if !value.eq_ignore_ascii_case("MD5") => return None,
                "username" => user = Some(value.to_owned()),
                "mac" => mac = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(Self { user: user?, mac: mac? })
    }
}

/// The parts between commas that are in no quotes.
fn attributes(header: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    header
        .split(move |character| {
            is_quoted ^= character == '"';
            character == ',' && !is_quoted
        })
        .map(str::trim)
        .filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/tests/vectors/oma-dm-1");

    fn hex(text: &str) -> Vec<u8> {
        let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digits).collect()
    }

    #[test]
    fn md5_gives_the_digest_printed_in_the_specification() {
        assert_eq!(md5("Bruce2", "OhBehave", b"Nonce"), "Zz6EivR3yeaaENcRN6lpAQ==");
    }

    #[test]
    fn md5_gives_the_digests_of_independent_programs() {
        assert_eq!(md5("funambol", "funambol", b"nonce-0123"), "wFNp37Kw37evBvE0k0+zaw==");
        assert_eq!(md5("dev-user", "dev-secret", b""), "efj7IcbQ80NuU35qW6/EyA==");
        assert_eq!(md5("dev-user", "dev-secret", &RESYNC_OCTETS), "0n9R/I3XBQqBYig6SiEJTA==");
        assert_eq!(md5("dev-user", "dev-secret", RESYNC_TEXT), "layfjCFtzbhh2FPQOlR77g==");
        assert_eq!(md5("dev-user", "dev-secret", b"a:b\0c"), "MbWOrFRnRv/tdkrTG3w5Gg==");
    }

    #[test]
    fn macs_and_headers_are_those_of_independent_programs() {
        let text = std::fs::read_to_string(format!("{FOLDER}/auth/auth.json")).unwrap();
        let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let mut seen = 0;
        for vector in vectors.iter().filter(|it| it["type"] == "syncml:auth-MAC") {
            let field = |name: &str| vector[name].as_str().unwrap_or_default();
            let body = match vector["body_file"].as_str() {
                Some(file) => std::fs::read(format!("{FOLDER}/{file}")).unwrap(),
                None => hex(field("body_hex")),
            };
            let mac = mac(field("user"), field("password"), &hex(field("nonce_hex")), &body);
            assert_eq!(mac, field("output"), "{}", vector["name"]);
            let seal = Seal { user: field("user").to_owned(), mac };
            assert_eq!(format!("x-syncml-hmac: {}", seal.to_header()), field("header"));
            assert_eq!(Seal::parse(&seal.to_header()), Some(seal));
            seen += 1;
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn header_is_read_in_any_order_with_any_quotes_and_without_its_algorithm() {
        let seal = Some(Seal { user: "a, b".into(), mac: "x/+==".into() });
        assert_eq!(Seal::parse("mac=\"x/+==\" ,  username = \"a, b\""), seal);
        assert_eq!(Seal::parse("Algorithm=md5,\r\n\tUserName=\"a, b\",MAC=x/+=="), seal);
        for bad in ["", "username=\"a\"", "mac=x", "algorithm=SHA1, username=\"a\", mac=x", "username \"a\", mac=x"] {
            assert_eq!(Seal::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Seal::parse(&format!("username=\"{}\", mac=x", "a".repeat(HEADER_BYTES_MAX))), None);
    }

    #[test]
    fn basic_is_name_and_secret_in_base64() {
        assert_eq!(basic("dev-user", "dev-secret"), "ZGV2LXVzZXI6ZGV2LXNlY3JldA==");
    }
}
