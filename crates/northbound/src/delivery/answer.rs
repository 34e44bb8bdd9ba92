//! What a receiver made of a message.

use axum::http::StatusCode;
use muster_broker::callback::Answer;
use muster_protocol::soap::Envelope;
use muster_protocol::xml::element::{Element, TreeLimits};
use serde::Deserialize;

use super::connection::Response;
use super::message::{Expected, Message};
use crate::contract::notification::NotifyEventsResponse;
use crate::contract::{NAMESPACE, Path, Record as _};

/// Reads an answer. Success with a valid body counts, and 410; anything else means: deliver again.
pub(super) fn read(response: &Response, message: &Message) -> Answer {
    if response.status == StatusCode::GONE {
        return Answer::Gone;
    }
    if response.status.is_redirection() {
        return Answer::Failed(format!(
            "the receiver answered HTTP {}; redirects are not followed",
            response.status.as_u16()
        ));
    }
    if !response.status.is_success() {
        return Answer::Failed(format!("the receiver answered HTTP {}", response.status.as_u16()));
    }
    let taken = match message.expected {
        Expected::Nothing => return Answer::Took(message.events),
        Expected::Soap => soap(&response.body),
        Expected::Json => json(&response.body),
    };
    match taken {
        Ok(taken) => match usize::try_from(taken) {
            Ok(taken) => Answer::Took(taken),
            Err(_) => Answer::Failed(format!("the receiver says it took {taken} events")),
        },
        Err(why) => Answer::Failed(format!("the answer of the receiver is not understood: {why}")),
    }
}

fn soap(body: &[u8]) -> Result<i64, String> {
    let root = Element::read(body, None, &TreeLimits::ANSWER).map_err(|error| error.to_string())?;
    let envelope = Envelope::of(root).map_err(|error| error.to_string())?;
    if envelope.body.name.local == "Fault" {
        return Err("it is a fault".to_owned());
    }
    if !envelope.body.is(NAMESPACE, "notifyEventsResponse") {
        return Err("it is no notifyEventsResponse".to_owned());
    }
    let read = NotifyEventsResponse::read_fields(&envelope.body, &Path::ROOT).map_err(|fault| fault.text)?;
    Ok(read.ack.accepted_count.into())
}

#[derive(Deserialize)]
struct Ack {
    #[serde(rename = "acceptedCount")]
    accepted_count: i64,
}

fn json(body: &[u8]) -> Result<i64, String> {
    serde_json::from_slice::<Ack>(body)
        .map(|ack| ack.accepted_count)
        .map_err(|_| "it is no {\"acceptedCount\": number}".to_owned())
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    fn answered(expected: Expected, status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        let response = Response { status, body: Bytes::copy_from_slice(body.as_bytes()) };
        let message = Message { events: 3, headers: Vec::new(), body: Bytes::new(), expected };
        read(&response, &message)
    }

    fn envelope(content: &str) -> String {
        format!(
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>{content}</s:Body></s:Envelope>"
        )
    }

    #[test]
    fn a_count_in_a_valid_answer_counts_in_either_soap_with_or_without_prefixes() {
        for content in [
            "<notifyEventsResponse xmlns='urn:muster:dmwsi:v1'><ack><acceptedCount>2</acceptedCount></ack></notifyEventsResponse>",
            "<n:notifyEventsResponse xmlns:n='urn:muster:dmwsi:v1'><ack><acceptedCount> 2 </acceptedCount></ack></n:notifyEventsResponse>",
        ] {
            assert_eq!(answered(Expected::Soap, 200, &envelope(content)), Answer::Took(2));
            let soap12 = envelope(content)
                .replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope");
            assert_eq!(answered(Expected::Soap, 200, &soap12), Answer::Took(2));
        }
        assert_eq!(answered(Expected::Json, 201, "{\"acceptedCount\": 3, \"more\": []}"), Answer::Took(3));
        assert_eq!(answered(Expected::Nothing, 202, ""), Answer::Took(3));
    }

    #[test]
    fn anything_else_means_deliver_again() {
        let good = "<notifyEventsResponse xmlns='urn:muster:dmwsi:v1'><ack><acceptedCount>2</acceptedCount></ack></notifyEventsResponse>";
        let bomb = format!("<!DOCTYPE x [<!ENTITY a 'b'>]>{}", envelope(good));
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for body in [
            "",
            "OK",
            "{\"acceptedCount\": 3}",
            &envelope("<s:Fault><faultcode>s:Server</faultcode><faultstring>no</faultstring></s:Fault>"),
            &envelope(&good.replace("urn:muster:dmwsi:v1", "urn:other")),
            &envelope(&good.replace('2', "-2")),
            &envelope(&good.replace('2', "many")),
            &envelope("<other xmlns='urn:muster:dmwsi:v1'/>"),
            &envelope(""),
            &bomb,
            &deep,
        ] {
            assert!(matches!(answered(Expected::Soap, 200, body), Answer::Failed(_)), "{body}");
        }
        for body in
            ["", "OK", "3", "[]", "{}", "{\"acceptedCount\": \"3\"}", "{\"acceptedCount\": -1}", &"[".repeat(10_000)]
        {
            assert!(matches!(answered(Expected::Json, 200, body), Answer::Failed(_)), "{body}");
        }
        for status in [100, 301, 302, 303, 307, 308, 304, 400, 401, 404, 409, 429, 500, 503] {
            assert!(matches!(answered(Expected::Soap, status, &envelope(good)), Answer::Failed(_)), "{status}");
            assert!(matches!(answered(Expected::Nothing, status, ""), Answer::Failed(_)), "{status}");
        }
    }

    #[test]
    fn a_receiver_that_is_gone_is_gone_whatever_else_it_says() {
        assert_eq!(answered(Expected::Soap, 410, ""), Answer::Gone);
        assert_eq!(answered(Expected::Json, 410, "{\"acceptedCount\": 3}"), Answer::Gone);
    }
}
