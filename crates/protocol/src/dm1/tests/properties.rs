use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::*;
use crate::{
    dm1::{Action, InputKind, ORDERS_MAX, Order, Outcome, Quirks, mac},
    syncml::{Command, Encoding, Message},
};

/// One part of a message of the device.
#[derive(Clone, Debug)]
enum Part {
    Header(u32, u16, Option<bool>),
    Status(u32, u32, u16),
    /// Every command of our last message.
    All(u16),
    Results(Option<u32>, u32, bool),
    Chunk(u32, Option<u64>, &'static str, bool),
    Alert(&'static str),
    Info,
    Command,
}

#[derive(Clone, Debug)]
struct Turn {
    step: u32,
    parts: Vec<Part>,
    is_final: bool,
    cred: Option<u8>,
    /// A MAC beside the message: a right one, or one of another nonce.
    sealed: Option<bool>,
    max_msg_size: Option<u64>,
    orders: u8,
}

fn codes() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![200_u16, 202, 212, 213, 213, 215, 216, 304, 400, 401, 404, 407, 413, 424, 500, 507])
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        (0..4_u32, codes(), any::<Option<bool>>()).prop_map(|(back, code, chal)| Part::Header(back, code, chal)),
        (0..4_u32, 0..12_u32, codes()).prop_map(|(back, cmd, code)| Part::Status(back, cmd, code)),
        codes().prop_map(Part::All),
        (prop::option::of(0..4_u32), 0..12_u32, any::<bool>())
            .prop_map(|(back, cmd, more)| Part::Results(back, cmd, more)),
        prop::sample::select(vec!["1201", "1222", "1224", "1225", "1226", "100", ""]).prop_map(Part::Alert),
        prop::bool::weighted(0.03).prop_map(|abort| if abort { Part::Alert("1223") } else { Part::Info }),
        (2..6_u32, prop::option::of(0..6_u64), prop::sample::select(vec!["", "ab", "abc"]), any::<bool>())
            .prop_map(|(cmd, size, text, more)| Part::Chunk(cmd, size, text, more)),
        Just(Part::Command),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    (
        prop_oneof![9 => Just(1_u32), 1 => 0..4_u32],
        prop::collection::vec(part(), 0..8),
        prop::bool::weighted(0.8),
        prop_oneof![6 => Just(None), 3 => Just(Some(0_u8)), 1 => Just(Some(1_u8))],
        prop_oneof![8 => Just(None), 2 => Just(Some(true)), 1 => Just(Some(false))],
        prop::option::of(200..20_000_u64),
        0..10_u8,
    )
        .prop_map(|(step, parts, is_final, cred, sealed, max_msg_size, orders)| Turn {
            step,
            parts,
            is_final,
            cred,
            sealed,
            max_msg_size,
            orders,
        })
}

fn draft(turn: &Turn, number: u32, last: Option<&Message>) -> Message {
    let ours: u32 = last.map_or(0, |it| it.header.msg_id.parse().unwrap());
    let mut draft = message(number);
    for part in &turn.parts {
        draft = match part {
            Part::Header(back, code, None) => draft.status(ours.saturating_sub(*back), 0, *code),
            Part::Header(back, code, Some(md5)) => {
                let kind = if *md5 { "syncml:auth-md5" } else { "syncml:auth-basic" };
                draft.header_chal(ours.saturating_sub(*back), *code, kind, Some(b"nonce"))
            }
            Part::Status(back, cmd, code) => draft.status(ours.saturating_sub(*back), *cmd, *code),
            Part::All(code) => last.iter().flat_map(|it| &it.commands).fold(draft, |draft, command| match command {
                Command::Status(_) => draft,
                _ => draft.status(ours, command.cmd_id().parse().unwrap(), *code),
            }),
            Part::Results(back, cmd, more) => {
                let mut draft = draft.results(back.map(|it| ours.saturating_sub(it)), *cmd, &[("./A", "a")]);
                if let Some(Command::Results(results)) = draft.0.commands.last_mut() {
                    results.items[0].more_data = *more;
                }
                draft
            }
            Part::Alert(code) => draft.alert(code),
            Part::Chunk(cmd, size, text, more) => {
                let mut draft = draft.results(Some(ours), *cmd, &[("/A", text)]);
                if let Some(Command::Results(results)) = draft.0.commands.last_mut() {
                    results.items[0].more_data = *more;
                    results.items[0].meta.size = *size;
                }
                draft
            }
            Part::Info => draft.dev_info(&[("./DevInfo/Man", "M")]),
            Part::Command => draft.push(|cmd_id| Command::Unsupported { name: "Put".into(), cmd_id }),
        };
    }
    draft = match turn.cred {
        Some(0) => draft.md5(b"stored"),
        Some(_) => draft.md5(b"guess"),
        None => draft,
    };
    draft.0.is_final = turn.is_final;
    draft.0.header.meta.max_msg_size = turn.max_msg_size;
    draft.0
}

