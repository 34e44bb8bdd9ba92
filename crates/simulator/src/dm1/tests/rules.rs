//! Rules of the specification that hold in every session, one by one.

use muster_protocol::syncml::{
    Alert, Command, Item, ItemData, Meta, NestedKind, Results, StatusCode, Text, Write, WriteKind,
};

use super::script::{Script, URL, add, alert, ask, exec, get, item, nested, replace, status, write};
use crate::account::ServerSecret;
use crate::behaviour::Behaviour;
use crate::dm1::{Device, Event, Initiation};
use crate::tree::{TreeLimits, VALUE_BYTES_MAX};

const NAME: &str = "./Vendor/Example/Name";
const BLOB: &str = "./Vendor/Example/Settings/Blob";

/// A piece of base64 text for a new node.
fn piece(data: &str, size: Option<u64>, more_data: bool) -> Command {
    let meta = Meta { format: Some("b64".into()), size, ..Meta::default() };
    let items = vec![Item { meta, data: Some(data.into()), more_data, ..item(BLOB) }];
    Command::Write(Write { kind: WriteKind::Add, cmd_id: Text::default(), meta: Meta::default(), items })
}

fn deliver_open(script: &mut Script, commands: Vec<Command>) {
    let mut message = script.message(commands);
    message.is_final = false;
    script.deliver(&message);
}

fn alerts(script: &Script) -> Vec<&Alert> {
    let of_alert = |it: &'_ Command| matches!(it, Command::Alert(_));
    let all = script.said.commands.iter().filter(|it| of_alert(it));
    all.filter_map(|it| if let Command::Alert(alert) = it { Some(alert) } else { None }).collect()
}

#[test]
fn a_request_for_no_answer_is_answered() {
    let mut script = Script::good();
    script.header.no_resp = true;

    script.send(vec![replace(NAME, "a"), get(&[NAME])]);

    assert_eq!(script.of_header().code, StatusCode::OK);
    assert_eq!(script.statuses(), [("Replace", 200), ("Get", 200)]);
}

#[test]
fn the_status_of_the_header_refers_to_the_servers_message_and_its_two_ends() {
    let mut script = Script::good();
    script.msg_id = 6;

    script.send(vec![get(&[NAME])]);

    let of_header = script.of_header();
    assert_eq!((of_header.msg_ref.as_str(), of_header.cmd_ref.as_str(), of_header.cmd.as_str()), ("7", "0", "SyncHdr"));
    assert_eq!(of_header.target_refs, [script.device.uri()]);
    assert_eq!(of_header.source_refs, [URL]);
}

#[test]
fn every_message_has_what_a_header_must_have() {
    let mut script = Script::good();

    for msg_id in 1..=3 {
        let text = String::from_utf8(script.device.write(&script.said).unwrap()).unwrap();
        let (id, uri) = (&script.said.header.session_id, script.device.uri());
        let header = format!(
            "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>{id}\
             </SessionID><MsgID>{msg_id}</MsgID><Target><LocURI>{URL}</LocURI></Target><Source><LocURI>{uri}</LocURI>"
        );
        assert!(text.contains(&header), "{text}");
        script.send(vec![get(&[NAME])]);
    }
}

#[test]
fn results_refer_to_the_message_and_command_of_their_get_and_say_what_the_value_is() {
    let mut script = Script::good();
    script.msg_id = 6;

    script.send(vec![replace(NAME, "a"), get(&["Vendor/Example/Name"])]);

    let Some(Command::Results(results)) = script.said.commands.last() else { panic!("no Results") };
    let Some(Command::Status(status)) = script.said.commands.iter().rev().nth(1) else { panic!("no Status") };
    assert_eq!((results.msg_ref.as_deref(), status.msg_ref.as_str()), (Some("7"), "7"));
    assert_eq!((&results.cmd_ref, status.cmd.as_str()), (&status.cmd_ref, "Get"));
    let item = &results.items[0];
    assert_eq!((item.meta.format.as_deref(), item.meta.kind.as_deref()), (Some("chr"), Some("text/plain")));
    // The address as the server wrote it.
    assert_eq!(item.source.as_ref().unwrap().uri, "Vendor/Example/Name");
}

