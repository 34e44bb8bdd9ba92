//! IAdministrationServices: approvals of dangerous operations by a second person, and the policy behind them.
//!
//! What needs approval is found by the store when it keeps a task or a job; see [`crate::power`].

use super::deployment_broker::read_task_id;
use super::{Broker, checks, reaching};
use crate::access::{Caller, Origin, PrincipalKind, Reach, Right, Scope};
use crate::bounds::TEXT_CHARS_MAX;
use crate::device::Device;
use crate::fault::{Fault, FaultName};
use crate::id::{ApprovalId, JobId};
use crate::job::Job;
use crate::operation::{Arguments, Operation};
use crate::page::{Page, PageRequest, Paged};
use crate::power::{Approval, ApprovalEvent, ApprovalStatus, Class, Object, Policy, PolicyChange};
use crate::store::{ApprovalFilter, Decision, DeviceKey};

const READ: Right = Right::new("approval", "read");
/// Whoever decides needs, besides, the right for what is asked for.
const DECIDE: Right = Right::new("approval", "decide");
const UPDATE: Right = Right::new("approval", "update");

/// Which approvals a caller wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalsWanted {
    /// In one of these states; any when empty.
    pub status: Vec<ApprovalStatus>,
    /// Of this class.
    pub class: Option<Class>,
    /// Asked for by this principal.
    pub requester: Option<String>,
    /// About this task.
    pub task_id: Option<String>,
    /// About this job.
    pub job_id: Option<String>,
}

/// What is decided of an approval.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalAnswer {
    /// Which.
    pub approval_id: String,
    /// Why.
    pub reason: Option<String>,
    /// Version the caller holds.
    pub version: Option<i64>,
    /// Domain, where it is not the caller's own.
    pub tenant: Option<String>,
}

/// What was asked for, as its rights depend on it.
enum Held {
    Task { device: Option<Box<Device>>, operation: Operation, arguments: Arguments },
    Job(Box<Job>),
    Policy,
}

