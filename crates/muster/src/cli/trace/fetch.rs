//! Reading traces from the server, page by page.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_protocol::syncml::Encoding;
use serde_json::{Value, json};

use super::{CallError, Of, SoapClient};

/// How a device is recorded, and all of its recorded sessions, newest first.
pub(super) struct Trace {
    pub(super) setting: Value,
    pub(super) sessions: Vec<Value>,
}

/// A recorded message.
pub(super) struct Message {
    pub(super) number: i64,
    pub(super) at: String,
    pub(super) is_sent: bool,
    pub(super) encoding: Encoding,
    /// Octets that travelled.
    pub(super) length: usize,
    /// What was kept of them.
    pub(super) octets: Vec<u8>,
    pub(super) note: Option<String>,
    /// As the server told it.
    pub(super) told: Value,
}

pub(super) async fn trace(client: &SoapClient, of: &Of) -> anyhow::Result<Trace> {
    let (answers, sessions) = pages(client, "getDeviceTrace", of.arguments(), "session").await?;
    let setting = answers.first().and_then(|answer| answer.get("setting")).cloned().unwrap_or_default();
    Ok(Trace { setting, sessions })
}

pub(super) async fn messages(client: &SoapClient, of: &Of, session: i64) -> anyhow::Result<Vec<Message>> {
    let arguments = of.named(json!({"session": session}));
    let (_, messages) = pages(client, "getTraceMessages", arguments, "message").await?;
    messages.into_iter().map(message).collect()
}

fn message(told: Value) -> anyhow::Result<Message> {
    let text = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
    let content = text("content").unwrap_or_default();
    let octets = STANDARD.decode(content).context("the server sent a message that is not base64")?;
    let content_type = text("contentType");
    Ok(Message {
        number: told.get("number").and_then(Value::as_i64).unwrap_or_default(),
        at: text("at").unwrap_or_default(),
        is_sent: text("direction").as_deref() == Some("SENT"),
        encoding: Encoding::sniff(content_type.as_deref(), &octets).unwrap_or(Encoding::Xml),
        length: told.get("length").and_then(Value::as_u64).and_then(|it| it.try_into().ok()).unwrap_or_default(),
        octets,
        note: text("note"),
        told,
    })
}

/// Every answer of a list that comes in pages, and its entries.
async fn pages(
    client: &SoapClient,
    operation: &str,
    mut arguments: Value,
    entries: &str,
) -> anyhow::Result<(Vec<Value>, Vec<Value>)> {
    let (mut answers, mut all) = (Vec::new(), Vec::new());
    loop {
        let answer = client.call(operation, arguments.clone()).await.map_err(CallError::told)?;
        all.extend(answer.get(entries).and_then(Value::as_array).cloned().unwrap_or_default());
        let next = answer.get("nextPageToken").and_then(Value::as_str).map(str::to_owned);
        answers.push(answer);
        match (next, arguments.as_object_mut()) {
            (Some(token), Some(arguments)) => drop(arguments.insert("page".to_owned(), json!({"pageToken": token}))),
            _ => return Ok((answers, all)),
        }
    }
}
