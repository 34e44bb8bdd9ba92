//! Steps, and worlds that take them.

use std::collections::BTreeMap;

use muster_northbound::contract::{OperationDescriptor, answer_to_json, operation, request_from_json};
use muster_protocol::soap::Version;
use serde_json::{Value, json};

use crate::world::{World, envelope};

/// A command with its parameters, and how REST says the same.
pub(super) struct Step {
    operation: &'static str,
    parameters: Value,
    method: String,
    path: String,
    body: Option<Value>,
    headers: Vec<(&'static str, &'static str)>,
    /// Who gives it; nothing for nobody.
    caller: Option<&'static str>,
    /// A part of the answer that later steps name in braces.
    kept: Option<(&'static str, &'static str)>,
    is_last: bool,
    is_raw: bool,
}

pub(super) fn step(operation: &'static str, parameters: Value) -> Step {
    Step {
        operation,
        parameters,
        method: String::new(),
        path: String::new(),
        body: None,
        headers: Vec::new(),
        caller: Some("root"),
        kept: None,
        is_last: false,
        is_raw: false,
    }
}

impl Step {
    /// As REST has it; a body that is null is none.
    pub(super) fn rest(self, method: &str, path: &str, body: Value) -> Self {
        let body = Some(body).filter(|body| !body.is_null());
        Self { method: method.to_owned(), path: path.to_owned(), body, ..self }
    }

    pub(super) fn get(self, path: &str) -> Self {
        self.rest("GET", path, Value::Null)
    }

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn by(self, caller: &'static str) -> Self {
        Self { caller: Some(caller), ..self }
    }

    pub(super) fn by_nobody(self) -> Self {
        Self { caller: None, ..self }
    }

    pub(super) fn keep(self, name: &'static str, pointer: &'static str) -> Self {
        Self { kept: Some((name, pointer)), ..self }
    }

    /// Nothing can be asked after this one.
    pub(super) fn last(self) -> Self {
        Self { is_last: true, ..self }
    }

    /// The parameters are sent as they are, though they are none of the operation.
    pub(super) fn unchecked_by_client(self) -> Self {
        Self { is_raw: true, ..self }
    }

