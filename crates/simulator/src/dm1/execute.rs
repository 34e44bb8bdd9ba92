//! Carries out the commands of a server and makes the answers.
//!
//! Source: OMA DM 1.2 Representation Protocol usage; OMA DM 1.2 Protocol, "Status" and "Atomic".

mod containers;
mod read;
mod write;

use muster_protocol::syncml::{
    Address, Command, Encoding, Exec, Item, NestedKind, Status, StatusCode, Text, WriteKind,
};
use muster_protocol::tree::{Actor, LocUri, Refusal, ServerId, TStamp, Tree, UriError};

use super::event::{Event, ExecOutcome, Told};
use super::interaction;
use super::ledger::Ledger;
use crate::behaviour::Faults;

/// Containers inside one another; deeper ones are refused, so that no message can exhaust the stack.
const NESTING_MAX: usize = 8;

/// Where a device takes whole management objects.
const INBOX: &str = "./Inbox";

/// What commands act on, borrowed from the device for one message.
pub(super) struct Executor<'a> {
    pub(super) tree: &'a mut Tree,
    pub(super) ledger: &'a mut Ledger,
    pub(super) faults: &'a Faults,
    pub(super) execs: &'a [(String, ExecOutcome)],
    pub(super) encoding: Encoding,
    /// Who acts, as access control lists call it.
    pub(super) server: ServerId,
    /// What `TStamp` becomes on nodes that change.
    pub(super) now: Option<TStamp>,
    /// Octets of the largest message that the server takes, if it said so.
    pub(super) message_bytes_max: Option<usize>,
    /// `MsgID` of the message answered.
    pub(super) msg_ref: &'a Text,
    /// Events that Execs caused.
    pub(super) events: Vec<(Told, Event)>,
}

/// The answers to one command, and whether it stands for going on or stopping.
struct Outcome {
    answers: Vec<Command>,
    verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Done,
    Failed,
    /// The user said no, or nothing.
    Refused,
}

/// Why an item was not carried out.
enum NotDone {
    Status(StatusCode),
    Refusal(Refusal),
}

impl From<StatusCode> for NotDone {
    fn from(code: StatusCode) -> Self {
        Self::Status(code)
    }
}

impl From<Refusal> for NotDone {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<UriError> for NotDone {
    fn from(error: UriError) -> Self {
        Self::Refusal(error.into())
    }
}

impl Executor<'_> {
    /// Carries out one command. Returns its Status, those of its members, and Results, in the order of sending.
    pub(super) fn run(&mut self, command: &Command) -> Vec<Command> {
        self.step(command, 0).answers
    }

    /// Answers a command and all its members with one status, without carrying anything out.
    pub(super) fn refuse(&self, command: &Command, code: StatusCode) -> Vec<Command> {
        let mut answers = Vec::new();
        self.refuse_into(command, code, 0, &mut answers);
        answers
    }

    fn step(&mut self, command: &Command, depth: usize) -> Outcome {
        match command {
            Command::Write(write) => self.write(command, write),
            Command::Get(get) => self.get(command, get),
            Command::Exec(exec) => self.exec(command, exec),
            Command::Nested(_) if depth >= NESTING_MAX => self.refused(command, StatusCode::COMMAND_FAILED),
            Command::Nested(nested) => match nested.kind {
                NestedKind::Atomic => self.atomic(command, nested),
                NestedKind::Sequence => self.sequence(command, nested, depth),
            },
            Command::Alert(alert) => {
                let (code, items) = interaction::answer(alert, &self.faults.user);
                if alert.code != "1222" {
                    self.ledger.note(&alert.code, "Alert", code);
                }
                let mut status = self.status(command, code);
                status.items = items;
                let verdict = match code {
                    StatusCode::OK => Verdict::Done,
                    StatusCode::NOT_MODIFIED | StatusCode::CANCELLED_BY_USER | StatusCode::REQUEST_TIMEOUT => {
                        Verdict::Refused
                    }
                    _ => Verdict::Failed,
                };
                Outcome { answers: vec![Command::Status(status)], verdict }
            }
            Command::Unsupported { .. } => self.answer(command, StatusCode::NOT_SUPPORTED),
            // Never answered.
            Command::Status(_) | Command::Results(_) => Outcome { answers: Vec::new(), verdict: Verdict::Done },
        }
    }

