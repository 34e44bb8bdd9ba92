//! Who a caller is: passwords in a WS-Security header or in HTTP Basic, digests, and how guessing is made slow.
//!
//! Four ways are those of the contract: a client certificate (`certificates`, verified in `trust`), UsernameToken (text
//! and digest) and HTTP Basic here, and `userSession`, which the broker knows. API keys, and tokens of OpenID providers
//! (`openid`), stand in the place of Basic. `shown` says in which order they count.
//!
//! Source: DM WSI contract, section 1.4.

pub(crate) mod certificate;
mod certificates;
mod openid;
mod password;
mod replay;
mod shown;
mod trust;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use muster_broker::access::Way;
use muster_broker::api_key::{ApiKey, KeyText, NOTED_EVERY_S, PREFIX};
use muster_broker::attempts::{Attempts, Policy};
use muster_broker::device::Sealed;
use muster_broker::directory::Account;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::services::Broker;
use muster_broker::time::Timestamp;
use muster_protocol::soap::security::{Password, UsernameToken};

pub use certificate::{ClientCertificate, end_of_certificate};
use certificates::Certificates;
use openid::Providers;
pub(crate) use openid::login_router;
use password::Passwords;
pub use password::{PasswordError, hash_password};
use replay::Replays;
pub(crate) use shown::{Authorization, Authorized, CERTIFICATE, Known, TOKEN, agreed, authorization};

/// What the operator sets about identity.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether HTTP Basic is taken, and asked for where a request has no credentials.
    pub basic: bool,
    /// Delay before the first failed login is answered; doubled for each further one.
    pub failure_delay: Duration,
    /// Longest delay.
    pub failure_delay_max: Duration,
    /// A digest may be this old.
    pub digest_age_s: i64,
    /// A digest may be this far ahead.
    pub digest_ahead_s: i64,
    /// Digests remembered; when there is no room, further ones are refused.
    pub digests_max: usize,
    /// Path of the console, to which a browser is sent after a login that was begun for it; absent where there is none.
    pub console: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            basic: true,
            failure_delay: Duration::from_millis(100),
            failure_delay_max: Duration::from_secs(3),
            digest_age_s: 5 * 60,
            digest_ahead_s: 60,
            digests_max: 100_000,
            console: None,
        }
    }
}

/// What is known about callers between requests. Kept in the memory of this node alone.
pub(crate) struct Identity {
    settings: Settings,
    passwords: Passwords,
    attempts: Mutex<Attempts>,
    replays: Mutex<Replays>,
    certificates: Certificates,
    providers: Providers,
    /// Uses of keys that were noted a moment ago.
    noted: Mutex<HashMap<String, Timestamp>>,
    /// Passwords of one name are checked one after the other, so that a volley of guesses is counted as it comes. Names
    /// share a few of these.
    turns: Vec<tokio::sync::Mutex<()>>,
}

const TURNS: usize = 64;
/// Keys whose last noted use is remembered.
const NOTED_MAX: usize = 10_000;

/// The one answer to every credential that is refused.
pub(crate) fn not_authenticated() -> Fault {
    Fault::new(FaultName::NotAuthenticated, "the credentials are missing or wrong")
}

