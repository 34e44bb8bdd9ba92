//! Points in time.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

/// A text that is no dateTime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time such as 2026-11-21T08:00:00Z")]
pub struct NotATime;

impl Timestamp {
    /// Reads an `xs:dateTime` or RFC 3339 text; without a zone it is UTC, as the contract says (section 1.2).
    ///
    /// # Errors
    /// [`NotATime`] if it is neither.
    pub fn parse(text: &str) -> Result<Self, NotATime> {
        let text = text.trim();
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(instant.as_millisecond()));
        }
        let civil: jiff::civil::DateTime = text.parse().map_err(|_| NotATime)?;
        if !text.contains('T') {
            return Err(NotATime);
        }
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| NotATime)?;
        Ok(Self(zoned.timestamp().as_millisecond()))
    }

    /// This time moved by `milliseconds`; stays at the end of the representable range.
    #[must_use]
    pub fn plus_ms(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// This time moved by `seconds`.
    #[must_use]
    pub fn plus_s(self, seconds: i64) -> Self {
        self.plus_ms(seconds.saturating_mul(1_000))
    }

    /// As jiff knows it; times outside its range are moved to its ends.
    #[must_use]
    pub fn instant(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

/// RFC 3339 in UTC with milliseconds, for example `2026-11-21T08:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.instant())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        assert_eq!(Timestamp::parse("2026-11-21T08:00:00"), Timestamp::parse("2026-11-21T08:00:00Z"));
        assert_eq!(Timestamp::parse("2026-11-21T10:00:00+02:00"), Timestamp::parse("2026-11-21T08:00:00Z"));
    }

    #[test]
    fn written_and_read_again_it_is_the_same() {
        let time = Timestamp(1_795_248_000_123);
        assert_eq!(time.to_string(), "2026-11-21T08:00:00.123Z");
        assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "yesterday", "2026-11-21", "2026-13-01T00:00:00Z", "08:00:00"] {
            assert_eq!(Timestamp::parse(text), Err(NotATime), "{text}");
        }
    }
}
