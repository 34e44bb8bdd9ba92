use muster_broker::identity_provider::{IdentityProvider, ProviderSettings, RoleOfGroup};
use muster_broker::page::Paged;
use muster_broker::services::ProviderGiven;

use crate::contract::administration::providers as wire;
use crate::contract::value::AnyUri;
use crate::convert::long;

impl From<wire::IdentityProvider> for ProviderGiven {
    /// The time of making stays behind: it is read only.
    fn from(given: wire::IdentityProvider) -> Self {
        let role = |entry: wire::RoleOfGroup| RoleOfGroup { group: entry.group, role: entry.role };
        Self {
            name: given.name,
            client_secret: given.client_secret.map(|secret| secret.0),
            version: given.version,
            settings: ProviderSettings {
                display_name: given.display_name,
                enabled: given.enabled.unwrap_or(true),
                issuer: given.issuer.0,
                client_id: given.client_id,
                scopes: given.scope,
                trusted_certificates: given.trusted_certificates,
                token_audiences: given.token_audience,
                creates_principals: given.creates_principals.unwrap_or_default(),
                groups_claim: given.groups_claim,
                roles: given.role_of_group.into_iter().map(role).collect(),
            },
        }
    }
}

impl From<IdentityProvider> for wire::IdentityProvider {
    /// The secret stays behind.
    fn from(provider: IdentityProvider) -> Self {
        let settings = provider.settings;
        let role = |entry: RoleOfGroup| wire::RoleOfGroup { group: entry.group, role: entry.role };
        Self {
            name: provider.name,
            display_name: settings.display_name,
            enabled: Some(settings.enabled),
            issuer: AnyUri(settings.issuer),
            client_id: settings.client_id,
            client_secret: None,
            scope: settings.scopes,
            trusted_certificates: settings.trusted_certificates,
            token_audience: settings.token_audiences,
            creates_principals: Some(settings.creates_principals),
            groups_claim: settings.groups_claim,
            role_of_group: settings.roles.into_iter().map(role).collect(),
            created_at: Some(provider.created_at),
            version: Some(provider.version),
        }
    }
}

impl From<Paged<IdentityProvider>> for wire::IdentityProviderList {
    fn from(page: Paged<IdentityProvider>) -> Self {
        Self {
            identity_provider: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}
