//! Orders on the wire: which have been sent, and what the device has said of them.

use serde::{Deserialize, Serialize};

use super::{
    interaction::Asked,
    large::{Assembly, Object, Owner, Taken},
    order::{Action, Order},
    outcome::{Answer, NodeResult, NodeStatus, Note, Outcome, StatusItem, worse},
};
use crate::syncml::{Results, Status, StatusCode, Text};

/// The orders of the one message whose statuses the device owes. A server sends no new commands before it has them, so
/// there is never more than one such message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct OnWire {
    /// Our `MsgID` of that message.
    pub(super) msg: u32,
    /// The device's answer to its header, if that was an error.
    pub(super) header: Option<StatusCode>,
    /// In order of `CmdID`, containers before their members.
    orders: Vec<Open>,
    /// Octets of what is kept of statuses and results.
    held: usize,
}

/// One order on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    cmd: u32,
    tag: u32,
    kind: Kind,
    /// `CmdID` of the container.
    parent: Option<u32>,
    /// The worst so far.
    code: Option<StatusCode>,
    /// What it read did not arrive whole, or is too much to keep.
    lost: Option<StatusCode>,
    statuses: Vec<NodeStatus>,
    nodes: Vec<NodeResult>,
    items: Vec<StatusItem>,
}

/// What must come before an order is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    /// A status.
    Plain,
    /// A status, with what the user said.
    Question(Asked),
    /// A status and, if that is a success, one result.
    Get,
    /// A status and any number of results: a Get with `?list=`.
    List,
    /// Any number of statuses and results: a Get of several nodes.
    GetMany,
    /// A status; its members have their own.
    Container,
}

/// Octets of statuses and results kept until the device closes its package: four times the largest message taken.
const HELD_BYTES_MAX: usize = 4 << 20;
/// Octets of what is kept of a status or an item besides its texts: a count of empty ones is bounded too.
const ENTRY_BYTES: usize = 64;

