//! Requests from JSON and answers to JSON, by descriptor: for clients that talk to people.

use muster_protocol::xml::element::{Element, XmlWriter};
use serde_json::{Map, Value};

use super::NAMESPACE;
use super::descriptor::{FieldDescriptor, Kind, OperationDescriptor};

/// Why a JSON value cannot be written as a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Parameters have names.
    #[error("parameters are a JSON object")]
    NoObject,
    /// No element can have this name.
    #[error("{at} is no name of a parameter")]
    NoName {
        /// Path.
        at: String,
    },
}

/// The body of a request: an object with the names of the parameters. Fields that may repeat take an array or one value;
/// simple values may be strings, numbers or booleans.
///
/// What the contract knows comes in its order; what it does not know is written all the same, and nothing that is absent
/// is asked for. Whether it is a request of the operation the server says, in the same words to every client.
///
/// # Errors
/// [`JsonError`].
pub fn request_from_json(operation: &OperationDescriptor, value: &Value) -> Result<Vec<u8>, JsonError> {
    let members = value.as_object().ok_or(JsonError::NoObject)?;
    let mut writer = XmlWriter::new();
    writer.start(operation.name, &[("xmlns", NAMESPACE)]);
    write_members(operation.fields, members, "", &mut writer)?;
    writer.end(operation.name);
    Ok(writer.finish().into_bytes())
}

fn write_members(
    fields: &[FieldDescriptor],
    members: &Map<String, Value>,
    at: &str,
    writer: &mut XmlWriter,
) -> Result<(), JsonError> {
    for field in fields {
        let below = match field.kind {
            Kind::Record(record) => record.fields,
            Kind::BuiltIn(_) | Kind::Named(_) => &[],
        };
        if let Some(value) = members.get(field.name) {
            write_value(field.name, below, value, at, writer)?;
        }
    }
    let is_known = |name: &str| fields.iter().any(|field| field.name == name);
    for (name, value) in members.iter().filter(|(name, _)| !is_known(name)) {
        if !is_element_name(name) {
            return Err(JsonError::NoName { at: join(at, name) });
        }
        write_value(name, &[], value, at, writer)?;
    }
    Ok(())
}

fn write_value(
    name: &str,
    below: &[FieldDescriptor],
    value: &Value,
    at: &str,
    writer: &mut XmlWriter,
) -> Result<(), JsonError> {
    match value {
        Value::Null => {}
        Value::String(text) => writer.leaf(name, text),
        Value::Number(number) => writer.leaf(name, &number.to_string()),
        Value::Bool(is_so) => writer.leaf(name, &is_so.to_string()),
        Value::Array(entries) => {
            for entry in entries {
                write_value(name, below, entry, at, writer)?;
            }
        }
        Value::Object(members) => {
            writer.start(name, &[]);
            write_members(below, members, &join(at, name), writer)?;
            writer.end(name);
        }
    }
    Ok(())
}

/// Whether XML takes it as the name of an element without a prefix. Names of the contract are letters and digits; others
/// are written only to be refused by the server, so that this is narrower than XML is no loss.
fn is_element_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.'))
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// The result in an answer, or null where there is none. `answer` is the child of the body. Fields that may repeat are
/// always arrays; elements that the table does not know are passed over.
#[must_use]
pub fn answer_to_json(operation: &OperationDescriptor, answer: &Element) -> Value {
    let Some(result) = &operation.result else { return Value::Null };
    let found = answer.children.iter().find(|child| child.name.local == result.name);
    found.map_or(Value::Null, |element| element_to_json(result.kind, element))
}

