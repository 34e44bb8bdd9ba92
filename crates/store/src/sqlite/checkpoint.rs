//! Moves what was committed from the log into the database file, beside the writer and not in its way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Length of the log from which it is moved.
const WAL_SOFT_BYTES: u64 = 64 << 20;
/// Length of the log from which the writer helps, so that the log can begin anew: else it would grow as long as
/// writing never pauses.
pub(super) const WAL_HARD_BYTES: u64 = 128 << 20;
/// Pause after which the log is emptied.
const IDLE: Duration = Duration::from_secs(5);

/// The writer's hand on the checkpointing thread.
#[derive(Clone)]
pub(super) struct Checkpointer(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    /// Length of the log when the last pass over it ended.
    passed_bytes: AtomicU64,
}

#[derive(Default)]
struct State {
    is_wanted: bool,
    is_ending: bool,
    commits: u64,
}

/// The hand and the thread.
pub(super) fn start(connection: Connection) -> std::io::Result<(Checkpointer, std::thread::JoinHandle<()>)> {
    let shared = Arc::new(Shared::default());
    let checkpointer = Checkpointer(Arc::clone(&shared));
    let thread =
        std::thread::Builder::new().name("store-checkpoint".into()).spawn(move || run(&connection, &shared))?;
    Ok((checkpointer, thread))
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Checkpointer {
    /// Called by the writer after each transaction, with its connection and the length of the log.
    pub(super) fn committed(&self, connection: &Connection, wal_bytes: u64) {
        let mut state = self.0.state();
        state.commits += 1;
        if wal_bytes < WAL_SOFT_BYTES {
            return;
        }
        if !state.is_wanted {
            state.is_wanted = true;
            self.0.wake.notify_one();
        }
        drop(state);
        let passed = self.0.passed_bytes.swap(0, Ordering::Relaxed);
        if passed >= WAL_HARD_BYTES {
            // The other thread has just moved nearly all of it; with the rest moved too and nobody writing meanwhile,
            // the next transaction begins the log anew.
            checkpoint(connection, "PASSIVE");
        }
    }

    /// Ends the thread.
    pub(super) fn end(&self) {
        self.0.state().is_ending = true;
        self.0.wake.notify_one();
    }
}

fn run(connection: &Connection, shared: &Shared) {
    let mut emptied_at_commit = 0;
    let mut seen = (0, Instant::now());
    loop {
        let mut state = shared.state();
        while !state.is_wanted && !state.is_ending {
            let (next, timeout) = shared.wake.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() {
                break;
            }
        }
        if state.is_ending {
            drop(state);
            checkpoint(connection, "TRUNCATE");
            return;
        }
        let is_wanted = std::mem::take(&mut state.is_wanted);
        let commits = state.commits;
        drop(state);
        if is_wanted {
            if let Some(pages) = checkpoint(connection, "PASSIVE") {
                shared.passed_bytes.store(pages.saturating_mul(PAGE_BYTES), Ordering::Relaxed);
            }
        } else if commits != seen.0 {
            seen = (commits, Instant::now());
        } else if commits != emptied_at_commit && seen.1.elapsed() >= IDLE {
            checkpoint(connection, "TRUNCATE");
            emptied_at_commit = commits;
        }
    }
}

/// Octets of a page and its header in the log.
const PAGE_BYTES: u64 = 4096 + 24;

/// Runs a checkpoint; gives the pages in the log.
fn checkpoint(connection: &Connection, mode: &str) -> Option<u64> {
    let pages: rusqlite::Result<i64> =
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(1));
    match pages {
        Ok(pages) => u64::try_from(pages).ok(),
        Err(error) => {
            // Nothing is lost: the log keeps what was committed, and the next pass tries again.
            tracing::warn!(%error, mode, "checkpoint failed");
            None
        }
    }
}
