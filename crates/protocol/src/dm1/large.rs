//! Large objects of the device: values that come in parts, one part in each of consecutive messages.
//!
//! Source: OMA DM Protocol 1.2, "Large object handling"; SyncML Representation Protocol 1.2, "MoreData".

use serde::{Deserialize, Serialize};

use super::{EventKind, outcome::item_data};
use crate::syncml::{Item, ItemData, Meta, StatusCode, Text};

/// Octets taken of one object where `MaxObjSize` was not announced yet or allows more: it waits in the stored session.
pub(super) const OBJECT_BYTES_MAX: u64 = 4 << 20;

/// Where the parts of an object meet. There is one at a time, since nothing else may come between its parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Assembly {
    /// `MaxObjSize` as announced.
    max: Option<u32>,
    object: Option<Object>,
    /// The message in hand brought a part.
    fed: bool,
}

/// An object of which parts are missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Object {
    pub(super) owner: Owner,
    /// What the parts call it.
    pub(super) uri: Text,
    /// Of the first part.
    meta: Meta,
    /// Octets of the whole, as the first part said.
    size: u64,
    #[serde(with = "item_data")]
    data: Option<ItemData>,
    /// It is not taken; its other parts get the same code.
    refused: Option<StatusCode>,
}

/// What the object is part of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Owner {
    /// Results of the order with this `CmdID`.
    Results(u32),
    /// An alert with this correlator.
    Event(EventKind, Option<Text>),
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Taken {
    /// It is a whole.
    Whole,
    /// It was the last part: this is the whole.
    Completed(Box<Item>),
    /// More must come.
    Buffered,
    /// 411 no size told, 413 too large, 424 not the size told.
    Refused(StatusCode),
}

impl Assembly {
    /// Notes the `MaxObjSize` that goes out.
    pub(super) fn announce(&mut self, max_obj_size: u32) {
        self.max = Some(max_obj_size);
    }

    pub(super) fn begin_message(&mut self) {
        self.fed = false;
    }

    /// Takes an item; `command` is the Meta of the command it is in. With it comes the object that this item broke off.
    pub(super) fn take(&mut self, owner: &Owner, item: &Item, command: &Meta) -> (Taken, Option<Object>) {
        let uri = uri(item);
        let broken = self.object.take_if(|it| it.owner != *owner || it.uri != uri).filter(|it| it.refused.is_none());
        if self.object.is_none() && !item.more_data {
            return (Taken::Whole, broken);
        }
        self.fed = true;
        let mut object = match self.object.take() {
            Some(object) => object,
            None => self.begin(owner.clone(), uri, item, command),
        };
        object.append(item.data.as_ref());
        let taken = match object.refused {
            Some(code) if item.more_data => self.keep(object, Taken::Refused(code)),
            Some(code) => Taken::Refused(code),
            None if item.more_data => self.keep(object, Taken::Buffered),
            None if object.len() == object.size => Taken::Completed(Box::new(object.into_item())),
            None => Taken::Refused(StatusCode::SIZE_MISMATCH),
        };
        (taken, broken)
    }

    /// Ends a message. An object of which it brought no part although it had to is broken off and comes out.
    pub(super) fn end_message(&mut self, is_final: bool) -> Option<Object> {
        if self.fed && !is_final {
            return None;
        }
        self.object.take().filter(|it| it.refused.is_none())
    }

    /// The order whose results are on the way.
    pub(super) fn order(&self) -> Option<u32> {
        match self.object.as_ref()?.owner {
            Owner::Results(cmd) => Some(cmd),
            Owner::Event(..) => None,
        }
    }

    /// Whether parts of an object are missing.
    pub(super) fn is_waiting(&self) -> bool {
        self.object.is_some()
    }

    pub(super) fn clear(&mut self) {
        self.object = None;
    }

    fn keep(&mut self, object: Object, taken: Taken) -> Taken {
        self.object = Some(object);
        taken
    }

    fn begin(&self, owner: Owner, uri: Text, item: &Item, command: &Meta) -> Object {
        let max = self.max.map_or(OBJECT_BYTES_MAX, |it| OBJECT_BYTES_MAX.min(it.into()));
        let size = item.meta.size.or(command.size);
        let refused = match size {
            None => Some(StatusCode::SIZE_REQUIRED),
            Some(size) if size > max => Some(StatusCode::TOO_LARGE),
            Some(_) => None,
        };
        Object { owner, uri, meta: item.meta.clone(), size: size.unwrap_or_default(), data: None, refused }
    }
}

impl Object {
    fn len(&self) -> u64 {
        octets(self.data.as_ref())
    }

    /// Adds a part, unless the object is or thereby becomes longer than it said.
    fn append(&mut self, part: Option<&ItemData>) {
        if self.refused.is_some() {
            return;
        }
        if self.len().saturating_add(octets(part)) > self.size {
            self.refused = Some(StatusCode::SIZE_MISMATCH);
            self.data = None;
            return;
        }
        let Some(part) = part else { return };
        self.data = Some(match (self.data.take(), part) {
            (None, part) => part.clone(),
            (Some(ItemData::Text(mut text)), ItemData::Text(more)) => {
                text.push_str(more);
                ItemData::Text(text)
            }
            (Some(data), more) => ItemData::Opaque([data.as_bytes(), more.as_bytes()].concat()),
        });
    }

    /// The whole. A part may end inside a character, so what came as octets may be text.
    fn into_item(self) -> Item {
        let data = self.data.map(|data| match data {
            ItemData::Opaque(octets) => match String::from_utf8(octets) {
                Ok(text) => ItemData::Text(text.into()),
                Err(error) => ItemData::Opaque(error.into_bytes()),
            },
            ItemData::Text(text) => ItemData::Text(text),
        });
        let source = Some(crate::syncml::Address::new(self.uri)).filter(|it| !it.uri.is_empty());
        Item { source, meta: self.meta, data, ..Item::default() }
    }
}

fn uri(item: &Item) -> Text {
    item.source.as_ref().or(item.target.as_ref()).map(|it| it.uri.clone()).unwrap_or_default()
}

fn octets(data: Option<&ItemData>) -> u64 {
    data.map_or(0, |it| it.as_bytes().len() as u64)
}
