//! How fast a job goes, when it may end and how sure that is, and why tasks of it failed.

use serde::{Deserialize, Serialize};

use crate::job::{Job, JobStatus};
use crate::names::names;
use crate::rollout::{Phase, sizes};
use crate::schedule::Schedule;
use crate::task::{REHEARSED, Task, TaskStatus};
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// Minutes that are looked back on.
const MINUTES_MAX: usize = 15;
/// Openings of windows that an estimate walks through: those of a year of days; beyond them there is none.
const OPENINGS_MAX: u32 = 400;
/// Longest text of a reason, in characters.
const REASON_MAX: usize = 120;
const MINUTE_MS: i64 = 60_000;

/// How many tasks of a job were finished when each of the last minutes began in which its windows were open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pace(Vec<(i64, u64)>);

impl Pace {
    /// Notes how many are finished, once in a minute.
    pub fn note(&mut self, now: Timestamp, finished: u64) {
        if !self.is_due(now) {
            return;
        }
        if self.0.len() > MINUTES_MAX {
            self.0.remove(0);
        }
        self.0.push((now.0.div_euclid(MINUTE_MS), finished));
    }

    /// Whether this minute is still to be noted.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.0.last().is_none_or(|(last, _)| *last < now.0.div_euclid(MINUTE_MS))
    }

    /// Tasks finished in each whole minute that was seen; a minute in which failed tasks were taken up again counts none.
    fn per_minute(&self) -> Vec<f64> {
        let pairs = self.0.windows(2).filter_map(|pair| match pair {
            [(minute, before), (next, after)] if minute.saturating_add(1) == *next => {
                Some(after.saturating_sub(*before))
            }
            _ => None,
        });
        pairs.map(|number| number as f64).collect()
    }
}

/// How sure an estimate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Nothing is known but the end time.
    None,
    /// Little was seen, it varies much, or a person decides.
    Low,
    /// Five minutes were seen at least, and the rate is known to 30 %.
    Medium,
    /// Ten minutes were seen at least, and the rate is known to 10 %.
    High,
}

names! {
    Certainty {
        "NONE" None
        "LOW" Low
        "MEDIUM" Medium
        "HIGH" High
    }
}

/// When a job may end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Tasks that are final.
    pub finished: u64,
    /// Tasks that are not.
    pub remaining: u64,
    /// Tasks that would be finished in an hour at the rate of the last minutes.
    pub per_hour: Option<u64>,
    /// Minutes that this was seen in.
    pub minutes: u32,
    /// Hardly before this.
    pub earliest: Option<Timestamp>,
    /// Hardly after this, and never after the end time of the job.
    pub latest: Option<Timestamp>,
    /// How sure that is.
    pub certainty: Certainty,
    /// What it follows from.
    pub basis: String,
}

/// The rate that was seen, per minute: its mean, and twice the standard error of that.
struct Rate {
    mean: f64,
    doubt: f64,
    minutes: u32,
}

impl Rate {
    fn of(pace: &Pace) -> Option<Self> {
        let seen = pace.per_minute();
        let number = seen.len() as f64;
        let mean = seen.iter().sum::<f64>() / number;
        if seen.is_empty() || mean <= 0.0 {
            return None;
        }
        let doubt = if seen.len() < 2 {
            // One minute tells nothing of the spread.
            mean / 2.0
        } else {
            let squares: f64 = seen.iter().map(|rate| (rate - mean).powi(2)).sum();
            2.0 * (squares / (number - 1.0) / number).sqrt()
        };
        Some(Self { mean, doubt, minutes: u32::try_from(seen.len()).unwrap_or(u32::MAX) })
    }

    fn certainty(&self) -> Certainty {
        let share = self.doubt / self.mean;
        match self.minutes {
            10.. if share <= 0.1 => Certainty::High,
            5.. if share <= 0.3 => Certainty::Medium,
            _ => Certainty::Low,
        }
    }
}

