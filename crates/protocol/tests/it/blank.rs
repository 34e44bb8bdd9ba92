//! Messages of any shape with secrets in them, blanked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::blank::{BLANK, Known, blank, is_secret_node};
use muster_protocol::syncml::{Address, Command, Credential, Encoding, Item, ItemData, Message, Meta};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::generate::{any_text, message};
use crate::vectors::{decode, vectors};

/// Letters that no generated text has by chance.
const SECRET: &str = "qXvbZ7KwPqJd3Rtm";

const SECRET_NODES: [&str; 4] =
    ["./SyncML/DMAcc/op/AppAuth/1/AAuthSecret", "./DMAcc/op/ClientPW", "./Vendor/Passwords", "ServerNonce"];

fn items(command: &mut Command) -> Vec<&mut Item> {
    match command {
        Command::Alert(it) => it.items.iter_mut().collect(),
        Command::Write(it) => it.items.iter_mut().collect(),
        Command::Get(it) => it.items.iter_mut().collect(),
        Command::Exec(it) => it.items.iter_mut().collect(),
        Command::Results(it) => it.items.iter_mut().collect(),
        Command::Status(it) => it.items.iter_mut().collect(),
        Command::Nested(it) => it.commands.iter_mut().flat_map(items).collect(),
        Command::Unsupported { .. } => Vec::new(),
    }
}

fn metas(command: &mut Command) -> Vec<&mut Meta> {
    match command {
        Command::Write(it) => vec![&mut it.meta],
        Command::Get(it) => vec![&mut it.meta],
        Command::Exec(it) => vec![&mut it.meta],
        Command::Results(it) => vec![&mut it.meta],
        Command::Status(it) => {
            it.cred.iter_mut().map(|it| &mut it.meta).chain(it.chal.iter_mut().map(|it| &mut it.meta)).collect()
        }
        Command::Nested(it) => std::iter::once(&mut it.meta).chain(it.commands.iter_mut().flat_map(metas)).collect(),
        Command::Alert(_) | Command::Unsupported { .. } => Vec::new(),
    }
}

/// Puts the secret wherever one has its place; `at` chooses among the nodes.
fn with_secrets(mut message: Message, at: &[u8]) -> Message {
    let meta = Meta { kind: Some("syncml:auth-md5".into()), format: Some("b64".into()), ..Meta::default() };
    message.header.cred = Some(Credential { meta, data: SECRET.into() });
    message.header.meta.next_nonce = Some(SECRET.into());
    for (item, at) in message.commands.iter_mut().flat_map(items).zip(at) {
        let uri = SECRET_NODES[usize::from(*at) % SECRET_NODES.len()];
        item.target = Some(Address { uri: uri.into(), name: None });
        let octets = match at % 3 {
            0 => SECRET.to_owned(),
            1 => STANDARD.encode(SECRET),
            _ => format!("<a>{SECRET}</a>&\r\n"),
        };
        item.data = Some(ItemData::Text(octets.into()));
    }
    message
}

/// What is not compared: texts that are blanked, or may be as they are no whole documents, or parts, or a user's.
fn without_texts(mut message: Message) -> Message {
    message.header.cred = message.header.cred.map(|cred| Credential { data: BLANK.into(), ..cred });
    message.header.meta.next_nonce = message.header.meta.next_nonce.map(|_| Vec::new());
    message.commands.iter_mut().for_each(clean);
    message
}

