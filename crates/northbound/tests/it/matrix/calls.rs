//! Each operation with parameters that are right, and the rule it goes by.

use muster_northbound::contract::{FieldDescriptor, Kind, operations};
use serde_json::{Value, json};

use super::Parameters;
use super::fixtures::{Fixture, GROUP, PLACE};

/// How a role that is narrowed, or holds elsewhere, counts for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Facts about the server: wherever it holds.
    Facts,
    /// About the domain as a whole: not narrowed.
    Domain,
    /// About one device, a task of it, or a list of these.
    Device,
    /// Makes a device record.
    Record,
    /// As `Device`, and names a node.
    Operation,
    /// Makes a job, or lists jobs.
    Jobs,
    /// About a job that another caller made.
    OthersJob,
    /// About tenants themselves.
    Tenants,
    /// Judged here by the rights of the role alone; tests of its own judge the rest.
    RightsAlone,
}

/// One line of the matrix.
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) rule: Rule,
    /// Rights that it needs besides those of its descriptor.
    pub(super) more_rights: &'static [(&'static str, &'static str)],
    /// What is told where the object is out of sight; nothing where there is none, or a list is only shorter.
    pub(super) unknown: Option<&'static str>,
    /// What is told where the caller may: mostly nothing.
    pub(super) done: Option<&'static str>,
    pub(super) parameters: Parameters,
}

impl Call {
    fn unknown(self, name: &'static str) -> Self {
        Self { unknown: Some(name), ..self }
    }

    fn done(self, name: &'static str) -> Self {
        Self { done: Some(name), ..self }
    }

    fn more(self, rights: &'static [(&'static str, &'static str)]) -> Self {
        Self { more_rights: rights, ..self }
    }
}

fn call(operation: &'static str, rule: Rule, parameters: Parameters) -> Call {
    Call { operation, rule, more_rights: &[], unknown: None, done: None, parameters }
}

/// These make, renew and end sessions: nobody needs a right for them.
pub(super) const WITHOUT: &[&str] = &["login", "renewSession", "logout"];

fn operation(it: &Fixture) -> Value {
    json!({
        "operation": "QUERY", "deviceID": it.device_id, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false,
        "arguments": {"parameter": [{"path": format!("{PLACE}/Node")}]},
    })
}

fn deployment(devices: &Value) -> Value {
    json!({"deployment": [{
        "name": "n", "operation": "QUERY", "devices": devices, "bOptin": false, "acceptDevicePolicy": 20,
        "testCycle": false,
    }]})
}

fn record(it: &Fixture) -> Value {
    json!({"phoneNumber": format!("+1666{:07}", it.number), "group": [GROUP]})
}

fn stored(it: &Fixture) -> Value {
    json!({"oid": it.oid, "deviceID": it.device_id, "phoneNumber": it.phone_number, "group": [GROUP]})
}

fn capability(it: &Fixture) -> Value {
    json!({"manufacturer": "Made", "model": format!("m{}", it.number)})
}

