//! Device capability records.

use super::device_fields::{read_capability_oid, unknown_capability};
use super::device_manager::out_of_step;
use super::once::{self, operation};
use super::{Broker, CapabilityFields, RequestKey, checks, selecting};
use crate::access::{Caller, Right};
use crate::bounds::{CAPABILITY_VALUES_MAX, TACS_MAX, TEXT_CHARS_MAX};
use crate::capability::Capability;
use crate::fault::Fault;
use crate::filter::Filter;
use crate::id::CapabilityOid;
use crate::identity::DeviceId;
use crate::page::{Page, PageRequest, Paged};
use crate::store::{CapabilityFilter, CapabilityKey, CapabilityWrite, DeviceKey, Once};

impl Broker {
    /// Adds a capability record.
    ///
    /// # Errors
    /// Those of the contract, section 5, `createDeviceCapability`.
    pub async fn create_capability(
        &self,
        caller: &Caller,
        fields: CapabilityFields,
        request: Option<RequestKey>,
    ) -> Result<Capability, Fault> {
        caller.must(Right::new("capability", "create"))?;
        checks::request_key(request.as_ref())?;
        if let Some(oid) = &fields.oid {
            return Err(Fault::invalid("oid", oid.escape_debug(), "is given by the server; leave it out"));
        }
        let capability = self.capability_given(caller, fields)?;
        let remember = self.remember_record(caller, operation::CREATE_CAPABILITY, request.as_ref());
        let write = CapabilityWrite { capability, oid: None, version: None };
        let deed = self.deed(caller, operation::CREATE_CAPABILITY);
        once::record(self.store.capability_write(write, deed, remember).await?)
    }

    /// Replaces a capability record, found by oid.
    ///
    /// # Errors
    /// Those of the contract, section 5, `updateDeviceCapability`.
    pub async fn update_capability(&self, caller: &Caller, fields: CapabilityFields) -> Result<Capability, Fault> {
        caller.must(Right::new("capability", "update"))?;
        let oid = read_capability_oid(fields.oid.as_deref().ok_or_else(|| Fault::missing("oid"))?)?;
        let version = fields.version;
        let capability = self.capability_given(caller, fields)?;
        let write = CapabilityWrite { capability, oid: Some(oid), version };
        let deed = self.deed(caller, "updateDeviceCapability");
        match self.store.capability_write(write, deed, None).await? {
            Once::Now(verdict) => verdict,
            Once::Before(_) | Once::Reused => Err(out_of_step()),
        }
    }

    /// Deletes a capability record that no device record refers to.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCapability`, `InUse`, `OutdatedVersion`.
    pub async fn delete_capability(&self, caller: &Caller, oid: &str, version: Option<i64>) -> Result<(), Fault> {
        caller.must(Right::new("capability", "delete"))?;
        let deed = self.deed(caller, "deleteDeviceCapability");
        self.store.capability_delete(&caller.tenant, read_capability_oid(oid)?, version, deed).await?
    }

    /// The record with this identifier.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownCapability`.
    pub async fn capability_by_oid(&self, caller: &Caller, oid: &str) -> Result<Capability, Fault> {
        caller.must(Right::new("capability", "read"))?;
        self.capability_found(caller, CapabilityKey::Oid(read_capability_oid(oid)?)).await
    }

    /// The most specific record for a make, model and firmware version.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownCapability`.
    pub async fn capability_by_model(
        &self,
        caller: &Caller,
        manufacturer: &str,
        model: &str,
        firmware_version: Option<&str>,
    ) -> Result<Capability, Fault> {
        caller.must(Right::new("capability", "read"))?;
        checks::line("manufacturer", manufacturer, TEXT_CHARS_MAX)?;
        checks::line("model", model, TEXT_CHARS_MAX)?;
        checks::line_if_given("firmwareVersion", firmware_version, TEXT_CHARS_MAX)?;
        let key = CapabilityKey::Model {
            manufacturer: manufacturer.to_owned(),
            model: model.to_owned(),
            firmware_version: firmware_version.map(str::to_owned),
        };
        self.capability_found(caller, key).await
    }

