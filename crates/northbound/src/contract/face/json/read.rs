//! From octets to values, within limits.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use muster_protocol::limits::Limits;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::Node;

/// Why octets are no document of JSON that is taken here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotRead {
    /// More of something than allowed.
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// Not JSON.
    Malformed(String),
}

/// What a document may still hold.
struct Room {
    values: Cell<usize>,
    exceeded: Cell<Option<(&'static str, usize)>>,
    limits: Limits,
}

/// Members of one object: more than any record of the contract has.
const MEMBERS_MAX: usize = 64;

impl Node<'_> {
    /// Reads a document.
    ///
    /// # Errors
    /// [`NotRead`].
    pub(crate) fn read<'d>(document: &'d [u8], limits: &Limits) -> Result<Node<'d>, NotRead> {
        let room = Room { values: Cell::new(limits.elements_max), exceeded: Cell::new(None), limits: *limits };
        let mut reader = serde_json::Deserializer::from_slice(document);
        let read =
            Reading { room: &room, depth: 1 }.deserialize(&mut reader).and_then(|node| reader.end().map(|()| node));
        read.map_err(|error| match room.exceeded.take() {
            Some((what, max)) => NotRead::TooLarge { what, max },
            None => NotRead::Malformed(error.to_string()),
        })
    }
}

#[derive(Clone, Copy)]
struct Reading<'r> {
    room: &'r Room,
    depth: usize,
}

impl Reading<'_> {
    fn too_large<E: serde::de::Error>(self, what: &'static str, max: usize) -> E {
        self.room.exceeded.set(Some((what, max)));
        E::custom("too large")
    }

    fn count<E: serde::de::Error>(self) -> Result<(), E> {
        match self.room.values.get().checked_sub(1) {
            Some(left) => {
                self.room.values.set(left);
                Ok(())
            }
            None => Err(self.too_large("values", self.room.limits.elements_max)),
        }
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let max = self.room.limits.depth_max;
        if self.depth >= max {
            Err(self.too_large("nested values", max))
        } else {
            Ok(Self { depth: self.depth + 1, ..self })
        }
    }

    fn is_too_long(self, text: &str) -> bool {
        text.len() > self.room.limits.text_bytes_max
    }
}

impl<'d> DeserializeSeed<'d> for Reading<'_> {
    type Value = Node<'d>;

    fn deserialize<D: serde::Deserializer<'d>>(self, deserializer: D) -> Result<Node<'d>, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for Reading<'_> {
    type Value = Node<'d>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node<'d>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, is_so: bool) -> Result<Node<'d>, E> {
        Ok(Node::Boolean(is_so))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node<'d>, E> {
        Ok(Node::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node<'d>, E> {
        Ok(i64::try_from(number).map_or(Node::Other(number as f64), Node::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node<'d>, E> {
        // Up to here a double has every whole number.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let is_whole = number.fract() == 0.0 && number.abs() <= EXACT;
        Ok(if is_whole { Node::Whole(number as i64) } else { Node::Other(number) })
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'d str) -> Result<Node<'d>, E> {
        if self.is_too_long(text) {
            return Err(self.too_large("octets in a string", self.room.limits.text_bytes_max));
        }
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node<'d>, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Node<'d>, E> {
        if self.is_too_long(&text) {
            return Err(self.too_large("octets in a string", self.room.limits.text_bytes_max));
        }
        Ok(Node::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut list: A) -> Result<Node<'d>, A::Error> {
        let below = self.deeper()?;
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element_seed(below)? {
            entries.push(entry);
        }
        Ok(Node::List(entries))
    }

    fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<Node<'d>, A::Error> {
        let below = self.deeper()?;
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(below)? {
            let Node::Text(name) = name else { return Err(A::Error::custom("a name is a string")) };
            if members.len() >= MEMBERS_MAX {
                return Err(self.too_large("members in an object", MEMBERS_MAX));
            }
            members.push((name, map.next_value_seed(below)?));
        }
        Ok(Node::Record(members))
    }
}
