use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;

use crate::contract::administration::ledger::{
    AuditEntryList, AuditVerification, ChargeableEventList, ErasePersonalData, ErasureReceipt, GetAuditEntries,
    GetChargeableEvents, VerifyAuditLog,
};
use crate::convert::page;
use crate::dispatch::UseCase;

impl UseCase for GetAuditEntries {
    async fn carry_out(mut self, broker: &Broker, caller: &Caller) -> Result<AuditEntryList, Fault> {
        let page = page(self.page.take());
        broker.audit_entries(caller, self.into(), &page).await.map(Into::into)
    }
}

impl UseCase for VerifyAuditLog {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<AuditVerification, Fault> {
        broker.verify_audit_log(caller, self.after, self.anchor).await.map(Into::into)
    }
}

impl UseCase for GetChargeableEvents {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ChargeableEventList, Fault> {
        let (tenant, after) = (self.tenant.as_deref(), self.after_event_id.as_deref());
        let feed = broker.chargeable_events(caller, tenant, after, self.limit).await?;
        Ok(ChargeableEventList::of(feed, self.after_event_id))
    }
}

impl UseCase for ErasePersonalData {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ErasureReceipt, Fault> {
        broker.erase_personal_data(caller, self.into()).await.map(Into::into)
    }
}
