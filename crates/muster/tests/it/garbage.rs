//! Ten thousand requests that are none.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;

use crate::http::{connect, read_reply};
use crate::running::Running;

const EACH: usize = 5_000;
const SEED: u64 = 20_261_121;

const ENVELOPE: &str = r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><getTasks xmlns="urn:muster:dmwsi:v1"><jobId>1</jobId></getTasks></soap:Body></soap:Envelope>"#;
const SYNCML: &str = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
    <SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>http://x/dm</LocURI></Target><Source><LocURI>IMEI:1</LocURI>\
    </Source></SyncHdr><SyncBody><Alert><CmdID>1</CmdID><Data>1201</Data></Alert><Final/></SyncBody></SyncML>";
const TYPES: [&str; 6] = [
    "text/xml; charset=utf-8",
    "application/soap+xml",
    "application/vnd.syncml.dm+xml",
    "application/vnd.syncml.dm+wbxml",
    "text/xml; charset=utf-16",
    "",
];

/// A connection's worth of octets that no client would send.
fn garbage(random: &mut fastrand::Rng, path: &str) -> Vec<u8> {
    let octets = |random: &mut fastrand::Rng, most: usize| -> Vec<u8> {
        (0..random.usize(0..most)).map(|_| random.u8(..)).collect()
    };
    let mut whole = Vec::from(if random.bool() { ENVELOPE } else { SYNCML });
    let body = match random.u8(0..8) {
        0 => octets(random, 2_000),
        1 => {
            whole.truncate(random.usize(0..whole.len()));
            whole
        }
        2 => {
            for _ in 0..random.usize(1..20) {
                let at = random.usize(0..whole.len());
                whole[at] = random.u8(..);
            }
            whole
        }
        3 => {
            let from = random.usize(0..whole.len());
            let part = whole[from..].to_vec();
            let at = random.usize(0..whole.len());
            whole.splice(at..at, part);
            whole
        }
        4 => "<a>".repeat(random.usize(1..5_000)).into_bytes(),
        5 => format!("<!DOCTYPE a [<!ENTITY b \"{}\">]><a>&b;</a>", "c".repeat(random.usize(0..1_000))).into_bytes(),
        6 => [&[2, 0, 0, 0x6a, random.u8(..)], &*octets(random, 500)].concat(),
        _ => [b"\x02\xa4\x01\x6a\x00\x6d\x6c\x71\xc3".as_slice(), &*octets(random, 300)].concat(),
    };
    let kind = TYPES[random.usize(..TYPES.len())];
    let length = match random.u8(0..8) {
        0 => "-1".to_owned(),
        1 => "99999999999999999999999".to_owned(),
        2 => (body.len() / 2).to_string(),
        _ => body.len().to_string(),
    };
    let credentials = if random.bool() { "Authorization: Basic YWRtaW46b2YgdGhlIHRlc3Rz\r\n" } else { "" };
    let method = ["POST", "POST", "POST", "GET", "PUT", "\u{1}", "OPTIONS"][random.usize(..7)];
    let mut all = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\n{credentials}Connection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    all.extend_from_slice(&body);
    match random.u8(0..10) {
        0 => octets(random, 1_000),
        1 => {
            all.truncate(random.usize(0..all.len()));
            all
        }
        2 => {
            let at = random.usize(0..all.len().min(80));
            all[at] = random.u8(..);
            all
        }
        _ => all,
    }
}

/// Sends from several threads. Every connection ends; returns how often each status came.
fn throw(address: &str, path: &str, seed: u64) -> BTreeMap<u16, usize> {
    const THREADS: usize = 4;
    let statuses = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let statuses = &statuses;
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed + thread as u64);
                for _ in 0..EACH / THREADS {
                    let octets = garbage(&mut random, path);
                    let mut stream = connect(address);
                    let _ = stream.write_all(&octets);
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                    let reply = read_reply(stream);
                    // What is spoilt only a little may still be a request for a list, or a device that nobody knows.
                    let harmless = ["<totalCount>", "<Data>407</Data>"].iter().any(|it| reply.body.contains(it));
                    assert!(reply.status != 200 || harmless, "{reply:?} to {}", String::from_utf8_lossy(&octets));
                    *statuses.lock().unwrap().entry(reply.status).or_default() += 1;
                }
            });
        }
    });
    statuses.into_inner().unwrap()
}

#[test]
fn ten_thousand_requests_of_garbage_do_not_kill_it_nor_fill_its_memory() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    for (listener, path, seed) in [("north", "/wsi", SEED), ("south", "/dm", SEED + 100)] {
        let statuses = throw(&server.address(listener), path, seed);
        let read = [200, 400, 413, 415, 500].iter().filter_map(|it| statuses.get(it)).sum::<usize>();
        assert!(read > EACH / 2, "most did not get as far as the readers of messages: {statuses:?}");
    }
    server.assert_alive();
    assert!(server.memory_mib("VmHWM") < 400, "{} MiB", server.memory_mib("VmHWM"));
    assert!(server.memory_mib("VmRSS") < 300, "{} MiB", server.memory_mib("VmRSS"));
}
