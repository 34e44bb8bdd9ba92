//! Cron expressions of five fields: minute, hour, day of the month, month, day of the week.
//!
//! `*`, numbers, ranges `1-5`, steps `*/15` and `10-40/10`, lists of those, and the English names of months and days
//! (`JAN`, `MON`); 0 and 7 are Sunday. Where both days are narrowed, a day that matches one of them counts.
//!
//! Source: POSIX.1-2017, `crontab`, "Input files", with steps and names as Vixie cron has them.

use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};

use crate::bounds::CRON_OCTETS_MAX;

/// Days looked at for the next start: a leap day comes within eight years.
const DAYS_AHEAD_MAX: i64 = 8 * 366 + 1;

/// When something begins, by the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day is chosen by one of its two fields alone.
    either_day: bool,
}

/// Why a text is no cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCron {
    /// Not five fields.
    #[error("five fields are expected: minute, hour, day of the month, month, day of the week")]
    Fields,
    /// A field that cannot be read.
    #[error("{0:?} is no {1}")]
    Field(String, &'static str),
    /// No day has that number in that month.
    #[error("no such day ever comes")]
    Never,
}

/// A field: what it is called, its least and greatest value, and names from the least on.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute from 0 to 59", least: 0, most: 59, names: &[] },
    Field { name: "hour from 0 to 23", least: 0, most: 23, names: &[] },
    Field { name: "day of the month from 1 to 31", least: 1, most: 31, names: &[] },
    Field {
        name: "month from 1 to 12 or JAN to DEC",
        least: 1,
        most: 12,
        names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    },
    Field {
        name: "day of the week from 0 to 7 or SUN to SAT",
        least: 0,
        most: 7,
        names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    },
];

impl Field {
    /// The values that a text names, as bits.
    fn read(&self, text: &str) -> Result<u64, NotCron> {
        let refused = || NotCron::Field(text.chars().take(40).collect(), self.name);
        let mut bits = 0;
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                None => (part, None),
                Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0).ok_or_else(refused)?)),
            };
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (self.least, self.most),
                None => {
                    let only = self.value(range).ok_or_else(refused)?;
                    // `5/15` is from 5 on.
                    (only, if step.is_some() { self.most } else { only })
                }
                Some((first, last)) => (self.value(first).ok_or_else(refused)?, self.value(last).ok_or_else(refused)?),
            };
            if first > last {
                return Err(refused());
            }
            let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
            for value in (first..=last).step_by(step) {
                bits |= 1_u64 << value;
            }
        }
        Ok(bits)
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().zip(self.least..).find(|(name, _)| **name == text);
        named.map(|(_, value)| value).or_else(|| number(text)).filter(|value| (self.least..=self.most).contains(value))
    }
}

