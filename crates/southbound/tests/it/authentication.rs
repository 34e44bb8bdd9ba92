//! Who is let in.

use muster_broker::task::TaskStatus;
use muster_protocol::syncml::{Command, Encoding, Message, StatusCode};
use muster_simulator::account::AuthType;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::{Kind, Phone, commands, header_status, post};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";
const AUTHENTICATED: StatusCode = StatusCode(212);
const INVALID: StatusCode = StatusCode(401);
const MISSING: StatusCode = StatusCode(407);

fn has_challenge(message: &Message) -> bool {
    message.commands.iter().any(|it| matches!(it, Command::Status(status) if status.chal.is_some()))
}

/// Goes through a session and notes what the server says to each header, and whether it challenges.
async fn statuses(phone: &mut Phone, world: &World) -> (Vec<(StatusCode, bool)>, SessionEnd) {
    let mut seen = Vec::new();
    phone.begin();
    loop {
        let answer = phone.send(world).await.unwrap();
        let message = phone.read(&answer);
        seen.push((header_status(&message), has_challenge(&message)));
        if let Some(end) = phone.hear(&answer) {
            return (seen, end);
        }
        let refused = matches!(header_status(&message), INVALID | MISSING);
        assert!(!refused || commands(&message).is_empty(), "nothing is asked of a stranger");
    }
}

#[tokio::test]
async fn strangers_are_challenged_once_and_then_refused_and_nothing_is_written() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        for (auth, recorded) in
            [(AuthType::Md5, true), (AuthType::Md5, false), (AuthType::Basic, true), (AuthType::Basic, false)]
        {
            let world = World::new();
            let behaviours = vec![Behaviour::WrongCredentials];
            let mut phone = Phone::of("anna", Kind { encoding, auth, behaviours, ..Kind::default() });
            let other = Phone::new("berta");
            let known = if recorded { &phone } else { &other };
            world.record(known).await;
            let task = Ask::query(&[NAME]).of(known, &world).await;
            let (before, untouched) = (world.contact(known).await, world.task(&task).await);

            let (seen, end) = statuses(&mut phone, &world).await;

            let what = format!("{encoding:?} {auth:?} {recorded}");
            assert_eq!(end, SessionEnd::NotAuthenticated, "{what}");
            let (last, challenged) = seen.split_last().unwrap();
            assert!(!challenged.is_empty() || auth == AuthType::Basic, "{what}: {seen:?}");
            assert!(challenged.iter().all(|it| *it == (INVALID, true)), "{what}: {seen:?}");
            assert_eq!(last.0, INVALID, "{what}");
            let known = if recorded { &phone } else { &other };
            assert_eq!(world.contact(known).await, before, "{what}");
            assert_eq!(world.task(&task).await, untouched, "{what}");
            assert_eq!(world.events(&task).await, ["Created"], "{what}");
        }
    }
}

#[tokio::test]
async fn a_device_without_nonce_is_asked_for_a_credential_and_let_in() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    phone.device.account.client_nonce = None;
    world.record(&phone).await;
    let task = Ask::query(&[NAME]).of(&phone, &world).await;

    let (seen, end) = statuses(&mut phone, &world).await;

    assert_eq!(end, SessionEnd::Complete);
    assert_eq!(seen[..2], [(MISSING, true), (AUTHENTICATED, true)]);
    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts), (TaskStatus::Succeeded, 1));
}

#[tokio::test]
async fn a_device_with_a_stale_nonce_is_challenged_and_let_in() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    phone.device.account.client_nonce = Some(b"of long ago".to_vec());

    let (seen, end) = statuses(&mut phone, &world).await;

    assert_eq!(end, SessionEnd::Complete);
    assert_eq!(seen, [(INVALID, true), (AUTHENTICATED, true)]);
}

#[tokio::test]
async fn the_nonce_given_with_212_opens_the_next_session_without_a_challenge() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    for round in 0..4 {
        let (seen, end) = statuses(&mut phone, &world).await;
        assert_eq!(end, SessionEnd::Complete);
        assert_eq!(seen, [(AUTHENTICATED, true)], "session {round}");
    }
}

