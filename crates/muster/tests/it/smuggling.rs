//! Requests that somebody in between may have framed otherwise than we do: on a socket, since only there is framing.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::Value;

use crate::http::{connect, read_reply};
use crate::running::{PASSWORD, Running, muster};

/// Somebody else's request, hidden in the body of the first one.
const HIDDEN: &str = "GET /wsi?wsdl HTTP/1.1\r\nHost: hidden\r\nConnection: close\r\n\r\n";

/// What comes back for these octets until the other side closes.
fn told(address: &str, octets: &str) -> String {
    let mut stream = connect(address);
    // A server that has heard enough may close before it has read everything.
    let _ = stream.write_all(octets.as_bytes());
    let reply = read_reply(stream);
    format!("{}\r\n\r\n{}", reply.head, reply.body)
}

/// How many requests were answered.
fn answers(told: &str) -> usize {
    told.to_ascii_lowercase().matches("http/1.1 ").count()
}

#[test]
fn a_request_with_two_ends_is_refused_and_nothing_behind_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let hidden = HIDDEN.len();
    for (listener, path) in [("north", "/wsi"), ("north", "/api/v1/tasks"), ("south", "/dm")] {
        let head = |more: &str| format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n{more}\r\n");
        for octets in [
            // Two lengths, or one that is a list, a sum, or negative.
            format!("{}{HIDDEN}", head(&format!("Content-Length: 0\r\nContent-Length: {hidden}\r\n"))),
            format!("{}{HIDDEN}", head(&format!("Content-Length: {hidden}\r\nContent-Length: 0\r\n"))),
            format!("{}{HIDDEN}", head(&format!("Content-Length: 0, {hidden}\r\n"))),
            format!("{}{HIDDEN}", head("Content-Length: +0\r\n")),
            format!("{}{HIDDEN}", head("Content-Length: -1\r\n")),
            format!("{}{HIDDEN}", head("Content-Length: 0x0\r\n")),
            // Chunks that are not the last coding, or a coding that looks like them.
            format!("{}0\r\n\r\n{HIDDEN}", head("Transfer-Encoding: chunked, identity\r\n")),
            format!("{}0\r\n\r\n{HIDDEN}", head("Transfer-Encoding: xchunked\r\n")),
            format!("{}0\r\n\r\n{HIDDEN}", head("Transfer-Encoding: \"chunked\"\r\n")),
            // A header that goes on in the next line, has a space before its colon, or no name.
            format!("{}0\r\n\r\n{HIDDEN}", head("X: a\r\n Transfer-Encoding: chunked\r\n")),
            format!("{}0\r\n\r\n{HIDDEN}", head("Transfer-Encoding:\r\n chunked\r\n")),
            format!("{}0\r\n\r\n{HIDDEN}", head("Transfer-Encoding : chunked\r\n")),
            format!("{}{HIDDEN}", head(": x\r\n")),
            format!("{}{HIDDEN}", head("X: a\0b\r\n")),
            format!("{}{HIDDEN}", head("X: a\rContent-Length: 0\r\n")),
            // Chunks whose sizes are none.
            format!("{}-1\r\n\r\n{HIDDEN}", head("Transfer-Encoding: chunked\r\n")),
            format!("{}fffffffffffffffff\r\n\r\n{HIDDEN}", head("Transfer-Encoding: chunked\r\n")),
            format!("{}0x0\r\n\r\n{HIDDEN}", head("Transfer-Encoding: chunked\r\n")),
            // Two hosts.
            format!("{}{HIDDEN}", head("Host: y\r\nContent-Length: 0\r\n")),
            format!("{}{HIDDEN}", head("Host: x\r\nContent-Length: 0\r\n")),
        ] {
            let told = told(&server.address(listener), &octets);
            assert!(answers(&told) <= 1, "{octets:?}: {told}");
            assert!(!told.contains("definitions") && !told.contains(" 200 "), "{octets:?}: {told}");
            assert!(
                told.starts_with("http/1.1 4") || told.starts_with("http/1.1 5") || told.trim().is_empty(),
                "{told}"
            );
        }
    }
    server.assert_alive();
}

