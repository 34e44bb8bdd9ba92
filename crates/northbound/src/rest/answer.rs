//! From the answers of operations to those of HTTP.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_broker::fault::FaultName;

use super::address::encoded;
use super::negotiate::{is_held, tag};
use super::problem::guard;
use super::routes::{BASE, Method, Route};
use crate::contract::{self, At, JsonWriter, Kind, Operation, Sink as _, Written};
use crate::dispatch::Teller;

/// A list of nothing.
pub(super) const NO_ITEMS: &str = "{\"items\":[],\"totalCount\":0}";

/// Whether this is the fault for a record that there is not.
pub(super) fn is_unknown(name: FaultName) -> bool {
    matches!(name, FaultName::UnknownDevice | FaultName::UnknownCapability | FaultName::UnknownSubscriber)
}

/// Makes the document of an answer.
pub(super) struct Document {
    route: &'static Route,
}

impl Document {
    pub(super) fn of(route: &'static Route) -> Self {
        Self { route }
    }
}

impl Teller for Document {
    type Told = Written;

    fn tell<R: contract::Request>(self, answer: &R::Answer) -> Written {
        let Some(result) = &R::OPERATION.descriptor().result else { return Written::plain("") };
        let mut writer = JsonWriter::new().watch(self.route.location);
        match result.kind {
            Kind::Record(record) => {
                if contract::is_page(record) {
                    writer = writer.page();
                }
                R::write_answer(answer, &mut writer);
            }
            // A document is an object, also where the answer is a single value.
            Kind::BuiltIn(_) | Kind::Named(_) => {
                writer.begin(At::field(result.name));
                R::write_answer(answer, &mut writer);
                writer.end(At::field(result.name));
            }
        }
        let mut written = writer.finish();
        if self.route.is_query {
            written = Written::plain(&format!("{{\"items\":[{}],\"totalCount\":1}}", written.json));
        }
        written
    }
}

/// The answer to a request that was carried out; `asked` are its headers.
pub(super) fn success(route: &Route, asked: &HeaderMap, written: Written) -> Response {
    let status = StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK);
    let Written { json, version, seen } = written;
    let tag = version.and_then(|version| HeaderValue::from_str(&tag(version, &json)).ok());
    let is_held = route.method == Method::Get
        && tag.as_ref().and_then(|tag| tag.to_str().ok()).is_some_and(|tag| is_held(asked, tag));
    let mut response = if is_held {
        StatusCode::NOT_MODIFIED.into_response()
    } else if json.is_empty() {
        status.into_response()
    } else {
        let mut response = Response::new(Body::from(json));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    };
    let headers = response.headers_mut();
    guard(headers);
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    let location = location(route, &seen);
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    response
}

/// Where what was made is found.
fn location(route: &Route, seen: &[(&'static str, String)]) -> Option<String> {
    if route.operation == Operation::Login {
        return Some(format!("{BASE}/sessions/current"));
    }
    route.location.iter().find_map(|(path, member)| {
        let mut named = seen.iter().filter(|(name, _)| name == member);
        let id = named.next().filter(|_| named.next().is_none())?;
        Some(format!("{BASE}{path}{}", encoded(&id.1)))
    })
}

/// The answer to `HEAD`: everything but the body, with its length.
pub(super) async fn bodiless(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // Our own documents, which are in memory already.
    if let Ok(octets) = axum::body::to_bytes(body, usize::MAX).await
        && !octets.is_empty()
    {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(octets.len()));
    }
    Response::from_parts(parts, Body::empty())
}
