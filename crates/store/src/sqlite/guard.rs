//! Judging new tasks and jobs, in the transaction that makes them: what needs a second person is held.

use muster_broker::id::ApprovalId;
use muster_broker::job::{Hold, Job, JobStatus};
use muster_broker::power::{
    Action, Approval, Asked, Class, Object, Policy, Question, Spent, Summary, Verdict, class_of, judge, slot_of,
    slots_from,
};
use muster_broker::store::Target;
use muster_broker::task::{Task, TaskStatus};
use muster_broker::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::approvals::{self, class_number};
use super::jobs::{self, Kept};
use super::query::{one, run};
use super::rows::Done;

/// Who holds what nobody asked to be held.
const SERVER: &str = "server";

/// The policy of a domain.
pub(super) fn policy(connection: &Connection, tenant: &str) -> Done<Policy> {
    let text: Option<String> = connection
        .prepare_cached("SELECT policy FROM power_policy WHERE tenant = ?")?
        .query_row([tenant], |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// What went without approval within the window that ends now.
fn spent(connection: &Connection, policy: &Policy, tenant: &str, class: Class, now: Timestamp) -> Done<Spent> {
    let sums = one(
        connection,
        "SELECT coalesce(sum(devices), 0), coalesce(sum(singles), 0) FROM power_window \
         WHERE tenant = ? AND class = ? AND slot >= ?",
        params![tenant, class_number(class), slots_from(policy, now)],
        |cells| Ok((cells.get::<i64>()?, cells.get::<i64>()?)),
    )?;
    let number = |sum: i64| u64::try_from(sum).unwrap_or(0);
    Ok(sums
        .map_or_else(Spent::default, |(devices, singles)| Spent { devices: number(devices), singles: number(singles) }))
}

/// Judges what is asked for, and counts what may go on.
fn judged(
    connection: &Connection,
    policy: &Policy,
    tenant: &str,
    class: Class,
    asked: Asked,
    now: Timestamp,
) -> Done<Verdict> {
    let verdict = match (judge(policy, class, Spent::default(), asked), asked) {
        // Nothing to count: most requests.
        (Verdict::Free, _) => return Ok(Verdict::Free),
        _ => judge(policy, class, spent(connection, policy, tenant, class, now)?, asked),
    };
    count(connection, tenant, class, verdict, now)?;
    Ok(verdict)
}

fn count(connection: &Connection, tenant: &str, class: Class, verdict: Verdict, now: Timestamp) -> Done<()> {
    let (devices, singles) = match verdict {
        Verdict::Counted(devices) => (i64::try_from(devices).unwrap_or(i64::MAX), 0),
        Verdict::CountedSingle => (0, 1),
        Verdict::Free | Verdict::Held => return Ok(()),
    };
    run(
        connection,
        "INSERT INTO power_window (tenant, class, slot, bucket, devices, singles) VALUES (?1, ?2, ?3, 0, ?4, ?5) \
         ON CONFLICT (tenant, class, slot, bucket) DO UPDATE SET devices = devices + ?4, singles = singles + ?5",
        params![tenant, class_number(class), slot_of(now), devices, singles],
    )?;
    Ok(())
}

/// Judges new tasks that belong to no job; those held get their approvals. Their domain is that of the first.
pub(super) fn judge_singles(connection: &Connection, policy: &Policy, targets: &mut [Target]) -> Done<()> {
    for Target { task, history } in targets {
        let Some(class) = class_of_task(policy, task) else { continue };
        let now = task.created_at;
        if judged(connection, policy, &task.tenant, class, Asked::Single, now)? != Verdict::Held {
            continue;
        }
        let question = Question {
            tenant: task.tenant.clone(),
            requester: task.owner.clone(),
            class,
            object: Object::Task(task.id, task.device),
            action: Action::Start,
            devices: 1,
            summary: summary(task.operation.as_str(), task.operation.in_words(&task.arguments), None),
            ends_at: task.end_at,
        };
        let approval = Approval::ask(ApprovalId::of_start(task.id.unique), question, policy, now);
        task.held = true;
        task.detail = Some(approval.waiting_text());
        history.push(task.note(now, "ApprovalRequested", task.detail.clone(), SERVER));
        approvals::insert(connection, &approval)?;
    }
    Ok(())
}

/// Judges the tasks of a new job that exist already; a job that is held gets its approval.
pub(super) fn judge_bulk(connection: &Connection, policy: &Policy, job: &mut Job, targets: &[Target]) -> Done<()> {
    let mut devices = [0_u64; Class::NAMES.len()];
    let mut is_held = false;
    let now = job.created_at;
    for Target { task, .. } in targets {
        if let Some(class) = class_of_task(policy, task) {
            job.class = Some(job.class.map_or(class, |known| known.min(class)));
            if let Some(place) = devices.get_mut(class as usize) {
                *place = place.saturating_add(1);
            }
        }
    }
    let mut counted = Vec::new();
    for ((_, class), devices) in Class::NAMES.iter().zip(devices) {
        let asked = Asked::Job(devices);
        if judge(policy, *class, Spent::default(), asked) == Verdict::Free {
            continue;
        }
        match judge(policy, *class, spent(connection, policy, &job.tenant, *class, now)?, asked) {
            Verdict::Held => is_held = true,
            verdict => counted.push((*class, verdict)),
        }
    }
    if is_held {
        // What is approved as a whole does not count.
        return wait(connection, policy, job, devices.iter().sum(), now);
    }
    for (class, verdict) in counted {
        count(connection, &job.tenant, class, verdict, now)?;
    }
    Ok(())
}

/// Judges a job whose devices have been counted.
pub(super) fn judge_counted(
    connection: &Connection,
    kept: &mut Kept,
    left_out: Option<String>,
    now: Timestamp,
) -> Done<()> {
    let Some(class) = kept.job.class else {
        kept.release(left_out);
        return Ok(());
    };
    let policy = policy(connection, &kept.job.tenant)?;
    let counts = jobs::counts(connection, kept.job.id)?;
    let devices = counts.iter().map(|(_, count)| *count).sum();
    let verdict = judged(connection, &policy, &kept.job.tenant, class, Asked::Job(devices), now)?;
    if verdict != Verdict::Held {
        kept.release(left_out);
        return Ok(());
    }
    wait(connection, &policy, &mut kept.job, devices, now)?;
    if let (Some(detail), Some(left_out)) = (&mut kept.job.detail, left_out) {
        detail.push_str("; ");
        detail.push_str(&left_out);
    }
    kept.job.version = kept.job.version.saturating_add(1);
    Ok(())
}

/// Judges whether the ended tasks of a job may run again; true if that waits for a second person.
pub(super) fn judge_retry(connection: &Connection, kept: &mut Kept, requester: &str, now: Timestamp) -> Done<bool> {
    let Some(class) = kept.job.class else { return Ok(false) };
    let job = &kept.job;
    if approvals::waits(connection, job.id, Action::Retry)? {
        return Ok(true);
    }
    let policy = policy(connection, &job.tenant)?;
    let again = |status| matches!(status, TaskStatus::Failed | TaskStatus::Expired | TaskStatus::Cancelled);
    let counts = jobs::counts(connection, job.id)?;
    let devices = counts.iter().filter(|(status, _)| again(*status)).map(|(_, count)| *count).sum();
    if judged(connection, &policy, &job.tenant, class, Asked::Job(devices), now)? != Verdict::Held {
        return Ok(false);
    }
    let approval = Approval::ask(
        ApprovalId::of_retry(job.id, job.version),
        Question {
            requester: requester.to_owned(),
            action: Action::Retry,
            ends_at: Timestamp(i64::MAX),
            ..question(job, class, devices)
        },
        &policy,
        now,
    );
    kept.job.detail = Some(format!("running failed tasks again {}", approval.waiting_text()));
    kept.job.version = kept.job.version.saturating_add(1);
    approvals::insert(connection, &approval)?;
    Ok(true)
}

/// Holds a job and asks a second person about it.
fn wait(connection: &Connection, policy: &Policy, job: &mut Job, devices: u64, now: Timestamp) -> Done<()> {
    let class = job.class.unwrap_or(Class::Change);
    let approval = Approval::ask(ApprovalId::of_start(job.id.0), question(job, class, devices), policy, now);
    job.hold = Hold::Waiting;
    job.status = JobStatus::Scheduled;
    job.detail = Some(approval.waiting_text());
    approvals::insert(connection, &approval)
}

fn question(job: &Job, class: Class, devices: u64) -> Question {
    let operation = if job.is_mixed { "several operations" } else { job.template.operation.as_str() };
    let words = job.template.operation.in_words(&job.template.arguments);
    Question {
        tenant: job.tenant.clone(),
        requester: job.owner.clone(),
        class,
        object: Object::Job(job.id),
        action: Action::Start,
        devices,
        summary: summary(operation, words, Some(job.name.clone())),
        ends_at: job.schedule.ends_at(job.created_at),
    }
}

fn summary(operation: &str, words: String, name: Option<String>) -> Summary {
    Summary { operation: operation.to_owned(), words, name }
}

/// The class of a task that is not over already.
fn class_of_task(policy: &Policy, task: &Task) -> Option<Class> {
    if task.test_cycle || task.status.is_final() {
        return None;
    }
    class_of(policy, task.operation, &task.arguments)
}
