use muster_broker::access::{Grant, GrantTenant, Granted, Permission, Tenant, TreePath};
use muster_broker::page::Paged;
use muster_broker::services::{
    GrantFields, OwnRights, PrincipalFields, PrincipalView, RoleFields, RoleView, TenantFields,
};

use crate::contract::administration::access as wire;
use crate::convert::long;

impl From<wire::Tenant> for TenantFields {
    fn from(given: wire::Tenant) -> Self {
        Self {
            name: given.name,
            display_name: given.display_name,
            status: given.status,
            consent_demanded: given.consent_demanded,
            callback_networks: given.callback_network,
            version: given.version,
        }
    }
}

impl From<Tenant> for wire::Tenant {
    fn from(tenant: Tenant) -> Self {
        Self {
            name: tenant.name,
            display_name: tenant.display_name,
            status: Some(tenant.status),
            consent_demanded: Some(tenant.settings.consent_demanded),
            callback_network: tenant.settings.callback_networks,
            created_at: Some(tenant.created_at),
            version: Some(tenant.version),
        }
    }
}

impl From<Paged<Tenant>> for wire::TenantList {
    fn from(page: Paged<Tenant>) -> Self {
        Self {
            tenant: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<wire::Principal> for PrincipalFields {
    fn from(given: wire::Principal) -> Self {
        Self {
            tenant: given.tenant,
            name: given.name,
            kind: given.kind,
            display_name: given.display_name,
            enabled: given.enabled,
            grants: given.grant.into_iter().map(Into::into).collect(),
            subject: given.subject,
            version: given.version,
        }
    }
}

impl From<wire::Grant> for GrantFields {
    fn from(given: wire::Grant) -> Self {
        Self { role: given.role, right: given.right, tenant: given.tenant, groups: given.group, paths: given.path }
    }
}

impl From<Grant> for wire::Grant {
    fn from(grant: Grant) -> Self {
        let (role, right) = match grant.what {
            Granted::Role(name) => (Some(name), None),
            Granted::Right(right) => (None, Some(right.to_string())),
        };
        let tenant = match grant.tenant {
            GrantTenant::Own => None,
            GrantTenant::Named(name) => Some(name),
            GrantTenant::Any => Some("*".to_owned()),
        };
        Self { role, right, tenant, group: grant.groups, path: places(&grant.paths) }
    }
}

impl From<PrincipalView> for wire::Principal {
    fn from(principal: PrincipalView) -> Self {
        Self {
            name: principal.name,
            tenant: Some(principal.tenant),
            kind: Some(principal.kind),
            display_name: principal.display_name,
            enabled: Some(principal.enabled),
            grant: principal.grants.into_iter().map(Into::into).collect(),
            subject: principal.subject,
            has_password: Some(principal.has_password),
            takes_digest: Some(principal.takes_digest),
            created_at: Some(principal.created_at),
            version: Some(principal.version),
        }
    }
}

impl From<Paged<PrincipalView>> for wire::PrincipalList {
    fn from(page: Paged<PrincipalView>) -> Self {
        Self {
            principal: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<wire::Role> for RoleFields {
    fn from(given: wire::Role) -> Self {
        Self { tenant: given.tenant, name: given.name, about: given.about, rights: given.right, version: given.version }
    }
}

impl From<RoleView> for wire::Role {
    fn from(role: RoleView) -> Self {
        match role {
            RoleView::BuiltIn(role) => Self {
                name: role.name.to_owned(),
                tenant: None,
                about: Some(role.about.to_owned()),
                right: role.rights.iter().map(|right| (*right).to_owned()).collect(),
                built_in: Some(true),
                created_at: None,
                version: None,
            },
            RoleView::Made(role) => Self {
                name: role.name,
                tenant: Some(role.tenant),
                about: role.about,
                right: role.rights.iter().map(ToString::to_string).collect(),
                built_in: Some(false),
                created_at: Some(role.created_at),
                version: Some(role.version),
            },
        }
    }
}

impl From<Paged<RoleView>> for wire::RoleList {
    fn from(page: Paged<RoleView>) -> Self {
        Self {
            role: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<OwnRights> for wire::OwnRights {
    fn from(own: OwnRights) -> Self {
        Self { user_name: own.name, tenant: own.tenant, right: own.permissions.iter().map(Into::into).collect() }
    }
}

impl From<&Permission> for wire::OwnRight {
    fn from(permission: &Permission) -> Self {
        Self { right: permission.right.to_string(), group: permission.groups.to_vec(), path: places(&permission.paths) }
    }
}

fn places(paths: &[TreePath]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}
