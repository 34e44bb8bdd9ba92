//! Tenants, principals and roles as rows, and what must hold between them.

mod port;

use muster_broker::access::{Principal, PrincipalKind, Role, Tenant, TenantStatus};
use muster_broker::fault::{Fault, FaultName};
use muster_broker::ledger::{self as told, AuditEntry, Deed, Object};
use muster_broker::store::Keep;
use rusqlite::{Connection, params};

use super::certificates;
use super::devices::outdated;
use super::ledger;
use super::query::{many, one, run};
use super::rows::{Cells, Done, number_in, value_in};
use super::writer::Transaction;

/// A kind's number in the database is its place here; places never change.
const KIND: [PrincipalKind; 2] = [PrincipalKind::System, PrincipalKind::Person];
/// As [`KIND`].
const STATUS: [TenantStatus; 2] = [TenantStatus::Active, TenantStatus::Suspended];

/// Columns for [`principal`], from `principal p`.
pub(super) const PRINCIPAL: &str = "p.name, p.tenant, p.kind, p.display_name, p.grants, p.enabled, p.password_hash, \
    p.password_at, p.digest_secret, p.subject, p.created_at, p.version";
const TENANT: &str = "t.name, t.display_name, t.status, t.settings, t.created_at, t.version";
const ROLE: &str = "r.tenant, r.name, r.about, r.rights, r.created_at, r.version";

pub(super) fn principal(cells: &mut Cells<'_>) -> Done<Principal> {
    Ok(Principal {
        name: cells.get()?,
        tenant: cells.get()?,
        kind: value_in(&KIND, cells.get()?)?,
        display_name: cells.get()?,
        grants: cells.json()?,
        enabled: cells.get()?,
        password_hash: cells.get()?,
        password_at: cells.time()?,
        digest_secret: cells.get()?,
        subject: cells.get()?,
        created_at: cells.time()?,
        version: cells.get()?,
    })
}

fn tenant(cells: &mut Cells<'_>) -> Done<Tenant> {
    Ok(Tenant {
        name: cells.get()?,
        display_name: cells.get()?,
        status: value_in(&STATUS, cells.get()?)?,
        settings: cells.json()?,
        created_at: cells.time()?,
        version: cells.get()?,
    })
}

fn role(cells: &mut Cells<'_>) -> Done<Role> {
    Ok(Role {
        tenant: cells.get()?,
        name: cells.get()?,
        about: cells.get()?,
        rights: cells.json()?,
        created_at: cells.time()?,
        version: cells.get()?,
    })
}

/// Keeps a principal whatever was there, and its tenant if that is new.
pub(super) fn put(connection: &Transaction<'_>, principal: &Principal, deed: &Deed) -> Done<()> {
    run(
        connection,
        "INSERT INTO tenant (name, status, settings, created_at, version) VALUES (?, 0, '{}', ?, 1) \
         ON CONFLICT (name) DO NOTHING",
        params![principal.tenant, principal.created_at.0],
    )?;
    let stored = principal_get(connection, &principal.name)?;
    let version = stored.as_ref().map_or(principal.version, |stored| stored.version + 1);
    principal_write(connection, principal, version)?;
    tell_principal(connection, deed, stored.as_ref(), Some(principal))
}

/// Tells the log of a principal that is made, changed or forgotten. That its secrets changed is told, never what they
/// are.
fn tell_principal(
    connection: &Transaction<'_>,
    deed: &Deed,
    before: Option<&Principal>,
    after: Option<&Principal>,
) -> Done<()> {
    let Some(principal) = after.or(before) else { return Ok(()) };
    let mut picture = after.map(told::principal);
    let secrets = |it: &Principal| (it.password_hash.clone(), it.digest_secret.clone());
    if let (Some(before), Some(after), Some(picture)) = (before, after, &mut picture)
        && secrets(before) != secrets(after)
    {
        picture.open.insert("passwordChanged".to_owned(), true.into());
    }
    let object = Object::named("principal", Some(&principal.name));
    let deed = deed.clone().within(&principal.tenant);
    ledger::add(connection, AuditEntry::done(&deed, object, before.map(told::principal), picture))
}

