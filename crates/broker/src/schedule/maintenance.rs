//! Maintenance windows: a cron expression, a duration and a time zone.
//!
//! A window begins when the wall clock of its zone shows a time of its expression, and stays open for its duration by a
//! clock that nobody sets. When clocks go forward, a beginning inside the hour that is skipped is at the end of that
//! hour; when they go back, a beginning inside the hour that comes twice is in the first of the two, once.

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Serialize};

use super::cron::Cron;
use crate::time::Timestamp;

/// Attribute of a device record that names its time zone.
pub const ZONE_ATTRIBUTE: &str = "timeZone";

/// A clock is set back by no more than so many hours, nor forward.
const SET_BACK_H: i64 = 3;

/// One window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceWindow {
    /// When it begins: a [`Cron`] expression.
    pub cron: String,
    /// How long it is open.
    pub duration_s: u32,
    /// IANA name.
    pub time_zone: String,
    /// Whether the zone of a device goes before, where its record tells one.
    #[serde(default)]
    pub device_zone: bool,
}

impl MaintenanceWindow {
    /// The window as it is for a device of these attributes.
    #[must_use]
    pub fn of_device(mut self, attributes: &[(String, String)]) -> Self {
        let named = attributes.iter().find(|(name, _)| name == ZONE_ATTRIBUTE).map(|(_, zone)| zone.trim());
        if self.device_zone
            && let Some(zone) = named.filter(|zone| is_zone(zone))
        {
            zone.clone_into(&mut self.time_zone);
        }
        self
    }

    /// End of the window that is open at `now`; nothing while none is. What cannot be read, which is refused where a
    /// schedule comes in, is never open.
    #[must_use]
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        let (cron, zone) = self.read()?;
        let civil = now.instant().to_zoned(zone.clone()).datetime();
        let reach = i64::from(self.duration_s).div_euclid(3600).saturating_add(1 + SET_BACK_H);
        let earliest = civil.checked_sub(reach.hours()).ok()?;
        // Where the clock was just set back, times it showed before are later ones than it shows now.
        let offset_s = |time: Timestamp| zone.to_offset(time.instant()).seconds();
        let set_back_s = offset_s(now.plus_s(-SET_BACK_H * 3600)).saturating_sub(offset_s(now)).max(0);
        let mut at = civil.checked_add(i64::from(set_back_s).seconds()).ok()?;
        // Instants go up with the times of the wall clock, so that the first one found that has come is the latest.
        loop {
            let start = cron.last(at, earliest)?;
            let begins = begins_at(start, &zone)?;
            if begins <= now {
                let ends = begins.plus_s(self.duration_s.into());
                return (now < ends).then_some(ends);
            }
            at = start.checked_sub(1.minute()).ok()?;
        }
    }

    /// The next beginning after `now`.
    #[must_use]
    pub fn next_start(&self, now: Timestamp) -> Option<Timestamp> {
        let (cron, zone) = self.read()?;
        let mut at = now.instant().to_zoned(zone.clone()).datetime();
        // What the clock shows again after it was set back began before.
        loop {
            at = cron.next(at)?;
            let begins = begins_at(at, &zone)?;
            if begins > now {
                return Some(begins);
            }
        }
    }

    fn read(&self) -> Option<(Cron, TimeZone)> {
        Some((Cron::parse(&self.cron).ok()?, TimeZone::get(&self.time_zone).ok()?))
    }
}

/// Whether a text is the name of a time zone.
#[must_use]
pub fn is_zone(name: &str) -> bool {
    !name.is_empty() && name.len() <= 100 && TimeZone::get(name).is_ok()
}

