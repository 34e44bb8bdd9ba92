//! Sessions of signed messages.

use muster_broker::task::TaskStatus;
use muster_protocol::syncml::{Command, Encoding, StatusCode};
use muster_simulator::account::AuthType;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::{Kind, Phone, header_status};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";
const OK: StatusCode = StatusCode(200);
const INVALID: StatusCode = StatusCode(401);

fn signing(encoding: Encoding, asks_server: bool) -> Phone {
    let mut phone = Phone::of("anna", Kind { encoding, auth: AuthType::Hmac, asks_server, ..Kind::default() });
    if let Some(server) = &mut phone.device.account.server {
        server.auth = AuthType::Hmac;
    }
    phone
}

#[tokio::test]
async fn a_task_is_carried_out_in_signed_messages_and_each_answer_has_the_nonce_for_the_next() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        for asks_server in [false, true] {
            let world = World::new();
            let mut phone = signing(encoding, asks_server);
            world.record(&phone).await;
            for round in 0..3 {
                let task = Ask::update(&[(NAME, "signed")]).of(&phone, &world).await;
                phone.begin();
                let mut nonces = Vec::new();
                let end = loop {
                    let answer = phone.send(&world).await.unwrap();
                    assert!(phone.seal.is_some(), "every message of the device is signed");
                    let message = phone.read(&answer);
                    assert_eq!(header_status(&message), OK, "never 212: {encoding:?} {asks_server} {round}");
                    nonces.extend(message.commands.iter().find_map(|it| match it {
                        Command::Status(status) => status.chal.as_ref()?.meta.next_nonce.clone(),
                        _ => None,
                    }));
                    if let Some(end) = phone.hear(&answer) {
                        break end;
                    }
                };
                assert_eq!(end, SessionEnd::Complete, "{encoding:?} {asks_server} {round}");
                let count = nonces.len();
                assert!(count >= 2, "{encoding:?} {asks_server} {round}");
                nonces.sort();
                nonces.dedup();
                assert_eq!(nonces.len(), count, "no nonce is given twice");
                assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
            }
            assert_eq!(phone.did("Replace", NAME), 3);
        }
    }
}

#[tokio::test]
async fn an_account_that_wants_signed_messages_takes_no_md5_and_says_what_it_wants() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    let mut fields = phone.account_fields();
    fields.auth_type = muster_broker::device::AuthType::Hmac;
    world.record_as(Some(&phone.imei), Some(fields)).await;
    phone.begin();

    let answer = phone.send(&world).await.unwrap();

    let message = phone.read(&answer);
    let Some(Command::Status(status)) = message.commands.first() else { panic!("{message:?}") };
    let kind = status.chal.as_ref().and_then(|it| it.meta.kind.as_deref());
    assert_eq!(kind, Some("syncml:auth-MAC"));
}

#[tokio::test]
async fn a_message_that_was_altered_on_its_way_is_not_taken() {
    let world = World::new();
    let mut phone = signing(Encoding::Xml, false);
    world.record(&phone).await;
    let task = Ask::query(&[NAME]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    let message = phone.out.take().unwrap();
    let octets = phone.device.write(&message).unwrap();
    phone.seal = phone.device.seal(&octets);
    let text = String::from_utf8(octets).unwrap();
    let altered = text.replace("<Data>One</Data>", "<Data>Two</Data>");
    assert_ne!(text, altered);
    phone.sent = (phone.device.next_url().to_owned(), altered.into_bytes());

    let answer = phone.send_again(&world).await.unwrap();

    assert_eq!(header_status(&phone.read(&answer)), INVALID);
    assert_eq!(world.status(&task).await, TaskStatus::InProgress);
    assert_eq!(world.values(&task).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_signed_answer_that_was_lost_comes_again_with_its_signature() {
    let world = World::new();
    let mut phone = signing(Encoding::Wbxml, true);
    world.record(&phone).await;
    let task = Ask::query(&[NAME]).of(&phone, &world).await;
    phone.begin();
    let lost = phone.send(&world).await.unwrap();

    let again = phone.send_again(&world).await.unwrap();

    assert_eq!(again, lost);
    assert!(phone.hear(&again).is_none());
    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_signature_with_a_wrong_secret_is_refused_the_second_time() {
    let world = World::new();
    let kind = Kind { auth: AuthType::Hmac, behaviours: vec![Behaviour::WrongCredentials], ..Kind::default() };
    let mut phone = Phone::of("anna", kind);
    world.record(&phone).await;
    let before = world.contact(&phone).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::NotAuthenticated);

    assert_eq!(world.contact(&phone).await, before, "nothing is written for a stranger");
}

#[tokio::test]
async fn a_value_that_just_does_not_fit_ends_its_task_and_not_in_an_endless_session() {
    let world = World::new();
    let mut phone = signing(Encoding::Xml, true);
    let small = Behaviour::SmallMessages { max_msg_size: 2_000 };
    let behaviours = vec![small, Behaviour::NoLargeObjects];
    phone.device = Phone::of("anna", Kind { behaviours, ..phone.kind.clone() }).device;
    if let Some(server) = &mut phone.device.account.server {
        server.auth = AuthType::Hmac;
    }
    world.record(&phone).await;
    let mut ends = std::collections::BTreeSet::new();
    for length in (300..1_500).step_by(10) {
        let task = Ask::update(&[(NAME, &"x".repeat(length))]).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete, "{length} octets");

        ends.insert(world.status(&task).await);
    }
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), [TaskStatus::Succeeded, TaskStatus::Failed]);
}
