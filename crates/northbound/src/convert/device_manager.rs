use muster_broker::bounds::IMSI_DIGITS;
use muster_broker::capability::Capability;
use muster_broker::device::{AuthType, Device};
use muster_broker::fault::Fault;
use muster_broker::page::Paged;
use muster_broker::services::{AccountFields, CapabilityFields, DeviceFields, ImportResult};

use super::{int, name_values, pairs, rejected};
use crate::contract::device_manager as wire;

/// A device record of a request; `at` names it in a fault.
///
/// # Errors
/// `InvalidArgument` for what the schema cannot say.
pub(crate) fn device_fields(given: wire::DeviceInstance, at: &str) -> Result<DeviceFields, Fault> {
    if let Some(imsi) = &given.imsi
        && (!IMSI_DIGITS.contains(&imsi.len()) || !imsi.bytes().all(|octet| octet.is_ascii_digit()))
    {
        return Err(Fault::invalid(&format!("{at}.imsi"), imsi, "6 to 15 digits are expected"));
    }
    Ok(DeviceFields {
        oid: given.oid,
        device_id: given.device_id,
        phone_number: given.phone_number,
        imsi: given.imsi,
        capability_oid: given.device_capability_oid,
        manufacturer: given.manufacturer,
        model: given.model,
        firmware_version: given.firmware_version,
        software_version: given.software_version,
        management_state: given.management_state,
        subscriber_id: given.subscriber_id,
        group: given.group,
        account: given.dm_account.map(|account| account_fields(account, &format!("{at}.dmAccount"))).transpose()?,
        attribute: pairs(given.attribute),
        version: given.version,
    })
}

/// The records of an import, each as [`device_fields`].
pub(crate) fn records(given: Vec<wire::DeviceInstance>) -> Vec<Result<DeviceFields, Fault>> {
    let record = |(index, record)| device_fields(record, &format!("deviceInstance[{index}]"));
    given.into_iter().enumerate().map(record).collect()
}

fn account_fields(given: wire::DmAccount, at: &str) -> Result<AccountFields, Fault> {
    let auth_type = match given.auth_type.trim() {
        "BASIC" => AuthType::Basic,
        "DIGEST" => AuthType::Digest,
        "HMAC" => AuthType::Hmac,
        other => {
            return Err(Fault::invalid(&format!("{at}.authType"), other, "BASIC, DIGEST or HMAC is expected"));
        }
    };
    Ok(AccountFields {
        auth_type,
        client_name: given.client_name,
        client_secret: given.client_secret.map(|secret| secret.0),
        client_nonce: given.client_nonce.map(|nonce| nonce.0),
        server_id: given.server_id,
        server_name: given.server_name,
        server_secret: given.server_secret.map(|secret| secret.0),
        server_nonce: given.server_nonce.map(|nonce| nonce.0),
    })
}

impl From<Device> for wire::DeviceInstance {
    /// Secrets and nonces stay here.
    fn from(device: Device) -> Self {
        let account = device.account.map(|account| wire::DmAccount {
            auth_type: match account.auth_type {
                AuthType::Basic => "BASIC",
                AuthType::Digest => "DIGEST",
                AuthType::Hmac => "HMAC",
            }
            .to_owned(),
            client_name: account.client_name,
            client_secret: None,
            client_nonce: None,
            server_id: account.server_id,
            server_name: account.server_name,
            server_secret: None,
            server_nonce: None,
        });
        Self {
            oid: Some(device.oid.to_string()),
            device_id: device.device_id,
            phone_number: device.phone_number,
            imsi: device.imsi,
            device_capability_oid: device.capability.map(|oid| oid.to_string()),
            manufacturer: device.manufacturer,
            model: device.model,
            firmware_version: device.firmware_version,
            software_version: device.software_version,
            management_state: Some(device.management_state),
            subscriber_id: device.subscriber_id,
            group: device.group,
            last_seen_at: device.last_seen_at,
            dm_account: account,
            attribute: name_values(device.attribute),
            version: Some(device.version),
        }
    }
}

impl From<Paged<Device>> for wire::DeviceInstanceList {
    fn from(page: Paged<Device>) -> Self {
        Self {
            device_instance: page.items.into_iter().map(Into::into).collect(),
            total_count: super::long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<ImportResult> for wire::ImportResult {
    fn from(result: ImportResult) -> Self {
        Self {
            import_id: result.import_id,
            created: int(result.created),
            updated: int(result.updated),
            unchanged: int(result.unchanged),
            rejected: rejected(result.rejected),
        }
    }
}

impl From<wire::DeviceCapability> for CapabilityFields {
    fn from(given: wire::DeviceCapability) -> Self {
        Self {
            oid: given.oid,
            manufacturer: given.manufacturer,
            model: given.model,
            firmware_version: given.firmware_version,
            tac: given.tac,
            dm_version: given.dm_version,
            management_object: given.management_object,
            bootstrap_method: given.bootstrap_method,
            wbxml: given.wbxml,
            max_msg_size: given.max_msg_size,
            max_obj_size: given.max_obj_size,
            attribute: pairs(given.attribute),
            version: given.version,
        }
    }
}

impl From<Capability> for wire::DeviceCapability {
    fn from(capability: Capability) -> Self {
        Self {
            oid: Some(capability.oid.to_string()),
            manufacturer: capability.manufacturer,
            model: capability.model,
            firmware_version: capability.firmware_version,
            tac: capability.tac,
            dm_version: capability.dm_version,
            management_object: capability.management_object,
            bootstrap_method: capability.bootstrap_method,
            wbxml: capability.wbxml,
            max_msg_size: capability.max_msg_size,
            max_obj_size: capability.max_obj_size,
            attribute: name_values(capability.attribute),
            version: Some(capability.version),
        }
    }
}

impl From<Paged<Capability>> for wire::DeviceCapabilityList {
    fn from(page: Paged<Capability>) -> Self {
        Self {
            device_capability: page.items.into_iter().map(Into::into).collect(),
            total_count: super::long(page.total),
            next_page_token: page.next_token,
        }
    }
}
