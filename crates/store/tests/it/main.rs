//! What the storage port promises, each promise a test.
#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

mod callbacks;
mod capabilities;
mod charges;
mod contacts;
mod counters;
mod crash;
mod credentials;
mod devices;
mod disk_full;
mod erasure;
mod filters;
mod idempotency;
mod imports;
mod jobs;
mod ledger;
mod ledger_chain;
mod opening;
mod paging;
mod power;
mod principals;
mod quotas;
mod rollout;
mod sql;
mod subscribers;
mod tasks;
mod traces;
mod world;
