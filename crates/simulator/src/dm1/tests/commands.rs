use muster_protocol::syncml::{
    Address, Command, Encoding, Exec, Item, ItemData, Meta, NestedKind, StatusCode, Text, Write, WriteKind,
};

use super::script::{Script, account, add, alert, ask, delete, exec, get, item, nested, profile, replace, write};
use crate::behaviour::Behaviour;
use crate::dm1::{Device, Event, ExecOutcome, Initiation, Told};

const NAME: &str = "./Vendor/Example/Name";
const SETTINGS: &str = "./Vendor/Example/Settings";

fn pair(uri: &str, value: &str) -> (String, String) {
    (uri.to_owned(), value.to_owned())
}

#[test]
fn get_answers_leaves_with_values_and_interior_nodes_with_names() {
    let mut script = Script::good();

    script.send(vec![get(&["./DevInfo/Man", "./DevDetail/URI", "./Nowhere"])]);

    assert_eq!(script.statuses(), [("Get", 200), ("Get", 200), ("Get", 404)]);
    assert_eq!(
        script.results(),
        [pair("./DevInfo/Man", "Example"), pair("./DevDetail/URI", "MaxDepth/MaxSegLen/MaxTotLen")]
    );
}

#[test]
fn statuses_come_before_results_and_refer_to_the_servers_message() {
    let mut script = Script::good();

    script.send(vec![get(&["./DevInfo/Man"])]);

    let names: Vec<&str> = script.said.commands.iter().map(Command::name).collect();
    assert_eq!(names, ["Status", "Status", "Results"]);
    let Command::Status(status) = &script.said.commands[1] else { panic!("not a Status") };
    assert_eq!((status.msg_ref.as_str(), status.target_refs[0].as_str()), ("1", "./DevInfo/Man"));
    let Command::Results(results) = &script.said.commands[2] else { panic!("not Results") };
    assert_eq!(results.cmd_ref, status.cmd_ref);
    assert_eq!(results.items[0].meta.format.as_deref(), Some("chr"));
}

#[test]
fn add_replace_and_delete_change_the_tree_and_are_counted() {
    let mut script = Script::good();
    let leaf = format!("{SETTINGS}/A/B");

    script.send(vec![add(&leaf, "1"), add(&leaf, "2"), replace(&leaf, "3"), replace("./X", "4")]);
    assert_eq!(script.statuses(), [("Add", 200), ("Add", 418), ("Replace", 200), ("Replace", 404)]);
    assert_eq!(script.device.tree.text(&leaf), Some("3"));
    script.send(vec![delete(&format!("{SETTINGS}/A")), delete("./DevInfo"), delete(&leaf)]);

    assert_eq!(script.statuses(), [("Delete", 200), ("Delete", 405), ("Delete", 404)]);
    let ledger = script.device.ledger();
    assert_eq!((ledger.count(&leaf, "Add"), ledger.count(&leaf, "Replace"), ledger.count("./X", "Replace")), (1, 1, 0));
    assert_eq!(ledger.session().len(), 7);
}

#[test]
fn copy_takes_the_value_from_its_source() {
    let mut script = Script::good();
    let item = Item { source: Some(Address::new("./DevInfo/Man")), ..item(NAME) };
    let copy = Write { kind: WriteKind::Copy, cmd_id: Text::default(), meta: Meta::default(), items: vec![item] };

    script.send(vec![Command::Write(copy)]);

    assert_eq!(script.statuses(), [("Copy", 200)]);
    assert_eq!(script.device.tree.text(NAME), Some("Example"));
}

