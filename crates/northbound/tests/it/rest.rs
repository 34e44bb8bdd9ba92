//! The REST face.

mod addresses;
mod flows;
mod imports;
mod requests;
mod strangers;
