//! What lets External Systems and people in, and where they are told: without any secret.

use serde_json::json;

use super::Picture;
use crate::access::{Principal, Role, Tenant};
use crate::api_key::ApiKey;
use crate::callback::CallbackAddress;
use crate::certificate::{Authority, CertificateBinding, RevokedCertificate};
use crate::identity_provider::IdentityProvider;

/// A principal without its secrets.
#[must_use]
pub fn principal(principal: &Principal) -> Picture {
    Picture::of(json!({
        "tenant": principal.tenant,
        "kind": principal.kind,
        "displayName": principal.display_name,
        "grant": principal.grants.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "enabled": principal.enabled,
        "subject": principal.subject,
        "takesDigest": principal.digest_secret.is_some(),
    }))
}

/// A tenant.
#[must_use]
pub fn tenant(tenant: &Tenant) -> Picture {
    Picture::of(json!({
        "displayName": tenant.display_name,
        "status": tenant.status,
        "settings": serde_json::to_value(&tenant.settings).unwrap_or_default(),
        "version": tenant.version,
    }))
}

/// A role that a tenant made.
#[must_use]
pub fn role(role: &Role) -> Picture {
    Picture::of(json!({
        "about": role.about,
        "right": role.rights.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "version": role.version,
    }))
}

/// An API key, of which only its owner knows the secret.
#[must_use]
pub fn key(key: &ApiKey) -> Picture {
    Picture::of(json!({
        "principal": key.principal,
        "name": key.name,
        "right": key.scope.rights.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "group": key.scope.groups,
        "path": key.scope.paths.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "expiresAt": key.expires_at.to_string(),
        "revoked": key.revoked.is_some(),
    }))
}

/// An authority that certifies callers of a tenant.
#[must_use]
pub fn authority(authority: &Authority) -> Picture {
    Picture::of(json!({
        "name": authority.name,
        "subject": authority.subject,
        "notAfter": authority.not_after.to_string(),
        "vouchesEverywhere": authority.vouches_everywhere,
        "revocationList": authority.list.as_ref().map(|list| list.this_update.to_string()),
    }))
}

/// Which certificates are a principal's. Their name may be the address of a person.
#[must_use]
pub fn binding(binding: &CertificateBinding) -> Picture {
    Picture::of(json!({ "principal": binding.principal, "kind": binding.name.kind.as_str() }))
        .and_personal(json!({ "value": binding.name.value }), [])
}

/// A certificate that is revoked here.
#[must_use]
pub fn revoked(revoked: &RevokedCertificate) -> Picture {
    Picture::of(json!({ "issuer": revoked.issuer, "reason": revoked.reason }))
}

/// An OpenID Connect provider without our secret there.
#[must_use]
pub fn provider(provider: &IdentityProvider) -> Picture {
    let settings = &provider.settings;
    Picture::of(json!({
        "displayName": settings.display_name,
        "enabled": settings.enabled,
        "issuer": settings.issuer,
        "clientId": settings.client_id,
        "scope": settings.scopes,
        "tokenAudience": settings.token_audiences,
        "createsPrincipals": settings.creates_principals,
        "groupsClaim": settings.groups_claim,
        "role": settings.roles.iter().map(|it| format!("{}: {}", it.group, it.role)).collect::<Vec<_>>(),
        "vouchesEverywhere": provider.vouches_everywhere,
        "hasSecret": provider.client_secret.is_some(),
        "version": provider.version,
    }))
}

/// An allowed callback address without its credential and secret.
#[must_use]
pub fn callback_address(address: &CallbackAddress) -> Picture {
    Picture::of(json!({
        "owner": address.owner,
        "url": address.url.as_str(),
        "kind": address.kind.as_str(),
        "description": address.description,
        "userName": address.credential.as_ref().map(|credential| credential.user_name.as_str()),
        "hasSecret": address.secret.is_some(),
        "allowsPrivate": address.allows_private,
        "enabled": address.enabled,
        "version": address.version,
    }))
}
