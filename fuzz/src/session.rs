//! Octets as the history of a session: what a device says, what is asked of it, and what befalls the server.

use std::collections::BTreeMap;

use muster_protocol::dm1::{
    Account, Action, Answer, AuthType, HMAC_HEADER, Identity, Incoming, Order, Outcome, Reply, ServerAccount, Session,
    Stage, Violation, md5_digest,
};
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{
    Address, Alert, Challenge, Command, Credential, Encoding, Header, Item, ItemData, Message, Meta, Results, Status,
    StatusCode, Text, Write, WriteKind,
};

/// Messages of one history: enough to get into every state, few enough to play thousands.
const MESSAGES_MAX: usize = 40;
/// What everybody here is called and knows.
const USER: &str = "user";
const SECRET: &str = "secret";
const NONCE: &[u8] = b"nonce";
const DEVICE: &str = "IMEI:490154203237518";

/// What a history came to, so that a test knows that histories get somewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reached {
    /// The device was let in.
    pub was_let_in: bool,
    /// Orders that the device said something of.
    pub answered: usize,
}

/// Plays the history, whatever it comes to.
pub fn history(octets: &[u8]) {
    play(octets);
}

/// Plays the history that `octets` stand for.
///
/// # Panics
/// If the session breaks a promise: every order has one outcome, a message that is refused changes nothing, what is
/// stored comes back the same, every reply can be written and read, and an ended session takes no more.
pub fn play(octets: &[u8]) -> Reached {
    let mut choices = Choices(octets);
    let mut history = History::new(&mut choices);
    for _ in 0..MESSAGES_MAX {
        if choices.0.is_empty() || !history.turn(&mut choices) {
            break;
        }
    }
    history.end()
}

/// Octets as choices: each takes one, and when none are left, the first is chosen.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, most: u8) -> u8 {
        self.octet() % most
    }

    /// True once in so many times.
    fn once_in(&mut self, times: u8) -> bool {
        self.below(times) == times - 1
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.octet()) % choices.len()]
    }
}

struct History {
    session: Session,
    encoding: Encoding,
    weakest: AuthType,
    each_message: bool,
    proves_itself: bool,
    nonces: Vec<Vec<u8>>,
    /// `MsgID` of the device's last message.
    number: u32,
    /// What the server said last.
    said: Option<Message>,
    /// Orders by tag, and how many outcomes each has had.
    given: BTreeMap<u32, u32>,
    reached: Reached,
}

impl History {
    fn new(choices: &mut Choices<'_>) -> Self {
        let encoding = choices.pick(&[Encoding::Xml, Encoding::Wbxml]);
        let session = match choices.below(4) {
            0 => Session::after_challenge("A1", encoding, choices.below(4).into()),
            _ => Session::new("A1", encoding),
        };
        Self {
            session: session.numbered_from(u32::from(choices.below(3)) * 10_000),
            encoding,
            weakest: choices.pick(&[AuthType::Md5, AuthType::Md5, AuthType::Basic, AuthType::Basic, AuthType::Hmac]),
            each_message: choices.once_in(4),
            proves_itself: choices.once_in(2),
            nonces: vec![NONCE.to_vec(), b"challenge".to_vec()],
            number: 0,
            said: None,
            given: BTreeMap::new(),
            reached: Reached::default(),
        }
    }

    /// One message of the device and the answer to it. Whether the session goes on.
    fn turn(&mut self, choices: &mut Choices<'_>) -> bool {
        let step = if choices.once_in(12) { choices.below(4) } else { 1 };
        self.number += u32::from(step);
        let message = self.message(choices);
        let octets = message.encode(self.encoding).expect("what a device says can be written");
        let hmac = choices.once_in(20).then(|| format!("algorithm=MD5, username=\"{USER}\", mac={}", choices.below(2)));
        let before = self.session.clone();
        let incoming = Incoming { message: &message, body: &octets, hmac: hmac.as_deref() };
        let nonces = self.nonces.clone();
        let received = self.session.receive(&self.account(&nonces), incoming);
        let received = match received {
            Ok(received) => received,
            Err(violation) => {
                assert_eq!(self.session, before, "a message that is refused changes nothing");
                let reply = self.session.refuse(&IDENTITY, &message, violation.status());
                self.heard(reply);
                assert!(self.session.is_over());
                return false;
            }
        };
        self.count(&received.outcomes);
        assert!(received.stage != Stage::Ready || self.session.is_authenticated(), "nobody unknown is given work");
        self.reached.was_let_in |= self.session.is_authenticated();
        self.store();
        if choices.once_in(16) {
            let withdrawn = self.session.withdraw();
            self.count(&withdrawn);
        }
        let reply = if choices.once_in(24) {
            self.session.abort(&IDENTITY, &self.account(&nonces))
        } else {
            let orders = self.orders(choices);
            self.session.answer(&IDENTITY, &self.account(&nonces), orders)
        };
        self.heard(reply);
        self.store();
        !self.session.is_over()
    }

