//! Imports of device records as a stream: rows of CSV or NDJSON in, a line of NDJSON out for each row that is not taken,
//! and a summary at the end.
//!
//! `reader` makes rows of octets (`csv` and `columns` for tables), `run` carries them to the broker in batches, `lines` is
//! what is answered. None of it knows HTTP but for the body.
//!
//! Source: DM WSI contract, section 10.

mod columns;
mod csv;
mod lines;
mod reader;
mod run;

pub(crate) use lines::state;
pub(crate) use reader::Format;
pub(crate) use run::{Asked, IMPORTS_MAX, begin};
