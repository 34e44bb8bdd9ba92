//! Taking the names of a subscriber out of everything that is kept besides the records of devices and subscribers.
//!
//! What an index finds goes in the transaction that begins the erasure. The rest is found by looking through the tables,
//! page by page, with the place kept beside the sealed names, so that a server that was killed goes on where it was.
//! Tasks and jobs under way need what they have; they are noted, and come back to once they have ended.

mod found;
mod left;
mod pages;
mod stages;

use muster_broker::device::Sealed;
use muster_broker::ledger::{AuditEntry, Deed, Names, Object, Picture, Subject};
use muster_broker::ports::Vault as _;
use muster_broker::store::{Due, Erased, ErasureOf, Rest};
use muster_broker::time::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::ledger;
use super::query::{one, run};
use super::rows::{Cells, Done, Failure};
use super::writer::Transaction;
use crate::vault::FileVault;

/// How often what is under way is looked at again.
const LOOK_AGAIN_S: i64 = 60;

/// An erasure under way.
struct Erasure {
    id: Uuid,
    tenant: String,
    names: Names,
    subjects: Vec<Subject>,
    actor: String,
    correlation: Option<Uuid>,
    /// What was made later is not looked at.
    requested_at: Timestamp,
    stage: usize,
    after: Option<String>,
    erased: Erased,
    has_waited: bool,
}

/// The names as they are kept, sealed.
#[derive(Deserialize, Serialize)]
struct KeptNames {
    subjects: Vec<String>,
    others: Vec<String>,
}

/// Takes away what an index finds, and notes that the rest is to be looked through.
pub(super) fn begin(
    transaction: &Transaction<'_>,
    vault: &FileVault,
    id: Uuid,
    of: ErasureOf,
    deed: &Deed,
) -> Done<Erased> {
    let (subjects, others) = found::all_names(transaction, &deed.tenant, of)?;
    let mut erasure = Erasure {
        id,
        tenant: deed.tenant.clone(),
        names: Names::of(&subjects, &others),
        actor: deed.actor.clone(),
        correlation: deed.correlation,
        requested_at: deed.at,
        stage: 0,
        after: None,
        erased: Erased::default(),
        has_waited: false,
        subjects,
    };
    found::take(transaction, &mut erasure)?;
    let kept =
        KeptNames { subjects: erasure.subjects.iter().map(|subject| subject.as_str().to_owned()).collect(), others };
    run(
        transaction,
        "INSERT INTO erasure (id, tenant, names, actor, correlation, requested_at, due_at, stage, entries, tasks, devices, \
         texts, has_waited) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, 0)",
        params![
            id.as_bytes(),
            erasure.tenant,
            vault.seal(&serde_json::to_vec(&kept)?).0,
            erasure.actor,
            erasure.correlation.as_ref().map(|it| it.as_bytes()),
            erasure.requested_at.0,
            erasure.requested_at.0,
            number(erasure.erased.entries),
            number(erasure.erased.tasks),
            number(erasure.erased.devices),
            number(erasure.erased.texts),
        ],
    )?;
    let told = Picture::of(json!({ "names": erasure.subjects.len() }));
    ledger::add(transaction, AuditEntry::done(deed, object(id), None, Some(told)))?;
    Ok(erasure.erased)
}

/// Goes on with an erasure by a page.
pub(super) fn step(
    transaction: &Transaction<'_>,
    vault: &FileVault,
    id: Uuid,
    now: Timestamp,
    limit: u32,
) -> Done<Option<Erased>> {
    let Some(mut erasure) = load(transaction, vault, id)? else { return Ok(None) };
    let mut due_at = erasure.requested_at;
    erasure.erased.rest = match stages::page(transaction, &mut erasure, limit)? {
        stages::Went::On if erasure.stage >= stages::count() => Rest::Nothing,
        stages::Went::On => Rest::More,
        stages::Went::Waits => {
            due_at = now.plus_s(LOOK_AGAIN_S);
            Rest::UnderWay
        }
    };
    if erasure.erased.rest == Rest::Nothing {
        end(transaction, &erasure, now)?;
    } else {
        keep(transaction, &erasure, due_at)?;
    }
    Ok(Some(erasure.erased))
}

