//! Who is let in over REST, and how it may say who it is.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_northbound::rest::addresses;
use serde_json::json;

use crate::world::{PASSWORD, World};

/// An address of the table with something in place of each parameter.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn no_address_answers_a_request_without_credentials() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    assert!(addresses().len() > 70);
    for address in addresses().iter().filter(|address| address.operation != "login") {
        for body in [None, Some(json!({}))] {
            let reply = world.rest(address.method, &filled(address.path), None, body).await;
            reply.is_problem(401, "NotAuthenticated", &[]);
            let challenges: Vec<_> = reply.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(challenges, ["Bearer realm=\"DM WSI\"", "Basic realm=\"DM WSI\", charset=\"UTF-8\""]);
        }
        let reply = world.rest(address.method, &filled(address.path), Some("nonsense"), None).await;
        // Ending a session that is unknown succeeds and tells nothing.
        if address.operation == "logout" {
            assert_eq!((reply.status.as_u16(), reply.text.as_str()), (204, ""));
        } else {
            reply.is_problem(401, "NotAuthenticated", &[]);
        }
    }
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn what_is_not_offered_says_so_to_those_who_are_known() {
    let (world, session) = World::with_session().await;
    let mut count = 0;
    for address in addresses().iter().filter(|address| !address.is_offered) {
        let reply = world.rest(address.method, &filled(address.path), Some(&session), None).await;
        reply.is_problem(501, "NotImplemented", &[]);
        count += 1;
    }
    assert!(count > 20);
}

#[tokio::test]
async fn a_session_is_opened_used_kept_and_ended() {
    let world = World::new().await;
    let body = json!({"userName": "root", "password": PASSWORD, "tenant": "acme"});
    let reply = world.rest("POST", "/sessions", None, Some(body)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.header("location"), Some("/api/v1/sessions/current"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let opened = reply.json();
    assert_eq!((&opened["userName"], &opened["tenant"]), (&json!("root"), &json!("acme")));
    let session = opened["sessionId"].as_str().unwrap().to_owned();

    assert_eq!(world.rest("GET", "/service", Some(&session), None).await.status, 200);
    world.clock.advance_s(600);
    let reply = world.rest("PATCH", "/sessions/current", Some(&session), None).await;
    assert_eq!(reply.status, 200);
    assert!(reply.json()["expiresAt"].as_str().unwrap() > opened["expiresAt"].as_str().unwrap());

    for _ in 0..2 {
        let reply = world.rest("DELETE", "/sessions/current", Some(&session), None).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (204, ""));
    }
    world.rest("GET", "/service", Some(&session), None).await.is_problem(401, "NotAuthenticated", &[]);
}

#[tokio::test]
async fn a_session_that_has_ended_by_time_is_expired() {
    let world = World::new().await;
    let session = world.login("root").await;
    world.clock.advance_s(31 * 60);
    let reply = world.rest("GET", "/service", Some(&session), None).await;
    reply.is_problem(401, "SessionExpired", &[]);
    assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"DM WSI\", error=\"invalid_token\""));
}

#[tokio::test]
async fn basic_credentials_serve_and_have_no_current_session() {
    let world = World::new().await;
    let header = format!("Basic {}", STANDARD.encode(format!("root:{PASSWORD}")));
    let with = [("authorization", header.as_str())];
    assert_eq!(world.rest_with("GET", "/service", None, &with, None).await.status, 200);
    for method in ["PATCH", "DELETE"] {
        let reply = world.rest_with(method, "/sessions/current", None, &with, None).await;
        reply.is_problem(404, "UnknownMessage", &[]);
    }
    let wrong = format!("Basic {}", STANDARD.encode("root:wrong"));
    let reply = world.rest_with("GET", "/service", None, &[("authorization", &wrong)], None).await;
    reply.is_problem(401, "NotAuthenticated", &[]);
}

#[tokio::test]
async fn other_credentials_and_several_at_once_are_refused() {
    let world = World::new().await;
    let session = world.login("root").await;
    for values in [
        vec!["Digest x".to_owned()],
        vec!["Bearer".to_owned()],
        vec!["Bearer ".to_owned()],
        vec![format!("Bearer {session}"), format!("Bearer {session}")],
        vec![format!("Bearer {session}"), "Basic cm9vdDpzM2NyZXQ=".to_owned()],
        vec![session.clone()],
    ] {
        let mut request = Request::get("/api/v1/service");
        for value in &values {
            request = request.header("authorization", value);
        }
        let reply = world.send(request.body(Body::empty()).unwrap()).await;
        reply.is_problem(401, "NotAuthenticated", &[]);
    }
}

#[tokio::test]
async fn guesses_over_both_faces_lock_the_same_pair() {
    let world = World::new().await;
    for _ in 0..5 {
        let body = json!({"userName": "root", "password": "wrong"});
        world.rest("POST", "/sessions", None, Some(body)).await.is_problem(401, "NotAuthenticated", &[]);
        let guess = "<userName>root</userName><password>wrong</password>";
        world.call(muster_protocol::soap::Version::Soap12, "login", guess).await.is_fault("NotAuthenticated", &[]);
    }
    let body = json!({"userName": "root", "password": PASSWORD});
    let reply = world.rest("POST", "/sessions", None, Some(body)).await;
    reply.is_problem(401, "LockedOut", &[]);
    assert_eq!(reply.header("retry-after"), Some("900"));
    assert_eq!(reply.json()["retryAfterSeconds"], 900);
}

#[tokio::test]
async fn credentials_in_an_address_are_refused_whoever_asks() {
    let (world, session) = World::with_session().await;
    for name in ["access_token", "api_key", "sessionId", "userSession", "token"] {
        let path = format!("/service?{name}={session}");
        for with in [None, Some(session.as_str())] {
            let reply = world.rest("GET", &path, with, None).await;
            reply.is_problem(400, "InvalidArgument", &[name, "…"]);
            assert!(!reply.text.contains(&session));
        }
    }
    // A session is no member of a body either.
    let body = json!({"userSession": {"sessionId": session}});
    let reply = world.rest("POST", "/jobs/1/cancel", Some(&session), Some(body)).await;
    reply.is_problem(400, "InvalidArgument", &["userSession"]);
}
