//! IAdministrationServices: who may use the server, how much, and what a second person decides. An addition to the
//! contract in its style, one file for each area.

pub mod access;
pub mod approvals;
pub mod callbacks;
pub mod certificates;
pub mod keys;
pub mod ledger;
pub mod providers;
pub mod quotas;
