//! Who is let in, and how guessing is made slow.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_broker::services::Settings as BrokerSettings;
use muster_northbound::Settings;
use muster_protocol::soap::Version;

use crate::world::{BOTH, PASSWORD, Reply, World, body, envelope, media_type, session_of};

const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
/// A token as a toolkit sent it, for `care` with the password of these tests.
const DIGEST: &str = "<wsse:UsernameToken><wsse:Username>care</wsse:Username>\
    <wsse:Password Type=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest\">\
    1iDRDAh2MDnOWbs+PazT1LBb0Qo=</wsse:Password><wsse:Nonce>OPR49GPkTzn5MvtMgFAj4A==</wsse:Nonce>\
    <wsu:Created>2026-11-21T06:04:02Z</wsu:Created></wsse:UsernameToken>";

fn security(content: &str) -> String {
    format!("<wsse:Security xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\" s:mustUnderstand=\"1\">{content}</wsse:Security>")
}

fn text_token(name: &str, password: &str) -> String {
    security(&format!(
        "<wsse:UsernameToken><wsse:Username>{name}</wsse:Username><wsse:Password>{password}</wsse:Password></wsse:UsernameToken>"
    ))
}

async fn info(world: &World, version: Version, headers: &str, parameters: &str) -> Reply {
    world.post(version, envelope(version, headers, &body("getServiceInfo", parameters))).await
}

async fn basic(world: &World, name: &str, password: &str, headers: &str, parameters: &str) -> Reply {
    let credentials = STANDARD.encode(format!("{name}:{password}"));
    let request = Request::post("/wsi")
        .header("content-type", media_type(Version::Soap11))
        .header("authorization", format!("Basic {credentials}"));
    let text = envelope(Version::Soap11, headers, &body("getServiceInfo", parameters));
    world.send(request.body(Body::from(text)).unwrap()).await
}

async fn try_login(world: &World, host: u8, name: &str, password: &str) -> Reply {
    let parameters = format!("<userName>{name}</userName><password>{password}</password>");
    let text = envelope(Version::Soap11, "", &body("login", &parameters));
    let request = Request::post("/wsi").header("content-type", media_type(Version::Soap11));
    world.send_from(host, request.body(Body::from(text)).unwrap()).await
}

#[tokio::test]
async fn a_token_with_text_or_digest_lets_in_without_a_session() {
    let world = World::new().await;
    for version in BOTH {
        assert_eq!(info(&world, version, &text_token("root", PASSWORD), "").await.status, 200);
    }
    assert_eq!(info(&world, Version::Soap11, &security(DIGEST), "").await.status, 200);
}

#[tokio::test]
async fn a_digest_is_good_once_and_not_for_long() {
    let world = World::new().await;
    let wrong = async |world: &World, content: &str| {
        let told = info(world, Version::Soap11, &security(content), "").await.fault();
        assert_eq!((told.code.as_str(), told.message_id.as_str()), ("c:FailedAuthentication", ""));
    };
    assert_eq!(info(&world, Version::Soap11, &security(DIGEST), "").await.status, 200);
    wrong(&world, DIGEST).await;
    let late = World::new().await;
    late.clock.advance_s(300);
    wrong(&late, DIGEST).await;
    let early = World::new().await;
    early.clock.advance_s(-200);
    wrong(&early, DIGEST).await;
    // A principal that did not choose digests has none, and an altered one is wrong.
    wrong(&world, &DIGEST.replace("care", "root")).await;
    wrong(&world, &DIGEST.replace("06:04:02Z", "06:04:03Z")).await;
}

