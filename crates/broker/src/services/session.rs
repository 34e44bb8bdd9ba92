//! ISessionServices: log in and out, and facts about the server.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Broker;
use crate::access::{Caller, Origin, Right};
use crate::directory::Account;
use crate::fault::{Fault, FaultName};
use crate::ledger::Deed;
use crate::store::SessionRecord;
use crate::time::Timestamp;

/// Random octets of a session identifier.
const SESSION_ID_OCTETS: usize = 32;

/// A session of the WSI as its caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSession {
    /// Opaque, with 256 random bits.
    pub session_id: String,
    /// Whose.
    pub user_name: String,
    /// Domain it works in.
    pub tenant: String,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
}

/// What this server is and offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceInfo {
    /// Identifier among its peers.
    pub server_id: String,
    /// Version of the contract.
    pub contract_version: &'static str,
    /// Name and version of the product.
    pub product_version: String,
    /// Optional parts offered.
    pub features: Vec<&'static str>,
    /// Largest request, in bytes.
    pub request_bytes_max: u64,
    /// Clock of the server.
    pub server_time: Timestamp,
}

/// Version of the contract that is served.
const CONTRACT_VERSION: &str = "1.0";

/// The use of a session is noted when the last noted one is older than this: a minute, or less where sessions are
/// short. A session may end so much before its time without use is over.
fn noted_every_s(idle_s: i64) -> i64 {
    (idle_s / 10).clamp(0, 60)
}

impl Broker {
    /// Opens a session for a principal whose credentials were checked, to work in `tenant` or else in its own.
    ///
    /// # Errors
    /// `NotAuthenticated` if it is not let in, if no grant reaches `tenant`, or there is none of this name.
    pub async fn login(&self, account: &Account, tenant: Option<&str>, origin: Origin) -> Result<OpenedSession, Fault> {
        let principal = &account.principal;
        let tenant = tenant.unwrap_or(&principal.tenant);
        let is_there = tenant == principal.tenant || self.tenant(tenant).await?.is_some();
        if !account.is_let_in || !account.reaches(tenant) || !is_there {
            return Err(not_authenticated());
        }
        let mut octets = [0; SESSION_ID_OCTETS];
        self.environment.random(&mut octets);
        let session_id = URL_SAFE_NO_PAD.encode(octets);
        let now = self.environment.now();
        let record = SessionRecord {
            digest: self.session_digest(&session_id),
            principal: principal.name.clone(),
            tenant: tenant.to_owned(),
            created_at: now,
            used_at: now,
        };
        let opened = self.opened(session_id, &record);
        let deed = Deed::from(origin, &principal.name, tenant, "login", now);
        self.store.session_put(record, deed).await?;
        Ok(opened)
    }

    /// Who a session belongs to. Its use is noted, at most once a minute.
    ///
    /// # Errors
    /// `NotAuthenticated` if there is no such session, or its principal is gone; `SessionExpired` if it ended by time.
    pub async fn session_caller(&self, session_id: &str, origin: Origin) -> Result<Caller, Fault> {
        let (record, account) = self.live_session(session_id).await?;
        let caller = account.caller_in(&record.tenant, origin);
        let now = self.environment.now();
        if now >= record.used_at.plus_s(noted_every_s(self.settings.session_idle_s)) {
            self.store.session_touch(record.digest, now).await?;
        }
        Ok(caller)
    }

    /// Puts the end of a session off, but never past its longest life.
    ///
    /// # Errors
    /// As [`Broker::session_caller`].
    pub async fn renew_session(&self, session_id: &str) -> Result<OpenedSession, Fault> {
        let (mut record, _) = self.live_session(session_id).await?;
        record.used_at = self.environment.now();
        let opened = self.opened(session_id.to_owned(), &record);
        self.store.session_touch(record.digest, record.used_at).await?;
        Ok(opened)
    }

    /// Ends a session, and never tells whether there was one.
    ///
    /// # Errors
    /// Only those of the server.
    pub async fn logout(&self, session_id: &str, origin: Origin) -> Result<(), Fault> {
        // Whose session it was, the store finds.
        let deed = Deed::from(origin, "", "", "logout", self.environment.now());
        self.store.session_delete(self.session_digest(session_id), deed).await?;
        Ok(())
    }

    /// Tells what this server is.
    ///
    /// # Errors
    /// `NotAuthorized`.
    pub fn service_info(&self, caller: &Caller) -> Result<ServiceInfo, Fault> {
        caller.may_begin(Right::new("service", "read"))?;
        Ok(ServiceInfo {
            server_id: self.settings.server_id.clone(),
            contract_version: CONTRACT_VERSION,
            product_version: concat!("Muster ", env!("CARGO_PKG_VERSION")).to_owned(),
            features: Vec::new(),
            request_bytes_max: self.settings.request_bytes_max,
            server_time: self.environment.now(),
        })
    }

    async fn live_session(&self, session_id: &str) -> Result<(SessionRecord, Arc<Account>), Fault> {
        let record = self.store.session_get(self.session_digest(session_id)).await?.ok_or_else(not_authenticated)?;
        if self.environment.now() >= self.end_of(&record) {
            return Err(Fault::new(FaultName::SessionExpired, "the session has ended; log in again"));
        }
        let account = self.account(&record.principal).await?.ok_or_else(not_authenticated)?;
        // A session that was opened with a password of before, or by a principal of before with this name, has ended.
        let is_of_now = account.principal.password_at <= record.created_at;
        if !account.is_let_in || !account.reaches(&record.tenant) || !is_of_now {
            return Err(not_authenticated());
        }
        Ok((record, account))
    }

    fn opened(&self, session_id: String, record: &SessionRecord) -> OpenedSession {
        OpenedSession {
            session_id,
            user_name: record.principal.clone(),
            tenant: record.tenant.clone(),
            expires_at: self.end_of(record),
        }
    }

    fn end_of(&self, record: &SessionRecord) -> Timestamp {
        let idle = record.used_at.plus_s(self.settings.session_idle_s);
        idle.min(record.created_at.plus_s(self.settings.session_life_s))
    }

    fn session_digest(&self, session_id: &str) -> [u8; 32] {
        self.vault.digest("session", session_id.as_bytes())
    }
}

/// Never says what was wrong.
fn not_authenticated() -> Fault {
    Fault::new(FaultName::NotAuthenticated, "log in with credentials that are known here")
}
