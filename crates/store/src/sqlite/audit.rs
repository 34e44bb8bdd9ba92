//! Reading the audit log and looking through it.

use muster_broker::fault::FaultName;
use muster_broker::id::{DeviceOid, JobId, TaskId};
use muster_broker::ledger::chain::{Broken, Verifier};
use muster_broker::ledger::{AuditEntry, AuditFilter, ChargeableEvent, Deed, EventId, Feed, Object, Outcome, Recorded};
use muster_broker::page::{Listed, Page};
use muster_broker::store::{Due, Erased, ErasureOf, LedgerStore, Pending};
use muster_broker::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::SqliteStore;
use super::ledger::{self, Draft, Sha};
use super::query::{Where, foreign_key, listed, many, one};
use super::rows::{Cells, Done, Failure};
use super::writer::{Concerns, Guard};
use super::{charges, erasure};

/// Entries looked at for one page of a list: a filter that hardly anything matches must not keep a reader.
const LOOKS_MAX: u32 = 20_000;
/// Entries counted for the total of a list.
const COUNTED_MAX: u32 = 10_000;

/// Columns for [`recorded`], from `audit a`.
const COLUMNS: &str = "a.number, a.at, a.tenant, a.actor, a.face, a.way, a.peer, a.correlation, a.operation, a.fault, \
    a.count, a.object_kind, a.object_id, a.before, a.after, a.personal, a.salt, a.seal, a.task, a.job, a.device, \
    a.device_session, a.hash";

fn recorded(cells: &mut Cells<'_>) -> Done<Recorded> {
    let unreadable = || Failure::Broken("an entry of the audit log cannot be read; run muster audit verify".into());
    let number = cells.get()?;
    let mut entry = AuditEntry {
        at: cells.time()?,
        tenant: cells.get()?,
        actor: cells.get()?,
        face: cells.get()?,
        way: cells.get()?,
        peer: cells.get::<Option<String>>()?.map(|peer| peer.parse()).transpose().map_err(|_| unreadable())?,
        correlation: cells.get::<Option<[u8; 16]>>()?.map(Uuid::from_bytes),
        operation: cells.get()?,
        outcome: match cells.get::<Option<String>>()? {
            None => Outcome::Done,
            Some(code) => Outcome::Refused(
                FaultName::ALL.iter().copied().find(|name| name.message_id() == code).ok_or_else(unreadable)?,
            ),
        },
        count: cells.get()?,
        object_kind: cells.get()?,
        object_id: cells.get()?,
        before: cells.get()?,
        after: cells.get()?,
        personal: cells.get()?,
        task: None,
        job: None,
        device: None,
        device_session: None,
        object: Object::named("", None),
        subjects: Vec::new(),
    };
    let (salt, seal) = (cells.get()?, cells.get()?);
    let id = |text: Option<String>| text.ok_or(());
    entry.task = id(cells.get()?).ok().map(|text| TaskId::parse(&text)).transpose().map_err(|_| unreadable())?;
    entry.job = id(cells.get()?).ok().map(|text| JobId::parse(&text)).transpose().map_err(|_| unreadable())?;
    entry.device = id(cells.get()?).ok().map(|text| DeviceOid::parse(&text)).transpose().map_err(|_| unreadable())?;
    entry.device_session = cells.get()?;
    Ok(Recorded { number, entry, salt, seal, hash: cells.get()? })
}

