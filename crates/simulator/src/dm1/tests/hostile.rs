//! Whatever a server says, the device goes on or ends; it never panics and never grows without bound.

use muster_protocol::syncml::{
    Address, Alert, Command, Credential, Exec, Get, Header, Item, ItemData, Message, Meta, Nested, NestedKind, Results,
    Status, StatusCode, Text, Write, WriteKind,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::script::{Script, replace};
use crate::tree::NODES_MAX;

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        Just("0"),
        Just("1"),
        Just("2"),
        Just(""),
        Just("1101"),
        Just("1222"),
        Just("1223"),
        Just("b64"),
        Just("node"),
        Just("null"),
        Just("syncml:auth-md5"),
        Just("syncml:auth-basic"),
        Just("ü€𝄞"),
        Just("99999999999999999999"),
        Just("Get=*&Replace=*"),
        Just("<MgmtTree><Node><NodeName>x</NodeName><Node><NodeName>y</NodeName></Node></Node></MgmtTree>"),
        Just("application/vnd.syncml.dmtnds+xml")
    ]
    .prop_map(Text::from)
}

fn uri() -> impl Strategy<Value = Text> {
    prop_oneof![
        Just("."),
        Just("./"),
        Just(""),
        Just("/"),
        Just("./DevInfo"),
        Just("./DevInfo/Man"),
        Just("./A?prop=ACL"),
        Just(".?prop=ACL"),
        Just(".?list=TNDS"),
        Just("./Vendor?list=StructData"),
        Just("./Vendor/Example/Settings/x?prop=Name"),
        Just("./Vendor/Example/Settings/x?prop=ACL"),
        Just("./Inbox"),
        Just("./Inbox/x"),
        Just("./Vendor/Example/Settings/x"),
        Just("./Vendor/Example/Settings/x/y"),
        Just("./Vendor/Example/Name"),
        Just("./FUMO/Package/Download"),
        Just("././."),
        Just("../.."),
        Just("ü//€")
    ]
    .prop_map(Text::from)
}

fn meta() -> impl Strategy<Value = Meta> {
    let nonce = option::of(vec(any::<u8>(), 0..4));
    let sizes = option::of(prop_oneof![Just(0), Just(1), Just(700), Just(u64::MAX)]);
    (option::of(text()), option::of(text()), sizes.clone(), nonce, sizes).prop_map(
        |(format, kind, size, next_nonce, max_msg_size)| Meta {
            format,
            kind,
            size,
            next_nonce,
            max_msg_size,
            ..Meta::default()
        },
    )
}

fn item() -> impl Strategy<Value = Item> {
    let data = prop_oneof![text().prop_map(ItemData::Text), vec(any::<u8>(), 0..9).prop_map(ItemData::Opaque)];
    (option::of(uri()), option::of(uri()), meta(), option::of(data), any::<bool>()).prop_map(
        |(target, source, meta, data, more_data)| Item {
            target: target.map(Address::new),
            source: source.map(Address::new),
            meta,
            data,
            more_data,
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    let kind =
        prop_oneof![Just(WriteKind::Add), Just(WriteKind::Copy), Just(WriteKind::Delete), Just(WriteKind::Replace)];
    let leaf = prop_oneof![
        (kind, text(), meta(), vec(item(), 0..3))
            .prop_map(|(kind, cmd_id, meta, items)| { Command::Write(Write { kind, cmd_id, meta, items }) }),
        (text(), vec(item(), 0..3)).prop_map(|(cmd_id, items)| Command::Get(Get { cmd_id, items, ..Get::default() })),
        (text(), vec(item(), 0..3)).prop_map(|(cmd_id, items)| Command::Exec(Exec {
            cmd_id,
            items,
            ..Exec::default()
        })),
        (text(), text(), vec(item(), 0..4)).prop_map(|(cmd_id, code, items)| Command::Alert(Alert {
            cmd_id,
            code,
            items,
            ..Alert::default()
        })),
        (text(), vec(item(), 0..2)).prop_map(|(cmd_id, items)| Command::Results(Results {
            cmd_id,
            items,
            ..Results::default()
        })),
        (text(), text(), text(), 100_u16..600).prop_map(|(msg_ref, cmd_ref, cmd, code)| {
            Command::Status(Status { msg_ref, cmd_ref, cmd, code: StatusCode(code), ..Status::default() })
        }),
        (text(), text()).prop_map(|(name, cmd_id)| Command::Unsupported { name, cmd_id }),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let kind = prop_oneof![Just(NestedKind::Atomic), Just(NestedKind::Sequence)];
        (kind, text(), vec(inner, 0..4)).prop_map(|(kind, cmd_id, commands)| {
            Command::Nested(Nested { kind, cmd_id, meta: Meta::default(), commands })
        })
    })
}

fn header() -> impl Strategy<Value = Header> {
    let cred = (meta(), text()).prop_map(|(meta, data)| Credential { meta, data });
    (text(), option::of(uri()), option::of(cred), meta()).prop_map(|(msg_id, resp_uri, cred, meta)| Header {
        msg_id,
        resp_uri,
        cred,
        meta,
        ..Header::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_message_of_a_server_makes_the_device_panic(
        messages in vec((header(), vec(command(), 0..6), any::<bool>(), 0_u16..4), 1..6)
    ) {
        let mut script = Script::good();
        for (mut header, commands, is_final, good) in messages {
            // Most messages get past the checks of the header, so that their commands are reached.
            let mut all = Vec::new();
            if good > 0 {
                header.session_id = script.said.header.session_id.clone();
                script.msg_id += 1;
                header.msg_id = script.msg_id.to_string().into();
                let code = if good == 1 { StatusCode::INVALID_CREDENTIALS } else { StatusCode::AUTHENTICATED };
                all.push(script.status_of_header(code, super::script::md5_challenge(b"n")));
            }
            all.extend(commands);
            script.deliver(&Message { header, commands: all, is_final });
            prop_assert!(script.device.tree.len() <= NODES_MAX);
            for (at, said) in script.said.commands.iter().enumerate() {
                prop_assert_eq!(said.cmd_id().as_str(), (at + 1).to_string());
                // A client sends nothing else.
                prop_assert!(["Alert", "Replace", "Results", "Status"].contains(&said.name()), "{}", said.name());
            }
            if script.end.is_some() {
                break;
            }
        }
    }
}

#[test]
fn containers_nested_without_end_are_refused() {
    let mut command = replace("./Vendor/Example/Name", "deep");
    for _ in 0..200 {
        command = super::script::nested(NestedKind::Sequence, vec![command]);
    }
    let mut script = Script::good();

    script.send(vec![command]);

    assert!(script.statuses().contains(&("Sequence", 500)));
    assert_eq!(script.device.tree.text("./Vendor/Example/Name"), Some("M1"));
}
