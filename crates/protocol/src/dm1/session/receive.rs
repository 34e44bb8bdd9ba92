//! Takes a message of the device.

use super::{Account, Due, Incoming, Phase, Session, Version, due::Issue};
use crate::{
    dm1::{
        Answer, AuthType, DeviceInfo, EndReason, EventKind, Failure, Initiation, Login, Outcome, Quirks, Received,
        Stage, Violation,
        alert::{code, take_events},
        credential,
        large::{Assembly, Object, Owner},
        proof::{self, Terms},
    },
    syncml::{Alert, Command, Header, Message, Status, StatusCode, WriteKind},
};

impl Session {
    /// Takes one message of the device. The caller has dealt with a repetition of the last message, which gets the reply it
    /// got before and is not given here. A message without a MAC may be given alone, in place of an [`Incoming`].
    ///
    /// Of a message whose sender is not authenticated nothing is taken: no outcomes, no alerts, no nonce.
    ///
    /// # Errors
    /// [`Violation`] if the message cannot be part of this session, which is then unchanged.
    pub fn receive<'a>(
        &mut self,
        account: &Account<'_>,
        incoming: impl Into<Incoming<'a>>,
    ) -> Result<Received, Violation> {
        let incoming = incoming.into();
        let message = incoming.message;
        let number = self.check(account, &incoming)?;
        self.id = message.header.session_id.clone();
        self.device = message.header.source.uri.clone();
        self.skipped = self.skipped.saturating_add(number - self.seen - 1);
        self.seen = number;
        let mut received = Received::nothing();
        let due = self.take(account, &incoming, &mut received);
        received.stage = due.stage;
        self.settle(&mut received.outcomes);
        if matches!(due.stage, Stage::Refuse | Stage::End) {
            received.outcomes.extend(self.close());
        }
        received.skipped = self.skipped;
        received.unexpected = self.unexpected;
        self.due = Some(due);
        Ok(received)
    }

    /// The number of a message that can be next in this session.
    fn check(&self, account: &Account<'_>, incoming: &Incoming<'_>) -> Result<u32, Violation> {
        if self.phase == Phase::Over {
            return Err(Violation::Over);
        }
        let header = &incoming.message.header;
        let identifiers = [&header.session_id, &header.source.uri, &header.msg_id];
        if identifiers.iter().any(|it| it.len() > super::IDENTIFIER_BYTES_MAX) {
            return Err(Violation::IdentifierTooLong { max: super::IDENTIFIER_BYTES_MAX });
        }
        if !same_session(&self.id, &header.session_id) {
            return Err(Violation::OtherSession { expected: self.id.clone(), got: header.session_id.clone() });
        }
        if !self.device.is_empty() && self.device != header.source.uri {
            return Err(Violation::OtherDevice { expected: self.device.clone(), got: header.source.uri.clone() });
        }
        let Ok(number) = header.msg_id.trim().parse() else {
            return Err(Violation::MessageNumber { got: header.msg_id.clone() });
        };
        if number <= self.seen {
            return Err(Violation::MessageBelow { expected: self.seen.saturating_add(1), got: number });
        }
        let got = incoming.body.len();
        let told = self.told_max_msg_size.filter(|_| account.quirks.honours_max_msg_size);
        if let Some(max) = told.filter(|it| usize::try_from(*it).is_ok_and(|it| got > it)) {
            return Err(Violation::MessageTooLong { max, got });
        }
        if self.sent >= super::MESSAGES_MAX {
            return Err(Violation::TooManyMessages { max: super::MESSAGES_MAX });
        }
        Ok(number)
    }

    /// The message from its outside to its inside: version, sender, body.
    fn take(&mut self, account: &Account<'_>, incoming: &Incoming<'_>, received: &mut Received) -> Due {
        let message = incoming.message;
        self.version = match version(&message.header, account.quirks) {
            Ok(version) => version,
            Err(code) => {
                received.reason = Some(EndReason::Version);
                return Due::refusal(message, code, Stage::Refuse);
            }
        };
        let terms = Terms { scheme: self.scheme, resynchronised: self.resynchronised };
        match proof::check(account, incoming, terms) {
            Ok(login) => {
                let is_new = self.phase != Phase::Known;
                self.let_in(account, login);
                received.login = Some(login);
                Due { login: is_new, ..self.take_body(account, message, received) }
            }
            Err(Failure::Missing) if self.phase == Phase::Known && !self.each_message => {
                self.take_body(account, message, received)
            }
            // There is nothing a stranger could abort but its own session.
            Err(_) if self.phase == Phase::Stranger && has_abort(message) => abort_answer(message, received),
            Err(failure) => {
                received.failure = Some(failure);
                let wanted = self.wanted(account, incoming, failure);
                self.doubt(message, failure, wanted, received)
            }
        }
    }

    /// Notes that the client proved who it is.
    fn let_in(&mut self, account: &Account<'_>, login: Login) {
        if self.scheme.is_none() {
            self.each_message = account.each_message || login.auth == AuthType::Hmac;
        }
        self.phase = Phase::Known;
        self.scheme = Some(login.auth);
        self.failures = 0;
        if let Some(reading) = login.resync {
            self.resynchronised = true;
            // On a first contact without a notification it is the client's nonce alone that is empty.
            if account.resync_sent {
                self.standing.resynchronise(reading);
            }
        }
    }

    /// The scheme to ask for: that of the session, or the one that the client tried, if the account allows it.
    fn wanted(&self, account: &Account<'_>, incoming: &Incoming<'_>, failure: Failure) -> AuthType {
        let tried = failure.tried(incoming.hmac.is_some(), incoming.message.header.cred.as_ref());
        let wanted = self.scheme.or(tried).filter(|it| *it >= account.weakest);
        wanted.unwrap_or(account.weakest.max(AuthType::Md5))
    }

    /// Challenges the client, or refuses it the second time. Statuses of a doubtful message are not taken; what it owes it
    /// still owes.
    fn doubt(&mut self, message: &Message, failure: Failure, wanted: AuthType, received: &mut Received) -> Due {
        let code = match failure {
            Failure::Missing => StatusCode::MISSING_CREDENTIALS,
            _ => StatusCode::INVALID_CREDENTIALS,
        };
        self.phase = Phase::Stranger;
        self.failures = self.failures.saturating_add(1);
        if self.failures > 1 {
            received.reason = Some(EndReason::BadCredential);
            return Due::refusal(message, code, Stage::Refuse);
        }
        Due { challenge: Some(Issue::Now(wanted)), ..Due::refusal(message, code, Stage::Challenge) }
    }

    /// The body of a message whose sender is known.
    fn take_body(&mut self, account: &Account<'_>, message: &Message, received: &mut Received) -> Due {
        let announced = message.header.meta.max_msg_size.filter(|it| *it > 0);
        self.max_msg_size = announced.or(self.max_msg_size);
        self.max_obj_size = message.header.meta.max_obj_size.filter(|it| *it > 0).or(self.max_obj_size);
        let code = if self.each_message { StatusCode::OK } else { StatusCode::AUTHENTICATED };
        let mut due = Due::new(message, code, Stage::Ready);
        due.challenge = received.login.and_then(issue_after);
        self.parts.begin_message();
        let mut broken = Vec::new();
        for command in &message.commands {
            match command {
                Command::Status(status) => self.take_status(status),
                Command::Results(results) => {
                    let (code, objects) = self.wire.results(results, &mut self.parts);
                    broken.extend(objects);
                    if code == Some(StatusCode::BAD_REQUEST) {
                        self.unexpected = self.unexpected.saturating_add(1);
                    }
                    if let Some(code) = code {
                        due.command(command, code);
                    }
                }
                _ => {
                    let (code, objects) = take_command(command, received, &mut self.parts);
                    broken.extend(objects);
                    due.command(command, code);
                }
            }
        }
        broken.extend(self.parts.end_message(message.is_final));
        for object in broken {
            if let Owner::Results(cmd) = object.owner {
                self.wire.broke_off(cmd);
            }
            due.no_end.push(object.uri);
        }
        let verdict = self.take_header_statuses(account, message, received);
        match verdict {
            credential::Verdict::GoOn => {}
            credential::Verdict::Again => {
                let was_amid_object = self.is_sending_object();
                received.outcomes.extend(self.queue_again());
                if was_amid_object {
                    return Due { stage: Stage::NextPart, ..due };
                }
            }
            credential::Verdict::Hopeless(reason) => {
                received.outcomes.extend(self.cut_off());
                let (outcomes, refused) = self.wire.take_refused();
                received.outcomes.extend(outcomes);
                received.outcomes.extend(refused.iter().map(|(_, tag)| Outcome::bare(*tag, Answer::NotSent, None)));
                received.reason = Some(reason);
                return Due { stage: Stage::End, ..due };
            }
        }
        if has_abort(message) {
            return abort_answer(message, received);
        }
        let part =
            self.take_part_answer(has_alert(message, code::NO_END_OF_DATA), message.is_final, &mut received.outcomes);
        if let Some(stage) = part {
            return Due { stage, ..due };
        }
        if message.is_final {
            received.outcomes.extend(self.wire.take_all());
            self.again.clear();
            due
        } else {
            received.outcomes.extend(self.wire.take_finished(self.parts.order()));
            Due { stage: Stage::NextMessage, ..due }
        }
    }

    fn take_status(&mut self, status: &Status) {
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let (msg, cmd) = (number(&status.msg_ref), number(&status.cmd_ref));
        let header = cmd == Some(0) && msg.is_some_and(|it| it == self.sent || self.is_on_wire(it));
        let own_alert = msg == Some(self.sent) && cmd.is_some_and(|it| self.own_alerts.contains(&it));
        if !header && !own_alert && !self.wire.status(status) {
            self.unexpected = self.unexpected.saturating_add(1);
        }
    }

    /// What the device says of our header: its nonce, and whether it lets us in.
    fn take_header_statuses(
        &mut self,
        account: &Account<'_>,
        message: &Message,
        received: &mut Received,
    ) -> credential::Verdict {
        let asked_in = if self.wire.is_empty() { self.sent } else { self.wire.msg };
        let mut verdict = credential::Verdict::GoOn;
        for msg in [asked_in, self.sent] {
            // Only the first counts: a second status for one header is a mistake.
            let Some(status) = header_status(message, msg) else { continue };
            if let Some(nonce) = status.chal.as_ref().and_then(credential::next_nonce) {
                received.server_nonce = Some(nonce.to_vec());
            }
            let asked = self.is_on_wire(msg);
            if asked && !status.code.is_success() {
                self.wire.header = Some(status.code);
            }
            verdict = self.standing.take(account, status.code, status.chal.as_ref(), asked);
            if verdict != credential::Verdict::GoOn || asked_in == self.sent {
                break;
            }
        }
        verdict
    }

    fn is_on_wire(&self, msg: u32) -> bool {
        !self.wire.is_empty() && self.wire.msg == msg
    }
}

