//! One line of the table.

use serde_json::Value;

/// A command with its parameters, and how REST says the same.
pub(super) struct Step {
    pub(super) operation: &'static str,
    pub(super) parameters: Value,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// Who gives it; nothing for nobody.
    pub(super) caller: Option<&'static str>,
    /// A part of the answer that later steps name in braces.
    pub(super) kept: Option<(&'static str, &'static str)>,
    pub(super) is_last: bool,
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
}
