//! `muster trace`, and what the server counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::{get, post};
use crate::running::{Running, muster, run};

/// A server with two imported devices, and the file of the fleet they are.
struct Trial {
    folder: tempfile::TempDir,
    server: Running,
    devices: Vec<Value>,
}

impl Trial {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Running::start(folder.path());
        server.import(2, 1);
        let fleet = std::fs::read_to_string(folder.path().join("fleet.json")).unwrap();
        let fleet: Value = serde_json::from_str(&fleet).unwrap();
        let devices = fleet["deviceInstance"].as_array().unwrap().clone();
        Self { folder, server, devices }
    }

    fn id(&self, place: usize) -> &str {
        self.devices[place]["deviceID"].as_str().unwrap()
    }

    fn trace(&self, args: &[&str]) -> crate::running::Done {
        let mut command = muster(["trace"]);
        command.args(args).env("MUSTER_URL", format!("http://{}/wsi", self.server.address("north")));
        run(command.env("MUSTER_PASSWORD", crate::running::PASSWORD))
    }

    /// One session of each device.
    fn sessions(&self) {
        let url = format!("http://{}/dm", self.server.address("south"));
        run(&mut muster(["sim", "--server", &url, "--devices", "2", "--seed", "1", "--sessions", "1"])).ok();
    }

    fn query(&self, device: &str, more: &[&str]) {
        let device = format!("deviceID={device}");
        let fixed = ["--set", "operation=QUERY", "--set", &device, "--set", "bOptin=false"];
        let policy = ["--set", "acceptDevicePolicy=30", "--set", "testCycle=false"];
        run(self.server.command_call(&["doOperation"]).args(fixed).args(policy).args(more)).ok();
    }
}

#[test]
fn a_session_is_recorded_listed_and_shown_message_by_message() {
    let trial = Trial::new();
    let device = trial.id(0);
    assert_eq!(trial.trace(&["list", device]).ok(), format!("{device} is not recorded\nno session was recorded\n"));
    let on = trial.trace(&["on", device, "--sessions", "5", "--for", "2h"]).ok();
    assert!(on.starts_with(&format!("{device} is recorded until 20")) && on.ends_with("the last 5 sessions\n"), "{on}");
    trial.query(device, &[]);
    trial.sessions();

    let listed = trial.trace(&["list", device]).ok();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 4, "{listed}");
    assert!(lines[1].starts_with("session  SessionID  began"), "{listed}");
    assert!(lines[3].starts_with("1 ") && lines[3].ends_with("yes     everything was said"), "{listed}");

    let summary = trial.trace(&["show", device, "--summary"]).ok();
    let lines: Vec<&str> = summary.lines().collect();
    assert!(lines[0].starts_with("session 1 · SessionID "), "{summary}");
    assert!(lines[1].starts_with("→ 1 ") && lines[1].ends_with(" Alert 1201, Replace DevInfo"), "{summary}");
    assert!(lines[2].starts_with("← 2 ") && lines[2].contains(" 407 Chal md5, "), "{summary}");
    assert!(lines[4].contains(" 212 Chal md5, 200 Alert, 200 Replace, Get ./DevInfo/DevId and 10 more"), "{summary}");
    assert!(lines[5].contains("200 Get (11 times), Results ./DevInfo/DevId and 10 more"), "{summary}");
    assert!(lines.iter().all(|line| line.chars().count() <= 120), "{summary}");

    let shown = trial.trace(&["show", device]).ok();
    for part in ["→ 1 ", "Data   1201  client-initiated session", "./DevInfo/Man  Manufacturer", "← 2 "] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let secret = trial.devices[0]["dmAccount"]["clientSecret"].as_str().unwrap();
    assert!(shown.contains("+blanked") && !shown.contains(secret), "{shown}");
    assert!(!shown.contains('\u{1b}'), "not coloured where it is no terminal");
    assert!(trial.trace(&["show", device, "--color", "always"]).ok().contains("\u{1b}["));

    // The other device was not recorded.
    let none = trial.trace(&["show", trial.id(1)]).refused();
    assert!(none.contains("no session of") && none.contains("muster trace on"), "{none}");
}

#[test]
fn what_is_refused_and_what_cannot_be_read_is_shown_with_the_reason() {
    let trial = Trial::new();
    let device = trial.id(0);
    trial.trace(&["on", device]).ok();
    let name = trial.devices[0]["dmAccount"]["clientName"].as_str().unwrap();
    let broken = format!(
        "<SyncML><SyncHdr><SessionID>9</SessionID><MsgID>1</MsgID><Target><LocURI>s</LocURI></Target><Source><LocURI>{device}</LocURI><LocName>{name}</LocName>\
         </Source></SyncHdr><SyncBody><Alert><Data>1201</Dat></Alert>"
    );
    let answer = post(&trial.server.address("south"), "/dm", "application/vnd.syncml.dm+xml", broken.as_bytes());
    assert_eq!(answer.status, 400);
    let summary = trial.trace(&["show", device, "--summary"]).ok();
    let lines: Vec<&str> = summary.lines().collect();
    assert!(lines[0].ends_with(" · 1 message · not let in"), "{summary}");
    assert!(lines[1].ends_with(&format!(" unreadable, {} octets", broken.len())), "{summary}");
    assert!(lines[2].contains("cannot be read: not well-formed XML at octet "), "{summary}");
    let shown = trial.trace(&["show", device]).ok();
    assert!(shown.contains(name) && shown.contains("answered with HTTP 400"), "{shown}");
    assert!(trial.trace(&["list", device]).ok().ends_with("no      not let in\n"));
}