#[test]
fn base64_in_xml_becomes_octets_and_goes_back_as_base64_or_opaque() {
    for (encoding, format, data) in
        [(Encoding::Xml, "b64", ItemData::from("AP8B")), (Encoding::Wbxml, "bin", ItemData::Opaque(vec![0, 255, 1]))]
    {
        let mut script = Script::new(Device::new(&profile(), account(), encoding, &[], 7));
        let uri = format!("{SETTINGS}/Blob");
        let item = Item {
            meta: Meta { format: Some("b64".into()), ..Meta::default() },
            data: Some("AP8B".into()),
            ..item(&uri)
        };
        let add = Write { kind: WriteKind::Add, cmd_id: Text::default(), meta: Meta::default(), items: vec![item] };

        script.send(vec![Command::Write(add), get(&[&uri])]);

        let Some(Command::Results(results)) = script.said.commands.last() else { panic!("no Results") };
        assert_eq!(results.items[0].meta.format.as_deref(), Some(format));
        assert_eq!(results.items[0].data, Some(data));
    }
}

#[test]
fn an_interior_node_is_added_with_format_node() {
    let mut script = Script::good();
    let mut command = write(WriteKind::Add, &format!("{SETTINGS}/Folder"), None);
    if let Command::Write(write) = &mut command {
        write.meta.format = Some("node".into());
    }

    script.send(vec![command, write(WriteKind::Add, &format!("{SETTINGS}/NoData"), None)]);

    assert_eq!(script.statuses(), [("Add", 200), ("Add", 412)]);
    assert_eq!(script.device.tree.children(SETTINGS), ["Folder"]);
}

#[test]
fn exec_does_what_the_table_says_and_echoes_the_correlator() {
    let mut script = Script::good();
    let mut outcome = ExecOutcome::answering(StatusCode::ACCEPTED);
    outcome.sets.push((NAME.to_owned(), "diagnosed".to_owned()));
    outcome.event = Some((Told::AtOnce, Event::generic("./Vendor/Example", "org.example.diagnosed", "200")));
    script.device.on_exec("./Vendor/Example/Diagnose", outcome);

    script.send(vec![exec("./Vendor/Example/Diagnose"), exec("./DevInfo/Man"), exec("./Nowhere")]);

    assert_eq!(script.statuses(), [("Exec", 202), ("Exec", 405), ("Exec", 404)]);
    assert_eq!(script.device.tree.text(NAME), Some("diagnosed"));
    let Some(Command::Alert(told)) = script.said.commands.last() else { panic!("no Alert") };
    assert_eq!((told.code.as_str(), told.correlator.as_deref()), ("1226", Some("c1")));
    assert_eq!(told.items[0].meta.kind.as_deref(), Some("Reversed-Domain-Name: org.example.diagnosed"));
}

#[test]
fn a_firmware_update_is_told_in_the_next_session_with_the_new_version() {
    let mut script = Script::good();

    script.send(vec![
        replace("./FUMO/Package/PkgVersion", "2.0"),
        replace("./FUMO/Package/DownloadAndUpdate/PkgURL", "http://127.0.0.1/p"),
        exec("./FUMO/Package/DownloadAndUpdate"),
    ]);
    assert_eq!(script.statuses(), [("Replace", 200), ("Replace", 200), ("Exec", 202)]);
    assert!(script.alerts().is_empty());

    let again = script.device.start(&Initiation::Client);
    assert_eq!(script.device.tree.text("./DevDetail/FwV"), Some("2.0"));
    let Some(Command::Alert(told)) = again.commands.last() else { panic!("no Alert") };
    assert_eq!((told.code.as_str(), told.correlator.as_deref()), ("1226", Some("c1")));
}

#[test]
fn two_items_in_one_exec_are_refused() {
    let mut script = Script::good();
    let items = vec![item("./Vendor/Example/Diagnose"), item("./Vendor/Example/Diagnose")];

    script.send(vec![Command::Exec(Exec { items, ..Exec::default() })]);

    assert_eq!(script.statuses(), [("Exec", 500)]);
    assert_eq!(script.device.ledger().count("./Vendor/Example/Diagnose", "Exec"), 0);
}

#[test]
fn an_atomic_that_succeeds_is_done_whole() {
    let mut script = Script::good();
    let members = vec![replace(NAME, "a"), add(&format!("{SETTINGS}/A"), "b")];

    script.send(vec![nested(NestedKind::Atomic, members)]);

    assert_eq!(script.statuses(), [("Atomic", 200), ("Replace", 200), ("Add", 200)]);
    assert_eq!(script.device.tree.text(NAME), Some("a"));
}

