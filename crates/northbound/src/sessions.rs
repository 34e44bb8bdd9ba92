//! Opening, keeping and ending sessions, and whose request this is: the same for every face.
//!
//! Source: DM WSI contract, sections 1.4 and 5, `ISessionServices`.

use std::sync::Arc;

use muster_broker::access::{Caller, Origin};
use muster_broker::directory::Account;
use muster_broker::fault::Fault;

use crate::contract::session::{Login, UserSession};
use crate::contract::value::Secret;
use crate::identity::not_authenticated;
use crate::wsi::Inner;

/// Somebody whose name and password were right, before a session is opened.
pub(crate) struct Entrant {
    account: Arc<Account>,
    /// The domain that was asked for.
    tenant: Option<String>,
    origin: Origin,
}

impl Entrant {
    /// The caller that the session will be of.
    pub(crate) fn caller(&self) -> Caller {
        let tenant = self.tenant.as_ref().unwrap_or(&self.account.principal.tenant);
        self.account.caller_in(tenant, self.origin)
    }
}

impl Inner {
    /// Who logs in with a request that came from `origin`. Opens nothing yet.
    ///
    /// # Errors
    /// `NotAuthenticated`, `LockedOut`, `TooManyRequests`; faults of the store.
    pub(crate) async fn entrant(&self, request: &Login, origin: Origin) -> Result<Entrant, Fault> {
        let (name, password, tenant) = (&request.user_name, &request.password.0, request.tenant.as_deref());
        let account = self.identity.by_password(&self.broker, name, password, tenant, origin.peer).await?;
        self.broker.admit(tenant.unwrap_or(&account.principal.tenant), name).await?;
        Ok(Entrant { account, tenant: request.tenant.clone(), origin })
    }

    /// Opens the session.
    ///
    /// # Errors
    /// `NotAuthenticated` if the domain is not there; faults of the store.
    pub(crate) async fn open_session(&self, entrant: &Entrant) -> Result<UserSession, Fault> {
        self.broker.login(&entrant.account, entrant.tenant.as_deref(), entrant.origin).await.map(Into::into)
    }

    /// Puts the end of a session off.
    ///
    /// # Errors
    /// `NotAuthenticated`, `SessionExpired`; faults of the store.
    pub(crate) async fn renew_session(&self, session: &Secret) -> Result<UserSession, Fault> {
        self.broker.renew_session(&session.0).await.map(Into::into)
    }

    /// Ends a session. One that is unknown or has ended is no error, and no credential is asked for besides it; but
    /// nobody ends the session of another: `known` is whom credentials besides it name, `origin` where the request came
    /// from.
    ///
    /// # Errors
    /// `NotAuthenticated` if it is the session of another; faults of the store.
    pub(crate) async fn logout(&self, session: &Secret, known: Option<&Caller>, origin: Origin) -> Result<(), Fault> {
        if let Some(known) = known {
            match self.broker.session_caller(&session.0, origin).await {
                Ok(owner) if owner.name != known.name => return Err(not_authenticated()),
                Err(fault) if fault.name.is_servers() => return Err(fault),
                Ok(_) | Err(_) => {}
            }
        }
        self.broker.logout(&session.0, origin).await
    }

    /// The caller: that of the credentials, which must agree with a session; else that of the session.
    ///
    /// # Errors
    /// `NotAuthenticated`, `SessionExpired`; faults of the store.
    pub(crate) async fn caller(
        &self,
        known: Option<Caller>,
        session: Option<&str>,
        origin: Origin,
    ) -> Result<Caller, Fault> {
        match (known, session) {
            (Some(known), None) => Ok(known),
            (None, None) => Err(not_authenticated()),
            (known, Some(session)) => {
                let caller = self.broker.session_caller(session, origin).await?;
                match known {
                    None => Ok(caller),
                    Some(known) if known.name != caller.name => Err(not_authenticated()),
                    // The session says in which domain; what may be done there, the first credential says, which may be
                    // a key with fewer rights.
                    Some(known) => Ok(Caller { permissions: known.permissions, ..caller }),
                }
            }
        }
    }
}
