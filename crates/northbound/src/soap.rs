//! The WSI over HTTP: `/wsi` and `/wsi/{portType}`.
//!
//! Sources: DM WSI contract, sections 1.3, 1.4 and 2; WS-I Basic Profile 1.1.

mod answer;
mod describe;
mod exchange;
mod http;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, RawQuery, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use muster_broker::services::Broker;

use crate::contract::{ELSEWHERE, operations};
use crate::identity::{self, Identity};
use describe::Descriptions;

/// What the operator sets about the WSI.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address under which clients reach this server, for example `https://dm.example`. Written into descriptions. Where
    /// it is absent the Host header is used, if it names one of `hosts`.
    pub public_url: Option<String>,
    /// Names (without port) that a Host header may have, compared without regard to case.
    pub hosts: Vec<String>,
    /// Whether clients reach this listener over TLS, so that addresses made from the Host header begin with `https`.
    pub is_tls: bool,
    /// How long the body of a request may take to arrive.
    pub body_time: Duration,
    /// About identity.
    pub identity: identity::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            hosts: ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec(),
            is_tls: false,
            body_time: Duration::from_secs(30),
            identity: identity::Settings::default(),
        }
    }
}

/// The WSI of one server.
#[derive(Clone)]
pub struct Wsi {
    inner: Arc<Inner>,
}

struct Inner {
    broker: Broker,
    settings: Settings,
    identity: Identity,
    descriptions: Descriptions,
}

impl Wsi {
    /// The WSI over a broker.
    #[must_use]
    pub fn new(broker: Broker, settings: Settings) -> Self {
        let identity = Identity::new(settings.identity.clone());
        Self { inner: Arc::new(Inner { broker, settings, identity, descriptions: Descriptions::new() }) }
    }
}

/// Routes of the WSI. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: the address of the peer is
/// part of what locks a name out.
pub fn router(state: Wsi) -> Router {
    Router::new()
        .route("/wsi", any(whole))
        .route("/wsi/", any(whole))
        .route("/wsi/{port_type}", any(part))
        .with_state(state)
}

async fn whole(State(wsi): State<Wsi>, RawQuery(query): RawQuery, request: Request) -> Response {
    serve(wsi, None, query.as_deref(), request).await
}

async fn part(
    State(wsi): State<Wsi>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    match port_type_of_address(&name) {
        Some(port_type) => serve(wsi, Some(port_type), query.as_deref(), request).await,
        None => (StatusCode::NOT_FOUND, "There is no such port type; see /wsi?wsdl.\n").into_response(),
    }
}

/// The port type that a segment of an address names.
fn port_type_of_address(segment: &str) -> Option<&'static str> {
    // The misspelt name is in use.
    let name = if segment == "IBulkOperationManagerServices" { "IBulkOperationsManagerServices" } else { segment };
    let offered = operations().iter().map(|operation| operation.port_type);
    offered.chain(ELSEWHERE.iter().map(|(port_type, _)| *port_type)).find(|port_type| *port_type == name)
}

async fn serve(wsi: Wsi, port_type: Option<&'static str>, query: Option<&str>, request: Request) -> Response {
    match *request.method() {
        Method::POST => exchange::post(wsi, port_type, request).await,
        Method::GET | Method::HEAD => wsi.inner.describe(port_type, query, &request),
        _ => {
            let mut response = (StatusCode::METHOD_NOT_ALLOWED, "POST a SOAP message, or GET ?wsdl.\n").into_response();
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            response
        }
    }
}

/// The address of the peer, where the listener tells it.
fn peer_of(request: &axum::http::Request<Body>) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}
