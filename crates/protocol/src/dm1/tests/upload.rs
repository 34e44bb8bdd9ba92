//! Large objects that the server sends.
use super::world::*;
use crate::{
    dm1::{Action, Answer, AuthType, Note, Order, Reply, Session, Stage},
    syncml::{Command, Encoding, Item, ItemData, Message},
};

const SIZE: u64 = 1_800;

/// A device that takes large objects and messages of this size.
fn world_of(max_msg_size: u64) -> World {
    let mut world = World::new();
    world.large_objects = true;
    world.receive(package_1(1).md5(b"stored").max_msg_size(max_msg_size));
    world
}

fn object(tag: u32, bytes: usize) -> Order {
    let text: String = ('a'..='z').cycle().take(bytes).collect();
    let data = Some(ItemData::Text(text.into()));
    let action =
        Action::Add { uri: "./Blob".into(), format: Some("chr".into()), kind: Some("text/plain".into()), data };
    Order { tag, action }
}

/// The item of the only command of a message.
fn item(message: &Message) -> Item {
    let commands: Vec<_> = message.commands.iter().filter(|it| !matches!(it, Command::Status(_))).collect();
    match commands.as_slice() {
        [Command::Write(it)] => it.items[0].clone(),
        [Command::Exec(it)] => it.items[0].clone(),
        other => panic!("one command with a part: {other:?}"),
    }
}

fn number(reply: &Reply) -> u32 {
    reply.message.header.msg_id.parse().unwrap()
}

/// The command number of the only command.
fn command(reply: &Reply) -> u32 {
    reply.message.commands.last().unwrap().cmd_id().parse().unwrap()
}

/// The device says this to the part.
fn said(reply: &Reply, code: u16) -> Draft {
    let to = number(reply);
    package_3(to + 1, to).status(to, command(reply), code)
}

/// It took the part and asks for more.
fn more(reply: &Reply) -> Draft {
    said(reply, 213).alert("1222").without_final()
}

/// Lets the device take every part. Returns the items and the last answer, which nobody has replied to.
fn send(world: &mut World, mut reply: Reply) -> (Vec<Item>, Reply) {
    let mut items = Vec::new();
    loop {
        items.push(item(&reply.message));
        if reply.message.is_final {
            return (items, reply);
        }
        let received = world.receive(more(&reply));
        assert_eq!((received.stage, received.outcomes), (Stage::NextPart, vec![]));
        world.session = serde_json::from_str(&serde_json::to_string(&world.session).unwrap()).unwrap();
        reply = world.answer(vec![]);
    }
}

fn text(items: &[Item]) -> String {
    items.iter().map(|it| it.data.as_ref().unwrap().as_text().unwrap()).collect()
}

#[test]
fn object_goes_out_in_parts_one_to_a_message_and_ends_with_the_last_status() {
    let mut world = world_of(SIZE);

    let first = world.answer(vec![object(1, 2_000), get(2, "./A")]);
    let (items, last) = send(&mut world, first);
    let received = world.receive(said(&last, 201));
    let next = world.answer(vec![]);

    assert!(items.len() > 2);
    assert_eq!(text(&items).len(), 2_000);
    assert!(text(&items).starts_with("abc") && text(&items).contains("xyzabc"));
    for (at, item) in items.iter().enumerate() {
        assert_eq!(item.meta.size, (at == 0).then_some(2_000), "the first part tells the size");
        assert_eq!(item.more_data, at + 1 < items.len());
        assert_eq!(
            (item.target.as_ref().unwrap().uri.as_str(), item.meta.kind.as_deref()),
            ("./Blob", Some("text/plain"))
        );
        assert_eq!(item.meta.format.as_deref(), Some("chr"));
    }
    assert_eq!(answers(&received.outcomes), [(1, code(201))]);
    assert_eq!(asked(&next.message), ["Get"], "nothing else went out between the parts");
}

#[test]
fn every_message_with_a_part_is_as_long_as_the_device_takes_and_no_longer() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let mut world = World::new();
        world.session = Session::new("A1", encoding);
        world.large_objects = true;
        world.receive(package_1(1).md5(b"stored").max_msg_size(SIZE));
        let mut reply = world.answer(vec![object(1, 5_000)]);
        loop {
            let octets = reply.message.encode(encoding).unwrap().len() as u64;
            assert!(octets <= SIZE, "{octets}");
            if reply.message.is_final {
                break;
            }
            assert!(octets >= SIZE - 20, "{octets} octets, although there was more to send");
            world.receive(more(&reply));
            reply = world.answer(vec![]);
        }
    }
}

