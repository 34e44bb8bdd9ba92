//! Large objects both ways, and the sizes that each side announces.

use muster_protocol::syncml::{
    Alert, Command, Encoding, Exec, Item, ItemData, Meta, StatusCode, Text, Write, WriteKind,
};

use super::script::{Script, account, add, alert, exec, get, item, profile, replace};
use crate::behaviour::Behaviour;
use crate::dm1::{Device, Event, Initiation, SessionEnd};

const NAME: &str = "./Vendor/Example/Name";
const BLOB: &str = "./Vendor/Example/Settings/Blob";
const RUN: &str = "./Vendor/Example/Diagnose";

fn piece(data: &str, size: Option<u64>, more_data: bool) -> Item {
    let meta = Meta { size, ..Meta::default() };
    Item { meta, data: Some(data.into()), more_data, ..item(BLOB) }
}

fn chunk(data: &str, size: Option<u64>, more_data: bool) -> Command {
    let items = vec![piece(data, size, more_data)];
    Command::Write(Write { kind: WriteKind::Add, cmd_id: Text::default(), meta: Meta::default(), items })
}

/// Delivers commands in a message that leaves the package open.
fn deliver_open(script: &mut Script, commands: Vec<Command>) {
    let mut message = script.message(commands);
    message.is_final = false;
    script.deliver(&message);
}

/// What the device sends until its package is closed, each message asked for with Alert 1222.
fn rest_of_package(script: &mut Script) -> Vec<Command> {
    let mut all = script.said.commands.clone();
    for _ in 0..50 {
        if script.said.is_final {
            return all;
        }
        script.send(vec![alert("1222", &[])]);
        all.extend(script.said.commands.iter().cloned());
    }
    panic!("the package never ends");
}

fn events(commands: &[Command]) -> Vec<&Item> {
    let mut all = Vec::new();
    for command in commands {
        if let Command::Alert(Alert { code, items, .. }) = command
            && code == "1226"
        {
            all.extend(items);
        }
    }
    all
}

#[test]
fn the_data_of_an_exec_may_come_in_pieces_and_it_runs_once() {
    let mut script = Script::good();
    let part = |data: &str, size, more_data| {
        let item = Item { target: item(RUN).target, ..piece(data, size, more_data) };
        Command::Exec(Exec { correlator: Some("c".into()), items: vec![item], ..Exec::default() })
    };

    deliver_open(&mut script, vec![part("first ", Some(12), true)]);
    assert_eq!(script.statuses(), [("Exec", 213)]);
    assert_eq!(script.device.ledger().count(RUN, "Exec"), 0);
    script.send(vec![part("second", None, false)]);

    assert_eq!(script.statuses(), [("Exec", 200)]);
    assert_eq!(script.device.ledger().count(RUN, "Exec"), 1);
}

#[test]
fn a_device_says_what_it_takes_and_takes_no_more() {
    let mut script = Script::behaving(&[Behaviour::SmallObjects { max_obj_size: 100 }]);
    assert_eq!(script.said.header.meta.max_obj_size, Some(100));

    deliver_open(&mut script, vec![chunk("x", Some(101), true)]);
    assert_eq!(script.statuses(), [("Add", 416)]);
    deliver_open(&mut script, vec![chunk(&"x".repeat(60), Some(100), true)]);
    assert_eq!(script.statuses(), [("Add", 213)]);
    script.send(vec![chunk(&"x".repeat(41), None, false)]);
    assert_eq!(script.statuses(), [("Add", 413)]);
    script.send(vec![add(BLOB, &"x".repeat(101))]);
    assert_eq!(script.statuses(), [("Add", 413)]);
    script.send(vec![add(BLOB, &"x".repeat(100))]);

    assert_eq!(script.statuses(), [("Add", 200)]);
}

