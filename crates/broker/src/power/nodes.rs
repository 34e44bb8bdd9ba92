//! Nodes that stand for dangerous primitives.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Class;
use crate::bounds::DANGEROUS_PATH_CHARS_MAX;

/// Which operations on a node amount to its primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// EXECUTE alone.
    Execute,
    /// EXECUTE, UPDATE and DELETE: devices differ in what starts them.
    Change,
}

/// A node, or many, whose change or execution is of a class.
#[derive(Clone, Debug)]
pub struct Node {
    /// Which nodes.
    pub pattern: Pattern<'static>,
    /// What it amounts to.
    pub class: Class,
    /// By which operations.
    pub by: By,
    /// Where that is said.
    pub source: &'static str,
}

/// Each node once: pattern, class, operations, source.
macro_rules! nodes {
    ($($pattern:literal $class:ident $by:ident $source:literal)*) => {
        /// Every node that this server knows to be dangerous. A domain may add its vendors' own.
        ///
        /// `*` stands for any characters of one name, `**` at either end for any number of names. Names are compared
        /// without regard to case and percent-encoding, because devices differ in both.
        pub const NODES: &[Node] = &[$(Node {
            pattern: Pattern($pattern),
            class: Class::$class,
            by: By::$by,
            source: $source,
        },)*];
    };
}

nodes! {
    "**/Operations/Wipe" Wipe Change "OMA LAWMO 1.0"
    "**/Operations/FullyWipe" Wipe Change "OMA LAWMO, clients of drafts"
    "**/Operations/PartiallyWipe" Wipe Change "OMA LAWMO, clients of drafts"
    "**/LAWMO/Operations/Ext/**" Wipe Change "OMA LAWMO 1.0, vendors' primitives such as WipeAll"
    "**/Operations/FactoryReset" FactoryReset Change "OMA LAWMO 1.0"
    "**/Operations/FullyLock" Lock Change "OMA LAWMO 1.0"
    "**/Operations/PartiallyLock" Lock Change "OMA LAWMO 1.0"
    "**/Vendor/MSFT/RemoteWipe/**" Wipe Change "Windows RemoteWipe: every child resets or erases"
    "**/Vendor/MSFT/CleanPC/**" Wipe Change "Windows CleanPC: removes installed software and, in one way, user data"
    "**/Vendor/MSFT/RemoteLock/**" Lock Change "Windows RemoteLock"
    "**/Update" Firmware Execute "OMA FUMO 1.0, Exec target"
    "**/DownloadAndUpdate" Firmware Execute "OMA FUMO 1.0, Exec target"
    "**/Update/PkgData" Firmware Change "OMA FUMO 1.0, receives the package"
    "**/DownloadAndUpdate/PkgURL" Firmware Change "OMA FUMO 1.0, where the package is"
    "**/*wipe*" Wipe Execute "a name that says so"
    "**/*erase*" Wipe Execute "a name that says so"
    "**/*factory*reset*" FactoryReset Execute "a name that says so"
    "**/*master*reset*" FactoryReset Execute "a name that says so"
    "**/*hard*reset*" FactoryReset Execute "a name that says so"
}

/// A text that is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a path such as ./Vendor/Acme/Reset, of 1 to 255 characters; * stands for characters of a name, and ** \
     for any number of names, at the beginning or the end alone"
)]
pub struct NotAPattern;

/// A pattern as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern<'a>(&'a str);

/// A pattern that a domain gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodePattern(String);

impl NodePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`NotAPattern`].
    pub fn parse(text: &str) -> Result<Self, NotAPattern> {
        let is_line = (1..=DANGEROUS_PATH_CHARS_MAX).contains(&text.chars().count())
            && !text.chars().any(|c| c.is_control() || c == '?');
        let (_, names, _) = Pattern(text).parts();
        let has_names = names.split('/').all(|name| !matches!(name, "" | "." | ".." | "**"));
        let begins = text.starts_with("./") || text.starts_with("**/");
        // A pattern of stars alone would put every change into one class, which the cap of CHANGE is for.
        let says_something = names.split('/').any(|name| name.chars().any(|c| c != '*'));
        if is_line && has_names && begins && says_something { Ok(Self(text.to_owned())) } else { Err(NotAPattern) }
    }

    /// Whether the node of this path, taken apart by `segments`, is meant.
    #[must_use]
    pub fn matches(&self, path: &[Cow<'_, str>]) -> bool {
        Pattern(&self.0).matches(path)
    }
}

