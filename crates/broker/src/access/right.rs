use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bounds::RIGHT_PART_CHARS_MAX;

/// What is to be done to which kind of object: the question that a permission answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Right {
    /// `device`, `task`, `job`, …
    pub object: &'static str,
    /// `read`, `create`, `operate`, …
    pub operation: &'static str,
    /// What the operation is narrowed by, for example `UPDATE` of `device.operate`; or [`Right::ALL`], which widens it.
    pub qualifier: Option<&'static str>,
}

impl Right {
    /// The qualifier that widens: `job.create:all` addresses every device of the domain, and `registration.read:all`
    /// what others made. A permission without qualifier does not include it.
    pub const ALL: &'static str = "all";
    /// The qualifier for what the caller made itself: `task.read:own`.
    pub const OWN: &'static str = "own";
    /// Another qualifier that widens: `callback.create:private` opens private networks to callbacks.
    pub const PRIVATE: &'static str = "private";

    /// `object.operation`.
    #[must_use]
    pub const fn new(object: &'static str, operation: &'static str) -> Self {
        Self { object, operation, qualifier: None }
    }

    /// `object.operation:qualifier`.
    #[must_use]
    pub const fn of(self, qualifier: &'static str) -> Self {
        Self { qualifier: Some(qualifier), ..self }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.object, self.operation)?;
        self.qualifier.map_or(Ok(()), |qualifier| write!(f, ":{qualifier}"))
    }
}

/// Rights as a role or a grant names them: `object.operation` or `object.operation:qualifier`, where each part may be
/// `*`; `*` alone is everything.
///
/// Without qualifier it stands for every qualifier that narrows the operation, but not for `all`, which widens it.
/// Invariant: each part is `*` or 1 to 40 ASCII letters, digits, `-` and `_`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RightPattern {
    object: String,
    operation: String,
    qualifier: Option<String>,
}

/// A text that names no right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no right; write object.operation or object.operation:qualifier, each part letters, digits, - and _, or *")]
pub struct NotARight;

const ANY: &str = "*";

impl RightPattern {
    /// Reads `device.operate:UPDATE`, `job.*`, `*`.
    ///
    /// # Errors
    /// [`NotARight`].
    pub fn parse(text: &str) -> Result<Self, NotARight> {
        if text == ANY {
            let any = || ANY.to_owned();
            return Ok(Self { object: any(), operation: any(), qualifier: Some(any()) });
        }
        let (object, rest) = text.split_once('.').ok_or(NotARight)?;
        let (operation, qualifier) = match rest.split_once(':') {
            Some((operation, qualifier)) => (operation, Some(qualifier)),
            None => (rest, None),
        };
        for part in [Some(object), Some(operation), qualifier].into_iter().flatten() {
            let is_name = (1..=RIGHT_PART_CHARS_MAX).contains(&part.len())
                && part.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_');
            if part != ANY && !is_name {
                return Err(NotARight);
            }
        }
        Ok(Self { object: object.to_owned(), operation: operation.to_owned(), qualifier: qualifier.map(str::to_owned) })
    }

    /// Whether this includes `right` as it stands: a right without qualifier is not included in a pattern that has a
    /// narrowing one.
    #[must_use]
    pub fn covers(&self, right: Right) -> bool {
        part_covers(&self.object, right.object)
            && part_covers(&self.operation, right.operation)
            && self.covers_qualifier(right.qualifier)
    }

    /// Whether this includes `right` for at least one qualifier: enough to look at what the request is about.
    #[must_use]
    pub fn touches(&self, right: Right) -> bool {
        part_covers(&self.object, right.object)
            && part_covers(&self.operation, right.operation)
            && (right.qualifier.is_none() || self.covers_qualifier(right.qualifier))
    }

    /// Whether this includes everything that `other` does.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        let qualifier = other.qualifier.as_deref();
        part_covers(&self.object, &other.object)
            && part_covers(&self.operation, &other.operation)
            && match qualifier {
                Some(ANY) => self.qualifier.as_deref() == Some(ANY),
                qualifier => self.covers_qualifier(qualifier),
            }
    }

    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        let any = || ANY.to_owned();
        Self { object: any(), operation: any(), qualifier: Some(any()) }
    }

    /// What is included in both.
    #[must_use]
    pub fn both(&self, other: &Self) -> Option<Self> {
        let part = |one: &str, other: &str| match (one, other) {
            (ANY, part) | (part, ANY) => Some(part.to_owned()),
            (one, other) => (one == other).then(|| one.to_owned()),
        };
        let qualifier = match (self.qualifier.as_deref(), other.qualifier.as_deref()) {
            (Some(ANY), it) | (it, Some(ANY)) | (Some(Right::ALL), it) | (it, Some(Right::ALL)) => it,
            (None, it) | (it, None) => it,
            (one, other) if one == other => one,
            _ => return None,
        };
        Some(Self {
            object: part(&self.object, &other.object)?,
            operation: part(&self.operation, &other.operation)?,
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// Whether this is `*`.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.object == ANY && self.operation == ANY && self.qualifier.as_deref() == Some(ANY)
    }

    fn covers_qualifier(&self, wanted: Option<&str>) -> bool {
        match (self.qualifier.as_deref(), wanted) {
            (Some(ANY), _) | (None, None) => true,
            // What may be done to all may be done to some.
            (Some(Right::ALL), wanted) => !matches!(wanted, Some(ANY | Right::PRIVATE)),
            (None, Some(wanted)) => !matches!(wanted, Right::ALL | Right::PRIVATE | ANY),
            (Some(given), Some(wanted)) => given == wanted,
            (Some(_), None) => false,
        }
    }
}

fn part_covers(given: &str, wanted: &str) -> bool {
    given == ANY || given == wanted
}

impl fmt::Display for RightPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_everything() {
            return f.write_str(ANY);
        }
        write!(f, "{}.{}", self.object, self.operation)?;
        self.qualifier.as_ref().map_or(Ok(()), |qualifier| write!(f, ":{qualifier}"))
    }
}

