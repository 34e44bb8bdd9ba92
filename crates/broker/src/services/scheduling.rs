//! Whether a schedule makes sense.

use std::ops::RangeInclusive;

use crate::bounds::{
    ATTEMPTS, FAILURE_PERCENTS, PACES, RETRY_DELAYS_S, SHARES_OF_WAVES, SIZES_OF_WAVES, TIMES_OF_WAVES_S, WAVES_MAX,
    WINDOW_DURATIONS_S, WINDOWS_MAX,
};
use crate::fault::{Fault, FaultName};
use crate::rollout::{Wave, WaveSize};
use crate::schedule::{Cron, MaintenanceWindow, Schedule, is_zone};
use crate::time::Timestamp;

/// Start and end lie at most so many seconds ahead: about ten years.
const AHEAD_S_MAX: i64 = 10 * 366 * 24 * 3600;

/// The schedule as it is carried out: a start that has passed is none.
///
/// # Errors
/// `InvalidArgument` for what is out of range or has passed, `ConflictingArguments` for an end that is not after the
/// start.
pub(super) fn checked(mut schedule: Schedule, now: Timestamp) -> Result<Schedule, Fault> {
    let latest = now.plus_s(AHEAD_S_MAX);
    for (parameter, time) in [("schedule.startTime", schedule.start), ("schedule.endTime", schedule.end)] {
        if let Some(time) = time.filter(|time| *time > latest) {
            return Err(Fault::invalid(parameter, time, "is more than ten years ahead"));
        }
    }
    if let (Some(start), Some(end)) = (schedule.start, schedule.end)
        && end <= start
    {
        return Err(Fault::new(FaultName::ConflictingArguments, "schedule.endTime must be after schedule.startTime")
            .with(start)
            .with(end));
    }
    if let Some(end) = schedule.end.filter(|end| *end <= now) {
        return Err(Fault::invalid("schedule.endTime", end, "has passed"));
    }
    for (parameter, value, range) in [
        ("schedule.maxConcurrentTasks", schedule.concurrent_max, PACES),
        ("schedule.tasksPerMinute", schedule.per_minute_max, PACES),
        ("schedule.maxAttempts", schedule.attempts_max, ATTEMPTS),
        ("schedule.retryDelaySeconds", schedule.retry_delay_s, RETRY_DELAYS_S),
        ("schedule.failureThresholdPercent", schedule.failure_threshold_percent, FAILURE_PERCENTS),
    ] {
        if let Some(value) = value.filter(|value| !range.contains(value)) {
            let why = format_args!("must be {} to {}", range.start(), range.end());
            return Err(Fault::invalid(parameter, value, why));
        }
    }
    if let Some(window) = &schedule.window
        && (window.time_zone.len() > 100 || jiff::tz::TimeZone::get(&window.time_zone).is_err())
    {
        return Err(Fault::invalid(
            "schedule.timeZone",
            &window.time_zone,
            "is no IANA time zone, such as Europe/Berlin",
        ));
    }
    waves(&schedule.waves)?;
    maintenance(&schedule.maintenance)?;
    schedule.start = schedule.start.filter(|start| *start > now);
    Ok(schedule)
}

/// The schedule of a task without a job: what is about jobs does not count.
pub(super) fn of_single_task(mut schedule: Schedule) -> Schedule {
    schedule.concurrent_max = None;
    schedule.per_minute_max = None;
    schedule.failure_threshold_percent = None;
    schedule.waves.clear();
    schedule
}

fn maintenance(windows: &[MaintenanceWindow]) -> Result<(), Fault> {
    if windows.len() > WINDOWS_MAX {
        let text = format!("schedule.maintenanceWindow: a schedule may have {WINDOWS_MAX}");
        return Err(Fault::new(FaultName::TooManyEntries, text).with(WINDOWS_MAX));
    }
    for (index, window) in windows.iter().enumerate() {
        let at = format!("schedule.maintenanceWindow[{index}]");
        if let Err(error) = Cron::parse(&window.cron) {
            return Err(Fault::invalid(&format!("{at}.cron"), window.cron.escape_debug(), error));
        }
        within(&format!("{at}.durationSeconds"), window.duration_s, &WINDOW_DURATIONS_S)?;
        if !is_zone(&window.time_zone) {
            let why = "is no IANA time zone, such as Europe/Berlin";
            return Err(Fault::invalid(&format!("{at}.timeZone"), window.time_zone.escape_debug(), why));
        }
    }
    Ok(())
}

