//! What a device finds wrong with a server that it can still talk to.

use muster_protocol::syncml::{Command, Message};

use super::Device;
use super::session::{Session, is_work};

impl Device {
    /// Notes where the server departs from the specification without breaking the session.
    pub(super) fn check(&mut self, session: &mut Session, message: &Message) {
        let header = &message.header;
        let (dtd, protocol) = self.versions();
        if header.ver_dtd != dtd || header.ver_proto != protocol {
            self.complain(&format!("VerDTD {:?}, VerProto {:?}", header.ver_dtd, header.ver_proto));
        }
        match header.msg_id.parse::<u64>() {
            Ok(id) if Some(id) == session.server_msg_id.checked_add(1) => session.server_msg_id = id,
            Ok(id) => {
                self.complain(&format!("MsgID {id} after {}", session.server_msg_id));
                session.server_msg_id = id;
            }
            Err(_) => self.complain(&format!("MsgID {:?} is not a number", header.msg_id)),
        }
        let mut ids = Vec::new();
        note_ids(&message.commands, &mut ids, 0);
        if ids.iter().any(|id| matches!(*id, "" | "0")) {
            self.complain("a command without CmdID, or with 0");
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != count {
            self.complain("two commands with the same CmdID");
        }
        let msg_id = session.msg_id.to_string();
        for command in session.sent.iter().filter(|it| is_work(it)) {
            let answered = message.commands.iter().any(
                |it| matches!(it, Command::Status(status) if status.msg_ref == msg_id && status.cmd == command.name()),
            );
            if !answered {
                self.complain(&format!("no Status for the {} of message {msg_id}", command.name()));
            }
        }
    }

    pub(super) fn complain(&mut self, text: &str) {
        self.complaints.push(text.to_owned());
    }
}

/// Containers inside one another that are looked into.
const NESTING_MAX: usize = 8;

/// Collects the `CmdID`s of commands and their members.
fn note_ids<'a>(commands: &'a [Command], ids: &mut Vec<&'a str>, depth: usize) {
    for command in commands {
        ids.push(command.cmd_id());
        if let Command::Nested(nested) = command
            && depth < NESTING_MAX
        {
            note_ids(&nested.commands, ids, depth + 1);
        }
    }
}
