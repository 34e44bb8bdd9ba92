use super::Pending;
use crate::access::Principal;
use crate::ledger::Deed;
use crate::time::Timestamp;

/// A session of the WSI as kept. The identifier itself is not kept, only a keyed digest of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Keyed digest of `sessionId`.
    pub digest: [u8; 32],
    /// Name of the principal.
    pub principal: String,
    /// Domain the session works in.
    pub tenant: String,
    /// Login.
    pub created_at: Timestamp,
    /// Last use, to within a minute.
    pub used_at: Timestamp,
}

/// Principals and their sessions.
pub trait PrincipalStore: Send + Sync {
    /// Keeps a principal, replacing one of the same name.
    fn principal_put(&self, principal: Principal, deed: Deed) -> Pending<'_, ()>;
    /// The principal of this name.
    fn principal_get(&self, name: &str) -> Pending<'_, Option<Principal>>;
    /// The principal with this subject of an OpenID provider.
    fn principal_of_subject(&self, subject: &str) -> Pending<'_, Option<Principal>>;
    /// Every principal, by name.
    fn principal_list(&self) -> Pending<'_, Vec<Principal>>;

    /// Keeps a new session.
    fn session_put(&self, session: SessionRecord, deed: Deed) -> Pending<'_, ()>;
    /// Notes a use. A session that has ended meanwhile stays ended.
    fn session_touch(&self, digest: [u8; 32], used_at: Timestamp) -> Pending<'_, ()>;
    /// The session with this digest.
    fn session_get(&self, digest: [u8; 32]) -> Pending<'_, Option<SessionRecord>>;
    /// Ends a session; ending one that is not there is no error.
    fn session_delete(&self, digest: [u8; 32], deed: Deed) -> Pending<'_, ()>;
}
