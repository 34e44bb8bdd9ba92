//! Questions to second persons: their rows, and what becomes of what they are about.

use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::{ApprovalId, JobId, TaskId};
use muster_broker::ledger::{AuditEntry, Deed, Object as LedgerObject, Picture};
use muster_broker::page::{Listed, Page};
use muster_broker::power::{Action, Approval, ApprovalEvent, ApprovalStatus, Class, Object, Policy};
use muster_broker::store::{ApprovalFilter, Decision, Due};
use muster_broker::task::TaskEvent;
use muster_broker::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use serde_json::json;

use super::jobs::{self, Asked};
use super::query::{Where, foreign_key, listed, many, one, one_more, run};
use super::rows::{Cells, Done, number_in, value_in};
use super::tasks::{self, Note, Stored, page_key};
use super::writer::Transaction;
use super::{ledger, policies};

/// A class's number is its place here; places never change.
const CLASS: [Class; 5] = [Class::Wipe, Class::FactoryReset, Class::Lock, Class::Firmware, Class::Change];
/// As [`CLASS`]. The first is the only one that is not final.
const STATUS: [ApprovalStatus; 5] = [
    ApprovalStatus::Pending,
    ApprovalStatus::Approved,
    ApprovalStatus::Refused,
    ApprovalStatus::Expired,
    ApprovalStatus::Withdrawn,
];
/// As [`CLASS`].
const ACTION: [Action; 3] = [Action::Start, Action::Retry, Action::SetPolicy];

const APPROVAL: &str = "a.id, a.tenant, a.requester, a.class, a.action, a.task_bucket, a.task, a.device_bucket, \
    a.device, a.job, a.devices, a.summary, a.status, a.decided_by, a.reason, a.requested_at, a.expires_at, \
    a.decided_at, a.version, a.policy";

pub(super) fn class_number(class: Class) -> i64 {
    number_in(&CLASS, &class)
}

pub(super) fn class(number: i64) -> Done<Class> {
    value_in(&CLASS, number)
}

fn approval(cells: &mut Cells<'_>) -> Done<Approval> {
    let (id, tenant, requester) = (ApprovalId(cells.uuid()?), cells.get()?, cells.get()?);
    let (class, action) = (class(cells.get()?)?, value_in(&ACTION, cells.get()?)?);
    let (task, device, job) = (cells.maybe_task_id()?, cells.maybe_device_oid()?, cells.maybe_job()?);
    let mut approval = Approval {
        id,
        tenant,
        requester,
        class,
        object: Object::Policy(Box::default()),
        action,
        devices: u64::try_from(cells.get::<i64>()?).unwrap_or(0),
        summary: cells.json()?,
        status: value_in(&STATUS, cells.get()?)?,
        decided_by: cells.get()?,
        reason: cells.get()?,
        requested_at: cells.time()?,
        expires_at: cells.time()?,
        decided_at: cells.maybe_time()?,
        version: cells.get()?,
    };
    approval.object = match (task.zip(device), job, cells.get::<Option<String>>()?) {
        (Some((task, device)), _, _) => Object::Task(task, device),
        (None, Some(job), _) => Object::Job(job),
        (None, None, Some(policy)) => Object::Policy(Box::new(serde_json::from_str(&policy)?)),
        (None, None, None) => return Err(super::rows::Failure::Broken("an approval is about nothing".into())),
    };
    Ok(approval)
}

/// Keeps a new question; one that is there already is left alone.
pub(super) fn insert(connection: &Connection, approval: &Approval) -> Done<()> {
    let (task, device, job, policy) = match &approval.object {
        Object::Task(task, device) => (Some(*task), Some(*device), None, None),
        Object::Job(job) => (None, None, Some(*job), None),
        Object::Policy(policy) => (None, None, None, Some(serde_json::to_string(policy)?)),
    };
    run(
        connection,
        "INSERT INTO approval (id, tenant, requester, class, action, task_bucket, task, device_bucket, device, job, \
         devices, summary, status, decided_by, reason, requested_at, expires_at, decided_at, version, policy) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        params![
            approval.id.0.as_bytes(),
            approval.tenant,
            approval.requester,
            class_number(approval.class),
            number_in(&ACTION, &approval.action),
            task.map(|task| task.bucket.0),
            task.as_ref().map(|task| task.unique.as_bytes()),
            device.map(|device| device.bucket.0),
            device.as_ref().map(|device| device.unique.as_bytes()),
            job.as_ref().map(|job| job.0.as_bytes()),
            i64::try_from(approval.devices).unwrap_or(i64::MAX),
            serde_json::to_string(&approval.summary)?,
            number_in(&STATUS, &approval.status),
            approval.decided_by,
            approval.reason,
            approval.requested_at.0,
            approval.expires_at.0,
            approval.decided_at.map(|time| time.0),
            approval.version,
            policy,
        ],
    )?;
    Ok(())
}

