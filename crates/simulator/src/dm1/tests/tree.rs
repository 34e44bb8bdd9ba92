//! Properties, lists, whole objects, and several management authorities.

use muster_protocol::syncml::{
    Address, Command, Encoding, Item, ItemData, Meta, NestedKind, Status, Text, Write, WriteKind,
};
use muster_protocol::tree::tnds::{DOCUMENT, Document};
use muster_protocol::tree::{Format, Leaf, TStamp, TreeLimits};

use super::script::{Script, account, add, alert, delete, exec, get, item, nested, profile, replace, write};
use crate::behaviour::Behaviour;
use crate::dm1::Device;
use crate::tree::{Access, LocUri, Node};

const NAME: &str = "./Vendor/Example/Name";
const SETTINGS: &str = "./Vendor/Example/Settings";
const TNDS: &str = "application/vnd.syncml.dmtnds+xml";

fn pair(uri: &str, value: &str) -> (String, String) {
    (uri.to_owned(), value.to_owned())
}

/// An Add or Replace with a document.
fn object(kind: WriteKind, uri: &str, inside: &str) -> Command {
    let data = format!("<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD>{inside}</MgmtTree>");
    let meta = Meta { format: Some("xml".into()), kind: Some(TNDS.into()), ..Meta::default() };
    let item = Item { data: Some(data.as_str().into()), ..item(uri) };
    Command::Write(Write { kind, cmd_id: Text::default(), meta, items: vec![item] })
}

fn account_object(name: &str) -> String {
    format!(
        "<Node><NodeName>{name}</NodeName><RTProperties><Format><node/></Format><Type><DDFName>urn:oma:mo:oma-dm-dmacc:1.0\
         </DDFName></Type></RTProperties><Node><NodeName>ServerID</NodeName><Value>other</Value></Node></Node>"
    )
}

/// Two servers, one device: the next session is with another one.
fn with_server(device: Device, id: &str) -> Script {
    let mut device = device;
    device.account.server_id = id.to_owned();
    Script::new(device)
}

fn statuses(script: &Script) -> Vec<&Status> {
    let of_command = |it: &&Status| it.cmd_ref != "0";
    let all = script.said.commands.iter().filter_map(|it| if let Command::Status(it) = it { Some(it) } else { None });
    all.filter(of_command).collect()
}

#[test]
fn properties_are_read_and_changed() {
    let mut script = Script::good();
    let folder = format!("{SETTINGS}/A");
    script.device.set_clock(TStamp::of_unix_s(0));

    script.send(vec![
        add(&format!("{folder}/x"), "four"),
        replace(&format!("{folder}/x?prop=Title"), "A title"),
        replace(&format!("{folder}?prop=Name"), "B"),
        get(&[
            &format!("{SETTINGS}/B/x?prop=Title"),
            &format!("{SETTINGS}/B/x?prop=Size"),
            &format!("{SETTINGS}/B/x?prop=TStamp"),
            &format!("{SETTINGS}/B/x?prop=VerNo"),
            "./DevInfo?prop=Type",
            "./DevInfo?prop=ACL",
        ]),
    ]);

    assert!(script.statuses().iter().all(|(_, code)| *code == 200), "{:?}", script.statuses());
    let values: Vec<String> = script.results().into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["A title", "4", "19700101T000000Z", "1", "urn:oma:mo:oma-dm-devinfo:1.0", ""]);
    assert_eq!(script.results()[5].0, "./DevInfo?prop=ACL");
    script.send(vec![
        replace("./DevInfo?prop=Name", "x"),
        replace("./DevInfo?prop=Size", "1"),
        get(&["./DevInfo?prop=Colour", "./DevInfo?prop=Size"]),
        delete(&format!("{SETTINGS}/B?prop=Title")),
    ]);
    let expected = [("Replace", 405), ("Replace", 405), ("Get", 406), ("Get", 406), ("Delete", 405)];
    assert_eq!(script.statuses(), expected);
}

#[test]
fn a_device_of_few_properties_supports_only_those_that_it_must() {
    let mut script = Script::behaving(&[Behaviour::FewProperties]);

    script.send(vec![get(&["./DevInfo?prop=TStamp", "./DevInfo?prop=Title", "./DevInfo?prop=Format"])]);

    assert_eq!(script.statuses(), [("Get", 406), ("Get", 406), ("Get", 200)]);
}

