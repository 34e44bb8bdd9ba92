//! What a device knows about its server: address, names, secrets and nonces.

use serde::{Deserialize, Serialize};

/// How one side proves who it is, weakest first.
///
/// Source: OMA DM 1.2 Security, "Credentials" and "Integrity checking using HMAC".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthType {
    /// `syncml:auth-basic`: name and secret in base64.
    Basic,
    /// `syncml:auth-md5`: a digest of name, secret and nonce.
    Md5,
    /// `syncml:auth-MAC`: a digest of name, secret, nonce and the whole message, in the header of HTTP.
    Hmac,
}

impl AuthType {
    /// Every scheme, weakest first.
    pub const ALL: [Self; 3] = [Self::Basic, Self::Md5, Self::Hmac];

    /// As in `Meta/Type` of a credential or challenge.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "syncml:auth-basic",
            Self::Md5 => "syncml:auth-md5",
            Self::Hmac => "syncml:auth-MAC",
        }
    }

    /// Reads `Meta/Type`; nothing for schemes that these devices do not have.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// A DM account, as bootstrap leaves it on the device.
///
/// Source: OMA DM 1.2 Standardized Objects, DMAcc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `AppAddr/Addr`: where the first message of a session goes.
    pub server_url: String,
    /// `ServerID`.
    pub server_id: String,
    /// `AAuthPref`: the scheme the device uses without being asked.
    pub auth: AuthType,
    /// The weakest scheme for which the account has a client credential: a challenge that asks for a weaker one ends
    /// the session.
    pub weakest: AuthType,
    /// `AAuthName` of the client's credential.
    pub client_name: String,
    /// `AAuthSecret` of the client's credential.
    pub client_secret: String,
    /// `AAuthData`: the nonce for the next client credential, as the server gave it; without one, a device that uses
    /// MD5 or a MAC opens its session without a credential and waits for the challenge.
    pub client_nonce: Option<Vec<u8>>,
    /// What the server must prove before the device does anything; nothing if the device trusts the transport.
    pub server: Option<ServerSecret>,
}

/// The server's credential as the device knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSecret {
    /// `AAuthType`: the scheme that the device challenges the server with. A weaker credential is not taken, a
    /// stronger one is.
    pub auth: AuthType,
    /// `AAuthName`: the name inside the digest.
    pub name: String,
    /// `AAuthSecret`.
    pub secret: String,
    /// The nonce this device gave out last.
    pub nonce: Vec<u8>,
}

impl ServerSecret {
    /// A credential that the server makes with MD5.
    #[must_use]
    pub fn md5(name: impl Into<String>, secret: impl Into<String>, nonce: impl Into<Vec<u8>>) -> Self {
        Self { auth: AuthType::Md5, name: name.into(), secret: secret.into(), nonce: nonce.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_read_whatever_the_case_and_ordered_by_strength() {
        assert_eq!(AuthType::parse(" SyncML:auth-mac"), Some(AuthType::Hmac));
        assert_eq!(AuthType::parse("syncml:auth-X509"), None);
        assert!(AuthType::Basic < AuthType::Md5 && AuthType::Md5 < AuthType::Hmac);
    }
}
