//! Who may give what to whom: nobody gives more than it has, and nobody changes what it was given itself.

use std::borrow::Cow;

use super::Broker;
use crate::access::{BuiltIn, Caller, Grant, GrantTenant, Granted, Permission, Right, Role};
use crate::bounds::NAME_CHARS_MAX;
use crate::fault::{Fault, FaultName};
use crate::page::Page;

/// The name of a tenant or role: letters, digits and `-_.`, so that it stands in addresses and rights as it is.
pub(super) fn name(parameter: &str, name: &str) -> Result<(), Fault> {
    let fits = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet))
        && name.bytes().any(|octet| octet.is_ascii_alphanumeric());
    if fits {
        return Ok(());
    }
    let why = format!("must have 1 to {NAME_CHARS_MAX} ASCII letters, digits and -_.");
    Err(Fault::invalid(parameter, name.escape_debug(), why))
}

/// Refuses rights that the caller does not have itself.
///
/// # Errors
/// `NotAuthorized`, variables: object, operation.
pub(super) fn covered(caller: &Caller, right: Right, wanted: &[Permission]) -> Result<(), Fault> {
    match wanted.iter().find(|wanted| !caller.permissions.iter().any(|own| own.includes(wanted))) {
        None => Ok(()),
        Some(more) => {
            let place = more.tenant.as_deref().unwrap_or("every tenant");
            let text =
                format!("{} in {place} reaches further than your own rights; ask somebody who has it", more.right);
            Err(Fault::new(FaultName::NotAuthorized, text).with(right.object).with(right.operation))
        }
    }
}

/// Refuses what one may not do to oneself.
pub(super) fn not_oneself(right: Right) -> Fault {
    let text = "nobody changes its own rights, switches itself off or deletes itself; ask another administrator";
    Fault::new(FaultName::NotAuthorized, text).with(right.object).with(right.operation)
}

/// What rights of a role give in its tenant.
pub(super) fn of_role(role: &Role) -> Vec<Permission> {
    role.rights.iter().map(|right| Permission::whole(right.clone(), Some(&role.tenant))).collect()
}

/// Refuses grants of roles that there are not: such a grant would come alive with whoever makes the role.
pub(super) fn known(grants: &[Grant], tenant: &str, roles: &[Role]) -> Result<(), Fault> {
    for (at, grant) in grants.iter().enumerate() {
        let Granted::Role(role) = &grant.what else { continue };
        let is_own = roles.iter().any(|known| known.name == *role);
        if BuiltIn::named(role).is_none() && !is_own {
            return Err(Fault::new(FaultName::UnknownRole, format!("grant[{at}].role: {tenant} has no such role"))
                .with(role.escape_debug()));
        }
        let is_here = match &grant.tenant {
            GrantTenant::Own => true,
            GrantTenant::Named(name) => name == tenant,
            GrantTenant::Any => false,
        };
        let is_elsewhere = BuiltIn::named(role).is_none() && !is_here;
        if is_elsewhere {
            let text = format!(
                "grant[{at}].role: a role that a tenant made holds in this tenant alone; give the rights one by one"
            );
            return Err(Fault::new(FaultName::WrongState, text).with(role.escape_debug()));
        }
    }
    Ok(())
}

impl Broker {
    /// The caller at work in the tenant that an administrative request is about: its own unless another is named that
    /// its grants reach.
    ///
    /// # Errors
    /// `UnknownTenant` as [`Broker::within`]; `NotAuthorized` without the right in a tenant that it sees.
    pub(super) async fn at_work_in(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        right: Right,
    ) -> Result<Caller, Fault> {
        let there = self.within(caller, tenant).await?;
        there.must(right)?;
        Ok(there.into_owned())
    }

    /// The caller at work in the tenant that a request names: its own where none is named. What it may do there is asked
    /// by what it does.
    ///
    /// # Errors
    /// `UnknownTenant` if there is none of this name, or the caller has nothing to do with it: whoever holds nothing in a
    /// tenant does not see it, and is told the same of one that is there and one that is not.
    pub async fn within<'c>(&self, caller: &'c Caller, tenant: Option<&str>) -> Result<Cow<'c, Caller>, Fault> {
        let Some(name) = tenant.filter(|name| *name != caller.tenant) else { return Ok(Cow::Borrowed(caller)) };
        let there = caller.within(name);
        if !there.holds_anything() || self.tenant(name).await?.is_none() {
            return Err(unknown_tenant(name));
        }
        Ok(Cow::Owned(there))
    }

    /// Every role that a tenant made.
    pub(super) async fn roles_made(&self, tenant: &str) -> Result<Vec<Role>, Fault> {
        let mut roles = Vec::new();
        let mut after = None;
        loop {
            let page = Page { size: Page::SIZE_MAX, after };
            let mut listed = self.store.role_list(tenant, page).await?;
            roles.append(&mut listed.items);
            after = listed.next;
            if after.is_none() {
                return Ok(roles);
            }
        }
    }
}

/// The fault for a tenant that is not there, or not for the caller.
pub(super) fn unknown_tenant(name: &str) -> Fault {
    Fault::new(FaultName::UnknownTenant, "there is no such tenant").with(name.escape_debug())
}
