//! Matches commands with what answers them.

use super::facts::{Answer, Facts, Mark};
use super::{Node, Note, Tone, credential, names};
use crate::explain::Keys;

/// Answers told beside one command; a Get of many nodes has one for each.
const ANSWERS_TOLD_MAX: usize = 3;

/// Adds what is known now that all is read.
pub(super) fn resolve(parts: &mut [Node], facts: &Facts, keys: &Keys) {
    let matches: Vec<Option<usize>> = facts.answers.iter().map(|answer| command_of(answer, facts)).collect();
    let mut visit = |node: &mut Node| match node.mark {
        Some(Mark::Command(command)) => answered(node, command, facts, &matches),
        Some(Mark::Answer(answer)) => answers(node, answer, facts, &matches),
        Some(Mark::Credential(row)) => credential::check(node, row, facts, keys),
        Some(Mark::Mac(row)) => credential::check_mac(node, row, facts, keys),
        Some(Mark::Digest(row)) => credential::check_digest(node, row, facts, keys),
        None => {}
    };
    for part in parts {
        part.each(&mut visit);
    }
}

/// The command that `answer` is about: of the same session, of the other side, with these numbers. If a message was
/// sent more than once, the last one before the answer.
fn command_of(answer: &Answer, facts: &Facts) -> Option<usize> {
    let own = facts.messages.get(answer.message)?;
    let fits = |(_, command): &(usize, &super::facts::Command)| {
        let Some(message) = facts.messages.get(command.message) else { return false };
        command.cmd_id == answer.cmd_ref
            && message.msg_id == answer.msg_ref
            && message.session_id.eq_ignore_ascii_case(&own.session_id)
            && command.message != answer.message
            && (message.sender.is_empty() || message.sender != own.sender)
    };
    let found = || facts.commands.iter().enumerate().filter(fits);
    let before = found().rfind(|(_, command)| command.message < answer.message);
    before.or_else(|| found().next()).map(|(row, _)| row)
}

fn answered(node: &mut Node, command: usize, facts: &Facts, matches: &[Option<usize>]) {
    let rows =
        facts.answers.iter().zip(matches).filter(|(answer, row)| **row == Some(command) && answer.code.is_some());
    let rows: Vec<&Answer> = rows.map(|(answer, _)| answer).collect();
    for answer in rows.iter().take(ANSWERS_TOLD_MAX) {
        let code = answer.code.as_deref().unwrap_or_default();
        let title = facts.commands.get(command).map_or("", |it| it.title.as_str());
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

fn answers(node: &mut Node, answer: usize, facts: &Facts, matches: &[Option<usize>]) {
    let found = matches.get(answer).copied().flatten();
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
