//! IAdministrationServices, one file for each area.

mod approvals;
pub(crate) mod certificates;
pub(crate) mod keys;
pub(crate) mod providers;
mod quotas;