fn clean(command: &mut Command) {
    if let Command::Nested(it) = command {
        it.commands.iter_mut().for_each(clean);
    }
    metas(command).into_iter().for_each(|meta| meta.next_nonce = meta.next_nonce.take().map(|_| Vec::new()));
    if let Command::Status(status) = command
        && let Some(cred) = &mut status.cred
    {
        cred.data = BLANK.into();
    }
    // In answer to an alert items without address are a user's words; their references may name a secret node.
    let is_nested = matches!(command, Command::Nested(_));
    let is_answer = matches!(command, Command::Status(_) | Command::Results(_));
    for item in items(command).into_iter().filter(|_| !is_nested) {
        let is_users = is_answer && item.target.is_none() && item.source.is_none();
        let uris = [&item.target, &item.source];
        let is_secret = uris.iter().any(|uri| uri.as_ref().is_some_and(|uri| is_secret_node(&uri.uri)));
        let text = item.data.as_ref().and_then(|data| data.as_text()).unwrap_or_default();
        let is_mark_up = text.trim_start().starts_with('<') || text.contains("</");
        if is_secret || is_mark_up || is_users || item.more_data {
            item.data = item.data.as_ref().map(|_| ItemData::Text(BLANK.into()));
        }
        item.meta.next_nonce = item.meta.next_nonce.take().map(|_| Vec::new());
    }
}

fn holds(octets: &[u8], part: &str) -> bool {
    octets.windows(part.len()).any(|it| it == part.as_bytes())
}

proptest! {
    #[test]
    fn no_secret_is_left_and_the_rest_of_the_message_is(message in message(any_text), at in vec(any::<u8>(), 12)) {
        let message = with_secrets(message, &at);
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let octets = message.encode(encoding).unwrap();
            prop_assert!(holds(&octets, SECRET));

            let out = blank(encoding, &octets, &Known::default(), &Limits::DEVICE);

            prop_assert!(!holds(&out.octets, SECRET));
            prop_assert!(!holds(&out.octets, &STANDARD.encode(SECRET)));
            prop_assert_eq!(&out.broken, &None);
            prop_assert_eq!(without_texts(decode(encoding, &out.octets)), without_texts(decode(encoding, &octets)));
        }
    }

    #[test]
    fn blanking_again_changes_nothing(message in message(any_text), at in vec(any::<u8>(), 12)) {
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let octets = with_secrets(message.clone(), &at).encode(encoding).unwrap();
            let once = blank(encoding, &octets, &Known::default(), &Limits::DEVICE).octets;
            prop_assert_eq!(&blank(encoding, &once, &Known::default(), &Limits::DEVICE).octets, &once);
        }
    }

    #[test]
    fn a_message_cut_anywhere_leaves_no_secret(message in message(any_text), at in vec(any::<u8>(), 12), cut in 0_usize..4096) {
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let octets = with_secrets(message.clone(), &at).encode(encoding).unwrap();
            let octets = &octets[..cut.min(octets.len())];
            let out = blank(encoding, octets, &Known::default(), &Limits::DEVICE);
            prop_assert!(!holds(&out.octets, &SECRET[..8]));
        }
    }

    #[test]
    fn any_octets_are_blanked_within_the_limits(octets in vec(any::<u8>(), 0..300)) {
        let limits = Limits { elements_max: 40, depth_max: 6, ..Limits::DEVICE };
        let mut body = b"\x02\xA4\x01\x6A\x04ab\x00c".to_vec();
        body.extend_from_slice(&octets);
        for octets in [&octets, &body] {
            for encoding in [Encoding::Xml, Encoding::Wbxml] {
                let known =
                    Known { secrets: &[b"secret"], tokens: &["t"], continues: octets.len().is_multiple_of(2) };
                let out = blank(encoding, octets, &known, &limits);
                prop_assert!(out.octets.len() <= octets.len() * 9 + 16);
            }
        }
    }
}

#[test]
fn every_golden_message_is_still_read_when_it_is_blanked() {
    let mut blanked = 0;
    for vector in vectors() {
        for (encoding, octets) in [(Encoding::Xml, &vector.xml), (Encoding::Wbxml, &vector.wbxml)] {
            let out = blank(encoding, octets, &Known::default(), &Limits::DEVICE);
            assert_eq!(out.broken, None, "{}", vector.name);
            assert_eq!(
                without_texts(decode(encoding, &out.octets)),
                without_texts(decode(encoding, octets)),
                "{} in {encoding:?}",
                vector.name
            );
            blanked += out.texts;
        }
    }
    assert!(blanked > 10, "{blanked} texts were blanked");
}
