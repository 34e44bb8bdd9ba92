//! IAdministrationServices, one file for each area.

mod access;
mod approvals;
mod callbacks;
mod certificates;
mod keys;
mod ledger;
mod providers;
mod quotas;

use std::borrow::Cow;

use muster_broker::access::Caller;

/// The caller at work in the domain that a request names: its own where none is named.
fn within<'c>(caller: &'c Caller, tenant: Option<&str>) -> Cow<'c, Caller> {
    match tenant {
        Some(tenant) if tenant != caller.tenant => Cow::Owned(caller.within(tenant)),
        _ => Cow::Borrowed(caller),
    }
}
