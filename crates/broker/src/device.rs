//! Individual device records.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{CapabilityOid, DeviceOid};
use crate::identity::{DeviceId, Msisdn};
use crate::names::names;
use crate::time::Timestamp;

/// A device record.
///
/// Source: DM WSI contract, section 6, `DeviceInstance`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Identifier.
    pub oid: DeviceOid,
    /// Domain.
    pub tenant: String,
    /// Unique within the domain. Absent while only the phone number is known.
    pub device_id: Option<DeviceId>,
    /// Current MSISDN; may stand in several records.
    pub phone_number: Option<Msisdn>,
    /// Current IMSI, 6 to 15 digits.
    pub imsi: Option<String>,
    /// Capability record: the one given, else the best match of make, model and firmware version.
    pub capability: Option<CapabilityOid>,
    /// As in DevInfo/Man.
    pub manufacturer: Option<String>,
    /// As in DevInfo/Mod.
    pub model: Option<String>,
    /// As in DevDetail/FwV.
    pub firmware_version: Option<String>,
    /// As in DevDetail/SwV.
    pub software_version: Option<String>,
    /// Life cycle state.
    pub management_state: ManagementState,
    /// Subscriber the device is assigned to; there is one of this identifier in the domain.
    pub subscriber_id: Option<String>,
    /// Names of device groups.
    pub group: Vec<String>,
    /// Further attributes, name and value.
    pub attribute: Vec<(String, String)>,
    /// How the device and this server know each other.
    pub account: Option<DmAccount>,
    /// End of the last session.
    pub last_seen_at: Option<Timestamp>,
    /// 1 for a new record, raised by one on each change that a caller or a session makes to the record itself
    /// (`last_seen_at` alone does not count).
    pub version: i64,
}

/// Life cycle state of a device record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ManagementState {
    /// Recorded, never bootstrapped and never seen.
    #[default]
    Known,
    /// A bootstrap was delivered; no session yet.
    Bootstrapped,
    /// At least one authenticated session took place.
    Managed,
    /// Recorded, but operations are refused.
    Suspended,
    /// Kept for history only.
    Retired,
}

names! {
    ManagementState {
        "KNOWN" Known
        "BOOTSTRAPPED" Bootstrapped
        "MANAGED" Managed
        "SUSPENDED" Suspended
        "RETIRED" Retired
    }
}

impl ManagementState {
    /// Whether operations are taken for a device in this state.
    #[must_use]
    pub fn takes_operations(self) -> bool {
        !matches!(self, Self::Suspended | Self::Retired)
    }
}

/// Weakest client authentication that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AuthType {
    /// `syncml:auth-basic` or better.
    Basic,
    /// `syncml:auth-md5` or better.
    Digest,
    /// `syncml:auth-MAC`: every message is signed.
    Hmac,
}

/// A secret under the key of the installation. Only [`crate::ports::Vault`] opens it; it is never part of an answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// Credentials a device and this server know each other by.
///
/// Source: DM WSI contract, section 6, `DmAccount`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DmAccount {
    /// Weakest client authentication accepted.
    pub auth_type: AuthType,
    /// Name the device authenticates with. Unique over all domains, because a device names no domain.
    pub client_name: String,
    /// Secret of the device.
    pub client_secret: Sealed,
    /// First nonce the device will use, where it is known. Counts until the first accepted credential.
    pub client_nonce: Option<Vec<u8>>,
    /// Identifier the device knows this server by; the server's own when absent.
    pub server_id: Option<String>,
    /// Name this server authenticates itself with; `server_id` when absent.
    pub server_name: Option<String>,
    /// Secret of the server towards the device; without it the server sends no credential.
    pub server_secret: Option<Sealed>,
    /// First nonce for the server's credential, where it is known.
    pub server_nonce: Option<Vec<u8>>,
}

impl Device {
    /// The record that this one becomes when a caller replaces it by `given`. The version is not raised; the
    /// capability is the one given, or none where it is to be found again.
    ///
    /// An account left out stays, and so does a secret left out of an account; so do the state where none was given
    /// and what only the server sets (contract, section 6, `DeviceInstance`).
    #[must_use]
    pub fn replaced_by(&self, given: &crate::store::DeviceGiven) -> Self {
        let mut next = given.device.clone();
        next.oid = self.oid;
        next.tenant.clone_from(&self.tenant);
        next.last_seen_at = self.last_seen_at;
        next.version = self.version;
        next.management_state = given.state.unwrap_or(self.management_state);
        match (&mut next.account, &self.account) {
            (None, stored) => next.account.clone_from(stored),
            (Some(account), Some(stored)) => {
                if !given.has_client_secret {
                    account.client_secret = stored.client_secret.clone();
                }
                if account.server_secret.is_none() {
                    account.server_secret.clone_from(&stored.server_secret);
                }
                if account.client_nonce.is_none() {
                    account.client_nonce.clone_from(&stored.client_nonce);
                }
                if account.server_nonce.is_none() {
                    account.server_nonce.clone_from(&stored.server_nonce);
                }
            }
            (Some(_), None) => {}
        }
        next
    }
}
