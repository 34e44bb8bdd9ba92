//! What is recorded of what devices say, and what is counted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_broker::device::Device;
use muster_broker::page::PageRequest;
use muster_broker::services::RecordingWanted;
use muster_broker::task::TaskStatus;
use muster_broker::trace::{Recording, TraceDirection, TraceMessage, TraceSession};
use muster_protocol::limits::Limits;
use muster_protocol::syncml::blank::BLANK;
use muster_protocol::syncml::{Encoding, Message};
use muster_simulator::account::AuthType;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;
use muster_southbound::dm1::{Post, Refusal};

use crate::ask::Ask;
use crate::phone::{Kind, Phone, post};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";

async fn record_messages(world: &World, device: &Device) {
    let wanted = RecordingWanted { enabled: true, ..RecordingWanted::default() };
    world.broker().set_device_trace(&world.caller, None, Some(device.oid.to_string()), wanted).await.unwrap();
}

async fn sessions(world: &World, device: &Device) -> Vec<TraceSession> {
    let oid = Some(device.oid.to_string());
    world.broker().device_trace(&world.caller, None, oid, &PageRequest::default()).await.unwrap().1.items
}

async fn messages(world: &World, device: &Device, session: u32) -> Vec<TraceMessage> {
    let (oid, session) = (Some(device.oid.to_string()), i32::try_from(session).unwrap());
    let page = PageRequest { size: Some(1000), token: None };
    world.broker().trace_messages(&world.caller, None, oid, session, &page).await.unwrap().items
}

fn holds(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|it| it == part)
}

fn count(world: &World, family: &str, value: &str) -> u64 {
    let families = world.exchange().counters().families();
    let family = families.iter().find(|it| it.name == family).unwrap();
    family.values.iter().find(|(name, _)| *name == value).unwrap().1
}

#[tokio::test]
async fn a_session_is_recorded_message_by_message_and_can_be_read_but_for_its_secrets() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        for auth in [AuthType::Md5, AuthType::Basic] {
            let world = World::new();
            let mut phone = Phone::of("anna", Kind { encoding, auth, asks_server: true, ..Kind::default() });
            let device = world.record(&phone).await;
            record_messages(&world, &device).await;
            Ask::query(&[NAME]).of(&phone, &world).await;

            assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

            let sessions = sessions(&world, &device).await;
            let [session] = sessions.as_slice() else { panic!("{sessions:?}") };
            assert!(session.is_let_in && session.left_out == 0, "{session:?}");
            assert_eq!(session.ending.as_deref(), Some("everything was said"));
            let kept = messages(&world, &device, session.number).await;
            let sent = world.log.lock().unwrap().clone();
            assert_eq!(kept.len(), 2 * sent.len());
            for (pair, sent) in kept.chunks(2).zip(&sent) {
                assert_eq!((pair[0].direction, pair[1].direction), (TraceDirection::Received, TraceDirection::Sent));
                assert_eq!(pair[0].length as usize, sent.len());
                let was = Message::decode(encoding, sent, &Limits::DEVICE).unwrap();
                let is = Message::decode(encoding, &pair[0].octets, &Limits::DEVICE).unwrap();
                assert_eq!(is.header.msg_id, was.header.msg_id);
                assert_eq!(is.commands.len(), was.commands.len());
                assert!(Message::decode(encoding, &pair[1].octets, &Limits::DEVICE).is_ok());
            }
            let all: Vec<u8> = kept.iter().flat_map(|message| message.octets.clone()).collect();
            assert!(holds(&all, BLANK.as_bytes()) || auth == AuthType::Basic);
            for secret in ["anna-secret", "server-secret", "anna first nonce", "first server nonce"] {
                assert!(!holds(&all, secret.as_bytes()), "{secret} over {encoding:?}");
                assert!(!holds(&all, STANDARD.encode(secret).as_bytes()), "{secret} over {encoding:?}");
                assert!(!holds(&all, STANDARD.encode(format!("anna:{secret}")).as_bytes()), "{secret}");
            }
            let resp_uri = Message::decode(encoding, &kept[1].octets, &Limits::DEVICE).unwrap().header.resp_uri;
            assert_eq!(resp_uri.as_deref(), Some("http://127.0.0.1/dm/+blanked"));
        }
    }
}

#[tokio::test]
async fn nothing_is_recorded_before_it_is_asked_for_after_its_time_and_of_others() {
    let world = World::new();
    let (mut anna, mut berta) = (Phone::new("anna"), Phone::new("berta"));
    let (of_anna, of_berta) = (world.record(&anna).await, world.record(&berta).await);
    anna.connect(&world).await;
    assert!(sessions(&world, &of_anna).await.is_empty());
    record_messages(&world, &of_anna).await;
    anna.connect(&world).await;
    berta.connect(&world).await;
    assert_eq!(sessions(&world, &of_anna).await.len(), 1);
    assert!(sessions(&world, &of_berta).await.is_empty());
    world.pass_s(Recording::LIFE_S);
    anna.connect(&world).await;
    assert_eq!(sessions(&world, &of_anna).await.len(), 1);
}

