//! What a field of a list is, and which tests it stands.

use std::borrow::Cow;
use std::fmt::Debug;

/// Brings a value to the form in which it is kept; the error says what is expected.
pub type Reader = fn(&str) -> Result<String, String>;

/// The type of a field.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text with an order: every test. Equality is with the text in its kept form.
    Text(Reader),
    /// An identifier: equality, `in` and `has`.
    Name(Reader),
    /// Several texts: equality with one of them, `in` and `has`.
    Set,
    /// One of these words: equality, `in` and `has`.
    Word(fn() -> Vec<&'static str>),
    /// Whole number: every test but a prefix.
    Number,
    /// `true` or `false`: equality.
    Boolean,
    /// RFC 3339 time: every test but a prefix.
    Time,
}

impl Kind {
    /// Whether `<` and the like are possible.
    #[must_use]
    pub fn has_order(self) -> bool {
        matches!(self, Self::Text(_) | Self::Number | Self::Time)
    }

    /// Whether a prefix is possible.
    #[must_use]
    pub fn has_prefix(self) -> bool {
        matches!(self, Self::Text(_))
    }
}

/// The fields of one list.
pub trait Field: Clone + Debug + PartialEq + Eq + Sized {
    /// The names as told in an error, in the order of the contract.
    const NAMES: &'static [&'static str];

    /// The field of this name.
    fn parse(name: &str) -> Option<Self>;

    /// Its name, as the contract spells it.
    fn name(&self) -> Cow<'_, str>;

    /// Its type.
    fn kind(&self) -> Kind;
}

/// A text as it is.
pub(super) fn plain(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}
