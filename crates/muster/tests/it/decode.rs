//! `muster decode`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::running::{Done, muster, run, run_with_input};

/// A golden vector.
fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/vectors/oma-dm-1").join(name)
}

fn decode(names: &[&str], args: &[&str]) -> Done {
    let mut command = muster(["decode"]);
    command.args(args).args(names.iter().map(|it| vector(it)));
    run(&mut command)
}

fn json(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(vector(name)).unwrap()).unwrap()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// No line is wider than a terminal, or ends with blanks.
#[track_caller]
fn assert_fits(out: &str) {
    for line in out.lines() {
        assert!(line.chars().count() <= 100 && !line.ends_with(' '), "{line:?}");
    }
}

#[test]
fn commands_and_their_answers_read_like_this() {
    let session = ["syncml/04-pkg2-auth-ok-get-replace-exec.wbxml", "syncml/05-pkg3-status-results.wbxml"];
    let texts: Vec<String> = session.iter().map(|it| hex(&std::fs::read(vector(it)).unwrap())).collect();
    let mut command = muster(["decode", "--secret", "srv-secret", "--nonce", "ffeeddccbbaa99887766554433221100"]);
    let out = run(command.args(&texts)).ok();
    assert_fits(&out);
    insta::assert_snapshot!(out);
}

#[test]
fn a_pushed_provisioning_document_reads_like_this() {
    let header = json("cp/mac.json")["cp-full"]["USERPIN"]["wsp_push_header_hex"].as_str().unwrap().to_owned();
    let push = header + &hex(&std::fs::read(vector("cp/cp-full.wbxml")).unwrap());
    let out = run_with_input(&mut muster(["decode", "--pin", "1234"]), &push).ok();
    assert_fits(&out);
    insta::assert_snapshot!(out);
}

#[test]
fn short_messages_with_package_0_read_like_this() {
    let case = json("pkg0/package0.json")[7].clone();
    let lines: Vec<&str> = case["sms_segments_hex"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let args = ["decode", "--secret", "srv-secret", "--nonce", "/+7dzLuqmYh3ZlVEMyIRAA=="];
    let out = run_with_input(&mut muster(args), &lines.join("\n")).ok();
    assert_fits(&out);
    insta::assert_snapshot!(out);
}

#[test]
fn a_tree_inside_a_message_reads_like_this_with_its_places() {
    let out = decode(&["syncml/22-tnds-wbxml-add-inbox.wbxml"], &["--offsets"]).ok();
    assert_fits(&out);
    insta::assert_snapshot!(out);
}

#[test]
fn a_broken_message_reads_like_this() {
    let octets = std::fs::read(vector("syncml/15-generic-alert-1226-fumo.wbxml")).unwrap();
    let done = run_with_input(&mut muster(["decode"]), &hex(&octets[..300]));
    assert_eq!(done.code, Some(1));
    assert_fits(&done.out);
    insta::assert_snapshot!(format!("{}\n{}", done.out, done.err));
}

#[test]
fn every_golden_vector_is_printed_within_a_terminal() {
    let mut seen = 0;
    for folder in ["syncml", "cp"] {
        for entry in std::fs::read_dir(vector(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "json") {
                continue;
            }
            let out = run(muster(["decode", "--offsets"]).arg(&path)).ok();
            assert!(out.contains("SyncML message") || out.contains("provisioning document"), "{}", path.display());
            assert_fits(&out);
            seen += 1;
        }
    }
    assert_eq!(seen, 23 * 4 + 10);
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let name = ["syncml/12-atomic-failed-rollback.wbxml"];
    let plain = decode(&name, &[]).ok();
    assert!(!plain.contains('\x1b'));
    let coloured = decode(&name, &["--color", "always"]).ok();
    assert!(coloured.contains("\x1b[1;31m✗ 507 Atomic failed\x1b[0m"), "{coloured}");
    let mut stripped = String::new();
    for piece in coloured.split('\x1b') {
        stripped.push_str(piece.split_once('m').filter(|_| piece.starts_with('[')).map_or(piece, |(_, text)| text));
    }
    assert_eq!(stripped, plain);
    assert_eq!(decode(&name, &["--color", "never"]).ok(), plain);
}

#[test]
fn scripts_get_the_whole_tree() {
    let out = decode(&["syncml/21-device-event-1224.wbxml"], &["--json"]).ok();
    let tree: Value = serde_json::from_str(&out).unwrap();
    let input = &tree["inputs"][0];
    assert_eq!((&input["form"], &input["packing"]), (&"wbxml".into(), &"binary".into()));
    assert!(!out.contains("ZGV2LXVzZXI6") && out.contains("\"hidden\": true"), "{out}");
    let shown = decode(&["syncml/21-device-event-1224.wbxml"], &["--json", "--show-secrets"]).ok();
    assert!(shown.contains("ZGV2LXVzZXI6ZGV2LXNlY3JldA=="), "{shown}");
}

#[test]
fn secrets_come_from_the_environment_too() {
    let mut command = muster(["decode"]);
    command.arg(vector("syncml/21-device-event-1224.wbxml")).env("MUSTER_DECODE_SECRET", "dev-secret");
    let out = run(&mut command).ok();
    assert!(out.contains("(hidden)  name dev-user  ✓ secret is right"), "{out}");
    let help = run(muster(["decode", "--help"]).env("MUSTER_DECODE_SECRET", "dev-secret")).ok();
    assert!(!help.contains("dev-secret"));
}

#[test]
fn forms_and_packings_that_are_asked_for_are_taken() {
    let package = json("pkg0/package0.json")[0]["package0_hex"].as_str().unwrap().to_owned();
    let out = run(&mut muster(["decode", "--as", "package0", "--packing", "hex", &package])).ok();
    assert!(out.starts_with("package 0  notification, 38 octets\n"), "{out}");
    let done = run(&mut muster(["decode", "--as", "wsp", &package]));
    assert_eq!(done.code, Some(1));
    assert_eq!(done.err, "muster: PDU type 0x7e is not push (0x06), in WSP push\n");
}

#[test]
fn usage_is_told_with_2_and_what_cannot_be_read_with_1() {
    let done = run(&mut muster(["decode", "--as", "nothing"]));
    assert_eq!(done.code, Some(2), "{done:?}");
    let told = run(&mut muster(["decode", "message.wbxml"])).refused();
    assert_eq!(told, "message.wbxml is no file, and as text it stands for nothing that is known");
    let done = run(&mut muster(["decode"]));
    assert_eq!((done.code, done.err.as_str()), (Some(1), "muster: there is nothing to decode\n"), "{done:?}");
    let folder = tempfile::tempdir().unwrap();
    let told = run(muster(["decode"]).arg(folder.path())).refused();
    assert_eq!(told, format!("cannot read {}: Is a directory (os error 21)", folder.path().display()));
}

#[test]
fn text_that_a_terminal_would_obey_is_made_harmless() {
    let xml = "<SyncML><SyncBody><Add><Item><Data>a&#9;b\u{202e}c\u{9b}31m</Data></Item></Add></SyncBody></SyncML>";
    let out = run_with_input(&mut muster(["decode"]), xml).ok();
    assert!(!out.contains(['\x1b', '\u{202e}', '\u{9b}', '\t']), "{out:?}");
}
