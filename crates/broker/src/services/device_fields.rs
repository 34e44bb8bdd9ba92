//! A device record as a caller gives it, made into one that can be stored.

use std::collections::HashSet;

use super::{AccountFields, Broker, DeviceFields, checks};
use crate::bounds::{GROUP_CHARS_MAX, GROUPS_MAX, NONCE_OCTETS_MAX, TEXT_CHARS_MAX};
use crate::device::{Device, DmAccount};
use crate::fault::{Fault, FaultName};
use crate::id::{CapabilityOid, DeviceOid};
use crate::store::{CapabilityKey, DeviceGiven};

impl Broker {
    /// Checks a record and seals its secrets. The oid given names the stored record. Whether there is such a subscriber
    /// is looked at when the record is written.
    ///
    /// # Errors
    /// `InvalidArgument`, `UnknownDevice` for an oid that is none, `UnknownCapability`.
    pub(super) fn device_given(&self, tenant: &str, fields: DeviceFields) -> Result<DeviceGiven, Fault> {
        self.device_given_as(DeviceOid::new(self.environment.uuid()), tenant, fields)
    }

    /// As [`Broker::device_given`], with the identifier that the record will have if it is new.
    pub(super) fn device_given_as(
        &self,
        new_oid: DeviceOid,
        tenant: &str,
        fields: DeviceFields,
    ) -> Result<DeviceGiven, Fault> {
        for (parameter, text) in [
            ("manufacturer", &fields.manufacturer),
            ("model", &fields.model),
            ("firmwareVersion", &fields.firmware_version),
            ("softwareVersion", &fields.software_version),
        ] {
            checks::line_if_given(parameter, text.as_deref(), TEXT_CHARS_MAX)?;
        }
        checks::imsi(fields.imsi.as_deref())?;
        groups(&fields.group)?;
        checks::attributes(&fields.attribute)?;
        let oid = fields.oid.as_deref().map(read_oid).transpose()?;
        let capability = fields.capability_oid.as_deref().map(read_capability_oid).transpose()?;
        let has_client_secret = fields.account.as_ref().is_some_and(|account| account.client_secret.is_some());
        let account = fields.account.map(|account| self.account_given(account)).transpose()?;
        let device = Device {
            oid: new_oid,
            tenant: tenant.to_owned(),
            device_id: fields.device_id,
            phone_number: fields.phone_number,
            imsi: fields.imsi,
            capability,
            manufacturer: fields.manufacturer,
            model: fields.model,
            firmware_version: fields.firmware_version,
            software_version: fields.software_version,
            management_state: fields.management_state.unwrap_or_default(),
            subscriber_id: fields.subscriber_id,
            group: fields.group,
            attribute: fields.attribute,
            account,
            last_seen_at: None,
            version: 1,
        };
        Ok(DeviceGiven { device, oid, version: fields.version, state: fields.management_state, has_client_secret })
    }

    /// Refuses a capability record that is not there.
    pub(super) async fn capability_exists(&self, tenant: &str, oid: Option<CapabilityOid>) -> Result<(), Fault> {
        let Some(oid) = oid else { return Ok(()) };
        match self.store.capability_find(tenant, CapabilityKey::Oid(oid)).await? {
            Some(_) => Ok(()),
            None => Err(unknown_capability().with(oid)),
        }
    }

    fn account_given(&self, fields: AccountFields) -> Result<DmAccount, Fault> {
        checks::line("dmAccount.clientName", &fields.client_name, TEXT_CHARS_MAX)?;
        checks::line_if_given("dmAccount.serverId", fields.server_id.as_deref(), TEXT_CHARS_MAX)?;
        checks::line_if_given("dmAccount.serverName", fields.server_name.as_deref(), TEXT_CHARS_MAX)?;
        secret("dmAccount.clientSecret", fields.client_secret.as_deref())?;
        secret("dmAccount.serverSecret", fields.server_secret.as_deref())?;
        nonce("dmAccount.clientNonce", fields.client_nonce.as_deref())?;
        nonce("dmAccount.serverNonce", fields.server_nonce.as_deref())?;
        let client_secret = match &fields.client_secret {
            Some(secret) => self.vault.seal(secret.as_bytes()),
            // The stored one takes its place. Should there be none, nobody knows this one.
            None => {
                let mut octets = [0; 32];
                self.environment.random(&mut octets);
                self.vault.seal(&octets)
            }
        };
        Ok(DmAccount {
            auth_type: fields.auth_type,
            client_name: fields.client_name,
            client_secret,
            client_nonce: fields.client_nonce,
            server_id: fields.server_id,
            server_name: fields.server_name,
            server_secret: fields.server_secret.map(|secret| self.vault.seal(secret.as_bytes())),
            server_nonce: fields.server_nonce,
        })
    }
}

/// Reads the identifier of a device record; what is none names no record.
pub(super) fn read_oid(text: &str) -> Result<DeviceOid, Fault> {
    DeviceOid::parse(text).map_err(|_| super::selecting::unknown().with(text.escape_debug()))
}

/// Reads the identifier of a capability record; what is none names no record.
pub(super) fn read_capability_oid(text: &str) -> Result<CapabilityOid, Fault> {
    CapabilityOid::parse(text).map_err(|_| unknown_capability().with(text.escape_debug()))
}

/// The fault for a capability record that is not there, or not in the caller's domain.
pub(super) fn unknown_capability() -> Fault {
    Fault::new(FaultName::UnknownCapability, "there is no such capability record")
}

/// Secrets are never quoted in faults.
fn secret(parameter: &str, secret: Option<&str>) -> Result<(), Fault> {
    let Some(secret) = secret else { return Ok(()) };
    let fits = !secret.is_empty() && secret.chars().count() <= TEXT_CHARS_MAX && checks::is_portable(secret);
    if fits {
        return Ok(());
    }
    Err(Fault::invalid(parameter, "(not shown)", format_args!("must have 1 to {TEXT_CHARS_MAX} characters")))
}

fn nonce(parameter: &str, nonce: Option<&[u8]>) -> Result<(), Fault> {
    let octets = nonce.map_or(0, <[u8]>::len);
    if octets > NONCE_OCTETS_MAX {
        let why = format!("has more than {NONCE_OCTETS_MAX} octets");
        return Err(Fault::invalid(parameter, format_args!("{octets} octets"), why));
    }
    Ok(())
}

fn groups(group: &[String]) -> Result<(), Fault> {
    checks::values("group", group.len(), GROUPS_MAX)?;
    let mut seen = HashSet::new();
    for name in group {
        checks::line("group", name, GROUP_CHARS_MAX)?;
        if !seen.insert(name) {
            return Err(Fault::invalid("group", name, "each group may stand once"));
        }
    }
    Ok(())
}
