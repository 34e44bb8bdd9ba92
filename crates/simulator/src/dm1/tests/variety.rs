//! What devices do otherwise than others: each behaviour, and what a server sees of it.

use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, Encoding, Item, ItemData, Message, NestedKind, Results, StatusCode, WriteKind};

use super::script::{Script, account, alert, exec, get, item, nested, profile, replace, write};
use crate::behaviour::{Behaviour, Persona};
use crate::dm1::{Device, Event, ExecOutcome, Initiation, SessionEnd, Told};

const NAME: &str = "./Vendor/Example/Name";
const NODES: [&str; 3] = ["./DevInfo/Man", "./DevInfo/Mod", NAME];

fn behaving(behaviour: Behaviour) -> Script {
    Script::behaving(&[behaviour])
}

fn results(script: &Script) -> Vec<&Results> {
    script
        .said
        .commands
        .iter()
        .filter_map(|command| if let Command::Results(results) = command { Some(results) } else { None })
        .collect()
}

#[test]
fn an_abort_is_the_last_word_and_carries_the_answers_so_far() {
    let mut script = behaving(Behaviour::Aborts { in_message: 2 });

    script.send(vec![get(&[NAME])]);

    assert_eq!(script.end, Some(SessionEnd::AbortedByDevice));
    assert_eq!((script.statuses(), script.alerts()), (vec![("Get", 200)], vec!["1223"]));
    assert!(script.said.is_final);
}

#[test]
fn an_abort_in_package_1_is_not_gone_on_from() {
    let mut script = behaving(Behaviour::Aborts { in_message: 1 });
    assert_eq!(script.alerts(), ["1201", "1223"]);

    script.send(vec![replace(NAME, "new")]);

    assert_eq!(script.end, Some(SessionEnd::AbortedByDevice));
    assert_eq!(script.device.tree.text(NAME), Some("M1"));
}

#[test]
fn resp_uri_is_ignored_by_some() {
    let mut script = behaving(Behaviour::IgnoresRespUri);
    script.header.resp_uri = Some("http://dm.example.org/dm/token".into());

    script.send(vec![get(&[NAME])]);

    assert_eq!(script.device.next_url(), super::script::URL);
    assert_eq!(script.said.header.target.uri, super::script::URL);
}

#[test]
fn an_older_message_is_answered_as_the_last_one_and_does_nothing() {
    let mut script = Script::good();
    let first = script.message(vec![replace(NAME, "a")]);
    script.deliver(&first);
    script.send(vec![replace(NAME, "b")]);
    let last = script.said.clone();

    let step = script.device.receive(&first);

    assert_eq!(step.reply, Some(last));
    assert_eq!(script.device.tree.text(NAME), Some("b"));
    assert_eq!(script.device.ledger().count(NAME, "Replace"), 2);
}

#[test]
fn a_message_after_the_end_is_a_violation() {
    let mut script = Script::good();
    script.send(Vec::new());
    assert_eq!(script.end, Some(SessionEnd::Complete));

    script.send(vec![replace(NAME, "late")]);

    assert!(matches!(script.end, Some(SessionEnd::Violation(_))));
    assert_eq!(script.device.tree.text(NAME), Some("M1"));
}

#[test]
fn answers_may_come_in_the_opposite_order_but_package_1_does_not() {
    let mut script = behaving(Behaviour::StatusesOutOfOrder);
    let names: Vec<&str> = script.said.commands.iter().map(Command::name).collect();
    assert_eq!(names, ["Alert", "Replace"]);

    script.send(vec![replace(NAME, "a"), get(&[NAME])]);

    let names: Vec<&str> = script.said.commands.iter().map(Command::name).collect();
    assert_eq!(names, ["Status", "Results", "Status", "Status"]);
    assert_eq!(script.of_header().cmd, "SyncHdr");
    assert_eq!(script.statuses(), [("Get", 200), ("Replace", 200)]);
}

#[test]
fn one_command_for_each_message_spreads_the_statuses() {
    let mut script = behaving(Behaviour::OneCommandPerMessage);
    let mut said = script.said.commands.clone();
    while !script.said.is_final {
        script.send(vec![alert("1222", &[])]);
        said.extend(script.said.commands.iter().filter(|it| !matches!(it, Command::Status(_))).cloned());
    }
    let names: Vec<&str> = said.iter().map(Command::name).collect();
    assert_eq!(names, ["Alert", "Replace"]);

    script.send(vec![get(&[NAME])]);

    assert_eq!((script.statuses(), script.said.is_final), (vec![("Get", 200)], false));
    script.send(vec![alert("1222", &[])]);
    assert_eq!(script.results().len(), 1);
}

