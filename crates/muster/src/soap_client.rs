//! How the commands ask a server: SOAP 1.1 over HTTP, arguments and answers as JSON.

use std::time::Duration;

use anyhow::Context as _;
use muster_northbound::contract;
use muster_protocol::soap::envelope::{self, Envelope, Version};
use muster_protocol::xml::element::{Element, TreeLimits};
use serde_json::{Map, Value, json};

use crate::http_client::{Credential, Tls, broken, http_client, unreached};

/// A connection to the WSI of a server.
#[derive(Clone)]
pub(crate) struct SoapClient {
    http: reqwest::Client,
    url: String,
    credential: Credential,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The server answered with a fault of the contract.
    #[error("{message_id} {name}: {text}")]
    Fault {
        /// Stable code.
        message_id: String,
        /// Stable name.
        name: String,
        /// Explanation.
        text: String,
        /// The whole detail, for scripts.
        detail: Value,
    },
    /// Anything else: no connection, no SOAP.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl CallError {
    /// As the error of a command.
    pub(crate) fn told(self) -> anyhow::Error {
        self.into()
    }
}

impl SoapClient {
    /// A client of the WSI at `url`, for example `http://127.0.0.1:8080/wsi`.
    pub(crate) fn new(url: &str, tls: &Tls, credential: Credential) -> anyhow::Result<Self> {
        let http = http_client(url, tls, Some(Duration::from_secs(60)))?;
        Ok(Self { http, url: url.to_owned(), credential })
    }

    /// A client that authenticates each call by HTTP Basic, towards a server of our own.
    pub(crate) fn with_basic(url: &str, user: &str, password: &str) -> anyhow::Result<Self> {
        Self::new(url, &Tls::default(), Credential::Basic(user.to_owned(), password.to_owned()))
    }

    /// Logs in; later calls carry the session.
    pub(crate) async fn login(&mut self, user: &str, password: &str) -> Result<Value, CallError> {
        let answer = self.call("login", json!({"userName": user, "password": password})).await?;
        if let Some(session) = answer.get("sessionId").and_then(Value::as_str) {
            self.credential = Credential::Session(session.to_owned());
        }
        Ok(answer)
    }

    /// Calls an operation. `arguments` are its parameters by name; the answer is its result.
    pub(crate) async fn call(&self, operation: &str, arguments: Value) -> Result<Value, CallError> {
        let descriptor = contract::Operation::parse(operation)
            .map(contract::Operation::descriptor)
            .with_context(|| format!("there is no operation {operation}; `muster call` alone lists them"))?;
        let Value::Object(mut arguments) = arguments else {
            return Err(anyhow::anyhow!("parameters are a JSON object").into());
        };
        self.add_session(&mut arguments, operation);
        let body = contract::request_from_json(descriptor, &Value::Object(arguments))
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let body = String::from_utf8(body).context("a request is UTF-8")?;
        let envelope = envelope::write(Version::Soap11, "", &body);
        let mut request = self
            .http
            .post(&self.url)
            .header("Content-Type", "text/xml; charset=utf-8")
            .header("SOAPAction", format!("\"{}\"", descriptor.action()))
            .body(envelope);
        // A session stands in the body.
        if !matches!(self.credential, Credential::Session(_)) {
            request = self.credential.on(request);
        }
        let response = request.send().await.map_err(|error| unreached(&self.url, &error))?;
        let status = response.status();
        let octets = response.bytes().await.map_err(|error| broken(&error))?;
        let envelope = Element::read(&octets, None, &TreeLimits::WSI).ok().and_then(|it| Envelope::of(it).ok());
        let envelope = envelope.with_context(|| self.not_soap(status, &octets))?;
        if let Some(fault) = fault(&envelope.body) {
            return Err(fault);
        }
        Ok(contract::answer_to_json(descriptor, &envelope.body))
    }

    fn not_soap(&self, status: reqwest::StatusCode, octets: &[u8]) -> String {
        let text = String::from_utf8_lossy(octets.get(..200).unwrap_or(octets));
        let line = text.lines().next().unwrap_or_default();
        let colon = if line.is_empty() { "" } else { ": " };
        format!(
            "{} answered HTTP {}, and no SOAP{colon}{line}; is this the address of a WSI?",
            self.url,
            status.as_u16()
        )
    }

    fn add_session(&self, arguments: &mut Map<String, Value>, operation: &str) {
        if let Credential::Session(session) = &self.credential
            && operation != "login"
            && !arguments.contains_key("userSession")
        {
            arguments.insert("userSession".to_owned(), json!({"sessionId": session}));
        }
    }
}

/// The fault in a body, if it is one: the contract's detail, or what plain SOAP says.
fn fault(body: &Element) -> Option<CallError> {
    if body.name.local != "Fault" {
        return None;
    }
    let named = |element: &Element, local: &str| -> Option<String> {
        element.children.iter().find(|child| child.name.local == local).map(|child| child.text.trim().to_owned())
    };
    let detail = body.children.iter().find(|child| child.name.local.eq_ignore_ascii_case("detail"));
    let Some(exception) = detail.and_then(|detail| detail.children.first()) else {
        let text = named(body, "faultstring").unwrap_or_else(|| "the server answered with a SOAP fault".to_owned());
        let name = named(body, "faultcode").unwrap_or_default();
        return Some(CallError::Fault { message_id: String::new(), name, text, detail: Value::Null });
    };
    let variables: Vec<&str> = exception
        .children
        .iter()
        .filter(|child| child.name.local == "variable")
        .map(|child| child.text.trim())
        .collect();
    let get = |local: &str| named(exception, local).unwrap_or_default();
    let detail = json!({
        "messageId": get("messageId"), "name": get("name"), "text": get("text"), "variable": variables,
        "correlationId": get("correlationId"), "retryAfterSeconds": named(exception, "retryAfterSeconds"),
    });
    Some(CallError::Fault { message_id: get("messageId"), name: get("name"), text: get("text"), detail })
}
