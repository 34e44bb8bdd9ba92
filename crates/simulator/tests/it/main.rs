//! Devices and fleets over real connections.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

mod device;
mod fleet;
mod server;
