//! Golden messages made by libwbxml, in both directions.

use std::fs;
use std::path::Path;

use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, Encoding, ItemData, Message};
use muster_protocol::wbxml::ddf_to_xml;

/// One message as other programs wrote it.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) xml: Vec<u8>,
    pub(crate) roundtrip: Vec<u8>,
    pub(crate) wbxml: Vec<u8>,
}

pub(crate) fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/oma-dm-1/syncml");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".wbxml").map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(names.len(), 23);
    let read = |name: &str, kind: &str| fs::read(folder.join(format!("{name}.{kind}"))).unwrap();
    let vector = |name: String| Vector {
        xml: read(&name, "xml"),
        roundtrip: read(&name, "roundtrip.xml"),
        wbxml: read(&name, "wbxml"),
        name,
    };
    names.into_iter().map(vector).collect()
}

pub(crate) fn decode(encoding: Encoding, octets: &[u8]) -> Message {
    Message::decode(encoding, octets, &Limits::DEVICE).unwrap()
}

/// The message with what libwbxml does to management tree documents undone: it writes `+wbxml` for `+xml`, and the
/// document itself as a WBXML document of its own.
fn with_trees_as_xml(mut message: Message) -> Message {
    for command in &mut message.commands {
        let Command::Write(write) = command else { continue };
        if write.meta.kind.as_deref() != Some("application/vnd.syncml.dmtnds+wbxml") {
            continue;
        }
        write.meta.kind = Some("application/vnd.syncml.dmtnds+xml".into());
        for item in &mut write.items {
            if let Some(ItemData::Opaque(octets)) = &item.data {
                let xml = ddf_to_xml(octets, &Limits::DEVICE).unwrap();
                item.data = Some(ItemData::Text(xml.into()));
            }
        }
    }
    message
}

#[test]
fn all_forms_of_a_golden_message_mean_the_same() {
    for vector in vectors() {
        let xml = decode(Encoding::Xml, &vector.xml);

        assert_eq!(xml, decode(Encoding::Xml, &vector.roundtrip), "{}", vector.name);
        assert_eq!(xml, with_trees_as_xml(decode(Encoding::Wbxml, &vector.wbxml)), "{}", vector.name);
    }
}

#[test]
fn golden_wbxml_is_written_again_octet_for_octet() {
    for vector in vectors() {
        let written = decode(Encoding::Wbxml, &vector.wbxml).encode(Encoding::Wbxml).unwrap();

        assert_eq!(hex(&written), hex(&vector.wbxml), "{}", vector.name);
    }
}

#[test]
fn golden_messages_survive_our_own_writing_in_both_encodings() {
    for vector in vectors() {
        let message = decode(Encoding::Xml, &vector.xml);
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let written = message.encode(encoding).unwrap();
            assert_eq!(decode(encoding, &written), message, "{} {encoding:?}", vector.name);
        }
    }
}

#[test]
fn the_hexadecimal_copies_are_the_same_octets() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/oma-dm-1/syncml");
    for vector in vectors() {
        let text = fs::read_to_string(folder.join(format!("{}.wbxml.hex", vector.name))).unwrap();
        assert_eq!(text.split_whitespace().collect::<String>(), hex(&vector.wbxml), "{}", vector.name);
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn header_challenge_and_items_of_golden_messages_read_as_written() {
    let named = |start: &str| vectors().into_iter().find(|it| it.name.starts_with(start)).unwrap();
    let challenge = decode(Encoding::Wbxml, &named("02-").wbxml);
    let Some(Command::Status(status)) = challenge.commands.first() else { unreachable!("a Status is first") };

    let chal = status.chal.as_ref().unwrap();
    assert_eq!(status.code.0, 407);
    assert_eq!(chal.meta.kind.as_deref(), Some("syncml:auth-md5"));
    assert_eq!(chal.meta.next_nonce.as_deref(), Some((0..16).collect::<Vec<u8>>().as_slice()));
    assert_eq!(challenge.header.resp_uri.as_deref(), Some("https://dm.example.org/dm?s=A1"));
    assert_eq!(challenge.header.meta.max_msg_size, Some(16384));
    assert!(challenge.is_final);

    let chunk = decode(Encoding::Xml, &named("07-").xml);
    assert!(!chunk.is_final);
    let Some(Command::Write(write)) = chunk.commands.iter().find(|it| it.name() != "Status") else {
        unreachable!("a chunk is sent")
    };
    assert!(write.items.first().unwrap().more_data);
}
