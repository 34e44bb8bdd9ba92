use proptest::prelude::*;

use super::world::*;
use crate::{
    dm1::{Action, Answer, Note, ORDERS_MAX, Order, Session, Stage},
    syncml::{Command, Encoding, ItemData},
};

fn orders(count: u32, bytes: usize) -> Vec<Order> {
    (1..=count).map(|tag| replace(tag, "./Vendor/Value", &"x".repeat(bytes))).collect()
}

/// Answers every command of the message, and tells how many there were.
fn answered(number: u32, reply: &crate::syncml::Message) -> (Draft, usize) {
    let to = number - 1;
    let commands: Vec<u32> = reply
        .commands
        .iter()
        .filter(|it| !matches!(it, Command::Status(_)))
        .map(|it| it.cmd_id().parse().unwrap())
        .collect();
    let count = commands.len();
    // A part of an object is taken as such.
    let code = if reply.is_final { 200 } else { 213 };
    let mut draft = commands.into_iter().fold(package_3(number, to), |draft, cmd| draft.status(to, cmd, code));
    draft.0.is_final = reply.is_final;
    (draft, count)
}

#[test]
fn orders_that_do_not_fit_go_out_with_the_next_answers_in_order() {
    let mut world = World::new();
    world.receive(package_1(1).md5(b"stored").max_msg_size(4_000));

    let mut reply = world.answer(orders(10, 1_000));
    let mut tags = Vec::new();
    let mut number = 1;
    while !reply.over {
        number += 1;
        let (draft, count) = answered(number, &reply.message);
        assert!((1..=2).contains(&count), "{count} of 1000 octets in a message of 4000");
        let received = world.receive(draft);
        tags.extend(received.outcomes.iter().map(|it| it.tag));
        reply = world.answer(vec![]);
    }

    assert_eq!(tags, (1..=10).collect::<Vec<_>>());
    assert!(number > 5);
}

#[test]
fn device_that_announces_nothing_gets_at_most_5000_octets() {
    let mut world = World::logged_in();

    let reply = world.answer(orders(10, 1_000));

    assert_eq!(asked(&reply.message).len(), 3);
}

#[test]
fn newest_announcement_counts() {
    let mut world = World::new();
    world.receive(package_1(1).md5(b"stored").max_msg_size(100_000));
    world.answer(vec![get(99, "./A")]);
    world.receive(package_3(2, 1).status(1, 4, 404).max_msg_size(3_000));

    let reply = world.answer(orders(10, 1_000));

    assert_eq!(asked(&reply.message).len(), 2);
}

#[test]
fn order_that_fits_no_message_ends_with_413_and_the_others_go_out() {
    let mut world = World::logged_in();
    let mut all = vec![replace(50, "./A", &"x".repeat(6_000))];
    all.push(Order { tag: 51, action: Action::Atomic(vec![replace(52, "./A", &"x".repeat(6_000))]) });
    all.extend(orders(1, 10));

    let reply = world.answer(all);

    assert_eq!(answers(&reply.outcomes), [50, 51, 52].map(|tag| (tag, code(413))));
    assert!(reply.outcomes.iter().all(|it| it.note == Some(Note::TooLarge)));
    assert_eq!(asked(&reply.message), ["Replace"]);
    assert_eq!(reply.message.commands.last().unwrap().cmd_id(), "4");
}

#[test]
fn statuses_that_take_all_the_room_put_the_orders_off() {
    let mut world = World::new();
    let draft = package_1(1).md5(b"stored").max_msg_size(3_000);
    let draft = (0..30).fold(draft, |draft, _| draft.alert("1222"));
    world.receive(draft);

    let mut replies = vec![world.answer(orders(1, 100))];
    while asked(&replies.last().unwrap().message) == ["Alert 1222"] {
        let number = u32::try_from(replies.len()).unwrap() + 1;
        let (draft, _) = answered(number, &replies.last().unwrap().message);
        let received = world.receive(draft);
        assert_eq!((received.stage, received.unexpected), (Stage::Ready, 0));
        replies.push(world.answer(vec![]));
    }

    let [first, .., last] = replies.as_slice() else { panic!("several answers") };
    assert!(!first.over && first.message.is_final);
    assert_eq!(asked(&last.message), ["Replace"]);
}

