//! Waves of jobs.

use std::collections::BTreeSet;

use muster_broker::fault::FaultName;
use muster_broker::job::{Job, JobEvent, JobStatus, JobView, Selector};
use muster_broker::rollout::{Phase, Wave, WaveSize, WaveState, rank};
use muster_broker::store::{Due, Once, TaskFilter, Verdict};
use muster_broker::task::{Task, TaskEvent, TaskStatus};
use muster_broker::time::Timestamp;

use crate::world::{ALL, NOW, TENANT, World, deed};

const SUCCESS: &[TaskEvent] = &[TaskEvent::Connected, TaskEvent::Done];
const FAILURE: &[TaskEvent] = &[TaskEvent::Connected, TaskEvent::GivenUp];

fn wave(size: WaveSize) -> Wave {
    Wave {
        size,
        success_threshold_percent: None,
        failure_threshold_percent: None,
        observed_min: 0,
        soak_s: 0,
        ramp_s: 0,
        gate: false,
    }
}

/// A job in waves over so many devices, begun.
struct Rolled {
    world: World,
    job: Job,
    now: Timestamp,
}

impl Rolled {
    async fn new(devices: usize, waves: &[Wave]) -> Self {
        let world = World::new();
        for number in 0..devices {
            world.device(&format!("d{number}")).await;
        }
        let mut job = world.job(Selector { all_devices: true, ..Selector::default() });
        job.schedule.waves = waves.to_vec();
        assert_eq!(world.store().job_create(vec![job.clone()], deed("campaign"), None).await.unwrap(), Once::Now(()));
        let mut rolled = Self { world, job, now: NOW };
        rolled.pump().await;
        rolled
    }

    async fn pump(&mut self) {
        // Each round sees what the one before let go.
        for _ in 0..3 {
            while self.world.store().job_pump(self.now, 3).await.unwrap() == Due::More {}
        }
    }

    async fn view(&self) -> JobView {
        self.world.store().job_get(TENANT, self.job.id).await.unwrap().unwrap()
    }

    async fn status(&self) -> (JobStatus, usize, Phase) {
        let job = self.view().await.job;
        let rollout = job.rollout.unwrap();
        (job.status, rollout.current, rollout.phase)
    }

    async fn tasks(&self) -> Vec<Task> {
        let filter = TaskFilter { job: Some(self.job.id), ..TaskFilter::default() };
        self.world.store().task_list(TENANT, filter, ALL).await.unwrap().items
    }

    /// Tasks that were let go and are open, in the order of their rank.
    async fn out(&self) -> Vec<Task> {
        let mut out: Vec<Task> =
            self.tasks().await.into_iter().filter(|task| task.released && !task.status.is_final()).collect();
        out.sort_by_key(|task| rank(self.job.id, task.device));
        out
    }

    async fn play(&self, task: &Task, events: &[TaskEvent]) {
        let name = task.expected.as_ref().unwrap().as_str().strip_prefix("MEID:").unwrap().to_owned();
        for event in events {
            assert_eq!(self.world.step(&name, &[(task.id, *event)]).await, Verdict::Applied);
        }
    }

    async fn ask(&self, event: JobEvent) -> Result<JobView, FaultName> {
        let asked = self.world.store().job_advance(TENANT, self.job.id, event, None, deed("campaign")).await.unwrap();
        asked.map_err(|fault| fault.name)
    }
}

#[tokio::test]
async fn the_first_in_rank_go_first_and_the_others_wait_for_them() {
    let mut rolled = Rolled::new(10, &[wave(WaveSize::Count(2)), wave(WaveSize::Percent(30))]).await;
    let mut expected: Vec<_> = rolled.tasks().await.iter().map(|task| task.device).collect();
    expected.sort_by_key(|device| rank(rolled.job.id, *device));
    let mut gone = Vec::new();
    for size in [2, 3, 5] {
        let out = rolled.out().await;
        assert_eq!(out.len(), size);
        for task in &out {
            assert_ne!(rolled.status().await.0, JobStatus::Completed);
            rolled.play(task, SUCCESS).await;
            gone.push(task.device);
        }
        rolled.pump().await;
    }
    assert_eq!(gone, expected);
    let view = rolled.view().await;
    assert_eq!(view.job.status, JobStatus::Completed);
    assert_eq!(view.counts, [(TaskStatus::Succeeded, 10)]);
    let of_waves = [(0, TaskStatus::Succeeded, 2), (1, TaskStatus::Succeeded, 3), (2, TaskStatus::Succeeded, 5)];
    assert_eq!(view.wave_counts, of_waves);
}

