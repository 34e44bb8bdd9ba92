//! Failed proofs of identity, of callers and of devices: how long the next one has to wait.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::time::Timestamp;

/// Names and pairs counted. When there is no room the least failed one is forgotten.
const ENTRIES_MAX: usize = 50_000;
/// Characters of a name that are kept.
const NAME_CHARS_MAX: usize = 128;

/// What failures of one name cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Failures that block nothing, less one: the failure of this number is the first that does.
    pub failures_max: u32,
    /// How long that one blocks, in seconds. Each further failure blocks twice as long as the one before.
    pub first_s: i64,
    /// The longest block, in seconds.
    pub most_s: i64,
    /// A failure is forgotten so long after it, in seconds, if no block follows.
    pub window_s: i64,
    /// Failures are remembered so long after a block has ended, in seconds. With 0 the count begins again.
    pub memory_s: i64,
}

/// Patience with a name from one address, and with a name from all addresses together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// With a name from one address.
    pub pair: Patience,
    /// With a name, wherever it comes from: many addresses must not mean many guesses.
    pub name: Patience,
}

impl Policy {
    /// For callers, who are locked.
    ///
    /// Source: DM WSI contract, section 1.4.
    pub const CALLERS: Self = Self { pair: Patience::locking(10), name: Patience::locking(100) };

    /// For devices, which must come back by themselves: nobody can tell them to. A device is never locked for good, by
    /// its own mistakes or by somebody who uses its name: the wait grows to five minutes from one address, and to half a
    /// minute for the name.
    pub const DEVICES: Self = Self {
        pair: Patience { failures_max: 6, first_s: 2, most_s: 300, window_s: 900, memory_s: 900 },
        name: Patience { failures_max: 60, first_s: 1, most_s: 30, window_s: 900, memory_s: 900 },
    };
}

impl Patience {
    /// Blocks for a quarter of an hour, counts for a quarter of an hour.
    const fn locking(failures_max: u32) -> Self {
        Self { failures_max, first_s: 900, most_s: 900, window_s: 900, memory_s: 0 }
    }

    /// How long the last of `failures` blocks, in seconds; 0 while there are few.
    fn block_s(&self, failures: u32) -> i64 {
        match failures.checked_sub(self.failures_max) {
            None => 0,
            // More than 32 doublings are longer than any block.
            Some(further) => self.first_s.saturating_mul(1 << further.min(32)).min(self.most_s),
        }
    }
}

type Key = (String, Option<Option<IpAddr>>);

#[derive(Clone, Copy)]
struct Count {
    failures: u32,
    blocked_until: Timestamp,
    /// The count begins again after this.
    until: Timestamp,
}

/// Failures by name and address, and by name alone. Kept in the memory of one node.
pub struct Attempts {
    policy: Policy,
    counts: HashMap<Key, Count>,
}

fn pair(name: &str, peer: Option<IpAddr>) -> Key {
    (name.chars().take(NAME_CHARS_MAX).collect(), Some(peer))
}

fn all(name: &str) -> Key {
    (name.chars().take(NAME_CHARS_MAX).collect(), None)
}

