//! Who does what: for the audit log.

use super::Broker;
use crate::access::Caller;
use crate::ledger::Deed;

impl Broker {
    /// That the caller does `operation` of the contract now.
    pub(crate) fn deed(&self, caller: &Caller, operation: &'static str) -> Deed {
        Deed::of(caller, operation, self.environment.now())
    }
}
