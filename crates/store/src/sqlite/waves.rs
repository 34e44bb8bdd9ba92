//! Waves of a job: cut when its tasks are made, judged by the counters, and let go in the order of rank.

use muster_broker::id::JobId;
use muster_broker::job::{Job, JobEvent};
use muster_broker::rollout::{Cut, Observed, Rollout, Step, sizes};
use muster_broker::task::TaskStatus;
use muster_broker::time::Timestamp;
use rusqlite::{Connection, params};

use super::counts;
use super::jobs::{Kept, Sweep};
use super::query::{many, one, run};
use super::rows::{Done, task_status};

/// What may be let go of a job now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Place of the wave from 1; 0 in a job without waves.
    wave: i64,
    /// Tasks of a lower rank; of any if nothing.
    below: Option<i64>,
    /// At most so many.
    pub(super) most: u32,
}

/// Number of tasks by state of each wave that has begun.
pub(super) fn counts(connection: &Connection, job: &Job) -> Done<Vec<(usize, TaskStatus, u64)>> {
    if job.rollout.is_none() {
        return Ok(Vec::new());
    }
    many(
        connection,
        "SELECT wave, status, sum(count) FROM job_count WHERE job = ? AND wave > 0 GROUP BY wave, status \
         HAVING sum(count) > 0 ORDER BY wave, status",
        [job.id.0.as_bytes()],
        |cells| {
            let place = usize::try_from(cells.get::<i64>()?.saturating_sub(1)).unwrap_or_default();
            Ok((place, task_status(cells.get()?)?, u64::try_from(cells.get::<i64>()?).unwrap_or(0)))
        },
    )
}

/// Cuts the waves of a job whose tasks are made, or takes the one under way as far as its counters let it go.
pub(super) fn step(connection: &Connection, kept: &mut Kept, now: Timestamp) -> Done<()> {
    if kept.job.schedule.waves.is_empty() || kept.job.expansion.is_some() {
        return Ok(());
    }
    // While failed tasks are being taken up again the counters tell of the past.
    if kept.progress.retry_at.is_some() {
        return Ok(());
    }
    let Some(mut rollout) = kept.job.rollout.take() else {
        kept.job.rollout = Rollout::begin(cut(connection, &kept.job)?, now);
        if kept.job.rollout.is_some() {
            kept.job.version = kept.job.version.saturating_add(1);
        }
        return Ok(());
    };
    let seen = observed(connection, kept.job.id, &rollout)?;
    let step = rollout.step(&kept.job.schedule.waves, seen, now);
    kept.job.rollout = Some(rollout);
    match step {
        Step::Same => {}
        Step::Moved(words) => {
            kept.job.detail = Some(words);
            kept.job.version = kept.job.version.saturating_add(1);
        }
        Step::Stop(reason) => {
            if let Ok(status) = kept.job.status.after(JobEvent::WaveStopped) {
                kept.job.detail = Some(reason);
                kept.progress.actor = None;
                (kept.progress.sweep, kept.progress.sweep_after) = (Some(Sweep::Pause), None);
                kept.enter(status, now);
            }
        }
    }
    Ok(())
}

/// A person lets the next wave begin; false if none waits for that.
pub(super) fn release(job: &mut Job, now: Timestamp) -> bool {
    // A job that a person paused is first to go on.
    let is_paused_by_hand = job.status == muster_broker::job::JobStatus::Paused
        && job.rollout.as_ref().is_some_and(|rollout| rollout.phase != muster_broker::rollout::Phase::Stopped);
    !is_paused_by_hand && job.rollout.as_mut().is_some_and(|rollout| rollout.release(now).is_ok())
}

/// A person lets a paused job go on; `retries` where its failed tasks run again.
pub(super) fn resume(connection: &Connection, job: &mut Job, retries: bool) -> Done<()> {
    if let Some(rollout) = &mut job.rollout {
        let failed = if retries { 0 } else { observed(connection, job.id, rollout)?.failed };
        rollout.resume(failed);
    }
    Ok(())
}

/// What may be let go of a job now; nothing while its waves are not cut.
pub(super) fn share(connection: &Connection, job: &Job, now: Timestamp) -> Done<Option<Share>> {
    if job.schedule.waves.is_empty() {
        return Ok(Some(Share { wave: 0, below: None, most: u32::MAX }));
    }
    let Some((rollout, cut)) = job.rollout.as_ref().and_then(|rollout| rollout.cut().map(|cut| (rollout, cut))) else {
        return Ok(None);
    };
    let allowance = rollout.allowance(&job.schedule.waves, now);
    let most = match allowance {
        u64::MAX => u32::MAX,
        some => u32::try_from(some.saturating_sub(out(connection, job.id, rollout)?)).unwrap_or(u32::MAX),
    };
    Ok(Some(Share { wave: number(rollout), below: cut.below, most }))
}

