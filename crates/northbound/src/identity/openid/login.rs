//! The two addresses of a login: one sends the browser to the provider, the other takes it back.
//!
//! Nothing is kept on the server between the two. What must be remembered travels sealed in a cookie, which also binds the
//! login to the browser that began it; so strangers can begin as many logins as they like and fill nothing.
//!
//! A login always opens a new session. One that the browser brought along is not looked at.
//!
//! Sources: OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9207; RFC 6265bis.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muster_broker::access::{Face, Origin, Way};
use muster_broker::device::Sealed;
use muster_broker::directory::Account;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::identity_provider::IdentityProvider;
use muster_broker::ledger::{Deed, Object, Refused};
use muster_broker::services::OpenedSession;
use muster_broker::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::claims::Expected;
use super::jws::Token;
use super::provider::OpenIdError;
use super::{Absent, person, verified};
use crate::identity::not_authenticated;
use crate::intake::peer_of;
use crate::rest::Problem;
use crate::wsi::{Inner, Wsi};

/// Name of the cookie of a login under way. The prefix makes browsers keep it to this host and to https.
const LOGIN_COOKIE: &str = "__Host-muster-login";
/// Name of the cookie of a session of the console.
const SESSION_COOKIE: &str = "__Host-muster-session";
/// How long a person may take at the provider, in seconds.
const LOGIN_S: i64 = 600;
/// Longest query taken, in octets.
const QUERY_BYTES_MAX: usize = 8 << 10;
/// Longest cookie header taken, in octets.
const COOKIE_BYTES_MAX: usize = 16 << 10;
/// What a sealed login begins with, so that nothing else that was sealed is taken for one.
const SEALED_FOR: &[u8] = b"muster openid login 1\0";

/// What is remembered of a login while the person is at the provider.
#[derive(Serialize, Deserialize)]
struct Underway {
    provider: String,
    state: String,
    nonce: String,
    /// Of PKCE.
    verifier: String,
    /// Where the provider sends the browser to.
    redirect: String,
    began_at: Timestamp,
    /// Whether the browser itself is to have the session.
    for_console: bool,
}

/// `/login/oidc/{provider}` and `/login/oidc/{provider}/callback`.
pub(crate) fn router(state: Wsi) -> Router {
    Router::new()
        .route("/login/oidc/{provider}", get(begin))
        .route("/login/oidc/{provider}/callback", get(end))
        .with_state(state)
}

async fn begin(
    State(wsi): State<Wsi>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (inner, for_console) = (&wsi.inner, query.as_deref() == Some("for=console"));
    let base = inner.base_url(&request);
    let origin = inner.origin_of_login(peer_of(&request));
    drop(request);
    let answer = inner.begin_login(&name, for_console, base).await;
    plain(match answer {
        Ok(answer) => answer,
        Err(fault) => inner.refusal(&name, origin, fault.into()).await,
    })
}

async fn end(
    State(wsi): State<Wsi>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let origin = wsi.inner.origin_of_login(peer_of(&request));
    let (inner, headers) = (wsi.inner.clone(), request.headers().clone());
    // A task of its own: it goes on when the browser hangs up, since the code is good once.
    let ended = tokio::spawn(async move {
        let answer = inner.end_login(&name, query.as_deref().unwrap_or_default(), &headers, origin).await;
        plain(match answer {
            Ok(answer) => answer,
            Err(refused) => inner.refusal(&name, origin, refused).await,
        })
    });
    let mut response = ended.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_static(FORGET_LOGIN));
    response
}

/// Takes the cookie of the login back.
const FORGET_LOGIN: &str = "__Host-muster-login=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";

/// Why a login did not come about.
struct NotLoggedIn {
    fault: Fault,
    /// What the fault does not tell.
    why: Option<&'static str>,
    /// Who it is, where that was known.
    account: Option<Arc<Account>>,
}

impl From<Fault> for NotLoggedIn {
    fn from(fault: Fault) -> Self {
        Self { fault, why: None, account: None }
    }
}

