//! Imports of device records as a stream, and how far they have come: what is no operation of the contract's tables.
//!
//! `POST /devices:import` with rows of CSV or NDJSON; with JSON the same address is the operation `importDeviceInstances`.
//! `GET` and `DELETE /imports/{importId}`.
//!
//! Source: DM WSI contract, section 10.

use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_broker::access::{Caller, Origin};
use muster_broker::fault::{Fault, FaultName};
use muster_broker::services::{IMPORT_OPERATION, ImportOptions};

use super::address::Address;
use super::credentials::Given;
use super::problem::{Problem, guard};
use crate::import::{self, Asked, Format};
use crate::refusals::{note_beside, note_stranger};
use crate::wsi::Wsi;

/// Media type of the answer, and of rows that are JSON objects.
const NDJSON: &str = "application/x-ndjson";
/// Header with the caller's name for an import.
const IMPORT_ID: &str = "import-id";
/// Header with the position of the first row.
const IMPORT_OFFSET: &str = "import-offset";

/// What a request about imports means.
pub(super) enum Meant {
    /// Rows.
    Rows(Format),
    /// The position of the import of this name.
    Position(String),
}

/// Whether a request is about an import, by its address and the type of its body.
///
/// # Errors
/// Another method than the address has.
pub(super) fn meant(address: &Address, verb: &Verb, headers: &HeaderMap) -> Result<Option<Meant>, Problem> {
    match address.segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["devices:import"] if verb == Verb::POST => Ok(format(headers)?.map(Meant::Rows)),
        ["imports", id] => {
            if ![Verb::GET, Verb::HEAD, Verb::DELETE].contains(verb) {
                let fault = Fault::new(FaultName::UnknownMessage, format!("{verb} is no method of this address"));
                let allow = HeaderValue::from_static("GET, HEAD, DELETE");
                return Err(Problem::with_status(fault, StatusCode::METHOD_NOT_ALLOWED).header(header::ALLOW, allow));
            }
            Ok(Some(Meant::Position((*id).to_owned())))
        }
        _ => Ok(None),
    }
}

/// How rows are written, by the media type; nothing for another one.
fn format(headers: &HeaderMap) -> Result<Option<Format>, Fault> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    // Of two, which one counts depends on who reads; neither says how rows are written.
    let (Some(given), None) = (values.next().and_then(|value| value.to_str().ok()), values.next()) else {
        return Ok(None);
    };
    let (kind, parameters) = given.split_once(';').unwrap_or((given, ""));
    let format = match kind.trim().to_ascii_lowercase().as_str() {
        "text/csv" => Format::Csv,
        NDJSON | "application/ndjson" | "application/jsonl" => Format::NdJson,
        _ => return Ok(None),
    };
    for parameter in parameters.split(';') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_ascii_lowercase());
        match (name.as_str(), value.as_str()) {
            ("charset", "utf-8" | "us-ascii") | ("header", "present") => {}
            ("charset", _) => return Err(Fault::invalid("Content-Type", value, "send rows in UTF-8")),
            ("header", _) => return Err(Fault::invalid("Content-Type", value, "a header row is needed")),
            _ => {}
        }
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Fault::invalid("Content-Encoding", "…", "send rows as they are, without encoding"));
    }
    Ok(Some(format))
}