#[tokio::test]
async fn a_recorded_package_1_does_not_let_anybody_in_again() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    Ask::query(&[NAME]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    let (url, package_1) = phone.sent.clone();
    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);
    let task = Ask::query(&[NAME]).of(&phone, &world).await;
    let before = world.contact(&phone).await;

    let answer = post(&world, &url, &package_1, Encoding::Xml).await.unwrap();

    let message = phone.read(&answer);
    assert_eq!(header_status(&message), INVALID);
    assert!(has_challenge(&message) && commands(&message).is_empty());
    assert_eq!(world.contact(&phone).await, before);
    assert_eq!(world.status(&task).await, TaskStatus::Scheduled);
    // The device itself is not bothered by it.
    let (seen, _) = statuses(&mut phone, &world).await;
    assert_eq!(seen[0].0, AUTHENTICATED);
}

#[tokio::test]
async fn a_package_1_replayed_in_mid_session_does_not_disturb_the_session() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::query(&[NAME]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    let (url, package_1) = phone.sent.clone();
    let next = Ask::query(&["./DevDetail/SwV"]).of(&phone, &world).await;
    phone.exchange(&world).await;

    let answer = post(&world, &url, &package_1, Encoding::Xml).await.unwrap();

    assert_eq!(header_status(&phone.read(&answer)), INVALID);
    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    let next = world.task(&next).await;
    assert_eq!((next.status, next.attempts), (TaskStatus::Succeeded, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_sessions_begun_with_one_nonce_at_once_one_is_let_in() {
    for round in 0..10 {
        let world = World::new();
        let mut phone = Phone::new("anna");
        world.record(&phone).await;
        let mut twin = phone.clone();
        phone.begin();
        twin.begin();
        let session = format!("F{round}");
        twin.out.as_mut().unwrap().header.session_id = session.as_str().into();

        let (one, other) = tokio::join!(phone.send(&world), twin.send(&world));

        let mut codes = [one, other].map(|it| header_status(&phone.read(&it.unwrap())).0);
        codes.sort_unstable();
        assert_eq!(codes, [212, 401]);
        assert_eq!(world.contact(&phone).await.state.generation, 1);
    }
}

#[tokio::test]
async fn basic_is_not_taken_where_the_account_wants_a_digest() {
    let world = World::new();
    let mut phone = Phone::of("anna", Kind { auth: AuthType::Basic, ..Kind::default() });
    let digest = Phone::new("anna");
    world.record(&digest).await;

    let (seen, end) = statuses(&mut phone, &world).await;

    // The device knows MD5 too and uses it when asked to.
    assert_eq!(end, SessionEnd::Complete);
    assert_eq!(seen, [(INVALID, true), (AUTHENTICATED, true)]);
}

#[tokio::test]
async fn a_server_that_the_device_does_not_trust_gets_nothing_done() {
    let world = World::new();
    let mut phone = Phone::of("anna", Kind { asks_server: true, ..Kind::default() });
    let mut fields = phone.account_fields();
    fields.server_secret = Some("not the secret".into());
    world.record_as(Some(&phone.imei), Some(fields)).await;
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;

    phone.connect(&world).await;

    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts), (TaskStatus::RetryWait, 1));
    assert!(task.detail.unwrap().contains("refused the credential of the server"));
    assert_eq!(phone.did("Replace", NAME), 0);
}

#[tokio::test]
async fn a_server_whose_nonce_is_stale_proves_itself_with_the_one_it_is_given() {
    let world = World::new();
    let mut phone = Phone::of("anna", Kind { asks_server: true, ..Kind::default() });
    world.record(&phone).await;
    phone.device.account.server.as_mut().unwrap().nonce = b"another".to_vec();
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts), (TaskStatus::Succeeded, 1));
    assert_eq!(phone.did("Replace", NAME), 1);
}

#[tokio::test]
async fn commands_the_device_did_not_look_at_are_not_sent_again_for_a_task_that_was_cancelled_meanwhile() {
    let world = World::new();
    let mut phone = Phone::of("anna", Kind { asks_server: true, ..Kind::default() });
    world.record(&phone).await;
    phone.device.account.server.as_mut().unwrap().nonce = b"another".to_vec();
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    world.cancel(&task).await;

    phone.finish(&world).await;

    assert_eq!(world.status(&task).await, TaskStatus::Cancelled);
    assert_eq!(phone.did("Replace", NAME), 0);
}
