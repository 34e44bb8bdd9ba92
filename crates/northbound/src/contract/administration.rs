//! IAdministrationServices: an addition to the contract, in its style; one file for each area.

pub mod access;
