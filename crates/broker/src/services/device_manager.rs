//! IDeviceManagerServices: device records and device capability records.

use serde::{Deserialize, Serialize};

use super::Rejected;
use crate::device::{AuthType, ManagementState};
use crate::identity::{DeviceId, Msisdn};

/// A device record as a caller gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceFields {
    /// Record identifier as given; on creation it must be absent.
    pub oid: Option<String>,
    /// Device identifier.
    pub device_id: Option<DeviceId>,
    /// Current MSISDN.
    pub phone_number: Option<Msisdn>,
    /// Current IMSI.
    pub imsi: Option<String>,
    /// Capability record.
    pub capability_oid: Option<String>,
    /// Make.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Firmware version.
    pub firmware_version: Option<String>,
    /// Software version.
    pub software_version: Option<String>,
    /// Life cycle state.
    pub management_state: Option<ManagementState>,
    /// Subscriber.
    pub subscriber_id: Option<String>,
    /// Groups.
    pub group: Vec<String>,
    /// Account.
    pub account: Option<AccountFields>,
    /// Further attributes, name and value.
    pub attribute: Vec<(String, String)>,
    /// Version the caller holds.
    pub version: Option<i64>,
}

/// An account as a caller gives it: the only place where its secrets are plain.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountFields {
    /// Weakest client authentication accepted.
    pub auth_type: AuthType,
    /// Name the device authenticates with.
    pub client_name: String,
    /// Secret of the device.
    pub client_secret: Option<String>,
    /// First nonce the device will use.
    pub client_nonce: Option<Vec<u8>>,
    /// Identifier the device knows this server by.
    pub server_id: Option<String>,
    /// Name this server authenticates itself with.
    pub server_name: Option<String>,
    /// Secret of the server.
    pub server_secret: Option<String>,
    /// First nonce for the server's credential.
    pub server_nonce: Option<Vec<u8>>,
}

impl std::fmt::Debug for AccountFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountFields").field("client_name", &self.client_name).finish_non_exhaustive()
    }
}

/// A capability record as a caller gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilityFields {
    /// Record identifier as given; on creation it must be absent.
    pub oid: Option<String>,
    /// Make.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Firmware version.
    pub firmware_version: Option<String>,
    /// Type allocation codes.
    pub tac: Vec<String>,
    /// OMA DM versions.
    pub dm_version: Vec<String>,
    /// Management objects.
    pub management_object: Vec<String>,
    /// Bootstrap methods.
    pub bootstrap_method: Vec<String>,
    /// Whether the devices take WBXML.
    pub wbxml: Option<bool>,
    /// Largest message.
    pub max_msg_size: Option<i32>,
    /// Largest object.
    pub max_obj_size: Option<i32>,
    /// Further attributes, name and value.
    pub attribute: Vec<(String, String)>,
    /// Version the caller holds.
    pub version: Option<i64>,
}

/// Outcome of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportResult {
    /// Identifier for the log.
    pub import_id: String,
    /// Records created.
    pub created: usize,
    /// Records updated.
    pub updated: usize,
    /// Records that were already as given.
    pub unchanged: usize,
    /// Records that were not taken.
    pub rejected: Vec<Rejected>,
}
