//! The server's own credential: when it is shown, and what the device thinks of it.
//!
//! Source: OMA DM Security 1.2, "Authentication of the DM server"; the roles of the client's authentication, turned round.

use serde::{Deserialize, Serialize};

use super::{Account, AuthType, EndReason, Seal, auth, notification::ResyncNonce};
use crate::syncml::{Challenge, Credential, StatusCode};

/// How far the device trusts this server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    state: State,
    /// Challenges after a credential was shown or commands were sent.
    refused: u8,
    /// What the last message had, if anything.
    shown: Option<AuthType>,
    /// The client came with the nonce of resynchronisation in this reading, so our first credential has it too.
    resync: Option<ResyncNonce>,
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

/// What a message carries to be believed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shown {
    /// In its header.
    Cred(Credential),
    /// Beside it.
    Seal(Seal),
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
        self.state = match self.shown {
            None => return Verdict::GoOn,
            // A MAC is asked for in every message, even by a device that says that one was enough.
            Some(AuthType::Basic | AuthType::Md5) if code == StatusCode::AUTHENTICATED => State::Accepted,
            Some(auth) if code.is_success() => {
                State::EachMessage { auth, nonce: challenge.and_then(next_nonce).map(<[u8]>::to_vec) }
            }
            Some(_) => return Verdict::GoOn,
        };
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
        if self.shown.is_some() || asked {
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

    /// Notes that the client resynchronised, and how.
    pub(super) fn resynchronise(&mut self, reading: ResyncNonce) {
        self.resync = Some(reading);
    }

    /// What the next message carries, and notes it. `asks`: it has commands. `client`: how the client proved itself.
    ///
    /// Nothing is tried unasked in a message without commands, whose answer nobody gives; but a client that seals every
    /// message expects the same of us, and one that resynchronised waits for the server that knows the nonce.
    pub(super) fn show(&mut self, account: &Account<'_>, asks: bool, client: Option<AuthType>) -> Option<Shown> {
        let shown = self.credential(account, asks, client);
        self.shown = shown.as_ref().map(|(auth, _)| *auth);
        shown.map(|(_, shown)| shown)
    }

    fn credential(&self, account: &Account<'_>, asks: bool, client: Option<AuthType>) -> Option<(AuthType, Shown)> {
        let server = account.server.as_ref()?;
        let sealed = client == Some(AuthType::Hmac) || account.weakest == AuthType::Hmac;
        let unasked = if sealed { AuthType::Hmac } else { AuthType::Md5 };
        let (auth, nonce) = match &self.state {
            State::Untried if asks || sealed || self.resync.is_some() => {
                (unasked, self.resync.map_or(server.nonce, |it| it.octets()))
            }
            State::Challenged { auth, nonce } => (*auth, nonce.as_slice()),
            State::EachMessage { auth, nonce } => (*auth, nonce.as_deref().unwrap_or(server.nonce)),
            State::Untried | State::Accepted => return None,
        };
        let cred = |data: &str| Shown::Cred(auth::credential(auth, data));
        let shown = match auth {
            AuthType::Basic => cred(&auth::basic(server.name, server.secret)),
            AuthType::Md5 => cred(&auth::md5_digest(server.name, server.secret, nonce)),
            AuthType::Hmac => Shown::Seal(Seal::new(server.name, server.secret, nonce)),
        };
        Some((auth, shown))
    }

    /// Whether every message of ours has to be believed on its own.
    pub(super) fn is_each_message(&self) -> bool {
        matches!(self.state, State::EachMessage { .. })
    }

    /// Notes that the message that leaves carries nothing.
    pub(super) fn show_nothing(&mut self) {
        self.shown = None;
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