#[test]
fn part_ends_between_characters_however_they_are_written() {
    let mut world = world_of(SIZE);
    let value = "é<&\u{1F600}".repeat(300);
    let order = replace(1, "./Blob", &value);

    let first = world.answer(vec![order]);
    let (items, _) = send(&mut world, first);

    assert!(items.len() > 3);
    assert_eq!(text(&items), value);
    assert_eq!(items[0].meta.size, Some(value.len() as u64), "mark-up does not count");
}

#[test]
fn octets_are_cut_in_their_base64_text_which_is_what_the_size_counts() {
    let octets: Vec<u8> = (0..=255).cycle().take(2_000).collect();
    let action = Action::Replace {
        uri: "./Blob".into(),
        format: Some("bin".into()),
        kind: None,
        data: Some(ItemData::Opaque(octets.clone())),
    };
    let mut xml = world_of(SIZE);
    let mut wbxml = World { session: Session::new("A1", Encoding::Wbxml), ..world_of(SIZE) };
    wbxml.receive(package_1(1).md5(b"stored").max_msg_size(SIZE));

    let first = xml.answer(vec![Order { tag: 1, action: action.clone() }]);
    let (as_text, _) = send(&mut xml, first);
    let first = wbxml.answer(vec![Order { tag: 1, action }]);
    let (raw, _) = send(&mut wbxml, first);

    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(&octets);
    assert_eq!((text(&as_text), as_text[0].meta.size), (encoded.clone(), Some(encoded.len() as u64)));
    assert!(as_text.iter().all(|it| it.meta.format.as_deref() == Some("b64")));
    let joined: Vec<u8> = raw.iter().flat_map(|it| it.data.as_ref().unwrap().as_bytes().to_vec()).collect();
    assert_eq!((joined, raw[0].meta.size), (octets, Some(2_000)));
    assert_eq!(raw[0].meta.format.as_deref(), Some("bin"));
}

#[test]
fn replace_and_exec_are_cut_too_but_neither_containers_nor_questions() {
    let data = Some(ItemData::Text("x".repeat(2_000).into()));
    let exec = Action::Exec { uri: "./E".into(), data, correlator: Some("c".into()) };
    let confirm = Action::Confirm {
        text: "x".repeat(2_000).into(),
        min_display_s: None,
        max_display_s: None,
        default_accept: None,
    };

    for action in [exec, replace(1, "./R", &"x".repeat(2_000)).action] {
        let mut world = world_of(SIZE);
        let first = world.answer(vec![Order { tag: 1, action }]);
        assert_eq!(text(&send(&mut world, first).0).len(), 2_000);
    }
    for action in [Action::Atomic(vec![object(2, 2_000)]), Action::Sequence(vec![object(2, 2_000)]), confirm] {
        let reply = world_of(SIZE).answer(vec![Order { tag: 1, action }]);
        assert_eq!((reply.outcomes[0].answer, reply.outcomes[0].note), (code(413), Some(Note::TooLarge)));
        assert!(reply.over);
    }
}

#[test]
fn device_that_takes_no_large_objects_is_sent_none() {
    let ask = |large_objects, quirk| {
        let mut world = world_of(SIZE);
        world.large_objects = large_objects;
        world.quirks.large_objects = quirk;
        world.answer(vec![object(1, 2_000)]).outcomes.first().map(|it| it.note)
    };

    assert_eq!(ask(false, None), Some(Some(Note::TooLarge)));
    assert_eq!(ask(true, Some(false)), Some(Some(Note::TooLarge)), "whatever it says");
    assert_eq!(ask(true, None), None);
    assert_eq!(ask(false, Some(true)), None);
}

#[test]
fn object_beyond_the_bound_of_this_server_is_not_begun() {
    let bound = 1 << 20;

    assert_eq!(world_of(SIZE).answer(vec![object(1, bound)]).outcomes, vec![]);
    assert_eq!(answers(&world_of(SIZE).answer(vec![object(1, bound + 1)]).outcomes), [(1, code(413))]);
}

#[test]
fn object_that_fits_when_its_turn_comes_goes_out_whole_and_without_a_size() {
    let mut world = world_of(SIZE);

    let reply = world.answer(vec![object(1, 100)]);

    let item = item(&reply.message);
    assert!(reply.message.is_final && !item.more_data && item.meta.size.is_none());
}

#[test]
fn object_waits_until_the_orders_before_it_are_answered() {
    let mut world = world_of(SIZE);

    let first = world.answer(vec![get(1, "./A"), object(2, 2_000), get(3, "./B")]);
    let received = world.receive(said(&first, 404));
    let part = world.answer(vec![get(4, "./C")]);

    assert_eq!((asked(&first.message), first.message.is_final), (vec!["Get".to_owned()], true));
    assert_eq!((received.stage, answers(&received.outcomes)), (Stage::Ready, vec![(1, code(404))]));
    assert_eq!((asked(&part.message), part.message.is_final), (vec!["Add".to_owned()], false));
    assert_eq!(part.outcomes, vec![], "orders given now wait like the others");
}

