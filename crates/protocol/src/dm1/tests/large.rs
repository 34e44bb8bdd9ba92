use super::world::*;
use crate::{
    dm1::{Note, Received, Reply, Stage},
    syncml::{Address, Command, Item, ItemData, Meta},
};

fn part(uri: &str, data: impl Into<ItemData>, size: Option<u64>, more_data: bool) -> Item {
    Item {
        source: Some(Address::new(uri)),
        meta: Meta { size, format: Some("chr".into()), kind: Some("a.b/Event".into()), ..Meta::default() },
        data: Some(data.into()),
        more_data,
        ..Item::default()
    }
}

impl Draft {
    fn part(self, cmd: u32, item: Item) -> Self {
        let mut draft = self.results(Some(1), cmd, &[]);
        let Some(Command::Results(results)) = draft.0.commands.last_mut() else { panic!("no Results") };
        results.items.push(item);
        draft
    }
}

/// A device that was asked for `./Blob` and answers in these parts, one in each message, the last with Final.
fn answer_in(parts: Vec<Item>) -> (Vec<Received>, Vec<Reply>) {
    let mut world = World::asked(vec![get(1, "./Blob")]);
    let count = parts.len();
    let (mut received, mut replies) = (Vec::new(), Vec::new());
    for (number, item) in (2..).zip(parts) {
        let mut draft = package_3(number, number - 1);
        if number == 2 {
            draft = draft.status(1, 4, 200);
        }
        draft = draft.part(4, item);
        draft.0.is_final = received.len() + 1 == count;
        received.push(world.receive(draft));
        replies.push(world.answer(vec![]));
    }
    (received, replies)
}

#[test]
fn object_in_parts_arrives_whole() {
    let parts = vec![
        part("./Blob", "0123", Some(10), true),
        part("./Blob", "4567", None, true),
        part("./Blob", "89", None, false),
    ];

    let (received, replies) = answer_in(parts);

    assert_eq!((received[0].stage, received[1].stage), (Stage::NextMessage, Stage::NextMessage));
    assert_eq!(statuses(&replies[0].message), [("2 0 SyncHdr".to_owned(), 212), ("2 3 Results".to_owned(), 213)]);
    assert_eq!(asked(&replies[0].message), ["Alert 1222"]);
    assert!(!replies[0].message.is_final);
    assert_eq!(statuses(&replies[2].message), [("4 0 SyncHdr".to_owned(), 212)]);
    let outcome = &received[2].outcomes[0];
    assert_eq!((outcome.answer, outcome.nodes[0].data.clone()), (code(200), Some("0123456789".into())));
    assert_eq!((outcome.nodes[0].uri.as_str(), outcome.nodes[0].kind.as_deref()), ("./Blob", Some("a.b/Event")));
}

#[test]
fn part_may_end_inside_a_character() {
    let (head, tail) = "aé".as_bytes().split_at(2);
    let octets = |it: &[u8]| ItemData::Opaque(it.to_vec());

    let (received, _) =
        answer_in(vec![part("./Blob", octets(head), Some(3), true), part("./Blob", octets(tail), None, false)]);

    assert_eq!(received[1].outcomes[0].nodes[0].data, Some("aé".into()));
}

#[test]
fn object_of_another_length_than_told_is_answered_424() {
    for (size, parts) in [(9, ["0123", "45"]), (5, ["0123", "45"])] {
        let (received, replies) =
            answer_in(vec![part("./Blob", parts[0], Some(size), true), part("./Blob", parts[1], None, false)]);

        let outcome = &received[1].outcomes[0];
        assert_eq!((outcome.answer, outcome.note), (code(424), Some(Note::ResultLost)), "{size} octets told");
        assert_eq!(outcome.nodes, vec![]);
        assert_eq!(statuses(&replies[1].message)[1].1, 424);
    }
}

#[test]
fn object_above_the_announced_size_is_answered_413_part_by_part() {
    let size = u64::from(IDENTITY.max_obj_size);

    let (received, replies) =
        answer_in(vec![part("./Blob", "0", Some(size + 1), true), part("./Blob", "1", None, false)]);
    let (_, edge) = answer_in(vec![part("./Blob", "0", Some(size), true)]);

    assert_eq!(received[1].outcomes[0].answer, code(413));
    assert_eq!(replies.iter().map(|it| statuses(&it.message).last().unwrap().1).collect::<Vec<_>>(), [413, 413]);
    assert_eq!(statuses(&edge[0].message).last().unwrap().1, 213);
}

#[test]
fn first_part_without_a_size_is_answered_411() {
    let (received, _) = answer_in(vec![part("./Blob", "0", None, true), part("./Blob", "1", None, false)]);

    assert_eq!(received[1].outcomes[0].answer, code(411));
}

#[test]
fn object_that_breaks_off_is_answered_with_1225_and_the_session_goes_on() {
    let mut world = World::asked(vec![get(1, "./Blob")]);
    world.receive(package_3(2, 1).status(1, 4, 200).part(4, part("./Blob", "0", Some(9), true)).without_final());
    world.answer(vec![]);

    let received = world.receive(package_3(3, 2));
    let reply = world.answer(vec![]);
    let last = world.receive(package_3(4, 3).status(3, 2, 200));

    assert_eq!(
        (answers(&received.outcomes), received.outcomes[0].note),
        (vec![(1, code(412))], Some(Note::ResultLost))
    );
    assert_eq!(asked(&reply.message), ["Alert 1225"]);
    let Some(Command::Alert(alert)) = reply.message.commands.last() else { panic!("no alert") };
    assert_eq!(alert.items[0].source.as_ref().unwrap().uri, "./Blob");
    assert!(!reply.over);
    assert_eq!((last.stage, last.unexpected), (Stage::Ready, 0));
}

