//! Departures of devices: each field of [`Quirks`] changes what is sent, and nothing else does.
use super::world::*;
use crate::dm1::{Action, Answer, Note, Order, Quirks, Reply, Stage};

fn order(tag: u32, action: Action) -> Order {
    Order { tag, action }
}

fn confirm(tag: u32) -> Order {
    let action = Action::Confirm { text: "?".into(), min_display_s: None, max_display_s: None, default_accept: None };
    order(tag, action)
}

fn exec(tag: u32, correlator: &str) -> Order {
    order(tag, Action::Exec { uri: "./E".into(), data: None, correlator: Some(correlator.into()) })
}

fn world_with(change: impl FnOnce(&mut Quirks)) -> World {
    let mut world = World::logged_in();
    change(&mut world.quirks);
    world
}

/// The order is sent to an ordinary device, and answered 406 unsent for one with the quirk.
fn is_kept_back(given: Order, change: impl FnOnce(&mut Quirks)) {
    let ordinary = World::logged_in().answer(vec![given.clone()]);
    let reply = world_with(change).answer(vec![given, get(99, "./Next")]);

    assert_eq!(ordinary.outcomes, vec![]);
    assert!(!reply.outcomes.is_empty());
    for outcome in &reply.outcomes {
        assert_eq!((outcome.answer, outcome.note), (code(406), Some(Note::Unsupported)));
    }
    assert_eq!(asked(&reply.message), ["Get"], "the others go out");
}

#[test]
fn command_that_the_device_does_not_take_is_not_sent() {
    let copy = || order(1, Action::Copy { source: "./A".into(), target: "./B".into() });
    let list = order(1, Action::GetMany { uris: vec!["./A".into(), "./B?list=Struct".into()] });

    is_kept_back(copy(), |it| it.copy = false);
    is_kept_back(get(1, "./A?list=TNDS"), |it| it.list = false);
    is_kept_back(list, |it| it.list = false);
    is_kept_back(confirm(1), |it| it.user_interaction = false);
    is_kept_back(order(1, Action::Sequence(vec![confirm(2), delete(3, "./A")])), |it| it.user_interaction = false);
    is_kept_back(order(1, Action::Atomic(vec![delete(2, "./A")])), |it| it.atomic = false);
    is_kept_back(order(1, Action::Atomic(vec![copy()])), |it| it.copy = false);
}

#[test]
fn atomic_that_adds_and_replaces_one_node_is_kept_back_where_the_device_cannot_do_it() {
    let add = |tag, uri: &str| {
        order(tag, Action::Add { uri: uri.into(), format: Some("chr".into()), kind: None, data: Some("a".into()) })
    };
    let rewrite = order(1, Action::Atomic(vec![add(2, "./A"), replace(3, "./A", "b")]));
    let other = order(1, Action::Atomic(vec![add(2, "./A"), replace(3, "./B", "b")]));

    is_kept_back(rewrite, |it| it.atomic_rewrites = false);
    assert_eq!(world_with(|it| it.atomic_rewrites = false).answer(vec![other]).outcomes, vec![]);
}

#[test]
fn correlator_is_left_out_for_a_device_that_does_not_know_it() {
    let sent = |knows: bool| {
        let mut world = world_with(|it| it.correlator = knows);
        let sequence = order(2, Action::Sequence(vec![exec(3, "corr-2")]));
        let reply = world.answer(vec![exec(1, "corr-1"), sequence]);
        let text = String::from_utf8(reply.message.encode(crate::syncml::Encoding::Xml).unwrap()).unwrap();
        assert_eq!(text.matches("<Exec>").count(), 2);
        text.matches("<Correlator>").count()
    };

    assert_eq!((sent(true), sent(false)), (2, 0));
}

#[test]
fn size_of_messages_is_that_of_the_profile_whatever_the_device_announces() {
    let orders = || (1..=10).map(|tag| replace(tag, "./A", &"x".repeat(300))).collect::<Vec<_>>();
    let sent = |max_msg_size, announced| {
        let mut world = World::new();
        world.quirks.max_msg_size = max_msg_size;
        let draft = package_1(1).md5(b"stored");
        world.receive(if let Some(bytes) = announced { draft.max_msg_size(bytes) } else { draft });
        asked(&world.answer(orders()).message).len()
    };

    assert_eq!(sent(Some(100_000), Some(2_000)), 10);
    assert_eq!(sent(Some(100_000), None), 10);
    assert!(sent(Some(2_000), Some(100_000)) < 5);
    assert!(sent(None, Some(2_000)) < 5);
}

/// A device that takes no Sequence.
fn unrolled(members: Vec<Order>) -> (World, Reply) {
    let mut world = world_with(|it| it.sequence = false);
    let reply = world.answer(vec![order(1, Action::Sequence(members)), get(9, "./Last")]);
    (world, reply)
}

