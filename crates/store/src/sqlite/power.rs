//! The port of approvals, their policies and quotas.

use muster_broker::fault::Fault;
use muster_broker::id::ApprovalId;
use muster_broker::ledger::{AuditEntry, Deed, Object, Picture};
use muster_broker::page::{Listed, Page};
use muster_broker::power::{Approval, Policy, PolicyChange};
use muster_broker::quota::{Allowance, Kind, QuotaUsage};
use muster_broker::store::{ApprovalFilter, Decision, Pending, PowerStore, QuotaChange};
use muster_broker::time::Timestamp;

use super::rows::Failure;
use super::writer::{Concerns, Guard, Transaction};
use super::{SqliteStore, approvals, guard, ledger, policies, quotas};

impl PowerStore for SqliteStore {
    fn power_policy_get(&self, tenant: &str) -> Pending<'_, Policy> {
        let tenant = tenant.to_owned();
        Box::pin(async move { self.points.read(|connection| guard::policy(connection, &tenant)) })
    }

    fn power_policy_set(
        &self,
        tenant: &str,
        policy: Policy,
        version: Option<i64>,
        ask: ApprovalId,
        deed: Deed,
    ) -> Pending<'_, Result<PolicyChange, Fault>> {
        let tenant = tenant.to_owned();
        Box::pin(self.write(Guard::Savepoint, 4096, move |connection| {
            policies::set(connection, &tenant, policy, version, ask, &deed)
        }))
    }

    fn approval_get(&self, tenant: &str, id: ApprovalId) -> Pending<'_, Option<Approval>> {
        let tenant = tenant.to_owned();
        Box::pin(async move {
            let approval = self.points.read(|connection| approvals::get(connection, id))?;
            Ok(approval.filter(|approval| approval.tenant == tenant))
        })
    }

    fn approval_list(&self, tenant: &str, filter: ApprovalFilter, page: Page) -> Pending<'_, Listed<Approval>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| approvals::list(connection, &tenant, &filter, &page)))
    }

    fn approval_decide(
        &self,
        tenant: &str,
        id: ApprovalId,
        decision: Decision,
    ) -> Pending<'_, Result<Approval, Fault>> {
        let tenant = tenant.to_owned();
        Box::pin(
            self.write(Guard::Savepoint, 2048, move |connection| approvals::decide(connection, &tenant, id, &decision)),
        )
    }

    fn quota_allowance(&self, tenant: &str, principal: &str) -> Pending<'_, Allowance> {
        let (tenant, principal) = (tenant.to_owned(), principal.to_owned());
        Box::pin(async move { self.points.read(|connection| quotas::allowance(connection, &tenant, &principal)) })
    }

    fn quota_take(
        &self,
        tenant: &str,
        principal: &str,
        kind: Kind,
        change: i64,
        now: Timestamp,
    ) -> Pending<'_, Result<(), Fault>> {
        let (tenant, principal) = (tenant.to_owned(), principal.to_owned());
        let work = move |transaction: &super::writer::Transaction<'_>| {
            let quotas = &transaction.quotas;
            let more = u64::try_from(change).unwrap_or(0);
            match quotas.admit(transaction.connection, &tenant, &principal, &[(kind, more)], now) {
                Ok(()) => quotas.change(&tenant, &principal, kind, change, now),
                Err(Failure::Denied(fault)) => return Ok(Err(*fault)),
                Err(failure) => return Err(failure),
            }
            Ok(Ok(()))
        };
        Box::pin(self.queue(Guard::Savepoint, 256, Concerns::Anything, work))
    }

    fn quota_set(&self, tenant: &str, change: QuotaChange, deed: Deed) -> Pending<'_, Result<(), Fault>> {
        let tenant = tenant.to_owned();
        let work = move |transaction: &Transaction<'_>| {
            let before = match quotas::set(transaction.connection, &tenant, &change)? {
                Ok(before) => before,
                Err(outdated) => return Ok(Err(outdated)),
            };
            transaction.quotas.forget_limits();
            let picture =
                |limit: Option<u64>| Picture::of(serde_json::json!({ "principal": change.principal, "limit": limit }));
            let object = Object::named("quota", Some(change.kind.as_str()));
            let (before, after) = (picture(before), picture(change.limit));
            ledger::add(transaction, AuditEntry::done(&deed, object, Some(before), Some(after)))?;
            Ok(Ok(()))
        };
        Box::pin(self.queue(Guard::Savepoint, 1024, Concerns::Anything, work))
    }

    fn quota_usage(&self, tenant: &str, principal: Option<String>, now: Timestamp) -> Pending<'_, Vec<QuotaUsage>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| quotas::usage(connection, &tenant, principal.as_deref(), now)))
    }
}
