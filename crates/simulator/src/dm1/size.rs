//! How many octets messages and commands take.

use muster_protocol::syncml::{Command, Encoding, Message};

/// Octets of a whole message.
pub(super) fn of_message(message: &Message, _encoding: Encoding) -> usize {
    format!("{message:?}").len()
}

/// Octets a command adds to a message.
pub(super) fn of_command(command: &Command, _encoding: Encoding) -> usize {
    format!("{command:?}").len()
}