#[test]
fn a_device_without_large_objects_announces_none_and_takes_no_pieces() {
    let mut script = Script::behaving(&[Behaviour::NoLargeObjects]);
    assert_eq!(script.said.header.meta.max_obj_size, None);
    assert_eq!(script.device.tree.text("./DevDetail/LrgObj"), Some("false"));

    deliver_open(&mut script, vec![chunk("x", Some(2), true)]);

    assert_eq!(script.statuses(), [("Add", 406)]);
}

#[test]
fn a_value_that_would_need_pieces_is_answered_413_by_a_device_that_sends_none() {
    let mut script = Script::behaving(&[Behaviour::NoLargeObjects]);
    script.send(vec![replace(NAME, &"v".repeat(3_000))]);
    script.header.meta.max_msg_size = Some(1_500);

    script.send(vec![get(&[NAME, "./DevInfo/Man"])]);
    let said = rest_of_package(&mut script);

    let codes: Vec<u16> = said.iter().filter_map(get_code).collect();
    assert_eq!(codes, [413, 200]);
    assert_eq!(said.iter().filter(|it| matches!(it, Command::Results(_))).count(), 1);
}

fn get_code(command: &Command) -> Option<u16> {
    match command {
        Command::Status(status) if status.cmd == "Get" => Some(status.code.0),
        _ => None,
    }
}

#[test]
fn no_object_above_the_servers_max_obj_size_is_sent() {
    let mut script = Script::good();
    script.send(vec![replace(NAME, &"v".repeat(300))]);
    script.header.meta.max_obj_size = Some(200);
    script.device.raise(Event::generic("./X", "org.example.long", &"e".repeat(300)));
    script.device.raise(Event::generic("./X", "org.example.short", "e"));

    script.send(vec![get(&[NAME])]);

    assert_eq!(script.statuses(), [("Get", 413)]);
    assert!(script.results().is_empty());
    assert_eq!(events(&script.said.commands).len(), 1);
    assert_eq!(script.device.ledger().count(NAME, "Get"), 0);
}

#[test]
fn an_event_above_the_servers_limit_is_sent_in_pieces_and_several_are_parted() {
    let mut script = Script::good();
    script.header.meta.max_msg_size = Some(1_500);
    let long: String = ('a'..='z').cycle().take(4_000).collect();
    let pair = vec![Event::generic("./X", "org.example.a", &long), Event::generic("./X", "org.example.b", "short")];
    script.device.raise_together(pair);

    script.send(vec![get(&["./DevInfo/Man"])]);
    let said = rest_of_package(&mut script);
    let sent = events(&said);

    let (of_a, of_b): (Vec<&&Item>, Vec<&&Item>) =
        sent.iter().partition(|it| it.meta.kind.as_deref().is_some_and(|kind| kind.ends_with('a')));
    let together: String = of_a.iter().filter_map(|it| it.data.as_ref().and_then(ItemData::as_text)).collect();
    assert_eq!(together, long);
    assert_eq!(of_a.first().and_then(|it| it.meta.size), Some(4_000));
    assert!(of_a.len() > 2 && of_a[1..].iter().all(|it| it.meta.size.is_none()));
    assert!(of_a.iter().rev().skip(1).all(|it| it.more_data));
    assert_eq!(of_b.len(), 1);
}

#[test]
fn a_server_that_lost_the_thread_of_an_object_gets_no_more_of_it() {
    let mut script = Script::good();
    script.send(vec![replace(NAME, &"v".repeat(6_000))]);
    script.header.meta.max_msg_size = Some(1_500);
    script.send(vec![get(&[NAME])]);
    // The Status alone fits beside nothing else; the first piece follows.
    while !script.said.commands.iter().any(|it| matches!(it, Command::Results(_))) {
        script.send(vec![alert("1222", &[])]);
    }

    script.send(vec![alert("1225", &[])]);

    assert!(script.said.commands.iter().all(|it| !matches!(it, Command::Results(_))));
    assert_eq!(script.statuses(), [("Alert", 200)]);
    assert!(script.said.is_final);
}

