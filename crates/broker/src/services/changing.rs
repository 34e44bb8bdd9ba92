//! Changing a record that others change too.

use super::device_manager::out_of_step;
use crate::fault::{Fault, FaultName};
use crate::store::Once;

/// How often a change is decided again that another one came before.
const ATTEMPTS: usize = 5;

/// Attempts to keep a change: it is decided anew where another one came between and the caller did not say which version
/// it changes.
pub(super) struct Attempts {
    version: Option<i64>,
    left: usize,
}

impl Attempts {
    /// For a caller that holds this version.
    pub(super) fn of(version: Option<i64>) -> Self {
        Self { version, left: ATTEMPTS }
    }

    /// The record as it was kept; nothing where the change is to be decided anew.
    ///
    /// # Errors
    /// Why it was not kept; `TemporarilyUnavailable` where others never stop.
    pub(super) fn outcome<T>(&mut self, kept: Once<Result<T, Fault>>) -> Result<Option<T>, Fault> {
        match kept {
            Once::Now(Err(fault)) if fault.name == FaultName::OutdatedVersion && self.version.is_none() => {
                self.left = self.left.checked_sub(1).ok_or_else(busy)?;
                Ok(None)
            }
            Once::Now(kept) => kept.map(Some),
            Once::Before(_) | Once::Reused => Err(out_of_step()),
        }
    }
}

fn busy() -> Fault {
    Fault::new(FaultName::TemporarilyUnavailable, "others are changing this record; try again").retry_after_s(1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    fn overtaken() -> Once<Result<(), Fault>> {
        Once::Now(Err(Fault::new(FaultName::OutdatedVersion, "the record has version 2, not 1")))
    }

    #[test]
    fn a_change_is_decided_anew_so_many_times_unless_its_caller_holds_a_version() {
        let mut attempts = Attempts::of(None);
        for _ in 0..ATTEMPTS {
            assert_eq!(attempts.outcome(overtaken()), Ok(None));
        }
        assert_eq!(attempts.outcome(overtaken()).unwrap_err().name, FaultName::TemporarilyUnavailable);
        assert_eq!(Attempts::of(Some(1)).outcome(overtaken()).unwrap_err().name, FaultName::OutdatedVersion);
        assert_eq!(Attempts::of(None).outcome(Once::Now(Ok(7))), Ok(Some(7)));
    }
}
