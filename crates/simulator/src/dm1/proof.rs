//! Who has proved what: the device to the server, and the server to the device.
//!
//! Source: OMA DM 1.2 Security, "Authentication challenge"; OMA DM 1.2 Protocol, "Authentication".

use muster_protocol::syncml::{Challenge, Message, StatusCode};

use super::session::{Session, is_work};
use super::{Device, credential};
use crate::account::AuthType;

/// Octets of a nonce this device gives out.
const NONCE_BYTES: usize = 16;

/// How far the device has got in proving who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientProof {
    pub(super) challenges: u32,
    /// Nonce received in this session, for the next message.
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) auth: Option<AuthType>,
    /// Nonce for the next session, until it is known whether it may be kept.
    next_nonce: Option<Vec<u8>>,
    /// The last message carried a credential made with a nonce of this session, or one that needs none.
    pub(super) fresh: bool,
    pub(super) accepted: bool,
}

impl ClientProof {
    /// The server took the last message.
    pub(super) fn accepted(&mut self, code: StatusCode, chal: Option<&Challenge>) {
        self.accepted |= code == StatusCode::AUTHENTICATED;
        if let Some(nonce) = chal.and_then(|it| it.meta.next_nonce.clone()) {
            // 200 with a nonce: every message needs a credential, the next one with this nonce.
            self.nonce = Some(nonce.clone());
            self.next_nonce = Some(nonce);
        }
    }
}

/// How far the server has got in proving who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerProof {
    Missing { challenges: u32 },
    Accepted,
}

/// What a credential of the server is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Good,
    Bad,
    Missing,
}

/// What the device thinks of the server's credential in one message.
pub(super) enum Judgement {
    Trusted(StatusCode, Option<Challenge>),
    Doubted(StatusCode, Challenge),
}

impl Device {
    /// What the server's credential in `message` is worth.
    pub(super) fn proof(&self, message: &Message) -> Proof {
        let Some(server) = &self.account.server else {
            return Proof::Good;
        };
        let expected = credential::md5(&server.name, &server.secret, &server.nonce);
        match &message.header.cred {
            None => Proof::Missing,
            Some(cred) if cred.meta.kind.as_deref() == Some(AuthType::Md5.name()) && cred.data == expected => {
                Proof::Good
            }
            Some(_) => Proof::Bad,
        }
    }

    /// Decides whether to do what the server wants, and gives out the next nonce.
    pub(super) fn judge(&mut self, session: &mut Session, message: &Message) -> Judgement {
        if session.server == ServerProof::Accepted {
            return Judgement::Trusted(StatusCode::OK, None);
        }
        let proof = self.proof(message);
        if proof == Proof::Good {
            session.server = ServerProof::Accepted;
        }
        let Some(server) = &mut self.account.server else {
            return Judgement::Trusted(StatusCode::OK, None);
        };
        let code = match proof {
            Proof::Good => StatusCode::AUTHENTICATED,
            Proof::Bad => StatusCode::INVALID_CREDENTIALS,
            Proof::Missing if message.commands.iter().any(is_work) => StatusCode::MISSING_CREDENTIALS,
            // Nothing was asked that needs trust.
            Proof::Missing => return Judgement::Trusted(StatusCode::OK, None),
        };
        server.nonce = std::iter::repeat_with(|| self.random.u8(..)).take(NONCE_BYTES).collect();
        let chal = credential::challenge(&server.nonce);
        match proof {
            Proof::Good => Judgement::Trusted(code, Some(chal)),
            Proof::Bad | Proof::Missing => Judgement::Doubted(code, chal),
        }
    }

    /// Stores the nonce for the next session. A server that was asked to prove who it is must have done so before.
    pub(super) fn keep_nonce(&mut self, session: &mut Session) {
        if let Some(nonce) = session.client.next_nonce.take() {
            self.account.client_nonce = Some(nonce);
        }
    }
}
