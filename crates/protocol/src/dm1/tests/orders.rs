use super::world::*;
use crate::{
    dm1::{Action, Answer, NodeStatus, Note, Order, Stage},
    syncml::{Command, Item, StatusCode},
};

fn order(tag: u32, action: Action) -> Order {
    Order { tag, action }
}

#[test]
fn get_ends_with_its_status_and_its_results() {
    let mut world = World::asked(vec![get(7, "./DevDetail/FwV")]);

    let received = world.receive(package_3(2, 1).status(1, 4, 200).results(Some(1), 4, &[("./DevDetail/FwV", "1.0")]));

    assert_eq!(answers(&received.outcomes), [(7, code(200))]);
    let node = &received.outcomes[0].nodes[0];
    assert_eq!(
        (node.uri.as_str(), node.format.as_str(), node.data.clone()),
        ("./DevDetail/FwV", "chr", Some("1.0".into()))
    );
}

#[test]
fn get_waits_for_results_in_the_next_message() {
    let mut world = World::asked(vec![get(7, "./DevDetail/FwV")]);

    let first = world.receive(package_3(2, 1).status(1, 4, 200).without_final());
    world.answer(vec![]);
    let second = world.receive(package_3(3, 2).results(Some(1), 4, &[("./DevDetail/FwV", "1.0")]).without_final());

    assert_eq!(first.outcomes, vec![]);
    assert_eq!(answers(&second.outcomes), [(7, code(200))]);
}

#[test]
fn results_that_never_come_are_missing_when_the_package_ends() {
    let mut world = World::asked(vec![get(7, "./DevDetail/FwV")]);

    let received = world.receive(package_3(2, 1).status(1, 4, 200));

    assert_eq!(answers(&received.outcomes), [(7, code(200))]);
    assert_eq!(received.outcomes[0].nodes, vec![]);
}

#[test]
fn a_read_whose_results_were_still_to_come_is_not_answered_when_the_session_is_lost() {
    let mut world = World::asked(vec![get(7, "./DevDetail/FwV"), get(8, "./Nowhere"), replace(9, "./A", "a")]);
    let said = package_3(2, 1).status(1, 4, 200).status(1, 5, 404).status(1, 6, 200).without_final();
    let received = world.receive(said);
    assert_eq!(answers(&received.outcomes), [(8, code(404)), (9, code(200))]);

    let outcomes = world.session.close();

    assert_eq!(answers(&outcomes), [(7, Answer::None)]);
}

#[test]
fn commands_are_numbered_from_where_the_session_is_told_and_answered_by_those_numbers() {
    let mut world = World::new();
    world.session = world.session.numbered_from(10_000);
    world.receive(package_1(1).md5(b"stored"));
    let reply = world.answer(vec![get(7, "./A")]);
    let numbers: Vec<&str> = reply.message.commands.iter().map(|it| it.cmd_id().as_str()).collect();
    assert_eq!(numbers, ["1", "2", "3", "10004"]);

    let received = world.receive(package_3(2, 1).status(1, 4, 404).status(1, 10_004, 200).results(
        Some(1),
        10_004,
        &[("./A", "a")],
    ));

    assert_eq!(answers(&received.outcomes), [(7, code(200))]);
    assert_eq!(received.unexpected, 1);
}

#[test]
fn results_without_msg_ref_find_the_only_get_they_can_mean() {
    let mut world = World::logged_in();
    world.answer(vec![get(1, "./A")]);
    world.receive(package_3(2, 1).status(1, 4, 404));
    world.answer(vec![get(2, "./B")]);

    let received = world.receive(package_3(3, 2).status(2, 2, 200).results(None, 2, &[("./B", "b")]));

    assert_eq!(received.outcomes[0].nodes[0].data, Some("b".into()));
    assert_eq!(received.unexpected, 0);
}

#[test]
fn results_before_their_status_are_taken() {
    let mut world = World::asked(vec![get(1, "./A")]);

    let received = world.receive(package_3(2, 1).results(Some(1), 4, &[("./A", "a")]).status(1, 4, 200));

    assert_eq!(received.outcomes[0].nodes.len(), 1);
}

#[test]
fn results_without_any_status_count_as_success() {
    let mut world = World::asked(vec![get(1, "./A")]);

    let received = world.receive(package_3(2, 1).results(Some(1), 4, &[("./A", "a")]));

    assert_eq!((received.outcomes[0].answer, received.outcomes[0].note), (code(200), Some(Note::Inferred)));
}

