//! The next message of a device.

use muster_protocol::syncml::{
    Address, Alert, Challenge, Command, Encoding, Header, Message, Meta, Status, StatusCode, Text,
};

use super::outbox::{Room, has_more_data};
use super::session::Session;
use super::{Device, SessionEnd, Step, credential, size, wire};
use crate::account::AuthType;
use crate::tree::VALUE_BYTES_MAX;

/// `MaxMsgSize` of a server that announced none, in octets: the figure in the examples of the specification.
const SERVER_MESSAGE_BYTES_DEFAULT: usize = 5_000;

impl Device {
    /// The next message, which is the last one if the device aborts here.
    pub(super) fn reply(&mut self, session: &mut Session, of_header: Status) -> Step {
        let reply = Some(self.next_message(session, Some(of_header)));
        Step { reply, finished: self.aborts(session).then_some(SessionEnd::AbortedByDevice) }
    }

    /// Whether the message made last ends the session with Alert 1223.
    pub(super) fn aborts(&self, session: &Session) -> bool {
        self.faults.aborts_in_message == Some(session.messages)
    }

    /// The next message: the given Status first, then as much of the outbox as the server takes.
    pub(super) fn next_message(&mut self, session: &mut Session, of_header: Option<Status>) -> Message {
        session.messages += 1;
        session.msg_id += if self.faults.skips_msg_id && session.msg_id > 0 { 2 } else { 1 };
        let mut message = Message {
            header: self.header(session),
            commands: of_header.into_iter().map(Command::Status).collect(),
            is_final: true,
        };
        message.commands.append(&mut session.prompts);
        // An empty `CmdID` is shorter than it will be.
        number(&mut message.commands);
        let room = self.room(session, &message);
        session.sent = session.outbox.pack(&room, |command| match room.octets {
            usize::MAX => 0,
            _ => size::of_command(command, self.encoding),
        });
        self.spoil(session);
        message.is_final = session.outbox.is_empty() && (!session.server_package_open || self.faults.no_chunk_statuses);
        if self.aborts(session) {
            session.sent.push(alert("1223"));
            message.is_final = true;
        }
        if !message.is_final && session.sent.is_empty() {
            session.sent.push(alert("1222"));
        }
        message.commands.extend(session.sent.iter().cloned());
        number(&mut message.commands);
        message
    }

    /// What is wrong with what this device sends.
    fn spoil(&self, session: &mut Session) {
        let is_piece = session.sent.iter().any(has_more_data);
        if self.faults.wrong_size {
            for command in &mut session.sent {
                let items = match command {
                    Command::Results(results) => &mut results.items,
                    Command::Alert(alert) => &mut alert.items,
                    _ => continue,
                };
                items.iter_mut().filter_map(|it| it.meta.size.as_mut()).for_each(|size| *size += 1);
            }
        }
        if self.faults.leaves_objects && is_piece {
            session.outbox.drop_rest();
        }
        if self.faults.out_of_order && !is_piece {
            // What is no answer keeps its order: package 1 begins with its alert.
            let is_answer = |it: &Command| matches!(it, Command::Status(_) | Command::Results(_));
            let (mut answers, others): (Vec<_>, Vec<_>) = session.sent.drain(..).partition(is_answer);
            answers.reverse();
            session.sent = answers.into_iter().chain(others).collect();
        }
    }

    /// What there is room for beside what `message` holds already.
    fn room(&self, session: &Session, message: &Message) -> Room {
        let of_server = session.server_message_bytes_max.map(|it| usize::try_from(it).unwrap_or(usize::MAX));
        let of_server = of_server.or((!self.faults.ignores_server_limits).then_some(SERVER_MESSAGE_BYTES_DEFAULT));
        let limit = [self.faults.message_bytes_max, of_server];
        let octets = limit.into_iter().flatten().min().map_or(usize::MAX, |limit| {
            limit.saturating_sub(size::of_message(message, self.encoding)).saturating_sub(self.head_bytes())
        });
        let commands = if self.faults.one_command_per_message { 1 } else { usize::MAX };
        Room { octets, commands, cuts: !self.faults.no_large_objects }
    }

