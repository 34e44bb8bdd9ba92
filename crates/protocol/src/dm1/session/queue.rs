//! Orders that wait: which are taken, which go out next, and what is left of them when they do not.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{
    Due, Number, ORDERS_MAX, Session, Version, ended,
    room::{Fit, Room},
    text,
};
use crate::{
    dm1::{Account, Action, Answer, Note, Order, Outcome, Stage, interaction::Asked},
    syncml::{Header, Message, Meta, StatusCode},
};

/// A `Sequence` for a device that takes none: its members go out one to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Unrolled {
    /// Of the Sequence.
    tag: u32,
    left: VecDeque<Order>,
    /// Tag of the member that is on its way, and whether it is a question.
    current: Option<(u32, bool)>,
    is_started: bool,
}

impl Unrolled {
    /// Orders that it stands for.
    pub(super) fn len(&self) -> usize {
        1 + self.left.len()
    }

    /// Ends what is left.
    fn end_members(&mut self, answer: Answer, note: Option<Note>) -> Vec<Outcome> {
        self.left.drain(..).flat_map(|it| ended(&it, answer, note)).collect()
    }

    /// Of the Sequence itself: a device says 200 as soon as it has begun.
    fn outcome(&self) -> Outcome {
        if self.is_started {
            Outcome::bare(self.tag, Answer::Status(StatusCode::OK), Some(Note::Inferred))
        } else {
            Outcome::bare(self.tag, Answer::NotSent, None)
        }
    }
}