/// A number of at most two digits.
fn number(text: &str) -> Option<u32> {
    let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

impl Cron {
    /// Reads `0 2 * * MON-FRI`.
    ///
    /// # Errors
    /// [`NotCron`] for what is no expression, and for one that no day ever matches.
    pub fn parse(text: &str) -> Result<Self, NotCron> {
        if text.len() > CRON_OCTETS_MAX {
            return Err(NotCron::Fields);
        }
        let texts: Vec<&str> = text.split(' ').filter(|field| !field.is_empty()).collect();
        let [minute, hour, day, month, weekday] = <[&str; 5]>::try_from(texts).map_err(|_| NotCron::Fields)?;
        let [minutes_of, hours_of, days_of, months_of, weekdays_of] = &FIELDS;
        let mut weekdays = weekdays_of.read(weekday)?;
        if weekdays & 1 << 7 != 0 {
            weekdays = (weekdays | 1) & !(1 << 7);
        }
        let cron = Self {
            text: [minute, hour, day, month, weekday].join(" "),
            minutes: minutes_of.read(minute)?,
            hours: hours_of.read(hour)?,
            days: days_of.read(day)?,
            months: months_of.read(month)?,
            weekdays,
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        let some_leap_year = jiff::civil::date(2028, 1, 1);
        let comes = (0..366).filter_map(|day| some_leap_year.checked_add(day.days()).ok()).any(|day| cron.has_day(day));
        if comes { Ok(cron) } else { Err(NotCron::Never) }
    }

    /// The last start at `time` or before it and not before `earliest`; seconds are cut off.
    pub(super) fn last(&self, time: DateTime, earliest: DateTime) -> Option<DateTime> {
        let mut date = time.date();
        let mut until = (time.hour(), time.minute());
        while date >= earliest.date() {
            if self.has_day(date)
                && let Some((hour, minute)) = self.last_in_day(until)
            {
                let found = date.to_datetime(Time::new(hour, minute, 0, 0).ok()?);
                return (found >= earliest).then_some(found);
            }
            date = date.yesterday().ok()?;
            until = (23, 59);
        }
        None
    }

    /// The first start after `time`.
    pub(super) fn next(&self, time: DateTime) -> Option<DateTime> {
        let mut date = time.date();
        let mut from = time.checked_add(1.minute()).ok().filter(|next| next.date() == date);
        for _ in 0..DAYS_AHEAD_MAX {
            if self.has_day(date)
                && let Some(from) = from
                && let Some((hour, minute)) = self.first_in_day((from.hour(), from.minute()))
            {
                return Some(date.to_datetime(Time::new(hour, minute, 0, 0).ok()?));
            }
            date = date.tomorrow().ok()?;
            from = Some(date.at(0, 0, 0, 0));
        }
        None
    }

    fn last_in_day(&self, until: (i8, i8)) -> Option<(i8, i8)> {
        for hour in (0..=until.0).rev().filter(|hour| has(self.hours, *hour)) {
            let last = if hour == until.0 { until.1 } else { 59 };
            if let Some(minute) = (0..=last).rev().find(|minute| has(self.minutes, *minute)) {
                return Some((hour, minute));
            }
        }
        None
    }

    fn first_in_day(&self, from: (i8, i8)) -> Option<(i8, i8)> {
        for hour in (from.0..24).filter(|hour| has(self.hours, *hour)) {
            let first = if hour == from.0 { from.1 } else { 0 };
            if let Some(minute) = (first..60).find(|minute| has(self.minutes, *minute)) {
                return Some((hour, minute));
            }
        }
        None
    }

    fn has_day(&self, date: Date) -> bool {
        let (day, weekday) = (has(self.days, date.day()), has(self.weekdays, date.weekday().to_sunday_zero_offset()));
        has(self.months, date.month()) && if self.either_day { day || weekday } else { day && weekday }
    }
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| bits & 1_u64.checked_shl(value).unwrap_or(0) != 0)
}

/// As it was given, with one blank between fields.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1,, * * * *",
            "* * * * MOON",
            "-1 * * * *",
            "+1 * * * *",
            "1- * * * *",
            "001 * * * *",
            "0 2 * * mon",
            "0\t2 * * *",
        ] {
            assert!(Cron::parse(text).is_err(), "{text}");
        }
        assert_eq!(Cron::parse("0 0 30 2 *"), Err(NotCron::Never));
        assert!(Cron::parse(&format!("{} * * * *", "1,".repeat(200))).is_err());
        for text in ["0 0 29 FEB *", "0 0 30 2 MON", " */7  1-3,5 * JAN-MAR 7", "5/15 0 1 1 0"] {
            assert!(Cron::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_leap_day_is_found_years_ahead() {
        let cron = Cron::parse("30 2 29 2 *").unwrap();
        let found = cron.next(jiff::civil::date(2096, 3, 1).at(0, 0, 0, 0));
        assert_eq!(found, Some(jiff::civil::date(2104, 2, 29).at(2, 30, 0, 0)));
    }

    /// One field of an expression with the values that it is meant to have.
    fn field(least: u32, most: u32) -> impl Strategy<Value = (String, Option<Vec<u32>>)> {
        let value = || least..=most;
        let part = prop_oneof![
            value().prop_map(|only| (only.to_string(), vec![only])),
            (value(), value())
                .prop_map(|(a, b)| { (format!("{}-{}", a.min(b), a.max(b)), (a.min(b)..=a.max(b)).collect()) }),
            (value(), value(), 1_u32..20).prop_map(|(a, b, step)| {
                let (first, last) = (a.min(b), a.max(b));
                let values = (first..=last).filter(|value| (value - first).is_multiple_of(step)).collect();
                (format!("{first}-{last}/{step}"), values)
            }),
            (1_u32..20).prop_map(move |step| {
                (format!("*/{step}"), (least..=most).filter(|value| (value - least).is_multiple_of(step)).collect())
            }),
        ];
        prop_oneof![
            2 => Just(("*".to_owned(), None)),
            3 => proptest::collection::vec(part, 1..3).prop_map(|parts: Vec<(String, Vec<u32>)>| {
                let text: Vec<String> = parts.iter().map(|(text, _)| text.clone()).collect();
                (text.join(","), Some(parts.into_iter().flat_map(|(_, values)| values).collect()))
            }),
        ]
    }

    proptest! {
        /// The reference goes from minute to minute and asks each field.
        #[test]
        fn starts_are_those_of_a_walk_minute_by_minute(
            fields in (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)),
            day in 0_i64..1500,
            minute in 0_i64..1440,
        ) {
            let (m, h, d, mo, w) = fields;
            let text = format!("{} {} {} {} {}", m.0, h.0, d.0, mo.0, w.0);
            let Ok(cron) = Cron::parse(&text) else { return Ok(()) };
            let among = |values: &Option<Vec<u32>>, value: i8| values.as_ref().is_none_or(|it| it.contains(&(value as u32)));
            let matches = |at: DateTime| {
                let weekday = at.weekday().to_sunday_zero_offset();
                let by_day = among(&d.1, at.day());
                let by_weekday = among(&w.1, weekday) || (weekday == 0 && among(&w.1, 7));
                let both_narrowed = !d.0.starts_with('*') && !w.0.starts_with('*');
                among(&m.1, at.minute())
                    && among(&h.1, at.hour())
                    && among(&mo.1, at.month())
                    && if both_narrowed { by_day || by_weekday } else { by_day && by_weekday }
            };
            let begin = jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0) + day.days() + minute.minutes();
            let end = begin + 3.days();

            let walked: Vec<DateTime> =
                (1..=3 * 1440).map(|step: i64| begin + step.minutes()).filter(|at| matches(*at)).collect();

            let mut forward = Vec::new();
            let mut at = begin;
            while let Some(next) = cron.next(at).filter(|next| *next <= end) {
                forward.push(next);
                at = next;
            }
            prop_assert_eq!(&forward, &walked, "{}", text);
            let mut backward = Vec::new();
            let mut at = end;
            while let Some(last) = cron.last(at, begin + 1.minute()) {
                backward.insert(0, last);
                at = last - 1.minute();
            }
            prop_assert_eq!(&backward, &walked, "{}", text);
        }
    }
}
