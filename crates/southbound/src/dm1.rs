//! OMA DM 1.2 devices.

mod account;
mod arrival;
mod chooser;
mod conversation;
mod counters;
mod exchange;
mod guard;
mod nobody;
mod objects;
mod outcome;
mod plan;
mod planned;
mod recorder;
mod snapshot;
mod verdict;
mod walk;
mod work;

pub use counters::{Counters, Family, NoMessage};
pub use exchange::{Answer, Exchange, Post, Refusal, Settings};
pub use snapshot::snapshot;
