//! Ways in that are none: every address without credentials, sessions that somebody else chose, addresses and headers
//! that claim to be another caller or another request.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use muster_broker::ledger::AuditFilter;
use muster_broker::page::Page;
use muster_northbound::contract::{ELSEWHERE, operations};
use muster_northbound::rest::addresses;
use muster_protocol::soap::Version;
use serde_json::json;

use crate::world::{BOTH, PASSWORD, World, body, do_operation, envelope, session_of};

const IMEI: &str = "IMEI:490154203237518";

#[tokio::test]
async fn no_operation_answers_a_request_without_credentials() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let offered = operations().iter().map(|operation| operation.name);
    let all: Vec<&str> = offered.chain(ELSEWHERE.iter().flat_map(|(_, names)| names.iter().copied())).collect();
    assert!(all.len() > 80, "{}", all.len());
    for name in all.into_iter().filter(|name| *name != "login") {
        for version in BOTH {
            let reply = world.call(version, name, "").await;
            assert_eq!((reply.status.as_u16(), reply.fault().name.as_str()), (401, "NotAuthenticated"), "{name}");
            assert!(reply.header("www-authenticate").is_some_and(|it| it.starts_with("Basic ")), "{name}");
            let reply = world.call(version, name, &session_of("nonsense")).await;
            // Ending a session that is unknown succeeds and tells nothing.
            if name == "logout" {
                assert_eq!(reply.status, 200);
            } else {
                reply.is_fault("NotAuthenticated", &[]);
            }
        }
    }
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn no_method_of_any_address_answers_a_stranger() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let paths: BTreeSet<&str> = addresses().iter().map(|address| address.path).collect();
    let mut asked = 0;
    for path in paths {
        let here = addresses();
        let filled: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get"] {
            let as_listed = if method == "HEAD" { "GET" } else { method };
            let is_there = here.iter().any(|it| it.path == path && it.method == as_listed);
            let is_login = here.iter().any(|it| it.path == path && it.method == as_listed && it.operation == "login");
            let reply = world.rest(method, &filled.join("/"), None, None).await;
            let expected = if is_login {
                400
            } else if is_there {
                401
            } else {
                405
            };
            assert_eq!(reply.status, expected, "{method} {path}: {}", reply.text);
            asked += 1;
        }
    }
    assert!(asked > 300, "{asked}");
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn a_session_that_somebody_else_chose_never_becomes_that_of_who_logs_in() {
    let world = World::new().await;
    let credentials = json!({"userName": "root", "password": PASSWORD});
    let chosen = "A".repeat(43);
    for as_whom in [chosen.clone(), world.login("care").await] {
        // Beside the right password of somebody it is a credential that names another, or nobody.
        let reply = world.rest("POST", "/sessions", Some(&as_whom), Some(credentials.clone())).await;
        reply.is_problem(401, "NotAuthenticated", &[]);
        let parameters = format!("{}<userName>root</userName><password>{PASSWORD}</password>", session_of(&as_whom));
        let reply = world.call(Version::Soap11, "login", &parameters).await;
        assert!(matches!(reply.fault().name.as_str(), "NotAuthenticated" | "InvalidArgument"), "{}", reply.text);
        for name in ["sessionId", "userSession"] {
            let mut body = credentials.clone();
            body[name] = json!(as_whom);
            world.rest("POST", "/sessions", None, Some(body)).await.is_problem(400, "InvalidArgument", &[name]);
        }
    }
    // Cookies mean nothing, and none is set.
    let with = [("cookie", format!("sessionId={chosen}; JSESSIONID={chosen}"))];
    let with: Vec<_> = with.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = world.rest_with("POST", "/sessions", None, &with, Some(credentials.clone())).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("set-cookie"), None);
    let first = reply.json()["sessionId"].as_str().unwrap().to_owned();
    let second = world.login("root").await;
    assert!(first != chosen && second != first && first.len() >= 22, "{first}");
    world.rest("GET", "/service", Some(&chosen), None).await.is_problem(401, "NotAuthenticated", &[]);
}

