//! The audit log and chargeable events at the command line and in files, beside a server, after kill -9, and after its end.

use std::path::Path;
use std::process::Command;

use muster_simulator::fleet::{Fleet, FleetRun, FleetSpec};
use muster_simulator::http::HttpOptions;
use serde_json::{Value, json};

use crate::running::{Done, PASSWORD, Running, muster, run, until};

const DEVICES: u64 = 3;
const SEED: u64 = 41;

fn start(folder: &Path) -> Running {
    let config = folder.join("muster.toml");
    let records = folder.join("records");
    std::fs::write(&config, format!("[charging]\nfolder = {records:?}\nfile_seconds = 1\n")).unwrap();
    Running::start_with(&folder.join("data"), &["--config", config.to_str().unwrap()])
}

/// A command that asks the server.
fn asked(server: &Running, args: &[&str]) -> Command {
    let mut command = muster(args.iter().copied());
    command.env("MUSTER_URL", format!("{}/wsi", server.url("north"))).env("MUSTER_PASSWORD", PASSWORD);
    command
}

/// A command that reads the folder.
fn read(folder: &Path, command: &str, args: &[&str]) -> Done {
    let data = folder.join("data");
    run(&mut muster([&[command, "--data", data.to_str().unwrap()], args].concat()))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["eventId"].as_str().unwrap()).collect()
}

/// What the files of records hold, in their order.
fn recorded(folder: &Path, ending: &str) -> String {
    let Ok(found) = std::fs::read_dir(folder.join("records")) else { return String::new() };
    let mut files: Vec<_> = found.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == ending));
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// Changes the stored text of an entry, of the same length, as somebody with the disk might.
fn tamper(folder: &Path, from: &str, to: &str) {
    let file = folder.join("data").join("muster.db");
    let mut octets = std::fs::read(&file).unwrap();
    let places: Vec<usize> =
        octets.windows(from.len()).enumerate().filter(|(_, it)| *it == from.as_bytes()).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        octets[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    std::fs::write(&file, octets).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_exported_and_filed_once_and_the_log_is_looked_through_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = start(folder);
    server.import(DEVICES, SEED);
    let request = json!({"operation": "QUERY", "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false});
    let devices = server.call("getDeviceInstances", &json!({}))["deviceInstance"].clone();
    let mut tasks = Vec::new();
    for device in devices.as_array().unwrap() {
        let mut request = request.clone();
        request["deviceID"] = device["deviceID"].clone();
        request["arguments"] = json!({"parameter": [{"path": "./DevInfo/Mod"}]});
        tasks.push(server.call("doOperation", &request).as_str().unwrap().to_owned());
    }
    let at = format!("{}/dm", server.url("south"));
    let fleet = Fleet::start(FleetSpec::new(DEVICES, SEED).iter(), FleetRun::once(&at, HttpOptions::new().unwrap()));
    fleet.finish().await;

    // The feed has an event of each task, and says the same from the server and from its folder.
    let told = run(&mut asked(&server, &["charges", "export"])).ok();
    let mut charged: Vec<_> =
        lines(&told).iter().map(|event| event["taskId"].as_str().unwrap_or_default().to_owned()).collect();
    charged.sort();
    tasks.sort();
    assert_eq!(charged, tasks, "{told}");
    let local = read(folder, "charges", &["export"]).ok();
    assert_eq!(ids(&lines(&local)), ids(&lines(&told)));
    let events = lines(&told);
    let rest = read(folder, "charges", &["export", "--after", ids(&events)[0]]).ok();
    assert_eq!(ids(&lines(&rest)), ids(&events)[1..]);

    // The log, from both places.
    let heard = run(&mut asked(&server, &["audit", "export"])).ok();
    let seen = read(folder, "audit", &["export"]).ok();
    let numbers = |text: &str| lines(text).iter().map(|entry| entry["number"].clone()).collect::<Vec<_>>();
    assert_eq!(numbers(&heard)[..], numbers(&seen)[..numbers(&heard).len()]);
    assert!(seen.contains("\"doOperation\"") && !seen.contains(PASSWORD), "{seen}");
    assert_eq!(read(folder, "audit", &["export", "--until", "2000-01-01T00:00:00Z"]).ok(), "");
    assert_eq!(read(folder, "audit", &["export", "--since", "2100-01-01T00:00:00Z"]).ok(), "");
    let remote: Value = serde_json::from_str(&run(&mut asked(&server, &["audit", "verify", "--json"])).ok()).unwrap();
    assert_eq!(remote["valid"], true);
    let anchor = remote["head"].as_str().unwrap();

    // Files of records have each event once, though the server was killed while it wrote them.
    server.kill();
    let mut server = start(folder);
    until("the files of records", || (ids(&lines(&recorded(folder, "ndjson"))) == ids(&events)).then_some(()));
    until("the files for spreadsheets", || (recorded(folder, "csv").contains(&tasks[0])).then_some(()));
    server.tell_to_end();
    assert!(server.ended().success());
    let mut server = start(folder);
    server.tell_to_end();
    assert!(server.ended().success());
    assert_eq!(ids(&lines(&recorded(folder, "ndjson"))), ids(&events));

    // What was there is still there; a change is found, with its number.
    assert!(read(folder, "audit", &["verify", "--anchor", anchor]).ok().starts_with("right to its end"));
    let (number, hash) = anchor.split_once(':').unwrap();
    let beyond = format!("{}:{hash}", number.parse::<u64>().unwrap() + 1000);
    let cut = read(folder, "audit", &["verify", "--anchor", &beyond]);
    assert_eq!(cut.code, Some(2), "{cut:?}");
    tamper(folder, "\"operation\":\"QUERY\"", "\"operation\":\"RESET\"");
    let broken = read(folder, "audit", &["verify", "--json"]);
    assert_eq!(broken.code, Some(2), "{broken:?}");
    let broken: Value = serde_json::from_str(&broken.out).unwrap();
    let first = lines(&seen).iter().find(|entry| entry["operation"] == "doOperation").unwrap()["number"].clone();
    assert_eq!((&broken["valid"], &broken["brokenNumber"]), (&json!(false), &first));
}