#[test]
fn an_atomic_that_fails_leaves_no_trace() {
    let mut script = Script::good();
    let members = vec![replace(NAME, "a"), replace("./Nowhere", "b"), add(&format!("{SETTINGS}/A"), "c")];

    script.send(vec![nested(NestedKind::Atomic, members)]);

    assert_eq!(script.statuses(), [("Atomic", 507), ("Replace", 216), ("Replace", 404), ("Add", 215)]);
    assert_eq!(script.device.tree.text(NAME), Some("M1"));
    assert!(script.device.tree.children(SETTINGS).is_empty());
    assert_eq!(script.device.ledger().count(NAME, "Replace"), 0);
}

#[test]
fn a_get_inside_an_atomic_makes_it_fail() {
    let mut script = Script::good();

    script.send(vec![nested(NestedKind::Atomic, vec![replace(NAME, "a"), get(&["./DevInfo/Man"])])]);

    assert_eq!(script.statuses(), [("Atomic", 507), ("Replace", 216), ("Get", 500)]);
    assert!(script.results().is_empty());
}

#[test]
fn a_no_of_the_user_rolls_an_atomic_back() {
    let mut script = Script::behaving(&[Behaviour::Declines]);

    script.send(vec![nested(NestedKind::Atomic, vec![replace(NAME, "a"), ask(), replace(NAME, "b")])]);

    assert_eq!(script.statuses(), [("Atomic", 507), ("Replace", 216), ("Alert", 304), ("Replace", 215)]);
    assert_eq!(script.device.tree.text(NAME), Some("M1"));
}

#[test]
fn a_sequence_stops_where_the_user_says_no() {
    for (behaviour, code) in [(Behaviour::Declines, 304), (Behaviour::NoAnswerFromUser, 408), (Behaviour::Cancels, 214)]
    {
        let mut script = Script::behaving(&[behaviour]);

        script.send(vec![nested(NestedKind::Sequence, vec![replace(NAME, "a"), ask(), replace(NAME, "b")])]);

        let expected = [("Sequence", 200), ("Replace", 200), ("Alert", code), ("Replace", 215)];
        assert_eq!(script.statuses(), expected);
        assert_eq!(script.device.tree.text(NAME), Some("a"));
    }
}

#[test]
fn a_sequence_goes_on_after_a_yes_and_after_a_failed_command() {
    let mut script = Script::good();

    script.send(vec![nested(NestedKind::Sequence, vec![ask(), replace("./Nowhere", "x"), replace(NAME, "b")])]);

    assert_eq!(script.statuses(), [("Sequence", 200), ("Alert", 200), ("Replace", 404), ("Replace", 200)]);
    assert_eq!(script.device.tree.text(NAME), Some("b"));
}

#[test]
fn a_question_beside_other_commands_does_not_stop_them() {
    let mut script = Script::behaving(&[Behaviour::Declines]);

    script.send(vec![ask(), replace(NAME, "b"), alert("1100", &["", "Done"])]);

    assert_eq!(script.statuses(), [("Alert", 304), ("Replace", 200), ("Alert", 200)]);
}

#[test]
fn a_failing_node_is_answered_as_told_and_not_touched() {
    let fails = Behaviour::FailsWith { status: StatusCode::COMMAND_FAILED, path: NAME.into() };
    let mut script = Script::behaving(&[fails]);

    script.send(vec![replace(NAME, "b"), get(&[NAME]), get(&["./DevInfo/Man"])]);

    assert_eq!(script.statuses(), [("Replace", 500), ("Get", 500), ("Get", 200)]);
    assert_eq!(script.device.tree.text(NAME), Some("M1"));
}

#[test]
fn commands_of_data_synchronisation_are_not_supported() {
    let mut script = Script::good();

    script.send(vec![Command::Unsupported { name: "Put".into(), cmd_id: Text::default() }]);

    assert_eq!(script.statuses(), [("Put", 406)]);
}
