//! A server with its own store, clock and chance, and a client that speaks both versions.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use muster_broker::access::Principal;
use muster_broker::ports::{Environment, Vault as _};
use muster_broker::services::{Broker, Settings as BrokerSettings};
use muster_broker::time::Timestamp;
use muster_northbound::{Settings, Wsi, hash_password, identity, router};
use muster_protocol::soap::Version;
use muster_protocol::xml::element::{Element, TreeLimits};
use muster_store::{Options, SqliteStore};
use serde_json::Value;
use tower::ServiceExt as _;

pub(crate) const NS: &str = "urn:muster:dmwsi:v1";
pub(crate) const BOTH: [Version; 2] = [Version::Soap11, Version::Soap12];
/// Two minutes after the credentials in the captures were made.
pub(crate) const MORNING: &str = "2026-11-21T06:06:00Z";
pub(crate) const NUMBER: &str = "+15551234567";
pub(crate) const PASSWORD: &str = "s3cret";

/// Time that goes on when the test says so, and chance that repeats itself from run to run.
pub(crate) struct Clock {
    now: AtomicI64,
    chance: Mutex<fastrand::Rng>,
    /// Fails when asked for the time this often: for a panic in the middle of a request.
    breaks: AtomicU64,
}

impl Clock {
    fn at_morning() -> Self {
        Self {
            now: AtomicI64::new(Timestamp::parse(MORNING).unwrap().0),
            chance: Mutex::new(fastrand::Rng::with_seed(7)),
            breaks: AtomicU64::new(0),
        }
    }

    pub(crate) fn advance_s(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub(crate) fn break_at_call(&self, call: u64) {
        self.breaks.store(call, Ordering::SeqCst);
    }
}

impl Environment for Clock {
    fn now(&self) -> Timestamp {
        let left = self.breaks.load(Ordering::SeqCst);
        if left > 0 {
            self.breaks.store(left - 1, Ordering::SeqCst);
            assert!(left != 1, "the clock broke");
        }
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn random(&self, octets: &mut [u8]) {
        self.chance.lock().unwrap().fill(octets);
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<Clock>,
    pub(crate) broker: Broker,
    router: Router,
    _folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A fault of either version, taken apart.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) code: String,
    pub(crate) subcode: String,
    /// `messageId` of the detail, empty without one.
    pub(crate) message_id: String,
    pub(crate) name: String,
    pub(crate) variables: Vec<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) correlation: String,
}

/// Of [`PASSWORD`]; made once, for it takes long.
pub(crate) static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD, &Clock::at_morning()).unwrap());