/// The first number whose entry was made at `at` or later; the log goes forward in time.
pub(super) fn number_at(connection: &Connection, at: Timestamp) -> Done<i64> {
    let last = one(connection, "SELECT coalesce(max(number), 0) FROM audit", [], |cells| cells.get::<i64>())?;
    let (mut low, mut high) = (1, last.unwrap_or(0).saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let then = one(connection, "SELECT at FROM audit WHERE number = ?", [middle], |cells| cells.get::<i64>())?;
        if then.is_some_and(|then| then < at.0) { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

/// The rows that a filter is looked for among: an index that gives them in order of their numbers.
fn among(tenant: Option<&str>, filter: &AuditFilter) -> (&'static str, Where) {
    let mut wanted = Where::default();
    let mut keys = filter.keys(&Sha).into_iter();
    if let Some(key) = keys.next() {
        wanted.and("a.key = ?", [Value::from(key.to_vec())]);
        return ("audit_key a", wanted);
    }
    wanted.equal("a.tenant", tenant);
    if tenant.is_some() && filter.actor.is_some() {
        wanted.equal("a.actor", filter.actor.as_deref());
        ("audit a INDEXED BY audit_actor", wanted)
    } else if tenant.is_some() && filter.is_refused == Some(true) {
        wanted.and("a.fault IS NOT NULL", []);
        ("audit a INDEXED BY audit_refused", wanted)
    } else if tenant.is_some() {
        ("audit a INDEXED BY audit_tenant", wanted)
    } else {
        ("audit a", wanted)
    }
}

/// What each entry must be besides.
fn matching(tenant: Option<&str>, filter: &AuditFilter) -> Where {
    let mut wanted = Where::default();
    wanted.equal("a.tenant", tenant);
    wanted.equal("a.actor", filter.actor.as_deref());
    wanted.equal("a.operation", filter.operation.as_deref());
    wanted.equal("a.object_kind", filter.object_kind.as_deref());
    match filter.is_refused {
        Some(true) => wanted.and("a.fault IS NOT NULL", []),
        Some(false) => wanted.and("a.fault IS NULL", []),
        None => {}
    }
    for key in filter.keys(&Sha) {
        let is_there = "EXISTS (SELECT 1 FROM audit_key k WHERE k.key = ? AND k.number = a.number)";
        wanted.and(is_there, [Value::from(key.to_vec())]);
    }
    wanted
}

fn list(connection: &Connection, tenant: Option<&str>, filter: &AuditFilter, page: &Page) -> Done<Listed<Recorded>> {
    let first = filter.since.map_or(Ok(1), |since| number_at(connection, since))?;
    let end = filter.until.map(|until| number_at(connection, until)).transpose()?.unwrap_or(i64::MAX);
    let after = match &page.after {
        None => first.saturating_sub(1),
        Some(key) => key.parse::<i64>().map_err(|_| foreign_key())?.max(first.saturating_sub(1)),
    };
    let looked = |after: i64, limit: u32| -> Done<Vec<i64>> {
        let (from, mut wanted) = among(tenant, filter);
        wanted.and("a.number > ? AND a.number < ?", [Value::from(after), Value::from(end)]);
        // The last one alone is wanted, by the index alone.
        wanted.select(connection, "a.number", from, "a.number", limit, |cells| cells.get())
    };
    let within = |after: i64, last: i64| {
        let mut wanted = matching(tenant, filter);
        wanted.and("a.number > ? AND a.number <= ?", [Value::from(after), Value::from(last)]);
        wanted
    };
    let (from, _) = among(tenant, filter);
    let from = if from.starts_with("audit_key") { "audit_key k0 JOIN audit a ON a.number = k0.number" } else { from };
    let narrowed = |mut wanted: Where| {
        if let Some(key) = filter.keys(&Sha).first().filter(|_| from.starts_with("audit_key")) {
            wanted.and("k0.key = ?", [Value::from(key.to_vec())]);
        }
        wanted
    };
    let counted = looked(first.saturating_sub(1), COUNTED_MAX)?;
    let total = match counted.last() {
        Some(last) => narrowed(within(first.saturating_sub(1), *last)).count(connection, from)?,
        None => 0,
    };
    let numbers = looked(after, LOOKS_MAX)?;
    let Some(last) = numbers.last().copied() else { return Ok(Listed { items: Vec::new(), total, next: None }) };
    let limit = page.size.saturating_add(1);
    let items = narrowed(within(after, last)).select(connection, COLUMNS, from, "a.number", limit, recorded)?;
    let mut found = listed(items, page, total, |recorded| recorded.number.to_string());
    if found.next.is_none() && numbers.len() >= LOOKS_MAX as usize {
        found.next = Some(last.to_string());
    }
    Ok(found)
}

/// Entries of every domain after a number, in order.
pub(super) fn after(connection: &Connection, number: i64, limit: u32) -> Done<Vec<Recorded>> {
    let sql = format!("SELECT {COLUMNS} FROM audit a WHERE a.number > ? ORDER BY a.number LIMIT ?");
    many(connection, &sql, params![number, limit], recorded)
}

/// Goes on with looking through the log.
pub(super) fn verify(
    connection: &Connection,
    mut verifier: Verifier,
    limit: u32,
) -> Done<(Verifier, Result<Due, Broken>)> {
    if let Some(number) = verifier.unconfirmed() {
        let hash = one(connection, "SELECT hash FROM audit WHERE number = ?", [number], |cells| cells.get())?;
        if let Err(broken) = verifier.confirm(hash) {
            return Ok((verifier, Err(broken)));
        }
    }
    let after = verifier.head().number;
    // What stands before the first number is as wrong as what is missing.
    let after = if after == 0 { i64::MIN } else { after };
    let sql = format!("SELECT {COLUMNS} FROM audit a WHERE a.number > ? ORDER BY a.number LIMIT ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![after, limit.max(1)])?;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        seen += 1;
        let taken = match recorded(&mut Cells::new(row)) {
            Ok(recorded) => verifier.take(&Sha, &recorded),
            // Nothing that was written as it should be is unreadable.
            Err(_) => Err(Broken::Changed { number: row.get(0)? }),
        };
        if let Err(broken) = taken {
            return Ok((verifier, Err(broken)));
        }
    }
    Ok((verifier, Ok(if seen >= limit.max(1) { Due::More } else { Due::Nothing })))
}

impl LedgerStore for SqliteStore {
    fn audit_add(&self, entries: Vec<AuditEntry>) -> Pending<'_, ()> {
        let bytes = entries.len().saturating_mul(1024);
        Box::pin(async move {
            let drafts = entries.into_iter().map(Draft::new).collect::<Done<Vec<_>>>()?;
            self.queue(Guard::Savepoint, bytes, Concerns::NoDevice, move |transaction| {
                drafts.into_iter().try_for_each(|draft| ledger::append(transaction, draft))
            })
            .await
        })
    }

    fn audit_list(&self, tenant: Option<&str>, filter: AuditFilter, page: Page) -> Pending<'_, Listed<Recorded>> {
        let tenant = tenant.map(str::to_owned);
        Box::pin(self.scan(move |connection| list(connection, tenant.as_deref(), &filter, &page)))
    }

    fn audit_verify(&self, verifier: Verifier, limit: u32) -> Pending<'_, (Verifier, Result<Due, Broken>)> {
        Box::pin(self.scan(move |connection| verify(connection, verifier, limit)))
    }

    fn charge_add(&self, events: Vec<ChargeableEvent>) -> Pending<'_, ()> {
        let bytes = events.len().saturating_mul(256);
        Box::pin(self.queue(Guard::Savepoint, bytes, Concerns::NoDevice, move |transaction| {
            events.iter().try_for_each(|event| charges::add(transaction, event))
        }))
    }

    fn charge_feed(&self, tenant: Option<&str>, after: EventId, limit: u32) -> Pending<'_, Feed> {
        let tenant = tenant.map(str::to_owned);
        Box::pin(self.scan(move |connection| charges::feed(connection, tenant.as_deref(), after, limit)))
    }

    fn personal_erase(&self, id: Uuid, of: ErasureOf, deed: Deed) -> Pending<'_, Erased> {
        let vault = self.vault();
        Box::pin(
            self.write(Guard::Savepoint, 1 << 20, move |transaction| {
                erasure::begin(transaction, &vault, id, of, &deed)
            }),
        )
    }

    fn personal_erase_step(&self, id: Uuid, now: Timestamp, limit: u32) -> Pending<'_, Option<Erased>> {
        let vault = self.vault();
        Box::pin(
            self.write(Guard::Savepoint, 1 << 20, move |transaction| {
                erasure::step(transaction, &vault, id, now, limit)
            }),
        )
    }

    fn personal_erase_pump(&self, now: Timestamp, limit: u32) -> Pending<'_, Due> {
        let vault = self.vault();
        Box::pin(
            self.write(Guard::Savepoint, 1 << 20, move |transaction| erasure::pump(transaction, &vault, now, limit)),
        )
    }
}
