//! What a device is told to do, and the command that says so.

use serde::{Deserialize, Serialize};

use super::{
    interaction::{self, InputKind},
    outcome::item_data,
};
use crate::syncml::{Address, Command, Exec, Get, Item, ItemData, Meta, Nested, NestedKind, Text, Write, WriteKind};

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
    /// Reads several nodes with one command.
    GetMany {
        /// At least one node.
        uris: Vec<Text>,
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
    /// Makes a leaf with the value of another.
    Copy {
        /// The leaf to read.
        source: Text,
        /// The leaf to make.
        target: Text,
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
    /// Shows a text to the user (alert 1100).
    Display {
        /// Text.
        text: Text,
        /// As in [`Action::Confirm`].
        min_display_s: Option<u32>,
        /// As in [`Action::Confirm`].
        max_display_s: Option<u32>,
    },
    /// Asks the user to type something (alert 1102).
    Input {
        /// Question.
        text: Text,
        /// As in [`Action::Confirm`].
        min_display_s: Option<u32>,
        /// As in [`Action::Confirm`].
        max_display_s: Option<u32>,
        /// What stands there before the user types.
        default: Option<Text>,
        /// Most characters.
        length_max: Option<u32>,
        /// What may be typed.
        kind: InputKind,
        /// Nobody may read it from the display.
        is_secret: bool,
    },
    /// Asks the user to take one of several choices (alert 1103).
    Choose {
        /// Question.
        text: Text,
        /// At least one.
        choices: Vec<Text>,
        /// As in [`Action::Confirm`].
        min_display_s: Option<u32>,
        /// As in [`Action::Confirm`].
        max_display_s: Option<u32>,
        /// The choice that is preselected, counted from 1.
        default: Option<u32>,
    },
    /// Asks the user to take any of several choices (alert 1104).
    ChooseMany {
        /// Question.
        text: Text,
        /// At least one.
        choices: Vec<Text>,
        /// As in [`Action::Confirm`].
        min_display_s: Option<u32>,
        /// As in [`Action::Confirm`].
        max_display_s: Option<u32>,
        /// The choices that are preselected, counted from 1.
        defaults: Vec<u32>,
    },
    /// All or nothing. Members: Replace, Add, Delete, Copy and questions to the user.
    Atomic(
        /// At least one.
        Vec<Order>,
    ),
    /// One after the other; what follows a question that was answered no or not at all is not executed. Members: all but containers.
    Sequence(
        /// At least one.
        Vec<Order>,
    ),
}

impl Action {
    /// Members of a container; nothing for other actions.
    pub(super) fn members(&self) -> &[Order] {
        match self {
            Self::Atomic(members) | Self::Sequence(members) => members,
            _ => &[],
        }
    }

    /// Whether OMA DM allows this command as it stands: no empty container, no container in a container, no Get or Exec
    /// in an Atomic, no question without words or choices.
    pub(super) fn is_allowed(&self) -> bool {
        let has_good = |members: &[Order], is_good: fn(&Self) -> bool| {
            !members.is_empty() && members.iter().all(|it| is_good(&it.action) && it.action.is_allowed())
        };
        match self {
            Self::Atomic(members) => has_good(members, |it| {
                !matches!(
                    it,
                    Self::Get { .. } | Self::GetMany { .. } | Self::Exec { .. } | Self::Atomic(_) | Self::Sequence(_)
                )
            }),
            Self::Sequence(members) => has_good(members, |it| !matches!(it, Self::Atomic(_) | Self::Sequence(_))),
            Self::GetMany { uris } => !uris.is_empty(),
            _ => interaction::is_askable(self),
        }
    }

    /// Takes the correlator off, for a device that does not know it.
    pub(super) fn without_correlator(mut self) -> Self {
        match &mut self {
            Self::Exec { correlator, .. } => *correlator = None,
            Self::Sequence(members) => {
                for member in members {
                    if let Self::Exec { correlator, .. } = &mut member.action {
                        *correlator = None;
                    }
                }
            }
            _ => {}
        }
        self
    }

    /// The value that the command carries.
    pub(super) fn data(&self) -> Option<&ItemData> {
        match self {
            Self::Replace { data, .. } | Self::Add { data, .. } | Self::Exec { data, .. } => data.as_ref(),
            _ => None,
        }
    }

    /// The command with its number; `number` gives the next one of the message.
    pub(super) fn command(&self, number: &mut dyn FnMut() -> Text) -> Command {
        let cmd_id = number();
        match self {
            Self::Get { uri } => {
                Command::Get(Get { cmd_id, meta: Meta::default(), items: vec![item(uri, None, None, None)] })
            }
            Self::GetMany { uris } => {
                let items = uris.iter().map(|uri| item(uri, None, None, None)).collect();
                Command::Get(Get { cmd_id, meta: Meta::default(), items })
            }
            Self::Replace { uri, format, kind, data } => {
                write(WriteKind::Replace, cmd_id, item(uri, format.as_ref(), kind.as_ref(), data.as_ref()))
            }
            Self::Add { uri, format, kind, data } => {
                write(WriteKind::Add, cmd_id, item(uri, format.as_ref(), kind.as_ref(), data.as_ref()))
            }
            Self::Delete { uri } => write(WriteKind::Delete, cmd_id, item(uri, None, None, None)),
            Self::Copy { source, target } => {
                let source = Some(Address::new(source.clone()));
                write(WriteKind::Copy, cmd_id, Item { source, ..item(target, None, None, None) })
            }
            Self::Exec { uri, data, correlator } => Command::Exec(Exec {
                cmd_id,
                meta: Meta::default(),
                correlator: correlator.clone(),
                items: vec![item(uri, None, None, data.as_ref())],
            }),
            Self::Display { .. }
            | Self::Confirm { .. }
            | Self::Input { .. }
            | Self::Choose { .. }
            | Self::ChooseMany { .. } => Command::Alert(interaction::alert(self, cmd_id).unwrap_or_default()),
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