fn update(connection: &Connection, approval: &Approval) -> Done<()> {
    run(
        connection,
        "UPDATE approval SET status = ?, decided_by = ?, reason = ?, decided_at = ?, version = ? WHERE id = ?",
        params![
            number_in(&STATUS, &approval.status),
            approval.decided_by,
            approval.reason,
            approval.decided_at.map(|time| time.0),
            approval.version,
            approval.id.0.as_bytes(),
        ],
    )?;
    Ok(())
}

pub(super) fn get(connection: &Connection, id: ApprovalId) -> Done<Option<Approval>> {
    let sql = format!("SELECT {APPROVAL} FROM approval a WHERE a.id = ?");
    one(connection, &sql, [id.0.as_bytes()], approval)
}

/// Whether a question of this kind about a job is open.
pub(super) fn waits(connection: &Connection, job: JobId, action: Action) -> Done<bool> {
    let sql = "SELECT 1 FROM approval WHERE job = ? AND status = 0 AND action = ?";
    let found = one(connection, sql, params![job.0.as_bytes(), number_in(&ACTION, &action)], |_| Ok(()))?;
    Ok(found.is_some())
}

/// Ends the open question about a task that has ended by itself.
pub(super) fn close_task(
    connection: &Connection,
    id: TaskId,
    event: ApprovalEvent,
    reason: Option<&str>,
    now: Timestamp,
) -> Done<()> {
    let sql = format!("SELECT {APPROVAL} FROM approval a WHERE a.task_bucket = ? AND a.task = ? AND a.status = 0");
    let open = many(connection, &sql, params![id.bucket.0, id.unique.as_bytes()], approval)?;
    open.into_iter().try_for_each(|approval| close(connection, approval, event, reason, now))
}

/// Ends the open questions about a job that cannot go on as was asked.
pub(super) fn close_job(
    connection: &Connection,
    id: JobId,
    only: Option<Action>,
    event: ApprovalEvent,
    reason: Option<&str>,
    now: Timestamp,
) -> Done<()> {
    let sql = format!("SELECT {APPROVAL} FROM approval a WHERE a.job = ? AND a.status = 0");
    let open = many(connection, &sql, [id.0.as_bytes()], approval)?;
    let concerned = |approval: &Approval| only.is_none_or(|action| approval.action == action);
    open.into_iter().filter(concerned).try_for_each(|approval| close(connection, approval, event, reason, now))
}

/// Open questions about the policy of a domain.
pub(super) fn about_policy(connection: &Connection, tenant: &str) -> Done<Vec<Approval>> {
    let sql = format!(
        "SELECT {APPROVAL} FROM approval a INDEXED BY approval_policy \
         WHERE a.tenant = ? AND a.status = 0 AND a.policy IS NOT NULL"
    );
    many(connection, &sql, [tenant], approval)
}

pub(super) fn close(
    connection: &Connection,
    mut approval: Approval,
    event: ApprovalEvent,
    reason: Option<&str>,
    now: Timestamp,
) -> Done<()> {
    let Ok(status) = approval.status.after(event) else { return Ok(()) };
    approval.status = status;
    approval.reason = reason.map(str::to_owned).or_else(|| Some("what it was about has ended".to_owned()));
    approval.decided_at = Some(now);
    approval.version = approval.version.saturating_add(1);
    update(connection, &approval)
}

/// Ends a question, and lets go or ends what it is about.
pub(super) fn decide(
    connection: &Transaction<'_>,
    tenant: &str,
    id: ApprovalId,
    decision: &Decision,
) -> Done<Result<Approval, Fault>> {
    let Some(mut approval) = get(connection, id)?.filter(|approval| approval.tenant == tenant) else {
        return Ok(Err(Fault::new(FaultName::UnknownApproval, "there is no such approval").with(id)));
    };
    if let Some(given) = decision.version.filter(|version| *version != approval.version) {
        let text = format!("the approval has version {}, not {given}; read it again", approval.version);
        return Ok(Err(Fault::new(FaultName::OutdatedVersion, text).with(approval.version)));
    }
    let Ok(status) = approval.status.after(decision.event) else {
        return Ok(Err(wrong_state(approval.status.as_str())));
    };
    approval.status = status;
    approval.decided_by = Some(decision.deed.actor.clone());
    approval.reason.clone_from(&decision.reason);
    approval.decided_at = Some(decision.deed.at);
    approval.version = approval.version.saturating_add(1);
    // First, so that what ends with it finds no open question.
    update(connection, &approval)?;
    let (before, after) = (Picture::of(json!({ "status": "PENDING" })), picture(&approval));
    let object = LedgerObject::named("approval", Some(&approval.id.to_string()));
    let entry = AuditEntry::done(&decision.deed, object, Some(before), Some(after));
    let entry = match &approval.object {
        Object::Task(task, _) => entry.of_task(Some(*task)),
        Object::Job(job) => entry.of_job(Some(*job)),
        Object::Policy(_) => entry,
    };
    ledger::add(connection, entry)?;
    let outcome = match (&approval.object, approval.action) {
        (Object::Task(task, _), _) => task_follows(connection, *task, &approval, decision)?,
        (Object::Job(job), Action::Retry) => retry_follows(connection, *job, &approval, decision)?,
        (Object::Job(job), _) => job_follows(connection, *job, &approval, decision)?,
        (Object::Policy(policy), _) if decision.event == ApprovalEvent::Approve => {
            policies::approved(connection, policy, &in_the_name_of(&approval, decision))?
        }
        (Object::Policy(_), _) => Ok(()),
    };
    match outcome {
        Ok(()) => Ok(Ok(approval)),
        // Nothing of it stays: the savepoint around this is undone.
        Err(fault) => Err(super::rows::Failure::Denied(Box::new(fault))),
    }
}