#[test]
fn a_list_has_an_item_for_each_node_and_leaves_out_what_is_usual() {
    let mut script = Script::good();

    script.send(vec![get(&["./DevDetail?list=Struct", "./DevDetail/URI?list=StructData"])]);

    let results: Vec<&Item> = script
        .said
        .commands
        .iter()
        .filter_map(|it| if let Command::Results(it) = it { Some(&it.items) } else { None })
        .flatten()
        .collect();
    let of = |uri: &str| results.iter().find(|it| it.source.as_ref().is_some_and(|it| it.uri == uri)).unwrap();
    assert_eq!(results.len(), 11 + 4);
    assert_eq!(of("./DevDetail").meta.kind.as_deref(), Some("urn:oma:mo:oma-dm-devdetail:1.0"));
    assert_eq!(of("./DevDetail").meta.format.as_deref(), Some("node"));
    assert_eq!((of("./DevDetail/FwV").meta.is_empty(), &of("./DevDetail/FwV").data), (true, &None));
    assert_eq!(of("./DevDetail/LrgObj").meta.format.as_deref(), Some("bool"));
    assert_eq!(results.last().unwrap().data, Some("512".into()));
}

#[test]
fn a_list_as_a_document_is_in_the_encoding_of_the_session() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let mut script = Script::new(Device::new(&profile(), account(), encoding, &[], 7));

        script.send(vec![get(&[".?list=TNDS"])]);

        let Some(Command::Results(results)) = script.said.commands.last() else { panic!("no Results") };
        let kind = results.items[0].meta.kind.as_deref().unwrap();
        assert!(kind.ends_with(if encoding == Encoding::Xml { "+xml" } else { "+wbxml" }), "{kind}");
        let data = results.items[0].data.as_ref().unwrap();
        let tree =
            Document::read(data.as_bytes(), &DOCUMENT).unwrap().tree(&LocUri::root(), &TreeLimits::SNAPSHOT).unwrap();
        assert_eq!(tree.text("./DevInfo/Man"), Some("Example"));
        // Neither what cannot be read nor the Inbox.
        assert_eq!(tree.text("./FUMO/Package/Update/PkgData"), None);
        assert_eq!(tree.children("."), ["DevDetail", "DevInfo", "FUMO", "LAWMO", "Vendor"]);
    }
}

#[test]
fn a_device_without_lists_says_so() {
    let mut script = Script::behaving(&[Behaviour::NoLists]);

    script.send(vec![get(&["./DevInfo?list=Struct", "./DevInfo?list=TNDS", "./DevInfo"])]);

    assert_eq!(script.statuses(), [("Get", 406), ("Get", 406), ("Get", 200)]);
}

#[test]
fn names_of_children_are_encoded_as_windows_does_it() {
    let mut script = Script::behaving(&[Behaviour::EncodedChildNames]);
    script.device.tree.install("./Vendor/Example/My Net", Node::leaf(Access::GET, Leaf::text("v"))).unwrap();

    script.send(vec![get(&["./Vendor/Example"])]);

    assert!(script.results()[0].1.contains("/My%20Net/"), "{:?}", script.results());
}

#[test]
fn a_whole_object_is_added_and_made_equal_in_one_command() {
    let mut script = Script::good();
    let target = format!("{SETTINGS}/O");
    let leaf = |name: &str, value: &str| format!("<Node><NodeName>{name}</NodeName><Value>{value}</Value></Node>");
    let folder = |inside: &str| format!("<Node><NodeName/>{inside}</Node>");

    script.send(vec![object(WriteKind::Add, &target, &folder(&(leaf("a", "1") + &leaf("b", "2"))))]);
    assert_eq!((script.statuses(), script.device.tree.children(&target)), (vec![("Add", 200)], vec!["a", "b"]));
    script.send(vec![object(WriteKind::Replace, &target, &folder(&(leaf("b", "3") + &leaf("c", "4"))))]);

    assert_eq!((script.statuses(), script.device.tree.children(&target)), (vec![("Replace", 200)], vec!["b", "c"]));
    assert_eq!(script.device.tree.text(&format!("{target}/b")), Some("3"));
    let wrong = object(WriteKind::Replace, &target, &folder(&(leaf("b", "5") + &leaf("b", "6"))));
    script.send(vec![wrong, object(WriteKind::Add, &target, "<Node>")]);
    assert_eq!(script.statuses(), [("Replace", 418), ("Add", 500)]);
    assert_eq!(statuses(&script)[0].items[0].target.as_ref().unwrap().uri, format!("{target}/b"));
    assert_eq!(script.device.tree.text(&format!("{target}/b")), Some("3"));
}

