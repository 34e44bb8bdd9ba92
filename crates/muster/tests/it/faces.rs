//! The command line does what SOAP and REST of the same server do: the same answers, and the same faults.

use muster_northbound::contract::{Kind, OperationDescriptor, answer_to_json, operation, request_from_json};
use muster_protocol::soap::Version;
use muster_protocol::xml::element::{Element, TreeLimits};
use serde_json::{Value, json};

use crate::http::{Reply, send};
use crate::running::{Running, run};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// admin, and the password of the tests.
const BASIC: &str = "YWRtaW46b2YgdGhlIHRlc3Rz";

/// A way to the server. Each makes things of its own name, so that each finds the server alike.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Face {
    CommandLine,
    Soap,
    Rest,
}

impl Face {
    /// What stands for `{name}`, `{imei}` and `{number}`. All are of one length, and none is a part of anything else.
    fn names(self) -> [(&'static str, &'static str); 3] {
        match self {
            Self::CommandLine => [("{name}", "face-one"), ("{imei}", "490154203237518"), ("{number}", "+15550000001")],
            Self::Soap => [("{name}", "face-two"), ("{imei}", "356938035643809"), ("{number}", "+15550000002")],
            Self::Rest => [("{name}", "face-six"), ("{imei}", "352099001761481"), ("{number}", "+15550000003")],
        }
    }

