//! A device, driven message by message.

use muster_broker::services::AccountFields;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, Encoding, Message, StatusCode};
use muster_simulator::account::{Account, AuthType, ServerSecret};
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::{Device, Initiation, SessionEnd, Step};
use muster_simulator::tree::Profile;
use muster_southbound::dm1::{Answer, Post, Refusal};

use crate::imei::imei;
use crate::world::{World, weakest};

/// Where devices post.
pub(crate) const URL: &str = "http://127.0.0.1/dm";

/// Most messages of a session: a session that takes more does not end.
const MESSAGES_MAX: usize = 200;

/// What a device is like.
#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) encoding: Encoding,
    pub(crate) auth: AuthType,
    /// Whether the server has to prove who it is.
    pub(crate) asks_server: bool,
    pub(crate) behaviours: Vec<Behaviour>,
}

impl Default for Kind {
    fn default() -> Self {
        Self { encoding: Encoding::Xml, auth: AuthType::Md5, asks_server: false, behaviours: Vec::new() }
    }
}

/// A device and where it is in its session.
#[derive(Clone)]
pub(crate) struct Phone {
    pub(crate) device: Device,
    /// Name of its account.
    pub(crate) name: String,
    /// What its record is called.
    pub(crate) imei: String,
    pub(crate) kind: Kind,
    /// What it will send next.
    pub(crate) out: Option<Message>,
    /// The octets sent last and where to.
    pub(crate) sent: (String, Vec<u8>),
    /// The header that signs them, if any.
    pub(crate) seal: Option<String>,
    /// `User-Agent` of the device.
    pub(crate) user_agent: Option<&'static str>,
}

/// The type allocation code of devices unless a test wants another.
pub(crate) const TAC: u32 = 49_015_420;

impl Phone {
    /// A device of the usual kind.
    pub(crate) fn new(name: &str) -> Self {
        Self::of(name, Kind::default())
    }

    pub(crate) fn with(name: &str, behaviours: &[Behaviour]) -> Self {
        Self::of(name, Kind { behaviours: behaviours.to_vec(), ..Kind::default() })
    }

    pub(crate) fn of(name: &str, kind: Kind) -> Self {
        let serial = name.bytes().fold(1_u32, |sum, octet| (sum * 31 + u32::from(octet)) % 1_000_000);
        let imei = format!("IMEI:{}", imei(TAC, serial));
        let profile = Profile {
            dev_id: imei.clone(),
            manufacturer: "Example".into(),
            model: "One".into(),
            device_type: "phone".into(),
            firmware: "1.0".into(),
            software: "2.0".into(),
            hardware: "A".into(),
            language: "en-GB".into(),
        };
        let server = ServerSecret::md5("server", "server-secret", b"first server nonce");
        let account = Account {
            server_url: URL.into(),
            server_id: "muster".into(),
            auth: kind.auth,
            weakest: kind.auth,
            client_name: name.into(),
            client_secret: format!("{name}-secret"),
            client_nonce: Some(format!("{name} first nonce").into_bytes()),
            server: kind.asks_server.then_some(server),
        };
        let device = Device::new(&profile, account, kind.encoding, &kind.behaviours, u64::from(serial));
        Self {
            device,
            name: name.into(),
            imei,
            kind,
            out: None,
            sent: (String::new(), Vec::new()),
            seal: None,
            user_agent: None,
        }
    }

    /// The account as it is given to the server.
    pub(crate) fn account_fields(&self) -> AccountFields {
        let account = &self.device.account;
        AccountFields {
            auth_type: weakest(self.kind.auth),
            client_name: self.name.clone(),
            client_secret: Some(format!("{}-secret", self.name)),
            client_nonce: account.client_nonce.clone(),
            server_id: Some("muster".into()),
            server_name: account.server.as_ref().map(|it| it.name.clone()),
            server_secret: account.server.as_ref().map(|it| it.secret.clone()),
            server_nonce: account.server.as_ref().map(|it| it.nonce.clone()),
        }
    }

    /// Begins a session; nothing is sent yet.
    pub(crate) fn begin(&mut self) {
        self.out = Some(self.device.start(&Initiation::Client));
    }

