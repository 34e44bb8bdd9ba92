//! The WSI from HTTP to the store.
#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

mod api_keys;
mod approvals;
mod authority;
mod bad_input;
mod captures;
mod certificates;
mod corpus;
mod delivery;
mod descriptions;
mod faults;
mod filters;
mod generated;
mod headers;
mod hostile;
mod identity;
mod ledger;
mod matrix;
mod openid;
mod provider;
mod rest;
mod rollouts;
mod schema;
mod subscribers;
mod wire;
mod world;
