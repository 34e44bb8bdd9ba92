//! How often the store is asked, for the operator and for benchmarks.

use std::sync::atomic::{AtomicU64, Ordering};

static READS: AtomicU64 = AtomicU64::new(0);
static LISTS: AtomicU64 = AtomicU64::new(0);
static WRITES: AtomicU64 = AtomicU64::new(0);
static COMMITS: AtomicU64 = AtomicU64::new(0);

/// What the store did since the process began, over all data folders that it opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Reads of a few rows.
    pub reads: u64,
    /// Reads of lists.
    pub lists: u64,
    /// Writes that were asked for.
    pub writes: u64,
    /// Transactions that they shared.
    pub commits: u64,
}

/// The counters now.
#[must_use]
pub fn counted() -> Counted {
    let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Counted { reads: value(&READS), lists: value(&LISTS), writes: value(&WRITES), commits: value(&COMMITS) }
}

pub(super) fn read() {
    READS.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn list() {
    LISTS.fetch_add(1, Ordering::Relaxed);
}

/// A transaction of so many writes.
pub(super) fn commit(writes: usize) {
    WRITES.fetch_add(writes as u64, Ordering::Relaxed);
    COMMITS.fetch_add(1, Ordering::Relaxed);
}