    fn filled(self, text: &str) -> String {
        self.names().iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    fn filled_value(self, value: &Value) -> Value {
        serde_json::from_str(&self.filled(&value.to_string())).unwrap()
    }
}

/// A command: its parameters, and method, path and body of REST.
struct Step {
    operation: &'static str,
    parameters: Value,
    method: &'static str,
    path: &'static str,
    body: Value,
}

fn step(operation: &'static str, parameters: Value, method: &'static str, path: &'static str, body: Value) -> Step {
    Step { operation, parameters, method, path, body }
}

fn get(operation: &'static str, parameters: Value, path: &'static str) -> Step {
    step(operation, parameters, "GET", path, Value::Null)
}

/// Some of every port type: what goes well, what is unknown, what is wrong, and what is there already.
fn steps() -> Vec<Step> {
    let device = json!({"deviceID": "IMEI:{imei}", "phoneNumber": "{number}", "model": "M1", "attribute": [
        {"name": "quoted", "value": "r<&>\"é"},
    ]});
    let task = |device: &str, policy: i32| {
        json!({
            "operation": "QUERY", "deviceID": device, "bOptin": false, "acceptDevicePolicy": policy, "testCycle": false,
        })
    };
    let named = json!([{
        "name": "{name}", "operation": "QUERY", "devices": {"deviceID": ["IMEI:{imei}"]}, "bOptin": false,
        "acceptDevicePolicy": 20, "testCycle": false,
    }]);
    let mut nobody = named.clone();
    nobody[0]["devices"] = json!({});
    let subscriber = json!({"subscriberId": "{name}", "phoneNumber": "{number}"});
    let role = json!({"name": "{name}", "right": ["device.read"]});
    let wide = json!({"name": "x {name}", "right": ["device.read"]});
    let nowhere = json!({"address": "https://partner.example/{name}", "kind": "WEBHOOK"});
    let create_device =
        || step("createDeviceInstance", json!({"deviceInstance": device}), "POST", "/devices", device.clone());
    let operate = |body: Value| step("doOperation", body.clone(), "POST", "/tasks", body);
    let deploy = |list: &Value| {
        step("createDeployments", json!({"deployment": list}), "POST", "/jobs", json!({"deployments": list}))
    };
    let create_subscriber =
        || step("createSubscriber", json!({"subscriber": subscriber}), "POST", "/subscribers", subscriber.clone());
    let create_role = |role: &Value| step("createRole", json!({"role": role}), "POST", "/roles", role.clone());
    vec![
        // ISessionServices
        get("getServiceInfo", json!({}), "/service"),
        // IDeviceManagerServices
        create_device(),
        create_device(),
        get("getDeviceInstanceByDeviceID", json!({"deviceID": "IMEI:{imei}"}), "/devices/IMEI:{imei}"),
        get("getDeviceInstanceByDeviceID", json!({"deviceID": "nobody"}), "/devices/nobody"),
        get("getDeviceInstances", json!({"page": {"pageSize": 0}}), "/devices?limit=0"),
        // IDeploymentBrokerServices
        get("getOperationDefinitions", json!({}), "/operation-definitions"),
        operate(task("IMEI:{imei}", 20)),
        operate(task("IMEI:{imei}", 41)),
        operate(task("opaque:nobody", 20)),
        get("getTaskById", json!({"taskId": "nothing"}), "/tasks/nothing"),
        // IBulkOperationsManagerServices
        deploy(&named),
        deploy(&nobody),
        get("getJobs", json!({"owner": "nobody"}), "/jobs?owner=nobody"),
        get("getJobById", json!({"jobId": "nothing"}), "/jobs/nothing"),
        step("pauseJob", json!({"jobId": "nothing"}), "POST", "/jobs/nothing/pause", Value::Null),
        // ISubscriberServices
        create_subscriber(),
        create_subscriber(),
        get("getSubscriberById", json!({"subscriberId": "{name}"}), "/subscribers/{name}"),
        step("deleteSubscriber", json!({"subscriberId": "nobody"}), "DELETE", "/subscribers/nobody", Value::Null),
        // IAdministrationServices
        create_role(&role),
        create_role(&role),
        create_role(&wide),
        get("getRoleByName", json!({"name": "{name}"}), "/roles/{name}"),
        step("deleteRole", json!({"name": "{name}"}), "DELETE", "/roles/{name}", Value::Null),
        step("deleteRole", json!({"name": "{name}"}), "DELETE", "/roles/{name}", Value::Null),
        get("getTenantByName", json!({"name": "nowhere"}), "/tenants/nowhere"),
        step(
            "createCallbackAddress",
            json!({"callbackAddress": nowhere, "tenant": "nowhere"}),
            "POST",
            "/callback-addresses?tenant=nowhere",
            nowhere,
        ),
        get("getOwnRights", json!({}), "/own-rights"),
    ]
}

/// What a step came to: an answer, or a fault by its code and name.
#[derive(Debug, PartialEq)]
enum Outcome {
    Answer(Value),
    Fault(String, String),
}

#[test]
fn every_port_type_is_the_same_at_the_command_line_over_soap_and_over_rest() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let _ = server.call("getServiceInfo", &json!({}));
    let (mut answers, mut faults) = (0, 0);
    for (index, step) in steps().iter().enumerate() {
        let descriptor = operation(step.operation).unwrap();
        let [first, soap, rest] = [Face::CommandLine, Face::Soap, Face::Rest].map(|face| {
            let parameters = face.filled_value(&step.parameters);
            let outcome = match face {
                Face::CommandLine => by_command_line(&server, step.operation, &parameters),
                Face::Soap => by_soap(&server, descriptor, &parameters),
                Face::Rest => by_rest(&server, step, descriptor),
            };
            alike(face, outcome)
        });
        assert_eq!(first, soap, "step {index}, {}", step.operation);
        assert_eq!(first, rest, "step {index}, {} ({} {})", step.operation, step.method, step.path);
        match first {
            Outcome::Answer(_) => answers += 1,
            Outcome::Fault(..) => faults += 1,
        }
    }
    assert!(answers >= 12 && faults >= 12, "{answers} answers and {faults} faults");
}

fn by_command_line(server: &Running, operation: &str, parameters: &Value) -> Outcome {
    let done = run(&mut server.command_call(&[operation, "--json", "--args", &parameters.to_string()]));
    let told: Value = serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"));
    match done.code {
        Some(0) => Outcome::Answer(told),
        Some(1) => fault(&told["fault"]),
        _ => panic!("{done:?}"),
    }
}

