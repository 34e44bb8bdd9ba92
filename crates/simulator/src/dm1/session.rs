//! One session of a device: what it has said, what it has still to say, and what it makes of a server's message.

use muster_protocol::syncml::{Challenge, Command, Header, Message, Status, StatusCode, Text};

use super::execute::Executor;
use super::large_object::{Incoming, Piece, Room};
use super::outbox::Outbox;
use super::proof::{ClientProof, Judgement, Proof, Sealed, ServerProof};
use super::reply::alert;
use super::{Device, SessionEnd, Step, Told, event};
use crate::account::AuthType;
use crate::tree::VALUE_BYTES_MAX;

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
    /// Messages made, which need not be what `msg_id` says.
    pub(super) messages: u32,
    pub(super) server_msg_id: u64,
    pub(super) client: ClientProof,
    pub(super) server: ServerProof,
    /// The nonce of a resynchronisation, until the server has proved who it is with it.
    pub(super) server_nonce_special: Option<Vec<u8>>,
    /// `MaxMsgSize` of the server.
    pub(super) server_message_bytes_max: Option<u64>,
    /// `MaxObjSize` of the server.
    pub(super) server_object_bytes_max: Option<u64>,
    /// The commands of the last message but for its `SyncHdr` Status, to be sent again after a challenge.
    pub(super) sent: Vec<Command>,
    /// Statuses of requests for the next message. They go out before the outbox, which could otherwise be kept from
    /// ever getting empty by them.
    pub(super) prompts: Vec<Command>,
    /// The server has not closed its package, so the device must not close its own.
    pub(super) server_package_open: bool,
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
            messages: 0,
            server_msg_id: 0,
            client: ClientProof::default(),
            server: ServerProof::Missing { challenges: 0 },
            server_nonce_special: None,
            server_message_bytes_max: None,
            server_object_bytes_max: None,
            sent: Vec::new(),
            prompts: Vec::new(),
            server_package_open: false,
            incoming: None,
        }
    }

    /// Whether a message is the one answered last, or an older one: a repetition on the way here.
    pub(super) fn has_answered(&self, header: &Header) -> bool {
        let Some((answered, _)) = &self.answered else { return false };
        let is_older = || header.msg_id.parse().is_ok_and(|id: u64| id < self.server_msg_id);
        header.session_id.eq_ignore_ascii_case(&self.id) && (*answered == header.msg_id || is_older())
    }
}

impl Device {
    /// Makes what there is to make of one new message.
    pub(super) fn take(&mut self, session: &mut Session, message: &Message, sealed: Sealed<'_>) -> Step {
        if !message.header.session_id.eq_ignore_ascii_case(&session.id) {
            let text = format!("SessionID {:?} is not that of this session", message.header.session_id);
            return Step::end(SessionEnd::Violation(text));
        }
        self.check(session, message);
        self.note_header(session, &message.header);
        let Some(of_header) = status_of_header(message, session.msg_id) else {
            let text = format!("no Status for the SyncHdr of message {}", session.msg_id);
            return Step::end(SessionEnd::Violation(text));
        };
        match of_header.code {
            StatusCode::INVALID_CREDENTIALS | StatusCode::MISSING_CREDENTIALS => {
                self.challenged(session, message, of_header, sealed)
            }
            code if !code.is_success() => Step::end(SessionEnd::Refused(code)),
            code => {
                if code == StatusCode::AUTHENTICATED && session.client.shown == Some(AuthType::Hmac) {
                    self.complain("status 212 for a MAC, which goes with every message");
                }
                session.client.accepted(code, of_header.chal.as_ref());
                self.go_on(session, message, sealed)
            }
        }
    }

    fn note_header(&self, session: &mut Session, header: &Header) {
        if let Some(uri) = header.resp_uri.as_ref().filter(|it| !it.is_empty() && !self.faults.ignores_resp_uri) {
            session.resp_uri = Some(uri.clone());
        }
        if self.faults.ignores_server_limits {
            return;
        }
        session.server_message_bytes_max = header.meta.max_msg_size.or(session.server_message_bytes_max);
        session.server_object_bytes_max = header.meta.max_obj_size.or(session.server_object_bytes_max);
    }

