//! IAdministrationServices: roles.

use super::changing::Attempts;
use super::once::{self, operation};
use super::{Broker, RequestKey, checks, granting};
use crate::access::{BUILT_IN, BuiltIn, Caller, Right, RightPattern, Role};
use crate::bounds::{ABOUT_CHARS_MAX, ROLE_RIGHTS_MAX};
use crate::fault::{Fault, FaultName};
use crate::page::{Listed, Page, PageRequest, Paged};
use crate::store::Keep;
use crate::time::Timestamp;

/// A role as a caller gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleFields {
    /// Tenant it belongs to; the caller's when left out.
    pub tenant: Option<String>,
    /// Name.
    pub name: String,
    /// What it is for.
    pub about: Option<String>,
    /// What it gives, each as [`RightPattern`] reads it.
    pub rights: Vec<String>,
    /// Version the caller holds.
    pub version: Option<i64>,
}

/// A role as told: built in, or made by a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleView {
    /// Every tenant has it.
    BuiltIn(&'static BuiltIn),
    /// A tenant made it.
    Made(Role),
}

const CREATE: Right = Right::new("role", "create");
const UPDATE: Right = Right::new("role", "update");
const DELETE: Right = Right::new("role", "delete");
const READ: Right = Right::new("role", "read");
/// Before the names of built-in roles in a page token, so that those of tenants come behind them.
const BUILT_IN_KEY: &str = "/";

impl Broker {
    /// Makes a role of a tenant.
    ///
    /// # Errors
    /// `NotAuthorized`, also for rights that the caller does not have; `InvalidArgument`, `AlreadyExists`,
    /// `UnknownTenant`.
    pub async fn create_role(
        &self,
        caller: &Caller,
        fields: RoleFields,
        request: Option<RequestKey>,
    ) -> Result<Role, Fault> {
        let there = self.at_work_in(caller, fields.tenant.as_deref(), CREATE).await?;
        checks::request_key(request.as_ref())?;
        let role = Role {
            tenant: there.tenant.clone(),
            name: fields.name.clone(),
            about: None,
            rights: Vec::new(),
            created_at: self.environment.now(),
            version: 1,
        };
        let role = changed(role, fields)?;
        granting::covered(&there, CREATE, &granting::of_role(&role))?;
        let remember = self.remember_record(caller, operation::CREATE_ROLE, request.as_ref());
        let deed = self.deed(&there, operation::CREATE_ROLE);
        let kept = self.store.role_keep(role, Keep::New, deed, remember).await?;
        self.directory.forget();
        once::record(kept)
    }

    /// Changes a role; whoever was given it has what it gives from now on.
    ///
    /// # Errors
    /// As for [`Broker::create_role`], and `NotAuthorized` if the caller was given the role itself; `UnknownRole`,
    /// `OutdatedVersion`.
    pub async fn update_role(&self, caller: &Caller, fields: RoleFields) -> Result<Role, Fault> {
        let there = self.at_work_in(caller, fields.tenant.as_deref(), UPDATE).await?;
        self.is_not_held(caller, &there.tenant, &fields.name, UPDATE).await?;
        let mut attempts = Attempts::of(fields.version);
        loop {
            let stored = self.role_made(&there.tenant, &fields.name).await?;
            granting::covered(&there, UPDATE, &granting::of_role(&stored))?;
            let version = fields.version.unwrap_or(stored.version);
            let role = changed(stored, fields.clone())?;
            granting::covered(&there, UPDATE, &granting::of_role(&role))?;
            let deed = self.deed(&there, "updateRole");
            let kept = self.store.role_keep(role, Keep::Changed { version }, deed, None).await?;
            self.directory.forget();
            if let Some(kept) = attempts.outcome(kept)? {
                return Ok(kept);
            }
        }
    }

    /// Deletes a role that nobody was given.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `UnknownRole`, `OutdatedVersion`, `InUse`.
    pub async fn delete_role(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        name: &str,
        version: Option<i64>,
    ) -> Result<(), Fault> {
        let there = self.at_work_in(caller, tenant, DELETE).await?;
        let stored = self.role_made(&there.tenant, name).await?;
        granting::covered(&there, DELETE, &granting::of_role(&stored))?;
        let deed = self.deed(&there, "deleteRole");
        let deleted = self.store.role_delete(&there.tenant, name, version, deed).await?;
        self.directory.forget();
        deleted
    }

