//! What became of an order.

use serde::{Deserialize, Serialize};

use super::UserAnswer;
use crate::syncml::{Item, ItemData, Meta, StatusCode, Text};

/// What became of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Of the order.
    pub tag: u32,
    /// The code that decides: of several statuses the worst.
    pub answer: Answer,
    /// From `Results`: nodes read, in the order they came. Empty where nothing was read or what was promised never came.
    pub nodes: Vec<NodeResult>,
    /// Each `Status` that came for the order, by node.
    pub statuses: Vec<NodeStatus>,
    /// Items of the statuses: input of the user, or the node that stopped an implicit Add.
    pub items: Vec<StatusItem>,
    /// What the user said to a question, where the device told.
    pub user: Option<UserAnswer>,
    /// More about the answer, where it did not come from the device.
    pub note: Option<Note>,
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The device said so, or the session where a [`Note`] is with it.
    Status(StatusCode),
    /// It was sent, and the package or the session ended without a status: it may or may not have been carried out.
    None,
    /// It was surely not carried out: never sent, or the device did not let this server in.
    NotSent,
}

/// Why an answer did not come from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// The command does not fit the largest message that the device takes, and cannot be cut into parts, or its value is
    /// larger than the largest object that the device takes; the answer is 413.
    TooLarge,
    /// The device is known not to support it, so it was not sent; the answer is 406.
    Unsupported,
    /// The object did not reach the device whole, and what the device has of it counts for nothing: 424 its size is not the
    /// one told, twice, 426 the device took a part for the whole or the whole for a part, or said nothing to a part, or not
    /// sent where the session ended in between.
    Interrupted,
    /// What the device read did not arrive whole: 411 a part without a size, 412 parts broke off, 413 too much to take,
    /// 424 not the size told.
    ResultLost,
    /// It has text that the encoding of the session cannot carry, such as a control character in XML; it was not sent.
    NotEncodable,
    /// OMA DM does not allow such a container or question; it was not sent.
    NotAllowed,
    /// More than [`super::ORDERS_MAX`] orders are open, or the session was not ready for orders; it was not sent.
    NotTaken,
    /// No status of its own came: the code is that of the message or the container it was in, which says that it was not
    /// carried out, or for a container the worst of its members. Or this server took over from a device that takes no
    /// `Sequence`: 200 for one that was begun, 215 for members behind a question that was not answered yes.
    Inferred,
}

/// One node that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeResult {
    /// The node as the device named it, `?prop=` and `?list=` included.
    pub uri: Text,
    /// `Format`, `chr` where the device left it out.
    pub format: Text,
    /// `Type`.
    pub kind: Option<Text>,
    /// Value; children joined by `/` for an interior node.
    #[serde(with = "item_data")]
    pub data: Option<ItemData>,
}

/// One `Status` of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// `TargetRef`, or `SourceRef` where there is none; `None` for all nodes of the order.
    pub uri: Option<Text>,
    /// The code.
    pub code: StatusCode,
}

/// One `Item` of a `Status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusItem {
    /// `Target`, or `Source` where there is none.
    pub uri: Option<Text>,
    /// `Data`.
    #[serde(with = "item_data")]
    pub data: Option<ItemData>,
}

impl Outcome {
    /// An outcome without anything from the device.
    pub(super) fn bare(tag: u32, answer: Answer, note: Option<Note>) -> Self {
        Self { tag, answer, nodes: Vec::new(), statuses: Vec::new(), items: Vec::new(), user: None, note }
    }
}

impl NodeResult {
    /// Reads one `Item` of `Results`; `command` is the Meta of the whole, `uri` what to take where the item names no node.
    pub(super) fn read(item: &Item, command: &Meta, uri: &Text) -> Self {
        let named = item.source.as_ref().or(item.target.as_ref()).map(|it| &it.uri).filter(|it| !it.is_empty());
        let format = item.meta.format.as_ref().or(command.format.as_ref());
        Self {
            uri: named.unwrap_or(uri).clone(),
            format: format.cloned().unwrap_or_else(|| "chr".into()),
            kind: item.meta.kind.as_ref().or(command.kind.as_ref()).cloned(),
            data: item.data.clone(),
        }
    }

    /// Octets that it takes in a stored session, about.
    pub(super) fn weight(&self) -> usize {
        let data = self.data.as_ref().map_or(0, |it| it.as_bytes().len());
        let kind = self.kind.as_ref().map_or(0, |it| it.len());
        self.uri.len() + self.format.len() + kind + data + NODE_BYTES
    }
}

/// Octets of a node besides its texts: a count of empty nodes is bounded too.
const NODE_BYTES: usize = 64;

impl StatusItem {
    pub(super) fn read(item: &Item) -> Self {
        let uri = item.target.as_ref().or(item.source.as_ref()).map(|it| it.uri.clone());
        Self { uri, data: item.data.clone() }
    }
}

/// The worse of two codes: one that is no success before one that is, then the higher.
pub(super) fn worse(a: StatusCode, b: StatusCode) -> StatusCode {
    std::cmp::max_by_key(a, b, |it| (!it.is_success(), *it))
}

/// Keeps `Option<ItemData>` in a stored session.
pub(super) mod item_data {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::syncml::{ItemData, Text};

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "ItemData")]
    enum Shape {
        #[serde(rename = "t")]
        Text(Text),
        #[serde(rename = "o")]
        Opaque(Vec<u8>),
    }

    #[derive(Serialize)]
    struct Lent<'a>(#[serde(with = "Shape")] &'a ItemData);

    #[derive(Deserialize)]
    struct Owned(#[serde(with = "Shape")] ItemData);

    pub(in crate::dm1) fn serialize<S: Serializer>(data: &Option<ItemData>, to: S) -> Result<S::Ok, S::Error> {
        data.as_ref().map(Lent).serialize(to)
    }

    pub(in crate::dm1) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ItemData>, D::Error> {
        Ok(Option::<Owned>::deserialize(from)?.map(|it| it.0))
    }
}
