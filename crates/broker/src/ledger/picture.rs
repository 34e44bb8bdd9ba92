mod admission;

pub use admission::{authority, binding, callback_address, key, principal, provider, revoked, role, tenant};
use serde_json::{Map, Value, json};

use super::{Subject, mask};
use crate::capability::Capability;
use crate::device::Device;
use crate::job::{Job, Selector};
use crate::operation::Arguments;
use crate::subscriber::Subscriber;
use crate::task::Task;
use crate::trace::Recording;

/// Paths of an operation that are told one by one; of more, the number is told.
const PATHS_MAX: usize = 32;

/// A record as the audit log shows it. Each field that is shown is named here: what is not named, as secrets, nonces
/// and values that are written to devices, cannot get into the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// What identifies nobody.
    pub open: Map<String, Value>,
    /// What does: numbers, identifiers of devices, names that devices log in with.
    pub personal: Map<String, Value>,
    /// By which names erasing it may be asked for.
    pub subjects: Vec<Subject>,
}

impl Picture {
    /// A picture with these members; those that are null are left out. Free text counts as personal, since nobody knows
    /// what people write there.
    #[must_use]
    pub fn of(members: Value) -> Self {
        let mut picture = Self::default();
        if let Value::Object(members) = members {
            let members = members.into_iter().filter(|(_, value)| is_something(value));
            (picture.personal, picture.open) = members.partition(|(name, _)| mask::FREE_TEXT.contains(&name.as_str()));
        }
        picture
    }

    /// The same with these personal members; those that are null are left out.
    #[must_use]
    pub fn and_personal(mut self, members: Value, subjects: impl IntoIterator<Item = Subject>) -> Self {
        if let Value::Object(members) = members {
            self.personal.extend(members.into_iter().filter(|(_, value)| is_something(value)));
        }
        self.subjects.extend(subjects);
        self
    }

