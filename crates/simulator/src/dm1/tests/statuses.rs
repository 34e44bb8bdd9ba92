//! Command by command, the statuses that the specification lets a client answer.
//!
//! Source: OMA DM 1.2 Representation Protocol usage, "Response status codes" of each command.

use muster_protocol::syncml::{Address, Command, Encoding, Item, Meta, NestedKind, StatusCode, Text, Write, WriteKind};

use super::script::{Script, account, add, alert, ask, delete, exec, get, item, nested, profile, replace, write};
use crate::account::{Account, AuthType, ServerSecret};
use crate::behaviour::Behaviour;
use crate::dm1::{Device, ExecOutcome, credential};
use crate::tree::{Access, Leaf, Node, VALUE_BYTES_MAX};

const NAME: &str = "./Vendor/Example/Name";
const SETTINGS: &str = "./Vendor/Example/Settings";
const RUN: &str = "./Vendor/Example/Diagnose";

fn copy(from: &str, to: &str) -> Command {
    let items = vec![Item { source: Some(Address::new(from)), ..item(to) }];
    Command::Write(Write { kind: WriteKind::Copy, cmd_id: Text::default(), meta: Meta::default(), items })
}

fn with_meta(mut command: Command, format: &str, kind: Option<&str>) -> Command {
    if let Command::Write(write) = &mut command {
        write.meta = Meta { format: Some(format.into()), kind: kind.map(Into::into), ..Meta::default() };
    }
    command
}

/// An address of 513 octets.
fn long() -> String {
    let segment = "a".repeat(100);
    format!("./{}", [segment.as_str(); 6].join("/")).chars().take(513).collect()
}

fn below_settings(name: &str) -> String {
    format!("{SETTINGS}/{name}")
}

/// The status of one command.
fn answered(script: &mut Script, command: Command) -> u16 {
    script.send(vec![command]);
    assert_eq!(script.statuses().len(), 1, "{:?}", script.statuses());
    script.statuses()[0].1
}

/// The statuses of commands, each in a session of its own with a device that behaves.
fn each_answered(commands: impl IntoIterator<Item = Command>) -> Vec<u16> {
    commands.into_iter().map(|command| answered(&mut Script::good(), command)).collect()
}

/// The same for a server that the device has no owner's rights for.
fn as_other(commands: impl IntoIterator<Item = Command>) -> Vec<u16> {
    let other = |command| {
        let mut device = Script::good().device;
        device.account.server_id = "other.example".into();
        answered(&mut Script::new(device), command)
    };
    commands.into_iter().map(other).collect()
}

/// A device without room for another large value.
fn full() -> Script {
    let mut script = Script::good();
    let large = || Node::leaf(Access::GET, Leaf::text(&"x".repeat(VALUE_BYTES_MAX)));
    let mut count = 0;
    while script.device.tree.install(&format!("./Large/n{count}"), large()).is_ok() {
        count += 1;
    }
    script
}

fn failing(status: u16) -> Script {
    Script::behaving(&[Behaviour::FailsWith { status: StatusCode(status), path: "./Vendor/Example".into() }])
}

#[test]
fn each_status_of_an_add_has_its_reason() {
    let good = each_answered([
        add(&below_settings("x"), "v"),
        add("./Vendor//x", "v"),
        add("./DevInfo/Man/x", "v"),
        add(&below_settings("x"), &"v".repeat(VALUE_BYTES_MAX + 1)),
        add(&long(), "v"),
        with_meta(add(&below_settings("x"), "v"), "colour", None),
        add(NAME, "v"),
        with_meta(add(&below_settings("x"), "<MgmtTree>"), "xml", Some("application/vnd.syncml.dmtnds+xml")),
    ]);

    assert_eq!(good, [200, 404, 405, 413, 414, 415, 418, 500]);
    assert_eq!(answered(&mut full(), add(&below_settings("x"), &"v".repeat(VALUE_BYTES_MAX))), 420);
    let mut script = Script::good();
    script.device.tree.maintain(SETTINGS, |node| node.acl = "Get=*".parse().unwrap());
    assert_eq!(answered(&mut script, add(&below_settings("x"), "v")), 425);
}

