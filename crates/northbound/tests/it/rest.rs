//! The REST face.

mod addresses;
mod flows;
mod requests;
mod strangers;
