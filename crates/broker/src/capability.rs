//! Lines of devices: make, model, firmware version, and what they can do.

use serde::{Deserialize, Serialize};

use crate::id::CapabilityOid;

/// A device capability record.
///
/// Source: DM WSI contract, section 6, `DeviceCapability`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// Identifier.
    pub oid: CapabilityOid,
    /// Domain.
    pub tenant: String,
    /// Make.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Absent for a record that covers every version.
    pub firmware_version: Option<String>,
    /// Type allocation codes, eight digits each.
    pub tac: Vec<String>,
    /// OMA DM versions, for example `1.2`.
    pub dm_version: Vec<String>,
    /// Management objects, as URNs.
    pub management_object: Vec<String>,
    /// For example `CP-NETWPIN`.
    pub bootstrap_method: Vec<String>,
    /// Whether the device takes WBXML.
    pub wbxml: Option<bool>,
    /// Largest message, in bytes.
    pub max_msg_size: Option<i32>,
    /// Largest object, in bytes.
    pub max_obj_size: Option<i32>,
    /// Further attributes, name and value.
    pub attribute: Vec<(String, String)>,
    /// 1 for a new record, raised by one on each change.
    pub version: i64,
}
