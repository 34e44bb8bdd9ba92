//! Waves: a job goes to a few devices first, and to more once those went well.
//!
//! Which wave a device is in follows from job and device alone ([`rank`]), so that every node says the same and a device
//! that joins late has its place. The waves are cut when every task of the job is made: what the plan leaves over comes
//! last, so that the waves together are the target. From then on [`Rollout::step`] says what a wave comes to.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{DeviceOid, JobId};
use crate::names::names;
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// One wave, as planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// How many devices.
    pub size: WaveSize,
    /// The next wave begins when this share of the wave succeeded, 0 to 100; when each of its tasks is final if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_threshold_percent: Option<u32>,
    /// The job pauses when more than this share of the wave's finished tasks failed, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold_percent: Option<u32>,
    /// Neither threshold counts before so many tasks of the wave are finished, or all of them if it has fewer.
    #[serde(default)]
    pub observed_min: u32,
    /// How long the wave is watched after it has met its condition.
    #[serde(default)]
    pub soak_s: u32,
    /// How long it takes until all tasks of the wave are let go, evenly; at once if 0.
    #[serde(default)]
    pub ramp_s: u32,
    /// Whether the next wave waits for `releaseWave`.
    #[serde(default)]
    pub gate: bool,
}

/// How many devices a wave has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveSize {
    /// So many.
    Count(u32),
    /// This share of the target, 1 to 100, rounded up.
    Percent(u32),
}

/// Where a device stands in the order of a job. Never negative.
#[must_use]
pub fn rank(job: JobId, device: DeviceOid) -> i64 {
    let (high, _) = Uuid::new_v5(&job.0, device.unique.as_bytes()).as_u64_pair();
    i64::try_from(high >> 1).unwrap_or(i64::MAX)
}

/// The waves that a target of so many tasks comes to: for each the entry of the plan it follows, and its size. None is
/// empty, and together they are the target: what the plan leaves over follows its last entry.
#[must_use]
pub fn sizes(plan: &[Wave], target: u64) -> Vec<(usize, u64)> {
    let mut left = target;
    let mut sizes = Vec::with_capacity(plan.len().saturating_add(1));
    for (entry, wave) in plan.iter().enumerate() {
        let wanted = match wave.size {
            WaveSize::Count(count) => u64::from(count),
            WaveSize::Percent(percent) => target.saturating_mul(u64::from(percent)).div_ceil(100),
        };
        let size = wanted.min(left);
        left = left.saturating_sub(size);
        if size > 0 {
            sizes.push((entry, size));
        }
    }
    if left > 0 {
        sizes.push((plan.len().saturating_sub(1), left));
    }
    sizes
}

/// A wave of a job whose tasks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Entry of the plan that it follows.
    pub entry: usize,
    /// Number of its tasks when it was cut.
    pub size: u64,
    /// Devices of a lower [`rank`], and of no earlier wave; nothing for the last one.
    pub below: Option<i64>,
}

/// Where the wave under way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its tasks are carried out.
    Open,
    /// It has met its condition and is watched a while.
    Soaking {
        /// End of that.
        until: Timestamp,
    },
    /// It has met its condition; a person lets the next one begin.
    Gated,
    /// It did not go well: the job was paused.
    Stopped,
}

/// How far the waves of a job have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// The waves, in order.
    pub waves: Vec<Cut>,
    /// The one under way.
    pub current: usize,
    /// Where that is.
    pub phase: Phase,
    /// When it began.
    pub began_at: Timestamp,
    /// Failed tasks of it that a person has accepted.
    #[serde(default)]
    pub pardoned: u64,
}

/// What is seen of the wave under way. Cancelled tasks count nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Tasks that succeeded.
    pub succeeded: u64,
    /// Tasks that failed.
    pub failed: u64,
    /// Tasks that are final, of those two and others.
    pub finished: u64,
    /// Tasks that are not final, among them those not yet let go.
    pub open: u64,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing new.
    Same,
    /// The wave is in another phase, or another wave is under way. What the job says about it.
    Moved(String),
    /// The job is to be paused, for this reason.
    Stop(String),
}

