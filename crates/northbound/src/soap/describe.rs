//! Descriptions: WSDL and schema, with the address of this server written in.
//!
//! Sources: DM WSI contract, section 1.3; WS-I Basic Profile 1.1, section 4.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::contract::{ELSEWHERE, operations};
use crate::wsi::Inner;

const XSD: &str = include_str!("../../../../docs/api/dmwsi.xsd");
const WSDL_SOAP11: &str = include_str!("../../../../docs/api/dmwsi.wsdl");
const WSDL_SOAP12: &str = include_str!("../../../../docs/api/dmwsi-soap12.wsdl");
/// The address that stands in the files.
const PLACEHOLDER: &str = "http://localhost:8080/wsi";

/// Which document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Wsdl11,
    Wsdl12,
    /// WSDL with the schema in it, for clients that fetch one document alone.
    Single,
    Xsd,
}

/// The documents, those of one port type cut out once.
pub(crate) struct Descriptions {
    parts: Vec<(&'static str, String, String)>,
}

impl Descriptions {
    pub(crate) fn new() -> Self {
        let offered = operations().iter().map(|operation| operation.port_type);
        let mut names: Vec<&'static str> = offered.chain(ELSEWHERE.iter().map(|(name, _)| *name)).collect();
        names.dedup();
        let part = |name: &'static str| (name, only(WSDL_SOAP11, &names, name), only(WSDL_SOAP12, &names, name));
        Self { parts: names.iter().map(|name| part(name)).collect() }
    }

    fn wsdl(&self, port_type: Option<&str>, is_soap12: bool) -> &str {
        let whole = if is_soap12 { WSDL_SOAP12 } else { WSDL_SOAP11 };
        let part = self.parts.iter().find(|(name, ..)| Some(*name) == port_type);
        part.map_or(whole, |(_, soap11, soap12)| if is_soap12 { soap12 } else { soap11 })
    }
}

/// A WSDL with one port type alone: messages, port type, binding and port of the others are left out.
fn only(wsdl: &str, names: &[&str], kept: &str) -> String {
    let mut text = wsdl.to_owned();
    for name in names.iter().filter(|name| **name != kept) {
        cut(&mut text, &format!("<!-- {name}: messages -->"), "</wsdl:message>", true);
        cut(&mut text, &format!("<wsdl:portType name=\"{name}\">"), "</wsdl:portType>", false);
        cut(&mut text, &format!("<wsdl:binding name=\"{name}Soap"), "</wsdl:binding>", false);
        cut(&mut text, &format!("<wsdl:port name=\"{name}"), "</wsdl:port>", false);
    }
    text
}

/// Takes out what begins with `start` and ends with `end`: the first, or the last before the next comment or other kind
/// of element.
fn cut(text: &mut String, start: &str, end: &str, is_to_last: bool) {
    let Some(from) = text.find(start) else { return };
    let rest = &text[from + start.len()..];
    let until = if is_to_last {
        let section = rest.find("<!--").into_iter().chain(rest.find("<wsdl:portType")).min().unwrap_or(rest.len());
        rest[..section].rfind(end)
    } else {
        rest.find(end)
    };
    if let Some(at) = until {
        text.replace_range(from..from + start.len() + at + end.len(), "");
    }
}

impl Inner {
    /// Answers GET and HEAD.
    pub(super) fn describe(&self, port_type: Option<&str>, query: Option<&str>, request: &Request) -> Response {
        let Some(wanted) = query.and_then(wanted) else {
            let text = "This address takes SOAP messages by POST; ?wsdl describes them.\n";
            return (StatusCode::NOT_FOUND, text).into_response();
        };
        let Some(base) = self.base_url(request) else {
            let text = "The Host header names no host of this server; its operator sets public_url or hosts.\n";
            return (StatusCode::BAD_REQUEST, text).into_response();
        };
        let text = match wanted {
            Wanted::Xsd => XSD.to_owned(),
            Wanted::Wsdl11 | Wanted::Single => addressed(self.descriptions.wsdl(port_type, false), &base),
            Wanted::Wsdl12 => addressed(self.descriptions.wsdl(port_type, true), &base),
        };
        let text = if wanted == Wanted::Single { with_schema(&text) } else { text };
        document(text, request)
    }

    /// `https://dm.example`, from the settings or else from a Host header that is on the list.
    pub(crate) fn base_url(&self, request: &Request) -> Option<String> {
        if let Some(public) = &self.settings.public_url {
            let public = public.trim_end_matches('/');
            return Some(public.strip_suffix("/wsi").unwrap_or(public).to_owned());
        }
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (host, None),
        };
        let is_port = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit()));
        let is_known = self.settings.hosts.iter().any(|known| known.eq_ignore_ascii_case(name));
        let scheme = if self.settings.is_tls { "https" } else { "http" };
        (is_port && is_known).then(|| format!("{scheme}://{host}"))
    }
}

/// Reads a query in any case: `wsdl`, `WSDL`, `singleWsdl`, `wsdl12`, `xsd=dmwsi.xsd`. Names of documents come from this
/// list and are never a path.
fn wanted(query: &str) -> Option<Wanted> {
    query.split('&').find_map(|part| match part.to_ascii_lowercase().trim_end_matches('=') {
        "wsdl" => Some(Wanted::Wsdl11),
        "wsdl12" => Some(Wanted::Wsdl12),
        "singlewsdl" => Some(Wanted::Single),
        "xsd=dmwsi.xsd" => Some(Wanted::Xsd),
        _ => None,
    })
}

fn addressed(wsdl: &str, base: &str) -> String {
    let base = base.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    wsdl.replace(PLACEHOLDER, &format!("{base}/wsi"))
        .replace("schemaLocation=\"dmwsi.xsd\"", &format!("schemaLocation=\"{base}/wsi?xsd=dmwsi.xsd\""))
}

/// Puts the schema in place of its import.
fn with_schema(wsdl: &str) -> String {
    let schema = XSD.split_once("?>").map_or(XSD, |(_, schema)| schema);
    match (wsdl.find("<xs:schema>"), wsdl.find("</xs:schema>")) {
        (Some(from), Some(to)) => {
            format!("{}{}{}", &wsdl[..from], schema.trim(), &wsdl[to + "</xs:schema>".len()..])
        }
        _ => wsdl.to_owned(),
    }
}

fn document(text: String, request: &Request) -> Response {
    let tag = URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()).as_ref());
    let tag = format!("\"{}\"", tag.get(..22).unwrap_or(&tag));
    let is_held =
        request.headers().get(header::IF_NONE_MATCH).and_then(|held| held.to_str().ok()).is_some_and(|held| {
            held.split(',').any(|it| matches!(it.trim(), "*") || it.trim().trim_start_matches("W/") == tag)
        });
    let mut response = if is_held { StatusCode::NOT_MODIFIED.into_response() } else { Response::new(Body::from(text)) };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    response
}
