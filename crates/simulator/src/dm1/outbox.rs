//! What waits to be sent, cut into messages that the server takes.
//!
//! Source: OMA DM 1.2 Protocol, "Multiple messages in package" and "Large object handling".

use std::collections::VecDeque;

use muster_protocol::syncml::{Command, Item, ItemData, Results};

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
    /// What is left of Results whose first piece has been sent.
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

    /// Takes as many commands as fit into `room` octets, at least one: what cannot be cut goes out alone, whatever
    /// its size, since the session could not go on otherwise. A piece of a large object is the last of its message.
    pub(super) fn pack(&mut self, room: usize, size: impl Fn(&Command) -> usize) -> Vec<Command> {
        let mut packed = Vec::new();
        let mut left = room;
        while let Some(waiting) = self.waiting.pop_front() {
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
            match cut(&waiting, room, &size) {
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

fn has_more_data(command: &Command) -> bool {
    matches!(command, Command::Results(results) if results.items.iter().any(|item| item.more_data))
}

/// Cuts Results of one large value into a piece that fits and the rest. Nothing for what cannot be cut.
fn cut(waiting: &Waiting, room: usize, size: &impl Fn(&Command) -> usize) -> Option<(Command, Command)> {
    let Command::Results(results) = &waiting.command else {
        return None;
    };
    let [Item { data: Some(data), more_data: false, .. }] = results.items.as_slice() else {
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
        let piece = with_data(results, &head, (!waiting.is_rest).then_some(total as u64), true);
        if length <= CHUNK_BYTES_MIN || size(&piece) <= room {
            return Some((piece, with_data(results, &tail, None, false)));
        }
        length = (length / 4 * 3).max(CHUNK_BYTES_MIN);
    }
}

fn with_data(results: &Results, data: &ItemData, size: Option<u64>, more_data: bool) -> Command {
    let items = results.items.iter().map(|item| {
        let mut meta = item.meta.clone();
        meta.size = size;
        Item { meta, data: Some(data.clone()), more_data, ..item.clone() }
    });
    Command::Results(Results { items: items.collect(), ..results.clone() })
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
