use muster_broker::access::Caller;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::services::{Broker, NewPassword, RoleView};

use crate::contract::administration::access::{
    CreatePrincipal, CreateRole, CreateTenant, DeletePrincipal, DeleteRole, DeleteTenant, GetOwnRights,
    GetPrincipalByName, GetPrincipals, GetRoleByName, GetRoles, GetTenantByName, GetTenants, OwnRights, Principal,
    PrincipalList, Role, RoleList, SetPassword, Tenant, TenantList, UpdatePrincipal, UpdateRole, UpdateTenant,
};
use crate::convert::{page, request_key};
use crate::dispatch::UseCase;
use crate::identity::hash_password;

impl UseCase for CreateTenant {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Tenant, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        broker.create_tenant(caller, self.tenant.into(), request).await.map(Into::into)
    }
}

impl UseCase for UpdateTenant {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Tenant, Fault> {
        broker.update_tenant(caller, self.tenant.into()).await.map(Into::into)
    }
}

impl UseCase for DeleteTenant {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        broker.delete_tenant(caller, &self.name, self.version).await
    }
}

impl UseCase for GetTenantByName {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Tenant, Fault> {
        broker.tenant_by_name(caller, &self.name).await.map(Into::into)
    }
}

impl UseCase for GetTenants {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<TenantList, Fault> {
        broker.tenants(caller, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for CreatePrincipal {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Principal, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        broker.may_create_principal(caller, self.principal.tenant.as_deref()).await?;
        let password = match self.password {
            None => None,
            Some(password) => {
                muster_broker::services::password(&self.principal.name, &password.0)?;
                Some(hashed(broker, password.0, self.digest.unwrap_or_default()).await?)
            }
        };
        broker.create_principal(caller, self.principal.into(), password, request).await.map(Into::into)
    }
}

impl UseCase for UpdatePrincipal {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Principal, Fault> {
        broker.update_principal(caller, self.principal.into()).await.map(Into::into)
    }
}

impl UseCase for SetPassword {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        let tenant = self.tenant.as_deref();
        broker.may_set_password(caller, tenant, &self.name, &self.password.0).await?;
        let new = hashed(broker, self.password.0, self.digest.unwrap_or_default()).await?;
        broker.set_password(caller, tenant, &self.name, new).await
    }
}

impl UseCase for DeletePrincipal {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        broker.delete_principal(caller, self.tenant.as_deref(), &self.name, self.version).await
    }
}

impl UseCase for GetPrincipalByName {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Principal, Fault> {
        broker.principal_by_name(caller, self.tenant.as_deref(), &self.name).await.map(Into::into)
    }
}

impl UseCase for GetPrincipals {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<PrincipalList, Fault> {
        broker.principals(caller, self.tenant.as_deref(), &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for CreateRole {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Role, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        broker.create_role(caller, self.role.into(), request).await.map(|role| RoleView::Made(role).into())
    }
}

impl UseCase for UpdateRole {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Role, Fault> {
        broker.update_role(caller, self.role.into()).await.map(|role| RoleView::Made(role).into())
    }
}

impl UseCase for DeleteRole {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        broker.delete_role(caller, self.tenant.as_deref(), &self.name, self.version).await
    }
}

impl UseCase for GetRoleByName {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Role, Fault> {
        broker.role_by_name(caller, self.tenant.as_deref(), &self.name).await.map(Into::into)
    }
}

impl UseCase for GetRoles {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<RoleList, Fault> {
        broker.roles(caller, self.tenant.as_deref(), &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for GetOwnRights {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<OwnRights, Fault> {
        Ok(broker.own_rights(caller).into())
    }
}

/// A password as it is kept. The hash takes tens of milliseconds, where blocking is allowed.
async fn hashed(broker: &Broker, password: String, digest: bool) -> Result<NewPassword, Fault> {
    let digest_secret = digest.then(|| broker.vault().seal(password.as_bytes()).0);
    let environment = std::sync::Arc::clone(broker.environment());
    let hash = tokio::task::spawn_blocking(move || hash_password(&password, environment.as_ref())).await;
    match hash {
        Ok(Ok(hash)) => Ok(NewPassword { hash, digest_secret }),
        Ok(Err(error)) => Err(failed(&error)),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(cause: &dyn std::fmt::Display) -> Fault {
    let text = "the server failed; its operator finds the reason by the correlation identifier";
    Fault::new(FaultName::InternalError, text).because(cause)
}
