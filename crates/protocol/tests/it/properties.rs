use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, Encoding, Get, Item, ItemData, Message};
use muster_protocol::wbxml::{ddf_from_xml, ddf_to_xml};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::generate::{any_text, message, style, tree_document};
use crate::vectors::{decode, vectors};

fn items_of(command: &mut Command) -> Vec<&mut Item> {
    match command {
        Command::Alert(it) => it.items.iter_mut().collect(),
        Command::Write(it) => it.items.iter_mut().collect(),
        Command::Get(it) => it.items.iter_mut().collect(),
        Command::Exec(it) => it.items.iter_mut().collect(),
        Command::Results(it) => it.items.iter_mut().collect(),
        Command::Status(it) => it.items.iter_mut().collect(),
        Command::Nested(it) => it.commands.iter_mut().flat_map(items_of).collect(),
        Command::Unsupported { .. } => Vec::new(),
    }
}

/// The message as XML can say it: octets are base64, and `Format` says so.
pub(crate) fn with_octets_as_base64(mut message: Message) -> Message {
    for item in message.commands.iter_mut().flat_map(items_of) {
        if let Some(ItemData::Opaque(octets)) = &item.data {
            item.data = Some(ItemData::Text(STANDARD.encode(octets).into()));
            item.meta.format = Some("b64".into());
        }
    }
    message
}

proptest! {
    #[test]
    fn message_written_as_wbxml_reads_as_the_same_message(message in message(any_text)) {
        let written = message.encode(Encoding::Wbxml).unwrap();

        prop_assert_eq!(decode(Encoding::Wbxml, &written), message);
    }

    #[test]
    fn message_written_as_xml_reads_as_the_same_message(message in message(any_text)) {
        let written = message.encode(Encoding::Xml).unwrap();

        prop_assert_eq!(decode(Encoding::Xml, &written), with_octets_as_base64(message));
    }

    #[test]
    fn both_encodings_of_a_message_read_alike(message in message(any_text)) {
        let message = with_octets_as_base64(message);
        let xml = decode(Encoding::Xml, &message.encode(Encoding::Xml).unwrap());

        prop_assert_eq!(decode(Encoding::Wbxml, &message.encode(Encoding::Wbxml).unwrap()), xml);
    }

    #[test]
    fn every_style_of_a_message_reads_as_the_same_message(message in message(any_text), style in style()) {
        let xml = decode(Encoding::Xml, &message.encode_styled(Encoding::Xml, &style).unwrap());
        let wbxml = decode(Encoding::Wbxml, &message.encode_styled(Encoding::Wbxml, &style).unwrap());

        prop_assert_eq!(&with_octets_as_base64(wbxml), &xml);
        prop_assert_eq!(xml, with_octets_as_base64(message));
    }

    #[test]
    fn our_xml_is_well_formed_for_another_parser(message in message(any_text), style in style()) {
        let written = String::from_utf8(message.encode_styled(Encoding::Xml, &style).unwrap()).unwrap();

        let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
        let document = roxmltree::Document::parse_with_options(&written, options).unwrap();
        prop_assert_eq!(document.root_element().tag_name().name(), "SyncML");
        let in_metinf = |node: &roxmltree::Node<'_, '_>| node.tag_name().namespace() == Some("syncml:metinf");
        let children = document.descendants().filter(|node| node.tag_name().name() == "Meta").flat_map(|it| it.children());
        prop_assert!(children.into_iter().all(|child| in_metinf(&child)));
    }

    #[test]
    fn tree_document_written_as_wbxml_reads_as_the_same_document(xml in tree_document(any_text)) {
        let wbxml = ddf_from_xml(&xml, &Limits::DEVICE).unwrap();

        prop_assert_eq!(ddf_to_xml(&wbxml, &Limits::DEVICE).unwrap(), xml);
    }

    #[test]
    fn tree_document_in_data_is_the_same_text_from_xml_and_from_code_page_2(xml in tree_document(any_text)) {
        let message = Message {
            header: decode(Encoding::Xml, &vectors()[0].xml).header,
            commands: vec![Command::Get(Get {
                cmd_id: "1".into(),
                items: vec![Item { data: Some(ItemData::Text(xml.as_str().into())), ..Item::default() }],
                ..Get::default()
            })],
            is_final: false,
        };
        let text = String::from_utf8(message.encode(Encoding::Xml).unwrap()).unwrap();
        let start = text.find("<Data>&lt;").unwrap() + "<Data>".len();
        let end = start + text[start..].find("</Data>").unwrap();
        let elements = [&text[..start], &xml, &text[end..]].concat();
        prop_assert_eq!(decode(Encoding::Xml, elements.as_bytes()), message.clone());

        // The body of the document of its own, switched to page 2 and back.
        let tree = ddf_from_xml(&xml, &Limits::DEVICE).unwrap();
        let body = &tree[tree.windows(3).position(|it| it == b"\x00\x00\x02").unwrap() + 1..];
        let wbxml = message.encode(Encoding::Wbxml).unwrap();
        let at = wbxml.windows(2).rposition(|it| it == b"\x4F\x03").unwrap() + 1;
        let inline = [&wbxml[..at], body, b"\x00\x00", &wbxml[wbxml.len() - 5..]].concat();
        prop_assert_eq!(decode(Encoding::Wbxml, &inline), message);
    }

    #[test]
    fn any_octets_end_in_a_message_or_a_typed_error(octets in vec(any::<u8>(), 0..300)) {
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let _ = Message::decode(encoding, &octets, &Limits::DEVICE);
        }
        let mut body = b"\x02\xA4\x01\x6A\x04ab\x00c".to_vec();
        body.extend_from_slice(&octets);
        let _ = Message::decode(Encoding::Wbxml, &body, &Limits::DEVICE);
    }

    #[test]
    fn any_mark_up_ends_in_a_message_or_a_typed_error(text in "[<>/&;!?= \"'\\[\\]SyncMLa:#x0-9-]{0,120}") {
        let _ = Message::decode(Encoding::Xml, text.as_bytes(), &Limits::DEVICE);
        let inside = format!("<SyncML><SyncHdr>{text}</SyncHdr><SyncBody/></SyncML>");
        let _ = Message::decode(Encoding::Xml, inside.as_bytes(), &Limits::DEVICE);
    }

    #[test]
    fn damaged_golden_messages_end_in_a_message_or_a_typed_error(
        which in any::<Index>(),
        damage in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let vectors = vectors();
        let vector = which.get(&vectors);
        for (encoding, octets) in [(Encoding::Xml, &vector.xml), (Encoding::Wbxml, &vector.wbxml)] {
            let mut octets = octets.clone();
            for (at, octet) in &damage {
                let at = at.index(octets.len());
                octets[at] = *octet;
            }
            if let Ok(message) = Message::decode(encoding, &octets, &Limits::DEVICE) {
                let written = message.encode(Encoding::Wbxml).unwrap();
                prop_assert_eq!(decode(Encoding::Wbxml, &written), message);
            }
        }
    }
}

#[test]
fn golden_messages_cut_at_any_octet_are_refused() {
    for vector in vectors() {
        for end in 0..vector.wbxml.len() {
            let cut = vector.wbxml.get(..end).unwrap();
            assert!(Message::decode(Encoding::Wbxml, cut, &Limits::DEVICE).is_err(), "{} at {end}", vector.name);
        }
        let text = vector.xml.trim_ascii_end();
        for end in 0..text.len() {
            let cut = text.get(..end).unwrap();
            assert!(Message::decode(Encoding::Xml, cut, &Limits::DEVICE).is_err(), "{} at {end}", vector.name);
        }
    }
}
