//! Who calls, by `Authorization`.
//!
//! Sources: RFC 6750, section 2.1; RFC 7617; DM WSI contract, sections 1.4 and 10.

use axum::http::{HeaderMap, header};
use muster_broker::access::{Caller, Origin, Way};
use muster_broker::fault::Fault;

use crate::contract::value::Secret;
use crate::identity::not_authenticated;
use crate::soap::{Authorization, authorization};
use crate::wsi::Inner;

/// What a request brings.
pub(super) enum Given {
    Nothing,
    Basic(String, String),
    Bearer(String),
    /// Something that can only be refused.
    Other,
}

impl Given {
    /// The name that they give; that of a token nobody knows without it.
    pub(super) fn claimed(&self) -> Option<String> {
        match self {
            Self::Nothing | Self::Other => None,
            Self::Basic(name, _) => Some(name.clone()),
            Self::Bearer(_) => Some("(session)".to_owned()),
        }
    }
}

/// A caller, and its session if it came with one.
pub(super) struct Known {
    pub(super) caller: Caller,
    pub(super) session: Option<Secret>,
}

/// Reads `Authorization`.
pub(super) fn given(headers: &HeaderMap) -> Given {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let bearer = values.next().and_then(|value| value.to_str().ok()).and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    match bearer {
        Some(token) if values.next().is_none() && !token.is_empty() => Given::Bearer(token),
        Some(_) => Given::Other,
        None => match authorization(headers) {
            Authorization::None => Given::Nothing,
            Authorization::Basic(name, password) => Given::Basic(name, password),
            Authorization::Other => Given::Other,
        },
    }
}

impl Inner {
    /// The caller that a request names.
    ///
    /// # Errors
    /// `NotAuthenticated`, `SessionExpired`, `LockedOut`; faults of the store.
    pub(super) async fn known(&self, given: Given, origin: Origin) -> Result<Known, Fault> {
        match given {
            Given::Basic(name, password) if self.identity.takes_basic() => {
                let account = self.identity.by_password(&self.broker, &name, &password, None, origin.peer).await?;
                Ok(Known { caller: account.caller(Origin { way: Way::Password, ..origin }), session: None })
            }
            Given::Bearer(token) => self.by_bearer(token, origin).await,
            Given::Nothing | Given::Basic(..) | Given::Other => Err(not_authenticated()),
        }
    }

    /// Whose bearer token this is. The one place where a token is resolved.
    async fn by_bearer(&self, token: String, origin: Origin) -> Result<Known, Fault> {
        let caller = self.caller(None, Some(&token), Origin { way: Way::Session, ..origin }).await?;
        Ok(Known { caller, session: Some(Secret(token)) })
    }
}
