//! The key of the installation: sealing, nonces and keyed digests.
//!
//! One 32-octet key lies in a file outside the database; HKDF-SHA-256 derives a key for each use from it (RFC 5869),
//! so that no two uses share one. Sealed values are `1 | nonce (12) | AES-256-GCM ciphertext and tag`; the first octet
//! names the format, so that another cipher can follow without a guess.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac, rand};
use muster_broker::device::Sealed;
use muster_broker::id::DeviceOid;
use muster_broker::ports::{NoncePurpose, NotOurs, Vault};

const KEY_BYTES: usize = 32;
const FORMAT: u8 = 1;

/// Why a key file was not used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It could not be read or made.
    #[error("key file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others could have read it.
    #[error("key file {} may be read or written by others (mode {mode:03o}); run chmod 600 on it", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no key.
    #[error("key file {} has {bytes} octets where a key has {KEY_BYTES}; restore the file that belongs to this database", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
}

/// The vault whose key lies in a file.
pub struct FileVault {
    sealing: LessSafeKey,
    chance: Mutex<Chance>,
    nonces: hmac::Key,
    digests: hmac::Key,
}

/// Random octets that no nonce was made of yet. To have them from the system one nonce at a time takes longer than sealing
/// does.
struct Chance {
    octets: [u8; NONCE_LEN * 256],
    used: usize,
}

impl Chance {
    fn new() -> Self {
        let octets = [0; NONCE_LEN * 256];
        Self { used: octets.len(), octets }
    }

    /// Octets that were never given before.
    fn nonce(&mut self) -> [u8; NONCE_LEN] {
        if self.used >= self.octets.len() {
            rand::fill(&mut self.octets).expect("the system has a random source");
            self.used = 0;
        }
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&self.octets[self.used..self.used + NONCE_LEN]);
        self.used += NONCE_LEN;
        nonce
    }
}

impl std::fmt::Debug for FileVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileVault(…)")
    }
}

impl FileVault {
    /// Reads the key from `path`.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be read, may be read by others, or has another length than 32 octets.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Permissions { path: path.to_owned(), mode });
        }
        if metadata.len() != KEY_BYTES as u64 {
            return Err(KeyError::Length { path: path.to_owned(), bytes: metadata.len() });
        }
        let mut key = [0; KEY_BYTES];
        file.read_exact(&mut key).map_err(failed)?;
        Ok(Self::new(&key))
    }

    /// Makes a new key at `path`, which must not exist, and reads it.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io { path: path.to_owned(), source };
        let mut key = [0; KEY_BYTES];
        rand::fill(&mut key).map_err(|_| failed(std::io::Error::other("no random octets from the system")))?;
        // A crash must not leave half a key under the name that counts, so it is written beside it and then named.
        let draft = path.with_extension("new");
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::hard_link(&draft, path))
            .and_then(|()| std::fs::remove_file(&draft))
            .and_then(|()| path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()));
        written.map_err(failed)?;
        Self::read(path)
    }

    /// A vault of this key.
    #[must_use]
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"muster").extract(key);
        let sealing = UnboundKey::new(&AES_256_GCM, &derived(&root, b"seal"));
        Self {
            sealing: LessSafeKey::new(sealing.expect("the derived key has the length that the cipher wants")),
            chance: Mutex::new(Chance::new()),
            nonces: hmac::Key::new(hmac::HMAC_SHA256, &derived(&root, b"nonce")),
            digests: hmac::Key::new(hmac::HMAC_SHA256, &derived(&root, b"digest")),
        }
    }

    /// Whether two sealed values hide the same secret. False where one of them does not open.
    #[must_use]
    pub fn is_same(&self, one: &Sealed, other: &Sealed) -> bool {
        one == other || matches!((self.open(one), self.open(other)), (Ok(one), Ok(other)) if one == other)
    }
}

fn derived(root: &hkdf::Prk, purpose: &[u8]) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    root.expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("one hash length is a length that HKDF gives");
    key
}

impl Vault for FileVault {
    fn seal(&self, secret: &[u8]) -> Sealed {
        let nonce = self.chance.lock().unwrap_or_else(PoisonError::into_inner).nonce();
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + secret.len() + AES_256_GCM.tag_len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(secret);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .sealing
            .seal_in_place_separate_tag(nonce, Aad::from([FORMAT]), &mut sealed[1 + NONCE_LEN..])
            .expect("a secret is shorter than the limit of the cipher");
        sealed.extend_from_slice(tag.as_ref());
        Sealed(sealed)
    }

