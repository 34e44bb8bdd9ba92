//! API keys: what they let in, what they are narrowed to, and how they end.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use muster_broker::services::Settings as BrokerSettings;
use muster_northbound::Settings;
use muster_protocol::soap::Version;
use serde_json::{Value, json};

use crate::world::{BOTH, PASSWORD, Reply, World, body, envelope, media_type, session_of};

/// A key that `session` makes of itself.
async fn key(world: &World, session: &str, wanted: Value) -> (String, String) {
    let made = world.rest("POST", "/keys", Some(session), Some(wanted)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    (made["apiKey"]["keyId"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

async fn soap(world: &World, version: Version, bearer: &str, operation: &str, parameters: &str) -> Reply {
    let request = Request::post("/wsi")
        .header("content-type", media_type(version))
        .header("authorization", format!("Bearer {bearer}"));
    world.send(request.body(Body::from(envelope(version, "", &body(operation, parameters)))).unwrap()).await
}

async fn service(world: &World, bearer: &str) -> Reply {
    world.rest("GET", "/service", Some(bearer), None).await
}

#[tokio::test]
async fn a_key_lets_its_principal_in_over_soap_and_rest_and_is_shown_once() {
    let world = World::new().await;
    let session = world.login("root").await;
    let (id, text) = key(&world, &session, json!({"name": "billing"})).await;
    assert!(text.starts_with(&format!("mk_{id}_")) && text.len() == 67, "{text}");
    assert_eq!(service(&world, &text).await.status, 200);
    for version in BOTH {
        assert_eq!(soap(&world, version, &text, "getServiceInfo", "").await.status, 200);
        // Together with a session of the same principal it is right, with that of another it is not.
        assert_eq!(soap(&world, version, &text, "getServiceInfo", &session_of(&session)).await.status, 200);
        let other = session_of(&world.login("care").await);
        soap(&world, version, &text, "getServiceInfo", &other).await.is_fault("NotAuthenticated", &[]);
    }
    let listed = world.rest("GET", "/keys", Some(&text), None).await;
    let secret = text.rsplit('_').next().unwrap();
    assert!(listed.text.contains(&id) && !listed.text.contains(secret), "{}", listed.text);
    assert_eq!(listed.json()["items"][0]["name"], "billing");
    assert_eq!(listed.json()["items"][0]["active"], true);
}

#[tokio::test]
async fn a_login_with_the_credential_of_another_beside_it_is_refused() {
    let world = World::new().await;
    let (_, text) = key(&world, &world.login("root").await, json!({})).await;
    for (name, status) in [("root", 201), ("care", 401)] {
        let wanted = json!({"userName": name, "password": PASSWORD});
        assert_eq!(world.rest("POST", "/sessions", Some(&text), Some(wanted)).await.status, status, "{name}");
        let parameters = format!("<userName>{name}</userName><password>{PASSWORD}</password>");
        let reply = soap(&world, Version::Soap11, &text, "login", &parameters).await;
        assert_eq!(reply.status == 200, status == 201, "{name}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_key_has_what_it_is_narrowed_to_and_never_more_than_its_principal_now() {
    let world = World::new().await;
    let root = world.login("root").await;
    let (_, reading) = key(&world, &root, json!({"right": ["device.read", "job.*"]})).await;
    assert_eq!(world.rest("GET", "/devices", Some(&reading), None).await.status, 200);
    world.rest("GET", "/tasks", Some(&reading), None).await.is_problem(403, "NotAuthorized", &["task", "read"]);
    // Nor is a session of the same principal a way around.
    let denied = soap(&world, Version::Soap11, &reading, "getTasks", &session_of(&root)).await;
    denied.is_fault("NotAuthorized", &["task", "read"]);

    let wanted = json!({"principal": "reader", "right": ["device.*"]});
    let (_, of_reader) = key(&world, &root, wanted).await;
    assert_eq!(world.rest("GET", "/devices", Some(&of_reader), None).await.status, 200);
    let device = json!({"deviceID": "IMEI:490154203237518"});
    let made = world.rest("POST", "/devices", Some(&of_reader), Some(device)).await;
    made.is_problem(403, "NotAuthorized", &["device", "create"]);
}

#[tokio::test]
async fn nobody_makes_a_key_that_is_wider_than_what_they_have() {
    let world = World::new().await;
    let root = world.login("root").await;
    let (_, narrow) = key(&world, &root, json!({"right": ["key.*", "device.read"]})).await;
    // A key that may make keys makes none that is wider than itself.
    let wider = world.rest("POST", "/keys", Some(&narrow), Some(json!({}))).await;
    wider.is_problem(403, "NotAuthorized", &["key", "create"]);
    let (_, same) = key(&world, &narrow, json!({"right": ["device.read"]})).await;
    assert_eq!(world.rest("GET", "/devices", Some(&same), None).await.status, 200);
    // Without the right there is none at all, and of another domain nobody is known.
    let reader = world.login("reader").await;
    let denied = world.rest("POST", "/keys", Some(&reader), Some(json!({}))).await;
    denied.is_problem(403, "NotAuthorized", &["key", "create"]);
    let stranger = world.rest("POST", "/keys", Some(&root), Some(json!({"principal": "stranger"}))).await;
    stranger.is_problem(404, "UnknownPrincipal", &["stranger"]);
}

#[tokio::test]
async fn a_revoked_key_lets_nobody_in_from_the_next_request_on() {
    let world = World::new().await;
    let root = world.login("root").await;
    let (id, text) = key(&world, &root, json!({})).await;
    assert_eq!(service(&world, &text).await.status, 200);
    let revoked = world.rest("POST", &format!("/keys/{id}/revoke"), Some(&root), None).await;
    assert_eq!(revoked.json()["active"], false, "{}", revoked.text);
    service(&world, &text).await.is_problem(401, "NotAuthenticated", &[]);
    let again = world.rest("POST", &format!("/keys/{id}/revoke"), Some(&root), None).await;
    assert_eq!(again.json()["revokedAt"], revoked.json()["revokedAt"]);
    // A key of another domain is unknown.
    let stranger = world.login("stranger").await;
    let path = format!("/keys/{id}/revoke");
    world.rest("POST", &path, Some(&stranger), None).await.is_problem(404, "UnknownCredential", &[&id]);
}

#[tokio::test]
async fn a_key_ends_after_ninety_days_or_when_it_is_told_to_and_never_after_the_limit() {
    let world = World::new().await;
    let root = world.login("root").await;
    let (_, usual) = key(&world, &root, json!({})).await;
    let (_, short) = key(&world, &root, json!({"expiresAt": "2026-11-21T07:00:00Z"})).await;
    for at in ["2026-11-21T06:06:00Z", "2026-01-01T00:00:00Z", "2029-01-01T00:00:00Z"] {
        let refused = world.rest("POST", "/keys", Some(&root), Some(json!({"expiresAt": at}))).await;
        refused.is_problem(400, "InvalidArgument", &["expiresAt"]);
    }
    assert_eq!(service(&world, &short).await.status, 200);
    world.clock.advance_s(3600);
    service(&world, &short).await.is_problem(401, "NotAuthenticated", &[]);
    world.clock.advance_s(90 * 24 * 3600 - 3601);
    assert_eq!(service(&world, &usual).await.status, 200);
    world.clock.advance_s(1);
    service(&world, &usual).await.is_problem(401, "NotAuthenticated", &[]);
}

#[tokio::test]
async fn the_last_use_is_noted_once_a_minute() {
    let world = World::new().await;
    let root = world.login("root").await;
    let (id, text) = key(&world, &root, json!({})).await;
    let mut noted = Vec::new();
    for seconds in [0, 30, 31] {
        world.clock.advance_s(seconds);
        assert_eq!(service(&world, &text).await.status, 200);
        // It is noted beside the request, by a task that has its turn before this one goes on; and what is written after
        // that is written when that is.
        tokio::task::yield_now().await;
        world.broker.store().ping().await.unwrap();
        let last = world.broker.store().key_get(&id).await.unwrap().unwrap().last_used_at;
        noted.push(last);
    }
    let noted: Vec<String> = noted.into_iter().flatten().map(|at| at.to_string()).collect();
    assert_eq!(noted, ["2026-11-21T06:06:00.000Z", "2026-11-21T06:06:00.000Z", "2026-11-21T06:07:01.000Z"]);
    let listed = world.rest("GET", "/keys", Some(&root), None).await;
    assert_eq!(listed.json()["items"][0]["lastUsedAt"], noted[2]);
}

#[tokio::test]
async fn an_api_key_in_an_address_is_refused_and_lets_nobody_in() {
    let world = World::new().await;
    let root = world.login("root").await;
    let (_, text) = key(&world, &root, json!({})).await;
    for name in ["api_key", "access_token", "key"] {
        let reply = world.rest("GET", &format!("/devices?{name}={text}"), None, None).await;
        assert!(matches!(reply.status.as_u16(), 400 | 401), "{name}: {}", reply.text);
        assert!(!reply.text.contains(&text), "{}", reply.text);
    }
    let soap = |address: String| {
        let request = Request::post(address).header("content-type", media_type(Version::Soap11));
        request.body(Body::from(envelope(Version::Soap11, "", &body("getServiceInfo", "")))).unwrap()
    };
    for address in [format!("/wsi?api_key={text}"), format!("/wsi?access_token={text}")] {
        assert_eq!(world.send(soap(address)).await.fault().name, "NotAuthenticated");
    }
}

#[tokio::test]
async fn every_key_that_lets_nobody_in_is_refused_with_the_same_words() {
    let world = World::new().await;
    let root = world.login("root").await;
    let (id, revoked) = key(&world, &root, json!({})).await;
    world.rest("POST", &format!("/keys/{id}/revoke"), Some(&root), None).await;
    let (_, expired) = key(&world, &root, json!({"expiresAt": "2026-11-21T06:07:00Z"})).await;
    let (_, good) = key(&world, &root, json!({})).await;
    world.clock.advance_s(60);
    let unknown = "mk_aaaaaaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let cut = &good[..60];
    let mut texts = Vec::new();
    for text in [&revoked, &expired, unknown, cut, "mk_", "mk_x_y"] {
        let reply = service(&world, text).await;
        reply.is_problem(401, "NotAuthenticated", &[]);
        let mut told = reply.json();
        told["correlationId"] = Value::Null;
        told["instance"] = Value::Null;
        texts.push(told);
    }
    assert!(texts.iter().all(|told| *told == texts[0]), "{texts:#?}");
}

#[tokio::test]
async fn guesses_of_a_key_are_counted_and_lock_it_for_their_address() {
    let world = World::new().await;
    let root = world.login("root").await;
    let (_, good) = key(&world, &root, json!({})).await;
    let (_, other) = key(&world, &root, json!({})).await;
    // The identifier of the one with the secret of the other, and a checksum that fits.
    let key = |text: &str| muster_broker::api_key::KeyText::parse(text).unwrap();
    let guess = muster_broker::api_key::KeyText { id: key(&good).id, secret: key(&other).secret }.text();
    for _ in 0..10 {
        service(&world, &guess).await.is_problem(401, "NotAuthenticated", &[]);
    }
    service(&world, &guess).await.is_problem(401, "LockedOut", &[]);
    service(&world, &good).await.is_problem(401, "LockedOut", &[]);
    assert_eq!(service(&world, &other).await.status, 200);
    world.clock.advance_s(900);
    assert_eq!(service(&world, &good).await.status, 200);
}

#[tokio::test]
async fn a_wrong_secret_takes_as_long_as_an_unknown_key_and_both_wait() {
    let wait = Duration::from_millis(40);
    let settings = Settings {
        identity: muster_northbound::identity::Settings {
            failure_delay: wait,
            failure_delay_max: wait,
            ..muster_northbound::identity::Settings::default()
        },
        ..Settings::default()
    };
    let world = World::with(settings, BrokerSettings::default()).await;
    let root = world.login("root").await;
    let (_, one) = key(&world, &root, json!({})).await;
    let (_, other) = key(&world, &root, json!({})).await;
    let key = |text: &str| muster_broker::api_key::KeyText::parse(text).unwrap();
    let secret = key(&other).secret;
    let mut shortest = [Duration::MAX; 2];
    for round in 0..5_u8 {
        let unknown = muster_broker::api_key::KeyText::new([round; 10], [round; 25]).text();
        let wrong = muster_broker::api_key::KeyText { id: key(&one).id, secret: secret.clone() }.text();
        for (place, text) in [wrong, unknown].iter().enumerate() {
            let start = Instant::now();
            service(&world, text).await.is_problem(401, "NotAuthenticated", &[]);
            assert!(start.elapsed() >= wait);
            shortest[place] = shortest[place].min(start.elapsed());
        }
    }
    // The shortest of several, since anything may take longer on a machine under load.
    let difference = shortest[0].abs_diff(shortest[1]);
    assert!(difference < wait / 2, "{shortest:?}");
}

#[tokio::test]
async fn a_key_of_a_deleted_principal_is_not_that_of_the_next_one_of_this_name() {
    let world = World::new().await;
    let root = world.login("root").await;
    let (_, text) = key(&world, &root, json!({"principal": "care"})).await;
    assert_eq!(service(&world, &text).await.status, 200);
    let before = world.broker.store().principal_get("care").await.unwrap().unwrap();
    assert_eq!(world.rest("DELETE", "/principals/care", Some(&root), None).await.status, 204);
    service(&world, &text).await.is_problem(401, "NotAuthenticated", &[]);
    world
        .broker
        .store()
        .principal_put(before, muster_broker::ledger::Deed::local("acme", "test", muster_broker::time::Timestamp(0)))
        .await
        .unwrap();
    world.broker.directory().forget();
    service(&world, &text).await.is_problem(401, "NotAuthenticated", &[]);
    assert_eq!(world.rest("GET", "/keys?principal=care", Some(&root), None).await.json()["totalCount"], 0);
}
