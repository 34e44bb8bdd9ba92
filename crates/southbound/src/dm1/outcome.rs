//! What the device said, in the words of the contract.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_broker::operation::Parameter;
use muster_protocol::dm1::{Answer, NodeResult, Outcome};
use muster_protocol::syncml::{ItemData, StatusCode};

/// A node that was read. Octets that are no text are given as base64 with format `bin`.
pub(super) fn parameter(node: &NodeResult, code: StatusCode) -> Parameter {
    let (value, format) = match &node.data {
        Some(ItemData::Text(text)) => (Some(text.to_string()), node.format.to_string()),
        Some(ItemData::Opaque(octets)) => (Some(STANDARD.encode(octets)), "bin".to_owned()),
        // An interior node without children, or an empty value: the device answered, and there is nothing in it.
        None => (Some(String::new()), node.format.to_string()),
    };
    Parameter {
        path: node.uri.to_string(),
        value,
        format: Some(format),
        kind: node.kind.as_ref().map(ToString::to_string),
        status: Some(code.0.into()),
    }
}

/// The answers to some orders, for the history: at most as many as fit a line.
pub(super) fn summary(outcomes: &[&Outcome]) -> String {
    const SHOWN_MAX: usize = 8;
    let mut words: Vec<String> = outcomes.iter().take(SHOWN_MAX).map(|outcome| one(outcome)).collect();
    if outcomes.len() > SHOWN_MAX {
        words.push(format!("and {} more", outcomes.len() - SHOWN_MAX));
    }
    words.join("; ")
}

fn one(outcome: &Outcome) -> String {
    let code = match outcome.answer {
        Answer::Status(code) => code.to_string(),
        Answer::None => "no status".to_owned(),
        Answer::NotSent => "not sent".to_owned(),
    };
    match outcome.nodes.first() {
        Some(node) => format!("{} {code}", node.uri),
        None => match outcome.statuses.iter().find_map(|status| status.uri.as_ref()) {
            Some(uri) => format!("{uri} {code}"),
            None => code,
        },
    }
}
