//! Why an expression cannot be read.

/// Where an expression goes wrong, and what is expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {expected}")]
pub struct FilterError {
    /// Place of the character, counted from 1.
    pub at: usize,
    /// What is expected, and what stands there instead.
    pub expected: String,
    /// The part that does not fit, as it was written.
    pub found: String,
}

impl FilterError {
    pub(super) fn new(at: usize, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { at, expected: expected.into(), found: found.into() }
    }
}
