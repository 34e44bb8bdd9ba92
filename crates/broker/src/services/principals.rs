//! IAdministrationServices: External Systems and people.

use serde::{Deserialize, Serialize};

use super::changing::Attempts;
use super::once::{self, operation};
use super::{Broker, RequestKey, checks, granting};
use crate::access::{
    Caller, Grant, GrantTenant, Granted, Permission, Principal, PrincipalKind, Right, RightPattern, Role, TreePath, Way,
};
use crate::bounds::{
    DISPLAY_CHARS_MAX, GRANTS_MAX, GROUP_CHARS_MAX, NARROWINGS_MAX, PASSWORD_CHARS, PRINCIPAL_CHARS_MAX,
    SUBJECT_CHARS_MAX,
};
use crate::fault::{Fault, FaultName};
use crate::page::{Page, PageRequest, Paged};
use crate::store::{Keep, Once};
use crate::time::Timestamp;

/// A principal as a caller gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipalFields {
    /// Tenant it belongs to; the caller's when left out.
    pub tenant: Option<String>,
    /// Name.
    pub name: String,
    /// What it is; a system when left out on creation, the stored one stays when left out on update.
    pub kind: Option<PrincipalKind>,
    /// Longer name for people.
    pub display_name: Option<String>,
    /// Whether it is let in; true when left out on creation, the stored one stays when left out on update.
    pub enabled: Option<bool>,
    /// What it may do.
    pub grants: Vec<GrantFields>,
    /// Who it is to an OpenID provider.
    pub subject: Option<String>,
    /// Version the caller holds.
    pub version: Option<i64>,
}

/// A grant as a caller gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantFields {
    /// Name of a role; or give a right.
    pub role: Option<String>,
    /// A right.
    pub right: Option<String>,
    /// Tenant it holds in; the principal's own when left out, every one when `*`.
    pub tenant: Option<String>,
    /// Device groups it is narrowed to.
    pub groups: Vec<String>,
    /// Places in the management tree it is narrowed to.
    pub paths: Vec<String>,
}

/// A new password, hashed by who took it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword {
    /// argon2id hash in PHC form.
    pub hash: String,
    /// The password, sealed, where PasswordDigest is to be taken too.
    pub digest_secret: Option<Vec<u8>>,
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// A principal as told: without what lets it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalView {
    /// Name.
    pub name: String,
    /// Tenant it belongs to.
    pub tenant: String,
    /// What it is.
    pub kind: PrincipalKind,
    /// Longer name for people.
    pub display_name: Option<String>,
    /// Whether it is let in.
    pub enabled: bool,
    /// What it may do.
    pub grants: Vec<Grant>,
    /// Whether a password lets it in.
    pub has_password: bool,
    /// Whether PasswordDigest is taken too.
    pub takes_digest: bool,
    /// Who it is to an OpenID provider.
    pub subject: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Raised by one on each change.
    pub version: i64,
}

impl From<Principal> for PrincipalView {
    fn from(principal: Principal) -> Self {
        Self {
            name: principal.name,
            tenant: principal.tenant,
            kind: principal.kind,
            display_name: principal.display_name,
            enabled: principal.enabled,
            grants: principal.grants,
            has_password: !principal.password_hash.is_empty(),
            takes_digest: principal.digest_secret.is_some(),
            subject: principal.subject,
            created_at: principal.created_at,
            version: principal.version,
        }
    }
}

/// What a caller may do where it is at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRights {
    /// Name.
    pub name: String,
    /// Tenant it is at work in.
    pub tenant: String,
    /// What holds there.
    pub permissions: Vec<Permission>,
}

const CREATE: Right = Right::new("principal", "create");
const UPDATE: Right = Right::new("principal", "update");
const DELETE: Right = Right::new("principal", "delete");
const READ: Right = Right::new("principal", "read");

/// Refuses a password that is too easily guessed. It is never quoted.
///
/// # Errors
/// `InvalidArgument`.
pub fn password(name: &str, password: &str) -> Result<(), Fault> {
    let refused = |why: &str| Err(Fault::invalid("password", "(not shown)", why));
    if !PASSWORD_CHARS.contains(&password.chars().count()) {
        return refused("must have 12 to 256 characters");
    }
    if !checks::is_portable(password) || password.chars().any(char::is_control) {
        return refused("has characters that not every client can send");
    }
    let (password, name) = (password.to_lowercase(), name.to_lowercase());
    let mut letters = password.chars();
    let first = letters.next();
    if letters.all(|letter| Some(letter) == first) {
        return refused("is one character again and again");
    }
    if password == name || password == name.chars().rev().collect::<String>() || is_repeated(&password, &name) {
        return refused("is the name");
    }
    Ok(())
}

