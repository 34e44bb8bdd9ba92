//! `muster import`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::running::{PASSWORD, Running, muster, run, run_with_input, until};

fn command(server: &Running, args: &[&str]) -> Command {
    let mut command = muster(std::iter::once("import").chain(args.iter().copied()));
    command.env("MUSTER_URL", format!("{}/wsi", server.url("north"))).env("MUSTER_PASSWORD", PASSWORD);
    command
}

/// A table of so many devices, in a folder.
fn table(folder: &Path, devices: u32) -> PathBuf {
    let mut text =
        "deviceID,phoneNumber,group,dmAccount.authType,dmAccount.clientName,dmAccount.clientSecret\n".to_owned();
    for device in 0..devices {
        text.push_str(&format!("MEID:A{device:06},+4915{device:08},a;b,DIGEST,client-{device},secret\n"));
    }
    let path = folder.join("devices.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn total(server: &Running) -> u64 {
    server.call("getDeviceInstances", &json!({"page": {"pageSize": 1}}))["totalCount"].as_u64().unwrap()
}

/// Every record by its device identifier, without what the server chose.
fn records(server: &Running) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut page = json!({"pageSize": 1000});
    loop {
        let list = server.call("getDeviceInstances", &json!({"page": page}));
        for record in list["deviceInstance"].as_array().unwrap() {
            let mut record = record.clone();
            record.as_object_mut().unwrap().remove("oid");
            let id = record["deviceID"].as_str().unwrap().to_owned();
            assert!(all.insert(id.clone(), record).is_none(), "{id} stands twice");
        }
        match list.get("nextPageToken") {
            Some(token) => page = json!({"pageSize": 1000, "pageToken": token}),
            None => return all,
        }
    }
}

#[test]
fn rows_that_are_not_taken_are_shown_with_their_lines_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&folder.path().join("data"));
    let file = folder.path().join("devices.csv");
    std::fs::write(&file, "deviceID,model\nMEID:A1,One\nIMEI:490154203237510,One\n\nMEID:A1,Two\nMEID:A2\n").unwrap();
    let (file, report) = (file.to_str().unwrap(), folder.path().join("refused.ndjson"));

    let tried = run(&mut command(&server, &[file, "--dry-run"]));
    assert_eq!(tried.code, Some(1), "{tried:?}");
    assert!(tried.out.contains("(dry run: nothing was kept)") && tried.out.contains("refused    3\n"), "{}", tried.out);
    assert_eq!(total(&server), 0);

    let done = run(&mut command(&server, &[file, "--report", report.to_str().unwrap()]));
    assert_eq!(done.code, Some(1), "{done:?}");
    let lines: Vec<&str> = done.out.lines().collect();
    assert!(lines[0].starts_with("line  row  fault"), "{}", done.out);
    for (line, start) in
        [(2, "3     1    InvalidArgument"), (3, "5     2    AlreadyExists"), (4, "6     3    InvalidArgument")]
    {
        assert!(lines[line].starts_with(start), "{}", done.out);
    }
    assert!(done.out.contains("created    1\n") && done.out.contains("refused    3\n"), "{}", done.out);
    let reported: Vec<Value> =
        std::fs::read_to_string(&report).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reported.iter().map(|row| row["line"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 5, 6]);
    assert_eq!(reported[1]["variables"], json!(["deviceID", "MEID:A1"]));

    std::fs::write(folder.path().join("good.csv"), "deviceID,model\nMEID:A1,Two\n").unwrap();
    let good = folder.path().join("good.csv");
    let out = run(&mut command(&server, &[good.to_str().unwrap(), "--update", "--json"])).ok();
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((told["summary"]["updated"].clone(), told["summary"]["complete"].clone()), (json!(1), json!(true)));
    // Without --resume it begins anew each time.
    let again = run(&mut command(&server, &[good.to_str().unwrap(), "--update"])).ok();
    assert!(again.contains("unchanged  1\n"), "{again}");
}