#[test]
fn scripts_get_json_and_files() {
    let trial = Trial::new();
    let device = trial.id(0);
    trial.trace(&["on", device]).ok();
    trial.sessions();
    trial.sessions();
    let listed: Value = serde_json::from_str(&trial.trace(&["list", device, "--json"]).ok()).unwrap();
    assert_eq!(listed["setting"]["enabled"], true);
    assert_eq!(listed["session"].as_array().unwrap().len(), 2);

    let raw = trial.folder.path().join("messages");
    let args = ["show", device, "--all", "--json", "--raw", raw.to_str().unwrap()];
    let shown: Value = serde_json::from_str(&trial.trace(&args).ok()).unwrap();
    let sessions = shown.as_array().unwrap();
    assert_eq!(sessions.iter().map(|it| it["number"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    let first = &sessions[0]["message"][0];
    assert_eq!((first["direction"].as_str(), first["number"].as_i64()), (Some("RECEIVED"), Some(1)));
    assert!(first["explained"][0]["name"].as_str().is_some(), "{first}");
    let mut names: Vec<String> =
        std::fs::read_dir(&raw).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let count: usize = sessions.iter().map(|it| it["message"].as_array().unwrap().len()).sum();
    assert_eq!(names.len(), count);
    assert!(names[0].starts_with("session-0001-001-received."), "{names:?}");
    let octets = STANDARD.decode(first["content"].as_str().unwrap()).unwrap();
    assert_eq!(std::fs::read(raw.join(&names[0])).unwrap(), octets);
    assert!(run(&mut muster(["decode", raw.join(&names[0]).to_str().unwrap()])).ok().contains("1201"));
}

#[test]
fn a_recording_ends_and_is_forgotten_when_asked_and_a_task_can_ask_for_one() {
    let trial = Trial::new();
    let device = trial.id(0);
    let option = json!({"arguments": {"option": [{"name": "trace", "value": "true"}]}}).to_string();
    trial.query(device, &["--args", &option]);
    trial.sessions();
    trial.sessions();
    let listed: Value = serde_json::from_str(&trial.trace(&["list", device, "--json"]).ok()).unwrap();
    assert_eq!(listed["setting"]["enabled"], false);
    let sessions = listed["session"].as_array().unwrap();
    assert_eq!(sessions.len(), 1, "{listed}");
    let shown = trial.trace(&["show", device, "--summary"]).ok();
    assert!(shown.contains(&format!("for task {}", sessions[0]["taskId"].as_str().unwrap())), "{shown}");

    assert_eq!(trial.trace(&["off", device, "--discard"]).ok(), format!("{device} is not recorded\n"));
    assert!(trial.trace(&["list", device]).ok().ends_with("no session was recorded\n"));
}

#[test]
fn what_cannot_be_done_is_said_in_a_line() {
    let trial = Trial::new();
    for (args, told) in [
        (&["on", "IMEI:490154203237518"][..], "UnknownDevice"),
        (&["on", trial.id(0), "--sessions", "101"], "sessions"),
        (&["on", trial.id(0), "--for", "91d"], "durationSeconds"),
        (&["show", trial.id(0), "--session", "7"], "no session of"),
    ] {
        let refused = trial.trace(args).refused();
        assert!(refused.contains(told), "{refused}");
    }
    let done = trial.trace(&["on", trial.id(0), "--for", "soon"]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("for example 2d"), "{done:?}");
}

#[test]
fn what_comes_is_counted_for_the_operator() {
    let trial = Trial::new();
    let (south, admin) = (trial.server.address("south"), trial.server.address("admin"));
    trial.sessions();
    post(&south, "/dm", "application/vnd.syncml.dm+xml", b"<SyncML>");
    post(&south, "/dm", "text/html", b"<html/>");
    get(&south, "/dm");
    let metrics = get(&admin, "/metrics");
    assert_eq!(metrics.status, 200);
    for line in [
        "# TYPE muster_dm_messages_total counter",
        "muster_dm_credentials_total{outcome=\"right\"} 2",
        "muster_dm_sessions_total{event=\"begun\"} 2",
        "muster_dm_sessions_total{event=\"ended\"} 2",
        "muster_dm_refused_total{reason=\"unreadable\"} 1",
        "muster_dm_refused_total{reason=\"not_syncml\"} 1",
        "muster_dm_refused_total{reason=\"not_post\"} 1",
        "muster_dm_unreadable_total{kind=\"xml_truncated\"} 1",
    ] {
        assert!(metrics.body.lines().any(|it| it == line), "{line}: {}", metrics.body);
    }
    assert_eq!(get(&south, "/metrics").status, 404);
}