    /// What differs between this and `after`.
    #[must_use]
    pub fn differing(mut self, mut after: Self) -> (Self, Self) {
        keep_differences(&mut self.open, &mut after.open);
        keep_differences(&mut self.personal, &mut after.personal);
        (self, after)
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

fn keep_differences(before: &mut Map<String, Value>, after: &mut Map<String, Value>) {
    let same: Vec<String> =
        before.iter().filter(|(name, value)| after.get(*name) == Some(value)).map(|(name, _)| name.clone()).collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
}

/// A device record. Of its account it is told that there is one, and how it authenticates.
#[must_use]
pub fn device(device: &Device) -> Picture {
    let account = device.account.as_ref();
    let attributes: Map<String, Value> =
        device.attribute.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let subjects = [
        device.phone_number.as_ref().map(Subject::phone),
        device.device_id.as_ref().map(Subject::device),
        device.subscriber_id.as_deref().map(Subject::subscriber),
    ];
    Picture::of(json!({
        "managementState": device.management_state,
        "manufacturer": device.manufacturer,
        "model": device.model,
        "firmwareVersion": device.firmware_version,
        "softwareVersion": device.software_version,
        "deviceCapabilityOid": device.capability.map(|oid| oid.to_string()),
        "group": device.group,
        "authType": account.map(|account| account.auth_type),
        "serverId": account.and_then(|account| account.server_id.as_deref()),
        "version": device.version,
    }))
    .and_personal(
        json!({
            "deviceID": device.device_id.as_ref().map(|id| id.as_str()),
            "phoneNumber": device.phone_number.as_ref().map(|number| number.as_str()),
            "imsi": device.imsi,
            "subscriberId": device.subscriber_id,
            "clientName": account.map(|account| account.client_name.as_str()),
            "attribute": attributes,
        }),
        subjects.into_iter().flatten(),
    )
}

/// A task: what it asks of which device. Values that are to be written are left out, since they may be secrets.
#[must_use]
pub fn task(task: &Task) -> Picture {
    Picture::of(json!({
        "operation": task.operation.as_str(),
        "status": task.status.as_str(),
        "acceptDevicePolicy": i32::from(task.policy),
        "bOptin": task.opt_in.then_some(true),
        "held": task.held.then_some(true),
        "testCycle": task.test_cycle.then_some(true),
        "arguments": arguments(&task.arguments),
    }))
    .and_personal(
        json!({
            "phoneNumber": task.phone_number.as_ref().map(|number| number.as_str()),
            "deviceID": task.expected.as_ref().map(|id| id.as_str()),
        }),
        // The number is one of the record; a device that is expected need not be.
        task.expected.as_ref().map(Subject::device),
    )
}

/// A job: what it asks of how many devices.
#[must_use]
pub fn job(job: &Job) -> Picture {
    Picture::of(json!({
        "description": job.description,
        "operation": if job.is_mixed { None } else { Some(job.template.operation.as_str()) },
        "status": job.status.as_str(),
        "detail": job.detail,
        "acceptDevicePolicy": i32::from(job.template.policy),
        "testCycle": job.template.test_cycle.then_some(true),
        "arguments": arguments(&job.template.arguments),
        "devices": job.expansion.as_ref().map(|expansion| selector(&expansion.selector)),
    }))
    .and_personal(json!({ "jobName": job.name }), [])
}

/// A device capability record.
#[must_use]
pub fn capability(capability: &Capability) -> Picture {
    let attributes: Map<String, Value> =
        capability.attribute.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    Picture::of(json!({
        "manufacturer": capability.manufacturer,
        "model": capability.model,
        "firmwareVersion": capability.firmware_version,
        "tac": capability.tac,
        "dmVersion": capability.dm_version,
        "managementObject": capability.management_object,
        "bootstrapMethod": capability.bootstrap_method,
        "wbxml": capability.wbxml,
        "maxMsgSize": capability.max_msg_size,
        "maxObjSize": capability.max_obj_size,
        "attribute": attributes,
        "version": capability.version,
    }))
}

/// A subscriber record: hardly anything of it is not personal.
#[must_use]
pub fn subscriber(subscriber: &Subscriber) -> Picture {
    let attributes: Map<String, Value> =
        subscriber.attribute.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let subjects = [subscriber.phone_number.as_ref().map(Subject::phone), Some(Subject::subscriber(&subscriber.id))];
    Picture::of(json!({ "optIn": subscriber.opt_in, "version": subscriber.version })).and_personal(
        json!({
            "subscriberId": subscriber.id,
            "phoneNumber": subscriber.phone_number.as_ref().map(|number| number.as_str()),
            "imsi": subscriber.imsi,
            "accountReference": subscriber.account_reference,
            "attribute": attributes,
        }),
        subjects.into_iter().flatten(),
    )
}

/// How a device is recorded.
#[must_use]
pub fn recording(recording: Option<Recording>) -> Picture {
    Picture::of(json!({
        "enabled": recording.is_some(),
        "until": recording.map(|recording| recording.until.to_string()),
        "sessions": recording.map(|recording| recording.sessions),
    }))
}

/// Paths and names of arguments; never their values.
fn arguments(arguments: &Arguments) -> Value {
    let paths: Vec<&str> = arguments.parameter.iter().map(|it| it.path.as_str()).take(PATHS_MAX).collect();
    let more = arguments.parameter.len().saturating_sub(PATHS_MAX);
    let options: Vec<&str> = arguments.option.iter().map(|(name, _)| name.as_str()).take(PATHS_MAX).collect();
    let told = Picture::of(json!({
        "path": paths,
        "morePaths": (more > 0).then_some(more),
        "option": options,
        "packageId": arguments.package_id,
        "componentId": arguments.component_id,
    }));
    Value::Object(told.open)
}

fn selector(selector: &Selector) -> Value {
    let count = |length: usize| (length > 0).then_some(length);
    let told = Picture::of(json!({
        "phoneNumbers": count(selector.phone_number.len()),
        "deviceIDs": count(selector.device_id.len()),
        "deviceCapabilityOid": selector.capability.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "allDevices": selector.all_devices.then_some(true),
        "filter": selector.filter.as_ref().map(|filter| {
            let told = Picture::of(json!({
                "manufacturer": filter.manufacturer,
                "model": filter.model,
                "firmwareVersion": filter.firmware_version,
                "managementState": filter.management_state,
                "group": filter.group,
                "lastSeenBefore": filter.last_seen_before.map(|time| time.to_string()),
                "lastSeenSince": filter.last_seen_since.map(|time| time.to_string()),
                "attribute": filter.attribute.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            }));
            Value::Object(told.open)
        }),
    }));
    Value::Object(told.open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_change_only_what_differs_is_told() {
        let before = Picture::of(json!({"a": 1, "b": 2, "c": null}));
        let after = Picture::of(json!({"a": 1, "b": 3, "d": 4}));
        let (before, after) = before.differing(after);
        assert_eq!(Value::Object(before.open), json!({"b": 2}));
        assert_eq!(Value::Object(after.open), json!({"b": 3, "d": 4}));
    }
}
