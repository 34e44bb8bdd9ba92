//! Messages nobody thought of.

use muster_protocol::syncml::{
    Address, Alert, Challenge, Command, Credential, DataForm, Exec, Get, Header, Item, ItemData, MarkupForm, Message,
    Meta, MetaNamespace, Nested, NestedKind, OctetsForm, PublicIdForm, Results, Status, StatusCode, Style, Text,
    WbxmlVersion, Write, WriteKind,
};
use muster_protocol::wbxml::tags::DDF;
use muster_protocol::xml::writer::put_text;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

/// Which texts messages are made of.
pub(crate) type Texts = fn() -> BoxedStrategy<Text>;

/// Text as libwbxml keeps it: printable ASCII, not empty, no white space at its ends.
pub(crate) fn plain_text() -> BoxedStrategy<Text> {
    "[!-~]([ -~]{0,30}[!-~])?".prop_map(Text::from).boxed()
}

/// Text of any characters that XML has.
pub(crate) fn any_text() -> BoxedStrategy<Text> {
    prop_oneof![
        4 => "[ -~]{0,40}",
        1 => "[\\t\\n\\r -~äß€\\u{10000}\\u{FFFD}\\]<>&'\"]{0,40}",
    ]
    .prop_map(Text::from)
    .boxed()
}

/// Text that is never empty.
fn some_text(text: Texts) -> BoxedStrategy<Text> {
    ("[!-~]", text()).prop_map(|(first, rest)| Text::from(first + &rest)).boxed()
}

fn address(text: Texts) -> BoxedStrategy<Address> {
    (some_text(text), of(text())).prop_map(|(uri, name)| Address { uri, name }).boxed()
}

fn meta(text: Texts) -> BoxedStrategy<Meta> {
    let texts = (of(text()), of(text()), of(text()), of(text()), vec(text(), 0..2));
    let values = (of(any::<u64>()), of(vec(any::<u8>(), 0..20)), of(any::<u64>()), of(any::<u64>()));
    let full = (texts, values).prop_map(|((format, kind, mark, version, emi), (size, next_nonce, message, object))| {
        Meta { format, kind, mark, size, version, next_nonce, max_msg_size: message, max_obj_size: object, emi }
    });
    prop_oneof![Just(Meta::default()), full].boxed()
}

fn data(text: Texts) -> BoxedStrategy<ItemData> {
    // The control character keeps these octets from being text.
    let octets = vec(any::<u8>(), 0..40).prop_map(|mut octets| {
        octets.push(0x01);
        ItemData::Opaque(octets)
    });
    prop_oneof![4 => text().prop_map(ItemData::Text), 1 => octets].boxed()
}

fn items(text: Texts) -> BoxedStrategy<Vec<Item>> {
    let item = (of(address(text)), of(address(text)), meta(text), of(data(text)), any::<bool>())
        .prop_map(|(target, source, meta, data, more_data)| Item { target, source, meta, data, more_data });
    vec(item, 0..3).boxed()
}

fn credential(text: Texts) -> BoxedStrategy<Credential> {
    (meta(text), text()).prop_map(|(meta, data)| Credential { meta, data }).boxed()
}

fn status(text: Texts) -> BoxedStrategy<Command> {
    let references = (vec(text(), 0..3), vec(text(), 0..3));
    let rest = (of(credential(text)), of(meta(text)), 100_u16..600, items(text));
    (text(), text(), text(), text(), references, rest)
        .prop_map(|(cmd_id, msg_ref, cmd_ref, cmd, (target_refs, source_refs), (cred, chal, code, items))| {
            Command::Status(Status {
                cmd_id,
                msg_ref,
                cmd_ref,
                cmd,
                target_refs,
                source_refs,
                cred,
                chal: chal.map(|meta| Challenge { meta }),
                code: StatusCode(code),
                items,
            })
        })
        .boxed()
}

fn results(text: Texts) -> BoxedStrategy<Command> {
    (text(), of(text()), text(), meta(text), of(text()), of(text()), items(text))
        .prop_map(|(cmd_id, msg_ref, cmd_ref, meta, target_ref, source_ref, items)| {
            Command::Results(Results { cmd_id, msg_ref, cmd_ref, meta, target_ref, source_ref, items })
        })
        .boxed()
}

