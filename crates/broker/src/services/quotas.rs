//! IAdministrationServices: quotas; and what bounds the requests of a caller on this node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Broker, checks};
use crate::access::{Caller, Right};
use crate::bounds::TEXT_CHARS_MAX;
use crate::directory::AGE_S;
use crate::fault::{Fault, FaultName};
use crate::quota::{Allowance, Kind, QuotaUsage, Rates};
use crate::store::{EVERY_CALLER, QuotaChange};
use crate::time::Timestamp;

/// Callers whose limits are remembered; when there is no room all are forgotten.
const CALLERS_MAX: usize = 20_000;

/// A quota to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaWanted {
    /// What is bounded.
    pub kind: Kind,
    /// The caller it is for, `*` for each one, or nobody where it is for the domain.
    pub principal: Option<String>,
    /// How much; the default again when absent.
    pub limit: Option<i64>,
    /// Version the caller holds.
    pub version: Option<i64>,
    /// Domain, where it is not the caller's own.
    pub tenant: Option<String>,
}

/// What bounds callers, by domain and name, with when it was read.
type Allowances = HashMap<String, HashMap<String, (Timestamp, Arc<Allowance>)>>;

/// What this node knows of limits and rates, between requests.
#[derive(Default)]
pub(crate) struct Desk {
    rates: Mutex<Rates>,
    allowances: Mutex<Allowances>,
}

impl Broker {
    /// Counts a request of a caller of a domain.
    ///
    /// # Errors
    /// `TooManyRequests`, with the seconds after which one more request fits; faults of the store.
    pub async fn admit(&self, tenant: &str, name: &str) -> Result<(), Fault> {
        let now = self.environment.now();
        let known = guard(&self.desk.allowances).get(tenant).and_then(|names| names.get(name)).cloned();
        let allowance = match known {
            Some((at, allowance)) if at <= now && now < at.plus_s(AGE_S) => allowance,
            _ => {
                let mut allowance = self.store.quota_allowance(tenant, name).await?;
                if allowance.caller.is_default(Kind::RequestsPerSecond) {
                    let per_second = u64::from(self.settings.requests_per_second_max);
                    allowance.caller.set(Kind::RequestsPerSecond, Some(per_second));
                }
                let allowance = Arc::new(allowance);
                self.desk.remember(tenant, name, now, &allowance);
                allowance
            }
        };
        guard(&self.desk.rates).admit(tenant, name, &allowance, now)
    }

    /// Every quota of a domain, or of one of its callers, with what is used.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `UnknownPrincipal`, `InvalidArgument`.
    pub async fn quotas(
        &self,
        caller: &Caller,
        principal: Option<String>,
        tenant: Option<String>,
    ) -> Result<Vec<QuotaUsage>, Fault> {
        let caller = self.at_work_in(caller, tenant.as_deref(), Right::new("quota", "read")).await?;
        self.quota_holder_there(&caller, principal.as_deref()).await?;
        self.usage(&caller.tenant, principal).await
    }

    async fn usage(&self, tenant: &str, principal: Option<String>) -> Result<Vec<QuotaUsage>, Fault> {
        let mut usage = self.store.quota_usage(tenant, principal, self.environment.now()).await?;
        for quota in usage.iter_mut().filter(|it| it.principal.is_some() && it.is_default) {
            if quota.kind == Kind::RequestsPerSecond {
                quota.limit = u64::from(self.settings.requests_per_second_max);
            }
        }
        Ok(usage)
    }

    /// Sets a quota of a domain or of its callers, or lets the default count again; gives it with what is used. What
    /// is there already stays, also above the new limit.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `UnknownPrincipal`, `InvalidArgument`, `OutdatedVersion`.
    pub async fn set_quota(&self, caller: &Caller, wanted: QuotaWanted) -> Result<QuotaUsage, Fault> {
        let caller = self.at_work_in(caller, wanted.tenant.as_deref(), Right::new("quota", "update")).await?;
        let QuotaWanted { kind, principal, limit, version, .. } = wanted;
        if principal.is_some() && !kind.is_of_callers() {
            let text = format!("{} is a quota of the domain; leave principal out", kind.as_str());
            return Err(Fault::new(FaultName::ConflictingArguments, text).with("kind").with("principal"));
        }
        self.quota_holder_there(&caller, principal.as_deref()).await?;
        let why = format!("must be 0 to {}", Kind::LIMIT_MAX);
        let checked = |limit: i64| u64::try_from(limit).ok().filter(|limit| *limit <= Kind::LIMIT_MAX);
        let limit = match limit {
            None => None,
            Some(limit) => Some(checked(limit).ok_or_else(|| Fault::invalid("limit", limit, why))?),
        };
        let change = QuotaChange { kind, principal: principal.clone(), limit, version };
        let deed = self.deed(&caller, "setQuota");
        self.store.quota_set(&caller.tenant, change, deed).await??;
        guard(&self.desk.allowances).clear();
        let usage = self.usage(&caller.tenant, principal).await?;
        let usage = usage.into_iter().find(|usage| usage.kind == kind);
        usage.ok_or_else(|| Fault::new(FaultName::InternalError, "the quota was set, and is not there"))
    }

    async fn quota_holder_there(&self, caller: &Caller, principal: Option<&str>) -> Result<(), Fault> {
        let Some(name) = principal.filter(|name| *name != EVERY_CALLER) else { return Ok(()) };
        checks::line("principal", name, TEXT_CHARS_MAX)?;
        let account = self.account(name).await?;
        if account.is_some_and(|account| account.reaches(&caller.tenant)) {
            return Ok(());
        }
        Err(Fault::new(FaultName::UnknownPrincipal, "there is no such principal in this domain").with(name))
    }
}

impl Desk {
    fn remember(&self, tenant: &str, name: &str, now: Timestamp, allowance: &Arc<Allowance>) {
        let mut kept = guard(&self.allowances);
        if kept.values().map(HashMap::len).sum::<usize>() >= CALLERS_MAX {
            kept.clear();
        }
        kept.entry(tenant.to_owned()).or_default().insert(name.to_owned(), (now, Arc::clone(allowance)));
    }
}

/// Nothing behind these locks is left half done by a panic.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
