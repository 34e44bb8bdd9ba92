//! Counters of tasks by state: of each job, and of each class.

use std::cell::RefCell;
use std::collections::HashMap;

use muster_broker::id::JobId;
use muster_broker::task::TaskStatus;
use rusqlite::{Connection, params};

use super::classes;
use super::query::run;
use super::rows::{Done, task_status_number};

/// A task that went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) job: Option<JobId>,
    pub(super) class: i64,
    pub(super) from: TaskStatus,
    pub(super) to: TaskStatus,
}

impl Moved {
    /// Moves the counters at once.
    pub(super) fn keep(self, connection: &Connection) -> Done<()> {
        if let Some(job) = self.job {
            add(connection, job, task_status_number(self.from), -1)?;
            add(connection, job, task_status_number(self.to), 1)?;
        }
        classes::move_tasks(connection, self.class, self.from, self.to, 1)
    }
}

/// What the steps of one transaction do to the counters: mostly the same few rows, so they are written once, before
/// anybody reads them and before the commit.
#[derive(Debug, Default)]
pub(super) struct Counts {
    jobs: RefCell<HashMap<(JobId, i64), i64>>,
    /// By class, the state before and the one after.
    classes: RefCell<HashMap<(i64, TaskStatus, TaskStatus), i64>>,
}

impl Counts {
    /// Remembers a move.
    pub(super) fn add(&self, moved: Moved) {
        if let Some(job) = moved.job {
            let mut sums = self.jobs.borrow_mut();
            *sums.entry((job, task_status_number(moved.from))).or_default() -= 1;
            *sums.entry((job, task_status_number(moved.to))).or_default() += 1;
        }
        *self.classes.borrow_mut().entry((moved.class, moved.from, moved.to)).or_default() += 1;
    }

    /// Writes what is remembered, and forgets it.
    pub(super) fn flush(&self, connection: &Connection) -> Done<()> {
        for ((job, status), change) in self.jobs.borrow_mut().drain() {
            if change != 0 {
                add(connection, job, status, change)?;
            }
        }
        for ((class, from, to), number) in self.classes.borrow_mut().drain() {
            classes::move_tasks(connection, class, from, to, number)?;
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
