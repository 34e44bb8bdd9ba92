//! The WSI over HTTP: `/wsi` and `/wsi/{portType}`.
//!
//! Sources: DM WSI contract, sections 1.3, 1.4 and 2; WS-I Basic Profile 1.1.

mod answer;
mod describe;
mod exchange;
mod http;
mod outcome;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;

pub(crate) use describe::Descriptions;
pub(crate) use http::is_packed;

use crate::contract::{ELSEWHERE, operations};
use crate::wsi::Wsi;

/// Routes of the WSI over SOAP.
pub(crate) fn router(state: Wsi) -> Router {
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
