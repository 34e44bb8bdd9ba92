//! When a delivery that failed is tried again.
//!
//! Source: DM WSI contract, section 7.

/// Seconds before the second and each further attempt; from then on [`LAST_S`].
const STEPS_S: [i64; 5] = [1, 5, 30, 120, 600];
/// Seconds between attempts once the steps are used up.
const LAST_S: i64 = 1800;
/// How far an attempt may lie off its time, so that receivers that come back are not run over.
const JITTER_PERCENT: i64 = 20;
/// What could not be delivered for so long is given up: seven days.
pub const EVENT_LIFE_S: i64 = 7 * 24 * 3600;

/// Milliseconds until the next attempt after `failed` attempts in a row (1 for the first). `chance` spreads it evenly
/// over 80 to 120 %.
#[must_use]
pub fn delay_ms(failed: u32, chance: u16) -> i64 {
    let place = usize::try_from(failed.saturating_sub(1)).unwrap_or(usize::MAX);
    let seconds = STEPS_S.get(place).copied().unwrap_or(LAST_S);
    let spread = seconds.saturating_mul(10 * JITTER_PERCENT);
    let least = seconds.saturating_mul(10 * (100 - JITTER_PERCENT));
    least + (2 * spread).saturating_mul(i64::from(chance)) / i64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_ever_further_apart_up_to_half_an_hour() {
        let middle: Vec<i64> = (1..=8).map(|failed| delay_ms(failed, u16::MAX / 2) / 100).collect();
        assert_eq!(middle, [9, 49, 299, 1199, 5999, 17999, 17999, 17999]);
        assert_eq!(delay_ms(0, u16::MAX / 2), delay_ms(1, u16::MAX / 2));
        assert_eq!(delay_ms(u32::MAX, 0), 1_440_000);
    }

    #[test]
    fn an_attempt_lies_at_most_a_fifth_off_its_time() {
        for (failed, seconds) in [(1, 1), (2, 5), (3, 30), (4, 120), (5, 600), (6, 1800)] {
            assert_eq!(delay_ms(failed, 0), seconds * 800);
            assert_eq!(delay_ms(failed, u16::MAX), seconds * 1200);
        }
    }
}
