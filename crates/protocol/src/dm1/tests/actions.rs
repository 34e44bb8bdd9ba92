//! Commands besides the common ones, and what devices answer to containers.
use super::world::*;
use crate::{
    dm1::{Action, Answer, Note, Order, Stage},
    syncml::{Command, ItemData, StatusCode, WriteKind},
};

fn order(tag: u32, action: Action) -> Order {
    Order { tag, action }
}

fn copy(tag: u32) -> Order {
    order(tag, Action::Copy { source: "./B1".into(), target: "./B2".into() })
}

#[test]
fn copy_names_what_is_read_and_what_is_made() {
    let reply = World::logged_in().answer(vec![copy(1)]);

    let Some(Command::Write(write)) = reply.message.commands.last() else { panic!("no Copy") };
    let item = &write.items[0];
    assert_eq!(write.kind, WriteKind::Copy);
    assert_eq!(
        (item.target.as_ref().unwrap().uri.as_str(), item.source.as_ref().unwrap().uri.as_str()),
        ("./B2", "./B1")
    );
    assert_eq!((&item.data, item.meta.is_empty()), (&None, true));
}

#[test]
fn copy_is_allowed_in_both_containers() {
    for container in [Action::Atomic(vec![copy(2)]), Action::Sequence(vec![copy(2)])] {
        assert_eq!(World::logged_in().answer(vec![order(1, container)]).outcomes, vec![]);
    }
}

#[test]
fn get_of_several_nodes_collects_their_statuses_and_results() {
    let uris = vec!["./A".into(), "./B".into(), "./C".into()];
    let mut world = World::logged_in();
    let reply = world.answer(vec![order(1, Action::GetMany { uris })]);
    let Some(Command::Get(get)) = reply.message.commands.last() else { panic!("no Get") };
    assert_eq!(get.items.len(), 3);

    let first = world.receive(
        package_3(2, 1)
            .status_of(1, 4, "./A", 200)
            .status_of(1, 4, "./B", 404)
            .results(Some(1), 4, &[("./A", "a")])
            .without_final(),
    );
    world.answer(vec![]);
    let second = world.receive(package_3(3, 2).status_of(1, 4, "./C", 200).results(Some(1), 4, &[("./C", "c")]));

    assert_eq!(first.outcomes, vec![]);
    let [outcome] = second.outcomes.as_slice() else { panic!("one outcome") };
    assert_eq!((outcome.answer, outcome.statuses.len()), (code(404), 3));
    assert_eq!(outcome.nodes.iter().map(|it| it.uri.as_str()).collect::<Vec<_>>(), ["./A", "./C"]);
}

#[test]
fn get_of_no_node_is_not_allowed() {
    let reply = World::logged_in().answer(vec![order(1, Action::GetMany { uris: vec![] })]);

    assert_eq!(reply.outcomes[0].note, Some(Note::NotAllowed));
}

#[test]
fn list_of_a_structure_comes_as_a_result_for_each_node_or_as_one_for_all() {
    let nodes = [("./A", ""), ("./A/B", ""), ("./A/B/C", "")];
    let together = package_3(2, 1).status(1, 4, 200).results(Some(1), 4, &nodes);
    let apart = nodes.iter().fold(package_3(2, 1).status(1, 4, 200), |it, node| it.results(Some(1), 4, &[*node]));

    for draft in [together, apart] {
        let mut world = World::asked(vec![get(1, "./A?list=Struct")]);
        let received = world.receive(draft);
        assert_eq!(
            received.outcomes[0].nodes.iter().map(|it| it.uri.as_str()).collect::<Vec<_>>(),
            nodes.map(|it| it.0)
        );
    }
}

#[test]
fn list_as_tnds_is_one_result_of_text_or_octets() {
    for data in [ItemData::from("<MgmtTree/>"), ItemData::Opaque(vec![2, 0, 0, 0x6A, 255])] {
        let mut world = World::asked(vec![get(1, "./A?list=TNDS+Value-ACL")]);
        let mut draft = package_3(2, 1).status(1, 4, 200).results(Some(1), 4, &[("./A?list=TNDS+Value-ACL", "")]);
        let Some(Command::Results(results)) = draft.0.commands.last_mut() else { panic!("no Results") };
        results.items[0].data = Some(data.clone());
        results.items[0].meta.format = Some("xml".into());
        results.items[0].meta.kind = Some("application/vnd.syncml.dmtnds+xml".into());

        let received = world.receive(draft);

        let node = &received.outcomes[0].nodes[0];
        assert_eq!((node.data.clone(), node.format.as_str()), (Some(data), "xml"));
        assert_eq!(node.uri, "./A?list=TNDS+Value-ACL", "as the device named it");
    }
}

#[test]
fn property_is_read_and_written_by_its_address_without_meta() {
    let action = Action::Replace { uri: "./A?prop=ACL".into(), format: None, kind: None, data: Some("Get=*".into()) };
    let mut world = World::logged_in();
    let reply = world.answer(vec![order(1, action), get(2, "./A?prop=ACL")]);
    let Some(Command::Write(write)) = reply.message.commands.get(3) else { panic!("no Replace") };
    assert!(write.items[0].meta.is_empty());

    let draft = package_3(2, 1).status(1, 4, 200).status(1, 5, 200).results(Some(1), 5, &[("./A?prop=ACL", "")]);
    let received = world.receive(draft);

    assert_eq!(received.outcomes[1].nodes[0].uri, "./A?prop=ACL");
}

