//! API keys: what programs show instead of a password, with fewer rights and an end.
//!
//! A key is `mk_`, an identifier of 16 letters and digits, `_`, a secret of 40 and a checksum of 7: always 67 characters
//! of `a` to `z` and `2` to `7`. The prefix and the checksum let scanners of source code find a key that got where it
//! should not be, without asking anybody.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::{Permission, RightPattern, TreePath};
use crate::time::Timestamp;

/// What every key begins with.
pub const PREFIX: &str = "mk_";
/// Random octets of an identifier, which is public.
pub const ID_OCTETS: usize = 10;
/// Random octets of a secret.
pub const SECRET_OCTETS: usize = 25;

const ID_CHARS: usize = 16;
const SECRET_CHARS: usize = 40;
const CHECKSUM_CHARS: usize = 7;
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A key as its holder shows it. Not shown in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    /// Public identifier.
    pub id: String,
    /// What only the holder knows.
    pub secret: String,
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText({})", self.id)
    }
}

impl KeyText {
    /// A new key from random octets.
    #[must_use]
    pub fn new(id: [u8; ID_OCTETS], secret: [u8; SECRET_OCTETS]) -> Self {
        Self { id: letters(&id), secret: letters(&secret) }
    }

    /// The whole key.
    #[must_use]
    pub fn text(&self) -> String {
        let body = format!("{PREFIX}{}_{}", self.id, self.secret);
        let checksum = checksum(&body);
        format!("{body}{checksum}")
    }

    /// Reads a key; nothing if it cannot be one of any server.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, rest) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_ours = |part: &str| part.bytes().all(|octet| LETTERS.contains(&octet));
        if id.len() != ID_CHARS || rest.len() != SECRET_CHARS + CHECKSUM_CHARS || !is_ours(id) || !is_ours(rest) {
            return None;
        }
        let (secret, given) = rest.split_at_checked(SECRET_CHARS)?;
        let key = Self { id: id.to_owned(), secret: secret.to_owned() };
        (checksum(&format!("{PREFIX}{id}_{secret}")) == given).then_some(key)
    }

    /// Whether a text looks like a key, right or wrong, so that it is not taken for another credential. A session
    /// identifier may begin in the same way, but is shorter.
    #[must_use]
    pub fn looks_like_key(text: &str) -> bool {
        text.starts_with(PREFIX) && text.len() != SESSION_CHARS
    }
}

/// Length of a session identifier.
const SESSION_CHARS: usize = 43;

/// Five bits a letter, in order; what is left over at the end is filled with zeros.
fn letters(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(5) * 8);
    let (mut bits, mut count) = (0_u32, 0);
    let letter = |bits: u32| LETTERS.get((bits & 31) as usize).copied().map_or('a', char::from);
    for octet in octets {
        bits = bits << 8 | u32::from(*octet);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(letter(bits >> count));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        text.push(letter(bits << (5 - count)));
    }
    text
}

fn checksum(body: &str) -> String {
    letters(&crc32(body.as_bytes()).to_be_bytes())
}

/// CRC-32 as in ISO-HDLC, the one of `cksum` in most languages, so that any scanner can reckon it.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0_u32, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

/// Whether two digests are equal, in a time that does not depend on where they differ.
#[must_use]
pub fn is_same_digest(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let differences = one.iter().zip(other).fold(0, |sum, (one, other)| std::hint::black_box(sum | (one ^ other)));
    std::hint::black_box(differences) == 0
}

/// A key as kept: its secret is not, only a keyed digest of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Public identifier.
    pub id: String,
    /// Keyed digest of the secret.
    pub digest: [u8; 32],
    /// Domain of the principal.
    pub tenant: String,
    /// Whom it lets in.
    pub principal: String,
    /// What people call it.
    pub name: Option<String>,
    /// What it is narrowed to.
    pub scope: KeyScope,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// It lets nobody in from here on.
    pub expires_at: Timestamp,
    /// Its last use, to within a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked, and by whom.
    pub revoked: Option<(Timestamp, String)>,
}

impl ApiKey {
    /// Whether it lets its principal in at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires_at
    }

    /// Whether a use at `now` is to be noted.
    #[must_use]
    pub fn is_to_be_noted(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|noted| noted.plus_s(NOTED_EVERY_S) <= now)
    }
}

/// What of its principal's rights a key has. Never more than the principal has when the key is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyScope {
    /// Rights; every right of the principal when empty.
    pub rights: Vec<RightPattern>,
    /// Device groups; those of the principal when empty.
    pub groups: Vec<String>,
    /// Places in the management tree; those of the principal when empty.
    pub paths: Vec<TreePath>,
}

impl KeyScope {
    /// What is left of the permissions of the principal.
    #[must_use]
    pub fn narrow(&self, permissions: &[Permission]) -> Vec<Permission> {
        let everything = [RightPattern::everything()];
        let rights = if self.rights.is_empty() { &everything[..] } else { &self.rights };
        let wanted = rights.iter().map(|right| Permission {
            right: right.clone(),
            tenant: None,
            groups: self.groups.as_slice().into(),
            paths: self.paths.as_slice().into(),
        });
        wanted.flat_map(|wanted| permissions.iter().filter_map(move |held| held.both(&wanted))).collect()
    }
}

/// How long a key lives where its maker does not say, in seconds: 90 days.
pub const LIFE_S: i64 = 90 * 24 * 3600;
/// Uses of a key are noted when the last noted one is older than this, in seconds.
pub const NOTED_EVERY_S: i64 = 60;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checksum_is_the_common_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_key_has_67_characters_and_one_wrong_character_is_noticed() {
        let key = KeyText::new([7; ID_OCTETS], [9; SECRET_OCTETS]);
        let text = key.text();
        assert_eq!(text.len(), 67);
        assert_eq!(KeyText::parse(&text), Some(key));
        for place in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[place] = if altered[place] == b'a' { b'b' } else { b'a' };
            assert_eq!(KeyText::parse(&String::from_utf8_lossy(&altered)), None, "character {place}");
            assert_eq!(KeyText::parse(&text[..place]), None, "length {place}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_read_as_it_was_made(id: [u8; ID_OCTETS], secret: [u8; SECRET_OCTETS]) {
            let key = KeyText::new(id, secret);
            prop_assert_eq!(KeyText::parse(&key.text()), Some(key));
        }

        #[test]
        fn any_text_is_a_key_or_none(text in ".*") {
            let _ = KeyText::parse(&text);
        }
    }

    #[test]
    fn digests_are_the_same_only_if_every_octet_is() {
        let one = [3; 32];
        assert!(is_same_digest(&one, &one));
        for place in 0..32 {
            let mut other = one;
            other[place] ^= 0x80;
            assert!(!is_same_digest(&one, &other), "octet {place}");
        }
    }
}
