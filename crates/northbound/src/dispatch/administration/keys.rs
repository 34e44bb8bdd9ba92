use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;

use crate::contract::administration::keys::{
    ApiKey, ApiKeyList, CreateApiKey, CreatedApiKey, GetApiKeys, RevokeApiKey,
};
use crate::contract::value::Secret;
use crate::convert::administration::keys::{key, list, wanted};
use crate::convert::page;
use crate::dispatch::UseCase;

impl UseCase for CreateApiKey {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<CreatedApiKey, Fault> {
        let (made, text) = broker.create_api_key(caller, wanted(self)?).await?;
        Ok(CreatedApiKey { api_key: key(made, broker.environment().now()), key: Secret(text) })
    }
}

impl UseCase for GetApiKeys {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ApiKeyList, Fault> {
        let found = broker.api_keys(caller, self.principal.as_deref(), &page(self.page)).await?;
        Ok(list(found, broker.environment().now()))
    }
}

impl UseCase for RevokeApiKey {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ApiKey, Fault> {
        let revoked = broker.revoke_api_key(caller, &self.key_id).await?;
        Ok(key(revoked, broker.environment().now()))
    }
}
