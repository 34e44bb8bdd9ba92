//! How the commands ask a server: SOAP 1.1 over HTTP, arguments and answers as JSON.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use muster_northbound::contract;
use muster_protocol::soap::envelope::{self, Envelope, Version};
use muster_protocol::xml::element::{Element, TreeLimits};
use serde_json::{Map, Value, json};

/// A connection to the WSI of a server.
#[derive(Clone)]
pub(crate) struct SoapClient {
    http: reqwest::Client,
    url: String,
    session: Option<String>,
    basic: Option<(String, String)>,
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
    /// A client of the WSI at `url`, for example `http://127.0.0.1:8080/wsi`. Certificates in the
    /// file `trust` (PEM) are trusted besides those of the system.
    pub(crate) fn new(url: &str, trust: Option<&Path>) -> anyhow::Result<Self> {
        let http = http_client(url, trust, Some(Duration::from_secs(60)))?;
        Ok(Self { http, url: url.to_owned(), session: None, basic: None })
    }

    /// Authenticates each call by HTTP Basic.
    pub(crate) fn with_basic(mut self, user: &str, password: &str) -> Self {
        self.basic = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Logs in; later calls carry the session.
    pub(crate) async fn login(&mut self, user: &str, password: &str) -> Result<Value, CallError> {
        let answer = self.call("login", json!({"userName": user, "password": password})).await?;
        self.session = answer.get("sessionId").and_then(Value::as_str).map(str::to_owned);
        Ok(answer)
    }

    /// Calls an operation. `arguments` are its parameters by name; the answer is its result.
    pub(crate) async fn call(&self, operation: &str, arguments: Value) -> Result<Value, CallError> {
        let descriptor = contract::Operation::parse(operation)
            .map(contract::Operation::descriptor)
            .with_context(|| format!("there is no operation {operation}; `muster call` alone lists them"))?;
        let Value::Object(mut arguments) = arguments else {
            return Err(anyhow::anyhow!("arguments are a JSON object of parameters by name").into());
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
        if let Some((user, password)) = &self.basic {
            request = request.basic_auth(user, Some(password));
        }
        let response = request.send().await.map_err(|error| self.unreached(&error))?;
        let status = response.status();
        let octets =
            response.bytes().await.map_err(|error| anyhow::anyhow!("the answer broke off: {}", root(&error)))?;
        let envelope = Element::read(&octets, None, &TreeLimits::WSI).ok().and_then(|it| Envelope::of(it).ok());
        let envelope = envelope.with_context(|| self.not_soap(status, &octets))?;
        if let Some(fault) = fault(&envelope.body) {
            return Err(fault);
        }
        Ok(contract::answer_to_json(descriptor, &envelope.body))
    }

    fn unreached(&self, error: &reqwest::Error) -> anyhow::Error {
        if error.is_timeout() {
            return anyhow::anyhow!("{} does not answer in time", self.url);
        }
        anyhow::anyhow!("cannot reach {}: {}", self.url, root(error))
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
        if let Some(session) = &self.session
            && operation != "login"
            && !arguments.contains_key("userSession")
        {
            arguments.insert("userSession".to_owned(), json!({"sessionId": session}));
        }
    }
}

/// A client of the server whose WSI is at `url`. An answer that takes longer than `time` is none.
pub(crate) fn http_client(url: &str, trust: Option<&Path>, time: Option<Duration>) -> anyhow::Result<reqwest::Client> {
    let parsed = reqwest::Url::parse(url).ok().filter(|it| matches!(it.scheme(), "http" | "https"));
    parsed.with_context(|| format!("{url} is no address of a WSI; write one like http://127.0.0.1:8080/wsi"))?;
    let mut builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    if let Some(time) = time {
        builder = builder.timeout(time);
    }
    for certificate in trust.map(trusted).transpose()?.unwrap_or_default() {
        builder = builder.add_root_certificate(certificate);
    }
    Ok(builder.build()?)
}

/// The certificates in a PEM file, at least one.
pub(crate) fn trusted(path: &Path) -> anyhow::Result<Vec<reqwest::Certificate>> {
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).with_context(|| format!("{} is not understood", path.display()))?;
    anyhow::ensure!(!certificates.is_empty(), "{} holds no certificate in PEM", path.display());
    Ok(certificates)
}

/// The innermost reason, without the layers of the client above it.
fn root(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
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
