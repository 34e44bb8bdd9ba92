//! How `muster call --rest` asks a server: the same operations and the same answers, at the addresses of REST.

use std::time::Duration;

use anyhow::Context as _;
use muster_broker::fault::Fault;
use muster_northbound::contract::Operation;
use muster_northbound::rest::Asked;
use serde_json::{Value, json};

use crate::http_client::{Credential, Tls, broken, http_client, origin, unreached};
use crate::soap_client::CallError;

/// A connection to the REST face of a server.
pub(crate) struct RestClient {
    http: reqwest::Client,
    origin: String,
    credential: Credential,
}

impl RestClient {
    /// A client of the server whose WSI is at `url`, for example `http://127.0.0.1:8080/wsi`.
    pub(crate) fn new(url: &str, tls: &Tls, credential: Credential) -> anyhow::Result<Self> {
        let http = http_client(url, tls, Some(Duration::from_secs(60)))?;
        Ok(Self { http, origin: origin(url).to_owned(), credential })
    }

    /// Calls an operation. `arguments` are its parameters by name; the answer is its result.
    pub(crate) async fn call(&self, operation: Operation, arguments: &Value) -> Result<Value, CallError> {
        let parameters = arguments.as_object().context("parameters are a JSON object")?;
        let asked = Asked::of(operation, parameters).map_err(of_fault)?;
        let method = asked.method.parse().context("a method of the table is one of HTTP")?;
        let url = format!("{}{}", self.origin, asked.target);
        let mut request = self.http.request(method, &url).header("Accept", "application/json");
        for (name, value) in &asked.headers {
            let value = reqwest::header::HeaderValue::from_str(value);
            request = request.header(*name, value.with_context(|| format!("{name}: a header cannot have this value"))?);
        }
        if let Some(body) = &asked.body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let request = match &asked.session {
            Some(session) => Credential::Session(session.clone()).on(request),
            None => self.credential.on(request),
        };
        let response = request.send().await.map_err(|error| unreached(&self.origin, &error))?;
        let status = response.status();
        let octets = response.bytes().await.map_err(|error| broken(&error))?;
        let told = if octets.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&octets).ok() };
        match told {
            Some(document) if status.is_success() => asked.answer(document).map_err(of_fault),
            Some(problem) if problem.get("messageId").is_some() => Err(of_problem(&problem)),
            Some(_) | None => {
                let text = format!(
                    "{} answered HTTP {}, and nothing of the DM WSI; is this the address of a server?",
                    self.origin,
                    status.as_u16()
                );
                Err(anyhow::anyhow!(text).into())
            }
        }
    }
}

/// A problem document in the words of the contract.
fn of_problem(problem: &Value) -> CallError {
    let text = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let detail = json!({
        "messageId": text("messageId"), "name": text("name"), "text": text("detail"),
        "variable": problem.get("variables"), "correlationId": text("correlationId"),
        "retryAfterSeconds": problem.get("retryAfterSeconds").map(Value::to_string),
    });
    CallError::Fault { message_id: text("messageId"), name: text("name"), text: text("detail"), detail }
}

/// A fault that was found before or after the server was asked.
fn of_fault(fault: Fault) -> CallError {
    let (message_id, name) = (fault.name.message_id().to_owned(), fault.name.as_str().to_owned());
    let detail = json!({
        "messageId": message_id, "name": name, "text": fault.text, "variable": fault.variables,
        "correlationId": "", "retryAfterSeconds": null,
    });
    CallError::Fault { message_id, name, text: fault.text, detail }
}