impl Identity {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            passwords: Passwords::new(),
            attempts: Mutex::new(Attempts::new(Policy::CALLERS)),
            replays: Mutex::new(Replays::new(settings.digests_max)),
            certificates: Certificates::default(),
            providers: Providers::default(),
            noted: Mutex::default(),
            turns: (0..TURNS).map(|_| tokio::sync::Mutex::new(())).collect(),
            settings,
        }
    }

    pub(crate) fn takes_basic(&self) -> bool {
        self.settings.basic
    }

    /// Checks a name and a password that came from `peer`. A principal that is not let in counts as unknown, and so does
    /// one that does not reach `tenant`, where one is given.
    ///
    /// # Errors
    /// `NotAuthenticated`, after a delay; `LockedOut`; faults of the store.
    pub(crate) async fn by_password(
        &self,
        broker: &Broker,
        name: &str,
        password: &str,
        tenant: Option<&str>,
        peer: Option<IpAddr>,
    ) -> Result<Arc<Account>, Fault> {
        let now = broker.environment().now();
        self.refuse_locked(name, peer, now)?;
        let account = let_in(broker, name).await?;
        let account = account.filter(|account| tenant.is_none_or(|tenant| account.reaches(tenant)));
        let principal = account.as_ref().map(|account| &account.principal);
        if let Some(account) = &account
            && self.passwords.is_known(broker, &account.principal, password, now)
        {
            guard(&self.attempts).succeeded(name, peer);
            return Ok(Arc::clone(account));
        }
        let is_right = {
            let _turn = self.turn(name).await;
            // Those who waited for their turn may have been locked out meanwhile.
            self.refuse_locked(name, peer, now)?;
            let is_right = self.passwords.verify(broker, principal, password, now).await?;
            self.count(name, peer, now, is_right);
            is_right
        };
        match account.filter(|_| is_right) {
            Some(account) => Ok(account),
            None => Err(self.refuse_slowly(name, peer).await),
        }
    }

    /// Checks a UsernameToken that came from `peer`.
    ///
    /// # Errors
    /// As [`Identity::by_password`].
    pub(crate) async fn by_token(
        &self,
        broker: &Broker,
        token: &UsernameToken,
        peer: Option<IpAddr>,
    ) -> Result<Arc<Account>, Fault> {
        let (digest, nonce, created) = match &token.password {
            Password::Text(password) => return self.by_password(broker, &token.name, password, None, peer).await,
            Password::Digest { digest, nonce, created } => (digest, nonce, created),
        };
        let now = broker.environment().now();
        self.refuse_locked(&token.name, peer, now)?;
        let account = let_in(broker, &token.name).await?;
        let secret = account.as_ref().and_then(|account| account.principal.digest_secret.clone());
        let secret = match secret {
            Some(sealed) => Some(broker.vault().open(&Sealed(sealed)).map_err(|error| {
                tracing::error!(principal = token.name, %error, "the digest secret of a principal cannot be opened");
                Fault::new(FaultName::InternalError, "the server failed; its operator finds the reason in the log")
            })?),
            None => None,
        };
        // An unknown name costs the same digest as a known one.
        let expected = username_token_digest(nonce, created, secret.as_deref().unwrap_or(b"no such principal"));
        let is_equal = verify_slices_are_equal(&expected, digest).is_ok();
        let is_right = is_equal && secret.is_some() && self.is_fresh(&token.name, nonce, created, now);
        self.count(&token.name, peer, now, is_right);
        match account.filter(|_| is_right) {
            Some(account) => Ok(account),
            None => Err(self.refuse_slowly(&token.name, peer).await),
        }
    }

    /// Checks an API key that came from `peer`. A key that is not known, one that has expired and a wrong secret cost the
    /// same and are answered the same.
    ///
    /// # Errors
    /// As [`Identity::by_password`].
    pub(crate) async fn by_key(&self, broker: &Broker, text: &str, peer: Option<IpAddr>) -> Result<Known, Fault> {
        let now = broker.environment().now();
        let Some(key) = KeyText::parse(text) else {
            // No server has made it, so nobody guesses: a typing error, or a key that was cut.
            return Err(self.refuse_slowly("a text that is no API key", peer).await);
        };
        let name = format!("{PREFIX}{}", key.id);
        self.refuse_locked(&name, peer, now)?;
        let holder = broker.key_holder(&key).await?;
        self.count(&name, peer, now, holder.is_ok());
        match holder {
            Ok((key, account)) => {
                self.note_use(broker, &key, now);
                Ok(Known { account, way: Way::ApiKey, scope: Some(key.scope) })
            }
            Err(why) => {
                tracing::warn!(key = name, why, "an API key was refused");
                Err(self.refuse_slowly(&name, peer).await)
            }
        }
    }

    /// Notes that a key was used, once a minute at most, while the request goes on.
    fn note_use(&self, broker: &Broker, key: &ApiKey, now: Timestamp) {
        if !key.is_to_be_noted(now) {
            return;
        }
        {
            let mut noted = guard(&self.noted);
            if noted.get(&key.id).is_some_and(|at| now < at.plus_s(NOTED_EVERY_S)) {
                return;
            }
            if noted.len() >= NOTED_MAX {
                noted.clear();
            }
            noted.insert(key.id.clone(), now);
        }
        let (store, id) = (broker.store().clone(), key.id.clone());
        tokio::spawn(async move {
            if let Err(error) = store.key_touch(&id, now).await {
                tracing::warn!(%error, "the use of an API key could not be noted");
            }
        });
    }

    /// Whether a digest was made now and is seen for the first time.
    fn is_fresh(&self, name: &str, nonce: &[u8], created: &str, now: Timestamp) -> bool {
        let Some(at) = zoned(created) else { return false };
        let (oldest, newest) = (now.plus_s(-self.settings.digest_age_s), now.plus_s(self.settings.digest_ahead_s));
        oldest <= at
            && at <= newest
            && guard(&self.replays).is_new(name, nonce, created, at.plus_s(self.settings.digest_age_s), now)
    }

    fn refuse_locked(&self, name: &str, peer: Option<IpAddr>, now: Timestamp) -> Result<(), Fault> {
        match guard(&self.attempts).blocked_for_s(name, peer, now) {
            None => Ok(()),
            Some(seconds) => {
                Err(Fault::new(FaultName::LockedOut, "too many failed logins; try again later").retry_after_s(seconds))
            }
        }
    }

    fn count(&self, name: &str, peer: Option<IpAddr>, now: Timestamp, is_right: bool) {
        let mut attempts = guard(&self.attempts);
        if is_right {
            attempts.succeeded(name, peer);
        } else {
            attempts.failed(name, peer, now);
        }
    }

    async fn refuse_slowly(&self, name: &str, peer: Option<IpAddr>) -> Fault {
        let failures = guard(&self.attempts).failures(name, peer);
        let delay = delay(failures, self.settings.failure_delay, self.settings.failure_delay_max);
        tracing::warn!(principal = name, peer.address = ?peer, failures, "a credential was refused");
        tokio::time::sleep(delay).await;
        not_authenticated()
    }

    async fn turn(&self, name: &str) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let sum = name.bytes().fold(0_usize, |sum, octet| sum.wrapping_mul(31).wrapping_add(usize::from(octet)));
        match self.turns.get(sum % TURNS) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        }
    }
}

