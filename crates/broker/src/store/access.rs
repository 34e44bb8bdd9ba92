use super::{Once, Pending, Remember};
use crate::access::{Principal, Role, Tenant};
use crate::fault::Fault;
use crate::ledger::Deed;
use crate::page::{Listed, Page};

/// A principal with what decides whether it is let in and what its grants give, from one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    /// The principal.
    pub principal: Principal,
    /// Its tenant, which is there unless the two were written by hand.
    pub tenant: Option<Tenant>,
    /// Roles that this tenant made.
    pub roles: Vec<Role>,
}

/// What to do with a record whose name is its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Make it; a name that is taken is `AlreadyExists`.
    New,
    /// Replace the stored one, which must have this version. Its time of making stays, and the store raises the version.
    Changed {
        /// Version that the change was decided on.
        version: i64,
    },
}

/// Tenants, principals and the roles that tenants make. All of them together are few.
pub trait AccessStore: Send + Sync {
    /// A principal with its tenant and the roles of this.
    fn account_load(&self, name: &str) -> Pending<'_, Option<AccountRecord>>;

    /// Keeps a tenant. A role or principal in it is not touched.
    ///
    /// The inner error is `AlreadyExists`, `UnknownTenant`, `OutdatedVersion`, or `InUse` if nobody were left who may
    /// do everything everywhere.
    fn tenant_keep(
        &self,
        tenant: Tenant,
        keep: Keep,
        deed: Deed,
        remember: Option<Remember<Result<Tenant, Fault>>>,
    ) -> Pending<'_, Once<Result<Tenant, Fault>>>;
    /// Forgets a tenant with the roles it made.
    ///
    /// The inner error is `UnknownTenant`, `OutdatedVersion`, or `InUse` if it has principals, devices, subscribers,
    /// capability records, tasks or jobs.
    fn tenant_delete(&self, name: &str, version: Option<i64>, deed: Deed) -> Pending<'_, Result<(), Fault>>;
    /// The tenant of this name.
    fn tenant_get(&self, name: &str) -> Pending<'_, Option<Tenant>>;
    /// Tenants by name; only the one of this name where it is given.
    fn tenant_list(&self, only: Option<String>, page: Page) -> Pending<'_, Listed<Tenant>>;

    /// Keeps a role.
    ///
    /// The inner error is `AlreadyExists`, `UnknownTenant`, `UnknownRole` or `OutdatedVersion`.
    fn role_keep(
        &self,
        role: Role,
        keep: Keep,
        deed: Deed,
        remember: Option<Remember<Result<Role, Fault>>>,
    ) -> Pending<'_, Once<Result<Role, Fault>>>;
    /// Forgets a role.
    ///
    /// The inner error is `UnknownRole`, `OutdatedVersion`, or `InUse` if a principal of its tenant was given it.
    fn role_delete(&self, tenant: &str, name: &str, version: Option<i64>, deed: Deed)
    -> Pending<'_, Result<(), Fault>>;
    /// The role of this name.
    fn role_get(&self, tenant: &str, name: &str) -> Pending<'_, Option<Role>>;
    /// Roles of a tenant, by name.
    fn role_list(&self, tenant: &str, page: Page) -> Pending<'_, Listed<Role>>;

    /// Keeps a principal.
    ///
    /// The inner error is `AlreadyExists` (name or subject), `UnknownTenant`, `UnknownPrincipal`, `OutdatedVersion`, or
    /// `InUse` if nobody were left who may do everything everywhere.
    fn principal_keep(
        &self,
        principal: Principal,
        keep: Keep,
        deed: Deed,
        remember: Option<Remember<Result<Principal, Fault>>>,
    ) -> Pending<'_, Once<Result<Principal, Fault>>>;
    /// Forgets a principal and ends its sessions.
    ///
    /// The inner error is as for [`AccessStore::principal_keep`].
    fn principal_delete(
        &self,
        tenant: &str,
        name: &str,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>>;
    /// Principals of a tenant, by name.
    fn principals_of(&self, tenant: &str, page: Page) -> Pending<'_, Listed<Principal>>;
}
