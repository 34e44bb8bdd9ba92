//! Limits that somebody set, and taking from what they leave.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use muster_broker::fault::{Fault, FaultName};
use muster_broker::job::Job;
use muster_broker::quota::{Allowance, Holder, Kind, Limits, Measure, QuotaUsage};
use muster_broker::store::{EVERY_CALLER, QuotaChange};
use muster_broker::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::query::{one, run};
use super::rows::{Done, Failure};
use super::uses::{self, Uses};

fn limits(connection: &Connection, tenant: &str, principal: &str) -> Done<Limits> {
    let text: Option<String> = connection
        .prepare_cached("SELECT limits FROM quota_limit WHERE tenant = ? AND principal = ?")?
        .query_row(params![tenant, principal], |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// Everything that bounds a caller.
pub(super) fn allowance(connection: &Connection, tenant: &str, principal: &str) -> Done<Allowance> {
    let tenant_wide = limits(connection, tenant, "")?;
    let (mut caller, own) = (limits(connection, tenant, EVERY_CALLER)?, limits(connection, tenant, principal)?);
    for (_, kind) in Kind::NAMES {
        if !own.is_default(*kind) {
            caller.set(*kind, Some(own.of(*kind, Holder::Caller(principal))));
        }
    }
    Ok(Allowance { tenant: tenant_wide, caller })
}

/// How often each limit of a holder was set.
fn versions(connection: &Connection, tenant: &str, principal: &str) -> Done<BTreeMap<Kind, i64>> {
    let text: Option<String> = connection
        .prepare_cached("SELECT versions FROM quota_limit WHERE tenant = ? AND principal = ?")?
        .query_row(params![tenant, principal], |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// Sets one limit; gives the one before.
pub(super) fn set(connection: &Connection, tenant: &str, change: &QuotaChange) -> Done<Result<Option<u64>, Fault>> {
    let principal = change.principal.as_deref().unwrap_or("");
    let mut versions = versions(connection, tenant, principal)?;
    let version = versions.entry(change.kind).or_default();
    if let Some(given) = change.version.filter(|given| given != version) {
        let text = format!("the quota has version {version}, not {given}; read it again");
        return Ok(Err(Fault::new(FaultName::OutdatedVersion, text).with(*version)));
    }
    *version = version.saturating_add(1);
    let mut limits = limits(connection, tenant, principal)?;
    let before = limits.set(change.kind, change.limit);
    run(
        connection,
        "INSERT INTO quota_limit (tenant, principal, limits, versions) VALUES (?, ?, ?, ?) \
         ON CONFLICT (tenant, principal) DO UPDATE SET limits = excluded.limits, versions = excluded.versions",
        params![tenant, principal, serde_json::to_string(&limits)?, serde_json::to_string(&versions)?],
    )?;
    Ok(Ok(before))
}

/// What bounds callers and what they use, as far as one transaction has asked; written before its commit.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    allowances: std::cell::RefCell<HashMap<String, HashMap<String, Rc<Allowance>>>>,
    pub(super) uses: Uses,
}

impl Quotas {
    /// Limits have been set: they are read anew.
    pub(super) fn forget_limits(&self) {
        self.allowances.borrow_mut().clear();
    }

    fn allowance(&self, connection: &Connection, tenant: &str, principal: &str) -> Done<Rc<Allowance>> {
        if let Some(known) = self.allowances.borrow().get(tenant).and_then(|names| names.get(principal)) {
            return Ok(Rc::clone(known));
        }
        let read = Rc::new(allowance(connection, tenant, principal)?);
        let mut kept = self.allowances.borrow_mut();
        kept.entry(tenant.to_owned()).or_default().insert(principal.to_owned(), Rc::clone(&read));
        Ok(read)
    }

    /// Refuses `more` of each kind where the domain or the caller has too little left. Nothing is taken.
    pub(super) fn admit(
        &self,
        connection: &Connection,
        tenant: &str,
        principal: &str,
        more: &[(Kind, u64)],
        now: Timestamp,
    ) -> Done<()> {
        let allowance = self.allowance(connection, tenant, principal)?;
        for (kind, more) in more.iter().filter(|(_, more)| *more > 0) {
            for holder in holders(*kind, principal) {
                let used = self.uses.of(connection, tenant, holder, *kind, now)?;
                let admitted = allowance.admits(*kind, holder, used, *more, now);
                admitted.map_err(|fault| Failure::Denied(Box::new(fault)))?;
            }
        }
        Ok(())
    }

    /// Changes what is used by a domain and a caller.
    pub(super) fn change(&self, tenant: &str, principal: &str, kind: Kind, change: i64, now: Timestamp) {
        if change != 0 {
            holders(kind, principal).for_each(|holder| self.uses.add(tenant, holder, kind, change, now));
        }
    }

    /// Takes what was admitted.
    pub(super) fn take(&self, tenant: &str, principal: &str, more: &[(Kind, u64)], now: Timestamp) {
        for (kind, more) in more {
            self.change(tenant, principal, *kind, i64::try_from(*more).unwrap_or(i64::MAX), now);
        }
    }
}

/// Who has a quota of this kind.
fn holders(kind: Kind, principal: &str) -> impl Iterator<Item = Holder<'_>> {
    let caller = kind.is_of_callers().then_some(Holder::Caller(principal));
    [Some(Holder::Tenant), caller].into_iter().flatten()
}

/// Refuses what has brought a domain, or a caller of it, above its quota of records: `created` of them were just made,
/// and are undone with the transaction.
pub(super) fn records_made(
    connection: &Connection,
    tenant: &str,
    principal: &str,
    kind: Kind,
    created: usize,
    now: Timestamp,
) -> Done<()> {
    if created == 0 {
        return Ok(());
    }
    let allowance = allowance(connection, tenant, principal)?;
    let created = u64::try_from(created).unwrap_or(u64::MAX);
    for holder in holders(kind, principal) {
        let before = used(connection, tenant, holder, kind, now)?.saturating_sub(created);
        let admitted = allowance.admits(kind, holder, before, created, now);
        admitted.map_err(|fault| Failure::Denied(Box::new(fault)))?;
    }
    Ok(())
}

/// Takes the rows of a batch of an import, of the domain and of the caller where the import has one.
pub(super) fn rows_imported(
    connection: &Connection,
    tenant: &str,
    principal: Option<&str>,
    rows: usize,
    now: Timestamp,
) -> Done<()> {
    let allowance = allowance(connection, tenant, principal.unwrap_or(""))?;
    let (kind, more) = (Kind::ImportRowsPerDay, u64::try_from(rows).unwrap_or(u64::MAX));
    for holder in [Some(Holder::Tenant), principal.map(Holder::Caller)].into_iter().flatten() {
        let used = uses::stored(connection, tenant, holder, kind, now)?;
        let admitted = allowance.admits(kind, holder, used, more, now);
        admitted.map_err(|fault| Failure::Denied(Box::new(fault)))?;
        uses::change(connection, tenant, holder, kind, i64::try_from(rows).unwrap_or(i64::MAX), now)?;
    }
    Ok(())
}

/// How many more of these kinds the domain and the caller have left: the least of them.
fn left(
    connection: &Connection,
    tenant: &str,
    principal: &str,
    kinds: &[Kind],
    now: Timestamp,
) -> Done<(u64, Option<Kind>)> {
    let allowance = allowance(connection, tenant, principal)?;
    let mut least = (u64::MAX, None);
    for kind in kinds {
        for holder in holders(*kind, principal) {
            let used = uses::stored(connection, tenant, holder, *kind, now)?;
            let left = allowance.limit(*kind, holder).saturating_sub(used);
            if left < least.0 {
                least = (left, Some(*kind));
            }
        }
    }
    Ok(least)
}

/// What each task takes.
const OF_TASKS: [Kind; 3] = [Kind::TasksPerHour, Kind::TasksPerDay, Kind::OpenTasks];

/// How many tasks a job may make now, and by which quota. A test cycle takes nothing.
pub(super) fn room_for_tasks(connection: &Connection, job: &Job, now: Timestamp) -> Done<(u32, Option<Kind>)> {
    if job.template.test_cycle {
        return Ok((u32::MAX, None));
    }
    let (left, kind) = left(connection, &job.tenant, &job.owner, &OF_TASKS, now)?;
    Ok((u32::try_from(left).unwrap_or(u32::MAX), kind))
}

/// A job has made so many tasks that are not final.
pub(super) fn tasks_made(connection: &Connection, job: &Job, made: u32, now: Timestamp) -> Done<()> {
    OF_TASKS.iter().try_for_each(|kind| change(connection, &job.tenant, &job.owner, *kind, i64::from(made), now))
}

/// Changes what is used by a domain and a caller, at once.
pub(super) fn change(
    connection: &Connection,
    tenant: &str,
    principal: &str,
    kind: Kind,
    change: i64,
    now: Timestamp,
) -> Done<()> {
    holders(kind, principal).try_for_each(|holder| uses::change(connection, tenant, holder, kind, change, now))
}

/// Every quota of a domain, or of one of its callers, with what is used.
pub(super) fn usage(
    connection: &Connection,
    tenant: &str,
    principal: Option<&str>,
    now: Timestamp,
) -> Done<Vec<QuotaUsage>> {
    let holder = principal.map_or(Holder::Tenant, Holder::Caller);
    let kinds = Kind::NAMES.iter().map(|(_, kind)| *kind);
    let kinds = kinds.filter(|kind| principal.is_none() || kind.is_of_callers());
    let allowance = allowance(connection, tenant, principal.unwrap_or(""))?;
    let set = if principal.is_none() { &allowance.tenant } else { &allowance.caller };
    let versions = versions(connection, tenant, principal.unwrap_or(""))?;
    kinds
        .map(|kind| {
            let (used, window_ends_at) = match kind.measure() {
                Measure::Rate { .. } => (None, None),
                _ if principal == Some(EVERY_CALLER) => (None, None),
                Measure::AtOnce => (Some(used(connection, tenant, holder, kind, now)?), None),
                Measure::Within(window) => {
                    let ends_at = now.plus_s(i64::from(window.left_s(now)));
                    (Some(used(connection, tenant, holder, kind, now)?), Some(window.began(ends_at)))
                }
            };
            Ok(QuotaUsage {
                kind,
                principal: principal.map(str::to_owned),
                limit: allowance.limit(kind, holder),
                is_default: set.is_default(kind),
                used,
                window_ends_at,
                version: versions.get(&kind).copied().unwrap_or(0),
            })
        })
        .collect()
}

fn used(connection: &Connection, tenant: &str, holder: Holder<'_>, kind: Kind, now: Timestamp) -> Done<u64> {
    // Counters are maintained with the records; keys and addresses are as few as their quotas, and are counted.
    let count = match (kind, holder) {
        (Kind::Devices, _) => {
            let sql = "SELECT coalesce(sum(count), 0) FROM device_count WHERE tenant = ?";
            one(connection, sql, [tenant], |cells| cells.get::<i64>())?
        }
        (Kind::Subscribers, _) => {
            let sql = "SELECT coalesce(sum(count), 0) FROM subscriber_count WHERE tenant = ?";
            one(connection, sql, [tenant], |cells| cells.get::<i64>())?
        }
        (Kind::CallbackAddresses, _) => {
            let sql = "SELECT count(*) FROM callback_address WHERE tenant = ?";
            one(connection, sql, [tenant], |cells| cells.get::<i64>())?
        }
        (Kind::ApiKeys, Holder::Tenant) => {
            let sql = "SELECT count(*) FROM api_key WHERE tenant = ? AND revoked_at IS NULL AND expires_at > ?";
            one(connection, sql, params![tenant, now.0], |cells| cells.get::<i64>())?
        }
        (Kind::ApiKeys, Holder::Caller(name)) => {
            let sql = "SELECT count(*) FROM api_key WHERE principal = ? AND revoked_at IS NULL AND expires_at > ?";
            one(connection, sql, params![name, now.0], |cells| cells.get::<i64>())?
        }
        _ => return uses::stored(connection, tenant, holder, kind, now),
    };
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}
