//! IAdministrationServices: OpenID Connect providers at which people of a domain log in.

use muster_broker::time::Timestamp;

use crate::contract::bulk_operations::PageRequest;
use crate::contract::record::record;
use crate::contract::session::UserSession;
use crate::contract::value::{AnyUri, Secret};

record! {
    /// Adds an OpenID Connect provider at which people of the domain log in. It takes somebody who may do everything in the domain.
    CreateIdentityProvider {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The new record.
        "identityProvider" identity_provider: one IdentityProvider,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Saves changes to a provider, found by its name. The record given replaces the stored one, but for a secret that is left out.
    UpdateIdentityProvider {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The changed record.
        "identityProvider" identity_provider: one IdentityProvider,
    }

    /// Takes a provider away. Sessions that it opened go on to their end.
    DeleteIdentityProvider {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Provider.
        "name" name: one String,
    }

    /// Returns the providers of the domain.
    GetIdentityProviders {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }
}

record! {
    /// An OpenID Connect provider.
    IdentityProvider {
        /// Name, unique on this server: letters a to z, digits and hyphens. People log in at /login/oidc/ and this name.
        "name" name: one String,
        /// Longer name for people.
        "displayName" display_name: opt String,
        /// Whether it is asked; true when left out.
        "enabled" enabled: opt bool,
        /// Its identifier, an https address, to the letter as it stands in its tokens; its discovery document lies below it.
        "issuer" issuer: one AnyUri,
        /// Identifier of this server as a client of the provider.
        "clientId" client_id: one String,
        /// Secret of this server as a client; never returned. Without one the client is public, and the login rests on PKCE.
        "clientSecret" client_secret: opt Secret,
        /// Scopes to ask for besides openid.
        "scope" scope: many String,
        /// Certificates in PEM that its TLS is verified with, instead of those of the system.
        "trustedCertificates" trusted_certificates: opt String,
        /// Audiences of tokens that are taken as Authorization: Bearer; tokens are not taken when there are none.
        "tokenAudience" token_audience: many String,
        /// Whether somebody who is not known yet becomes a principal; false when left out.
        "createsPrincipals" creates_principals: opt bool,
        /// Claim that lists the groups of a person; a dot leads into an object.
        "groupsClaim" groups_claim: opt String,
        /// Roles of principals that the provider made, by their groups.
        "roleOfGroup" role_of_group: many RoleOfGroup,
        /// Creation; UTC. Given by the server.
        "createdAt" created_at: opt Timestamp,
        /// Record version.
        "version" version: opt i64,
    }

    /// A role that members of a group have.
    RoleOfGroup {
        /// Group, as the provider spells it.
        "group" group: one String,
        /// Role: built in, or of the domain.
        "role" role: one String,
    }

    /// A page of providers.
    IdentityProviderList {
        /// Providers, by name.
        "identityProvider" identity_provider: many IdentityProvider,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }
}