/// Whether `text` is nothing but `part` again and again.
fn is_repeated(text: &str, part: &str) -> bool {
    !part.is_empty() && text.replace(part, "").is_empty()
}

impl Broker {
    /// Checks that the caller makes principals, before the work of hashing a password is done.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`.
    pub async fn may_create_principal(&self, caller: &Caller, tenant: Option<&str>) -> Result<(), Fault> {
        self.at_work_in(caller, tenant, CREATE).await.map(drop)
    }

    /// Makes a principal. Without a password it is let in by other ways only.
    ///
    /// # Errors
    /// `NotAuthorized`, also for grants that reach further than the caller's own; `InvalidArgument`, `AlreadyExists`,
    /// `UnknownTenant`, `UnknownRole`, `WrongState` for a role that holds in another tenant alone.
    pub async fn create_principal(
        &self,
        caller: &Caller,
        fields: PrincipalFields,
        password: Option<NewPassword>,
        request: Option<RequestKey>,
    ) -> Result<PrincipalView, Fault> {
        let there = self.at_work_in(caller, fields.tenant.as_deref(), CREATE).await?;
        names_what_it_sees(&there, &fields.grants)?;
        checks::request_key(request.as_ref())?;
        principal_name(&fields.name)?;
        let now = self.environment.now();
        let mut principal = Principal {
            grants: Vec::new(),
            created_at: now,
            password_at: now,
            ..Principal::of_role(&fields.name, &there.tenant, "", "")
        };
        if let Some(password) = password {
            principal.password_hash = password.hash;
            principal.digest_secret = password.digest_secret;
        }
        let roles = self.roles_made(&there.tenant).await?;
        let principal = changed(principal, fields, &roles)?;
        granting::covered(&there, CREATE, &given(&principal, &roles))?;
        let answer = serde_json::to_string(&PrincipalView::from(Principal { version: 1, ..principal.clone() })).ok();
        let remember =
            self.remember(caller, operation::CREATE_PRINCIPAL, request.as_ref(), |kept: &Result<Principal, Fault>| {
                answer.filter(|_| kept.is_ok())
            });
        let deed = self.deed(&there, operation::CREATE_PRINCIPAL);
        let kept = self.store.principal_keep(principal, Keep::New, deed, remember).await?;
        self.directory.forget();
        match kept {
            Once::Now(kept) => kept.map(Into::into),
            Once::Before(answer) => once::read(&answer),
            Once::Reused => Err(once::reused()),
        }
    }

    /// Changes a principal: all but its name, tenant and password.
    ///
    /// # Errors
    /// As for [`Broker::create_principal`]; `NotAuthorized` too for a principal that has more rights than the caller,
    /// and for one's own rights; `UnknownPrincipal`, `OutdatedVersion`, `InUse` if nobody were left who may do everything
    /// everywhere.
    pub async fn update_principal(&self, caller: &Caller, fields: PrincipalFields) -> Result<PrincipalView, Fault> {
        let there = self.at_work_in(caller, fields.tenant.as_deref(), UPDATE).await?;
        names_what_it_sees(&there, &fields.grants)?;
        let roles = self.roles_made(&there.tenant).await?;
        let wanted = fields.version;
        self.principal_changed(&there, &fields.name, wanted, &roles, "updatePrincipal", |stored| {
            let before = stored.clone();
            let principal = changed(stored, fields.clone(), &roles)?;
            if principal.name == caller.name
                && (principal.grants != before.grants || principal.enabled != before.enabled)
            {
                return Err(granting::not_oneself(UPDATE));
            }
            granting::covered(&there, UPDATE, &given(&principal, &roles))?;
            Ok(principal)
        })
        .await
    }

    /// Checks that a password may be set, before the work of hashing it is done: by those who change principals, and
    /// one's own by who has just shown the old one.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `UnknownPrincipal`, `InvalidArgument`.
    pub async fn may_set_password(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        name: &str,
        new: &str,
    ) -> Result<(), Fault> {
        let (there, _) = self.password_setter(caller, tenant, name).await?;
        self.principal_there(&there.tenant, name).await?;
        password(name, new)
    }

