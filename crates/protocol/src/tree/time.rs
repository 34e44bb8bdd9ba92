use std::fmt;

/// Seconds since the start of 1970, as `TStamp` tells them: `20010711T163817Z`.
///
/// Source: OMA DM 1.2 Tree and Description, "TStamp"; ISO 8601, basic format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TStamp(i64);

const DAY_S: i64 = 86_400;
/// The first second of the year 10000, which four digits cannot tell.
const END_S: i64 = 253_402_300_800;

impl TStamp {
    /// A time from 1970 to the end of 9999; others are moved to the nearer end.
    #[must_use]
    pub fn of_unix_s(seconds: i64) -> Self {
        Self(seconds.clamp(0, END_S - 1))
    }

    /// Reads `20010711T163817Z`; nothing for other forms and for times that there are none of.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let octets = text.as_bytes();
        let shape = octets.len() == 16 && octets.get(8) == Some(&b'T') && octets.get(15) == Some(&b'Z');
        let number = |at: usize, length: usize| -> Option<i64> {
            let digits = text.get(at..at + length)?;
            if digits.bytes().all(|it| it.is_ascii_digit()) { digits.parse().ok() } else { None }
        };
        if !shape {
            return None;
        }
        let [year, month, day] = [number(0, 4)?, number(4, 2)?, number(6, 2)?];
        let [hour, minute, second] = [number(9, 2)?, number(11, 2)?, number(13, 2)?];
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let month_days = match month {
            2 => 28 + i64::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        let fits = year >= 1970 && (1..=month_days).contains(&day) && hour < 24 && minute < 60 && second < 60;
        fits.then(|| Self(days(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second))
    }

    /// Seconds since the start of 1970.
    #[must_use]
    pub fn unix_s(self) -> i64 {
        self.0
    }
}

/// Days from the start of 1970 to a day of the Gregorian calendar, in years that begin with March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era_years = year % 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year / 400 * 146_097 + era_years * 365 + era_years / 4 - era_years / 100 + day_of_year - 719_468
}

impl fmt::Display for TStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, second) = (self.0 / DAY_S + 719_468, self.0 % DAY_S);
        let (era, day_of_era) = (day / 146_097, day % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}{month:02}{day_of_month:02}T{hour:02}{minute:02}{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_written_as_the_specification_shows_and_read_again() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (994_869_497, "20010711T163817Z"),
            (951_782_400, "20000229T000000Z"),
            (4_107_542_399, "21000228T235959Z"),
            (END_S - 1, "99991231T235959Z"),
        ] {
            assert_eq!(TStamp::of_unix_s(seconds).to_string(), text);
            assert_eq!(TStamp::parse(text).map(TStamp::unix_s), Some(seconds));
        }
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "20010711",
            "2001-07-11T16:38:17Z",
            "20010229T000000Z",
            "20011301T000000Z",
            "20010711T246060Z",
            "20010711T163817z",
            "2001071+T163817Z",
            "19691231T235959Z",
        ] {
            assert_eq!(TStamp::parse(text), None, "{text}");
        }
        assert_eq!(TStamp::of_unix_s(-1).to_string(), "19700101T000000Z");
    }
}