pub(super) fn all() -> Vec<Call> {
    use Rule::*;
    let mut calls = vec![
        call("getServiceInfo", Facts, |_| json!({})),
        call("getOperationDefinitions", Facts, |_| json!({})),
        call("doBootstrap", Device, |it| {
            json!({"phoneNumber": [it.phone_number], "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false})
        })
        .done("UnsupportedOperation"),
        call("doOperation", Operation, operation).unknown("UnknownDevice"),
        call("doBulkOperation", Device, |it| json!({"request": [operation(it)]}))
            .more(&[("device", "operate")])
            .unknown("UnknownDevice"),
        call("getTaskById", Device, |it| json!({"taskId": it.task})).unknown("UnknownTask"),
        call("createDeployments", Jobs, |it| deployment(&json!({"deviceID": [it.device_id]}))),
        call("getJobs", Jobs, |_| json!({})),
        call("getJobsByDate", Jobs, |_| {
            json!({"fromDate": "2026-01-01T00:00:00Z", "toDate": "2027-01-01T00:00:00Z"})
        }),
        call("getJobById", OthersJob, |it| json!({"jobId": it.job})).unknown("UnknownJob"),
        call("getTasks", Device, |it| json!({"deviceID": it.device_id})),
        call("getTaskHistory", Device, |it| json!({"taskId": it.task})).unknown("UnknownTask"),
        call("cancelTask", Device, |it| json!({"taskId": it.task})).unknown("UnknownTask"),
        call("createDeviceInstance", Record, |it| json!({"deviceInstance": record(it)})),
        call("updateDeviceInstance", Device, |it| json!({"deviceInstance": stored(it)})).unknown("UnknownDevice"),
        call("deleteDeviceInstance", Device, |it| json!({"oid": it.oid})).unknown("UnknownDevice"),
        call("getDeviceInstanceByDeviceID", Device, |it| json!({"deviceID": it.device_id})).unknown("UnknownDevice"),
        call("getDeviceInstanceByPhoneNumber", Device, |it| json!({"phoneNumber": it.phone_number}))
            .unknown("UnknownDevice"),
        call("getDeviceInstanceByOid", Device, |it| json!({"oid": it.oid})).unknown("UnknownDevice"),
        call("getDeviceInstances", Device, |_| json!({})),
        call("importDeviceInstances", Record, |it| json!({"deviceInstance": [record(it)], "updateExisting": false})),
        call("createDeviceCapability", Domain, |it| json!({"deviceCapability": capability(it)})),
        call("updateDeviceCapability", Domain, |it| {
            json!({"deviceCapability": {"oid": it.capability, "manufacturer": "Acme", "model": it.model}})
        })
        .unknown("UnknownCapability"),
        call("deleteDeviceCapability", Domain, |it| json!({"oid": it.spare_capability})).unknown("UnknownCapability"),
        call("getDeviceCapabilityByOid", Domain, |it| json!({"oid": it.capability})).unknown("UnknownCapability"),
        call("getDeviceCapabilityByModel", Domain, |it| json!({"manufacturer": "Acme", "model": it.model}))
            .unknown("UnknownCapability"),
        call("getDeviceCapabilityByDeviceID", Device, |it| json!({"deviceID": it.device_id})).unknown("UnknownDevice"),
        call("getDeviceCapabilities", Domain, |_| json!({})),
        call("setDeviceTrace", Device, |it| json!({"oid": it.oid, "enabled": true})).unknown("UnknownDevice"),
        call("getDeviceTrace", Device, |it| json!({"oid": it.oid})).unknown("UnknownDevice"),
        call("getTraceMessages", Device, |it| json!({"oid": it.oid, "session": 1}))
            .unknown("UnknownDevice")
            .done("InvalidArgument"),
        call("createSubscriber", Domain, |it| json!({"subscriber": {"subscriberId": format!("s{}", it.number)}})),
        call("updateSubscriber", Domain, |it| json!({"subscriber": {"subscriberId": it.subscriber}}))
            .unknown("UnknownSubscriber"),
        call("deleteSubscriber", Domain, |it| json!({"subscriberId": it.subscriber})).unknown("UnknownSubscriber"),
        call("getSubscriberById", Domain, |it| json!({"subscriberId": it.subscriber})).unknown("UnknownSubscriber"),
        call("getSubscriberByPhoneNumber", Domain, |it| json!({"phoneNumber": it.phone_number}))
            .unknown("UnknownSubscriber"),
        call("getSubscribers", Domain, |_| json!({})),
        call("assignDevice", Domain, |it| json!({"subscriberId": it.subscriber, "deviceID": it.device_id}))
            .unknown("UnknownSubscriber"),
        call("unassignDevice", Domain, |it| json!({"subscriberId": it.subscriber, "deviceID": it.device_id}))
            .unknown("UnknownSubscriber"),
        call("createTenant", Tenants, |it| json!({"tenant": {"name": format!("t{}", it.number)}})),
        call("updateTenant", Tenants, |it| json!({"tenant": {"name": it.tenant, "displayName": "T"}}))
            .unknown("UnknownTenant"),
        call("deleteTenant", Tenants, |it| json!({"name": it.tenant})).unknown("UnknownTenant"),
        call("getTenantByName", Domain, |_| json!({"name": "acme"})).unknown("UnknownTenant"),
        call("getTenants", Domain, |_| json!({})),
        call("createPrincipal", Domain, |it| json!({"principal": {"name": format!("p{}", it.number)}})),
        call("updatePrincipal", Domain, |it| json!({"principal": {"name": it.principal, "displayName": "P"}}))
            .unknown("UnknownPrincipal"),
        call("setPassword", Domain, |it| json!({"name": it.principal, "password": "correct horse battery"}))
            .more(&[("principal", "update")])
            .unknown("UnknownPrincipal"),
        call("deletePrincipal", Domain, |it| json!({"name": it.principal})).unknown("UnknownPrincipal"),
        call("getPrincipalByName", Domain, |it| json!({"name": it.principal})).unknown("UnknownPrincipal"),
        call("getPrincipals", Domain, |_| json!({})),
        call("createRole", Domain, |it| json!({"role": {"name": format!("r{}", it.number), "right": ["task.read"]}})),
        call("updateRole", Domain, |it| json!({"role": {"name": it.role, "right": ["task.read", "job.read"]}}))
            .unknown("UnknownRole"),
        call("deleteRole", Domain, |it| json!({"name": it.role})).unknown("UnknownRole"),
        call("getRoleByName", Domain, |it| json!({"name": it.role})).unknown("UnknownRole"),
        call("getRoles", Domain, |_| json!({})),
        call("getOwnRights", Facts, |_| json!({})),
        call("createCallbackAddress", Domain, |it| json!({"callbackAddress": address(&format!("/new/{}", it.number))})),
        call("updateCallbackAddress", Domain, |it| {
            let mut changed = address(&format!("/changed/{}", it.number));
            changed["callbackAddressId"] = json!(it.callback);
            json!({"callbackAddress": changed})
        })
        .unknown("UnknownCallbackAddress"),
        call("deleteCallbackAddress", Domain, |it| json!({"callbackAddressId": it.callback}))
            .unknown("UnknownCallbackAddress"),
        call("getCallbackAddressById", Domain, |it| json!({"callbackAddressId": it.callback}))
            .unknown("UnknownCallbackAddress"),
        call("getCallbackAddresses", Domain, |_| json!({})),
        call("rotateCallbackSecret", Domain, |it| json!({"callbackAddressId": it.callback}))
            .unknown("UnknownCallbackAddress"),
        call("getCallbackQueues", Domain, |_| json!({})),
        call("getDeadLetters", Domain, |it| json!({"callbackAddressId": it.callback})),
        call("replayDeadLetters", Domain, |it| json!({"callbackAddressId": it.callback})),
        // Whole domain, which a part of the devices is not enough for.
        call("createDeployments", Domain, |_| deployment(&json!({"allDevices": true})))
            .more(&[("job", "create:all")]),
    ];
    for (name, parameters) in JOB_LED {
        calls.push(call(name, OthersJob, *parameters).unknown("UnknownJob"));
    }
    // The job has no waves.
    let release = call("releaseWave", OthersJob, |it| json!({"jobId": it.job}));
    calls.push(release.unknown("UnknownJob").done("WrongState"));
    // Who lacks the right is refused, whatever the arguments; the rest is judged by the tests of each area.
    for operation in operations() {
        let is_known = WITHOUT.contains(&operation.name) || calls.iter().any(|call| call.operation == operation.name);
        if !is_known {
            calls.push(call(operation.name, RightsAlone, |it| least(it.fields)));
        }
    }
    calls
}

fn address(path: &str) -> Value {
    json!({"address": format!("https://partner.example{path}"), "kind": "WEBHOOK"})
}

const JOB_LED: &[(&str, Parameters)] = &[
    ("pauseJob", |it| json!({"jobId": it.job})),
    ("restartJob", |it| json!({"jobId": it.job})),
    ("cancelJob", |it| json!({"jobId": it.job})),
];

/// The least that a request with these fields must have.
fn least(fields: &[FieldDescriptor]) -> Value {
    let value = |field: &FieldDescriptor| match field.kind {
        Kind::BuiltIn("xs:boolean") => json!(false),
        Kind::BuiltIn("xs:int" | "xs:long") => json!(1),
        Kind::BuiltIn("xs:dateTime") => json!("2026-11-21T06:06:00Z"),
        Kind::BuiltIn(_) => json!("none"),
        Kind::Named(named) => json!(named.values.first().unwrap_or(&"none")),
        Kind::Record(record) => least(record.fields),
    };
    let needed = fields.iter().filter(|field| field.cardinality.is_required());
    needed.map(|field| (field.name.to_owned(), value(field))).collect::<serde_json::Map<_, _>>().into()
}
