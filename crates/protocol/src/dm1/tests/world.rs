//! A device and a server in a few lines.

use crate::{
    dm1::{
        Account, Action, Answer, AuthType, Identity, Incoming, Order, Outcome, Quirks, Received, Reply, ServerAccount,
        Session, Violation, md5_digest,
    },
    limits::Limits,
    syncml::{
        Address, Alert, Challenge, Command, Credential, Encoding, Header, Item, Message, Meta, Results, Status,
        StatusCode, Write, WriteKind,
    },
};

pub(super) const SERVER: &str = "https://dm.example.org/dm";
pub(super) const DEVICE: &str = "urn:imei:490154203237518";
pub(super) const IDENTITY: Identity<'static> = Identity {
    uri: SERVER,
    resp_uri: Some("https://dm.example.org/dm?s=A1"),
    max_msg_size: 16_384,
    max_obj_size: 1 << 20,
};

/// A server with one session, and what it knows of the device.
pub(super) struct World {
    pub(super) session: Session,
    pub(super) weakest: AuthType,
    pub(super) each_message: bool,
    pub(super) nonces: Vec<Vec<u8>>,
    pub(super) spent: Vec<Vec<u8>>,
    pub(super) resync_sent: bool,
    pub(super) is_first_contact: bool,
    pub(super) server_nonce: Option<Vec<u8>>,
    pub(super) quirks: Quirks,
    pub(super) large_objects: bool,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            session: Session::new("A1", Encoding::Xml),
            weakest: AuthType::Md5,
            each_message: false,
            nonces: vec![b"stored".to_vec(), b"challenge".to_vec()],
            spent: Vec::new(),
            resync_sent: false,
            is_first_contact: false,
            server_nonce: None,
            quirks: Quirks::default(),
            large_objects: false,
        }
    }

    /// The device has proved who it is and waits for the answer to its package 1, message 1.
    pub(super) fn logged_in() -> Self {
        let mut world = Self::new();
        world.receive(package_1(1).md5(b"stored"));
        world
    }

    /// As [`Self::logged_in`], with a server that has a credential with nonce `first`.
    pub(super) fn with_server_credential() -> Self {
        let mut world = Self::logged_in();
        world.server_nonce = Some(b"first".to_vec());
        world
    }

    /// The device has been given these orders in our message 1.
    pub(super) fn asked(orders: Vec<Order>) -> Self {
        let mut world = Self::logged_in();
        world.answer(orders);
        world
    }

    pub(super) fn receive(&mut self, message: impl Into<Message>) -> Received {
        self.try_receive(message).unwrap()
    }

    pub(super) fn try_receive(&mut self, message: impl Into<Message>) -> Result<Received, Violation> {
        let (session, account) = self.split();
        session.receive(&account, &message.into())
    }

    /// As it comes over the transport: the message in its octets, with this header for its MAC.
    pub(super) fn receive_octets(&mut self, body: &[u8], hmac: Option<&str>) -> Result<Received, Violation> {
        let message = Message::decode(Encoding::Xml, body, &Limits::DEVICE).unwrap();
        let (session, account) = self.split();
        session.receive(&account, Incoming { message: &message, body, hmac })
    }

    pub(super) fn answer(&mut self, orders: Vec<Order>) -> Reply {
        let (session, account) = self.split();
        session.answer(&IDENTITY, &account, orders)
    }

    pub(super) fn abort(&mut self) -> Reply {
        let (session, account) = self.split();
        session.abort(&IDENTITY, &account)
    }

    fn split(&mut self) -> (&mut Session, Account<'_>) {
        let account = Account {
            each_message: self.each_message,
            nonces: &self.nonces,
            spent: &self.spent,
            resync_sent: self.resync_sent,
            is_first_contact: self.is_first_contact,
            challenge: b"challenge",
            next: b"next-session",
            server: self.server_nonce.as_deref().map(|nonce| ServerAccount {
                name: "srv-user",
                secret: "srv-secret",
                nonce,
            }),
            quirks: &self.quirks,
            large_objects: self.large_objects,
            ..Account::new("dev-user", "dev-secret", self.weakest)
        };
        (&mut self.session, account)
    }
}

/// A message of the device in the making.
pub(super) struct Draft(pub(super) Message);

impl From<Draft> for Message {
    fn from(draft: Draft) -> Self {
        draft.0
    }
}

/// An empty message with Final.
pub(super) fn message(number: u32) -> Draft {
    Draft(Message {
        header: Header {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: "A1".into(),
            msg_id: number.to_string().into(),
            target: Address::new(SERVER),
            source: Address::new(DEVICE),
            ..Header::default()
        },
        commands: Vec::new(),
        is_final: true,
    })
}

/// Alert 1201 and DevInfo, without a credential.
pub(super) fn package_1(number: u32) -> Draft {
    message(number).alert("1201").dev_info(&[("./DevInfo/DevId", DEVICE), ("./DevInfo/Man", "Example Devices")])
}

/// The device's answer to our message `to`: header accepted.
pub(super) fn package_3(number: u32, to: u32) -> Draft {
    message(number).status(to, 0, 200)
}

impl Draft {
    pub(super) fn md5(mut self, nonce: &[u8]) -> Self {
        self.0.header.cred = Some(cred("syncml:auth-md5", &md5_digest("dev-user", "dev-secret", nonce)));
        self
    }

