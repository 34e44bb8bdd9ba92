//! Headers that stand twice, and values that would become headers or lines of their own.

use axum::body::Body;
use axum::http::Request;
use muster_broker::ledger::AuditFilter;
use muster_broker::page::Page;
use muster_protocol::soap::Version;
use serde_json::{Value, json};

use crate::world::{BOTH, NS, NUMBER, PASSWORD, World, body, do_operation, envelope, media_type, session_of};

fn operation() -> Value {
    json!({
        "operation": "QUERY", "phoneNumber": NUMBER, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false,
    })
}

#[tokio::test]
async fn headers_that_stand_twice_are_refused_where_it_matters_which_counts() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let right = format!("{NS}:IDeploymentBrokerServices:doOperation");
    let wrong = format!("{NS}:ISessionServices:getServiceInfo");
    for version in BOTH {
        let text = envelope(version, "", &body("doOperation", &do_operation(&session)));
        let send = async |headers: &[(&str, &str)]| {
            let request =
                headers.iter().fold(Request::post("/wsi"), |request, (name, value)| request.header(*name, *value));
            world.send(request.body(Body::from(text.clone())).unwrap()).await
        };
        let kind = media_type(version);
        for second in ["text/xml; charset=utf-16", "application/json", kind] {
            assert_eq!(send(&[("content-type", kind), ("content-type", second)]).await.status, 415, "{second}");
        }
        for (first, second) in [(&right, &wrong), (&wrong, &right), (&right, &right)] {
            let reply = send(&[("content-type", kind), ("soapaction", first), ("soapaction", second)]).await;
            reply.is_fault("InvalidArgument", &["SOAPAction", &format!("{first}, {second}")]);
        }
        let packed = [("content-type", kind), ("content-encoding", "identity"), ("content-encoding", "gzip")];
        assert_eq!(send(&packed).await.status, 415);
        let two = [("content-type", kind), ("authorization", "Basic cm9vdDpzM2NyZXQ="), ("authorization", "Bearer x")];
        send(&two).await.is_fault("NotAuthenticated", &[]);
    }
    let rest = async |headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(Request::post("/api/v1/tasks"), |request, (name, value)| request.header(*name, *value));
        world.send(request.body(Body::from(operation().to_string())).unwrap()).await
    };
    let (bearer, json) = (format!("Bearer {session}"), ("content-type", "application/json"));
    let known = ("authorization", bearer.as_str());
    rest(&[known, json, ("content-type", "text/plain")]).await.is_problem(415, "InvalidArgument", &["Content-Type"]);
    rest(&[known, json, ("idempotency-key", "a"), ("idempotency-key", "b")]).await.is_problem(
        400,
        "InvalidArgument",
        &["idempotency-key"],
    );
    rest(&[known, known, json]).await.is_problem(401, "NotAuthenticated", &[]);
    // Rows of an import, written in one of two ways.
    let request = Request::post("/api/v1/devices:import")
        .header("authorization", &bearer)
        .header("content-type", "text/csv")
        .header("content-type", "application/x-ndjson");
    let reply = world.send(request.body(Body::from("deviceID\nMEID:A1\n")).unwrap()).await;
    reply.is_problem(415, "InvalidArgument", &["Content-Type"]);
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn two_headers_of_security_or_addressing_are_refused() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    let token = |name: &str| {
        format!(
            "<w:Security xmlns:w=\"{WSSE}\"><w:UsernameToken><w:Username>{name}</w:Username>\
             <w:Password>{PASSWORD}</w:Password></w:UsernameToken></w:Security>"
        )
    };
    let wsa = |name: &str, text: &str| {
        format!("<a:{name} xmlns:a=\"http://www.w3.org/2005/08/addressing\">{text}</a:{name}>")
    };
    let action = format!("{NS}:IDeploymentBrokerServices:doOperation");
    for version in BOTH {
        for headers in [
            format!("{}{}", token("root"), token("root")),
            format!("{}{}", token("root"), token("care")),
            token("root").replace(
                "</w:Security>",
                "<w:UsernameToken><w:Username>care</w:Username></w:UsernameToken></w:Security>",
            ),
            format!("{0}{0}{1}", wsa("Action", &action), wsa("MessageID", "urn:uuid:1")),
            format!("{0}{1}{1}", wsa("Action", &action), wsa("MessageID", "urn:uuid:1")),
        ] {
            let text = envelope(version, &headers, &body("doOperation", &do_operation(&session)));
            let reply = world.post(version, text).await;
            assert!(matches!(reply.status.as_u16(), 400 | 500), "{headers}: {}", reply.text);
            let told = reply.fault();
            assert!(
                told.code.contains("InvalidSecurity")
                    || told.subcode.contains("InvalidSecurity")
                    || told.code.contains("InvalidCardinality")
                    || told.subcode.contains("InvalidCardinality"),
                "{told:?}"
            );
        }
    }
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn an_idempotency_key_that_is_long_or_strange_is_refused() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let longest = "k".repeat(129);
    let giant = "k".repeat(200_000);
    for key in [longest.as_str(), giant.as_str(), "a b", "a\tb", "", "\"\""] {
        let reply =
            world.rest_with("POST", "/tasks", Some(&session), &[("idempotency-key", key)], Some(operation())).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["name"]), (400, &json!("InvalidArgument")), "{}", reply.text);
        assert!(reply.text.len() < 1_000);
        if !key.is_empty() && !key.starts_with('"') {
            let parameters = format!("{}<requestId>{key}</requestId>", do_operation(&session));
            let reply = world.call(Version::Soap12, "doOperation", &parameters).await;
            assert_eq!(reply.fault().name, "InvalidArgument");
            assert!(reply.text.len() < 2_000);
        }
    }
    let request = Request::post("/api/v1/tasks")
        .header("authorization", format!("Bearer {session}"))
        .header("content-type", "application/json")
        .header("idempotency-key", b"caf\xE9".as_slice());
    let reply = world.send(request.body(Body::from(operation().to_string())).unwrap()).await;
    reply.is_problem(400, "InvalidArgument", &["idempotency-key"]);
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn no_value_becomes_a_header_of_an_answer() {
    let (world, session) = World::with_session().await;
    let evil = "a\r\nSet-Cookie: s=1\r\n\r\n<script>";
    let role = |name: &str| json!({"name": name, "permission": [{"right": "device.read"}]});
    for (path, body) in [
        ("/roles", role(evil)),
        ("/roles", role("a\nb")),
        ("/roles", role("a\u{2028}b")),
        ("/devices", json!({"deviceID": format!("SN:{evil}")})),
        ("/devices", json!({"deviceID": "MEID:A\r\nLocation: /x"})),
    ] {
        let reply = world.rest("POST", path, Some(&session), Some(body.clone())).await;
        assert_eq!(reply.status, 400, "{path} {body}: {}", reply.text);
        assert_eq!((reply.header("set-cookie"), reply.header("location")), (None, None));
    }
    // An identifier that may be anything is written so that a header stays one.
    let body = json!({"deviceID": "urn:x:ä/b?c=%0d%0aSet-Cookie:d#e"});
    let reply = world.rest("POST", "/devices", Some(&session), Some(body.clone())).await;
    if reply.status == 201 {
        let location = reply.header("location").unwrap().to_owned();
        assert!(location.bytes().all(|it| it.is_ascii_graphic()), "{location}");
        assert!(!location.contains("%0d%0a") && !location.contains('?'), "{location}");
        let found = world.rest("GET", location.strip_prefix("/api/v1").unwrap(), Some(&session), None).await;
        assert_eq!(found.json(), reply.json());
    } else {
        reply.is_problem(400, "InvalidArgument", &["deviceID"]);
    }
    // Nor does what a request says about itself come back in a header.
    let said = [("x-request-id", "evil"), ("user-agent", "a\tb"), ("origin", "https://evil.example")];
    let reply = world.rest_with("GET", "/service", Some(&session), &said, None).await;
    assert!(
        reply.headers.values().all(|value| !value.as_bytes().windows(4).any(|it| it == b"evil")),
        "{:?}",
        reply.headers
    );
}

