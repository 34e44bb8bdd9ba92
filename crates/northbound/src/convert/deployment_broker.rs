use std::ops::RangeInclusive;

use muster_broker::bounds::{
    ATTEMPTS, FAILURE_PERCENTS, PACES, RETRY_DELAYS_S, SHARES_OF_WAVES, SIZES_OF_WAVES, TIMES_OF_WAVES_S,
    WINDOW_DURATIONS_S,
};
use muster_broker::callback::CallbackWanted;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::operation::{Arguments, Definition, Parameter};
use muster_broker::rollout::{Wave, WaveSize};
use muster_broker::schedule::{Cron, DailyWindow, MaintenanceWindow, Schedule, is_zone};
use muster_broker::services::{BulkRequest, OperationReceipt, OperationRequest};
use muster_broker::task::Task;

use super::{entry_key, pairs, rejected, request_key};
use crate::contract::deployment_broker as wire;
use crate::contract::value::DayTime;

impl TryFrom<wire::DoOperation> for OperationRequest {
    type Error = Fault;

    fn try_from(given: wire::DoOperation) -> Result<Self, Fault> {
        Ok(Self {
            request: request_key(given.request_id.as_ref(), &given, "requestId")?,
            operation: given.operation,
            phone_number: given.phone_number,
            opt_in: given.opt_in,
            policy: given.accept_device_policy.0,
            test_cycle: given.test_cycle,
            device_id: given.device_id,
            arguments: given.arguments.map(Into::into).unwrap_or_default(),
            callback: given.callback.map(Into::into),
            schedule: schedule(given.schedule, "schedule")?,
        })
    }
}

impl TryFrom<wire::DoBulkOperation> for BulkRequest {
    type Error = Fault;

    fn try_from(given: wire::DoBulkOperation) -> Result<Self, Fault> {
        let request = request_key(given.request_id.as_ref(), &given, "requestId")?;
        Ok(Self {
            requests: given.request.into_iter().map(entry_of).collect(),
            name: given.name,
            schedule: schedule(given.schedule, "schedule")?,
            callback: given.callback.map(Into::into),
            request,
        })
    }
}

fn entry_of(given: wire::OperationRequest) -> OperationRequest {
    OperationRequest {
        request: entry_key(given.request_id.as_ref(), &given),
        operation: given.operation,
        phone_number: given.phone_number,
        opt_in: given.opt_in,
        policy: given.accept_device_policy.0,
        test_cycle: given.test_cycle,
        device_id: given.device_id,
        arguments: given.arguments.map(Into::into).unwrap_or_default(),
        callback: None,
        schedule: Schedule::default(),
    }
}

impl From<wire::Callback> for CallbackWanted {
    fn from(given: wire::Callback) -> Self {
        Self { address: given.address.0, reference: given.reference, soap_version: given.soap_version }
    }
}

impl From<wire::OperationArguments> for Arguments {
    fn from(given: wire::OperationArguments) -> Self {
        let parameter = given.parameter.into_iter().map(|it| Parameter {
            path: it.path,
            value: it.value,
            format: it.format,
            kind: it.media_type,
            status: it.status,
        });
        Self {
            parameter: parameter.collect(),
            package_id: given.package_id,
            component_id: given.component_id,
            option: pairs(given.option),
        }
    }
}