impl Inner {
    async fn begin_login(&self, name: &str, for_console: bool, base: Option<String>) -> Result<Response, Fault> {
        let provider = self.provider_of_login(name).await?;
        if for_console && self.settings.identity.console.is_none() {
            return Err(Fault::new(FaultName::NotImplemented, "this server has no console"));
        }
        let Some(base) = base else {
            let text = "the Host header names no host of this server; its operator sets public_url or hosts";
            return Err(Fault::new(FaultName::InvalidArgument, text));
        };
        let now = self.broker.environment().now();
        let known = self.identity.providers.of(&provider).map_err(|error| unavailable(name, &error))?;
        let metadata = known.metadata(&provider, now).await.map_err(|error| unavailable(name, &error))?;
        let underway = Underway {
            provider: provider.name.clone(),
            state: self.chance(),
            nonce: self.chance(),
            verifier: self.chance(),
            redirect: format!("{base}/login/oidc/{}/callback", provider.name),
            began_at: now,
            for_console,
        };
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, underway.verifier.as_bytes()).as_ref());
        let scopes = provider.settings.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
        let scope = std::iter::once("openid").chain(scopes).collect::<Vec<_>>().join(" ");
        let mut address = metadata.authorization.clone();
        address.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &provider.settings.client_id),
            ("redirect_uri", &underway.redirect),
            ("scope", &scope),
            ("state", &underway.state),
            ("nonce", &underway.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let cookie = format!(
            "{LOGIN_COOKIE}={}; Path=/; Max-Age={LOGIN_S}; Secure; HttpOnly; SameSite=Lax",
            self.seal_login(&underway)?
        );
        Ok(redirect(address.as_str(), &cookie))
    }

    async fn end_login(
        &self,
        name: &str,
        query: &str,
        headers: &HeaderMap,
        origin: Origin,
    ) -> Result<Response, NotLoggedIn> {
        let peer = origin.peer;
        let refused = |why: &'static str| {
            tracing::warn!(provider = name, why, "a login at a provider was refused");
            NotLoggedIn { why: Some(why), ..not_authenticated().into() }
        };
        let now = self.broker.environment().now();
        let cookie = cookie(headers, LOGIN_COOKIE).ok_or_else(|| refused("this browser has begun no login"))?;
        let underway = self.open_login(&cookie).ok_or_else(|| refused("the cookie of the login is not ours"))?;
        if underway.provider != name || now < underway.began_at || underway.began_at.plus_s(LOGIN_S) <= now {
            return Err(refused("the login was begun elsewhere or too long ago"));
        }
        let answer = Answer::read(query).ok_or_else(|| refused("the query is none of an answer"))?;
        if verify_slices_are_equal(answer.state.as_bytes(), underway.state.as_bytes()).is_err() {
            return Err(refused("the state is another one"));
        }
        let provider = self.provider_of_login(name).await?;
        let failures_of = format!("openid provider {name}");
        self.identity.refuse_locked(&failures_of, peer, now)?;
        let account = match self.logged_in(&provider, &underway, &answer, now).await {
            Ok(account) => account?,
            Err(error) => {
                tracing::warn!(provider = name, %error, "a login at a provider failed");
                self.identity.count(&failures_of, peer, now, false);
                let fault = self.identity.refuse_slowly(&failures_of, peer).await;
                return Err(NotLoggedIn {
                    why: Some("the answer or the token of the provider does not hold"),
                    ..fault.into()
                });
            }
        };
        let account = match account {
            Ok(account) => account,
            Err(why) => return Err(NotLoggedIn { why: Some(why), ..not_authenticated().into() }),
        };
        self.identity.count(&failures_of, peer, now, true);
        let as_them = |fault: Fault| NotLoggedIn { account: Some(account.clone()), ..fault.into() };
        self.broker.admit(&account.principal.tenant, &account.principal.name).await.map_err(as_them)?;
        let session = self.broker.login(&account, None, origin).await.map_err(as_them)?;
        tracing::info!(provider = name, principal = account.principal.name, "somebody logged in at a provider");
        Ok(self.opened(&session, underway.for_console, now))
    }

    /// Makes the code a token and the token a principal; the innermost error says why somebody is not let in.
    async fn logged_in(
        &self,
        provider: &IdentityProvider,
        underway: &Underway,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Result<Result<Arc<Account>, &'static str>, Fault>, OpenIdError> {
        let known = self.identity.providers.of(provider)?;
        let metadata = known.metadata(provider, now).await?;
        let is_them = |issuer: &String| *issuer == provider.settings.issuer;
        if !answer.issuer.as_ref().map_or(!metadata.names_itself, is_them) {
            return Err(OpenIdError::Document("the answer is of another provider"));
        }
        let Some(code) = &answer.code else {
            tracing::warn!(provider = provider.name, error = ?answer.error, "the provider refused a login");
            return Ok(Ok(Err("the provider refused it")));
        };
        let secret = match &provider.client_secret {
            None => None,
            Some(Sealed(sealed)) => {
                let opened = self.broker.vault().open(&Sealed(sealed.clone())).map_err(|_| OpenIdError::Secret)?;
                Some(String::from_utf8(opened).map_err(|_| OpenIdError::Secret)?)
            }
        };
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &underway.redirect),
            ("code_verifier", &underway.verifier),
        ];
        let client = (provider.settings.client_id.as_str(), secret.as_deref());
        let document = known.fetch.post(metadata.token.clone(), &form, client).await?;
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let tokens: Tokens = serde_json::from_slice(&document).map_err(|_| OpenIdError::Document("no ID token"))?;
        let token = Token::read(&tokens.id_token)?;
        let ours = [provider.settings.client_id.clone()];
        let expected = Expected {
            issuer: &provider.settings.issuer,
            audiences: &ours,
            parties: &ours,
            nonce: Some(&underway.nonce),
            is_id_token: true,
            now,
        };
        let claims = verified(&known, provider, &token, &expected).await?;
        Ok(match person(&self.broker, provider, &claims, Absent::None).await {
            Ok(Ok(account)) => Ok(Ok(account)),
            Ok(Err(why)) => {
                tracing::warn!(provider = provider.name, why, "somebody whom a provider knows is not let in");
                Ok(Err(why))
            }
            Err(fault) => Err(fault),
        })
    }

    /// The provider of a login; one that is not enabled is not there.
    async fn provider_of_login(&self, name: &str) -> Result<IdentityProvider, Fault> {
        let unknown = || Fault::new(FaultName::UnknownCredential, "there is no such identity provider");
        if !IdentityProvider::is_name(name) {
            return Err(unknown());
        }
        let found = self.broker.store().provider_get(name).await?;
        found.filter(|provider| provider.settings.enabled).ok_or_else(unknown)
    }

    /// 256 random bits as text.
    fn chance(&self) -> String {
        let mut octets = [0; 32];
        self.broker.environment().random(&mut octets);
        URL_SAFE_NO_PAD.encode(octets)
    }

    fn seal_login(&self, underway: &Underway) -> Result<String, Fault> {
        let text = serde_json::to_vec(underway).map_err(|_| crate::intake::internal_error())?;
        let sealed = self.broker.vault().seal(&[SEALED_FOR, &text].concat());
        Ok(URL_SAFE_NO_PAD.encode(sealed.0))
    }

    fn open_login(&self, cookie: &str) -> Option<Underway> {
        let sealed = Sealed(URL_SAFE_NO_PAD.decode(cookie).ok()?);
        let opened = self.broker.vault().open(&sealed).ok()?;
        serde_json::from_slice(opened.strip_prefix(SEALED_FOR)?).ok()
    }

    /// What a browser or a program gets after a login.
    fn opened(&self, session: &OpenedSession, for_console: bool, now: Timestamp) -> Response {
        if let (true, Some(console)) = (for_console, &self.settings.identity.console) {
            let life_s = session.expires_at.0.saturating_sub(now.0) / 1000;
            let cookie = format!(
                "{SESSION_COOKIE}={}; Path=/; Max-Age={life_s}; Secure; HttpOnly; SameSite=Lax",
                session.session_id
            );
            return redirect(console, &cookie);
        }
        let body = serde_json::json!({
            "sessionId": session.session_id,
            "userName": session.user_name,
            "tenant": session.tenant,
            "expiresAt": session.expires_at.to_string(),
        });
        json(StatusCode::OK, "application/json", &body)
    }

    /// Where a login comes from.
    fn origin_of_login(&self, peer: Option<std::net::IpAddr>) -> Origin {
        Origin { peer, face: Face::Rest, way: Way::OpenId, correlation: self.broker.environment().uuid() }
    }

    /// A refusal as REST has it, noted in the audit log: counted, as those of passwords, in the domain of the provider.
    async fn refusal(&self, name: &str, origin: Origin, refused: NotLoggedIn) -> Response {
        let NotLoggedIn { fault, why, account } = refused;
        if !fault.name.is_servers() {
            // What stands in the address of a stranger is told only where it is the name of a provider.
            let provider = self.provider_of_login(name).await.ok();
            let (actor, tenant) = match (&account, &provider) {
                (Some(account), _) => (account.principal.name.as_str(), account.principal.tenant.as_str()),
                (None, Some(provider)) => ("", provider.tenant.as_str()),
                (None, None) => ("", ""),
            };
            let deed = Deed::from(origin, actor, tenant, "login", self.broker.environment().now());
            let object = Object::named("identityProvider", provider.as_ref().map(|provider| provider.name.as_str()));
            let once = Refused::once(deed, fault.name, object);
            self.broker.note_refusal(Refused { why, is_known: account.is_some(), ..once }).await;
        }
        let correlation = origin.correlation.to_string();
        let problem = Problem::from(fault);
        problem.log(&correlation, "login", "");
        problem.answer(&correlation)
    }
}