    /// What is left has its outcome too, and nothing more is taken.
    fn end(mut self) -> Reached {
        let outcomes = self.session.close();
        self.count(&outcomes);
        assert!(self.given.values().all(|it| *it == 1), "outcomes of each order: {:?}", self.given);
        let message = Message { header: self.header(), commands: Vec::new(), is_final: true };
        let nonces = self.nonces.clone();
        assert!(matches!(self.session.receive(&self.account(&nonces), &message), Err(Violation::Over)));
        self.reached
    }

    fn heard(&mut self, reply: Reply) {
        self.count(&reply.outcomes);
        assert_eq!(reply.over, self.session.is_over());
        let octets = reply.message.encode(self.encoding).expect("every reply can be written");
        let limits = Limits { document_bytes_max: 8 << 20, ..Limits::DEVICE };
        let read = Message::decode(self.encoding, &octets, &limits).expect("every reply can be read");
        assert_eq!(read.header.session_id, reply.message.header.session_id);
        if let Some(seal) = &reply.seal {
            let header = seal.header(&octets);
            assert!(header.contains("mac="), "{HMAC_HEADER}: {header}");
        }
        self.said = Some(reply.message);
    }

    fn store(&mut self) {
        let stored = serde_json::to_string(&self.session).expect("a session can be stored");
        let read: Session = serde_json::from_str(&stored).expect("what was stored can be read");
        assert_eq!(read, self.session, "what is stored comes back the same");
        self.session = read;
    }

    fn count(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            self.reached.answered += usize::from(matches!(outcome.answer, Answer::Status(_)));
            *self.given.get_mut(&outcome.tag).expect("the outcome is of an order that was given") += 1;
        }
    }

    fn account<'a>(&self, nonces: &'a [Vec<u8>]) -> Account<'a> {
        Account {
            each_message: self.each_message,
            nonces,
            challenge: b"challenge",
            next: b"next",
            server: self.proves_itself.then_some(ServerAccount { name: "server", secret: SECRET, nonce: NONCE }),
            ..Account::new(USER, SECRET, self.weakest)
        }
    }

    fn header(&self) -> Header {
        Header {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: "A1".into(),
            msg_id: self.number.to_string().into(),
            target: Address::new(IDENTITY.uri),
            source: Address { uri: DEVICE.into(), name: Some(USER.into()) },
            ..Header::default()
        }
    }

    fn message(&self, choices: &mut Choices<'_>) -> Message {
        let mut header = self.header();
        match choices.below(96) {
            0 => header.session_id = "B2".into(),
            1 => header.source.uri = "IMEI:004401220000017".into(),
            2 => header.ver_proto = "DM/1.1".into(),
            3 => header.ver_dtd = "2.0".into(),
            4 => header.msg_id = "x".into(),
            _ => {}
        }
        header.cred = credential(choices);
        if choices.once_in(4) {
            header.meta.max_msg_size = Some(u64::from(choices.octet()) * 100);
        }
        let commands = (0..choices.below(8)).map(|place| self.command(choices, place.into())).collect();
        Message { header, commands, is_final: !choices.once_in(4) }
    }

    /// Something a device says, mostly about what it was asked last.
    fn command(&self, choices: &mut Choices<'_>, place: u32) -> Command {
        let ours = self.said.as_ref().map_or("1", |it| it.header.msg_id.as_str());
        let asked: Vec<&Command> = self.said.iter().flat_map(|it| &it.commands).collect();
        let asked = asked.get(usize::from(choices.octet()) % asked.len().max(1)).copied();
        let cmd_ref = asked.map_or("1", |it| it.cmd_id().as_str());
        let cmd_id: Text = (place + 1).to_string().into();
        match choices.below(10) {
            0 => {
                let chal = choices.once_in(3).then(|| challenge(choices));
                status(cmd_id, ours, "0", "SyncHdr", choices, chal)
            }
            1..=3 => status(cmd_id, ours, cmd_ref, asked.map_or("Get", |it| it.name()), choices, None),
            4..=6 => {
                let (data, more_data) = (choices.pick(&["", "a", "<&>", "longer text"]), choices.once_in(3));
                let meta = Meta { size: choices.once_in(3).then(|| choices.octet().into()), ..Meta::default() };
                let source = Some(Address::new(choices.pick(&["./A", "./B", "./A?list=Struct"])));
                let item = Item { source, meta, data: Some(ItemData::from(data)), more_data, ..Item::default() };
                let msg_ref = (!choices.once_in(3)).then(|| ours.into());
                Command::Results(Results {
                    cmd_id,
                    msg_ref,
                    cmd_ref: cmd_ref.into(),
                    items: vec![item],
                    ..Results::default()
                })
            }
            7 => {
                let code = choices.pick(&["1201", "1200", "1222", "1223", "1224", "1225", "1226", "1100", "200", ""]);
                let kind = Some(Text::from(choices.pick(&["Reversed-Domain-Name: org.example", "org.example", ""])));
                let meta = Meta { kind, format: Some("chr".into()), ..Meta::default() };
                let more_data = choices.once_in(4);
                let item = Item { meta, data: Some("x".into()), more_data, ..Item::default() };
                let items = vec![item; choices.below(3).into()];
                Command::Alert(Alert { cmd_id, code: code.into(), correlator: None, items })
            }
            8 => {
                let item =
                    Item { source: Some(Address::new("./DevInfo/Man")), data: Some("M".into()), ..Item::default() };
                let kind = choices.pick(&[WriteKind::Replace, WriteKind::Add]);
                Command::Write(Write { kind, cmd_id, meta: Meta::default(), items: vec![item] })
            }
            _ => Command::Unsupported { name: "Put".into(), cmd_id },
        }
    }

    fn orders(&mut self, choices: &mut Choices<'_>) -> Vec<Order> {
        (0..choices.below(4)).map(|_| self.order(choices, 0)).collect()
    }

    fn order(&mut self, choices: &mut Choices<'_>, depth: u8) -> Order {
        let tag = self.given.len() as u32;
        self.given.insert(tag, 0);
        let uri = Text::from(choices.pick(&["./A", "./B", "./A?list=Struct"]));
        let data = Some(ItemData::Text("x".repeat(usize::from(choices.octet()) * 40).into()));
        let action = match choices.below(if depth == 0 { 8 } else { 6 }) {
            0 | 1 => Action::Get { uri },
            2 => Action::Replace { uri, format: None, kind: None, data },
            3 => Action::Add { uri, format: Some("chr".into()), kind: None, data },
            4 => Action::Exec { uri, data, correlator: Some("c".into()) },
            5 => Action::Confirm {
                text: "Go on?".into(),
                min_display_s: None,
                max_display_s: Some(9),
                default_accept: None,
            },
            6 => Action::Atomic((0..choices.below(3)).map(|_| self.order(choices, depth + 1)).collect()),
            _ => Action::Sequence((0..choices.below(3)).map(|_| self.order(choices, depth + 1)).collect()),
        };
        Order { tag, action }
    }
}