impl Broker {
    /// Approvals, newest first.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `UnknownTask`, `UnknownJob`, `InvalidArgument`, `InvalidPageToken`.
    pub async fn approvals(
        &self,
        caller: &Caller,
        wanted: ApprovalsWanted,
        tenant: Option<String>,
        page: &PageRequest,
    ) -> Result<Paged<Approval>, Fault> {
        let caller = self.at_work_in(caller, tenant.as_deref(), READ).await?;
        let ApprovalsWanted { mut status, class, requester, task_id, job_id } = wanted;
        checks::line_if_given("requester", requester.as_deref(), TEXT_CHARS_MAX)?;
        status.sort_unstable();
        status.dedup();
        let task = task_id.as_deref().map(read_task_id).transpose()?;
        let job = job_id.as_deref().map(|id| JobId::parse(id).map_err(|_| unknown_job(id))).transpose()?;
        let filter = ApprovalFilter { status, class, requester, task, job };
        let scope = self.list_scope(&caller, "approvals", &filter);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.approval_list(&caller.tenant, filter, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |approval| approval))
    }

    /// An approval.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `UnknownApproval`.
    pub async fn approval_by_id(&self, caller: &Caller, id: &str, tenant: Option<String>) -> Result<Approval, Fault> {
        let caller = self.within(caller, tenant.as_deref()).await?;
        Ok(self.approval_in_reach(&caller, READ, id).await?.0)
    }

    /// Agrees to what another principal asked for: the task or job goes on.
    ///
    /// # Errors
    /// `NotAuthorized` without the rights to decide and to ask for it oneself, for one's own request, with an account
    /// that is younger than the request, and where who asked may no longer ask for it; `UnknownApproval`, also for what
    /// does not lie wholly in the groups that the right to decide is narrowed to; `UnknownTenant`, `WrongState`, `OutdatedVersion`, `InvalidArgument`.
    pub async fn approve(&self, caller: &Caller, answer: ApprovalAnswer) -> Result<Approval, Fault> {
        let caller = self.within(caller, answer.tenant.as_deref()).await?;
        let (approval, held) = self.approval_in_reach(&caller, DECIDE, &answer.approval_id).await?;
        may_decide(&caller, &held, &answer.approval_id)?;
        self.is_second_person(&caller, &approval).await?;
        self.may_still_ask(&approval, &held).await?;
        self.decided(&caller, &approval, ApprovalEvent::Approve, answer).await
    }

    /// Says no: the task or job ends. One's own request is withdrawn instead.
    ///
    /// # Errors
    /// As [`Broker::approve`].
    pub async fn refuse(&self, caller: &Caller, answer: ApprovalAnswer) -> Result<Approval, Fault> {
        let caller = self.within(caller, answer.tenant.as_deref()).await?;
        let (approval, held) = self.approval_in_reach(&caller, DECIDE, &answer.approval_id).await?;
        may_decide(&caller, &held, &answer.approval_id)?;
        if approval.requester == caller.name {
            let text = "this is your own request; withdraw it";
            return Err(not_authorized(text));
        }
        self.decided(&caller, &approval, ApprovalEvent::Refuse, answer).await
    }

    /// Takes one's own request back: the task or job ends.
    ///
    /// # Errors
    /// `UnknownTenant`, `UnknownApproval` also for the request of another, `WrongState`, `OutdatedVersion`, `InvalidArgument`.
    pub async fn withdraw(&self, caller: &Caller, answer: ApprovalAnswer) -> Result<Approval, Fault> {
        let caller = self.within(caller, answer.tenant.as_deref()).await?;
        let approval = self.approval_there(&caller, &answer.approval_id).await?;
        if approval.requester != caller.name {
            return Err(unknown(&answer.approval_id));
        }
        self.decided(&caller, &approval, ApprovalEvent::Withdraw, answer).await
    }

    /// What a domain asks a second person about.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`.
    pub async fn approval_policy(&self, caller: &Caller, tenant: Option<String>) -> Result<Policy, Fault> {
        let caller = self.at_work_in(caller, tenant.as_deref(), READ).await?;
        Ok(self.store.power_policy_get(&caller.tenant).await?)
    }

    /// Sets what a domain asks a second person about. What was asked before is not judged again. A policy that asks about
    /// less than the present one waits for a second person itself.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `InvalidArgument`, `OutdatedVersion`.
    pub async fn set_approval_policy(
        &self,
        caller: &Caller,
        policy: Policy,
        version: Option<i64>,
        tenant: Option<String>,
    ) -> Result<PolicyChange, Fault> {
        let caller = self.at_work_in(caller, tenant.as_deref(), UPDATE).await?;
        let deed = self.deed(&caller, "setApprovalPolicy");
        let ask = ApprovalId(self.environment.uuid());
        self.store.power_policy_set(&caller.tenant, policy.checked()?, version, ask, deed).await?
    }

    /// An approval that lies wholly in the groups that `right` is narrowed to, with what it is about.
    async fn approval_in_reach(&self, caller: &Caller, right: Right, id: &str) -> Result<(Approval, Held), Fault> {
        let scope = caller.scope(right)?;
        let approval = self.approval_there(caller, id).await?;
        let held = self.held(&approval).await?;
        if is_wholly_in(&scope, &held) { Ok((approval, held)) } else { Err(unknown(id)) }
    }

    async fn approval_there(&self, caller: &Caller, id: &str) -> Result<Approval, Fault> {
        let parsed = ApprovalId::parse(id).map_err(|_| unknown(id))?;
        self.store.approval_get(&caller.tenant, parsed).await?.ok_or_else(|| unknown(id))
    }

    async fn held(&self, approval: &Approval) -> Result<Held, Fault> {
        match &approval.object {
            Object::Task(id, _) => {
                let task = self.store.task_get(&approval.tenant, *id).await?;
                let task = task.ok_or_else(|| unknown(&approval.id.to_string()))?;
                let device = self.store.device_find(&approval.tenant, DeviceKey::Oid(task.device), 1).await?.pop();
                let device = device.map(Box::new);
                Ok(Held::Task { device, operation: task.operation, arguments: task.arguments })
            }
            Object::Job(id) => {
                let job = self.store.job_get(&approval.tenant, *id).await?;
                Ok(Held::Job(Box::new(job.ok_or_else(|| unknown(&approval.id.to_string()))?.job)))
            }
            Object::Policy(_) => Ok(Held::Policy),
        }
    }

    /// Refuses who asked, and accounts that may be a mask of who asked.
    async fn is_second_person(&self, caller: &Caller, approval: &Approval) -> Result<(), Fault> {
        if approval.requester == caller.name {
            let text = "nobody approves their own request, whatever way they come; ask a second person";
            return Err(not_authorized(text));
        }
        let policy = self.store.power_policy_get(&caller.tenant).await?;
        let Some(account) = self.account(&caller.name).await? else {
            return Err(not_authorized("only a principal that this server knows can approve"));
        };
        if account.principal.created_at > approval.requested_at {
            let text =
                "an account that is younger than the request cannot approve it; ask another person, or ask again";
            return Err(not_authorized(text));
        }
        if policy.persons_only && account.principal.kind != PrincipalKind::Person {
            return Err(not_authorized("the policy of the domain lets persons approve, and no External Systems"));
        }
        Ok(())
    }

    /// Refuses what its requester may no longer ask for.
    async fn may_still_ask(&self, approval: &Approval, held: &Held) -> Result<(), Fault> {
        let account = self.store.account_load(&approval.requester).await?;
        let account = account.map(crate::directory::Account::of).filter(|account| account.is_let_in);
        let gone = || not_authorized("who asked for this is no longer let in; refuse it");
        let account = account.ok_or_else(gone)?;
        let requester = account.caller_in(&approval.tenant, Origin::local(approval.id.0));
        may_ask(&requester, held, any_operation)
            .map_err(|_| not_authorized("who asked for this may no longer do it; refuse it"))
    }

    async fn decided(
        &self,
        caller: &Caller,
        approval: &Approval,
        event: ApprovalEvent,
        answer: ApprovalAnswer,
    ) -> Result<Approval, Fault> {
        checks::reason(answer.reason.as_deref())?;
        if let Some(given) = answer.version.filter(|given| *given != approval.version) {
            let text = format!("the approval has version {}, not {given}; read it again", approval.version);
            return Err(Fault::new(FaultName::OutdatedVersion, text).with(approval.version));
        }
        let decision =
            Decision { event, deed: self.deed(caller, deed_of(event)), reason: answer.reason, version: None };
        self.store.approval_decide(&caller.tenant, approval.id, decision).await?
    }
}

