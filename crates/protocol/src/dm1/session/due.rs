//! What the answer to a message owes.

use serde::{Deserialize, Serialize};

use crate::{
    dm1::{AuthType, Stage},
    syncml::{Challenge, Command, Message, Status, StatusCode, Text},
};

/// Statuses that the answer to one message must carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Due {
    /// `MsgID` of the message answered, as sent.
    pub(super) msg: Text,
    pub(super) target: Text,
    pub(super) source: Text,
    /// For the header.
    pub(super) header: StatusCode,
    /// Challenge that goes with it.
    pub(super) challenge: Option<Issue>,
    /// For the commands, in order.
    pub(super) commands: Vec<CommandStatus>,
    /// Large objects that broke off.
    pub(super) no_end: Vec<Text>,
    /// The client became known with this message, or became known again.
    pub(super) login: bool,
    pub(super) stage: Stage,
}

/// A nonce that the answer issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Issue {
    /// To authenticate now with this scheme.
    Now(AuthType),
    /// To authenticate with this scheme the next time: in the next message where each needs a credential, else in the
    /// next session.
    Next(AuthType),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CommandStatus {
    cmd_ref: Text,
    cmd: Text,
    pub(super) code: StatusCode,
}

/// A status for which an answer had no room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Late {
    /// `MsgID` of the message that it is about.
    msg: Text,
    status: CommandStatus,
}

impl Late {
    pub(super) fn new(msg: &Text, status: CommandStatus) -> Self {
        Self { msg: msg.clone(), status }
    }

    pub(super) fn command(&self, cmd_id: Text) -> Command {
        Command::Status(Status {
            cmd_id,
            msg_ref: self.msg.clone(),
            cmd_ref: self.status.cmd_ref.clone(),
            cmd: self.status.cmd.clone(),
            code: self.status.code,
            ..Status::default()
        })
    }
}

impl Due {
    /// Owes nothing yet but the status of the header.
    pub(super) fn new(message: &Message, header: StatusCode, stage: Stage) -> Self {
        Self {
            msg: message.header.msg_id.clone(),
            target: message.header.target.uri.clone(),
            source: message.header.source.uri.clone(),
            header,
            challenge: None,
            commands: Vec::new(),
            no_end: Vec::new(),
            login: false,
            stage,
        }
    }

    /// Refuses the header and with it every command.
    pub(super) fn refusal(message: &Message, code: StatusCode, stage: Stage) -> Self {
        let mut due = Self::new(message, code, stage);
        for command in &message.commands {
            if !matches!(command, Command::Status(_)) {
                due.command(command, code);
            }
        }
        due
    }

    /// Owes a status for `command`.
    pub(super) fn command(&mut self, command: &Command, code: StatusCode) {
        self.commands.push(CommandStatus { cmd_ref: command.cmd_id().clone(), cmd: command.name().into(), code });
    }

    /// The status of the header; `challenge` is made from what `self.challenge` says.
    pub(super) fn header_status(&self, cmd_id: Text, challenge: Option<Challenge>) -> Command {
        let refs = |uri: &Text| {
            if uri.is_empty() { Vec::new() } else { vec![uri.clone()] }
        };
        Command::Status(Status {
            cmd_id,
            msg_ref: self.msg.clone(),
            cmd_ref: "0".into(),
            cmd: "SyncHdr".into(),
            target_refs: refs(&self.target),
            source_refs: refs(&self.source),
            chal: challenge,
            code: self.header,
            ..Status::default()
        })
    }
}
