//! Matches commands with what answers them.

use std::collections::BTreeMap;

use super::facts::{Answer, Facts, Mark};
use super::{Keys, Node, Note, Tone, credential, names};

/// Answers told beside one command; a Get of many nodes has one for each.
const ANSWERS_TOLD_MAX: usize = 3;

/// Which answer is about which command.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// By the row of the answer.
    command_of: Vec<Option<usize>>,
    /// Rows of statuses by the row of the command.
    statuses_of: BTreeMap<usize, Vec<usize>>,
}

impl Matches {
    pub(super) fn of(facts: &Facts) -> Self {
        let mut numbered: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (row, command) in facts.commands.iter().enumerate() {
            if let Some(message) = facts.messages.get(command.message) {
                numbered.entry((&message.msg_id, &command.cmd_id)).or_default().push(row);
            }
        }
        let mut matches = Self::default();
        for (row, answer) in facts.answers.iter().enumerate() {
            let candidates = numbered.get(&(answer.msg_ref.as_str(), answer.cmd_ref.as_str()));
            let command = candidates.and_then(|rows| command_of(answer, facts, rows));
            matches.command_of.push(command);
            if let Some(command) = command.filter(|_| answer.code.is_some()) {
                matches.statuses_of.entry(command).or_default().push(row);
            }
        }
        matches
    }
}

/// Candidates looked at for one answer: messages of as many sessions have the same numbers.
const CANDIDATES_MAX: usize = 1_000;

/// The command that `answer` is about: of the same session, of the other side. If a message was sent more than once, the
/// last one before the answer.
fn command_of(answer: &Answer, facts: &Facts, candidates: &[usize]) -> Option<usize> {
    let own = facts.messages.get(answer.message)?;
    let message_of = |row: &usize| facts.commands.get(*row).map(|it| it.message);
    let fits = |row: &&usize| {
        let Some((at, message)) = message_of(row).and_then(|at| Some((at, facts.messages.get(at)?))) else {
            return false;
        };
        message.session_id.eq_ignore_ascii_case(&own.session_id)
            && at != answer.message
            && (message.sender.is_empty() || message.sender != own.sender)
    };
    let split = candidates.partition_point(|row| message_of(row).is_some_and(|at| at < answer.message));
    let (before, behind) = candidates.split_at_checked(split)?;
    let before = before.iter().rev().take(CANDIDATES_MAX).find(fits);
    before.or_else(|| behind.iter().take(CANDIDATES_MAX).find(fits)).copied()
}

/// Adds what is known now that all is read.
pub(super) fn resolve(parts: &mut [Node], facts: &Facts, matches: &Matches, keys: &Keys) {
    let mut visit = |node: &mut Node| match node.mark {
        Some(Mark::Command(command)) => answered(node, command, facts, matches),
        Some(Mark::Answer(answer)) => answers(node, answer, facts, matches),
        Some(Mark::Credential(row)) => credential::check(node, row, facts, keys),
        Some(Mark::Mac(row)) => credential::check_mac(node, row, facts, keys),
        Some(Mark::Digest(row)) => credential::check_digest(node, row, facts, keys),
        None => {}
    };
    for part in parts {
        part.each(&mut visit);
    }
}

fn answered(node: &mut Node, command: usize, facts: &Facts, matches: &Matches) {
    let Some(rows) = matches.statuses_of.get(&command) else { return };
    let title = facts.commands.get(command).map_or("", |it| it.title.as_str());
    for answer in rows.iter().take(ANSWERS_TOLD_MAX).filter_map(|row| facts.answers.get(*row)) {
        let code = answer.code.as_deref().unwrap_or_default();
        let (tone, name) = names::status_of(title, code);
        let about =
            if rows.len() > 1 && !answer.about.is_empty() { format!(" for {}", answer.about) } else { String::new() };
        let note = Note { tone, text: format!("answered {code} {name}{about}") };
        // A message that is in the input twice says everything twice.
        if !node.notes.contains(&note) {
            node.notes.push(note);
        }
    }
    if rows.len() > ANSWERS_TOLD_MAX {
        node.note(Tone::Plain, format!("and {} more answers", rows.len() - ANSWERS_TOLD_MAX));
    }
}

fn answers(node: &mut Node, answer: usize, facts: &Facts, matches: &Matches) {
    let found = matches.command_of.get(answer).copied().flatten();
    let command = found.and_then(|row| facts.commands.get(row));
    let Some(answer) = facts.answers.get(answer) else { return };
    if let Some(code) = &answer.code {
        let title = command.map_or("", |it| it.title.as_str());
        let (tone, name) = names::status_of(title, code);
        node.note(tone, format!("{code} {name}"));
    }
    if let Some(command) = command {
        let number = if command.cmd_id == "0" { String::new() } else { format!(", command {}", command.cmd_id) };
        node.note(Tone::Plain, format!("for {} of message {}{number}", command.title, answer.msg_ref));
    }
    if let Some(command) = answer.command {
        answered(node, command, facts, matches);
    }
}