    /// Sets a password. Sessions that were opened with the old one end.
    ///
    /// # Errors
    /// As for [`Broker::may_set_password`].
    pub async fn set_password(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        name: &str,
        new: NewPassword,
    ) -> Result<(), Fault> {
        let (there, is_own) = self.password_setter(caller, tenant, name).await?;
        let roles = self.roles_made(&there.tenant).await?;
        let now = self.environment.now();
        let set = |stored: Principal| {
            Ok(Principal {
                password_hash: new.hash.clone(),
                digest_secret: new.digest_secret.clone(),
                password_at: now,
                ..stored
            })
        };
        // Who changes its own has what it has.
        let judged = if is_own { self.account(&caller.name).await?.map(|own| own.caller(caller.origin)) } else { None };
        self.principal_changed(&judged.unwrap_or(there), name, None, &roles, "setPassword", set).await?;
        Ok(())
    }

    /// Deletes a principal; its sessions end.
    ///
    /// # Errors
    /// `NotAuthorized`, also for a principal that has more rights than the caller, and for oneself; `UnknownTenant`,
    /// `UnknownPrincipal`, `OutdatedVersion`, `InUse` if nobody were left who may do everything everywhere.
    pub async fn delete_principal(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        name: &str,
        version: Option<i64>,
    ) -> Result<(), Fault> {
        let there = self.at_work_in(caller, tenant, DELETE).await?;
        let stored = self.principal_there(&there.tenant, name).await?;
        if stored.name == caller.name {
            return Err(granting::not_oneself(DELETE));
        }
        let roles = self.roles_made(&there.tenant).await?;
        granting::covered(&there, DELETE, &given(&stored, &roles))?;
        // What it was looked at is what is deleted.
        let version = version.or(Some(stored.version));
        let deed = self.deed(&there, "deletePrincipal");
        let deleted = self.store.principal_delete(&there.tenant, name, version, deed).await?;
        self.directory.forget();
        deleted
    }

    /// A principal.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `UnknownPrincipal`.
    pub async fn principal_by_name(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        name: &str,
    ) -> Result<PrincipalView, Fault> {
        let there = self.at_work_in(caller, tenant, READ).await?;
        self.principal_there(&there.tenant, name).await.map(Into::into)
    }