impl Received {
    fn nothing() -> Self {
        Self {
            login: None,
            failure: None,
            server_nonce: None,
            device: None,
            initiation: None,
            outcomes: Vec::new(),
            alerts: Vec::new(),
            stage: Stage::Ready,
            reason: None,
            skipped: 0,
            unexpected: 0,
        }
    }
}

/// The device's status for the header of our message `msg`.
fn header_status(message: &Message, msg: u32) -> Option<&Status> {
    message.commands.iter().find_map(|command| match command {
        Command::Status(it) if it.cmd_ref.trim() == "0" && it.msg_ref.trim().parse() == Ok(msg) => Some(it),
        _ => None,
    })
}

/// The nonce that the answer to a login issues for the next one.
fn issue_after(login: Login) -> Option<Issue> {
    match login.auth {
        AuthType::Basic => None,
        AuthType::Md5 | AuthType::Hmac => Some(Issue::Next(login.auth)),
    }
}

/// The version that the message speaks, or 505 or 513 where it is not spoken here. Documents of DTD 1.1 differ from 1.2 only
/// in what they may hold, so they are read in a session of DM 1.2 too.
fn version(header: &Header, quirks: &Quirks) -> Result<Version, StatusCode> {
    match (header.ver_dtd.trim(), header.ver_proto.trim()) {
        ("1.1" | "1.2", "DM/1.2") => Ok(Version::V1_2),
        ("1.1", "DM/1.1") if quirks.dm_1_1 => Ok(Version::V1_1),
        ("1.1" | "1.2", _) => Err(StatusCode::PROTOCOL_VERSION_NOT_SUPPORTED),
        _ => Err(StatusCode::DTD_VERSION_NOT_SUPPORTED),
    }
}

