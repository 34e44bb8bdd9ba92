//! The port, on the functions beside it.

use muster_broker::access::{Principal, Role, Tenant};
use muster_broker::fault::Fault;
use muster_broker::ledger::Deed;
use muster_broker::page::{Listed, Page};
use muster_broker::store::{AccessStore, AccountRecord, Keep, Once, Pending, Remember};
use rusqlite::types::Value;

use super::{PRINCIPAL, ROLE, TENANT};
use crate::sqlite::SqliteStore;
use crate::sqlite::query::{Where, listed, one_more};
use crate::sqlite::requests::once;
use crate::sqlite::rows::Done;
use crate::sqlite::writer::Guard;

/// Octets that a record takes in the log, about.
const RECORD_BYTES: usize = 1024;

impl AccessStore for SqliteStore {
    fn account_load(&self, name: &str) -> Pending<'_, Option<AccountRecord>> {
        let name = name.to_owned();
        Box::pin(async move {
            self.points.read(|connection| {
                let Some(principal) = super::principal_get(connection, &name)? else { return Ok(None) };
                let tenant = super::tenant_get(connection, &principal.tenant)?;
                let roles = super::roles_of(connection, &principal.tenant)?;
                Ok(Some(AccountRecord { principal, tenant, roles }))
            })
        })
    }

    fn tenant_keep(
        &self,
        tenant: Tenant,
        keep: Keep,
        deed: Deed,
        remember: Option<Remember<Result<Tenant, Fault>>>,
    ) -> Pending<'_, Once<Result<Tenant, Fault>>> {
        Box::pin(self.write(Guard::Savepoint, RECORD_BYTES, move |connection| {
            once(connection, remember, |connection| super::tenant_keep(connection, &tenant, keep, &deed))
        }))
    }

    fn tenant_delete(&self, name: &str, version: Option<i64>, deed: Deed) -> Pending<'_, Result<(), Fault>> {
        let name = name.to_owned();
        Box::pin(self.write(Guard::Savepoint, RECORD_BYTES, move |connection| {
            super::tenant_delete(connection, &name, version, &deed)
        }))
    }

    fn tenant_get(&self, name: &str) -> Pending<'_, Option<Tenant>> {
        let name = name.to_owned();
        Box::pin(async move { self.points.read(|connection| super::tenant_get(connection, &name)) })
    }

    fn tenant_list(&self, only: Option<String>, page: Page) -> Pending<'_, Listed<Tenant>> {
        Box::pin(self.scan(move |connection| {
            let mut wanted = Where::default();
            wanted.equal("t.name", only.as_deref());
            let total = wanted.count(connection, "tenant t")?;
            after(&mut wanted, "t.name", &page);
            let items = wanted.select(connection, TENANT, "tenant t", "t.name", one_more(&page), super::tenant)?;
            Ok(listed(items, &page, total, |tenant| tenant.name.clone()))
        }))
    }

    fn role_keep(
        &self,
        role: Role,
        keep: Keep,
        deed: Deed,
        remember: Option<Remember<Result<Role, Fault>>>,
    ) -> Pending<'_, Once<Result<Role, Fault>>> {
        Box::pin(self.write(Guard::Savepoint, RECORD_BYTES, move |connection| {
            once(connection, remember, |connection| super::role_keep(connection, &role, keep, &deed))
        }))
    }

    fn role_delete(
        &self,
        tenant: &str,
        name: &str,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>> {
        let (tenant, name) = (tenant.to_owned(), name.to_owned());
        Box::pin(self.write(Guard::Savepoint, RECORD_BYTES, move |connection| {
            super::role_delete(connection, &tenant, &name, version, &deed)
        }))
    }

    fn role_get(&self, tenant: &str, name: &str) -> Pending<'_, Option<Role>> {
        let (tenant, name) = (tenant.to_owned(), name.to_owned());
        Box::pin(async move { self.points.read(|connection| super::role_get(connection, &tenant, &name)) })
    }

    fn role_list(&self, tenant: &str, page: Page) -> Pending<'_, Listed<Role>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| {
            let mut wanted = Where::default();
            wanted.equal("r.tenant", Some(&tenant));
            let total = wanted.count(connection, "role r")?;
            after(&mut wanted, "r.name", &page);
            let items = wanted.select(connection, ROLE, "role r", "r.name", one_more(&page), super::role)?;
            Ok(listed(items, &page, total, |role| role.name.clone()))
        }))
    }

    fn principal_keep(
        &self,
        principal: Principal,
        keep: Keep,
        deed: Deed,
        remember: Option<Remember<Result<Principal, Fault>>>,
    ) -> Pending<'_, Once<Result<Principal, Fault>>> {
        Box::pin(self.write(Guard::Savepoint, RECORD_BYTES, move |connection| {
            once(connection, remember, |connection| super::principal_keep(connection, &principal, keep, &deed))
        }))
    }

    fn principal_delete(
        &self,
        tenant: &str,
        name: &str,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>> {
        let (tenant, name) = (tenant.to_owned(), name.to_owned());
        Box::pin(self.write(Guard::Savepoint, RECORD_BYTES, move |connection| {
            super::principal_delete(connection, &tenant, &name, version, &deed)
        }))
    }

    fn principals_of(&self, tenant: &str, page: Page) -> Pending<'_, Listed<Principal>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| principals(connection, &tenant, &page)))
    }
}

fn principals(connection: &rusqlite::Connection, tenant: &str, page: &Page) -> Done<Listed<Principal>> {
    let mut wanted = Where::default();
    wanted.equal("p.tenant", Some(tenant));
    let total = wanted.count(connection, "principal p")?;
    after(&mut wanted, "p.name", page);
    let items = wanted.select(connection, PRINCIPAL, "principal p", "p.name", one_more(page), super::principal)?;
    Ok(listed(items, page, total, |principal| principal.name.clone()))
}

/// Only records whose name comes after the last one of the page before.
fn after(wanted: &mut Where, column: &str, page: &Page) {
    if let Some(after) = &page.after {
        wanted.and(format!("{column} > ?"), [Value::from(after.clone())]);
    }
}