#[test]
fn the_inbox_takes_objects_to_where_they_belong_and_nothing_else() {
    let mut script = Script::good();

    script.send(vec![
        object(WriteKind::Add, "./Inbox", &account_object("acc")),
        object(WriteKind::Add, "./Inbox", &account_object("acc")),
        object(WriteKind::Add, "./Inbox", "<Node><NodeName>x</NodeName><Value>v</Value></Node>"),
        add("./Inbox/x", "v"),
        get(&["./Inbox", "./Inbox/acc", "./Inbox?list=Struct"]),
        replace("./Inbox/acc", "v"),
        delete("./Inbox/acc"),
    ]);

    let codes: Vec<u16> = script.statuses().into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, [200, 200, 415, 405, 405, 405, 405, 405, 405]);
    assert_eq!(script.device.tree.children("./DMAcc"), ["1", "acc"]);
    assert_eq!(script.device.tree.text("./DMAcc/acc/ServerID"), Some("other"));
    assert!(script.device.tree.children("./Inbox").is_empty());
}

#[test]
fn the_object_of_another_program_is_taken_out_of_both_golden_messages() {
    use muster_protocol::limits::Limits;
    use muster_protocol::syncml::Message;

    for (encoding, name) in
        [(Encoding::Xml, "17-tnds-xml-add-inbox.xml"), (Encoding::Wbxml, "22-tnds-wbxml-add-inbox.wbxml")]
    {
        let path = format!("{}/../protocol/tests/vectors/oma-dm-1/syncml/{name}", env!("CARGO_MANIFEST_DIR"));
        let message = Message::decode(encoding, &std::fs::read(path).unwrap(), &Limits::DEVICE).unwrap();
        let mut script = Script::new(Device::new(&profile(), account(), encoding, &[], 7));
        let adds = message.commands.into_iter().filter(|it| matches!(it, Command::Write(_))).collect();

        script.send(adds);

        assert_eq!(script.statuses(), [("Add", 200)], "{name}");
        assert_eq!(script.device.tree.text("./DMAcc/ExampleOperator/ServerID"), Some("dm.example.org"));
    }
}

#[test]
fn the_node_that_stopped_an_implicit_add_is_named() {
    let mut script = Script::good();

    script.send(vec![add("./DevInfo/Extra/Deep/x", "v"), add("./DevInfo/Extra", "v")]);

    let statuses = statuses(&script);
    assert_eq!(statuses[0].items[0].target.as_ref().unwrap().uri, "./DevInfo/Extra");
    assert!(statuses[1].items.is_empty());
    assert_eq!((statuses[0].code.0, statuses[1].code.0), (405, 405));
}

#[test]
fn addresses_that_can_be_none_are_refused_by_their_kind() {
    let mut script = Script::good();
    let long = format!("./{}", "a".repeat(10_000));
    let deep = vec!["a"; 17].join("/");

    script.send(vec![get(&[
        "./DevInfo/../DevInfo",
        "./DevInfo//Man",
        "/DevInfo",
        "./Dev%2FInfo",
        "./A\u{1}",
        &long,
        &deep,
    ])]);

    let codes: Vec<u16> = script.statuses().into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, [404, 404, 404, 400, 400, 414, 414]);
}