    /// Principals of a tenant, by name.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `InvalidPageToken`.
    pub async fn principals(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<PrincipalView>, Fault> {
        let there = self.at_work_in(caller, tenant, READ).await?;
        let scope = self.list_scope(&there, "principals", &());
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.principals_of(&there.tenant, page).await?;
        Ok(listed.paged(&scope, &*self.vault, Into::into))
    }

    /// What the caller may do where it is at work. Anybody may ask.
    #[must_use]
    pub fn own_rights(&self, caller: &Caller) -> OwnRights {
        OwnRights {
            name: caller.name.clone(),
            tenant: caller.tenant.clone(),
            permissions: caller.held().cloned().collect(),
        }
    }

    /// Where a password is set, and whether it is the caller's own, shown a moment ago.
    async fn password_setter(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        name: &str,
    ) -> Result<(Caller, bool), Fault> {
        if name == caller.name && caller.origin.way == Way::Password {
            let account = self.account(name).await?.ok_or_else(|| unknown(name))?;
            return Ok((caller.within(&account.principal.tenant), true));
        }
        Ok((self.at_work_in(caller, tenant, UPDATE).await?, false))
    }

    async fn principal_there(&self, tenant: &str, name: &str) -> Result<Principal, Fault> {
        let stored = self.store.principal_get(name).await?.filter(|stored| stored.tenant == tenant);
        stored.ok_or_else(|| unknown(name))
    }

    /// Changes a stored principal that has no more rights than the caller, again if another change came before.
    async fn principal_changed(
        &self,
        there: &Caller,
        name: &str,
        wanted: Option<i64>,
        roles: &[Role],
        operation: &'static str,
        change: impl Fn(Principal) -> Result<Principal, Fault>,
    ) -> Result<PrincipalView, Fault> {
        let mut attempts = Attempts::of(wanted);
        loop {
            let stored = self.principal_there(&there.tenant, name).await?;
            granting::covered(there, UPDATE, &given(&stored, roles))?;
            let version = wanted.unwrap_or(stored.version);
            let principal = change(stored)?;
            let deed = self.deed(there, operation);
            let kept = self.store.principal_keep(principal, Keep::Changed { version }, deed, None).await?;
            self.directory.forget();
            if let Some(kept) = attempts.outcome(kept)? {
                return Ok(kept.into());
            }
        }
    }
}

/// What the grants of a principal give.
fn given(principal: &Principal, roles: &[Role]) -> Vec<Permission> {
    let rights = |name: &str| roles.iter().find(|role| role.name == name).map(|role| role.rights.clone());
    principal.permissions(&rights).to_vec()
}

fn unknown(name: &str) -> Fault {
    Fault::new(FaultName::UnknownPrincipal, "there is no such principal").with(name.escape_debug())
}

/// The name of a principal: it travels in HTTP Basic, which ends it at a colon.
fn principal_name(name: &str) -> Result<(), Fault> {
    checks::line("name", name, PRINCIPAL_CHARS_MAX)?;
    if name.contains(':') || name.trim() != name {
        return Err(Fault::invalid("name", name.escape_debug(), "has a colon, or blanks at an end"));
    }
    Ok(())
}

/// The principal with what the caller gave.
fn changed(stored: Principal, fields: PrincipalFields, roles: &[Role]) -> Result<Principal, Fault> {
    let PrincipalFields { kind, display_name, enabled, grants, subject, .. } = fields;
    checks::line_if_given("displayName", display_name.as_deref(), DISPLAY_CHARS_MAX)?;
    checks::line_if_given("subject", subject.as_deref(), SUBJECT_CHARS_MAX)?;
    checks::values("grant", grants.len(), GRANTS_MAX)?;
    let grants = grants.into_iter().enumerate().map(|(at, grant)| read(at, grant)).collect::<Result<Vec<_>, _>>()?;
    granting::known(&grants, &stored.tenant, roles)?;
    Ok(Principal {
        kind: kind.unwrap_or(stored.kind),
        display_name,
        enabled: enabled.unwrap_or(stored.enabled),
        grants,
        subject,
        ..stored
    })
}

/// Reads one grant; `at` is its place, for the fault.
/// Refuses grants in tenants that the caller does not see, before it is told whether it could give them.
fn names_what_it_sees(caller: &Caller, grants: &[GrantFields]) -> Result<(), Fault> {
    let mut named = grants.iter().filter_map(|grant| grant.tenant.as_deref()).filter(|name| *name != "*");
    match named.find(|name| !caller.within(name).holds_anything()) {
        None => Ok(()),
        Some(name) => Err(granting::unknown_tenant(name)),
    }
}

fn read(at: usize, given: GrantFields) -> Result<Grant, Fault> {
    let parameter = |field: &str| format!("grant[{at}].{field}");
    let what = match (given.role, given.right) {
        (Some(role), None) => Granted::Role(role),
        (None, Some(right)) => {
            let read = RightPattern::parse(&right);
            Granted::Right(read.map_err(|error| Fault::invalid(&parameter("right"), right.escape_debug(), error))?)
        }
        (Some(_), Some(_)) => {
            let text = format!("grant[{at}]: give a role or a right, and another grant for the other");
            return Err(Fault::new(FaultName::ConflictingArguments, text).with(parameter("role")));
        }
        (None, None) => return Err(Fault::missing(&parameter("role"))),
    };
    let tenant = match given.tenant {
        None => GrantTenant::Own,
        Some(all) if all == "*" => GrantTenant::Any,
        Some(name) => {
            granting::name(&parameter("tenant"), &name)?;
            GrantTenant::Named(name)
        }
    };
    checks::values(&parameter("group"), given.groups.len(), NARROWINGS_MAX)?;
    for group in &given.groups {
        checks::line(&parameter("group"), group, GROUP_CHARS_MAX)?;
    }
    checks::values(&parameter("path"), given.paths.len(), NARROWINGS_MAX)?;
    let place = |path: String| {
        let read = TreePath::parse(&path);
        read.map_err(|error| Fault::invalid(&parameter("path"), path.escape_debug(), error))
    };
    let paths = given.paths.into_iter().map(place).collect::<Result<Vec<_>, _>>()?;
    Ok(Grant { what, tenant, groups: given.groups, paths })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_12_to_256_characters_and_is_not_the_name() {
        for (text, fits) in [
            ("correct horse", true),
            ("twelve chars", true),
            ("elevenchars", false),
            (&"ab".repeat(128), true),
            (&"ab".repeat(129), false),
            ("àéîõüàéîõüàé", true),
            ("administrator", false),
            ("ADMINISTRATOR", false),
            ("rotartsinimda", false),
            ("administratoradministrator", false),
            ("aaaaaaaaaaaa", false),
            ("tab\tin\tthe\tmiddle", false),
        ] {
            assert_eq!(password("administrator", text).is_ok(), fits, "{text}");
        }
        let fault = password("n", "geheim").err();
        assert!(fault.is_some_and(|fault| !fault.to_string().contains("geheim")));
    }
}