impl OnWire {
    pub(super) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.orders.len()
    }

    /// Notes an order that goes out in message `msg`; its command has number `cmd` and its members the next ones.
    pub(super) fn push(&mut self, msg: u32, cmd: u32, order: &Order) {
        if self.orders.is_empty() {
            *self = Self { msg, ..Self::default() };
        }
        self.orders.push(Open::new(cmd, order, None));
        let members = (cmd.saturating_add(1)..).zip(order.action.members());
        self.orders.extend(members.map(|(number, member)| Open::new(number, member, Some(cmd))));
    }

    /// Takes a `Status`. Whether it belongs to an order. Of statuses beyond what can be kept only the code counts.
    pub(super) fn status(&mut self, status: &Status) -> bool {
        let held = self.held.saturating_add(weight(status));
        let Some(open) = self.find(Some(&status.msg_ref), &status.cmd_ref) else {
            return false;
        };
        open.code = Some(open.code.map_or(status.code, |it| worse(it, status.code)));
        if held <= HELD_BYTES_MAX {
            let refs = if status.target_refs.is_empty() { &status.source_refs } else { &status.target_refs };
            let uris = refs.iter().cloned().map(Some).chain(refs.is_empty().then_some(None));
            open.statuses.extend(uris.map(|uri| NodeStatus { uri, code: status.code }));
            open.items.extend(status.items.iter().map(StatusItem::read));
            self.held = held;
        }
        true
    }

    /// Takes `Results`. Returns the status to answer them with, if any, and the objects that they broke off: 213 for a part,
    /// 400 when nothing asked for them, 413 when they are too much to keep, and what a bad part gets.
    pub(super) fn results(&mut self, results: &Results, parts: &mut Assembly) -> (Option<StatusCode>, Vec<Object>) {
        let uri = results.source_ref.as_ref().or(results.target_ref.as_ref()).cloned().unwrap_or_default();
        let mut held = self.held;
        let open = self
            .find(results.msg_ref.as_ref(), &results.cmd_ref)
            .filter(|it| matches!(it.kind, Kind::Get | Kind::GetMany | Kind::List));
        let Some(open) = open else {
            return (Some(StatusCode::BAD_REQUEST), Vec::new());
        };
        let owner = Owner::Results(open.cmd);
        let (mut buffered, mut broken) = (None, Vec::new());
        for item in &results.items {
            let (taken, broke_off) = parts.take(&owner, item, &results.meta);
            broken.extend(broke_off);
            match taken {
                Taken::Whole => held = open.keep(NodeResult::read(item, &results.meta, &uri), held),
                Taken::Completed(item) => held = open.keep(NodeResult::read(&item, &results.meta, &uri), held),
                Taken::Buffered => buffered = Some(StatusCode::CHUNK_BUFFERED),
                Taken::Refused(code) => _ = open.lost.get_or_insert(code),
            }
        }
        let code = open.lost.or(buffered);
        self.held = held.min(HELD_BYTES_MAX);
        (code, broken)
    }

    /// The order that `cmd_ref` of `msg_ref` names. An absent `MsgRef` means message 1, but many clients leave it out in
    /// every `Results`; since all open orders are of one message, `CmdRef` alone names at most one.
    fn find(&mut self, msg_ref: Option<&Text>, cmd_ref: &str) -> Option<&mut Open> {
        if msg_ref.is_some_and(|it| it.trim().parse() != Ok(self.msg)) {
            return None;
        }
        let cmd = cmd_ref.trim().parse().ok()?;
        let at = self.orders.binary_search_by_key(&cmd, |it: &Open| it.cmd).ok()?;
        self.orders.get_mut(at)
    }

    /// Notes that the results of the order with number `cmd` broke off.
    pub(super) fn broke_off(&mut self, cmd: u32) {
        if let Some(open) = self.orders.iter_mut().find(|it| it.cmd == cmd) {
            open.lost.get_or_insert(StatusCode::INCOMPLETE);
        }
    }

    /// Takes out what is finished although the device's package goes on; parts for order `waiting` are still to come.
    pub(super) fn take_finished(&mut self, waiting: Option<u32>) -> Vec<Outcome> {
        self.orders
            .extract_if(.., |it| Some(it.cmd) != waiting && it.is_finished())
            .map(|it| it.outcome(None))
            .collect()
    }

    /// What the device said of the only order that is out, a part of a large object.
    pub(super) fn only_code(&self) -> Option<StatusCode> {
        self.orders.first()?.code.or(self.header)
    }

    /// Forgets everything: what was said counts for nothing.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes out everything: the device has said all it will say.
    pub(super) fn take_all(&mut self) -> Vec<Outcome> {
        let taken = std::mem::take(self);
        let inferred: Vec<_> = taken.orders.iter().map(|it| taken.infer(it)).collect();
        taken.orders.into_iter().zip(inferred).map(|(open, code)| open.outcome(code)).collect()
    }

    /// Takes out everything: the session has ended before the device said all it would. A read whose status came and
    /// whose results did not is not answered.
    pub(super) fn take_cut_off(&mut self) -> Vec<Outcome> {
        for open in &mut self.orders {
            let is_cut_off = match open.kind {
                Kind::Get => open.nodes.is_empty(),
                // Nobody knows how many results there are.
                Kind::List | Kind::GetMany => true,
                Kind::Plain | Kind::Question(_) | Kind::Container => false,
            };
            if is_cut_off && open.code.is_none_or(StatusCode::is_success) {
                open.code = None;
                open.nodes.clear();
                open.statuses.clear();
            }
        }
        self.take_all()
    }

    /// Takes out everything after the device refused the message they were in. Returns the outcomes of top-level orders
    /// that were carried out nevertheless, with their members, and number and tag of all others.
    pub(super) fn take_refused(&mut self) -> (Vec<Outcome>, Vec<(u32, u32)>) {
        let (mut outcomes, mut refused) = (Vec::new(), Vec::new());
        let mut carried_out = false;
        for open in std::mem::take(self).orders {
            if open.parent.is_none() {
                carried_out = open.code.is_some_and(StatusCode::is_success);
            }
            if carried_out {
                outcomes.push(open.outcome(None));
            } else {
                refused.push((open.cmd, open.tag));
            }
        }
        (outcomes, refused)
    }

    /// What the code of an order without a status must be, if others tell.
    fn infer(&self, open: &Open) -> Option<StatusCode> {
        if open.code.is_some() {
            return None;
        }
        if !open.nodes.is_empty() {
            return Some(StatusCode::OK);
        }
        if self.header.is_some() {
            return self.header;
        }
        if let Some(parent) = open.parent {
            let container = self.orders.iter().find(|it| it.cmd == parent)?;
            return container.code.filter(|it| !it.is_success());
        }
        // libdmclient answers the members of an Atomic and not the Atomic.
        let codes: Option<Vec<_>> =
            self.orders.iter().filter(|it| it.parent == Some(open.cmd)).map(|it| it.code).collect();
        codes?.into_iter().reduce(worse)
    }
}