#[test]
fn a_value_in_another_format_than_the_nodes_is_refused() {
    let mut script = Script::good();
    let mut wrong = replace("./Vendor/Example/Polling", "60");
    if let Command::Write(write) = &mut wrong {
        write.meta.format = Some("chr".into());
    }
    let mut unknown = replace(NAME, "x");
    if let Command::Write(write) = &mut unknown {
        write.meta.format = Some("colour".into());
    }

    script.send(vec![
        replace("./Vendor/Example/Polling", "60"),
        wrong,
        unknown,
        replace("./Vendor/Example/Polling", "x"),
    ]);

    assert_eq!(script.statuses(), [("Replace", 200), ("Replace", 415), ("Replace", 415), ("Replace", 415)]);
}

#[test]
fn a_list_of_access_keeps_another_authority_out_and_is_inherited() {
    let mut owner = Script::good();
    let private = format!("{SETTINGS}/Private");
    let secret = format!("{private}/Deep/secret");
    owner.send(vec![
        add(&secret, "s3cret"),
        replace(&format!("{private}?prop=ACL"), "Add=dm.example.org&Get=dm.example.org&Replace=dm.example.org"),
        get(&[&secret]),
    ]);
    assert_eq!(owner.results(), [pair(&secret, "s3cret")]);

    let mut other = with_server(owner.device, "other.example");
    other.send(vec![
        get(&[&secret, "./DevInfo/Man", &private, &format!("{private}?prop=ACL"), &format!("{secret}?prop=Type")]),
        replace(&secret, "x"),
        add(&format!("{private}/x"), "x"),
        delete(&private),
        exec("./Vendor/Example/Diagnose"),
        replace(&format!("{private}?prop=ACL"), "Get=*"),
        get(&[&format!("{SETTINGS}?list=Struct")]),
    ]);

    let codes: Vec<u16> = other.statuses().into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, [425, 200, 425, 425, 425, 425, 425, 425, 425, 425, 200]);
    assert_eq!(other.results(), [pair("./DevInfo/Man", "Example"), pair(SETTINGS, "")]);
}

#[test]
fn an_authority_manages_what_it_added_itself_and_shares_it_by_a_list() {
    let mut other = with_server(Script::good().device, "other.example");
    let own = format!("{SETTINGS}/Own");
    other.send(vec![add(&format!("{own}/x"), "1"), replace(&format!("{own}/x"), "2")]);
    assert_eq!(other.statuses(), [("Add", 200), ("Replace", 200)]);

    let mut third = with_server(other.device, "third.example");
    third.send(vec![replace(&format!("{own}/x"), "3")]);
    assert_eq!(third.statuses(), [("Replace", 425)]);

    let mut other = with_server(third.device, "other.example");
    other.send(vec![replace(&format!("{own}?prop=ACL"), "Get=*&Replace=other.example+third.example")]);
    let mut third = with_server(other.device, "third.example");
    third.send(vec![replace(&format!("{own}/x"), "3"), delete(&own)]);
    assert_eq!(third.statuses(), [("Replace", 200), ("Delete", 425)]);
}

#[test]
fn copy_needs_the_rights_of_the_commands_it_amounts_to() {
    let mut other = with_server(Script::good().device, "other.example");
    let copy = |to: &str| {
        let item = Item { source: Some(Address::new("./DevInfo/Man")), ..item(to) };
        Command::Write(Write {
            kind: WriteKind::Copy,
            cmd_id: Text::default(),
            meta: Meta::default(),
            items: vec![item],
        })
    };

    other.send(vec![copy(NAME), copy(&format!("{SETTINGS}/x"))]);

    assert_eq!(other.statuses(), [("Copy", 425), ("Copy", 200)]);
    assert_eq!(statuses(&other)[0].source_refs, ["./DevInfo/Man"]);
}

#[test]
fn members_that_an_atomic_cannot_have_fail_it() {
    for member in [
        get(&["./DevInfo/Man"]),
        exec("./Vendor/Example/Diagnose"),
        nested(NestedKind::Atomic, vec![replace(NAME, "b")]),
        nested(NestedKind::Sequence, vec![replace(NAME, "b")]),
    ] {
        let name = member.name().to_owned();
        let mut script = Script::good();

        script.send(vec![nested(NestedKind::Atomic, vec![replace(NAME, "a"), member, replace(NAME, "c")])]);

        let codes = script.statuses();
        assert_eq!((codes[0], codes[1], codes[2]), (("Atomic", 507), ("Replace", 216), (name.as_str(), 500)));
        assert_eq!(codes.last(), Some(&("Replace", 215)));
        assert_eq!(script.device.tree.text(NAME), Some("M1"));
    }
}

