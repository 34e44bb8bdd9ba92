use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::{ApprovalAnswer, ApprovalsWanted, Broker};

use crate::contract::administration::approvals::{
    ApprovalData, ApprovalList, ApprovalPolicy, Approve, GetApprovalById, GetApprovalPolicy, GetApprovals, Refuse,
    SetApprovalPolicy, Withdraw,
};
use crate::convert::page;
use crate::dispatch::UseCase;

impl UseCase for GetApprovals {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ApprovalList, Fault> {
        let wanted = ApprovalsWanted {
            status: self.status,
            class: self.operation_class,
            requester: self.requester,
            task_id: self.task_id,
            job_id: self.job_id,
        };
        broker.approvals(caller, wanted, self.tenant, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for GetApprovalById {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ApprovalData, Fault> {
        broker.approval_by_id(caller, &self.approval_id, self.tenant).await.map(Into::into)
    }
}

impl UseCase for Approve {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ApprovalData, Fault> {
        let Self { approval_id, reason, version, tenant, .. } = self;
        broker.approve(caller, ApprovalAnswer { approval_id, reason, version, tenant }).await.map(Into::into)
    }
}

impl UseCase for Refuse {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ApprovalData, Fault> {
        let Self { approval_id, reason, version, tenant, .. } = self;
        let answer = ApprovalAnswer { approval_id, reason: Some(reason), version, tenant };
        broker.refuse(caller, answer).await.map(Into::into)
    }
}

impl UseCase for Withdraw {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ApprovalData, Fault> {
        let Self { approval_id, reason, version, tenant, .. } = self;
        broker.withdraw(caller, ApprovalAnswer { approval_id, reason, version, tenant }).await.map(Into::into)
    }
}

impl UseCase for GetApprovalPolicy {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ApprovalPolicy, Fault> {
        broker.approval_policy(caller, self.tenant).await.map(Into::into)
    }
}

impl UseCase for SetApprovalPolicy {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ApprovalPolicy, Fault> {
        let (policy, version) = self.approval_policy.read()?;
        broker.set_approval_policy(caller, policy, version, self.tenant).await.map(Into::into)
    }
}
