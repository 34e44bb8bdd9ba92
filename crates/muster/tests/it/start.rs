//! First and second starts, and data folders that must not be served.

use std::path::Path;

use serde_json::json;

use crate::running::{PASSWORD, Running, muster, run, run_with_input, until};

/// Starts as people do, without --ready-json, and returns what it printed by the time it was told to end.
fn spoken(data: &Path, password: Option<&str>) -> String {
    use std::process::Stdio;
    let any = "127.0.0.1:0";
    let mut command = muster(["serve", "--north", any, "--south", any, "--admin", any]);
    if let Some(password) = password {
        command.env("MUSTER_ADMIN_PASSWORD", password);
    }
    let out = data.with_extension("out");
    let file = std::fs::File::create(&out).unwrap();
    let mut child = command.arg("--data").arg(data).stdout(file).stderr(Stdio::null()).spawn().unwrap();
    // Health is the last address; what follows is written at once with it or a moment later, before the end.
    until("the addresses", || std::fs::read_to_string(&out).unwrap().contains("/healthz").then_some(()));
    let status = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let ended = until("the end", || child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0));
    std::fs::read_to_string(&out).unwrap()
}

#[test]
fn the_first_password_may_come_out_of_a_file_which_may_be_empty_later_and_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("password"));
    let start = || {
        let any = "127.0.0.1:0";
        let mut command = Running::command(&data, any, any, &[]);
        command.env_remove("MUSTER_ADMIN_PASSWORD").env("MUSTER_ADMIN_PASSWORD_FILE", &file);
        Running::spawn(command, &data)
    };
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let server = start().unwrap();
    assert!(server.ready["password"].is_null(), "{}", server.ready);
    server.call("getServiceInfo", &json!({}));
    drop(server);

    std::fs::write(&file, "").unwrap();
    let server = start().unwrap();
    server.call("getServiceInfo", &json!({}));
    drop(server);

    std::fs::remove_file(&file).unwrap();
    let told = start().err().unwrap();
    assert!(told.contains("MUSTER_ADMIN_PASSWORD_FILE") && told.contains("/password, which"), "{told}");
}

#[test]
fn the_first_start_prints_a_password_that_works_and_the_second_none() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = spoken(&data, None);
    let password =
        first.lines().find_map(|line| line.trim().strip_prefix("password  ")).unwrap_or_else(|| panic!("{first}"));
    assert!(password.len() >= 20, "{first}");
    assert!(first.contains("user      admin"), "{first}");
    let second = spoken(&data, None);
    assert!(!second.contains("password"), "{second}");

    let server = Running::start(&data);
    let as_printed = run(server.command_call(&["getServiceInfo"]).env("MUSTER_PASSWORD", password));
    assert!(as_printed.ok().contains("productVersion"));
    // The administrator exists: the environment does not change its password.
    let told = run(&mut server.command_call(&["getServiceInfo"])).refused();
    assert!(told.starts_with("DMP0001 NotAuthenticated: "), "{told}");
}

#[test]
fn the_password_of_the_environment_is_used_and_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    assert_eq!(server.ready["password"], serde_json::Value::Null);
    assert_eq!(server.call("getServiceInfo", &json!({}))["serverId"], "muster");
    let told = run(server.command_call(&["getServiceInfo"]).env("MUSTER_PASSWORD", "wrong")).refused();
    assert_eq!(told, "DMP0001 NotAuthenticated: the credentials are missing or wrong");
}

#[test]
fn a_port_that_is_taken_at_the_first_start_costs_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let any = "127.0.0.1:0";
    let mut refused = muster(["serve", "--north", any, "--south", &address, "--admin", any]);
    let told = run(refused.arg("--data").arg(folder.path())).refused();
    assert!(told.starts_with(&format!("cannot listen on {address}: ")), "{told}");
    let first = spoken(folder.path(), None);
    assert!(first.contains("password  "), "{first}");
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let any = "127.0.0.1:0";
    let told = run(&mut Running::command(folder.path(), any, any, &[])).refused();
    assert!(told.ends_with("is in use by another process; stop that one first, or choose another folder"), "{told}");
    let told = run(muster(["principal", "list", "--data"]).arg(folder.path())).refused();
    assert!(told.contains("is in use by another process"), "{told}");
    server.assert_alive();
}

