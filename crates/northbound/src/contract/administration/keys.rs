//! IAdministrationServices: API keys.

use muster_broker::time::Timestamp;

use crate::contract::bulk_operations::PageRequest;
use crate::contract::record::record;
use crate::contract::session::UserSession;
use crate::contract::value::Secret;

record! {
    /// Makes an API key, which programs show as Authorization: Bearer. The key itself is told in this answer alone, so a repeated request makes another key.
    CreateApiKey {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Principal it lets in; the caller when left out. For another one than the caller every right that the key gives is needed.
        "principal" principal: opt String,
        /// What people call it.
        "name" name: opt String,
        /// Rights it is narrowed to, for example device.read or job.*; every right of the principal when left out. Never more than the principal has when the key is used.
        "right" right: many String,
        /// Device groups it is narrowed to; those of the principal when left out.
        "group" group: many String,
        /// Places in the management tree it is narrowed to; those of the principal when left out.
        "path" path: many String,
        /// When it ends; UTC. After 90 days when left out; the server has a limit.
        "expiresAt" expires_at: opt Timestamp,
    }

    /// Returns the API keys of the domain, or of one principal. Who may see its own alone gets these.
    GetApiKeys {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Only keys of this principal.
        "principal" principal: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Revokes an API key. From the next request on it lets nobody in. Revoking it again is no error.
    RevokeApiKey {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Identifier of the key: what stands between its two underscores.
        "keyId" key_id: one String,
    }
}

record! {
    /// An API key, without its secret.
    ApiKey {
        /// Identifier: what stands between its two underscores.
        "keyId" key_id: one String,
        /// Principal it lets in.
        "principal" principal: one String,
        /// What people call it.
        "name" name: opt String,
        /// Rights it is narrowed to; every right of the principal when there are none.
        "right" right: many String,
        /// Device groups it is narrowed to.
        "group" group: many String,
        /// Places in the management tree it is narrowed to.
        "path" path: many String,
        /// Whether it lets its principal in now, as far as the key goes.
        "active" active: one bool,
        /// Who made it.
        "createdBy" created_by: one String,
        /// When; UTC.
        "createdAt" created_at: one Timestamp,
        /// When it ends; UTC.
        "expiresAt" expires_at: one Timestamp,
        /// Its last use, to within a minute; UTC.
        "lastUsedAt" last_used_at: opt Timestamp,
        /// When it was revoked; UTC.
        "revokedAt" revoked_at: opt Timestamp,
        /// Who revoked it.
        "revokedBy" revoked_by: opt String,
    }

    /// An API key that was made now.
    CreatedApiKey {
        /// What is kept of it.
        "apiKey" api_key: one ApiKey,
        /// The key. Nobody can read it later: keep it where secrets are kept.
        "key" key: one Secret,
    }

    /// A page of API keys.
    ApiKeyList {
        /// Keys, by identifier.
        "apiKey" api_key: many ApiKey,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }
}
