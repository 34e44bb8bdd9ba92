//! IAdministrationServices, one file for each area.

mod approvals;
mod quotas;
