//! Backups that are taken beside a server, looked through, and started again.

use std::path::Path;

use serde_json::{Value, json};

use crate::running::{Done, Running, muster, run};

const SEED: u64 = 71;

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

fn backup(folder: &Path, to: &str, more: &[&str]) -> Done {
    let (data, to) = (path(folder, "data"), path(folder, to));
    run(&mut muster([&["backup", "--data", &data, "--to", &to], more].concat()))
}

fn restore(folder: &Path, from: &str, more: &[&str]) -> Done {
    let from = path(folder, from);
    run(&mut muster([&["restore", &from], more].concat()))
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn devices(server: &Running) -> u64 {
    server.call("getDeviceInstances", &json!({}))["totalCount"].as_u64().unwrap()
}

#[test]
fn a_backup_taken_while_records_are_written_is_that_of_one_moment_and_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Running::start(&folder.join("data"));
    server.import(40, SEED);
    let before = devices(&server);

    let (taken, writes) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 0..20 {
                let number = format!("+1555{number:07}");
                server.call("createDeviceInstance", &json!({"deviceInstance": {"phoneNumber": number}}));
            }
            devices(&server)
        });
        let taken = json_of(&backup(folder, "copy", &["--json"]).ok());
        (taken, writing.join().unwrap())
    });
    assert_eq!(writes, before + 20);
    let head = taken["manifest"]["auditHead"].as_str().unwrap().to_owned();
    assert_eq!(taken["manifest"]["hasKey"], false);
    assert!(!folder.join("copy/muster.key").exists() && !folder.join("copy/muster.db-wal").exists());

    // The copy holds what was there at its moment: all that came before it began, and no half of what came after.
    let key = path(folder, "data/muster.key");
    let looked = json_of(&restore(folder, "copy", &["--verify", "--json", "--key", &key]).ok());
    assert_eq!((&looked["valid"], &looked["keyChecked"]), (&json!(true), &json!(true)), "{looked}");
    let kept = looked["deviceCount"].as_u64().unwrap();
    assert!((before..=before + 20).contains(&kept), "{kept}");

    // The first server goes on, and the audit log of the copy is a beginning of its own.
    let data = path(folder, "data");
    let verified = run(&mut muster(["audit", "--data", &data, "verify", "--json", "--anchor", &head])).ok();
    assert_eq!(json_of(&verified)["valid"], true, "{verified}");
    server.kill();

    let told = restore(folder, "copy", &["--key", &key, "--data", &path(folder, "again")]).ok();
    assert!(told.contains("muster serve --data"), "{told}");
    let again = Running::start(&folder.join("again"));
    assert_eq!(devices(&again), kept);
    again.call("createDeviceInstance", &json!({"deviceInstance": {"phoneNumber": "+15559999999"}}));
    assert_eq!(devices(&again), kept + 1);
}

#[test]
fn what_is_wrong_with_a_backup_is_told_and_it_is_not_put_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Running::start(&folder.join("data"));
    server.import(5, SEED);
    server.tell_to_end();
    assert!(server.ended().success());

    let told = backup(folder, "copy", &["--with-key"]).ok();
    assert!(told.contains("audit head  ") && !told.contains("keep"), "{told}");
    assert!(restore(folder, "copy", &["--verify"]).ok().contains("the right one"));

    // Another octet in a page.
    let database = folder.join("copy/muster.db");
    let whole = std::fs::read(&database).unwrap();
    let mut other = whole.clone();
    let place = other.windows(8).position(|it| it == b"\"doImpor" || it == b"IMEI:35-").unwrap_or(other.len() / 2);
    other[place] ^= 1;
    std::fs::write(&database, &other).unwrap();
    let told = restore(folder, "copy", &["--verify"]).wrong();
    assert!(told.contains("WRONG  file: its SHA-256 is not that of the manifest"), "{told}");
    let told = restore(folder, "copy", &["--data", &path(folder, "again")]).wrong();
    assert!(told.contains("nothing was put in place") && !folder.join("again/muster.db").exists(), "{told}");

    // Cut short.
    std::fs::write(&database, &whole[..whole.len() / 2]).unwrap();
    let told = json_of(&restore(folder, "copy", &["--verify", "--json"]).wrong());
    assert!(told["wrong"][0].as_str().unwrap().starts_with("file: "), "{told}");

    // Another key, and no manifest.
    std::fs::write(&database, &whole).unwrap();
    let key = folder.join("other.key");
    std::fs::write(&key, [7; 32]).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let told = restore(folder, "copy", &["--verify", "--key", key.to_str().unwrap()]).wrong();
    assert!(told.contains("WRONG  key: "), "{told}");
    std::fs::remove_file(folder.join("copy/backup.json")).unwrap();
    let told = restore(folder, "copy", &["--verify"]).refused();
    assert!(told.contains("is no backup"), "{told}");
}

#[test]
fn neither_command_writes_over_anything() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Running::start(&folder.join("data"));
    backup(folder, "copy", &["--with-key"]).ok();
    assert!(backup(folder, "copy", &[]).refused().contains("name a folder that is not there yet"));
    let data = path(folder, "data");
    assert!(restore(folder, "copy", &["--data", &data]).refused().contains("is in use by another process"));
    server.assert_alive();
    drop(server);
    assert!(restore(folder, "copy", &["--data", &data]).refused().contains("muster.db"));
    let nowhere = run(&mut muster(["backup", "--data", &path(folder, "none"), "--to", &path(folder, "new")])).refused();
    assert!(nowhere.contains("there is none") && !folder.join("new").exists(), "{nowhere}");
    backup(folder, "bare", &[]).ok();
    assert!(restore(folder, "bare", &["--data", &path(folder, "x")]).refused().contains("--key"));
}
