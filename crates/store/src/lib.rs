#![doc = include_str!("../README.md")]

mod open;
mod sqlite;
mod vault;

pub use open::{OpenError, Options};
pub use sqlite::{
    Archive, Copied, Counted, LookedThrough, Progress, SqliteStore, copy_database, counted, digest_of, look_through,
    put_in_place,
};
pub use vault::{FileVault, KeyError};
