//! What the device sends of itself.
use super::world::*;
use crate::{
    dm1::{Answer, EndReason, EventKind, Initiation, Stage, Violation},
    syncml::{Address, Command, Get, Item, Meta, Nested, NestedKind, StatusCode, Write, WriteKind},
};

fn event(kind: Option<&str>, data: &str) -> Item {
    Item {
        source: Some(Address::new("./FUMO/1")),
        meta: Meta { kind: kind.map(Into::into), format: Some("int".into()), ..Meta::default() },
        data: Some(data.into()),
        ..Item::default()
    }
}

/// Status of the third command of a package 1.
fn status_of(command: impl FnOnce(crate::syncml::Text) -> Command) -> u16 {
    let mut world = World::new();
    world.receive(package_1(1).md5(b"stored").push(command));
    statuses(&world.answer(vec![]).message)[3].1
}

#[test]
fn initiation_is_told() {
    for (alert, initiation) in [("1200", Initiation::Server), ("1201", Initiation::Client)] {
        let received = World::new().receive(message(1).alert(alert).md5(b"stored"));

        assert_eq!(received.initiation, Some(initiation));
    }
}

#[test]
fn each_item_of_a_generic_alert_is_an_event_without_its_type_prefix() {
    let mut world = World::new();
    let items = vec![
        event(Some("Reversed-Domain-Name:org.openmobilealliance.dm.firmwareupdate.download"), "200"),
        event(Some("com.example/Event"), "x"),
    ];

    let received = world.receive(package_1(1).md5(b"stored").alert_with("1226", Some("corr-1"), items));

    let [first, second] = received.alerts.as_slice() else { panic!("two events: {:?}", received.alerts) };
    assert_eq!(first.event, EventKind::GenericAlert);
    assert_eq!(first.alert_type, "org.openmobilealliance.dm.firmwareupdate.download");
    assert_eq!(first.raw_type, "Reversed-Domain-Name:org.openmobilealliance.dm.firmwareupdate.download");
    assert_eq!((first.mark.as_str(), first.format.as_str()), ("informational", "int"));
    assert_eq!(first.source.as_deref(), Some("./FUMO/1"));
    assert_eq!((first.correlator.as_deref(), first.data.clone()), (Some("corr-1"), Some("200".into())));
    assert_eq!(second.alert_type, "com.example/Event");
    assert_eq!(statuses(&world.answer(vec![]).message)[3], ("1 3 Alert".to_owned(), 200));
}

#[test]
fn generic_alert_without_a_type_is_answered_415_and_not_taken() {
    let mut world = World::new();

    let received = world.receive(package_1(1).md5(b"stored").alert_with(
        "1226",
        None,
        vec![event(Some("a.b"), ""), event(None, "")],
    ));

    assert!(received.alerts.is_empty());
    assert_eq!(statuses(&world.answer(vec![]).message)[3].1, 415);
}

#[test]
fn client_event_needs_no_type() {
    let received =
        World::new().receive(package_1(1).md5(b"stored").alert_with("1224", None, vec![event(None, "roaming")]));

    assert_eq!(received.alerts.len(), 1);
    assert_eq!(received.alerts[0].event, EventKind::ClientEvent);
}

#[test]
fn more_events_than_are_kept_are_answered_413() {
    let mut world = World::new();
    let items = |count| vec![event(Some("a.b"), ""); count];

    let received = world.receive(package_1(1).md5(b"stored").alert_with("1226", None, items(256)).alert_with(
        "1226",
        None,
        items(1),
    ));

    assert_eq!(received.alerts.len(), 256);
    let codes: Vec<_> = statuses(&world.answer(vec![]).message).into_iter().map(|it| it.1).collect();
    assert_eq!(codes, [212, 200, 200, 200, 413]);
}

#[test]
fn alerts_of_other_uses_are_answered_406_and_one_without_a_code_412() {
    for (alert, expected) in [("100", 406), ("200", 406), ("1101", 406), ("1299", 406), ("", 412), ("1226", 412)] {
        let code = status_of(|cmd_id| {
            Command::Alert(crate::syncml::Alert { cmd_id, code: alert.into(), ..crate::syncml::Alert::default() })
        });

        assert_eq!(code, expected, "alert {alert:?}");
    }
}

#[test]
fn commands_that_a_client_must_not_send_are_refused() {
    let outside = |kind| {
        let items = vec![Item { target: Some(Address::new("./Vendor/A")), ..Item::default() }];
        move |cmd_id| Command::Write(Write { kind, cmd_id, meta: Meta::default(), items })
    };

    assert_eq!(status_of(outside(WriteKind::Add)), 406);
    assert_eq!(status_of(outside(WriteKind::Replace)), 406);
    assert_eq!(status_of(|cmd_id| Command::Get(Get { cmd_id, ..Get::default() })), 406);
    let nested =
        |cmd_id| Command::Nested(Nested { kind: NestedKind::Atomic, cmd_id, meta: Meta::default(), commands: vec![] });
    assert_eq!(status_of(nested), 406);
    assert_eq!(status_of(|cmd_id| Command::Unsupported { name: "Sync".into(), cmd_id }), 501);
    assert_eq!(status_of(|_| Command::Get(Get::default())), 400);
}

