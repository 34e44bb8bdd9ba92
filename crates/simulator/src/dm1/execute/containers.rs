//! Atomic and Sequence.

use muster_protocol::syncml::{Command, Nested, StatusCode};

use super::super::size;
use super::{Executor, NESTING_MAX, Outcome, Verdict};

/// Octets left for the header of the message that carries the statuses of an Atomic, its credential and its status.
const HEADER_BYTES: usize = 512;

impl Executor<'_> {
    /// All or nothing: what was done before the first failure is undone.
    ///
    /// 200 if all members succeeded. Otherwise 507, or, on devices that insist, 517 if the statuses of all members do not
    /// fit one message; the member that failed has its own status, those before it 216, or 516 if they could not be undone, and those after
    /// it 215. Only Add, Copy, Delete, Replace and Alert may be members: others fail with 500.
    pub(super) fn atomic(&mut self, command: &Command, nested: &Nested) -> Outcome {
        let (tree_mark, ledger_mark) = (self.tree.begin(), self.ledger.mark());
        let mut done: Vec<(&Command, Outcome)> = Vec::new();
        let mut failed = false;
        for member in &nested.commands {
            let outcome = match member {
                _ if failed => self.answer(member, StatusCode::NOT_EXECUTED),
                Command::Write(_) | Command::Alert(_) => self.step(member, NESTING_MAX),
                _ => self.refused(member, StatusCode::COMMAND_FAILED),
            };
            failed |= outcome.verdict != Verdict::Done;
            done.push((member, outcome));
        }
        let status = Command::Status(self.status(command, StatusCode::OK));
        let answers = || done.iter().flat_map(|(_, outcome)| &outcome.answers);
        let fits = self.fits(std::iter::once(&status).chain(answers()));
        if !failed && fits {
            self.tree.keep(tree_mark);
            let answers = std::iter::once(status).chain(done.into_iter().flat_map(|(_, outcome)| outcome.answers));
            return Outcome { answers: answers.collect(), verdict: Verdict::Done };
        }
        let rolled_back = if self.faults.cannot_roll_back {
            self.tree.keep(tree_mark);
            StatusCode::ROLL_BACK_FAILED
        } else {
            self.tree.undo(tree_mark);
            StatusCode::ROLLED_BACK
        };
        self.ledger.forget_since(ledger_mark);
        let code = if fits { StatusCode::ATOMIC_FAILED } else { StatusCode::ATOMIC_RESPONSE_TOO_LARGE };
        let mut answers = vec![Command::Status(self.status(command, code))];
        for (member, outcome) in done {
            if outcome.verdict == Verdict::Done {
                answers.extend(self.answer(member, rolled_back).answers);
            } else {
                answers.extend(outcome.answers);
            }
        }
        for status in answers.iter().filter_map(|it| if let Command::Status(it) = it { Some(it) } else { None }) {
            let path = status.target_refs.first().map_or("", |it| it.as_str());
            self.ledger.note(path, &status.cmd, status.code);
        }
        Outcome { answers, verdict: Verdict::Failed }
    }

    /// One after the other; after a no of the user the rest is not executed.
    pub(super) fn sequence(&mut self, command: &Command, nested: &Nested, depth: usize) -> Outcome {
        let mut answers = vec![Command::Status(self.status(command, StatusCode::OK))];
        let mut stopped = false;
        for member in &nested.commands {
            if stopped {
                self.refuse_into(member, StatusCode::NOT_EXECUTED, depth, &mut answers);
                continue;
            }
            let outcome = self.step(member, depth + 1);
            stopped = outcome.verdict == Verdict::Refused;
            answers.extend(outcome.answers);
        }
        Outcome { answers, verdict: Verdict::Done }
    }

    /// Whether these statuses fit one message, both as the server and as this device limit it.
    fn fits<'c>(&self, answers: impl Iterator<Item = &'c Command>) -> bool {
        if !self.faults.answers_atomic_at_once {
            return true;
        }
        let limits = [self.message_bytes_max, self.faults.message_bytes_max];
        let Some(most) = limits.into_iter().flatten().min() else { return true };
        let octets: usize = answers.map(|it| size::of_command(it, self.encoding)).sum();
        octets.saturating_add(HEADER_BYTES) <= most
    }
}
