//! XML: a bounded pull reader and a writer.
//!
//! The reader resolves namespaces and predefined references, refuses what a device or caller has no business to send
//! (internal subsets, processing instructions, other entities) and copies no text.
//!
//! Source: XML 1.0 (fifth edition); Namespaces in XML 1.0.

mod attributes;
pub mod element;
mod error;
mod namespace;
mod prolog;
mod pull;
mod reference;
pub(crate) mod scan;
pub mod writer;

pub use error::XmlError;
pub use namespace::Namespace;
pub use prolog::document_text;
pub use pull::{Event, PullReader};
