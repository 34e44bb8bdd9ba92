use super::*;
use crate::access::Reach;
use crate::id::JobId;
use crate::job::{Hold, TaskTemplate};
use crate::operation::{Arguments, Operation};
use crate::policy::AcceptDevicePolicy;
use crate::rollout::{Cut, Rollout, Wave, WaveSize};
use crate::schedule::MaintenanceWindow;

/// 2026-11-21T08:00:00Z.
const START: Timestamp = Timestamp(1_795_248_000_000);

fn job(schedule: Schedule) -> Job {
    Job {
        id: JobId(uuid::Uuid::from_u128(1)),
        tenant: "acme".into(),
        owner: "campaign".into(),
        name: "job".into(),
        description: None,
        template: TaskTemplate {
            operation: Operation::Query,
            arguments: Arguments::default(),
            policy: AcceptDevicePolicy::Any,
            opt_in: false,
            test_cycle: false,
            priority: 5,
        },
        is_mixed: false,
        reach: Reach::default(),
        schedule,
        expansion: None,
        rollout: None,
        hold: Hold::None,
        class: None,
        status: JobStatus::Running,
        detail: None,
        callback: None,
        created_at: START,
        finished_at: None,
        version: 1,
    }
}

fn wave(gate: bool, soak_s: u32) -> Wave {
    Wave {
        size: WaveSize::Percent(50),
        success_threshold_percent: None,
        failure_threshold_percent: None,
        observed_min: 0,
        soak_s,
        ramp_s: 0,
        gate,
    }
}

/// A job in two waves, the first under way.
fn in_waves(first: Wave) -> Job {
    let cuts = vec![Cut { entry: 0, size: 100, below: Some(1) }, Cut { entry: 0, size: 100, below: None }];
    Job { rollout: Rollout::begin(cuts, START), ..job(Schedule { waves: vec![first], ..Schedule::default() }) }
}

/// So many tasks finished in each minute, up to now.
fn paced(rates: &[u64]) -> (Pace, Timestamp) {
    let (mut pace, mut finished, mut now) = (Pace::default(), 0, START);
    pace.note(now, 0);
    for rate in rates {
        finished += rate;
        now = now.plus_s(60);
        pace.note(now, finished);
    }
    (pace, now)
}

fn counts(finished: u64, remaining: u64) -> Vec<(TaskStatus, u64)> {
    vec![(TaskStatus::Scheduled, remaining), (TaskStatus::Succeeded, finished)]
}

fn minutes(from: Timestamp, to: Option<Timestamp>) -> i64 {
    to.map_or(-1, |to| (to.0 - from.0) / MINUTE_MS)
}

#[test]
fn a_steady_rate_gives_a_narrow_range_and_an_unsteady_one_a_wide_one() {
    let (pace, now) = paced(&[100; 15]);
    let steady = outlook(&job(Schedule::default()), &counts(1500, 3000), &pace, now);
    assert_eq!((steady.per_hour, steady.minutes, steady.certainty), (Some(6000), 15, Certainty::High));
    assert_eq!((minutes(now, steady.earliest), minutes(now, steady.latest)), (30, 30));

    let (pace, now) = paced(&[50, 150, 50, 150, 50, 150, 50, 150, 50, 150, 50, 150]);
    let unsteady = outlook(&job(Schedule::default()), &counts(1200, 3000), &pace, now);
    assert_eq!(unsteady.certainty, Certainty::Low);
    assert!(minutes(now, unsteady.earliest) < 25 && minutes(now, unsteady.latest) > 40, "{unsteady:?}");
}

#[test]
fn one_minute_is_little_to_go_by_and_none_leaves_the_end_time() {
    let (pace, now) = paced(&[100]);
    let little = outlook(&job(Schedule::default()), &counts(100, 300), &pace, now);
    assert_eq!(little.certainty, Certainty::Low);
    assert_eq!((minutes(now, little.earliest), minutes(now, little.latest)), (2, 6));

    let nothing = outlook(&job(Schedule::default()), &counts(0, 300), &Pace::default(), START);
    assert_eq!((nothing.certainty, nothing.earliest), (Certainty::None, None));
    assert_eq!(nothing.latest, Some(START.plus_s(Schedule::LIFE_S)));
}

