//! What a device is told to do, and the command that says so.

use serde::{Deserialize, Serialize};

use super::outcome::item_data;
use crate::syncml::{
    Address, Alert, Command, Exec, Get, Item, ItemData, Meta, Nested, NestedKind, Text, Write, WriteKind,
};

/// One command for the device. Every order given to a session comes back as exactly one [`super::Outcome`] with its tag,
/// members of containers included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Chosen by the caller; comes back with the outcome. Should be unique in the session.
    pub tag: u32,
    /// What to do.
    pub action: Action,
}

/// What a device can be told to do. Paths are full device URIs such as `./DevDetail/FwV`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Reads a node; `?list=` and `?prop=` suffixes are part of the path.
    Get {
        /// Node.
        uri: Text,
    },
    /// Overwrites a leaf, a property or, with a TNDS object, a sub-tree.
    Replace {
        /// Node.
        uri: Text,
        /// `Format`.
        format: Option<Text>,
        /// `Type`.
        kind: Option<Text>,
        /// Value.
        #[serde(with = "item_data")]
        data: Option<ItemData>,
    },
    /// Makes a node.
    Add {
        /// Node.
        uri: Text,
        /// `Format`; `node` for an interior node.
        format: Option<Text>,
        /// `Type`.
        kind: Option<Text>,
        /// Value; none for an interior node.
        #[serde(with = "item_data")]
        data: Option<ItemData>,
    },
    /// Removes a node and what is below.
    Delete {
        /// Node.
        uri: Text,
    },
    /// Starts what the node stands for.
    Exec {
        /// Node.
        uri: Text,
        /// Argument.
        #[serde(with = "item_data")]
        data: Option<ItemData>,
        /// Comes back in the alert that tells the outcome.
        correlator: Option<Text>,
    },
    /// Asks the user yes or no (alert 1101). The outcome is 200 yes, 304 no, 214 cancelled, 215 passed over, 406 cannot ask,
    /// 408 no answer.
    Confirm {
        /// Question.
        text: Text,
        /// Shortest time on display, in seconds. `None` sends 1: an empty option item crashes libdmclient.
        min_display_s: Option<u32>,
        /// Time given to the user, in seconds.
        max_display_s: Option<u32>,
        /// Answer that is preselected.
        default_accept: Option<bool>,
    },
    /// All or nothing. Members: Replace, Add, Delete, Confirm.
    Atomic(
        /// At least one.
        Vec<Order>,
    ),
    /// One after the other; what follows a Confirm that was not answered yes is not executed. Members: all but containers.
    Sequence(
        /// At least one.
        Vec<Order>,
    ),
}

/// Alert code of a yes-or-no question.
const CONFIRM_OR_REJECT: &str = "1101";

impl Action {
    /// Members of a container; nothing for other actions.
    pub(super) fn members(&self) -> &[Order] {
        match self {
            Self::Atomic(members) | Self::Sequence(members) => members,
            _ => &[],
        }
    }

    /// Whether OMA DM allows this command as it stands: no empty container, no container in a container, no Get or Exec
    /// in an Atomic.
    pub(super) fn is_allowed(&self) -> bool {
        match self {
            Self::Atomic(members) => {
                !members.is_empty()
                    && members.iter().all(|it| {
                        matches!(
                            it.action,
                            Self::Replace { .. } | Self::Add { .. } | Self::Delete { .. } | Self::Confirm { .. }
                        )
                    })
            }
            Self::Sequence(members) => {
                !members.is_empty()
                    && members.iter().all(|it| !matches!(it.action, Self::Atomic(_) | Self::Sequence(_)))
            }
            _ => true,
        }
    }

    /// The command with its number; `number` gives the next one of the message.
    pub(super) fn command(&self, number: &mut dyn FnMut() -> Text) -> Command {
        let cmd_id = number();
        match self {
            Self::Get { uri } => {
                Command::Get(Get { cmd_id, meta: Meta::default(), items: vec![item(uri, None, None, None)] })
            }
            Self::Replace { uri, format, kind, data } => {
                write(WriteKind::Replace, cmd_id, item(uri, format.as_ref(), kind.as_ref(), data.as_ref()))
            }
            Self::Add { uri, format, kind, data } => {
                write(WriteKind::Add, cmd_id, item(uri, format.as_ref(), kind.as_ref(), data.as_ref()))
            }
            Self::Delete { uri } => write(WriteKind::Delete, cmd_id, item(uri, None, None, None)),
            Self::Exec { uri, data, correlator } => Command::Exec(Exec {
                cmd_id,
                meta: Meta::default(),
                correlator: correlator.clone(),
                items: vec![item(uri, None, None, data.as_ref())],
            }),
            Self::Confirm { text, min_display_s, max_display_s, default_accept } => {
                let options = options(*min_display_s, *max_display_s, *default_accept);
                Command::Alert(Alert {
                    cmd_id,
                    code: CONFIRM_OR_REJECT.into(),
                    correlator: None,
                    items: vec![text_item(&options), text_item(text)],
                })
            }
            Self::Atomic(members) => nested(NestedKind::Atomic, cmd_id, members, number),
            Self::Sequence(members) => nested(NestedKind::Sequence, cmd_id, members, number),
        }
    }
}

fn write(kind: WriteKind, cmd_id: Text, item: Item) -> Command {
    Command::Write(Write { kind, cmd_id, meta: Meta::default(), items: vec![item] })
}

fn nested(kind: NestedKind, cmd_id: Text, members: &[Order], number: &mut dyn FnMut() -> Text) -> Command {
    let commands = members.iter().map(|it| it.action.command(number)).collect();
    Command::Nested(Nested { kind, cmd_id, meta: Meta::default(), commands })
}

fn item(uri: &Text, format: Option<&Text>, kind: Option<&Text>, data: Option<&ItemData>) -> Item {
    Item {
        target: Some(Address::new(uri.clone())),
        meta: Meta { format: format.cloned(), kind: kind.cloned(), ..Meta::default() },
        data: data.cloned(),
        ..Item::default()
    }
}

fn text_item(text: &str) -> Item {
    Item { data: Some(text.into()), ..Item::default() }
}

/// The option string of a Confirm, never empty.
fn options(min_display_s: Option<u32>, max_display_s: Option<u32>, default_accept: Option<bool>) -> String {
    let mut options = format!("MINDT={}", min_display_s.unwrap_or(1));
    if let Some(seconds) = max_display_s {
        options.push_str(&format!("&MAXDT={seconds}"));
    }
    if let Some(accept) = default_accept {
        options.push_str(if accept { "&DR=1" } else { "&DR=0" });
    }
    options
}
