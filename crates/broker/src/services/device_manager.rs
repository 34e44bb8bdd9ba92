//! IDeviceManagerServices: device records and device capability records.

use serde::{Deserialize, Serialize};

use super::once::{self, operation};
use super::reaching::{self, SEE};
use super::{Broker, Rejected, RequestKey, checks, device_fields, selecting};
use crate::access::{Caller, Right, Scope};
use crate::device::{AuthType, Device, ManagementState};
use crate::fault::{Fault, FaultName};
use crate::filter::Filter;
use crate::identity::{DeviceId, Msisdn};
use crate::job::DeviceFilter;
use crate::page::{Page, PageRequest, Paged};
use crate::store::{DeviceGiven, DeviceKey, DeviceVerdict, DeviceWrite, Once, WriteMode};

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

const CREATE: Right = Right::new("device", "create");
const UPDATE: Right = Right::new("device", "update");

impl Broker {
    /// Adds a device record.
    ///
    /// # Errors
    /// Those of the contract, section 5, `createDeviceInstance`.
    pub async fn create_device(
        &self,
        caller: &Caller,
        fields: DeviceFields,
        request: Option<RequestKey>,
    ) -> Result<Device, Fault> {
        let scope = caller.scope(CREATE)?;
        reaching::written(&scope, CREATE, None, &fields.group)?;
        checks::request_key(request.as_ref())?;
        let given = match self.device_to_create(caller, fields).await {
            Ok(given) => given,
            // What was possible then may not be now: the first answer counts.
            Err(fault) => {
                let before = self.answer_of_before(caller, operation::CREATE_DEVICE, request.as_ref()).await?;
                return before.map_or(Err(fault), |answer| once::read(&answer));
            }
        };
        let remember = self.remember(caller, operation::CREATE_DEVICE, request.as_ref(), |verdicts: &Vec<_>| {
            match verdicts.first() {
                Some(DeviceVerdict::Created(device)) => serde_json::to_string(device).ok(),
                _ => None,
            }
        });
        let writes = vec![DeviceWrite { mode: WriteMode::Create, given }];
        let deed = self.deed(caller, operation::CREATE_DEVICE);
        match self.store.device_write(&caller.tenant, writes, deed, remember).await? {
            Once::Now(verdicts) => stored(verdicts),
            Once::Before(answer) => once::read(&answer),
            Once::Reused => Err(once::reused()),
        }
    }

    /// Replaces a device record, found by oid or else by device identifier.
    ///
    /// # Errors
    /// Those of the contract, section 5, `updateDeviceInstance`.
    pub async fn update_device(&self, caller: &Caller, fields: DeviceFields) -> Result<Device, Fault> {
        let scope = caller.scope(UPDATE)?;
        if fields.oid.is_none() && fields.device_id.is_none() {
            return Err(Fault::new(FaultName::MissingArgument, "give oid or deviceID").with("oid"));
        }
        let needs_account = needs_stored_account(&fields);
        let mut given = self.device_given(&caller.tenant, fields)?;
        if given.device.device_id.is_none() && given.device.phone_number.is_none() {
            return Err(named_by_nothing());
        }
        if !scope.is_whole() {
            let stored = self.device_stored(caller, &given).await?.ok_or_else(selecting::unknown)?;
            only_in_reach(caller, &scope, UPDATE, &stored, &mut given)?;
        }
        self.capability_exists(&caller.tenant, given.device.capability).await?;
        if needs_account {
            let stored = self.device_stored(caller, &given).await?.ok_or_else(selecting::unknown)?;
            secret_is_stored(Some(&stored))?;
        }
        let writes = vec![DeviceWrite { mode: WriteMode::Replace, given }];
        let deed = self.deed(caller, "updateDeviceInstance");
        match self.store.device_write(&caller.tenant, writes, deed, None).await? {
            Once::Now(verdicts) => stored(verdicts),
            Once::Before(_) | Once::Reused => Err(out_of_step()),
        }
    }

    /// Deletes a device record; its tasks that are not final are cancelled.
    ///
    /// # Errors
    /// Those of the contract, section 5, `deleteDeviceInstance`.
    pub async fn delete_device(
        &self,
        caller: &Caller,
        device_id: Option<DeviceId>,
        oid: Option<String>,
        version: Option<i64>,
    ) -> Result<(), Fault> {
        let right = Right::new("device", "delete");
        let scope = caller.scope(right)?;
        let key = match (device_id, oid) {
            (None, None) => {
                return Err(Fault::new(FaultName::MissingArgument, "give deviceID or oid").with("deviceID"));
            }
            (Some(id), None) => DeviceKey::DeviceId(id),
            (id, Some(oid)) => {
                let key = DeviceKey::Oid(device_fields::read_oid(&oid)?);
                if id.is_some() && self.device_reached(caller, right, &scope, key.clone()).await?.device_id != id {
                    let text = "oid and deviceID belong to different records; give one of them";
                    return Err(Fault::new(FaultName::ConflictingArguments, text).with("deviceID").with("oid"));
                }
                key
            }
        };
        let mut version = version;
        if !scope.is_whole() {
            // Whoever moves the record to another group meanwhile raises its version.
            let stored = self.device_reached(caller, right, &scope, key.clone()).await?;
            version = version.or(Some(stored.version));
        }
        let deed = self.deed(caller, "deleteDeviceInstance");
        self.store.device_delete(&caller.tenant, key, version, deed).await?
    }

