//! Makes the answer to the message received last.

use super::{
    Account, Due, Identity, Number, Phase, Session,
    due::{Issue, Late},
    ended,
    room::Fit,
    text,
};
use crate::{
    dm1::{Answer, AuthType, Note, Order, Reply, Seal, Stage, alert::code, auth, credential::Shown},
    syncml::{Address, Alert, Challenge, Command, Header, Item, Message, Meta, StatusCode, Text},
};

/// Octets of an alert without items.
const ALERT_BYTES: usize = 64;
/// Statuses that may wait for a later answer: those of one large message.
const LATE_MAX: usize = 1_000;

impl Session {
    /// Makes the answer to the message received last.
    ///
    /// `commands` go out in order, as many as fit the device's largest message; the others wait for the next answers, before
    /// what those are given. Orders are taken at [`Stage::Ready`] only, else they come back at once as not sent. Without any
    /// order, given or waiting, the answer ends the session.
    ///
    /// If no message was received since the last answer, there is nothing to say: the session ends.
    pub fn answer(&mut self, identity: &Identity<'_>, account: &Account<'_>, commands: Vec<Order>) -> Reply {
        let Some(due) = self.due.take() else {
            let mut outcomes = self.close();
            outcomes.extend(commands.iter().flat_map(|it| ended(it, Answer::NotSent, Some(Note::NotTaken))));
            let message = self.message(identity, self.device.clone());
            return Reply { message, seal: None, outcomes, over: true };
        };
        let mut outcomes = self.admit(account, due.stage, commands);
        let (mut message, seal) = self.begin(identity, account, &due);
        let mut next = Number(message.commands.len().saturating_add(self.numbers_from as usize));
        let goes_on = matches!(due.stage, Stage::NextMessage | Stage::NextPart | Stage::Ready);
        if goes_on && !due.no_end.is_empty() {
            self.say(&mut message, &mut next, code::NO_END_OF_DATA, due.no_end.iter().map(source).collect());
        }
        let over = match due.stage {
            Stage::Challenge => false,
            Stage::Refuse | Stage::End => true,
            Stage::NextMessage => {
                message.is_final = false;
                self.say(&mut message, &mut next, code::NEXT_MESSAGE, Vec::new());
                false
            }
            Stage::NextPart | Stage::Ready => {
                if self.late.is_empty() && self.has_work() {
                    outcomes.extend(self.send_orders(account, &mut message, &mut next, &due));
                }
                let waits = self.has_work() || !self.late.is_empty();
                if self.wire.is_empty() && waits {
                    // The statuses took the room: this keeps the session going until there is some.
                    message.is_final = !self.is_sending_object();
                    self.say(&mut message, &mut next, code::NEXT_MESSAGE, Vec::new());
                }
                self.wire.is_empty() && !waits && self.own_alerts.is_empty()
            }
        };
        if over {
            outcomes.extend(self.close());
        }
        Reply { message, seal, outcomes, over }
    }

    /// Ends the session from this side, for a shutdown or a cancellation: what is owed, alert 1223 and nothing else.
    pub fn abort(&mut self, identity: &Identity<'_>, account: &Account<'_>) -> Reply {
        let (mut message, seal) = match self.due.take() {
            Some(due) => self.begin(identity, account, &Due { stage: Stage::End, ..due }),
            None => (self.message(identity, self.device.clone()), None),
        };
        let mut next = Number(message.commands.len());
        message.commands.push(alert(next.take(), code::SESSION_ABORT, Vec::new()));
        Reply { message, seal, outcomes: self.close(), over: true }
    }

    /// Refuses a message that [`Session::receive`] did not take, with `code` for its header and each of its commands, and
    /// ends the session.
    ///
    /// A message of another session or device should be refused by a new session made for it, so that this one goes on.
    pub fn refuse(&mut self, identity: &Identity<'_>, message: &Message, code: StatusCode) -> Reply {
        let due = Due::refusal(message, code, Stage::Refuse);
        self.due = None;
        self.id = message.header.session_id.clone();
        let mut reply = self.message(identity, message.header.source.uri.clone());
        let mut next = Number(0);
        reply.commands.push(due.header_status(text(next.take()), None));
        let statuses = due.commands.into_iter().map(|it| Late::new(&due.msg, it));
        reply.commands.extend(statuses.map(|it| it.command(text(next.take()))));
        Reply { message: reply, seal: None, outcomes: self.close(), over: true }
    }

    /// Puts our credential into the message, or gives what seals it. A client that is not known gets neither.
    fn show(&mut self, account: &Account<'_>, stage: Stage, message: &mut Message) -> Option<Seal> {
        let client = self.scheme.filter(|_| self.phase == Phase::Known);
        let shown = match stage {
            Stage::Ready | Stage::NextPart => self.standing.show(account, self.has_work(), client),
            Stage::NextMessage => self.standing.show(account, false, client),
            // The last word must be believed too, if the words before it had to be one by one.
            Stage::End if client == Some(AuthType::Hmac) || self.standing.is_each_message() => {
                self.standing.show(account, false, client)
            }
            Stage::Challenge | Stage::Refuse | Stage::End => {
                self.standing.show_nothing();
                None
            }
        };
        match shown {
            Some(Shown::Cred(cred)) => message.header.cred = Some(cred),
            Some(Shown::Seal(seal)) => return Some(seal),
            None => {}
        }
        None
    }