#[test]
fn results_nobody_asked_for_are_answered_400_and_counted() {
    let mut world = World::asked(vec![delete(1, "./A")]);

    let received = world.receive(package_3(2, 1).status(1, 4, 200).results(Some(1), 4, &[("./A", "a")]).results(
        Some(9),
        9,
        &[("./B", "b")],
    ));
    let reply = world.answer(vec![]);

    assert_eq!((answers(&received.outcomes), received.unexpected), (vec![(1, code(200))], 2));
    let expected = [("2 0 SyncHdr", 212), ("2 3 Results", 400), ("2 4 Results", 400)];
    assert_eq!(statuses(&reply.message), expected.map(|(of, code)| (of.to_owned(), code)));
}

#[test]
fn list_collects_results_until_the_package_ends() {
    let mut world = World::asked(vec![get(1, "./A?list=StructData")]);

    let first = world
        .receive(package_3(2, 1).status(1, 4, 200).results(Some(1), 4, &[("./A", ""), ("./A/B", "b")]).without_final());
    world.answer(vec![]);
    let second = world.receive(package_3(3, 2).results(Some(1), 4, &[("./A/C", "c")]));

    assert_eq!(first.outcomes, vec![]);
    let uris: Vec<_> = second.outcomes[0].nodes.iter().map(|it| it.uri.as_str()).collect();
    assert_eq!(uris, ["./A", "./A/B", "./A/C"]);
}

#[test]
fn worst_of_several_statuses_decides_and_all_are_kept() {
    let mut world = World::asked(vec![get(1, "./A")]);

    let received = world.receive(
        package_3(2, 1).status_of(1, 4, "./A", 200).status_of(1, 4, "./A/B", 404).status_of(1, 4, "./A/C", 202),
    );

    let [outcome] = received.outcomes.as_slice() else { panic!("one outcome: {:?}", received.outcomes) };
    assert_eq!(outcome.answer, code(404));
    let kept = [("./A", 200), ("./A/B", 404), ("./A/C", 202)]
        .map(|(uri, code)| NodeStatus { uri: Some(uri.into()), code: StatusCode(code) });
    assert_eq!(outcome.statuses, kept);
}

#[test]
fn failure_below_400_is_worse_than_any_success() {
    let mut world = World::asked(vec![delete(1, "./A")]);

    let received = world.receive(package_3(2, 1).status(1, 4, 215).status(1, 4, 226));

    assert_eq!(answers(&received.outcomes), [(1, code(215))]);
}

#[test]
fn statuses_are_matched_by_reference_and_never_by_position() {
    let mut world = World::asked(vec![delete(1, "./A"), delete(2, "./B"), delete(3, "./C")]);

    let received = world.receive(package_3(2, 1).status(1, 6, 403).status(1, 4, 200).status(1, 5, 404));

    assert_eq!(answers(&received.outcomes), [(1, code(200)), (2, code(404)), (3, code(403))]);
}

#[test]
fn status_for_nothing_sent_is_counted_and_does_no_harm() {
    let mut world = World::asked(vec![delete(1, "./A")]);

    let received = world.receive(package_3(2, 1).status(1, 99, 500).status(7, 4, 500).status(1, 4, 200).status_with(
        1,
        4,
        200,
        |it| {
            it.cmd_ref = "x".into();
        },
    ));

    assert_eq!((answers(&received.outcomes), received.unexpected), (vec![(1, code(200))], 3));
    assert_eq!(statuses(&world.answer(vec![]).message).len(), 1, "no status for a status");
}

#[test]
fn order_without_a_status_has_no_answer_when_the_package_ends() {
    let mut world = World::asked(vec![delete(1, "./A"), delete(2, "./B")]);

    let received = world.receive(package_3(2, 1).status(1, 5, 200));

    assert_eq!(answers(&received.outcomes), [(1, Answer::None), (2, code(200))]);
    assert_eq!(received.stage, Stage::Ready);
}

#[test]
fn error_for_our_header_answers_orders_that_have_no_status() {
    let mut world = World::asked(vec![delete(1, "./A")]);

    let received = world.receive(message(2).status(1, 0, 513));

    assert_eq!((received.outcomes[0].answer, received.outcomes[0].note), (code(513), Some(Note::Inferred)));
}