    /// Whether `command` fits into a message of its own, whatever else its header has to say.
    pub(super) fn fits_whole(&self, session: &Session, command: &Command) -> bool {
        let account = &self.account;
        let header = Header {
            cred: credential::credential(AuthType::Md5, &account.client_name, &account.client_secret, &[]),
            meta: Meta { max_msg_size: Some(u64::MAX), max_obj_size: Some(u64::MAX), ..Meta::default() },
            session_id: session.id.clone(),
            msg_id: "9999".into(),
            target: Address::new(self.target(session)),
            source: self.source(),
            ..Header::default()
        };
        let of_header = Status {
            target_refs: vec![header.source.uri.clone()],
            source_refs: vec![header.target.uri.clone()],
            ..Status::default()
        };
        let message = Message { header, commands: vec![Command::Status(of_header)], is_final: true };
        size::of_command(command, self.encoding) <= self.room(session, &message).octets
    }

    fn head_bytes(&self) -> usize {
        let is_longer = self.encoding == Encoding::Wbxml && self.faults.public_id_as_text;
        if is_longer { wire::PUBLIC_ID_BYTES } else { 0 }
    }

    fn header(&self, session: &mut Session) -> Header {
        let first = session.messages == 1 || session.client.challenges > 0;
        let object_bytes_max = self.faults.object_bytes_max.unwrap_or(VALUE_BYTES_MAX as u64);
        let sizes = Meta {
            max_msg_size: Some(self.message_bytes_max()),
            max_obj_size: (!self.faults.no_large_objects).then_some(object_bytes_max),
            ..Meta::default()
        };
        let cred = self.prove(session);
        let (dtd, protocol) = self.versions();
        Header {
            ver_dtd: dtd.into(),
            ver_proto: protocol.into(),
            session_id: session.id.clone(),
            msg_id: session.msg_id.to_string().into(),
            target: Address::new(self.target(session)),
            source: self.source(),
            cred,
            meta: if first { sizes } else { Meta::default() },
            ..Header::default()
        }
    }

    /// `VerDTD` and `VerProto`.
    pub(super) fn versions(&self) -> (&'static str, &'static str) {
        if self.faults.dm_1_1_2 { ("1.1", "DM/1.1") } else { ("1.2", "DM/1.2") }
    }

    fn target<'a>(&'a self, session: &'a Session) -> &'a str {
        session.resp_uri.as_deref().unwrap_or(&self.account.server_url)
    }

    fn source(&self) -> Address {
        Address { uri: self.uri.as_str().into(), name: Some(self.account.client_name.as_str().into()) }
    }

    /// Our Status for the header of the server's message.
    pub(super) fn header_status(&self, message: &Message, code: StatusCode, chal: Option<Challenge>) -> Status {
        let refs = |uri: &Text| if self.faults.no_header_refs { Vec::new() } else { vec![uri.clone()] };
        Status {
            msg_ref: message.header.msg_id.clone(),
            cmd_ref: "0".into(),
            cmd: "SyncHdr".into(),
            target_refs: refs(&message.header.target.uri),
            source_refs: refs(&message.header.source.uri),
            chal,
            code,
            ..Status::default()
        }
    }
}

/// An alert of the device without Items.
pub(super) fn alert(code: &str) -> Command {
    Command::Alert(Alert { code: code.into(), ..Alert::default() })
}

/// Gives `CmdID`s from 1. What a device sends is never nested.
fn number(commands: &mut [Command]) {
    for (id, command) in (1_u32..).zip(commands) {
        set_cmd_id(command, id.to_string().into());
    }
}

pub(super) fn set_cmd_id(command: &mut Command, id: Text) {
    let cmd_id = match command {
        Command::Alert(it) => &mut it.cmd_id,
        Command::Write(it) => &mut it.cmd_id,
        Command::Get(it) => &mut it.cmd_id,
        Command::Exec(it) => &mut it.cmd_id,
        Command::Nested(it) => &mut it.cmd_id,
        Command::Results(it) => &mut it.cmd_id,
        Command::Status(it) => &mut it.cmd_id,
        Command::Unsupported { cmd_id, .. } => cmd_id,
    };
    *cmd_id = id;
}