#[test]
fn results_are_written_in_each_form_that_was_seen() {
    let said = |behaviour| {
        let mut script = behaving(behaviour);
        script.send(vec![get(&NODES)]);
        script
    };
    let script = said(Behaviour::NoMsgRefInResults);
    assert!(results(&script).iter().all(|it| it.msg_ref.is_none()));
    let script = said(Behaviour::NoMetaInResults);
    assert!(results(&script).iter().all(|it| it.meta.is_empty() && it.items[0].meta.is_empty()));
    let script = said(Behaviour::MetaBesideItems);
    let metas = results(&script);
    assert!(metas.iter().all(|it| it.meta.format.as_deref() == Some("chr") && it.items[0].meta.is_empty()));
    let script = said(Behaviour::OneStatusForItems);
    assert_eq!(script.statuses(), [("Get", 200)]);
    assert_eq!(script.results().len(), 3);
    let script = said(Behaviour::NoHeaderRefs);
    assert!(script.of_header().target_refs.is_empty() && script.of_header().source_refs.is_empty());
}

#[test]
fn names_of_children_are_encoded_by_some() {
    let mut script = behaving(Behaviour::EncodedChildNames);
    script.send(vec![write(WriteKind::Add, "./Vendor/Example/Settings/a b%", Some("x"))]);

    script.send(vec![get(&["./Vendor/Example/Settings"])]);

    assert!(script.results()[0].1.split('/').any(|it| it == "a%20b%25"), "{:?}", script.results());
}

#[test]
fn what_a_device_does_not_know_is_refused_wherever_it_stands() {
    let copy = || {
        let from = item("./DevInfo/Man").target;
        let mut command = write(WriteKind::Copy, "./Vendor/Example/Settings/Copy", None);
        if let Command::Write(write) = &mut command {
            write.items = vec![Item { source: from, ..item("./Vendor/Example/Settings/Copy") }];
        }
        command
    };
    let mut script = behaving(Behaviour::NoCopy);
    script.send(vec![copy(), nested(NestedKind::Sequence, vec![copy(), replace(NAME, "a")])]);
    assert_eq!(script.statuses(), [("Copy", 501), ("Sequence", 200), ("Copy", 501), ("Replace", 200)]);

    let mut script = behaving(Behaviour::NoLists);
    script.send(vec![get(&["./DevInfo?list=Struct"]), get(&[NAME])]);
    assert_eq!(script.statuses(), [("Get", 406), ("Get", 200)]);

    let mut script = behaving(Behaviour::NoUserInterface);
    script.send(vec![super::script::ask()]);
    assert_eq!(script.statuses(), [("Alert", 406)]);
}

#[test]
fn an_atomic_without_a_status_of_its_own_still_answers_for_its_members() {
    let mut script = behaving(Behaviour::NoAtomicStatus);

    script.send(vec![nested(NestedKind::Atomic, vec![replace(NAME, "a"), replace("./Nowhere", "b")])]);

    assert_eq!(script.statuses(), [("Replace", 216), ("Replace", 404)]);
    assert_eq!(script.device.tree.text(NAME), Some("M1"));
}

#[test]
fn some_devices_stop_at_what_they_cannot_read_and_keep_their_tree() {
    for (behaviour, command) in [
        (Behaviour::CrashesOnSequence, nested(NestedKind::Sequence, vec![replace(NAME, "b")])),
        (Behaviour::CrashesOnEmptyOptions, alert("1101", &["", "Go on?"])),
    ] {
        let mut script = behaving(behaviour);
        script.send(vec![replace(NAME, "a")]);

        script.send(vec![command]);

        assert_eq!(script.end, Some(SessionEnd::Rebooted));
        assert_eq!(script.device.tree.text(NAME), Some("a"));
        let again = script.device.start(&Initiation::Client);
        assert_eq!(again.header.msg_id, "1");
    }
    let mut script = behaving(Behaviour::CrashesOnEmptyOptions);
    script.send(vec![super::script::ask()]);
    assert_eq!(script.statuses(), [("Alert", 200)]);
}

#[test]
fn status_0_goes_to_a_server_that_did_not_prove_who_it_is() {
    let server = crate::account::ServerSecret::md5("srv", "s", b"n");
    let account = crate::account::Account { server: Some(server), ..account() };
    let mut script = Script::new(Device::new(&profile(), account, Encoding::Xml, &[Behaviour::StatusZero], 7));

    script.send(vec![replace(NAME, "new")]);

    assert_eq!(script.of_header().code, StatusCode::MISSING_CREDENTIALS);
    assert_eq!(script.statuses(), [("Replace", 0)]);
    assert_eq!(script.device.tree.text(NAME), Some("M1"));
}

