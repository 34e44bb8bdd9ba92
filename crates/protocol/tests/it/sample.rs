//! Messages of a size, as a device answers to a Get of several nodes.

use muster_protocol::syncml::{
    Address, Command, Encoding, Header, Item, ItemData, Message, Meta, Results, Status, StatusCode, Text,
};

/// The smallest such message of at least `octets_min` octets.
pub(crate) fn of_size(encoding: Encoding, octets_min: usize) -> Vec<u8> {
    let mut message = Message {
        header: Header {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: "A1".into(),
            msg_id: "3".into(),
            target: Address::new("https://dm.example.org/dm"),
            source: Address::new("urn:imei:490154203237518"),
            ..Header::default()
        },
        commands: Vec::new(),
        is_final: true,
    };
    loop {
        let octets = message.encode(encoding).expect("plain text is written");
        if octets.len() >= octets_min {
            return octets;
        }
        let number = message.commands.len();
        message.commands.push(status(number + 1));
        message.commands.push(results(number + 2));
    }
}

fn status(number: usize) -> Command {
    Command::Status(Status {
        cmd_id: text(number),
        msg_ref: "2".into(),
        cmd_ref: text(number),
        cmd: "Get".into(),
        target_refs: vec![uri(number)],
        code: StatusCode::OK,
        ..Status::default()
    })
}

fn results(number: usize) -> Command {
    let format = if number.is_multiple_of(3) { "int" } else { "chr" };
    let item = Item {
        source: Some(Address::new(uri(number))),
        meta: Meta { format: Some(format.into()), kind: Some("text/plain".into()), ..Meta::default() },
        data: Some(ItemData::Text(format!("value {number} & more of it").into())),
        ..Item::default()
    };
    Command::Results(Results {
        cmd_id: text(number),
        msg_ref: Some("2".into()),
        cmd_ref: text(number),
        items: vec![item],
        ..Results::default()
    })
}

fn text(number: usize) -> Text {
    number.to_string().into()
}

fn uri(number: usize) -> Text {
    format!("./Vendor/Example/Settings/Group{}/Node{number}", number % 7).into()
}