/// When the job may end, from what was seen of it: as if the tasks that remain went like those before. Pure.
#[must_use]
pub fn outlook(job: &Job, counts: &[(TaskStatus, u64)], pace: &Pace, now: Timestamp) -> Outlook {
    let sum = |is_final: bool| -> u64 {
        counts.iter().filter(|(status, _)| status.is_final() == is_final).map(|(_, count)| *count).sum()
    };
    let (finished, remaining) = (sum(true), sum(false));
    let deadline = job.schedule.ends_at(job.created_at);
    let rate = Rate::of(pace);
    let mut told = Outlook {
        finished,
        remaining,
        per_hour: rate.as_ref().map(|rate| (rate.mean * 60.0).round() as u64),
        minutes: rate.as_ref().map_or(0, |rate| rate.minutes),
        earliest: None,
        latest: Some(deadline),
        certainty: Certainty::None,
        basis: "the end time alone".to_owned(),
    };
    if job.status.is_final() {
        (told.earliest, told.latest) = (job.finished_at, job.finished_at);
        (told.certainty, told.basis) = (Certainty::High, "the job has ended".to_owned());
        return told;
    }
    if job.expansion.is_some() {
        "the end time alone: tasks are still being made".clone_into(&mut told.basis);
        return told;
    }
    if job.status != JobStatus::Running {
        told.basis = format!("the end time alone: the job is {}", job.status.as_str());
        return told;
    }
    let (pauses_s, ramps_s, by_hand) = ahead(job, now);
    let limit = job.schedule.per_minute_max.map(f64::from);
    let capped = |rate: f64| limit.map_or(rate, |limit| rate.min(limit));
    let Some(rate) = rate else {
        if let Some(limit) = limit {
            let least_ms = spent_ms(remaining, limit).max(ramps_s.saturating_mul(1000));
            told.earliest =
                working_end(&job.schedule, now, least_ms, deadline).map(|end| end.plus_s(pauses_s).min(deadline));
            "tasksPerMinute and the end time: nothing was finished in the last minutes".clone_into(&mut told.basis);
        }
        return told;
    };
    let end = |per_minute: f64| {
        let work_ms = spent_ms(remaining, per_minute).max(ramps_s.saturating_mul(1000));
        working_end(&job.schedule, now, work_ms, deadline).map(|end| end.plus_s(pauses_s).min(deadline))
    };
    told.earliest = end(capped(rate.mean + rate.doubt));
    // What may be as slow as nothing has the end time alone.
    let slow = rate.mean - rate.doubt;
    told.latest = Some(if slow > 0.0 { end(capped(slow)).unwrap_or(deadline) } else { deadline });
    told.certainty = rate.certainty();
    told.basis = format!(
        "{} tasks a minute, seen for {} min, give or take {} %",
        (rate.mean * 10.0).round() / 10.0,
        rate.minutes,
        (rate.doubt / rate.mean * 100.0).round()
    );
    if by_hand {
        (told.latest, told.certainty) = (Some(deadline), Certainty::Low);
        told.basis.push_str("; a person lets a wave begin");
    }
    told
}

/// Seconds that the waves ahead soak, seconds that they take at least to be let go, and whether one waits for a person.
fn ahead(job: &Job, now: Timestamp) -> (i64, i64, bool) {
    let Some(rollout) = &job.rollout else { return (0, 0, false) };
    let (mut pauses_s, mut ramps_s, mut by_hand) =
        (0_i64, 0_i64, matches!(rollout.phase, Phase::Gated | Phase::Stopped));
    let last = rollout.waves.len().saturating_sub(1);
    for (place, cut) in rollout.waves.iter().enumerate().skip(rollout.current) {
        let Some(wave) = job.schedule.waves.get(cut.entry) else { continue };
        let passed_s = now.0.saturating_sub(rollout.began_at.0).div_euclid(1000);
        let is_current = place == rollout.current;
        let ramp_s = i64::from(wave.ramp_s);
        ramps_s = ramps_s.saturating_add(if is_current { ramp_s.saturating_sub(passed_s).max(0) } else { ramp_s });
        if place < last {
            pauses_s = pauses_s.saturating_add(match rollout.phase {
                Phase::Soaking { until } if is_current => until.0.saturating_sub(now.0).max(0).div_euclid(1000),
                Phase::Gated if is_current => 0,
                _ => wave.soak_s.into(),
            });
            by_hand |= wave.gate;
        }
    }
    (pauses_s, ramps_s, by_hand)
}

fn spent_ms(tasks: u64, per_minute: f64) -> i64 {
    (tasks as f64 / per_minute * MINUTE_MS as f64) as i64
}

