//! The REST face.

mod addresses;
mod description;
mod flows;
mod imports;
mod requests;
mod strangers;
