//! Entries of a bulk call as a face hands them over.

use crate::fault::Fault;

/// An entry of a bulk call: what could be read, or why it could not be. One entry that cannot be read does not keep the
/// others back.
///
/// Source: DM WSI contract, section 3, "Entries of a bulk call".
#[derive(Clone, Debug)]
pub enum Given<T> {
    /// The entry.
    Read(T),
    /// The fault that rejects it.
    Refused(Fault),
}

impl<T> Given<T> {
    pub(super) fn read(self) -> Result<T, Fault> {
        match self {
            Self::Read(entry) => Ok(entry),
            Self::Refused(fault) => Err(fault),
        }
    }
}

impl<T> From<T> for Given<T> {
    fn from(entry: T) -> Self {
        Self::Read(entry)
    }
}

impl<T> From<Result<T, Fault>> for Given<T> {
    fn from(entry: Result<T, Fault>) -> Self {
        entry.map_or_else(Self::Refused, Self::Read)
    }
}
