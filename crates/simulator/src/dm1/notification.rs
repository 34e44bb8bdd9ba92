//! Notifications: what asks a device to open a session.
//!
//! Source: OMA DM 1.2 Notification, "General notification format" and "Digest"; OMA DM 1.2 Security, "Handling of
//! nonces in a notification".

use super::{Device, Initiation, credential};
use crate::behaviour::ResyncReading;

/// Octets before the server identifier: digest, version and flags, session id, length.
const HEAD_BYTES: usize = 24;
/// Octets of the digest.
const DIGEST_BYTES: usize = 16;
/// The version that notifications of DM 1.1.2 and DM 1.2 have.
const VERSION: u16 = 11;
/// Session ids of notifications that are remembered, so that one that is heard again is not followed again.
const REMEMBERED_MAX: usize = 16;

/// Why a device does not follow a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfollowed {
    /// It ends before the server identifier does.
    #[error("a notification of {octets} octets ends too early")]
    TooShort {
        /// Its length.
        octets: usize,
    },
    /// The version is not 1.1.
    #[error("version field {version}, not {VERSION}")]
    Version {
        /// The field.
        version: u16,
    },
    /// It is of another server.
    #[error("it comes from a server that this device has no account of")]
    OtherServer,
    /// The digest was made with neither the nonce that this device gave out nor that of a resynchronisation.
    #[error("the digest is wrong")]
    Digest,
    /// Session id 0.
    #[error("session id 0")]
    SessionId,
    /// The same notification came before.
    #[error("it has come before")]
    Repeated,
}

impl Device {
    /// Takes a notification (package 0). What is returned starts the session that it asks for.
    ///
    /// # Errors
    /// [`Unfollowed`] if the device does nothing.
    pub fn notified(&mut self, octets: &[u8]) -> Result<Initiation, Unfollowed> {
        let too_short = Unfollowed::TooShort { octets: octets.len() };
        let (digest, trigger) = octets.split_at_checked(DIGEST_BYTES).ok_or(too_short)?;
        let (head, rest) = octets.split_first_chunk::<HEAD_BYTES>().ok_or(too_short)?;
        let identifier = rest.get(..usize::from(head[23])).ok_or(too_short)?;
        let version = u16::from_be_bytes([head[16], head[17]]) >> 6;
        if version != VERSION && !self.faults.any_notification_version {
            return Err(Unfollowed::Version { version });
        }
        if identifier != self.account.server_id.as_bytes() {
            return Err(Unfollowed::OtherServer);
        }
        let session = u16::from_be_bytes([head[21], head[22]]);
        if session == 0 {
            return Err(Unfollowed::SessionId);
        }
        let special = self.nonce_of(digest, trigger).ok_or(Unfollowed::Digest)?;
        if self.notified.contains(&session) {
            return Err(Unfollowed::Repeated);
        }
        self.notified.push_back(session);
        if self.notified.len() > REMEMBERED_MAX {
            self.notified.pop_front();
        }
        let session_id = self.faults.session_id(session);
        self.resync = special.map(|nonce| (session_id.clone(), nonce));
        Ok(Initiation::Server { session_id })
    }

    /// Which nonce the digest was made with: `Some(None)` for the one that this device gave out, `Some(Some(_))` for
    /// that of a resynchronisation, `None` for neither.
    fn nonce_of(&self, digest: &[u8], trigger: &[u8]) -> Option<Option<Vec<u8>>> {
        if self.faults.notifications_unchecked {
            return Some(None);
        }
        // A server that proves nothing can make no digest either.
        let server = self.account.server.as_ref()?;
        let name = if self.faults.notification_by_name { &server.name } else { &self.account.server_id };
        let fits = |nonce: &[u8]| credential::of_trigger(name, &server.secret, nonce, trigger) == *digest;
        if fits(&server.nonce) {
            return Some(None);
        }
        let readings: &[&[u8]] = match self.faults.resync {
            ResyncReading::Either => &[&credential::RESYNC_OCTETS, credential::RESYNC_TEXT],
            ResyncReading::Octets => &[&credential::RESYNC_OCTETS],
            ResyncReading::Text => &[credential::RESYNC_TEXT],
        };
        readings.iter().find(|nonce| fits(nonce)).map(|nonce| Some(nonce.to_vec()))
    }
}
