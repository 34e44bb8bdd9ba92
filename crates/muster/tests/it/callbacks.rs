//! The real binary tells a receiver that really listens, through kill -9 and all.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::running::{PASSWORD, PATIENCE, Running, muster, run, until};

/// A message that came, and the way to answer it.
struct Message {
    stream: TcpStream,
    head: String,
    body: String,
}

impl Message {
    fn event_ids(&self) -> Vec<String> {
        let events: Vec<Value> = serde_json::from_str(&self.body).unwrap();
        events.iter().map(|event| event["eventId"].as_str().unwrap().to_owned()).collect()
    }

    fn take(mut self) {
        let body = format!("{{\"acceptedCount\":{}}}", self.event_ids().len());
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        // Whoever was killed meanwhile does not read it.
        let _ = self.stream.write_all(format!("{head}{body}").as_bytes());
    }
}

/// Listens for webhooks on a free port of loopback; each message waits for the test to answer it.
fn receiver() -> (String, Receiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let (sender, messages) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || read(stream, &sender));
        }
    });
    (url, messages)
}

fn read(stream: TcpStream, sender: &Sender<Message>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let begin = head.len();
        if !matches!(reader.read_line(&mut head), Ok(read) if read > 0) {
            return;
        }
        if &head[begin..] == "\r\n" {
            break;
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if reader.read_exact(&mut body).is_ok() {
        let body = String::from_utf8(body).unwrap();
        // Nobody waits for it once the test has ended.
        let _ = sender.send(Message { stream: reader.into_inner(), head, body });
    }
}

fn configured(folder: &Path) -> PathBuf {
    let path = folder.join("muster.toml");
    std::fs::write(&path, "[callbacks]\nplain_http = true\n").unwrap();
    path
}

fn start(folder: &Path) -> Running {
    let file = configured(folder);
    Running::start_with(&folder.join("data"), &["--config", file.to_str().unwrap()])
}

fn callbacks(server: &Running, args: &[&str]) -> std::process::Command {
    let mut command = muster(std::iter::once("callbacks").chain(args.iter().copied()));
    command.env("MUSTER_URL", format!("{}/wsi", server.url("north"))).env("MUSTER_PASSWORD", PASSWORD);
    command
}

fn happen(server: &Running, device: &str, address: &str) {
    let request = json!({
        "operation": "QUERY", "deviceID": device, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": true,
        "callback": {"address": address},
    });
    server.call("doOperation", &request);
}

fn device(server: &Running) -> String {
    server.import(1, 1);
    let devices = server.call("getDeviceInstances", &json!({}));
    devices["deviceInstance"][0]["deviceID"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_delivered_and_not_acknowledged_when_the_server_was_killed_is_delivered_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = start(folder.path());
    let device = device(&server);
    let (url, messages) = receiver();
    let allowed = run(&mut callbacks(&server, &["allow", &url, "--webhook", "--private"])).ok();
    assert!(allowed.contains("is allowed as a-") && allowed.contains("(printed once)"), "{allowed}");

    let mut known = Vec::new();
    for round in 0..3 {
        happen(&server, &device, &url);
        let message = messages.recv_timeout(PATIENCE).unwrap();
        assert!(message.head.to_ascii_lowercase().contains("muster-signature: v1="), "{}", message.head);
        let told = message.event_ids();
        assert_eq!(told.len(), 1, "round {round}: what was acknowledged does not come again");
        // In the middle of a delivery: the receiver has it, and the server does not know.
        server.kill();
        message.take();
        server = start(folder.path());
        let again = messages.recv_timeout(PATIENCE).unwrap();
        assert_eq!(again.event_ids(), told, "round {round}");
        again.take();
        known.extend(told);
        until("the acknowledgement", || {
            let queues = server.call("getCallbackQueues", &json!({}));
            (queues["callbackQueue"][0]["waiting"] == 0).then_some(())
        });
    }
    known.sort();
    known.dedup();
    assert_eq!(known.len(), 3);
    assert!(messages.recv_timeout(Duration::from_millis(500)).is_err(), "nothing more comes");
}

#[test]
fn the_command_shows_who_lags_and_replays_what_was_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let device = device(&server);
    assert_eq!(run(&mut callbacks(&server, &[])).ok(), "no receiver\n");
    assert_eq!(run(&mut callbacks(&server, &["dead"])).ok(), "nothing was given up\n");
    let (url, messages) = receiver();
    run(&mut callbacks(&server, &["allow", &url, "--webhook", "--private"])).ok();
    let addresses = run(&mut callbacks(&server, &["addresses"])).ok();
    assert!(
        addresses.contains("WEBHOOK") && addresses.contains("everybody") && addresses.contains(&url),
        "{addresses}"
    );
    assert!(!addresses.contains("secret"), "{addresses}");

    happen(&server, &device, &url);
    let mut first = messages.recv_timeout(PATIENCE).unwrap();
    first.stream.write_all(b"HTTP/1.1 503 Down\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").unwrap();
    let listed = until("the failure", || {
        let listed = run(&mut callbacks(&server, &[])).ok();
        listed.contains("failed 1×").then_some(listed)
    });
    assert!(listed.contains("HTTP 503") && listed.contains(" in "), "{listed}");
    let mut second = messages.recv_timeout(PATIENCE).unwrap();
    second.stream.write_all(b"HTTP/1.1 410 Gone\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").unwrap();
    let dead = until("the dead letter", || {
        let dead = run(&mut callbacks(&server, &["dead", "--json"])).ok();
        serde_json::from_str::<Vec<Value>>(&dead).unwrap().pop()
    });
    assert!(run(&mut callbacks(&server, &[])).ok().contains("gone"));
    assert!(run(&mut callbacks(&server, &["dead"])).ok().contains("SUCCEEDED"));

    let event = dead["eventId"].as_str().unwrap();
    assert_eq!(run(&mut callbacks(&server, &["replay", event])).ok(), "1 will be delivered again\n");
    let third = messages.recv_timeout(PATIENCE).unwrap();
    assert_eq!(third.event_ids(), [event]);
    third.take();
    let metrics = until("the counters", || {
        let metrics = crate::http::get(&server.address("admin"), "/metrics").body;
        metrics.contains("muster_callback_events_total{outcome=\"taken\"} 1").then_some(metrics)
    });
    for line in ["taken\"} 1", "failed\"} 1", "gone\"} 1", "refused\"} 0"] {
        assert!(metrics.contains(&format!("muster_callback_messages_total{{outcome=\"{line}")), "{line}: {metrics}");
    }
    let nothing = run(&mut callbacks(&server, &["replay"]));
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
}

#[test]
fn plain_http_is_refused_unless_the_configuration_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let refused = run(&mut callbacks(&server, &["allow", "http://127.0.0.1:9/", "--private"])).refused();
    assert!(refused.contains("must begin with https://"), "{refused}");
}

#[test]
fn the_server_does_not_start_with_a_certificate_for_receivers_that_it_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("muster.toml");
    for (text, why) in [
        ("[callbacks]\ntls_certificate = \"a.crt\"\n", "given together"),
        ("[callbacks]\ntls_certificate = \"a.crt\"\ntls_key = \"a.key\"\n", "a.crt"),
        ("[callbacks]\ntrust = \"a.crt\"\n", "a.crt"),
        ("[callbacks]\nat_once = 0\n", "callbacks.at_once"),
    ] {
        std::fs::write(&file, text).unwrap();
        let more = ["--config", file.to_str().unwrap()];
        let data = folder.path().join("data");
        let command = Running::command(&data, "127.0.0.1:0", "127.0.0.1:0", &more);
        let Err(told) = Running::spawn(command, &data) else { panic!("{text} was taken") };
        assert!(told.contains(why), "{text}: {told}");
    }
}