#[test]
fn chunks_count_beside_a_length_and_nothing_behind_them_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let length = "Content-Length: 400\r\n";
    let chunks = "Transfer-Encoding: chunked\r\n";
    for (listener, path) in [("north", "/wsi"), ("north", "/api/v1/tasks"), ("south", "/dm")] {
        for framing in [format!("{length}{chunks}"), format!("{chunks}{length}")] {
            let octets = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n{framing}\r\n0\r\n\r\n{HIDDEN}"
            );
            let told = told(&server.address(listener), &octets);
            assert!(told.starts_with("http/1.1 4") && answers(&told) == 1, "{octets:?}: {told}");
        }
    }
    server.assert_alive();
}

#[test]
fn a_request_of_http_1_1_without_host_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    for (listener, path) in [("north", "/api/v1/openapi.json"), ("north", "/wsi"), ("south", "/dm")] {
        let told_of = |line: &str, headers: &str| {
            told(&server.address(listener), &format!("GET {path} {line}\r\n{headers}Connection: close\r\n\r\n"))
        };
        let without = told_of("HTTP/1.1", "");
        assert!(without.starts_with("http/1.1 400") && without.contains("no Host"), "{without}");
        // A host that is named by nothing is one, and HTTP/1.0 needs none.
        for (line, headers) in [("HTTP/1.1", "Host: x\r\n"), ("HTTP/1.1", "Host:\r\n"), ("HTTP/1.0", "")] {
            let with = told_of(line, headers);
            assert!(!with.contains("no Host"), "{line} {headers}: {with}");
        }
    }
    server.assert_alive();
}

#[test]
fn no_request_makes_a_second_line_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut child =
        muster(["serve", "--ready-json", "--log", "debug", "--north", "127.0.0.1:0", "--south", "127.0.0.1:0"])
            .args(["--admin", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .env("MUSTER_ADMIN_PASSWORD", PASSWORD)
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let address = ready["north"].as_str().unwrap().split_once("://").unwrap().1.to_owned();

    // `admin` with the password of these tests.
    let known = "Authorization: Basic YWRtaW46b2YgdGhlIHRlc3Rz\r\n";
    for (path, media_type, more, body) in [
        ("/api/v1/tasks", "application/json", known, r#"{"a\n2026-11-21T06:06:00Z  INFO forged\u001b[2K\u2028":1}"#),
        ("/api/v1/tasks?a%0A2026-11-21T06:06:00Z%20%20INFO%20forged%1B%5B2K=1", "application/json", known, "{}"),
        (
            "/api/v1/sessions",
            "application/json",
            "",
            r#"{"userName":"a\n2026-11-21T06:06:00Z  INFO forged","password":"x"}"#,
        ),
        ("/api/v1/tasks", "application/json; a=\t\u{9b}forged", known, "{}"),
        ("/api/v1/tasks", "application/json", "User-Agent: a\x1b[2K forged\r\n", "{}"),
        (
            "/wsi",
            "text/xml",
            known,
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>\
             <getTasks xmlns='urn:muster:dmwsi:v1'><jobId>a&#10;2026-11-21T06:06:00Z  INFO forged&#133;</jobId>\
             </getTasks></s:Body></s:Envelope>",
        ),
    ] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {media_type}\r\n{more}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let told = told(&address, &request);
        assert!(told.starts_with("http/1.1 4") || told.starts_with("http/1.1 5"), "{told}");
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let about = lines.iter().filter(|line| line.contains("forged")).count();
    assert!(about >= 2, "faults are told with what was sent: {text}");
    for line in lines {
        // After the time of the log, which is longer than that of the forgeries, comes the level.
        let is_event = matches!(line.get(28..33), Some(" INFO" | " WARN" | "DEBUG" | "ERROR" | "TRACE"));
        assert!(is_event && !line.chars().any(char::is_control), "{line:?}");
    }
}