fn waves(waves: &[Wave]) -> Result<(), Fault> {
    if waves.len() > WAVES_MAX {
        let text = format!("schedule.wave: a schedule may have {WAVES_MAX}");
        return Err(Fault::new(FaultName::TooManyEntries, text).with(WAVES_MAX));
    }
    let mut percent_sum: u32 = 0;
    for (index, wave) in waves.iter().enumerate() {
        let at = |name: &str| format!("schedule.wave[{index}].{name}");
        match wave.size {
            WaveSize::Count(count) => within(&at("count"), count, &SIZES_OF_WAVES)?,
            WaveSize::Percent(percent) => {
                within(&at("percent"), percent, &SHARES_OF_WAVES)?;
                percent_sum = percent_sum.saturating_add(percent);
                if percent_sum > 100 {
                    let why = "the shares of the waves are more than 100 together";
                    return Err(Fault::invalid(&at("percent"), percent, why));
                }
            }
        }
        for (name, threshold) in [
            ("successThresholdPercent", wave.success_threshold_percent),
            ("failureThresholdPercent", wave.failure_threshold_percent),
        ] {
            threshold.map_or(Ok(()), |threshold| within(&at(name), threshold, &FAILURE_PERCENTS))?;
        }
        within(&at("minObserved"), wave.observed_min, &(0..=*SIZES_OF_WAVES.end()))?;
        within(&at("soakSeconds"), wave.soak_s, &TIMES_OF_WAVES_S)?;
        within(&at("rampSeconds"), wave.ramp_s, &TIMES_OF_WAVES_S)?;
    }
    Ok(())
}

