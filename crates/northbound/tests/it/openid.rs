//! Logging in at an OpenID provider, and its tokens as credentials.

use axum::http::Request;
use muster_broker::ledger::{AuditEntry, AuditFilter};
use muster_broker::page::Page;
use muster_broker::services::Flush;
use muster_protocol::soap::Version;
use serde_json::{Value, json};

use crate::provider::{Back, CLIENT, Provider, claims, get, nothing};
use crate::world::{Reply, World, body, envelope, session_of};

/// A world whose domain `acme` has a provider, which makes principals of the group `ops`.
struct Corp {
    world: World,
    provider: Provider,
    root: String,
}

impl Corp {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Value)) -> Self {
        let world = World::new().await;
        let root = world.login("root").await;
        let provider = Provider::start().await;
        let mut record = provider.record("corp");
        record["createsPrincipals"] = true.into();
        record["groupsClaim"] = "groups".into();
        record["roleOfGroup"] = json!([{"group": "ops", "role": "care"}, {"group": "lead", "role": "campaign"}]);
        record["tokenAudience"] = json!(["https://dm.example/api"]);
        change(&mut record);
        let made = world.rest("POST", "/identity-providers", Some(&root), Some(record)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        Self { world, provider, root }
    }

    /// Begins a login: where the browser is sent to, and the cookie it keeps.
    async fn begin(&self) -> (String, String) {
        let reply = self.world.send(get("/login/oidc/corp").body(nothing()).unwrap()).await;
        assert_eq!(reply.status, 303, "{}", reply.text);
        let cookie = reply.header("set-cookie").unwrap();
        for wanted in ["__Host-muster-login=", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(wanted), "{cookie}");
        }
        (reply.header("location").unwrap().to_owned(), cookie.split(';').next().unwrap().to_owned())
    }

    async fn end(&self, back: &Back, cookie: &str) -> Reply {
        self.world.send(get(&back.path()).header("cookie", cookie).body(nothing()).unwrap()).await
    }

    /// The whole login.
    async fn login(&self) -> Reply {
        let (location, cookie) = self.begin().await;
        self.end(&self.provider.consent(&location), &cookie).await
    }

    async fn service(&self, bearer: &str) -> Reply {
        self.world.rest("GET", "/service", Some(bearer), None).await
    }

    /// An access token of Ada for this server.
    fn access(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let mut header = json!({"alg": "RS256", "kid": "rsa", "typ": "at+jwt"});
        let mut claims = claims(&self.provider.issuer);
        claims["aud"] = "https://dm.example/api".into();
        change(&mut header, &mut claims);
        self.provider.keys.token(&header, &claims)
    }
}

#[tokio::test]
async fn somebody_whom_the_provider_knows_gets_a_session_and_the_roles_of_their_groups() {
    let corp = Corp::new().await;
    let reply = corp.login().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let session = reply.json();
    let id = session["sessionId"].as_str().unwrap();
    assert_eq!(session["tenant"], "acme");
    assert!(session["userName"].as_str().unwrap().starts_with("corp."), "{session}");
    assert_eq!(corp.service(id).await.status, 200);
    corp.world.rest("GET", "/keys", Some(id), None).await.is_problem(403, "NotAuthorized", &["key", "read"]);
    // The same person is the same principal, whose roles follow the groups.
    corp.provider.shape(|_, claims| claims["groups"] = json!(["lead"]));
    let again = corp.login().await.json();
    assert_eq!(again["userName"], session["userName"]);
    assert_ne!(again["sessionId"], session["sessionId"]);
    // Without a group that has a role nobody is let in, the session of before neither.
    corp.provider.shape(|_, claims| claims["groups"] = json!([]));
    corp.login().await.is_problem(401, "NotAuthenticated", &[]);
    corp.world.rest("GET", "/devices", Some(id), None).await.is_problem(403, "NotAuthorized", &["device", "read"]);
}