#[test]
fn a_wrong_size_and_an_object_left_unfinished_are_faults_that_a_server_must_see() {
    let value = "v".repeat(6_000);
    for (behaviour, sizes) in [(Behaviour::WrongSize, Some(6_001)), (Behaviour::LeavesObjects, Some(6_000))] {
        let mut script = Script::behaving(std::slice::from_ref(&behaviour));
        script.send(vec![replace(NAME, &value)]);
        script.header.meta.max_msg_size = Some(1_500);
        script.send(vec![get(&[NAME])]);
        let said = rest_of_package(&mut script);
        let pieces: Vec<&Item> = said
            .iter()
            .filter_map(|it| if let Command::Results(results) = it { Some(&results.items) } else { None })
            .flatten()
            .collect();

        assert_eq!(pieces[0].meta.size, sizes);
        assert_eq!(pieces.len() == 1, behaviour == Behaviour::LeavesObjects);
    }
}

#[test]
fn an_object_that_the_server_leaves_is_noted_and_not_kept() {
    let mut script = Script::good();
    deliver_open(&mut script, vec![chunk("first ", Some(12), true)]);

    script.send(Vec::new());

    assert_eq!(script.end, Some(SessionEnd::Complete));
    assert!(script.device.complaints().iter().any(|it| it.contains("in the middle of an object")));
    assert_eq!(script.device.tree.text(BLOB), None);
}

#[test]
fn a_piece_in_a_final_message_is_noted() {
    let mut script = Script::good();

    script.send(vec![chunk("first ", Some(12), true)]);

    assert!(script.device.complaints().iter().any(|it| it.contains("Final")));
}

#[test]
fn without_statuses_for_pieces_every_message_is_final() {
    let mut script = Script::behaving(&[Behaviour::NoChunkStatuses]);

    deliver_open(&mut script, vec![chunk("first ", Some(12), true)]);
    assert_eq!((script.statuses(), script.alerts(), script.said.is_final), (vec![], vec![], true));
    script.send(vec![chunk("second", None, false)]);

    assert_eq!(script.statuses(), [("Add", 200)]);
    assert_eq!(script.device.tree.text(BLOB), Some("first second"));
}

#[test]
fn an_object_does_not_outlive_its_session() {
    let mut script = Script::good();
    deliver_open(&mut script, vec![chunk("first ", Some(12), true)]);
    script.device.reboot();
    let mut script = Script::of(script.device, &Initiation::Client);

    script.send(vec![chunk("second", None, false), exec(RUN)]);

    assert_eq!(script.device.tree.text(BLOB), Some("second"));
    assert!(script.alerts().is_empty());
    assert_eq!(script.of_header().code, StatusCode::OK);
}

#[test]
fn limits_of_the_server_mean_nothing_to_some() {
    let device = Device::new(&profile(), account(), Encoding::Xml, &[Behaviour::IgnoresServerLimits], 7);
    let mut script = Script::new(device);
    script.header.meta.max_msg_size = Some(600);
    script.send(vec![replace(NAME, &"v".repeat(2_000))]);

    script.send(vec![get(&[NAME])]);

    assert_eq!(script.results()[0].1.len(), 2_000);
    assert!(script.said.is_final);
}

#[test]
fn a_server_that_announces_no_size_gets_messages_of_a_few_thousand_octets() {
    let mut script = Script::good();
    script.header.meta.max_msg_size = None;
    script.device.raise(Event::generic("./X", "org.example.long", &"e".repeat(12_000)));
    script = Script::of(script.device, &Initiation::Client);
    script.header.meta.max_msg_size = None;

    let mut sizes = vec![script.device.write(&script.said).unwrap().len()];
    while !script.said.is_final {
        assert!(sizes.len() < 10, "{sizes:?}");
        script.send(vec![alert("1222", &[])]);
        sizes.push(script.device.write(&script.said).unwrap().len());
    }

    assert!(sizes.iter().all(|size| *size <= 5_000), "{sizes:?}");
}
