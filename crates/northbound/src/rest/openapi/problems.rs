//! Answers that are problems, one for each status.

use std::borrow::Cow;
use std::collections::BTreeMap;

use muster_broker::fault::FaultName;

use super::super::problem::{title, type_of};
use super::object;
use crate::contract::Node;

/// Statuses that HTTP has for a fault whose own is another, and what they mean.
const OF_HTTP: &[(u16, &str)] = &[
    (405, "The method is none of this address; Allow lists those that are."),
    (406, "Accept does not have application/json."),
    (408, "The request took too long to arrive."),
    (415, "The body is not application/json in UTF-8."),
];

fn about(status: u16) -> &'static str {
    match status {
        400 => "The request is not understood, or its parameters are not possible.",
        401 => "The credentials are missing or wrong, or the session has ended.",
        403 => "The caller may not do this.",
        404 => "There is no such object, or none that the caller may see.",
        409 => "Not possible with what is stored now.",
        412 => "The record has another version than the caller saw.",
        413 => "The request is too large.",
        422 => "Understood, and not possible here.",
        429 => "More requests than this caller may send; try again later.",
        500 => "The server failed.",
        501 => "An optional part of the contract that is not offered.",
        502 => "A peer server failed.",
        503 => "The server cannot do it now; try again later.",
        508 => "Forwarded in a circle.",
        _ => OF_HTTP.iter().find(|(known, _)| *known == status).map_or("", |(_, text)| text),
    }
}

/// Faults by status, in the order of the contract.
fn by_status() -> BTreeMap<u16, Vec<FaultName>> {
    let mut all: BTreeMap<u16, Vec<FaultName>> = BTreeMap::new();
    for name in FaultName::ALL {
        all.entry(name.rest_status()).or_default().push(*name);
    }
    all
}

/// Name of the answer with this status among the components.
pub(super) fn name_of(status: u16) -> String {
    format!("Problem{status}")
}

/// Every answer that is a problem.
pub(super) fn responses() -> Node<'static> {
    let mut all = by_status();
    for (status, _) in OF_HTTP {
        all.entry(*status).or_insert_with(|| vec![FaultName::InvalidArgument]);
    }
    let response = |(status, names): (u16, Vec<FaultName>)| {
        let told: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let examples =
            names.iter().map(|name| (Cow::Borrowed(name.as_str()), object! { "value": example(*name, status) }));
        let mut headers: Vec<(Cow<'static, str>, Node<'static>)> = Vec::new();
        let referring =
            |name: &'static str| (Cow::Borrowed(name), object! { "$ref": format!("#/components/headers/{name}") });
        if status == 401 {
            headers.push(referring("WWW-Authenticate"));
        }
        if matches!(status, 401 | 429 | 503) {
            headers.push(referring("Retry-After"));
        }
        let mut members =
            vec![(Cow::Borrowed("description"), format!("{} {}.", about(status), told.join(", ")).into())];
        if !headers.is_empty() {
            members.push((Cow::Borrowed("headers"), headers.into()));
        }
        members.push((
            Cow::Borrowed("content"),
            object! {
                "application/problem+json": object! {
                    "schema": object! { "$ref": "#/components/schemas/Problem" },
                    "examples": examples.collect::<Vec<_>>(),
                },
            },
        ));
        (Cow::Owned(name_of(status)), Node::Record(members))
    };
    all.into_iter().map(response).collect::<Vec<_>>().into()
}

fn example(name: FaultName, status: u16) -> Node<'static> {
    const CORRELATION: &str = "01998f5e-7c3a-7d10-8b2f-3f6f2f1c9a77";
    let variables: &[&'static str] = match name {
        FaultName::InvalidArgument => &["schedule.maxAttempts", "0"],
        FaultName::MissingArgument => &["operation"],
        FaultName::NotAuthorized => &["device", "operate"],
        FaultName::AlreadyExists => &["deviceID", "IMEI:490154203237518"],
        _ => &[],
    };
    object! {
        "type": type_of(name),
        "title": title(name),
        "status": i64::from(status),
        "detail": "What is wrong, and what to do about it.",
        "instance": format!("urn:uuid:{CORRELATION}"),
        "messageId": name.message_id(),
        "name": name.as_str(),
        "variables": variables.iter().map(|variable| Node::from(*variable)).collect::<Vec<_>>(),
        "correlationId": CORRELATION,
    }
}

/// The schema of a problem.
pub(super) fn schema() -> Node<'static> {
    let text = |about: &'static str| object! { "type": "string", "description": about };
    object! {
        "type": "object",
        "description": "Why a request was not carried out (RFC 9457).",
        "properties": object! {
            "type": object! { "type": "string", "format": "uri", "description": "Names the kind of problem." },
            "title": text("The kind of problem, for people."),
            "status": object! { "type": "integer", "minimum": 400, "maximum": 599, "description": "The status of the answer." },
            "detail": text("Explanation in English, with what to do about it."),
            "instance": object! { "type": "string", "format": "uri", "description": "Names this occurrence." },
            "messageId": object! {
                "type": "string",
                "pattern": "^DM[SP][0-9]{4}$",
                "description": "Stable code, the same as over SOAP.",
            },
            "name": object! {
                "type": "string",
                "enum": FaultName::ALL.iter().map(|name| Node::from(name.as_str())).collect::<Vec<_>>(),
                "description": "Stable name, the same as over SOAP.",
            },
            "variables": object! {
                "type": "array",
                "items": object! { "type": "string" },
                "description": "Values the text refers to, for example the parameter and the refused value.",
            },
            "correlationId": object! {
                "type": "string",
                "format": "uuid",
                "description": "Identifier of this request in the server's log.",
            },
            "retryAfterSeconds": object! {
                "type": "integer",
                "minimum": 0,
                "description": "Present where the same request may succeed later.",
            },
        },
        "required": ["type", "title", "status", "detail", "instance", "messageId", "name", "variables", "correlationId"]
            .map(Node::from)
            .to_vec(),
    }
}
