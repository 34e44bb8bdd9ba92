//! What providers publish: addresses and keys, fetched when they are needed and remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use muster_broker::identity_provider::IdentityProvider;
use muster_broker::time::Timestamp;
use reqwest::Url;
use serde::Deserialize;

use super::fetch::{Fetch, FetchError, address};
use super::jws::{Key, TokenError, read_keys};

/// What was fetched is fetched again after this long, in seconds.
const AGE_S: i64 = 3600;
/// What was fetched counts for this long where it cannot be fetched again, in seconds.
const STALE_S: i64 = 24 * 3600;
/// A provider is not asked again for the same before this long, in seconds, whoever wants it.
const PAUSE_S: i64 = 30;
/// Providers remembered; when there is no room all are forgotten.
const PROVIDERS_MAX: usize = 1000;

/// Why a provider helped nobody in.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenIdError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("the provider was asked in vain a moment ago")]
    Pause,
    #[error("the provider publishes a document that is of no use: {0}")]
    Document(&'static str),
    #[error("the secret of the client cannot be opened; was the database restored without its key?")]
    Secret,
}

/// What is remembered of providers.
#[derive(Default)]
pub(in crate::identity) struct Providers {
    known: Mutex<HashMap<String, Arc<Provider>>>,
}

impl Providers {
    /// What is remembered of a provider, as it is set now.
    pub(super) fn of(&self, provider: &IdentityProvider) -> Result<Arc<Provider>, OpenIdError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was taken away and made anew has its first version again.
        let made = (provider.version, provider.created_at);
        if let Some(found) = known.get(&provider.name).filter(|found| found.made == made) {
            return Ok(found.clone());
        }
        let found = Arc::new(Provider {
            made,
            fetch: Fetch::new(provider.settings.trusted_certificates.as_deref())?,
            metadata: Fetched::default(),
            keys: Fetched::default(),
        });
        if known.len() >= PROVIDERS_MAX {
            known.clear();
        }
        known.insert(provider.name.clone(), found.clone());
        Ok(found)
    }
}

/// A provider and what it published.
pub(super) struct Provider {
    made: (i64, Timestamp),
    pub(super) fetch: Fetch,
    metadata: Fetched<Metadata>,
    keys: Fetched<Vec<Key>>,
}

/// Addresses of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    /// Where people log in.
    pub(super) authorization: Url,
    /// Where a code becomes a token.
    pub(super) token: Url,
    /// Where its keys are.
    keys: Url,
    /// Whether it names itself in its answers.
    pub(super) names_itself: bool,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Provider {
    /// Its addresses.
    pub(super) async fn metadata(
        &self,
        provider: &IdentityProvider,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, OpenIdError> {
        let issuer = &provider.settings.issuer;
        self.metadata
            .get(now, AGE_S, || async move {
                let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
                let document = self.fetch.get(address(&place)?).await?;
                let found: Discovery =
                    serde_json::from_slice(&document).map_err(|_| OpenIdError::Document("no discovery document"))?;
                if found.issuer != *issuer {
                    return Err(OpenIdError::Document("the issuer is another one"));
                }
                Ok(Metadata {
                    authorization: address(&found.authorization_endpoint)?,
                    token: address(&found.token_endpoint)?,
                    keys: address(&found.jwks_uri)?,
                    names_itself: found.authorization_response_iss_parameter_supported,
                })
            })
            .await
    }

    /// Its keys.
    pub(super) async fn keys(&self, provider: &IdentityProvider, now: Timestamp) -> Result<Arc<Vec<Key>>, OpenIdError> {
        self.keys_of_age(provider, now, AGE_S).await
    }

    /// Its keys, for a token by a key that is not among those remembered: providers change their keys without notice.
    pub(super) async fn newer_keys(
        &self,
        provider: &IdentityProvider,
        now: Timestamp,
    ) -> Result<Arc<Vec<Key>>, OpenIdError> {
        self.keys_of_age(provider, now, 0).await
    }

    async fn keys_of_age(
        &self,
        provider: &IdentityProvider,
        now: Timestamp,
        age_s: i64,
    ) -> Result<Arc<Vec<Key>>, OpenIdError> {
        self.keys
            .get(now, age_s, || async move {
                let metadata = self.metadata(provider, now).await?;
                let document = self.fetch.get(metadata.keys.clone()).await?;
                Ok(read_keys(&document)?)
            })
            .await
    }
}

/// Something that is fetched by one request at a time, and not too often.
struct Fetched<T> {
    held: Mutex<Held<T>>,
    fetching: tokio::sync::Mutex<()>,
}

struct Held<T> {
    value: Option<(Timestamp, Arc<T>)>,
    tried_at: Option<Timestamp>,
}

impl<T> Default for Fetched<T> {
    fn default() -> Self {
        Self { held: Mutex::new(Held { value: None, tried_at: None }), fetching: tokio::sync::Mutex::default() }
    }
}

impl<T> Fetched<T> {
    /// What is held if it is younger than `age_s`, else what is fetched; and what is held after all where that fails, or
    /// where it was tried a moment ago.
    async fn get<F: Future<Output = Result<T, OpenIdError>>>(
        &self,
        now: Timestamp,
        age_s: i64,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, OpenIdError> {
        if let Some(young) = self.held(now, age_s) {
            return Ok(young);
        }
        let _fetching = self.fetching.lock().await;
        // Another request may have fetched it while this one waited.
        if let Some(young) = self.held(now, age_s) {
            return Ok(young);
        }
        {
            let mut held = self.lock();
            if held.tried_at.is_some_and(|at| at <= now && now < at.plus_s(PAUSE_S)) {
                drop(held);
                return self.held(now, STALE_S).ok_or(OpenIdError::Pause);
            }
            held.tried_at = Some(now);
        }
        match fetch().await {
            Ok(fetched) => {
                let fetched = Arc::new(fetched);
                self.lock().value = Some((now, fetched.clone()));
                Ok(fetched)
            }
            Err(error) => {
                tracing::warn!(%error, "a provider could not be asked");
                self.held(now, STALE_S).ok_or(error)
            }
        }
    }

    fn held(&self, now: Timestamp, age_s: i64) -> Option<Arc<T>> {
        let held = self.lock();
        let (at, value) = held.value.as_ref()?;
        (*at <= now && now < at.plus_s(age_s)).then(|| value.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
