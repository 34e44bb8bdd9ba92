//! What the broker needs from outside besides storage: time, chance and the key of the installation.

use std::fmt;

use uuid::Uuid;

use crate::device::Sealed;
use crate::id::DeviceOid;
use crate::time::Timestamp;

/// Time and chance. The edge has the real ones; a test chooses them.
pub trait Environment: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;
    /// Fills with unpredictable octets.
    fn random(&self, octets: &mut [u8]);

    /// A new time-ordered identifier.
    fn uuid(&self) -> Uuid {
        let mut octets = [0; 10];
        self.random(&mut octets);
        let milliseconds = u64::try_from(self.now().0).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &octets).into_uuid()
    }
}

/// A sealed value that the key of this installation does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOurs;

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored secret does not open with this key file; was the database restored without its key?")
    }
}

impl std::error::Error for NotOurs {}

/// The key of the installation, which lies in a file outside the database.
pub trait Vault: Send + Sync {
    /// Seals a secret for storage.
    fn seal(&self, secret: &[u8]) -> Sealed;

    /// Opens what [`Vault::seal`] made.
    ///
    /// # Errors
    /// [`NotOurs`] if it was sealed with another key or altered.
    fn open(&self, sealed: &Sealed) -> Result<Vec<u8>, NotOurs>;

    /// The nonce of a device for one use: always the same for the same arguments, and unpredictable without the key.
    fn nonce(&self, device: DeviceOid, generation: i64, purpose: NoncePurpose<'_>) -> [u8; 16];

    /// A keyed digest, for tokens that callers hold and must not make themselves, and for look-up keys of secrets.
    fn digest(&self, purpose: &str, octets: &[u8]) -> [u8; 32];
}

/// What a device will use a nonce for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoncePurpose<'a> {
    /// The first credential of its next session.
    NextSession,
    /// The answer to a challenge in the session with this `SessionID`.
    Challenge(&'a str),
}
