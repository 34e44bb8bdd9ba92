//! Scripted exchanges with a device.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod actions;
mod authentication;
mod commands;
mod device;
mod interaction;
mod large;
mod orders;
mod proof;
mod properties;
mod quirks;
mod sealed;
mod server_credential;
mod sizes;
mod upload;
mod vectors;
mod versions;
mod world;
