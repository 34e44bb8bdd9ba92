use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::{Broker, QuotaWanted};

use crate::contract::administration::quotas::{GetQuotas, QuotaList, QuotaUsage, SetQuota};
use crate::dispatch::UseCase;

impl UseCase for GetQuotas {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<QuotaList, Fault> {
        broker.quotas(caller, self.principal, self.tenant).await.map(Into::into)
    }
}

impl UseCase for SetQuota {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<QuotaUsage, Fault> {
        let Self { kind, limit, principal, version, tenant, .. } = self;
        broker.set_quota(caller, QuotaWanted { kind, principal, limit, version, tenant }).await.map(Into::into)
    }
}