#[test]
fn a_wrong_or_missing_key_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Running::start(folder.path()));
    let (key, any) = (folder.path().join("muster.key"), "127.0.0.1:0");
    let right = std::fs::read(&key).unwrap();
    std::fs::write(&key, [7; 32]).unwrap();
    let told = run(&mut Running::command(folder.path(), any, any, &[])).refused();
    assert!(told.contains("does not belong to the database"), "{told}");
    std::fs::remove_file(&key).unwrap();
    let told = run(&mut Running::command(folder.path(), any, any, &[])).refused();
    assert!(told.contains("put it back from your backup"), "{told}");
    std::fs::write(&key, right).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    Running::start(folder.path()).assert_alive();
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path());
    // After an orderly end everything is in the one file, where the number of the schema follows its name.
    server.tell_to_end();
    assert_eq!(server.ended().code(), Some(0));
    let path = folder.path().join("muster.db");
    let mut database = std::fs::read(&path).unwrap();
    // All of its octets but the last are zero.
    let written = [b"schema".as_slice(), &[0; 7]].concat();
    let at = database.windows(written.len()).position(|it| it == written).unwrap() + written.len();
    database[at] = 99;
    std::fs::write(&path, database).unwrap();
    let any = "127.0.0.1:0";
    let told = run(&mut Running::command(folder.path(), any, any, &[])).refused();
    assert!(told.contains("has schema 99") && told.ends_with("use a newer program"), "{told}");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let any = "127.0.0.1:0";
    for (data, why) in [(file.as_path(), "File exists"), (Path::new("/proc/muster"), "No such file or directory")] {
        let told = run(&mut Running::command(data, any, any, &[])).refused();
        assert_eq!(told.matches(why).count(), 1, "{told}");
        assert!(told.starts_with("cannot open the data folder: ") && told.contains(data.to_str().unwrap()), "{told}");
    }
}

#[test]
fn principals_are_made_and_listed_while_the_server_is_down() {
    let folder = tempfile::tempdir().unwrap();
    drop(Running::start(folder.path()));
    let principal = |args: &[&str]| {
        let mut command = muster(["principal", "--data"]);
        command.arg(folder.path()).args(args);
        command
    };
    let said = run_with_input(&mut principal(&["put", "crm", "--role", "care"]), "its secret\n").ok();
    assert_eq!(said, "crm may call the server\n");
    let said = run(&mut principal(&["put", "shop", "--role", "campaign", "--role", "reader"])).ok();
    let made_up = said.lines().nth(1).unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let listed = run(&mut principal(&["list"])).ok();
    assert_eq!(
        listed,
        "name   tenant   grants\n─────  ───────  ──────────────────\nadmin  default  administrator in *\n\
         crm    default  care\nshop   default  campaign, reader\n"
    );
    let listed = run(&mut principal(&["list", "--json"])).ok();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&listed).unwrap()[1]["grants"], json!(["care"]));

    let server = Running::start(folder.path());
    for (user, password) in [("crm", "its secret"), ("shop", &made_up), ("admin", PASSWORD)] {
        let mut call = server.command_call(&["getJobs", "--json", "--user", user]);
        assert_eq!(run(call.env("MUSTER_PASSWORD", password)).ok(), "{\"job\":[],\"totalCount\":0}\n");
    }
}

#[test]
fn listing_principals_of_a_folder_without_a_database_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    let told = run(muster(["principal", "list", "--data"]).arg(&nothing)).refused();
    assert!(told.starts_with("there is no database in ") && told.contains("--data"), "{told}");
    assert!(!nothing.exists());
}