#[test]
fn an_atomic_that_cannot_be_undone_says_so() {
    let mut script = Script::behaving(&[Behaviour::CannotRollBack]);

    script.send(vec![nested(NestedKind::Atomic, vec![replace(NAME, "a"), replace("./Nowhere", "b")])]);

    assert_eq!(script.statuses(), [("Atomic", 507), ("Replace", 516), ("Replace", 404)]);
    assert_eq!(script.device.tree.text(NAME), Some("a"));
}

#[test]
fn an_atomic_whose_statuses_do_not_fit_one_message_is_undone() {
    let mut script =
        Script::behaving(&[Behaviour::SmallMessages { max_msg_size: 1_500 }, Behaviour::AnswersAtomicAtOnce]);
    while !script.said.is_final {
        script.send(vec![alert("1222", &[])]);
    }
    let members: Vec<Command> = (0..30).map(|it| add(&format!("{SETTINGS}/n{it}"), "v")).collect();

    script.send(vec![nested(NestedKind::Atomic, members)]);

    assert_eq!(script.statuses()[..2], [("Atomic", 517), ("Add", 216)]);
    assert!(script.device.tree.children(SETTINGS).is_empty());
    assert_eq!(script.device.ledger().count(&format!("{SETTINGS}/n0"), "Add"), 0);
}

#[test]
fn changes_of_lists_and_names_are_undone_with_the_rest() {
    let mut script = Script::good();
    script.send(vec![add(&format!("{SETTINGS}/A/x"), "1")]);
    let before = script.device.tree.clone();

    script.send(vec![nested(
        NestedKind::Atomic,
        vec![
            replace(&format!("{SETTINGS}/A?prop=Name"), "B"),
            replace(&format!("{SETTINGS}/B?prop=ACL"), "Get=*"),
            delete("./Nowhere"),
        ],
    )]);

    assert_eq!(script.statuses(), [("Atomic", 507), ("Replace", 216), ("Replace", 216), ("Delete", 404)]);
    assert_eq!(script.device.tree, before);
}

#[test]
fn what_the_user_types_and_chooses_comes_back() {
    let mut script = Script::behaving(&[Behaviour::Types("Home 1".into()), Behaviour::Chooses(vec![2, 3])]);

    script.send(vec![
        alert("1102", &["MAXLEN=4", "Name?"]),
        alert("1103", &["", "Which?", "a", "b", "c"]),
        alert("1104", &["", "Which?", "a", "b", "c"]),
        alert("1101", &["DR=0", "Go on?"]),
    ]);

    let items = |at: usize| -> Vec<String> {
        let data = |it: &Item| it.data.as_ref().and_then(ItemData::as_text).unwrap().to_owned();
        statuses(&script)[at].items.iter().map(data).collect()
    };
    assert_eq!((items(0), items(1), items(2)), (vec!["Home".into()], vec!["2".into()], vec!["2".into(), "3".into()]));
    assert!(script.statuses().iter().all(|(_, code)| *code == 200));
}

#[test]
fn screens_and_slow_users_are_as_they_are_told_to_be() {
    for (behaviour, code) in [
        (Behaviour::NoUserInterface, 406),
        (Behaviour::SmallScreen { chars: 3 }, 416),
        (Behaviour::AnswersAfter { seconds: 31 }, 408),
        (Behaviour::TakesDefaults, 304),
    ] {
        let mut script = Script::behaving(std::slice::from_ref(&behaviour));
        script.send(vec![alert("1101", &["MAXDT=30", "Go on?"])]);
        assert_eq!(script.statuses(), [("Alert", code)], "{behaviour:?}");
    }
}

#[test]
fn a_format_that_there_is_none_of_makes_no_node() {
    let mut script = Script::good();
    let mut command = write(WriteKind::Add, &format!("{SETTINGS}/x"), Some("v"));
    if let Command::Write(write) = &mut command {
        write.meta.format = Some("number".into());
    }

    script.send(vec![command]);

    assert_eq!(script.statuses(), [("Add", 415)]);
    assert_eq!(Format::parse("number"), None);
}
