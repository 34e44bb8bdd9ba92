//! IAdministrationServices, one file for each area.

mod access;
pub(crate) mod callbacks;
pub(crate) mod certificates;
pub(crate) mod keys;
pub(crate) mod providers;