#[test]
fn statuses_that_do_not_fit_one_answer_go_out_with_the_next_ones_each_once_and_in_order() {
    let mut world = World::new();
    let draft = package_1(1).md5(b"stored").max_msg_size(2_000);
    world.receive((0..30).fold(draft, |draft, _| draft.alert("1222")));

    let (mut told, mut number, mut reply) = (Vec::new(), 1, world.answer(vec![]));
    loop {
        assert!(reply.message.encode(Encoding::Xml).unwrap().len() <= 2_000);
        assert_eq!(statuses(&reply.message)[0], (format!("{number} 0 SyncHdr"), 212), "the header comes first");
        told.extend(statuses(&reply.message).into_iter().skip(1));
        if reply.over {
            break;
        }
        number += 1;
        let (draft, _) = answered(number, &reply.message);
        world.receive(draft);
        reply = world.answer(vec![]);
    }

    let names = ["1 1 Alert".to_owned(), "1 2 Replace".to_owned()];
    let expected: Vec<_> = names.into_iter().chain((3..33).map(|it| format!("1 {it} Alert"))).collect();
    assert_eq!(told.into_iter().map(|it| it.0).collect::<Vec<_>>(), expected);
    assert!(number > 2);
}

#[test]
fn abort_of_the_device_is_answered_without_the_statuses_that_waited() {
    let mut world = World::new();
    let draft = package_1(1).md5(b"stored").max_msg_size(2_000);
    world.receive((0..30).fold(draft, |draft, _| draft.alert("1222")));
    world.answer(vec![]);

    world.receive(message(2).alert("1223"));

    let expected = [("2 0 SyncHdr".to_owned(), 200), ("2 1 Alert".to_owned(), 200)];
    assert_eq!(statuses(&world.answer(vec![]).message), expected);
}

#[test]
fn value_above_the_largest_object_of_the_device_is_answered_413_alone_or_in_a_container() {
    let mut world = World::new();
    let mut draft = package_1(1).md5(b"stored");
    draft.0.header.meta.max_obj_size = Some(100);
    world.receive(draft);
    let octets = |count| Order {
        tag: 6,
        action: Action::Add {
            uri: "./O".into(),
            format: Some("bin".into()),
            kind: None,
            data: Some(ItemData::Opaque(vec![255; count])),
        },
    };
    let atomic = Order { tag: 3, action: Action::Atomic(vec![delete(4, "./A"), replace(5, "./B", &"x".repeat(101))]) };

    let given = vec![replace(1, "./A", &"x".repeat(100)), replace(2, "./A", &"x".repeat(101)), atomic, octets(76)];
    let reply = world.answer(given);

    assert_eq!(answers(&reply.outcomes), [2, 3, 4, 5, 6].map(|tag| (tag, code(413))), "base64 of 76 octets is 104");
    assert!(reply.outcomes.iter().all(|it| it.note == Some(Note::TooLarge)));
    assert_eq!(asked(&reply.message), ["Replace"]);
    world.receive(package_3(2, 1).status(1, 4, 200));
    assert_eq!(asked(&world.answer(vec![octets(75)]).message), ["Add"], "the size stays in force, and 100 fit");
}

#[test]
fn orders_beyond_the_bound_come_back() {
    let mut world = World::logged_in();
    let count = u32::try_from(ORDERS_MAX).unwrap() + 1;

    let reply = world.answer((0..count).map(|tag| get(tag, "./A")).collect());

    assert_eq!(answers(&reply.outcomes), [(count - 1, Answer::NotSent)]);
    assert_eq!(reply.outcomes[0].note, Some(Note::NotTaken));
}