fn principal_write(connection: &Connection, principal: &Principal, version: i64) -> Done<()> {
    run(
        connection,
        "INSERT INTO principal (name, tenant, kind, display_name, grants, enabled, password_hash, password_at, \
         digest_secret, subject, created_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET tenant = excluded.tenant, kind = excluded.kind, \
         display_name = excluded.display_name, grants = excluded.grants, enabled = excluded.enabled, \
         password_hash = excluded.password_hash, password_at = excluded.password_at, \
         digest_secret = excluded.digest_secret, subject = excluded.subject, version = excluded.version",
        params![
            principal.name,
            principal.tenant,
            number_in(&KIND, &principal.kind),
            principal.display_name,
            serde_json::to_string(&principal.grants)?,
            principal.enabled,
            principal.password_hash,
            principal.password_at.0,
            principal.digest_secret,
            principal.subject,
            principal.created_at.0,
            version,
        ],
    )?;
    Ok(())
}

fn principal_get(connection: &Connection, name: &str) -> Done<Option<Principal>> {
    one(connection, &format!("SELECT {PRINCIPAL} FROM principal p WHERE p.name = ?"), [name], principal)
}

pub(super) fn tenant_get(connection: &Connection, name: &str) -> Done<Option<Tenant>> {
    one(connection, &format!("SELECT {TENANT} FROM tenant t WHERE t.name = ?"), [name], tenant)
}

fn role_get(connection: &Connection, tenant: &str, name: &str) -> Done<Option<Role>> {
    let sql = format!("SELECT {ROLE} FROM role r WHERE r.tenant = ? AND r.name = ?");
    one(connection, &sql, [tenant, name], role)
}

fn roles_of(connection: &Connection, tenant: &str) -> Done<Vec<Role>> {
    many(connection, &format!("SELECT {ROLE} FROM role r WHERE r.tenant = ? ORDER BY r.name"), [tenant], role)
}

fn principals_of(connection: &Connection, tenant: &str) -> Done<Vec<Principal>> {
    let sql = format!("SELECT {PRINCIPAL} FROM principal p WHERE p.tenant = ? ORDER BY p.name");
    many(connection, &sql, [tenant], principal)
}

/// Whether anybody who is let in, other than `except`, may do everything everywhere.
fn is_anybody_over_all(connection: &Connection, except: Except<'_>) -> Done<bool> {
    let sql = format!(
        "SELECT {PRINCIPAL} FROM principal p JOIN tenant t ON t.name = p.tenant WHERE p.enabled = 1 AND t.status = 0"
    );
    let others = many(connection, &sql, [], principal)?;
    Ok(others.iter().any(|other| {
        let is_left = match except {
            Except::Principal(name) => other.name != name,
            Except::Tenant(name) => other.tenant != name,
        };
        is_left && other.is_over_all()
    }))
}

