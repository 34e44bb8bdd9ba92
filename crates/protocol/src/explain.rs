//! What octets of device management say, for people: a tree of plain values with explanations.
//!
//! [`explain`] takes whatever a support engineer has (a message, package 0, a short message, a captured stream, as octets
//! or as text that stands for them), finds out what it is, and reads it element by element. Nothing is thrown away: what
//! is not known is shown by its number, and of what is broken there is all that stands before the break, with the
//! [`Failure`] at its place. Commands are matched with their statuses, and credentials are checked if their secret is
//! among the [`Keys`].
//!
//! Pure: the same octets give the same tree.

mod correlate;
mod credential;
mod data;
mod detect;
mod element;
mod facts;
mod http;
mod interaction;
mod names;
mod options;
mod package_0;
mod packing;
mod pcap;
mod pcap_stream;
mod provisioning;
mod push;
mod run;
mod syncml;
mod tree;
mod uri;

#[cfg(test)]
mod tests;

pub use http::HttpError;
pub use options::{Form, Keys, Options};
pub use packing::{Packing, PackingError};
pub use pcap::PcapError;
pub use run::explain;
pub use tree::{ExplainError, Explained, Explanation, Failure, Kind, Node, Note, Tone, Value};

use crate::limits::Limits;

/// Bounds of what is explained. Above those of devices: what is broken shall be readable too.
pub const LIMITS: Limits = Limits {
    document_bytes_max: 16 << 20,
    depth_max: 64,
    elements_max: 200_000,
    attributes_max: 64,
    text_bytes_max: 16 << 20,
    string_table_bytes_max: 1 << 20,
    commands_max: 100_000,
    items_max: 100_000,
};

/// Octets of one input: a capture of many sessions.
pub const INPUT_BYTES_MAX: usize = 64 << 20;

/// Documents inside documents that are opened: a message with a tree document with a document is one too many already.
const NESTED_MAX: usize = 4;
