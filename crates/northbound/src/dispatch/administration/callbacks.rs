use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;
use muster_broker::store::CallbackAddressFilter;

use crate::contract::administration::callbacks::{
    CallbackAddress, CallbackAddressList, CallbackQueueList, CreateCallbackAddress, DeadLetterList,
    DeleteCallbackAddress, GetCallbackAddressById, GetCallbackAddresses, GetCallbackQueues, GetDeadLetters,
    ReplayDeadLetters, ReplayReceipt, RotateCallbackSecret, UpdateCallbackAddress,
};
use crate::convert::{long, page, request_key};
use crate::dispatch::UseCase;

impl UseCase for CreateCallbackAddress {
    async fn carry_out(mut self, broker: &Broker, caller: &Caller) -> Result<CallbackAddress, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        let secret = self.callback_address.secret.take().map(|secret| secret.0);
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        broker.create_callback_address(&caller, self.callback_address.into(), secret, request).await.map(Into::into)
    }
}

impl UseCase for UpdateCallbackAddress {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CallbackAddress, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        let address = self.callback_address;
        let id =
            address.callback_address_id.clone().ok_or_else(|| Fault::missing("callbackAddress.callbackAddressId"))?;
        let version = address.version;
        broker.update_callback_address(&caller, &id, address.into(), version).await.map(Into::into)
    }
}

impl UseCase for DeleteCallbackAddress {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        broker.delete_callback_address(&caller, &self.callback_address_id, self.version).await
    }
}

impl UseCase for GetCallbackAddressById {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CallbackAddress, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        broker.callback_address_by_id(&caller, &self.callback_address_id).await.map(Into::into)
    }
}

impl UseCase for GetCallbackAddresses {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CallbackAddressList, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        let filter = CallbackAddressFilter { owner: self.owner, kind: self.kind };
        broker.callback_addresses(&caller, filter, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for RotateCallbackSecret {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CallbackAddress, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        let (id, secret) = (&self.callback_address_id, self.secret.map(|secret| secret.0));
        let rotated = broker.rotate_callback_secret(&caller, id, secret, self.overlap_seconds, self.version).await;
        rotated.map(Into::into)
    }
}

impl UseCase for GetCallbackQueues {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CallbackQueueList, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        broker.callback_queues(&caller, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for GetDeadLetters {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeadLetterList, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        let address = self.callback_address_id.as_deref();
        broker.dead_letters(&caller, address, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for ReplayDeadLetters {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ReplayReceipt, Fault> {
        let caller = broker.within(caller, self.tenant.as_deref()).await?;
        let address = self.callback_address_id.as_deref();
        let replayed = broker.replay_dead_letters(&caller, address, &self.event_id).await?;
        Ok(ReplayReceipt { replayed_count: long(replayed) })
    }
}
