//! One session of a device: what it has said, what it has still to say, and what it makes of a server's message.

use muster_protocol::syncml::{Address, Alert, Challenge, Command, Header, Message, Meta, Status, StatusCode, Text};

use super::execute::Executor;
use super::large_object::{Incoming, Piece};
use super::outbox::Outbox;
use super::proof::{ClientProof, Judgement, Proof, ServerProof};
use super::{Device, SessionEnd, Step, Told, credential, size};
use crate::account::AuthType;

/// Challenges a device answers in one session: the first for want of a credential or a stale nonce, the second
/// for a change of scheme. A third means that the secret is wrong.
const CHALLENGES_MAX: u32 = 2;

/// What is remembered from one message to the next.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: Text,
    pub(super) outbox: Outbox,
    pub(super) resp_uri: Option<Text>,
    /// `MsgID` of the server's last message and what was made of it.
    pub(super) answered: Option<(Text, Step)>,
    pub(super) msg_id: u32,
    pub(super) server_msg_id: u64,
    pub(super) client: ClientProof,
    pub(super) server: ServerProof,
    /// `MaxMsgSize` of the server.
    server_message_bytes_max: Option<u64>,
    /// The commands of the last message but for its `SyncHdr` Status, to be sent again after a challenge.
    pub(super) sent: Vec<Command>,
    /// Statuses of requests for the next message. They go out before the outbox, which could otherwise be kept from
    /// ever getting empty by them.
    prompts: Vec<Command>,
    /// The server has not closed its package, so the device must not close its own.
    server_package_open: bool,
    incoming: Option<Incoming>,
}

impl Session {
    pub(super) fn new(id: Text) -> Self {
        Self {
            id,
            outbox: Outbox::default(),
            resp_uri: None,
            answered: None,
            msg_id: 0,
            server_msg_id: 0,
            client: ClientProof::default(),
            server: ServerProof::Missing { challenges: 0 },
            server_message_bytes_max: None,
            sent: Vec::new(),
            prompts: Vec::new(),
            server_package_open: false,
            incoming: None,
        }
    }

    fn note_header(&mut self, header: &Header) {
        if let Some(uri) = header.resp_uri.as_ref().filter(|it| !it.is_empty()) {
            self.resp_uri = Some(uri.clone());
        }
        if let Some(octets) = header.meta.max_msg_size {
            self.server_message_bytes_max = Some(octets);
        }
    }
}

impl Device {
    /// Makes what there is to make of one new message.
    pub(super) fn take(&mut self, session: &mut Session, message: &Message) -> Step {
        if !message.header.session_id.eq_ignore_ascii_case(&session.id) {
            let text = format!("SessionID {:?} is not that of this session", message.header.session_id);
            return Step::end(SessionEnd::Violation(text));
        }
        self.check(session, message);
        session.note_header(&message.header);
        let Some(of_header) = status_of_header(message, session.msg_id) else {
            let text = format!("no Status for the SyncHdr of message {}", session.msg_id);
            return Step::end(SessionEnd::Violation(text));
        };
        match of_header.code {
            StatusCode::INVALID_CREDENTIALS | StatusCode::MISSING_CREDENTIALS => {
                self.challenged(session, message, of_header)
            }
            code if !code.is_success() => Step::end(SessionEnd::Refused(code)),
            code => {
                session.client.accepted(code, of_header.chal.as_ref());
                self.go_on(session, message)
            }
        }
    }

    /// The server wants a credential, or another one: sends the last message again with it.
    fn challenged(&mut self, session: &mut Session, message: &Message, status: &Status) -> Step {
        let chal = status.chal.as_ref().map(|it| &it.meta);
        let wanted = match chal.and_then(|it| it.kind.as_deref()) {
            None => Some(session.client.auth.unwrap_or(self.account.auth)),
            Some(name) => AuthType::parse(name),
        };
        let refused_for_good = session.client.fresh && session.client.auth == wanted;
        let Some(wanted) = wanted else {
            return Step::end(SessionEnd::NotAuthenticated);
        };
        if refused_for_good || chal.is_none() || session.client.challenges >= CHALLENGES_MAX {
            return Step::end(SessionEnd::NotAuthenticated);
        }
        if message.commands.iter().any(is_work) {
            self.complain("commands beside a challenge: not executed");
        }
        session.client.challenges += 1;
        session.client.auth = Some(wanted);
        session.client.accepted = false;
        session.client.nonce = chal.and_then(|it| it.next_nonce.clone());
        let sent = std::mem::take(&mut session.sent);
        session.outbox.unsend(sent);
        let of_header = match self.judge(session, message) {
            Judgement::Trusted(code, chal) => header_status(message, code, chal),
            Judgement::Doubted(code, chal) => header_status(message, code, Some(chal)),
        };
        Step { reply: Some(self.next_message(session, Some(of_header))), finished: None }
    }

