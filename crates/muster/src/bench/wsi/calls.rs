//! The calls and the connections that make them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use super::super::child::{PASSWORD, Process};
use crate::serve::ADMINISTRATOR;
use crate::soap_client::SoapClient;

pub(super) const DO_OPERATION: &str = "doOperation";
pub(super) const GET_TASK: &str = "getTaskById";
pub(super) const REST: &str = "POST /api/v1/tasks";

/// Steps through the devices: a prime, so that neighbours in time are no neighbours in the database.
const STRIDE: u64 = 611_953;
/// Tasks that are asked for in turn.
const TASKS: u32 = 1_000;

pub(super) fn phone_number(index: u32) -> String {
    format!("+1555{index:07}")
}

/// A kind of call.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) name: &'static str,
    path: &'static str,
    media_type: &'static str,
    /// What a good answer has in it.
    told: &'static str,
    /// The body of a turn.
    body: Arc<dyn Fn(u32) -> Vec<u8> + Send + Sync>,
}

fn envelope(body: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:urn=\"urn:muster:dmwsi:v1\">\
         <soapenv:Header/><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    .into_bytes()
}

fn turned(turn: u32, devices: u32) -> u32 {
    (u64::from(turn) * STRIDE % u64::from(devices.max(1))) as u32
}

impl Call {
    /// Every kind, by name.
    pub(super) const ALL: [&str; 3] = [DO_OPERATION, GET_TASK, REST];

    /// The kind of this name.
    pub(super) fn of(kind: &str, devices: u32, tasks: Vec<String>) -> Self {
        match kind {
            DO_OPERATION => Self::do_operation(devices),
            GET_TASK => Self::get_task(tasks),
            _ => Self::rest(devices),
        }
    }

    pub(super) fn do_operation(devices: u32) -> Self {
        let body = move |turn| {
            let number = phone_number(turned(turn, devices));
            envelope(&format!(
                "<urn:doOperation><urn:operation>QUERY</urn:operation><urn:phoneNumber>{number}</urn:phoneNumber>\
                 <urn:bOptin>false</urn:bOptin><urn:acceptDevicePolicy>20</urn:acceptDevicePolicy>\
                 <urn:testCycle>false</urn:testCycle><urn:arguments><urn:parameter><urn:path>./DevDetail/HwV</urn:path>\
                 </urn:parameter></urn:arguments></urn:doOperation>"
            ))
        };
        Self {
            name: DO_OPERATION,
            path: "/wsi",
            media_type: "text/xml; charset=utf-8",
            told: "taskId>",
            body: Arc::new(body),
        }
    }

    fn get_task(tasks: Vec<String>) -> Self {
        let body = move |turn: u32| {
            let task = tasks.get(turn as usize % tasks.len().max(1)).map_or("", String::as_str);
            envelope(&format!("<urn:getTaskById><urn:taskId>{task}</urn:taskId></urn:getTaskById>"))
        };
        Self {
            name: GET_TASK,
            path: "/wsi",
            media_type: "text/xml; charset=utf-8",
            told: "taskId>",
            body: Arc::new(body),
        }
    }

    fn rest(devices: u32) -> Self {
        let body = move |turn| {
            let number = phone_number(turned(turn, devices));
            json!({
                "operation": "QUERY", "phoneNumber": number, "bOptin": false, "acceptDevicePolicy": 20,
                "testCycle": false, "arguments": {"parameter": [{"path": "./DevDetail/HwV"}]},
            })
            .to_string()
            .into_bytes()
        };
        Self { name: REST, path: "/api/v1/tasks", media_type: "application/json", told: "taskId", body: Arc::new(body) }
    }

    /// Octets of this length, to a server that answers anything.
    pub(super) fn bare(length: usize) -> Self {
        let body = move |_| vec![b'x'; length];
        Self { name: "bare", path: "/first", media_type: "text/xml; charset=utf-8", told: "x", body: Arc::new(body) }
    }
}

/// What a run of calls gave.
pub(super) struct Ran {
    pub(super) calls: u64,
    elapsed: Duration,
    /// Time of each call, sorted.
    times: Vec<Duration>,
}