    /// The server wants a credential, or another one: sends the last message again with it.
    fn challenged(&mut self, session: &mut Session, message: &Message, status: &Status, sealed: Sealed<'_>) -> Step {
        let chal = status.chal.as_ref().map(|it| &it.meta);
        let wanted = match chal.and_then(|it| it.kind.as_deref()) {
            None => Some(session.client.auth.unwrap_or(self.account.auth)),
            Some(name) => AuthType::parse(name),
        };
        // No scheme that the account has no credential for, and none but the one that was taken before.
        let wanted = wanted.filter(|it| *it >= self.account.weakest);
        let wanted = wanted.filter(|it| session.client.settled.is_none_or(|settled| settled == *it));
        let Some(wanted) = wanted else {
            return Step::end(SessionEnd::NotAuthenticated);
        };
        let refused_for_good = session.client.fresh && session.client.auth == Some(wanted);
        if refused_for_good || chal.is_none() || session.client.challenges >= CHALLENGES_MAX {
            return Step::end(SessionEnd::NotAuthenticated);
        }
        if message.commands.iter().any(is_work) {
            self.complain("commands beside a challenge: not executed");
        }
        session.client.challenged(wanted, chal.and_then(|it| it.next_nonce.clone()));
        let sent = std::mem::take(&mut session.sent);
        session.outbox.unsend(sent);
        let of_header = match self.judge(session, message, sealed) {
            Judgement::Trusted(code, chal) => self.header_status(message, code, chal),
            Judgement::Doubted(code, chal) => self.header_status(message, code, Some(chal)),
        };
        self.reply(session, of_header)
    }

    /// Executes what the server sent, if it may, and answers.
    fn go_on(&mut self, session: &mut Session, message: &Message, sealed: Sealed<'_>) -> Step {
        if message.commands.iter().any(|it| is_alert(it, "1223")) {
            return Step::end(SessionEnd::AbortedByServer);
        }
        let has_work = message.commands.iter().any(is_work);
        let unfinished = !session.outbox.is_empty();
        if !has_work && message.is_final {
            return self.server_is_done(session, message, sealed);
        }
        // While the device sends on, the server only asks for the next message: that opens no new package.
        if message.is_final || !(unfinished && asks_for_more_only(message)) {
            session.server_package_open = !message.is_final;
        }
        match self.judge(session, message, sealed) {
            Judgement::Trusted(code, chal) => {
                if matches!(session.server, ServerProof::Accepted | ServerProof::Shown(_)) {
                    self.keep_nonce(session);
                }
                self.execute(session, message);
                let of_header = self.header_status(message, code, chal);
                self.reply(session, of_header)
            }
            Judgement::Doubted(code, chal) => self.challenge(session, message, code, chal),
        }
    }

    fn server_is_done(&mut self, session: &mut Session, message: &Message, sealed: Sealed<'_>) -> Step {
        if !session.outbox.is_empty() {
            let text = "the server ended the session before the device's package was complete";
            return Step::end(SessionEnd::Violation(text.to_owned()));
        }
        // Who says nothing to the pieces of an object must not wonder that the server gives it up.
        if session.incoming.take().is_some() && !self.faults.no_chunk_statuses {
            self.complain("the server ended the session in the middle of an object");
        }
        // A session is not kept open just to challenge a server that wants nothing, and such a server need not
        // spend the nonce it has: its own is kept all the same. A false one costs a challenge in the next session.
        let failed = matches!(session.server, ServerProof::Missing { challenges: 1.. });
        if !failed && self.proof(session, message, sealed) != Proof::Bad {
            self.keep_nonce(session);
        }
        Step::end(SessionEnd::Complete)
    }

    /// Answers every command with the challenge's status and executes none; a server that fails too often loses the
    /// session.
    fn challenge(&mut self, session: &mut Session, message: &Message, code: StatusCode, chal: Challenge) -> Step {
        let challenges = match session.server {
            ServerProof::Missing { challenges } => challenges,
            ServerProof::Accepted | ServerProof::Shown(_) => 0,
        };
        session.server = ServerProof::Missing { challenges: challenges + 1 };
        let of_header = self.header_status(message, code, Some(chal));
        let for_commands = if self.faults.status_zero { StatusCode(0) } else { code };
        for command in &message.commands {
            let answers = self.executor(&message.header.msg_id).refuse(command, for_commands);
            answers.into_iter().for_each(|it| session.outbox.push(it));
        }
        let gives_up = challenges >= CHALLENGES_MAX;
        if gives_up {
            session.outbox.push(alert("1223"));
        }
        let step = self.reply(session, of_header);
        Step { finished: step.finished.or(gives_up.then_some(SessionEnd::ServerNotAuthenticated)), ..step }
    }

    fn execute(&mut self, session: &mut Session, message: &Message) {
        for command in message.commands.iter().filter(|it| is_work(it)) {
            if is_next_message(command) {
                session.prompts.extend(self.executor(&message.header.msg_id).run(command));
                continue;
            }
            if is_alert(command, "1225") {
                // The server does not have the object that the device is sending.
                session.outbox.drop_rest();
                session.prompts.extend(self.executor(&message.header.msg_id).refuse(command, StatusCode::OK));
                continue;
            }
            if let Some(incoming) = session.incoming.take_if(|it| !it.continues(command)) {
                session.outbox.push(incoming.abandoned());
            }
            if message.is_final && has_more_data(command) {
                self.complain("Final in a message with a piece of an object that goes on");
            }
            let answers = self.carry_out(session, command, &message.header.msg_id);
            answers.into_iter().for_each(|it| session.outbox.push(it));
        }
        while let Some(events) = self.events.pop_front() {
            self.tell(session, events);
        }
    }