#[derive(Clone, Copy)]
enum Except<'a> {
    Principal(&'a str),
    Tenant(&'a str),
}

fn nobody_left() -> Fault {
    let text = "nobody would be left who may do everything in every tenant; give somebody else the role administrator \
                in * first";
    Fault::new(FaultName::InUse, text).with("administrator")
}

fn taken(key: &str, value: &str) -> Fault {
    Fault::new(FaultName::AlreadyExists, format!("{key} is taken; choose another")).with(key).with(value)
}

fn unknown_tenant(name: &str) -> Fault {
    Fault::new(FaultName::UnknownTenant, "there is no such tenant").with(name.escape_debug())
}

fn unknown_principal(name: &str) -> Fault {
    Fault::new(FaultName::UnknownPrincipal, "there is no such principal").with(name.escape_debug())
}

fn unknown_role(name: &str) -> Fault {
    Fault::new(FaultName::UnknownRole, "there is no such role").with(name.escape_debug())
}

/// The version that a record gets, if it may be kept.
fn next_version(stored: Option<i64>, keep: Keep, taken: Fault, unknown: Fault) -> Result<i64, Fault> {
    match (stored, keep) {
        (None, Keep::New) => Ok(1),
        (Some(_), Keep::New) => Err(taken),
        (None, Keep::Changed { .. }) => Err(unknown),
        (Some(stored), Keep::Changed { version }) if stored != version => Err(outdated(stored, version)),
        (Some(stored), Keep::Changed { .. }) => Ok(stored.saturating_add(1)),
    }
}

fn is_outdated(stored: i64, given: Option<i64>) -> Result<(), Fault> {
    given.filter(|given| *given != stored).map_or(Ok(()), |given| Err(outdated(stored, given)))
}

pub(super) fn tenant_keep(
    connection: &Transaction<'_>,
    given: &Tenant,
    keep: Keep,
    deed: &Deed,
) -> Done<Result<Tenant, Fault>> {
    let stored = tenant_get(connection, &given.name)?;
    let stored_version = stored.as_ref().map(|stored| stored.version);
    let version = match next_version(stored_version, keep, taken("name", &given.name), unknown_tenant(&given.name)) {
        Ok(version) => version,
        Err(fault) => return Ok(Err(fault)),
    };
    if stored.as_ref().is_some_and(Tenant::is_active)
        && !given.is_active()
        && principals_of(connection, &given.name)?.iter().any(Principal::is_over_all)
        && !is_anybody_over_all(connection, Except::Tenant(&given.name))?
    {
        return Ok(Err(nobody_left()));
    }
    let created_at = stored.as_ref().map_or(given.created_at, |stored| stored.created_at);
    let kept = Tenant { created_at, version, ..given.clone() };
    run(
        connection,
        "INSERT INTO tenant (name, display_name, status, settings, created_at, version) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name, status = excluded.status, \
         settings = excluded.settings, version = excluded.version",
        params![
            kept.name,
            kept.display_name,
            number_in(&STATUS, &kept.status),
            serde_json::to_string(&kept.settings)?,
            kept.created_at.0,
            kept.version,
        ],
    )?;
    let (object, before) = (Object::named("tenant", Some(&kept.name)), stored.as_ref().map(told::tenant));
    let deed = deed.clone().within(&kept.name);
    ledger::add(connection, AuditEntry::done(&deed, object, before, Some(told::tenant(&kept))))?;
    Ok(Ok(kept))
}

pub(super) fn tenant_delete(
    connection: &Transaction<'_>,
    name: &str,
    version: Option<i64>,
    deed: &Deed,
) -> Done<Result<(), Fault>> {
    let Some(stored) = tenant_get(connection, name)? else { return Ok(Err(unknown_tenant(name))) };
    if let Err(fault) = is_outdated(stored.version, version) {
        return Ok(Err(fault));
    }
    for (what, sql) in [
        ("principals", "SELECT 1 FROM principal WHERE tenant = ? LIMIT 1"),
        ("devices", "SELECT 1 FROM device WHERE tenant = ? LIMIT 1"),
        ("subscribers", "SELECT 1 FROM subscriber WHERE tenant = ? LIMIT 1"),
        ("capability records", "SELECT 1 FROM capability WHERE tenant = ? LIMIT 1"),
        ("jobs", "SELECT 1 FROM job WHERE tenant = ? LIMIT 1"),
        ("tasks", "SELECT 1 FROM task WHERE tenant = ? LIMIT 1"),
    ] {
        if connection.prepare_cached(sql)?.exists([name])? {
            let text = format!("the tenant has {what}; suspend it instead, or delete these first");
            return Ok(Err(Fault::new(FaultName::InUse, text).with(what)));
        }
    }
    certificates::forget_tenant(connection, name)?;
    run(connection, "DELETE FROM identity_provider WHERE tenant = ?", [name])?;
    run(connection, "DELETE FROM role WHERE tenant = ?", [name])?;
    run(connection, "DELETE FROM tenant WHERE name = ?", [name])?;
    let (object, before) = (Object::named("tenant", Some(name)), told::tenant(&stored));
    ledger::add(connection, AuditEntry::done(&deed.clone().within(name), object, Some(before), None))?;
    Ok(Ok(()))
}

pub(super) fn role_keep(
    connection: &Transaction<'_>,
    given: &Role,
    keep: Keep,
    deed: &Deed,
) -> Done<Result<Role, Fault>> {
    if tenant_get(connection, &given.tenant)?.is_none() {
        return Ok(Err(unknown_tenant(&given.tenant)));
    }
    let stored = role_get(connection, &given.tenant, &given.name)?;
    let stored_version = stored.as_ref().map(|stored| stored.version);
    let version = match next_version(stored_version, keep, taken("name", &given.name), unknown_role(&given.name)) {
        Ok(version) => version,
        Err(fault) => return Ok(Err(fault)),
    };
    let created_at = stored.as_ref().map_or(given.created_at, |stored| stored.created_at);
    let kept = Role { created_at, version, ..given.clone() };
    run(
        connection,
        "INSERT INTO role (tenant, name, about, rights, created_at, version) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (tenant, name) DO UPDATE SET about = excluded.about, rights = excluded.rights, \
         version = excluded.version",
        params![
            kept.tenant,
            kept.name,
            kept.about,
            serde_json::to_string(&kept.rights)?,
            kept.created_at.0,
            kept.version
        ],
    )?;
    let (object, before) = (Object::named("role", Some(&kept.name)), stored.as_ref().map(told::role));
    let deed = deed.clone().within(&kept.tenant);
    ledger::add(connection, AuditEntry::done(&deed, object, before, Some(told::role(&kept))))?;
    Ok(Ok(kept))
}

pub(super) fn role_delete(
    connection: &Transaction<'_>,
    tenant: &str,
    name: &str,
    version: Option<i64>,
    deed: &Deed,
) -> Done<Result<(), Fault>> {
    let Some(stored) = role_get(connection, tenant, name)? else { return Ok(Err(unknown_role(name))) };
    if let Err(fault) = is_outdated(stored.version, version) {
        return Ok(Err(fault));
    }
    if let Some(holder) = principals_of(connection, tenant)?.iter().find(|principal| principal.has_role(name)) {
        let text = format!("{} was given this role; take it away first", holder.name);
        return Ok(Err(Fault::new(FaultName::InUse, text).with(&holder.name)));
    }
    run(connection, "DELETE FROM role WHERE tenant = ? AND name = ?", [tenant, name])?;
    let (object, before) = (Object::named("role", Some(name)), told::role(&stored));
    ledger::add(connection, AuditEntry::done(&deed.clone().within(tenant), object, Some(before), None))?;
    Ok(Ok(()))
}

pub(super) fn principal_keep(
    connection: &Transaction<'_>,
    given: &Principal,
    keep: Keep,
    deed: &Deed,
) -> Done<Result<Principal, Fault>> {
    if tenant_get(connection, &given.tenant)?.is_none() {
        return Ok(Err(unknown_tenant(&given.tenant)));
    }
    // A principal of another tenant keeps its name, and is not there for this one.
    let stored = principal_get(connection, &given.name)?;
    let visible = stored.as_ref().filter(|stored| keep == Keep::New || stored.tenant == given.tenant);
    let (taken_name, unknown) = (taken("name", &given.name), unknown_principal(&given.name));
    let version = match next_version(visible.map(|stored| stored.version), keep, taken_name, unknown) {
        Ok(version) => version,
        Err(fault) => return Ok(Err(fault)),
    };
    if let Some(subject) = &given.subject {
        let sql = "SELECT name FROM principal WHERE subject = ? AND name <> ?";
        if one(connection, sql, [subject, &given.name], |cells| cells.get::<String>())?.is_some() {
            return Ok(Err(taken("subject", subject)));
        }
    }
    let was_over_all = stored.as_ref().is_some_and(Principal::is_over_all);
    if was_over_all && !given.is_over_all() && !is_anybody_over_all(connection, Except::Principal(&given.name))? {
        return Ok(Err(nobody_left()));
    }
    let created_at = stored.as_ref().map_or(given.created_at, |stored| stored.created_at);
    let kept = Principal { created_at, version, ..given.clone() };
    principal_write(connection, &kept, version)?;
    tell_principal(connection, deed, stored.as_ref(), Some(&kept))?;
    Ok(Ok(kept))
}

pub(super) fn principal_delete(
    connection: &Transaction<'_>,
    tenant: &str,
    name: &str,
    version: Option<i64>,
    deed: &Deed,
) -> Done<Result<(), Fault>> {
    let Some(stored) = principal_get(connection, name)?.filter(|stored| stored.tenant == tenant) else {
        return Ok(Err(unknown_principal(name)));
    };
    if let Err(fault) = is_outdated(stored.version, version) {
        return Ok(Err(fault));
    }
    if stored.is_over_all() && !is_anybody_over_all(connection, Except::Principal(name))? {
        return Ok(Err(nobody_left()));
    }
    // Whoever has the name next has none of these.
    certificates::forget_principal(connection, name)?;
    run(connection, "DELETE FROM api_key WHERE principal = ?", [name])?;
    run(connection, "DELETE FROM wsi_session WHERE principal = ?", [name])?;
    run(connection, "DELETE FROM principal WHERE name = ?", [name])?;
    tell_principal(connection, deed, Some(&stored), None)?;
    Ok(Ok(()))
}