impl fmt::Debug for RightPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for RightPattern {
    type Error = NotARight;

    fn try_from(text: String) -> Result<Self, NotARight> {
        Self::parse(&text)
    }
}

impl From<RightPattern> for String {
    fn from(pattern: RightPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    fn pattern(text: &str) -> RightPattern {
        RightPattern::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_reads_as_it_was_written() {
        for text in ["*", "device.operate", "device.operate:UPDATE", "*.read", "job.*", "*.*", "job.create:*"] {
            assert_eq!(pattern(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_right_is_refused() {
        let long = "a".repeat(41);
        for text in ["", "device", "device.", ".read", "device.read:", "a b.read", "a.b.c", "a.b:c:d", "a.b*", &long] {
            assert_eq!(RightPattern::parse(text), Err(NotARight), "{text}");
        }
    }

    #[test]
    fn a_qualifier_narrows_and_all_widens() {
        let operate = Right::new("device", "operate");
        let create = Right::new("job", "create");
        // pattern, right, whether it covers
        for (text, right, covers) in [
            ("device.operate", operate, true),
            ("device.operate", operate.of("UPDATE"), true),
            ("device.operate:UPDATE", operate.of("UPDATE"), true),
            ("device.operate:UPDATE", operate.of("QUERY"), false),
            ("device.operate:UPDATE", operate, false),
            ("device.*", operate.of("UPDATE"), true),
            ("device.*:UPDATE", operate.of("UPDATE"), true),
            ("*.operate", operate.of("UPDATE"), true),
            ("*", operate.of("UPDATE"), true),
            ("task.*", operate, false),
            ("job.create", create, true),
            ("job.create", create.of("all"), false),
            ("job.*", create.of("all"), false),
            ("*.*", create.of("all"), false),
            ("job.create:all", create.of("all"), true),
            ("job.create:all", create, true),
            ("job.create:*", create.of("all"), true),
            ("*", create.of("all"), true),
            ("callback.create", Right::new("callback", "create").of("private"), false),
            ("callback.*", Right::new("callback", "create").of("private"), false),
            ("callback.create:all", Right::new("callback", "create").of("private"), false),
            ("callback.create:private", Right::new("callback", "create").of("private"), true),
            ("*", Right::new("callback", "create").of("private"), true),
            ("task.read:own", Right::new("task", "read"), false),
            ("task.read:own", Right::new("task", "read").of("own"), true),
            ("task.read", Right::new("task", "read").of("own"), true),
        ] {
            assert_eq!(pattern(text).covers(right), covers, "{text} {right}");
        }
    }

    #[test]
    fn a_pattern_touches_a_right_that_it_covers_in_part() {
        let operate = Right::new("device", "operate");
        assert!(pattern("device.operate:UPDATE").touches(operate));
        assert!(!pattern("device.operate:UPDATE").touches(operate.of("QUERY")));
        assert!(!pattern("device.read").touches(operate));
    }

    #[test]
    fn both_of_two_patterns_covers_what_each_of_them_does() {
        let patterns = [
            "*",
            "*.*",
            "device.*",
            "*.read",
            "device.read",
            "device.operate",
            "device.operate:UPDATE",
            "device.operate:*",
            "job.create",
            "job.create:all",
            "job.create:own",
            "*.*:own",
            "task.read:own",
        ];
        let rights = [
            Right::new("device", "read"),
            Right::new("device", "operate"),
            Right::new("device", "operate").of("UPDATE"),
            Right::new("device", "operate").of("QUERY"),
            Right::new("job", "create"),
            Right::new("job", "create").of(Right::ALL),
            Right::new("job", "create").of(Right::OWN),
            Right::new("task", "read").of(Right::OWN),
        ];
        for one in patterns {
            for other in patterns {
                let both = pattern(one).both(&pattern(other));
                for right in rights {
                    let each = pattern(one).covers(right) && pattern(other).covers(right);
                    let covered = both.as_ref().is_some_and(|both| both.covers(right));
                    assert_eq!(covered, each, "{one} and {other}: {right}");
                }
            }
        }
    }

    #[test]
    fn a_pattern_includes_those_that_say_less() {
        for (text, other, includes) in [
            ("*", "*", true),
            ("*.*", "*", false),
            ("*", "job.create:all", true),
            ("job.*", "job.create", true),
            ("job.*", "job.create:all", false),
            ("job.create", "job.*", false),
            ("job.create:all", "job.create", true),
            ("job.create:all", "job.create:*", false),
            ("device.operate", "device.operate:UPDATE", true),
            ("device.operate:UPDATE", "device.operate", false),
            ("device.operate:UPDATE", "device.operate:*", false),
        ] {
            assert_eq!(pattern(text).includes(&pattern(other)), includes, "{text} {other}");
        }
    }
}