    /// Carries out one command, or keeps the piece of an object that it is.
    fn carry_out(&mut self, session: &mut Session, command: &Command, msg_ref: &Text) -> Vec<Command> {
        let faults = self.faults.clone();
        let heard = faults.as_heard(command);
        let piece = Incoming::take(&mut session.incoming, &heard, self.object_room());
        let message_bytes_max = session.server_message_bytes_max.and_then(|it| usize::try_from(it).ok());
        let mut executor = self.executor(msg_ref);
        executor.message_bytes_max = message_bytes_max;
        let answers = match piece {
            Piece::Whole => executor.run(&heard),
            Piece::Last(whole) => executor.run(&whole),
            Piece::Kept(_) if faults.no_chunk_statuses => Vec::new(),
            Piece::Kept(code) => {
                let mut answers = executor.refuse(command, code);
                answers.push(alert("1222"));
                answers
            }
            Piece::Broken(code) => executor.refuse(command, code),
        };
        for (told, event) in executor.events {
            match told {
                Told::AtOnce => self.events.push_back(vec![event]),
                Told::NextSession => self.events_later.push_back(vec![event]),
            }
        }
        let answers = self.without_large(session, answers);
        faults.as_said(answers)
    }

    /// The largest object the device takes. Base64 takes a third more than the value.
    fn object_room(&self) -> Room {
        let max = self.faults.object_bytes_max.unwrap_or((VALUE_BYTES_MAX / 3 * 4) as u64);
        Room { object_bytes_max: (!self.faults.no_large_objects).then_some(max) }
    }

    /// Values that the server does not take are answered 413 instead.
    ///
    /// Source: OMA DM 1.2 Protocol, "Large object handling": no object above `MaxObjSize` is sent.
    fn without_large(&mut self, session: &Session, answers: Vec<Command>) -> Vec<Command> {
        let object_max = session.server_object_bytes_max;
        let is_large = |command: &Command| match command {
            Command::Results(results) => {
                let octets: usize =
                    results.items.iter().filter_map(|it| it.data.as_ref()).map(|it| it.as_bytes().len()).sum();
                object_max.is_some_and(|max| octets as u64 > max)
                    || (self.faults.no_large_objects && !self.fits_whole(session, command))
            }
            _ => false,
        };
        let (large, mut kept): (Vec<Command>, Vec<Command>) = answers.into_iter().partition(is_large);
        for results in large {
            let Command::Results(results) = results else { continue };
            let uri = results.items.first().and_then(|it| it.source.as_ref()).map_or("", |it| it.uri.as_str());
            for answer in &mut kept {
                if let Command::Status(status) = answer
                    && status.cmd_ref == results.cmd_ref
                    && status.target_refs.iter().all(|it| it == uri)
                {
                    status.code = StatusCode::TOO_LARGE;
                }
            }
            self.ledger.correct(uri, "Get", StatusCode::TOO_LARGE);
        }
        kept
    }

    /// Puts events into the outbox, if the server takes them.
    pub(super) fn tell(&mut self, session: &mut Session, mut events: Vec<super::Event>) {
        let max = session.server_object_bytes_max.unwrap_or(u64::MAX);
        events.retain(|it| it.data.len() as u64 <= max);
        if self.faults.no_large_objects {
            let fits = |event: &super::Event| {
                event::alert(vec![event.clone()], &self.faults).is_some_and(|it| self.fits_whole(session, &it))
            };
            events.retain(fits);
        }
        if let Some(command) = event::alert(events, &self.faults) {
            session.outbox.push(command);
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
}

/// The server's Status for the header of our message.
fn status_of_header(message: &Message, msg_id: u32) -> Option<&Status> {
    message.commands.iter().find_map(|command| match command {
        Command::Status(status) if status.cmd_ref == "0" && status.msg_ref.parse() == Ok(msg_id) => Some(status),
        _ => None,
    })
}

/// Whether a command wants an answer.
pub(super) fn is_work(command: &Command) -> bool {
    !matches!(command, Command::Status(_) | Command::Results(_))
}

fn is_alert(command: &Command, code: &str) -> bool {
    matches!(command, Command::Alert(alert) if alert.code == code)
}

fn is_next_message(command: &Command) -> bool {
    is_alert(command, "1222")
}

fn asks_for_more_only(message: &Message) -> bool {
    message.commands.iter().filter(|it| is_work(it)).all(is_next_message)
}

fn has_more_data(command: &Command) -> bool {
    match command {
        Command::Write(write) => write.items.iter().any(|it| it.more_data),
        Command::Exec(exec) => exec.items.iter().any(|it| it.more_data),
        _ => false,
    }
}