/// What an approval lets happen is done by who asked for it, who is not where the decision comes from.
fn in_the_name_of(approval: &Approval, decision: &Decision) -> Deed {
    let deed = Deed::of_server(&approval.tenant, decision.deed.operation, decision.deed.at);
    Deed { actor: approval.requester.clone(), correlation: decision.deed.correlation, ..deed }
}

fn picture(approval: &Approval) -> Picture {
    Picture::of(json!({
        "status": approval.status.as_str(),
        "requester": approval.requester,
        "devices": approval.devices,
        "reason": approval.reason,
    }))
}

fn wrong_state(state: &str) -> Fault {
    Fault::new(FaultName::WrongState, format!("this is not possible any more: the state is {state}")).with(state)
}

/// What is told about an end without approval.
fn ending(approval: &Approval, decision: &Decision) -> String {
    let reason = decision.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match approval.status {
        ApprovalStatus::Expired => format!("nobody approved it by {} (approval {})", approval.expires_at, approval.id),
        ApprovalStatus::Withdrawn => format!("withdrawn by {} (approval {}){reason}", decision.deed.actor, approval.id),
        _ => format!("not approved by {} (approval {}){reason}", decision.deed.actor, approval.id),
    }
}

fn task_follows(
    connection: &Transaction<'_>,
    id: TaskId,
    approval: &Approval,
    decision: &Decision,
) -> Done<Result<(), Fault>> {
    let Some(mut task) = tasks::get(connection, id)?.filter(|task| task.held) else {
        return Ok(Err(wrong_state("ended")));
    };
    let now = decision.deed.at;
    if decision.event == ApprovalEvent::Approve {
        if task.status.is_final() || task.end_at <= now {
            return Ok(Err(wrong_state(task.status.as_str())));
        }
        let stored = Stored::of(connection, &task)?;
        (task.held, task.detail, task.updated_at) = (false, None, now);
        let detail = Some(format!("approval {}", approval.id));
        let entry = task.note(now, "Approved", detail, &decision.deed.actor);
        tasks::update(connection, &task, &stored, &[&entry])?;
        let id = params![task.id.bucket.0, task.id.unique.as_bytes()];
        run(connection, "UPDATE task SET held = 0 WHERE bucket = ? AND id = ?", id)?;
        return Ok(Ok(()));
    }
    let (event, name) = match decision.event {
        ApprovalEvent::Withdraw => (TaskEvent::CancelAsked, "ApprovalWithdrawn"),
        ApprovalEvent::TimeOver => (TaskEvent::NotApproved, "ApprovalExpired"),
        _ => (TaskEvent::NotApproved, "ApprovalRefused"),
    };
    let note = Note { event: name, detail: Some(ending(approval, decision)), actor: &decision.deed.actor };
    let before = task.status;
    if tasks::advance(connection, &mut task, event, now, &note)? {
        ledger::add(connection, tasks::changed(&decision.deed, before, &task))?;
        return Ok(Ok(()));
    }
    Ok(Err(wrong_state(task.status.as_str())))
}

fn job_follows(
    connection: &Transaction<'_>,
    id: JobId,
    approval: &Approval,
    decision: &Decision,
) -> Done<Result<(), Fault>> {
    if decision.event == ApprovalEvent::Approve {
        let Some(mut kept) = jobs::kept(connection, id)?.filter(jobs::Kept::waits) else {
            return Ok(Err(wrong_state("ended")));
        };
        kept.release(None);
        jobs::update(connection, &kept, decision.deed.at)?;
        return Ok(Ok(()));
    }
    let asked = Asked::cancel(ending(approval, decision), decision.deed.clone());
    Ok(jobs::advance(connection, &approval.tenant, id, asked)?.map(|_| ()))
}

