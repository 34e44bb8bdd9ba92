use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Holder, Kind, Measure};
use crate::fault::{Fault, FaultName};
use crate::time::Timestamp;

/// What somebody set for a domain or a caller; the rest has the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits(BTreeMap<Kind, u64>);

impl Limits {
    /// Sets a limit, or lets the default count again; gives the one that was set before.
    pub fn set(&mut self, kind: Kind, limit: Option<u64>) -> Option<u64> {
        match limit {
            Some(limit) => self.0.insert(kind, limit),
            None => self.0.remove(&kind),
        }
    }

    /// Whether the default counts.
    #[must_use]
    pub fn is_default(&self, kind: Kind) -> bool {
        !self.0.contains_key(&kind)
    }

    /// The limit that counts for `holder`, whose limits these are.
    #[must_use]
    pub fn of(&self, kind: Kind, holder: Holder<'_>) -> u64 {
        self.0.get(&kind).copied().unwrap_or_else(|| kind.default_limit(holder))
    }
}

/// Everything that bounds a caller: what counts for its domain and for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Set for the domain.
    pub tenant: Limits,
    /// Set for the caller, or for every caller of the domain where nothing was set for this one.
    pub caller: Limits,
}

impl Allowance {
    /// The limit for the domain, or for the caller.
    #[must_use]
    pub fn limit(&self, kind: Kind, holder: Holder<'_>) -> u64 {
        match holder {
            Holder::Tenant => self.tenant.of(kind, holder),
            Holder::Caller(_) => self.caller.of(kind, holder),
        }
    }

    /// Whether `more` fit where `used` are there already.
    ///
    /// # Errors
    /// `QuotaExceeded`, variables: quota, limit; with the seconds to wait where the quota is one of a window.
    pub fn admits(&self, kind: Kind, holder: Holder<'_>, used: u64, more: u64, now: Timestamp) -> Result<(), Fault> {
        let limit = self.limit(kind, holder);
        if used.saturating_add(more) <= limit {
            return Ok(());
        }
        let whose = match holder {
            Holder::Tenant => "the domain",
            Holder::Caller(_) => "this caller",
        };
        let name = kind.as_str();
        let text = |advice: &str| format!("the quota {name} of {whose} is used up ({used} of {limit}); {advice}");
        Err(match kind.measure() {
            Measure::Within(window) => {
                let left_s = window.left_s(now);
                let advice = format!("try again in {left_s} s, or ask the administrator for more");
                Fault::new(FaultName::QuotaExceeded, text(&advice)).with(name).with(limit).retry_after_s(left_s)
            }
            Measure::AtOnce | Measure::Rate { .. } => {
                let advice = "end or remove what is no longer needed, or ask the administrator for more";
                Fault::new(FaultName::QuotaExceeded, text(advice)).with(name).with(limit)
            }
        })
    }
}

/// A quota with what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaUsage {
    /// What is bounded.
    pub kind: Kind,
    /// The caller; nobody where it is the domain's.
    pub principal: Option<String>,
    /// How much.
    pub limit: u64,
    /// Whether nobody has set it.
    pub is_default: bool,
    /// Used of it; nothing where it is a rate, which no node can tell for all.
    pub used: Option<u64>,
    /// When what is used begins at nothing again, where it does.
    pub window_ends_at: Option<Timestamp>,
    /// Raised by one whenever it is set; 0 where nobody has.
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_262_400_000);

    fn allowance(kind: Kind, limit: u64) -> Allowance {
        let mut allowance = Allowance::default();
        allowance.caller.set(kind, Some(limit));
        allowance
    }

    #[test]
    fn what_is_set_for_the_caller_does_not_count_for_its_domain() {
        let allowance = allowance(Kind::OpenTasks, 3);
        let (caller, kind) = (Holder::Caller("care"), Kind::OpenTasks);
        assert_eq!(allowance.admits(kind, caller, 2, 1, NOW), Ok(()));
        let fault = allowance.admits(kind, caller, 2, 2, NOW).err();
        assert_eq!(fault.as_ref().map(|fault| fault.name), Some(FaultName::QuotaExceeded));
        assert_eq!(fault.as_ref().map(|it| it.variables.clone()), Some(vec!["OPEN_TASKS".into(), "3".into()]));
        assert_eq!(fault.and_then(|fault| fault.retry_after_s), None);
        assert_eq!(allowance.admits(kind, Holder::Tenant, 3, 1, NOW), Ok(()));
        assert!(allowance.admits(kind, caller, u64::MAX, u64::MAX, NOW).is_err());
    }

    #[test]
    fn a_quota_of_a_window_says_when_to_come_again() {
        let allowance = allowance(Kind::TasksPerHour, 1);
        let fault = allowance.admits(Kind::TasksPerHour, Holder::Caller("care"), 1, 1, NOW.plus_s(600)).err();
        assert_eq!(fault.and_then(|fault| fault.retry_after_s), Some(3000));
    }

    #[test]
    fn a_limit_that_is_taken_back_is_the_default_again() {
        let mut limits = Limits::default();
        limits.set(Kind::ApiKeys, Some(1));
        assert!(!limits.is_default(Kind::ApiKeys));
        limits.set(Kind::ApiKeys, None);
        assert!(limits.is_default(Kind::ApiKeys));
        assert_eq!(limits.of(Kind::ApiKeys, Holder::Tenant), Kind::ApiKeys.default_limit(Holder::Tenant));
    }
}
