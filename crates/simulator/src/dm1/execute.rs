//! Carries out the commands of a server and makes the answers.
//!
//! Source: OMA DM 1.2 Representation Protocol usage; OMA DM 1.2 Protocol, "Status" and "Atomic".

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use muster_protocol::syncml::{
    Address, Command, Encoding, Exec, Get, Item, ItemData, Meta, Nested, NestedKind, Results, Status, StatusCode, Text,
    Write, WriteKind,
};

use super::event::{Event, ExecOutcome, Told};
use super::interaction;
use super::ledger::Ledger;
use crate::behaviour::Faults;
use crate::tree::{Content, Leaf, Refusal, Tree, VALUE_BYTES_MAX};

/// Containers inside one another; deeper ones are refused, so that no message can exhaust the stack.
const NESTING_MAX: usize = 8;

/// What commands act on, borrowed from the device for one message.
pub(super) struct Executor<'a> {
    pub(super) tree: &'a mut Tree,
    pub(super) ledger: &'a mut Ledger,
    pub(super) faults: &'a Faults,
    pub(super) execs: &'a [(String, ExecOutcome)],
    pub(super) encoding: Encoding,
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
            Command::Nested(nested) if depth >= NESTING_MAX => self.refused(command, StatusCode::COMMAND_FAILED),
            Command::Nested(nested) => match nested.kind {
                NestedKind::Atomic => self.atomic(command, nested),
                NestedKind::Sequence => self.sequence(command, nested, depth),
            },
            Command::Alert(alert) => {
                let (code, items) = interaction::answer(alert, self.faults.user);
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

    fn write(&mut self, command: &Command, write: &Write) -> Outcome {
        self.each_item(command, &write.items, |this, item| {
            let path = target(item);
            let result = this.write_item(write, item, path);
            match result {
                Ok(()) => StatusCode::OK,
                Err(code) => code,
            }
        })
    }

    fn write_item(&mut self, write: &Write, item: &Item, path: &str) -> Result<(), StatusCode> {
        let refused = |refusal: Refusal| refusal.status();
        match write.kind {
            WriteKind::Delete => self.tree.delete(path).map_err(refused),
            WriteKind::Copy => {
                let from = item.source.as_ref().ok_or(StatusCode::INCOMPLETE)?;
                self.tree.copy(&from.uri, path).map_err(refused)
            }
            WriteKind::Add => {
                let content = content(&write.meta, item)?;
                self.tree.add(path, content).map_err(refused)
            }
            WriteKind::Replace => match content(&write.meta, item)? {
                Content::Leaf(leaf) => self.tree.replace(path, leaf).map_err(refused),
                Content::Interior { .. } => Err(StatusCode::NOT_ALLOWED),
            },
        }
    }

    fn get(&mut self, command: &Command, get: &Get) -> Outcome {
        let mut results = Vec::new();
        let mut outcome = self.each_item(command, &get.items, |this, item| {
            let path = target(item);
            match this.read(path) {
                Ok((meta, data)) => {
                    results.push(Command::Results(Results {
                        msg_ref: Some(this.msg_ref.clone()),
                        cmd_ref: get.cmd_id.clone(),
                        items: vec![Item {
                            source: Some(Address::new(path)),
                            meta,
                            data: Some(data),
                            ..Item::default()
                        }],
                        ..Results::default()
                    }));
                    StatusCode::OK
                }
                Err(refusal) => refusal.status(),
            }
        });
        outcome.answers.append(&mut results);
        outcome
    }

    fn read(&self, path: &str) -> Result<(Meta, ItemData), Refusal> {
        let (format, mime, data) = match self.tree.get(path)? {
            Content::Interior { object } => {
                let names = self.tree.children(path).join("/");
                (Text::from("node"), object.clone(), ItemData::Text(names.into()))
            }
            Content::Leaf(leaf) => {
                let (format, data) = carried(leaf, self.encoding);
                (format, leaf.mime.clone(), data)
            }
        };
        let meta =
            Meta { format: Some(format), kind: Some(mime.unwrap_or_else(|| "text/plain".into())), ..Meta::default() };
        Ok((meta, data))
    }

    fn exec(&mut self, command: &Command, exec: &Exec) -> Outcome {
        if exec.items.len() > 1 {
            return self.refused(command, StatusCode::COMMAND_FAILED);
        }
        self.each_item(command, &exec.items, |this, item| {
            let path = target(item);
            if let Err(refusal) = this.tree.exec(path) {
                return refusal.status();
            }
            let Some((_, outcome)) = this.execs.iter().find(|(at, _)| at == path) else {
                return StatusCode::OK;
            };
            if outcome.status.is_success() {
                this.carry_out(outcome, exec.correlator.as_deref());
            }
            outcome.status
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

    /// All or nothing: what was done before the first failure is undone.
    fn atomic(&mut self, command: &Command, nested: &Nested) -> Outcome {
        let before = (self.tree.clone(), self.ledger.clone());
        let mut done: Vec<(&Command, Outcome)> = Vec::new();
        let mut failed = false;
        for member in &nested.commands {
            let outcome = match member {
                _ if failed => self.answer(member, StatusCode::NOT_EXECUTED),
                Command::Write(_) | Command::Alert(_) => self.step(member, NESTING_MAX),
                _ => self.refused(member, StatusCode::COMMAND_FAILED),
            };
            failed |= outcome.verdict != Verdict::Done;
            done.push((member, outcome));
        }
        if !failed {
            let answers = done.into_iter().flat_map(|(_, outcome)| outcome.answers);
            let status = Command::Status(self.status(command, StatusCode::OK));
            return Outcome { answers: std::iter::once(status).chain(answers).collect(), verdict: Verdict::Done };
        }
        *self.tree = before.0;
        *self.ledger = before.1;
        let mut answers = vec![Command::Status(self.status(command, StatusCode::ATOMIC_FAILED))];
        for (member, outcome) in done {
            if outcome.verdict == Verdict::Done {
                answers.extend(self.answer(member, StatusCode::ROLLED_BACK).answers);
            } else {
                answers.extend(outcome.answers);
            }
        }
        for status in answers.iter().filter_map(|it| if let Command::Status(it) = it { Some(it) } else { None }) {
            let path = status.target_refs.first().map_or("", |it| it.as_str());
            self.ledger.note(path, &status.cmd, status.code);
        }
        Outcome { answers, verdict: Verdict::Failed }
    }

    /// One after the other; after a no of the user the rest is not executed.
    fn sequence(&mut self, command: &Command, nested: &Nested, depth: usize) -> Outcome {
        let mut answers = vec![Command::Status(self.status(command, StatusCode::OK))];
        let mut stopped = false;
        for member in &nested.commands {
            if stopped {
                self.refuse_into(member, StatusCode::NOT_EXECUTED, depth, &mut answers);
                continue;
            }
            let outcome = self.step(member, depth + 1);
            stopped = outcome.verdict == Verdict::Refused;
            answers.extend(outcome.answers);
        }
        Outcome { answers, verdict: Verdict::Done }
    }

    /// Runs `act` for each item that is not made to fail and answers item by item.
    fn each_item(
        &mut self,
        command: &Command,
        items: &[Item],
        mut act: impl FnMut(&mut Self, &Item) -> StatusCode,
    ) -> Outcome {
        if items.is_empty() {
            return self.answer(command, StatusCode::INCOMPLETE);
        }
        let mut outcome = Outcome { answers: Vec::new(), verdict: Verdict::Done };
        for item in items {
            let path = target(item);
            let code = match self.faults.failure_on(path) {
                _ if path.is_empty() => StatusCode::INCOMPLETE,
                Some(code) => code,
                None => act(self, item),
            };
            self.ledger.note(path, command.name(), code);
            if !code.is_success() {
                outcome.verdict = Verdict::Failed;
            }
            let mut status = self.status(command, code);
            status.target_refs = vec![path.into()];
            outcome.answers.push(Command::Status(status));
        }
        outcome
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

/// What an Add or Replace puts into the node. The item's Meta goes before the command's.
fn content(command: &Meta, item: &Item) -> Result<Content, StatusCode> {
    let format = item.meta.format.as_ref().or(command.format.as_ref());
    let kind = item.meta.kind.as_ref().or(command.kind.as_ref());
    let format = format.map_or("chr", |it| it.as_str());
    if kind.is_some_and(|it| it.starts_with("application/vnd.syncml.dmtnds")) {
        return Err(StatusCode::UNSUPPORTED_FORMAT);
    }
    if format == "node" {
        return Ok(Content::Interior { object: kind.cloned() });
    }
    let octets = match (&item.data, format) {
        (Some(data), _) => data.as_bytes(),
        (None, "null") => &[],
        (None, _) => return Err(StatusCode::INCOMPLETE),
    };
    if octets.len() / 4 * 3 > VALUE_BYTES_MAX {
        return Err(StatusCode::TOO_LARGE);
    }
    let (format, value) = match format {
        "b64" => {
            let text: Vec<u8> = octets.iter().copied().filter(|it| !it.is_ascii_whitespace()).collect();
            ("bin", BASE64.decode(text).map_err(|_| StatusCode::UNSUPPORTED_FORMAT)?)
        }
        other => (other, octets.to_vec()),
    };
    let mime = kind.filter(|it| it.as_str() != "text/plain").cloned();
    Ok(Content::Leaf(Leaf { format: format.into(), mime, value }))
}

/// How a value travels: octets as base64 in XML, as they are in WBXML.
fn carried(leaf: &Leaf, encoding: Encoding) -> (Text, ItemData) {
    match (std::str::from_utf8(&leaf.value), encoding) {
        (_, Encoding::Xml) if leaf.format == "bin" => ("b64".into(), ItemData::Text(BASE64.encode(&leaf.value).into())),
        (_, Encoding::Wbxml) if leaf.format == "bin" => ("bin".into(), ItemData::Opaque(leaf.value.clone())),
        (Ok(text), _) => (leaf.format.clone(), text.into()),
        (Err(_), _) => ("b64".into(), ItemData::Text(BASE64.encode(&leaf.value).into())),
    }
}
