//! The server's session machine alone: a message of a device in, the reply out, no octets read or written by a codec.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use muster_protocol::dm1::{
    Account, Action, Answer, AuthType, Identity, Order, Outcome, ServerAccount, Session, Stage, md5_digest,
};
use muster_protocol::syncml::{
    Address, Alert, Challenge, Command, Credential, Encoding, Header, Item, Message, Meta, Results, Status, StatusCode,
    Write, WriteKind,
};
use serde::Serialize;

/// Sessions of one round, prepared before its time is taken.
const SESSIONS: usize = 500;
/// Rounds; the best counts, since other work only ever adds time.
const ROUNDS: u32 = 60;
/// Microseconds of a message, at most.
const GOAL_US: f64 = 3.0;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct MachineFigures {
    /// A message of the device and the reply to it, over all steps.
    pub(crate) message_us: f64,
    /// What that should be at most.
    pub(crate) goal_us: f64,
    /// Each step of a session.
    pub(crate) steps: Vec<StepFigures>,
}

/// One step: taking a message, and making the reply.
#[derive(Debug, Serialize)]
pub(crate) struct StepFigures {
    /// What happens in it.
    pub(crate) name: &'static str,
    /// Taking the message.
    pub(crate) receive_us: f64,
    /// Making the reply.
    pub(crate) answer_us: f64,
}

/// A step to measure: the sessions it begins with, the message, and the orders that the reply carries.
struct Step {
    name: &'static str,
    before: Session,
    message: Message,
    orders: Vec<Order>,
}

const DEVICE: &str = "urn:imei:490154203237518";
const SERVER: &str = "https://dm.example.org/dm";
const IDENTITY: Identity<'static> = Identity {
    uri: SERVER,
    resp_uri: Some("https://dm.example.org/dm/3q2-7wAAAAAAAAAAAAAAAA"),
    max_msg_size: 64 << 10,
    max_obj_size: 1 << 20,
};

/// Measures each step of a session of two packages each way, below 5 seconds.
pub(crate) fn run() -> anyhow::Result<MachineFigures> {
    // One that was given out with the last answer, and one for a challenge, as the server has them.
    let nonces = [vec![1; 16], vec![2; 16]];
    let account = Account {
        nonces: &nonces,
        challenge: &[2; 16],
        next: &[3; 16],
        server: Some(ServerAccount { name: "srv-user", secret: "srv-secret", nonce: &[4; 16] }),
        ..Account::new("dev-user", "dev-secret", AuthType::Md5)
    };
    let mut steps = Vec::new();
    for step in script(&account)? {
        steps.push(measure(&account, &step)?);
    }
    let sum: f64 = steps.iter().map(|it| it.receive_us + it.answer_us).sum();
    Ok(MachineFigures { message_us: sum / steps.len() as f64, goal_us: GOAL_US, steps })
}

/// A session played once, so that each step begins where the one before it ended.
fn script(account: &Account<'_>) -> anyhow::Result<Vec<Step>> {
    let mut session = Session::new("A1", Encoding::Wbxml);
    let mut steps = Vec::new();
    let mut play = |name, message: Message, orders: Vec<Order>| -> anyhow::Result<Vec<Outcome>> {
        steps.push(Step { name, before: session.clone(), message: message.clone(), orders: orders.clone() });
        let received = session.receive(account, &message)?;
        ensure!(matches!(received.stage, Stage::Ready | Stage::Challenge), "{name}: {:?}", received.stage);
        session.answer(&IDENTITY, account, orders);
        Ok(received.outcomes)
    };
    play("package 1 without a credential, challenge", package_1(1, None), Vec::new())?;
    play("package 1 with MD5, package 2 with 4 orders", package_1(2, Some(&[2; 16])), orders())?;
    let outcomes = play("package 3 with 4 answers, package 4 with 4 orders", package_3(3, 2, 4), orders())?;
    ensure!(outcomes.len() == 4 && outcomes.iter().all(|it| matches!(it.answer, Answer::Status(_))), "{outcomes:?}");
    let outcomes = play("package 3 with 4 answers, end", package_3(4, 3, 2), Vec::new())?;
    ensure!(outcomes.len() == 4, "{outcomes:?}");
    Ok(steps)
}

