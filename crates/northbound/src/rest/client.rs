//! Requests as a client makes them, by the same table that the server reads them by; and answers with the names that the
//! contract has.
//!
//! Source: DM WSI contract, section 10.

use muster_broker::fault::{Fault, FaultName};
use serde_json::{Map, Value};

use super::address::encoded;
use super::parameters::{PAGE, PAIRS, body_fields, field_of, shown, takes_version};
use super::routes::{BASE, Part, ROUTES, Route, When, parts};
use crate::contract::{Kind, Operation, is_page};

/// A request of an operation, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Method, for example `GET`.
    pub method: &'static str,
    /// Path and query, for example `/api/v1/tasks?limit=10`.
    pub target: String,
    /// Headers besides those of every request.
    pub headers: Vec<(&'static str, String)>,
    /// Document to send, if any.
    pub body: Option<Value>,
    /// The session among the parameters, which is shown as `Authorization: Bearer`.
    pub session: Option<String>,
    of: Of,
}

/// The line of the table.
#[derive(Clone, Copy)]
struct Of(&'static Route);

impl std::fmt::Debug for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.id())
    }
}

impl PartialEq for Of {
    fn eq(&self, other: &Self) -> bool {
        self.0.id() == other.0.id()
    }
}

impl Asked {
    /// A request of `operation` with parameters by name, as over SOAP. Parameters that it does not have are sent all the
    /// same: whether they are right the server says.
    ///
    /// # Errors
    /// What no address can say: `MissingArgument` for a parameter that the path names, `ConflictingArguments` for
    /// parameters that stand in different addresses.
    pub fn of(operation: Operation, parameters: &Map<String, Value>) -> Result<Self, Fault> {
        let mut rest = parameters.clone();
        rest.retain(|_, value| !value.is_null());
        let session = rest.remove("userSession").as_ref().and_then(|it| it.get("sessionId")).and_then(text_of);
        let route = route_for(operation, &rest)?;
        let mut headers = Vec::new();
        if field_of(route, "requestId").is_some()
            && let Some(key) = rest.remove("requestId").as_ref().and_then(text_of)
        {
            // Quotation marks around a key are taken off, so one that has its own gets others.
            headers.push(("Idempotency-Key", if key.starts_with('"') { format!("\"{key}\"") } else { key }));
        }
        if takes_version(route)
            && field_of(route, "version").is_some()
            && let Some(version) = rest.remove("version").as_ref().and_then(text_of)
        {
            headers.push(("If-Match", format!("\"{version}\"")));
        }
        let mut target = format!("{BASE}{}", path(route, &mut rest)?);
        let mut query = Vec::new();
        if let When::Flag(name) = route.when {
            query.push((name.to_owned(), "true".to_owned()));
        }
        let body = match route.body {
            Some(parameter) => {
                let body = rest.remove(parameter);
                into_query(route, rest, &mut query);
                body
            }
            None if route.method.has_no_body() => {
                into_query(route, rest, &mut query);
                None
            }
            None => into_body(route, rest),
        };
        for (index, (name, value)) in query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(&format!("{}={}", encoded(name), encoded(value)));
        }
        Ok(Self { method: route.method.as_str(), target, headers, body, session, of: Of(route) })
    }

    /// A document of success as SOAP would have answered.
    ///
    /// # Errors
    /// What SOAP would have said, where a query for one record found none or several.
    pub fn answer(&self, mut document: Value) -> Result<Value, Fault> {
        let route = self.of.0;
        let Some(result) = &route.operation.descriptor().result else { return Ok(Value::Null) };
        let Kind::Record(record) = result.kind else { return Ok(document[result.name].take()) };
        if route.is_query {
            let items = document["items"].take();
            let mut items = if let Value::Array(items) = items { items } else { Vec::new() };
            return match (items.pop(), items.is_empty()) {
                (Some(only), true) => Ok(only),
                (found, _) => Err(not_one(record.name, found.is_some())),
            };
        }
        if let (true, Some(members)) = (is_page(record), document.as_object_mut()) {
            let list = record.fields.iter().find(|field| field.cardinality.repeats()).map(|field| field.name);
            for (shown, name) in [("items", list), ("nextCursor", Some("nextPageToken"))] {
                if let (Some(name), Some(value)) = (name, members.remove(shown)) {
                    members.insert(name.to_owned(), value);
                }
            }
        }
        Ok(document)
    }
}

