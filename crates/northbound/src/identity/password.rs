//! Passwords: argon2id, on threads that may block, and a memory of what was right a moment ago.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use muster_broker::access::Principal;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::ports::Environment;
use muster_broker::services::Broker;
use muster_broker::time::Timestamp;
use tokio::sync::Semaphore;

/// A password that cannot be hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Empty or too long.
    #[error("a password has 1 to {PASSWORD_BYTES_MAX} octets")]
    Length,
    /// The hash could not be computed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Longest password taken, in octets.
const PASSWORD_BYTES_MAX: usize = 1024;
/// Passwords that were right are remembered this long, so that HTTP Basic costs its hash once and not per request.
const MEMORY_S: i64 = 600;
/// Passwords remembered.
const MEMORY_MAX: usize = 4096;
/// Hashes computed at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 4;

/// The argon2id hash of a password in PHC form, with a new salt.
///
/// Takes tens of milliseconds and 19 MiB.
///
/// # Errors
/// [`PasswordError`].
pub fn hash_password(password: &str, environment: &dyn Environment) -> Result<String, PasswordError> {
    if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordError::Length);
    }
    let mut salt = [0; 16];
    environment.random(&mut salt);
    hash(password, &salt)
}

fn hash(password: &str, salt: &[u8]) -> Result<String, PasswordError> {
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(hash.to_string())
}

/// What is compared with where there is no such principal, so that it takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody", b"no salt of anyone").unwrap_or_default());

pub(super) struct Passwords {
    known: Mutex<HashMap<[u8; 32], Timestamp>>,
    at_once: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        Self { known: Mutex::new(HashMap::new()), at_once: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Whether this password was right for this principal a moment ago, and neither has changed.
    pub(super) fn is_known(&self, broker: &Broker, principal: &Principal, password: &str, now: Timestamp) -> bool {
        let key = key(broker, principal, password);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&key).is_some_and(|until| now < *until)
    }

    /// Whether a password is right. Takes as long for no principal as for one.
    pub(super) async fn verify(
        &self,
        broker: &Broker,
        principal: Option<&Principal>,
        password: &str,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let failed = |_| Fault::new(FaultName::InternalError, "the server failed to check the credentials");
        // Another request may have brought the same password while this one waited.
        if let Some(principal) = principal
            && self.is_known(broker, principal, password, now)
        {
            return Ok(true);
        }
        let permit = self.at_once.clone().acquire_owned().await.map_err(|_| failed(()))?;
        // Whom no password lets in costs the same hash as one whom nobody knows.
        let stored = principal.map(|principal| principal.password_hash.clone()).filter(|hash| !hash.is_empty());
        let given: String = password.to_owned();
        let is_right = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let stored_hash = stored.as_deref().unwrap_or(&NOBODY);
            given.len() <= PASSWORD_BYTES_MAX && matches(stored_hash, &given) && stored.is_some()
        })
        .await
        .map_err(|_| failed(()))?;
        if let Some(principal) = principal.filter(|_| is_right) {
            self.remember(key(broker, principal, password), now);
        }
        Ok(is_right)
    }

    fn remember(&self, key: [u8; 32], now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MEMORY_MAX {
            known.retain(|_, until| now < *until);
        }
        if known.len() >= MEMORY_MAX {
            known.clear();
        }
        known.insert(key, now.plus_s(MEMORY_S));
    }
}

fn matches(stored: &str, given: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(given.as_bytes(), &hash).is_ok())
}

/// The password is not kept: what is, is of no use without the key of the installation. The stored hash is part of it,
/// so that a changed password is forgotten at once.
fn key(broker: &Broker, principal: &Principal, password: &str) -> [u8; 32] {
    let text = format!("{}\u{0}{}\u{0}{password}", principal.name, principal.password_hash);
    broker.vault().digest("verified-password", text.as_bytes())
}
