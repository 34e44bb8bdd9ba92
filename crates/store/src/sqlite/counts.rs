//! Counters of tasks by state: of each job, and of each class.

use std::cell::RefCell;
use std::collections::HashMap;

use muster_broker::id::JobId;
use muster_broker::task::TaskStatus;
use rusqlite::{Connection, params};

use super::classes;
use super::query::{many, one, run};
use super::rows::{Done, task_status, task_status_number};

/// A task that went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) job: Option<JobId>,
    /// Wave of the job in which the task was let go; 0 if in none.
    pub(super) wave: i64,
    pub(super) class: i64,
    pub(super) from: TaskStatus,
    pub(super) to: TaskStatus,
}

impl Moved {
    /// Moves the counters at once.
    pub(super) fn keep(self, connection: &Connection) -> Done<()> {
        if let Some(job) = self.job {
            add(connection, (job, self.wave, task_status_number(self.from)), -1)?;
            add(connection, (job, self.wave, task_status_number(self.to)), 1)?;
        }
        classes::move_tasks(connection, self.class, self.from, self.to, 1)
    }
}

/// Job, wave and number of a state: what a counter is of.
type Counter = (JobId, i64, i64);

/// What the steps of one transaction do to the counters: mostly the same few rows, so they are written once, before
/// anybody reads them and before the commit.
#[derive(Debug, Default)]
pub(super) struct Counts {
    jobs: RefCell<HashMap<Counter, i64>>,
    /// By class, the state before and the one after.
    classes: RefCell<HashMap<(i64, TaskStatus, TaskStatus), i64>>,
}

impl Counts {
    /// Remembers a move.
    pub(super) fn add(&self, moved: Moved) {
        if let Some(job) = moved.job {
            let mut sums = self.jobs.borrow_mut();
            *sums.entry((job, moved.wave, task_status_number(moved.from))).or_default() -= 1;
            *sums.entry((job, moved.wave, task_status_number(moved.to))).or_default() += 1;
        }
        *self.classes.borrow_mut().entry((moved.class, moved.from, moved.to)).or_default() += 1;
    }

    /// Writes what is remembered, and forgets it.
    pub(super) fn flush(&self, connection: &Connection) -> Done<()> {
        for (counter, change) in self.jobs.borrow_mut().drain() {
            if change != 0 {
                add(connection, counter, change)?;
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
    add(connection, (job, 0, task_status_number(status)), 1)
}

/// So many tasks of a job, all in one state, were let go in a wave.
pub(super) fn let_go(connection: &Connection, job: JobId, wave: i64, status: i64, number: i64) -> Done<()> {
    add(connection, (job, 0, status), number.saturating_neg())?;
    add(connection, (job, wave, status), number)
}

fn add(connection: &Connection, (job, wave, status): Counter, change: i64) -> Done<()> {
    // One thread writes, so one bucket of counters serves.
    run(
        connection,
        "INSERT INTO job_count (job, bucket, wave, status, count) VALUES (?1, 0, ?2, ?3, ?4) \
         ON CONFLICT (job, bucket, wave, status) DO UPDATE SET count = count + ?4",
        params![job.0.as_bytes(), wave, status, change],
    )?;
    Ok(())
}

/// Reasons that are told apart in a job; what comes later is one of them.
const REASONS_MAX: i64 = 100;
const OTHER: &str = "other reasons";

/// So many more tasks of a job ended without success for this reason.
pub(super) fn explain(connection: &Connection, job: JobId, status: TaskStatus, reason: &str, change: i64) -> Done<()> {
    let key = params![job.0.as_bytes(), task_status_number(status), reason, change];
    let known =
        "UPDATE job_reason SET count = count + ?4 WHERE job = ?1 AND bucket = 0 AND status = ?2 AND reason = ?3";
    if run(connection, known, key)? > 0 {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM job_reason WHERE job = ?";
    let others = one(connection, sql, [job.0.as_bytes()], |cells| cells.get::<i64>())?.unwrap_or(0);
    run(
        connection,
        "INSERT INTO job_reason (job, bucket, status, reason, count) VALUES (?1, 0, ?2, ?3, ?4) \
         ON CONFLICT (job, bucket, status, reason) DO UPDATE SET count = count + ?4",
        params![
            job.0.as_bytes(),
            task_status_number(status),
            if others < REASONS_MAX { reason } else { OTHER },
            change
        ],
    )?;
    Ok(())
}

/// Number of tasks of a job that ended without success by status and reason, most first.
pub(super) fn reasons(connection: &Connection, job: JobId) -> Done<Vec<(TaskStatus, String, u64)>> {
    many(
        connection,
        "SELECT status, reason, sum(count) AS number FROM job_reason WHERE job = ? GROUP BY status, reason \
         HAVING number > 0 ORDER BY number DESC, status, reason",
        [job.0.as_bytes()],
        |cells| Ok((task_status(cells.get()?)?, cells.get()?, u64::try_from(cells.get::<i64>()?).unwrap_or(0))),
    )
}

/// Gives reasons of a job other words, where there are some; true if there were.
pub(super) fn explain_anew(connection: &Connection, job: &[u8], words: impl Fn(&str) -> Option<String>) -> Done<bool> {
    let kept = many(connection, "SELECT status, reason, count FROM job_reason WHERE job = ?", [job], |cells| {
        Ok((cells.get::<i64>()?, cells.get::<String>()?, cells.get::<i64>()?))
    })?;
    let mut are_other = false;
    for (status, reason, count) in kept {
        let Some(other) = words(&reason) else { continue };
        are_other = true;
        let key = params![job, status, reason];
        run(connection, "DELETE FROM job_reason WHERE job = ? AND status = ? AND reason = ?", key)?;
        run(
            connection,
            "INSERT INTO job_reason (job, bucket, status, reason, count) VALUES (?1, 0, ?2, ?3, ?4) \
             ON CONFLICT (job, bucket, status, reason) DO UPDATE SET count = count + ?4",
            params![job, status, other, count],
        )?;
    }
    Ok(are_other)
}
