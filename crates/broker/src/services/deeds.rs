//! Who does what: for the audit log.

use super::Broker;
use crate::access::Caller;
use crate::ledger::{Deed, Telling};

impl Broker {
    /// That the caller does `operation` now.
    pub(crate) fn deed(&self, caller: &Caller, operation: &'static str) -> Deed {
        Deed {
            actor: caller.name.clone(),
            tenant: caller.tenant.clone(),
            face: "SOAP",
            way: "",
            peer: None,
            correlation: None,
            operation,
            at: self.environment.now(),
            telling: Telling::Each,
        }
    }
}
