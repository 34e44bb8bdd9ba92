//! IAdministrationServices, one file for each area.

pub(crate) mod certificates;
pub(crate) mod keys;
mod ledger;
pub(crate) mod providers;
