//! SOAP 1.1 and 1.2: envelopes, faults, and the headers of WS-Addressing and WS-Security as data.
//!
//! Nothing here knows HTTP, an operation or a password.
//!
//! Sources: SOAP 1.1 (W3C Note, 8 May 2000); SOAP 1.2 Part 1 (second edition); WS-Addressing 1.0 Core and SOAP Binding;
//! WS-Security UsernameToken Profile 1.1.

pub mod addressing;
pub mod envelope;
pub mod fault;
pub mod security;

pub use envelope::{Envelope, EnvelopeError, Version};
pub use fault::{Code, SoapFault, Subcode};
