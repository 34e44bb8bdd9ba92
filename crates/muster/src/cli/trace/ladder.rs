//! A message in one line.

use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, Item, Message as SyncMl, Status};

use super::fetch::Message;
use crate::show::short;

/// Widest line.
const WIDTH: usize = 96;

/// What a message says, in one line: its status for the header first, then other statuses by their number, then
/// commands.
pub(super) fn line(message: &Message) -> String {
    let said = match SyncMl::decode(message.encoding, &message.octets, &Limits::DEVICE) {
        Ok(said) => said,
        // Then its note says why.
        Err(error) if message.note.is_none() => return short(&error.to_string(), WIDTH),
        Err(_) => return format!("unreadable, {} octets", message.length),
    };
    let mut words = Vec::new();
    let mut statuses: Vec<(String, usize)> = Vec::new();
    for command in &said.commands {
        match command {
            Command::Status(status) if status.cmd == "SyncHdr" => words.insert(0, header(status)),
            Command::Status(status) => {
                let text = format!("{} {}", status.code.0, status.cmd);
                match statuses.iter_mut().find(|(known, _)| *known == text) {
                    Some((_, count)) => *count += 1,
                    None => statuses.push((text, 1)),
                }
            }
            _ => {}
        }
    }
    words.extend(statuses.into_iter().map(|(text, count)| times(text, count)));
    words.extend(commands(said.commands.iter().filter(|it| !matches!(it, Command::Status(_)))));
    if said.header.cred.is_some() {
        words.push("Cred".to_owned());
    }
    if !said.is_final {
        words.push("to be continued".to_owned());
    }
    if words.is_empty() {
        words.push("nothing".to_owned());
    }
    short(&words.join(", "), WIDTH)
}

fn header(status: &Status) -> String {
    let kind = status.chal.as_ref().map(|chal| chal.meta.kind.as_deref().unwrap_or("unknown"));
    let chal = kind.map(|kind| format!(" Chal {}", kind.trim_start_matches("syncml:auth-")));
    format!("{}{}", status.code.0, chal.unwrap_or_default())
}

/// Commands with the first node that they name; those of one name are told together.
fn commands<'c>(all: impl Iterator<Item = &'c Command>) -> Vec<String> {
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for command in all {
        let (name, nodes) = match command {
            Command::Alert(alert) => {
                let kind = alert.items.iter().find_map(|item| item.meta.kind.as_deref());
                let name = format!("Alert {}{}", alert.code, kind.map(|kind| format!(" {kind}")).unwrap_or_default());
                (name, Vec::new())
            }
            Command::Write(it) => (it.kind.name().to_owned(), nodes(&it.items)),
            Command::Get(it) => ("Get".to_owned(), nodes(&it.items)),
            Command::Exec(it) => ("Exec".to_owned(), nodes(&it.items)),
            Command::Results(it) => ("Results".to_owned(), nodes(&it.items)),
            Command::Nested(it) => {
                (format!("{}({})", it.kind.name(), commands(it.commands.iter()).join(", ")), Vec::new())
            }
            Command::Status(_) | Command::Unsupported { .. } => (command.name().to_owned(), Vec::new()),
        };
        match told.iter_mut().find(|(known, of)| *known == name && !of.is_empty()) {
            Some((_, known)) => known.extend(nodes),
            None => told.push((name, nodes)),
        }
    }
    told.into_iter().map(|(name, nodes)| with_nodes(name, &nodes)).collect()
}

fn nodes(items: &[Item]) -> Vec<String> {
    items.iter().filter_map(|item| item.target.as_ref().or(item.source.as_ref())).map(|it| it.uri.to_string()).collect()
}

/// Of DevInfo, which every package 1 brings, the name alone.
fn with_nodes(name: String, nodes: &[String]) -> String {
    match nodes {
        [] => name,
        [one] => format!("{name} {one}"),
        all if all.iter().all(|uri| uri.trim_start_matches("./").starts_with("DevInfo/")) => format!("{name} DevInfo"),
        [first, more @ ..] => format!("{name} {first} and {} more", more.len()),
    }
}

fn times(text: String, count: usize) -> String {
    if count == 1 { text } else { format!("{text} ({count} times)") }
}
