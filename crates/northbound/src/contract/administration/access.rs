//! IAdministrationServices: tenants, External Systems and people, roles.

use muster_broker::access::{PrincipalKind, TenantStatus};
use muster_broker::time::Timestamp;

use super::super::bulk_operations::PageRequest;
use super::super::record::record;
use super::super::session::UserSession;
use super::super::value::Secret;

record! {
    /// Makes a tenant. Only for those who have the right in every tenant.
    CreateTenant {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The new tenant.
        "tenant" tenant: one Tenant,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Saves changes to a tenant. Only for those who have the right in every tenant.
    UpdateTenant {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The changed tenant; its name finds the stored one.
        "tenant" tenant: one Tenant,
    }

    /// Deletes a tenant that has no principals, devices, capability records, jobs and tasks. Only for those who have the
    /// right in every tenant.
    DeleteTenant {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Tenant.
        "name" name: one String,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
    }

    /// Returns a tenant.
    GetTenantByName {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Tenant.
        "name" name: one String,
    }

    /// Returns tenants: all for those who read them in every tenant, else the caller's own.
    GetTenants {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Makes an External System or a person known. Nobody gives rights that reach further than its own.
    CreatePrincipal {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The new principal.
        "principal" principal: one Principal,
        /// Password, 12 to 256 characters and not the name; without one it is let in by other ways only.
        "password" password: opt Secret,
        /// True to take WS-Security PasswordDigest too; the password is then kept, sealed, not only its hash.
        "digest" digest: opt bool,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Saves changes to a principal, but for its password. The record given replaces the stored one. Nobody changes its
    /// own rights, or a principal that has more rights than itself.
    UpdatePrincipal {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The changed principal; its name finds the stored one.
        "principal" principal: one Principal,
    }

    /// Sets the password of a principal. Its sessions end. One's own may be set by who authenticates this very request
    /// with the old one.
    SetPassword {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Principal.
        "name" name: one String,
        /// New password, 12 to 256 characters and not the name.
        "password" password: one Secret,
        /// Tenant of the principal; the caller's when left out.
        "tenant" tenant: opt String,
        /// True to take WS-Security PasswordDigest too; the password is then kept, sealed, not only its hash.
        "digest" digest: opt bool,
    }

    /// Deletes a principal; its sessions end.
    DeletePrincipal {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Principal.
        "name" name: one String,
        /// Tenant of the principal; the caller's when left out.
        "tenant" tenant: opt String,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
    }

    /// Returns a principal.
    GetPrincipalByName {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Principal.
        "name" name: one String,
        /// Tenant of the principal; the caller's when left out.
        "tenant" tenant: opt String,
    }

    /// Returns the principals of a tenant, by name.
    GetPrincipals {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Tenant; the caller's when left out.
        "tenant" tenant: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Makes a role of a tenant. Nobody puts rights into it that reach further than its own.
    CreateRole {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The new role.
        "role" role: one Role,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Saves changes to a role. Whoever was given it has what it gives from now on; nobody changes a role that it was
    /// given itself.
    UpdateRole {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The changed role; its name finds the stored one.
        "role" role: one Role,
    }

    /// Deletes a role that nobody was given.
    DeleteRole {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Role.
        "name" name: one String,
        /// Tenant of the role; the caller's when left out.
        "tenant" tenant: opt String,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
    }

    /// Returns a role, built in or of a tenant.
    GetRoleByName {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Role.
        "name" name: one String,
        /// Tenant of the role; the caller's when left out.
        "tenant" tenant: opt String,
    }

    /// Returns the built-in roles, then those of a tenant, by name.
    GetRoles {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Tenant; the caller's when left out.
        "tenant" tenant: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Returns what the caller may do in the tenant it works in. Anybody may ask.
    GetOwnRights {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
    }
}

record! {
    /// A management domain.
    Tenant {
        /// Unique; 1 to 64 letters, digits and -_. and never changed.
        "name" name: one String,
        /// Longer name for people.
        "displayName" display_name: opt String,
        /// Whether its principals are let in. Left out: ACTIVE on creation, unchanged on update.
        "status" status: opt TenantStatus,
        /// Whether background management needs the consent of the subscriber. Left out: false on creation, unchanged on
        /// update.
        "consentDemanded" consent_demanded: opt bool,
        /// Private networks that callbacks may go to, as address and number of fixed bits, for example 10.1.0.0/16.
        "callbackNetwork" callback_network: many String,
        /// When it was made; UTC; set by the server.
        "createdAt" created_at: opt Timestamp,
        /// Record version; an update that carries an outdated one is refused.
        "version" version: opt i64,
    }

    /// A page of tenants.
    TenantList {
        /// Tenants, by name.
        "tenant" tenant: many Tenant,
        /// Number of tenants in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// An External System or a person, and what it may do.
    Principal {
        /// Unique over all tenants, up to 100 characters without colon, and never changed.
        "name" name: one String,
        /// Tenant it belongs to; the caller's when left out, and never changed.
        "tenant" tenant: opt String,
        /// What it is. Left out: SYSTEM on creation, unchanged on update.
        "kind" kind: opt PrincipalKind,
        /// Longer name for people.
        "displayName" display_name: opt String,
        /// Whether it is let in. Left out: true on creation, unchanged on update.
        "enabled" enabled: opt bool,
        /// What it may do.
        "grant" grant: many Grant,
        /// Who it is to an OpenID provider: issuer and subject, one space between.
        "subject" subject: opt String,
        /// Whether a password lets it in; set by the server.
        "hasPassword" has_password: opt bool,
        /// Whether WS-Security PasswordDigest is taken too; set by the server.
        "takesDigest" takes_digest: opt bool,
        /// When it was made; UTC; set by the server.
        "createdAt" created_at: opt Timestamp,
        /// Record version; an update that carries an outdated one is refused.
        "version" version: opt i64,
    }

    /// A role or a right given to a principal, and how far it reaches.
    Grant {
        /// Name of a role; or give right.
        "role" role: opt String,
        /// A right, for example device.operate:UPDATE; each part may be an asterisk.
        "right" right: opt String,
        /// Tenant it holds in; the principal's own when left out, every one when an asterisk.
        "tenant" tenant: opt String,
        /// Device groups it is narrowed to; every device when left out.
        "group" group: many String,
        /// Nodes of the management tree that it is narrowed to, with what is below; the whole tree when left out. Only
        /// operations on devices count then.
        "path" path: many String,
    }

    /// A page of principals.
    PrincipalList {
        /// Principals, by name.
        "principal" principal: many Principal,
        /// Number of principals in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// A set of rights with a name.
    Role {
        /// Unique in its tenant; 1 to 64 letters, digits and -_. and never changed.
        "name" name: one String,
        /// Tenant it belongs to; the caller's when left out, none for a built-in role.
        "tenant" tenant: opt String,
        /// What it is for.
        "about" about: opt String,
        /// What it gives.
        "right" right: some String,
        /// Whether every tenant has it and nobody changes it; set by the server.
        "builtIn" built_in: opt bool,
        /// When it was made; UTC; set by the server.
        "createdAt" created_at: opt Timestamp,
        /// Record version; an update that carries an outdated one is refused.
        "version" version: opt i64,
    }

    /// A page of roles.
    RoleList {
        /// Roles: those built in, then those of the tenant by name.
        "role" role: many Role,
        /// Number of roles in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// What a caller may do in the tenant it works in.
    OwnRights {
        /// Name it authenticated with.
        "userName" user_name: one String,
        /// Tenant it works in.
        "tenant" tenant: one String,
        /// Rights that hold there.
        "right" right: many OwnRight,
    }

    /// A right and how far it reaches.
    OwnRight {
        /// The right.
        "right" right: one String,
        /// Device groups it is narrowed to; every device when there is none.
        "group" group: many String,
        /// Nodes of the management tree that it is narrowed to, with what is below; the whole tree when there is none.
        "path" path: many String,
    }
}