#[test]
fn order_that_the_encoding_cannot_carry_comes_back_and_the_others_go_out() {
    let mut world = World::logged_in();

    let reply = world.answer(vec![replace(1, "./A", "\u{1}"), get(2, "./B")]);

    assert_eq!(answers(&reply.outcomes), [(1, Answer::NotSent)]);
    assert_eq!(reply.outcomes[0].note, Some(Note::NotEncodable));
    assert_eq!(reply.message.commands.last().unwrap().cmd_id(), "4");
}

#[test]
fn exactly_what_fits_goes_out() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let fits = |max: u64| {
            let mut world = World::new();
            world.session = Session::new("A1", encoding);
            world.receive(package_1(1).md5(b"stored").max_msg_size(max));
            let reply = world.answer(orders(4, 100));
            (asked(&reply.message).len(), reply.message.encode(encoding).unwrap().len() as u64)
        };

        let (_, all) = fits(u64::MAX);

        assert_eq!(fits(all), (4, all), "{encoding:?}");
        assert_eq!(fits(all - 1).0, 3, "{encoding:?}");
    }
}

fn any_order() -> impl Strategy<Value = Action> {
    let text = || "[a-z<&\"é]{0,300}";
    let uri = || "\\./[A-Za-z/]{1,60}".prop_map(crate::syncml::Text::from);
    let data = prop_oneof![
        text().prop_map(|it| Some(ItemData::Text(it.into()))),
        prop::collection::vec(128..=255_u8, 1..300).prop_map(|it| Some(ItemData::Opaque(it))),
        Just(None),
    ];
    prop_oneof![
        uri().prop_map(|uri| Action::Get { uri }),
        (uri(), data).prop_map(|(uri, data)| Action::Add { uri, format: Some("bin".into()), kind: None, data }),
        text().prop_map(|text| Action::Confirm {
            text: text.into(),
            min_display_s: None,
            max_display_s: Some(60),
            default_accept: None
        }),
        uri().prop_map(|uri| Action::Sequence(vec![delete(1_000, &uri), get(1_000, &uri)])),
        (uri(), "[a-z<&\"é]{1000,9000}").prop_map(|(uri, text)| {
            let data = Some(ItemData::Text(text.into()));
            Action::Replace { uri, format: Some("chr".into()), kind: None, data }
        }),
        (uri(), prop::collection::vec(any::<u8>(), 1000..9000)).prop_map(|(uri, octets)| {
            let data = Some(ItemData::Opaque(octets));
            Action::Exec { uri, data, correlator: None }
        }),
    ]
}

proptest! {
    #[test]
    fn no_message_with_orders_is_longer_than_the_device_takes(
        actions in prop::collection::vec(any_order(), 1..20),
        max in 1_500..6_000_u64,
        is_wbxml in any::<bool>(),
        large_objects in any::<bool>(),
        alerts in 0..30_u8,
    ) {
        let encoding = if is_wbxml { Encoding::Wbxml } else { Encoding::Xml };
        let mut world = World::new();
        world.session = Session::new("A1", encoding);
        world.server_nonce = Some(b"first".to_vec());
        world.large_objects = large_objects;
        let draft = package_1(1).md5(b"stored").max_msg_size(max);
        world.receive((0..alerts).fold(draft, |draft, _| draft.alert("1222")));
        let given = actions.len();
        let orders = (0..).zip(actions).map(|(tag, action)| Order { tag, action }).collect();
        let (mut reply, mut number, mut ended) = (world.answer(orders), 1, Vec::new());
        while !reply.over {
            prop_assert!(reply.message.encode(encoding).unwrap().len() as u64 <= max);
            ended.extend(reply.outcomes.iter().map(|it| it.tag));
            number += 1;
            let (draft, _) = answered(number, &reply.message);
            ended.extend(world.receive(draft).outcomes.iter().map(|it| it.tag));
            reply = world.answer(vec![]);
        }
        ended.extend(reply.outcomes.iter().map(|it| it.tag));
        ended.retain(|tag| *tag < 1_000);
        ended.sort_unstable();

        prop_assert_eq!(ended, (0..u32::try_from(given).unwrap()).collect::<Vec<_>>());
    }
}