#[test]
fn container_and_members_have_an_outcome_each() {
    let members = vec![replace(2, "./A", "one"), delete(3, "./B")];
    let mut world = World::asked(vec![order(1, Action::Atomic(members))]);

    let received =
        world.receive(package_3(2, 1).status(1, 4, 507).status_of(1, 5, "./A", 216).status_of(1, 6, "./B", 404));

    assert_eq!(answers(&received.outcomes), [(1, code(507)), (2, code(216)), (3, code(404))]);
}

#[test]
fn refused_container_answers_members_without_a_status_of_their_own() {
    let mut world = World::asked(vec![order(1, Action::Sequence(vec![get(2, "./A"), delete(3, "./B")]))]);

    let received = world.receive(package_3(2, 1).status(1, 4, 406));

    assert_eq!(answers(&received.outcomes), [(1, code(406)), (2, code(406)), (3, code(406))]);
}

#[test]
fn container_without_a_status_takes_the_worst_of_its_members() {
    let members = || order(1, Action::Atomic(vec![replace(2, "./A", "one"), delete(3, "./B")]));
    let mut all = World::asked(vec![members()]);
    let mut some = World::asked(vec![members()]);

    let all = all.receive(package_3(2, 1).status(1, 5, 200).status(1, 6, 404));
    let some = some.receive(package_3(2, 1).status(1, 5, 200));

    assert_eq!(answers(&all.outcomes)[0], (1, code(404)));
    assert_eq!(answers(&some.outcomes), [(1, Answer::None), (2, code(200)), (3, Answer::None)]);
}

#[test]
fn containers_that_oma_dm_does_not_allow_are_not_sent() {
    let mut world = World::logged_in();
    let bad = vec![
        order(1, Action::Atomic(vec![])),
        order(2, Action::Atomic(vec![get(3, "./A")])),
        order(4, Action::Sequence(vec![order(5, Action::Sequence(vec![get(6, "./A")]))])),
    ];

    let reply = world.answer(bad);

    assert_eq!(answers(&reply.outcomes), [1, 2, 3, 4, 5, 6].map(|tag| (tag, Answer::NotSent)));
    assert!(reply.outcomes.iter().all(|it| it.note == Some(Note::NotAllowed)));
    assert!(reply.over && asked(&reply.message).is_empty());
}

#[test]
fn confirm_asks_with_an_option_string_that_is_never_empty() {
    let confirm = |min_display_s, max_display_s, default_accept| {
        let text = "Install update now?".into();
        let action = Action::Confirm { text, min_display_s, max_display_s, default_accept };
        let reply = World::logged_in().answer(vec![order(1, action)]);
        let Some(Command::Alert(alert)) = reply.message.commands.last().cloned() else { panic!("no alert") };
        assert_eq!(alert.code, "1101");
        assert_eq!(alert.items[1].data, Some("Install update now?".into()));
        alert.items[0].data.clone().unwrap().as_text().unwrap().to_owned()
    };

    assert_eq!(confirm(None, None, None), "MINDT=1");
    assert_eq!(confirm(Some(10), Some(60), Some(true)), "MINDT=10&MAXDT=60&DR=1");
    assert_eq!(confirm(None, None, Some(false)), "MINDT=1&DR=0");
}

#[test]
fn answer_of_the_user_is_the_outcome() {
    for answer in [200, 304, 214, 215, 406, 408] {
        let action =
            Action::Confirm { text: "?".into(), min_display_s: None, max_display_s: None, default_accept: None };
        let mut world = World::asked(vec![order(1, action)]);

        let received = world.receive(package_3(2, 1).status_with(1, 4, answer, |it| {
            it.items = vec![Item { data: Some("2".into()), ..Item::default() }];
        }));

        assert_eq!(answers(&received.outcomes), [(1, code(answer))]);
        assert_eq!(received.outcomes[0].items[0].data, Some("2".into()));
    }
}

#[test]
fn exec_carries_its_correlator() {
    let action = Action::Exec { uri: "./FUMO/1/Download".into(), data: None, correlator: Some("corr-1".into()) };

    let reply = World::logged_in().answer(vec![order(1, action)]);

    let Some(Command::Exec(exec)) = reply.message.commands.last() else { panic!("no Exec") };
    assert_eq!(exec.correlator.as_deref(), Some("corr-1"));
    assert_eq!(exec.items[0].target.as_ref().unwrap().uri, "./FUMO/1/Download");
}