/// The account of this name, if it is let in at all.
async fn let_in(broker: &Broker, name: &str) -> Result<Option<Arc<Account>>, Fault> {
    Ok(broker.account(name).await?.filter(|account| account.is_let_in))
}

/// How long the answer to the last of `failures` waits.
fn delay(failures: u32, first: Duration, most: Duration) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(most)
}

/// `SHA-1(nonce, created, password)`.
///
/// Source: WS-Security UsernameToken Profile 1.1, section 3.1.
fn username_token_digest(nonce: &[u8], created: &str, password: &[u8]) -> Vec<u8> {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(nonce);
    context.update(created.as_bytes());
    context.update(password);
    context.finish().as_ref().to_vec()
}

/// A dateTime that has its zone: without one a digest would be good at several times.
pub(crate) fn zoned(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let clock = text.get(text.find('T')?..)?;
    let has_zone = clock.ends_with('Z') || clock.contains(['+', '-']);
    has_zone.then(|| Timestamp::parse(text).ok()).flatten()
}

/// Nothing behind these locks is left half done by a panic.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_digest_is_that_of_the_profile() {
        // Nonce, time and digest as a toolkit of others sent them.
        let nonce = STANDARD.decode("OPR49GPkTzn5MvtMgFAj4A==").unwrap_or_default();
        let digest = username_token_digest(&nonce, "2026-11-21T06:04:02Z", b"s3cret");
        assert_eq!(STANDARD.encode(digest), "1iDRDAh2MDnOWbs+PazT1LBb0Qo=");
    }

    #[test]
    fn the_delay_doubles_from_a_tenth_of_a_second_to_three() {
        let delays = [1, 2, 3, 5, 6, 7, 1000]
            .map(|count| delay(count, Duration::from_millis(100), Duration::from_secs(3)).as_millis());
        assert_eq!(delays, [100, 200, 400, 1600, 3000, 3000, 3000]);
    }

    #[test]
    fn a_time_without_zone_is_no_time_of_a_token() {
        assert!(zoned("2026-11-21T06:02:56+00:00").is_some());
        assert!(zoned("2026-11-21T06:02:57Z").is_some());
        assert_eq!(zoned("2026-11-21T06:02:57"), None);
        assert_eq!(zoned("2026-11-21"), None);
    }
}