#[tokio::test]
async fn a_task_that_asks_for_it_has_its_sessions_recorded_and_no_others() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    let device = world.record(&phone).await;
    let task = Ask::query(&[NAME]).option("trace", "true").of(&phone, &world).await;
    phone.connect(&world).await;
    let recorded = sessions(&world, &device).await;
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].task.map(|id| id.to_string()), Some(task));
    assert!(recorded[0].messages >= 4, "{recorded:?}");

    Ask::query(&[NAME]).of(&phone, &world).await;
    phone.connect(&world).await;
    assert_eq!(sessions(&world, &device).await, recorded);
}

#[tokio::test]
async fn a_device_that_is_not_let_in_is_recorded_with_the_reason() {
    let world = World::new();
    let mut phone = Phone::with("anna", &[Behaviour::WrongCredentials]);
    let device = world.record(&phone).await;
    record_messages(&world, &device).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::NotAuthenticated);

    let recorded = sessions(&world, &device).await;
    assert_eq!(recorded.len(), 1);
    assert!(!recorded[0].is_let_in);
    let kept = messages(&world, &device, recorded[0].number).await;
    for answer in kept.iter().skip(1).step_by(2) {
        let said = Message::decode(Encoding::Xml, &answer.octets, &Limits::DEVICE).unwrap();
        assert_eq!(crate::phone::header_status(&said).0, 401);
    }
    assert!(count(&world, "muster_dm_credentials_total", "wrong") >= 2);
    assert_eq!(count(&world, "muster_dm_recorded_refusals_total", "kept"), kept.len() as u64 / 2);
    assert_eq!(count(&world, "muster_dm_sessions_total", "begun"), 0);
}

#[tokio::test]
async fn a_device_that_is_refused_for_another_reason_is_recorded_with_it() {
    let world = World::new();
    let (mut phone, other) = (Phone::new("anna"), Phone::new("berta"));
    let device = world.record(&phone).await;
    world.record(&other).await;
    record_messages(&world, &device).await;
    phone.device.tree = other.device.tree.clone();
    phone.begin();
    phone.send(&world).await.unwrap();
    let kept = messages(&world, &device, 1).await;
    let note = kept[1].note.as_deref().unwrap_or_default();
    assert!(
        note.starts_with("the device answers with the identifier of another record") || note.contains("IMEI"),
        "{note}"
    );
}

#[tokio::test]
async fn so_many_refused_messages_are_kept_in_a_minute_and_the_next_minute_begins_anew() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    let device = world.record(&phone).await;
    record_messages(&world, &device).await;
    phone.begin();
    let octets = phone.out.take().unwrap().encode(Encoding::Xml).unwrap();
    let broken = &octets[..octets.len() - 20];
    for _ in 1..=40 {
        post(&world, crate::phone::URL, broken, Encoding::Xml).await.unwrap_err();
    }
    let skipped = count(&world, "muster_dm_recorded_refusals_total", "skipped");
    assert_eq!((count(&world, "muster_dm_recorded_refusals_total", "kept"), skipped), (30, 10));
    world.pass_s(60);
    post(&world, crate::phone::URL, broken, Encoding::Xml).await.unwrap_err();
    assert_eq!(count(&world, "muster_dm_recorded_refusals_total", "kept"), 31);
    assert_eq!(count(&world, "muster_dm_unreadable_total", "xml_truncated"), 41);
}

#[tokio::test]
async fn a_message_that_breaks_is_recorded_up_to_there_for_the_device_that_its_header_names() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let world = World::new();
        let mut phone = Phone::of("anna", Kind { encoding, ..Kind::default() });
        let device = world.record(&phone).await;
        record_messages(&world, &device).await;
        phone.begin();
        let octets = phone.out.take().unwrap().encode(encoding).unwrap();
        let broken = &octets[..octets.len() - 20];
        let refusal = world.post(Post { content_type: Some(encoding.media_type()), body: broken, ..Post::default() });
        assert!(matches!(refusal.await, Err(Refusal::Unreadable(_))));

        let recorded = sessions(&world, &device).await;
        assert_eq!(recorded.len(), 1);
        let kept = messages(&world, &device, recorded[0].number).await;
        assert_eq!(kept.len(), 1);
        let note = kept[0].note.as_deref().unwrap();
        assert!(note.starts_with("cannot be read: document ends at octet"), "{note}");
        assert!(note.contains("answered with HTTP 400"), "{note}");
        assert!(kept[0].octets.len() > 100 && kept[0].length as usize == broken.len());
        let kind = if encoding == Encoding::Xml { "xml_truncated" } else { "wbxml_truncated" };
        assert_eq!(count(&world, "muster_dm_unreadable_total", kind), 1);
        assert_eq!(count(&world, "muster_dm_refused_total", "unreadable"), 1);
    }
}

