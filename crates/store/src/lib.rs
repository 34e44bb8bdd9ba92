#![doc = include_str!("../README.md")]

mod open;
mod sqlite;
mod vault;

pub use open::{OpenError, Options};
pub use sqlite::{Archive, Counted, SqliteStore, counted};
pub use vault::{FileVault, KeyError};
