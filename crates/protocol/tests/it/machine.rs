//! What a message costs the session machine in memory: figures that may fall and not rise. `docs/performance.md` names
//! them.

use allocation_counter::measure;
use muster_protocol::dm1::{Account, Action, AuthType, Identity, Order, ServerAccount, Session, md5_digest};
use muster_protocol::syncml::{
    Address, Alert, Command, Credential, Encoding, Header, Item, Message, Meta, Results, Status, StatusCode, Write,
    WriteKind,
};

const IDENTITY: Identity<'static> = Identity {
    uri: "https://dm.example.org/dm",
    resp_uri: Some("https://dm.example.org/dm/token"),
    max_msg_size: 64 << 10,
    max_obj_size: 1 << 20,
};

fn message(number: u32, commands: Vec<Command>) -> Message {
    let header = Header {
        ver_dtd: "1.2".into(),
        ver_proto: "DM/1.2".into(),
        session_id: "A1".into(),
        msg_id: number.to_string().into(),
        target: Address::new(IDENTITY.uri),
        source: Address::new("urn:imei:490154203237518"),
        ..Header::default()
    };
    Message { header, commands, is_final: true }
}

fn package_1() -> Message {
    let items = ["DevId", "Man", "Mod", "DmV", "Lang"].map(|node| Item {
        source: Some(Address::new(format!("./DevInfo/{node}"))),
        data: Some("a value".into()),
        ..Item::default()
    });
    let write = Write { kind: WriteKind::Replace, cmd_id: "2".into(), meta: Meta::default(), items: items.into() };
    let alert = Alert { cmd_id: "1".into(), code: "1201".into(), ..Alert::default() };
    let mut message = message(1, vec![Command::Alert(alert), Command::Write(write)]);
    message.header.cred = Some(Credential {
        meta: Meta { format: Some("b64".into()), kind: Some("syncml:auth-md5".into()), ..Meta::default() },
        data: md5_digest("dev-user", "dev-secret", &[1; 16]).into(),
    });
    message
}

fn orders() -> Vec<Order> {
    let get = |uri: &str| Action::Get { uri: uri.into() };
    let exec = Action::Exec { uri: "./FUMO/1/Download".into(), data: None, correlator: Some("corr-0001".into()) };
    let actions = [get("./DevDetail/FwV"), get("./DevDetail/SwV"), exec];
    (1..).zip(actions).map(|(tag, action)| Order { tag, action }).collect()
}

/// Answers the orders of message `to`, whose first has the number `first`.
fn package_3(number: u32, to: u32, first: u32) -> Message {
    let status = |cmd_ref: u32, code| {
        Command::Status(Status {
            cmd_id: cmd_ref.to_string().into(),
            msg_ref: to.to_string().into(),
            cmd_ref: cmd_ref.to_string().into(),
            cmd: "Get".into(),
            code,
            ..Status::default()
        })
    };
    let results = |cmd_ref: u32, uri: &str| {
        let item = Item { source: Some(Address::new(uri)), data: Some("1.0".into()), ..Item::default() };
        Command::Results(Results {
            cmd_id: (10 + cmd_ref).to_string().into(),
            msg_ref: Some(to.to_string().into()),
            cmd_ref: cmd_ref.to_string().into(),
            items: vec![item],
            ..Results::default()
        })
    };
    let answers = vec![
        status(0, StatusCode::AUTHENTICATED),
        status(first, StatusCode::OK),
        results(first, "./DevDetail/FwV"),
        status(first + 1, StatusCode::OK),
        results(first + 1, "./DevDetail/SwV"),
        status(first + 2, StatusCode::ACCEPTED),
    ];
    message(number, answers)
}

#[test]
fn taking_a_message_and_making_its_reply_allocate_no_more_than_is_written_down() {
    let nonces = [vec![1; 16]];
    let account = Account {
        nonces: &nonces,
        next: &[2; 16],
        server: Some(ServerAccount { name: "srv-user", secret: "srv-secret", nonce: &[3; 16] }),
        ..Account::new("dev-user", "dev-secret", AuthType::Md5)
    };
    let mut session = Session::new("A1", Encoding::Wbxml);
    for (name, message, given, most) in [
        ("package 1, package 2 with 3 orders", package_1(), orders(), 26),
        ("package 3 with 3 answers, package 4 with 3 orders", package_3(2, 1, 4), orders(), 21),
        ("package 3 with 3 answers, end", package_3(3, 2, 2), vec![], 17),
    ] {
        let is_last = given.is_empty();
        let mut ended = Vec::new();
        let spent = measure(|| {
            ended = session.receive(&account, &message).unwrap().outcomes;
            let reply = session.answer(&IDENTITY, &account, given);
            assert_eq!(reply.over, is_last);
        });
        assert_eq!(ended.len(), if message.header.msg_id == "1" { 0 } else { 3 }, "{name}: {ended:?}");
        eprintln!("{name}: {} allocations, {} octets", spent.count_total, spent.bytes_total);
        assert!(spent.count_total <= most, "{name}: {spent:?}");
    }
}
