//! Requests from JSON and answers to JSON, by descriptor: for clients that talk to people.

use muster_protocol::xml::element::{Element, XmlWriter};
use serde_json::{Map, Value};

use super::NAMESPACE;
use super::descriptor::{FieldDescriptor, Kind, OperationDescriptor};

/// Why a JSON value is no request of an operation. `at` is the path of the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The operation has no such parameter, or the record no such field.
    #[error("{at}: there is no such field; known are {known}")]
    Unknown {
        /// Path.
        at: String,
        /// Names of the fields there are.
        known: String,
    },
    /// Another shape than the field has.
    #[error("{at}: {expected} is expected")]
    Shape {
        /// Path.
        at: String,
        /// What the field takes.
        expected: &'static str,
    },
    /// A required field is absent.
    #[error("{at} is required")]
    Missing {
        /// Path.
        at: String,
    },
}

/// The body of a request: an object with the names of the parameters. Fields that may repeat take an array or one value;
/// simple values may be strings, numbers or booleans. Values themselves are checked by the server.
///
/// # Errors
/// [`JsonError`].
pub fn request_from_json(operation: &OperationDescriptor, value: &Value) -> Result<Vec<u8>, JsonError> {
    let mut writer = XmlWriter::new();
    writer.start(operation.name, &[("xmlns", NAMESPACE)]);
    fields_from_json(operation.fields, value, "", &mut writer)?;
    writer.end(operation.name);
    Ok(writer.finish().into_bytes())
}

fn fields_from_json(
    fields: &[FieldDescriptor],
    value: &Value,
    at: &str,
    writer: &mut XmlWriter,
) -> Result<(), JsonError> {
    let shape = |expected| JsonError::Shape { at: if at.is_empty() { "request" } else { at }.to_owned(), expected };
    let object = value.as_object().ok_or_else(|| shape("an object"))?;
    if let Some(name) = object.keys().find(|name| fields.iter().all(|field| field.name != name.as_str())) {
        let known: Vec<_> = fields.iter().map(|field| field.name).collect();
        return Err(JsonError::Unknown { at: join(at, name), known: known.join(", ") });
    }
    for field in fields {
        let at = join(at, field.name);
        let given = object.get(field.name).filter(|value| !value.is_null());
        let entries: &[Value] = match given {
            None => &[],
            Some(Value::Array(entries)) if field.cardinality.repeats() => entries,
            Some(value) => std::slice::from_ref(value),
        };
        if entries.is_empty() && field.cardinality.is_required() {
            return Err(JsonError::Missing { at });
        }
        for entry in entries {
            field_from_json(field, entry, &at, writer)?;
        }
    }
    Ok(())
}

fn field_from_json(field: &FieldDescriptor, value: &Value, at: &str, writer: &mut XmlWriter) -> Result<(), JsonError> {
    if let Kind::Record(record) = field.kind {
        writer.start(field.name, &[]);
        fields_from_json(record.fields, value, at, writer)?;
        writer.end(field.name);
        return Ok(());
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(is_so) => is_so.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(JsonError::Shape { at: at.to_owned(), expected: "a string, number or boolean" });
        }
    };
    writer.leaf(field.name, &text);
    Ok(())
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
    fn what_is_no_request_is_refused_by_its_place() {
        for (value, error) in [
            (json!({}), "taskId is required"),
            (json!([]), "request: an object is expected"),
            (json!({"taskId": []}), "taskId: a string, number or boolean is expected"),
            (json!({"taskID": "t"}), "taskID: there is no such field; known are userSession, taskId"),
            (json!({"taskId": "t", "userSession": {}}), "userSession.sessionId is required"),
        ] {
            assert_eq!(body(Operation::GetTaskById, &value).unwrap_err().to_string(), error);
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