#[test]
fn session_ids_are_the_same_whatever_their_case_and_new_for_each_session() {
    let mut script = Script::of(Script::good().device, &Initiation::Server { session_id: "AB".into() });
    script.header.session_id = "ab".into();
    script.send(vec![get(&[NAME])]);
    assert_eq!((&script.end, script.said.header.session_id.as_str()), (&None, "AB"));

    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = script.device.start(&Initiation::Client).header.session_id;
        assert!(u16::from_str_radix(&id, 16).is_ok_and(|it| it > 0 && format!("{it:X}") == id), "{id}");
        assert!(!ids.contains(&id), "{id} again");
        ids.push(id);
    }
}

#[test]
fn statuses_and_results_of_a_server_are_not_answered() {
    let mut script = Script::good();
    let results = Command::Results(Results { items: vec![item(NAME)], ..Results::default() });

    script.send(vec![status("1", "1", "Alert", StatusCode::COMMAND_FAILED), results, get(&[NAME])]);

    assert_eq!(script.statuses(), [("Get", 200)]);
}

#[test]
fn a_request_for_the_next_message_is_answered_with_200_beside_what_is_left() {
    let mut script = Script::behaving(&[Behaviour::OneCommandPerMessage]);
    assert!(!script.said.is_final);

    script.send(vec![alert("1222", &[])]);

    assert_eq!(script.statuses(), [("Alert", 200)]);
    let names: Vec<&str> = script.said.commands.iter().map(Command::name).collect();
    assert_eq!((names, script.said.is_final), (vec!["Status", "Status", "Replace"], true));
}

#[test]
fn more_is_asked_for_only_by_a_device_with_nothing_else_to_say() {
    let mut script = Script::good();
    deliver_open(&mut script, vec![get(&[NAME])]);
    assert_eq!((script.alerts(), script.said.is_final), (vec![], false));

    deliver_open(&mut script, Vec::new());

    assert_eq!((script.alerts(), script.said.is_final), (vec!["1222"], false));
}

#[test]
fn package_1_has_each_node_of_device_information_with_its_address_and_value() {
    let script = Script::good();

    let Some(Command::Write(write)) = script.said.commands.get(1) else { panic!("no Replace") };
    assert_eq!(write.kind, WriteKind::Replace);
    let said = |it: &Item| {
        let value = it.data.as_ref().and_then(ItemData::as_text).unwrap().to_owned();
        (it.source.as_ref().unwrap().uri.to_string(), value)
    };
    let expected = ["DevId", "Man", "Mod", "DmV", "Lang"].map(|name| {
        let uri = format!("./DevInfo/{name}");
        let value = script.device.tree.text(&uri).unwrap().to_owned();
        (uri, value)
    });
    assert_eq!(write.items.iter().map(said).collect::<Vec<_>>(), expected);
    assert!(expected.iter().all(|(_, value)| !value.is_empty()), "{expected:?}");
}

#[test]
fn the_first_message_says_which_sizes_the_device_takes_and_the_next_do_not() {
    let mut script = Script::good();
    let sizes = |script: &Script| (script.said.header.meta.max_msg_size, script.said.header.meta.max_obj_size);
    assert_eq!(sizes(&script), (Some(16_384), Some(VALUE_BYTES_MAX as u64)));

    script.send(vec![get(&[NAME])]);

    assert_eq!(sizes(&script), (None, None));
}

#[test]
fn the_largest_object_of_the_server_stays_in_force_until_it_names_another() {
    let mut script = Script::good();
    script.send(vec![replace(NAME, &"v".repeat(300))]);

    for (announced, code) in [(Some(200), 413), (None, 413), (Some(300), 200), (None, 200)] {
        script.header.meta.max_obj_size = announced;
        script.send(vec![get(&[NAME])]);
        assert_eq!(script.statuses(), [("Get", code)], "{announced:?}");
    }
}

#[test]
fn the_alert_for_an_object_broken_off_names_its_node() {
    let mut script = Script::good();
    deliver_open(&mut script, vec![piece("AP", Some(4), true)]);

    script.send(vec![replace(NAME, "a")]);

    let alerts = alerts(&script);
    assert_eq!((alerts.len(), alerts[0].code.as_str()), (1, "1225"));
    assert_eq!(alerts[0].items[0].target.as_ref().unwrap().uri, BLOB);
}

