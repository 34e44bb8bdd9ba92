//! How the commands ask a server: SOAP 1.1 over HTTP, arguments and answers as JSON.

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
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl SoapClient {
    /// A client of the WSI at `url`, for example `http://127.0.0.1:8080/wsi`. `trust` is a certificate in PEM to trust
    /// besides those of the system.
    pub(crate) fn new(url: &str, trust: Option<&[u8]>) -> anyhow::Result<Self> {
        let mut builder = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if let Some(pem) = trust {
            builder = builder.add_root_certificate(reqwest::Certificate::from_pem(pem)?);
        }
        Ok(Self { http: builder.build()?, url: url.to_owned(), session: None, basic: None })
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
        let response = request.send().await.with_context(|| format!("cannot reach {}", self.url))?;
        let octets = response.bytes().await.context("the answer broke off")?;
        let root = Element::read(&octets, None, &TreeLimits::WSI).context("the answer is no XML; is this the WSI?")?;
        let envelope = Envelope::of(root).context("the answer is no SOAP envelope; is this the WSI?")?;
        if let Some(fault) = fault(&envelope.body) {
            return Err(fault);
        }
        Ok(contract::answer_to_json(descriptor, &envelope.body))
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