    /// Executes what the server sent, if it may, and answers.
    fn go_on(&mut self, session: &mut Session, message: &Message) -> Step {
        if message.commands.iter().any(|it| matches!(it, Command::Alert(alert) if alert.code == "1223")) {
            return Step::end(SessionEnd::AbortedByServer);
        }
        let has_work = message.commands.iter().any(is_work);
        let unfinished = !session.outbox.is_empty();
        if !has_work && message.is_final {
            if unfinished {
                let text = "the server ended the session before the device's package was complete";
                return Step::end(SessionEnd::Violation(text.to_owned()));
            }
            // A session is not kept open just to challenge a server that wants nothing, and such a server need not
            // spend the nonce it has: its own is kept all the same. A false one costs a challenge in the next session.
            let failed = matches!(session.server, ServerProof::Missing { challenges: 1.. });
            if !failed && self.proof(message) != Proof::Bad {
                self.keep_nonce(session);
            }
            return Step::end(SessionEnd::Complete);
        }
        // While the device sends on, the server only asks for the next message: that opens no new package.
        if message.is_final || !(unfinished && asks_for_more_only(message)) {
            session.server_package_open = !message.is_final;
        }
        match self.judge(session, message) {
            Judgement::Trusted(code, chal) => {
                if session.server == ServerProof::Accepted {
                    self.keep_nonce(session);
                }
                self.execute(session, message);
                let of_header = header_status(message, code, chal);
                Step { reply: Some(self.next_message(session, Some(of_header))), finished: None }
            }
            Judgement::Doubted(code, chal) => self.challenge(session, message, code, chal),
        }
    }

    /// Answers every command with the challenge's status and executes none; a server that fails too often loses the
    /// session.
    fn challenge(&mut self, session: &mut Session, message: &Message, code: StatusCode, chal: Challenge) -> Step {
        let ServerProof::Missing { challenges } = session.server else {
            return Step::end(SessionEnd::Complete);
        };
        session.server = ServerProof::Missing { challenges: challenges + 1 };
        let of_header = header_status(message, code, Some(chal));
        for command in &message.commands {
            let answers = self.executor(&message.header.msg_id).refuse(command, code);
            answers.into_iter().for_each(|it| session.outbox.push(it));
        }
        let gives_up = challenges >= CHALLENGES_MAX;
        if gives_up {
            session.outbox.push(alert("1223"));
        }
        let reply = Some(self.next_message(session, Some(of_header)));
        Step { reply, finished: gives_up.then_some(SessionEnd::ServerNotAuthenticated) }
    }

    fn execute(&mut self, session: &mut Session, message: &Message) {
        for command in message.commands.iter().filter(|it| is_work(it)) {
            if is_next_message(command) {
                session.prompts.extend(self.executor(&message.header.msg_id).run(command));
                continue;
            }
            if let Some(incoming) = session.incoming.take_if(|it| !it.continues(command)) {
                session.outbox.push(incoming.abandoned());
            }
            let piece = Incoming::take(&mut session.incoming, command);
            let mut executor = self.executor(&message.header.msg_id);
            executor.message_bytes_max = session.server_message_bytes_max.and_then(|it| usize::try_from(it).ok());
            let answers = match piece {
                Piece::Whole => executor.run(command),
                Piece::Last(whole) => executor.run(&whole),
                Piece::Kept(code) => {
                    let mut answers = executor.refuse(command, code);
                    answers.push(alert("1222"));
                    answers
                }
                Piece::Broken(code) => executor.refuse(command, code),
            };
            let events = executor.events;
            answers.into_iter().for_each(|it| session.outbox.push(it));
            for (told, event) in events {
                match told {
                    Told::AtOnce => self.events.push_back(event),
                    Told::NextSession => self.events_later.push_back(event),
                }
            }
        }
        for event in self.events.drain(..) {
            session.outbox.push(event.into_command());
        }
    }

    fn executor<'a>(&'a mut self, msg_ref: &'a Text) -> Executor<'a> {
        Executor {
            tree: &mut self.tree,
            ledger: &mut self.ledger,
            faults: &self.faults,
            execs: &self.execs,
            encoding: self.encoding,
            server: crate::tree::server(&self.account.server_id),
            now: self.now,
            message_bytes_max: None,
            msg_ref,
            events: Vec::new(),
        }
    }

