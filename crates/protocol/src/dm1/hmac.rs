//! The header that carries a MAC beside a message: read, checked, written.
//!
//! Source: OMA DM Security 1.2, "Integrity checking".

use base64::{Engine, engine::general_purpose::STANDARD};

use super::auth::{BodyHash, DIGEST_BYTES, Key, decode_digest, same_digest};

/// Name of the header. Names of headers have no case.
pub const HMAC_HEADER: &str = "x-syncml-hmac";

/// Octets of a header that is read: a name and a MAC, with room for a long name.
const HEADER_BYTES_MAX: usize = 4_096;

/// What the header of a message says: who sealed it, and the seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmacHeader {
    /// `username`, without its quotes.
    pub username: String,
    mac: [u8; DIGEST_BYTES],
}

/// Why a header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HmacHeaderError {
    /// More octets than any real one.
    #[error("the header has more than {max} octets")]
    TooLong {
        /// The bound.
        max: usize,
    },
    /// No `name=value` where one must be.
    #[error("no name and value at octet {at} of the header")]
    Malformed {
        /// Octets from the start of the value.
        at: usize,
    },
    /// An attribute stands twice, so that one cannot tell which counts.
    #[error("{name} stands twice in the header")]
    Twice {
        /// The attribute.
        name: &'static str,
    },
    /// An attribute that must be there is not.
    #[error("{name} is missing in the header")]
    Missing {
        /// The attribute.
        name: &'static str,
    },
    /// `algorithm` is another one than MD5.
    #[error("the algorithm in the header is not MD5")]
    Algorithm,
    /// `mac` is not base64 of 16 octets.
    #[error("the MAC in the header is not base64 of {DIGEST_BYTES} octets")]
    Mac,
}

impl HmacHeader {
    /// Reads the value of the header: `algorithm=MD5, username="Bruce1", mac=Zz6EivR3yeaaENcRN6lpAQ==`.
    ///
    /// Attributes come in any order and any case, with white space and folded lines between; `algorithm` may be left
    /// out, quotes may be or not be; attributes that are not known are passed over.
    ///
    /// # Errors
    /// [`HmacHeaderError`].
    pub fn parse(value: &str) -> Result<Self, HmacHeaderError> {
        if value.len() > HEADER_BYTES_MAX {
            return Err(HmacHeaderError::TooLong { max: HEADER_BYTES_MAX });
        }
        let mut found = [const { None::<String> }; 3];
        let mut scan = Scan { rest: value, length: value.len() };
        while let Some((name, value)) = scan.attribute()? {
            let Some(at) = NAMES.iter().position(|it| it.eq_ignore_ascii_case(name)) else { continue };
            let (Some(place), Some(name)) = (found.get_mut(at), NAMES.get(at)) else { continue };
            if place.replace(value).is_some() {
                return Err(HmacHeaderError::Twice { name });
            }
        }
        let [algorithm, username, mac] = found;
        if algorithm.is_some_and(|it| !it.eq_ignore_ascii_case("MD5")) {
            return Err(HmacHeaderError::Algorithm);
        }
        let username = username.ok_or(HmacHeaderError::Missing { name: "username" })?;
        let mac = mac.ok_or(HmacHeaderError::Missing { name: "mac" })?;
        let mac = decode_digest(&mac).ok_or(HmacHeaderError::Mac)?;
        Ok(Self { username, mac })
    }

    /// Whether the seal is that of this account, with `nonce`, over the octets of `body`.
    #[must_use]
    pub fn is_of(&self, user: &str, password: &str, nonce: &[u8], body: &[u8]) -> bool {
        self.fits(&Key::new(user, password), nonce, &BodyHash::of(body))
    }

    /// Whether the seal is that of `key` with `nonce` over the body.
    pub(super) fn fits(&self, key: &Key, nonce: &[u8], body: &BodyHash) -> bool {
        same_digest(&key.mac(nonce, body), &self.mac)
    }
}

/// Attributes that count.
const NAMES: [&str; 3] = ["algorithm", "username", "mac"];

/// What is left of a header.
struct Scan<'a> {
    rest: &'a str,
    length: usize,
}

impl<'a> Scan<'a> {
    /// The next attribute; nothing at the end.
    fn attribute(&mut self) -> Result<Option<(&'a str, String)>, HmacHeaderError> {
        self.rest = self.rest.trim_start_matches(|it: char| it == ',' || is_space(it));
        if self.rest.is_empty() {
            return Ok(None);
        }
        let malformed = HmacHeaderError::Malformed { at: self.length - self.rest.len() };
        let (name, rest) = self.rest.split_once('=').ok_or(malformed)?;
        let name = name.trim_matches(is_space);
        if name.is_empty() || name.contains(|it: char| is_space(it) || matches!(it, ',' | '"')) {
            return Err(malformed);
        }
        let rest = rest.trim_start_matches(is_space);
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted).ok_or(malformed)?,
            None => {
                let end = rest.find(|it: char| it == ',' || is_space(it)).unwrap_or(rest.len());
                let (value, rest) = rest.split_at(end);
                (value.to_owned(), rest)
            }
        };
        let rest = rest.trim_start_matches(is_space);
        if !rest.is_empty() && !rest.starts_with(',') {
            return Err(malformed);
        }
        self.rest = rest;
        Ok(Some((name, value)))
    }
}

/// White space, and the line ends of folded headers.
fn is_space(it: char) -> bool {
    matches!(it, ' ' | '\t' | '\r' | '\n')
}

/// The text up to the closing quote, and what follows; a backslash takes the next character as it is.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((text, characters.as_str())),
            '\\' => text.push(characters.next()?),
            other => text.push(other),
        }
    }
}