/// When so much time has passed in which windows are open; nothing where that is not so before the deadline, or too far
/// away.
fn working_end(schedule: &Schedule, from: Timestamp, mut work_ms: i64, deadline: Timestamp) -> Option<Timestamp> {
    let mut at = from;
    for _ in 0..OPENINGS_MAX {
        at = schedule.next_open(at).filter(|at| *at < deadline)?;
        let Some(closes) = schedule.open_until(at) else { return Some(at.plus_ms(work_ms)) };
        let open_ms = closes.0.saturating_sub(at.0);
        if work_ms <= open_ms {
            return Some(at.plus_ms(work_ms));
        }
        work_ms = work_ms.saturating_sub(open_ms);
        at = closes;
    }
    None
}

/// What a test cycle tells of the job that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// Devices that would be sent the operation.
    pub reached: u64,
    /// Devices that were named or matched and would not.
    pub left_out: u64,
    /// Waves that they come to, by size.
    pub waves: Vec<u64>,
    /// How long it takes at least at the given rates, in seconds; nothing where no rate, window or wave is given.
    pub least_s: Option<i64>,
    /// Whether it could end before the end time.
    pub ends_in_time: bool,
    /// Whether a person has to let a wave begin besides.
    pub by_hand: bool,
}

/// What a test cycle that has ended tells; nothing of other jobs. `left_out` is the number of devices without a task.
#[must_use]
pub fn rehearsal(job: &Job, counts: &[(TaskStatus, u64)], left_out: u64) -> Option<Rehearsal> {
    if !job.template.test_cycle || !job.status.is_final() {
        return None;
    }
    let sum = |wanted: fn(TaskStatus) -> bool| -> u64 {
        counts.iter().filter(|(status, _)| wanted(*status)).map(|(_, count)| *count).sum()
    };
    let reached = sum(|status| status == TaskStatus::Succeeded);
    let schedule = &job.schedule;
    let waves = if schedule.waves.is_empty() { Vec::new() } else { sizes(&schedule.waves, reached) };
    let rules = || waves.iter().filter_map(|(entry, _)| schedule.waves.get(*entry));
    let before_last = waves.len().saturating_sub(1);
    let soaks_s: i64 = rules().take(before_last).map(|wave| i64::from(wave.soak_s)).sum();
    let ramps_s: i64 = rules().map(|wave| i64::from(wave.ramp_s)).sum();
    let by_hand = rules().take(before_last).any(|wave| wave.gate);
    let rate_ms = schedule.per_minute_max.map(|limit| spent_ms(reached, limit.into()));
    let begins = schedule.starts_at(job.created_at);
    let has_windows = schedule.next_open(begins) != Some(begins);
    let is_bounded = rate_ms.is_some() || soaks_s > 0 || ramps_s > 0 || has_windows;
    let work_ms = rate_ms.unwrap_or(0).max(ramps_s.saturating_mul(1000));
    let end = working_end(schedule, begins, work_ms, Timestamp(i64::MAX)).map(|end| end.plus_s(soaks_s));
    let least_s = end.map(|end| end.0.saturating_sub(begins.0).div_euclid(1000)).filter(|_| is_bounded);
    Some(Rehearsal {
        ends_in_time: end.is_some_and(|end| end <= schedule.ends_at(job.created_at)),
        reached,
        left_out: left_out.saturating_add(sum(|status| status != TaskStatus::Succeeded)),
        waves: waves.iter().map(|(_, size)| *size).collect(),
        least_s,
        by_hand,
    })
}

/// Why a task ended without success, in words that tasks of one cause have in common; nothing of other tasks.
#[must_use]
pub fn reason(task: &Task) -> Option<String> {
    match task.status {
        TaskStatus::Expired if task.attempts == 0 => Some("the device did not connect before the end time".to_owned()),
        TaskStatus::Expired => Some("the end time passed between attempts or during one".to_owned()),
        TaskStatus::Failed | TaskStatus::Rejected => Some(match (task.result_code, task.detail.as_deref()) {
            (Some(code), _) => format!("the device answered {code}"),
            (None, Some(detail)) => in_common(detail),
            (None, None) => "no reason is known".to_owned(),
        }),
        _ => None,
    }
}

/// A text without what belongs to one device: words with digits or slashes in them, and what follows a colon.
fn in_common(detail: &str) -> String {
    let detail = detail.strip_prefix(REHEARSED).unwrap_or(detail);
    let first = detail.split([':', ';']).next().unwrap_or_default();
    let is_of_one = |word: &str| word.contains(|letter: char| letter.is_ascii_digit() || letter == '/');
    let words: Vec<&str> = first.split_whitespace().map(|word| if is_of_one(word) { "…" } else { word }).collect();
    words.join(" ").chars().take(REASON_MAX).collect()
}
