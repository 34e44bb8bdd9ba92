//! Addresses, methods and media types.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_path_that_needs_interpretation_leads_nowhere_and_changes_nothing() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    for path in [
        "",
        "/",
        "//devices/IMEI:490154203237518",
        "/devices//IMEI:490154203237518",
        "/devices/IMEI:490154203237518/",
        "/tasks/../devices/IMEI:490154203237518",
        "/tasks/%2e%2e/devices/IMEI:490154203237518",
        "/tasks/%2E./devices/IMEI:490154203237518",
        "/tasks/..;/devices/IMEI:490154203237518",
        "/tasks/..%3b/devices/IMEI:490154203237518",
        "/tasks/%252e%252e/devices/IMEI:490154203237518",
        "/devices;x=1/IMEI:490154203237518",
        "/devices/IMEI:490154203237518;x=1",
        "/Devices/IMEI:490154203237518",
        "/devices/IMEI:490154203237518/capability/..",
        "/devices%2FIMEI:490154203237518",
        "/devices/IMEI:490154203237518%00",
        "/devices/%5c../IMEI:490154203237518",
        "/%64evices/IMEI:490154203237518/..",
        "/nothing",
    ] {
        for method in ["DELETE", "GET"] {
            let reply = world.rest(method, path, Some(&session), None).await;
            reply.is_problem(404, "UnknownMessage", &[]);
        }
    }
    let reply = world.rest("DELETE", "/devices/%ff", Some(&session), None).await;
    reply.is_problem(400, "InvalidArgument", &["path"]);
    // Decoded twice this would be the record's identifier.
    let reply = world.rest("DELETE", "/devices/IMEI%253A490154203237518", Some(&session), None).await;
    reply.is_problem(404, "UnknownDevice", &[]);
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn an_address_says_what_can_be_asked_of_it() {
    let (world, session) = World::with_session().await;
    for (path, allow) in [
        ("/devices/1", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("/tasks", "GET, HEAD, POST, OPTIONS"),
        ("/sessions/current", "PATCH, DELETE, OPTIONS"),
        ("/tasks:bootstrap", "POST, OPTIONS"),
    ] {
        let reply = world.rest("OPTIONS", path, None, None).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (204, Some(allow)));
        for method in ["TRACE", "MERGE", "get"] {
            let reply = world.rest(method, path, Some(&session), None).await;
            reply.is_problem(405, "UnknownMessage", &[]);
            assert_eq!(reply.header("allow"), Some(allow));
        }
    }
    let reply = world.rest("OPTIONS", "/nothing", None, None).await;
    reply.is_problem(404, "UnknownMessage", &[]);
    // Nothing here says that pages of other origins may read answers.
    let origin = [("origin", "https://evil.example"), ("access-control-request-method", "GET")];
    let reply = world.rest_with("OPTIONS", "/tasks", None, &origin, None).await;
    assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn a_method_is_not_overridden() {
    let (world, session) = World::with_session().await;
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let path = "/devices/IMEI:490154203237518";
        let reply = world.rest_with("GET", path, Some(&session), &[(name, "DELETE")], None).await;
        reply.is_problem(400, "InvalidArgument", &[&name.to_lowercase()]);
    }
    let reply = world.rest("GET", "/devices?_method=DELETE", Some(&session), None).await;
    reply.is_problem(400, "InvalidArgument", &["_method", "DELETE"]);
}

#[tokio::test]
async fn a_head_has_the_headers_of_a_get_and_no_body() {
    let (world, session) = World::with_session().await;
    let path = "/devices/IMEI:490154203237518";
    let get = world.rest("GET", path, Some(&session), None).await;
    let head = world.rest("HEAD", path, Some(&session), None).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(head.header("etag"), get.header("etag"));
    assert_eq!(head.header("content-length"), Some(get.text.len().to_string().as_str()));
    let head = world.rest("HEAD", "/devices/nobody", Some(&session), None).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (404, ""));
}

#[tokio::test]
async fn media_types_are_agreed_on_before_anything_is_done() {
    let (world, session) = World::with_session().await;
    let reply = world.rest_with("GET", "/service", Some(&session), &[("accept", "text/html")], None).await;
    reply.is_problem(406, "InvalidArgument", &["Accept", "text/html"]);
    for (content_type, body) in [
        (Some("text/plain"), "{}"),
        (Some("application/xml"), "<a/>"),
        (Some("application/json; charset=latin1"), "{}"),
        (None, "{}"),
    ] {
        let mut request = Request::post("/api/v1/tasks").header("authorization", format!("Bearer {session}"));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let reply = world.send(request.body(Body::from(body)).unwrap()).await;
        reply.is_problem(415, "InvalidArgument", &["Content-Type"]);
        assert_eq!(reply.header("accept"), Some("application/json"));
    }
    let packed = [("content-encoding", "gzip")];
    let reply = world.rest_with("POST", "/tasks", Some(&session), &packed, Some(json!({}))).await;
    reply.is_problem(415, "InvalidArgument", &["Content-Encoding"]);
    let reply = world.rest("GET", "/service", Some(&session), Some(json!({}))).await;
    reply.is_problem(400, "InvalidArgument", &["body"]);
    let reply = world.rest("PATCH", "/sessions/current", Some(&session), Some(json!({}))).await;
    reply.is_problem(400, "InvalidArgument", &["body"]);
}
