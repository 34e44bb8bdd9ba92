//! Client Provisioning: documents that tell a device its accounts, read from WBXML and XML, and their MAC.
//!
//! [`Document::read`] makes a small tree of [`Characteristic`]s and [`Parm`]s; [`security`] says whether the sender of a
//! pushed document knew the secret.
//!
//! Source: OMA Provisioning Content 1.1; OMA Provisioning Bootstrap 1.1.

mod document;
mod read;
pub mod security;
mod tables;

pub use document::{Characteristic, Content, Document, Parm};
pub use read::{Attribute, ProvError, wbxml_attributes};
pub(crate) use tables::tag;

/// Public identifier of provisioning documents of both versions.
pub const PUBLIC_ID: u32 = 0x0B;
/// The same as text.
pub const PUBLIC_ID_TEXT: &str = "-//WAPFORUM//DTD PROV 1.0//EN";