#[test]
fn rows_come_from_standard_input_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let rows = "{\"deviceID\":\"MEID:A1\"}\n{\"deviceID\":\"MEID:A2\"}\n";
    let done = run_with_input(&mut command(&server, &["-", "--format", "ndjson"]), rows).ok();
    assert!(done.contains("created    2\n"), "{done}");
}

#[test]
fn what_cannot_begin_is_told_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&folder.path().join("data"));
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let refused = |args: &[&str]| run(&mut command(&server, args)).refused();
    assert!(refused(&[&file("a.txt", "")]).contains("--format csv"));
    assert!(refused(&["/nowhere/a.csv"]).contains("cannot open /nowhere/a.csv"));
    assert!(refused(&["-", "--format", "csv", "--resume"]).contains("--import-id"));
    let told = refused(&[&file("b.csv", "deviceID,colour\nA,red\n")]);
    assert!(told.contains("InvalidArgument") && told.contains("known are oid, deviceID"), "{told}");
    let mut wrong = command(&server, &[&file("c.csv", "deviceID\nMEID:A1\n")]);
    let told = run(wrong.env("MUSTER_PASSWORD", "wrong")).refused();
    assert!(told.contains("NotAuthenticated"), "{told}");
    assert_eq!(total(&server), 0);
}

/// Rows that the tests which break an import off send: enough to be hit in the middle.
const ROWS: u32 = 30_000;

#[test]
fn killed_in_the_middle_of_an_import_the_server_comes_to_the_same_end_as_without() {
    let folder = tempfile::tempdir().unwrap();
    let file = table(folder.path(), ROWS);
    let file = file.to_str().unwrap();
    let mut server = Running::start(&folder.path().join("broken"));
    let mut kills = 0;
    let mut args = vec![file];
    while kills < 3 {
        let before = total(&server);
        let mut import = command(&server, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let is_over = until("more rows", || match import.try_wait().unwrap() {
            Some(_) => Some(true),
            None => (total(&server) > before).then_some(false),
        });
        if is_over {
            // Faster than we are; what counts is below.
            break;
        }
        server.kill();
        let done = import.wait_with_output().unwrap();
        let told = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{told}");
        assert!(told.contains("--resume goes on with it"), "{told}");
        server = Running::again(server);
        kills += 1;
        args = vec![file, "--resume"];
    }
    assert!(kills > 0, "the import was over before it could be broken off");
    let told: Value = serde_json::from_str(&run(&mut command(&server, &[file, "--resume", "--json"])).ok()).unwrap();
    assert_eq!(told["summary"]["created"], json!(ROWS), "{told}");
    assert_eq!((told["summary"]["rejected"].clone(), told["summary"]["rows"].clone()), (json!(0), json!(ROWS)));

    let whole = Running::start(&folder.path().join("whole"));
    run(&mut command(&whole, &[file])).ok();
    assert!(records(&server) == records(&whole), "the two servers hold different records");
}

#[test]
fn an_import_whose_client_was_killed_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let file = table(folder.path(), ROWS);
    let file = file.to_str().unwrap();
    let server = Running::start(&folder.path().join("data"));
    let mut import = command(&server, &[file]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("some rows", || (total(&server) > 0).then_some(()));
    import.kill().unwrap();
    import.wait().unwrap();
    // What arrived is still being written; whoever comes too early is told.
    let told = until("the end of the rest", || {
        let done = run(&mut command(&server, &[file, "--resume", "--json"]));
        let told: Value = serde_json::from_str(&done.out).unwrap();
        match told["stopped"]["name"].as_str() {
            Some(name) => {
                assert_eq!(name, "WrongState", "{told}");
                None
            }
            None => Some(told),
        }
    });
    assert_eq!((told["summary"]["created"].clone(), total(&server)), (json!(ROWS), u64::from(ROWS)), "{told}");
}
