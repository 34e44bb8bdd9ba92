//! The tables that an erasure goes through, and what it takes out of each.

use muster_broker::id::{JobId, TaskId};
use muster_broker::job::Selector;
use muster_broker::ledger::ERASED;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::pages::{Change, Row, Table};
use super::{Erasure, left};
use crate::sqlite::callbacks;
use crate::sqlite::counts;
use crate::sqlite::query::{one, run};
use crate::sqlite::rows::{Done, job_status};

/// What is looked through, in this order. An erasure keeps its place here, so a stage is only ever added at the end.
/// What was left is told when it ends, so the callbacks come after it once more.
const STAGES: [Stage; 13] = [
    Stage::Table(&ENTRIES, entry),
    Stage::Table(&TASKS, task),
    Stage::Table(&HISTORY, history),
    Stage::Table(&JOBS, job),
    Stage::Table(&APPROVALS, approval),
    Stage::Table(&REQUESTS, request),
    Stage::Table(&QUEUES, queue),
    Stage::Table(&OUTBOX, waiting),
    Stage::Table(&LETTERS, letter),
    Stage::Left,
    Stage::Table(&QUEUES, queue),
    Stage::Table(&OUTBOX, waiting),
    Stage::Table(&LETTERS, letter),
];

enum Stage {
    /// Each row of a table.
    Table(&'static Table, fn(&Connection, &mut Erasure, &Row) -> Done<()>),
    /// What was under way.
    Left,
}

/// How it went.
pub(super) enum Went {
    /// On.
    On,
    /// Something is still under way.
    Waits,
}

pub(super) fn count() -> usize {
    STAGES.len()
}

/// Goes on by a page.
pub(super) fn page(connection: &Connection, erasure: &mut Erasure, limit: u32) -> Done<Went> {
    let limit = limit.max(1);
    match STAGES.get(erasure.stage) {
        Some(Stage::Table(table, take)) => {
            let rows = table.page(connection, erasure.after.as_deref(), limit)?;
            for row in &rows {
                take(connection, erasure, row)?;
            }
            let is_full = u32::try_from(rows.len()).is_ok_and(|found| found >= limit);
            erasure.after = rows.last().filter(|_| is_full).map(Row::place).transpose()?;
            if !is_full {
                next(erasure);
            }
        }
        Some(Stage::Left) => {
            if !left::page(connection, erasure, limit)? {
                return Ok(Went::Waits);
            }
            if erasure.after.is_none() {
                next(erasure);
            }
        }
        None => {}
    }
    Ok(Went::On)
}

fn next(erasure: &mut Erasure) {
    erasure.stage = erasure.stage.saturating_add(1);
    if matches!(STAGES.get(erasure.stage), Some(Stage::Left)) && !erasure.has_waited {
        erasure.stage = count();
    }
}

const ENTRIES: Table = Table { name: "audit", key: &["number"], columns: &["tenant", "at", "personal", "number"] };

fn entry(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    let has_name = erasure.concerns(row.text(0), row.integer(1)) && erasure.is_in(row.text(2));
    if has_name { take_entry(connection, erasure, row.integer(3)) } else { Ok(()) }
}

/// Takes the personal data of an entry away. Its hash has of them only the seal, and stays.
pub(super) fn take_entry(connection: &Connection, erasure: &mut Erasure, number: i64) -> Done<()> {
    run(connection, "UPDATE audit SET personal = NULL, salt = NULL WHERE number = ?", [number])?;
    erasure.erased.entries = erasure.erased.entries.saturating_add(1);
    Ok(())
}

const TASKS: Table = Table {
    name: "task",
    key: &["rowid"],
    columns: &[
        "tenant",
        "created_at",
        "phone_number",
        "expected",
        "actual",
        "detail",
        "result",
        "arguments",
        "callback",
        "is_open",
        "bucket",
        "id",
        "history",
    ],
};

fn task(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    let has_name = (2..=8).any(|column| erasure.is_in(row.text(column)));
    if has_name && erasure.concerns(row.text(0), row.integer(1)) { task_row(connection, erasure, row) } else { Ok(()) }
}

/// Takes the names out of a task that is over, and out of its history.
pub(super) fn take_task(connection: &Connection, erasure: &mut Erasure, id: TaskId) -> Done<()> {
    let at = params![id.bucket.0, id.unique.as_bytes()];
    let sql = "SELECT rowid FROM task WHERE bucket = ? AND id = ?";
    let Some(place) = one(connection, sql, at, |cells| cells.get::<i64>())? else { return Ok(()) };
    match TASKS.row_at(connection, &[Value::Integer(place)])? {
        Some(row) => task_row(connection, erasure, &row),
        None => Ok(()),
    }
}

fn task_row(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    if row.integer(9) != 0 {
        return left::note_task(connection, erasure, row.integer(10), row.octets(11));
    }
    let names = &erasure.names;
    let mut changes: Vec<Change> = Vec::new();
    for (place, column) in [(2, "phone_number"), (3, "expected"), (4, "actual")] {
        if row.text(place).is_some_and(|value| names.are(value)) {
            changes.push((column, None));
        }
    }
    changes.extend(row.text(5).and_then(|text| names.taken_out(text)).map(|rest| ("detail", Some(rest))));
    for (place, column) in [(6, "result"), (7, "arguments")] {
        changes.extend(row.text(place).and_then(|text| names.taken_out_of_json(text)).map(|rest| (column, Some(rest))));
    }
    if erasure.is_in(row.text(8)) {
        // Nobody could be told there any more.
        changes.push(("callback", None));
    }
    TASKS.change(connection, row, &changes)?;
    let mut has_changed = !changes.is_empty();
    let (entries, _) = row.octets(12).as_chunks::<8>();
    for entry in entries {
        let at = [Value::Integer(i64::from_be_bytes(*entry))];
        if let Some(row) = HISTORY.row_at(connection, &at)? {
            has_changed |= take_history(connection, erasure, &row)?;
        }
    }
    erasure.erased.tasks = erasure.erased.tasks.saturating_add(u64::from(has_changed));
    Ok(())
}

const HISTORY: Table =
    Table { name: "task_history", key: &["id"], columns: &["at", "detail", "device_id", "bucket", "task"] };

fn history(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    let has_name = erasure.is_in(row.text(1)) || erasure.is_in(row.text(2));
    if !has_name || row.integer(0) > erasure.requested_at.0 {
        return Ok(());
    }
    let sql = "SELECT tenant FROM task WHERE bucket = ? AND id = ?";
    let tenant = one(connection, sql, params![row.integer(3), row.octets(4)], |cells| cells.get::<String>())?;
    if tenant.is_none_or(|tenant| tenant == erasure.tenant) && take_history(connection, erasure, row)? {
        erasure.erased.texts = erasure.erased.texts.saturating_add(1);
    }
    Ok(())
}

fn take_history(connection: &Connection, erasure: &Erasure, row: &Row) -> Done<bool> {
    let detail = row.text(1).and_then(|text| erasure.names.taken_out(text));
    let mut changes: Vec<Change> = detail.map(|rest| ("detail", Some(rest))).into_iter().collect();
    if row.text(2).is_some_and(|id| erasure.names.are(id)) {
        changes.push(("device_id", None));
    }
    HISTORY.change(connection, row, &changes)?;
    Ok(!changes.is_empty())
}

const JOBS: Table = Table {
    name: "job",
    key: &["id"],
    columns: &[
        "tenant",
        "created_at",
        "status",
        "name",
        "description",
        "detail",
        "template",
        "selector",
        "callback",
        "id",
    ],
};

fn job(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    if !erasure.concerns(row.text(0), row.integer(1)) {
        return Ok(());
    }
    let mut changes: Vec<Change> = Vec::new();
    for (place, column) in [(3, "name"), (4, "description"), (5, "detail")] {
        changes.extend(row.text(place).and_then(|text| erasure.names.taken_out(text)).map(|rest| (column, Some(rest))));
    }
    let needed = [6, 7, 8].map(|place| erasure.is_in(row.text(place)));
    if needed.contains(&true) && !job_status(row.integer(2))?.is_final() {
        left::note_job(connection, erasure, row.octets(9))?;
    } else {
        let [_, selector, callback] = needed;
        let template = row.text(6).and_then(|text| erasure.names.taken_out_of_json(text));
        if template.is_some() || selector {
            // From a template that lost a value no more tasks may be made.
            let rest = row.text(7).filter(|_| template.is_none());
            changes.push(("selector", rest.map(|text| without_names(erasure, text)).transpose()?.flatten()));
        }
        changes.extend(template.map(|rest| ("template", Some(rest))));
        if callback {
            changes.push(("callback", None));
        }
    }
    JOBS.change(connection, row, &changes)?;
    let explained = counts::explain_anew(connection, row.octets(9), |reason| erasure.names.taken_out(reason))?;
    erasure.erased.texts = erasure.erased.texts.saturating_add(u64::from(explained || !changes.is_empty()));
    Ok(())
}

/// Takes the names out of a job that is over.
pub(super) fn take_job(connection: &Connection, erasure: &mut Erasure, id: JobId) -> Done<()> {
    match JOBS.row_at(connection, &[Value::Blob(id.0.as_bytes().to_vec())])? {
        Some(row) => job(connection, erasure, &row),
        None => Ok(()),
    }
}

/// A selector without the devices that have a name; nothing where it is about them in another way.
fn without_names(erasure: &Erasure, text: &str) -> Done<Option<String>> {
    let mut selector: Selector = serde_json::from_str(text)?;
    selector.phone_number.retain(|number| !erasure.names.are(number.as_str()));
    selector.device_id.retain(|id| !erasure.names.are(id.as_str()));
    let rest = serde_json::to_string(&selector)?;
    Ok((!selector.is_empty() && !erasure.names.are_in(&rest)).then_some(rest))
}

const APPROVALS: Table =
    Table { name: "approval", key: &["id"], columns: &["tenant", "requested_at", "summary", "reason"] };

fn approval(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    if erasure.concerns(row.text(0), row.integer(1)) {
        let names = &erasure.names;
        let summary = row.text(2).and_then(|text| names.taken_out_of_json(text)).map(|rest| ("summary", Some(rest)));
        let reason = row.text(3).and_then(|text| names.taken_out(text)).map(|rest| ("reason", Some(rest)));
        texts(connection, erasure, &APPROVALS, row, &summary.into_iter().chain(reason).collect::<Vec<Change>>())?;
    }
    Ok(())
}

const REQUESTS: Table =
    Table { name: "request", key: &["caller", "operation", "request_id"], columns: &["caller", "at", "answer"] };

fn request(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    // A key is one of a caller in the domain it works in: both stand in it.
    let tenant = row.text(0).and_then(|caller| caller.split_once('/')).map(|(tenant, _)| tenant);
    if erasure.concerns(tenant, row.integer(1)) {
        // An answer without a name that it needs is none: who repeats the request is told so.
        let has_name = row.text(2).and_then(|text| erasure.names.taken_out_of_json(text)).is_some();
        let answer = has_name.then(|| ("answer", Some(ERASED.to_owned())));
        texts(connection, erasure, &REQUESTS, row, answer.as_slice())?;
    }
    Ok(())
}

fn texts(connection: &Connection, erasure: &mut Erasure, table: &Table, row: &Row, changes: &[Change]) -> Done<()> {
    table.change(connection, row, changes)?;
    erasure.erased.texts = erasure.erased.texts.saturating_add(u64::from(!changes.is_empty()));
    Ok(())
}

const QUEUES: Table = Table { name: "callback_queue", key: &["id"], columns: &["tenant", "url", "id"] };

/// An address that has a name in it is told nothing any more.
fn queue(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    if row.text(0) == Some(&erasure.tenant) && erasure.is_in(row.text(1)) {
        run(connection, "DELETE FROM outbox WHERE queue = ?", [row.octets(2)])?;
        QUEUES.delete(connection, row)?;
        erasure.erased.texts = erasure.erased.texts.saturating_add(1);
    }
    Ok(())
}

const OUTBOX: Table = Table { name: "outbox", key: &["queue", "number"], columns: &["queue", "kind", "content"] };

fn waiting(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    if !erasure.is_in(row.text(2)) {
        return Ok(());
    }
    let sql = "SELECT tenant FROM callback_queue WHERE id = ?";
    let tenant = one(connection, sql, [row.octets(0)], |cells| cells.get::<String>())?;
    if tenant.is_some_and(|tenant| tenant == erasure.tenant) {
        told(connection, erasure, &OUTBOX, row)?;
    }
    Ok(())
}

const LETTERS: Table =
    Table { name: "dead_letter", key: &["tenant", "died_at", "id"], columns: &["tenant", "kind", "content", "url"] };

fn letter(connection: &Connection, erasure: &mut Erasure, row: &Row) -> Done<()> {
    if row.text(0) != Some(&erasure.tenant) {
        return Ok(());
    }
    if erasure.is_in(row.text(3)) {
        // Told at another address it would be another letter.
        LETTERS.delete(connection, row)?;
        erasure.erased.texts = erasure.erased.texts.saturating_add(1);
        return Ok(());
    }
    told(connection, erasure, &LETTERS, row)
}

/// Takes the names out of what is to be told, or was given up.
fn told(connection: &Connection, erasure: &mut Erasure, table: &Table, row: &Row) -> Done<()> {
    let Some(content) = row.text(2) else { return Ok(()) };
    if let Some(rest) = callbacks::without(row.integer(1), content, &erasure.names)? {
        table.change(connection, row, &[("content", Some(rest))])?;
        erasure.erased.texts = erasure.erased.texts.saturating_add(1);
    }
    Ok(())
}

impl Erasure {
    fn is_in(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| self.names.are_in(text))
    }

    /// Whether a row is of its domain and was there when it was asked for.
    fn concerns(&self, tenant: Option<&str>, made_at: i64) -> bool {
        tenant == Some(&self.tenant) && made_at <= self.requested_at.0
    }
}