/// Seals a message of this server: what it needs to make the header over the octets that leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    username: String,
    key: Key,
    nonce: Vec<u8>,
}

impl Seal {
    pub(super) fn new(username: &str, password: &str, nonce: &[u8]) -> Self {
        Self { username: username.to_owned(), key: Key::new(username, password), nonce: nonce.to_vec() }
    }

    /// The value of the header [`HMAC_HEADER`] for a message that leaves as `body`, before any coding of the transport.
    #[must_use]
    pub fn header(&self, body: &[u8]) -> String {
        let mac = STANDARD.encode(self.key.mac(&self.nonce, &BodyHash::of(body)));
        let mut quoted = String::with_capacity(self.username.len());
        // A name with a line end in it must not begin a header of its own; no device could have such a name.
        for it in self.username.chars().filter(|it| !it.is_control()) {
            if matches!(it, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(it);
        }
        format!("algorithm=MD5, username=\"{quoted}\", mac={mac}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    const MAC: &str = "7WjdTINdgy34setKE3f2Bw==";

    /// The header that golden vectors give for the body `hello`.
    fn golden() -> HmacHeader {
        HmacHeader::parse(&format!("algorithm=MD5, username=\"Bruce2\", mac={MAC}")).unwrap()
    }

    #[test]
    fn golden_headers_are_written() {
        let vectors = include_str!("../../tests/vectors/oma-dm-1/auth/auth.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
        let tiny = vectors.iter().find(|it| it["name"] == "hmac-tiny").unwrap();

        let header = Seal::new("Bruce2", "OhBehave", b"Nonce").header(b"hello");

        assert_eq!(Some(format!("{HMAC_HEADER}: {header}").as_str()), tiny["header"].as_str());
    }

    #[test]
    fn seal_covers_every_octet_of_the_body_and_the_nonce() {
        let (header, key) = (golden(), Key::new("Bruce2", "OhBehave"));
        let fits = |nonce: &[u8], body: &[u8]| header.fits(&key, nonce, &BodyHash::of(body));

        assert!(fits(b"Nonce", b"hello"));
        assert!(!fits(b"Nonce", b"hello\n") && !fits(b"Nonce", b"Hello") && !fits(b"nonce", b"hello"));
        assert!(!header.fits(&Key::new("Bruce2", "ohbehave"), b"Nonce", &BodyHash::of(b"hello")));
    }

    #[test]
    fn header_is_read_in_any_order_spacing_case_and_folding() {
        for value in [
            format!("algorithm=MD5, username=\"Bruce2\", mac={MAC}"),
            format!("mac={MAC},username=\"Bruce2\""),
            format!("username=\"Bruce2\",mac=\"{MAC}\""),
            format!("  Username = \"Bruce2\" ,\r\n\t MAC = {MAC} , ALGORITHM = md5 ,"),
            format!("algorithm=\"MD5\", username=Bruce2, realm=\"a, b\", mac={MAC}"),
            format!("username=\"Bru\\ce2\", mac={}", MAC.trim_end_matches('=')),
        ] {
            assert_eq!(HmacHeader::parse(&value), Ok(golden()), "{value}");
        }
    }

    #[test]
    fn header_that_cannot_be_read_says_why() {
        let missing = |name| HmacHeaderError::Missing { name };
        let malformed = |at| HmacHeaderError::Malformed { at };
        for (value, error) in [
            (String::new(), missing("username")),
            (format!("mac={MAC}"), missing("username")),
            ("username=\"Bruce2\"".to_owned(), missing("mac")),
            (format!("algorithm=SHA, username=\"Bruce2\", mac={MAC}"), HmacHeaderError::Algorithm),
            ("username=\"Bruce2\", mac=".to_owned(), HmacHeaderError::Mac),
            ("username=\"Bruce2\", mac=AAAA".to_owned(), HmacHeaderError::Mac),
            (format!("mac={MAC}, mac={MAC}, username=a"), HmacHeaderError::Twice { name: "mac" }),
            (format!("mac={MAC}, username=\"Bruce2"), malformed(30)),
            ("username".to_owned(), malformed(0)),
            ("a, =b".to_owned(), malformed(0)),
            ("=b".to_owned(), malformed(0)),
            ("username=\"a\"b, mac=c".to_owned(), malformed(0)),
            ("username=a b, mac=c".to_owned(), malformed(0)),
            ("x".repeat(4_097), HmacHeaderError::TooLong { max: 4_096 }),
        ] {
            assert_eq!(HmacHeader::parse(&value), Err(error), "{value}");
        }
    }

    #[test]
    fn written_header_is_read_back_whatever_the_name() {
        for name in ["Bruce2", "a \"b\" \\ c", "Jürgen, Ä=b", ""] {
            let seal = Seal::new(name, "secret", b"nonce");

            let header = HmacHeader::parse(&seal.header(b"body")).unwrap();

            assert_eq!(header.username, name);
            assert!(header.fits(&Key::new(name, "secret"), b"nonce", &BodyHash::of(b"body")));
        }
    }

    #[test]
    fn name_with_a_line_end_begins_no_header_of_its_own() {
        assert!(!Seal::new("a\r\nx-evil: b", "secret", b"n").header(b"body").contains(['\r', '\n']));
    }

    #[test]
    fn seal_does_not_show_what_it_is_made_of() {
        let shown = format!("{:?}", Seal::new("Bruce2", "OhBehave", b"Nonce"));

        assert!(!shown.contains("OhBehave") && !shown.contains("PtEdr8lBQ45IbT1bZIkrOQ"), "{shown}");
    }
}
