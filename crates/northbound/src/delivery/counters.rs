//! What deliveries came to.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Taken,
    Partly,
    Failed,
    Gone,
    Refused,
}

const OUTCOMES: [(&str, Outcome); 5] = [
    ("taken", Outcome::Taken),
    ("partly_taken", Outcome::Partly),
    ("failed", Outcome::Failed),
    ("gone", Outcome::Gone),
    ("refused", Outcome::Refused),
];

/// A value of a label with its count.
pub type Count = (&'static str, u64);

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Counters {
    messages: [AtomicU64; OUTCOMES.len()],
    events: AtomicU64,
}

impl Counters {
    pub(super) fn message(&self, outcome: Outcome) {
        let place = OUTCOMES.iter().position(|(_, known)| *known == outcome);
        if let Some(counter) = place.and_then(|place| self.messages.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn events(&self, taken: usize) {
        self.events.fetch_add(u64::try_from(taken).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Messages by how they ended: taken whole, in part or not at all (`failed`), answered with 410 (`gone`), or not
    /// sent because the address is not allowed (`refused`).
    #[must_use]
    pub fn messages(&self) -> Vec<Count> {
        let counts = self.messages.iter().map(|counter| counter.load(Ordering::Relaxed));
        OUTCOMES.iter().map(|(name, _)| *name).zip(counts).collect()
    }

    /// Events and answers taken.
    #[must_use]
    pub fn events_taken(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }
}