impl fmt::Display for NodePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for NodePattern {
    type Error = NotAPattern;
    fn try_from(text: String) -> Result<Self, NotAPattern> {
        Self::parse(&text)
    }
}

impl From<NodePattern> for String {
    fn from(pattern: NodePattern) -> Self {
        pattern.0
    }
}

impl<'a> Pattern<'a> {
    /// Whether any names may come before, the names, and whether any may come after.
    fn parts(self) -> (bool, &'a str, bool) {
        let (before, rest) = match self.0.strip_prefix("**/") {
            Some(rest) => (true, rest),
            None => (false, self.0.strip_prefix("./").unwrap_or(self.0)),
        };
        match rest.strip_suffix("/**") {
            Some(rest) => (before, rest, true),
            None => (before, rest, false),
        }
    }

    /// Whether the node of this path, taken apart by [`segments`], is meant.
    pub(super) fn matches(self, path: &[Cow<'_, str>]) -> bool {
        let (before, names, after) = self.parts();
        let length = names.split('/').count();
        let is_here = |window: &[Cow<'_, str>]| names.split('/').zip(window).all(|(name, given)| glob(name, given));
        let Some(latest) = path.len().checked_sub(length) else { return false };
        let first = if before || after { 0 } else { latest };
        (first..=latest)
            .filter(|start| (before || *start == 0) && (after || *start == latest))
            .any(|start| path.get(start..).is_some_and(is_here))
    }
}

/// The names of a path without its root, decoded.
#[must_use]
pub(super) fn segments(path: &str) -> Vec<Cow<'_, str>> {
    path.split('/').filter(|name| !matches!(*name, "" | ".")).map(decoded).collect()
}

/// Undoes percent-encoding where it is well-formed UTF-8 in the end; else the text as it is.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    let mut octets = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(octet) => {
                octets.push(octet);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                octets.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(octets).map_or(Cow::Borrowed(name), Cow::Owned)
}

/// Whether `name` is what `pattern` says, where `*` stands for any characters. Without regard to ASCII case.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = pattern.split('*').next_back().filter(|_| pattern.contains('*')) else { return rest.is_empty() };
    let between: Vec<&str> = parts.collect();
    let between = between.get(..between.len().saturating_sub(1)).unwrap_or_default();
    for part in between {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        NodePattern::parse(pattern).unwrap().matches(&segments(path))
    }

    #[test]
    fn stars_stand_for_characters_and_for_names() {
        for (pattern, path, expected) in [
            ("./A/B", "./A/B", true),
            ("./A/B", "./A/B/C", false),
            ("./A/B", "./X/A/B", false),
            ("./A/*", "./A/B", true),
            ("./A/*", "./A/B/C", false),
            ("./A/**", "./A/B/C", true),
            ("./A/**", "./A", true),
            ("./A/**", "./B/A", false),
            ("**/B", "./A/B", true),
            ("**/B", "./B", true),
            ("**/B", "./A/B/C", false),
            ("**/B/**", "./A/B/C", true),
            ("**/A/*/C", "./A/B/C", true),
            ("**/do*Wipe*", "./X/doTheWipeNow", true),
            ("**/do*Wipe*", "./X/doThe", false),
            ("**/*a*a", "./X/a", false),
            ("./A%2fB", "./A%2fB", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn text_that_is_no_pattern_is_refused() {
        let long = format!("./{}", "a".repeat(254));
        for text in ["", "A/B", "./", "./A//B", "./A/**/B", "**", "**/*", "./A/../B", "./A?prop=ACL", "./A\n", &long] {
            assert_eq!(NodePattern::parse(text), Err(NotAPattern), "{text:?}");
        }
        assert!(NodePattern::parse(&long[..255]).is_ok());
    }

    #[test]
    fn every_listed_pattern_is_one_that_a_domain_could_write() {
        for node in NODES {
            assert!(NodePattern::parse(node.pattern.0).is_ok(), "{:?}", node.pattern);
            assert!(!node.source.is_empty());
        }
    }
}