/// Identity without waiting, so that tests of other things take no time.
pub(crate) fn quick() -> Settings {
    Settings {
        identity: identity::Settings { failure_delay: Duration::ZERO, ..identity::Settings::default() },
        ..Settings::default()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(quick(), BrokerSettings::default()).await
    }

    pub(crate) async fn with(settings: Settings, broker_settings: BrokerSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path().join("data"))).unwrap();
        let vault = store.vault();
        let clock = Arc::new(Clock::at_morning());
        let broker = Broker::new(Arc::new(store), vault.clone(), Arc::clone(&clock) as _, broker_settings);
        for (name, tenant, role, has_digest) in [
            ("root", "acme", "administrator", false),
            ("care", "acme", "care", true),
            ("reader", "acme", "reader", false),
            ("stranger", "other", "administrator", false),
        ] {
            let principal = Principal {
                digest_secret: has_digest.then(|| vault.seal(PASSWORD.as_bytes()).0),
                ..Principal::of_role(name, tenant, role, &HASH)
            };
            broker
                .store()
                .principal_put(principal, muster_broker::ledger::Deed::local("acme", "test", clock.now()))
                .await
                .unwrap();
        }
        let router = router(Wsi::new(broker.clone(), settings));
        Self { clock, broker, router, _folder: folder }
    }

    /// A world with a device under [`NUMBER`] and a session of `root`.
    pub(crate) async fn with_session() -> (Self, String) {
        let world = Self::new().await;
        let session = world.login("root").await;
        let device = format!(
            "<userSession><sessionId>{session}</sessionId></userSession><deviceInstance>\
             <deviceID>IMEI:490154203237518</deviceID><phoneNumber>{NUMBER}</phoneNumber><dmAccount>\
             <authType>DIGEST</authType><clientName>a</clientName><clientSecret>b</clientSecret></dmAccount>\
             </deviceInstance>"
        );
        let reply = world.call(Version::Soap11, "createDeviceInstance", &device).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        (world, session)
    }

    /// The broker, for what no request can do.
    pub(crate) fn broker(&self) -> &Broker {
        &self.broker
    }

    /// The routes, for a listener.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        self.send_from(1, request).await
    }

    /// Sends from the address 127.0.0.`host`.
    pub(crate) async fn send_from(&self, host: u8, mut request: Request<Body>) -> Reply {
        let peer = SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 40_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let octets = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(octets.to_vec()).unwrap() }
    }

    /// Posts an envelope with the usual media type of its version.
    pub(crate) async fn post(&self, version: Version, envelope: impl Into<Body>) -> Reply {
        let request = Request::post("/wsi").header("content-type", media_type(version));
        self.send(request.body(envelope.into()).unwrap()).await
    }

    /// Calls an operation with these parameters.
    pub(crate) async fn call(&self, version: Version, operation: &str, parameters: &str) -> Reply {
        self.post(version, envelope(version, "", &body(operation, parameters))).await
    }

    /// Sends a request to the REST face: as `caller`, who is logged in, where one is given.
    pub(crate) async fn rest(&self, method: &str, path: &str, session: Option<&str>, body: Option<Value>) -> Reply {
        self.rest_with(method, path, session, &[], body).await
    }

    /// The same with more headers.
    pub(crate) async fn rest_with(
        &self,
        method: &str,
        path: &str,
        session: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(session) = session {
            request = request.header("authorization", format!("Bearer {session}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn login(&self, name: &str) -> String {
        let parameters = format!("<userName>{name}</userName><password>{PASSWORD}</password>");
        let reply = self.call(Version::Soap11, "login", &parameters).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.text_of("sessionId")
    }

    /// Everything that requests could have changed.
    pub(crate) async fn state(&self, session: &str) -> String {
        let mut state = String::new();
        let known = format!("<userSession><sessionId>{session}</sessionId></userSession>");
        for (operation, more) in [
            ("getTasks", "<createdSince>2000-01-01T00:00:00Z</createdSince>"),
            ("getJobs", ""),
            ("getDeviceInstances", ""),
            ("getDeviceCapabilities", ""),
            ("getSubscribers", ""),
            ("getApiKeys", ""),
            ("getIdentityProviders", ""),
            ("getTenants", ""),
            ("getPrincipals", ""),
            ("getRoles", ""),
            ("getCallbackAddresses", ""),
            ("getCallbackQueues", ""),
            ("getApprovals", ""),
            ("getApprovalPolicy", ""),
            ("getTrustedCertificateAuthorities", ""),
            ("getCertificates", ""),
            ("getRevokedCertificates", ""),
        ] {
            let reply = self.call(Version::Soap11, operation, &format!("{known}{more}")).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            state.push_str(&reply.text);
        }
        state
    }
}

pub(crate) fn media_type(version: Version) -> &'static str {
    match version {
        Version::Soap11 => "text/xml; charset=utf-8",
        Version::Soap12 => "application/soap+xml; charset=utf-8",
    }
}

pub(crate) fn body(operation: &str, parameters: &str) -> String {
    format!("<{operation} xmlns=\"{NS}\">{parameters}</{operation}>")
}

pub(crate) fn envelope(version: Version, headers: &str, body: &str) -> String {
    let namespace = version.namespace();
    format!("<s:Envelope xmlns:s=\"{namespace}\"><s:Header>{headers}</s:Header><s:Body>{body}</s:Body></s:Envelope>")
}

pub(crate) fn session_of(session: &str) -> String {
    format!("<userSession><sessionId>{session}</sessionId></userSession>")
}

/// A complete doOperation.
pub(crate) fn do_operation(session: &str) -> String {
    format!(
        "{}<operation>QUERY</operation><phoneNumber>{NUMBER}</phoneNumber><bOptin>false</bOptin>\
         <acceptDevicePolicy>20</acceptDevicePolicy><testCycle>false</testCycle>",
        session_of(session)
    )
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Asserts that this is a problem of this status and fault, whose first variables are these.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, name: &str, variables: &[&str]) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        let told = self.json();
        assert_eq!(told["name"], name, "{}", self.text);
        assert_eq!(told["status"], status);
        assert_eq!(told["type"], format!("{NS}:{name}"));
        assert!(told["messageId"].as_str().unwrap().len() == 7);
        let correlation = told["correlationId"].as_str().unwrap();
        assert_eq!(told["instance"], format!("urn:uuid:{correlation}"));
        assert!(!told["detail"].as_str().unwrap().is_empty());
        let all: Vec<&str> = told["variables"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        assert_eq!(all.get(..variables.len()), Some(variables), "{}", self.text);
    }

    pub(crate) fn root(&self) -> Element {
        Element::read(self.text.as_bytes(), None, &TreeLimits::WSI)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn version(&self) -> Version {
        let namespace = self.root().name.namespace;
        BOTH.into_iter().find(|version| namespace.as_deref() == Some(version.namespace())).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The child of the body.
    pub(crate) fn content(&self) -> Element {
        let root = self.root();
        let body = root.child(self.version().namespace(), "Body").unwrap();
        assert_eq!(body.children.len(), 1);
        body.children[0].clone()
    }

    /// The text of the first element of this name, wherever it is.
    pub(crate) fn text_of(&self, local: &str) -> String {
        find(&self.root(), local).unwrap_or_else(|| panic!("no {local} in {}", self.text)).text.to_string()
    }

    pub(crate) fn fault(&self) -> Told {
        let fault = self.content();
        assert_eq!(fault.name.local, "Fault", "{}", self.text);
        let text = |local: &str| find(&fault, local).map(|it| it.text.to_string()).unwrap_or_default();
        let (code, subcode, detail) = match self.version() {
            Version::Soap11 => (text("faultcode"), String::new(), find(&fault, "detail")),
            Version::Soap12 => {
                let code = find(&fault, "Code").unwrap();
                let mut subcodes = Vec::new();
                let mut at = find(code, "Subcode");
                while let Some(subcode) = at {
                    subcodes.push(subcode.children[0].text.to_string());
                    at = subcode.children.get(1);
                }
                (code.children[0].text.to_string(), subcodes.join("/"), find(&fault, "Detail"))
            }
        };
        if let Some(detail) = detail {
            assert_eq!(detail.children.len(), 1);
            let exception = &detail.children[0];
            let is_policy = text("messageId").starts_with("DMP");
            assert!(exception.is(NS, if is_policy { "PolicyException" } else { "ServiceException" }));
            assert!(!text("correlationId").is_empty());
        }
        let variables = detail.map(|detail| {
            let all = detail.children[0].children.iter().filter(|it| it.name.local == "variable");
            all.map(|it| it.text.to_string()).collect()
        });
        Told {
            code,
            subcode,
            message_id: text("messageId"),
            name: text("name"),
            variables: variables.unwrap_or_default(),
            retry_after: find(&fault, "retryAfterSeconds").map(|it| it.text.to_string()),
            correlation: text("correlationId"),
        }
    }

    /// Asserts that this is the fault `name` of the contract in the form that the version of the answer has.
    #[track_caller]
    pub(crate) fn is_fault(&self, name: &str, variables: &[&str]) {
        let told = self.fault();
        assert_eq!(told.name, name, "{}", self.text);
        assert_eq!(told.variables, variables, "{}", self.text);
        let is_servers = told.message_id.starts_with("DMS09");
        match self.version() {
            Version::Soap11 => {
                assert_eq!(told.code, if is_servers { "soap:Server" } else { "soap:Client" });
                assert_eq!(self.status, 500);
            }
            Version::Soap12 => {
                assert_eq!(told.code, if is_servers { "soap:Receiver" } else { "soap:Sender" });
                assert_eq!(told.subcode, format!("c:{name}"));
                assert_eq!(self.status, if is_servers { 500 } else { 400 });
            }
        }
    }
}

fn find<'e>(element: &'e Element, local: &str) -> Option<&'e Element> {
    if element.name.local == local {
        return Some(element);
    }
    element.children.iter().find_map(|child| find(child, local))
}
