//! What was carried out, counted, so that a test can prove that nothing was done twice.

use std::collections::BTreeMap;

use muster_protocol::syncml::StatusCode;
use serde::Serialize;

/// One command on one node, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Executed {
    /// Address of the node, as the server sent it; the code for an Alert.
    pub path: String,
    /// Name of the command.
    pub command: String,
    /// What was answered.
    pub status: StatusCode,
}

/// Everything a device was asked to do and how often it did it. Lives as long as the device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    done: BTreeMap<(String, String), u32>,
    session: Vec<Executed>,
}

impl Ledger {
    pub(super) fn note(&mut self, path: &str, command: &str, status: StatusCode) {
        if status.is_success() {
            *self.done.entry((path.to_owned(), command.to_owned())).or_default() += 1;
        }
        self.session.push(Executed { path: path.to_owned(), command: command.to_owned(), status });
    }

    /// The command noted last on `path` was answered with `status` after all.
    pub(super) fn correct(&mut self, path: &str, command: &str, status: StatusCode) {
        let noted = self.session.iter_mut().rev().find(|it| it.path == path && it.command == command);
        let Some(noted) = noted else { return };
        let was_success = std::mem::replace(&mut noted.status, status).is_success();
        if was_success
            && !status.is_success()
            && let Some(count) = self.done.get_mut(&(path.to_owned(), command.to_owned()))
        {
            *count = count.saturating_sub(1);
        }
    }

    /// How much was noted in this session, to go back to.
    pub(super) fn mark(&self) -> usize {
        self.session.len()
    }

    /// Forgets what was noted since a mark of this session.
    pub(super) fn forget_since(&mut self, mark: usize) {
        for gone in self.session.drain(mark.min(self.session.len())..) {
            let key = (gone.path, gone.command);
            let Some(count) = self.done.get_mut(&key).filter(|_| gone.status.is_success()) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.done.remove(&key);
            }
        }
    }

    pub(super) fn begin_session(&mut self) {
        self.session.clear();
    }

    /// How often `command` succeeded on `path`, in all sessions. What was rolled back does not count.
    #[must_use]
    pub fn count(&self, path: &str, command: &str) -> u32 {
        self.done.get(&(path.to_owned(), command.to_owned())).copied().unwrap_or(0)
    }

    /// Every `(path, command)` that succeeded, with how often it did.
    pub fn counts(&self) -> impl Iterator<Item = (&str, &str, u32)> {
        self.done.iter().map(|((path, command), count)| (path.as_str(), command.as_str(), *count))
    }

    /// What this session, or the last one if none is open, was asked, in the order of execution; failures included.
    #[must_use]
    pub fn session(&self) -> &[Executed] {
        &self.session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_leaves_the_ledger_as_it_was() {
        let mut ledger = Ledger::default();
        ledger.note("./A", "Replace", StatusCode::OK);
        let before = ledger.clone();

        let mark = ledger.mark();
        ledger.note("./A", "Replace", StatusCode::OK);
        ledger.note("./B", "Add", StatusCode::OK);
        ledger.note("./C", "Add", StatusCode::NOT_FOUND);
        ledger.forget_since(mark);

        assert_eq!(ledger, before);
    }
}
