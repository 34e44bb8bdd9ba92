//! A server that says what the test wants, and the device it talks to.

use muster_protocol::syncml::{
    Address, Alert, Challenge, Command, Encoding, Exec, Get, Header, Item, ItemData, Message, Meta, Nested, NestedKind,
    Status, StatusCode, Text, Write, WriteKind,
};

use crate::account::{Account, AuthType};
use crate::behaviour::Behaviour;
use crate::dm1::{Device, Initiation, SessionEnd, credential};
use crate::tree::Profile;

pub(super) const URL: &str = "http://dm.example.org/dm";

pub(super) fn profile() -> Profile {
    Profile {
        dev_id: "IMEI:004401220000017".into(),
        manufacturer: "Example".into(),
        model: "M1".into(),
        device_type: "phone".into(),
        firmware: "1.0".into(),
        software: "1.0".into(),
        hardware: "A".into(),
        language: "en".into(),
    }
}

pub(super) fn account() -> Account {
    Account {
        server_url: URL.into(),
        server_id: "dm.example.org".into(),
        auth: AuthType::Md5,
        weakest: AuthType::Basic,
        client_name: "dev-user".into(),
        client_secret: "dev-secret".into(),
        client_nonce: Some(b"first".to_vec()),
        server: None,
    }
}

/// Both ends of a session.
pub(super) struct Script {
    pub(super) device: Device,
    /// What the device said last.
    pub(super) said: Message,
    pub(super) end: Option<SessionEnd>,
    /// Header of the server's next message; `msg_id` counts by itself.
    pub(super) header: Header,
    pub(super) msg_id: u32,
}

impl Script {
    pub(super) fn new(device: Device) -> Self {
        Self::of(device, &Initiation::Client)
    }

    pub(super) fn of(mut device: Device, initiation: &Initiation) -> Self {
        let said = device.start(initiation);
        let header = Header {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: said.header.session_id.clone(),
            target: said.header.source.clone(),
            source: Address::new(URL),
            meta: Meta { max_msg_size: Some(64_000), ..Meta::default() },
            ..Header::default()
        };
        Self { device, said, end: None, header, msg_id: 0 }
    }

    /// A device that behaves, past authentication.
    pub(super) fn good() -> Self {
        Self::behaving(&[])
    }

    pub(super) fn behaving(behaviours: &[Behaviour]) -> Self {
        Self::new(Device::new(&profile(), account(), Encoding::Xml, behaviours, 7))
    }

    /// The server's next message: a good Status for everything the device said, then `commands`.
    pub(super) fn message(&mut self, commands: Vec<Command>) -> Message {
        self.msg_id += 1;
        let mut header = self.header.clone();
        header.msg_id = self.msg_id.to_string().into();
        let mut all = vec![self.status_of_header(StatusCode::AUTHENTICATED, None)];
        for said in &self.said.commands {
            if !matches!(said, Command::Status(_) | Command::Results(_)) {
                all.push(status(&self.said.header.msg_id, said.cmd_id(), said.name(), StatusCode::OK));
            }
        }
        all.extend(commands);
        number(&mut all, &mut 1);
        Message { header, commands: all, is_final: true }
    }

    /// Sends `commands` after good Statuses.
    pub(super) fn send(&mut self, commands: Vec<Command>) {
        let message = self.message(commands);
        self.deliver(&message);
    }

    /// Refuses the device's message with `code` and a challenge.
    pub(super) fn refuse(&mut self, code: StatusCode, chal: Option<Challenge>) {
        let mut message = self.message(Vec::new());
        message.commands = vec![self.status_of_header(code, chal)];
        number(&mut message.commands, &mut 1);
        self.deliver(&message);
    }

    pub(super) fn deliver(&mut self, message: &Message) {
        let step = self.device.receive(message);
        if let Some(reply) = step.reply {
            self.said = reply;
        }
        self.end = step.finished;
    }

    pub(super) fn status_of_header(&self, code: StatusCode, chal: Option<Challenge>) -> Command {
        Command::Status(Status {
            msg_ref: self.said.header.msg_id.clone(),
            cmd_ref: "0".into(),
            cmd: "SyncHdr".into(),
            code,
            chal,
            ..Status::default()
        })
    }

