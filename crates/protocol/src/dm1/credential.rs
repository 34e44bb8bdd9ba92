//! The server's own credential: when it is shown, and what the device thinks of it.
//!
//! Source: OMA DM Security 1.2, "Authentication of the DM server"; the roles of the client's authentication, turned round.

use serde::{Deserialize, Serialize};

use super::{AuthType, EndReason, auth, session::Account};
use crate::syncml::{Challenge, Credential, StatusCode};

/// How far the device trusts this server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    state: State,
    /// Challenges after a credential was shown or commands were sent.
    refused: u8,
    /// The last message had a credential.
    shown: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum State {
    /// Nothing is known: the credential goes with the first commands.
    #[default]
    Untried,
    /// The device asked for this.
    Challenged { auth: AuthType, nonce: Vec<u8> },
    /// For the rest of the session.
    Accepted,
    /// For one message at a time; the next one needs the next nonce, if the device gave one.
    EachMessage { auth: AuthType, nonce: Option<Vec<u8>> },
}

/// What the device's answer to our header means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on.
    GoOn,
    /// The commands of the message were not looked at: send them again with a new credential.
    Again,
    /// There is no credential that could help.
    Hopeless(EndReason),
}

impl Standing {
    /// Takes the `Status` for the header of our last message. `asked`: that message had commands.
    pub(super) fn take(
        &mut self,
        account: &Account<'_>,
        code: StatusCode,
        challenge: Option<&Challenge>,
        asked: bool,
    ) -> Verdict {
        if is_challenge(code, challenge) {
            return self.challenged(account, challenge, asked);
        }
        if self.shown && code == StatusCode::AUTHENTICATED {
            self.state = State::Accepted;
        } else if self.shown && code.is_success() {
            let auth = match self.state {
                State::Challenged { auth, .. } | State::EachMessage { auth, .. } => auth,
                State::Untried | State::Accepted => AuthType::Md5,
            };
            let nonce = challenge.and_then(next_nonce).map(<[u8]>::to_vec);
            self.state = State::EachMessage { auth, nonce };
        }
        Verdict::GoOn
    }

    fn challenged(&mut self, account: &Account<'_>, challenge: Option<&Challenge>, asked: bool) -> Verdict {
        let hopeless = |reason| {
            if asked { Verdict::Hopeless(reason) } else { Verdict::GoOn }
        };
        if account.server.is_none() {
            return hopeless(EndReason::NoServerCredential);
        }
        let Some(challenge) = challenge else {
            return hopeless(EndReason::ServerCredentialRefused);
        };
        if self.shown || asked {
            self.refused = self.refused.saturating_add(1);
        }
        if self.refused > 1 || self.state == State::Accepted {
            return hopeless(EndReason::ServerCredentialRefused);
        }
        match AuthType::of(&challenge.meta) {
            Some(auth) if auth >= account.weakest => {
                self.state = State::Challenged { auth, nonce: next_nonce(challenge).unwrap_or_default().to_vec() };
                if asked { Verdict::Again } else { Verdict::GoOn }
            }
            Some(_) | None => hopeless(EndReason::ServerSchemeRefused),
        }
    }

    /// The credential for the next message; `asks`: it has commands.
    pub(super) fn credential(&self, account: &Account<'_>, asks: bool) -> Option<Credential> {
        let server = account.server.as_ref()?;
        let (auth, nonce) = match &self.state {
            State::Untried if asks => (AuthType::Md5, server.nonce),
            State::Challenged { auth, nonce } => (*auth, nonce.as_slice()),
            State::EachMessage { auth, nonce } => (*auth, nonce.as_deref().unwrap_or(server.nonce)),
            State::Untried | State::Accepted => return None,
        };
        Some(auth::credential(auth, server.name, server.secret, nonce))
    }

    /// Notes whether the message that leaves has a credential.
    pub(super) fn sent(&mut self, shown: bool) {
        self.shown = shown;
    }

    /// Whether the device may still refuse commands for want of a credential that we have.
    pub(super) fn may_be_challenged(&self, account: &Account<'_>) -> bool {
        account.server.is_some() && self.state != State::Accepted
    }
}

/// Octets of a nonce that is kept: clients issue 8 to 24.
const NONCE_BYTES_MAX: usize = 1_024;

/// The nonce that a challenge issues, unless it is too long to keep.
pub(super) fn next_nonce(challenge: &Challenge) -> Option<&[u8]> {
    challenge.meta.next_nonce.as_deref().filter(|it| it.len() <= NONCE_BYTES_MAX)
}

/// 401 and 407 are challenges; libdmclient sends `0`, which is no code, with a `Chal`.
fn is_challenge(code: StatusCode, challenge: Option<&Challenge>) -> bool {
    matches!(code, StatusCode::INVALID_CREDENTIALS | StatusCode::MISSING_CREDENTIALS)
        || (challenge.is_some() && !code.is_success())
}
