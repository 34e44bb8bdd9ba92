//! WAP Push as OMA DM uses it: the WSP push PDU, and short messages that carry it.
//!
//! [`wsp`] puts a header around package 0 or a provisioning document and takes it off again; [`sms`] cuts that into the
//! user data of short messages and joins it; [`tpdu`] finds the user data in a whole short message. Over UDP the PDU of
//! [`wsp`] is the whole datagram, to [`PORT`]. Over OBEX there is no WSP header.
//!
//! Source: WAP-230-WSP-20010705; WAP-259-WDP-20010614; 3GPP TS 23.040; OMA DM Notification Initiated Session 1.2,
//! "Transports".

pub mod sms;
mod sms_join;
pub mod tpdu;
pub mod wsp;
mod wsp_names;
mod wsp_value;

/// The port of connectionless push without security, in short messages and over UDP.
pub const PORT: u16 = 2948;