    /// `(Cmd, code)` of every Status the device sent last, but for that of the header.
    pub(super) fn statuses(&self) -> Vec<(&str, u16)> {
        self.said
            .commands
            .iter()
            .filter_map(|it| match it {
                Command::Status(status) if status.cmd_ref != "0" => Some((status.cmd.as_str(), status.code.0)),
                _ => None,
            })
            .collect()
    }

    /// Status of our header in what the device sent last.
    pub(super) fn of_header(&self) -> &Status {
        match &self.said.commands[0] {
            Command::Status(status) if status.cmd_ref == "0" => status,
            other => panic!("the first command is {other:?}"),
        }
    }

    /// `(address, value)` of every Results the device sent last.
    pub(super) fn results(&self) -> Vec<(String, String)> {
        let results = self.said.commands.iter().filter_map(|it| match it {
            Command::Results(results) => Some(&results.items),
            _ => None,
        });
        results.flatten().map(|item| (uri(item.source.as_ref()), text(item))).collect()
    }

    /// Codes of the alerts the device sent last.
    pub(super) fn alerts(&self) -> Vec<&str> {
        self.said
            .commands
            .iter()
            .filter_map(|it| match it {
                Command::Alert(alert) => Some(alert.code.as_str()),
                _ => None,
            })
            .collect()
    }
}

fn uri(address: Option<&Address>) -> String {
    address.map(|it| it.uri.to_string()).unwrap_or_default()
}

fn text(item: &Item) -> String {
    item.data.as_ref().and_then(ItemData::as_text).unwrap_or_default().to_owned()
}

pub(super) fn number(commands: &mut [Command], next: &mut u32) {
    for command in commands {
        let id: Text = next.to_string().into();
        *next += 1;
        match command {
            Command::Alert(it) => it.cmd_id = id,
            Command::Write(it) => it.cmd_id = id,
            Command::Get(it) => it.cmd_id = id,
            Command::Exec(it) => it.cmd_id = id,
            Command::Nested(it) => {
                it.cmd_id = id;
                number(&mut it.commands, next);
            }
            Command::Results(it) => it.cmd_id = id,
            Command::Status(it) => it.cmd_id = id,
            Command::Unsupported { cmd_id, .. } => *cmd_id = id,
        }
    }
}

pub(super) fn status(msg_ref: &str, cmd_ref: &str, cmd: &str, code: StatusCode) -> Command {
    Command::Status(Status {
        msg_ref: msg_ref.into(),
        cmd_ref: cmd_ref.into(),
        cmd: cmd.into(),
        code,
        ..Status::default()
    })
}

pub(super) fn item(uri: &str) -> Item {
    Item { target: Some(Address::new(uri)), ..Item::default() }
}

pub(super) fn get(uris: &[&str]) -> Command {
    Command::Get(Get { items: uris.iter().map(|uri| item(uri)).collect(), ..Get::default() })
}

pub(super) fn write(kind: WriteKind, uri: &str, data: Option<&str>) -> Command {
    let item = Item { data: data.map(ItemData::from), ..item(uri) };
    Command::Write(Write { kind, cmd_id: Text::default(), meta: Meta::default(), items: vec![item] })
}

pub(super) fn replace(uri: &str, data: &str) -> Command {
    write(WriteKind::Replace, uri, Some(data))
}

pub(super) fn add(uri: &str, data: &str) -> Command {
    write(WriteKind::Add, uri, Some(data))
}

pub(super) fn delete(uri: &str) -> Command {
    write(WriteKind::Delete, uri, None)
}

pub(super) fn exec(uri: &str) -> Command {
    Command::Exec(Exec { correlator: Some("c1".into()), items: vec![item(uri)], ..Exec::default() })
}

pub(super) fn nested(kind: NestedKind, commands: Vec<Command>) -> Command {
    Command::Nested(Nested { kind, cmd_id: Text::default(), meta: Meta::default(), commands })
}

pub(super) fn alert(code: &str, texts: &[&str]) -> Command {
    let item = |text: &&str| Item { data: Some((*text).into()), ..Item::default() };
    Command::Alert(Alert { code: code.into(), items: texts.iter().map(item).collect(), ..Alert::default() })
}

pub(super) fn ask() -> Command {
    alert("1101", &["MINDT=1", "Go on?"])
}

pub(super) fn md5_challenge(nonce: &[u8]) -> Option<Challenge> {
    Some(credential::challenge(AuthType::Md5, nonce))
}
