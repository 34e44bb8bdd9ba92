#![allow(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

mod authentication;
mod commands;
mod hostile;
mod notification;
mod objects;
mod packages;
mod rules;
mod script;
mod sealed;
mod statuses;
mod tree;
mod variety;