#[test]
fn message_without_final_is_asked_to_go_on() {
    let mut world = World::new();

    let first = world.receive(message(1).alert("1201").md5(b"stored").without_final());
    let reply = world.answer(vec![]);
    let second = world.receive(message(2).status(1, 0, 200).status(1, 3, 200).dev_info(&[("DevInfo/Mod", "EX-1")]));

    assert_eq!(first.stage, Stage::NextMessage);
    assert_eq!(asked(&reply.message), ["Alert 1222"]);
    assert!(!reply.message.is_final && !reply.over);
    assert_eq!((second.stage, second.unexpected), (Stage::Ready, 0));
    assert_eq!(second.device.unwrap().model.as_deref(), Some("EX-1"));
}

#[test]
fn later_messages_of_a_known_client_get_212_for_the_header() {
    let mut world = World::asked(vec![get(1, "./DevDetail")]);

    world.receive(package_3(2, 1).status(1, 4, 404).alert("1222"));
    let reply = world.answer(vec![]);

    assert_eq!(statuses(&reply.message), [("2 0 SyncHdr".to_owned(), 212), ("2 3 Alert".to_owned(), 200)]);
    assert!(reply.over && reply.message.is_final);
}

#[test]
fn abort_of_the_device_ends_everything() {
    let mut world = World::asked(vec![get(1, "./DevDetail"), delete(2, "./Vendor/A")]);

    let received = world.receive(package_3(2, 1).status(1, 5, 200).alert("1226").alert("1223"));
    let reply = world.answer(vec![]);

    assert_eq!((received.stage, received.reason), (Stage::End, Some(EndReason::DeviceAborted)));
    assert_eq!(answers(&received.outcomes), [(1, Answer::None), (2, code(200))]);
    assert_eq!(statuses(&reply.message), [("2 0 SyncHdr".to_owned(), 200), ("2 4 Alert".to_owned(), 200)]);
    assert!(reply.over && reply.message.is_final && asked(&reply.message).is_empty());
}

#[test]
fn stranger_can_abort_only_a_session_nobody_proved_to_own() {
    let mut unknown = World::new();
    let mut known = World::asked(vec![get(1, "./DevDetail")]);

    assert_eq!(unknown.receive(package_1(1).alert("1223")).stage, Stage::End);
    assert_eq!(known.receive(message(2).alert("1223").md5(b"guess")).stage, Stage::Challenge);
}

#[test]
fn our_own_abort_says_1223_and_ends_the_orders() {
    let mut world = World::asked(vec![get(1, "./DevDetail")]);
    world.receive(package_3(2, 1).without_final());

    let reply = world.abort();

    assert_eq!(statuses(&reply.message), [("2 0 SyncHdr".to_owned(), 212)]);
    assert_eq!(asked(&reply.message), ["Alert 1223"]);
    assert!(reply.over && reply.message.is_final);
    assert_eq!(answers(&reply.outcomes), [(1, Answer::None)]);
}

#[test]
fn both_sides_number_their_own_messages_and_a_gap_is_counted() {
    let mut world = World::new();

    world.receive(package_1(3).md5(b"stored"));
    let first = world.answer(vec![get(1, "./DevDetail")]);
    let received = world.receive(package_3(5, 1).status(1, 4, 404));
    let second = world.answer(vec![]);

    assert_eq!((first.message.header.msg_id.as_str(), second.message.header.msg_id.as_str()), ("1", "2"));
    assert_eq!(received.skipped, 3);
}

#[test]
fn message_number_that_was_used_is_refused_and_changes_nothing() {
    let mut world = World::asked(vec![get(1, "./DevDetail")]);
    let before = world.session.clone();
    let again: crate::syncml::Message = package_1(1).into();

    let violation = world.try_receive(again.clone()).unwrap_err();

    assert_eq!(violation, Violation::MessageBelow { expected: 2, got: 1 });
    assert_eq!(world.session, before);
    let reply = world.session.refuse(&IDENTITY, &again, violation.status());
    let expected = [("1 0 SyncHdr", 400), ("1 1 Alert", 400), ("1 2 Replace", 400)];
    assert_eq!(statuses(&reply.message), expected.map(|(of, code)| (of.to_owned(), code)));
    assert_eq!((reply.over, reply.message.is_final), (true, true));
    assert_eq!(answers(&reply.outcomes), [(1, Answer::None)]);
}