/// Checks a schedule. `at` names it in a fault.
///
/// # Errors
/// `InvalidArgument` for a number out of range, half a daily window, or an unknown time zone.
pub(super) fn schedule(given: Option<wire::Schedule>, at: &str) -> Result<Schedule, Fault> {
    let Some(given) = given else { return Ok(Schedule::default()) };
    let count = |name: &str, value: Option<i32>, range: RangeInclusive<u32>| -> Result<Option<u32>, Fault> {
        let Some(given) = value else { return Ok(None) };
        let why = || format!("must be {} to {}", range.start(), range.end());
        let number = u32::try_from(given).ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| Fault::invalid(&format!("{at}.{name}"), given, why()))
    };
    if let (Some(start), Some(end)) = (given.start_time, given.end_time)
        && end <= start
    {
        return Err(Fault::invalid(&format!("{at}.endTime"), end, "later than startTime"));
    }
    let place = |(index, wave)| wave_of(wave, &format!("{at}.wave[{index}]"));
    let waves = given.wave.iter().enumerate().map(place).collect::<Result<_, Fault>>()?;
    let place = |(index, window)| maintenance(window, &format!("{at}.maintenanceWindow[{index}]"));
    let maintenance = given.maintenance_window.iter().enumerate().map(place).collect::<Result<_, Fault>>()?;
    Ok(Schedule {
        start: given.start_time,
        end: given.end_time,
        window: window(&given, at)?,
        concurrent_max: count("maxConcurrentTasks", given.max_concurrent_tasks, PACES)?,
        per_minute_max: count("tasksPerMinute", given.tasks_per_minute, PACES)?,
        attempts_max: count("maxAttempts", given.max_attempts, ATTEMPTS)?,
        retry_delay_s: count("retryDelaySeconds", given.retry_delay_seconds, RETRY_DELAYS_S)?,
        failure_threshold_percent: count("failureThresholdPercent", given.failure_threshold_percent, FAILURE_PERCENTS)?,
        waves,
        maintenance,
    })
}

fn maintenance(given: &wire::MaintenanceWindow, at: &str) -> Result<MaintenanceWindow, Fault> {
    let cron = Cron::parse(&given.cron)
        .map_err(|error| Fault::invalid(&format!("{at}.cron"), given.cron.escape_debug(), error))?;
    let duration_s = counted(&format!("{at}.durationSeconds"), given.duration_seconds, &WINDOW_DURATIONS_S)?;
    let time_zone = match given.time_zone.as_deref().map(str::trim) {
        None | Some("Z") => "UTC".to_owned(),
        Some(name) if is_zone(name) => name.to_owned(),
        Some(name) => {
            let why = "an IANA name such as Europe/Berlin is expected";
            return Err(Fault::invalid(&format!("{at}.timeZone"), name.escape_debug(), why));
        }
    };
    let device_zone = given.device_time_zone.unwrap_or(false);
    Ok(MaintenanceWindow { cron: cron.to_string(), duration_s, time_zone, device_zone })
}

/// A number within a range; `at` names it in a fault.
fn counted(at: &str, value: i32, range: &RangeInclusive<u32>) -> Result<u32, Fault> {
    let number = u32::try_from(value).ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Fault::invalid(at, value, format_args!("{} to {}", range.start(), range.end())))
}

fn maintenance_told(window: MaintenanceWindow) -> wire::MaintenanceWindow {
    wire::MaintenanceWindow {
        cron: window.cron,
        duration_seconds: i32::try_from(window.duration_s).unwrap_or(i32::MAX),
        time_zone: Some(window.time_zone),
        device_time_zone: window.device_zone.then_some(true),
    }
}

fn wave_of(given: &wire::Wave, at: &str) -> Result<Wave, Fault> {
    let number = |name: &str, value: Option<i32>, range: &RangeInclusive<u32>| {
        value.map(|value| counted(&format!("{at}.{name}"), value, range)).transpose()
    };
    let count = number("count", given.count, &SIZES_OF_WAVES)?.map(WaveSize::Count);
    let percent = number("percent", given.percent, &SHARES_OF_WAVES)?.map(WaveSize::Percent);
    let size = match (count, percent) {
        (Some(size), None) | (None, Some(size)) => size,
        (None, None) => return Err(Fault::missing(&format!("{at}.count"))),
        (Some(_), Some(_)) => {
            let text = format!("{at}: give one of count and percent");
            return Err(Fault::new(FaultName::ConflictingArguments, text).with("count").with("percent"));
        }
    };
    let percents = &FAILURE_PERCENTS;
    Ok(Wave {
        size,
        success_threshold_percent: number("successThresholdPercent", given.success_threshold_percent, percents)?,
        failure_threshold_percent: number("failureThresholdPercent", given.failure_threshold_percent, percents)?,
        observed_min: number("minObserved", given.min_observed, &(0..=*SIZES_OF_WAVES.end()))?.unwrap_or(0),
        soak_s: number("soakSeconds", given.soak_seconds, &TIMES_OF_WAVES_S)?.unwrap_or(0),
        ramp_s: number("rampSeconds", given.ramp_seconds, &TIMES_OF_WAVES_S)?.unwrap_or(0),
        gate: given.manual_gate.unwrap_or(false),
    })
}