impl Session {
    /// Takes orders into the queue. Returns the outcomes of those that cannot be taken.
    pub(super) fn admit(&mut self, account: &Account<'_>, stage: Stage, orders: Vec<Order>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for order in orders {
            let (answer, note) = if !order.action.is_allowed() {
                (Answer::NotSent, Note::NotAllowed)
            } else if stage != Stage::Ready || self.open_orders() + order.action.members().len() >= ORDERS_MAX {
                (Answer::NotSent, Note::NotTaken)
            } else if !account.quirks.takes(&order.action) {
                (Answer::Status(StatusCode::NOT_SUPPORTED), Note::Unsupported)
            } else {
                let knows_correlator = account.quirks.correlator && self.version != Version::V1_1;
                let action = if knows_correlator { order.action } else { order.action.without_correlator() };
                self.queue.push_back(Order { action, ..order });
                continue;
            };
            outcomes.extend(ended(&order, answer, Some(note)));
        }
        outcomes
    }

    /// Whether there is something to send.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.upload.is_some() || self.unrolled.is_some()
    }

    /// Moves orders from the queue into the message while there is room, or the next part of a large object. Returns the
    /// outcomes of those too large for any message.
    pub(super) fn send_orders(
        &mut self,
        account: &Account<'_>,
        message: &mut Message,
        next: &mut Number,
        due: &Due,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut room = self.room(account, message);
        let own = message.commands.len();
        // With a part of an object nothing else is in a message.
        while self.upload.is_none()
            && let Some(order) = self.next_order(account)
        {
            if self.is_above_max_obj_size(account, &order) {
                outcomes.extend(too_large(&order));
                self.settle(&mut outcomes);
                continue;
            }
            let mut numbers = *next;
            let cmd = numbers.clone().take();
            let command = order.action.command(&mut || text(numbers.take()));
            match room.take(message, &command) {
                Ok(Fit::Fits) => {
                    *next = numbers;
                    message.commands.push(command);
                    self.wire.push(self.sent, cmd, &order);
                    if self.standing.may_be_challenged(account) {
                        self.again.push((cmd, order));
                    }
                    continue;
                }
                Err(_) => outcomes.extend(ended(&order, Answer::NotSent, Some(Note::NotEncodable))),
                Ok(Fit::TooMuch(octets)) if bare_room(&room, &bare(message, due, own)) < octets => {
                    match self.begin_upload(account, order) {
                        Ok(()) => break,
                        Err(order) => outcomes.extend(too_large(&order)),
                    }
                }
                Ok(Fit::TooMuch(_)) => {
                    self.put_back(order);
                    break;
                }
            }
            self.settle(&mut outcomes);
        }
        if self.wire.is_empty() && self.upload.is_some() {
            outcomes.extend(self.send_part(message, next, &mut room, &bare(message, due, own)));
            self.settle(&mut outcomes);
        }
        outcomes
    }

    /// The order that may go out now, out of the queue.
    fn next_order(&mut self, account: &Account<'_>) -> Option<Order> {
        if self.unrolled.is_none() && !account.quirks.sequence {
            let is_sequence = matches!(self.queue.front(), Some(Order { action: Action::Sequence(_), .. }));
            if is_sequence && !self.wire.is_empty() {
                return None;
            }
            let sequence = if is_sequence { self.queue.pop_front() } else { None };
            if let Some(Order { tag, action: Action::Sequence(members) }) = sequence {
                self.unrolled = Some(Unrolled { tag, left: members.into(), current: None, is_started: false });
            }
        }
        let Some(unrolled) = &mut self.unrolled else { return self.queue.pop_front() };
        if !self.wire.is_empty() {
            return None;
        }
        let member = unrolled.left.pop_front()?;
        unrolled.current = Some((member.tag, Asked::by(&member.action).is_some()));
        unrolled.is_started = true;
        Some(member)
    }

    /// Puts an order back where [`Self::next_order`] took it from.
    pub(super) fn put_back(&mut self, order: Order) {
        match &mut self.unrolled {
            Some(unrolled) => {
                unrolled.current = None;
                unrolled.left.push_front(order);
            }
            None => self.queue.push_front(order),
        }
    }

    /// Goes on with a Sequence whose members go out one by one, when one of them has ended; `outcomes` has its outcome.
    pub(super) fn settle(&mut self, outcomes: &mut Vec<Outcome>) {
        let Some(unrolled) = self.unrolled.as_mut().filter(|_| self.wire.is_empty() && self.upload.is_none()) else {
            return;
        };
        if let Some((tag, is_question)) = unrolled.current.take() {
            let said = outcomes.iter().rev().find(|it| it.tag == tag).map(|it| it.answer);
            let is_yes = matches!(said, Some(Answer::Status(code)) if code.is_success());
            if is_question && !is_yes {
                let not_executed = Answer::Status(StatusCode::NOT_EXECUTED);
                outcomes.extend(unrolled.end_members(not_executed, Some(Note::Inferred)));
            }
        }
        if unrolled.left.is_empty() {
            outcomes.push(unrolled.outcome());
            self.unrolled = None;
        }
    }

    /// Takes back the orders that wait for a message with room: they end as not sent.
    pub fn withdraw(&mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        if self.wire.is_empty() {
            outcomes.extend(self.cut_off());
        }
        if let Some(unrolled) = &mut self.unrolled {
            outcomes.extend(unrolled.end_members(Answer::NotSent, None));
        }
        self.settle(&mut outcomes);
        outcomes.extend(self.queue.drain(..).flat_map(|order| ended(&order, Answer::NotSent, None)));
        outcomes
    }

    /// Ends every order that is open.
    pub(super) fn end_orders(&mut self) -> Vec<Outcome> {
        self.again.clear();
        let mut outcomes: Vec<_> = self.cut_off().into_iter().collect();
        outcomes.extend(self.wire.take_cut_off());
        if let Some(mut unrolled) = self.unrolled.take() {
            outcomes.extend(unrolled.end_members(Answer::NotSent, None));
            outcomes.push(unrolled.outcome());
        }
        outcomes.extend(self.queue.drain(..).flat_map(|it| ended(&it, Answer::NotSent, None)));
        outcomes
    }

    /// Puts the orders that the device refused with our header in front of those that wait. Returns the outcomes of those
    /// that it carried out all the same.
    pub(super) fn queue_again(&mut self) -> Vec<Outcome> {
        if self.restart_upload() {
            return Vec::new();
        }
        let (mut outcomes, refused) = self.wire.take_refused();
        let mut orders = std::mem::take(&mut self.again);
        orders.retain(|(cmd, _)| refused.iter().any(|(it, _)| it == cmd));
        if orders.is_empty() {
            outcomes.extend(refused.iter().map(|(_, tag)| Outcome::bare(*tag, Answer::NotSent, None)));
        }
        for (_, order) in orders.into_iter().rev() {
            self.put_back(order);
        }
        outcomes
    }
}

fn too_large(order: &Order) -> Vec<Outcome> {
    ended(order, Answer::Status(StatusCode::TOO_LARGE), Some(Note::TooLarge))
}

/// The message without what it answers but the header, and without orders: the first `own` of its commands are none.
///
/// In a session with proofs in each message every answer carries a challenge, so where there is nothing to answer but a
/// header, no later message will have more room.
fn bare(message: &Message, due: &Due, own: usize) -> Message {
    if due.commands.is_empty() && due.no_end.is_empty() {
        let commands = message.commands.iter().take(own).cloned().collect();
        return Message { header: message.header.clone(), commands, is_final: true };
    }
    Message {
        header: Header { meta: Meta::default(), ..message.header.clone() },
        commands: vec![due.header_status(text(1), None)],
        is_final: true,
    }
}

/// Octets that a message has room for which answers nothing but a header.
fn bare_room(room: &Room<'_>, bare: &Message) -> usize {
    room.max.saturating_sub(room.weight_of(bare))
}
