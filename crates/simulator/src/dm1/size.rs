//! How many octets messages and commands take.

use muster_protocol::syncml::{Command, Encoding, Header, Message};

/// Octets by which the parts of a message may take more together than alone: WBXML switches code pages and writes
/// longer lengths where parts meet.
const JOINT_BYTES: usize = 16;

/// Octets of a whole message, with room for the joints to the commands that follow.
///
/// What cannot be written counts as nothing: writing the message will say why.
pub(super) fn of_message(message: &Message, encoding: Encoding) -> usize {
    message.encode(encoding).map_or(0, |octets| octets.len() + JOINT_BYTES)
}

/// Octets a command adds to a message, its `CmdID` (of up to four digits) included.
pub(super) fn of_command(command: &Command, encoding: Encoding) -> usize {
    let mut command = command.clone();
    super::reply::set_cmd_id(&mut command, "9999".into());
    let with = Message { header: Header::default(), commands: vec![command], is_final: true };
    let without = Message { header: Header::default(), commands: Vec::new(), is_final: true };
    let octets = |message: &Message| message.encode(encoding).map_or(0, |octets| octets.len());
    octets(&with).saturating_sub(octets(&without))
}

#[cfg(test)]
mod tests {
    use muster_protocol::syncml::{Address, Item, Results};

    use super::*;

    #[test]
    fn a_message_is_never_larger_than_the_sum_of_its_parts() {
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let item = |data: &str| Item {
                source: Some(Address::new("./DevInfo/Man")),
                data: Some(data.into()),
                ..Item::default()
            };
            let commands: Vec<Command> = ["", "<&>", &"x".repeat(300)]
                .iter()
                .zip(1..)
                .map(|(data, id)| {
                    let id = id.to_string().into();
                    Command::Results(Results { cmd_id: id, items: vec![item(data)], ..Results::default() })
                })
                .collect();
            let empty = Message { header: Header::default(), commands: Vec::new(), is_final: true };
            let parts: usize = commands.iter().map(|it| of_command(it, encoding)).sum();
            let whole = Message { commands, ..empty.clone() };

            let octets = whole.encode(encoding).map(|it| it.len());

            assert!(octets.is_ok_and(|octets| octets <= of_message(&empty, encoding) + parts));
        }
    }
}