#[test]
fn nested_commands_share_the_numbers_of_the_message() {
    let reply =
        World::logged_in().answer(vec![order(1, Action::Sequence(vec![get(2, "./A"), get(3, "./B")])), get(4, "./C")]);

    let [.., Command::Nested(nested), last] = reply.message.commands.as_slice() else { panic!("no Sequence") };
    let inner: Vec<_> = nested.commands.iter().map(|it| it.cmd_id().as_str()).collect();
    assert_eq!((nested.cmd_id.as_str(), inner, last.cmd_id().as_str()), ("4", vec!["5", "6"], "7"));
}

#[test]
fn orders_are_taken_only_when_the_session_is_ready() {
    let mut world = World::new();
    world.receive(package_1(1));

    let reply = world.answer(vec![get(1, "./A")]);

    assert_eq!((answers(&reply.outcomes), reply.outcomes[0].note), (vec![(1, Answer::NotSent)], Some(Note::NotTaken)));
    assert!(asked(&reply.message).is_empty());
}

#[test]
fn no_new_order_goes_out_while_statuses_are_owed() {
    let mut world = World::asked(vec![get(1, "./A"), delete(2, "./B")]);
    world.receive(package_3(2, 1).status(1, 5, 200).without_final());

    let reply = world.answer(vec![get(3, "./C")]);

    assert_eq!(asked(&reply.message), ["Alert 1222"]);
    assert_eq!(answers(&reply.outcomes), [(3, Answer::NotSent)]);
}

#[test]
fn session_kept_as_text_goes_on_where_it_was() {
    let mut world = World::with_server_credential();
    let data = Some(crate::syncml::ItemData::Opaque(vec![0, 255]));
    let add = Action::Add { uri: "./A".into(), format: Some("bin".into()), kind: None, data };
    world.answer(vec![order(1, add), get(2, "./B")]);

    let text = serde_json::to_string(&world.session).unwrap();
    world.session = serde_json::from_str(&text).unwrap();
    let received = world.receive(package_3(2, 1).status(1, 4, 200).status(1, 5, 404));

    assert_eq!(answers(&received.outcomes), [(1, code(200)), (2, code(404))]);
}

#[test]
fn session_that_was_lost_tells_what_was_sent_from_what_was_not() {
    let mut world = World::new();
    world.receive(package_1(1).md5(b"stored").max_msg_size(2_200));
    world.answer((1..=10).map(|tag| replace(tag, "./A", &"x".repeat(300))).collect());

    let outcomes = world.session.close();

    let sent = outcomes.iter().filter(|it| it.answer == Answer::None).count();
    let waiting = outcomes.iter().filter(|it| it.answer == Answer::NotSent).count();
    assert_eq!(sent + waiting, 10);
    assert!(sent > 0 && waiting > 0);
    assert!(world.session.is_over());
}

#[test]
fn what_is_kept_of_one_package_has_a_bound_and_the_order_says_so() {
    let mut world = World::asked(vec![get(1, "./A?list=StructData"), delete(2, "./B")]);
    let mebibyte = "x".repeat(1 << 20);
    for number in 2..7 {
        let results = package_3(number, number - 1).results(Some(1), 4, &[("./A", &mebibyte)]);
        world.receive(results.without_final());
        world.answer(vec![]);
    }

    let received = world.receive(package_3(7, 6).status(1, 4, 200).status_of(1, 5, &mebibyte, 404));

    let [list, deleted] = received.outcomes.as_slice() else { panic!("two outcomes") };
    assert_eq!((list.answer, list.note, list.nodes.len()), (code(413), Some(Note::ResultLost), 3));
    assert_eq!((deleted.answer, deleted.statuses.len()), (code(404), 0));
}

#[test]
fn members_answered_early_still_tell_of_their_container() {
    let mut world = World::asked(vec![order(1, Action::Atomic(vec![replace(2, "./A", "a"), delete(3, "./B")]))]);

    let first = world.receive(package_3(2, 1).status(1, 5, 200).status(1, 6, 404).without_final());
    world.answer(vec![]);
    let second = world.receive(package_3(3, 2));

    assert_eq!(first.outcomes, vec![]);
    assert_eq!(answers(&second.outcomes), [(1, code(404)), (2, code(200)), (3, code(404))]);
}
