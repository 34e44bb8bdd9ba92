use muster_protocol::syncml::{Command, Item, ItemData, Meta, Status, StatusCode, Text, Write, WriteKind};

use super::script::{Script, add, alert, get, item, md5_challenge, replace, status};
use crate::behaviour::Behaviour;
use crate::dm1::{Event, Initiation, SessionEnd};

const NAME: &str = "./Vendor/Example/Name";
const BLOB: &str = "./Vendor/Example/Settings/Blob";

fn chunk(data: &str, size: Option<u64>, more_data: bool) -> Command {
    let meta = Meta { size, ..Meta::default() };
    let item = Item { meta, data: Some(data.into()), more_data, ..item(BLOB) };
    Command::Write(Write { kind: WriteKind::Add, cmd_id: Text::default(), meta: Meta::default(), items: vec![item] })
}

#[test]
fn package_1_has_the_alert_the_device_information_and_waiting_events() {
    let mut script = Script::good();
    script.device.raise(Event::generic("./X", "org.example.battery", "low"));
    script.device.raise(Event::client("org.example.user", "hello"));

    let package = script.device.start(&Initiation::Server { session_id: "1234".into() });

    let names: Vec<&str> = package.commands.iter().map(Command::name).collect();
    assert_eq!(names, ["Alert", "Replace", "Alert", "Alert"]);
    let ids: Vec<&str> = package.commands.iter().map(|it| it.cmd_id().as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4"]);
    assert!(package.is_final);
    assert_eq!(package.header.session_id, "1234");
    assert_eq!(package.header.source.uri, "IMEI:004401220000017");
    let Command::Alert(alert) = &package.commands[0] else { panic!("no Alert") };
    assert_eq!(alert.code, "1200");
    let Command::Write(information) = &package.commands[1] else { panic!("no Replace") };
    assert_eq!(information.items[0].data, Some("IMEI:004401220000017".into()));
}

#[test]
fn another_imei_appears_in_source_and_dev_id() {
    let script = Script::behaving(&[Behaviour::OtherImei("004401220000025".into())]);

    assert_eq!(script.said.header.source.uri, "IMEI:004401220000025");
    assert_eq!(script.device.tree.text("./DevInfo/DevId"), Some("IMEI:004401220000025"));
}

#[test]
fn statuses_alone_end_the_session_without_an_answer() {
    let mut script = Script::good();
    let message = script.message(Vec::new());

    let step = script.device.receive(&message);

    assert_eq!((step.reply, step.finished), (None, Some(SessionEnd::Complete)));
    assert!(script.device.complaints().is_empty(), "{:?}", script.device.complaints());
}

#[test]
fn a_good_server_gives_no_reason_to_complain() {
    let mut script = Script::good();

    script.send(vec![replace(NAME, "a"), get(&[NAME])]);
    script.send(Vec::new());

    assert_eq!(script.end, Some(SessionEnd::Complete));
    assert!(script.device.complaints().is_empty(), "{:?}", script.device.complaints());
}

#[test]
fn repeated_message_gets_the_same_reply_and_does_nothing_twice() {
    let mut script = Script::good();
    let message = script.message(vec![add(BLOB, "a")]);

    let first = script.device.receive(&message);
    let again = script.device.receive(&message);

    assert_eq!(again, first);
    assert_eq!(script.device.ledger().session().len(), 1);
}

#[test]
fn the_next_message_goes_to_resp_uri() {
    let mut script = Script::good();
    script.header.resp_uri = Some("http://dm.example.org/dm/token".into());

    script.send(vec![get(&[NAME])]);

    assert_eq!(script.device.next_url(), "http://dm.example.org/dm/token");
    assert_eq!(script.said.header.target.uri, "http://dm.example.org/dm/token");
    let again = script.device.start(&Initiation::Client);
    assert_eq!(again.header.target.uri, super::script::URL);
}

#[test]
fn answers_above_the_servers_limit_are_spread_over_messages_of_one_package() {
    let mut script = Script::good();
    script.header.meta.max_msg_size = Some(1_200);
    let nodes = ["./DevInfo/Man", "./DevInfo/Mod", "./DevInfo/DevId", "./DevInfo/Lang", "./DevDetail/FwV", NAME];

    script.send(vec![get(&nodes)]);
    let mut results = script.results();
    let mut messages = 1;
    while !script.said.is_final {
        assert!(messages < 20, "the package never ends");
        script.send(vec![alert("1222", &[])]);
        results.extend(script.results());
        messages += 1;
    }

    assert!(messages > 1);
    assert_eq!(results.len(), nodes.len());
    script.send(Vec::new());
    assert_eq!(script.end, Some(SessionEnd::Complete));
    assert_eq!(script.device.ledger().count("./DevInfo/Man", "Get"), 1);
}

#[test]
fn a_value_above_the_servers_limit_is_sent_in_pieces() {
    let mut script = Script::good();
    let value: String = ('a'..='z').cycle().take(6_000).collect();
    script.send(vec![add(BLOB, &value)]);
    script.header.meta.max_msg_size = Some(1_500);

    script.send(vec![get(&[BLOB])]);
    let mut pieces: Vec<Item> = Vec::new();
    for _ in 0..20 {
        for command in &script.said.commands {
            if let Command::Results(results) = command {
                pieces.extend(results.items.iter().cloned());
            }
        }
        if script.said.is_final {
            break;
        }
        script.send(vec![alert("1222", &[])]);
    }

    let together: String = pieces.iter().filter_map(|it| it.data.as_ref().and_then(ItemData::as_text)).collect();
    assert_eq!(together, value);
    assert!(pieces.len() > 2);
    assert_eq!(pieces[0].meta.size, Some(6_000));
    assert!(pieces[1..].iter().all(|it| it.meta.size.is_none()));
    let (last, others) = pieces.split_last().unwrap();
    assert!(others.iter().all(|it| it.more_data) && !last.more_data);
}

#[test]
fn a_package_cut_short_by_the_server_is_a_violation() {
    let mut script = Script::good();
    script.header.meta.max_msg_size = Some(1_200);
    script.send(vec![get(&["./DevInfo/Man", "./DevInfo/Mod", "./DevInfo/DevId", "./DevInfo/Lang", NAME])]);
    assert!(!script.said.is_final);

    script.send(Vec::new());

    assert!(matches!(script.end, Some(SessionEnd::Violation(_))), "{:?}", script.end);
}

#[test]
fn the_device_does_not_close_its_package_before_the_server_does() {
    let mut script = Script::good();
    let mut message = script.message(vec![replace(NAME, "a")]);
    message.is_final = false;

    script.deliver(&message);
    assert!(!script.said.is_final);
    script.send(vec![replace(NAME, "b")]);

    assert!(script.said.is_final);
    assert_eq!(script.device.tree.text(NAME), Some("b"));
}

#[test]
fn an_open_package_without_commands_is_answered_with_a_request_for_more() {
    let mut script = Script::good();
    let mut message = script.message(Vec::new());
    message.is_final = false;

    script.deliver(&message);

    assert_eq!((script.alerts(), script.said.is_final), (vec!["1222"], false));
}

#[test]
fn a_large_object_is_put_together_and_executed_once() {
    let mut script = Script::good();
    let mut message = script.message(vec![chunk("first ", Some(12), true)]);
    message.is_final = false;

    script.deliver(&message);
    assert_eq!(script.statuses(), [("Add", 213)]);
    assert_eq!((script.alerts(), script.said.is_final), (vec!["1222"], false));
    script.send(vec![chunk("second", None, false)]);

    assert_eq!(script.statuses(), [("Add", 200)]);
    assert_eq!(script.device.tree.text(BLOB), Some("first second"));
    assert_eq!(script.device.ledger().count(BLOB, "Add"), 1);
}

#[test]
fn a_large_object_of_another_size_than_announced_is_not_kept() {
    let mut script = Script::good();
    let mut message = script.message(vec![chunk("first ", Some(13), true)]);
    message.is_final = false;
    script.deliver(&message);

    script.send(vec![chunk("second", None, false)]);

    assert_eq!(script.statuses(), [("Add", 424)]);
    assert_eq!(script.device.tree.text(BLOB), None);
}

#[test]
fn another_command_before_the_last_piece_breaks_the_object_off() {
    let mut script = Script::good();
    let mut message = script.message(vec![chunk("first ", Some(12), true)]);
    message.is_final = false;
    script.deliver(&message);

    script.send(vec![replace(NAME, "a")]);

    assert_eq!(script.alerts(), ["1225"]);
    assert_eq!(script.statuses(), [("Replace", 200)]);
    assert_eq!(script.device.tree.text(BLOB), None);
}

#[test]
fn an_abort_is_not_answered() {
    let mut script = Script::good();
    let message = script.message(vec![alert("1223", &[]), replace(NAME, "a")]);

    let step = script.device.receive(&message);

    assert_eq!((step.reply, step.finished), (None, Some(SessionEnd::AbortedByServer)));
    assert_eq!(script.device.tree.text(NAME), Some("M1"));
}

#[test]
fn small_messages_spread_package_1_and_survive_a_challenge() {
    let mut script = Script::behaving(&[Behaviour::SmallMessages { max_msg_size: 600 }]);
    assert!(!script.said.is_final);
    let mut commands: Vec<String> = Vec::new();
    let mut note = |script: &Script| {
        commands.extend(script.said.commands.iter().map(|it| it.name().to_owned()).filter(|it| it != "Status"));
    };

    script.refuse(StatusCode::INVALID_CREDENTIALS, md5_challenge(b"x"));
    note(&script);
    while !script.said.is_final {
        script.send(vec![alert("1222", &[])]);
        note(&script);
    }

    assert_eq!(commands, ["Alert", "Replace"]);
}

#[test]
fn skipped_message_ids_go_up_by_two() {
    let mut script = Script::behaving(&[Behaviour::SkipsMsgId]);
    let mut ids = vec![script.said.header.msg_id.to_string()];

    for _ in 0..2 {
        script.send(vec![get(&[NAME])]);
        ids.push(script.said.header.msg_id.to_string());
    }

    assert_eq!(ids, ["1", "3", "5"]);
}

#[test]
fn a_message_of_another_session_or_without_status_of_the_header_is_a_violation() {
    let mut script = Script::good();
    let mut message = script.message(Vec::new());
    message.header.session_id = "other".into();
    script.deliver(&message);
    assert!(matches!(script.end, Some(SessionEnd::Violation(_))));

    let mut script = Script::good();
    let mut message = script.message(Vec::new());
    message.commands.remove(0);
    script.deliver(&message);
    assert!(matches!(script.end, Some(SessionEnd::Violation(_))));
}

#[test]
fn a_status_of_the_header_that_is_no_success_ends_the_session() {
    let mut script = Script::good();

    script.refuse(StatusCode::PROTOCOL_VERSION_NOT_SUPPORTED, None);

    assert_eq!(script.end, Some(SessionEnd::Refused(StatusCode::PROTOCOL_VERSION_NOT_SUPPORTED)));
}

#[test]
fn departures_from_the_specification_are_noted() {
    let mut script = Script::good();
    let mut message = script.message(vec![get(&[NAME]), get(&[NAME])]);
    message.commands.retain(|it| !matches!(it, Command::Status(Status { cmd, .. }) if cmd == "Replace"));
    message.header.msg_id = "9".into();
    if let Some(Command::Get(get)) = message.commands.last_mut() {
        get.cmd_id = "0".into();
    }
    message.commands.push(status("1", "1", "Alert", StatusCode::OK));

    script.deliver(&message);

    let complaints = script.device.complaints().join("\n");
    assert!(complaints.contains("MsgID 9 after 0"), "{complaints}");
    assert!(complaints.contains("no Status for the Replace of message 1"), "{complaints}");
    assert!(complaints.contains("CmdID"), "{complaints}");
}
