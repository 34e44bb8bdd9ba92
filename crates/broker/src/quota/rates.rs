use std::collections::HashMap;

use super::{Allowance, Holder, Kind, Measure};
use crate::fault::{Fault, FaultName};
use crate::time::Timestamp;

/// Holders of one kind kept; those whose bucket is full again are forgotten first.
const HOLDERS_MAX: usize = 10_000;
/// The quotas that are rates.
const RATES: [Kind; 2] = [Kind::RequestsPerSecond, Kind::RequestsPerMinute];

/// Requests of domains and callers, on this node: a bucket for each, which fills at a steady rate.
#[derive(Debug, Default)]
pub struct Rates {
    tenants: HashMap<String, Buckets>,
    /// By domain and name.
    callers: HashMap<String, HashMap<String, Buckets>>,
    callers_kept: usize,
}

type Buckets = [Option<Bucket>; RATES.len()];

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Requests that may still come, times the milliseconds of the period: filling it needs no division.
    left: i64,
    at: Timestamp,
}

impl Rates {
    /// Counts a request of a caller of a domain. One that is refused is not counted.
    ///
    /// # Errors
    /// `TooManyRequests`, with the seconds after which one more request fits.
    pub fn admit(&mut self, tenant: &str, caller: &str, allowance: &Allowance, now: Timestamp) -> Result<(), Fault> {
        self.make_room(now);
        let mut of_caller = self.callers.get(tenant).and_then(|names| names.get(caller)).copied().unwrap_or_default();
        let mut of_tenant = self.tenants.get(tenant).copied().unwrap_or_default();
        for (holder, buckets) in [(Holder::Caller(caller), &mut of_caller), (Holder::Tenant, &mut of_tenant)] {
            for (kind, bucket) in RATES.into_iter().zip(buckets) {
                take(bucket, kind, holder, allowance, now)?;
            }
        }
        match self.tenants.get_mut(tenant) {
            Some(kept) => *kept = of_tenant,
            None => drop(self.tenants.insert(tenant.to_owned(), of_tenant)),
        }
        match self.callers.get_mut(tenant).and_then(|names| names.get_mut(caller)) {
            Some(kept) => *kept = of_caller,
            None => {
                self.callers.entry(tenant.to_owned()).or_default().insert(caller.to_owned(), of_caller);
                self.callers_kept = self.callers_kept.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Forgets those who asked for nothing in the last two minutes, when there are very many: their buckets are full.
    fn make_room(&mut self, now: Timestamp) {
        if self.callers_kept < HOLDERS_MAX && self.tenants.len() < HOLDERS_MAX {
            return;
        }
        let is_recent = |buckets: &Buckets| buckets.iter().flatten().any(|bucket| now < bucket.at.plus_s(120));
        self.tenants.retain(|_, buckets| is_recent(buckets));
        self.callers.retain(|_, names| {
            names.retain(|_, buckets| is_recent(buckets));
            !names.is_empty()
        });
        self.callers_kept = self.callers.values().map(HashMap::len).sum();
    }
}

fn take(
    bucket: &mut Option<Bucket>,
    kind: Kind,
    holder: Holder<'_>,
    allowance: &Allowance,
    now: Timestamp,
) -> Result<(), Fault> {
    let Measure::Rate { period_ms, burst } = kind.measure() else { return Ok(()) };
    let limit = i64::try_from(allowance.limit(kind, holder)).unwrap_or(i64::MAX);
    let full = limit.saturating_mul(burst).saturating_mul(period_ms);
    let Bucket { left, at } = bucket.unwrap_or(Bucket { left: full, at: now });
    let passed_ms = now.0.saturating_sub(at.0).max(0);
    let left = left.saturating_add(passed_ms.saturating_mul(limit)).min(full);
    let Some(rest) = left.checked_sub(period_ms).filter(|rest| *rest >= 0) else {
        let whose = match holder {
            Holder::Tenant => "the domain",
            Holder::Caller(_) => "this caller",
        };
        let missing_ms = period_ms.saturating_sub(left).max(0).unsigned_abs().div_ceil(limit.max(1).unsigned_abs());
        let wait_s = u32::try_from(missing_ms.div_ceil(1000)).unwrap_or(u32::MAX).max(1);
        let text = format!(
            "more than {limit} requests of {whose} in {} s ({}); try again in {wait_s} s",
            period_ms / 1000,
            kind.as_str()
        );
        return Err(Fault::new(FaultName::TooManyRequests, text).retry_after_s(wait_s));
    };
    *bucket = Some(Bucket { left: rest, at: now });
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allowance(per_second: u64, per_minute: u64, tenant_per_second: u64) -> Allowance {
        let mut allowance = Allowance::default();
        allowance.caller.set(Kind::RequestsPerSecond, Some(per_second));
        allowance.caller.set(Kind::RequestsPerMinute, Some(per_minute));
        allowance.tenant.set(Kind::RequestsPerSecond, Some(tenant_per_second));
        allowance
    }

    #[test]
    fn a_caller_above_its_rate_is_refused_until_time_has_passed_and_others_are_not() {
        let (mut rates, two, now) = (Rates::default(), allowance(2, 1000, 1000), Timestamp(0));
        assert!((0..4).all(|_| rates.admit("t", "care", &two, now).is_ok()));
        let fault = rates.admit("t", "care", &two, now).err();
        assert_eq!(fault.as_ref().map(|fault| fault.name), Some(FaultName::TooManyRequests));
        assert_eq!(fault.and_then(|fault| fault.retry_after_s), Some(1));
        assert!(rates.admit("t", "else", &two, now).is_ok());
        assert!(rates.admit("u", "care", &two, now).is_ok());
        assert!(rates.admit("t", "care", &two, Timestamp(499)).is_err());
        assert!(rates.admit("t", "care", &two, Timestamp(500)).is_ok());
        assert!(rates.admit("t", "care", &two, Timestamp(500)).is_err());
    }

    #[test]
    fn all_callers_of_a_domain_share_its_rate() {
        let (mut rates, limits, now) = (Rates::default(), allowance(100, 1000, 2), Timestamp(0));
        for caller in ["a", "b", "c", "d"] {
            assert!(rates.admit("t", caller, &limits, now).is_ok());
        }
        assert!(rates.admit("t", "e", &limits, now).is_err());
        assert!(rates.admit("u", "e", &limits, now).is_ok());
    }

    #[test]
    fn a_minute_bounds_what_a_second_would_allow() {
        let (mut rates, limits) = (Rates::default(), allowance(10, 30, 1000));
        let admitted = |rates: &mut Rates, s: i64| {
            (0..10).filter(|_| rates.admit("t", "care", &limits, Timestamp(s * 1000)).is_ok()).count()
        };
        let first: usize = (0..6).map(|s| admitted(&mut rates, s)).sum();
        assert!((30..=33).contains(&first), "{first}");
        let fault = rates.admit("t", "care", &limits, Timestamp(6000)).err();
        assert!(fault.is_none_or(|fault| fault.retry_after_s.is_some_and(|wait| wait <= 2)));
    }

    #[test]
    fn a_limit_of_nothing_lets_nothing_through() {
        let (mut rates, none) = (Rates::default(), allowance(0, 1000, 1000));
        for s in 0..5 {
            assert!(rates.admit("t", "care", &none, Timestamp(s * 1000)).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_lets_more_through_than_its_worth_and_a_burst(
            limit in 1_u64..50,
            pauses in prop::collection::vec(0_i64..400, 1..400),
        ) {
            let limits = allowance(limit, 1_000_000, 1_000_000);
            let (mut rates, mut now, mut admitted) = (Rates::default(), Timestamp(0), Vec::new());
            for pause in pauses {
                now = now.plus_ms(pause);
                match rates.admit("t", "care", &limits, now) {
                    Ok(()) => admitted.push(now),
                    Err(fault) => {
                        let wait = i64::from(fault.retry_after_s.unwrap_or(0));
                        prop_assert!(wait >= 1);
                    }
                }
            }
            for (place, first) in admitted.iter().enumerate() {
                for (count, last) in admitted[place..].iter().enumerate() {
                    let span_ms = u64::try_from(last.0 - first.0).unwrap_or(0);
                    let most = 2 * limit + (span_ms * limit).div_ceil(1000);
                    prop_assert!(count as u64 <= most, "{} in {} ms", count + 1, span_ms);
                }
            }
        }
    }
}
