//! HTTP octet by octet, so that a test can get it wrong.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// What came back, the connection being closed at the end. Status 0: nothing came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(15))).unwrap();
    stream
}

/// Everything until the other side closes. A reset is an end too; that nothing comes for long is none.
#[track_caller]
pub(crate) fn read_reply(mut stream: TcpStream) -> Reply {
    let mut octets = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => octets.extend_from_slice(&chunk[..read]),
            Err(error) => {
                let kind = error.kind();
                assert!(!matches!(kind, std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "left open");
                break;
            }
        }
    }
    let text = String::from_utf8_lossy(&octets).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// Sends octets and reads until the other side closes.
#[track_caller]
pub(crate) fn send(address: &str, octets: &[u8]) -> Reply {
    let mut stream = connect(address);
    // A server that has heard enough may close before it has read everything.
    let _ = stream.write_all(octets);
    read_reply(stream)
}

#[track_caller]
pub(crate) fn get(address: &str, path: &str) -> Reply {
    send(address, format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
}

#[track_caller]
pub(crate) fn post(address: &str, path: &str, content_type: &str, body: &[u8]) -> Reply {
    let mut octets = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    octets.extend_from_slice(body);
    send(address, &octets)
}
