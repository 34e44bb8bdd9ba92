use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bounds::TREE_PATH_OCTETS_MAX;

/// A place in the management tree of a device that rights are narrowed to: the node and what is below it.
///
/// Only the plain spelling is one: it begins with `./`, and each segment has ASCII letters, digits and `-_.~:+@`, but
/// not dots alone. So there is nothing to unescape, fold or shorten, and two spellings of one node are never compared.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TreePath(String);

/// A text that is no plainly spelt place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no plainly spelt node: begin with ./ and give segments of letters, digits and -_.~:+@ without escapes, \
     properties, empty segments or a slash at the end"
)]
pub struct NotAPlace;

impl TreePath {
    /// Reads `./Vendor/Acme`.
    ///
    /// # Errors
    /// [`NotAPlace`].
    pub fn parse(text: &str) -> Result<Self, NotAPlace> {
        let below_root = text.strip_prefix("./").ok_or(NotAPlace)?;
        let is_plain = |segment: &str| {
            !segment.bytes().all(|octet| octet == b'.')
                && segment.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.~:+@".contains(&octet))
        };
        if text.len() > TREE_PATH_OCTETS_MAX || !below_root.split('/').all(is_plain) {
            return Err(NotAPlace);
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether `other` is this node or lies below it.
    #[must_use]
    pub fn has(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for TreePath {
    type Error = NotAPlace;

    fn try_from(text: String) -> Result<Self, NotAPlace> {
        Self::parse(&text)
    }
}

impl From<TreePath> for String {
    fn from(path: TreePath) -> Self {
        path.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_itself_and_what_is_below_and_nothing_else() {
        let place = TreePath::parse("./Vendor/Acme").unwrap();
        for (text, has) in [
            ("./Vendor/Acme", true),
            ("./Vendor/Acme/Settings", true),
            ("./Vendor/Acme/a/b.c~1", true),
            ("./Vendor/Acme2", false),
            ("./Vendor", false),
            ("./vendor/acme", false),
            ("./Vendor/ACME/x", false),
            ("./DevInfo/Man", false),
        ] {
            assert_eq!(place.has(&TreePath::parse(text).unwrap()), has, "{text}");
        }
    }

    #[test]
    fn what_is_not_spelt_plainly_is_no_place() {
        let long = format!("./{}", "a".repeat(1023));
        for text in [
            "",
            ".",
            "./",
            "/Vendor/Acme",
            "Vendor/Acme",
            "./Vendor/Acme/",
            "./Vendor//Acme",
            ".//Vendor/Acme",
            "./Vendor/../Acme",
            "./Vendor/./Acme",
            "./Vendor/Acme/..",
            "./Vendor/Acme/...",
            "./Vendor/Acme/..;/x",
            "./Vendor/Acme;x",
            "./Vendor%2FAcme",
            "./Vendor/Acme%2f..",
            "./Vendor/%41cme",
            "./Vendor/Acme?list=Struct",
            "./Vendor/Acme?prop=ACL",
            "./Vendor/Acme#x",
            "./Vendor\\Acme",
            "./Vendor/Acme ",
            " ./Vendor/Acme",
            "./Vendor/Acmé",
            "./Vendor/Acme\u{0}",
            "./Vendor/Acme\n",
            "./Vendor/*",
            &long,
        ] {
            assert_eq!(TreePath::parse(text), Err(NotAPlace), "{text:?}");
        }
    }
}
