//! Imports of any number of records: batches, each with the position of its import in one transaction.

use muster_broker::fault::{Fault, FaultName};
use muster_broker::ledger::{AuditEntry, Deed, Object, Picture};
use muster_broker::quota::Kind;
use muster_broker::store::{
    ImportBatch, ImportKey, ImportOutcome, ImportState, ImportStep, ImportStore, ImportTotals, Pending,
};
use muster_broker::time::Timestamp;
use rusqlite::{Connection, params};

use super::query::{one, run};
use super::rows::{Cells, Done, Failure};
use super::writer::{Guard, Transaction};
use super::{SqliteStore, bulk, ledger, quotas};
use crate::vault::FileVault;

/// About what one record adds to a transaction.
const RECORD_BYTES: usize = 1024;

fn count(cells: &mut Cells<'_>) -> Done<u64> {
    Ok(u64::try_from(cells.get::<i64>()?).unwrap_or(0))
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn get(connection: &Connection, key: &ImportKey) -> Done<Option<ImportState>> {
    one(
        connection,
        "SELECT rows, created, updated, unchanged, refused, is_complete, content, began_at, updated_at FROM import \
         WHERE tenant = ? AND owner = ? AND id = ?",
        params![key.tenant, key.owner, key.id],
        |cells| {
            Ok(ImportState {
                rows: count(cells)?,
                totals: ImportTotals {
                    created: count(cells)?,
                    updated: count(cells)?,
                    unchanged: count(cells)?,
                    refused: count(cells)?,
                },
                is_complete: cells.get()?,
                content: cells.get()?,
                began_at: cells.time()?,
                updated_at: cells.time()?,
            })
        },
    )
}

/// Refuses a batch that brings the domain above its quota of records.
fn created(connection: &Connection, tenant: &str, outcome: &ImportOutcome, now: Timestamp) -> Done<()> {
    let created = usize::try_from(outcome.totals.created).unwrap_or(usize::MAX);
    quotas::records_made(connection, tenant, "", Kind::Devices, created, now)
}

fn import(connection: &Transaction<'_>, vault: &FileVault, batch: ImportBatch) -> Done<Result<ImportOutcome, Fault>> {
    let ImportBatch { tenant, writes, step, is_dry_run, deed } = batch;
    let deed = deed.told_together();
    if is_dry_run {
        // What would become of the rows is best said by what does become of them, once it is undone.
        let head = connection.ledger.get();
        run(connection, "SAVEPOINT dry_run", [])?;
        let outcome = bulk::write(connection, vault, &tenant, writes, &deed);
        run(connection, "ROLLBACK TO dry_run", [])?;
        connection.ledger.set(head);
        run(connection, "RELEASE dry_run", [])?;
        return outcome.map(Ok);
    }
    let owner = step.as_ref().map(|step| step.key.owner.clone());
    quotas::rows_imported(connection, &tenant, owner.as_deref(), writes.len(), deed.at)?;
    let Some(step) = step else {
        let outcome = bulk::write(connection, vault, &tenant, writes, &deed)?;
        created(connection, &tenant, &outcome, deed.at)?;
        tell(connection, &deed, None, &outcome.totals)?;
        return Ok(Ok(outcome));
    };
    let stored = get(connection, &step.key)?;
    if let Some(fault) = out_of_step(stored.as_ref(), &step) {
        return Ok(Err(fault));
    }
    let outcome = bulk::write(connection, vault, &tenant, writes, &deed)?;
    created(connection, &tenant, &outcome, deed.at)?;
    tell(connection, &deed, Some(&step), &outcome.totals)?;
    advance(connection, &step, &outcome.totals, deed.at)?;
    Ok(Ok(outcome))
}

/// Tells the log of a batch. Its file is the evidence of what the new records say.
fn tell(connection: &Transaction<'_>, deed: &Deed, step: Option<&ImportStep>, totals: &ImportTotals) -> Done<()> {
    if totals.created + totals.updated == 0 {
        return Ok(());
    }
    let told = Picture::of(serde_json::json!({
        "created": totals.created,
        "updated": totals.updated,
        "unchanged": totals.unchanged,
        "refused": totals.refused,
        "fromRow": step.map(|step| step.from),
    }));
    let object = Object::named("import", step.map(|step| step.key.id.as_str()));
    ledger::add(connection, AuditEntry::done(deed, object, None, Some(told)))
}

/// Why a batch does not go on with its import, if so.
fn out_of_step(stored: Option<&ImportState>, step: &ImportStep) -> Option<Fault> {
    let (rows, is_complete) = stored.map_or((0, false), |stored| (stored.rows, stored.is_complete));
    if stored.is_some_and(|stored| stored.content != step.content) {
        let text = "an import of this name was begun with other columns or options; use a new name";
        return Some(Fault::new(FaultName::RequestIdReused, text).with(&step.key.id));
    }
    if is_complete || rows != step.from {
        let text =
            "another request goes on with this import; ask how far it is, and resume it once the other has ended";
        return Some(Fault::new(FaultName::WrongState, text).with(rows));
    }
    None
}

fn advance(connection: &Connection, step: &ImportStep, totals: &ImportTotals, now: Timestamp) -> Done<()> {
    if step.to < step.from {
        return Err(Failure::Broken(format!("an import goes back from row {} to {}", step.from, step.to)));
    }
    run(
        connection,
        "INSERT INTO import (tenant, owner, id, content, rows, created, updated, unchanged, refused, is_complete, \
         began_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11) \
         ON CONFLICT (tenant, owner, id) DO UPDATE SET rows = excluded.rows, created = created + excluded.created, \
         updated = updated + excluded.updated, unchanged = unchanged + excluded.unchanged, \
         refused = refused + excluded.refused, is_complete = excluded.is_complete, updated_at = excluded.updated_at",
        params![
            step.key.tenant,
            step.key.owner,
            step.key.id,
            step.content,
            number(step.to),
            number(totals.created),
            number(totals.updated),
            number(totals.unchanged),
            number(totals.refused.saturating_add(step.refused)),
            step.is_last,
            now.0,
        ],
    )?;
    Ok(())
}

impl ImportStore for SqliteStore {
    fn device_import(&self, batch: ImportBatch) -> Pending<'_, Result<ImportOutcome, Fault>> {
        let vault = self.vault();
        let bytes = batch.writes.len().saturating_mul(RECORD_BYTES);
        Box::pin(self.write(Guard::Savepoint, bytes, move |connection| import(connection, &vault, batch)))
    }

    fn import_get(&self, key: ImportKey) -> Pending<'_, Option<ImportState>> {
        Box::pin(async move { self.points.read(|connection| get(connection, &key)) })
    }

    fn import_forget(&self, key: ImportKey) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 256, move |connection| {
            run(
                connection,
                "DELETE FROM import WHERE tenant = ? AND owner = ? AND id = ?",
                params![key.tenant, key.owner, key.id],
            )?;
            Ok(())
        }))
    }

    fn import_forget_old(&self, before: Timestamp) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 256, move |connection| {
            run(connection, "DELETE FROM import WHERE updated_at < ?", [before.0])?;
            Ok(())
        }))
    }
}
