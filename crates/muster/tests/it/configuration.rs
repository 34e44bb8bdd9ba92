//! File, environment, flags.

use std::path::Path;

use serde_json::json;

use crate::running::{PASSWORD, Running, muster, run};

const ANY: &str = "127.0.0.1:0";

/// A server that is told its ports and folder by the file alone, and more by what `set` does.
fn started(config: &Path, set: impl FnOnce(&mut std::process::Command)) -> Running {
    let mut command = muster(["serve", "--ready-json", "--log", "error"]);
    command.arg("--config").arg(config).env("MUSTER_ADMIN_PASSWORD", PASSWORD);
    set(&mut command);
    Running::spawn(command, config.parent().unwrap()).unwrap_or_else(|err| panic!("{err}"))
}

fn server_id(server: &Running) -> String {
    server.call("getServiceInfo", &json!({}))["serverId"].as_str().unwrap().to_owned()
}

#[test]
fn flags_count_before_the_environment_and_that_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("muster.toml");
    let ports = format!("[north]\naddress = \"{ANY}\"\n[south]\naddress = \"{ANY}\"\n[admin]\naddress = \"{ANY}\"\n");
    std::fs::write(&config, format!("data = \"of-the-file\"\nserver_id = \"file\"\n{ports}")).unwrap();

    assert_eq!(server_id(&started(&config, |_| {})), "file");
    assert!(folder.path().join("of-the-file/muster.db").exists(), "paths in a file are meant from where it lies");
    let by_environment = started(&config, |command| {
        command.env("MUSTER_SERVER_ID", "environment").env("MUSTER_DATA", folder.path().join("of-the-environment"));
    });
    assert_eq!(server_id(&by_environment), "environment");
    assert!(folder.path().join("of-the-environment/muster.db").exists());
    let by_flag = started(&config, |command| {
        command.env("MUSTER_SERVER_ID", "environment").env("MUSTER_DATA", "/proc/never").args(["--server-id", "flag"]);
        command.arg("--data").arg(folder.path().join("of-the-flag"));
    });
    assert_eq!(server_id(&by_flag), "flag");
    drop((by_environment, by_flag));

    let mut by_variable = muster(["serve", "--ready-json", "--log", "error"]);
    by_variable.env("MUSTER_CONFIG", &config).env("MUSTER_ADMIN_PASSWORD", PASSWORD);
    assert_eq!(server_id(&Running::spawn(by_variable, folder.path()).unwrap()), "file");
}

#[test]
fn a_mistake_in_the_file_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("muster.toml");
    let told = |text: &str| {
        std::fs::write(&config, text).unwrap();
        let mut command = Running::command(&folder.path().join("data"), ANY, ANY, &["--config"]);
        run(command.arg(&config)).refused()
    };
    let named = |text: &str, words: &[&str]| {
        let told = told(text);
        assert!(told.starts_with(&format!("{} is not understood: ", config.display())), "{told}");
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    };
    named("[limits]\nconections = 3\n", &["line 2", "unknown field `conections`", "`connections`"]);
    named("[west]\n", &["unknown field `west`"]);
    named("[north]\naddress = \"here\"\n", &["line 2", "invalid socket address"]);
    named("[limits]\nconnections = \"many\"\n", &["line 2", "invalid type: string \"many\""]);
    named("[limits]\nconnections = 0\n", &["limits.connections must be a number from 1"]);
    named("[limits]\nconnections = 9223372036854775807\n", &["limits.connections must be a number from 1"]);
    named("[sessions]\ndevice_silent_seconds = -9223372036854775808\n", &["sessions.device_silent_seconds must be"]);
    named("[limits]\nheader_seconds = -1\n", &["line 2", "-1"]);
    named("data = \n", &["line 1"]);
    for listener in ["south", "admin"] {
        for value in ["true", "false"] {
            named(
                &format!("[{listener}]\nclient_certificates = {value}\n"),
                &[&format!("{listener}.client_certificates has no effect"), "take the line out"],
            );
        }
    }
    std::fs::remove_file(&config).unwrap();
    let mut command = Running::command(&folder.path().join("data"), ANY, ANY, &["--config"]);
    let missing = run(command.arg(&config)).refused();
    assert_eq!(missing, format!("cannot read {}: No such file or directory (os error 2)", config.display()));
    let filter = run(muster(["serve", "--log", "x=nothing", "--data"]).arg(folder.path())).refused();
    assert!(filter.starts_with("log filter x=nothing: "), "{filter}");
}

#[test]
fn the_example_is_accepted_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../muster.example.toml");
    let server = Running::start_with(folder.path(), &["--config", example]);
    assert_eq!(server_id(&server), "muster");
}

#[test]
fn nothing_but_loopback_is_bound_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let bound = listening(server.id());
    assert_eq!(bound.len(), 3, "{bound:?}");
    assert!(bound.iter().all(|address| address == "0100007F"), "{bound:?}");
    drop(server);
    let asked = Running::spawn(Running::command(folder.path(), ANY, "0.0.0.0:0", &[]), folder.path()).unwrap();
    let mut bound = listening(asked.id());
    bound.sort();
    assert_eq!(bound, ["00000000", "0100007F", "0100007F"]);
    let help = run(&mut muster(["serve", "--help"])).ok();
    for port in 8080..=8082 {
        assert!(help.contains(&format!("[default: 127.0.0.1:{port}]")), "{help}");
    }
}

/// Local addresses that a process listens on, as the kernel tells them (hexadecimal).
fn listening(id: u32) -> Vec<String> {
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{id}/fd"))
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        .collect();
    let tables = ["tcp", "tcp6"].map(|it| std::fs::read_to_string(format!("/proc/{id}/net/{it}")).unwrap_or_default());
    tables
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields[3] == "0A" && sockets.iter().any(|it| it == fields[9]))
        .map(|fields| fields[1].split(':').next().unwrap().to_owned())
        .collect()
}