/// `releaseWave` where no wave waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no wave waits to be released")]
pub struct NothingWaits;

impl Rollout {
    /// Begins with the first wave; nothing where there is none.
    #[must_use]
    pub fn begin(waves: Vec<Cut>, now: Timestamp) -> Option<Self> {
        (!waves.is_empty()).then_some(Self { waves, current: 0, phase: Phase::Open, began_at: now, pardoned: 0 })
    }

    /// Takes the wave under way as far as what is seen of it lets it go. Pure: no clock, no storage.
    ///
    /// A wave that is soaking or waits at its gate is watched for failures too. The last wave has nothing after it:
    /// only its failures are judged.
    pub fn step(&mut self, plan: &[Wave], seen: Observed, now: Timestamp) -> Step {
        let Some(wave) = self.cut().and_then(|cut| plan.get(cut.entry)).copied() else { return Step::Same };
        if self.phase == Phase::Stopped {
            return Step::Same;
        }
        if let Some(reason) = self.failed_too_often(&wave, seen) {
            self.phase = Phase::Stopped;
            return Step::Stop(reason);
        }
        let before = (self.current, self.phase);
        if self.phase == Phase::Open && !self.is_last() {
            match self.judge(&wave, seen) {
                Judgement::Open => {}
                Judgement::Met => self.phase = Phase::Soaking { until: now.plus_s(wave.soak_s.into()) },
                Judgement::Missed(reason) => {
                    self.phase = Phase::Stopped;
                    return Step::Stop(reason);
                }
            }
        }
        if let Phase::Soaking { until } = self.phase
            && until <= now
        {
            if wave.gate {
                self.phase = Phase::Gated;
            } else {
                self.next(now);
            }
        }
        if (self.current, self.phase) == before { Step::Same } else { Step::Moved(self.in_words(seen, before.0)) }
    }

    /// A person lets the next wave begin: of one that waits at its gate, and of one that did not go well.
    ///
    /// # Errors
    /// [`NothingWaits`] where it is neither, or there is no next wave.
    pub fn release(&mut self, now: Timestamp) -> Result<(), NothingWaits> {
        if self.is_last() || !matches!(self.phase, Phase::Gated | Phase::Stopped) {
            return Err(NothingWaits);
        }
        self.next(now);
        Ok(())
    }

    /// A person lets a job that was paused for the sake of a wave go on: the wave goes on, and its failures so far are
    /// held against it no more.
    pub fn resume(&mut self, failed: u64) {
        if self.phase == Phase::Stopped {
            (self.phase, self.pardoned) = (Phase::Open, failed);
        }
    }

    /// How many tasks of the wave under way may have been let go by `now`.
    #[must_use]
    pub fn allowance(&self, plan: &[Wave], now: Timestamp) -> u64 {
        let Some(cut) = self.cut() else { return 0 };
        let ramp_ms = plan.get(cut.entry).map_or(0, |wave| u64::from(wave.ramp_s).saturating_mul(1000));
        let passed_ms = u64::try_from(now.0.saturating_sub(self.began_at.0)).unwrap_or(0);
        if passed_ms >= ramp_ms {
            return u64::MAX;
        }
        // One at once, so that a ramp is seen to have begun.
        cut.size.saturating_mul(passed_ms).div_ceil(ramp_ms).max(1)
    }

    /// The wave under way.
    #[must_use]
    pub fn cut(&self) -> Option<Cut> {
        self.waves.get(self.current).copied()
    }

