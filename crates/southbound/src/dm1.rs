//! OMA DM 1.2 devices.

mod account;
mod arrival;
mod chooser;
mod conversation;
mod exchange;
mod guard;
mod nobody;
mod outcome;
mod plan;
mod planned;
mod verdict;
mod walk;
mod work;

pub use exchange::{Answer, Exchange, Post, Refusal, Settings};