    /// An answer with our credential and the statuses that are due.
    fn begin(&mut self, identity: &Identity<'_>, account: &Account<'_>, due: &Due) -> (Message, Option<Seal>) {
        let mut message = self.message(identity, self.device.clone());
        if self.phase == Phase::Known {
            message.header.source.name = account.server.map(|it| it.name.into());
        }
        if due.login || self.phase == Phase::Stranger {
            self.parts.announce(identity.max_obj_size);
            self.told_max_msg_size = Some(identity.max_msg_size);
            message.header.meta = Meta {
                max_msg_size: Some(identity.max_msg_size.into()),
                max_obj_size: Some(identity.max_obj_size.into()),
                ..Meta::default()
            };
        }
        let challenge = due.challenge.map(|issue| match issue {
            Issue::Now(auth) => auth::challenge(auth, account.challenge),
            Issue::Next(auth) => auth::challenge(auth, account.next),
        });
        let seal = self.show(account, due.stage, &mut message);
        self.add_statuses(account, &mut message, due, challenge);
        (message, seal)
    }

    /// The status of the header, then those of the commands, in order, behind those that earlier answers had no room for.
    /// What there is no room for now waits for the next answer, if there will be one.
    fn add_statuses(&mut self, account: &Account<'_>, message: &mut Message, due: &Due, challenge: Option<Challenge>) {
        let mut next = Number(message.commands.len());
        message.commands.push(due.header_status(text(next.take()), challenge));
        let statuses = due.commands.iter().map(|it| Late::new(&due.msg, it.clone()));
        if !matches!(due.stage, Stage::NextMessage | Stage::NextPart | Stage::Ready) {
            message.commands.extend(statuses.map(|it| it.command(text(next.take()))));
            return;
        }
        self.late.extend(statuses);
        if self.late.is_empty() {
            return;
        }
        let mut room = self.room(account, message);
        // For the alert that asks for the next message, which may be needed, and for one that names what broke off.
        let asks = due.stage == Stage::NextMessage || self.has_work();
        let broken: usize = due.no_end.iter().map(|uri| 2 * ALERT_BYTES + uri.len()).sum();
        room.max = room.max.saturating_sub(broken + if asks { ALERT_BYTES } else { 0 });
        let begun = (next, message.commands.len());
        for late in &self.late {
            let command = late.command(text(next.take()));
            let fits = room.take(message, &command).is_ok_and(|it| it == Fit::Fits);
            message.commands.push(command);
            if !fits && self.late.len() <= LATE_MAX {
                return self.add_some_statuses(account, message, begun, broken);
            }
        }
        self.late.clear();
    }

    /// Adds as many statuses as there is room for beside the alert that asks for the next message, and one at least, so
    /// that an end comes in sight. `begun`: where they begin. `reserved`: octets to keep free besides.
    fn add_some_statuses(
        &mut self,
        account: &Account<'_>,
        message: &mut Message,
        begun: (Number, usize),
        reserved: usize,
    ) {
        let (mut next, length) = begun;
        message.commands.truncate(length);
        let mut room = self.room(account, message);
        room.max = room.max.saturating_sub(ALERT_BYTES + reserved);
        let mut is_first = true;
        while let Some(late) = self.late.front() {
            let command = late.command(text(next.take()));
            let fits = room.take(message, &command).is_ok_and(|it| it == Fit::Fits);
            if !fits && !is_first {
                break;
            }
            is_first = false;
            message.commands.push(command);
            self.late.pop_front();
        }
    }

    /// Our next message, without commands.
    fn message(&mut self, identity: &Identity<'_>, target: Text) -> Message {
        self.sent = self.sent.saturating_add(1);
        self.own_alerts.clear();
        let (ver_dtd, ver_proto) = self.version.names();
        Message {
            header: Header {
                ver_dtd: ver_dtd.into(),
                ver_proto: ver_proto.into(),
                session_id: self.id.clone(),
                msg_id: text(self.sent),
                target: Address::new(target),
                source: Address::new(identity.uri),
                resp_uri: identity.resp_uri.map(Text::from),
                ..Header::default()
            },
            commands: Vec::new(),
            is_final: true,
        }
    }

    /// Adds an alert of ours.
    fn say(&mut self, message: &mut Message, next: &mut Number, code: &str, items: Vec<Item>) {
        let cmd = next.take();
        self.own_alerts.push(cmd);
        message.commands.push(alert(cmd, code, items));
    }
}

fn alert(cmd: u32, code: &str, items: Vec<Item>) -> Command {
    Command::Alert(Alert { cmd_id: text(cmd), code: code.into(), correlator: None, items })
}

fn source(uri: &Text) -> Item {
    Item { source: Some(Address::new(uri.clone())), ..Item::default() }
}
