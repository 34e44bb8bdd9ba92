//! What was done, by whom, and what it costs: the audit log and the chargeable events.
//!
//! Every method of the store that writes takes a [`Deed`]; what it changes, it adds to the audit log in the same
//! transaction, and what is chargeable to the feed of chargeable events. Everything here is pure: the store numbers,
//! chains and keeps the entries.
//!
//! Source: DM WSI contract, section 3, "Access control" and "Chargeable events".

mod audit;
pub mod chain;
mod charge;
mod deed;
mod erasure;
pub mod mask;
mod picture;
mod refusals;

pub use audit::{AuditEntry, AuditFilter, Object, Outcome, Recorded, Subject};
pub use charge::{ChargeKind, ChargeableEvent, EventId, Feed};
pub use deed::{Deed, Telling};
pub use erasure::{ERASED, NAME_IN_TEXT_MIN, Names};
pub use picture::{
    Picture, authority, binding, callback_address, capability, device, job, key, principal, provider, recording,
    revoked, role, subscriber, task, tenant,
};
pub use refusals::{Refusals, Refused};