#[tokio::test]
async fn what_a_proxy_header_says_about_the_caller_is_not_believed() {
    let (world, session) = World::with_session().await;
    let forged = |at: usize| format!("10.0.0.{at}");
    let guess = async |at: usize, password: &str| {
        let from = forged(at);
        let headers = [
            ("x-forwarded-for", from.as_str()),
            ("x-real-ip", &from),
            ("forwarded", "for=10.1.1.1;host=evil.example;proto=https"),
            ("x-forwarded-user", "root"),
            ("x-forwarded-host", "evil.example"),
            ("x-original-url", "/api/v1/service"),
            ("x-rewrite-url", "/api/v1/service"),
        ];
        let body = json!({"userName": "root", "password": password});
        world.rest_with("POST", "/sessions", None, &headers, Some(body)).await
    };
    for at in 0..10 {
        guess(at, "wrong").await.is_problem(401, "NotAuthenticated", &[]);
    }
    // Ten from one address, whatever they said: the pair is locked.
    guess(99, PASSWORD).await.is_problem(401, "LockedOut", &[]);
    // Nor does a header let in, or lead elsewhere.
    for header in ["x-forwarded-user", "x-remote-user", "x-user", "remote-user"] {
        let reply = world.rest_with("GET", "/service", None, &[(header, "root")], None).await;
        reply.is_problem(401, "NotAuthenticated", &[]);
    }
    let elsewhere = [("x-original-url", "/api/v1/devices/IMEI:490154203237518"), ("x-rewrite-url", "/api/v1/jobs")];
    let reply = world.rest_with("GET", "/service", Some(&session), &elsewhere, None).await;
    assert!(reply.json()["serverId"].is_string(), "{}", reply.text);
    // The log tells where it came from.
    world.rest_with("POST", "/jobs", Some(&session), &[("x-forwarded-for", "10.9.9.9")], None).await;
    let page = Page { size: 1000, after: None };
    let told = world.broker.store().audit_list(None, AuditFilter::default(), page).await.unwrap().items;
    let told = format!("{told:?}");
    assert!(told.contains("127.0.0.1") && !told.contains("10.9.9.9") && !told.contains("10.0.0."), "{told}");
}

#[tokio::test]
async fn a_soap_address_that_needs_interpretation_leads_nowhere() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    for path in [
        "//wsi",
        "/wsi//",
        "/wsi/.",
        "/wsi/..",
        "/wsi/%2e%2e/wsi",
        "/wsi/..;/wsi",
        "/wsi/%252e%252e/wsi",
        "/wsi;x=1",
        "/wsi/;/",
        "/WSI",
        "/wsi%00",
        "/wsi%2F",
        "/x/../wsi",
        "/wsi/IDeploymentBrokerServices/..",
        "/wsi/IDeploymentBrokerServices;x",
        "/wsi/IDeploymentBrokerServices/",
        "/wsi/IDeploymentBrokerServices%00",
        "/wsi/..%2fIDeploymentBrokerServices",
    ] {
        let text = envelope(Version::Soap11, "", &body("doOperation", &do_operation(&session)));
        let request = Request::post(path).header("content-type", "text/xml");
        let reply = world.send(request.body(Body::from(text)).unwrap()).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
    }
    // A method is that of the request line here, too.
    let text = envelope(Version::Soap11, "", &body("doOperation", &do_operation(&session)));
    for (method, status) in
        [("GET", 404), ("PUT", 405), ("PATCH", 405), ("DELETE", 405), ("OPTIONS", 405), ("TRACE", 405)]
    {
        let request = Request::builder()
            .method(method)
            .uri("/wsi")
            .header("content-type", "text/xml")
            .header("x-http-method-override", "POST");
        let reply = world.send(request.body(Body::from(text.clone())).unwrap()).await;
        assert_eq!(reply.status, status, "{method}: {}", reply.text);
    }
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn identifiers_with_tricks_in_them_are_of_nobody() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let is_nobody = async |path: &str| {
        for method in ["GET", "DELETE"] {
            let reply = world.rest(method, path, Some(&session), None).await;
            assert!(matches!(reply.status.as_u16(), 400 | 404), "{method} {path}: {}", reply.text);
            let told = reply.json();
            let name = told["name"].as_str().unwrap();
            assert!(matches!(name, "InvalidArgument" | "UnknownDevice" | "UnknownMessage"), "{path}: {name}");
            assert!(!reply.text.contains("SQL") && !reply.text.contains("sqlite"), "{}", reply.text);
        }
    };
    for id in [
        "%00",
        "IMEI%3A490154203237518%00",
        "IMEI:490154203237518%0A",
        "IMEI:490154203237518%20",
        "%09IMEI:490154203237518",
        "IMEI:490154203237518%0D%0ASet-Cookie:%20a=b",
        "IMEI:490154203237518%2F..",
        "%2FIMEI:490154203237518",
        "IMEI:490154203237518%20OR%201=1",
        "IMEI:'%20OR%20'1'='1",
        "%25",
        "*",
        // Digits of full width, a Cyrillic letter that looks like ours, one that turns direction, and one of no width.
        "IMEI:%EF%BC%94%EF%BC%99%EF%BC%90154203237518",
        "I%D0%9CEI:490154203237518",
        "IMEI:%E2%80%AE490154203237518",
        "IMEI:490154203237518%E2%80%8B",
        "IMEI:4901542032375180000000000000000000000000000",
    ] {
        is_nobody(&format!("/devices/{id}")).await;
    }
    assert_eq!(world.state(&session).await, before);
    assert_eq!(world.rest("GET", &format!("/devices/{IMEI}"), Some(&session), None).await.status, 200);
}
