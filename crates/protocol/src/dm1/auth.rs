//! Credentials: how they are made and how they are checked.
//!
//! Source: OMA DM Security 1.2, "Authentication"; SyncML Representation Protocol 1.2, "Cred" and "Chal".

use std::hint::black_box;

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};

use super::{Login, session::Account};
use crate::syncml::{Challenge, Credential, Meta};

/// A scheme of authentication that a `Cred` can carry, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum AuthType {
    /// Name and password in the clear.
    Basic,
    /// Digest of name, password and a nonce.
    Md5,
}

impl AuthType {
    /// What `Meta/Type` of `Cred` and `Chal` says.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "syncml:auth-basic",
            Self::Md5 => "syncml:auth-md5",
        }
    }

    /// Reads `Meta/Type`. Nothing for schemes that are not known here.
    #[must_use]
    pub fn parse(kind: &str) -> Option<Self> {
        let kind = kind.trim();
        [Self::Basic, Self::Md5].into_iter().find(|it| it.name().eq_ignore_ascii_case(kind))
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
    let inner = STANDARD.encode(Md5::digest(format!("{user}:{password}")));
    let outer = Md5::new().chain_update(inner).chain_update(b":").chain_update(nonce).finalize();
    STANDARD.encode(outer)
}

/// What a look at the credential of a message gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The client is who it says.
    Right(Login),
    /// There is none.
    Missing,
    /// It is wrong, stale, of an unknown type, or of a type that is too weak. `tried` is its type if known.
    Wrong { tried: Option<AuthType> },
}

/// Checks the credential of the client.
pub(super) fn check(account: &Account<'_>, cred: Option<&Credential>) -> Verdict {
    let Some(cred) = cred else {
        return Verdict::Missing;
    };
    let tried = AuthType::of(&cred.meta);
    let login = match tried {
        Some(AuthType::Basic) if account.weakest <= AuthType::Basic => {
            let right = basic(account.client_name, account.client_secret);
            same(&right, &cred.data).then_some(Login { auth: AuthType::Basic, nonce: None })
        }
        Some(AuthType::Md5) => account
            .nonces
            .iter()
            .position(|nonce| same(&md5_digest(account.client_name, account.client_secret, nonce), &cred.data))
            .map(|index| Login { auth: AuthType::Md5, nonce: Some(index) }),
        Some(AuthType::Basic) | None => None,
    };
    login.map_or(Verdict::Wrong { tried }, Verdict::Right)
}

/// `Chal` that asks for `auth`, with the nonce to use where the scheme has one.
pub(super) fn challenge(auth: AuthType, nonce: &[u8]) -> Challenge {
    let next_nonce = match auth {
        AuthType::Basic => None,
        AuthType::Md5 => Some(nonce.to_vec()),
    };
    Challenge { meta: Meta { next_nonce, ..meta(auth) } }
}

/// `Cred` of `auth` for the given name and secret.
pub(super) fn credential(auth: AuthType, name: &str, secret: &str, nonce: &[u8]) -> Credential {
    let data = match auth {
        AuthType::Basic => basic(name, secret),
        AuthType::Md5 => md5_digest(name, secret, nonce),
    };
    Credential { meta: meta(auth), data: data.into() }
}

fn meta(auth: AuthType) -> Meta {
    Meta { format: Some("b64".into()), kind: Some(auth.name().into()), ..Meta::default() }
}

/// Compares two credentials in a time that tells neither where they differ nor how long the right one is: what is compared
/// are digests of both, and each octet of those is looked at.
fn same(right: &str, given: &str) -> bool {
    let right = Md5::digest(right);
    let given = Md5::digest(given.trim());
    let difference = right.iter().zip(given.iter()).fold(0_u8, |sum, (a, b)| black_box(sum | (a ^ b)));
    black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    #[test]
    fn golden_credentials_are_reproduced() {
        let vectors = include_str!("../../tests/vectors/oma-dm-1/auth/auth.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
        let text = |vector: &serde_json::Value, name: &str| vector[name].as_str().map(str::to_owned);
        let mut seen = 0;
        for vector in &vectors {
            let (Some(user), Some(password)) = (text(vector, "user"), text(vector, "password")) else { continue };
            let made = match (text(vector, "name").as_deref(), text(vector, "type").as_deref()) {
                (Some("basic"), _) => basic(&user, &password),
                (_, Some("syncml:auth-md5")) => {
                    md5_digest(&user, &password, &STANDARD.decode(text(vector, "nonce_b64").unwrap()).unwrap())
                }
                _ => continue,
            };
            assert_eq!(Some(made), text(vector, "output"), "{}", vector["name"]);
            seen += 1;
        }
        assert_eq!(seen, 11, "one basic and ten MD5 credentials");
    }

    #[test]
    fn digest_printed_in_the_specification_is_reproduced() {
        assert_eq!(md5_digest("Bruce2", "OhBehave", b"Nonce"), "Zz6EivR3yeaaENcRN6lpAQ==");
    }

    #[test]
    fn credentials_compare_whole_and_without_surrounding_white_space() {
        assert!(same("abc", " abc\n"));
        assert!(!same("abc", "abd"));
        assert!(!same("abc", "abcd"));
        assert!(!same("abc", ""));
    }
}