#[test]
fn the_size_of_an_object_counts_base64_and_that_of_a_node_its_octets() {
    let mut script = Script::good();
    deliver_open(&mut script, vec![piece("AP", Some(4), true)]);

    script.send(vec![piece("8B", None, false)]);
    assert_eq!(script.statuses(), [("Add", 200)]);
    script.send(vec![get(&[&format!("{BLOB}?prop=Size"), &format!("{BLOB}?prop=Format")])]);

    let values: Vec<String> = script.results().into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["3", "bin"]);
}

#[test]
fn an_object_that_failed_may_be_sent_again() {
    let mut script = Script::good();
    deliver_open(&mut script, vec![piece("AP", Some(5), true)]);
    deliver_open(&mut script, vec![piece("8B", None, false)]);
    assert_eq!(script.statuses(), [("Add", 424)]);

    deliver_open(&mut script, vec![piece("AP", Some(4), true)]);
    script.send(vec![piece("8B", None, false)]);

    assert_eq!(script.statuses(), [("Add", 200)]);
}

#[test]
fn a_piece_beside_others_or_in_a_container_is_not_taken_for_the_whole() {
    let mut two = piece("AP", Some(4), true);
    if let Command::Write(write) = &mut two {
        write.items.insert(0, Item { data: Some("v".into()), ..item("./Vendor/Example/Settings/x") });
    }
    let in_sequence = nested(NestedKind::Sequence, vec![piece("AP8B", Some(8), true)]);
    let in_atomic = nested(NestedKind::Atomic, vec![piece("AP8B", Some(8), true)]);
    for (command, expected) in [
        (two, vec![("Add", 200), ("Add", 412)]),
        (in_sequence, vec![("Sequence", 200), ("Add", 412)]),
        (in_atomic, vec![("Atomic", 507), ("Add", 412)]),
    ] {
        let mut script = Script::good();

        deliver_open(&mut script, vec![command]);

        assert_eq!(script.statuses(), expected);
        assert!(!script.device.tree.children("./Vendor/Example/Settings").contains(&"Blob"));
    }
}

#[test]
fn the_meta_of_an_item_goes_before_that_of_its_command() {
    let mut command = add("./Vendor/Example/Settings/x", "many");
    if let Command::Write(write) = &mut command {
        write.meta.format = Some("int".into());
        write.items[0].meta.format = Some("chr".into());
    }
    let mut script = Script::good();

    script.send(vec![command]);

    assert_eq!(script.statuses(), [("Add", 200)]);
}

#[test]
fn an_add_says_what_its_node_is() {
    let mut folder = write(WriteKind::Add, "./Vendor/Example/Settings/F", None);
    let mut page = add("./Vendor/Example/Settings/F/page", "<p/>");
    for (command, format, kind) in [(&mut folder, "node", "urn:x:folder:1.0"), (&mut page, "xml", "text/html")] {
        let Command::Write(write) = command else { continue };
        write.meta = Meta { format: Some(format.into()), kind: Some(kind.into()), ..Meta::default() };
    }
    let mut script = Script::good();
    script.send(vec![folder, page, add("./Vendor/Example/Settings/F/plain", "v")]);

    let of =
        |node: &str| ["Format", "Type"].map(|property| format!("./Vendor/Example/Settings/{node}?prop={property}"));
    let asked = [of("F"), of("F/page"), of("F/plain")].concat();
    script.send(vec![get(&asked.iter().map(String::as_str).collect::<Vec<_>>())]);

    let values: Vec<String> = script.results().into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["node", "urn:x:folder:1.0", "xml", "text/html", "chr", "text/plain"]);
}

#[test]
fn an_interior_node_without_children_is_read_as_no_names() {
    let mut script = Script::good();

    script.send(vec![get(&["./Vendor/Example/Settings"])]);

    let Some(Command::Results(results)) = script.said.commands.last() else { panic!("no Results") };
    assert_eq!(results.items[0].meta.format.as_deref(), Some("node"));
    assert_eq!(results.items[0].data, Some("".into()));
}

