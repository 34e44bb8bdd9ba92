//! Carrying tasks through one message of a session.

use muster_broker::contact::{Encounter, Ending};
use muster_broker::id::TaskId;
use muster_broker::identity::DeviceId;
use muster_broker::operation::Operation;
use muster_broker::task::{TaskEvent, TaskStatus};
use muster_protocol::dm1::{Action, Answer, Order, Outcome};

use super::objects::Objects;
use super::outcome::summary;
use super::plan::{CONSENT, Consent, Plan};
use super::verdict::Verdict;
use super::walk::Manner;

/// The task that the session carries out, with its plan.
pub(super) struct Work<'a> {
    pub(super) encounter: &'a mut Encounter,
    /// Present while a task is under way in this session.
    pub(super) current: Option<TaskId>,
    /// How the tree of this kind of device is read.
    pub(super) manner: Manner,
}

impl Work<'_> {
    /// Takes what the device said to the orders of the current task. Once nothing is under way the task may end.
    pub(super) fn take(&mut self, outcomes: &[Outcome]) {
        let Some(id) = self.current else { return };
        if outcomes.is_empty() {
            return;
        }
        let said: Vec<&Outcome> = outcomes.iter().filter(|it| !matches!(it.answer, Answer::NotSent)).collect();
        if self.encounter.is_over(id) {
            self.encounter.expire(id);
        }
        let Some(task) = self.encounter.task_mut(id) else { return };
        if !said.is_empty() {
            task.messages = task.messages.saturating_add(1);
        }
        if task.status.is_final() {
            if !said.is_empty() {
                self.encounter.note(id, "LateAnswer", Some(summary(&said)), "device");
            }
            return;
        }
        let mut plan = plan_of(task.plan.as_deref()).unwrap_or_else(|| Plan::of(task, self.manner));
        if let Some(answer) = outcomes.iter().find(|it| it.tag == CONSENT) {
            self.take_consent(id, &mut plan, answer);
        } else {
            outcomes.iter().for_each(|outcome| plan.take(outcome));
            if !said.is_empty() {
                self.encounter.note(id, "DeviceAnswered", Some(summary(&said)), "device");
            }
        }
        self.keep(id, &plan);
        self.settle(id, &plan);
    }

    fn take_consent(&mut self, id: TaskId, plan: &mut Plan, answer: &Outcome) {
        let code = match answer.answer {
            Answer::Status(code) => Some(code.0),
            Answer::None | Answer::NotSent => None,
        };
        if let Some(code) = code.filter(|code| *code != 200)
            && let Some(task) = self.encounter.task_mut(id)
        {
            task.result_code = Some(code.into());
        }
        match code {
            Some(200) => {
                plan.consent = Consent::Given;
                self.encounter.advance(id, TaskEvent::UserAccepted, "UserAccepted", None);
            }
            Some(code @ (304 | 214)) => {
                let said = if code == 304 { "declined" } else { "cancelled" };
                self.encounter.end(id, Ending::Declined, "UserDeclined", format!("the user {said} (status {code})"));
            }
            Some(code @ (215 | 408)) => {
                let detail = format!("the user was asked and did not answer (status {code})");
                self.encounter.end(id, Ending::Failed, "UserSilent", detail);
            }
            None => {
                let detail = "the user was asked and the device gave no answer".to_owned();
                self.encounter.end(id, Ending::Failed, "UserSilent", detail);
            }
            Some(code) => {
                let detail =
                    format!("the device cannot ask its user (status {code}), and without consent nothing is done");
                self.encounter.end(id, Ending::GivenUp, "UserNotAsked", detail);
            }
        }
    }

    /// Ends the task if its plan says so.
    fn settle(&mut self, id: TaskId, plan: &Plan) {
        let Some(task) = self.encounter.task(id) else { return };
        if task.status != TaskStatus::InProgress {
            if task.status != TaskStatus::AwaitingUser {
                self.current = None;
            }
            return;
        }
        let (ending, name, detail, code) = match plan.verdict() {
            Verdict::GoesOn => return,
            Verdict::Done { detail } => (Ending::Done, "Succeeded", detail, Some(200)),
            Verdict::GivenUp { detail, code } => (Ending::GivenUp, "Failed", detail, code),
            Verdict::Failed { detail, code } => (Ending::Failed, "AttemptFailed", detail, code),
        };
        if let Some(task) = self.encounter.task_mut(id) {
            task.result_code = code;
        }
        self.encounter.end(id, ending, name, detail);
        self.current = None;
    }

    /// The session is over: an attempt that is still under way has failed.
    pub(super) fn session_over(&mut self, why: &str) {
        if let Some(id) = self.current {
            self.leave(id, "SessionEnded", why);
            self.current = None;
        }
    }

    /// The device left the session that was carrying out a task. `unanswered` is what was still open in it.
    pub(super) fn left(&mut self, unanswered: &[Outcome]) {
        if let Some(id) = self.current {
            self.keep_unanswered(id, unanswered);
            self.leave(id, "SessionLost", "the device left the session and began a new one");
            self.current = None;
        }
    }

    fn leave(&mut self, id: TaskId, name: &str, why: &str) {
        let plan = self.encounter.task(id).and_then(|task| plan_of(task.plan.as_deref()));
        let untold = plan.and_then(|plan| plan.untold());
        let detail = match untold {
            Some(command) => format!("{why}; outcome unknown: {command} was sent and not answered"),
            None => why.to_owned(),
        };
        self.encounter.end(id, Ending::Failed, name, detail);
    }

    /// Ends the current task, or puts it back, if nothing more of it may be sent. `withdraw` takes back what waits to
    /// be sent.
    pub(super) fn stop_if_held(&mut self, withdraw: impl FnOnce() -> Vec<Outcome>) {
        let Some(id) = self.current else { return };
        if !self.encounter.may_go_on(id) {
            self.keep_unanswered(id, &withdraw());
            self.stop(id);
        }
    }

    fn stop(&mut self, id: TaskId) {
        if self.encounter.is_over(id) {
            self.encounter.expire(id);
        } else {
            self.encounter.hold(id);
        }
        self.current = None;
    }

    /// Notes in the plan what never left, which is not of unknown outcome.
    fn keep_unanswered(&mut self, id: TaskId, outcomes: &[Outcome]) {
        let Some(task) = self.encounter.task(id).filter(|task| !task.status.is_final()) else { return };
        let Some(mut plan) = plan_of(task.plan.as_deref()) else { return };
        outcomes.iter().for_each(|outcome| plan.take(outcome));
        self.keep(id, &plan);
    }

    /// The orders to give to the device next, taking up tasks until one has some or none is left.
    pub(super) fn next(
        &mut self,
        answered: &DeviceId,
        tried: &mut Vec<TaskId>,
        session: &str,
        objects: Objects,
    ) -> Vec<Order> {
        loop {
            let id = match self.current {
                Some(id) => id,
                None => match self.encounter.take_up(answered, tried, session) {
                    Some(id) => {
                        self.current = Some(id);
                        self.begin(id);
                        continue;
                    }
                    None => return Vec::new(),
                },
            };
            if !self.encounter.may_go_on(id) {
                self.stop(id);
                continue;
            }
            let Some(task) = self.encounter.task(id) else {
                self.current = None;
                continue;
            };
            let Some(mut plan) = plan_of(task.plan.as_deref()) else {
                self.session_over("the stored plan cannot be read");
                continue;
            };
            if let Some(question) = objects.question(&plan) {
                return vec![question];
            }
            let orders = plan.orders(question(task.operation));
            self.sent(id, &plan, &orders);
            return orders;
        }
    }

    /// Makes the plan of a task just taken up, or goes on with the one it has. A task without commands is done.
    fn begin(&mut self, id: TaskId) {
        let Some(task) = self.encounter.task(id) else { return };
        let mut plan = plan_of(task.plan.as_deref()).unwrap_or_else(|| Plan::of(task, self.manner));
        let untold = plan.take_up();
        self.keep(id, &plan);
        if let Some(path) = untold {
            let detail = format!(
                "outcome unknown: Exec {path} was sent in a session that was lost; nothing can tell whether it ran"
            );
            self.encounter.end(id, Ending::GivenUp, "OutcomeUnknown", detail);
            self.current = None;
            return;
        }
        if !plan.asks() {
            self.settle(id, &plan);
        }
    }

    fn sent(&mut self, id: TaskId, plan: &Plan, orders: &[Order]) {
        if orders.is_empty() {
            return;
        }
        if plan.consent == Consent::Asked {
            self.encounter.advance(id, TaskEvent::UserAsked, "UserAsked", None);
        } else {
            self.encounter.note(id, "CommandsSent", Some(named(orders)), "server");
        }
        self.keep(id, plan);
    }

    fn keep(&mut self, id: TaskId, plan: &Plan) {
        if let Some(task) = self.encounter.task_mut(id) {
            task.result = plan.results();
            if task.status.is_final() {
                return;
            }
            // A plan is made of texts and numbers, which always serialise.
            task.plan = serde_json::to_string(plan).ok();
        }
    }
}