fn element_to_json(kind: Kind, element: &Element) -> Value {
    let text = element.text.as_str();
    let base = match kind {
        Kind::Record(record) => return record_to_json(record.fields, element),
        Kind::BuiltIn(base) => base,
        Kind::Named(named) => named.base,
    };
    let typed = match base {
        "xs:boolean" => match text.trim() {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        "xs:int" | "xs:long" => text.trim().parse::<i64>().ok().map(Value::from),
        _ => None,
    };
    typed.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn record_to_json(fields: &[FieldDescriptor], element: &Element) -> Value {
    let mut object = Map::new();
    for field in fields {
        let mut found = element.children.iter().filter(|child| child.name.local == field.name);
        if field.cardinality.repeats() {
            object.insert(field.name.to_owned(), found.map(|child| element_to_json(field.kind, child)).collect());
        } else if let Some(child) = found.next() {
            object.insert(field.name.to_owned(), element_to_json(field.kind, child));
        }
    }
    Value::Object(object)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use muster_protocol::xml::element::TreeLimits;
    use serde_json::json;

    use super::super::Operation;
    use super::*;

    fn body(operation: Operation, value: &Value) -> Result<String, JsonError> {
        request_from_json(operation.descriptor(), value).map(|octets| String::from_utf8(octets).unwrap())
    }

    #[test]
    fn a_request_is_written_in_the_order_of_the_contract() {
        let value = json!({
            "arguments": {"parameter": {"path": "./a&b"}, "option": [{"name": "n", "value": "v"}]},
            "testCycle": false, "acceptDevicePolicy": 20, "bOptin": "true", "operation": "QUERY",
        });
        assert_eq!(
            body(Operation::DoOperation, &value).unwrap(),
            "<doOperation xmlns=\"urn:muster:dmwsi:v1\"><operation>QUERY</operation><bOptin>true</bOptin>\
             <acceptDevicePolicy>20</acceptDevicePolicy><testCycle>false</testCycle>\
             <arguments><parameter><path>./a&amp;b</path></parameter><option><name>n</name><value>v</value></option>\
             </arguments></doOperation>"
        );
    }

    #[test]
    fn what_the_contract_does_not_know_is_written_for_the_server_to_refuse() {
        for (value, wanted) in [
            (json!({}), ""),
            (json!({"taskId": ["a", 2]}), "<taskId>a</taskId><taskId>2</taskId>"),
            (json!({"taskID": "t", "taskId": null}), "<taskID>t</taskID>"),
            (json!({"taskId": {"x": "<"}}), "<taskId><x>&lt;</x></taskId>"),
            (json!({"userSession": "s"}), "<userSession>s</userSession>"),
        ] {
            let text = body(Operation::GetTaskById, &value).unwrap();
            let inner = text.replace("<getTaskById xmlns=\"urn:muster:dmwsi:v1\">", "").replace("</getTaskById>", "");
            assert_eq!(inner.trim_start_matches("<getTaskById xmlns=\"urn:muster:dmwsi:v1\"/>"), wanted, "{value}");
        }
    }

    #[test]
    fn what_no_element_can_be_is_refused_by_its_place() {
        for (value, error) in [
            (json!([]), "parameters are a JSON object"),
            (json!({"a b": 1}), "a b is no name of a parameter"),
            (json!({"page": {"": 1}}), "page. is no name of a parameter"),
            (json!({"x:y": 1}), "x:y is no name of a parameter"),
            (json!({"x><y": 1}), "x><y is no name of a parameter"),
        ] {
            assert_eq!(body(Operation::GetTasks, &value).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn an_answer_has_types_and_arrays_where_the_contract_has_them() {
        let text = "<m:getTasksResponse xmlns:m='urn:muster:dmwsi:v1'><m:tasks><m:task><m:taskId>7</m:taskId>\
                    <m:testCycle>1</m:testCycle><m:attempts>2</m:attempts></m:task><m:totalCount>1</m:totalCount></m:tasks>\
                    </m:getTasksResponse>";
        let answer = Element::read(text.as_bytes(), None, &TreeLimits::WSI).unwrap();
        let told = answer_to_json(Operation::GetTasks.descriptor(), &answer);
        assert_eq!(
            told,
            json!({"task": [{"taskId": "7", "testCycle": true, "attempts": 2, "result": []}], "totalCount": 1})
        );
        let empty = Element::read(b"<logoutResponse/>", None, &TreeLimits::WSI).unwrap();
        assert_eq!(answer_to_json(Operation::Logout.descriptor(), &empty), Value::Null);
    }
}
