//! What other programs and hostile senders see of the crate.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read golden files and start other programs"
)]

mod allocations;
mod blank;
mod corpus;
mod generate;
mod hostile;
mod hostile_wbxml;
mod hostile_xml;
mod interop;
mod machine;
mod noise;
mod place;
mod properties;
mod representation;
mod sample;
mod session_history;
mod style;
mod tolerance;
mod tree_documents;
mod vectors;