fn plan_of(stored: Option<&str>) -> Option<Plan> {
    serde_json::from_str(stored?).ok()
}

/// What the user is asked when the task wants consent.
fn question(operation: Operation) -> &'static str {
    match operation {
        Operation::Query | Operation::Discover => {
            "Your service provider wants to read settings of this device. Allow it?"
        }
        Operation::Update => "Your service provider wants to change settings of this device. Allow it?",
        Operation::Execute => "Your service provider wants to start a function of this device. Allow it?",
        Operation::Delete => "Your service provider wants to remove settings of this device. Allow it?",
        Operation::Session => "Your service provider wants to manage this device. Allow it?",
    }
}

/// Commands by name and node, at most as many as fit a line.
fn named(orders: &[Order]) -> String {
    const SHOWN_MAX: usize = 8;
    let mut all = Vec::new();
    orders.iter().for_each(|order| name(order, &mut all));
    let more = all.len().saturating_sub(SHOWN_MAX);
    all.truncate(SHOWN_MAX);
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    all.join("; ")
}

fn name(order: &Order, into: &mut Vec<String>) {
    match &order.action {
        Action::Get { uri } => into.push(format!("Get {uri}")),
        Action::Replace { uri, .. } => into.push(format!("Replace {uri}")),
        Action::Add { uri, .. } => into.push(format!("Add {uri}")),
        Action::Delete { uri } => into.push(format!("Delete {uri}")),
        Action::Exec { uri, .. } => into.push(format!("Exec {uri}")),
        Action::GetMany { uris } => into.push(format!("Get {}", uris.join(" "))),
        Action::Copy { source, target } => into.push(format!("Copy {source} to {target}")),
        Action::Display { .. } => into.push("Alert 1100".to_owned()),
        Action::Confirm { .. } => into.push("Alert 1101".to_owned()),
        Action::Input { .. } => into.push("Alert 1102".to_owned()),
        Action::Choose { .. } => into.push("Alert 1103".to_owned()),
        Action::ChooseMany { .. } => into.push("Alert 1104".to_owned()),
        Action::Atomic(members) | Action::Sequence(members) => members.iter().for_each(|it| name(it, into)),
    }
}