/// When the wall clock of a zone shows a time: at the end of a gap that skips it, and the first time of two.
fn begins_at(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let offset = ambiguous.offset();
    let earlier = ambiguous.earlier().ok()?;
    let instant = match offset {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => earlier,
        // Read with the offset after the gap the time lies before it, and the gap is the next change.
        AmbiguousOffset::Gap { .. } => zone.following(earlier).next()?.timestamp(),
    };
    Some(Timestamp(instant.as_millisecond()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(cron: &str, duration_s: u32, zone: &str) -> MaintenanceWindow {
        MaintenanceWindow { cron: cron.to_owned(), duration_s, time_zone: zone.to_owned(), device_zone: false }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_beginning_in_the_hour_that_is_skipped_is_at_the_end_of_that_hour() {
        // In Berlin 02:00 became 03:00 at 01:00 UTC.
        let window = window("30 2 * * *", 3600, "Europe/Berlin");
        assert_eq!(window.open_until(at("2026-03-29T00:59:00Z")), None);
        assert_eq!(window.next_start(at("2026-03-29T00:59:00Z")), Some(at("2026-03-29T01:00:00Z")));
        assert_eq!(window.open_until(at("2026-03-29T01:00:00Z")), Some(at("2026-03-29T02:00:00Z")));
        assert_eq!(window.open_until(at("2026-03-29T02:00:00Z")), None);
        // The next day it is at half past two again.
        assert_eq!(window.next_start(at("2026-03-29T01:00:00Z")), Some(at("2026-03-30T00:30:00Z")));
    }

    #[test]
    fn a_beginning_in_the_hour_that_comes_twice_is_once_and_lasts_as_long_as_ever() {
        // In Berlin 03:00 became 02:00 at 01:00 UTC.
        let window = window("30 2 * * *", 5400, "Europe/Berlin");
        assert_eq!(window.open_until(at("2026-10-25T00:29:00Z")), None);
        assert_eq!(window.open_until(at("2026-10-25T00:30:00Z")), Some(at("2026-10-25T02:00:00Z")));
        assert_eq!(window.open_until(at("2026-10-25T01:59:00Z")), Some(at("2026-10-25T02:00:00Z")));
        assert_eq!(window.open_until(at("2026-10-25T02:00:00Z")), None);
        assert_eq!(window.next_start(at("2026-10-25T00:30:00Z")), Some(at("2026-10-26T01:30:00Z")));
    }

    #[test]
    fn the_zone_of_the_device_goes_before_where_its_record_names_one() {
        let device = |zone: &str| [(ZONE_ATTRIBUTE.to_owned(), zone.to_owned())];
        let own = MaintenanceWindow { device_zone: true, ..window("0 2 * * *", 3600, "UTC") };
        assert_eq!(own.clone().of_device(&device("Asia/Tokyo")).time_zone, "Asia/Tokyo");
        assert_eq!(own.of_device(&device("Mars/Base")).time_zone, "UTC");
        assert_eq!(window("0 2 * * *", 3600, "UTC").of_device(&device("Asia/Tokyo")).time_zone, "UTC");
    }

    /// Beginnings as somebody notes them who looks at a wall clock every minute: of a minute that it skips when it comes
    /// to the one after, and of one that it shows again not at all.
    fn noted(cron: &str, zone: &str, from: Timestamp, minutes: i64) -> Vec<Timestamp> {
        let (cron, zone) = (Cron::parse(cron).unwrap(), TimeZone::get(zone).unwrap());
        let is_start = |civil: DateTime| cron.last(civil, civil).is_some();
        let clock = |minute: i64| from.plus_s(minute * 60).instant().to_zoned(zone.clone()).datetime();
        let mut newest = clock(-1);
        let mut starts = Vec::new();
        for minute in 0..minutes {
            let shown = clock(minute);
            let mut is_noted = false;
            while newest < shown {
                newest = newest.checked_add(1.minute()).unwrap();
                is_noted |= is_start(newest);
            }
            if is_noted {
                starts.push(from.plus_s(minute * 60));
            }
        }
        starts
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn windows_are_open_as_a_walk_minute_by_minute_says(
            zone in prop::sample::select(vec![
                ("Europe/Berlin", "2026-03-28T00:00:00Z"),
                ("Europe/Berlin", "2026-10-24T00:00:00Z"),
                ("America/New_York", "2026-03-07T00:00:00Z"),
                ("America/New_York", "2026-10-31T00:00:00Z"),
                ("Australia/Lord_Howe", "2026-10-03T00:00:00Z"),
                ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"),
                ("Asia/Tokyo", "2026-03-28T00:00:00Z"),
            ]),
            cron in prop::sample::select(vec![
                "30 2 * * *", "0 2 * * *", "15 1,2,3 * * *", "*/20 * * * *", "*/7 1-3 * * SUN", "59 1 * * *", "0 3 * * *",
            ]),
            duration_min in 1_u32..200,
        ) {
            let (zone, from) = (zone.0, at(zone.1));
            let minutes = 3 * 1440;
            let starts = noted(cron, zone, from.plus_s(-86_400), minutes + 1440);
            let window = window(cron, duration_min * 60, zone);
            for minute in (0..minutes).step_by(3) {
                let now = from.plus_s(minute * 60);
                let last = starts.iter().rev().find(|start| **start <= now);
                let until = last.map(|start| start.plus_s(i64::from(duration_min) * 60)).filter(|until| now < *until);
                prop_assert_eq!(window.open_until(now), until, "{} in {} at {}", cron, zone, now);
                if let Some(next) = starts.iter().find(|start| **start > now) {
                    prop_assert_eq!(window.next_start(now), Some(*next), "{} in {} after {}", cron, zone, now);
                }
            }
        }
    }
}
