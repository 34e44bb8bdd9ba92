//! When an operation runs, until when it is tried, and how often.

mod cron;
mod maintenance;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

pub use cron::{Cron, NotCron};
pub use maintenance::{MaintenanceWindow, ZONE_ATTRIBUTE, is_zone};

use crate::rollout::Wave;
use crate::time::Timestamp;

/// Schedule as the contract has it, checked. Absent fields have the defaults of the methods.
///
/// Source: DM WSI contract, section 6, `Schedule`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// Start; at once when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// Tasks not finished by then become EXPIRED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// Tasks start only within this time of day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<DailyWindow>,
    /// Most tasks of a job under way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_max: Option<u32>,
    /// Most tasks of a job started in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_minute_max: Option<u32>,
    /// Most attempts for each task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts_max: Option<u32>,
    /// Pause before the second attempt, doubled for each further one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delay_s: Option<u32>,
    /// A job stops when more than this share of finished tasks failed, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold_percent: Option<u32>,
    /// Waves of a job, first to last; all devices at once when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<Wave>,
    /// Tasks start only while one of these is open; at any time when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<MaintenanceWindow>,
}

/// A daily window in a time zone. `end` before or at `start` means that it goes past midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyWindow {
    /// First moment of the window.
    pub start: Time,
    /// First moment after it.
    pub end: Time,
    /// IANA name, for example `Europe/Berlin`.
    pub time_zone: String,
}

impl DailyWindow {
    /// Whether `now` is within the window, by the wall clock of the zone; an unknown zone counts as UTC (names are
    /// checked when a schedule is read).
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        let zone = jiff::tz::TimeZone::get(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let time = now.instant().to_zoned(zone).time();
        if self.start < self.end {
            self.start <= time && time < self.end
        } else {
            self.start <= time || time < self.end
        }
    }

    /// The next time after `now` at which the window opens or closes.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = jiff::tz::TimeZone::get(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let today = now.instant().to_zoned(zone.clone()).date();
        let days = [today.yesterday().ok(), Some(today), today.tomorrow().ok(), today.tomorrow().ok()?.tomorrow().ok()];
        let changes =
            days.into_iter().flatten().flat_map(|day| [day.to_datetime(self.start), day.to_datetime(self.end)]);
        let times = changes.filter_map(|change| zone.to_ambiguous_timestamp(change).compatible().ok());
        times.map(|time| Timestamp(time.as_millisecond())).filter(|time| *time > now).min()
    }
}

/// Beginnings that are walked through in search of a time at which all kinds of windows are open.
const OPENINGS_MAX: u32 = 60;

impl Schedule {
    /// Attempts when `maxAttempts` is left out.
    pub const ATTEMPTS_MAX: u32 = 3;
    /// Seconds before the second attempt when `retryDelaySeconds` is left out.
    pub const RETRY_DELAY_S: u32 = 60;
    /// Life of a task when `endTime` is left out: seven days.
    pub const LIFE_S: i64 = 7 * 24 * 3600;

    /// When a task made at `now` may start.
    #[must_use]
    pub fn starts_at(&self, now: Timestamp) -> Timestamp {
        self.start.unwrap_or(now)
    }

    /// When a task made at `now` expires.
    #[must_use]
    pub fn ends_at(&self, now: Timestamp) -> Timestamp {
        self.end.unwrap_or_else(|| self.starts_at(now).plus_s(Self::LIFE_S))
    }

    /// Most attempts.
    #[must_use]
    pub fn attempts_max(&self) -> u32 {
        self.attempts_max.unwrap_or(Self::ATTEMPTS_MAX)
    }

    /// Pause after `attempts` failed attempts, in seconds: doubled each time, at most a day.
    #[must_use]
    pub fn retry_delay_s(&self, attempts: u32) -> i64 {
        let first = i64::from(self.retry_delay_s.unwrap_or(Self::RETRY_DELAY_S));
        let doubled = first.saturating_mul(1 << attempts.saturating_sub(1).min(20));
        doubled.min(24 * 3600)
    }

    /// Whether a task may start at `now`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.window.as_ref().is_none_or(|window| window.contains(now))
            && (self.maintenance.is_empty() || self.maintenance.iter().any(|window| window.open_until(now).is_some()))
    }

    /// The first time at `from` or after it at which a task may start; nothing if it is not among the next beginnings.
    #[must_use]
    pub fn next_open(&self, from: Timestamp) -> Option<Timestamp> {
        let mut at = from;
        for _ in 0..OPENINGS_MAX {
            if self.is_open(at) {
                return Some(at);
            }
            let by_day = self.window.as_ref().is_none_or(|window| window.contains(at));
            at = if by_day {
                self.maintenance.iter().filter_map(|window| window.next_start(at)).min()?
            } else {
                self.window.as_ref()?.next_change(at)?
            };
        }
        None
    }

    /// When the windows close that are open at `now`; nothing if none limits the time, or none is open.
    #[must_use]
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        let by_day = self.window.as_ref().and_then(|window| window.next_change(now));
        let by_cron = self.maintenance.iter().filter_map(|window| window.open_until(now)).max();
        by_day.into_iter().chain(by_cron).min()
    }

    /// Whether tasks of a job wait for a slot: the job has waves, or a limit on how many run or how fast they start.
    #[must_use]
    pub fn is_paced(&self) -> bool {
        self.concurrent_max.is_some() || self.per_minute_max.is_some() || !self.waves.is_empty()
    }

    /// What the task of a device with these attributes keeps of the schedule of its job: the job alone looks at its
    /// waves, and windows are in the zone of the device.
    #[must_use]
    pub fn of_task(mut self, attributes: &[(String, String)]) -> Self {
        self.waves.clear();
        self.maintenance = self.maintenance.into_iter().map(|window| window.of_device(attributes)).collect();
        self
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn a_window_past_midnight_is_open_on_both_sides_of_it() {
        let window = DailyWindow {
            start: "22:00".parse().unwrap(),
            end: "04:00".parse().unwrap(),
            time_zone: "Europe/Berlin".into(),
        };
        for (time, open) in [
            ("2026-11-21T20:59:59Z", false),
            ("2026-11-21T21:00:00Z", true),
            ("2026-11-22T02:59:59Z", true),
            ("2026-11-22T03:00:00Z", false),
            // In summer the same wall clock is an hour earlier in UTC.
            ("2026-07-01T20:00:00Z", true),
            ("2026-07-02T02:00:00Z", false),
        ] {
            assert_eq!(window.contains(Timestamp::parse(time).unwrap()), open, "{time}");
        }
    }

    #[test]
    fn each_retry_waits_twice_as_long_up_to_a_day() {
        let schedule = Schedule { retry_delay_s: Some(60), ..Schedule::default() };
        assert_eq!([1, 2, 3].map(|attempts| schedule.retry_delay_s(attempts)), [60, 120, 240]);
        assert_eq!(schedule.retry_delay_s(40), 86_400);
    }
}