    pub(super) fn cred(mut self, kind: &str, data: &str) -> Self {
        self.0.header.cred = Some(cred(kind, data));
        self
    }

    pub(super) fn without_final(mut self) -> Self {
        self.0.is_final = false;
        self
    }

    pub(super) fn max_msg_size(mut self, bytes: u64) -> Self {
        self.0.header.meta.max_msg_size = Some(bytes);
        self
    }

    pub(super) fn push(mut self, command: impl FnOnce(crate::syncml::Text) -> Command) -> Self {
        let cmd_id = (self.0.commands.len() + 1).to_string().into();
        self.0.commands.push(command(cmd_id));
        self
    }

    pub(super) fn alert(self, code: &str) -> Self {
        self.alert_with(code, None, Vec::new())
    }

    pub(super) fn alert_with(self, code: &str, correlator: Option<&str>, items: Vec<Item>) -> Self {
        self.push(|cmd_id| {
            Command::Alert(Alert { cmd_id, code: code.into(), correlator: correlator.map(Into::into), items })
        })
    }

    pub(super) fn dev_info(self, nodes: &[(&str, &str)]) -> Self {
        let items = nodes
            .iter()
            .map(|(uri, value)| Item {
                source: Some(Address::new(*uri)),
                data: Some((*value).into()),
                ..Item::default()
            })
            .collect();
        self.push(|cmd_id| Command::Write(Write { kind: WriteKind::Replace, cmd_id, meta: Meta::default(), items }))
    }

    pub(super) fn status(self, msg: u32, cmd: u32, code: u16) -> Self {
        self.status_with(msg, cmd, code, |_| {})
    }

    pub(super) fn status_of(self, msg: u32, cmd: u32, uri: &str, code: u16) -> Self {
        self.status_with(msg, cmd, code, |status| status.target_refs = vec![uri.into()])
    }

    pub(super) fn status_with(self, msg: u32, cmd: u32, code: u16, change: impl FnOnce(&mut Status)) -> Self {
        self.push(|cmd_id| {
            let mut status = Status {
                cmd_id,
                msg_ref: msg.to_string().into(),
                cmd_ref: cmd.to_string().into(),
                cmd: if cmd == 0 { "SyncHdr".into() } else { "Get".into() },
                code: StatusCode(code),
                ..Status::default()
            };
            change(&mut status);
            Command::Status(status)
        })
    }

    /// Answers our header with a challenge or a new nonce.
    pub(super) fn header_chal(self, msg: u32, code: u16, kind: &str, nonce: Option<&[u8]>) -> Self {
        let next_nonce = nonce.map(<[u8]>::to_vec);
        let chal = Challenge { meta: Meta { kind: Some(kind.into()), next_nonce, ..Meta::default() } };
        self.status_with(msg, 0, code, |status| status.chal = Some(chal))
    }

    pub(super) fn results(self, msg: Option<u32>, cmd: u32, nodes: &[(&str, &str)]) -> Self {
        let items = nodes
            .iter()
            .map(|(uri, value)| Item {
                source: Some(Address::new(*uri)),
                data: Some((*value).into()),
                ..Item::default()
            })
            .collect();
        self.push(|cmd_id| {
            Command::Results(Results {
                cmd_id,
                msg_ref: msg.map(|it| it.to_string().into()),
                cmd_ref: cmd.to_string().into(),
                items,
                ..Results::default()
            })
        })
    }
}

fn cred(kind: &str, data: &str) -> Credential {
    let meta = Meta { kind: Some(kind.into()), format: Some("b64".into()), ..Meta::default() };
    Credential { meta, data: data.into() }
}

pub(super) fn get(tag: u32, uri: &str) -> Order {
    Order { tag, action: Action::Get { uri: uri.into() } }
}

pub(super) fn replace(tag: u32, uri: &str, value: &str) -> Order {
    let action = Action::Replace { uri: uri.into(), format: Some("chr".into()), kind: None, data: Some(value.into()) };
    Order { tag, action }
}

pub(super) fn delete(tag: u32, uri: &str) -> Order {
    Order { tag, action: Action::Delete { uri: uri.into() } }
}

/// Statuses of a message: what they answer, and the code.
pub(super) fn statuses(message: &Message) -> Vec<(String, u16)> {
    message
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Status(it) => Some((format!("{} {} {}", it.msg_ref, it.cmd_ref, it.cmd), it.code.0)),
            _ => None,
        })
        .collect()
}

/// Names of the commands that are no statuses, alerts with their code.
pub(super) fn asked(message: &Message) -> Vec<String> {
    message
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Status(_) => None,
            Command::Alert(it) => Some(format!("Alert {}", it.code)),
            _ => Some(command.name().to_owned()),
        })
        .collect()
}

/// The challenge in the status of the header: type and nonce.
pub(super) fn challenge(message: &Message) -> Option<(String, Option<Vec<u8>>)> {
    let Some(Command::Status(status)) = message.commands.first() else {
        return None;
    };
    let meta = &status.chal.as_ref()?.meta;
    Some((meta.kind.as_deref().unwrap_or_default().to_owned(), meta.next_nonce.clone()))
}

/// Tags and answers of outcomes.
pub(super) fn answers(outcomes: &[Outcome]) -> Vec<(u32, Answer)> {
    outcomes.iter().map(|it| (it.tag, it.answer)).collect()
}

pub(super) fn code(code: u16) -> Answer {
    Answer::Status(StatusCode(code))
}
