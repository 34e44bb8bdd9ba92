//! Which device record a request means, and which device is expected to answer for it.
//!
//! Source: DM WSI contract, sections 1.1 ("Expected IMEI") and 3 ("acceptDevicePolicy").

use super::{Broker, reaching};
use crate::access::{Caller, Reach};
use crate::device::Device;
use crate::fault::{Fault, FaultName};
use crate::identity::{DeviceId, Msisdn};
use crate::policy::AcceptDevicePolicy;
use crate::store::DeviceKey;

/// Most records with one phone number that are looked at.
pub(super) const SAME_NUMBER_MAX: u32 = 50;

/// The record that a request is for, and what it expects.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selected {
    /// The record.
    pub(super) device: Device,
    /// Device that is expected to answer.
    pub(super) expected: Option<DeviceId>,
}

impl Broker {
    /// Finds the record that a phone number, a device identifier or both mean.
    ///
    /// # Errors
    /// `MissingArgument`, `UnknownDevice`, `AmbiguousDevice`, `DeviceMismatch`, `DeviceSuspended`.
    pub(super) async fn device_meant(
        &self,
        caller: &Caller,
        phone_number: Option<&Msisdn>,
        device_id: Option<&DeviceId>,
        policy: AcceptDevicePolicy,
        reach: &Reach,
    ) -> Result<Selected, Fault> {
        if phone_number.is_none() && device_id.is_none() {
            return Err(
                Fault::new(FaultName::MissingArgument, "give phoneNumber, deviceID or both").with("phoneNumber")
            );
        }
        let mut by_number = Vec::new();
        if let Some(number) = phone_number {
            let key = DeviceKey::Phone(number.clone());
            by_number = self.store.device_find(&caller.tenant, key, SAME_NUMBER_MAX).await?;
        }
        let mut by_id = None;
        if let Some(id) = device_id {
            by_id = self.store.device_find(&caller.tenant, DeviceKey::DeviceId(id.clone()), 1).await?.pop();
        }
        if !reach.is_whole() {
            within(reach, caller, &mut by_number, by_id.as_ref(), device_id)?;
        }
        let selected = choose(by_number, by_id, device_id, policy)?;
        if !selected.device.management_state.takes_operations() {
            let text = "the device record is suspended or retired; set its managementState before operations";
            return Err(Fault::new(FaultName::DeviceSuspended, text).with(name_of(&selected.device)));
        }
        Ok(selected)
    }
}

/// Leaves the records that are in reach. An identifier must be that of such a record: a caller that sees some devices
/// only is not told whether one that it does not see is recorded.
///
/// # Errors
/// `UnknownDevice`, or `NotAuthorized` for a device that the caller sees.
fn within(
    reach: &Reach,
    caller: &Caller,
    by_number: &mut Vec<Device>,
    by_id: Option<&Device>,
    device_id: Option<&DeviceId>,
) -> Result<(), Fault> {
    match by_id {
        Some(device) if !reach.has(device) => return Err(reaching::not_operated(caller, device)),
        None if device_id.is_some() => return Err(unknown()),
        Some(_) | None => {}
    }
    let first = by_number.first().cloned();
    by_number.retain(|device| reach.has(device));
    match first {
        Some(device) if by_number.is_empty() => Err(reaching::not_operated(caller, &device)),
        _ => Ok(()),
    }
}

/// Chooses between the records that have the number and the one that has the identifier.
fn choose(
    mut by_number: Vec<Device>,
    by_id: Option<Device>,
    device_id: Option<&DeviceId>,
    policy: AcceptDevicePolicy,
) -> Result<Selected, Fault> {
    let Some(id) = device_id else {
        let device = only(by_number)?;
        let expected = device.device_id.clone();
        return Ok(Selected { device, expected });
    };
    let expected = Some(id.clone());
    let Some(by_id) = by_id else {
        // No record has the identifier: the device is new to the number's record. Of several records that one is
        // meant which has no device yet.
        if by_number.len() > 1 && by_number.iter().any(|device| device.device_id.is_none()) {
            by_number.retain(|device| device.device_id.is_none());
        }
        return Ok(Selected { device: only(by_number)?, expected });
    };
    if by_number.is_empty() || by_number.iter().any(|device| device.oid == by_id.oid) {
        return Ok(Selected { device: by_id, expected });
    }
    // The number belongs to other records. One of them is meant where its device may stand in for the expected one,
    // or where the expected one may yet become its device.
    by_number.retain(|device| match &device.device_id {
        Some(answering) => policy.admits(Some(id), answering),
        None => by_id.account.is_none(),
    });
    if by_number.is_empty() {
        let text = "phoneNumber and deviceID belong to different records, which acceptDevicePolicy does not allow; \
                    give one of them, or policy 30";
        return Err(Fault::new(FaultName::DeviceMismatch, text).with(id));
    }
    Ok(Selected { device: only(by_number)?, expected })
}

/// The one record of those found.
///
/// # Errors
/// `UnknownDevice` if there is none, `AmbiguousDevice` if there are several.
pub(super) fn only(mut devices: Vec<Device>) -> Result<Device, Fault> {
    match (devices.pop(), devices.is_empty()) {
        (Some(device), true) => Ok(device),
        (Some(_), false) => {
            Err(Fault::new(FaultName::AmbiguousDevice, "several records have this phoneNumber; give the deviceID too"))
        }
        (None, _) => Err(unknown()),
    }
}

/// The fault for a device that is not there, or not in the caller's domain.
pub(super) fn unknown() -> Fault {
    Fault::new(FaultName::UnknownDevice, "there is no such device record")
}

fn name_of(device: &Device) -> String {
    device.device_id.as_ref().map_or_else(|| device.oid.to_string(), DeviceId::to_string)
}