/// Gives slots to at most `limit` waiting tasks, first in rank first; gives their number.
pub(super) fn let_go(connection: &Connection, job: JobId, share: Share, limit: u32) -> Done<u32> {
    let waiting = many(
        connection,
        "SELECT bucket, id, wave, status FROM task INDEXED BY task_waiting \
         WHERE job = ? AND released = 0 AND is_open = 1 AND rank < ? ORDER BY rank, bucket, id LIMIT ?",
        params![job.0.as_bytes(), share.below.unwrap_or(i64::MAX), limit],
        |cells| Ok((cells.task_id()?, cells.get::<i64>()?, cells.get::<i64>()?)),
    )?;
    let mut new = std::collections::BTreeMap::<i64, i64>::new();
    for (id, wave, status) in &waiting {
        // One that runs again stays in its wave.
        let is_new = share.wave > 0 && *wave == 0;
        run(
            connection,
            "UPDATE task SET released = 2, wave = ?, version = version + 1 WHERE bucket = ? AND id = ?",
            params![if is_new { share.wave } else { *wave }, id.bucket.0, id.unique.as_bytes()],
        )?;
        if is_new {
            *new.entry(*status).or_default() += 1;
        }
    }
    for (status, number) in new {
        counts::let_go(connection, job, share.wave, status, number)?;
    }
    Ok(u32::try_from(waiting.len()).unwrap_or(u32::MAX))
}

/// The waves of a job whose tasks are made: the tasks that are still to be done are its target.
fn cut(connection: &Connection, job: &Job) -> Done<Vec<Cut>> {
    const WAITING: &str =
        "FROM task INDEXED BY task_waiting WHERE job = ? AND released = 0 AND is_open = 1 AND rank >= ?";
    let key = job.id.0.as_bytes();
    let target = one(connection, &format!("SELECT count(*) {WAITING}"), params![key, 0], |cells| cells.get::<i64>())?;
    let target = u64::try_from(target.unwrap_or(0)).unwrap_or(0);
    let mut cuts: Vec<Cut> = Vec::new();
    let (mut from, mut left) = (0_i64, target);
    for (entry, size) in sizes(&job.schedule.waves, target) {
        if left == 0 {
            break;
        }
        // The first task of the next wave. Tasks of one device have one rank, so that a wave may come out smaller than
        // planned, and the next one larger.
        let below = one(
            connection,
            &format!("SELECT rank {WAITING} ORDER BY rank, bucket, id LIMIT 1 OFFSET ?"),
            params![key, from, i64::try_from(size).unwrap_or(i64::MAX)],
            |cells| cells.get::<i64>(),
        )?;
        let size = match below {
            None => left,
            Some(below) => {
                let sql = format!("SELECT count(*) {WAITING} AND rank < ?");
                let size = one(connection, &sql, params![key, from, below], |cells| cells.get::<i64>())?;
                u64::try_from(size.unwrap_or(0)).unwrap_or(0)
            }
        };
        left = left.saturating_sub(size);
        from = below.unwrap_or(i64::MAX);
        if size > 0 {
            cuts.push(Cut { entry, size, below });
        }
    }
    if let Some(last) = cuts.last_mut() {
        // Whoever joins late has a place.
        last.below = None;
        last.size = last.size.saturating_add(left);
    }
    Ok(cuts)
}

/// Place of the wave under way, from 1.
fn number(rollout: &Rollout) -> i64 {
    i64::try_from(rollout.current.saturating_add(1)).unwrap_or(i64::MAX)
}

/// Tasks of the wave under way that were let go.
fn out(connection: &Connection, job: JobId, rollout: &Rollout) -> Done<u64> {
    let sql = "SELECT coalesce(sum(count), 0) FROM job_count WHERE job = ? AND wave = ?";
    let sum = one(connection, sql, params![job.0.as_bytes(), number(rollout)], |cells| cells.get::<i64>())?;
    Ok(u64::try_from(sum.unwrap_or(0)).unwrap_or(0))
}

fn observed(connection: &Connection, job: JobId, rollout: &Rollout) -> Done<Observed> {
    let counters = many(
        connection,
        "SELECT status, sum(count) FROM job_count WHERE job = ? AND wave = ? GROUP BY status",
        params![job.0.as_bytes(), number(rollout)],
        |cells| Ok((task_status(cells.get()?)?, u64::try_from(cells.get::<i64>()?).unwrap_or(0))),
    )?;
    let sum = |wanted: fn(TaskStatus) -> bool| -> u64 {
        counters.iter().filter(|(status, _)| wanted(*status)).map(|(_, count)| count).sum()
    };
    let Some(cut) = rollout.cut() else { return Ok(Observed::default()) };
    let waits = one(
        connection,
        "SELECT 1 FROM task INDEXED BY task_waiting WHERE job = ? AND released = 0 AND is_open = 1 AND rank < ? LIMIT 1",
        params![job.0.as_bytes(), cut.below.unwrap_or(i64::MAX)],
        |_| Ok(()),
    )?;
    // Counted only when there are some: a wave may be large. Those that ended before they were let go are taken for
    // open as long as others are.
    let held = if waits.is_some() { cut.size.saturating_sub(sum(|_| true)).max(1) } else { 0 };
    Ok(Observed {
        succeeded: sum(|status| status == TaskStatus::Succeeded),
        failed: sum(|status| status == TaskStatus::Failed),
        finished: sum(|status| status.is_final() && status != TaskStatus::Cancelled),
        open: sum(|status| !status.is_final()).saturating_add(held),
    })
}