/// Answers a request about imports.
pub(super) async fn answer(
    wsi: &Wsi,
    meant: Meant,
    address: &Address,
    head: &Parts,
    given: &Given,
    body: Body,
    origin: Origin,
) -> Result<Response, Problem> {
    let inner = &wsi.inner;
    let (operation, is_write) = match (&meant, &head.method) {
        (Meant::Rows(_), _) => (IMPORT_OPERATION, true),
        (Meant::Position(_), &Verb::DELETE) => ("forgetImport", true),
        (Meant::Position(_), _) => ("getImport", false),
    };
    let caller = match inner.known(given, origin).await {
        Ok(known) => known.caller,
        Err(fault) => {
            note_stranger(&inner.broker, given.claimed().as_deref(), origin, operation, &fault).await;
            return Err(inner.challenge(fault, given.is_nothing()));
        }
    };
    if let Err(fault) = inner.broker.admit(&caller.tenant, &caller.name).await {
        note_stranger(&inner.broker, Some(&caller.name), origin, operation, &fault).await;
        return Err(fault.into());
    }
    let answered = answer_known(wsi, meant, address, head, &caller, body, origin).await;
    if let Err(problem) = &answered {
        note_beside(&inner.broker, &caller, operation, "device", is_write, &problem.fault).await;
    }
    answered
}

async fn answer_known(
    wsi: &Wsi,
    meant: Meant,
    address: &Address,
    head: &Parts,
    caller: &Caller,
    body: Body,
    origin: Origin,
) -> Result<Response, Problem> {
    let inner = &wsi.inner;
    match meant {
        Meant::Position(id) => position(wsi, caller, &head.method, &id).await,
        Meant::Rows(format) => {
            let (options, tells_progress) = asked(address, &head.headers)?;
            let Ok(permit) = Arc::clone(&inner.imports).try_acquire_owned() else {
                let text = "as many imports as this server takes at once are under way; try again later";
                return Err(Fault::new(FaultName::TooManyRequests, text).retry_after_s(10).into());
            };
            let asked = Asked { format, options, tells_progress, correlation: origin.correlation.to_string() };
            let rows = import::begin(&inner.broker, caller, asked, body, permit).await?;
            let mut response = Response::new(rows);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
            guard(response.headers_mut());
            Ok(response)
        }
    }
}

async fn position(wsi: &Wsi, caller: &Caller, verb: &Verb, id: &str) -> Result<Response, Problem> {
    let broker = &wsi.inner.broker;
    let mut response = if verb == Verb::DELETE {
        broker.import_forget(caller, id).await?;
        StatusCode::NO_CONTENT.into_response()
    } else {
        let state = broker.import_state(caller, id).await?;
        let mut response = Response::new(Body::from(import::state(id, &state)));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    };
    guard(response.headers_mut());
    Ok(response)
}

/// What the address and headers ask for.
fn asked(address: &Address, headers: &HeaderMap) -> Result<(ImportOptions, bool), Fault> {
    let mut options = ImportOptions::default();
    let mut tells_progress = false;
    let mut seen = Vec::new();
    for (name, value) in &address.query {
        let is_so = match value.as_str() {
            "true" => true,
            "false" => false,
            _ => return Err(Fault::invalid(name, value.escape_debug(), "true or false is expected")),
        };
        if seen.contains(&name) {
            return Err(Fault::invalid(name, value.escape_debug(), "given more than once"));
        }
        seen.push(name);
        match name.as_str() {
            "updateExisting" => options.update_existing = is_so,
            "dryRun" => options.is_dry_run = is_so,
            "progress" => tells_progress = is_so,
            _ => {
                let why = "there is no such parameter; known are updateExisting, dryRun and progress";
                return Err(Fault::invalid(&name.escape_debug().to_string(), value.escape_debug(), why));
            }
        }
    }
    options.id = text(headers, IMPORT_ID)?.map(str::to_owned);
    if let Some(offset) = text(headers, IMPORT_OFFSET)? {
        let why = "a whole number of rows is expected";
        options.offset = offset.parse().map_err(|_| Fault::invalid("Import-Offset", offset.escape_debug(), why))?;
    }
    Ok((options, tells_progress))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Fault> {
    let mut all = headers.get_all(name).iter();
    let Some(value) = all.next() else { return Ok(None) };
    match (value.to_str(), all.next()) {
        (Ok(text), None) => Ok(Some(text.trim())),
        _ => Err(Fault::invalid(name, "…", "one value of visible ASCII characters is expected")),
    }
}
