//! `muster sim` against a server.

use serde_json::{Value, json};

use crate::running::{Running, muster, run, until};

#[test]
fn one_session_each_as_json_lines_with_the_figures_last() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    server.import(5, 3);
    let url = format!("{}/dm", server.url("south"));
    let args = ["sim", "--server", &url, "--devices", "5", "--seed", "3", "--sessions", "1"];
    let out = run(muster(args).arg("--json")).ok();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 6, "{out}");
    assert!(lines[..5].iter().all(|it| it["end"] == "complete" && it["complaints"] == json!([])), "{out}");
    assert_eq!(lines[5]["counts"]["sessions_complete"], 5, "{out}");
    let devices = server.call("getDeviceInstances", &json!({}));
    assert!(
        devices["deviceInstance"].as_array().unwrap().iter().all(|it| it["managementState"] == "MANAGED"),
        "{devices}"
    );
    let said = run(&mut muster(args)).ok();
    assert!(said.starts_with("5 sessions complete, 0 failed, "), "{said}");
}

#[test]
fn devices_that_nobody_knows_are_refused_and_the_reason_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let url = format!("{}/dm", server.url("south"));
    let done = run(&mut muster(["sim", "--server", &url, "--devices", "2", "--sessions", "1"]));
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.out.starts_with("0 sessions complete, 2 failed, "), "{done:?}");
    assert!(done.out.contains("\n  2 failed: not authenticated\n"), "{done:?}");
}

#[test]
fn an_address_that_is_none_is_told_at_once() {
    let told = run(&mut muster(["sim", "--server", "nonsense", "--sessions", "1"])).refused();
    assert!(told.starts_with("--server nonsense: write an address like http://127.0.0.1:8081/dm"), "{told}");
    let told = run(&mut muster(["sim", "--server", "ftp://127.0.0.1/dm", "--sessions", "1"])).refused();
    assert_eq!(told, "--server ftp://127.0.0.1/dm: devices speak http or https");
}

#[test]
fn a_fleet_file_describes_devices_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let account =
        json!({"authType": "BASIC", "clientName": "one", "clientSecret": "secret of one", "serverId": "muster"});
    let record = json!({"deviceID": "IMEI:490154203237518", "phoneNumber": "+15550100", "dmAccount": account});
    server.call("importDeviceInstances", &json!({"deviceInstance": [record], "updateExisting": false}));
    let file = folder.path().join("fleet.json");
    let device = json!({
        "device_id": "IMEI:490154203237518", "client_name": "one", "client_secret": "secret of one", "auth": "basic",
        "encoding": "xml", "behaviour": "well_behaved",
    });
    std::fs::write(&file, json!({"poll_ms": 50, "devices": [device]}).to_string()).unwrap();
    let url = format!("{}/dm", server.url("south"));
    let said = run(muster(["sim", "--server", &url, "--sessions", "2", "--fleet"]).arg(&file)).ok();
    assert!(said.starts_with("2 sessions complete, 0 failed, "), "{said}");
}

#[test]
fn devices_like_those_that_were_seen_have_their_sessions_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    server.import(4, 5);
    let url = format!("{}/dm", server.url("south"));
    let help = run(&mut muster(["sim", "--help"])).ok();
    for persona in ["plain", "dm-1.1.2", "libdmclient", "samsung", "windows", "cyanogenmod", "hotspot"] {
        assert!(help.contains(&format!("\n  {persona} ")), "{help}");
        let args = ["sim", "--server", &url, "--devices", "4", "--seed", "5", "--sessions", "1", "--persona", persona];

        let said = run(&mut muster(args)).ok();

        assert!(said.starts_with("4 sessions complete, 0 failed, "), "{persona}: {said}");
        assert!(said.contains(" 0 complaints about the server"), "{persona}: {said}");
    }
    let told = run(&mut muster(["sim", "--persona", "nokia"]));
    assert_ne!(told.code, Some(0));
    assert!(told.err.contains("write one of: plain, dm-1.1.2, libdmclient"), "{told:?}");
}

#[test]
fn a_persona_of_a_fleet_file_is_one_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fleet.json");
    let device =
        json!({"device_id": "IMEI:490154203237518", "client_name": "a", "client_secret": "b", "persona": "nokia"});
    std::fs::write(&file, json!({"devices": [device]}).to_string()).unwrap();

    let told = run(muster(["sim", "--fleet"]).arg(&file)).refused();

    assert!(told.contains("persona: write one of: plain"), "{told}");
}

#[test]
fn told_to_end_it_lets_sessions_finish_and_tells_the_figures() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    server.import(4, 9);
    let url = format!("{}/dm", server.url("south"));
    let out = folder.path().join("out");
    let mut command = muster(["sim", "--server", &url, "--devices", "4", "--seed", "9", "--poll-ms", "20", "--json"]);
    let mut child = command.stdout(std::fs::File::create(&out).unwrap()).spawn().unwrap();
    let read = || std::fs::read_to_string(&out).unwrap();
    until("sessions", || (read().lines().count() > 8).then_some(()));
    let told = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(until("the end", || child.try_wait().unwrap()).code(), Some(0));
    let last: Value = serde_json::from_str(read().lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["counts"]["sessions_open"], &last["counts"]["sessions_failed"]),
        (&0.into(), &0.into()),
        "{last}"
    );
    assert_eq!(last["counts"]["sessions_complete"], read().lines().count() - 1, "{last}");
}