#[test]
fn messages_of_others_are_violations() {
    let change = |change: fn(&mut crate::syncml::Header)| {
        let mut world = World::asked(vec![get(1, "./DevDetail")]);
        let mut draft = message(2);
        change(&mut draft.0.header);
        world.try_receive(draft).map(|it| it.stage)
    };

    let other_session = Violation::OtherSession { expected: "A1".into(), got: "A2".into() };
    assert_eq!(change(|it| it.session_id = "A2".into()), Err(other_session));
    let other_device = Violation::OtherDevice { expected: DEVICE.into(), got: "urn:imei:other".into() };
    assert_eq!(change(|it| it.source.uri = "urn:imei:other".into()), Err(other_device));
    assert_eq!(change(|it| it.msg_id = "two".into()), Err(Violation::MessageNumber { got: "two".into() }));
    assert_eq!(change(|it| it.session_id = "00a1".into()), Ok(Stage::Ready), "handsets pad and fold the number");
}

#[test]
fn session_that_is_over_takes_nothing_more() {
    let mut world = World::logged_in();
    assert!(world.answer(vec![]).over);

    assert_eq!(world.try_receive(message(2)).unwrap_err(), Violation::Over);
}

#[test]
fn header_status_comes_first_and_names_both_ends() {
    let mut world = World::logged_in();

    let reply = world.answer(vec![]);

    let Some(Command::Status(status)) = reply.message.commands.first() else { panic!("no status") };
    assert_eq!(
        (status.target_refs.as_slice(), status.source_refs.as_slice()),
        ([SERVER.into()].as_slice(), [DEVICE.into()].as_slice())
    );
    assert_eq!((status.cmd_id.as_str(), status.code), ("1", StatusCode::AUTHENTICATED));
    assert_eq!(reply.message.header.target.uri, DEVICE);
    assert_eq!(reply.message.header.resp_uri.as_deref(), IDENTITY.resp_uri);
}

#[test]
fn identifier_longer_than_any_real_one_is_a_violation() {
    let with_id = |bytes: usize| {
        let mut draft = package_1(1).md5(b"stored");
        draft.0.header.source.uri = "x".repeat(bytes).into();
        World::new().try_receive(draft).map(|it| it.stage)
    };

    assert_eq!(with_id(1_024), Ok(Stage::Ready));
    assert_eq!(with_id(1_025), Err(Violation::IdentifierTooLong { max: 1_024 }));
}

#[test]
fn answer_without_a_message_ends_the_session() {
    let mut world = World::asked(vec![get(1, "./A")]);

    let reply = world.answer(vec![get(2, "./B")]);

    assert_eq!(answers(&reply.outcomes), [(1, Answer::None), (2, Answer::NotSent)]);
    assert!(reply.over && reply.message.commands.is_empty());
}

#[test]
fn types_of_events_are_read_with_and_without_prefix_and_space() {
    for (raw, bare) in [
        ("Reversed-Domain-Name: org.example/one", "org.example/one"),
        ("Reversed-Domain-Name:org.wi-fi.hotspot2dot0.PolicyUpdate", "org.wi-fi.hotspot2dot0.PolicyUpdate"),
        ("Content-Type: text/plain", "text/plain"),
        (" org.example/one ", "org.example/one"),
    ] {
        let received =
            World::new().receive(package_1(1).md5(b"stored").alert_with("1226", None, vec![event(Some(raw), "1")]));

        assert_eq!((received.alerts[0].alert_type.as_str(), received.alerts[0].raw_type.as_str()), (bare, raw));
    }
}

#[test]
fn event_without_format_is_text_and_one_without_data_has_none() {
    let mut item = event(Some("org.example/one"), "");
    (item.meta.format, item.data) = (None, None);

    let received = World::new().receive(package_1(1).md5(b"stored").alert_with("1226", None, vec![item]));

    assert_eq!((received.alerts[0].format.as_str(), &received.alerts[0].data), ("chr", &None));
}

#[test]
fn events_of_a_windows_login_are_answered_200() {
    let mut world = World::new();
    let kinds = ["com.microsoft/MDM/LoginStatus", "com.microsoft/MDM/AADUserToken", "com.microsoft.mdm.synctype"];
    let draft = kinds.iter().fold(package_1(1).md5(b"stored"), |draft, kind| {
        draft.alert_with("1224", None, vec![event(Some(kind), "user")])
    });

    let received = world.receive(draft);

    assert_eq!(received.alerts.iter().map(|it| it.alert_type.as_str()).collect::<Vec<_>>(), kinds);
    assert!(statuses(&world.answer(vec![]).message)[3..].iter().all(|(_, code)| *code == 200));
}

#[test]
fn alert_that_an_object_broke_off_is_answered_200() {
    assert_eq!(
        status_of(|cmd_id| {
            let items = vec![Item { source: Some(Address::new("./Blob")), ..Item::default() }];
            Command::Alert(crate::syncml::Alert { cmd_id, code: "1225".into(), items, ..Default::default() })
        }),
        200
    );
}
