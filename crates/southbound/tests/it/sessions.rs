//! The rules of a session: numbers, addresses, and messages that do not belong.

use muster_broker::task::TaskStatus;
use muster_protocol::syncml::{Command, Credential, Results, Status, StatusCode};
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;
use muster_southbound::dm1::{Refusal, Settings};

use crate::ask::Ask;
use crate::phone::{Phone, URL, commands, header_status, post, read};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";

/// A device that was asked to write a node and has not answered yet.
async fn in_the_middle(world: &World) -> (Phone, String) {
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).of(&phone, world).await;
    phone.begin();
    assert_eq!(phone.exchange(world).await, None);
    (phone, task)
}

/// The message that the device would send next, changed.
fn forged(phone: &Phone, change: impl FnOnce(&mut muster_protocol::syncml::Message)) -> Vec<u8> {
    let mut message = phone.out.clone().unwrap();
    change(&mut message);
    message.encode(phone.device.encoding()).unwrap()
}

#[tokio::test]
async fn a_device_that_skips_numbers_is_served() {
    let world = World::new();
    let mut phone = Phone::with("anna", &[Behaviour::SkipsMsgId]);
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_number_below_the_expected_one_ends_the_session_and_leaves_the_task_open() {
    let world = World::new();
    let (mut phone, task) = in_the_middle(&world).await;
    phone.out.as_mut().unwrap().header.msg_id = "1".into();

    let answer = phone.send(&world).await.unwrap();

    assert_eq!(header_status(&read(&answer)), StatusCode(400));
    assert!(world.contact(&phone).await.state.dialogue.unwrap().ended);
    assert_eq!(world.status(&task).await, TaskStatus::RetryWait);
    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_stranger_ends_nobodys_session() {
    let world = World::new();
    let (mut phone, task) = in_the_middle(&world).await;
    let before = world.contact(&phone).await;
    let package_1 = Command::Alert(muster_protocol::syncml::Alert {
        cmd_id: "1".into(),
        code: "1201".into(),
        ..Default::default()
    });
    let forgeries = [
        forged(&phone, |it| it.header.msg_id = "next".into()),
        forged(&phone, |it| it.header.msg_id = "-1".into()),
        forged(&phone, |it| it.header.source.uri = "IMEI:0".into()),
        forged(&phone, |it| it.header.source.uri = "x".repeat(5000).into()),
        forged(&phone, |it| it.commands = vec![package_1.clone()]),
        forged(&phone, |it| {
            it.commands = vec![package_1.clone()];
            it.header.msg_id = "0".into();
        }),
        forged(&phone, |it| {
            it.commands = vec![package_1.clone()];
            it.header.msg_id = "4000000000".into();
        }),
        forged(&phone, |it| it.header.session_id = "ABCD".into()),
        forged(&phone, |it| it.header.cred = Some(Credential { data: "QQ==".into(), ..Credential::default() })),
    ];
    for (number, forgery) in forgeries.iter().enumerate() {
        let answer = post(&world, URL, forgery, phone.device.encoding()).await.unwrap();
        assert!(!header_status(&read(&answer)).is_success(), "{number}");
        assert!(commands(&read(&answer)).is_empty(), "{number}");
        assert_eq!(world.contact(&phone).await, before, "{number}");
    }
    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);
    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts), (TaskStatus::Succeeded, 1));
}

#[tokio::test]
async fn the_session_of_one_device_is_not_that_of_another_with_the_same_number() {
    let world = World::new();
    let (mut phone, task) = in_the_middle(&world).await;
    let mut berta = Phone::new("berta");
    world.record(&berta).await;
    let of_berta = Ask::query(&[NAME]).of(&berta, &world).await;
    let session_id = phone.out.as_ref().unwrap().header.session_id.to_string();

    assert_eq!(berta.follow(&world, &session_id).await, SessionEnd::Complete);
    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);

    assert_eq!(world.values(&of_berta).await, ["One"]);
    assert_eq!(world.task(&task).await.attempts, 1);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_message_elsewhere_than_at_the_sessions_address_is_not_let_in_once_the_device_follows_it() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).opt_in().of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    phone.exchange(&world).await;
    assert!(phone.sent.0.len() > URL.len(), "the device follows RespURI");
    let before = world.contact(&phone).await;
    let message = forged(&phone, |_| {});

    for url in [URL.to_owned(), format!("{URL}/AAAAAAAAAAAAAAAA")] {
        let answer = post(&world, &url, &message, phone.device.encoding()).await.unwrap();
        assert_eq!(header_status(&read(&answer)), StatusCode(407), "{url}");
        assert_eq!(world.contact(&phone).await, before);
    }

    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);
    assert_eq!(world.task(&task).await.attempts, 1);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_device_that_keeps_the_sessions_address_as_the_servers_is_told_one_of_the_same_length() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let mut lengths = Vec::new();
    for _ in 0..3 {
        phone.begin();
        let next = phone.device.account.server_url.clone();
        phone.out.as_mut().unwrap().header.target.uri = next.into();
        let answer = phone.send(&world).await.unwrap();
        assert_eq!(header_status(&read(&answer)), StatusCode(212));
        let resp_uri = read(&answer).header.resp_uri.unwrap().to_string();
        phone.hear(&answer);
        lengths.push(resp_uri.len());
        phone.device.account.server_url = resp_uri;
    }
    assert!(lengths.iter().all(|it| *it == lengths[0]), "{lengths:?}");
}