#[test]
fn another_object_between_the_parts_breaks_the_first_off() {
    let mut world = World::asked(vec![get(1, "./A"), get(2, "./B")]);
    world.receive(package_3(2, 1).status(1, 4, 200).part(4, part("./A", "0", Some(2), true)).without_final());
    world.answer(vec![]);

    let received = world.receive(
        package_3(3, 2).status(1, 5, 200).part(5, part("./B", "b", None, false)).part(4, part("./A", "1", None, false)),
    );
    let reply = world.answer(vec![]);

    assert_eq!(answers(&received.outcomes), [(1, code(412)), (2, code(200))]);
    assert_eq!(asked(&reply.message), ["Alert 1225"]);
}

#[test]
fn get_is_not_finished_while_parts_are_to_come() {
    let mut world = World::asked(vec![get(1, "./Blob")]);
    let mut draft = package_3(2, 1).status(1, 4, 200).part(4, part("./Blob", "whole", None, false));
    let Some(Command::Results(results)) = draft.0.commands.last_mut() else { panic!("no Results") };
    results.items.push(part("./Blob/More", "0", Some(2), true));

    let received = world.receive(draft.without_final());

    assert_eq!(received.outcomes, vec![]);
}

#[test]
fn event_in_parts_is_one_alert() {
    let mut world = World::new();
    let alert = |draft: Draft, item| draft.alert_with("1226", Some("corr-1"), vec![item]);

    let first = alert(package_1(1).md5(b"stored"), part("./FUMO/1", "01", Some(4), true)).without_final();
    let first = world.receive(first);
    let reply = world.answer(vec![]);
    let second = world.receive(alert(package_3(2, 1), part("./FUMO/1", "23", None, false)));

    assert_eq!(first.alerts, vec![]);
    assert_eq!(statuses(&reply.message).last().unwrap().1, 213);
    assert_eq!((second.alerts.len(), second.alerts[0].data.clone()), (1, Some("0123".into())));
    assert_eq!(second.alerts[0].alert_type, "a.b/Event");
    assert_eq!(statuses(&world.answer(vec![]).message).last().unwrap().1, 200);
}

#[test]
fn parts_wait_in_a_stored_session() {
    let mut world = World::asked(vec![get(1, "./Blob")]);
    let first = part("./Blob", "01", Some(4), true);
    world.receive(package_3(2, 1).status(1, 4, 200).part(4, first).without_final());
    world.answer(vec![]);

    world.session = serde_json::from_str(&serde_json::to_string(&world.session).unwrap()).unwrap();
    let received = world.receive(package_3(3, 2).part(4, part("./Blob", "23", None, false)));

    assert_eq!(received.outcomes[0].nodes[0].data, Some("0123".into()));
}

#[test]
fn other_node_of_the_same_get_breaks_an_object_off() {
    let (received, replies) = answer_in(vec![part("./Blob", "0", Some(2), true), part("./Other", "1", None, false)]);

    assert_eq!(received[1].outcomes[0].answer, code(412));
    assert_eq!(asked(&replies[1].message), ["Alert 1225"]);
}

#[test]
fn message_without_a_part_breaks_an_object_off_and_the_package_goes_on() {
    let mut world = World::asked(vec![get(1, "./Blob"), get(2, "./B")]);
    world.receive(package_3(2, 1).status(1, 4, 200).part(4, part("./Blob", "0", Some(9), true)).without_final());
    world.answer(vec![]);

    let received = world.receive(package_3(3, 2).without_final());
    let reply = world.answer(vec![]);

    assert_eq!(answers(&received.outcomes), [(1, code(412))]);
    assert_eq!(asked(&reply.message), ["Alert 1225", "Alert 1222"]);
    assert!(!reply.message.is_final);
}

#[test]
fn object_that_was_refused_may_break_off_without_a_word() {
    let mut world = World::asked(vec![get(1, "./Blob")]);
    world.receive(package_3(2, 1).status(1, 4, 200).part(4, part("./Blob", "0", None, true)).without_final());
    world.answer(vec![]);

    let received = world.receive(package_3(3, 2).part(4, part("./Other", "1", None, false)));

    assert_eq!(answers(&received.outcomes), [(1, code(411))]);
    assert!(asked(&world.answer(vec![]).message).is_empty());
}

#[test]
fn size_of_base64_counts_its_characters() {
    let base64 = |data, size, more_data| {
        let part = part("./Blob", data, size, more_data);
        Item { meta: Meta { format: Some("b64".into()), ..part.meta }, ..part }
    };

    let (received, _) = answer_in(vec![base64("AAEC", Some(8), true), base64("Aw==", None, false)]);

    let node = &received[1].outcomes[0].nodes[0];
    assert_eq!((node.format.as_str(), node.data.clone()), ("b64", Some("AAECAw==".into())));
}
