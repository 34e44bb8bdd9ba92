//! Objects that arrive in pieces.
//!
//! Source: OMA DM 1.2 Protocol, "Large object handling".

use muster_protocol::syncml::{Address, Alert, Command, Item, ItemData, StatusCode, Text, Write, WriteKind};

use super::execute::target;
use crate::tree::VALUE_BYTES_MAX;

/// The pieces received so far of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    kind: WriteKind,
    path: String,
    total: Option<u64>,
    octets: Vec<u8>,
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
    pub(super) fn take(incoming: &mut Option<Self>, command: &Command) -> Piece {
        let Command::Write(write) = command else {
            return Piece::Whole;
        };
        let [item] = write.items.as_slice() else {
            return Piece::Whole;
        };
        match incoming.take() {
            None if !item.more_data => Piece::Whole,
            None => {
                let total = item.meta.size.or(write.meta.size);
                let path = target(item).to_owned();
                let begun = Self { kind: write.kind, path, total, octets: Vec::new() };
                begun.append(incoming, write, item)
            }
            Some(begun) => begun.append(incoming, write, item),
        }
    }

    /// Whether `command` goes on with the object.
    pub(super) fn continues(&self, command: &Command) -> bool {
        matches!(command, Command::Write(write) if write.kind == self.kind
            && matches!(write.items.as_slice(), [item] if target(item) == self.path))
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

    fn append(mut self, incoming: &mut Option<Self>, write: &Write, item: &Item) -> Piece {
        self.octets.extend_from_slice(item.data.as_ref().map_or(&[][..], |data| data.as_bytes()));
        // A third more for base64.
        if self.octets.len() > VALUE_BYTES_MAX / 3 * 4 {
            return Piece::Broken(StatusCode::TOO_LARGE);
        }
        if item.more_data {
            *incoming = Some(self);
            return Piece::Kept(StatusCode::CHUNK_BUFFERED);
        }
        if self.total.is_some_and(|total| total != self.octets.len() as u64) {
            return Piece::Broken(StatusCode::SIZE_MISMATCH);
        }
        let data = match String::from_utf8(self.octets) {
            Ok(text) => ItemData::Text(text.into()),
            Err(octets) => ItemData::Opaque(octets.into_bytes()),
        };
        let whole = Item { data: Some(data), ..item.clone() };
        Piece::Last(Box::new(Command::Write(Write { items: vec![whole], ..write.clone() })))
    }
}