#[test]
fn orders_given_between_the_parts_are_not_taken() {
    let mut world = world_of(SIZE);
    let first = world.answer(vec![object(1, 2_000)]);
    world.receive(more(&first));

    let reply = world.answer(vec![get(2, "./A")]);

    assert_eq!((answers(&reply.outcomes), reply.outcomes[0].note), (vec![(2, Answer::NotSent)], Some(Note::NotTaken)));
    assert_eq!(asked(&reply.message), ["Add"]);
}

#[test]
fn device_that_always_closes_its_package_gets_the_next_part_all_the_same() {
    let mut world = world_of(SIZE);
    let first = world.answer(vec![object(1, 2_000)]);

    let received = world.receive(said(&first, 213));

    assert_eq!((received.stage, received.outcomes), (Stage::NextPart, vec![]));
    assert_eq!(asked(&world.answer(vec![]).message), ["Add"]);
}

#[test]
fn refusal_of_a_part_is_the_outcome_and_the_session_goes_on_with_the_next_order() {
    for refusal in [413, 416, 404, 420, 425, 500] {
        let mut world = world_of(SIZE);
        let first = world.answer(vec![object(1, 2_000), get(2, "./A")]);

        let received = world.receive(said(&first, refusal).without_final());
        let reply = world.answer(vec![]);

        assert_eq!((received.stage, answers(&received.outcomes)), (Stage::Ready, vec![(1, code(refusal))]));
        assert_eq!((asked(&reply.message), reply.message.is_final), (vec!["Get".to_owned()], true));
    }
}

#[test]
fn part_taken_for_the_whole_is_no_success() {
    let mut world = world_of(SIZE);
    let first = world.answer(vec![object(1, 2_000)]);

    let received = world.receive(said(&first, 200));

    assert_eq!(
        (answers(&received.outcomes), received.outcomes[0].note),
        (vec![(1, code(426))], Some(Note::Interrupted))
    );
}

#[test]
fn last_part_taken_for_one_of_several_is_no_success() {
    let mut world = world_of(SIZE);
    let first = world.answer(vec![object(1, 1_500)]);
    let (_, last) = send(&mut world, first);

    let received = world.receive(said(&last, 213));

    assert_eq!(
        (answers(&received.outcomes), received.outcomes[0].note),
        (vec![(1, code(426))], Some(Note::Interrupted))
    );
    assert_eq!(received.stage, Stage::Ready);
}

#[test]
fn object_of_the_wrong_size_is_sent_once_more_from_its_start_and_not_a_third_time() {
    let mut world = world_of(SIZE);
    let first = world.answer(vec![object(1, 2_000)]);
    let (items, last) = send(&mut world, first);

    let wrong = world.receive(said(&last, 424));
    let again = world.answer(vec![]);
    let (items_again, last) = send(&mut world, again);
    let given_up = world.receive(said(&last, 424));

    assert_eq!((wrong.stage, wrong.outcomes), (Stage::Ready, vec![]));
    assert_eq!(text(&items_again), text(&items));
    assert_eq!(items_again[0].meta.size, Some(2_000));
    assert_eq!(
        (answers(&given_up.outcomes), given_up.outcomes[0].note),
        (vec![(1, code(424))], Some(Note::Interrupted))
    );
}

#[test]
fn object_that_the_device_says_broke_off_is_sent_once_more() {
    let mut world = world_of(SIZE);
    let first = world.answer(vec![object(1, 2_000)]);
    world.receive(more(&first));
    let second = world.answer(vec![]);

    let to = number(&second);
    let broken = world.receive(package_3(to + 1, to).alert("1225").without_final());
    let again = world.answer(vec![]);
    let (items, last) = send(&mut world, again);
    let received = world.receive(said(&last, 200));

    assert_eq!((broken.stage, broken.outcomes), (Stage::NextPart, vec![]));
    assert_eq!((items[0].meta.size, text(&items).len()), (Some(2_000), 2_000));
    assert_eq!(answers(&received.outcomes), [(1, code(200))]);
}

#[test]
fn device_that_owes_the_status_of_a_part_is_asked_for_it() {
    let mut world = world_of(SIZE);
    let first = world.answer(vec![object(1, 2_000)]);

    let empty = world.receive(package_3(2, 1).without_final());
    let ask = world.answer(vec![]);
    let late = world.receive(package_3(3, 2).status(1, command(&first), 213).without_final());

    assert_eq!((empty.stage, asked(&ask.message)), (Stage::NextMessage, vec!["Alert 1222".to_owned()]));
    assert!(!ask.message.is_final);
    assert_eq!(late.stage, Stage::NextPart);
    assert_eq!(asked(&world.answer(vec![]).message), ["Add"]);
}

