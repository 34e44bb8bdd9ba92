//! The REST face.

mod addresses;
mod description;
mod flows;
mod requests;
mod strangers;
