use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;

use super::UseCase;
use crate::contract::device_manager::{
    CreateDeviceCapability, CreateDeviceInstance, DeleteDeviceCapability, DeleteDeviceInstance, DeviceCapability,
    DeviceCapabilityList, DeviceInstance, DeviceInstanceList, GetDeviceCapabilities, GetDeviceCapabilityByDeviceID,
    GetDeviceCapabilityByModel, GetDeviceCapabilityByOid, GetDeviceInstanceByDeviceID, GetDeviceInstanceByOid,
    GetDeviceInstanceByPhoneNumber, GetDeviceInstances, ImportDeviceInstances, ImportResult, UpdateDeviceCapability,
    UpdateDeviceInstance,
};
use crate::convert::device_manager::{device_fields, records};
use crate::convert::{page, request_key};

impl UseCase for CreateDeviceInstance {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceInstance, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        let fields = device_fields(self.device_instance, "deviceInstance")?;
        broker.create_device(caller, fields, request).await.map(Into::into)
    }
}

impl UseCase for UpdateDeviceInstance {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceInstance, Fault> {
        let fields = device_fields(self.device_instance, "deviceInstance")?;
        broker.update_device(caller, fields).await.map(Into::into)
    }
}

impl UseCase for DeleteDeviceInstance {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        broker.delete_device(caller, self.device_id, self.oid, self.version).await
    }
}

impl UseCase for GetDeviceInstanceByDeviceID {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceInstance, Fault> {
        broker.device_by_device_id(caller, &self.device_id).await.map(Into::into)
    }
}

impl UseCase for GetDeviceInstanceByPhoneNumber {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceInstance, Fault> {
        broker.device_by_phone_number(caller, &self.phone_number).await.map(Into::into)
    }
}

impl UseCase for GetDeviceInstanceByOid {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceInstance, Fault> {
        broker.device_by_oid(caller, &self.oid).await.map(Into::into)
    }
}

impl UseCase for GetDeviceInstances {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceInstanceList, Fault> {
        let filter = self.filter.map(Into::into).unwrap_or_default();
        let expression = self.filter_expression.as_deref();
        broker.devices(caller, filter, expression, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for ImportDeviceInstances {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<ImportResult, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        let given = records(self.device_instance);
        broker.import_devices(caller, given, self.update_existing, request).await.map(Into::into)
    }
}

impl UseCase for CreateDeviceCapability {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceCapability, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        broker.create_capability(caller, self.device_capability.into(), request).await.map(Into::into)
    }
}

impl UseCase for UpdateDeviceCapability {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceCapability, Fault> {
        broker.update_capability(caller, self.device_capability.into()).await.map(Into::into)
    }
}

impl UseCase for DeleteDeviceCapability {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        broker.delete_capability(caller, &self.oid, self.version).await
    }
}

impl UseCase for GetDeviceCapabilityByOid {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceCapability, Fault> {
        broker.capability_by_oid(caller, &self.oid).await.map(Into::into)
    }
}

impl UseCase for GetDeviceCapabilityByModel {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceCapability, Fault> {
        let firmware_version = self.firmware_version.as_deref();
        broker.capability_by_model(caller, &self.manufacturer, &self.model, firmware_version).await.map(Into::into)
    }
}

impl UseCase for GetDeviceCapabilityByDeviceID {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceCapability, Fault> {
        broker.capability_by_device_id(caller, &self.device_id).await.map(Into::into)
    }
}

impl UseCase for GetDeviceCapabilities {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceCapabilityList, Fault> {
        let expression = self.filter_expression.as_deref();
        broker.capabilities(caller, self.manufacturer, self.model, expression, &page(self.page)).await.map(Into::into)
    }
}