    /// A role, built in or of a tenant.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `UnknownRole`.
    pub async fn role_by_name(&self, caller: &Caller, tenant: Option<&str>, name: &str) -> Result<RoleView, Fault> {
        let there = self.at_work_in(caller, tenant, READ).await?;
        if let Some(role) = BuiltIn::named(name) {
            return Ok(RoleView::BuiltIn(role));
        }
        self.role_made(&there.tenant, name).await.map(RoleView::Made)
    }

    /// The built-in roles in the order of the contract, then those of the tenant by name.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `InvalidPageToken`.
    pub async fn roles(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<RoleView>, Fault> {
        let there = self.at_work_in(caller, tenant, READ).await?;
        let scope = self.list_scope(&there, "roles", &());
        let page = Page::read(page, &scope, &*self.vault)?;
        let mut items: Vec<(String, RoleView)> = Vec::new();
        let first = match page.after.as_deref() {
            None => Some(0),
            Some(after) => after
                .strip_prefix(BUILT_IN_KEY)
                .map(|last| BUILT_IN.iter().position(|role| role.name == last).map_or(BUILT_IN.len(), |at| at + 1)),
        };
        for role in BUILT_IN.iter().skip(first.unwrap_or(BUILT_IN.len())) {
            items.push((format!("{BUILT_IN_KEY}{}", role.name), RoleView::BuiltIn(role)));
        }
        let after = page.after.clone().filter(|_| first.is_none());
        let made = self.store.role_list(&there.tenant, Page { size: page.size, after }).await?;
        let mut has_more = made.next.is_some();
        items.extend(made.items.into_iter().map(|role| (role.name.clone(), RoleView::Made(role))));
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        has_more |= items.len() > size;
        items.truncate(size);
        let next = if has_more { items.last().map(|(key, _)| key.clone()) } else { None };
        let total = made.total.saturating_add(BUILT_IN.len() as u64);
        let listed = Listed { items, total, next };
        Ok(listed.paged(&scope, &*self.vault, |(_, role)| role))
    }

    async fn role_made(&self, tenant: &str, name: &str) -> Result<Role, Fault> {
        if BuiltIn::named(name).is_some() {
            let text = "this role is built in and stays as it is; make one of another name";
            return Err(Fault::new(FaultName::WrongState, text).with("built in"));
        }
        let unknown = || Fault::new(FaultName::UnknownRole, "there is no such role").with(name.escape_debug());
        self.store.role_get(tenant, name).await?.ok_or_else(unknown)
    }

    /// Refuses to change a role that the caller was given.
    async fn is_not_held(&self, caller: &Caller, tenant: &str, name: &str, right: Right) -> Result<(), Fault> {
        let account = self.account(&caller.name).await?;
        let is_held =
            account.is_some_and(|account| account.principal.tenant == tenant && account.principal.has_role(name));
        if is_held { Err(granting::not_oneself(right)) } else { Ok(()) }
    }
}

impl RoleView {
    /// Name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(role) => role.name,
            Self::Made(role) => &role.name,
        }
    }

    /// When it was made; built-in ones always were.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Made(role) => Some(role.created_at),
        }
    }
}

/// The role with what the caller gave.
fn changed(stored: Role, fields: RoleFields) -> Result<Role, Fault> {
    let RoleFields { name, about, rights, .. } = fields;
    granting::name("name", &name)?;
    if BuiltIn::named(&name).is_some() {
        let text = "name is that of a built-in role; choose another";
        return Err(Fault::new(FaultName::AlreadyExists, text).with("name").with(name));
    }
    checks::prose("about", about.as_deref().unwrap_or_default(), ABOUT_CHARS_MAX)?;
    checks::entries("right", rights.len(), ROLE_RIGHTS_MAX)?;
    let mut read = Vec::with_capacity(rights.len());
    for (at, text) in rights.iter().enumerate() {
        let right = RightPattern::parse(text)
            .map_err(|error| Fault::invalid(&format!("right[{at}]"), text.escape_debug(), error))?;
        if !read.contains(&right) {
            read.push(right);
        }
    }
    Ok(Role { about, rights: read, ..stored })
}