#[test]
fn an_event_has_its_address_type_format_mark_and_data() {
    let mut script = Script::good();
    let event = Event { mark: Some("critical".into()), ..Event::generic("./X", "org.example.heat", "hot") };
    script.device.raise(event);
    script.device.raise(Event::client("org.example.user", "hello"));

    script.send(vec![get(&[NAME])]);

    let alerts = alerts(&script);
    let data = |alert: &Alert| alert.items[0].data.as_ref().and_then(ItemData::as_text).unwrap().to_owned();
    assert_eq!((alerts[0].code.as_str(), alerts[1].code.as_str()), ("1226", "1224"));
    assert_eq!((data(alerts[0]), data(alerts[1])), ("hot".into(), "hello".into()));
    assert_eq!(alerts[0].items[0].source.as_ref().unwrap().uri, "./X");
    assert_eq!(alerts[0].items[0].meta.mark.as_deref(), Some("critical"));
    assert_eq!(alerts[0].correlator, None);
    assert!(alerts.iter().all(|it| it.items[0].meta.format.as_deref() == Some("chr")));
    assert_eq!(alerts[1].items[0].meta.kind.as_deref(), Some("org.example.user"));
}

#[test]
fn a_firmware_update_tells_its_result_code_of_the_object_it_was_done_to() {
    let mut script = Script::good();
    script.send(vec![exec("./FUMO/Package/DownloadAndUpdate")]);

    let again = Script::of(script.device, &Initiation::Client);

    let told = &alerts(&again)[1].items[0];
    assert_eq!(told.source.as_ref().unwrap().uri, "./FUMO/Package");
    let kind = "Reversed-Domain-Name: org.openmobilealliance.dm.firmwareupdate.downloadandupdate";
    assert_eq!((told.meta.kind.as_deref(), told.meta.format.as_deref()), (Some(kind), Some("int")));
    assert_eq!(told.data, Some("200".into()));
}

#[test]
fn a_question_with_an_empty_item_for_its_options_is_asked() {
    let mut question = ask();
    if let Command::Alert(alert) = &mut question {
        alert.items[0] = Item::default();
    }
    let mut script = Script::good();

    script.send(vec![question]);

    assert_eq!(script.statuses(), [("Alert", 200)]);
}

#[test]
fn addresses_have_the_limits_that_devdetail_tells() {
    let mut script = Script::good();
    let limit =
        |name: &str| -> usize { script.device.tree.text(&format!("./DevDetail/URI/{name}")).unwrap().parse().unwrap() };
    let (depth, total, segment) = (limit("MaxDepth"), limit("MaxTotLen"), limit("MaxSegLen"));
    let limits = TreeLimits::DEVICE.uri;
    assert_eq!((depth, total, segment), (limits.depth_max, limits.total_bytes_max, limits.segment_bytes_max));
    let of_depth = |depth: usize| format!("./{}", vec!["a"; depth].join("/"));
    let of_segment = |octets: usize| format!("./{}", "a".repeat(octets));
    let of_total = |octets: usize| {
        let all = format!("./{}", vec!["a".repeat(segment); depth].join("/"));
        all.chars().take(octets).collect::<String>()
    };

    for (at, above) in [
        (of_depth(depth), of_depth(depth + 1)),
        (of_segment(segment), of_segment(segment + 1)),
        (of_total(total), of_total(total + 1)),
    ] {
        script.send(vec![get(&[&at, &above])]);
        assert_eq!(script.statuses(), [("Get", 404), ("Get", 414)], "{above}");
    }
}

#[test]
fn some_give_out_nonces_that_are_text() {
    let account =
        crate::account::Account { server: Some(ServerSecret::md5("srv", "s", b"n")), ..super::script::account() };
    let behaviours = [Behaviour::NonceIsText];
    let device =
        Device::new(&super::script::profile(), account, muster_protocol::syncml::Encoding::Xml, &behaviours, 7);
    let mut script = Script::new(device);

    script.send(vec![get(&[NAME])]);

    let nonce = script.of_header().chal.clone().unwrap().meta.next_nonce.unwrap();
    assert_eq!(nonce.len(), 16);
    assert!(nonce.iter().all(u8::is_ascii_alphanumeric), "{nonce:?}");
}

#[test]
fn a_credential_says_its_scheme_and_that_it_is_base64() {
    let cred = Script::good().said.header.cred.unwrap();

    assert_eq!((cred.meta.kind.as_deref(), cred.meta.format.as_deref()), (Some("syncml:auth-md5"), Some("b64")));
}