    /// The next message: the given Status first, then as much of the outbox as the server takes.
    pub(super) fn next_message(&mut self, session: &mut Session, of_header: Option<Status>) -> Message {
        session.msg_id += if self.faults.skips_msg_id && session.msg_id > 0 { 2 } else { 1 };
        let mut message = Message {
            header: self.header(session),
            commands: of_header.into_iter().map(Command::Status).collect(),
            is_final: true,
        };
        message.commands.append(&mut session.prompts);
        let limit = [
            self.faults.message_bytes_max,
            session.server_message_bytes_max.map(|it| usize::try_from(it).unwrap_or(usize::MAX)),
        ];
        session.sent = match limit.into_iter().flatten().min() {
            None => session.outbox.pack(usize::MAX, |_| 0),
            Some(limit) => {
                let room = limit.saturating_sub(size::of_message(&message, self.encoding));
                session.outbox.pack(room, |command| size::of_command(command, self.encoding))
            }
        };
        message.is_final = session.outbox.is_empty() && !session.server_package_open;
        if !message.is_final && session.sent.is_empty() {
            session.sent.push(alert("1222"));
        }
        message.commands.extend(session.sent.iter().cloned());
        number(&mut message.commands);
        message
    }

    fn header(&self, session: &mut Session) -> Header {
        let first = session.msg_id == 1 || session.client.challenges > 0;
        let sizes = Meta {
            max_msg_size: Some(self.message_bytes_max()),
            max_obj_size: Some(crate::tree::VALUE_BYTES_MAX as u64),
            ..Meta::default()
        };
        let auth = session.client.auth.unwrap_or(self.account.auth);
        let nonce = session.client.nonce.as_ref().or(self.account.client_nonce.as_ref());
        let cred = match (auth, nonce) {
            _ if session.client.accepted => None,
            (AuthType::Basic, _) => Some(Vec::new()),
            (AuthType::Md5, nonce) => nonce.cloned(),
        }
        .map(|nonce| credential::credential(auth, &self.account.client_name, &self.account.client_secret, &nonce));
        session.client.fresh = cred.is_some() && (auth == AuthType::Basic || session.client.nonce.is_some());
        if cred.is_some() {
            session.client.auth = Some(auth);
        }
        Header {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: session.id.clone(),
            msg_id: session.msg_id.to_string().into(),
            target: Address::new(session.resp_uri.as_deref().unwrap_or(&self.account.server_url)),
            source: Address { uri: self.uri.as_str().into(), name: Some(self.account.client_name.as_str().into()) },
            cred,
            meta: if first { sizes } else { Meta::default() },
            ..Header::default()
        }
    }
}

/// The server's Status for the header of our message.
fn status_of_header(message: &Message, msg_id: u32) -> Option<&Status> {
    message.commands.iter().find_map(|command| match command {
        Command::Status(status) if status.cmd_ref == "0" && status.msg_ref.parse() == Ok(msg_id) => Some(status),
        _ => None,
    })
}

/// Our Status for the header of the server's message.
fn header_status(message: &Message, code: StatusCode, chal: Option<Challenge>) -> Status {
    Status {
        msg_ref: message.header.msg_id.clone(),
        cmd_ref: "0".into(),
        cmd: "SyncHdr".into(),
        target_refs: vec![message.header.target.uri.clone()],
        source_refs: vec![message.header.source.uri.clone()],
        chal,
        code,
        ..Status::default()
    }
}

/// Whether a command wants an answer.
pub(super) fn is_work(command: &Command) -> bool {
    !matches!(command, Command::Status(_) | Command::Results(_))
}

fn is_next_message(command: &Command) -> bool {
    matches!(command, Command::Alert(alert) if alert.code == "1222")
}

fn asks_for_more_only(message: &Message) -> bool {
    message.commands.iter().filter(|it| is_work(it)).all(is_next_message)
}

fn alert(code: &str) -> Command {
    Command::Alert(Alert { code: code.into(), ..Alert::default() })
}

/// Gives `CmdID`s from 1. What a device sends is never nested.
fn number(commands: &mut [Command]) {
    for (id, command) in (1_u32..).zip(commands) {
        set_cmd_id(command, id.to_string().into());
    }
}

pub(super) fn set_cmd_id(command: &mut Command, id: Text) {
    let cmd_id = match command {
        Command::Alert(it) => &mut it.cmd_id,
        Command::Write(it) => &mut it.cmd_id,
        Command::Get(it) => &mut it.cmd_id,
        Command::Exec(it) => &mut it.cmd_id,
        Command::Nested(it) => &mut it.cmd_id,
        Command::Results(it) => &mut it.cmd_id,
        Command::Status(it) => &mut it.cmd_id,
        Command::Unsupported { cmd_id, .. } => cmd_id,
    };
    *cmd_id = id;
}
