//! The WSI from HTTP to the store.
#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

mod captures;
mod delivery;
mod descriptions;
mod faults;
mod generated;
mod headers;
mod hostile;
mod identity;
mod rest;
mod schema;
mod subscribers;
mod wire;
mod world;
