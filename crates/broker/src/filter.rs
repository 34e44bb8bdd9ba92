//! The filter language of lists: one expression that a record fulfils or not.
//!
//! ```text
//! expression = term { "or" term }
//! term       = factor { "and" factor }
//! factor     = "not" factor | "(" expression ")" | test
//! test       = "has" "(" field ")" | "absent" "(" field ")"
//!            | field ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
//!            | field "in" "(" value { "," value } ")"
//!            | field "startsWith" value
//! field      = a name of the contract | "attribute." name
//! value      = a quoted text | a word, number or time without quotes
//! ```
//!
//! An asterisk at the end of a quoted text after `=` or `!=` matches any ending; `\*` is an asterisk. Keywords may be
//! written in capitals or not, names of fields as the contract has them. A field that a record does not have equals
//! nothing: `=`, `<` and the like do not hold, `!=` and `not` do.
//!
//! Each list has a table of its fields ([`DeviceField`] and the others), and an expression is read against it: what
//! comes out has typed values, and nothing of it is text that a store would have to trust.
//!
//! Source: DM WSI contract, section 10, "the filter language of lists"; the guide is `docs/guide/filters.md`.

mod error;
mod fields;
mod kind;
mod parser;
mod print;
mod token;

use std::fmt;

pub use error::FilterError;
pub use fields::{CapabilityField, DeviceField, JobField, SubscriberField, TaskField};
pub use kind::{Field, Kind, Reader};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fault::Fault;
use crate::time::Timestamp;

/// Longest expression, in octets.
pub const OCTETS_MAX: usize = 4096;
/// Most parentheses and `not` inside each other.
pub const DEPTH_MAX: usize = 16;
/// Most tests in one expression; each value of an `in` counts as one.
pub const TERMS_MAX: usize = 64;
/// The parameter that carries an expression.
pub const PARAMETER: &str = "filterExpression";

/// An expression over the fields `F`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter<F> {
    /// Every part must hold. At least two, none of which is of this kind.
    All(Vec<Self>),
    /// One part must hold. At least two, none of which is of this kind.
    Any(Vec<Self>),
    /// The part must not hold.
    Not(Box<Self>),
    /// The field must stand the test.
    Test(F, Test),
}

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The record has a value of it.
    Has,
    /// It compares so with the value.
    Is(Comparison, Value),
    /// It equals one of these; at least one.
    In(Vec<Value>),
    /// Its text begins so.
    StartsWith(String),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`; of a field with several values: one of them is equal.
    Equal,
    /// `!=`: not `=`, so that it holds where the field is absent.
    NotEqual,
    /// `<`; texts compare octet by octet.
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Every one with its sign.
    pub const SIGNS: [(&str, Self); 6] = [
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::LessOrEqual),
        (">", Self::Greater),
        (">=", Self::GreaterOrEqual),
    ];

    /// Whether it asks for an order and not only for equality.
    #[must_use]
    pub fn needs_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// A value, typed as its field is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, or the name of an enumeration's value.
    Text(String),
    /// Whole number.
    Number(i64),
    /// Truth.
    Boolean(bool),
    /// Point in time.
    Time(Timestamp),
}

impl<F: Field> Filter<F> {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`FilterError`] says where it goes wrong and what is expected there.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text)
    }

    /// As [`Self::parse`], for a parameter that may be left out.
    ///
    /// # Errors
    /// `InvalidArgument` with the variables [`PARAMETER`] and what was found.
    pub fn read(text: Option<&str>) -> Result<Option<Self>, Fault> {
        let read = text.map(Self::parse).transpose();
        read.map_err(|error| Fault::invalid(PARAMETER, error.found.escape_debug(), &error))
    }
}

impl<F> Filter<F> {
    /// What holds where every part holds.
    #[must_use]
    pub fn all(parts: Vec<Self>) -> Self {
        let parts = parts.into_iter().flat_map(|part| match part {
            Self::All(inner) => inner,
            other => vec![other],
        });
        only_or(parts.collect(), Self::All)
    }

    /// What holds where one part holds.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        let parts = parts.into_iter().flat_map(|part| match part {
            Self::Any(inner) => inner,
            other => vec![other],
        });
        only_or(parts.collect(), Self::Any)
    }

    /// A field that equals a value.
    #[must_use]
    pub fn equal(field: F, value: Value) -> Self {
        Self::Test(field, Test::Is(Comparison::Equal, value))
    }
}

fn only_or<F>(mut parts: Vec<Filter<F>>, many: fn(Vec<Filter<F>>) -> Filter<F>) -> Filter<F> {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            many(parts)
        }
    }
}

/// Kept as its text.
impl<F: Field> Serialize for Filter<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, F: Field> Deserialize<'de> for Filter<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl<F: Field> fmt::Display for Filter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::filter(self, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests;
