//! IAdministrationServices, one file for each area.

mod access;
mod approvals;
mod callbacks;
mod certificates;
mod keys;
mod ledger;
mod providers;
mod quotas;