#[tokio::test]
async fn a_gate_holds_the_next_wave_over_a_restart_until_it_is_released() {
    let canary = Wave { soak_s: 60, gate: true, ..wave(WaveSize::Count(1)) };
    let mut rolled = Rolled::new(4, &[canary]).await;
    assert_eq!(rolled.ask(JobEvent::WaveReleased).await.map(|_| ()), Err(FaultName::WrongState));
    let out = rolled.out().await;
    rolled.play(&out[0], SUCCESS).await;
    rolled.pump().await;
    assert_eq!(rolled.status().await, (JobStatus::Running, 0, Phase::Soaking { until: NOW.plus_s(60) }));

    rolled.world.reopen();
    rolled.now = NOW.plus_s(60);
    rolled.pump().await;

    assert_eq!(rolled.status().await, (JobStatus::Running, 0, Phase::Gated));
    assert_eq!(rolled.out().await.len(), 0);
    let detail = rolled.view().await.job.detail.unwrap();
    assert_eq!(detail, "wave 1 of 2: 1 tasks succeeded, 0 failed; releaseWave lets wave 2 begin");
    assert_eq!(rolled.ask(JobEvent::WaveReleased).await.unwrap().job.status, JobStatus::Running);
    rolled.pump().await;
    assert_eq!((rolled.status().await.1, rolled.out().await.len()), (1, 3));
}

#[tokio::test]
async fn a_wave_that_fails_pauses_the_job_and_says_why() {
    let canary = Wave { failure_threshold_percent: Some(20), observed_min: 2, ..wave(WaveSize::Count(3)) };
    let mut rolled = Rolled::new(6, &[canary]).await;
    let out = rolled.out().await;
    rolled.play(&out[0], FAILURE).await;
    rolled.pump().await;
    assert_eq!(rolled.status().await.0, JobStatus::Running, "one task is too little to judge by");

    rolled.play(&out[1], SUCCESS).await;
    rolled.pump().await;

    assert_eq!(rolled.status().await, (JobStatus::Paused, 0, Phase::Stopped));
    let view = rolled.view().await;
    let reason = "wave 1 of 2: 1 of 2 finished tasks failed, failureThresholdPercent is 20";
    assert_eq!(view.job.detail.as_deref(), Some(reason));
    let paused = rolled.tasks().await.iter().filter(|task| task.status == TaskStatus::Paused).count();
    assert_eq!(paused, 4);
    assert_eq!(view.job.rollout.unwrap().state_of(0), WaveState::Stopped);
}

/// A job whose only canary failed.
async fn stopped(canary: Wave) -> Rolled {
    let mut rolled = Rolled::new(3, &[canary]).await;
    let out = rolled.out().await;
    rolled.play(&out[0], FAILURE).await;
    rolled.pump().await;
    assert_eq!(rolled.status().await, (JobStatus::Paused, 0, Phase::Stopped));
    rolled
}

#[tokio::test]
async fn a_person_may_let_the_next_wave_begin_although_the_one_before_failed() {
    let mut rolled = stopped(Wave { success_threshold_percent: Some(50), ..wave(WaveSize::Count(1)) }).await;

    rolled.ask(JobEvent::WaveReleased).await.unwrap();
    rolled.pump().await;

    assert_eq!(rolled.status().await, (JobStatus::Running, 1, Phase::Open));
    assert!(rolled.out().await.iter().all(|task| task.status == TaskStatus::Scheduled));
    assert_eq!(rolled.out().await.len(), 2);
}

#[tokio::test]
async fn a_wave_that_runs_again_is_judged_anew_and_keeps_its_tasks() {
    let mut rolled = stopped(Wave { success_threshold_percent: Some(100), ..wave(WaveSize::Count(1)) }).await;
    let first: BTreeSet<_> = rolled.view().await.wave_counts.into_iter().collect();
    assert_eq!(first, BTreeSet::from([(0, TaskStatus::Failed, 1)]));

    rolled.ask(JobEvent::RestartAsked { retry_failed: true }).await.unwrap();
    rolled.now = NOW.plus_s(1);
    rolled.pump().await;
    let out = rolled.out().await;
    assert_eq!(out.len(), 1);
    rolled.play(&out[0], SUCCESS).await;
    rolled.pump().await;

    assert_eq!(rolled.status().await, (JobStatus::Running, 1, Phase::Open));
    let counts = rolled.view().await.wave_counts;
    assert_eq!(counts, [(0, TaskStatus::Succeeded, 1), (1, TaskStatus::Scheduled, 2)]);
}

