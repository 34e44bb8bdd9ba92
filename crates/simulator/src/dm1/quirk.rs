//! What makes the answers of some devices unlike those of others. The executor knows nothing of it.
//!
//! Source: the fact sheet on OMA DM 1.x, "Real-world deviations to tolerate".

use std::borrow::Cow;

use muster_protocol::syncml::{Alert, Command, Meta, Nested, Results, Status, StatusCode, WriteKind};

use crate::behaviour::Faults;

/// Containers inside one another that are looked into.
const NESTING_MAX: usize = 8;

impl Faults {
    /// The command as this device understands it: what it does not know at all is [`Command::Unsupported`].
    pub(super) fn as_heard<'a>(&self, command: &'a Command) -> Cow<'a, Command> {
        if self.no_copy { Cow::Owned(self.heard(command, 0)) } else { Cow::Borrowed(command) }
    }

    fn heard(&self, command: &Command, depth: usize) -> Command {
        match command {
            Command::Nested(nested) if depth < NESTING_MAX => Command::Nested(Nested {
                commands: nested.commands.iter().map(|it| self.heard(it, depth + 1)).collect(),
                ..nested.clone()
            }),
            _ if self.lacks(command) => {
                Command::Unsupported { name: command.name().into(), cmd_id: command.cmd_id().clone() }
            }
            _ => command.clone(),
        }
    }

    fn lacks(&self, command: &Command) -> bool {
        self.no_copy && matches!(command, Command::Write(write) if write.kind == WriteKind::Copy)
    }

    /// The answers to one command of the server as this device writes them.
    pub(super) fn as_said(&self, mut answers: Vec<Command>) -> Vec<Command> {
        if self.no_atomic_status {
            answers.retain(|it| !matches!(it, Command::Status(status) if status.cmd == "Atomic"));
        }
        if self.one_status_for_items {
            answers = together(answers);
        }
        for answer in &mut answers {
            match answer {
                Command::Status(status) if self.no_copy && status.cmd == "Copy" && !is_of_container(status.code) => {
                    status.code = StatusCode::NOT_IMPLEMENTED;
                }
                Command::Results(results) => self.write_results(results),
                _ => {}
            }
        }
        answers
    }

    fn write_results(&self, results: &mut Results) {
        if self.no_msg_ref {
            results.msg_ref = None;
        }
        for item in &mut results.items {
            // Without a format a value would be text, so what is not keeps it.
            if self.no_meta && item.meta.format.as_deref().is_none_or(|it| it == "chr") {
                item.meta = Meta::default();
            }
        }
        if self.meta_beside_items
            && let [item] = results.items.as_mut_slice()
        {
            results.meta = std::mem::take(&mut item.meta);
        }
    }

    /// Whether the device does not survive `command`.
    pub(super) fn crashes_on(&self, command: &Command) -> bool {
        match command {
            Command::Nested(nested) => {
                let is_sequence = nested.kind.name() == "Sequence";
                (self.crashes_on_sequence && is_sequence) || nested.commands.iter().any(|it| self.asks_badly(it))
            }
            _ => self.asks_badly(command),
        }
    }

    fn asks_badly(&self, command: &Command) -> bool {
        let Command::Alert(alert) = command else { return false };
        let options = alert.items.first().and_then(|it| it.data.as_ref());
        self.crashes_on_empty_options && asks_user(alert) && options.is_none_or(|it| it.as_bytes().is_empty())
    }
}

/// What an Atomic says of its members when another one failed.
fn is_of_container(code: StatusCode) -> bool {
    matches!(
        code,
        StatusCode::NOT_EXECUTED
            | StatusCode::ROLLED_BACK
            | StatusCode::MISSING_CREDENTIALS
            | StatusCode::INVALID_CREDENTIALS
    )
}

fn asks_user(alert: &Alert) -> bool {
    matches!(alert.code.as_str(), "1100" | "1101" | "1102" | "1103" | "1104")
}

/// One Status for those that say the same of several Items of one command.
fn together(answers: Vec<Command>) -> Vec<Command> {
    let mut all: Vec<Command> = Vec::new();
    for answer in answers {
        if let (Some(Command::Status(last)), Command::Status(status)) = (all.last_mut(), &answer)
            && says_the_same(last, status)
        {
            last.target_refs.clear();
            continue;
        }
        all.push(answer);
    }
    all
}

fn says_the_same(one: &Status, other: &Status) -> bool {
    one.cmd_ref == other.cmd_ref && one.code == other.code && one.items.is_empty() && other.items.is_empty()
}