    pub(super) fn operation(&self) -> &'static str {
        self.operation
    }
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Answer(Value),
    /// Code, name, and the variables but the name of the parameter, which REST calls as its address does.
    Fault(String, String, Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Face {
    Soap(Version),
    Rest,
}

struct Player {
    face: Face,
    world: World,
    sessions: BTreeMap<&'static str, String>,
    known: BTreeMap<&'static str, String>,
}

/// Gives every face the same steps and compares what they come to.
pub(super) async fn compare(steps: Vec<Step>) {
    let mut players = Vec::new();
    for face in [Face::Soap(Version::Soap11), Face::Soap(Version::Soap12), Face::Rest] {
        players.push(Player::new(face).await);
    }
    for (index, step) in steps.iter().enumerate() {
        let place = format!("step {index}, {} ({} {})", step.operation, step.method, step.path);
        let mut first: Option<(Outcome, String)> = None;
        for player in &mut players {
            let outcome = player.take(step).await;
            let state = if step.is_last { String::new() } else { player.world.state(&player.sessions["root"]).await };
            match &first {
                None => first = Some((outcome, state)),
                Some((wanted, wanted_state)) => {
                    assert_eq!(&outcome, wanted, "{place}: {:?}", player.face);
                    assert_eq!(&state, wanted_state, "{place}: the state after {:?}", player.face);
                }
            }
        }
    }
}

impl Player {
    async fn new(face: Face) -> Self {
        let world = World::new().await;
        let mut sessions = BTreeMap::new();
        for name in ["root", "care", "reader", "stranger"] {
            sessions.insert(name, world.login(name).await);
        }
        Self { face, world, sessions, known: BTreeMap::new() }
    }

    async fn take(&mut self, step: &Step) -> Outcome {
        let descriptor = operation(step.operation).unwrap();
        let mut outcome = match self.face {
            Face::Soap(version) => self.soap(version, step, descriptor).await,
            Face::Rest => self.rest(step, descriptor).await,
        };
        if let Some((name, pointer)) = step.kept {
            // A step may be taken twice and be refused the second time.
            if let Outcome::Answer(answer) = &outcome {
                let value = answer.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {answer}"));
                self.known.insert(name, value.as_str().unwrap().to_owned());
            }
        }
        if let Outcome::Answer(answer) = &mut outcome {
            self.blank(step.operation, answer);
        }
        outcome
    }

    /// Blanks what may differ between worlds or faces, having looked at it.
    fn blank(&self, operation: &str, answer: &mut Value) {
        // The key of a store makes it, so that only whether it is there can be compared.
        if let Some(token) = answer.get_mut("nextPageToken") {
            *token = json!("…");
        }
        // The log tells the face, and its hashes are over that.
        if operation == "verifyAuditLog"
            && let Some(Value::String(head)) = answer.get_mut("head")
        {
            assert_eq!(head.split_once(':').unwrap().1.len(), 64);
            *head = head.split_once(':').unwrap().0.to_owned();
        }
        if operation != "getAuditEntries" {
            return;
        }
        let face = if self.face == Face::Rest { "REST" } else { "SOAP" };
        for entry in answer["auditEntry"].as_array_mut().into_iter().flatten() {
            // Sessions are made by SOAP, and what is not asked for comes from the test itself.
            let is_asked = !matches!(entry["operation"].as_str().unwrap(), "login" | "test");
            assert!(!is_asked || entry["face"] == face || entry["face"] == "LOCAL", "{entry}");
            assert_eq!(entry["hash"].as_str().unwrap().len(), 64);
            entry["face"] = json!("…");
            entry["hash"] = json!("…");
        }
    }

    fn filled(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    fn filled_value(&self, value: &Value) -> Value {
        serde_json::from_str(&self.filled(&value.to_string())).unwrap()
    }

    async fn soap(&self, version: Version, step: &Step, descriptor: &'static OperationDescriptor) -> Outcome {
        let mut parameters = self.filled_value(&step.parameters);
        if let Some(caller) = step.caller {
            parameters["userSession"] = json!({"sessionId": self.sessions[caller]});
        }
        let body = match request_from_json(descriptor, &parameters) {
            Ok(body) => String::from_utf8(body).unwrap(),
            // What our own client would not send: as it would look if it did.
            Err(_) => raw(step.operation, &parameters),
        };
        let reply = self.world.post(version, envelope(version, "", &body)).await;
        let content = reply.content();
        if content.name.local == "Fault" {
            let told = reply.fault();
            return Outcome::Fault(told.message_id, told.name, told.variables.into_iter().skip(1).collect());
        }
        assert!(!step.is_raw);
        Outcome::Answer(answer_to_json(descriptor, &content))
    }

    async fn rest(&self, step: &Step, descriptor: &'static OperationDescriptor) -> Outcome {
        let session = step.caller.map(|caller| self.sessions[caller].as_str());
        let (path, body) = (self.filled(&step.path), step.body.as_ref().map(|body| self.filled_value(body)));
        let reply = self.world.rest_with(&step.method, &path, session, &step.headers, body).await;
        if !reply.status.is_success() {
            let told = reply.json();
            let text = |name: &str| told[name].as_str().unwrap().to_owned();
            let variables = told["variables"].as_array().unwrap().iter().skip(1);
            let variables = variables.map(|it| it.as_str().unwrap().to_owned()).collect();
            return Outcome::Fault(text("messageId"), text("name"), variables);
        }
        Outcome::Answer(if reply.text.is_empty() { Value::Null } else { as_contract(reply.json(), descriptor) })
    }
}

/// An answer of REST with the names that the contract has: those of pages, and of single values.
fn as_contract(mut answer: Value, descriptor: &OperationDescriptor) -> Value {
    use muster_northbound::contract::Kind;
    let result = descriptor.result.as_ref().unwrap();
    let Kind::Record(record) = result.kind else { return answer[result.name].take() };
    let Some(items) = answer.get("items").cloned() else { return answer };
    let is_page = record.fields.iter().any(|field| field.name == "totalCount");
    if !is_page {
        // A query that found one.
        assert_eq!(answer["totalCount"], 1);
        return items[0].clone();
    }
    let members = answer.as_object_mut().unwrap();
    members.remove("items");
    let list = record.fields.iter().find(|field| field.cardinality.repeats()).unwrap();
    members.insert(list.name.to_owned(), items);
    if let Some(next) = members.remove("nextCursor") {
        members.insert("nextPageToken".to_owned(), next);
    }
    answer
}

/// Parameters as elements, whatever the contract says.
fn raw(operation: &str, parameters: &Value) -> String {
    fn write(name: &str, value: &Value, out: &mut String) {
        match value {
            Value::Array(entries) => entries.iter().for_each(|entry| write(name, entry, out)),
            Value::Object(members) => {
                out.push_str(&format!("<{name}>"));
                members.iter().for_each(|(name, value)| write(name, value, out));
                out.push_str(&format!("</{name}>"));
            }
            Value::String(text) => out.push_str(&format!("<{name}>{text}</{name}>")),
            other => out.push_str(&format!("<{name}>{other}</{name}>")),
        }
    }
    let mut out = String::new();
    write(operation, parameters, &mut out);
    out.replacen(&format!("<{operation}>"), &format!("<{operation} xmlns=\"{}\">", crate::world::NS), 1)
}