    /// The record with this device identifier.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownDevice`.
    pub async fn device_by_device_id(&self, caller: &Caller, id: &DeviceId) -> Result<Device, Fault> {
        let scope = caller.scope(SEE)?;
        self.device_reached(caller, SEE, &scope, DeviceKey::DeviceId(id.clone())).await
    }

    /// The record with this number.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownDevice`, `AmbiguousDevice` if several records have it.
    pub async fn device_by_phone_number(&self, caller: &Caller, number: &Msisdn) -> Result<Device, Fault> {
        let scope = caller.scope(SEE)?;
        self.device_reached(caller, SEE, &scope, DeviceKey::Phone(number.clone())).await
    }

    /// Every record with this number; of very many, the first.
    ///
    /// # Errors
    /// `NotAuthorized`.
    pub async fn devices_by_phone_number(&self, caller: &Caller, number: &Msisdn) -> Result<Vec<Device>, Fault> {
        let scope = caller.scope(SEE)?;
        let key = DeviceKey::Phone(number.clone());
        let mut devices = self.store.device_find(&caller.tenant, key, Page::SIZE_MAX).await?;
        devices.retain(|device| scope.sees(device));
        Ok(devices)
    }

    /// The record with this record identifier.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownDevice`.
    pub async fn device_by_oid(&self, caller: &Caller, oid: &str) -> Result<Device, Fault> {
        let scope = caller.scope(SEE)?;
        self.device_reached(caller, SEE, &scope, DeviceKey::Oid(device_fields::read_oid(oid)?)).await
    }

    /// Records that match, by oid; `expression` is one of the filter language.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `InvalidPageToken`.
    pub async fn devices(
        &self,
        caller: &Caller,
        filter: DeviceFilter,
        expression: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<Device>, Fault> {
        let groups = caller.scope(SEE)?.groups();
        checks::device_filter(&filter)?;
        let expression = Filter::read(expression)?;
        let filter = DeviceFilter { groups, expression, ..filter };
        let scope = self.list_scope(caller, "devices", &filter);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.device_list(&caller.tenant, filter, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |device| device))
    }

    async fn device_to_create(&self, caller: &Caller, fields: DeviceFields) -> Result<DeviceGiven, Fault> {
        if let Some(oid) = &fields.oid {
            return Err(Fault::invalid("oid", oid.escape_debug(), "is given by the server; leave it out"));
        }
        let needs_secret = needs_stored_account(&fields);
        let mut given = self.device_given(&caller.tenant, fields)?;
        if given.device.device_id.is_none() && given.device.phone_number.is_none() {
            return Err(named_by_nothing());
        }
        if needs_secret {
            secret_is_stored(None)?;
        }
        self.capability_exists(&caller.tenant, given.device.capability).await?;
        given.version = None;
        Ok(given)
    }

    /// The stored record that a record given means.
    pub(super) async fn device_stored(&self, caller: &Caller, given: &DeviceGiven) -> Result<Option<Device>, Fault> {
        let key = match (given.oid, &given.device.device_id) {
            (Some(oid), _) => DeviceKey::Oid(oid),
            (None, Some(id)) => DeviceKey::DeviceId(id.clone()),
            (None, None) => return Ok(None),
        };
        Ok(self.store.device_find(&caller.tenant, key, 1).await?.pop())
    }
}

/// Refuses to replace a stored record that a narrowed caller does not reach, or by one that it may not write; binds the
/// write to the record as it was looked at.
pub(super) fn only_in_reach(
    caller: &Caller,
    scope: &Scope,
    right: Right,
    stored: &Device,
    given: &mut DeviceGiven,
) -> Result<(), Fault> {
    if !scope.sees(stored) {
        return Err(reaching::out_of_reach(caller, right, stored));
    }
    reaching::written(scope, right, Some(stored), &given.device.group)?;
    given.oid = Some(stored.oid);
    given.version = given.version.or(Some(stored.version));
    Ok(())
}

/// Whether the account given lacks a secret, so that a stored one is needed.
pub(super) fn needs_stored_account(fields: &DeviceFields) -> bool {
    fields.account.as_ref().is_some_and(|account| account.client_secret.is_none())
}

/// Refuses an account without a secret where none is stored.
pub(super) fn secret_is_stored(stored: Option<&Device>) -> Result<(), Fault> {
    match stored.and_then(|device| device.account.as_ref()) {
        Some(_) => Ok(()),
        None => Err(Fault::missing("dmAccount.clientSecret")),
    }
}

/// The fault for a record that nothing could ever find.
pub(super) fn named_by_nothing() -> Fault {
    Fault::new(FaultName::MissingArgument, "a record needs deviceID, phoneNumber or both").with("deviceID")
}

/// The record as stored, of a write of one.
fn stored(verdicts: Vec<DeviceVerdict>) -> Result<Device, Fault> {
    match verdicts.into_iter().next() {
        Some(DeviceVerdict::Created(device) | DeviceVerdict::Updated(device) | DeviceVerdict::Unchanged(device)) => {
            Ok(device)
        }
        Some(DeviceVerdict::Refused(fault)) => Err(fault),
        None => Err(out_of_step()),
    }
}

/// The fault for a store that does not answer what it was asked.
pub(super) fn out_of_step() -> Fault {
    Fault::new(
        FaultName::InternalError,
        "the server failed; its operator finds the reason by the correlation identifier",
    )
}
