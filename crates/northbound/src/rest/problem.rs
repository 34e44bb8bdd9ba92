//! From faults to problem documents.
//!
//! Source: RFC 9457; DM WSI contract, sections 2 and 10.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use muster_broker::fault::{Fault, FaultName};

use crate::contract::NAMESPACE;
use crate::contract::json_text;

/// Why a request is not answered as its sender hoped.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(super) fault: Fault,
    /// The status, where HTTP has a better one than the fault.
    status: Option<StatusCode>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self { fault, status: None, headers: Vec::new() }
    }
}

impl Problem {
    /// With another status.
    pub(super) fn with_status(fault: Fault, status: StatusCode) -> Self {
        Self { status: Some(status), ..fault.into() }
    }

    /// With one more header.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn status(&self) -> StatusCode {
        let of_fault =
            || StatusCode::from_u16(self.fault.name.rest_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.status.unwrap_or_else(of_fault)
    }

    /// Writes the log. What is our own fault is an error, what is the caller's is for the curious. To ask for what is
    /// not offered is the caller's.
    pub(crate) fn log(&self, correlation: &str, operation: &str, caller: &str) {
        let fault = &self.fault;
        if fault.name.is_servers() && fault.name != FaultName::NotImplemented {
            let behind = fault.cause.as_deref().unwrap_or_default();
            tracing::error!(correlation.id = correlation, operation, caller, cause = %fault, behind, "a request failed");
        } else {
            tracing::info!(correlation.id = correlation, operation, caller, cause = %fault, "a request was refused");
        }
    }

    /// The answer. `correlation` leads to the log.
    pub(crate) fn answer(self, correlation: &str) -> Response {
        let status = self.status();
        let mut response = Response::new(Body::from(document(&self.fault, status, correlation)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.fault.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        guard(headers);
        response
    }
}

/// What every answer about a caller's objects says to those between us and the caller.
pub(super) fn guard(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// The name of a problem's type.
pub(super) fn type_of(name: FaultName) -> String {
    format!("{NAMESPACE}:{}", name.as_str())
}

/// `UnknownTask` as people write it: `Unknown task`.
pub(super) fn title(name: FaultName) -> String {
    let mut title = String::new();
    for character in name.as_str().chars() {
        if character.is_ascii_uppercase() && !title.is_empty() {
            title.push(' ');
            title.push(character.to_ascii_lowercase());
        } else {
            title.push(character);
        }
    }
    title
}

fn document(fault: &Fault, status: StatusCode, correlation: &str) -> String {
    let mut out = String::with_capacity(512);
    let mut member = |name: &str, text: &str| {
        out.push(if out.is_empty() { '{' } else { ',' });
        json_text(&mut out, name);
        out.push(':');
        json_text(&mut out, text);
    };
    member("type", &type_of(fault.name));
    member("title", &title(fault.name));
    member("detail", &fault.text);
    member("instance", &format!("urn:uuid:{correlation}"));
    member("messageId", fault.name.message_id());
    member("name", fault.name.as_str());
    member("correlationId", correlation);
    out.push_str(&format!(",\"status\":{}", status.as_u16()));
    if let Some(seconds) = fault.retry_after_s {
        out.push_str(&format!(",\"retryAfterSeconds\":{seconds}"));
    }
    out.push_str(",\"variables\":[");
    for (index, variable) in fault.variables.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json_text(&mut out, variable);
    }
    out.push_str("]}");
    out
}