/// The operation of the contract by which a question ends so.
fn deed_of(event: ApprovalEvent) -> &'static str {
    match event {
        ApprovalEvent::Approve => "approve",
        ApprovalEvent::Refuse => "refuse",
        ApprovalEvent::Withdraw => "withdraw",
        _ => "expireApproval",
    }
}

/// Whether everything that is held is about devices of a scope. A policy is about the domain as a whole.
fn is_wholly_in(scope: &Scope, held: &Held) -> bool {
    if scope.is_whole() {
        return true;
    }
    match held {
        Held::Task { device, .. } => device.as_deref().is_some_and(|device| scope.sees(device)),
        Held::Job(job) => job.reach.is_within(&Reach::within(scope.groups())),
        Held::Policy => false,
    }
}

/// Refuses who could not ask for it.
fn may_ask(caller: &Caller, held: &Held, mixed: impl FnOnce(&Caller) -> Result<(), Fault>) -> Result<(), Fault> {
    match held {
        Held::Task { device, operation, arguments } => {
            let reach = reaching::operation(caller, *operation, arguments)?;
            match device {
                Some(device) if !reach.has(device) => Err(reaching::not_operated(caller, device)),
                _ => Ok(()),
            }
        }
        Held::Job(job) => {
            let mut reach = Reach::within(caller.scope(Right::new("job", "create"))?.groups());
            if job.is_mixed {
                mixed(caller)?;
            } else {
                let template = &job.template;
                reach = reach.and(reaching::operation(caller, template.operation, &template.arguments)?);
            }
            if job.reach.is_within(&reach) { Ok(()) } else { Err(not_authorized("the job has devices out of reach")) }
        }
        Held::Policy => caller.must(UPDATE),
    }
}

/// Refuses who could not ask for it itself; what is about a device that the caller does not see is unknown to it.
fn may_decide(caller: &Caller, held: &Held, id: &str) -> Result<(), Fault> {
    may_ask(caller, held, every_operation).map_err(|fault| match fault.name {
        FaultName::UnknownDevice => unknown(id),
        _ => fault,
    })
}

/// Whoever decides on several operations at once needs the right for every one that there is.
fn every_operation(caller: &Caller) -> Result<(), Fault> {
    caller.must(Right::new("device", "operate"))
}

/// Whoever asked for several operations was asked for the right to each.
fn any_operation(caller: &Caller) -> Result<(), Fault> {
    caller.may_begin(Right::new("device", "operate"))
}

fn not_authorized(text: &str) -> Fault {
    Fault::new(FaultName::NotAuthorized, text).with("approval").with("decide")
}

fn unknown(id: &str) -> Fault {
    Fault::new(FaultName::UnknownApproval, "there is no such approval").with(id.escape_debug())
}

fn unknown_job(id: &str) -> Fault {
    Fault::new(FaultName::UnknownJob, "there is no such job").with(id.escape_debug())
}