    fn open(&self, sealed: &Sealed) -> Result<Vec<u8>, NotOurs> {
        let (format, rest) = sealed.0.split_first().ok_or(NotOurs)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(NotOurs)?;
        if *format != FORMAT {
            return Err(NotOurs);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOurs)?;
        let mut body = body.to_vec();
        let opened = self.sealing.open_in_place(nonce, Aad::from([FORMAT]), &mut body).map_err(|_| NotOurs)?.len();
        body.truncate(opened);
        Ok(body)
    }

    fn nonce(&self, device: DeviceOid, generation: i64, purpose: NoncePurpose<'_>) -> [u8; 16] {
        let mut mac = hmac::Context::with_key(&self.nonces);
        mac.update(device.unique.as_bytes());
        mac.update(&generation.to_be_bytes());
        match purpose {
            NoncePurpose::NextSession => mac.update(&[0]),
            NoncePurpose::Challenge(session) => {
                mac.update(&[1]);
                mac.update(session.as_bytes());
            }
        }
        let tag = mac.sign();
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&tag.as_ref()[..16]);
        nonce
    }

    fn digest(&self, purpose: &str, octets: &[u8]) -> [u8; 32] {
        let mut mac = hmac::Context::with_key(&self.digests);
        // The length keeps ("a", "bc") and ("ab", "c") apart.
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(octets);
        let tag = mac.sign();
        let mut digest = [0; 32];
        digest.copy_from_slice(tag.as_ref());
        digest
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_sealed_secret_opens_with_its_key_alone_and_only_unaltered() {
        let vault = FileVault::new(&[7; 32]);
        let sealed = vault.seal(b"secret");
        assert_eq!(vault.open(&sealed), Ok(b"secret".to_vec()));
        assert_eq!(FileVault::new(&[8; 32]).open(&sealed), Err(NotOurs));
        for place in 0..sealed.0.len() {
            let mut altered = sealed.clone();
            altered.0[place] ^= 1;
            assert_eq!(vault.open(&altered), Err(NotOurs), "octet {place}");
            assert_eq!(vault.open(&Sealed(sealed.0[..place].to_vec())), Err(NotOurs), "length {place}");
        }
    }

    #[test]
    fn sealing_twice_gives_two_values_that_are_known_to_be_the_same_secret() {
        let vault = FileVault::new(&[7; 32]);
        let (one, other) = (vault.seal(b"secret"), vault.seal(b"secret"));
        assert_ne!(one, other);
        assert!(vault.is_same(&one, &other));
        assert!(!vault.is_same(&one, &vault.seal(b"Secret")));
    }

    #[test]
    fn nonces_and_digests_differ_in_each_argument_and_repeat_for_the_same_ones() {
        let vault = FileVault::new(&[7; 32]);
        let device = |number| DeviceOid::new(uuid::Uuid::from_u128(number));
        let all = [
            vault.nonce(device(1), 0, NoncePurpose::NextSession),
            vault.nonce(device(2), 0, NoncePurpose::NextSession),
            vault.nonce(device(1), 1, NoncePurpose::NextSession),
            vault.nonce(device(1), 0, NoncePurpose::Challenge("")),
            vault.nonce(device(1), 0, NoncePurpose::Challenge("1")),
        ];
        for (place, nonce) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == nonce), Some(place));
        }
        assert_eq!(all[4], vault.nonce(device(1), 0, NoncePurpose::Challenge("1")));
        assert_ne!(vault.digest("a", b"bc"), vault.digest("ab", b"c"));
        assert_eq!(vault.digest("a", b"bc"), vault.digest("a", b"bc"));
    }

    #[test]
    fn a_key_file_that_others_can_read_or_of_another_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("muster.key");
        FileVault::create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(FileVault::create(&path), Err(KeyError::Io { .. })), "an existing key is never replaced");

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(FileVault::read(&path), Err(KeyError::Permissions { mode: 0o640, .. })));

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, [0; 31]).unwrap();
        assert!(matches!(FileVault::read(&path), Err(KeyError::Length { bytes: 31, .. })));
    }
}
