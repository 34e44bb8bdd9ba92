use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp(1_795_248_000_000);

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

fn cuts(plan: &[Wave], target: u64) -> Vec<Cut> {
    let mut below = 0;
    let sizes = sizes(plan, target);
    let last = sizes.len().saturating_sub(1);
    let cut = |(place, (entry, size)): (usize, (usize, u64))| {
        below += i64::try_from(size).unwrap_or(i64::MAX);
        Cut { entry, size, below: (place < last).then_some(below) }
    };
    sizes.into_iter().enumerate().map(cut).collect()
}

fn begun(plan: &[Wave], target: u64) -> Rollout {
    Rollout::begin(cuts(plan, target), START).unwrap_or(Rollout {
        waves: Vec::new(),
        current: 0,
        phase: Phase::Open,
        began_at: START,
        pardoned: 0,
    })
}

fn seen(succeeded: u64, failed: u64, open: u64) -> Observed {
    Observed { succeeded, failed, finished: succeeded + failed, open }
}

#[test]
fn shares_are_rounded_up_and_what_is_left_over_comes_last() {
    let plan = [wave(WaveSize::Count(10)), wave(WaveSize::Percent(1)), wave(WaveSize::Percent(25))];
    assert_eq!(sizes(&plan, 1001), [(0, 10), (1, 11), (2, 251), (2, 729)]);
    assert_eq!(sizes(&plan, 11), [(0, 10), (1, 1)]);
    assert_eq!(sizes(&plan, 0), []);
}

#[test]
fn a_wave_that_went_well_soaks_and_then_waits_for_a_person() {
    let canary = Wave { success_threshold_percent: Some(90), soak_s: 60, gate: true, ..wave(WaveSize::Count(10)) };
    let plan = [canary];
    let mut rollout = begun(&plan, 100);

    assert_eq!(rollout.step(&plan, seen(8, 0, 2), START), Step::Same);
    assert!(matches!(rollout.step(&plan, seen(9, 0, 1), START), Step::Moved(_)));
    assert_eq!(rollout.phase, Phase::Soaking { until: START.plus_s(60) });
    assert_eq!(rollout.step(&plan, seen(10, 0, 0), START.plus_s(59)), Step::Same);
    assert!(matches!(rollout.step(&plan, seen(10, 0, 0), START.plus_s(60)), Step::Moved(_)));
    assert_eq!((rollout.current, rollout.phase), (0, Phase::Gated));
    assert_eq!(rollout.step(&plan, seen(10, 0, 0), START.plus_s(9999)), Step::Same);
    assert_eq!(rollout.release(START.plus_s(9999)), Ok(()));
    assert_eq!((rollout.current, rollout.phase), (1, Phase::Open));
    assert_eq!(rollout.release(START.plus_s(9999)), Err(NothingWaits));
}

#[test]
fn a_stop_names_the_threshold_and_the_numbers() {
    let plan = [Wave { failure_threshold_percent: Some(10), observed_min: 5, ..wave(WaveSize::Count(20)) }];
    let mut rollout = begun(&plan, 100);

    assert_eq!(rollout.step(&plan, seen(2, 2, 16), START), Step::Same, "too little is seen");
    let stopped = rollout.step(&plan, seen(4, 1, 15), START);

    let reason = "wave 1 of 2: 1 of 5 finished tasks failed, failureThresholdPercent is 10";
    assert_eq!(stopped, Step::Stop(reason.to_owned()));
    assert_eq!(rollout.state_of(0), WaveState::Stopped);
}

#[test]
fn a_wave_that_can_no_longer_succeed_stops_before_its_last_task_is_final() {
    let plan = [Wave { success_threshold_percent: Some(90), observed_min: 10, ..wave(WaveSize::Count(10)) }];
    let mut rollout = begun(&plan, 100);

    assert_eq!(rollout.step(&plan, seen(5, 1, 4), START), Step::Same);
    let stopped = rollout.step(&plan, seen(5, 2, 3), START);

    let reason = "wave 1 of 2: 5 of 10 tasks succeeded and 3 may yet, successThresholdPercent is 90";
    assert_eq!(stopped, Step::Stop(reason.to_owned()));
}

#[test]
fn a_wave_that_a_person_resumed_stops_again_only_for_new_failures() {
    let plan = [Wave { failure_threshold_percent: Some(10), ..wave(WaveSize::Count(10)) }];
    let mut rollout = begun(&plan, 100);
    assert!(matches!(rollout.step(&plan, seen(1, 1, 8), START), Step::Stop(_)));

    rollout.resume(1);

    assert_eq!(rollout.step(&plan, seen(2, 1, 7), START), Step::Same);
    assert!(matches!(rollout.step(&plan, seen(2, 2, 6), START), Step::Stop(_)));
}

