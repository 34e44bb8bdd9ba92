//! The credentials of a device's account, opened for one message.

use muster_broker::device::AuthType as Weakest;
use muster_broker::ports::{NoncePurpose, NotOurs, Vault};
use muster_broker::store::Contact;
use muster_protocol::dm1::{Account, AuthType, ServerAccount};

use super::exchange::Settings;
use crate::profile::Profile;

/// What [`Account`] borrows.
pub(super) struct OpenAccount {
    client_name: String,
    client_secret: String,
    weakest: AuthType,
    nonces: Vec<Vec<u8>>,
    spent: Vec<Vec<u8>>,
    resync_sent: bool,
    is_first_contact: bool,
    challenge: [u8; 16],
    next: [u8; 16],
    server: Option<(String, String, Vec<u8>)>,
}

impl OpenAccount {
    /// Opens the account of a device in contact; nothing if its record has none.
    ///
    /// The nonces that count are those that this server gave out for the present generation, and before the first
    /// accepted credential the one that the device was provisioned with.
    pub(super) fn of(
        contact: &Contact,
        session_id: &str,
        server_id: &str,
        vault: &dyn Vault,
    ) -> Result<Option<Self>, NotOurs> {
        let Some(account) = &contact.device.account else { return Ok(None) };
        let (device, generation) = (contact.device.oid, contact.state.generation);
        let challenge = vault.nonce(device, generation, NoncePurpose::Challenge(session_id));
        let mut nonces = vec![vault.nonce(device, generation, NoncePurpose::NextSession).to_vec(), challenge.to_vec()];
        if generation == 0 {
            nonces.extend(account.client_nonce.clone());
        }
        let server = match &account.server_secret {
            None => None,
            Some(sealed) => {
                let name = account.server_name.as_deref().or(account.server_id.as_deref()).unwrap_or(server_id);
                let nonce = contact.state.server_nonce.clone().or_else(|| account.server_nonce.clone());
                Some((name.to_owned(), text(vault.open(sealed)?), nonce.unwrap_or_default()))
            }
        };
        Ok(Some(Self {
            client_name: account.client_name.clone(),
            client_secret: text(vault.open(&account.client_secret)?),
            weakest: match account.auth_type {
                Weakest::Basic => AuthType::Basic,
                Weakest::Digest => AuthType::Md5,
                Weakest::Hmac => AuthType::Hmac,
            },
            nonces,
            // A device that missed an answer still has the nonce before.
            spent: generation
                .checked_sub(1)
                .map(|before| vault.nonce(device, before, NoncePurpose::NextSession).to_vec())
                .into_iter()
                .collect(),
            resync_sent: contact.state.resync,
            is_first_contact: generation == 0,
            challenge,
            next: vault.nonce(device, generation + 1, NoncePurpose::NextSession),
            server,
        }))
    }

    /// An account that nobody has, for a sender that is not known: it is challenged like any other, always with the
    /// same nonce in one session, and never let in.
    pub(super) fn of_nobody(name: &str, session_id: &str, vault: &dyn Vault) -> Self {
        let digest = vault.digest("nobody", format!("{name}\u{0}{session_id}").as_bytes());
        let mut challenge = [0; 16];
        challenge.copy_from_slice(&digest[..16]);
        let secret = vault.digest("nobody's secret", name.as_bytes());
        Self {
            client_name: name.to_owned(),
            client_secret: secret.iter().map(|octet| format!("{octet:02x}")).collect(),
            weakest: AuthType::Md5,
            nonces: Vec::new(),
            spent: Vec::new(),
            resync_sent: false,
            is_first_contact: false,
            challenge,
            next: challenge,
            server: None,
        }
    }

    /// The account for one message of a device of this kind.
    pub(super) fn lend<'a>(&'a self, settings: &Settings, profile: &'a Profile) -> Account<'a> {
        Account {
            each_message: settings.proof_in_each_message,
            nonces: &self.nonces,
            spent: &self.spent,
            resync_sent: self.resync_sent,
            is_first_contact: self.is_first_contact,
            quirks: &profile.session,
            style: &profile.form,
            challenge: &self.challenge,
            next: &self.next,
            server: self.server.as_ref().map(|(name, secret, nonce)| ServerAccount { name, secret, nonce }),
            ..Account::new(&self.client_name, &self.client_secret, self.weakest)
        }
    }
}

/// Secrets are sealed from text.
fn text(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap_or_default()
}
