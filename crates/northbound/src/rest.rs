//! The REST face: `/api/v1`.
//!
//! Sources: DM WSI contract, section 10; RFC 9110; RFC 9457.

mod address;
mod answer;
mod client;
mod credentials;
mod exchange;
mod import;
mod negotiate;
mod openapi;
mod parameters;
mod problem;
mod reference;
mod routes;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use muster_broker::fault::Fault;

pub use client::Asked;
pub(crate) use problem::Problem;

use crate::contract::Record;
use crate::wsi::Wsi;

/// An operation at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Method, for example `GET`.
    pub method: &'static str,
    /// Path with names of parameters in braces, for example `/api/v1/tasks/{taskId}` without its first two segments.
    pub path: &'static str,
    /// Name of the operation.
    pub operation: &'static str,
    /// Whether this server offers it.
    pub is_offered: bool,
}

/// Every operation at every address, offered here or not.
#[must_use]
pub fn addresses() -> Vec<Address> {
    let offered = routes::ROUTES.iter().map(|route| Address {
        method: route.method.as_str(),
        path: route.path,
        operation: route.operation.descriptor().name,
        is_offered: true,
    });
    let absent = routes::ABSENT.iter().map(|(method, path, operation)| Address {
        method: method.as_str(),
        path,
        operation,
        is_offered: false,
    });
    offered.chain(absent).collect()
}

/// The description of this face: a document of OpenAPI 3.1.
#[must_use]
pub fn description() -> &'static str {
    &openapi::TEXT
}

/// Reads a document as the body of an operation with these parameters, for tests and fuzzers: nothing is done with it.
/// Returns how many values it has, itself included.
///
/// # Errors
/// As a request would get: `MalformedMessage`, `RequestTooLarge`, `InvalidArgument`, `MissingArgument` and what else the
/// fields refuse.
pub fn read_body<R: Record>(document: &[u8]) -> Result<usize, Fault> {
    exchange::read_as::<R>(document)
}

/// Routes of the REST face.
pub(crate) fn router(state: Wsi) -> Router {
    // Paths are read by the table of this face alone, so that nothing is decoded twice.
    Router::new()
        .route(routes::BASE, any(served))
        .route("/api/v1/", any(served))
        .route("/api/v1/{*path}", any(served))
        .with_state(state)
}

async fn served(State(wsi): State<Wsi>, request: Request) -> Response {
    exchange::answer(wsi, request).await
}
