//! Objects that arrive in pieces.
//!
//! Source: OMA DM 1.2 Protocol, "Large object handling".

use muster_protocol::syncml::{Address, Alert, Command, Item, ItemData, StatusCode, Text, WriteKind};

use super::execute::target;

/// The pieces received so far of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    kind: Kind,
    path: String,
    total: Option<u64>,
    octets: Vec<u8>,
}

/// The commands that carry an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Write(WriteKind),
    Exec,
}

/// What a device takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Octets of the largest object, in the form in which it travels; nothing if none is taken in pieces.
    pub(super) object_bytes_max: Option<u64>,
}

/// What a command of the server means while large objects are possible.
pub(super) enum Piece {
    /// Nothing to do with pieces: carry it out.
    Whole,
    /// Kept; answer with this status.
    Kept(StatusCode),
    /// The last piece: carry out this instead.
    Last(Box<Command>),
    /// The pieces do not make up the object; answer with this status.
    Broken(StatusCode),
}

impl Incoming {
    /// Takes a command that may be a piece. `incoming` is the object under way, if there is one.
    pub(super) fn take(incoming: &mut Option<Self>, command: &Command, room: Room) -> Piece {
        let Some((kind, item, size)) = carrier(command) else {
            return Piece::Whole;
        };
        let begun = incoming.take();
        if begun.is_none() && !item.more_data {
            return match (item.meta.size.or(size), &item.data, room.object_bytes_max) {
                (Some(size), _, Some(max)) if size > max => Piece::Broken(StatusCode::RANGE_TOO_BIG),
                (_, Some(data), Some(max)) if data.as_bytes().len() as u64 > max => {
                    Piece::Broken(StatusCode::TOO_LARGE)
                }
                _ => Piece::Whole,
            };
        }
        let Some(max) = room.object_bytes_max else {
            return Piece::Broken(StatusCode::NOT_SUPPORTED);
        };
        let begun = match begun {
            Some(begun) => begun,
            None => {
                let total = item.meta.size.or(size);
                if total.is_some_and(|total| total > max) {
                    return Piece::Broken(StatusCode::RANGE_TOO_BIG);
                }
                Self { kind, path: target(item).to_owned(), total, octets: Vec::new() }
            }
        };
        begun.append(incoming, command, item, max)
    }

    /// Whether `command` goes on with the object.
    pub(super) fn continues(&self, command: &Command) -> bool {
        carrier(command).is_some_and(|(kind, item, _)| kind == self.kind && target(item) == self.path)
    }

    /// Alert 1225, for an object that was left unfinished.
    pub(super) fn abandoned(&self) -> Command {
        Command::Alert(Alert {
            cmd_id: Text::default(),
            code: "1225".into(),
            correlator: None,
            items: vec![Item { target: Some(Address::new(self.path.as_str())), ..Item::default() }],
        })
    }

    fn append(mut self, incoming: &mut Option<Self>, command: &Command, item: &Item, max: u64) -> Piece {
        self.octets.extend_from_slice(item.data.as_ref().map_or(&[][..], |data| data.as_bytes()));
        let length = self.octets.len() as u64;
        if length > max {
            return Piece::Broken(StatusCode::TOO_LARGE);
        }
        if item.more_data {
            *incoming = Some(self);
            return Piece::Kept(StatusCode::CHUNK_BUFFERED);
        }
        if self.total.is_some_and(|total| total != length) {
            return Piece::Broken(StatusCode::SIZE_MISMATCH);
        }
        let data = match String::from_utf8(self.octets) {
            Ok(text) => ItemData::Text(text.into()),
            Err(octets) => ItemData::Opaque(octets.into_bytes()),
        };
        let mut whole = command.clone();
        let items = match &mut whole {
            Command::Write(write) => &mut write.items,
            Command::Exec(exec) => &mut exec.items,
            _ => return Piece::Whole,
        };
        items.iter_mut().for_each(|it| it.data = Some(data.clone()));
        Piece::Last(Box::new(whole))
    }
}

/// The one Item of a command that may carry an object, and the `Size` beside it.
fn carrier(command: &Command) -> Option<(Kind, &Item, Option<u64>)> {
    let (kind, items, meta) = match command {
        Command::Write(write) => (Kind::Write(write.kind), &write.items, &write.meta),
        Command::Exec(exec) => (Kind::Exec, &exec.items, &exec.meta),
        _ => return None,
    };
    match items.as_slice() {
        [item] => Some((kind, item, meta.size)),
        _ => None,
    }
}