#[tokio::test]
async fn a_login_asks_with_state_nonce_and_a_challenge_and_each_time_with_others() {
    let corp = Corp::new().await;
    let (first, _) = corp.begin().await;
    let (second, _) = corp.begin().await;
    for name in ["state", "nonce", "code_challenge"] {
        let value = |location: &str| {
            let found = location.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            found.unwrap_or_else(|| panic!("no {name} in {location}")).to_owned()
        };
        assert_eq!(value(&first).len(), 43);
        assert_ne!(value(&first), value(&second), "{name}");
    }
    for part in ["response_type=code", "scope=openid+profile", "code_challenge_method=S256"] {
        assert!(first.contains(part), "{first}");
    }
    assert!(first.contains(&format!("client_id={CLIENT}")));
    // One request to the provider is enough for both.
    assert_eq!(corp.provider.asked_for("/.well-known/openid-configuration"), 1);
}

#[tokio::test]
async fn a_session_that_the_browser_brought_along_does_not_become_that_of_who_logs_in() {
    let corp = Corp::new().await;
    let planted = corp.world.login("reader").await;
    let (location, cookie) = corp.begin().await;
    let back = corp.provider.consent(&location);
    let cookie = format!("__Host-muster-session={planted}; {cookie}");
    let request = get(&back.path()).header("cookie", cookie).header("authorization", format!("Bearer {planted}"));
    let reply = corp.world.send(request.body(nothing()).unwrap()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let made = reply.json();
    assert_ne!(made["sessionId"], planted);
    // The planted one is still that of its owner.
    let renewed = corp.world.call(Version::Soap11, "renewSession", &session_of(&planted)).await;
    assert_eq!(renewed.text_of("userName"), "reader");
    // Nor does a password let a session be chosen: there is no parameter for it, and each login makes another.
    assert_ne!(corp.world.login("reader").await, corp.world.login("reader").await);
}

#[tokio::test]
async fn a_login_ends_in_the_browser_that_began_it_and_once() {
    let corp = Corp::new().await;
    let (location, cookie) = corp.begin().await;
    let (other_location, other_cookie) = corp.begin().await;
    let back = corp.provider.consent(&location);
    let refused = async |back: &Back, cookie: &str| {
        corp.end(back, cookie).await.is_problem(401, "NotAuthenticated", &[]);
    };
    refused(&back, "a=b").await;
    refused(&back, &other_cookie).await;
    refused(&back, &format!("{cookie}; {other_cookie}")).await;
    refused(&back, "__Host-muster-login=AAAA").await;
    let altered = Back { state: format!("{}x", back.state), ..back.clone() };
    refused(&altered, &cookie).await;
    // The code of one login in another: it has another challenge and another nonce.
    let other = corp.provider.consent(&other_location);
    refused(&Back { code: other.code.clone(), ..back.clone() }, &cookie).await;
    assert_eq!(corp.end(&back, &cookie).await.status, 200);
    refused(&back, &cookie).await;
}

#[tokio::test]
async fn a_login_that_takes_too_long_is_refused() {
    let corp = Corp::new().await;
    let (location, cookie) = corp.begin().await;
    let back = corp.provider.consent(&location);
    corp.world.clock.advance_s(600);
    corp.end(&back, &cookie).await.is_problem(401, "NotAuthenticated", &[]);
}

/// What is wrong with a token, and how it is made so. Each is signed as well as it can be.
#[allow(clippy::type_complexity, reason = "a table")]
const WRONG: &[(&str, fn(&mut Value, &mut Value))] = &[
    ("algorithm none", |header, _| header["alg"] = "none".into()),
    ("algorithm NONE", |header, _| header["alg"] = "NONE".into()),
    ("algorithm none without key", |header, _| *header = json!({"alg": "none"})),
    ("hs256 with the public key of rsa as secret", |header, _| header["alg"] = "HS256".into()),
    ("hs256 with a shared key", |header, _| *header = json!({"alg": "HS256", "kid": "shared"})),
    ("wrong key type: es256 by the key of rsa", |header, _| header["alg"] = "ES256".into()),
    ("wrong key type: rs256 by the key of the curve", |header, _| header["kid"] = "ec".into()),
    ("another algorithm than the key is for", |header, _| header["alg"] = "PS256".into()),
    ("a key for encryption", |header, _| header["kid"] = "for encryption".into()),
    ("a key that there is not", |header, _| header["kid"] = "../../keys".into()),
    ("a key of an address", |header, _| {
        *header = json!({"alg": "RS256", "jku": "https://evil.example/keys", "kid": "x"});
    }),
    ("extensions that must be understood", |header, _| header["crit"] = json!(["exp"])),
    ("wrong issuer", |_, claims| claims["iss"] = "https://evil.example".into()),
    ("issuer with a slash more", |_, claims| {
        claims["iss"] = format!("{}/", claims["iss"].as_str().unwrap_or_default()).into();
    }),
    ("wrong audience", |_, claims| claims["aud"] = "another".into()),
    ("no audience", |_, claims| claims["aud"] = json!([])),
    ("given to another party", |_, claims| claims["azp"] = "another".into()),
    ("expired", |_, claims| claims["exp"] = 1_795_241_100.into()),
    ("without end", |_, claims| claims["exp"] = Value::Null),
    ("not yet", |_, claims| claims["nbf"] = 1_795_241_221.into()),
    ("made in the future", |_, claims| claims["iat"] = 1_795_241_221.into()),
    ("without subject", |_, claims| claims["sub"] = "".into()),
    ("no claims", |_, claims| *claims = json!([])),
];

/// What is wrong with an ID token alone.
#[allow(clippy::type_complexity, reason = "a table")]
const WRONG_ID: &[(&str, fn(&mut Value, &mut Value))] = &[
    ("another nonce", |_, claims| claims["nonce"] = "another".into()),
    ("no nonce", |_, claims| claims["nonce"] = Value::Null),
    ("no time of making", |_, claims| claims["iat"] = Value::Null),
    ("for several and given to nobody", |_, claims| claims["aud"] = json!([CLIENT, "another"])),
];

#[tokio::test]
async fn an_id_token_that_is_wrong_in_any_way_lets_nobody_in() {
    let corp = Corp::new().await;
    for (what, wrong) in WRONG.iter().chain(WRONG_ID) {
        corp.provider.shape(*wrong);
        let reply = corp.login().await;
        assert_eq!(reply.status, 401, "{what}: {}", reply.text);
        assert_eq!(reply.json()["name"], "NotAuthenticated", "{what}");
        // One that is right in between, so that guesses do not lock anybody out.
        corp.provider.shape(|_, _| ());
        assert_eq!(corp.login().await.status, 200, "after: {what}");
    }
    for alg in ["RS256", "ES256", "EdDSA"] {
        let kid = match alg {
            "RS256" => "rsa",
            "ES256" => "ec",
            _ => "ed",
        };
        corp.provider.shape(move |header, _| *header = json!({"alg": alg, "kid": kid}));
        assert_eq!(corp.login().await.status, 200, "{alg}");
        corp.provider.shape(move |header, claims| {
            *header = json!({"alg": alg});
            // A minute is the difference that clocks may have.
            claims["exp"] = 1_795_241_101.into();
            claims["nbf"] = 1_795_241_220.into();
            claims["aud"] = json!([CLIENT]);
        });
        assert_eq!(corp.login().await.status, 200, "{alg} without identifier of a key");
    }
}

#[tokio::test]
async fn a_token_that_is_wrong_in_any_way_is_no_credential() {
    let corp = Corp::new().await;
    for (what, wrong) in WRONG {
        let reply = corp.service(&corp.access(wrong)).await;
        assert_eq!(reply.status, 401, "{what}: {}", reply.text);
        assert!(matches!(reply.json()["name"].as_str(), Some("NotAuthenticated")), "{what}: {}", reply.text);
        // Right ones in between, so that guesses do not lock anybody.
        assert_eq!(corp.service(&corp.access(|_, _| ())).await.status, 200, "after: {what}");
    }
    let right = corp.access(|_, _| ());
    let (signed, signature) = right.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let flipped = format!("{signed}.{other}{}", &signature[1..]);
    for text in [flipped.as_str(), signed, &format!("{signed}."), "eyJhbGciOiJSUzI1NiJ9.e30.", &format!("{right}.")] {
        corp.service(text).await.is_problem(401, "NotAuthenticated", &[]);
    }
}

#[tokio::test]
async fn a_token_for_us_is_a_credential_over_rest_and_soap_where_the_provider_is_set_to_it() {
    let corp = Corp::new().await;
    let token = corp.access(|_, _| ());
    assert_eq!(corp.service(&token).await.status, 200);
    let request =
        Request::post("/wsi").header("content-type", "text/xml").header("authorization", format!("Bearer {token}"));
    let text = envelope(Version::Soap11, "", &body("getServiceInfo", ""));
    assert_eq!(corp.world.send(request.body(text.into()).unwrap()).await.status, 200);
    // An ID token is for the client, not for us.
    corp.service(&corp.access(|_, claims| claims["aud"] = CLIENT.into())).await.is_problem(
        401,
        "NotAuthenticated",
        &[],
    );

    let closed = Corp::with(|record| record["tokenAudience"] = json!([])).await;
    closed.service(&closed.access(|_, _| ())).await.is_problem(401, "NotAuthenticated", &[]);
}

#[tokio::test]
async fn forged_tokens_of_somebody_are_counted_like_passwords() {
    let corp = Corp::new().await;
    let right = corp.access(|_, _| ());
    let forged = format!("{}.{}", right.rsplit_once('.').unwrap().0, "AAAA");
    for _ in 0..10 {
        corp.service(&forged).await.is_problem(401, "NotAuthenticated", &[]);
    }
    corp.service(&right).await.is_problem(401, "LockedOut", &[]);
    // Nobody else is locked out, and an expired token is no guess.
    let other = corp.access(|_, claims| claims["sub"] = "grace".into());
    assert_eq!(corp.service(&other).await.status, 200);
    let expired = corp.access(|_, claims| {
        claims["sub"] = "grace".into();
        claims["exp"] = 1.into();
    });
    for _ in 0..12 {
        corp.service(&expired).await.is_problem(401, "NotAuthenticated", &[]);
    }
    assert_eq!(corp.service(&other).await.status, 200);
}

#[tokio::test]
async fn keys_that_the_provider_changed_are_fetched_and_a_volley_of_unknown_ones_is_not() {
    let corp = Corp::new().await;
    assert_eq!(corp.service(&corp.access(|_, _| ())).await.status, 200);
    assert_eq!(corp.provider.asked_for("/keys"), 1);
    let newer = |header: &mut Value, _: &mut Value| header["kid"] = "rsa 2".into();
    for _ in 0..5 {
        corp.service(&corp.access(newer)).await.is_problem(401, "NotAuthenticated", &[]);
    }
    // Fetched a moment ago, so not again.
    assert_eq!(corp.provider.asked_for("/keys"), 1);
    corp.provider.publish(corp.provider.keys.set(" 2"));
    corp.world.clock.advance_s(30);
    assert_eq!(corp.service(&corp.access(newer)).await.status, 200);
    assert_eq!(corp.provider.asked_for("/keys"), 2);
    // The old key is no longer good.
    corp.service(&corp.access(|_, _| ())).await.is_problem(401, "NotAuthenticated", &[]);
    // A provider that is away for a while does not lock its people out.
    corp.provider.instead("/keys", 503, &[], "");
    corp.world.clock.advance_s(3600);
    let later = corp.access(|header, claims| {
        header["kid"] = "rsa 2".into();
        claims["exp"] = 1_795_250_000.into();
    });
    assert_eq!(corp.service(&later).await.status, 200);
}

#[tokio::test]
async fn a_provider_that_redirects_lies_or_never_ends_helps_nobody_in() {
    let large = vec![b' '; (1 << 20) + 1];
    let discovery = "/.well-known/openid-configuration";
    for (path, status, headers, body) in [
        (discovery, 302, vec![("location", "/keys")], Vec::new()),
        (discovery, 200, vec![], large.clone()),
        (discovery, 200, vec![], b"{}".to_vec()),
        (discovery, 200, vec![], b"not json".to_vec()),
    ] {
        let corp = Corp::new().await;
        corp.provider.instead(path, status, &headers, body);
        let reply = corp.world.send(get("/login/oidc/corp").body(nothing()).unwrap()).await;
        reply.is_problem(503, "TemporarilyUnavailable", &[]);
        // It is not asked again at once.
        corp.world.send(get("/login/oidc/corp").body(nothing()).unwrap()).await;
        assert_eq!(corp.provider.asked_for(path), 1);
        assert_eq!(corp.provider.asked_for("/keys"), 0);
    }
    for (path, status, headers, body) in [
        ("/token", 307, vec![("location", "/keys")], Vec::new()),
        ("/token", 200, vec![], large),
        ("/token", 200, vec![], b"{\"access_token\":\"x\"}".to_vec()),
        ("/keys", 200, vec![], b"{\"keys\":[]}".to_vec()),
    ] {
        let corp = Corp::new().await;
        corp.provider.instead(path, status, &headers, body);
        corp.login().await.is_problem(401, "NotAuthenticated", &[]);
    }
    // Addresses without TLS are not asked, whoever names them.
    let corp = Corp::new().await;
    let issuer = &corp.provider.issuer;
    let document = json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": "http://127.0.0.1/token", "jwks_uri": "file:///etc/passwd"});
    corp.provider.instead(discovery, 200, &[], document.to_string());
    let reply = corp.world.send(get("/login/oidc/corp").body(nothing()).unwrap()).await;
    reply.is_problem(503, "TemporarilyUnavailable", &[]);
}

#[tokio::test]
async fn a_provider_whose_certificate_is_not_trusted_is_not_believed() {
    let other = Provider::start().await;
    let corp = Corp::with(|record| record["trustedCertificates"] = other.certificate.clone().into()).await;
    let reply = corp.world.send(get("/login/oidc/corp").body(nothing()).unwrap()).await;
    reply.is_problem(503, "TemporarilyUnavailable", &[]);
}

#[tokio::test]
async fn failed_logins_at_a_provider_are_counted() {
    let corp = Corp::new().await;
    let (location, cookie) = corp.begin().await;
    let back = corp.provider.consent(&location);
    let guess = Back { code: "guess".into(), ..back.clone() };
    for _ in 0..10 {
        corp.end(&guess, &cookie).await.is_problem(401, "NotAuthenticated", &[]);
    }
    corp.end(&guess, &cookie).await.is_problem(401, "LockedOut", &[]);
    assert_eq!(corp.provider.asked_for("/token"), 10);
}

#[tokio::test]
async fn who_is_bound_to_a_subject_is_let_in_and_others_are_not_unless_the_provider_makes_principals() {
    let corp = Corp::with(|record| record["createsPrincipals"] = false.into()).await;
    corp.login().await.is_problem(401, "NotAuthenticated", &[]);
    let broker = corp.world.broker();
    let mut care = broker.store().principal_get("care").await.unwrap().unwrap();
    care.subject = Some(format!("{} ada", corp.provider.issuer));
    broker
        .store()
        .principal_put(
            care.clone(),
            muster_broker::ledger::Deed::local("acme", "test", muster_broker::time::Timestamp(0)),
        )
        .await
        .unwrap();
    broker.directory().forget();
    let session = corp.login().await.json();
    assert_eq!(session["userName"], "care");
    // Groups change nothing about somebody whom an administrator made.
    let after = broker.store().principal_get("care").await.unwrap().unwrap();
    assert_eq!(after.grants, care.grants);
    care.enabled = false;
    broker
        .store()
        .principal_put(care, muster_broker::ledger::Deed::local("acme", "test", muster_broker::time::Timestamp(0)))
        .await
        .unwrap();
    broker.directory().forget();
    corp.login().await.is_problem(401, "NotAuthenticated", &[]);
}

#[tokio::test]
async fn a_provider_of_one_domain_never_lets_in_somebody_of_another() {
    let corp = Corp::new().await;
    let broker = corp.world.broker();
    let mut stranger = broker.store().principal_get("stranger").await.unwrap().unwrap();
    stranger.subject = Some(format!("{} ada", corp.provider.issuer));
    broker
        .store()
        .principal_put(stranger, muster_broker::ledger::Deed::local("acme", "test", muster_broker::time::Timestamp(0)))
        .await
        .unwrap();
    broker.directory().forget();
    corp.login().await.is_problem(401, "NotAuthenticated", &[]);
    corp.service(&corp.access(|_, _| ())).await.is_problem(401, "NotAuthenticated", &[]);
}

#[tokio::test]
async fn the_record_of_a_provider_is_checked_kept_and_never_tells_its_secret() {
    let corp = Corp::new().await;
    let root = Some(corp.root.as_str());
    let listed = corp.world.rest("GET", "/identity-providers", root, None).await;
    assert_eq!(listed.json()["items"][0]["name"], "corp");
    assert!(!listed.text.contains("s3cret"), "{}", listed.text);
    let other = corp.provider.record("other");
    let put = async |record: Value| corp.world.rest("POST", "/identity-providers", root, Some(record)).await;
    put(other.clone()).await.is_problem(409, "AlreadyExists", &["clientId"]);
    for (field, value) in [
        ("issuer", json!("http://id.example")),
        ("issuer", json!("https://id.example?x")),
        ("name", json!("../corp")),
        ("scope", json!(["a b"])),
        ("version", json!(1)),
    ] {
        let mut record = other.clone();
        record["clientId"] = "another".into();
        record[field] = value;
        let refused = put(record).await;
        assert_eq!(refused.status, 400, "{field}: {}", refused.text);
    }
    // A change that says nothing of the secret keeps it.
    let mut changed = listed.json()["items"][0].clone();
    changed["displayName"] = "The corporation".into();
    changed.as_object_mut().unwrap().remove("createdAt");
    let path = "/identity-providers/corp";
    let stored = corp.world.rest("PUT", path, root, Some(changed.clone())).await;
    assert_eq!(stored.json()["version"], 2, "{}", stored.text);
    assert_eq!(corp.login().await.status, 200);
    corp.world.rest("PUT", path, root, Some(changed)).await.is_problem(412, "OutdatedVersion", &[]);
    // Of another domain it is unknown; taken away it is.
    let stranger = corp.world.login("stranger").await;
    let refused = corp.world.rest("DELETE", path, Some(&stranger), None).await;
    refused.is_problem(404, "UnknownCredential", &["corp"]);
    assert_eq!(corp.world.rest("DELETE", path, root, None).await.status, 204);
    let gone = corp.world.send(get("/login/oidc/corp").body(nothing()).unwrap()).await;
    gone.is_problem(404, "UnknownCredential", &[]);
}

#[tokio::test]
async fn refused_logins_are_in_the_audit_log_of_the_domain_with_the_reason_and_however_many_they_are_few() {
    let corp = Corp::new().await;
    let (location, cookie) = corp.begin().await;
    let back = corp.provider.consent(&location);
    for _ in 0..50 {
        corp.end(&back, "a=b").await.is_problem(401, "NotAuthenticated", &[]);
    }
    let altered = Back { state: format!("{}x", back.state), ..back.clone() };
    corp.end(&altered, &cookie).await.is_problem(401, "NotAuthenticated", &[]);
    corp.provider.shape(|_, claims| claims["groups"] = json!([]));
    corp.login().await.is_problem(401, "NotAuthenticated", &[]);
    corp.provider.shape(|_, claims| claims["iss"] = "https://other.example".into());
    corp.login().await.is_problem(401, "NotAuthenticated", &[]);
    for number in 0..40 {
        let unknown = format!("/login/oidc/SECRET-{number}");
        corp.world.send(get(&unknown).body(nothing()).unwrap()).await.is_problem(404, "UnknownCredential", &[]);
    }

    let broker = corp.world.broker();
    broker.flush_refusals(Flush::All).await.unwrap();
    let filter = AuditFilter { operation: Some("login".into()), is_refused: Some(true), ..AuditFilter::default() };
    let page = Page { size: 1000, after: None };
    let told = broker.store().audit_list(None, filter, page).await.unwrap().items;
    let told: Vec<_> = told.into_iter().map(|recorded| recorded.entry).collect();
    let why =
        |entry: &AuditEntry| entry.after.as_deref().map(|it| serde_json::from_str::<Value>(it).unwrap()["why"].clone());
    let mut counts: Vec<(String, u32)> = told
        .iter()
        .map(|entry| (why(entry).and_then(|why| why.as_str().map(str::to_owned)).unwrap_or_default(), entry.count))
        .collect();
    counts.sort_unstable();
    assert_eq!(
        counts,
        [
            (String::new(), 40),
            ("none of the groups has a role".into(), 1),
            ("the answer or the token of the provider does not hold".into(), 1),
            ("the state is another one".into(), 1),
            ("this browser has begun no login".into(), 50),
        ]
    );
    for entry in &told {
        let is_known = why(entry).is_some();
        assert_eq!(entry.object_id.as_deref(), is_known.then_some("corp"), "{entry:?}");
        assert_eq!(entry.tenant, if is_known { "acme" } else { "" }, "{entry:?}");
        assert_eq!((entry.way.as_str(), entry.actor.as_str(), &entry.personal), ("OPENID", "", &None), "{entry:?}");
    }
}