#[test]
fn sequence_goes_out_member_by_member_in_order_to_a_device_that_takes_none() {
    let (mut world, first) = unrolled(vec![replace(2, "./A", "a"), exec(3, "c"), delete(4, "./B")]);

    let replaced = world.receive(package_3(2, 1).status(1, 4, 200));
    let second = world.answer(vec![]);
    let executed = world.receive(package_3(3, 2).status(2, 2, 500));
    world.session = serde_json::from_str(&serde_json::to_string(&world.session).unwrap()).unwrap();
    let third = world.answer(vec![]);
    let deleted = world.receive(package_3(4, 3).status(3, 2, 200));
    let last = world.answer(vec![]);

    let sent = [first, second, third, last].map(|it| asked(&it.message).concat());
    assert_eq!(sent, ["Replace", "Exec", "Delete", "Get"], "a failed member stops nothing");
    assert_eq!(answers(&replaced.outcomes), [(2, code(200))]);
    assert_eq!(answers(&executed.outcomes), [(3, code(500))]);
    assert_eq!(answers(&deleted.outcomes), [(4, code(200)), (1, code(200))]);
    assert_eq!(deleted.outcomes[1].note, Some(Note::Inferred));
}

#[test]
fn what_follows_a_question_that_was_not_answered_yes_stays_behind() {
    for refusal in [304, 214, 408, 406] {
        let (mut world, _) = unrolled(vec![confirm(2), exec(3, "c"), delete(4, "./B")]);

        let received = world.receive(package_3(2, 1).status(1, 4, refusal));
        let reply = world.answer(vec![]);

        let expected = [(2, code(refusal)), (3, code(215)), (4, code(215)), (1, code(200))];
        assert_eq!(answers(&received.outcomes), expected);
        assert_eq!(asked(&reply.message), ["Get"]);
    }
    let (mut world, _) = unrolled(vec![confirm(2), exec(3, "c")]);
    world.receive(package_3(2, 1).status(1, 4, 200));
    assert_eq!(asked(&world.answer(vec![]).message), ["Exec"], "yes");
}

#[test]
fn question_without_any_answer_lets_nothing_through() {
    let (mut world, _) = unrolled(vec![confirm(2), exec(3, "c")]);

    let received = world.receive(package_3(2, 1));

    assert_eq!(answers(&received.outcomes), [(2, Answer::None), (3, code(215)), (1, code(200))]);
}

#[test]
fn unrolled_sequence_waits_for_the_orders_before_it() {
    let mut world = world_with(|it| it.sequence = false);

    let first = world.answer(vec![get(9, "./A"), order(1, Action::Sequence(vec![delete(2, "./B"), delete(3, "./C")]))]);
    world.receive(package_3(2, 1).status(1, 4, 404));
    let second = world.answer(vec![]);

    assert_eq!(asked(&first.message), ["Get"]);
    assert_eq!(asked(&second.message), ["Delete"]);
}

#[test]
fn unrolled_sequence_that_is_withdrawn_or_lost_tells_what_was_sent() {
    let begun = || unrolled(vec![delete(2, "./A"), delete(3, "./B")]).0;

    assert_eq!(
        answers(&begun().session.close()),
        [(2, Answer::None), (3, Answer::NotSent), (1, code(200)), (9, Answer::NotSent)]
    );
    let mut world = begun();
    let withdrawn = world.session.withdraw();
    let received = world.receive(package_3(2, 1).status(1, 4, 200));
    assert_eq!(answers(&withdrawn), [(3, Answer::NotSent), (9, Answer::NotSent)]);
    assert_eq!(answers(&received.outcomes), [(2, code(200)), (1, code(200))]);
    assert_eq!(received.stage, Stage::Ready);
}

#[test]
fn member_that_fits_no_message_ends_alone() {
    let (_, reply) = unrolled(vec![replace(2, "./A", &"x".repeat(6_000)), delete(3, "./B")]);

    assert_eq!(answers(&reply.outcomes), [(2, code(413))]);
    assert_eq!(asked(&reply.message), ["Delete"]);
}

#[test]
fn sequence_of_which_no_member_fits_ends_and_the_next_order_goes_out() {
    let (_, reply) = unrolled(vec![replace(2, "./A", &"x".repeat(6_000))]);

    assert_eq!(answers(&reply.outcomes), [(2, code(413)), (1, code(200))]);
    assert_eq!(asked(&reply.message), ["Get"]);
}

#[test]
fn challenged_member_is_sent_again_before_those_behind_it() {
    let mut world = World::with_server_credential();
    world.quirks.sequence = false;
    world.answer(vec![order(1, Action::Sequence(vec![delete(2, "./A"), get(3, "./B")]))]);

    world.receive(message(2).header_chal(1, 401, "syncml:auth-md5", Some(b"fresh")).status(1, 4, 401));
    let again = world.answer(vec![]);
    let received = world.receive(message(3).status(2, 0, 212).status(2, 2, 200));
    let next = world.answer(vec![]);

    assert_eq!((asked(&again.message), asked(&next.message)), (vec!["Delete".to_owned()], vec!["Get".to_owned()]));
    assert_eq!(answers(&received.outcomes), [(2, code(200))]);
}

#[test]
fn quirks_are_read_from_text_with_defaults_and_without_surprises() {
    let read = |text: &str| serde_json::from_str::<Quirks>(text).map_err(|it| it.to_string());

    assert_eq!(read("{}"), Ok(Quirks::default()));
    let libdmclient =
        Quirks { sequence: false, copy: false, list: false, large_objects: Some(false), ..Quirks::default() };
    assert_eq!(read(r#"{"sequence":false,"copy":false,"list":false,"large_objects":false}"#), Ok(libdmclient.clone()));
    assert_eq!(read(&serde_json::to_string(&libdmclient).unwrap()), Ok(libdmclient));
    assert!(read(r#"{"sequences":false}"#).unwrap_err().contains("unknown field"));
}
