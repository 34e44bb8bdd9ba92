//! Bounds on connections, heads and bodies, on both listeners.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::http::{Reply, connect, post, read_reply, send};
use crate::running::{Running, until};

const PER_ADDRESS: usize = 6;

fn strict(folder: &std::path::Path, more: &str) -> Running {
    let config = folder.join("muster.toml");
    let limits = "header_seconds = 1\nrequest_seconds = 1\nwsi_request_bytes = 65536\ndevice_message_bytes = 16384\n";
    std::fs::write(&config, format!("[limits]\n{limits}{more}")).unwrap();
    Running::start_with(folder, &["--config", config.to_str().unwrap()])
}

fn request(path: &str, length: usize) -> String {
    let content = "Content-Type: text/xml; charset=utf-8";
    format!("POST {path} HTTP/1.1\r\nHost: x\r\n{content}\r\nContent-Length: {length}\r\n\r\n")
}

const BOTH: [(&str, &str); 2] = [("north", "/wsi"), ("south", "/dm")];

#[test]
fn a_head_or_a_body_that_does_not_come_ends_the_connection_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let server = strict(folder.path(), "");
    for (listener, path) in BOTH {
        let address = server.address(listener);
        let begun = ["", "POST", "POST /wsi HTTP/1.1\r\nHost: x\r\nX-Slow: "].map(|head| {
            let mut stream = connect(&address);
            stream.write_all(head.as_bytes()).unwrap();
            stream
        });
        let mut body = connect(&address);
        body.write_all(format!("{}<soap", request(path, 1000)).as_bytes()).unwrap();
        let begin = Instant::now();
        for stream in begun {
            let reply = read_reply(stream);
            assert!(matches!(reply.status, 0 | 408), "{reply:?}");
        }
        let reply = read_reply(body);
        assert!(matches!(reply.status, 400 | 408 | 500), "{listener} {reply:?}");
        assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    }
    server.assert_alive();
}

#[test]
fn a_body_that_drips_is_not_waited_for_longer_than_a_request_may_take() {
    let folder = tempfile::tempdir().unwrap();
    let server = strict(folder.path(), "");
    for (listener, path) in BOTH {
        let mut stream = connect(&server.address(listener));
        stream.write_all(request(path, 10_000).as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let begin = Instant::now();
        // One octet at a time, until something comes back or the connection is gone.
        let mut answered = [0; 1];
        while stream.write_all(b" ").is_ok() && stream.read(&mut answered).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(8), "{listener}");
        }
    }
    server.assert_alive();
}

#[test]
fn a_body_above_the_limit_is_refused_whether_its_length_is_told_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = strict(folder.path(), "");
    for ((listener, path), limit) in BOTH.into_iter().zip([65_536, 16_384]) {
        let address = server.address(listener);
        let told = post(&address, path, "text/xml", &vec![b' '; limit + 1]);
        assert!(is_too_large(&told), "{listener} {told:?}");
        let told = send(&address, request(path, 1 << 40).as_bytes());
        assert!(is_too_large(&told), "{listener} {told:?}");
        let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n");
        let untold = send(&address, format!("{head}{}", chunk.repeat(limit / 4096 + 1)).as_bytes());
        assert!(is_too_large(&untold), "{listener} {untold:?}");
    }
    server.assert_alive();
}

/// Devices get the status of HTTP, External Systems the fault of the contract.
fn is_too_large(reply: &Reply) -> bool {
    reply.status == 413 || reply.body.contains("<messageId>DMP0008</messageId><name>RequestTooLarge</name>")
}

#[test]
fn a_flood_of_headers_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = strict(folder.path(), "");
    for (listener, path) in BOTH {
        let address = server.address(listener);
        let with = |headers: usize, length: usize| {
            let line = |at: usize| format!("X-{at}: {}\r\n", "y".repeat(length));
            let headers: String = (0..headers).map(line).collect();
            send(&address, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").as_bytes())
        };
        assert!(matches!(with(62, 1).status, 404 | 405), "64 are taken");
        let many = with(63, 1);
        assert_eq!(many.status, 431, "{many:?}");
        assert!(many.head.contains("connection: close"), "{many:?}");
        let long = with(60, 100_000);
        assert!(matches!(long.status, 0 | 431), "{long:?}");
    }
    server.assert_alive();
}

/// Whether a connection is closed by the other side without an answer.
fn is_turned_away(mut stream: TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    match stream.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn holds_only_so_many(more: &str, most: usize) {
    let folder = tempfile::tempdir().unwrap();
    // Heads have time, so that what is open stays open.
    let config = folder.path().join("muster.toml");
    std::fs::write(&config, format!("[limits]\nheader_seconds = 60\n{more}")).unwrap();
    let server = Running::start_with(folder.path(), &["--config", config.to_str().unwrap()]);
    for listener in ["north", "south"] {
        let address = server.address(listener);
        let mut open: Vec<TcpStream> = (0..most).map(|_| connect(&address)).collect();
        for stream in &mut open {
            // A whole answer shows that the connection has its place.
            stream.write_all(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            assert_eq!(stream.read(&mut [0; 12]).unwrap(), 12);
        }
        assert!(is_turned_away(connect(&address)), "{listener}");
        assert!(is_turned_away(connect(&address)), "{listener}");
        drop(open);
        until("a place that was given back", || (!is_turned_away(connect(&address))).then_some(()));
    }
    server.assert_alive();
}

#[test]
fn one_address_holds_only_so_many_connections() {
    holds_only_so_many(&format!("connections_per_address = {PER_ADDRESS}\n"), PER_ADDRESS);
}

#[test]
fn a_listener_holds_only_so_many_connections() {
    holds_only_so_many("connections = 9\n", 9);
}

#[test]
fn a_message_in_chunks_is_taken_and_the_answer_has_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let message = "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
        <SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>s</LocURI></Target><Source><LocURI>d</LocURI></Source>\
        </SyncHdr><SyncBody><Alert><CmdID>1</CmdID><Data>1201</Data></Alert><Final/></SyncBody></SyncML>";
    let head = "POST /dm HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/vnd.syncml.dm+xml\r\n\
        Transfer-Encoding: chunked\r\n\r\n";
    for size in [1, 7, 4096] {
        let chunks: String = message
            .as_bytes()
            .chunks(size)
            .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), str::from_utf8(chunk).unwrap()))
            .collect();

        let reply = send(&server.address("south"), format!("{head}{chunks}0\r\n\r\n").as_bytes());

        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(reply.body.contains("<Data>407</Data>"), "{reply:?}");
        assert!(reply.head.contains(&format!("content-length: {}", reply.body.len())), "{reply:?}");
    }
}