/// The address for an operation with these parameters: the first whose path they fill and that takes them all. Where one
/// record may be asked for by itself or by a query, it is asked for by itself.
fn route_for(operation: Operation, given: &Map<String, Value>) -> Result<&'static Route, Fault> {
    let mut of: Vec<&'static Route> = ROUTES.iter().filter(|route| route.operation == operation).collect();
    of.sort_by_key(|route| route.is_query);
    let lacks = |route: &Route| named_in(route).find(|name| value_for(route, given, name).is_none());
    let filled = of.iter().copied().filter(|route| lacks(route).is_none());
    let taken = filled.clone().find(|route| route.without.iter().all(|name| !given.contains_key(*name)));
    if let Some(route) = taken {
        return Ok(route);
    }
    let conflict = filled.clone().next().and_then(|route| route.without.iter().find(|name| given.contains_key(**name)));
    if let Some(name) = conflict {
        let text = format!("{name} does not go together with the other parameters; ask for one thing at a time");
        return Err(Fault::new(FaultName::ConflictingArguments, text).with(name));
    }
    Err(Fault::missing(of.first().and_then(|route| lacks(route)).unwrap_or("path")))
}

/// The parameters that a path names.
fn named_in(route: &Route) -> impl Iterator<Item = &'static str> + use<> {
    parts(route.path).filter_map(|part| match part {
        Part::Parameter(name) => Some(name),
        Part::Literal(_) => None,
    })
}

/// What a parameter of the path has: that of the operation, or that of the record which is the body.
fn value_for(route: &Route, given: &Map<String, Value>, name: &str) -> Option<String> {
    let found = if field_of(route, name).is_some() { given.get(name) } else { given.get(route.body?)?.get(name) };
    found.and_then(text_of).filter(|text| !text.is_empty())
}

/// The path, without the parameters that it has taken.
fn path(route: &Route, rest: &mut Map<String, Value>) -> Result<String, Fault> {
    let mut path = String::new();
    for part in parts(route.path) {
        path.push('/');
        match part {
            Part::Literal(literal) => path.push_str(literal),
            Part::Parameter(name) => {
                let value = value_for(route, rest, name).ok_or_else(|| Fault::missing(name))?;
                path.push_str(&encoded(&value));
                // A field of the record says the same in both places.
                if field_of(route, name).is_some() {
                    rest.remove(name);
                }
            }
        }
    }
    Ok(path)
}

fn into_query(route: &Route, rest: Map<String, Value>, query: &mut Vec<(String, String)>) {
    for (name, value) in rest {
        match field_of(route, &name) {
            Some(field) => match (field.kind, value) {
                (Kind::Record(_), Value::Object(members)) => {
                    for (name, value) in members {
                        let page = PAGE.iter().find(|(_, field)| *field == name).map(|(shown, _)| *shown);
                        put(page.unwrap_or(&name), value, query);
                    }
                }
                (_, value) => put(shown(route, field.name), value, query),
            },
            None => put(&name, value, query),
        }
    }
}

/// Adds a parameter, once for each value that it has.
fn put(name: &str, value: Value, query: &mut Vec<(String, String)>) {
    match value {
        Value::Array(entries) => entries.into_iter().for_each(|entry| put(name, entry, query)),
        Value::Object(pair) if name == PAIRS => {
            let of = |member: &str| pair.get(member).and_then(text_of).unwrap_or_default();
            query.push((name.to_owned(), format!("{}={}", of("name"), of("value"))));
        }
        other => query.push((name.to_owned(), text_of(&other).unwrap_or_else(|| other.to_string()))),
    }
}