impl Ran {
    pub(super) fn rate(&self) -> f64 {
        self.calls as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    pub(super) fn quantile_ms(&self, share: f64) -> f64 {
        let at = (self.times.len() as f64 * share) as usize;
        let time = self.times.get(at.min(self.times.len().saturating_sub(1)));
        time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

/// One connection, kept alive.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    authorization: String,
}

impl Line {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let credentials = STANDARD.encode(format!("{ADMINISTRATOR}:{PASSWORD}"));
        Ok(Self { sender, host: address.to_string(), authorization: format!("Basic {credentials}") })
    }

    async fn post(&mut self, call: &Call, body: Vec<u8>) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::post(call.path)
            .header("host", &self.host)
            .header("content-type", call.media_type)
            .header("authorization", &self.authorization)
            .body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

/// The connections of the generator.
pub(super) struct Connections {
    lines: Vec<Line>,
    turn: Arc<AtomicU32>,
}

impl Connections {
    pub(super) async fn open(address: SocketAddr, connections: usize) -> anyhow::Result<Self> {
        let mut lines = Vec::new();
        for _ in 0..connections {
            lines.push(Line::open(address).await?);
        }
        Ok(Self { lines, turn: Arc::default() })
    }

    /// Makes calls on all connections at once, one after the other on each.
    pub(super) async fn run(&mut self, call: &Call, time: Duration) -> anyhow::Result<Ran> {
        let begin = Instant::now();
        let workers: Vec<_> = self
            .lines
            .drain(..)
            .map(|line| tokio::spawn(work(line, call.clone(), Arc::clone(&self.turn), begin + time)))
            .collect();
        let mut times = Vec::new();
        for worker in workers {
            let (line, of_line) = worker.await??;
            times.extend(of_line);
            self.lines.push(line);
        }
        let elapsed = begin.elapsed();
        times.sort_unstable();
        Ok(Ran { calls: times.len() as u64, elapsed, times })
    }
}

async fn work(mut line: Line, call: Call, turn: Arc<AtomicU32>, end: Instant) -> anyhow::Result<(Line, Vec<Duration>)> {
    let mut times = Vec::new();
    loop {
        let begin = Instant::now();
        if begin >= end {
            return Ok((line, times));
        }
        let body = (call.body)(turn.fetch_add(1, Ordering::Relaxed));
        let (status, answer) = line.post(&call, body).await?;
        let is_told = std::str::from_utf8(&answer).is_ok_and(|text| text.contains(call.told));
        ensure!(status.is_success() && is_told, "{}: {status} {}", call.name, String::from_utf8_lossy(&answer));
        times.push(begin.elapsed());
    }
}

/// Octets of a request and of its answer; nothing where the server has no such address.
pub(super) async fn try_one(address: SocketAddr, call: &Call) -> anyhow::Result<Option<(usize, usize)>> {
    let mut line = Line::open(address).await?;
    let body = (call.body)(0);
    let length = body.len();
    let (status, answer) = line.post(call, body).await?;
    if status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    ensure!(status.is_success(), "{}: {status} {}", call.name, String::from_utf8_lossy(&answer));
    Ok(Some((length, answer.len())))
}

/// Lets the one caller of the benchmark make any number of calls, and makes tasks to ask for; gives their identifiers.
pub(super) async fn warm(server: &Process, devices: u32) -> anyhow::Result<Vec<String>> {
    let north = format!("http://{}/wsi", server.address("north")?);
    let wsi = SoapClient::with_basic(&north, ADMINISTRATOR, PASSWORD)?;
    for kind in ["REQUESTS_PER_SECOND", "REQUESTS_PER_MINUTE"] {
        for principal in [Some("*"), None] {
            let mut quota = json!({ "kind": kind, "limit": 1_000_000_000 });
            if let (Some(principal), Some(fields)) = (principal, quota.as_object_mut()) {
                fields.insert("principal".to_owned(), principal.into());
            }
            wsi.call("setQuota", quota).await?;
        }
    }
    let entry = |turn: u32| {
        json!({
            "operation": "QUERY", "phoneNumber": phone_number(turned(turn, devices)), "bOptin": false,
            "acceptDevicePolicy": 20, "testCycle": false,
            "arguments": {"parameter": [{"path": "./DevDetail/HwV"}]},
        })
    };
    let entries: Vec<_> = (0..TASKS.min(devices)).map(entry).collect();
    let receipt = wsi.call("doBulkOperation", json!({"request": entries})).await?;
    let made = receipt.get("taskId").and_then(serde_json::Value::as_array).context("no tasks were made")?;
    Ok(made.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect())
}

/// What the server has counted of its store.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StoreCounters {
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) commits: u64,
}

impl StoreCounters {
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            reads: self.reads.saturating_sub(before.reads),
            writes: self.writes.saturating_sub(before.writes),
            commits: self.commits.saturating_sub(before.commits),
        }
    }
}

pub(super) async fn store_counters(server: &Process) -> anyhow::Result<StoreCounters> {
    let url = format!("http://{}/metrics", server.address("admin")?);
    let text = reqwest::get(url).await?.text().await?;
    let value = |kind: &str| {
        let start = format!("muster_store_total{{what=\"{kind}\"}} ");
        text.lines()
            .find_map(|line| line.strip_prefix(&start)?.parse().ok())
            .context("the server does not count its store")
    };
    Ok(StoreCounters { reads: value("read")?, writes: value("write")?, commits: value("commit")? })
}
