//! IAdministrationServices, one file for each area.

mod access;
mod approvals;
pub(crate) mod callbacks;
pub(crate) mod certificates;
pub(crate) mod keys;
mod ledger;
pub(crate) mod providers;
mod quotas;
