use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;

use crate::contract::administration::providers::{
    CreateIdentityProvider, DeleteIdentityProvider, GetIdentityProviders, IdentityProvider, IdentityProviderList,
    UpdateIdentityProvider,
};
use crate::convert::{page, request_key};
use crate::dispatch::UseCase;

impl UseCase for CreateIdentityProvider {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<IdentityProvider, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        broker.create_identity_provider(caller, self.identity_provider.into(), request).await.map(Into::into)
    }
}

impl UseCase for UpdateIdentityProvider {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<IdentityProvider, Fault> {
        broker.update_identity_provider(caller, self.identity_provider.into()).await.map(Into::into)
    }
}

impl UseCase for DeleteIdentityProvider {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        broker.delete_identity_provider(caller, &self.name).await
    }
}

impl UseCase for GetIdentityProviders {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<IdentityProviderList, Fault> {
        broker.identity_providers(caller, &page(self.page)).await.map(Into::into)
    }
}
