//! Counters of the tasks of a job, by state.

use std::cell::RefCell;
use std::collections::HashMap;

use muster_broker::id::JobId;
use muster_broker::task::TaskStatus;
use rusqlite::{Connection, params};

use super::query::run;
use super::rows::{Done, task_status_number};

/// A task of a job that went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) job: JobId,
    pub(super) from: TaskStatus,
    pub(super) to: TaskStatus,
}

impl Moved {
    /// Moves the counters at once.
    pub(super) fn keep(self, connection: &Connection) -> Done<()> {
        add(connection, self.job, task_status_number(self.from), -1)?;
        add(connection, self.job, task_status_number(self.to), 1)
    }
}

/// What the steps of one transaction do to the counters: mostly the same few rows, so they are written once, before
/// anybody reads them and before the commit.
#[derive(Debug, Default)]
pub(super) struct Counts(RefCell<HashMap<(JobId, i64), i64>>);

impl Counts {
    /// Remembers a move.
    pub(super) fn add(&self, moved: Moved) {
        let mut sums = self.0.borrow_mut();
        *sums.entry((moved.job, task_status_number(moved.from))).or_default() -= 1;
        *sums.entry((moved.job, task_status_number(moved.to))).or_default() += 1;
    }

    /// Writes what is remembered, and forgets it.
    pub(super) fn flush(&self, connection: &Connection) -> Done<()> {
        for ((job, status), change) in self.0.borrow_mut().drain() {
            if change != 0 {
                add(connection, job, status, change)?;
            }
        }
        Ok(())
    }
}

/// One new task of a job.
pub(super) fn created(connection: &Connection, job: JobId, status: TaskStatus) -> Done<()> {
    add(connection, job, task_status_number(status), 1)
}

fn add(connection: &Connection, job: JobId, status: i64, change: i64) -> Done<()> {
    // One thread writes, so one bucket of counters serves.
    run(
        connection,
        "INSERT INTO job_count (job, bucket, status, count) VALUES (?1, 0, ?2, ?3) \
         ON CONFLICT (job, bucket, status) DO UPDATE SET count = count + ?3",
        params![job.0.as_bytes(), status, change],
    )?;
    Ok(())
}
