//! What is posted.

use aws_lc_rs::hmac;
use axum::http::header::{self, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use muster_broker::callback::{CallbackAddress, CallbackKind, CredentialKind, Event, Limits, SoapVersion};
use muster_broker::services::{Broker, secrets_of};
use muster_broker::store::{Claimed, Content, Waiting};
use muster_protocol::soap::{Version, addressing, envelope, security};
use muster_protocol::xml::element::XmlWriter;

use crate::contract::face::json::JsonWriter;
use crate::contract::notification::{EventData, PORT_TYPE};
use crate::contract::{At, NAMESPACE, Value as _};

/// Which answer is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// `notifyEventsResponse`.
    Soap,
    /// `{"acceptedCount": n}`.
    Json,
    /// Any success.
    Nothing,
}

/// A message, ready to be posted.
pub(super) struct Message {
    /// How many of what waits it holds, counted from the first.
    pub(super) events: usize,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Bytes,
    pub(super) expected: Expected,
}

const DELIVERY: HeaderName = HeaderName::from_static("muster-delivery");
const TIMESTAMP: HeaderName = HeaderName::from_static("muster-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("muster-signature");
const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

impl Message {
    /// The next message of a queue: as much of what waits as one may hold.
    ///
    /// # Errors
    /// Why there is none, in words for people: a stored secret does not open.
    pub(super) fn of(
        waiting: &[Waiting],
        claimed: &Claimed,
        address: &CallbackAddress,
        broker: &Broker,
    ) -> Result<Self, String> {
        let mut message = match waiting.first().map(|first| &first.content) {
            Some(Content::Reply { action, envelope, .. }) => reply(action, envelope, claimed, address, broker)?,
            Some(Content::Event(_)) | None => match address.kind {
                CallbackKind::Soap => soap(waiting, claimed, address, broker)?,
                CallbackKind::Webhook => webhook(waiting, address, broker)?,
            },
        };
        if let Some(basic) = credential(address, CredentialKind::Basic, broker)? {
            let (name, password) = basic;
            let value = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
            message.headers.push((header::AUTHORIZATION, value));
        }
        Ok(message)
    }
}

fn soap(waiting: &[Waiting], claimed: &Claimed, address: &CallbackAddress, broker: &Broker) -> Result<Message, String> {
    let action = format!("{NAMESPACE}:{PORT_TYPE}:notifyEvents");
    let mut writer = XmlWriter::new();
    writer.start("notifyEvents", &[("xmlns", NAMESPACE)]);
    writer.leaf("serverId", &broker.settings().server_id);
    let (events, relations) = batch(waiting, |event| {
        let mut one = XmlWriter::new();
        event_data(event).write(At::entry("event"), &mut one);
        one.finish()
    });
    events.iter().for_each(|event| writer.fragment(event));
    writer.end("notifyEvents");

    let message_id = format!("urn:uuid:{}", broker.environment().uuid());
    let mut headers = addressing::request(claimed.url.as_str(), &action, &message_id, relations);
    if let Some((name, password)) = credential(address, CredentialKind::UsernameToken, broker)? {
        headers.push_str(&security::username_token(&name, &password));
    }
    let body = envelope::write(version(claimed.soap_version), &headers, &writer.finish());
    Ok(Message {
        events: events.len(),
        headers: media_type(claimed.soap_version, &action),
        body: body.into(),
        expected: Expected::Soap,
    })
}

fn webhook(waiting: &[Waiting], address: &CallbackAddress, broker: &Broker) -> Result<Message, String> {
    let (events, _) = batch(waiting, json);
    let body = format!("[{}]", events.join(","));
    let now = broker.environment().now();
    let timestamp = now.0.div_euclid(1000).to_string();
    let mut signatures = Vec::new();
    for secret in secrets_of(address, now) {
        let secret = broker.vault().open(secret).map_err(|error| error.to_string())?;
        signatures.push(format!("v1={}", signature(&secret, &timestamp, &body)));
    }
    Ok(Message {
        events: events.len(),
        headers: vec![
            (header::CONTENT_TYPE, "application/json".to_owned()),
            (header::ACCEPT, "application/json".to_owned()),
            (DELIVERY, broker.environment().uuid().to_string()),
            (TIMESTAMP, timestamp),
            (SIGNATURE, signatures.join(",")),
        ],
        body: body.into(),
        expected: Expected::Json,
    })
}

/// An answer that goes elsewhere is sent as it was made, but for a credential, which must not lie in the store.
fn reply(
    action: &str,
    envelope: &str,
    claimed: &Claimed,
    address: &CallbackAddress,
    broker: &Broker,
) -> Result<Message, String> {
    const HEADERS_END: &str = "</soap:Header>";
    let envelope = broker.kept_reply(envelope).map_err(|error| format!("the answer does not open: {error}"))?;
    let body = match (credential(address, CredentialKind::UsernameToken, broker)?, envelope.split_once(HEADERS_END)) {
        (Some((name, password)), Some((before, behind))) => {
            let token = security::username_token(&name, &password);
            format!("{before}{token}{HEADERS_END}{behind}")
        }
        _ => envelope,
    };
    Ok(Message {
        events: 1,
        headers: media_type(claimed.soap_version, action),
        body: body.into(),
        expected: Expected::Nothing,
    })
}

/// As many of the events as one message may hold, written, and the requests they relate to.
fn batch(waiting: &[Waiting], write: impl Fn(&Event) -> String) -> (Vec<String>, Vec<&str>) {
    let (mut events, mut relations) = (Vec::new(), Vec::<&str>::new());
    let mut bytes = 0_usize;
    for waiting in waiting.iter().take(Limits::EVENTS_MAX) {
        let Content::Event(event) = &waiting.content else { break };
        let relation = event.relates_to.as_deref().filter(|id| !relations.contains(id));
        let written = write(event);
        bytes = bytes.saturating_add(written.len()).saturating_add(1);
        let is_full = bytes > Limits::BYTES_MAX || (relation.is_some() && relations.len() >= Limits::RELATIONS_MAX);
        if is_full && !events.is_empty() {
            break;
        }
        relations.extend(relation);
        events.push(written);
    }
    (events, relations)
}

/// An event in the words of the contract.
pub(crate) fn event_data(event: &Event) -> EventData {
    EventData {
        event_id: event.id.to_string(),
        event_type: event.kind.as_str().to_owned(),
        occurred_at: event.at,
        registration_id: None,
        reference: event.reference.clone(),
        device_id: event.device_id.clone(),
        phone_number: event.phone_number.clone(),
        task_id: event.task.map(|id| id.to_string()),
        job_id: event.job.map(|id| id.to_string()),
        status: Some(event.status.clone()),
        alert_code: None,
        alert_type: None,
        alert_source: None,
        correlator: None,
        mark: None,
        parameter: Vec::new(),
    }
}

/// An event as JSON, with the names of the contract's table.
fn json(event: &Event) -> String {
    let mut writer = JsonWriter::new();
    event_data(event).write(At::field("event"), &mut writer);
    writer.finish().json
}

/// Hexadecimal HMAC-SHA256 of `timestamp.body`.
fn signature(secret: &[u8], timestamp: &str, body: &str) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(timestamp.as_bytes());
    context.update(b".");
    context.update(body.as_bytes());
    context.sign().as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

fn version(version: SoapVersion) -> Version {
    match version {
        SoapVersion::Soap11 => Version::Soap11,
        SoapVersion::Soap12 => Version::Soap12,
    }
}

fn media_type(version: SoapVersion, action: &str) -> Vec<(HeaderName, String)> {
    match version {
        SoapVersion::Soap11 => {
            vec![(header::CONTENT_TYPE, "text/xml; charset=utf-8".to_owned()), (SOAP_ACTION, format!("\"{action}\""))]
        }
        SoapVersion::Soap12 => {
            vec![(header::CONTENT_TYPE, format!("application/soap+xml; charset=utf-8; action=\"{action}\""))]
        }
    }
}

/// Name and password, where the address has a credential of this kind.
fn credential(
    address: &CallbackAddress,
    kind: CredentialKind,
    broker: &Broker,
) -> Result<Option<(String, String)>, String> {
    let Some(credential) = address.credential.as_ref().filter(|credential| credential.kind == kind) else {
        return Ok(None);
    };
    let password = broker.vault().open(&credential.password).map_err(|error| error.to_string())?;
    let password = String::from_utf8(password).map_err(|_| "the stored password is no text".to_owned())?;
    Ok(Some((credential.user_name.clone(), password)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use muster_broker::callback::EventType;
    use muster_broker::id::EventId;
    use muster_broker::time::Timestamp;

    use super::*;

    fn waiting(number: i64, reference: &str) -> Waiting {
        let event = Event {
            id: EventId::parse("e-00000000000000000000000000000001").unwrap(),
            kind: EventType::TaskStatus,
            at: Timestamp(0),
            reference: Some(reference.to_owned()),
            relates_to: None,
            device_id: None,
            phone_number: None,
            task: None,
            job: None,
            status: "SUCCEEDED".to_owned(),
            is_test: false,
        };
        Waiting { number, queued_at: Timestamp(0), owner: String::new(), content: Content::Event(event) }
    }

    #[test]
    fn a_message_has_at_most_a_mebibyte_unless_one_event_has_more() {
        let half = "x".repeat(400 << 10);
        let all: Vec<_> = (0..5).map(|number| waiting(number, &half)).collect();
        assert_eq!(batch(&all, json).0.len(), 2);
        let whole = "x".repeat(2 << 20);
        assert_eq!(batch(&[waiting(0, &whole), waiting(1, "")], json).0.len(), 1);
        let many: Vec<_> = (0..101).map(|number| waiting(number, "")).collect();
        assert_eq!(batch(&many, json).0.len(), 100);
    }

    #[test]
    fn a_signature_is_that_of_the_timestamp_a_point_and_the_body() {
        // From another implementation: openssl dgst -sha256 -hmac.
        assert_eq!(
            signature(b"0123456789abcdef", "1795248000", "[{\"a\":1}]"),
            "f65bae03f2342350d144f15f6b10341204ca9981936ef3a4f33fddb61e792971"
        );
    }
}