#[tokio::test]
async fn a_refused_token_looks_the_same_whatever_was_wrong_and_in_soap_1_2_has_a_detail() {
    let world = World::new().await;
    for version in BOTH {
        for token in [text_token("root", "wrong"), text_token("nobody", PASSWORD)] {
            let reply = info(&world, version, &token, "").await;
            let told = reply.fault();
            match version {
                Version::Soap11 => {
                    assert_eq!((told.code.as_str(), told.message_id.as_str()), ("c:FailedAuthentication", ""));
                    assert_eq!(reply.status, 500);
                }
                Version::Soap12 => {
                    assert_eq!(
                        (told.subcode.as_str(), told.message_id.as_str()),
                        ("c:FailedAuthentication", "DMP0001")
                    );
                    assert_eq!(reply.status, 400);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_message_after_its_end_is_refused() {
    let world = World::new().await;
    let timed = |created: &str, expires: &str| {
        let timestamp = format!(
            "<wsu:Timestamp><wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>"
        );
        text_token("root", PASSWORD).replace("<wsse:UsernameToken>", &format!("{timestamp}<wsse:UsernameToken>"))
    };
    let reply = info(&world, Version::Soap11, &timed("2026-11-21T06:00:00Z", "2026-11-21T06:10:00Z"), "").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let reply = info(&world, Version::Soap11, &timed("2026-11-21T06:00:00Z", "2026-11-21T06:06:00Z"), "").await;
    assert_eq!(reply.fault().code, "c:MessageExpired");
    let reply = info(&world, Version::Soap11, &timed("2026-11-21T07:00:00Z", "2026-11-21T08:00:00Z"), "").await;
    assert_eq!(reply.fault().code, "c:InvalidSecurity");
}

#[tokio::test]
async fn credentials_that_stand_together_must_name_the_same_principal() {
    let (world, session) = World::with_session().await;
    let session = session_of(&session);
    assert_eq!(basic(&world, "root", PASSWORD, "", "").await.status, 200);
    assert_eq!(basic(&world, "root", PASSWORD, "", &session).await.status, 200);
    assert_eq!(basic(&world, "root", PASSWORD, &text_token("root", PASSWORD), &session).await.status, 200);
    basic(&world, "care", PASSWORD, "", &session).await.is_fault("NotAuthenticated", &[]);
    basic(&world, "root", PASSWORD, &text_token("care", PASSWORD), "").await.is_fault("NotAuthenticated", &[]);
    // A refused credential is not made good by another that is right.
    basic(&world, "root", "wrong", "", &session).await.is_fault("NotAuthenticated", &[]);
}

#[tokio::test]
async fn a_session_is_renewed_and_ended_by_its_owner_alone_and_ending_it_twice_is_no_error() {
    let world = World::new().await;
    let session = session_of(&world.login("care").await);
    let renewed = world.call(Version::Soap11, "renewSession", &session).await;
    assert_eq!(renewed.text_of("userName"), "care");
    let other = envelope(Version::Soap11, &text_token("root", PASSWORD), &body("logout", &session));
    assert_eq!(world.post(Version::Soap11, other).await.fault().name, "NotAuthenticated");
    for _ in 0..2 {
        assert_eq!(world.call(Version::Soap11, "logout", &session).await.status, 200);
    }
    world.call(Version::Soap11, "getServiceInfo", &session).await.is_fault("NotAuthenticated", &[]);
    world.call(Version::Soap11, "renewSession", &session).await.is_fault("NotAuthenticated", &[]);
}

#[tokio::test]
async fn a_login_into_another_domain_is_refused_like_a_wrong_password() {
    let world = World::new().await;
    let parameters = format!("<userName>root</userName><password>{PASSWORD}</password><tenant>other</tenant>");
    let elsewhere = world.call(Version::Soap11, "login", &parameters).await;
    elsewhere.is_fault("NotAuthenticated", &[]);
    let wrong = try_login(&world, 1, "root", "wrong").await;
    assert_eq!(elsewhere.text_of("text"), wrong.text_of("text"));
}

#[tokio::test]
async fn ten_failures_lock_the_pair_out_even_with_the_right_password_and_no_other_address() {
    let world = World::new().await;
    for _ in 0..10 {
        try_login(&world, 1, "root", "wrong").await.is_fault("NotAuthenticated", &[]);
    }
    let reply = try_login(&world, 1, "root", PASSWORD).await;
    reply.is_fault("LockedOut", &[]);
    assert_eq!(reply.header("retry-after"), Some("900"));
    assert_eq!(try_login(&world, 2, "root", PASSWORD).await.status, 200);
    world.clock.advance_s(900);
    assert_eq!(try_login(&world, 1, "root", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_success_clears_what_failed_before() {
    let world = World::new().await;
    for _ in 0..2 {
        for _ in 0..9 {
            try_login(&world, 1, "root", "wrong").await.is_fault("NotAuthenticated", &[]);
        }
        assert_eq!(try_login(&world, 1, "root", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn a_volley_of_guesses_is_counted_as_it_comes() {
    let world = World::new().await;
    let guesses = (0..20).map(|_| try_login(&world, 1, "root", "wrong"));
    let mut refused = 0;
    for reply in join_all(guesses).await {
        refused += usize::from(reply.fault().name == "NotAuthenticated");
    }
    assert_eq!(refused, 10);
}

/// All of these at once.
async fn join_all<F: Future<Output = Reply>>(futures: impl Iterator<Item = F>) -> Vec<Reply> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(reply) => {
                done.push(reply);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}

#[tokio::test]
async fn a_failed_login_waits_and_a_right_one_does_not() {
    let settings = Settings {
        identity: muster_northbound::identity::Settings {
            failure_delay: Duration::from_millis(300),
            ..muster_northbound::identity::Settings::default()
        },
        ..Settings::default()
    };
    let world = World::with(settings, BrokerSettings::default()).await;
    world.login("root").await;
    let start = Instant::now();
    try_login(&world, 1, "root", "wrong").await.is_fault("NotAuthenticated", &[]);
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_name_that_there_is_not_is_refused_with_the_words_and_in_the_time_of_a_wrong_password() {
    let world = World::new().await;
    let mut somewhere_else = world.broker.store().principal_get("reader").await.unwrap().unwrap();
    // Somebody who logs in at a provider and has no password.
    "person".clone_into(&mut somewhere_else.name);
    somewhere_else.password_hash.clear();
    world
        .broker
        .store()
        .principal_put(
            somewhere_else,
            muster_broker::ledger::Deed::local("acme", "test", muster_broker::time::Timestamp(0)),
        )
        .await
        .unwrap();
    let names = ["root", "nobody", "person"];
    let mut shortest = [Duration::MAX; 3];
    let mut told = Vec::new();
    for round in 0..12 {
        for (place, name) in names.iter().enumerate() {
            let start = Instant::now();
            let reply = try_login(&world, round, name, "wrong").await;
            shortest[place] = shortest[place].min(start.elapsed());
            told.push((reply.status, reply.text_of("text"), reply.text_of("messageId")));
        }
    }
    assert!(told.iter().all(|it| *it == told[0]), "{told:?}");
    // The shortest of several, since anything may take longer on a machine under load. Without the hash that an unknown
    // name costs too, it would be answered in a hundredth of the time.
    let (least, most) = (shortest.iter().min().unwrap(), shortest.iter().max().unwrap());
    assert!(*most < *least * 8, "{names:?} {shortest:?}");
}

#[tokio::test]
async fn secrets_of_a_device_are_never_told() {
    let (world, session) = World::with_session().await;
    let parameters = format!("{}<deviceID>490154203237518</deviceID>", session_of(&session));
    let reply = world.call(Version::Soap11, "getDeviceInstanceByDeviceID", &parameters).await;
    assert_eq!(reply.text_of("clientName"), "a");
    assert!(!reply.text.contains("clientSecret") && !reply.text.contains("Nonce"), "{}", reply.text);
}