/// A body of several members; none where there would be nothing in it.
fn into_body(route: &Route, rest: Map<String, Value>) -> Option<Value> {
    let known = body_fields(route);
    let name_of =
        |name: String| known.iter().find(|(_, field)| field.name == name).map_or(name, |(it, _)| (*it).into());
    let members: Map<String, Value> = rest.into_iter().map(|(name, value)| (name_of(name), value)).collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is_so) => Some(is_so.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The fault for a record that is not there, or is there more than once.
fn not_one(record: &str, are_several: bool) -> Fault {
    let name = match record {
        _ if are_several => FaultName::AmbiguousDevice,
        "DeviceCapability" => FaultName::UnknownCapability,
        "Subscriber" => FaultName::UnknownSubscriber,
        _ => FaultName::UnknownDevice,
    };
    let text = if are_several { "there are several such records" } else { "there is no such record" };
    Fault::new(name, text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(operation: Operation, parameters: &Value) -> (String, Vec<(&'static str, String)>, Option<Value>) {
        let asked = Asked::of(operation, parameters.as_object().unwrap()).unwrap();
        (format!("{} {}", asked.method, asked.target.strip_prefix(BASE).unwrap()), asked.headers, asked.body)
    }

    #[test]
    fn parameters_stand_where_the_server_looks_for_them() {
        let (target, headers, body) = asked(
            Operation::GetDeviceInstances,
            &json!({"page": {"pageToken": "a&b", "pageSize": 2}, "filterExpression": "model = \"M 1\"",
                   "filter": {"group": ["g", "h"], "attribute": [{"name": "n", "value": "v=w"}]}}),
        );
        assert!(headers.is_empty() && body.is_none());
        for part in
            ["limit=2", "cursor=a%26b", "filter=model%20%3D%20%22M%201%22", "group=g&group=h", "attribute=n%3Dv%3Dw"]
        {
            assert!(target.contains(part), "{target}");
        }
        let (target, headers, body) = asked(
            Operation::DeleteDeviceInstance,
            &json!({"deviceID": "IMEI:490154203237518", "version": 7, "userSession": {"sessionId": "s"}}),
        );
        assert_eq!(target, "DELETE /devices/IMEI:490154203237518");
        assert_eq!((headers, body), (vec![("If-Match", "\"7\"".to_owned())], None));
        let (target, headers, body) =
            asked(Operation::DoOperation, &json!({"operation": "QUERY", "requestId": "\"k\"", "bOptin": null}));
        assert_eq!((target.as_str(), body), ("POST /tasks", Some(json!({"operation": "QUERY"}))));
        assert_eq!(headers, [("Idempotency-Key", "\"\"k\"\"".to_owned())]);
        let (target, _, body) = asked(Operation::CancelTask, &json!({"taskId": "t/1", "reason": "why"}));
        assert_eq!((target.as_str(), body), ("POST /tasks/t%2F1/cancel", Some(json!({"reason": "why"}))));
    }

    #[test]
    fn one_record_is_asked_for_by_itself_and_by_a_query_only_where_there_is_no_other_way() {
        let target = |operation, parameters: Value| asked(operation, &parameters).0;
        assert_eq!(target(Operation::GetDeviceInstanceByOid, json!({"oid": "d"})), "GET /device-records/d");
        assert_eq!(
            target(Operation::GetDeviceInstanceByPhoneNumber, json!({"phoneNumber": "+15"})),
            "GET /devices?phoneNumber=%2B15"
        );
        assert_eq!(
            target(Operation::GetDeviceCapabilityByModel, json!({"manufacturer": "A", "model": "M"})),
            "GET /capabilities?best=true&manufacturer=A&model=M"
        );
        assert_eq!(target(Operation::GetDeviceTrace, json!({"oid": "d"})), "GET /device-records/d/trace");
        assert_eq!(target(Operation::UpdateTenant, json!({"tenant": {"name": "b"}})), "PUT /tenants/b");
    }

    #[test]
    fn what_no_address_can_say_gets_the_fault_that_soap_would_give() {
        for (operation, parameters, name) in [
            (Operation::GetTaskById, json!({}), FaultName::MissingArgument),
            (Operation::GetTaskById, json!({"taskId": ""}), FaultName::MissingArgument),
            (Operation::GetDeviceTrace, json!({"deviceID": "d", "oid": "o"}), FaultName::ConflictingArguments),
        ] {
            assert_eq!(Asked::of(operation, parameters.as_object().unwrap()).unwrap_err().name, name);
        }
    }

    #[test]
    fn a_query_for_one_record_answers_as_if_it_had_been_asked_for_by_itself() {
        let given = json!({"phoneNumber": "1"});
        let asked = Asked::of(Operation::GetDeviceInstanceByPhoneNumber, given.as_object().unwrap()).unwrap();
        let answer = |items: Value| asked.answer(json!({"items": items}));
        assert_eq!(answer(json!([{"oid": "d"}])).unwrap(), json!({"oid": "d"}));
        assert_eq!(answer(json!([])).unwrap_err().name, FaultName::UnknownDevice);
        assert_eq!(answer(json!([{}, {}])).unwrap_err().name, FaultName::AmbiguousDevice);
    }
}