const IDENTITY: Identity<'static> = Identity {
    uri: "https://dm.example.org/dm",
    resp_uri: Some("https://dm.example.org/dm/token"),
    max_msg_size: 16_000,
    max_obj_size: 100_000,
};

fn credential(choices: &mut Choices<'_>) -> Option<Credential> {
    let (kind, data) = match choices.below(8) {
        0 => return None,
        1..=4 => ("syncml:auth-md5", md5_digest(USER, SECRET, NONCE)),
        5 => ("syncml:auth-md5", md5_digest(USER, SECRET, b"challenge")),
        6 => ("syncml:auth-basic", muster_protocol::dm1::basic(USER, SECRET)),
        _ => ("syncml:auth-md5", "wrong".to_owned()),
    };
    Some(Credential { meta: Meta { kind: Some(kind.into()), ..Meta::default() }, data: data.into() })
}

fn challenge(choices: &mut Choices<'_>) -> Challenge {
    let kind = choices.pick(&["syncml:auth-md5", "syncml:auth-basic", "syncml:auth-MAC", "syncml:auth-X509"]);
    Challenge { meta: Meta { kind: Some(kind.into()), next_nonce: Some(NONCE.to_vec()), ..Meta::default() } }
}

fn status(
    cmd_id: Text,
    msg_ref: &str,
    cmd_ref: &str,
    cmd: &str,
    choices: &mut Choices<'_>,
    chal: Option<Challenge>,
) -> Command {
    let code = choices.pick(&[200_u16, 200, 200, 212, 213, 215, 216, 304, 401, 404, 407, 413, 418, 424, 500, 507, 0]);
    Command::Status(Status {
        cmd_id,
        msg_ref: msg_ref.into(),
        cmd_ref: cmd_ref.into(),
        cmd: cmd.into(),
        code: StatusCode(code),
        chal,
        ..Status::default()
    })
}
