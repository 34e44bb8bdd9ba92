//! OMA DM 1.x: the server's session machine and authentication, sans-IO.
//!
//! A [`Session`] takes each message of the device with [`Session::receive`], tells what it learnt, and makes the reply with
//! [`Session::answer`]. What the machine needs from outside (credentials, nonces, addresses) is lent to it for each message
//! and never kept in it, so the session is a small plain value that a store can keep between messages.
//!
//! Source: OMA DM Protocol 1.2, OMA DM Security 1.2, SyncML Representation Protocol 1.2.

mod account;
mod alert;
mod auth;
mod credential;
mod device;
mod hmac;
mod interaction;
mod large;
pub mod notification;
mod open;
mod order;
mod outcome;
mod proof;
mod quirks;
mod received;
mod session;
mod size;

#[cfg(test)]
mod tests;

pub use account::{Account, Identity, Incoming, ServerAccount};
pub use alert::{DeviceAlert, EventKind};
pub use auth::{AuthType, basic, mac, md5_digest};
pub use device::DeviceInfo;
pub use hmac::{HMAC_HEADER, HmacHeader, HmacHeaderError, Seal};
pub use interaction::{InputKind, UserAnswer};
pub use order::{Action, Order};
pub use outcome::{Answer, NodeResult, NodeStatus, Note, Outcome, StatusItem};
pub use proof::{Failure, Login};
pub use quirks::Quirks;
pub use received::{EndReason, Initiation, Received, Reply, Stage, Violation};
pub use session::{MAX_MSG_SIZE_DEFAULT, ORDERS_MAX, Session};
