//! Requests per second of each caller.

use std::collections::HashMap;

use muster_broker::time::Timestamp;

/// A bucket of requests for each caller: filled at a steady rate, holding twice a second's worth.
pub(super) struct Rate {
    per_second: u32,
    buckets: HashMap<String, Bucket>,
}

struct Bucket {
    /// Thousandths of a request.
    left: i64,
    at: Timestamp,
}

/// Callers kept; those whose bucket is full again are forgotten first.
const CALLERS_MAX: usize = 10_000;

impl Rate {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second: per_second.max(1), buckets: HashMap::new() }
    }

    pub(super) fn admits(&mut self, name: &str, now: Timestamp) -> bool {
        let per_second = i64::from(self.per_second);
        let full = per_second * 2_000;
        if self.buckets.len() >= CALLERS_MAX && !self.buckets.contains_key(name) {
            self.buckets.retain(|_, bucket| now < bucket.at.plus_s(2));
        }
        let bucket = self.buckets.entry(name.to_owned()).or_insert(Bucket { left: full, at: now });
        let passed_ms = now.0.saturating_sub(bucket.at.0).max(0);
        // A rate of one request in a second is a thousandth in a millisecond.
        bucket.left = bucket.left.saturating_add(passed_ms.saturating_mul(per_second)).min(full);
        bucket.at = now;
        let is_admitted = bucket.left >= 1_000;
        if is_admitted {
            bucket.left -= 1_000;
        }
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_above_its_rate_is_refused_until_time_has_passed_and_others_are_not() {
        let mut rate = Rate::new(2);
        let now = Timestamp(0);
        assert!((0..4).all(|_| rate.admits("care", now)));
        assert!(!rate.admits("care", now));
        assert!(rate.admits("else", now));
        assert!(!rate.admits("care", Timestamp(499)));
        assert!(rate.admits("care", Timestamp(500)));
        assert!(!rate.admits("care", Timestamp(500)));
    }
}