#[tokio::test]
async fn resp_uri_has_the_public_address_where_one_is_set() {
    let settings = Settings { device_url: Some("https://dm.example.com/dm/".into()), ..Settings::default() };
    let world = World::with(settings);
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    phone.begin();

    let answer = phone.send(&world).await.unwrap();

    let resp_uri = read(&answer).header.resp_uri.unwrap().to_string();
    let token = resp_uri.strip_prefix("https://dm.example.com/dm/").unwrap();
    assert_eq!(token.len(), 16);
}

#[tokio::test]
async fn statuses_and_results_that_nobody_asked_for_change_nothing() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::query(&[NAME]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    let out = phone.out.as_mut().unwrap();
    for (msg_ref, cmd_ref) in [("1", "77"), ("9", "1"), ("x", "y"), ("1", "0")] {
        out.commands.push(Command::Status(Status {
            cmd_id: "90".into(),
            msg_ref: msg_ref.into(),
            cmd_ref: cmd_ref.into(),
            cmd: "Get".into(),
            code: StatusCode(500),
            ..Status::default()
        }));
    }
    out.commands.push(Command::Results(Results {
        cmd_id: "91".into(),
        msg_ref: Some("1".into()),
        cmd_ref: "78".into(),
        ..Results::default()
    }));

    let answer = phone.send(&world).await.unwrap();

    assert!(header_status(&read(&answer)).is_success());
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!(world.values(&task).await, ["One"]);
}

#[tokio::test]
async fn a_device_that_aborts_the_session_ends_the_attempt_at_once() {
    let world = World::new();
    let (mut phone, task) = in_the_middle(&world).await;
    phone.out.as_mut().unwrap().commands.push(Command::Alert(muster_protocol::syncml::Alert {
        cmd_id: "95".into(),
        code: "1223".into(),
        ..Default::default()
    }));

    let answer = phone.send(&world).await.unwrap();

    assert!(commands(&read(&answer)).is_empty());
    assert!(world.contact(&phone).await.state.dialogue.unwrap().ended);
    // The status of the command came along, so that the task is done all the same.
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_device_that_aborts_instead_of_answering_is_tried_again() {
    let world = World::new();
    let (mut phone, task) = in_the_middle(&world).await;
    let out = phone.out.as_mut().unwrap();
    out.commands = vec![Command::Alert(muster_protocol::syncml::Alert {
        cmd_id: "1".into(),
        code: "1223".into(),
        ..Default::default()
    })];

    phone.send(&world).await.unwrap();

    let aborted = world.task(&task).await;
    assert_eq!(aborted.status, TaskStatus::RetryWait);
    assert!(aborted.detail.unwrap().contains("aborted"));
    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn versions_that_are_not_spoken_are_refused() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let before = world.contact(&phone).await;
    phone.begin();
    let dtd = forged(&phone, |it| it.header.ver_dtd = "9.9".into());
    let protocol = forged(&phone, |it| it.header.ver_proto = "SyncML/1.2".into());
    for (message, code) in [(dtd, 505), (protocol, 513)] {
        let answer = post(&world, URL, &message, phone.device.encoding()).await.unwrap();
        assert_eq!(header_status(&read(&answer)), StatusCode(code));
        assert_eq!(world.contact(&phone).await, before);
    }
}

#[tokio::test]
async fn a_server_that_ends_takes_no_new_sessions_and_finishes_the_open_ones() {
    let world = World::new();
    let (mut phone, task) = in_the_middle(&world).await;
    let mut berta = Phone::new("berta");
    world.record(&berta).await;
    world.exchange().drain();

    berta.begin();
    assert!(matches!(berta.send(&world).await, Err(Refusal::NotNow { retry_after_s: 5 })));

    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    phone.begin();
    assert!(matches!(phone.send(&world).await, Err(Refusal::NotNow { .. })));
}

#[tokio::test]
async fn a_suspended_device_is_let_in_and_given_nothing() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    let record = world.record(&phone).await;
    let task = Ask::query(&[NAME]).of(&phone, &world).await;
    let fields = muster_broker::services::DeviceFields {
        oid: Some(record.oid.to_string()),
        device_id: record.device_id.clone(),
        management_state: Some(muster_broker::device::ManagementState::Suspended),
        ..Default::default()
    };
    world.broker().update_device(&world.caller, fields).await.unwrap();

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Scheduled);
    assert!(!phone.was_asked("Get", NAME));
}
