//! What waits to be sent, cut into messages that the server takes.
//!
//! Source: OMA DM 1.2 Protocol, "Multiple messages in package" and "Large object handling".

use std::collections::VecDeque;

use muster_protocol::syncml::{Alert, Command, Item, ItemData};

/// The smallest piece of a large object worth sending, in octets: a message limit below that is not kept.
const CHUNK_BYTES_MIN: usize = 32;

/// Commands in order of sending, their `CmdID`s not yet given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outbox {
    waiting: VecDeque<Waiting>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    command: Command,
    /// What is left of an object whose first piece has been sent.
    is_rest: bool,
}

impl Outbox {
    pub(super) fn push(&mut self, command: Command) {
        self.waiting.push_back(Waiting { command, is_rest: false });
    }

    /// Puts back what was sent in vain, to go out first.
    pub(super) fn unsend(&mut self, commands: Vec<Command>) {
        for command in commands.into_iter().rev() {
            self.waiting.push_front(Waiting { command, is_rest: false });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets what is left of an object whose first pieces have been sent.
    pub(super) fn drop_rest(&mut self) {
        self.waiting.retain(|it| !it.is_rest);
    }

    /// Takes as many commands as fit into `room`, at least one: what cannot be cut goes out alone, whatever its size,
    /// since the session could not go on otherwise. A piece of a large object is the last of its message.
    pub(super) fn pack(&mut self, room: &Room, size: impl Fn(&Command) -> usize) -> Vec<Command> {
        let mut packed = Vec::new();
        let mut left = room.octets;
        while packed.len() < room.commands
            && let Some(waiting) = self.waiting.pop_front()
        {
            let needed = size(&waiting.command);
            if needed <= left {
                left -= needed;
                let is_piece = has_more_data(&waiting.command);
                packed.push(waiting.command);
                if is_piece {
                    break;
                }
                continue;
            }
            // A large object begins in a message of its own, where the whole room is its.
            if !packed.is_empty() {
                self.waiting.push_front(waiting);
                break;
            }
            if let Some(parts) = by_item(&waiting.command) {
                self.unsend(parts);
                continue;
            }
            match room.cuts.then(|| cut(&waiting, room.octets, &size)).flatten() {
                Some((piece, rest)) => {
                    self.waiting.push_front(Waiting { command: rest, is_rest: true });
                    packed.push(piece);
                }
                None => packed.push(waiting.command),
            }
            break;
        }
        packed
    }
}

/// What a message may hold.
pub(super) struct Room {
    /// Octets of all commands.
    pub(super) octets: usize,
    /// How many.
    pub(super) commands: usize,
    /// Whether large objects may be sent in pieces.
    pub(super) cuts: bool,
}

/// The one Item of what a device may send in pieces: Results, or an event.
fn carried(command: &Command) -> Option<&Item> {
    let items = match command {
        Command::Results(results) => &results.items,
        Command::Alert(alert) if matches!(alert.code.as_str(), "1224" | "1226") => &alert.items,
        _ => return None,
    };
    match items.as_slice() {
        [item] => Some(item),
        _ => None,
    }
}

pub(super) fn has_more_data(command: &Command) -> bool {
    carried(command).is_some_and(|item| item.more_data)
}

/// An alert of several events as alerts of one each, which says the same.
fn by_item(command: &Command) -> Option<Vec<Command>> {
    let Command::Alert(alert) = command else { return None };
    let part = |item: &Item| Command::Alert(Alert { items: vec![item.clone()], ..alert.clone() });
    (alert.items.len() > 1).then(|| alert.items.iter().map(part).collect())
}

/// Cuts one large value into a piece that fits and the rest. Nothing for what cannot be cut.
fn cut(waiting: &Waiting, room: usize, size: &impl Fn(&Command) -> usize) -> Option<(Command, Command)> {
    let Item { data: Some(data), more_data: false, .. } = carried(&waiting.command)? else {
        return None;
    };
    let total = data.as_bytes().len();
    // The whole does not fit, so at least one octet stays behind: mark-up can make a short value long.
    let mut length = total.checked_sub(1)?.min(room.max(CHUNK_BYTES_MIN));
    loop {
        let (head, tail) = split(data, length);
        if head.as_bytes().is_empty() || tail.as_bytes().is_empty() {
            return None;
        }
        // Only the first piece says how large the whole is.
        let piece = with_data(&waiting.command, &head, (!waiting.is_rest).then_some(total as u64), true);
        if length <= CHUNK_BYTES_MIN || size(&piece) <= room {
            return Some((piece, with_data(&waiting.command, &tail, None, false)));
        }
        length = (length / 4 * 3).max(CHUNK_BYTES_MIN);
    }
}

fn with_data(command: &Command, data: &ItemData, size: Option<u64>, more_data: bool) -> Command {
    let mut command = command.clone();
    let items = match &mut command {
        Command::Results(results) => &mut results.items,
        Command::Alert(alert) => &mut alert.items,
        _ => return command,
    };
    for item in items {
        item.meta.size = size;
        item.data = Some(data.clone());
        item.more_data = more_data;
    }
    command
}

/// Splits at `length` octets or just before, where a character begins.
fn split(data: &ItemData, length: usize) -> (ItemData, ItemData) {
    match data {
        ItemData::Text(text) => {
            let at = (0..=length.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (head, tail) = text.split_at(at);
            (head.into(), tail.into())
        }
        ItemData::Opaque(octets) => {
            let (head, tail) = octets.split_at(length.min(octets.len()));
            (ItemData::Opaque(head.to_vec()), ItemData::Opaque(tail.to_vec()))
        }
    }
}
