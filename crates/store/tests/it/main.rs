//! What the storage port promises, each promise a test.
#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

mod contacts;
mod devices;
mod principals;
mod tasks;
mod world;
