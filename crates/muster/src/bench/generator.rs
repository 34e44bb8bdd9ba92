//! The load generator: many connections, each speaking for devices of its own, one session after the other.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{
    Address, Alert, Challenge, Command, Credential, Encoding, Header, Item, Message, Meta, Results, Status, StatusCode,
    Text, Write, WriteKind,
};
use tokio::net::TcpStream;

use super::fleet::{FIRST_NONCE, Known, known};

/// What a run of sessions gave.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// Sessions that ended well.
    pub(super) sessions: u64,
    /// From the first to the last.
    pub(super) elapsed: Duration,
    /// Time of each session, sorted.
    pub(super) times: Vec<Duration>,
}

impl Measured {
    /// Sessions in a second.
    pub(super) fn rate(&self) -> f64 {
        self.sessions as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// Adds another measurement of the same kind.
    pub(super) fn add(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.elapsed += other.elapsed;
        self.times.extend(other.times);
        self.times.sort_unstable();
    }

    /// The time that `share` of the sessions stayed below, in milliseconds.
    pub(super) fn quantile_ms(&self, share: f64) -> f64 {
        let at = (self.times.len() as f64 * share) as usize;
        let time = self.times.get(at.min(self.times.len().saturating_sub(1)));
        time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

/// A device as the generator remembers it between sessions.
pub(super) struct Speaker {
    /// Which device of the fleet.
    pub(super) index: u32,
    known: Known,
    nonce: Vec<u8>,
    server_nonce: Vec<u8>,
    session: u16,
}

impl Speaker {
    pub(super) fn new(index: u32) -> Self {
        Self { index, known: known(index), nonce: FIRST_NONCE.to_vec(), server_nonce: FIRST_NONCE.to_vec(), session: 0 }
    }
}

/// One connection.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Line {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_string() })
    }

    async fn post(&mut self, path: &str, body: Vec<u8>) -> anyhow::Result<Bytes> {
        let request = Request::post(path)
            .header("host", &self.host)
            .header("content-type", "application/vnd.syncml.dm+wbxml")
            .body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        ensure!(response.status() == 200, "HTTP status {}", response.status());
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

/// What each session does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Two round trips: credentials both ways, one Get. Each speaker has one session.
    Full,
    /// One round trip: credentials, nothing to do. Speakers take turns until the time is over.
    Idle,
    /// Two bare round trips with bodies of these lengths, until the time is over.
    Bare(usize, usize),
}

/// The connections of the generator.
pub(super) struct Lines(Vec<Line>);

impl Lines {
    /// Opens so many.
    pub(super) async fn open(address: SocketAddr, connections: usize) -> anyhow::Result<Self> {
        let mut lines = Vec::new();
        for _ in 0..connections {
            lines.push(Line::open(address).await?);
        }
        Ok(Self(lines))
    }

    /// Runs sessions on all connections at once, each with the next speaker that is free, for at most `time`.
    pub(super) async fn run(
        &mut self,
        speakers: Vec<Speaker>,
        kind: Kind,
        time: Duration,
    ) -> anyhow::Result<(Measured, Vec<Speaker>)> {
        let waiting = Arc::new(Mutex::new(VecDeque::from(speakers)));
        let begin = Instant::now();
        let workers: Vec<_> =
            self.0.drain(..).map(|line| tokio::spawn(work(line, waiting.clone(), kind, begin + time))).collect();
        let mut measured = Measured::default();
        let mut done = Vec::new();
        for worker in workers {
            let (line, times, speakers) = worker.await??;
            measured.times.extend(times);
            done.extend(speakers);
            self.0.push(line);
        }
        measured.elapsed = begin.elapsed();
        measured.sessions = measured.times.len() as u64;
        measured.times.sort_unstable();
        done.extend(waiting.lock().unwrap_or_else(PoisonError::into_inner).drain(..));
        Ok((measured, done))
    }
}

async fn work(
    mut line: Line,
    waiting: Arc<Mutex<VecDeque<Speaker>>>,
    kind: Kind,
    end: Instant,
) -> anyhow::Result<(Line, Vec<Duration>, Vec<Speaker>)> {
    let mut times = Vec::new();
    let mut done = Vec::new();
    loop {
        let begin = Instant::now();
        if begin >= end {
            break;
        }
        let Some(mut speaker) = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else { break };
        match kind {
            Kind::Full => full(&mut line, &mut speaker).await?,
            Kind::Idle => idle(&mut line, &mut speaker).await?,
            Kind::Bare(first, second) => {
                line.post("/first", vec![b'x'; first]).await?;
                line.post("/second", vec![b'x'; second]).await?;
            }
        }
        times.push(begin.elapsed());
        if kind == Kind::Full {
            done.push(speaker);
        } else {
            waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(speaker);
        }
    }
    Ok((line, times, done))
}

async fn full(line: &mut Line, speaker: &mut Speaker) -> anyhow::Result<()> {
    let first = line.post("/dm", package_1(speaker).encode(Encoding::Wbxml)?).await?;
    let asked = Message::decode(Encoding::Wbxml, &first, &Limits::DEVICE)?;
    take_login(speaker, &asked)?;
    check_server(speaker, &asked)?;
    let second = line.post("/dm", package_3(speaker, &asked)?.encode(Encoding::Wbxml)?).await?;
    let end = Message::decode(Encoding::Wbxml, &second, &Limits::DEVICE)?;
    ensure!(end.is_final && end.commands.iter().all(|it| matches!(it, Command::Status(_))), "the session went on");
    Ok(())
}

async fn idle(line: &mut Line, speaker: &mut Speaker) -> anyhow::Result<()> {
    let octets = line.post("/dm", package_1(speaker).encode(Encoding::Wbxml)?).await?;
    let answer = Message::decode(Encoding::Wbxml, &octets, &Limits::DEVICE)?;
    take_login(speaker, &answer)?;
    ensure!(answer.commands.iter().all(|it| matches!(it, Command::Status(_))), "there was something to do");
    Ok(())
}

/// Octets of the two messages of a device in a full session, and of the two answers.
pub(super) struct Sizes {
    pub(super) requests: (usize, usize),
    pub(super) answers: (usize, usize),
}

/// Measures one session.
pub(super) async fn sizes(address: SocketAddr, speaker: &mut Speaker) -> anyhow::Result<Sizes> {
    let mut line = Line::open(address).await?;
    let request = package_1(speaker).encode(Encoding::Wbxml)?;
    let first = request.len();
    let answer = line.post("/dm", request).await?;
    let asked = Message::decode(Encoding::Wbxml, &answer, &Limits::DEVICE)?;
    take_login(speaker, &asked)?;
    let request = package_3(speaker, &asked)?.encode(Encoding::Wbxml)?;
    let second = request.len();
    let end = line.post("/dm", request).await?;
    Ok(Sizes { requests: (first, second), answers: (answer.len(), end.len()) })
}

fn package_1(speaker: &mut Speaker) -> Message {
    speaker.session = speaker.session.wrapping_add(1).max(1);
    let Known { client_name, client_secret, device_id, .. } = &speaker.known;
    let item = |name: &str, value: &str| Item {
        source: Some(Address::new(format!("./DevInfo/{name}"))),
        data: Some(value.into()),
        ..Item::default()
    };
    let replace = Write {
        kind: WriteKind::Replace,
        cmd_id: "2".into(),
        meta: Meta::default(),
        items: vec![
            item("DevId", device_id),
            item("Man", "Example Devices"),
            item("Mod", "EX-1"),
            item("DmV", "1.2"),
            item("Lang", "en-GB"),
        ],
    };
    let alert = Alert { cmd_id: "1".into(), code: "1201".into(), ..Alert::default() };
    Message {
        header: Header {
            cred: Some(credential(client_name, client_secret, &speaker.nonce)),
            meta: Meta { max_msg_size: Some(16_384), ..Meta::default() },
            ..header(speaker, "1")
        },
        commands: vec![Command::Alert(alert), Command::Write(replace)],
        is_final: true,
    }
}

fn package_3(speaker: &mut Speaker, asked: &Message) -> anyhow::Result<Message> {
    let get = asked.commands.iter().find_map(|it| if let Command::Get(get) = it { Some(get) } else { None });
    let get = get.context("the server asks for nothing")?;
    let path = get.items.first().and_then(|item| item.target.as_ref()).context("the Get has no node")?.uri.clone();
    let msg_ref = asked.header.msg_id.clone();
    // The nonce for the server's next session: this one turned over.
    speaker.server_nonce.reverse();
    speaker.server_nonce.rotate_left(3);
    let challenge = Challenge {
        meta: Meta {
            format: Some("b64".into()),
            kind: Some("syncml:auth-md5".into()),
            next_nonce: Some(speaker.server_nonce.clone()),
            ..Meta::default()
        },
    };
    let status = |cmd_id: &str, cmd_ref: Text, cmd: &str, code: u16, chal: Option<Challenge>| {
        Command::Status(Status {
            cmd_id: cmd_id.into(),
            msg_ref: msg_ref.clone(),
            cmd_ref,
            cmd: cmd.into(),
            chal,
            code: StatusCode(code),
            ..Status::default()
        })
    };
    let results = Results {
        cmd_id: "3".into(),
        msg_ref: Some(msg_ref.clone()),
        cmd_ref: get.cmd_id.clone(),
        items: vec![Item { source: Some(Address::new(path)), data: Some("7.4.1-b20261121".into()), ..Item::default() }],
        ..Results::default()
    };
    let commands = vec![
        status("1", "0".into(), "SyncHdr", 212, Some(challenge)),
        status("2", get.cmd_id.clone(), "Get", 200, None),
        Command::Results(results),
    ];
    Ok(Message { header: header(speaker, "2"), commands, is_final: true })
}

fn header(speaker: &Speaker, msg_id: &str) -> Header {
    Header {
        ver_dtd: "1.2".into(),
        ver_proto: "DM/1.2".into(),
        session_id: format!("{:X}", speaker.session).into(),
        msg_id: msg_id.into(),
        target: Address::new("http://dm.example.org/dm"),
        source: Address {
            uri: speaker.known.device_id.as_str().into(),
            name: Some(speaker.known.client_name.as_str().into()),
        },
        ..Header::default()
    }
}

fn credential(name: &str, secret: &str, nonce: &[u8]) -> Credential {
    Credential {
        meta: Meta { format: Some("b64".into()), kind: Some("syncml:auth-md5".into()), ..Meta::default() },
        data: muster_protocol::dm1::md5_digest(name, secret, nonce).into(),
    }
}

/// The server let the device in; its next nonce is in the challenge.
fn take_login(speaker: &mut Speaker, answer: &Message) -> anyhow::Result<()> {
    let status = answer.commands.iter().find_map(|it| match it {
        Command::Status(status) if status.cmd == "SyncHdr" => Some(status),
        _ => None,
    });
    let status = status.context("no status for the header")?;
    ensure!(status.code == StatusCode::AUTHENTICATED, "the server answered {} to the credential", status.code);
    let nonce = status.chal.as_ref().and_then(|chal| chal.meta.next_nonce.clone());
    speaker.nonce = nonce.context("no nonce for the next session")?;
    Ok(())
}

/// The server proved who it is.
fn check_server(speaker: &Speaker, asked: &Message) -> anyhow::Result<()> {
    let cred = asked.header.cred.as_ref().context("the server sent no credential")?;
    let name = asked.header.source.name.as_deref().unwrap_or_default();
    let expected = muster_protocol::dm1::md5_digest(name, &speaker.known.server_secret, &speaker.server_nonce);
    ensure!(cred.data == expected.as_str(), "the credential of the server is wrong");
    Ok(())
}