fn unavailable(provider: &str, error: &OpenIdError) -> Fault {
    tracing::warn!(provider, %error, "a login could not begin");
    let text = "the identity provider cannot be used now; try again later, and look into the log of the server";
    Fault::new(FaultName::TemporarilyUnavailable, text).retry_after_s(30)
}

fn redirect(address: &str, cookie: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    for (name, value) in [(header::LOCATION, address), (header::SET_COOKIE, cookie)] {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                response.headers_mut().append(name, value);
            }
            Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
    response
}

fn json(status: StatusCode, media_type: &'static str, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, media_type)], format!("{body}\n")).into_response()
}

/// Answers here belong to one person and lead nowhere.
fn plain(mut response: Response) -> Response {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("content-security-policy"), "default-src 'none'; frame-ancestors 'none'"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The value of the one cookie of this name; two of them can only be refused.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.filter(|text| text.len() <= COOKIE_BYTES_MAX).flat_map(|text| text.split(';'));
    let mut found = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(given, _)| *given == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value.to_owned()),
        _ => None,
    }
}

/// What the provider says by way of the browser.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    state: String,
    code: Option<String>,
    error: Option<String>,
    issuer: Option<String>,
}

impl Answer {
    /// Reads a query. Nothing where a parameter stands twice, or there is no state.
    fn read(query: &str) -> Option<Self> {
        if query.len() > QUERY_BYTES_MAX {
            return None;
        }
        let url = reqwest::Url::parse(&format!("https://answer.invalid/?{query}")).ok()?;
        let (mut answer, mut state) = (Self::default(), None);
        for (name, value) in url.query_pairs() {
            let place = match name.as_ref() {
                "state" => &mut state,
                "code" => &mut answer.code,
                "error" => &mut answer.error,
                "iss" => &mut answer.issuer,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        answer.state = state?;
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_each_parameter_once() {
        let read = |query: &str| Answer::read(query).map(|answer| (answer.state, answer.code));
        assert_eq!(read("code=a%2Bb&state=s&x=1&x=2"), Some(("s".into(), Some("a+b".into()))));
        assert_eq!(read("code=a&code=b&state=s"), None);
        assert_eq!(read("state=s&state=s"), None);
        assert_eq!(read("code=a"), None);
        assert_eq!(read(&"x".repeat(QUERY_BYTES_MAX + 1)), None);
    }

    #[test]
    fn a_cookie_that_stands_twice_is_none() {
        let headers = |text: &'static str| HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(text))]);
        assert_eq!(cookie(&headers("a=1; b=2; a2=3"), "a"), Some("1".to_owned()));
        assert_eq!(cookie(&headers("a=1; a=2"), "a"), None);
        assert_eq!(cookie(&headers("b=2"), "a"), None);
    }
}