impl Open {
    fn new(cmd: u32, order: &Order, parent: Option<u32>) -> Self {
        let kind = match &order.action {
            Action::Get { uri } if uri.contains("?list=") => Kind::List,
            Action::Get { .. } => Kind::Get,
            Action::GetMany { .. } => Kind::GetMany,
            Action::Atomic(_) | Action::Sequence(_) => Kind::Container,
            other => Asked::by(other).map_or(Kind::Plain, Kind::Question),
        };
        Self {
            cmd,
            tag: order.tag,
            kind,
            parent,
            code: None,
            lost: None,
            statuses: Vec::new(),
            nodes: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Keeps what was read, while all that is kept stays within its bound. Returns the octets kept with it.
    fn keep(&mut self, node: NodeResult, held: usize) -> usize {
        let held = held.saturating_add(node.weight());
        if held > HELD_BYTES_MAX {
            self.lost.get_or_insert(StatusCode::TOO_LARGE);
        } else if self.lost.is_none() {
            self.nodes.push(node);
        }
        held
    }

    /// Whether nothing more can come. Containers and members wait for each other, since one may tell of the other.
    fn is_finished(&self) -> bool {
        let Some(code) = self.code else {
            return false;
        };
        self.parent.is_none()
            && match self.kind {
                Kind::Plain | Kind::Question(_) => true,
                Kind::Get => !code.is_success() || self.lost.is_some() || !self.nodes.is_empty(),
                Kind::List => !code.is_success(),
                Kind::Container | Kind::GetMany => false,
            }
    }

    fn outcome(self, inferred: Option<StatusCode>) -> Outcome {
        let (answer, note) = match (self.code.or(inferred), self.lost) {
            (Some(code), None) => (Answer::Status(code), inferred.map(|_| Note::Inferred)),
            (Some(code), Some(_)) if !code.is_success() => (Answer::Status(code), inferred.map(|_| Note::Inferred)),
            (_, Some(lost)) => (Answer::Status(lost), Some(Note::ResultLost)),
            (None, None) => (Answer::None, None),
        };
        let user = match (self.kind, self.code) {
            (Kind::Question(asked), Some(code)) => asked.answer(code, &self.items),
            _ => None,
        };
        Outcome { tag: self.tag, answer, nodes: self.nodes, statuses: self.statuses, items: self.items, user, note }
    }
}

/// Octets that a status takes in a stored session, about.
fn weight(status: &Status) -> usize {
    let refs = status.target_refs.iter().chain(&status.source_refs).map(|it| it.len() + ENTRY_BYTES);
    let items = status.items.iter().map(|it| {
        let uri = it.target.as_ref().or(it.source.as_ref()).map_or(0, |it| it.uri.len());
        uri + it.data.as_ref().map_or(0, |data| data.as_bytes().len()) + ENTRY_BYTES
    });
    refs.chain(items).fold(ENTRY_BYTES, usize::saturating_add)
}
