//! IAdministrationServices: tenants.

use super::changing::Attempts;
use super::once::{self, operation};
use super::{Broker, RequestKey, checks, granting};
use crate::access::{Caller, Right, Tenant, TenantSettings, TenantStatus};
use crate::bounds::{DISPLAY_CHARS_MAX, NETWORKS_MAX};
use crate::callback::network::Network;

use crate::fault::Fault;
use crate::page::{Page, PageRequest, Paged};
use crate::store::Keep;

/// A tenant as a caller gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantFields {
    /// Name.
    pub name: String,
    /// Longer name for people.
    pub display_name: Option<String>,
    /// Active when left out on creation; the stored one stays when left out on update.
    pub status: Option<TenantStatus>,
    /// Whether background management needs the consent of the subscriber; as for `status`.
    pub consent_demanded: Option<bool>,
    /// Private networks that callbacks may go to.
    pub callback_networks: Vec<String>,
    /// Version the caller holds.
    pub version: Option<i64>,
}

const CREATE: Right = Right::new("tenant", "create");
const UPDATE: Right = Right::new("tenant", "update");
const DELETE: Right = Right::new("tenant", "delete");
const READ: Right = Right::new("tenant", "read");

impl Broker {
    /// Makes a tenant.
    ///
    /// # Errors
    /// `NotAuthorized` for all but those who have the right in every tenant; `InvalidArgument`, `AlreadyExists`.
    pub async fn create_tenant(
        &self,
        caller: &Caller,
        fields: TenantFields,
        request: Option<RequestKey>,
    ) -> Result<Tenant, Fault> {
        caller.must_everywhere(CREATE)?;
        checks::request_key(request.as_ref())?;
        let tenant = changed(Tenant::new(&fields.name, self.environment.now()), fields)?;
        let remember = self.remember_record(caller, operation::CREATE_TENANT, request.as_ref());
        let deed = self.deed(caller, operation::CREATE_TENANT);
        let kept = self.store.tenant_keep(tenant, Keep::New, deed, remember).await?;
        self.directory.forget();
        once::record(kept)
    }

    /// Changes a tenant. Suspending one keeps its principals out; its devices and jobs go on.
    ///
    /// # Errors
    /// `NotAuthorized` for all but those who have the right in every tenant; `InvalidArgument`, `UnknownTenant`,
    /// `OutdatedVersion`, `InUse` if nobody were left who may do everything everywhere.
    pub async fn update_tenant(&self, caller: &Caller, fields: TenantFields) -> Result<Tenant, Fault> {
        self.rules(caller, &fields.name, UPDATE).await?;
        let mut attempts = Attempts::of(fields.version);
        loop {
            let stored = self.store.tenant_get(&fields.name).await?;
            let stored = stored.ok_or_else(|| granting::unknown_tenant(&fields.name))?;
            let version = fields.version.unwrap_or(stored.version);
            let tenant = changed(stored, fields.clone())?;
            let deed = self.deed(caller, "updateTenant");
            let kept = self.store.tenant_keep(tenant, Keep::Changed { version }, deed, None).await?;
            self.directory.forget();
            if let Some(kept) = attempts.outcome(kept)? {
                return Ok(kept);
            }
        }
    }

    /// Deletes a tenant that has nothing any more, with the roles it made.
    ///
    /// # Errors
    /// `NotAuthorized` for all but those who have the right in every tenant; `UnknownTenant`, `OutdatedVersion`,
    /// `InUse`.
    pub async fn delete_tenant(&self, caller: &Caller, name: &str, version: Option<i64>) -> Result<(), Fault> {
        self.rules(caller, name, DELETE).await?;
        let deleted = self.store.tenant_delete(name, version, self.deed(caller, "deleteTenant")).await?;
        self.directory.forget();
        deleted
    }

    /// A tenant.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`.
    pub async fn tenant_by_name(&self, caller: &Caller, name: &str) -> Result<Tenant, Fault> {
        caller.may_begin(READ)?;
        self.at_work_in(caller, Some(name), READ).await?;
        self.store.tenant_get(name).await?.ok_or_else(|| granting::unknown_tenant(name))
    }

    /// Refuses who does not hold `right` everywhere; a tenant that it does not see is unknown to it.
    async fn rules(&self, caller: &Caller, name: &str, right: Right) -> Result<(), Fault> {
        caller.may_begin(right)?;
        self.within(caller, Some(name)).await?.must_everywhere(right)
    }

    /// Tenants by name: all for those who read them everywhere, else the caller's own.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidPageToken`.
    pub async fn tenants(&self, caller: &Caller, page: &PageRequest) -> Result<Paged<Tenant>, Fault> {
        caller.must(READ)?;
        let only = caller.must_everywhere(READ).is_err().then(|| caller.tenant.clone());
        let scope = self.list_scope(caller, "tenants", &only);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.tenant_list(only, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |tenant| tenant))
    }
}

/// The tenant with what the caller gave.
fn changed(stored: Tenant, fields: TenantFields) -> Result<Tenant, Fault> {
    let TenantFields { name, display_name, status, consent_demanded, callback_networks, .. } = fields;
    granting::name("name", &name)?;
    checks::line_if_given("displayName", display_name.as_deref(), DISPLAY_CHARS_MAX)?;
    checks::values("callbackNetwork", callback_networks.len(), NETWORKS_MAX)?;
    for network in &callback_networks {
        if !is_network(network) {
            let why = "must be an address and the number of its fixed bits, for example 10.1.0.0/16";
            return Err(Fault::invalid("callbackNetwork", network.escape_debug(), why));
        }
    }
    Ok(Tenant {
        display_name,
        status: status.unwrap_or(stored.status),
        settings: TenantSettings {
            consent_demanded: consent_demanded.unwrap_or(stored.settings.consent_demanded),
            callback_networks,
        },
        ..stored
    })
}

/// Whether a text is an address, a slash and as many fixed bits as it may have.
fn is_network(text: &str) -> bool {
    Network::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_with_its_fixed_bits() {
        for (text, is_one) in [
            ("10.0.0.0/8", true),
            ("192.168.7.0/32", true),
            ("fd00::/8", true),
            ("10.0.0.0", false),
            ("10.0.0.0/33", false),
            ("fd00::/129", false),
            ("10.0.0/8", false),
            ("localhost/8", false),
            ("10.0.0.0/-1", false),
            ("", false),
        ] {
            assert_eq!(is_network(text), is_one, "{text}");
        }
    }
}
