//! What a receiver gets.

use aws_lc_rs::hmac;
use muster_broker::access::Caller;
use muster_broker::callback::{CallbackWanted, CredentialKind};
use muster_broker::services::CallbackAddressFields;

use super::receiver::Receiver;
use super::world::{World, admin, credential, hook, soap, to};

/// A caller whose request has this `wsa:MessageID`.
fn asking(message_id: &str) -> Caller {
    Caller { message_id: Some(message_id.into()), ..admin() }
}

#[tokio::test]
async fn a_soap_receiver_is_told_in_the_words_of_the_contract() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    let wanted = CallbackWanted { reference: Some("order <7> & more".into()), ..to(&receiver.url("/hooks?x=1")) };
    let task = world.happen_by(&asking("urn:uuid:request"), wanted).await;
    assert_eq!(world.deliver().await, 1);

    let seen = receiver.seen();
    let [seen] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((seen.path.as_str(), seen.header("content-type")), ("/hooks?x=1", "text/xml; charset=utf-8"));
    assert_eq!(seen.header("soapaction"), "\"urn:muster:dmwsi:v1:INotificationConsumer:notifyEvents\"");
    assert_eq!(seen.header("host"), receiver.address.to_string());
    assert_eq!(seen.header("authorization"), "");
    for (name, value) in [
        ("Action", "urn:muster:dmwsi:v1:INotificationConsumer:notifyEvents"),
        ("To", &receiver.url("/hooks?x=1")),
        ("RelatesTo", "urn:uuid:request"),
        ("serverId", "muster"),
        ("eventType", "TASK_STATUS"),
        ("status", "SUCCEEDED"),
        ("reference", "order <7> & more"),
        ("phoneNumber", super::world::NUMBER),
        ("taskId", &task),
        ("occurredAt", "2026-11-21T06:06:00.000Z"),
    ] {
        assert_eq!(seen.all(name), [value], "{name}");
    }
    assert!(seen.all("MessageID")[0].starts_with("urn:uuid:"), "{}", seen.body);
    assert_eq!(world.queue().await.waiting, 0);
    assert_eq!((world.count("taken"), world.deliverer.counters().events_taken()), (1, 1));
}

#[tokio::test]
async fn a_receiver_is_spoken_to_in_soap_12_where_it_asked_for_that() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    world.happen(CallbackWanted { soap_version: Some("1.2".into()), ..to(&receiver.url("/")) }).await;
    world.deliver().await;
    let seen = receiver.seen().remove(0);
    assert_eq!(
        seen.header("content-type"),
        "application/soap+xml; charset=utf-8; action=\"urn:muster:dmwsi:v1:INotificationConsumer:notifyEvents\""
    );
    assert_eq!(seen.header("soapaction"), "");
    assert!(seen.body.contains("http://www.w3.org/2003/05/soap-envelope"));
    assert_eq!(world.queue().await.delivered, 1);
}

#[tokio::test]
async fn the_server_says_who_it_is_as_the_address_says() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    for (path, kind) in [("/basic", CredentialKind::Basic), ("/token", CredentialKind::UsernameToken)] {
        let fields = CallbackAddressFields { credential: credential(kind), ..soap(&receiver.url(path)) };
        world.allow(fields).await;
        world.happen(to(&receiver.url(path))).await;
    }
    world.deliver().await;
    let of = |path: &str| receiver.seen().into_iter().find(|seen| seen.path == path).unwrap();
    assert_eq!(of("/basic").header("authorization"), "Basic bXUmc3RlcjpzPDNjcmV0");
    assert_eq!(of("/basic").all("Username"), [""; 0]);
    assert_eq!(of("/token").header("authorization"), "");
    assert_eq!(
        (of("/token").all("Username"), of("/token").all("Password")),
        (vec!["mu&ster".into()], vec!["s<3cret".into()])
    );
    // What lies in the store has none of it.
    let address = world
        .allow(CallbackAddressFields { credential: credential(CredentialKind::Basic), ..soap(&receiver.url("/x")) })
        .await;
    assert!(!format!("{address:?}").contains("s<3cret"));
}

/// The signatures of a message that this secret made.
fn signed_with(seen: &super::receiver::Seen, secret: &str) -> Vec<usize> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let text = format!("{}.{}", seen.header("muster-timestamp"), seen.body);
    let wanted = hmac::sign(&key, text.as_bytes());
    let wanted: String = wanted.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    let signatures = seen.header("muster-signature").split(',').enumerate();
    signatures.filter(|(_, it)| it.strip_prefix("v1=") == Some(&wanted)).map(|(place, _)| place).collect()
}

#[tokio::test]
async fn a_webhook_is_a_signed_array_and_two_secrets_sign_while_they_are_changed_over() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    let fields = CallbackAddressFields { credential: credential(CredentialKind::Basic), ..hook(&receiver.url("/")) };
    let made = world.allow(fields).await;
    let (id, first) = (made.address.id.to_string(), made.secret.unwrap());
    let task = world.happen(CallbackWanted { reference: Some("r\"&".into()), ..to(&receiver.url("/hook")) }).await;
    world.deliver().await;
    let seen = receiver.seen().remove(0);
    assert_eq!((seen.header("content-type"), seen.header("muster-timestamp")), ("application/json", "1795241160"));
    assert_eq!(seen.header("muster-delivery").len(), 36);
    assert!(seen.header("authorization").starts_with("Basic "));
    assert_eq!(signed_with(&seen, &first), [0]);
    let events: Vec<serde_json::Value> = serde_json::from_str(&seen.body).unwrap();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event["taskId"].as_str(), event["reference"].as_str()), (Some(task.as_str()), Some("r\"&")));
    assert_eq!(event["eventId"].as_str().map(str::len), Some(34));

    let admin = super::world::admin();
    let second = world.broker.rotate_callback_secret(&admin, &id, None, Some(60), None).await.unwrap().secret.unwrap();
    world.happen(to(&receiver.url("/hook"))).await;
    world.deliver().await;
    let seen = receiver.seen().remove(1);
    assert_eq!((signed_with(&seen, &second), signed_with(&seen, &first)), (vec![0], vec![1]));

    world.advance_s(60);
    world.happen(to(&receiver.url("/hook"))).await;
    world.deliver().await;
    let seen = receiver.seen().remove(2);
    assert_eq!((signed_with(&seen, &second), signed_with(&seen, &first)), (vec![0], vec![]));
}

#[tokio::test]
async fn a_message_has_at_most_100_events_and_follows_the_answer_to_the_last_on_one_connection() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    let mut tasks = Vec::new();
    for _ in 0..205 {
        tasks.push(world.happen(to(&receiver.url("/"))).await);
    }
    world.deliver().await;
    let sizes: Vec<_> = receiver.seen().iter().map(|seen| (seen.all("eventId").len(), seen.connection)).collect();
    assert_eq!(sizes, [(100, 1), (100, 1), (5, 1)]);
    assert_eq!(receiver.all("taskId"), tasks);
}

#[tokio::test]
async fn a_message_relates_to_few_requests() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    for number in 0..40 {
        world.happen_by(&asking(&format!("urn:{number}")), to(&receiver.url("/related"))).await;
    }
    world.deliver().await;
    let sizes: Vec<_> =
        receiver.seen().iter().map(|seen| (seen.all("eventId").len(), seen.all("RelatesTo").len())).collect();
    assert_eq!(sizes, [(16, 16), (16, 16), (8, 8)]);
}