impl Attempts {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, counts: HashMap::new() }
    }

    /// Counts a failure of `name` from `peer`.
    pub fn failed(&mut self, name: &str, peer: Option<IpAddr>, now: Timestamp) {
        for (key, patience) in [(pair(name, peer), self.policy.pair), (all(name), self.policy.name)] {
            self.make_room(&key, now);
            let fresh = Count { failures: 0, blocked_until: now, until: now.plus_s(patience.window_s) };
            let count = self.counts.entry(key).or_insert(fresh);
            if count.until <= now {
                *count = fresh;
            }
            count.failures = count.failures.saturating_add(1);
            let block_s = patience.block_s(count.failures);
            if block_s > 0 && count.blocked_until <= now {
                // The block lasts from the failure that brought it.
                count.blocked_until = now.plus_s(block_s);
                count.until = count.blocked_until.plus_s(patience.memory_s);
            }
        }
    }

    /// A right proof: the name's failures from this address are forgotten.
    pub fn succeeded(&mut self, name: &str, peer: Option<IpAddr>) {
        if !self.counts.is_empty() {
            self.counts.remove(&pair(name, peer));
        }
    }

    /// Failures of the name from this address that are remembered.
    #[must_use]
    pub fn failures(&self, name: &str, peer: Option<IpAddr>) -> u32 {
        self.counts.get(&pair(name, peer)).map_or(0, |count| count.failures)
    }

    /// For how many seconds, at least 1, the name or the pair is still blocked.
    #[must_use]
    pub fn blocked_for_s(&self, name: &str, peer: Option<IpAddr>, now: Timestamp) -> Option<u32> {
        if self.counts.is_empty() {
            return None;
        }
        let blocked = |key: &Key| self.counts.get(key).map(|count| count.blocked_until).filter(|until| now < *until);
        let until = blocked(&pair(name, peer)).max(blocked(&all(name)))?;
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
        let mut attempts = Attempts::new(Policy::CALLERS);
        for _ in 0..9 {
            attempts.failed("care", peer(1), NOW);
        }
        assert_eq!(attempts.blocked_for_s("care", peer(1), NOW), None);
        attempts.failed("care", peer(1), NOW.plus_s(600));
        let now = NOW.plus_s(600);
        assert_eq!(attempts.blocked_for_s("care", peer(1), now), Some(900));
        assert_eq!(attempts.blocked_for_s("care", peer(2), now), None);
        assert_eq!(attempts.blocked_for_s("else", peer(1), now), None);
        assert_eq!(attempts.blocked_for_s("care", peer(1), now.plus_s(899)), Some(1));
        assert_eq!(attempts.blocked_for_s("care", peer(1), now.plus_s(900)), None);
    }

    #[test]
    fn a_hundred_failures_from_all_addresses_lock_the_name() {
        let mut attempts = Attempts::new(Policy::CALLERS);
        for count in 0..100_u8 {
            assert_eq!(attempts.blocked_for_s("care", peer(200), NOW), None);
            attempts.failed("care", peer(count / 5), NOW);
        }
        assert_eq!(attempts.blocked_for_s("care", peer(200), NOW), Some(900));
    }

    #[test]
    fn a_success_clears_the_pair_and_failures_of_long_ago_do_not_count() {
        let mut attempts = Attempts::new(Policy::CALLERS);
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
    fn a_device_waits_twice_as_long_each_time_and_never_longer_than_five_minutes() {
        let mut attempts = Attempts::new(Policy::DEVICES);
        let mut now = NOW;
        let mut waits = Vec::new();
        for _ in 0..16 {
            attempts.failed("phone", peer(1), now);
            let wait = attempts.blocked_for_s("phone", peer(1), now).unwrap_or(0);
            waits.push(wait);
            now = now.plus_s(i64::from(wait));
            assert_eq!(attempts.blocked_for_s("phone", peer(1), now), None, "after its wait a device is heard");
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn a_device_that_proves_who_it_is_has_all_its_patience_back() {
        let mut attempts = Attempts::new(Policy::DEVICES);
        for minute in 0..20 {
            attempts.failed("phone", peer(1), NOW.plus_s(minute * 600));
        }
        let now = NOW.plus_s(12_000);
        attempts.succeeded("phone", peer(1));
        assert_eq!(attempts.blocked_for_s("phone", peer(1), now), None);
        attempts.failed("phone", peer(1), now);
        assert_eq!(attempts.blocked_for_s("phone", peer(1), now), None);
    }

    #[test]
    fn whoever_uses_the_name_of_a_device_from_many_addresses_keeps_it_away_for_half_a_minute_at_the_most() {
        let mut attempts = Attempts::new(Policy::DEVICES);
        for count in 0..250_u8 {
            attempts.failed("phone", peer(count), NOW.plus_s(i64::from(count)));
        }
        assert!(attempts.blocked_for_s("phone", peer(255), NOW.plus_s(250)).is_none_or(|wait| wait <= 30));
        assert_eq!(attempts.blocked_for_s("phone", peer(255), NOW.plus_s(280)), None);
    }

    #[test]
    fn a_flood_of_names_does_not_make_a_lock_forgotten() {
        let mut attempts = Attempts::new(Policy::CALLERS);
        for _ in 0..10 {
            attempts.failed("care", peer(1), NOW);
        }
        for count in 0..ENTRIES_MAX {
            let count = (count.to_string(), None);
            attempts.counts.insert(count, Count { failures: 1, blocked_until: NOW, until: NOW.plus_s(900) });
        }
        attempts.failed("another", peer(2), NOW);
        assert!(attempts.blocked_for_s("care", peer(1), NOW).is_some());
    }
}