#[test]
fn a_ramp_lets_tasks_go_evenly_and_one_at_once() {
    let plan = [Wave { ramp_s: 100, ..wave(WaveSize::Percent(100)) }];
    let rollout = begun(&plan, 50);
    let after = |s| rollout.allowance(&plan, START.plus_s(s));
    assert_eq!([after(0), after(2), after(3), after(50)], [1, 1, 2, 25]);
    assert_eq!(after(100), u64::MAX);
}

/// A task of the model: one that has not been let go has no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Held,
    Out,
    Succeeded,
    Failed,
}

fn any_wave() -> impl Strategy<Value = Wave> {
    let size = prop_oneof![(1_u32..12).prop_map(WaveSize::Count), (1_u32..=60).prop_map(WaveSize::Percent)];
    let percent = || proptest::option::of(0_u32..=100);
    (size, percent(), percent(), 0_u32..6, 0_u32..3, any::<bool>()).prop_map(
        |(size, success_threshold_percent, failure_threshold_percent, observed_min, soak_s, gate)| Wave {
            size,
            success_threshold_percent,
            failure_threshold_percent,
            observed_min,
            soak_s,
            ramp_s: 0,
            gate,
        },
    )
}

proptest! {
    #[test]
    fn the_sum_of_waves_is_the_target(plan in proptest::collection::vec(any_wave(), 1..8), target in 0_u64..500) {
        let sizes = sizes(&plan, target);
        prop_assert_eq!(sizes.iter().map(|(_, size)| size).sum::<u64>(), target);
        prop_assert!(sizes.iter().all(|(entry, size)| *size > 0 && *entry < plan.len()));
        prop_assert!(sizes.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    /// The model keeps every task by itself and counts with fractions; the machine is told numbers only.
    #[test]
    fn no_wave_begins_before_the_one_before_has_met_its_condition(
        plan in proptest::collection::vec(any_wave(), 1..5),
        target in 1_usize..60,
        acts in proptest::collection::vec((0_u8..8, any::<prop::sample::Index>()), 0..200),
    ) {
        let mut rollout = begun(&plan, target as u64);
        let mut tasks = vec![Outcome::Held; target];
        let first = |rollout: &Rollout, place: usize| -> usize {
            rollout.waves[..place].iter().map(|cut| cut.size as usize).sum()
        };
        let (mut now, mut is_paused, mut met_since) = (START, false, None);
        for (act, index) in acts {
            let place = rollout.current;
            let range = first(&rollout, place)..first(&rollout, place + 1);
            let cut = rollout.waves[place];
            let rules = plan[cut.entry];
            prop_assert!(cut.below.is_none_or(|below| below as usize == range.end));
            if !is_paused {
                // Whatever the wave under way lets go is let go.
                tasks[..range.end].iter_mut().filter(|task| **task == Outcome::Held).for_each(|task| *task = Outcome::Out);
            }
            prop_assert!(tasks[range.end..].iter().all(|task| *task == Outcome::Held));
            let at = index.index(range.end);
            let mut is_let_go_by_hand = false;
            match act {
                0..=3 if tasks[at] == Outcome::Out => tasks[at] = Outcome::Succeeded,
                4 if tasks[at] == Outcome::Out => tasks[at] = Outcome::Failed,
                5 => now = now.plus_s(1),
                6 => {
                    is_let_go_by_hand = rollout.release(now).is_ok();
                    is_paused &= !is_let_go_by_hand;
                }
                7 if is_paused => {
                    let failed = tasks[range.clone()].iter().filter(|task| **task == Outcome::Failed).count();
                    rollout.resume(failed as u64);
                    is_paused = false;
                }
                _ => {}
            }
            if is_let_go_by_hand {
                met_since = None;
                continue;
            }
            if is_paused {
                continue;
            }
            let count = |wanted| tasks[range.clone()].iter().filter(|task| **task == wanted).count();
            let (succeeded, failed) = (count(Outcome::Succeeded), count(Outcome::Failed));
            let open = range.len() - succeeded - failed;
            let is_met = match rules.success_threshold_percent {
                None => open == 0,
                Some(percent) => {
                    let share = succeeded as f64 / range.len() as f64 * 100.0;
                    share + 1e-9 >= f64::from(percent)
                        && succeeded + failed >= (rules.observed_min as usize).min(range.len())
                }
            };
            // Once it has soaked the condition is not asked again: it is met by what had succeeded, which stays.
            if is_met && met_since.is_none() {
                met_since = Some(now);
            }
            let step = rollout.step(&plan, seen(succeeded as u64, failed as u64, open as u64), now);
            if rollout.current != place {
                prop_assert_eq!(rollout.current, place + 1);
                let Some(since) = met_since else { return Err(TestCaseError::fail("began without its condition")) };
                prop_assert!(now >= since.plus_s(rules.soak_s.into()) && !rules.gate);
                met_since = None;
            }
            if let Step::Stop(_) = step {
                prop_assert_eq!(rollout.phase, Phase::Stopped);
                prop_assert!(failed > 0, "a stop needs a failure");
                is_paused = true;
            }
        }
    }
}