    /// Sends what is to be sent. The answer is not heard yet.
    pub(crate) async fn send(&mut self, world: &World) -> Result<Answer, Refusal> {
        let message = self.out.take().unwrap();
        let octets = self.device.write(&message).unwrap();
        self.seal = self.device.seal(&octets);
        self.sent = (self.device.next_url().to_owned(), octets);
        self.send_again(world).await
    }

    /// Sends the octets sent last.
    pub(crate) async fn send_again(&self, world: &World) -> Result<Answer, Refusal> {
        let (url, octets) = &self.sent;
        let post = Post {
            content_type: Some(self.kind.encoding.media_type()),
            user_agent: self.user_agent,
            hmac: self.seal.as_deref(),
            token: token(url),
            body: octets,
            ..Post::default()
        };
        world.post(post).await
    }

    /// Hears an answer. Nothing while the session goes on.
    pub(crate) fn hear(&mut self, answer: &Answer) -> Option<SessionEnd> {
        assert_eq!(answer.encoding, self.kind.encoding);
        assert!(answer.body.len() as u64 <= self.device.message_bytes_max(), "{} octets", answer.body.len());
        let (message, header) = (self.read(answer), answer.hmac.as_deref());
        let Step { reply, finished } = self.device.receive_sealed(&message, &answer.body, header);
        self.out = reply;
        finished
    }

    /// An answer as the device reads it.
    pub(crate) fn read(&self, answer: &Answer) -> Message {
        read(answer)
    }

    /// One message out, one answer in.
    pub(crate) async fn exchange(&mut self, world: &World) -> Option<SessionEnd> {
        let answer = self.send(world).await.unwrap();
        self.hear(&answer)
    }

    /// A whole session from a client's own wish.
    pub(crate) async fn connect(&mut self, world: &World) -> SessionEnd {
        self.begin();
        self.finish(world).await
    }

    /// A whole session that a notification asked for.
    pub(crate) async fn follow(&mut self, world: &World, session_id: &str) -> SessionEnd {
        self.out = Some(self.device.start(&Initiation::Server { session_id: session_id.into() }));
        self.finish(world).await
    }

    /// The rest of the session.
    pub(crate) async fn finish(&mut self, world: &World) -> SessionEnd {
        for _ in 0..MESSAGES_MAX {
            if let Some(end) = self.exchange(world).await {
                if self.out.is_some() {
                    // A last word, whose answer nobody hears.
                    self.send(world).await.unwrap();
                }
                // A server that keeps nothing of a stranger goes by the device's own count, which skips.
                let skips = self.kind.behaviours.contains(&Behaviour::SkipsMsgId);
                let complaints = self.device.complaints().iter().filter(|it| !(skips && it.starts_with("MsgID")));
                assert_eq!(complaints.collect::<Vec<_>>(), Vec::<&String>::new());
                return end;
            }
        }
        panic!("the session of {} does not end", self.name);
    }

    /// How often the device did `command` on `path`.
    pub(crate) fn did(&self, command: &str, path: &str) -> u32 {
        self.device.ledger().count(path, command)
    }

    /// Whether the device was asked for `command` on `path` in this session.
    pub(crate) fn was_asked(&self, command: &str, path: &str) -> bool {
        self.device.ledger().session().iter().any(|it| it.command == command && it.path == path)
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.device.tree.text(path)
    }
}

/// Posts octets to the server's address or a `RespURI` below it.
pub(crate) async fn post(world: &World, url: &str, octets: &[u8], encoding: Encoding) -> Result<Answer, Refusal> {
    let token = token(url);
    world.post(Post { content_type: Some(encoding.media_type()), token, body: octets, ..Post::default() }).await
}

fn token(url: &str) -> Option<&str> {
    url.strip_prefix(URL).unwrap().strip_prefix('/')
}

/// An answer as a device reads it.
pub(crate) fn read(answer: &Answer) -> Message {
    Message::decode(answer.encoding, &answer.body, &Limits::DEVICE).unwrap()
}

/// What a message of the server says to the header of the device's.
pub(crate) fn header_status(message: &Message) -> StatusCode {
    let status = message.commands.iter().find_map(|command| match command {
        Command::Status(status) if status.cmd_ref == "0" => Some(status.code),
        _ => None,
    });
    status.unwrap()
}

/// Names of what a message asks the device to do.
pub(crate) fn commands(message: &Message) -> Vec<&str> {
    message.commands.iter().filter(|it| !matches!(it, Command::Status(_))).map(Command::name).collect()
}
