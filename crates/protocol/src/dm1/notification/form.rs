use serde::{Deserialize, Serialize};

use super::Version;

/// What differs between devices in package 0. The default is what most understand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Form {
    /// Version written.
    pub version: Version,
    /// Name in the digest.
    pub digest_name: DigestName,
    /// Reading of the nonce that begins a new series.
    pub resync_nonce: ResyncNonce,
}

/// Whose name goes into the digest with the server's secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestName {
    /// The server identifier, as the specification says.
    #[default]
    ServerId,
    /// `AAuthName` of the server's account, as libdmclient does.
    AccountName,
}

impl DigestName {
    pub(super) fn of<'a>(self, server_id: &'a str, key: &ServerKey<'a>) -> &'a str {
        match self {
            Self::ServerId => server_id,
            Self::AccountName => key.account_name,
        }
    }
}

/// What the nonce `0x00000000` of the specification is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncNonce {
    /// Four octets of zero, as the engine of Motorola in CyanogenMod reads it.
    #[default]
    FourZeroOctets,
    /// The ten characters `0x00000000`, as libdmclient reads it.
    Ascii,
}

impl ResyncNonce {
    /// Both readings, the usual one first.
    pub const ALL: [Self; 2] = [Self::FourZeroOctets, Self::Ascii];

    /// The nonce.
    #[must_use]
    pub fn octets(self) -> &'static [u8] {
        match self {
            Self::FourZeroOctets => &[0; 4],
            Self::Ascii => b"0x00000000",
        }
    }
}

/// What the server shows a device to be believed.
#[derive(Clone, Copy)]
pub struct ServerKey<'a> {
    /// `AAuthName` of the server's account; used if the device's [`DigestName`] says so.
    pub account_name: &'a str,
    /// `AAuthSecret` of the server's account.
    pub secret: &'a str,
}

/// Which nonce package 0 is sealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonce<'a> {
    /// The last one that the device issued, decoded.
    Stored(&'a [u8]),
    /// The one that begins a new series, for a device that does not take the stored one.
    Resync,
}

/// Which nonce the digest of package 0 was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceUsed {
    /// The one given.
    Stored,
    /// The one that begins a new series, in this reading.
    Resync(ResyncNonce),
}
