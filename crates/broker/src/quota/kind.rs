use serde::{Deserialize, Serialize};

use crate::names::names;
use crate::time::Timestamp;

/// What is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Requests in a second; twice as many may come at once.
    RequestsPerSecond,
    /// Requests in a minute.
    RequestsPerMinute,
    /// Tasks made in an hour. Test cycles do not count.
    TasksPerHour,
    /// Tasks made in a day. Test cycles do not count.
    TasksPerDay,
    /// Tasks that are not final.
    OpenTasks,
    /// Jobs that are not final.
    JobsAtOnce,
    /// Device records.
    Devices,
    /// Subscriber records.
    Subscribers,
    /// Rows imported in a day.
    ImportRowsPerDay,
    /// Addresses that callbacks may be sent to.
    CallbackAddresses,
    /// API keys.
    ApiKeys,
}

names! {
    Kind {
        "REQUESTS_PER_SECOND" RequestsPerSecond
        "REQUESTS_PER_MINUTE" RequestsPerMinute
        "TASKS_PER_HOUR" TasksPerHour
        "TASKS_PER_DAY" TasksPerDay
        "OPEN_TASKS" OpenTasks
        "JOBS_AT_ONCE" JobsAtOnce
        "DEVICES" Devices
        "SUBSCRIBERS" Subscribers
        "IMPORT_ROWS_PER_DAY" ImportRowsPerDay
        "CALLBACK_ADDRESSES" CallbackAddresses
        "API_KEYS" ApiKeys
    }
}

/// Who has a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder<'a> {
    /// A domain, all its callers together.
    Tenant,
    /// Each caller, or the one of this name.
    Caller(&'a str),
}

impl Holder<'_> {
    /// As it is stored: the name of the caller, or nothing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tenant => "",
            Self::Caller(name) => name,
        }
    }
}

/// A stretch of time that begins at a full hour or at midnight, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Window {
    fn length_ms(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// When the window that `now` lies in began.
    #[must_use]
    pub fn began(self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.div_euclid(self.length_ms()).saturating_mul(self.length_ms()))
    }

    /// Seconds until it ends, at least one.
    #[must_use]
    pub fn left_s(self, now: Timestamp) -> u32 {
        let left_ms = self.began(now).plus_ms(self.length_ms()).0.saturating_sub(now.0);
        u32::try_from(left_ms.max(0).unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
    }
}

/// How a kind is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// So many in a steady stream: over so many milliseconds, of which so many may come at once.
    Rate {
        /// Time that the limit is for.
        period_ms: i64,
        /// How many periods' worth may come at once.
        burst: i64,
    },
    /// So many within a window.
    Within(Window),
    /// So many at once.
    AtOnce,
}

impl Kind {
    /// Largest limit that can be set.
    pub const LIMIT_MAX: u64 = 1_000_000_000_000;

    /// How it is measured.
    #[must_use]
    pub fn measure(self) -> Measure {
        match self {
            Self::RequestsPerSecond => Measure::Rate { period_ms: 1_000, burst: 2 },
            Self::RequestsPerMinute => Measure::Rate { period_ms: 60_000, burst: 1 },
            Self::TasksPerHour => Measure::Within(Window::Hour),
            Self::TasksPerDay | Self::ImportRowsPerDay => Measure::Within(Window::Day),
            Self::OpenTasks
            | Self::JobsAtOnce
            | Self::Devices
            | Self::Subscribers
            | Self::CallbackAddresses
            | Self::ApiKeys => Measure::AtOnce,
        }
    }

    /// Whether each caller has this quota besides the domain. Records belong to the domain alone.
    #[must_use]
    pub fn is_of_callers(self) -> bool {
        !matches!(self, Self::Devices | Self::Subscribers | Self::CallbackAddresses)
    }

    /// The limit where nobody has set one: above what an honest caller needs, and below what would harm the others.
    #[must_use]
    pub fn default_limit(self, holder: Holder<'_>) -> u64 {
        let (tenant, caller) = match self {
            Self::RequestsPerSecond => (100_000, 500),
            Self::RequestsPerMinute => (6_000_000, 60_000),
            Self::TasksPerHour => (50_000_000, 40_000_000),
            Self::TasksPerDay => (200_000_000, 100_000_000),
            Self::OpenTasks => (50_000_000, 20_000_000),
            Self::JobsAtOnce => (10_000, 5_000),
            Self::Devices | Self::Subscribers => (100_000_000, 100_000_000),
            Self::ImportRowsPerDay => (200_000_000, 100_000_000),
            Self::CallbackAddresses => (1_000, 1_000),
            Self::ApiKeys => (10_000, 100),
        };
        match holder {
            Holder::Tenant => tenant,
            Holder::Caller(_) => caller,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_window_begins_at_the_full_hour_or_at_midnight() {
        let noon = Timestamp(1_795_262_400_000);
        assert_eq!(Window::Hour.began(noon.plus_s(3599)), noon);
        assert_eq!(Window::Hour.left_s(noon), 3600);
        assert_eq!(Window::Hour.left_s(noon.plus_ms(3_599_999)), 1);
        assert_eq!(Window::Day.began(noon), noon.plus_s(-12 * 3600));
        assert_eq!(Window::Day.left_s(noon), 12 * 3600);
    }

    #[test]
    fn every_kind_has_a_default_that_is_present_and_settable() {
        for (name, kind) in Kind::NAMES {
            for holder in [Holder::Tenant, Holder::Caller("care")] {
                let limit = kind.default_limit(holder);
                assert!((1..=Kind::LIMIT_MAX).contains(&limit), "{name}");
            }
            assert!(kind.default_limit(Holder::Tenant) >= kind.default_limit(Holder::Caller("")), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_window_holds_the_time_it_is_asked_for(now in -4_000_000_000_000_i64..4_000_000_000_000) {
            let now = Timestamp(now);
            for window in [Window::Hour, Window::Day] {
                let began = window.began(now);
                prop_assert!(began <= now && now < began.plus_ms(window.length_ms()));
                prop_assert_eq!(window.began(began), began);
                // Whoever waits as long as told is in the next window.
                prop_assert!(window.began(now.plus_s(i64::from(window.left_s(now)))) > began);
            }
        }
    }
}