fn orders(count: u8, next: &mut u32, given: &mut BTreeMap<u32, u32>) -> Vec<Order> {
    let mut tag = || {
        *next += 1;
        given.insert(*next, 0);
        *next
    };
    (0..count)
        .map(|at| match at {
            0 => get(tag(), "./A"),
            1 => get(tag(), "./A?list=Struct"),
            2 => replace(tag(), "./B", &"x".repeat(900)),
            3 => Order { tag: tag(), action: Action::Atomic(vec![delete(tag(), "./C"), replace(tag(), "./D", "d")]) },
            4 => Order {
                tag: tag(),
                action: Action::Sequence(vec![get(tag(), "./E"), input(tag()), delete(tag(), "./F")]),
            },
            5 => replace(tag(), "./G", &"g".repeat(9_000)),
            6 => Order { tag: tag(), action: Action::Copy { source: "./H".into(), target: "./I".into() } },
            7 => Order { tag: tag(), action: Action::GetMany { uris: vec!["./J".into(), "./K".into()] } },
            _ => input(tag()),
        })
        .collect()
}

fn input(tag: u32) -> Order {
    let action = Action::Input {
        text: "?".into(),
        min_display_s: None,
        max_display_s: None,
        default: None,
        length_max: None,
        kind: InputKind::Date,
        is_secret: false,
    };
    Order { tag, action }
}

fn quirks() -> impl Strategy<Value = Quirks> {
    (any::<[bool; 5]>(), any::<Option<bool>>(), prop::option::of(200..9_000_u32)).prop_map(
        |([sequence, atomic, copy, list, user_interaction], large_objects, max_msg_size)| Quirks {
            sequence,
            atomic,
            copy,
            list,
            user_interaction,
            large_objects,
            max_msg_size,
            ..Quirks::default()
        },
    )
}

/// Takes the message with or without a MAC.
fn receive(world: &mut World, turn: &Turn, message: &Message) -> Result<crate::dm1::Received, crate::dm1::Violation> {
    let Some(right) = turn.sealed else { return world.try_receive(message.clone()) };
    let body = message.encode(Encoding::Xml).unwrap();
    let nonce: &[u8] = if right { b"stored" } else { b"guess" };
    let header = format!("username=\"dev-user\", mac={}", mac("dev-user", "dev-secret", nonce, &body));
    world.receive_octets(&body, Some(&header))
}

/// What a session kept as text is when it is read again.
fn stored(world: &World) -> (usize, crate::dm1::Session) {
    let text = serde_json::to_string(&world.session).unwrap();
    (text.len(), serde_json::from_str(&text).unwrap())
}

fn count(given: &mut BTreeMap<u32, u32>, outcomes: &[Outcome]) {
    for outcome in outcomes {
        *given.get_mut(&outcome.tag).expect("the outcome of an order that was given") += 1;
    }
}

proptest! {
    #[test]
    fn every_order_has_exactly_one_outcome_whatever_the_device_says(
        turns in prop::collection::vec(turn(), 1..12),
        server in any::<bool>(),
        logged_in in prop::bool::weighted(0.8),
        each_message in prop::bool::weighted(0.2),
        quirks in quirks(),
    ) {
        let mut world = if logged_in { World::logged_in() } else { World::new() };
        world.server_nonce = server.then(|| b"first".to_vec());
        world.each_message = each_message;
        world.quirks = quirks;
        let (mut next, mut given, mut number) = (0, BTreeMap::new(), 0);
        let mut last = None;
        if logged_in {
            number = 1;
            let reply = world.answer(orders(3, &mut next, &mut given));
            count(&mut given, &reply.outcomes);
            last = Some(reply.message);
        }
        for turn in turns {
            number += turn.step;
            let message = draft(&turn, number, last.as_ref());
            let before = world.session.clone();
            match receive(&mut world, &turn, &message) {
                Ok(received) => count(&mut given, &received.outcomes),
                Err(violation) => {
                    prop_assert_eq!(&world.session, &before);
                    let reply = world.session.refuse(&IDENTITY, &message, violation.status());
                    count(&mut given, &reply.outcomes);
                    break;
                }
            }
            prop_assert_eq!(&stored(&world).1, &world.session);
            let reply = world.answer(orders(turn.orders, &mut next, &mut given));
            count(&mut given, &reply.outcomes);
            let (octets, session) = stored(&world);
            prop_assert_eq!(&session, &world.session);
            let open = given.values().filter(|it| **it == 0).count();
            prop_assert!(open <= ORDERS_MAX);
            prop_assert!(octets < 4_000 + 600 * message.commands.len() + 30_000 * (open + 1), "{octets} for {open} orders");
            prop_assert_eq!(reply.over, world.session.is_over());
            prop_assert_eq!(reply.message.header.source.uri.as_str(), SERVER);
            last = Some(reply.message);
        }

        count(&mut given, &world.session.close());
        prop_assert!(given.values().all(|it| *it == 1), "{:?}", given);
    }
}
