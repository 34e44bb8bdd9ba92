//! The description as a page to read: made from the same document, with nothing fetched from elsewhere.

mod html;

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method as Verb, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_broker::fault::{Fault, FaultName};

use super::negotiate::{is_held, tag, takes};
use super::openapi;
use super::problem::Problem;

const STYLE: &str = include_str!("reference/reference.css");
const SCRIPT: &str = include_str!("reference/reference.js");
static PAGE: LazyLock<String> = LazyLock::new(|| html::page(&openapi::DOCUMENT));

/// Nothing but what this server sends, and nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

struct Page {
    main: &'static str,
    sub: &'static str,
    content_type: &'static str,
    text: &'static str,
}

fn page_at(segments: &[String]) -> Option<Page> {
    let page = |main, sub, content_type, text| Some(Page { main, sub, content_type, text });
    match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["openapi.json"] => page("application", "json", "application/json", &openapi::TEXT),
        ["docs"] => page("text", "html", "text/html; charset=utf-8", &PAGE),
        ["docs", "reference.css"] => page("text", "css", "text/css; charset=utf-8", STYLE),
        ["docs", "reference.js"] => page("text", "javascript", "text/javascript; charset=utf-8", SCRIPT),
        _ => None,
    }
}

/// Answers for the description and its page; nothing if the address is another. They are for everyone, as WSDL is.
pub(super) fn answer(segments: &[String], verb: &Verb, headers: &HeaderMap) -> Option<Result<Response, Problem>> {
    let page = page_at(segments)?;
    let allow = HeaderValue::from_static("GET, HEAD, OPTIONS");
    if verb == Verb::OPTIONS {
        return Some(Ok((StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response()));
    }
    if verb != Verb::GET && verb != Verb::HEAD {
        let fault = Fault::new(FaultName::UnknownMessage, format!("{verb} is no method of this address"));
        return Some(Err(Problem::with_status(fault, StatusCode::METHOD_NOT_ALLOWED).header(header::ALLOW, allow)));
    }
    Some(takes(headers, page.main, page.sub).map(|()| told(&page, headers)))
}

fn told(page: &Page, asked: &HeaderMap) -> Response {
    let tag = tag(1, page.text);
    let mut response = if is_held(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(page.text))
    };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, page.content_type);
    set(header::ETAG, &tag);
    // The same for everyone, and another with the next version of the server.
    set(header::CACHE_CONTROL, "public, no-cache");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::REFERRER_POLICY, "no-referrer");
    response
}
