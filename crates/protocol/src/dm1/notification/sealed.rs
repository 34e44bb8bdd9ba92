use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD};

use super::digest::{DIGEST_BYTES, digest, same};
use super::fields::{FUTURE_USE_MAX, SERVER_ID_AT, SESSION_ID_AT};
use super::{
    Form, Initiator, NonceUsed, Notification, NotificationError, PACKAGE_0_BYTES_MAX, ResyncNonce, ServerIdentifier,
    ServerKey, SessionId, UiMode, Version,
};

/// Digest, header and an identifier of one character.
pub const MINIMUM_BYTES: usize = SERVER_ID_AT + 1;

/// Package 0 as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed<'a> {
    /// What it says. Not to be believed before [`Self::check`].
    pub notification: Notification,
    /// Its digest.
    pub digest: [u8; DIGEST_BYTES],
    /// What the digest covers, as it came.
    pub trigger: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Takes package 0 apart. Future-use bits and versions of other numbers are let through: their readers shall ignore
    /// them.
    ///
    /// # Errors
    /// [`NotificationError`].
    pub fn read(package: &'a [u8]) -> Result<Self, NotificationError> {
        if package.len() > PACKAGE_0_BYTES_MAX {
            return Err(NotificationError::TooLong { octets: package.len() });
        }
        let truncated = |field| NotificationError::Truncated { at: package.len(), field };
        let (digest, trigger) = package.split_first_chunk::<DIGEST_BYTES>().ok_or(truncated("the digest"))?;
        let (bits, rest) = trigger.split_first_chunk::<8>().ok_or(truncated("the header"))?;
        let bits = u64::from_be_bytes(*bits);
        let length = (bits & 0xFF) as usize;
        let identifier = rest.get(..length).ok_or(truncated("the server identifier"))?;
        let place = identifier.iter().position(|octet| !octet.is_ascii()).unwrap_or(0);
        let identifier = std::str::from_utf8(identifier);
        let identifier = identifier.map_err(|_| NotificationError::ServerId { at: SERVER_ID_AT + place })?;
        let notification = Notification {
            version: Version::new((bits >> 54) as u16)?,
            ui_mode: UiMode::of_bits(bits >> 52),
            initiator: Initiator::of_bit(bits >> 51),
            future_use: (bits >> 24) as u32 & FUTURE_USE_MAX,
            session_id: SessionId::new((bits >> 8) as u16).ok_or(NotificationError::SessionId { at: SESSION_ID_AT })?,
            server_id: ServerIdentifier::new(identifier)?,
            body: rest.get(length..).unwrap_or_default().to_vec(),
        };
        Ok(Self { notification, digest: *digest, trigger })
    }

    /// Whether the digest was made with the server's secret, and with which nonce: the one given first, then both
    /// readings of the one that begins a new series. Nothing if with none of them.
    #[must_use]
    pub fn check(&self, form: &Form, key: &ServerKey<'_>, stored_nonce: &[u8]) -> Option<NonceUsed> {
        let name = form.digest_name.of(self.notification.server_id.as_str(), key);
        let readings = ResyncNonce::ALL.map(|it| (NonceUsed::Resync(it), it.octets()));
        let mut tried = [(NonceUsed::Stored, stored_nonce)].into_iter().chain(readings);
        let found = tried.find(|(_, nonce)| same(&digest(name, key.secret, nonce, self.trigger), &self.digest));
        found.map(|(used, _)| used)
    }
}

/// Package 0 as text, for pushes of vendors that Samsung handsets take.
#[must_use]
pub fn to_base64(package: &[u8]) -> String {
    STANDARD.encode(package)
}

/// The octets of package 0 that came as base64, with white space and with or without padding.
///
/// # Errors
/// [`NotificationError::Base64`]; [`NotificationError::TooLong`].
pub fn from_base64(text: &str) -> Result<Vec<u8>, NotificationError> {
    if text.len() > PACKAGE_0_BYTES_MAX * 2 {
        return Err(NotificationError::TooLong { octets: text.len() });
    }
    let text: String = text.split_ascii_whitespace().collect();
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, lenient);
    engine.decode(text).map_err(|_| NotificationError::Base64)
}
