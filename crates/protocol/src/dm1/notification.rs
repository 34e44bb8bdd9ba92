//! Package 0: the notification that asks a device to open a session. Octets in, octets out; sending them is elsewhere.
//!
//! A [`Notification`] is sealed with the server's secret by [`Notification::seal`]; [`Sealed::read`] takes package 0
//! apart and [`Sealed::check`] says which nonce its digest was made with. [`Form`] holds what differs between devices.
//! Bearers other than short messages take it as it is ([`Notification::seal`]), as base64 ([`to_base64`]), or over UDP as
//! [`PushHeader::NOTIFICATION`](crate::push::wsp::PushHeader::NOTIFICATION) makes it.
//!
//! Source: OMA DM Notification Initiated Session 1.2, "Package #0 Format"; OMA DM Security 1.2, "Notification".

mod digest;
mod fields;
mod form;
mod sealed;

#[cfg(test)]
mod tests;

pub use digest::{DIGEST_BYTES, digest};
pub use fields::{Initiator, ServerIdentifier, SessionId, UiMode, Version};
pub use form::{DigestName, Form, Nonce, NonceUsed, ResyncNonce, ServerKey};
pub use sealed::{MINIMUM_BYTES, Sealed, from_base64, to_base64};

/// Octets of package 0 that are read: it has to fit 255 short messages.
pub const PACKAGE_0_BYTES_MAX: usize = 255 * 128;

/// What package 0 says, without its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Version of the notification's format.
    pub version: Version,
    /// How the device involves its user.
    pub ui_mode: UiMode,
    /// Who wanted the session.
    pub initiator: Initiator,
    /// 27 bits that are zero, kept for messages of others.
    pub future_use: u32,
    /// Session the device shall open.
    pub session_id: SessionId,
    /// Who asks.
    pub server_id: ServerIdentifier,
    /// What vendors put behind the header. The digest covers it.
    pub body: Vec<u8>,
}

/// Why octets are not package 0. `at` counts octets from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// Shorter than digest, header and the server's identifier.
    #[error("package 0 ends at octet {at}, inside {field}")]
    Truncated {
        /// Where it ended.
        at: usize,
        /// What is not whole.
        field: &'static str,
    },
    /// More than 255 short messages hold.
    #[error("package 0 has {octets} octets, more than {PACKAGE_0_BYTES_MAX}")]
    TooLong {
        /// Its octets.
        octets: usize,
    },
    /// A session identifier that is none.
    #[error("session id at octet {at} is 0; it is 1 to FFFF")]
    SessionId {
        /// Where it stands.
        at: usize,
    },
    /// An identifier that is empty, above 255 octets or not printable ASCII.
    #[error("server identifier at octet {at} is not 1 to 255 printable ASCII characters")]
    ServerId {
        /// The octet that is wrong, or where it begins.
        at: usize,
    },
    /// A version of more than 10 bits.
    #[error("version {version} does not fit 10 bits")]
    Version {
        /// The number.
        version: u16,
    },
    /// Text that is not base64.
    #[error("text is not base64")]
    Base64,
}

impl Notification {
    /// A notification in the usual form: nothing said about the user, at the server's wish, no body.
    #[must_use]
    pub fn new(form: &Form, session_id: SessionId, server_id: ServerIdentifier) -> Self {
        Self {
            version: form.version,
            ui_mode: UiMode::NotSpecified,
            initiator: Initiator::Server,
            future_use: 0,
            session_id,
            server_id,
            body: Vec::new(),
        }
    }

    /// Header, identifier and body: what the digest covers.
    #[must_use]
    pub fn trigger(&self) -> Vec<u8> {
        let bits = u64::from(self.version.number()) << 54
            | u64::from(self.ui_mode.bits()) << 52
            | u64::from(self.initiator.bit()) << 51
            | u64::from(self.future_use & fields::FUTURE_USE_MAX) << 24
            | u64::from(self.session_id.get()) << 8
            | u64::from(self.server_id.length());
        let mut trigger = bits.to_be_bytes().to_vec();
        trigger.extend_from_slice(self.server_id.as_str().as_bytes());
        trigger.extend_from_slice(&self.body);
        trigger
    }

    /// Package 0: the digest with the server's secret and a nonce, and the [trigger](Self::trigger).
    #[must_use]
    pub fn seal(&self, form: &Form, key: &ServerKey<'_>, nonce: Nonce<'_>) -> Vec<u8> {
        let trigger = self.trigger();
        let name = form.digest_name.of(self.server_id.as_str(), key);
        let nonce = match nonce {
            Nonce::Stored(octets) => octets,
            Nonce::Resync => form.resync_nonce.octets(),
        };
        let digest = digest(name, key.secret, nonce, &trigger);
        [&digest, trigger.as_slice()].concat()
    }
}
