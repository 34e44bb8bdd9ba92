//! What of a request says who calls, for every face: a certificate, `Authorization`. Each that is there must be right,
//! and all must name the same principal; the first in the order of the contract counts.
//!
//! Sources: DM WSI contract, section 1.4; RFC 7617; RFC 6750, section 2.1.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_broker::access::{Caller, Origin, Way};
use muster_broker::api_key::KeyScope;
use muster_broker::directory::Account;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;

use super::{ClientCertificate, Identity, not_authenticated};
use crate::contract::value::Secret;

/// What `Authorization` brings.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Authorization {
    /// The header is absent.
    None,
    /// Name and password of HTTP Basic.
    Basic(String, String),
    /// A session, an API key, or a token of a provider.
    Bearer(String),
    /// Something else, which can only be refused.
    Other,
}

/// In place of a name, of who shows a certificate.
pub(crate) const CERTIFICATE: &str = "(certificate)";
/// In place of a name, of who shows a session, a key or a token, which name nobody by themselves.
pub(crate) const TOKEN: &str = "(token)";

impl Authorization {
    /// The name that it gives, proved or not.
    pub(crate) fn claimed(&self) -> Option<String> {
        match self {
            Self::None | Self::Other => None,
            Self::Basic(name, _) => Some(name.clone()),
            Self::Bearer(_) => Some(TOKEN.to_owned()),
        }
    }
}

/// Reads `Authorization`. Two of them can only be refused: which one is meant depends on who reads.
pub(crate) fn authorization(headers: &HeaderMap) -> Authorization {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Authorization::None };
    if values.next().is_some() {
        return Authorization::Other;
    }
    let credentials = || {
        let (scheme, given) = value.to_str().ok()?.split_once(' ')?;
        let given = given.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return (!given.is_empty()).then(|| Authorization::Bearer(given.to_owned()));
        }
        let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(given).ok()).flatten()?;
        let text = String::from_utf8(decoded).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Authorization::Basic(name.to_owned(), password.to_owned()))
    };
    credentials().unwrap_or(Authorization::Other)
}

/// Somebody whose credential was right.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) account: Arc<Account>,
    /// How it is known.
    pub(crate) way: Way,
    /// What its key is narrowed to.
    pub(crate) scope: Option<KeyScope>,
}

impl Known {
    /// By a credential that gives everything its principal has.
    pub(crate) fn whole(account: Arc<Account>, way: Way) -> Self {
        Self { account, way, scope: None }
    }

    /// The caller that it is, for a request that came from here.
    pub(crate) fn caller(&self, origin: Origin) -> Caller {
        let caller = self.account.caller(Origin { way: self.way, ..origin });
        match &self.scope {
            None => caller,
            Some(scope) => Caller { permissions: scope.narrow(&caller.permissions).into(), ..caller },
        }
    }
}

/// Who several credentials say the caller is, in the order in which they count; nothing where there are none.
///
/// # Errors
/// `NotAuthenticated` if they name several principals.
pub(crate) fn agreed(shown: impl IntoIterator<Item = Option<Known>>) -> Result<Option<Known>, Fault> {
    let mut shown = shown.into_iter().flatten();
    let Some(first) = shown.next() else { return Ok(None) };
    let is_same = |other: Known| other.account.principal.name == first.account.principal.name;
    if shown.all(is_same) { Ok(Some(first)) } else { Err(not_authenticated()) }
}

/// Whom `Authorization` names.
#[derive(Default)]
pub(crate) struct Authorized {
    /// By a password, a key or a token.
    pub(crate) known: Option<Known>,
    /// A session, which is not looked up yet.
    pub(crate) session: Option<Secret>,
}

impl Identity {
    /// Whom the certificate of the connection names; nothing where it has none.
    ///
    /// # Errors
    /// `NotAuthenticated` for a certificate that lets nobody in, whatever else the request has; faults of the store.
    pub(crate) async fn by_certificate(
        &self,
        broker: &Broker,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Option<Known>, Fault> {
        let Some(certificate) = certificate else { return Ok(None) };
        let account = self.certificates.holder(broker, certificate).await?;
        Ok(Some(Known::whole(account, Way::Certificate)))
    }

    /// Whom `Authorization` names.
    ///
    /// # Errors
    /// `NotAuthenticated`, after a delay; `LockedOut`; faults of the store.
    pub(crate) async fn authorized(
        &self,
        broker: &Broker,
        authorization: &Authorization,
        origin: Origin,
    ) -> Result<Authorized, Fault> {
        let known = |known| Ok(Authorized { known: Some(known), session: None });
        match authorization {
            Authorization::None => Ok(Authorized::default()),
            Authorization::Basic(name, password) if self.settings.basic => {
                let account = self.by_password(broker, name, password, None, origin.peer).await?;
                known(Known::whole(account, Way::Password))
            }
            Authorization::Bearer(text) if muster_broker::api_key::KeyText::looks_like_key(text) => {
                known(self.by_key(broker, text, origin.peer).await?)
            }
            Authorization::Bearer(text) if super::openid::looks_like_token(text) => {
                known(self.by_provider_token(broker, text, origin.peer).await?)
            }
            Authorization::Bearer(text) => Ok(Authorized { known: None, session: Some(Secret(text.clone())) }),
            Authorization::Basic(..) | Authorization::Other => Err(not_authenticated()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(text: &str) -> Authorization {
        authorization(&HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(text).unwrap())]))
    }

    #[test]
    fn basic_credentials_may_have_colons_in_the_password() {
        assert!(read("Basic Y2FyZTphOmI=") == Authorization::Basic("care".into(), "a:b".into()));
        for text in ["Bearer", "Bearer  ", "Basic", "Basic ???", "Basic Y2FyZQ==", "Digest x", "mk_x"] {
            assert!(read(text) == Authorization::Other, "{text}");
        }
    }

    #[test]
    fn two_headers_are_refused_whatever_they_say() {
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        }
        assert!(authorization(&headers) == Authorization::Other);
        assert!(read("bearer x") == Authorization::Bearer("x".into()));
    }
}
