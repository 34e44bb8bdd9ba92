//! WBXML 1.0 to 1.3: a bounded reader of tokens and the code pages of OMA DM.
//!
//! What a document holds beyond these pages is passed over as far as its length is known: tokens and pages without a
//! meaning here, names of the string table, attributes, and extension tokens outside text. An extension token inside
//! text stands for some of it, and leaving it out would change a value without anybody knowing, so such a document is
//! refused. So are processing instructions, as in XML.
//!
//! [`Reader`] knows the binary form only; what a tag or an attribute means is the caller's table. [`tags`] holds the
//! tables of SyncML, MetInf and DM DDF. No tree is built and no string is copied.
//!
//! Source: WBXML (W3C Note, 24 June 1999); SyncML Representation Protocol 1.2, "WBXML Definition".

mod ddf;
mod error;
mod header;
mod integer;
mod reader;
pub mod tags;
pub(crate) mod writer;

pub use ddf::{ddf_from_xml, ddf_to_xml};
pub use error::WbxmlError;
pub use header::{Charset, Header, PublicId};
pub use integer::mb_u_int32;
pub(crate) use integer::put_mb_u_int32;
pub use reader::{Attribute, Reader, Token};
