//! Calls of the REST face, made from its description alone, as a generated client makes them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use muster_northbound::contract::OperationDescriptor;
use muster_northbound::rest::description;
use serde_json::{Map, Value};

use super::name_of;
use crate::world::World;

/// An operation of the description.
struct Described {
    method: String,
    path: String,
    in_path: Vec<String>,
    in_query: Vec<String>,
    /// Members of the body, where these are parameters; nothing where the body is one of them, or there is none.
    in_body: Option<Vec<String>>,
}

/// An operation that shares its address with another.
struct Sharing {
    operation: &'static str,
    /// What the description of the address is called.
    id: &'static str,
    /// What the query says besides.
    query: &'static [(&'static str, &'static str)],
    /// What an empty list means, if anything.
    empty: Option<&'static str>,
}

const SHARING: &[Sharing] = &[
    sharing("getJobsByDate", "getJobs", &[], None),
    sharing("getDeviceInstanceByPhoneNumber", "getDeviceInstances", &[], Some("UnknownDevice")),
    sharing("getDeviceCapabilityByModel", "getDeviceCapabilities", &[("best", "true")], Some("UnknownCapability")),
    sharing("getSubscriberByPhoneNumber", "getSubscribers", &[], Some("UnknownSubscriber")),
];

const fn sharing(
    operation: &'static str,
    id: &'static str,
    query: &'static [(&'static str, &'static str)],
    empty: Option<&'static str>,
) -> Sharing {
    Sharing { operation, id, query, empty }
}

/// Parameters that have other names in addresses and bodies.
const RENAMED: &[(&str, &str, &str)] = &[
    ("getJobsByDate", "fromDate", "createdSince"),
    ("getJobsByDate", "toDate", "createdBefore"),
    ("createDeployments", "deployment", "deployments"),
    ("doBulkOperation", "request", "requests"),
];

static DESCRIBED: LazyLock<BTreeMap<String, Described>> = LazyLock::new(read);

/// The name of the fault, or of the first rejected entry; nothing where everything was done.
pub(super) async fn call(
    world: &World,
    session: &str,
    operation: &OperationDescriptor,
    parameters: &Value,
) -> Option<String> {
    let sharing = SHARING.iter().find(|it| it.operation == operation.name);
    let given: Map<String, Value> = parameters
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (shown(operation.name, name).to_owned(), value.clone()))
        .collect();
    let id = sharing.map_or(operation.name, |it| it.id);
    let described = [id.to_owned(), format!("{id}ByOid")]
        .iter()
        .filter_map(|id| DESCRIBED.get(id))
        .find(|it| it.in_path.iter().all(|name| placed(&given, name).is_some()))
        .unwrap_or_else(|| panic!("{} has no address for {parameters}", operation.name));
    let (path, body) = described.request(given, sharing.map_or(&[], |it| it.query));
    let reply = world.rest(&described.method, &path, Some(session), body).await;
    if !reply.status.is_success() {
        return Some(reply.json()["name"].as_str().unwrap().to_owned());
    }
    if reply.text.is_empty() {
        return None;
    }
    let answer = reply.json();
    if let Some(unknown) = sharing.and_then(|it| it.empty)
        && answer["items"].as_array().unwrap().is_empty()
    {
        return Some(unknown.to_owned());
    }
    answer["rejected"][0]["messageId"].as_str().map(name_of)
}

impl Described {
    /// Address and body.
    fn request(&self, mut given: Map<String, Value>, more: &[(&str, &str)]) -> (String, Option<Value>) {
        let mut path = self.path.clone();
        for name in &self.in_path {
            let value = text(&placed(&given, name).unwrap());
            path = path.replace(&format!("{{{name}}}"), &encoded(&value));
            given.remove(name);
        }
        let mut query: Vec<(String, String)> =
            more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for name in &self.in_query {
            match given.remove(name) {
                None => {}
                Some(Value::Array(values)) => query.extend(values.iter().map(|value| (name.clone(), text(value)))),
                Some(value) => query.push((name.clone(), text(&value))),
            }
        }
        if !query.is_empty() {
            let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
            path = format!("{path}?{}", query.join("&"));
        }
        let body = match &self.in_body {
            Some(members) => {
                let unknown: Vec<&String> = given.keys().filter(|name| !members.contains(name)).collect();
                assert!(unknown.is_empty(), "{} {} takes no {unknown:?}", self.method, self.path);
                (!given.is_empty()).then_some(Value::Object(given))
            }
            None => {
                assert!(given.len() <= 1, "{} {} has no place for all of {given:?}", self.method, self.path);
                given.into_iter().next().map(|(_, record)| record)
            }
        };
        (path, body)
    }
}

/// A parameter, or the field of the record that is given.
fn placed(given: &Map<String, Value>, name: &str) -> Option<Value> {
    let below = || given.values().find_map(|record| record.as_object()?.get(name));
    given.get(name).or_else(below).cloned()
}

fn shown<'n>(operation: &str, name: &'n str) -> &'n str {
    RENAMED.iter().find(|(at, from, _)| (*at, *from) == (operation, name)).map_or(name, |(_, _, to)| to)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn encoded(text: &str) -> String {
    let octet = |octet: u8| match octet {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(octet).to_string(),
        _ => format!("%{octet:02X}"),
    };
    text.bytes().map(octet).collect()
}

/// Reads the description.
fn read() -> BTreeMap<String, Described> {
    let document: Value = serde_json::from_str(description()).unwrap();
    let at = |value: &Value| match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap().clone(),
        None => value.clone(),
    };
    let mut all = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters: Vec<Value> = operation["parameters"].as_array().into_iter().flatten().map(at).collect();
            let of = |place: &str| {
                let there = parameters.iter().filter(|it| it["in"] == place);
                there.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
            };
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let is_members = schema.is_null() || schema["$ref"].as_str().unwrap().ends_with("Parameters");
            let members = |schema: &Value| -> Vec<String> {
                at(schema)["properties"].as_object().into_iter().flat_map(|it| it.keys().cloned()).collect()
            };
            let described = Described {
                method: method.to_uppercase(),
                path: path.clone(),
                in_path: of("path"),
                in_query: of("query"),
                in_body: is_members.then(|| members(schema)),
            };
            all.insert(operation["operationId"].as_str().unwrap().to_owned(), described);
        }
    }
    assert!(all.len() > 80, "{}", all.len());
    all
}