#[test]
fn the_limit_of_the_schedule_caps_the_rate_and_the_end_time_caps_the_estimate() {
    let (pace, now) = paced(&[100; 15]);
    let limited = Schedule { per_minute_max: Some(10), ..Schedule::default() };
    assert_eq!(minutes(now, outlook(&job(limited.clone()), &counts(1500, 600), &pace, now).earliest), 60);
    assert_eq!(minutes(START, outlook(&job(limited), &counts(0, 600), &Pace::default(), START).earliest), 60);
    let ends = Schedule { end: Some(now.plus_s(600)), ..Schedule::default() };
    assert_eq!(minutes(now, outlook(&job(ends), &counts(1500, 6000), &pace, now).latest), 10);
}

#[test]
fn time_in_which_windows_are_closed_does_not_count() {
    let window =
        MaintenanceWindow { cron: "0 8 * * *".into(), duration_s: 3600, time_zone: "UTC".into(), device_zone: false };
    let (pace, now) = paced(&[100; 15]);
    let schedule = Schedule { maintenance: vec![window], ..Schedule::default() };
    // 45 minutes are left of today's window: the rest is done in that of tomorrow.
    let told = outlook(&job(schedule), &counts(1500, 5000), &pace, now);
    assert_eq!(told.earliest, Some(START.plus_s(24 * 3600 + 5 * 60)));
}

#[test]
fn waves_ahead_soak_and_a_gate_leaves_the_end_to_a_person() {
    let (pace, now) = paced(&[10; 10]);
    let told = outlook(&in_waves(wave(false, 3600)), &counts(100, 100), &pace, now);
    assert_eq!((minutes(now, told.earliest), told.certainty), (70, Certainty::High));

    let told = outlook(&in_waves(wave(true, 0)), &counts(100, 100), &pace, now);
    assert_eq!((told.certainty, told.latest), (Certainty::Low, Some(START.plus_s(Schedule::LIFE_S))));
    assert!(told.basis.ends_with("a person lets a wave begin"), "{}", told.basis);
}

#[test]
fn minutes_that_were_not_seen_are_left_out_and_old_ones_are_forgotten() {
    let mut pace = Pace::default();
    for (minute, finished) in [(0, 0), (1, 60), (5, 500), (6, 560)] {
        pace.note(START.plus_s(minute * 60), finished);
    }
    assert_eq!(pace.per_minute(), [60.0, 60.0]);
    for minute in 7..60 {
        pace.note(START.plus_s(minute * 60), 560);
        pace.note(START.plus_s(minute * 60 + 30), 9999);
    }
    assert_eq!(pace.per_minute(), [0.0; MINUTES_MAX]);
}

#[test]
fn a_rehearsal_tells_how_long_it_takes_at_the_given_rates() {
    let over = |schedule| {
        let mut job = Job { status: JobStatus::Completed, ..job(schedule) };
        job.template.test_cycle = true;
        job
    };
    let counted = [(TaskStatus::Succeeded, 600), (TaskStatus::Failed, 3)];
    let schedule = Schedule { per_minute_max: Some(10), waves: vec![wave(true, 1800)], ..Schedule::default() };

    let told =
        rehearsal(&over(schedule), &counted, 4).map(|it| (it.reached, it.left_out, it.waves, it.least_s, it.by_hand));

    assert_eq!(told, Some((600, 7, vec![300, 300], Some(90 * 60), true)));
    let free = rehearsal(&over(Schedule::default()), &counted, 0).map(|it| (it.waves, it.least_s));
    assert_eq!(free, Some((vec![], None)));
    assert_eq!(rehearsal(&job(Schedule::default()), &counted, 0), None);

    let in_time = |minutes: i64| {
        let end = Some(START.plus_s(minutes * 60));
        let schedule = Schedule { end, per_minute_max: Some(10), ..Schedule::default() };
        rehearsal(&over(schedule), &counted, 0).map(|it| (it.least_s, it.ends_in_time))
    };
    assert_eq!([in_time(60), in_time(59)], [Some((Some(3600), true)), Some((Some(3600), false))]);
}

#[test]
fn tasks_of_one_cause_have_one_reason() {
    let texts = [
        "device IMEI:490154203237518 answered no",
        "node ./Vendor/A refused in message 3",
        "node ./Vendor/B refused in message 14",
    ];
    assert_eq!(texts.map(in_common), ["device IMEI", "node … refused in message …", "node … refused in message …"]);
}
