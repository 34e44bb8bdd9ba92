//! Who calls.
//!
//! Sources: RFC 6750, section 2.1; RFC 7617; DM WSI contract, sections 1.4 and 10.

use axum::http::request::Parts;
use muster_broker::access::{Caller, Origin, Way};
use muster_broker::fault::Fault;

use crate::contract::value::Secret;
use crate::identity::{Authorization, Authorized, CERTIFICATE, ClientCertificate, agreed, authorization};
use crate::wsi::Inner;

/// What a request shows of who sends it.
pub(super) struct Given {
    pub(super) certificate: Option<ClientCertificate>,
    pub(super) authorization: Authorization,
}

impl Given {
    /// Takes it out of the head of a request.
    pub(super) fn of(head: &mut Parts) -> Self {
        let certificate = head.extensions.remove::<ClientCertificate>();
        Self { certificate, authorization: authorization(&head.headers) }
    }

    /// Whether it shows nothing.
    pub(super) fn is_nothing(&self) -> bool {
        self.certificate.is_none() && self.authorization == Authorization::None
    }
}

impl Given {
    /// The name that it gives, as the audit log tells it.
    pub(super) fn claimed(&self) -> Option<String> {
        self.authorization.claimed().or_else(|| self.certificate.as_ref().map(|_| CERTIFICATE.to_owned()))
    }
}

/// A caller, and its session if it came with one.
pub(super) struct Known {
    pub(super) caller: Caller,
    pub(super) session: Option<Secret>,
}

impl Inner {
    /// The caller that a request names.
    ///
    /// # Errors
    /// `NotAuthenticated`, `SessionExpired`, `LockedOut`; faults of the store.
    pub(super) async fn known(&self, given: &Given, origin: Origin) -> Result<Known, Fault> {
        let (known, session) = self.shown(given, origin).await?;
        let of_session = Origin { way: Way::Session, ..origin };
        let caller = self.caller(known, session.as_ref().map(|session| session.0.as_str()), of_session).await?;
        Ok(Known { caller, session })
    }

    /// Whom certificate, password, key or token name, and the session that is not looked up yet.
    ///
    /// # Errors
    /// As [`Inner::known`].
    pub(super) async fn shown(&self, given: &Given, origin: Origin) -> Result<(Option<Caller>, Option<Secret>), Fault> {
        let by_certificate = self.identity.by_certificate(&self.broker, given.certificate.as_ref()).await?;
        let Authorized { known, session } =
            self.identity.authorized(&self.broker, &given.authorization, origin).await?;
        Ok((agreed([by_certificate, known])?.map(|known| known.caller(origin)), session))
    }
}