fn wave_told(wave: Wave) -> wire::Wave {
    let int = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let unless_none = |value: u32| (value > 0).then(|| int(value));
    let (count, percent) = match wave.size {
        WaveSize::Count(count) => (Some(int(count)), None),
        WaveSize::Percent(percent) => (None, Some(int(percent))),
    };
    wire::Wave {
        count,
        percent,
        success_threshold_percent: wave.success_threshold_percent.map(int),
        failure_threshold_percent: wave.failure_threshold_percent.map(int),
        min_observed: unless_none(wave.observed_min),
        soak_seconds: unless_none(wave.soak_s),
        ramp_seconds: unless_none(wave.ramp_s),
        manual_gate: wave.gate.then_some(true),
    }
}

fn window(given: &wire::Schedule, at: &str) -> Result<Option<DailyWindow>, Fault> {
    let zone = given.time_zone.as_deref().map(str::trim);
    let is_utc = zone.is_none_or(|zone| matches!(zone, "UTC" | "Etc/UTC" | "Z"));
    let time_zone = match zone {
        None | Some("Z") => "UTC",
        // Names alone: the texts of POSIX rules and offsets that jiff reads too are not of the contract.
        Some(name) if !name.is_empty() && jiff::tz::TimeZone::get(name).is_ok() => name,
        Some(name) => {
            let why = "an IANA name such as Europe/Berlin is expected";
            return Err(Fault::invalid(&format!("{at}.timeZone"), name, why));
        }
    };
    let clock = |name: &str, day_time: DayTime| {
        if day_time.is_utc && !is_utc {
            let why = "the zone is named by timeZone; leave the Z out";
            return Err(Fault::invalid(&format!("{at}.{name}"), format!("{}Z", day_time.time), why));
        }
        Ok(day_time.time)
    };
    match (given.daily_window_start, given.daily_window_end) {
        (None, None) => Ok(None),
        (Some(start), Some(end)) => Ok(Some(DailyWindow {
            start: clock("dailyWindowStart", start)?,
            end: clock("dailyWindowEnd", end)?,
            time_zone: time_zone.to_owned(),
        })),
        (Some(_), None) => Err(Fault::missing(&format!("{at}.dailyWindowEnd"))),
        (None, Some(_)) => Err(Fault::missing(&format!("{at}.dailyWindowStart"))),
    }
}

/// A schedule as the contract tells it.
pub(super) fn schedule_told(schedule: Schedule) -> wire::Schedule {
    let int = |value: Option<u32>| value.map(|value| i32::try_from(value).unwrap_or(i32::MAX));
    let clock = |time| DayTime { time, is_utc: false };
    wire::Schedule {
        start_time: schedule.start,
        end_time: schedule.end,
        daily_window_start: schedule.window.as_ref().map(|window| clock(window.start)),
        daily_window_end: schedule.window.as_ref().map(|window| clock(window.end)),
        time_zone: schedule.window.map(|window| window.time_zone),
        max_concurrent_tasks: int(schedule.concurrent_max),
        tasks_per_minute: int(schedule.per_minute_max),
        max_attempts: int(schedule.attempts_max),
        retry_delay_seconds: int(schedule.retry_delay_s),
        failure_threshold_percent: int(schedule.failure_threshold_percent),
        wave: schedule.waves.into_iter().map(wave_told).collect(),
        maintenance_window: schedule.maintenance.into_iter().map(maintenance_told).collect(),
    }
}

