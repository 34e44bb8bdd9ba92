//! Who calls, by the certificate of the connection and by `Authorization`.
//!
//! Sources: RFC 6750, section 2.1; RFC 7617; DM WSI contract, sections 1.4 and 10.

use axum::http::request::Parts;
use muster_broker::access::{Caller, Origin, Way};
use muster_broker::fault::Fault;

use crate::contract::value::Secret;
use crate::identity::{Authorization, ClientCertificate, agreed, authorization, not_authenticated};
use crate::wsi::Inner;

/// What a request brings.
pub(super) struct Given {
    authorization: Authorization,
    /// That the client showed when it connected.
    certificate: Option<ClientCertificate>,
}

/// A caller, and its session if it came with one.
pub(super) struct Known {
    pub(super) caller: Caller,
    pub(super) session: Option<Secret>,
}

impl Given {
    /// Takes it out of the head of a request.
    pub(super) fn of(parts: &mut Parts) -> Self {
        let certificate = parts.extensions.remove::<ClientCertificate>();
        Self { authorization: authorization(&parts.headers), certificate }
    }

    /// Whether there is nothing.
    pub(super) fn is_strangers(&self) -> bool {
        self.authorization == Authorization::None && self.certificate.is_none()
    }
}

impl Inner {
    /// The caller that a request names.
    ///
    /// # Errors
    /// `NotAuthenticated`, `SessionExpired`, `LockedOut`; faults of the store.
    pub(super) async fn known(&self, given: &Given, origin: Origin) -> Result<Known, Fault> {
        let (known, session) = self.shown(given, origin).await?;
        if known.is_none() && session.is_none() {
            return Err(not_authenticated());
        }
        let by_session = Origin { way: Way::Session, ..origin };
        let caller = self.caller(known, session.as_ref().map(|session| session.0.as_str()), by_session).await?;
        Ok(Known { caller, session })
    }

    /// Whom certificate and `Authorization` name, and the session that stands there, which is not looked up yet.
    ///
    /// # Errors
    /// As [`Inner::known`].
    pub(super) async fn shown(&self, given: &Given, origin: Origin) -> Result<(Option<Caller>, Option<Secret>), Fault> {
        let by_certificate = self.identity.by_certificate(&self.broker, given.certificate.as_ref()).await?;
        let authorized = self.identity.authorized(&self.broker, &given.authorization, origin).await?;
        let known = agreed([by_certificate, authorized.known])?;
        Ok((known.map(|known| known.caller(origin)), authorized.session))
    }
}