#[test]
fn roll_back_of_an_atomic_is_told_member_by_member() {
    let atomic = || order(1, Action::Atomic(vec![replace(2, "./A", "a"), delete(3, "./B"), replace(4, "./C", "c")]));
    for (container, members) in [
        (507, [216, 404, 215]), // rolled back, failed, never run
        (507, [516, 500, 215]), // the roll back failed too
        (517, [216, 216, 216]), // the answer would not fit one message
        (200, [200, 200, 200]),
    ] {
        let mut world = World::asked(vec![atomic()]);
        let draft = package_3(2, 1).status(1, 4, container);
        let draft = (5..).zip(members).fold(draft, |draft, (cmd, code)| draft.status(1, cmd, code));

        let received = world.receive(draft);

        let codes: Vec<_> = received.outcomes.iter().map(|it| it.answer).collect();
        assert_eq!(codes, [&[container], members.as_slice()].concat().into_iter().map(code).collect::<Vec<_>>());
        assert!(received.outcomes.iter().all(|it| it.note.is_none()));
    }
}

#[test]
fn members_that_a_failed_atomic_says_nothing_of_were_not_carried_out() {
    let atomic = order(1, Action::Atomic(vec![replace(2, "./A", "a"), delete(3, "./B")]));
    let mut world = World::asked(vec![atomic]);

    let received = world.receive(package_3(2, 1).status(1, 4, 517));

    assert_eq!(answers(&received.outcomes), [(1, code(517)), (2, code(517)), (3, code(517))]);
    assert_eq!(received.outcomes[1].note, Some(Note::Inferred));
}

#[test]
fn statuses_of_one_package_may_come_in_several_messages_and_in_any_order() {
    let mut world = World::asked(vec![delete(1, "./A"), delete(2, "./B"), delete(3, "./C")]);

    let first = world.receive(package_3(2, 1).status(1, 6, 200).without_final());
    world.answer(vec![]);
    let second = world.receive(package_3(3, 2).status(1, 4, 404).without_final());
    world.answer(vec![]);
    let third = world.receive(package_3(4, 3).status(1, 5, 403));

    assert_eq!(answers(&first.outcomes), [(3, code(200))]);
    assert_eq!(answers(&second.outcomes), [(1, code(404))]);
    assert_eq!(answers(&third.outcomes), [(2, code(403))]);
}

#[test]
fn one_status_may_cover_all_items_and_name_none_or_all() {
    let uris = vec!["./A".into(), "./B".into()];
    for targets in [vec![], vec!["./A".into(), "./B".into()]] {
        let mut world = World::asked(vec![order(1, Action::GetMany { uris: uris.clone() })]);
        let draft = package_3(2, 1).status_with(1, 4, 200, |it| it.target_refs = targets.clone());

        let received = world.receive(draft);

        assert_eq!(received.outcomes[0].answer, code(200));
        assert_eq!(received.outcomes[0].statuses.len(), targets.len().max(1));
    }
}

#[test]
fn no_resp_is_read_and_ignored() {
    let mut world = World::new();
    let mut draft = package_1(1).md5(b"stored");
    draft.0.header.no_resp = true;

    world.receive(draft);

    assert_eq!(statuses(&world.answer(vec![]).message).len(), 3);
}

#[test]
fn element_that_is_no_command_is_answered_400_and_a_command_without_a_number_too() {
    let mut world = World::new();
    let draft = package_1(1)
        .md5(b"stored")
        .push(|cmd_id| Command::Unsupported { name: "Frobnicate".into(), cmd_id })
        .push(|cmd_id| Command::Unsupported { name: "Sync".into(), cmd_id })
        .push(|_| Command::Unsupported { name: "Put".into(), cmd_id: "".into() });
    world.receive(draft);

    let reply = world.answer(vec![]);

    let expected = [("1 3 Frobnicate", 400), ("1 4 Sync", 501), ("1  Put", 400)];
    assert_eq!(statuses(&reply.message)[3..], expected.map(|(of, code)| (of.to_owned(), code)));
}

#[test]
fn vendor_codes_and_codes_of_data_synchronisation_count_by_their_class() {
    for (sent, is_success) in [(207, true), (210, true), (450, false), (419, false), (599, false)] {
        let mut world = World::asked(vec![delete(1, "./A")]);

        let received = world.receive(package_3(2, 1).status(1, 4, sent));

        let Answer::Status(code) = received.outcomes[0].answer else { panic!("a status") };
        assert_eq!((code.0, code.is_success()), (sent, is_success));
    }
    assert_eq!(StatusCode::parse("0"), StatusCode::COMMAND_FAILED);
}

#[test]
fn our_abort_keeps_what_was_done_until_then() {
    let mut world = World::asked(vec![delete(1, "./A"), get(2, "./B"), delete(3, "./C")]);
    let received = world.receive(package_3(2, 1).status(1, 4, 200).status(1, 5, 200).without_final());

    let reply = world.abort();

    assert_eq!((received.stage, answers(&received.outcomes)), (Stage::NextMessage, vec![(1, code(200))]));
    // Of a read without its results nothing was done that could be kept.
    assert_eq!(answers(&reply.outcomes), [(2, Answer::None), (3, Answer::None)]);
    assert!(reply.message.is_final && world.session.is_over());
}

#[test]
fn answer_to_our_abort_is_not_taken() {
    let mut world = World::asked(vec![delete(1, "./A")]);
    world.receive(package_3(2, 1).without_final());
    world.abort();

    assert_eq!(world.try_receive(package_3(3, 2)).unwrap_err(), crate::dm1::Violation::Over);
}
