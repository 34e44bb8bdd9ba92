//! OpenID Connect: people log in at a provider of their domain, and programs show the tokens it gave them.
//!
//! A login is the authorization code flow with PKCE, state and nonce: `login` has the two addresses. What a token says is
//! believed if `jws` finds its signature right by a key of the provider, and `claims` that it is for us and now. `provider`
//! fetches and remembers what providers publish, by `fetch`.
//!
//! Sources: OpenID Connect Core 1.0 and Discovery 1.0; RFC 6749, 7636, 8725, 9207, 9700.

mod claims;
mod fetch;
mod jws;
mod login;
mod provider;

use std::net::IpAddr;
use std::sync::Arc;

use muster_broker::access::Way;
use muster_broker::directory::Account;
use muster_broker::fault::Fault;
use muster_broker::identity_provider::IdentityProvider;
use muster_broker::services::{Broker, Person};

pub(super) use jws::looks_like_token;
pub(crate) use login::router as login_router;
pub(super) use provider::Providers;

use super::{Identity, Known, not_authenticated};
use claims::{Claims, Expected};
use jws::{Token, TokenError};
use provider::{OpenIdError, Provider};

impl Identity {
    /// Checks a token of a provider that came from `peer`: an access or ID token for one of the audiences that the
    /// provider is set to take.
    ///
    /// # Errors
    /// As [`Identity::by_password`].
    pub(super) async fn by_provider_token(
        &self,
        broker: &Broker,
        text: &str,
        peer: Option<IpAddr>,
    ) -> Result<Known, Fault> {
        let now = broker.environment().now();
        let token = match Token::read(text) {
            Ok(token) => token,
            Err(why) => {
                tracing::warn!(%why, "a token was refused");
                return Err(self.refuse_slowly("a text that is no token", peer).await);
            }
        };
        let issuer = claims::issuer_of(&token.payload).unwrap_or_default();
        let name: String = format!("{issuer} {}", claims::claimed_subject(&token.payload).unwrap_or_default());
        self.refuse_locked(&name, peer, now)?;
        let mut holders: Vec<Arc<Account>> = Vec::new();
        let mut is_forged = true;
        for provider in broker.store().provider_of_issuer(&issuer).await? {
            if !provider.settings.enabled || provider.settings.token_audiences.is_empty() {
                continue;
            }
            let known = self.providers.of(&provider);
            let parties =
                [&provider.settings.token_audiences[..], std::slice::from_ref(&provider.settings.client_id)].concat();
            let expected = Expected {
                issuer: &provider.settings.issuer,
                audiences: &provider.settings.token_audiences,
                parties: &parties,
                nonce: None,
                is_id_token: false,
                now,
            };
            let verified = match known {
                Ok(known) => verified(&known, &provider, &token, &expected).await,
                Err(error) => Err(error),
            };
            let claims = match verified {
                Ok(claims) => claims,
                Err(why) => {
                    is_forged &= matches!(why, OpenIdError::Token(TokenError::Signature | TokenError::NoKey));
                    tracing::warn!(provider = provider.name, %why, "a token was refused");
                    continue;
                }
            };
            is_forged = false;
            match person(broker, &provider, &claims, Absent::Unchanged).await? {
                Ok(account) => holders.push(account),
                Err(why) => tracing::warn!(provider = provider.name, why, "nobody is let in by a token"),
            }
        }
        match (holders.pop(), holders.is_empty()) {
            (Some(account), true) => {
                self.count(&name, peer, now, true);
                Ok(Known::whole(account, Way::OpenId))
            }
            // A token that was good once is no guess.
            _ if !is_forged => Err(not_authenticated()),
            _ => {
                self.count(&name, peer, now, false);
                Err(self.refuse_slowly(&name, peer).await)
            }
        }
    }
}

/// What groups mean of which a token says nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    /// There are none: an ID token says all that there is.
    None,
    /// They are as they were.
    Unchanged,
}

/// Checks signature and claims of a token. Keys that are not known yet are fetched, but not for each token that names one.
async fn verified(
    known: &Provider,
    provider: &IdentityProvider,
    token: &Token<'_>,
    expected: &Expected<'_>,
) -> Result<Claims, OpenIdError> {
    let keys = known.keys(provider, expected.now).await?;
    match token.verify(&keys) {
        Err(TokenError::NoKey) => {
            let newer = known.newer_keys(provider, expected.now).await?;
            token.verify(&newer)?;
        }
        verdict => verdict?,
    }
    Ok(claims::read(&token.payload, expected)?)
}

async fn person(
    broker: &Broker,
    provider: &IdentityProvider,
    claims: &Claims,
    absent: Absent,
) -> Result<Result<Arc<Account>, &'static str>, Fault> {
    let groups = provider.settings.groups_claim.as_deref().and_then(|claim| claims.groups(claim));
    let none: &[&str] = &[];
    let groups = match (&groups, absent) {
        (Some(groups), _) => Some(groups.as_slice()),
        (None, Absent::None) => Some(none),
        (None, Absent::Unchanged) => None,
    };
    let person = Person { subject: &claims.subject, name: claims.name.as_deref(), groups };
    broker.person(provider, person).await
}