/// The best round of one step.
fn measure(account: &Account<'_>, step: &Step) -> anyhow::Result<StepFigures> {
    let (mut receive_us, mut answer_us) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let mut sessions = vec![step.before.clone(); SESSIONS];
        let mut received = Vec::with_capacity(SESSIONS);
        let mut replies = Vec::with_capacity(SESSIONS);
        let orders = vec![step.orders.clone(); SESSIONS];
        let start = Instant::now();
        for session in &mut sessions {
            received.push(black_box(session.receive(black_box(account), black_box(&step.message))));
        }
        let taken = Instant::now();
        for (session, orders) in sessions.iter_mut().zip(orders) {
            replies.push(black_box(session.answer(&IDENTITY, black_box(account), orders)));
        }
        let made = Instant::now();
        let each = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e6 / SESSIONS as f64;
        receive_us = receive_us.min(each(start, taken));
        answer_us = answer_us.min(each(taken, made));
        received.into_iter().next().context("no session")??;
    }
    Ok(StepFigures { name: step.name, receive_us, answer_us })
}

fn orders() -> Vec<Order> {
    let value = |uri: &str, data: &str| Action::Replace {
        uri: uri.into(),
        format: Some("chr".into()),
        kind: Some("text/plain".into()),
        data: Some(data.into()),
    };
    let actions = [
        Action::Get { uri: "./DevDetail/FwV".into() },
        Action::Get { uri: "./DevDetail/SwV".into() },
        value("./Vendor/Example/Polling", "3600"),
        Action::Exec { uri: "./FUMO/1/Download".into(), data: None, correlator: Some("corr-0001".into()) },
    ];
    (1..).zip(actions).map(|(tag, action)| Order { tag, action }).collect()
}

fn message(number: u32, commands: Vec<Command>) -> Message {
    let header = Header {
        ver_dtd: "1.2".into(),
        ver_proto: "DM/1.2".into(),
        session_id: "A1".into(),
        msg_id: number.to_string().into(),
        target: Address::new(SERVER),
        source: Address { uri: DEVICE.into(), name: Some("dev-user".into()) },
        meta: Meta { max_msg_size: Some(16_384), ..Meta::default() },
        ..Header::default()
    };
    Message { header, commands, is_final: true }
}

fn package_1(number: u32, nonce: Option<&[u8]>) -> Message {
    let nodes = [("DevId", DEVICE), ("Man", "Example Devices"), ("Mod", "EX-1"), ("DmV", "1.2"), ("Lang", "en-GB")];
    let items = nodes.map(|(node, value)| Item {
        source: Some(Address::new(format!("./DevInfo/{node}"))),
        data: Some(value.into()),
        ..Item::default()
    });
    let write = Write {
        kind: WriteKind::Replace,
        cmd_id: "2".into(),
        meta: Meta::default(),
        items: items.into_iter().collect(),
    };
    let alert = Alert { cmd_id: "1".into(), code: "1201".into(), ..Alert::default() };
    let mut message = message(number, vec![Command::Alert(alert), Command::Write(write)]);
    message.header.cred = nonce.map(|nonce| Credential {
        meta: Meta { format: Some("b64".into()), kind: Some("syncml:auth-md5".into()), ..Meta::default() },
        data: md5_digest("dev-user", "dev-secret", nonce).into(),
    });
    message
}

/// Answers the four orders of message `to`, whose first command is `first`.
fn package_3(number: u32, to: u32, first: u32) -> Message {
    let chal = Challenge {
        meta: Meta {
            format: Some("b64".into()),
            kind: Some("syncml:auth-md5".into()),
            next_nonce: Some(vec![5; 16]),
            ..Meta::default()
        },
    };
    let status = |cmd_ref: u32, cmd: &str, code, chal| {
        Command::Status(Status {
            cmd_id: (cmd_ref + 1).to_string().into(),
            msg_ref: to.to_string().into(),
            cmd_ref: cmd_ref.to_string().into(),
            cmd: cmd.into(),
            chal,
            code,
            ..Status::default()
        })
    };
    let results = |cmd_ref: u32, uri: &str| {
        let item = Item { source: Some(Address::new(uri)), data: Some("1.0.0".into()), ..Item::default() };
        Command::Results(Results {
            cmd_id: (cmd_ref + 10).to_string().into(),
            msg_ref: Some(to.to_string().into()),
            cmd_ref: cmd_ref.to_string().into(),
            items: vec![item],
            ..Results::default()
        })
    };
    message(
        number,
        vec![
            status(0, "SyncHdr", StatusCode::AUTHENTICATED, Some(chal)),
            status(first, "Get", StatusCode::OK, None),
            results(first, "./DevDetail/FwV"),
            status(first + 1, "Get", StatusCode::OK, None),
            results(first + 1, "./DevDetail/SwV"),
            status(first + 2, "Replace", StatusCode::OK, None),
            status(first + 3, "Exec", StatusCode::ACCEPTED, None),
        ],
    )
}