/// A session of a notification has a hexadecimal number: handsets differ in case and leading zeros.
fn same_session(ours: &str, theirs: &str) -> bool {
    let bare = |id: &str| -> String { id.trim().trim_start_matches('0').to_ascii_lowercase() };
    bare(ours) == bare(theirs)
}

fn is_alert(command: &Command, code: &str) -> bool {
    matches!(command, Command::Alert(alert) if alert.code.trim() == code)
}

fn has_alert(message: &Message, code: &str) -> bool {
    message.commands.iter().any(|it| is_alert(it, code))
}

fn has_abort(message: &Message) -> bool {
    has_alert(message, code::SESSION_ABORT)
}

/// Statuses for the header and the abort, and nothing else.
fn abort_answer(message: &Message, received: &mut Received) -> Due {
    received.reason = Some(EndReason::DeviceAborted);
    let mut due = Due::new(message, StatusCode::OK, Stage::End);
    for command in message.commands.iter().filter(|it| is_alert(it, code::SESSION_ABORT)) {
        due.command(command, StatusCode::OK);
    }
    due
}

/// Commands of SyncML that OMA DM does not use.
const UNUSED: [&str; 5] = ["Map", "Move", "Put", "Search", "Sync"];

/// Takes a command of the device; returns its status.
///
/// A client may send Alert and Replace of `./DevInfo` only. Other commands of device management are answered 406, those that
/// SyncML has for other uses 501, and what is no command or has no `CmdID` 400.
fn take_command(command: &Command, received: &mut Received, parts: &mut Assembly) -> (StatusCode, Vec<Object>) {
    let code = match command {
        _ if command.cmd_id().is_empty() => StatusCode::BAD_REQUEST,
        Command::Alert(alert) => return take_alert(alert, received, parts),
        Command::Write(write) if write.kind == WriteKind::Replace => DeviceInfo::take(&mut received.device, write),
        Command::Write(_) | Command::Get(_) | Command::Exec(_) | Command::Nested(_) => StatusCode::NOT_SUPPORTED,
        Command::Unsupported { name, .. } if UNUSED.contains(&name.as_str()) => StatusCode::NOT_IMPLEMENTED,
        Command::Unsupported { .. } => StatusCode::BAD_REQUEST,
        Command::Results(_) | Command::Status(_) => StatusCode::OK,
    };
    (code, Vec::new())
}

/// Codes of data synchronisation, of user interaction (which only a server may ask for) and unknown ones are answered 406.
fn take_alert(alert: &Alert, received: &mut Received, parts: &mut Assembly) -> (StatusCode, Vec<Object>) {
    let code = match alert.code.trim() {
        "" => StatusCode::INCOMPLETE,
        code::SERVER_INITIATED => {
            received.initiation = Some(Initiation::Server);
            StatusCode::OK
        }
        code::CLIENT_INITIATED => {
            received.initiation = Some(Initiation::Client);
            StatusCode::OK
        }
        code::NEXT_MESSAGE | code::SESSION_ABORT | code::NO_END_OF_DATA => StatusCode::OK,
        code::CLIENT_EVENT => return take_events(&mut received.alerts, alert, EventKind::ClientEvent, parts),
        code::GENERIC_ALERT => return take_events(&mut received.alerts, alert, EventKind::GenericAlert, parts),
        _ => StatusCode::NOT_SUPPORTED,
    };
    (code, Vec::new())
}
