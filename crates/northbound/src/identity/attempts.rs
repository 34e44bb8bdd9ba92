//! Failed logins: how long to wait with the answer, and when to lock.
//!
//! Source: DM WSI contract, section 1.4.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use muster_broker::time::Timestamp;

/// Failures are counted, and locks last, this long.
const WINDOW_S: i64 = 15 * 60;
/// Failures of one name from one address that lock the pair.
const PER_PAIR_MAX: u32 = 10;
/// Failures of one name from all addresses that lock the name.
const PER_NAME_MAX: u32 = 100;
/// Names and pairs counted. When there is no room the least failed one is forgotten.
const ENTRIES_MAX: usize = 50_000;
/// Characters of a name that are kept.
const NAME_CHARS_MAX: usize = 128;

type Key = (String, Option<Option<IpAddr>>);

#[derive(Clone, Copy)]
struct Count {
    failures: u32,
    /// Failures before this time do not count; after it, the count begins again.
    until: Timestamp,
}

/// Failures by name and address, and by name alone.
#[derive(Default)]
pub(super) struct Attempts {
    counts: HashMap<Key, Count>,
}

fn pair(name: &str, peer: Option<IpAddr>) -> Key {
    (name.chars().take(NAME_CHARS_MAX).collect(), Some(peer))
}

fn all(name: &str) -> Key {
    (name.chars().take(NAME_CHARS_MAX).collect(), None)
}

impl Attempts {
    pub(super) fn failed(&mut self, name: &str, peer: Option<IpAddr>, now: Timestamp) {
        for (key, max) in [(pair(name, peer), PER_PAIR_MAX), (all(name), PER_NAME_MAX)] {
            self.make_room(&key, now);
            let fresh = Count { failures: 0, until: now.plus_s(WINDOW_S) };
            let count = self.counts.entry(key).or_insert(fresh);
            if count.until <= now {
                *count = fresh;
            }
            count.failures = count.failures.saturating_add(1);
            if count.failures == max {
                // The lock lasts from the failure that brought it.
                count.until = now.plus_s(WINDOW_S);
            }
        }
    }

    pub(super) fn succeeded(&mut self, name: &str, peer: Option<IpAddr>) {
        self.counts.remove(&pair(name, peer));
    }

    pub(super) fn failures(&self, name: &str, peer: Option<IpAddr>) -> u32 {
        self.counts.get(&pair(name, peer)).map_or(0, |count| count.failures)
    }

    /// For how many seconds the name or the pair is still locked.
    pub(super) fn locked_for_s(&self, name: &str, peer: Option<IpAddr>, now: Timestamp) -> Option<u32> {
        let locked = |key: &Key, max: u32| {
            let count = self.counts.get(key)?;
            (count.failures >= max && now < count.until).then_some(count.until)
        };
        let until = locked(&pair(name, peer), PER_PAIR_MAX).max(locked(&all(name), PER_NAME_MAX))?;
        let left_ms = until.0.saturating_sub(now.0);
        Some(u32::try_from(left_ms.saturating_add(999) / 1000).unwrap_or(u32::MAX))
    }

    fn make_room(&mut self, key: &Key, now: Timestamp) {
        if self.counts.len() < ENTRIES_MAX || self.counts.contains_key(key) {
            return;
        }
        self.counts.retain(|_, count| now < count.until);
        if self.counts.len() >= ENTRIES_MAX
            && let Some(least) =
                self.counts.iter().min_by_key(|(_, it)| (it.failures, it.until)).map(|(key, _)| key.clone())
        {
            self.counts.remove(&least);
        }
    }
}

/// How long the answer to the last of `failures` waits.
pub(super) fn delay(failures: u32, first: Duration, most: Duration) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(most)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_248_000_000);

    fn peer(last: u8) -> Option<IpAddr> {
        Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)))
    }

    #[test]
    fn ten_failures_lock_the_pair_for_fifteen_minutes_and_no_other() {
        let mut attempts = Attempts::default();
        for _ in 0..9 {
            attempts.failed("care", peer(1), NOW);
        }
        assert_eq!(attempts.locked_for_s("care", peer(1), NOW), None);
        attempts.failed("care", peer(1), NOW.plus_s(600));
        let now = NOW.plus_s(600);
        assert_eq!(attempts.locked_for_s("care", peer(1), now), Some(900));
        assert_eq!(attempts.locked_for_s("care", peer(2), now), None);
        assert_eq!(attempts.locked_for_s("else", peer(1), now), None);
        assert_eq!(attempts.locked_for_s("care", peer(1), now.plus_s(899)), Some(1));
        assert_eq!(attempts.locked_for_s("care", peer(1), now.plus_s(900)), None);
    }

    #[test]
    fn a_hundred_failures_from_all_addresses_lock_the_name() {
        let mut attempts = Attempts::default();
        for count in 0..100_u8 {
            assert_eq!(attempts.locked_for_s("care", peer(200), NOW), None);
            attempts.failed("care", peer(count / 5), NOW);
        }
        assert_eq!(attempts.locked_for_s("care", peer(200), NOW), Some(900));
    }

    #[test]
    fn a_success_clears_the_pair_and_failures_of_long_ago_do_not_count() {
        let mut attempts = Attempts::default();
        for _ in 0..9 {
            attempts.failed("care", peer(1), NOW);
        }
        attempts.succeeded("care", peer(1));
        assert_eq!(attempts.failures("care", peer(1)), 0);
        for _ in 0..9 {
            attempts.failed("care", peer(1), NOW);
        }
        attempts.failed("care", peer(1), NOW.plus_s(900));
        assert_eq!(attempts.failures("care", peer(1)), 1);
    }

    #[test]
    fn the_delay_doubles_from_a_tenth_of_a_second_to_three() {
        let delays = [1, 2, 3, 5, 6, 7, 1000]
            .map(|count| delay(count, Duration::from_millis(100), Duration::from_secs(3)).as_millis());
        assert_eq!(delays, [100, 200, 400, 1600, 3000, 3000, 3000]);
    }

    #[test]
    fn a_flood_of_names_does_not_make_a_lock_forgotten() {
        let mut attempts = Attempts::default();
        for _ in 0..10 {
            attempts.failed("care", peer(1), NOW);
        }
        for count in 0..ENTRIES_MAX {
            attempts.counts.insert((count.to_string(), None), Count { failures: 1, until: NOW.plus_s(900) });
        }
        attempts.failed("another", peer(2), NOW);
        assert!(attempts.locked_for_s("care", peer(1), NOW).is_some());
    }
}
