use muster_broker::access::{RightPattern, TreePath};
use muster_broker::api_key::{ApiKey, KeyScope};
use muster_broker::fault::Fault;
use muster_broker::page::Paged;
use muster_broker::services::KeyWanted;
use muster_broker::time::Timestamp;

use crate::contract::administration::keys as wire;
use crate::convert::long;

/// What a caller wants of a key.
///
/// # Errors
/// `InvalidArgument` for what is no right or no place.
pub(crate) fn wanted(given: wire::CreateApiKey) -> Result<KeyWanted, Fault> {
    let right = |text: &String| RightPattern::parse(text).map_err(|why| Fault::invalid("right", text, why));
    let place = |text: &String| TreePath::parse(text).map_err(|why| Fault::invalid("path", text, why));
    let scope = KeyScope {
        rights: given.right.iter().map(right).collect::<Result<_, _>>()?,
        groups: given.group,
        paths: given.path.iter().map(place).collect::<Result<_, _>>()?,
    };
    Ok(KeyWanted { principal: given.principal, name: given.name, scope, expires_at: given.expires_at })
}

/// A key as it is at `now`.
pub(crate) fn key(key: ApiKey, now: Timestamp) -> wire::ApiKey {
    let (revoked_at, revoked_by) = key.revoked.clone().unzip();
    wire::ApiKey {
        active: key.is_good(now),
        key_id: key.id,
        principal: key.principal,
        name: key.name,
        right: key.scope.rights.iter().map(ToString::to_string).collect(),
        group: key.scope.groups,
        path: key.scope.paths.iter().map(ToString::to_string).collect(),
        created_by: key.created_by,
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
        revoked_at,
        revoked_by,
    }
}

/// A page of keys as they are at `now`.
pub(crate) fn list(page: Paged<ApiKey>, now: Timestamp) -> wire::ApiKeyList {
    wire::ApiKeyList {
        api_key: page.items.into_iter().map(|item| key(item, now)).collect(),
        total_count: long(page.total),
        next_page_token: page.next_token,
    }
}
