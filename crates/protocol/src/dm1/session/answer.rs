//! Makes the answer to the message received last.

use super::{Account, Due, Identity, MAX_MSG_SIZE_DEFAULT, ORDERS_MAX, Phase, Session, due::Issue, ended};
use crate::{
    dm1::{
        Answer, AuthType, Note, Order, Outcome, Reply, Seal, Stage, alert::code, auth, credential::Shown, size::Scale,
    },
    syncml::{Address, Alert, Challenge, Command, Encoding, Header, Item, Message, Meta, StatusCode, Text},
};

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
        let mut outcomes = self.admit(due.stage, commands);
        let mut message = self.begin(identity, account, &due);
        let mut next = Number(message.commands.len().saturating_add(self.numbers_from as usize));
        if matches!(due.stage, Stage::NextMessage | Stage::Ready) && !due.no_end.is_empty() {
            self.say(&mut message, &mut next, code::NO_END_OF_DATA, due.no_end.iter().map(source).collect());
        }
        let seal = self.show(account, due.stage, &mut message);
        let over = match due.stage {
            Stage::Challenge => false,
            Stage::Refuse | Stage::End => true,
            Stage::NextMessage => {
                message.is_final = false;
                self.say(&mut message, &mut next, code::NEXT_MESSAGE, Vec::new());
                false
            }
            Stage::Ready => {
                if !self.queue.is_empty() {
                    let room = Room::new(self, &message, &due);
                    outcomes.extend(self.send_orders(account, &mut message, &mut next, &room));
                }
                if self.wire.is_empty() && !self.queue.is_empty() {
                    // The statuses took the room: this keeps the session going until there is some.
                    self.say(&mut message, &mut next, code::NEXT_MESSAGE, Vec::new());
                }
                self.wire.is_empty() && self.queue.is_empty() && self.own_alerts.is_empty()
            }
        };
        if over {
            outcomes.extend(self.close());
        }
        Reply { message, seal, outcomes, over }
    }

    /// Ends the session from this side, for a shutdown or a cancellation: what is owed, alert 1223 and nothing else.
    pub fn abort(&mut self, identity: &Identity<'_>, account: &Account<'_>) -> Reply {
        let mut message = match self.due.take() {
            Some(due) => self.begin(identity, account, &due),
            None => self.message(identity, self.device.clone()),
        };
        let mut next = Number(message.commands.len());
        message.commands.push(alert(next.take(), code::SESSION_ABORT, Vec::new()));
        let seal = self.show(account, Stage::End, &mut message);
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
        add_statuses(&mut reply, &due, None);
        Reply { message: reply, seal: None, outcomes: self.close(), over: true }
    }

    /// Puts our credential into the message, or gives what seals it. A client that is not known gets neither.
    fn show(&mut self, account: &Account<'_>, stage: Stage, message: &mut Message) -> Option<Seal> {
        let client = self.scheme.filter(|_| self.phase == Phase::Known);
        let shown = match stage {
            Stage::Ready => self.standing.show(account, !self.queue.is_empty(), client),
            Stage::NextMessage => self.standing.show(account, false, client),
            // The last word must be believed too, if the words before it were sealed.
            Stage::End if client == Some(AuthType::Hmac) => self.standing.show(account, false, client),
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

    /// Takes orders into the queue. Returns the outcomes of those that cannot be taken.
    fn admit(&mut self, stage: Stage, orders: Vec<Order>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for order in orders {
            let note = if !order.action.is_allowed() {
                Note::NotAllowed
            } else if stage != Stage::Ready || self.open_orders() + order.action.members().len() >= ORDERS_MAX {
                Note::NotTaken
            } else {
                self.queue.push_back(order);
                continue;
            };
            outcomes.extend(ended(&order, Answer::NotSent, Some(note)));
        }
        outcomes
    }

    /// An answer with the statuses that are due.
    fn begin(&mut self, identity: &Identity<'_>, account: &Account<'_>, due: &Due) -> Message {
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
        add_statuses(&mut message, due, challenge);
        message
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

    /// Moves orders from the queue into the message while there is room. Returns the outcomes of those too large for any.
    fn send_orders(
        &mut self,
        account: &Account<'_>,
        message: &mut Message,
        next: &mut Number,
        room: &Room,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut used = room.used;
        let mut scale = Scale::new(self.encoding);
        while let Some(order) = self.queue.pop_front() {
            let first = *next;
            let cmd = first.clone().take();
            let command = order.action.command(&mut || text(next.take()));
            match scale.weigh(&command) {
                Err(_) => outcomes.extend(ended(&order, Answer::NotSent, Some(Note::NotEncodable))),
                Ok(octets) if room.bare.saturating_add(octets) > room.max => {
                    let too_large = Answer::Status(StatusCode::TOO_LARGE);
                    outcomes.extend(ended(&order, too_large, Some(Note::TooLarge)));
                }
                Ok(octets) if used.saturating_add(octets) > room.max => {
                    *next = first;
                    self.queue.push_front(order);
                    break;
                }
                Ok(octets) => {
                    used += octets;
                    message.commands.push(command);
                    self.wire.push(self.sent, cmd, &order);
                    if self.standing.may_be_challenged(account) {
                        self.again.push((cmd, order));
                    }
                    continue;
                }
            }
            *next = first;
        }
        outcomes
    }
}

/// How much a message may take, in octets.
struct Room {
    /// The device's largest message.
    max: usize,
    /// What the statuses and the header of this message take.
    used: usize,
    /// What they take in a message that answers nothing but a header.
    bare: usize,
}

impl Room {
    fn new(session: &Session, message: &Message, due: &Due) -> Self {
        let max = session.max_msg_size.unwrap_or(MAX_MSG_SIZE_DEFAULT);
        let bare = Message {
            header: Header { meta: Meta::default(), ..message.header.clone() },
            commands: vec![due.header_status(text(1), None)],
            is_final: true,
        };
        let used = octets(message, session.encoding);
        // In a session with proofs in each message every answer carries a challenge, so where there is nothing to answer
        // but a header, no later message will have more room.
        let is_bare = due.commands.is_empty() && due.no_end.is_empty();
        Self {
            max: usize::try_from(max).unwrap_or(usize::MAX),
            used,
            bare: if is_bare { used } else { octets(&bare, session.encoding) },
        }
    }
}

/// Octets of a message. One that cannot be written will not leave, so its orders may as well be in it.
fn octets(message: &Message, encoding: Encoding) -> usize {
    message.encode(encoding).map_or(0, |it| it.len())
}

/// Gives the commands of a message their numbers, from 1.
#[derive(Clone, Copy)]
struct Number(usize);

impl Number {
    fn take(&mut self) -> u32 {
        self.0 = self.0.saturating_add(1);
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

fn text(number: u32) -> Text {
    use std::fmt::Write;
    let mut text = Text::default();
    // Writing to a string does not fail.
    let _ = write!(text, "{number}");
    text
}

fn alert(cmd: u32, code: &str, items: Vec<Item>) -> Command {
    Command::Alert(Alert { cmd_id: text(cmd), code: code.into(), correlator: None, items })
}

fn source(uri: &Text) -> Item {
    Item { source: Some(Address::new(uri.clone())), ..Item::default() }
}

/// The status of the header, then those of the commands, in order.
fn add_statuses(message: &mut Message, due: &Due, challenge: Option<Challenge>) {
    let mut next = Number(message.commands.len());
    message.commands.push(due.header_status(text(next.take()), challenge));
    for status in &due.commands {
        message.commands.push(due.command_status(text(next.take()), status));
    }
}