#[tokio::test]
async fn names_with_lines_in_them_are_one_entry_of_the_audit_log_and_let_nobody_in() {
    let world = World::new().await;
    let names = [
        "root\n2026-11-21T06:06:00Z INFO forged",
        "root\u{1b}[2K\u{7f}",
        "ro\u{200b}ot",
        "r\u{43e}ot",
        "ROOT",
        "root ",
    ];
    for name in names {
        let body = json!({"userName": name, "password": PASSWORD});
        let reply = world.rest("POST", "/sessions", None, Some(body)).await;
        assert!(matches!(reply.status.as_u16(), 400 | 401), "{name:?}: {}", reply.text);
        if name.chars().all(|it| it == '\n' || !it.is_control()) {
            let parameters = format!("<userName>{name}</userName><password>{PASSWORD}</password>");
            let told = world.call(Version::Soap11, "login", &parameters).await.fault();
            assert!(matches!(told.name.as_str(), "NotAuthenticated" | "InvalidArgument"), "{name:?}: {told:?}");
        }
    }
    world.broker.flush_refusals(muster_broker::services::Flush::All).await.unwrap();
    let page = Page { size: 1000, after: None };
    let told = world.broker.store().audit_list(None, AuditFilter::default(), page).await.unwrap().items;
    assert!(told.len() >= names.len());
    for entry in &told {
        assert!(!entry.entry.actor.chars().any(char::is_control), "{entry:?}");
    }
    // The session that somebody has is nobody's under another spelling.
    let session = world.login("root").await;
    for spelt in [format!("{session}\u{200b}"), session.to_uppercase(), format!(" {session}x")] {
        world.call(Version::Soap11, "getServiceInfo", &session_of(&spelt)).await.is_fault("NotAuthenticated", &[]);
    }
}
