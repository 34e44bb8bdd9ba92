//! Who has proved what: the device to the server, and the server to the device.
//!
//! Source: OMA DM 1.2 Security, "Authentication challenge" and "Integrity checking using HMAC"; OMA DM 1.2 Protocol,
//! "Authentication".

use muster_protocol::syncml::{Challenge, Credential, Message, StatusCode};

use super::session::{Session, is_work};
use super::{Device, credential};
use crate::account::{AuthType, ServerSecret};

/// Octets of a nonce this device gives out.
const NONCE_BYTES: usize = 16;

/// How far the device has got in proving who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientProof {
    pub(super) challenges: u32,
    /// Nonce for the next message: received in this session, or that of a resynchronisation.
    pub(super) nonce: Option<Vec<u8>>,
    /// `nonce` is that of a resynchronisation, which the server did not give out.
    pub(super) nonce_is_special: bool,
    pub(super) auth: Option<AuthType>,
    /// Nonce for the next session, until it is known whether it may be kept.
    next_nonce: Option<Vec<u8>>,
    /// The last message carried a credential made with a nonce of this session, or one that needs none.
    pub(super) fresh: bool,
    /// Nothing more is to be proved in this session: 212.
    pub(super) accepted: bool,
    /// The last message carried a credential of this scheme.
    pub(super) shown: Option<AuthType>,
    /// The scheme that the server took in this session: it stays.
    pub(super) settled: Option<AuthType>,
    /// Nonce of the MAC over the last message, if it has one.
    pub(super) seal: Option<Vec<u8>>,
}

impl ClientProof {
    /// The server took the last message.
    pub(super) fn accepted(&mut self, code: StatusCode, chal: Option<&Challenge>) {
        self.settled = self.settled.or(self.shown);
        // Once a MAC is used it is used to the end of the session.
        self.accepted |= code == StatusCode::AUTHENTICATED && self.shown != Some(AuthType::Hmac);
        if let Some(nonce) = chal.and_then(|it| it.meta.next_nonce.clone()) {
            // 200 with a nonce: every message needs a credential, the next one with this nonce.
            self.nonce = Some(nonce.clone());
            self.nonce_is_special = false;
            self.next_nonce = Some(nonce);
        }
    }

    /// The server wants a credential of this scheme, made with this nonce.
    pub(super) fn challenged(&mut self, wanted: AuthType, nonce: Option<Vec<u8>>) {
        self.challenges += 1;
        self.auth = Some(wanted);
        self.accepted = false;
        self.nonce = nonce;
        self.nonce_is_special = false;
    }
}

/// How far the server has got in proving who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerProof {
    Missing {
        challenges: u32,
    },
    /// For the whole session.
    Accepted,
    /// For the message that showed it: each needs a credential of this scheme.
    Shown(AuthType),
}

/// The octets of a message as they came, and the header of HTTP that seals them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sealed<'a> {
    pub(super) octets: &'a [u8],
    pub(super) header: Option<&'a str>,
}

/// What a credential of the server is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Good(Option<AuthType>),
    Bad,
    Missing,
}

/// What the device thinks of the server's credential in one message.
pub(super) enum Judgement {
    Trusted(StatusCode, Option<Challenge>),
    Doubted(StatusCode, Challenge),
}

impl Device {
    /// The header of HTTP that goes with `octets`, the message made last as it is sent; nothing if the device uses no
    /// MAC.
    #[must_use]
    pub fn seal(&self, octets: &[u8]) -> Option<String> {
        let nonce = self.session.as_ref()?.client.seal.as_ref()?;
        let account = &self.account;
        let mac = credential::mac(&account.client_name, &account.client_secret, nonce, octets);
        Some(credential::Seal { user: account.client_name.clone(), mac }.to_header())
    }

    /// The credential of the next message, and what is to be remembered of it.
    pub(super) fn prove(&self, session: &mut Session) -> Option<Credential> {
        let account = &self.account;
        let client = &mut session.client;
        client.shown = None;
        client.seal = None;
        client.fresh = false;
        if client.accepted {
            return None;
        }
        let auth = client.auth.unwrap_or(account.auth);
        let stored = account.client_nonce.clone();
        let is_issued = client.nonce.is_some() && !client.nonce_is_special;
        let mut nonce = client.nonce.clone().or(stored);
        if nonce.is_none() && auth == AuthType::Hmac && self.faults.empty_nonce_is_special {
            nonce = Some(credential::RESYNC_OCTETS.to_vec());
        }
        let nonce = match auth {
            AuthType::Basic => Vec::new(),
            AuthType::Md5 | AuthType::Hmac => nonce?,
        };
        client.fresh = auth == AuthType::Basic || is_issued;
        client.auth = Some(auth);
        client.shown = Some(auth);
        let cred = credential::credential(auth, &account.client_name, &account.client_secret, &nonce);
        if auth == AuthType::Hmac {
            client.seal = Some(nonce);
        }
        cred
    }