/// Goes on with the erasure that has waited longest.
pub(super) fn pump(transaction: &Transaction<'_>, vault: &FileVault, now: Timestamp, limit: u32) -> Done<Due> {
    let sql = "SELECT id FROM erasure WHERE due_at <= ? ORDER BY due_at LIMIT 1";
    let Some(id) = one(transaction, sql, [now.0], |cells| cells.uuid())? else { return Ok(Due::Nothing) };
    step(transaction, vault, id, now, limit)?;
    Ok(Due::More)
}

fn load(connection: &Connection, vault: &FileVault, id: Uuid) -> Done<Option<Erasure>> {
    let read = |cells: &mut Cells<'_>| {
        let (tenant, names) = (cells.get()?, Sealed(cells.get()?));
        let opened =
            vault.open(&names).map_err(|_| Failure::Broken("the names of an erasure cannot be opened".into()))?;
        let KeptNames { subjects, others } = serde_json::from_slice(&opened)?;
        let subjects: Vec<Subject> = subjects.into_iter().map(Subject::kept).collect();
        let count = |cells: &mut Cells<'_>| Done::Ok(u64::try_from(cells.get::<i64>()?).unwrap_or(0));
        Ok(Erasure {
            id,
            tenant,
            names: Names::of(&subjects, &others),
            subjects,
            actor: cells.get()?,
            correlation: cells.get::<Option<[u8; 16]>>()?.map(Uuid::from_bytes),
            requested_at: cells.time()?,
            stage: usize::try_from(cells.get::<i64>()?).unwrap_or(usize::MAX),
            after: cells.get()?,
            erased: Erased {
                entries: count(cells)?,
                tasks: count(cells)?,
                devices: count(cells)?,
                texts: count(cells)?,
                rest: Rest::More,
            },
            has_waited: cells.get()?,
        })
    };
    let sql = "SELECT tenant, names, actor, correlation, requested_at, stage, after, entries, tasks, devices, texts, \
               has_waited FROM erasure WHERE id = ?";
    one(connection, sql, [id.as_bytes()], read)
}

fn keep(connection: &Connection, erasure: &Erasure, due_at: Timestamp) -> Done<()> {
    let Erasure { id, stage, after, erased, has_waited, .. } = erasure;
    run(
        connection,
        "UPDATE erasure SET due_at = ?, stage = ?, after = ?, entries = ?, tasks = ?, devices = ?, texts = ?, \
         has_waited = ? WHERE id = ?",
        params![
            due_at.0,
            i64::try_from(*stage).unwrap_or(i64::MAX),
            after,
            number(erased.entries),
            number(erased.tasks),
            number(erased.devices),
            number(erased.texts),
            has_waited,
            id.as_bytes(),
        ],
    )?;
    Ok(())
}

/// Forgets the names, and tells what was taken away.
fn end(transaction: &Transaction<'_>, erasure: &Erasure, now: Timestamp) -> Done<()> {
    let Erasure { id, tenant, erased, .. } = erasure;
    // What ended meanwhile was found by them.
    found::forget(transaction, tenant, &erasure.subjects)?;
    run(transaction, "DELETE FROM erasure WHERE id = ?", [id.as_bytes()])?;
    let deed = Deed::of_server(tenant, "erasePersonalData", now);
    let deed = Deed { actor: erasure.actor.clone(), correlation: erasure.correlation, ..deed };
    let told = Picture::of(json!({
        "entries": erased.entries,
        "tasks": erased.tasks,
        "devices": erased.devices,
        "texts": erased.texts,
        "complete": true,
    }));
    ledger::add(transaction, AuditEntry::done(&deed, object(*id), None, Some(told)))
}

fn object(id: Uuid) -> Object {
    Object::named("personalData", Some(&id.to_string()))
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
