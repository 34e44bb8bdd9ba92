//! What domains ask second persons about: setting it, and holding what would weaken it.

use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::ApprovalId;
use muster_broker::ledger::{AuditEntry, Deed, Object as LedgerObject, Picture};
use muster_broker::power::{
    Action, Approval, ApprovalEvent, Object, Policy, PolicyChange, Question, Summary, Weakening,
};
use muster_broker::time::Timestamp;
use rusqlite::params;
use serde_json::json;

use super::query::run;
use super::rows::Done;
use super::writer::Transaction;
use super::{approvals, guard, ledger};

/// Sets a policy, or asks about it.
pub(super) fn set(
    connection: &Transaction<'_>,
    tenant: &str,
    mut policy: Policy,
    version: Option<i64>,
    ask: ApprovalId,
    deed: &Deed,
) -> Done<Result<PolicyChange, Fault>> {
    let before = guard::policy(connection, tenant)?;
    if let Some(given) = version.filter(|given| *given != before.version) {
        return Ok(Err(outdated(before.version, given)));
    }
    // Until it is set, the version says which policy it was made from.
    policy.version = before.version;
    let Some(weakening) = before.weakened_by(&policy) else {
        return Ok(Ok(PolicyChange::Set(replace(connection, tenant, &before, policy, deed)?)));
    };
    for open in approvals::about_policy(connection, tenant)? {
        if open.requester != deed.actor {
            continue;
        }
        if open.object == Object::Policy(Box::new(policy.clone())) {
            // Asked twice is asked once.
            return Ok(Ok(PolicyChange::Waits { policy: before, approval: Box::new(open) }));
        }
        let reason = Some("the same principal asks for another policy");
        approvals::close(connection, open, ApprovalEvent::Withdraw, reason, deed.at)?;
    }
    let proposed = serde_json::to_value(&policy)?;
    let approval = asked(ask, tenant, policy, &weakening, &before, deed);
    approvals::insert(connection, &approval)?;
    let picture = Picture::of(json!({
        "status": approval.status.as_str(),
        "operationClass": approval.class.as_str(),
        "words": approval.summary.words,
        "approvalPolicy": proposed,
    }));
    let object = LedgerObject::named("approval", Some(&approval.id.to_string()));
    ledger::add(connection, AuditEntry::done(deed, object, None, Some(picture)))?;
    Ok(Ok(PolicyChange::Waits { policy: before, approval: Box::new(approval) }))
}

/// Sets a policy that a second person agreed to, unless another was set meanwhile.
pub(super) fn approved(connection: &Transaction<'_>, policy: &Policy, deed: &Deed) -> Done<Result<(), Fault>> {
    let before = guard::policy(connection, &deed.tenant)?;
    if before.version != policy.version {
        return Ok(Err(outdated(before.version, policy.version)));
    }
    replace(connection, &deed.tenant, &before, policy.clone(), deed)?;
    Ok(Ok(()))
}

fn replace(
    connection: &Transaction<'_>,
    tenant: &str,
    before: &Policy,
    mut policy: Policy,
    deed: &Deed,
) -> Done<Policy> {
    policy.version = before.version.saturating_add(1);
    run(
        connection,
        "INSERT INTO power_policy (tenant, policy) VALUES (?, ?) \
         ON CONFLICT (tenant) DO UPDATE SET policy = excluded.policy",
        params![tenant, serde_json::to_string(&policy)?],
    )?;
    for open in approvals::about_policy(connection, tenant)? {
        let reason = Some("the policy that it was about was replaced");
        approvals::close(connection, open, ApprovalEvent::TimeOver, reason, deed.at)?;
    }
    let picture = |policy: &Policy| serde_json::to_value(policy).map(Picture::of);
    let object = LedgerObject::named("approvalPolicy", None);
    ledger::add(connection, AuditEntry::done(deed, object, Some(picture(before)?), Some(picture(&policy)?)))?;
    Ok(policy)
}

fn asked(
    id: ApprovalId,
    tenant: &str,
    policy: Policy,
    weakening: &Weakening,
    before: &Policy,
    deed: &Deed,
) -> Approval {
    let words = format!("the approval policy becomes weaker: {}", weakening.words);
    let question = Question {
        tenant: tenant.to_owned(),
        requester: deed.actor.clone(),
        class: weakening.class,
        object: Object::Policy(Box::new(policy)),
        action: Action::SetPolicy,
        devices: 0,
        summary: Summary { operation: "setApprovalPolicy".to_owned(), words, name: None },
        ends_at: Timestamp(i64::MAX),
    };
    Approval::ask(id, question, before, deed.at)
}

fn outdated(present: i64, given: i64) -> Fault {
    let text = format!("the policy has version {present}, not {given}; read it again");
    Fault::new(FaultName::OutdatedVersion, text).with(present)
}