    /// What the server's credential in `message` is worth.
    pub(super) fn proof(&self, session: &Session, message: &Message, sealed: Sealed<'_>) -> Proof {
        let Some(server) = &self.account.server else {
            return Proof::Good(None);
        };
        let nonce = session.server_nonce_special.as_ref().unwrap_or(&server.nonce);
        let shown = match (sealed.header, &message.header.cred) {
            (Some(header), _) => seal_of(server, nonce, message, sealed.octets, header),
            (None, Some(cred)) => credential_of(server, nonce, cred),
            (None, None) => return Proof::Missing,
        };
        let stays = |auth: &AuthType| !matches!(session.server, ServerProof::Shown(before) if before != *auth);
        match shown.filter(|auth| *auth >= server.auth).filter(stays) {
            Some(auth) => Proof::Good(Some(auth)),
            None => Proof::Bad,
        }
    }

    /// Decides whether to do what the server wants, and gives out the next nonce.
    pub(super) fn judge(&mut self, session: &mut Session, message: &Message, sealed: Sealed<'_>) -> Judgement {
        if session.server == ServerProof::Accepted {
            return Judgement::Trusted(StatusCode::OK, None);
        }
        let Some(demanded) = self.account.server.as_ref().map(|it| it.auth) else {
            session.server = ServerProof::Accepted;
            return Judgement::Trusted(StatusCode::OK, None);
        };
        let proof = self.proof(session, message, sealed);
        if proof == Proof::Missing && !message.commands.iter().any(is_work) {
            // Nothing was asked that needs trust.
            return Judgement::Trusted(StatusCode::OK, None);
        }
        session.server_nonce_special = None;
        let shown = match proof {
            Proof::Good(shown) => shown.unwrap_or(demanded),
            Proof::Bad | Proof::Missing => demanded,
        };
        let chal = self.give_nonce(shown);
        let doubt = |code| Judgement::Doubted(code, chal.clone());
        match proof {
            Proof::Bad => doubt(StatusCode::INVALID_CREDENTIALS),
            Proof::Missing => doubt(StatusCode::MISSING_CREDENTIALS),
            Proof::Good(_) if shown == AuthType::Hmac || self.faults.every_message_proves_server => {
                session.server = ServerProof::Shown(shown);
                Judgement::Trusted(StatusCode::OK, Some(chal))
            }
            Proof::Good(_) => {
                session.server = ServerProof::Accepted;
                Judgement::Trusted(StatusCode::AUTHENTICATED, (shown != AuthType::Basic).then_some(chal))
            }
        }
    }

    /// Stores the nonce for the next session. A server that was asked to prove who it is must have done so before.
    pub(super) fn keep_nonce(&mut self, session: &mut Session) {
        if let Some(nonce) = session.client.next_nonce.take() {
            self.account.client_nonce = Some(nonce);
        }
    }

    /// A challenge, with a new nonce that is kept where the scheme has one.
    fn give_nonce(&mut self, auth: AuthType) -> Challenge {
        let Some(server) = self.account.server.as_mut().filter(|_| auth != AuthType::Basic) else {
            return credential::challenge(auth, &[]);
        };
        // libdmclient's nonces are text once decoded; they are used as they are.
        let is_text = self.faults.nonce_is_text;
        let octet = || if is_text { self.random.alphanumeric() as u8 } else { self.random.u8(..) };
        server.nonce = std::iter::repeat_with(octet).take(NONCE_BYTES).collect();
        credential::challenge(auth, &server.nonce)
    }
}

/// The scheme of a seal that is right.
fn seal_of(server: &ServerSecret, nonce: &[u8], message: &Message, octets: &[u8], header: &str) -> Option<AuthType> {
    let seal = credential::Seal::parse(header)?;
    let named = message.header.source.name.as_deref().is_none_or(|name| name == seal.user);
    let right = credential::mac(&server.name, &server.secret, nonce, octets);
    (named && seal.user == server.name && seal.mac == right).then_some(AuthType::Hmac)
}

/// The scheme of a credential that is right.
fn credential_of(server: &ServerSecret, nonce: &[u8], cred: &Credential) -> Option<AuthType> {
    let auth = cred.meta.kind.as_deref().map_or(Some(AuthType::Basic), AuthType::parse)?;
    let right = credential::credential(auth, &server.name, &server.secret, nonce)?;
    (cred.data.trim() == right.data.as_str()).then_some(auth)
}
