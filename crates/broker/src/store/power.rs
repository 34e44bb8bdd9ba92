use super::Pending;
use crate::fault::Fault;
use crate::id::{ApprovalId, JobId, TaskId};
use crate::ledger::Deed;
use crate::page::{Listed, Page};
use crate::power::{Approval, ApprovalEvent, ApprovalStatus, Class, Policy, PolicyChange};
use crate::quota::{Allowance, Kind, QuotaUsage};
use crate::time::Timestamp;

/// Which approvals. What is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// In one of these states; any when empty.
    pub status: Vec<ApprovalStatus>,
    /// Of this class.
    pub class: Option<Class>,
    /// Asked for by this principal.
    pub requester: Option<String>,
    /// About this task.
    pub task: Option<TaskId>,
    /// About this job.
    pub job: Option<JobId>,
}

/// How a question is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub event: ApprovalEvent,
    /// Who decided, and when.
    pub deed: Deed,
    /// Why.
    pub reason: Option<String>,
    /// Version of the approval that the decision was made on; any when absent.
    pub version: Option<i64>,
}

/// What is set of one quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaChange {
    /// What is bounded.
    pub kind: Kind,
    /// The caller it is for, [`EVERY_CALLER`], or nobody where it is for the domain.
    pub principal: Option<String>,
    /// How much; the default again when absent.
    pub limit: Option<u64>,
    /// Version that the caller holds; any when absent.
    pub version: Option<i64>,
}

/// Stands for each caller of a domain that has no limit of its own.
pub const EVERY_CALLER: &str = "*";

/// Approvals, the policies behind them, and quotas.
///
/// New tasks and jobs are judged by the methods that make them, in their transaction: what needs a second person is
/// kept held, with its approval; what a quota does not admit is refused as [`super::StoreError::Denied`].
pub trait PowerStore: Send + Sync {
    /// The policy of a domain; the default one where none was set.
    fn power_policy_get(&self, tenant: &str) -> Pending<'_, Policy>;
    /// Sets the policy of a domain and gives it with its new version. Requests made before are not judged again.
    ///
    /// A policy that would be weaker, as [`Policy::weakened_by`] says, is kept as the question `ask` instead; another
    /// such question of the same principal is withdrawn. What is set ends all questions about the policy before it.
    ///
    /// The inner error is `OutdatedVersion`.
    fn power_policy_set(
        &self,
        tenant: &str,
        policy: Policy,
        version: Option<i64>,
        ask: ApprovalId,
        deed: Deed,
    ) -> Pending<'_, Result<PolicyChange, Fault>>;
    /// The approval with this identifier.
    fn approval_get(&self, tenant: &str, id: ApprovalId) -> Pending<'_, Option<Approval>>;
    /// Approvals, newest first.
    fn approval_list(&self, tenant: &str, filter: ApprovalFilter, page: Page) -> Pending<'_, Listed<Approval>>;
    /// Ends a question, and lets go or ends what it is about.
    ///
    /// The inner error is `UnknownApproval`, `OutdatedVersion`, or `WrongState` with the state of the approval, or of
    /// what it is about where that can no longer begin.
    fn approval_decide(&self, tenant: &str, id: ApprovalId, decision: Decision)
    -> Pending<'_, Result<Approval, Fault>>;
    /// Everything that bounds a caller.
    fn quota_allowance(&self, tenant: &str, principal: &str) -> Pending<'_, Allowance>;
    /// Takes `change` of a quota of a domain and a caller, or gives it back where it is negative: for what is counted by
    /// no method of its own.
    ///
    /// The inner error is `QuotaExceeded`.
    fn quota_take(
        &self,
        tenant: &str,
        principal: &str,
        kind: Kind,
        change: i64,
        now: Timestamp,
    ) -> Pending<'_, Result<(), Fault>>;
    /// Sets a quota.
    ///
    /// The inner error is `OutdatedVersion`.
    fn quota_set(&self, tenant: &str, change: QuotaChange, deed: Deed) -> Pending<'_, Result<(), Fault>>;
    /// Every quota of a domain, or of one caller of it, with what is used.
    fn quota_usage(&self, tenant: &str, principal: Option<String>, now: Timestamp) -> Pending<'_, Vec<QuotaUsage>>;
}