#[test]
fn events_of_one_alert_share_its_correlator_and_have_types_as_the_grammar_has_them() {
    let mut script = Script::good();
    let first = Event {
        mark: Some("warning".into()),
        correlator: Some("c7".into()),
        ..Event::generic("./X", "org.example.a", "1")
    };
    let second = Event { format: "int".into(), ..Event::generic("./Y", "Content-Type: text/plain", "2") };
    script.device.raise_together(vec![first, second]);

    script.send(vec![get(&[NAME])]);

    let Some(Command::Alert(told)) = script.said.commands.last() else { panic!("no Alert") };
    assert_eq!((told.code.as_str(), told.correlator.as_deref(), told.items.len()), ("1226", Some("c7"), 2));
    assert_eq!(told.items[0].meta.kind.as_deref(), Some("Reversed-Domain-Name: org.example.a"));
    assert_eq!(told.items[0].meta.mark.as_deref(), Some("warning"));
    assert_eq!(told.items[1].meta.kind.as_deref(), Some("Content-Type: text/plain"));
    assert_eq!(told.items[1].meta.format.as_deref(), Some("int"));
}

#[test]
fn a_correlator_is_left_out_by_some_and_types_are_bare() {
    let mut script = Script::behaving(&[Behaviour::NoCorrelator, Behaviour::NoAlertPrefix]);
    let mut outcome = ExecOutcome::answering(StatusCode::ACCEPTED);
    outcome.event = Some((Told::AtOnce, Event::generic("./X", "org.example.done", "200")));
    script.device.on_exec("./Vendor/Example/Diagnose", outcome);

    script.send(vec![exec("./Vendor/Example/Diagnose")]);

    let Some(Command::Alert(told)) = script.said.commands.last() else { panic!("no Alert") };
    assert_eq!(told.correlator, None);
    assert_eq!(told.items[0].meta.kind.as_deref(), Some("org.example.done"));
}

#[test]
fn a_device_of_dm_1_1_2_says_so_and_has_no_generic_alerts() {
    let mut device = Device::new(&profile(), account(), Encoding::Xml, &[Behaviour::Dm112], 7);
    device.raise(Event::generic("./X", "org.example.a", "1"));
    device.raise(Event::client("org.example.b", "2"));

    let mut script = Script::new(device);

    let header = &script.said.header;
    assert_eq!((header.ver_dtd.as_str(), header.ver_proto.as_str()), ("1.1", "DM/1.1"));
    assert_eq!(script.alerts(), ["1201", "1224"]);
    script.header.ver_dtd = "1.1".into();
    script.header.ver_proto = "DM/1.1".into();
    script.send(vec![get(&[NAME])]);
    assert!(script.device.complaints().is_empty(), "{:?}", script.device.complaints());
}

#[test]
fn windows_tells_of_its_login_in_package_1() {
    let device = Device::new(&profile(), account(), Encoding::Xml, &Persona::Windows.behaviours(), 7);
    let script = Script::new(device);

    assert_eq!(script.alerts(), ["1201", "1224", "1224"]);
    assert!(script.said.header.session_id.bytes().all(|it| it.is_ascii_digit()));
    let Some(Command::Alert(first)) = script.said.commands.get(2) else { panic!("no Alert") };
    assert_eq!(first.items[0].meta.kind.as_deref(), Some("com.microsoft/MDM/LoginStatus"));
}

#[test]
fn device_information_may_list_its_nodes_with_meta() {
    let script = behaving(Behaviour::DevInfoWithNodes);

    let Some(Command::Write(write)) = script.said.commands.get(1) else { panic!("no Replace") };
    assert_eq!(write.items[0].data, Some(ItemData::from("DevId/Man/Mod/DmV/Lang")));
    assert_eq!(write.items[0].meta.format.as_deref(), Some("node"));
    assert!(write.items.iter().all(|it| it.meta.kind.is_some()));
}

#[test]
fn the_public_identifier_may_be_text_and_the_document_means_the_same() {
    let device = |behaviours: &[Behaviour]| Device::new(&profile(), account(), Encoding::Wbxml, behaviours, 7);
    let mut plain = device(&[]);
    let mut samsung = device(&[Behaviour::PublicIdAsText]);
    let (one, other) = (plain.start(&Initiation::Client), samsung.start(&Initiation::Client));

    let (usual, octets) = (plain.write(&one).unwrap(), samsung.write(&other).unwrap());

    assert!(octets.starts_with(b"\x02\x00\x00\x6A\x1D-//SYNCML//DTD SyncML 1.2//EN"));
    assert_eq!(octets.len(), usual.len() + 29);
    let read = |octets: &[u8]| Message::decode(Encoding::Wbxml, octets, &Limits::DEVICE).unwrap();
    assert_eq!(read(&octets), read(&usual));
}

#[test]
fn small_messages_stay_small_with_a_longer_head() {
    let behaviours = [Behaviour::PublicIdAsText, Behaviour::SmallMessages { max_msg_size: 700 }];
    let device = Device::new(&profile(), account(), Encoding::Wbxml, &behaviours, 7);
    let mut script = Script::new(device);
    script.send(vec![replace(NAME, &"v".repeat(3_000))]);
    script.send(vec![get(&[NAME, "./DevInfo/Man"])]);

    for _ in 0..30 {
        assert!(script.device.write(&script.said).unwrap().len() <= 700);
        if script.said.is_final {
            return;
        }
        script.send(vec![alert("1222", &[])]);
    }
    panic!("the package never ends");
}