impl From<OperationReceipt> for wire::OperationReceipt {
    fn from(receipt: OperationReceipt) -> Self {
        Self { job_id: receipt.job_id, task_id: receipt.task_id, rejected: rejected(receipt.rejected) }
    }
}

impl From<Task> for wire::TaskData {
    fn from(task: Task) -> Self {
        let result = task.result.into_iter().map(|it| wire::Parameter {
            path: it.path,
            value: it.value,
            format: it.format,
            media_type: it.kind,
            status: it.status,
        });
        Self {
            task_id: task.id.to_string(),
            job_id: task.job.map(|job| job.to_string()),
            status: task.status,
            status_detail: task.detail,
            operation: task.operation.as_str().to_owned(),
            phone_number: task.phone_number,
            device_id: task.expected,
            actual_device_id: task.actual,
            test_cycle: task.test_cycle,
            attempts: i32::try_from(task.attempts).unwrap_or(i32::MAX),
            progress_percent: None,
            result_code: task.result_code,
            result: result.collect(),
            created_at: task.created_at,
            updated_at: task.updated_at,
            finished_at: task.finished_at,
            forwarded_to: None,
            remote_task_id: None,
        }
    }
}

impl From<&[Definition]> for wire::OperationDefinitionList {
    fn from(definitions: &[Definition]) -> Self {
        let argument = |it: &muster_broker::operation::ArgumentDefinition| wire::OperationArgument {
            name: it.name.to_owned(),
            description: it.description.to_owned(),
            required: it.required,
        };
        let definition = |it: &Definition| wire::OperationDefinition {
            operation: it.operation.as_str().to_owned(),
            description: it.description.to_owned(),
            required_capability: None,
            argument: it.arguments.iter().map(argument).collect(),
            chargeable: true,
        };
        Self {
            operation_definition: definitions.iter().map(definition).collect(),
            total_count: super::long(definitions.len() as u64),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::contract::Record as _;
    use crate::contract::value::AcceptDevicePolicy;

    fn empty() -> wire::Schedule {
        schedule_told(Schedule::default())
    }

    fn no_wave() -> wire::Wave {
        let told = wave_told(Wave {
            size: WaveSize::Count(1),
            success_threshold_percent: None,
            failure_threshold_percent: None,
            observed_min: 0,
            soak_s: 0,
            ramp_s: 0,
            gate: false,
        });
        wire::Wave { count: None, ..told }
    }

    fn window(cron: &str, duration_seconds: i32, zone: &str) -> wire::MaintenanceWindow {
        wire::MaintenanceWindow {
            cron: cron.to_owned(),
            duration_seconds,
            time_zone: Some(zone.to_owned()),
            device_time_zone: Some(true),
        }
    }

    #[test]
    fn a_maintenance_window_that_cannot_be_is_refused_by_its_place() {
        for (given, at) in [
            (window("0 2 * *", 3600, "UTC"), "cron"),
            (window("0 2 * * *", 59, "UTC"), "durationSeconds"),
            (window("0 2 * * *", -1, "UTC"), "durationSeconds"),
            (window("0 2 * * *", 604_801, "UTC"), "durationSeconds"),
            (window("0 2 * * *", 3600, "Mars/Phobos"), "timeZone"),
        ] {
            let given = wire::Schedule { maintenance_window: vec![given], ..empty() };
            let refused = schedule(Some(given), "schedule").unwrap_err();
            assert_eq!(refused.variables[0], format!("schedule.maintenanceWindow[0].{at}"));
        }
    }

    #[test]
    fn a_wave_has_one_size() {
        let (count, percent) = (Some(1), Some(1));
        for (wave, fault) in [
            (no_wave(), FaultName::MissingArgument),
            (wire::Wave { count, percent, ..no_wave() }, FaultName::ConflictingArguments),
            (wire::Wave { percent: Some(101), ..no_wave() }, FaultName::InvalidArgument),
            (wire::Wave { count: Some(-1), ..no_wave() }, FaultName::InvalidArgument),
        ] {
            let refused =
                schedule(Some(wire::Schedule { wave: vec![wave.clone()], ..empty() }), "schedule").unwrap_err();
            assert_eq!(refused.name, fault, "{wave:?}");
            assert!(refused.text.contains("schedule.wave[0]"), "{}", refused.text);
        }
    }

    fn clock(text: &str, is_utc: bool) -> Option<DayTime> {
        Some(DayTime { time: text.parse().unwrap(), is_utc })
    }

    #[test]
    fn a_schedule_told_and_read_again_is_the_same() {
        let given = wire::Schedule {
            daily_window_start: clock("22:00:00", false),
            daily_window_end: clock("04:00:00", false),
            time_zone: Some("Europe/Berlin".into()),
            max_attempts: Some(5),
            failure_threshold_percent: Some(100),
            wave: vec![
                wire::Wave {
                    count: Some(10),
                    success_threshold_percent: Some(95),
                    failure_threshold_percent: Some(0),
                    min_observed: Some(5),
                    soak_seconds: Some(3600),
                    manual_gate: Some(true),
                    ..no_wave()
                },
                wire::Wave { percent: Some(20), ramp_seconds: Some(600), ..no_wave() },
            ],
            maintenance_window: vec![window("0 2 * * MON-FRI", 3600, "Europe/Berlin")],
            ..empty()
        };
        assert_eq!(schedule_told(schedule(Some(given.clone()), "schedule").unwrap()), given);
    }

    #[test]
    fn what_no_schedule_can_mean_is_refused_by_its_place() {
        let (start, end) = (clock("22:00:00", false), clock("04:00:00", false));
        for (given, at) in [
            (wire::Schedule { time_zone: Some("Mars/Phobos".into()), ..empty() }, "schedule.timeZone"),
            (wire::Schedule { time_zone: Some(String::new()), ..empty() }, "schedule.timeZone"),
            (wire::Schedule { daily_window_start: start, ..empty() }, "schedule.dailyWindowEnd"),
            (wire::Schedule { daily_window_end: end, ..empty() }, "schedule.dailyWindowStart"),
            (wire::Schedule { max_attempts: Some(0), ..empty() }, "schedule.maxAttempts"),
            (wire::Schedule { tasks_per_minute: Some(-1), ..empty() }, "schedule.tasksPerMinute"),
            (wire::Schedule { failure_threshold_percent: Some(101), ..empty() }, "schedule.failureThresholdPercent"),
            (
                wire::Schedule {
                    daily_window_start: clock("22:00:00", true),
                    daily_window_end: end,
                    time_zone: Some("Europe/Berlin".into()),
                    ..empty()
                },
                "schedule.dailyWindowStart",
            ),
        ] {
            assert_eq!(schedule(Some(given), "schedule").unwrap_err().variables[0], at);
        }
    }

    fn bare() -> wire::DoOperation {
        wire::DoOperation {
            user_session: None,
            operation: "UPDATE".into(),
            phone_number: None,
            opt_in: true,
            accept_device_policy: AcceptDevicePolicy(10),
            test_cycle: false,
            device_id: None,
            arguments: None,
            callback: None,
            request_id: Some("k".into()),
            schedule: None,
        }
    }

    #[test]
    fn the_key_and_the_session_are_no_content_of_a_request() {
        let other = wire::DoOperation { request_id: Some("l".into()), ..bare() };
        assert_eq!(bare().canonical(), other.canonical());
        let changed = wire::DoOperation { opt_in: false, ..bare() };
        assert_ne!(bare().canonical(), changed.canonical());
    }

    #[test]
    fn a_key_has_1_to_128_visible_characters() {
        for (key, is_good) in [
            ("k".to_owned(), true),
            ("k".repeat(128), true),
            ("k".repeat(129), false),
            (String::new(), false),
            ("a b".into(), false),
        ] {
            let given = wire::DoOperation { request_id: Some(key), ..bare() };
            let read = OperationRequest::try_from(given);
            assert_eq!(
                read.map(|_| ()).map_err(|fault| fault.name),
                if is_good { Ok(()) } else { Err(FaultName::InvalidArgument) }
            );
        }
    }
}
