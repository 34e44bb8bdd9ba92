//! IDeviceManagerServices.

use muster_broker::device::ManagementState;
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::time::Timestamp;

use super::bulk_operations::{DeviceFilter, PageRequest};
use super::deployment_broker::{NameValue, RejectedRequest};
use super::record::record;
use super::session::UserSession;
use super::value::{Octets, Secret};

record! {
    /// Adds a device record.
    CreateDeviceInstance {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The new record.
        "deviceInstance" device_instance: one DeviceInstance,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Saves changes to a device record. The record given replaces the stored one; oid or deviceID identifies it.
    UpdateDeviceInstance {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The changed record.
        "deviceInstance" device_instance: one DeviceInstance,
    }

    /// Deletes a device record. Its tasks that are not final are cancelled.
    DeleteDeviceInstance {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Device; or give oid. Both, and they differ: ConflictingArguments.
        "deviceID" device_id: opt DeviceId,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
        /// Record identifier, for a record without deviceID.
        "oid" oid: opt String,
    }

    /// Returns the device record with this device identifier.
    GetDeviceInstanceByDeviceID {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Device identifier (IMEI).
        "deviceID" device_id: one DeviceId,
    }

    /// Returns the device record with this MSISDN.
    GetDeviceInstanceByPhoneNumber {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Full MSISDN.
        "phoneNumber" phone_number: one Msisdn,
    }

    /// Returns the device record with this record identifier.
    GetDeviceInstanceByOid {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Record identifier.
        "oid" oid: one String,
    }

    /// Returns the device records that match a filter.
    GetDeviceInstances {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Criteria; every record when left out.
        "filter" filter: opt DeviceFilter,
        /// Which part of the list.
        "page" page: opt PageRequest,
        /// Expression of the filter language over the fields of device records, at most 4096 octets; it must hold
        /// besides.
        "filterExpression" filter_expression: opt String,
    }

    /// Imports device records: creates those that are new and, where asked to, updates the others.
    ImportDeviceInstances {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Records, at most 1000.
        "deviceInstance" device_instance: some DeviceInstance,
        /// True to update records that exist, false to reject them.
        "updateExisting" update_existing: one bool,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Adds a device capability record.
    CreateDeviceCapability {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The new record.
        "deviceCapability" device_capability: one DeviceCapability,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Saves changes to a device capability record. The record given replaces the stored one; oid identifies it.
    UpdateDeviceCapability {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The changed record.
        "deviceCapability" device_capability: one DeviceCapability,
    }

    /// Deletes a device capability record that no device record refers to.
    DeleteDeviceCapability {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Record identifier.
        "oid" oid: one String,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
    }

    /// Returns the device capability record with this record identifier.
    GetDeviceCapabilityByOid {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Record identifier.
        "oid" oid: one String,
    }

    /// Returns the most specific device capability record for a make, model and firmware version.
    GetDeviceCapabilityByModel {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Make.
        "manufacturer" manufacturer: one String,
        /// Model.
        "model" model: one String,
        /// Firmware version.
        "firmwareVersion" firmware_version: opt String,
    }

    /// Returns the device capability record of a device; found by TAC where the device has no record.
    GetDeviceCapabilityByDeviceID {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Device identifier.
        "deviceID" device_id: one DeviceId,
    }

    /// Returns device capability records.
    GetDeviceCapabilities {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Only this make.
        "manufacturer" manufacturer: opt String,
        /// Only this model.
        "model" model: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
        /// Expression of the filter language over the fields of capability records, at most 4096 octets; it must hold
        /// besides.
        "filterExpression" filter_expression: opt String,
    }
}

record! {
    /// An individual device record.
    DeviceInstance {
        /// Record identifier; given by the server, so left out on creation.
        "oid" oid: opt String,
        /// Device identifier (IMEI and the like); unique. May be left out while only phoneNumber is known; filled
        /// at the first contact that acceptDevicePolicy allows.
        "deviceID" device_id: opt DeviceId,
        /// Current MSISDN.
        "phoneNumber" phone_number: opt Msisdn,
        /// Current IMSI, 6 to 15 digits.
        "imsi" imsi: opt String,
        /// Capability record; found from manufacturer, model and firmwareVersion when left out.
        "deviceCapabilityOid" device_capability_oid: opt String,
        /// Manufacturer, as in DevInfo/Man.
        "manufacturer" manufacturer: opt String,
        /// Model, as in DevInfo/Mod.
        "model" model: opt String,
        /// Firmware version, as in DevDetail/FwV.
        "firmwareVersion" firmware_version: opt String,
        /// Software version, as in DevDetail/SwV.
        "softwareVersion" software_version: opt String,
        /// Life cycle state; KNOWN for a new record.
        "managementState" management_state: opt ManagementState,
        /// Subscriber the device is assigned to.
        "subscriberId" subscriber_id: opt String,
        /// Device groups.
        "group" group: many String,
        /// End of the last session; UTC; set by the server.
        "lastSeenAt" last_seen_at: opt Timestamp,
        /// DM account; left out on update keeps the stored one, and a secret left out in it keeps the stored
        /// secret.
        "dmAccount" dm_account: opt DmAccount,
        /// Further attributes.
        "attribute" attribute: many NameValue,
        /// Record version; an update that carries an outdated one is refused.
        "version" version: opt i64,
    }

    /// Credentials a device and this server know each other by, for a device that was not bootstrapped here.
    /// Secrets are taken, kept encrypted, and never returned.
    DmAccount {
        /// Weakest client authentication the server accepts from this device: BASIC, DIGEST (MD5 with nonce) or
        /// HMAC.
        "authType" auth_type: one String,
        /// Name the device authenticates with.
        "clientName" client_name: one String,
        /// Secret of the device; required on creation, never returned.
        "clientSecret" client_secret: opt Secret,
        /// First nonce the device will use, where it is known; never returned.
        "clientNonce" client_nonce: opt Octets,
        /// Identifier the device knows this server by; the server's own when left out.
        "serverId" server_id: opt String,
        /// Name this server authenticates itself with to the device; serverId when left out.
        "serverName" server_name: opt String,
        /// Secret of the server towards the device; without it the server sends no credential. Never returned.
        "serverSecret" server_secret: opt Secret,
        /// First nonce for the server's credential, where it is known; never returned.
        "serverNonce" server_nonce: opt Octets,
    }

    /// A page of device records.
    DeviceInstanceList {
        /// Records, by oid.
        "deviceInstance" device_instance: many DeviceInstance,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// Outcome of an import.
    ImportResult {
        /// Identifier for the log.
        "importId" import_id: one String,
        /// Records created.
        "created" created: one i32,
        /// Records updated.
        "updated" updated: one i32,
        /// Records that were already as given.
        "unchanged" unchanged: one i32,
        /// Records that were not taken.
        "rejected" rejected: many RejectedRequest,
    }

    /// A line of devices: make, model and firmware version, and what they can do.
    DeviceCapability {
        /// Record identifier; given by the server, so left out on creation.
        "oid" oid: opt String,
        /// Make.
        "manufacturer" manufacturer: one String,
        /// Model.
        "model" model: one String,
        /// Firmware version; left out for a record that covers every version.
        "firmwareVersion" firmware_version: opt String,
        /// Type allocation codes, eight digits each.
        "tac" tac: many String,
        /// OMA DM versions, for example 1.2.
        "dmVersion" dm_version: many String,
        /// Supported management objects, as URNs.
        "managementObject" management_object: many String,
        /// Supported bootstrap methods, for example CP-NETWPIN.
        "bootstrapMethod" bootstrap_method: many String,
        /// Whether the device takes WBXML.
        "wbxml" wbxml: opt bool,
        /// Largest message, in bytes.
        "maxMsgSize" max_msg_size: opt i32,
        /// Largest object, in bytes.
        "maxObjSize" max_obj_size: opt i32,
        /// Further attributes.
        "attribute" attribute: many NameValue,
        /// Record version.
        "version" version: opt i64,
    }

    /// A page of capability records.
    DeviceCapabilityList {
        /// Records, by oid.
        "deviceCapability" device_capability: many DeviceCapability,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }
}