    /// Whether no wave comes after the one under way.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.current.saturating_add(1) >= self.waves.len()
    }

    /// Where the wave of this place is.
    #[must_use]
    pub fn state_of(&self, place: usize) -> WaveState {
        match (place.cmp(&self.current), self.phase) {
            (std::cmp::Ordering::Less, _) => WaveState::Passed,
            (std::cmp::Ordering::Greater, _) => WaveState::Waiting,
            (std::cmp::Ordering::Equal, Phase::Open) => WaveState::Running,
            (std::cmp::Ordering::Equal, Phase::Soaking { .. }) => WaveState::Soaking,
            (std::cmp::Ordering::Equal, Phase::Gated) => WaveState::Gated,
            (std::cmp::Ordering::Equal, Phase::Stopped) => WaveState::Stopped,
        }
    }

    fn next(&mut self, now: Timestamp) {
        self.current = self.current.saturating_add(1);
        (self.phase, self.began_at, self.pardoned) = (Phase::Open, now, 0);
    }

    fn failed_too_often(&self, wave: &Wave, seen: Observed) -> Option<String> {
        let percent = wave.failure_threshold_percent?;
        let Observed { failed, finished, .. } = seen;
        let is_seen = enough(wave, seen) && failed > self.pardoned;
        (is_seen && failed.saturating_mul(100) > finished.saturating_mul(u64::from(percent))).then(|| {
            format!(
                "wave {} of {}: {failed} of {finished} finished tasks failed, failureThresholdPercent is {percent}",
                self.current.saturating_add(1),
                self.waves.len()
            )
        })
    }

    fn judge(&self, wave: &Wave, seen: Observed) -> Judgement {
        let Observed { succeeded, finished, open, .. } = seen;
        let Some(percent) = wave.success_threshold_percent else {
            return if open == 0 { Judgement::Met } else { Judgement::Open };
        };
        let all = finished.saturating_add(open);
        let wanted = all.saturating_mul(u64::from(percent));
        if succeeded.saturating_mul(100) >= wanted && enough(wave, seen) {
            return Judgement::Met;
        }
        if succeeded.saturating_add(open).saturating_mul(100) >= wanted {
            return Judgement::Open;
        }
        Judgement::Missed(format!(
            "wave {} of {}: {succeeded} of {all} tasks succeeded and {open} may yet, successThresholdPercent is {percent}",
            self.current.saturating_add(1),
            self.waves.len()
        ))
    }

    /// What the job says after a step; `seen` is of the wave of place `judged`.
    fn in_words(&self, seen: Observed, judged: usize) -> String {
        let of = self.waves.len();
        let (number, next) = (judged.saturating_add(1), judged.saturating_add(2));
        let went = format!("wave {number} of {of}: {} tasks succeeded, {} failed", seen.succeeded, seen.failed);
        match self.phase {
            Phase::Soaking { until } => format!("{went}; watched until {until}"),
            Phase::Gated => format!("{went}; releaseWave lets wave {next} begin"),
            Phase::Open | Phase::Stopped => format!("{went}; wave {next} has begun"),
        }
    }
}

/// What became of a wave's condition.
enum Judgement {
    /// It may yet be met.
    Open,
    /// It is met.
    Met,
    /// It can no longer be met.
    Missed(String),
}

/// Whether enough of the wave is finished for its thresholds to count.
fn enough(wave: &Wave, seen: Observed) -> bool {
    seen.finished >= u64::from(wave.observed_min).min(seen.finished.saturating_add(seen.open))
}

/// Where a wave is, as the contract tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaveState {
    /// Waves before it are under way.
    Waiting,
    /// Its tasks are carried out.
    Running,
    /// It has met its condition and is watched a while.
    Soaking,
    /// It has met its condition and waits for `releaseWave`.
    Gated,
    /// The job was paused because of it.
    Stopped,
    /// A later wave has begun.
    Passed,
}

names! {
    WaveState {
        "WAITING" Waiting
        "RUNNING" Running
        "SOAKING" Soaking
        "GATED" Gated
        "STOPPED" Stopped
        "PASSED" Passed
    }
}
