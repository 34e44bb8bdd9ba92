//! IAdministrationServices, an addition to the contract in its style: a file for each area.

pub mod ledger;
