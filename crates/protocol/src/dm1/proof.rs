//! Whether the sender of a message is the client of its account.
//!
//! Source: OMA DM Security 1.2, "Authentication", "Integrity checking" and "Nonce resynchronisation".

use super::{
    Account, AuthType, Incoming,
    auth::{self, BodyHash, Key},
    hmac::{HmacHeader, HmacHeaderError},
    notification::ResyncNonce,
};
use crate::syncml::Credential;

/// How the client proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// Scheme.
    pub auth: AuthType,
    /// Place in [`Account::nonces`] of the nonce used, which must not be accepted again. `None` for Basic and after
    /// resynchronisation.
    pub nonce: Option<usize>,
    /// The nonce of resynchronisation was used, in this reading: [`Account::resync_sent`] must not be said again.
    pub resync: Option<ResyncNonce>,
}

/// Why the client did not prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is neither a credential nor a MAC.
    #[error("no credential")]
    Missing,
    /// It does not fit the secret, or its nonce was never given out: one cannot tell which.
    #[error("wrong credential")]
    Wrong,
    /// The secret is right, but the nonce is one of [`Account::spent`]: the device missed an answer, or someone repeats it.
    #[error("credential with a nonce that was used before")]
    SpentNonce,
    /// The secret is right, but the nonce is that of resynchronisation, which the device was not invited to use now.
    #[error("credential with the nonce of resynchronisation, which was not offered")]
    UninvitedResync,
    /// The scheme is unknown, weaker than the account allows, or not the one that this session began with.
    #[error("authentication type that is not taken here")]
    WrongType {
        /// The scheme, if it is known.
        tried: Option<AuthType>,
    },
    /// The header of the MAC cannot be read.
    #[error("unreadable MAC: {0}")]
    Header(HmacHeaderError),
    /// The header of the MAC names another user than the message or the account.
    #[error("the MAC is of another user than the message")]
    OtherUser,
}

impl Failure {
    /// The scheme that the client tried, if it is one that could be asked for.
    pub(super) fn tried(self, by_header: bool, cred: Option<&Credential>) -> Option<AuthType> {
        match self {
            Self::Missing => None,
            Self::Header(_) | Self::OtherUser => Some(AuthType::Hmac),
            Self::WrongType { tried } => tried,
            Self::Wrong | Self::SpentNonce | Self::UninvitedResync if by_header => Some(AuthType::Hmac),
            Self::Wrong | Self::SpentNonce | Self::UninvitedResync => cred.and_then(|it| AuthType::of(&it.meta)),
        }
    }
}

/// What a session knows of how its client proves itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// The scheme that this session began with.
    pub(super) scheme: Option<AuthType>,
    /// The nonce of resynchronisation was taken in this session.
    pub(super) resynchronised: bool,
}

/// Looks at the credential of a message, or at its MAC, which counts alone where there is one.
pub(super) fn check(account: &Account<'_>, incoming: &Incoming<'_>, terms: Terms) -> Result<Login, Failure> {
    let is_taken = |auth: AuthType| auth >= account.weakest && terms.scheme.is_none_or(|it| it == auth);
    if let Some(value) = incoming.hmac {
        let header = HmacHeader::parse(value).map_err(Failure::Header)?;
        let named = incoming.message.header.source.name.as_deref().filter(|it| !it.is_empty());
        if header.username != account.client_name || named.is_some_and(|it| it != header.username) {
            return Err(Failure::OtherUser);
        }
        if !is_taken(AuthType::Hmac) {
            return Err(Failure::WrongType { tried: Some(AuthType::Hmac) });
        }
        let key = Key::new(account.client_name, account.client_secret);
        let body = BodyHash::of(incoming.body);
        return by_nonce(account, terms, AuthType::Hmac, |nonce| header.fits(&key, nonce, &body));
    }
    let cred = incoming.message.header.cred.as_ref().ok_or(Failure::Missing)?;
    match AuthType::of(&cred.meta) {
        Some(AuthType::Basic) if is_taken(AuthType::Basic) => {
            let right = auth::basic(account.client_name, account.client_secret);
            let login = Login { auth: AuthType::Basic, nonce: None, resync: None };
            if auth::same(&right, &cred.data) { Ok(login) } else { Err(Failure::Wrong) }
        }
        Some(AuthType::Md5) if is_taken(AuthType::Md5) => {
            let given = auth::decode_digest(&cred.data).ok_or(Failure::Wrong)?;
            let key = Key::new(account.client_name, account.client_secret);
            by_nonce(account, terms, AuthType::Md5, |nonce| auth::same_digest(&key.digest(nonce), &given))
        }
        tried @ (Some(AuthType::Basic | AuthType::Md5) | None) => Err(Failure::WrongType { tried }),
        // A MAC is never in a Cred.
        Some(AuthType::Hmac) => Err(Failure::WrongType { tried: None }),
    }
}

/// Looks for the nonce that `fits`.
fn by_nonce(
    account: &Account<'_>,
    terms: Terms,
    auth: AuthType,
    fits: impl Fn(&[u8]) -> bool,
) -> Result<Login, Failure> {
    if let Some(index) = account.nonces.iter().position(|nonce| fits(nonce)) {
        return Ok(Login { auth, nonce: Some(index), resync: None });
    }
    let first = account.is_first_contact && account.quirks.empty_nonce_is_resync && auth == AuthType::Hmac;
    let is_invited = !terms.resynchronised && (account.resync_sent || first);
    match ResyncNonce::ALL.into_iter().find(|it| fits(it.octets())) {
        Some(reading) if is_invited => Ok(Login { auth, nonce: None, resync: Some(reading) }),
        Some(_) => Err(Failure::UninvitedResync),
        None if account.spent.iter().any(|nonce| fits(nonce)) => Err(Failure::SpentNonce),
        None => Err(Failure::Wrong),
    }
}
