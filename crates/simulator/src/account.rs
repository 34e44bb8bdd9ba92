//! What a device knows about its server: address, names, secrets and nonces.

use serde::{Deserialize, Serialize};

/// How one side proves who it is.
///
/// Source: OMA DM 1.2 Security, "Credentials".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthType {
    /// `syncml:auth-basic`: name and secret in base64.
    Basic,
    /// `syncml:auth-md5`: a digest of name, secret and nonce.
    Md5,
}

impl AuthType {
    /// As in `Meta/Type` of a credential or challenge.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "syncml:auth-basic",
            Self::Md5 => "syncml:auth-md5",
        }
    }

    /// Reads `Meta/Type`; nothing for schemes that these devices do not have.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "syncml:auth-basic" => Some(Self::Basic),
            "syncml:auth-md5" => Some(Self::Md5),
            _ => None,
        }
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
    /// `AAuthName` of the client's credential.
    pub client_name: String,
    /// `AAuthSecret` of the client's credential.
    pub client_secret: String,
    /// The nonce for the next client credential, as the server gave it; without one, a device that uses MD5 opens
    /// its session without a credential and waits for the challenge.
    pub client_nonce: Option<Vec<u8>>,
    /// What the server must prove before the device does anything; nothing if the device trusts the transport.
    pub server: Option<ServerSecret>,
}

/// The server's credential as the device knows it; always MD5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSecret {
    /// `AAuthName`: the name inside the digest.
    pub name: String,
    /// `AAuthSecret`.
    pub secret: String,
    /// The nonce this device gave out last.
    pub nonce: Vec<u8>,
}