    /// The record of a device: that of its device record, else the one that has its type allocation code.
    ///
    /// # Errors
    /// `NotAuthorized`; `UnknownCapability`, or `UnknownDevice` if there is no device record either.
    pub async fn capability_by_device_id(&self, caller: &Caller, id: &DeviceId) -> Result<Capability, Fault> {
        let right = Right::new("capability", "read");
        let scope = caller.scope(right)?;
        let key = DeviceKey::DeviceId(id.clone());
        let device = if scope.is_whole() {
            self.store.device_find(&caller.tenant, key, 1).await?.pop()
        } else {
            Some(self.device_reached(caller, right, &scope, key).await?)
        };
        let mut keys = Vec::new();
        keys.extend(device.as_ref().and_then(|device| device.capability).map(CapabilityKey::Oid));
        keys.extend(id.tac().map(|tac| CapabilityKey::Tac(tac.to_owned())));
        for key in keys {
            if let Some(found) = self.store.capability_find(&caller.tenant, key).await? {
                return Ok(found);
            }
        }
        Err(if device.is_some() { unknown_capability() } else { selecting::unknown() }.with(id))
    }

    /// Records by oid, narrowed by make, model and an expression of the filter language.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `InvalidPageToken`.
    pub async fn capabilities(
        &self,
        caller: &Caller,
        manufacturer: Option<String>,
        model: Option<String>,
        expression: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<Capability>, Fault> {
        caller.must(Right::new("capability", "read"))?;
        checks::line_if_given("manufacturer", manufacturer.as_deref(), TEXT_CHARS_MAX)?;
        checks::line_if_given("model", model.as_deref(), TEXT_CHARS_MAX)?;
        let filter = CapabilityFilter { manufacturer, model, expression: Filter::read(expression)? };
        let scope = self.list_scope(caller, "capabilities", &filter);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.capability_list(&caller.tenant, filter, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |capability| capability))
    }

    fn capability_given(&self, caller: &Caller, fields: CapabilityFields) -> Result<Capability, Fault> {
        checks::line("manufacturer", &fields.manufacturer, TEXT_CHARS_MAX)?;
        checks::line("model", &fields.model, TEXT_CHARS_MAX)?;
        checks::line_if_given("firmwareVersion", fields.firmware_version.as_deref(), TEXT_CHARS_MAX)?;
        checks::values("tac", fields.tac.len(), TACS_MAX)?;
        for tac in &fields.tac {
            if tac.len() != 8 || !tac.bytes().all(|octet| octet.is_ascii_digit()) {
                return Err(Fault::invalid("tac", tac.escape_debug(), "must have eight digits"));
            }
        }
        for (parameter, values) in [
            ("dmVersion", &fields.dm_version),
            ("managementObject", &fields.management_object),
            ("bootstrapMethod", &fields.bootstrap_method),
        ] {
            checks::values(parameter, values.len(), CAPABILITY_VALUES_MAX)?;
            for value in values {
                checks::line(parameter, value, TEXT_CHARS_MAX)?;
            }
        }
        for (parameter, size) in [("maxMsgSize", fields.max_msg_size), ("maxObjSize", fields.max_obj_size)] {
            if let Some(size) = size.filter(|size| *size < 1) {
                return Err(Fault::invalid(parameter, size, "must be at least 1"));
            }
        }
        checks::attributes(&fields.attribute)?;
        Ok(Capability {
            oid: CapabilityOid(self.environment.uuid()),
            tenant: caller.tenant.clone(),
            manufacturer: fields.manufacturer,
            model: fields.model,
            firmware_version: fields.firmware_version,
            tac: fields.tac,
            dm_version: fields.dm_version,
            management_object: fields.management_object,
            bootstrap_method: fields.bootstrap_method,
            wbxml: fields.wbxml,
            max_msg_size: fields.max_msg_size,
            max_obj_size: fields.max_obj_size,
            attribute: fields.attribute,
            version: 1,
        })
    }

    async fn capability_found(&self, caller: &Caller, key: CapabilityKey) -> Result<Capability, Fault> {
        self.store.capability_find(&caller.tenant, key).await?.ok_or_else(unknown_capability)
    }
}