    fn exec(&mut self, command: &Command, exec: &Exec) -> Outcome {
        if exec.items.len() > 1 {
            return self.refused(command, StatusCode::COMMAND_FAILED);
        }
        self.each_item(command, &exec.items, |this, _, path| {
            let uri = this.address(path)?;
            this.tree.exec(&this.server, &uri)?;
            let Some((_, outcome)) = this.execs.iter().find(|(at, _)| *at == uri.path()) else {
                return Ok(StatusCode::OK);
            };
            if outcome.status.is_success() {
                this.carry_out(outcome, exec.correlator.as_deref());
            }
            Ok(outcome.status)
        })
    }

    fn carry_out(&mut self, outcome: &ExecOutcome, correlator: Option<&str>) {
        for (path, value) in &outcome.sets {
            self.tree.set_text(path, value);
        }
        for (from, to) in &outcome.copies {
            let value = self.tree.text(from).filter(|it| !it.is_empty()).map(str::to_owned);
            if let Some(value) = value {
                self.tree.set_text(to, &value);
            }
        }
        if let Some((told, event)) = &outcome.event {
            let mut event = event.clone();
            event.correlator = correlator.map(str::to_owned);
            self.events.push((*told, event));
        }
    }

    /// Runs `act` for each item that is not made to fail and answers item by item.
    fn each_item(
        &mut self,
        command: &Command,
        items: &[Item],
        mut act: impl FnMut(&mut Self, &Item, &str) -> Result<StatusCode, NotDone>,
    ) -> Outcome {
        if items.is_empty() {
            return self.answer(command, StatusCode::INCOMPLETE);
        }
        let mut outcome = Outcome { answers: Vec::new(), verdict: Verdict::Done };
        for item in items {
            let path = target(item);
            let done = match self.faults.failure_on(path) {
                _ if path.is_empty() => Err(StatusCode::INCOMPLETE.into()),
                // A piece stands alone in its command, and that in no container: taken for the whole it would be lost.
                _ if item.more_data => Err(StatusCode::INCOMPLETE.into()),
                Some(code) => Ok(code),
                None => act(self, item, path),
            };
            let (code, node) = match done {
                Ok(code) | Err(NotDone::Status(code)) => (code, None),
                Err(NotDone::Refusal(refusal)) => (refusal.status(), refusal.node().map(ToString::to_string)),
            };
            self.ledger.note(path, command.name(), code);
            if !code.is_success() {
                outcome.verdict = Verdict::Failed;
            }
            let mut status = self.status(command, code);
            status.target_refs = vec![path.into()];
            if let Command::Write(write) = command
                && write.kind == WriteKind::Copy
            {
                status.source_refs = item.source.iter().map(|it| it.uri.clone()).collect();
            }
            // The node that stopped an implicit Add, or the one of a whole tree that failed.
            status.items =
                node.map(|node| Item { target: Some(Address::new(node)), ..Item::default() }).into_iter().collect();
            outcome.answers.push(Command::Status(status));
        }
        outcome
    }

    fn address(&self, path: &str) -> Result<LocUri, NotDone> {
        Ok(LocUri::parse_within(path, &self.tree.limits().uri)?)
    }

    /// Does something to the tree as the server.
    fn act<T>(&mut self, act: impl FnOnce(&mut Tree, &Actor<'_>) -> T) -> T {
        act(self.tree, &Actor { server: &self.server, now: self.now })
    }

    fn refused(&self, command: &Command, code: StatusCode) -> Outcome {
        Outcome { answers: self.refuse(command, code), verdict: Verdict::Failed }
    }

    fn answer(&self, command: &Command, code: StatusCode) -> Outcome {
        let mut outcome = self.refused(command, code);
        if code.is_success() {
            outcome.verdict = Verdict::Done;
        }
        outcome
    }

    fn refuse_into(&self, command: &Command, code: StatusCode, depth: usize, answers: &mut Vec<Command>) {
        if matches!(command, Command::Status(_) | Command::Results(_)) {
            return;
        }
        answers.push(Command::Status(self.status(command, code)));
        if let Command::Nested(nested) = command
            && depth < NESTING_MAX
        {
            for member in &nested.commands {
                self.refuse_into(member, code, depth + 1, answers);
            }
        }
    }

    fn status(&self, command: &Command, code: StatusCode) -> Status {
        Status {
            msg_ref: self.msg_ref.clone(),
            cmd_ref: command.cmd_id().clone(),
            cmd: command.name().into(),
            code,
            ..Status::default()
        }
    }
}

/// Address an item is about, empty where the server left it out.
pub(super) fn target(item: &Item) -> &str {
    item.target.as_ref().map_or("", |it| it.uri.as_str())
}

/// Whether a node is the Inbox, or would be in it.
fn is_inbox(uri: &LocUri) -> bool {
    uri.path().strip_prefix(INBOX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
