//! Credentials as a device computes and checks them, from the published formulas alone.
//!
//! Source: OMA DM 1.2 Security, "Credentials" and "MD-5 authentication".

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use md5::{Digest, Md5};
use muster_protocol::syncml::{Challenge, Credential, Meta};

use crate::account::AuthType;

/// `B64(name ":" secret)`.
pub(crate) fn basic(name: &str, secret: &str) -> String {
    BASE64.encode(format!("{name}:{secret}"))
}

/// `B64(H(B64(H(name ":" secret)) ":" nonce))` with the octets of the nonce, not its base64 text.
pub(crate) fn md5(name: &str, secret: &str, nonce: &[u8]) -> String {
    let inner = BASE64.encode(Md5::digest(format!("{name}:{secret}")));
    let outer = Md5::new().chain_update(inner).chain_update(b":").chain_update(nonce).finalize();
    BASE64.encode(outer)
}

/// `Cred` of the given scheme.
pub(crate) fn credential(auth: AuthType, name: &str, secret: &str, nonce: &[u8]) -> Credential {
    let data = match auth {
        AuthType::Basic => basic(name, secret),
        AuthType::Md5 => md5(name, secret, nonce),
    };
    Credential { meta: b64(auth), data: data.into() }
}

/// `Chal` that asks for MD5 with `nonce`.
pub(crate) fn challenge(nonce: &[u8]) -> Challenge {
    Challenge { meta: Meta { next_nonce: Some(nonce.to_vec()), ..b64(AuthType::Md5) } }
}

fn b64(auth: AuthType) -> Meta {
    Meta { format: Some("b64".into()), kind: Some(auth.name().into()), ..Meta::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_gives_the_digest_printed_in_the_specification() {
        assert_eq!(md5("Bruce2", "OhBehave", b"Nonce"), "Zz6EivR3yeaaENcRN6lpAQ==");
    }

    #[test]
    fn md5_gives_the_digests_of_independent_programs() {
        let resync = [0; 4];
        assert_eq!(md5("funambol", "funambol", b"nonce-0123"), "wFNp37Kw37evBvE0k0+zaw==");
        assert_eq!(md5("dev-user", "dev-secret", b""), "efj7IcbQ80NuU35qW6/EyA==");
        assert_eq!(md5("dev-user", "dev-secret", &resync), "0n9R/I3XBQqBYig6SiEJTA==");
        assert_eq!(md5("dev-user", "dev-secret", b"a:b\0c"), "MbWOrFRnRv/tdkrTG3w5Gg==");
    }

    #[test]
    fn basic_is_name_and_secret_in_base64() {
        assert_eq!(basic("dev-user", "dev-secret"), "ZGV2LXVzZXI6ZGV2LXNlY3JldA==");
    }
}
