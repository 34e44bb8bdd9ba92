use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::*;
use crate::{
    dm1::{Action, Order, Outcome},
    syncml::{Command, Message},
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
    max_msg_size: Option<u64>,
    orders: u8,
}

fn codes() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![200_u16, 202, 212, 213, 215, 216, 304, 400, 401, 404, 407, 413, 500, 507])
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
        prop::option::of(200..20_000_u64),
        0..6_u8,
    )
        .prop_map(|(step, parts, is_final, cred, max_msg_size, orders)| Turn {
            step,
            parts,
            is_final,
            cred,
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
            _ => Order { tag: tag(), action: Action::Sequence(vec![get(tag(), "./E")]) },
        })
        .collect()
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
    ) {
        let mut world = if logged_in { World::logged_in() } else { World::new() };
        world.server_nonce = server.then(|| b"first".to_vec());
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
            match world.try_receive(message.clone()) {
                Ok(received) => count(&mut given, &received.outcomes),
                Err(violation) => {
                    prop_assert_eq!(&world.session, &before);
                    let reply = world.session.refuse(&IDENTITY, &message, violation.status());
                    count(&mut given, &reply.outcomes);
                    break;
                }
            }
            let stored = serde_json::to_string(&world.session).unwrap();
            world.session = serde_json::from_str(&stored).unwrap();
            let reply = world.answer(orders(turn.orders, &mut next, &mut given));
            count(&mut given, &reply.outcomes);
            prop_assert_eq!(reply.over, world.session.is_over());
            prop_assert_eq!(reply.message.header.source.uri.as_str(), SERVER);
            last = Some(reply.message);
        }

        count(&mut given, &world.session.close());
        prop_assert!(given.values().all(|it| *it == 1), "{:?}", given);
    }
}
