//! OMA DM 1.2 devices.

mod account;
mod conversation;
mod exchange;
mod outcome;
mod plan;
mod planned;
mod snapshot;
mod verdict;
mod walk;
mod work;

pub use exchange::{Answer, Exchange, Post, Refusal, Settings};
pub use snapshot::snapshot;