fn retry_follows(
    connection: &Transaction<'_>,
    id: JobId,
    approval: &Approval,
    decision: &Decision,
) -> Done<Result<(), Fault>> {
    if decision.event == ApprovalEvent::Approve {
        let asked = Asked::retry_approved(in_the_name_of(approval, decision));
        return Ok(jobs::advance(connection, &approval.tenant, id, asked)?.map(|_| ()));
    }
    if let Some(mut kept) = jobs::kept(connection, id)? {
        kept.job.detail = Some(format!("failed tasks do not run again: {}", ending(approval, decision)));
        kept.job.version = kept.job.version.saturating_add(1);
        jobs::update(connection, &kept, decision.deed.at)?;
    }
    Ok(Ok(()))
}

/// Ends questions whose time is over, and forgets what no window reaches any more.
pub(super) fn expire(connection: &Transaction<'_>, now: Timestamp, limit: u32) -> Done<Due> {
    let limit = limit.max(1);
    let sql = format!(
        "SELECT {APPROVAL} FROM approval a WHERE a.status = 0 AND a.expires_at <= ? ORDER BY a.expires_at LIMIT ?"
    );
    let over = many(connection, &sql, params![now.0, limit], approval)?;
    let is_full = u32::try_from(over.len()).is_ok_and(|found| found >= limit);
    for approval in over {
        let deed = Deed::of_server(&approval.tenant, "expireApproval", now);
        let decision = Decision { event: ApprovalEvent::TimeOver, deed, reason: None, version: None };
        if let Err(super::rows::Failure::Denied(_)) = decide(connection, &approval.tenant, approval.id, &decision) {
            // What it is about has ended by itself.
            close(connection, approval, ApprovalEvent::TimeOver, None, now)?;
        }
    }
    let oldest = Policy { window_hours: Policy::WINDOW_HOURS_MAX, ..Policy::default() };
    let slot = muster_broker::power::slots_from(&oldest, now);
    run(
        connection,
        "DELETE FROM power_window WHERE slot IN (SELECT slot FROM power_window WHERE slot < ? LIMIT 1)",
        [slot],
    )?;
    Ok(if is_full { Due::More } else { Due::Nothing })
}

/// Forgets questions that ended before a time, at most `limit`. The audit log keeps what was decided.
pub(super) fn forget(connection: &Connection, ended_before: Timestamp, limit: u32) -> Done<Due> {
    let limit = limit.max(1);
    let forgotten = run(
        connection,
        "DELETE FROM approval WHERE id IN (SELECT id FROM approval INDEXED BY approval_decided \
         WHERE status <> 0 AND decided_at < ? ORDER BY decided_at LIMIT ?)",
        params![ended_before.0, limit],
    )?;
    Ok(if u32::try_from(forgotten).is_ok_and(|count| count >= limit) { Due::More } else { Due::Nothing })
}

pub(super) fn list(
    connection: &Connection,
    tenant: &str,
    filter: &ApprovalFilter,
    page: &Page,
) -> Done<Listed<Approval>> {
    // Said outright, since without statistics SQLite prefers the index that gives the order.
    let from = match filter {
        ApprovalFilter { task: Some(_), .. } => "approval a INDEXED BY approval_task",
        ApprovalFilter { job: Some(_), .. } => "approval a INDEXED BY approval_job",
        ApprovalFilter { requester: Some(_), .. } => "approval a INDEXED BY approval_requester",
        ApprovalFilter { status, .. } if status.len() == 1 => "approval a INDEXED BY approval_status",
        _ => "approval a INDEXED BY approval_requested",
    };
    let mut wanted = Where::default();
    wanted.equal("a.tenant", Some(tenant));
    wanted.among("a.status", filter.status.iter().map(|status| number_in(&STATUS, status)));
    wanted.among("a.class", filter.class.map(class_number));
    wanted.equal("a.requester", filter.requester.as_deref());
    if let Some(task) = filter.task {
        wanted.and("a.task_bucket = ? AND a.task = ?", tasks::id_values(task));
    }
    if let Some(job) = filter.job {
        wanted.and("a.job = ?", [Value::from(job.0.as_bytes().to_vec())]);
    }
    let total = wanted.count(connection, from)?;
    if let Some(after) = &page.after {
        let (at, id) = after.split_once('.').ok_or_else(foreign_key)?;
        let at = at.parse::<i64>().map_err(|_| foreign_key())?;
        let id = ApprovalId::parse(id).map_err(|_| foreign_key())?;
        wanted.and("(a.requested_at, a.id) < (?, ?)", [Value::from(at), Value::from(id.0.as_bytes().to_vec())]);
    }
    let order = "a.requested_at DESC, a.id DESC";
    let items = wanted.select(connection, APPROVAL, from, order, one_more(page), approval)?;
    Ok(listed(items, page, total, |approval| page_key(approval.requested_at, &approval.id.to_string())))
}