#[test]
fn each_status_of_a_replace_has_its_reason() {
    let good = each_answered([
        replace(NAME, "v"),
        replace("./Nowhere", "v"),
        replace("./DevInfo/Man", "v"),
        replace(NAME, &"v".repeat(VALUE_BYTES_MAX + 1)),
        replace(&long(), "v"),
        replace("./Vendor/Example/Polling", "often"),
        replace("./DevInfo?prop=ACL", "Get"),
    ]);

    assert_eq!(good, [200, 404, 405, 413, 414, 415, 500]);
    assert_eq!(as_other([replace(NAME, "v")]), [425]);
    assert_eq!(answered(&mut full(), replace(NAME, &"v".repeat(VALUE_BYTES_MAX))), 420);
    assert_eq!(answered(&mut failing(403), replace(NAME, "v")), 403);
    let mut script = Script::good();
    script.send(vec![add(&below_settings("a"), "1"), add(&below_settings("b"), "2")]);
    assert_eq!(answered(&mut script, replace(&below_settings("a?prop=Name"), "b")), 418);
}

#[test]
fn each_status_of_a_delete_has_its_reason() {
    let mut script = Script::good();
    script.send(vec![add(&below_settings("x"), "v")]);

    assert_eq!(answered(&mut script, delete(&below_settings("x"))), 200);
    assert_eq!(each_answered([delete("./Nowhere"), delete("."), delete(&long())]), [404, 405, 414]);
    script.send(vec![add(&below_settings("x"), "v")]);
    script.device.account.server_id = "other.example".into();
    assert_eq!(answered(&mut Script::new(script.device), delete(&below_settings("x"))), 425);
    assert_eq!(answered(&mut failing(403), delete(NAME)), 403);
}

#[test]
fn each_status_of_a_get_has_its_reason() {
    let good = each_answered([
        get(&[NAME]),
        get(&["./Nowhere"]),
        get(&["./Inbox"]),
        get(&["./DevInfo?prop=x"]),
        get(&[&long()]),
    ]);

    assert_eq!(good, [200, 404, 405, 406, 414]);
    let mut script = Script::good();
    script.header.meta.max_obj_size = Some(1);
    assert_eq!(answered(&mut script, get(&[NAME])), 413);
    let mut script = Script::good();
    script.device.tree.maintain(NAME, |node| node.acl = "Get=other".parse().unwrap());
    assert_eq!(answered(&mut script, get(&[NAME])), 425);
    assert_eq!(answered(&mut failing(500), get(&[NAME])), 500);
}

#[test]
fn each_status_of_an_exec_has_its_reason() {
    assert_eq!(each_answered([exec(RUN), exec("./Nowhere"), exec(NAME), exec(&long())]), [200, 404, 405, 414]);
    assert_eq!(as_other([exec(RUN)]), [425]);
    for code in [202, 403, 406, 420, 500, 510] {
        let mut script = Script::good();
        script.device.on_exec(RUN, ExecOutcome::answering(StatusCode(code)));
        assert_eq!(answered(&mut script, exec(RUN)), code);
    }
}

#[test]
fn each_status_of_a_copy_has_its_reason() {
    let to = below_settings("x");
    let good = each_answered([
        copy("./DevInfo/Man", &to),
        copy("./Nowhere", &to),
        copy("./DevInfo", &to),
        copy("./DevInfo/Man", "./Vendor/Example/Name?prop=x"),
        write(WriteKind::Copy, &to, None),
        copy("./DevInfo/Man", &long()),
    ]);

    assert_eq!(good, [200, 404, 405, 406, 412, 414]);
    assert_eq!(as_other([copy("./DevInfo/Man", NAME)]), [425]);
    assert_eq!(answered(&mut full(), copy("./Large/n0", &to)), 420);
    for code in [403, 500, 510] {
        assert_eq!(answered(&mut failing(code), copy("./DevInfo/Man", NAME)), code);
    }
}

#[test]
fn any_status_of_a_vendor_can_be_given() {
    assert_eq!(answered(&mut failing(450), replace(NAME, "v")), 450);
}

/// One command of each kind that succeeds, on nodes of its own.
fn one_of_each() -> Vec<Command> {
    vec![
        add(&below_settings("new"), "v"),
        replace(NAME, "v"),
        copy("./DevInfo/Man", &below_settings("copy")),
        ask(),
        get(&["./DevInfo/Man"]),
        exec(RUN),
        nested(NestedKind::Atomic, vec![replace(NAME, "w")]),
        nested(NestedKind::Sequence, vec![replace(NAME, "x")]),
        delete(&below_settings("old")),
    ]
}

