//! Both ends of OMA DM 1.2 against each other: simulated devices and the server's endpoint in one process, over a link
//! that loses, repeats, delays and cuts messages, with devices that restart and nodes that change in mid-session.
//!
//! One seed decides everything, on a clock that is not real. After each run the link is calm until nothing is left to
//! do; then every task has ended, and the devices agree with what the server says of them. `cargo xtask simulate` plays
//! any number of seeds in the release build.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests may fail by panic and tell how far they are")]

mod asked;
mod campaign;
mod chance;
mod ground;
mod handset;
#[path = "../shared/imei.rs"]
mod imei;
mod run;
