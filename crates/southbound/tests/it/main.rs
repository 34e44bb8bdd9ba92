//! Devices against the server, message by message and without HTTP.
//!
//! The devices are those of the simulator, the store is the real one in a folder of its own, time and chance are the
//! test's.

#![allow(clippy::unwrap_used, reason = "tests may fail by panic")]

mod approval;
mod ask;
#[path = "../shared/imei.rs"]
mod imei;
mod phone;
mod world;

mod authentication;
mod carries_out;
mod consent;
mod held;
mod histories;
mod http;
mod identity;
mod lost;
mod malformed;
mod outcomes;
mod patience;
mod profiles;
mod races;
mod recording;
mod resync;
mod rollout;
mod sessions;
mod signed;
mod trees;
mod variety;
