//! What is used of quotas: mostly the same few rows, so those of one transaction are read and written once.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use muster_broker::quota::{Holder, Kind, Measure};
use muster_broker::time::Timestamp;
use rusqlite::{Connection, params};

use super::query::{one, run};
use super::rows::Done;

/// When what is counted now began to count; 0 for what counts always.
fn began(kind: Kind, now: Timestamp) -> i64 {
    match kind.measure() {
        Measure::Within(window) => window.began(now).0,
        Measure::AtOnce | Measure::Rate { .. } => 0,
    }
}

/// What is used as far as it is stored.
pub(super) fn stored(
    connection: &Connection,
    tenant: &str,
    holder: Holder<'_>,
    kind: Kind,
    now: Timestamp,
) -> Done<u64> {
    let count = one(
        connection,
        "SELECT sum(count) FROM quota_use WHERE tenant = ? AND principal = ? AND kind = ? AND began = ?",
        params![tenant, holder.as_str(), kind.as_str(), began(kind, now)],
        |cells| cells.get::<Option<i64>>(),
    )?;
    Ok(u64::try_from(count.flatten().unwrap_or(0)).unwrap_or(0))
}

/// Changes what is used, at once.
pub(super) fn change(
    connection: &Connection,
    tenant: &str,
    holder: Holder<'_>,
    kind: Kind,
    change: i64,
    now: Timestamp,
) -> Done<()> {
    write(connection, tenant, holder.as_str(), kind, began(kind, now), change)
}

fn write(connection: &Connection, tenant: &str, principal: &str, kind: Kind, began: i64, change: i64) -> Done<()> {
    if change == 0 {
        return Ok(());
    }
    // One thread writes, so one bucket of counters serves. A window that has passed is forgotten by the next one.
    run(
        connection,
        "INSERT INTO quota_use (tenant, principal, kind, bucket, began, count) VALUES (?1, ?2, ?3, 0, ?4, max(?5, 0)) \
         ON CONFLICT (tenant, principal, kind, bucket) DO UPDATE SET \
         count = CASE WHEN began = ?4 THEN max(count + ?5, 0) WHEN began < ?4 THEN max(?5, 0) ELSE count END, \
         began = max(began, ?4)",
        params![tenant, principal, kind.as_str(), began, change],
    )?;
    Ok(())
}

#[derive(Debug, Default)]
struct Use {
    /// As stored before this transaction, where somebody wanted to know.
    stored: Option<u64>,
    change: i64,
}

type OfCaller = BTreeMap<(Kind, i64), Use>;

/// What the jobs of one transaction use, written before the commit.
#[derive(Debug, Default)]
pub(super) struct Uses(RefCell<HashMap<String, HashMap<String, OfCaller>>>);

impl Uses {
    /// What is used, with what this transaction has added.
    pub(super) fn of(
        &self,
        connection: &Connection,
        tenant: &str,
        holder: Holder<'_>,
        kind: Kind,
        now: Timestamp,
    ) -> Done<u64> {
        self.with(tenant, holder, kind, now, |used| {
            let before = match used.stored {
                Some(before) => before,
                None => stored(connection, tenant, holder, kind, now)?,
            };
            used.stored = Some(before);
            Ok(before.saturating_add_signed(used.change))
        })
    }

    /// Remembers a change.
    pub(super) fn add(&self, tenant: &str, holder: Holder<'_>, kind: Kind, change: i64, now: Timestamp) {
        self.with(tenant, holder, kind, now, |used| used.change = used.change.saturating_add(change));
    }

    /// Writes what is remembered, and forgets it.
    pub(super) fn flush(&self, connection: &Connection) -> Done<()> {
        for (tenant, callers) in self.0.borrow_mut().drain() {
            for (principal, kinds) in callers {
                for ((kind, began), used) in kinds {
                    write(connection, &tenant, &principal, kind, began, used.change)?;
                }
            }
        }
        Ok(())
    }

    fn with<T>(
        &self,
        tenant: &str,
        holder: Holder<'_>,
        kind: Kind,
        now: Timestamp,
        work: impl FnOnce(&mut Use) -> T,
    ) -> T {
        let mut tenants = self.0.borrow_mut();
        if !tenants.contains_key(tenant) {
            tenants.insert(tenant.to_owned(), HashMap::new());
        }
        let Some(callers) = tenants.get_mut(tenant) else { return work(&mut Use::default()) };
        let key = (kind, began(kind, now));
        match callers.get_mut(holder.as_str()) {
            Some(kinds) => work(kinds.entry(key).or_default()),
            None => work(callers.entry(holder.as_str().to_owned()).or_default().entry(key).or_default()),
        }
    }
}