#[tokio::test]
async fn a_job_that_a_person_paused_is_not_released() {
    let mut rolled = Rolled::new(3, &[Wave { gate: true, ..wave(WaveSize::Count(1)) }]).await;
    let out = rolled.out().await;
    rolled.play(&out[0], SUCCESS).await;
    rolled.pump().await;
    rolled.ask(JobEvent::PauseAsked).await.unwrap();
    rolled.pump().await;

    assert_eq!(rolled.ask(JobEvent::WaveReleased).await.map(|_| ()), Err(FaultName::WrongState));

    rolled.ask(JobEvent::RestartAsked { retry_failed: false }).await.unwrap();
    rolled.ask(JobEvent::WaveReleased).await.unwrap();
    rolled.pump().await;
    assert_eq!(rolled.out().await.len(), 2);
}

#[tokio::test]
async fn a_ramp_lets_tasks_go_as_time_passes() {
    let mut rolled = Rolled::new(10, &[Wave { ramp_s: 100, ..wave(WaveSize::Percent(100)) }]).await;
    for (after_s, out) in [(0, 1), (10, 1), (11, 2), (50, 5), (100, 10)] {
        rolled.now = NOW.plus_s(after_s);
        rolled.pump().await;
        assert_eq!(rolled.out().await.len(), out, "after {after_s} s");
    }
}

#[tokio::test]
async fn waves_and_a_limit_at_once_hold_together() {
    let mut rolled = Rolled::new(6, &[wave(WaveSize::Count(4))]).await;
    assert_eq!(rolled.out().await.len(), 4);
    let mut limited = rolled.world.job(Selector { all_devices: true, ..Selector::default() });
    limited.schedule.waves = vec![wave(WaveSize::Count(4))];
    limited.schedule.concurrent_max = Some(2);
    rolled.world.store().job_create(vec![limited.clone()], deed("campaign"), None).await.unwrap();
    rolled.job = limited;
    rolled.pump().await;
    assert_eq!(rolled.out().await.len(), 2);
    // The fourth of the wave is waited for alone.
    for left in [2, 2, 1, 2, 1] {
        let out = rolled.out().await;
        rolled.play(&out[0], SUCCESS).await;
        rolled.pump().await;
        assert_eq!(rolled.out().await.len(), left);
    }
}

#[tokio::test]
async fn failures_are_counted_by_reason_until_they_run_again() {
    let mut rolled = Rolled::new(3, &[wave(WaveSize::Percent(100))]).await;
    let out = rolled.out().await;
    rolled.play(&out[0], FAILURE).await;
    rolled.play(&out[1], FAILURE).await;
    rolled.play(&out[2], SUCCESS).await;
    let failed = [(TaskStatus::Failed, "no reason is known".to_owned(), 2)];
    assert_eq!(rolled.view().await.reasons, failed);

    rolled.pump().await;
    rolled.ask(JobEvent::RestartAsked { retry_failed: true }).await.unwrap();
    rolled.now = NOW.plus_s(1);
    rolled.pump().await;

    assert_eq!(rolled.view().await.reasons, []);
    // Over the end time, having never connected again.
    while rolled.world.store().task_expire(NOW.plus_s(30 * 86_400), 1).await.unwrap() == Due::More {}
    let expired = [(TaskStatus::Expired, "the device did not connect before the end time".to_owned(), 2)];
    assert_eq!(rolled.view().await.reasons, expired);
}

#[tokio::test]
async fn what_was_finished_is_noted_once_in_a_minute() {
    let mut rolled = Rolled::new(3, &[wave(WaveSize::Percent(100))]).await;
    let mut expected = muster_broker::progress::Pace::default();
    expected.note(NOW, 0);
    for (at_s, task) in rolled.out().await.iter().enumerate() {
        rolled.play(task, SUCCESS).await;
        rolled.now = NOW.plus_s(if at_s == 0 { 59 } else { 60 });
        rolled.pump().await;
        if at_s > 0 {
            expected.note(rolled.now, 2);
        }
        assert_eq!(rolled.view().await.pace, expected);
    }
}

#[tokio::test]
async fn a_test_cycle_in_waves_is_over_at_once() {
    let mut rolled = Rolled::new(3, &[wave(WaveSize::Count(1))]).await;
    let mut rehearsal = rolled.world.job(Selector { all_devices: true, ..Selector::default() });
    rehearsal.schedule.waves = vec![wave(WaveSize::Count(1))];
    rehearsal.template.test_cycle = true;
    rolled.world.store().job_create(vec![rehearsal.clone()], deed("campaign"), None).await.unwrap();
    rolled.job = rehearsal;
    rolled.pump().await;
    assert_eq!(rolled.view().await.job.status, JobStatus::Completed);
}