fn by_soap(server: &Running, descriptor: &OperationDescriptor, parameters: &Value) -> Outcome {
    let body = String::from_utf8(request_from_json(descriptor, parameters).unwrap()).unwrap();
    let envelope = format!("<s:Envelope xmlns:s=\"{SOAP}\"><s:Body>{body}</s:Body></s:Envelope>");
    assert_eq!(SOAP, Version::Soap11.namespace());
    let reply = request(server, "POST", "/wsi", Some(("text/xml; charset=utf-8", &envelope)));
    let root = Element::read(reply.body.as_bytes(), None, &TreeLimits::WSI).unwrap();
    let content = &root.child(SOAP, "Body").unwrap().children[0];
    if content.name.local != "Fault" {
        return Outcome::Answer(answer_to_json(descriptor, content));
    }
    let text = |local: &str| find(content, local).unwrap_or_else(|| panic!("no {local} in {}", reply.body));
    Outcome::Fault(text("messageId"), text("name"))
}

fn by_rest(server: &Running, step: &Step, descriptor: &OperationDescriptor) -> Outcome {
    let face = Face::Rest;
    let body = (!step.body.is_null()).then(|| face.filled_value(&step.body).to_string());
    let body = body.as_deref().map(|body| ("application/json", body));
    let reply = request(server, step.method, &format!("/api/v1{}", face.filled(step.path)), body);
    if !(200..300).contains(&reply.status) {
        return fault(&serde_json::from_str(&reply.body).unwrap());
    }
    if reply.body.is_empty() {
        return Outcome::Answer(Value::Null);
    }
    Outcome::Answer(as_contract(serde_json::from_str(&reply.body).unwrap(), descriptor))
}

fn fault(told: &Value) -> Outcome {
    let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("no {name} in {told}")).to_owned();
    Outcome::Fault(text("messageId"), text("name"))
}

fn request(server: &Running, method: &str, path: &str, body: Option<(&str, &str)>) -> Reply {
    let address = server.address("north");
    let mut octets =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Basic {BASIC}\r\n");
    match body {
        None => octets.push_str("\r\n"),
        Some((kind, body)) => {
            octets.push_str(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    }
    send(&address, octets.as_bytes())
}

/// The text of the first element of this name.
fn find(element: &Element, local: &str) -> Option<String> {
    if element.name.local == local {
        return Some(element.text.to_string());
    }
    element.children.iter().find_map(|child| find(child, local))
}

/// An answer of REST with the names that the contract has.
fn as_contract(mut answer: Value, descriptor: &OperationDescriptor) -> Value {
    let result = descriptor.result.as_ref().unwrap();
    let Kind::Record(record) = result.kind else { return answer[result.name].take() };
    let members = answer.as_object_mut().unwrap();
    if let Some(items) = members.remove("items") {
        let list = record.fields.iter().find(|field| field.cardinality.repeats()).unwrap();
        members.insert(list.name.to_owned(), items);
    }
    answer
}

/// An outcome without what differs whenever something is made: names of the face, identifiers and times.
fn alike(face: Face, outcome: Outcome) -> Outcome {
    fn blank(face: Face, value: &mut Value) {
        match value {
            Value::Array(entries) => entries.iter_mut().for_each(|entry| blank(face, entry)),
            Value::Object(members) => members.values_mut().for_each(|value| blank(face, value)),
            Value::String(text) => {
                let is_time = text.len() == 24 && text.starts_with("20") && text.ends_with('Z');
                // What is ours is named by its kind, its shard where it has one, and a UUID without hyphens.
                let is_id = text
                    .split_once('-')
                    .is_some_and(|(_, uuid)| uuid.len() == 32 && uuid.bytes().all(|octet| octet.is_ascii_hexdigit()));
                if is_time || is_id {
                    *text = "…".to_owned();
                }
                for (name, value) in face.names() {
                    *text = text.replace(value, name);
                }
            }
            _ => {}
        }
    }
    let Outcome::Answer(mut answer) = outcome else { return outcome };
    blank(face, &mut answer);
    Outcome::Answer(answer)
}
