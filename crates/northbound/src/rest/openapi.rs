//! The description of the REST face, made from the tables of operations, types, faults and addresses: there is no second
//! place that could say something else.
//!
//! Source: OpenAPI Specification 3.1.0.

mod bounds;
mod operations;
mod patterns;
mod print;
mod problems;
mod samples;
mod schemas;

use std::sync::LazyLock;

pub(super) use print::printed;

use super::routes::{BASE, ROUTES, Route};
use crate::contract::Node;

/// An object with these members, in this order.
macro_rules! object {
    ($($name:literal: $value:expr),* $(,)?) => {
        $crate::contract::Node::Record(vec![
            $((std::borrow::Cow::Borrowed($name), $crate::contract::Node::from($value))),*
        ])
    };
}
pub(super) use object;

/// The description, as others read it.
pub(super) static DOCUMENT: LazyLock<Node<'static>> = LazyLock::new(document);
/// The same, printed.
pub(super) static TEXT: LazyLock<String> = LazyLock::new(|| printed(&DOCUMENT));

const ABOUT: &str = "Device management for External Systems: devices, tasks, jobs and what belongs to them.\n\n\
Every operation of the DM WSI has its address here; SOAP and REST carry out the same commands, and one idempotency key \
means one request on both.\n\n\
**Who calls** is said by `Authorization`: `Bearer` with an API key, the `sessionId` of `POST /sessions` or a token of an \
identity provider of the domain; or `Basic`. A client certificate says it too. A credential in an address is refused.\n\n\
**Lists** are `{\"items\":[…],\"totalCount\":n,\"nextCursor\":\"…\"}`: ask with `limit`, go on with `cursor`. Lists in \
records are always arrays, what is unknown is left out, and nothing is `null`.\n\n\
**Times** are RFC 3339 in UTC, durations whole seconds, sizes octets.\n\n\
**Errors** are problem documents (RFC 9457) with `messageId` and `name` of the contract; `correlationId` leads to the \
server's log. What a caller may not see is unknown to it.\n\n\
**Changes** of records with a `version` can be made safe by `If-Match` with the `ETag` that was read, requests that make \
something by `Idempotency-Key`.\n\n\
**Imports** of any length: `POST /devices:import` also takes rows as `text/csv` or `application/x-ndjson`, with \
`updateExisting`, `dryRun` and `progress` in the query and `Import-Id` as a header, and answers with a stream of NDJSON. \
`GET /imports/{importId}` tells how far an import has come, `DELETE` forgets it.\n\n\
Operations of the contract that this server does not offer yet answer 501 at their addresses and are not listed here.";

fn document() -> Node<'static> {
    let routes: Vec<&'static Route> = ROUTES.iter().collect();
    object! {
        "openapi": "3.1.0",
        "info": object! {
            "title": "Muster",
            "version": "1.0",
            "summary": "The DM WSI over REST",
            "description": ABOUT,
            "license": object! { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": vec![object! { "url": BASE, "description": "This server" }],
        "security": vec![object! { "bearer": Vec::<Node<'static>>::new() }, object! { "basic": Vec::<Node<'static>>::new() }],
        "tags": operations::tags(&routes),
        "paths": operations::paths(&routes),
        "components": object! {
            "schemas": schemas::components(&routes),
            "responses": problems::responses(),
            "headers": operations::headers(),
            "securitySchemes": object! {
                "bearer": object! {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The sessionId of an open session.",
                },
                "basic": object! {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Name and password with each request.",
                },
            },
        },
    }
}

/// The first sentence of a text.
fn first_sentence(text: &str) -> String {
    text.split_once(". ").map_or_else(|| text.trim_end_matches('.').to_owned(), |(first, _)| first.to_owned())
}
