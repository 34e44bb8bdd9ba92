//! Exchanges of golden messages, written by hand after the specification and checked with independent programs.
use super::world::*;
use crate::{
    dm1::{
        Account, Action, Answer, AuthType, EndReason, Identity, Order, Quirks, Received, Reply, ServerAccount, Session,
        Stage,
    },
    limits::Limits,
    syncml::{Command, Encoding, Message},
};

/// One golden message.
macro_rules! vector {
    ($name:literal) => {
        Vector(include_bytes!(concat!("../../../tests/vectors/oma-dm-1/syncml/", $name, ".wbxml")))
    };
}

/// Octets of a golden message in WBXML.
struct Vector(&'static [u8]);

impl Vector {
    fn message(&self) -> Message {
        Message::decode(Encoding::Wbxml, self.0, &Limits::DEVICE).unwrap()
    }
}

const PACKAGE_1: Vector = vector!("01-pkg1-client-initiated");
const CHALLENGE: Vector = vector!("02-pkg2-challenge-407-md5");
const PACKAGE_1_AGAIN: Vector = vector!("03-pkg1-with-md5-cred");
const PACKAGE_2: Vector = vector!("04-pkg2-auth-ok-get-replace-exec");
const PACKAGE_3: Vector = vector!("05-pkg3-status-results");
const PACKAGE_4: Vector = vector!("06-pkg4-end");
const ATOMIC: Vector = vector!("11-atomic-replace-add-delete");
const ATOMIC_FAILED: Vector = vector!("12-atomic-failed-rollback");
const PART: Vector = vector!("07-large-object-chunk1");
const PART_TAKEN: Vector = vector!("08-large-object-213-1222");
const LAST_PART: Vector = vector!("09-large-object-chunk2-last");
const SIZE_MISMATCH: Vector = vector!("10-size-mismatch-424-and-1225");
const PROPERTIES: Vector = vector!("18-acl-prop-list-gets");
const TNDS: Vector = vector!("22-tnds-wbxml-add-inbox");
const BINARY: Vector = vector!("23-binary-b64-add");
const SEQUENCE: Vector = vector!("13-sequence-uialert-1101-exec");
const SEQUENCE_ANSWERED: Vector = vector!("14-uialert-responses");
const FUMO_ALERT: Vector = vector!("15-generic-alert-1226-fumo");
const ABORT: Vector = vector!("16-session-abort-1223");
const NOTIFIED: Vector = vector!("19-pkg1-server-initiated-1200");
const NEXT_MESSAGE: Vector = vector!("20-next-message-response");
const DEVICE_EVENT: Vector = vector!("21-device-event-1224");

/// Answers of the server in the golden session.
struct Golden {
    session: Session,
    resp_uri: bool,
    quirks: Quirks,
}

impl Golden {
    fn new(session_id: &str) -> Self {
        Self { session: Session::new(session_id, Encoding::Wbxml), resp_uri: true, quirks: Quirks::default() }
    }

    /// Package 1, challenge, package 1 with the credential; the answer to that is due.
    fn logged_in() -> Self {
        let mut golden = Self::new("A1");
        golden.receive(&PACKAGE_1.message());
        golden.answer(vec![]);
        golden.receive(&PACKAGE_1_AGAIN.message());
        golden
    }

    /// The device has been given the orders of package 2.
    fn asked() -> (Self, Reply) {
        let mut golden = Self::logged_in();
        let exec = Action::Exec { uri: "./FUMO/1/Download".into(), data: None, correlator: Some("corr-0001".into()) };
        let polling = Action::Replace {
            uri: "./Vendor/Example/Polling".into(),
            format: Some("int".into()),
            kind: Some("text/plain".into()),
            data: Some("3600".into()),
        };
        let orders = vec![get(1, "./DevDetail"), order(2, polling), order(3, exec)];
        let reply = golden.answer(orders);
        (golden, reply)
    }

    /// Another session, in which the device has proved who it is with its message 2 and nothing else is due.
    fn elsewhere(session_id: &str) -> Self {
        let mut golden = Self::new(session_id);
        for number in [1, 2] {
            let mut draft = message(number);
            draft.0.header.session_id = session_id.into();
            draft.0.header.cred = PACKAGE_1_AGAIN.message().header.cred.filter(|_| number == 2);
            golden.receive(&draft.into());
            if number == 1 {
                golden.answer(vec![]);
            }
        }
        golden
    }

    /// Another session, in which both ends have proved who they are and the answer to message 2 is due.
    fn under_way(session_id: &str) -> Self {
        let mut golden = Self { resp_uri: false, ..Self::new(session_id) };
        for mut draft in [message(1), message(2).status(1, 0, 212).status(1, 2, 404)] {
            draft.0.header.session_id = session_id.into();
            if draft.0.commands.is_empty() {
                draft.0.header.cred = PACKAGE_1_AGAIN.message().header.cred;
            }
            let is_first = draft.0.header.cred.is_some();
            golden.receive(&draft.into());
            if is_first {
                golden.answer(vec![get(9, "./A")]);
            }
        }
        golden
    }

    /// The device takes messages that are this much longer.
    fn widen(&mut self, octets: i32) {
        self.quirks.max_msg_size = self.quirks.max_msg_size.and_then(|it| it.checked_add_signed(octets));
    }

    fn receive(&mut self, message: &Message) -> Received {
        let nonces = nonces();
        self.session.receive(&account(&nonces, &self.quirks), message).unwrap()
    }

    fn answer(&mut self, orders: Vec<Order>) -> Reply {
        let nonces = nonces();
        let identity = Identity { resp_uri: IDENTITY.resp_uri.filter(|_| self.resp_uri), ..IDENTITY };
        self.session.answer(&identity, &account(&nonces, &self.quirks), orders)
    }
}

const CLIENT_NONCE: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const NEXT_NONCE: [u8; 16] =
    [0xf0, 0xe1, 0xd2, 0xc3, 0xb4, 0xa5, 0x96, 0x87, 0x78, 0x69, 0x5a, 0x4b, 0x3c, 0x2d, 0x1e, 0x0f];
const SERVER_NONCE: [u8; 16] =
    [0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0];

fn nonces() -> Vec<Vec<u8>> {
    vec![CLIENT_NONCE.to_vec()]
}

fn account<'a>(nonces: &'a [Vec<u8>], quirks: &'a Quirks) -> Account<'a> {
    Account {
        nonces,
        quirks,
        challenge: &CLIENT_NONCE,
        next: &NEXT_NONCE,
        server: Some(ServerAccount { name: "srv-user", secret: "srv-secret", nonce: &SERVER_NONCE }),
        ..Account::new("dev-user", "dev-secret", AuthType::Md5)
    }
}

fn order(tag: u32, action: Action) -> Order {
    Order { tag, action }
}

#[test]
fn package_1_without_a_credential_gets_the_golden_challenge() {
    let mut golden = Golden::new("A1");

    let received = golden.receive(&PACKAGE_1.message());

    assert_eq!(received.stage, Stage::Challenge);
    assert_eq!(golden.answer(vec![]).message, CHALLENGE.message());
}

#[test]
fn package_1_with_a_credential_gets_the_golden_header_and_statuses() {
    let (_, reply) = Golden::asked();
    let expected = PACKAGE_2.message();

    assert_eq!(reply.message.header, expected.header);
    assert_eq!(reply.message.commands[..3], expected.commands[..3]);
    assert_eq!(reply.message.commands[4..], expected.commands[4..], "Replace and Exec");
    let Command::Get(get) = &reply.message.commands[3] else { panic!("no Get") };
    assert_eq!((get.cmd_id.as_str(), get.items[0].target.as_ref().unwrap().uri.as_str()), ("4", "./DevDetail"));
}

#[test]
fn golden_package_3_ends_the_orders_and_gets_the_golden_end() {
    let (mut golden, _) = Golden::asked();
    golden.resp_uri = false;

    let received = golden.receive(&PACKAGE_3.message());
    let reply = golden.answer(vec![]);

    assert_eq!(answers(&received.outcomes), [(1, code(200)), (2, code(200)), (3, code(202))]);
    let nodes: Vec<_> =
        received.outcomes[0].nodes.iter().map(|it| (it.uri.as_str(), it.format.as_str(), it.data.clone())).collect();
    let children = Some("DevTyp/OEM/FwV/SwV/HwV/LrgObj/URI".into());
    let expected = [("./DevDetail", "node", children), ("./DevDetail/FwV", "chr", Some("1.0.0 & r2".into()))];
    assert_eq!(nodes, expected);
    assert_eq!(received.server_nonce.as_deref().map(<[u8]>::len), Some(16));
    assert_eq!(reply.message, PACKAGE_4.message());
    assert!(reply.over);
}

#[test]
fn golden_package_3_without_final_gets_the_golden_request_for_more() {
    let (mut golden, _) = Golden::asked();
    golden.resp_uri = false;

    golden.receive(&Message { is_final: false, ..PACKAGE_3.message() });

    assert_eq!(golden.answer(vec![]).message, NEXT_MESSAGE.message());
}

#[test]
fn golden_abort_leaves_the_orders_without_an_answer() {
    let (mut golden, _) = Golden::asked();
    golden.receive(&PACKAGE_3.message());
    golden.answer(vec![get(9, "./DevInfo")]);

    let received = golden.receive(&ABORT.message());

    assert_eq!((received.stage, received.reason), (Stage::End, Some(EndReason::DeviceAborted)));
    assert_eq!(answers(&received.outcomes), [(9, Answer::None)]);
}

#[test]
fn golden_atomic_is_written_and_its_roll_back_understood() {
    let mut golden = Golden::elsewhere("C3");
    let value = |uri: &str| Action::Replace {
        uri: uri.into(),
        format: Some("chr".into()),
        kind: Some("text/plain".into()),
        data: Some("one".into()),
    };
    let add = Action::Add { uri: "./Vendor/Example/B".into(), format: Some("node".into()), kind: None, data: None };
    let members = vec![order(2, value("./Vendor/Example/A")), order(3, add), delete(4, "./Vendor/Example/C")];

    let reply = golden.answer(vec![order(1, Action::Atomic(members))]);
    let received = golden.receive(&ATOMIC_FAILED.message());

    assert_eq!(reply.message.commands[1..], ATOMIC.message().commands[1..]);
    let expected = [(1, code(507)), (2, code(216)), (3, code(216)), (4, code(404))];
    assert_eq!(answers(&received.outcomes), expected);
}

#[test]
fn golden_sequence_is_written_and_the_refusal_of_the_user_understood() {
    let mut golden = Golden::elsewhere("D4");
    let confirm = |default_accept| Action::Confirm {
        text: "Install update now?".into(),
        min_display_s: Some(10),
        max_display_s: Some(60),
        default_accept,
    };
    let exec = Action::Exec { uri: "./FUMO/1/Update".into(), data: None, correlator: None };
    let sequence = Action::Sequence(vec![order(2, confirm(Some(true))), order(3, exec)]);

    let reply = golden.answer(vec![order(1, sequence), order(4, confirm(None))]);
    let received = golden.receive(&SEQUENCE_ANSWERED.message());

    assert_eq!(reply.message.commands[1], SEQUENCE.message().commands[1]);
    let expected = [(1, code(200)), (2, code(304)), (3, code(215)), (4, code(200))];
    assert_eq!(answers(&received.outcomes), expected);
    assert_eq!(received.outcomes[3].items[0].data, Some("2".into()));
}

#[test]
fn golden_choice_of_the_user_is_understood() {
    let mut golden = Golden::elsewhere("D4");
    let choose = Action::Choose {
        text: "Pick one".into(),
        choices: vec!["Alpha".into(), "Beta".into()],
        min_display_s: None,
        max_display_s: None,
        default: None,
    };
    let sequence = Action::Sequence(vec![delete(2, "./A"), delete(3, "./B")]);

    let reply = golden.answer(vec![order(1, sequence), order(4, choose)]);
    let received = golden.receive(&SEQUENCE_ANSWERED.message());

    let items = |command: &Command| match command {
        Command::Alert(alert) => alert.items.iter().map(|it| it.data.clone()).collect::<Vec<_>>(),
        other => panic!("no alert: {other:?}"),
    };
    let (ours, theirs) = (items(&reply.message.commands[2]), items(&SEQUENCE.message().commands[2]));
    assert_eq!(ours[1..], theirs[1..]);
    assert_eq!((&ours[0], &theirs[0]), (&Some("MINDT=1".into()), &None), "an empty option item crashes libdmclient");
    assert_eq!(received.outcomes[3].user, Some(crate::dm1::UserAnswer::Choices(vec![2])));
}

/// A device that takes large objects and has just so much room that the first part of the golden object fits.
fn golden_object() -> (Golden, Order) {
    let blob = Action::Add {
        uri: "./Vendor/Example/Blob".into(),
        format: Some("chr".into()),
        kind: Some("text/plain".into()),
        data: Some("0123456789abcdef".repeat(4).as_str().into()),
    };
    let (blob, mut golden) = (order(1, blob), Golden::under_way("B2"));
    golden.quirks.large_objects = Some(true);
    let room = (200..1_000).find(|room| {
        let mut trial = Golden { session: golden.session.clone(), resp_uri: false, quirks: golden.quirks.clone() };
        trial.quirks.max_msg_size = Some(*room);
        trial.answer(vec![blob.clone()]).message == PART.message()
    });
    golden.quirks.max_msg_size = Some(room.expect("some room makes the golden part"));
    (golden, blob)
}

#[test]
fn golden_object_goes_out_in_the_golden_parts() {
    let (mut golden, blob) = golden_object();

    let first = golden.answer(vec![blob]);
    let between = golden.receive(&PART_TAKEN.message());
    golden.widen(100);
    let last = golden.answer(vec![]);

    assert_eq!(first.message, PART.message());
    assert_eq!((between.stage, between.outcomes), (Stage::NextPart, vec![]));
    assert_eq!(last.message, LAST_PART.message());
}

#[test]
fn golden_size_mismatch_sends_the_object_once_more() {
    let (mut golden, blob) = golden_object();
    golden.answer(vec![blob]);
    golden.receive(&PART_TAKEN.message());
    golden.widen(100);
    golden.answer(vec![]);
    golden.widen(-100);

    let received = golden.receive(&SIZE_MISMATCH.message());
    let again = golden.answer(vec![]);

    assert_eq!((received.stage, received.outcomes), (Stage::Ready, vec![]));
    let Some(Command::Write(write)) = again.message.commands.last() else { panic!("no Add") };
    assert_eq!((write.items[0].meta.size, again.message.is_final), (Some(64), false));
}

#[test]
fn golden_lists_properties_and_copy_are_written() {
    let mut golden = Golden::elsewhere("F6");
    let acl = Action::Replace {
        uri: "./DMAcc/ex?prop=ACL".into(),
        format: None,
        kind: None,
        data: Some("Add=dm.example.org&Get=*&Replace=dm.example.org+other.example.net".into()),
    };
    let copy = Action::Copy { source: "./Vendor/Example/B1".into(), target: "./Vendor/Example/B2".into() };
    let lists = [get(1, "./DMAcc?list=Struct"), get(2, "./DMAcc/ex?list=TNDS+Value-ACL")];

    let reply = golden.answer(lists.into_iter().chain([order(3, acl), order(4, copy)]).collect());

    assert_eq!(reply.message.commands[1..], PROPERTIES.message().commands[1..]);
}

#[test]
fn golden_management_object_and_binary_value_are_written() {
    for (vector, session_id) in [(TNDS, "E5"), (BINARY, "E6")] {
        let expected = vector.message();
        let Some(Command::Write(write)) = expected.commands.last() else { panic!("no Add") };
        // The golden messages say format and type once for the whole command, ours for the item.
        let mut item = write.items[0].clone();
        item.meta = if item.meta.is_empty() { write.meta.clone() } else { item.meta };
        let add = Action::Add {
            uri: item.target.as_ref().unwrap().uri.clone(),
            format: item.meta.format.clone(),
            kind: item.meta.kind.clone(),
            data: item.data.clone(),
        };

        let reply = Golden::elsewhere(session_id).answer(vec![order(1, add)]);

        let octets = reply.message.encode(Encoding::Wbxml).unwrap();
        let read = Message::decode(Encoding::Wbxml, &octets, &Limits::DEVICE).unwrap();
        let Some(Command::Write(ours)) = read.commands.last() else { panic!("no Add") };
        assert_eq!(ours.items, [item], "{session_id}");
    }
}

#[test]
fn golden_events_and_device_info_are_told() {
    let take = |vector: Vector| {
        let mut message = vector.message();
        message.header.cred = PACKAGE_1_AGAIN.message().header.cred;
        Golden::new(&message.header.session_id.clone()).receive(&message)
    };

    let fumo = take(FUMO_ALERT);
    let event = take(DEVICE_EVENT);
    let notified = take(NOTIFIED);

    let info = fumo.device.unwrap();
    assert_eq!((info.dev_id.as_deref(), info.model.as_deref()), (Some(DEVICE), Some("EX-1")));
    assert_eq!(fumo.alerts[0].alert_type, "org.openmobilealliance.dm.firmwareupdate.download");
    assert_eq!(fumo.alerts[0].correlator.as_deref(), Some("corr-0001"));
    assert_eq!(event.alerts[0].data, Some("roaming".into()));
    assert_eq!(notified.initiation, Some(crate::dm1::Initiation::Server));
}