fn within(parameter: &str, value: u32, range: &RangeInclusive<u32>) -> Result<(), Fault> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Fault::invalid(parameter, value, format_args!("must be {} to {}", range.start(), range.end())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::DailyWindow;

    const NOW: Timestamp = Timestamp(1_795_248_000_000);

    fn refused(schedule: Schedule) -> Option<FaultName> {
        checked(schedule, NOW).err().map(|fault| fault.name)
    }

    fn none() -> Schedule {
        Schedule::default()
    }

    #[test]
    fn the_end_comes_after_the_start_and_after_now() {
        let at = |s| Some(NOW.plus_s(s));
        assert_eq!(refused(Schedule { start: at(10), end: at(20), ..none() }), None);
        assert_eq!(refused(Schedule { start: at(20), end: at(20), ..none() }), Some(FaultName::ConflictingArguments));
        assert_eq!(refused(Schedule { end: at(0), ..none() }), Some(FaultName::InvalidArgument));
        assert_eq!(refused(Schedule { end: at(1), ..none() }), None);
        assert_eq!(refused(Schedule { start: Some(Timestamp(i64::MAX)), ..none() }), Some(FaultName::InvalidArgument));
    }

    #[test]
    fn a_start_that_has_passed_is_now_and_the_life_counts_from_now() {
        let schedule = checked(Schedule { start: Some(NOW.plus_s(-30 * 86_400)), ..none() }, NOW);
        assert_eq!(schedule.map(|schedule| schedule.ends_at(NOW)), Ok(NOW.plus_s(Schedule::LIFE_S)));
    }

    #[test]
    fn faults_name_the_member_of_the_schedule() {
        let at = |s| Some(NOW.plus_s(s));
        let window = DailyWindow {
            start: jiff::civil::time(22, 0, 0, 0),
            end: jiff::civil::time(4, 0, 0, 0),
            time_zone: "Mars/Base".to_owned(),
        };
        for (schedule, name) in [
            (Schedule { start: at(2 * AHEAD_S_MAX), ..none() }, "schedule.startTime"),
            (Schedule { end: at(0), ..none() }, "schedule.endTime"),
            (Schedule { attempts_max: Some(0), ..none() }, "schedule.maxAttempts"),
            (Schedule { window: Some(window), ..none() }, "schedule.timeZone"),
        ] {
            let variables = checked(schedule, NOW).err().map(|fault| fault.variables).unwrap_or_default();
            assert_eq!(variables.first().map(String::as_str), Some(name));
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for (schedule, valid) in [
            (Schedule { attempts_max: Some(1), ..none() }, true),
            (Schedule { attempts_max: Some(100), ..none() }, true),
            (Schedule { attempts_max: Some(0), ..none() }, false),
            (Schedule { attempts_max: Some(101), ..none() }, false),
            (Schedule { retry_delay_s: Some(0), ..none() }, true),
            (Schedule { retry_delay_s: Some(86_401), ..none() }, false),
            (Schedule { failure_threshold_percent: Some(100), ..none() }, true),
            (Schedule { failure_threshold_percent: Some(101), ..none() }, false),
            (Schedule { concurrent_max: Some(0), ..none() }, false),
            (Schedule { per_minute_max: Some(0), ..none() }, false),
        ] {
            let expected = (!valid).then_some(FaultName::InvalidArgument);
            assert_eq!(refused(schedule.clone()), expected, "{schedule:?}");
        }
    }

    #[test]
    fn waves_have_a_size_each_and_shares_of_at_most_the_whole() {
        let wave = |size| Wave {
            size,
            success_threshold_percent: None,
            failure_threshold_percent: None,
            observed_min: 0,
            soak_s: 0,
            ramp_s: 0,
            gate: false,
        };
        let percent = |percent| wave(WaveSize::Percent(percent));
        let good = wave(WaveSize::Count(1));
        for (waves, fault) in [
            (vec![good, percent(40), percent(60)], None),
            (vec![percent(41), percent(60)], Some(FaultName::InvalidArgument)),
            (vec![percent(0)], Some(FaultName::InvalidArgument)),
            (vec![percent(101)], Some(FaultName::InvalidArgument)),
            (vec![wave(WaveSize::Count(0))], Some(FaultName::InvalidArgument)),
            (vec![Wave { soak_s: *TIMES_OF_WAVES_S.end(), ..good }], None),
            (vec![Wave { soak_s: TIMES_OF_WAVES_S.end() + 1, ..good }], Some(FaultName::InvalidArgument)),
            (vec![Wave { ramp_s: TIMES_OF_WAVES_S.end() + 1, ..good }], Some(FaultName::InvalidArgument)),
            (vec![Wave { success_threshold_percent: Some(101), ..good }], Some(FaultName::InvalidArgument)),
            (vec![good; WAVES_MAX], None),
            (vec![good; WAVES_MAX + 1], Some(FaultName::TooManyEntries)),
        ] {
            assert_eq!(refused(Schedule { waves: waves.clone(), ..none() }), fault, "{waves:?}");
        }
    }

    #[test]
    fn a_maintenance_window_has_an_expression_a_duration_and_a_zone() {
        let window = |cron: &str, duration_s, zone: &str| MaintenanceWindow {
            cron: cron.to_owned(),
            duration_s,
            time_zone: zone.to_owned(),
            device_zone: true,
        };
        let good = window("0 2 * * *", 3600, "Europe/Berlin");
        for (windows, fault) in [
            (vec![good.clone(); WINDOWS_MAX], None),
            (vec![good; WINDOWS_MAX + 1], Some(FaultName::TooManyEntries)),
            (vec![window("0 2 * *", 3600, "UTC")], Some(FaultName::InvalidArgument)),
            (vec![window("0 2 * * *", 59, "UTC")], Some(FaultName::InvalidArgument)),
            (vec![window("0 2 * * *", 60, "UTC")], None),
            (vec![window("0 2 * * *", 604_800, "UTC")], None),
            (vec![window("0 2 * * *", 604_801, "UTC")], Some(FaultName::InvalidArgument)),
            (vec![window("0 2 * * *", 60, "Mars/Base")], Some(FaultName::InvalidArgument)),
        ] {
            assert_eq!(refused(Schedule { maintenance: windows.clone(), ..none() }), fault, "{windows:?}");
        }
    }

    #[test]
    fn a_daily_window_is_in_a_zone_that_exists() {
        let window = |zone: &str| DailyWindow {
            start: jiff::civil::time(22, 0, 0, 0),
            end: jiff::civil::time(4, 0, 0, 0),
            time_zone: zone.to_owned(),
        };
        assert_eq!(refused(Schedule { window: Some(window("Europe/Berlin")), ..none() }), None);
        assert_eq!(refused(Schedule { window: Some(window("Mars/Base")), ..none() }), Some(FaultName::InvalidArgument));
    }
}