fn command(text: Texts) -> BoxedStrategy<Command> {
    let kind =
        prop_oneof![Just(WriteKind::Add), Just(WriteKind::Copy), Just(WriteKind::Delete), Just(WriteKind::Replace)];
    let unsupported = prop_oneof![Just("Put"), Just("Search"), Just("Sync"), Just("Map"), Just("Move")];
    let flat = prop_oneof![
        (text(), text(), of(text()), items(text)).prop_map(|(cmd_id, code, correlator, items)| Command::Alert(Alert {
            cmd_id,
            code,
            correlator,
            items
        })),
        (kind, text(), meta(text), items(text)).prop_map(|(kind, cmd_id, meta, items)| Command::Write(Write {
            kind,
            cmd_id,
            meta,
            items
        })),
        (text(), meta(text), items(text)).prop_map(|(cmd_id, meta, items)| Command::Get(Get { cmd_id, meta, items })),
        (text(), meta(text), of(text()), items(text))
            .prop_map(|(cmd_id, meta, correlator, items)| Command::Exec(Exec { cmd_id, meta, correlator, items })),
        (unsupported, text()).prop_map(|(name, cmd_id)| Command::Unsupported { name: name.into(), cmd_id }),
        status(text),
        results(text),
    ];
    flat.prop_recursive(3, 12, 3, move |inner| {
        let kind = prop_oneof![Just(NestedKind::Atomic), Just(NestedKind::Sequence)];
        (kind, text(), meta(text), vec(inner, 0..3))
            .prop_map(|(kind, cmd_id, meta, commands)| Command::Nested(Nested { kind, cmd_id, meta, commands }))
    })
    .boxed()
}

/// Any message the types can say and XML can carry.
pub(crate) fn message(text: Texts) -> BoxedStrategy<Message> {
    let version = prop_oneof![3 => Just("1.2"), 1 => Just("1.1"), 1 => Just("1.0")];
    let names = (version, text(), some_text(text), some_text(text));
    let rest = (address(text), address(text), of(text()), any::<bool>(), of(credential(text)), meta(text));
    (names, rest, vec(command(text), 0..6), any::<bool>())
        .prop_map(|((ver_dtd, ver_proto, session_id, msg_id), rest, commands, is_final)| {
            let (target, source, resp_uri, no_resp, cred, meta) = rest;
            let header = Header {
                ver_dtd: ver_dtd.into(),
                ver_proto,
                session_id,
                msg_id,
                target,
                source,
                resp_uri,
                no_resp,
                cred,
                meta,
            };
            Message { header, commands, is_final }
        })
        .boxed()
}

/// Any form a profile can choose.
pub(crate) fn style() -> BoxedStrategy<Style> {
    let version = prop_oneof![Just(WbxmlVersion::V1_1), Just(WbxmlVersion::V1_2), Just(WbxmlVersion::V1_3)];
    let data = prop_oneof![Just(DataForm::ByCommand), Just(DataForm::Inline), Just(DataForm::Opaque)];
    (any::<[bool; 6]>(), version, data)
        .prop_map(|([xml_declaration, doctype, prefix, cdata, text, base64], wbxml_version, data)| Style {
            xml_declaration,
            doctype,
            meta_namespace: if prefix { MetaNamespace::Prefix } else { MetaNamespace::EachChild },
            markup: if cdata { MarkupForm::Cdata } else { MarkupForm::References },
            wbxml_version,
            public_id: if text { PublicIdForm::Text } else { PublicIdForm::Number },
            data,
            octets: if base64 { OctetsForm::Base64 } else { OctetsForm::Opaque },
        })
        .boxed()
}

/// A tree document in canonical XML, of any elements of code page 2 in any order but for its root, which libwbxml takes
/// for another document where it stands again.
pub(crate) fn tree_document(text: Texts) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        1 => Just(String::new()),
        2 => text().prop_filter("white space alone is no text", |it| !it.trim().is_empty()).prop_map(|text| {
            let mut out = Vec::new();
            put_text(&text, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        }),
    ];
    let named = |(name, inside): (&str, String)| {
        if inside.is_empty() { format!("<{name}/>") } else { format!("<{name}>{inside}</{name}>") }
    };
    let inner_names: Vec<&str> = DDF.into_iter().filter(|name| *name != "MgmtTree").collect();
    let names = select(inner_names);
    let element = (names.clone(), leaf).prop_map(named);
    let elements = element.prop_recursive(5, 30, 5, move |inner| {
        (names.clone(), vec(inner, 0..5).prop_map(|children| children.concat())).prop_map(named)
    });
    vec(elements, 1..6)
        .prop_map(|children| format!("<MgmtTree xmlns=\"syncml:dmddf1.2\">{}</MgmtTree>", children.concat()))
        .boxed()
}