/// Those of them that an Atomic may have.
fn members() -> Vec<Command> {
    one_of_each().into_iter().filter(|it| matches!(it, Command::Write(_) | Command::Alert(_))).collect()
}

#[test]
fn a_sequence_may_have_every_command() {
    let mut script = Script::good();
    script.send(vec![add(&below_settings("old"), "v")]);

    script.send(vec![nested(NestedKind::Sequence, one_of_each())]);

    let (names, codes): (Vec<&str>, Vec<u16>) = script.statuses().into_iter().unzip();
    let of_members =
        ["Add", "Replace", "Copy", "Alert", "Get", "Exec", "Atomic", "Replace", "Sequence", "Replace", "Delete"];
    assert_eq!(names, [&["Sequence"], &of_members[..]].concat());
    assert!(codes.iter().all(|it| *it == 200), "{codes:?}");
    assert_eq!(script.device.tree.text(NAME), Some("x"));
    assert_eq!(script.results().len(), 1);
}

#[test]
fn every_command_of_a_server_without_proof_is_answered_407_and_with_a_false_one_401() {
    for (secret, code) in [(None, 407), (Some("guess"), 401)] {
        let server = ServerSecret::md5("srv", "s", b"n");
        let account = Account { server: Some(server), ..account() };
        let mut script = Script::new(Device::new(&profile(), account, Encoding::Xml, &[], 7));
        script.header.cred = secret.and_then(|it| credential::credential(AuthType::Md5, "srv", it, b"n"));
        let tree = script.device.tree.clone();

        script.send(one_of_each());

        // The members of both containers, too.
        assert_eq!(script.statuses().len(), one_of_each().len() + 2);
        assert!(script.statuses().iter().all(|(_, it)| *it == code), "{:?}", script.statuses());
        assert_eq!(script.device.tree, tree);
    }
}

#[test]
fn every_command_after_a_no_in_a_sequence_is_answered_215() {
    let mut script = Script::behaving(&[Behaviour::Declines]);
    let commands = std::iter::once(ask()).chain(one_of_each()).collect();

    script.send(vec![nested(NestedKind::Sequence, commands)]);

    assert_eq!(script.statuses()[..2], [("Sequence", 200), ("Alert", 304)]);
    assert_eq!(script.statuses().len(), 2 + one_of_each().len() + 2);
    assert!(script.statuses()[2..].iter().all(|(_, it)| *it == 215), "{:?}", script.statuses());
}

#[test]
fn every_member_after_the_one_that_failed_an_atomic_is_answered_215() {
    let mut script = Script::good();
    let commands = std::iter::once(replace("./Nowhere", "v")).chain(members()).collect();

    script.send(vec![nested(NestedKind::Atomic, commands)]);

    assert_eq!(script.statuses()[..2], [("Atomic", 507), ("Replace", 404)]);
    assert_eq!(
        script.statuses()[2..].iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["Add", "Replace", "Copy", "Alert", "Delete"]
    );
    assert!(script.statuses()[2..].iter().all(|(_, it)| *it == 215), "{:?}", script.statuses());
}

#[test]
fn every_member_that_was_done_is_answered_216_or_where_it_cannot_be_undone_516() {
    for (behaviours, code) in [(vec![], 216), (vec![Behaviour::CannotRollBack], 516)] {
        let mut script = Script::behaving(&behaviours);
        script.send(vec![add(&below_settings("old"), "v")]);
        let commands = members().into_iter().chain([replace("./Nowhere", "v")]).collect();

        script.send(vec![nested(NestedKind::Atomic, commands)]);

        let expected = [
            ("Atomic", 507),
            ("Add", code),
            ("Replace", code),
            ("Copy", code),
            ("Alert", code),
            ("Delete", code),
            ("Replace", 404),
        ];
        assert_eq!(script.statuses(), expected);
    }
}

#[test]
fn what_is_no_question_and_no_request_for_more_is_answered_406() {
    for code in ["1224", "1226", "1200", "1201", "1105", "1202", "1227", "100", "101", "200", "224"] {
        assert_eq!(answered(&mut Script::good(), alert(code, &["", "x"])), 406, "{code}");
    }
}