#[tokio::test]
async fn a_repetition_is_recorded_as_one_and_happens_once() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    let device = world.record(&phone).await;
    record_messages(&world, &device).await;
    Ask::query(&[NAME]).of(&phone, &world).await;
    phone.begin();
    let first = phone.send(&world).await.unwrap();
    assert_eq!(phone.send_again(&world).await.unwrap(), first);
    phone.hear(&first);
    phone.finish(&world).await;

    let recorded = sessions(&world, &device).await;
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    let kept = messages(&world, &device, recorded[0].number).await;
    let note = kept[3].note.as_deref();
    assert_eq!(note, Some("the message was a repetition, and the answer of before went again"));
    assert_eq!(kept[1].octets, kept[3].octets);
    assert_eq!(count(&world, "muster_dm_answers_total", "repeated"), 1);
}

#[tokio::test]
async fn of_a_value_that_comes_in_parts_no_part_is_kept() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let world = World::new();
        let behaviours = vec![Behaviour::SmallMessages { max_msg_size: 1500 }];
        let mut phone = Phone::of("anna", Kind { encoding, behaviours, ..Kind::default() });
        let device = world.record(&phone).await;
        record_messages(&world, &device).await;
        phone.device.tree.set_text(NAME, &"part of it; ".repeat(400));
        Ask::query(&[NAME, "./DevDetail/SwV"]).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        let sent = world.log.lock().unwrap().iter().filter(|octets| holds(octets, b"of it; part")).count();
        assert!(sent > 2, "the value came in {sent} messages");
        let kept = messages(&world, &device, 1).await;
        assert!(kept.iter().all(|message| !holds(&message.octets, b"of it")), "{encoding:?}");
        assert!(kept.iter().any(|message| holds(&message.octets, b"SwV") && holds(&message.octets, b"2.0")));
    }
}

#[tokio::test]
async fn of_a_value_that_goes_out_in_parts_no_part_is_kept() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let world = World::new();
        let behaviours = vec![Behaviour::SmallMessages { max_msg_size: 1500 }];
        let mut phone = Phone::of("anna", Kind { encoding, behaviours, ..Kind::default() });
        let device = world.record(&phone).await;
        record_messages(&world, &device).await;
        let value = "part of it; ".repeat(250);
        let task = Ask::update(&[(NAME, &value)]).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        assert_eq!(world.status(&task).await, TaskStatus::Succeeded, "{}", world.detail(&task).await);
        assert_eq!(phone.text(NAME), Some(value.as_str()));
        let kept = messages(&world, &device, 1).await;
        assert!(kept.len() > 8, "{}", kept.len());
        assert!(kept.iter().all(|message| !holds(&message.octets, b"of it")), "{encoding:?}");
        assert!(kept.iter().any(|message| holds(&message.octets, NAME.as_bytes())));
    }
}

#[tokio::test]
async fn a_session_that_falls_silent_says_so() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    let device = world.record(&phone).await;
    record_messages(&world, &device).await;
    Ask::query(&[NAME]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    world.pass_s(120);
    assert_eq!(world.sweep().await, 1);
    let recorded = sessions(&world, &device).await;
    assert_eq!(recorded[0].ending.as_deref(), Some("the device went silent in the session"));
}

#[tokio::test]
async fn what_is_answered_and_what_begins_and_ends_is_counted() {
    let world = World::new();
    let mut phone = Phone::of("anna", Kind { encoding: Encoding::Wbxml, ..Kind::default() });
    world.record(&phone).await;
    Ask::query(&[NAME]).of(&phone, &world).await;
    phone.connect(&world).await;
    let messages = world.log.lock().unwrap().len() as u64;
    assert_eq!(count(&world, "muster_dm_messages_total", "wbxml"), messages);
    assert_eq!(count(&world, "muster_dm_messages_total", "xml"), 0);
    assert_eq!(count(&world, "muster_dm_sessions_total", "begun"), 1);
    assert_eq!(count(&world, "muster_dm_sessions_total", "ended"), 1);
    assert_eq!(count(&world, "muster_dm_credentials_total", "right"), 1);
    let statuses = ["200", "212"].map(|status| count(&world, "muster_dm_answers_total", status));
    assert_eq!(statuses.iter().sum::<u64>(), messages, "{statuses:?}");
    let refusal = world.post(Post { content_type: Some("text/plain"), body: b"hello", ..Post::default() }).await;
    assert!(matches!(refusal, Err(Refusal::NotSyncml)));
    assert_eq!(count(&world, "muster_dm_refused_total", "not_syncml"), 1);
}