#[test]
fn device_that_closes_its_package_without_a_word_on_the_part_has_not_got_the_object() {
    let mut world = world_of(SIZE);
    world.answer(vec![object(1, 2_000)]);

    let received = world.receive(package_3(2, 1));

    assert_eq!(
        (answers(&received.outcomes), received.outcomes[0].note),
        (vec![(1, code(426))], Some(Note::Interrupted))
    );
    assert_eq!(received.stage, Stage::Ready);
}

#[test]
fn session_that_ends_between_the_parts_leaves_the_object_surely_not_written() {
    let begun = || {
        let mut world = world_of(SIZE);
        let first = world.answer(vec![object(1, 2_000), get(2, "./A")]);
        world.receive(more(&first));
        world
    };
    let expected = vec![(1, Answer::NotSent), (2, Answer::NotSent)];

    assert_eq!(answers(&begun().session.close()), expected);
    assert_eq!(answers(&begun().abort().outcomes), expected);
    let mut world = begun();
    let second = world.answer(vec![]);
    let abort = said(&second, 213).alert("1223");
    assert_eq!(answers(&world.receive(abort).outcomes), expected);
    let mut world = begun();
    assert_eq!(answers(&world.session.withdraw()), expected);
    assert!(world.answer(vec![]).over, "with nothing left to send the session ends");
}

#[test]
fn whole_object_without_an_answer_may_have_been_written() {
    let mut world = world_of(SIZE);
    let first = world.answer(vec![object(1, 1_500)]);
    send(&mut world, first);

    assert_eq!(answers(&world.session.close()), [(1, Answer::None)]);
}

#[test]
fn challenge_amid_an_object_starts_it_again_with_the_credential() {
    let mut world = world_of(SIZE);
    world.server_nonce = Some(b"first".to_vec());
    let first = world.answer(vec![object(1, 2_000)]);
    let cmd = command(&first);

    let challenged =
        message(2).header_chal(1, 401, "syncml:auth-md5", Some(b"fresh")).status(1, cmd, 401).without_final();
    let received = world.receive(challenged);
    let again = world.answer(vec![]);
    let (items, last) = send(&mut world, again);
    let done = world.receive(said(&last, 200));

    assert_eq!((received.stage, received.outcomes), (Stage::NextPart, vec![]));
    assert_eq!((items[0].meta.size, text(&items).len()), (Some(2_000), 2_000));
    assert_eq!(answers(&done.outcomes), [(1, code(200))]);
}

#[test]
fn client_that_must_prove_itself_again_amid_an_object_loses_nothing() {
    let mut world = world_of(SIZE);
    let first = world.answer(vec![object(1, 2_000)]);

    let doubtful = world.receive(more(&first).md5(b"guess"));
    world.answer(vec![]);
    let proved = world.receive(package_3(3, 2).status(1, command(&first), 213).md5(b"challenge").without_final());

    assert_eq!((doubtful.stage, proved.stage), (Stage::Challenge, Stage::NextPart));
    assert_eq!(item(&world.answer(vec![]).message).meta.size, None, "the second part");
}

#[test]
fn largest_object_of_the_device_bounds_what_is_cut() {
    let ask = |max: u64| {
        let mut world = World::new();
        world.large_objects = true;
        let mut draft = package_1(1).md5(b"stored").max_msg_size(SIZE);
        draft.0.header.meta.max_obj_size = Some(max);
        world.receive(draft);
        answers(&world.answer(vec![object(1, 2_000)]).outcomes)
    };

    assert_eq!(ask(1_999), [(1, code(413))]);
    assert_eq!(ask(2_000), []);
}

#[test]
fn message_too_short_for_any_part_ends_the_object_with_413() {
    let mut world = world_of(300);
    let mut reply = world.answer(vec![object(1, 2_000)]);
    while reply.outcomes.is_empty() {
        assert_eq!(asked(&reply.message), ["Alert 1222"], "statuses go first, one by one");
        world.receive(said(&reply, 200));
        reply = world.answer(vec![]);
    }

    assert_eq!((answers(&reply.outcomes), reply.outcomes[0].note), (vec![(1, code(413))], Some(Note::TooLarge)));
    assert!(reply.over);
}

#[test]
fn credential_in_each_message_goes_with_the_parts_too() {
    let mut world = world_of(SIZE);
    world.server_nonce = Some(b"first".to_vec());
    world.weakest = AuthType::Md5;
    let first = world.answer(vec![object(1, 2_000)]);
    let draft = message(2).header_chal(1, 200, "syncml:auth-md5", Some(b"second")).status(1, command(&first), 213);

    world.receive(draft.alert("1222").without_final());
    let second = world.answer(vec![]);

    assert!(first.message.header.cred.is_some() && second.message.header.cred.is_some());
    assert!(second.message.encode(Encoding::Xml).unwrap().len() as u64 <= SIZE);
}
