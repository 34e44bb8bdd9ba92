//! Golden messages explained, and what is none.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod captures;
mod credentials;
mod hostile;
mod messages;
mod secrets;

use super::*;

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/oma-dm-1/", $name)).as_slice()
    };
}
use golden;

/// Messages 1 to 6: challenge, login, commands, answers, end.
const SESSION: [&[u8]; 6] = [
    golden!("syncml/01-pkg1-client-initiated.wbxml"),
    golden!("syncml/02-pkg2-challenge-407-md5.wbxml"),
    golden!("syncml/03-pkg1-with-md5-cred.wbxml"),
    golden!("syncml/04-pkg2-auth-ok-get-replace-exec.wbxml"),
    golden!("syncml/05-pkg3-status-results.wbxml"),
    golden!("syncml/06-pkg4-end.wbxml"),
];

fn plain(inputs: &[&[u8]]) -> Explanation {
    explain(inputs, &Options::default())
}

fn with_keys(inputs: &[&[u8]], keys: Keys) -> Explanation {
    explain(inputs, &Options { keys, ..Options::default() })
}

impl Explanation {
    fn nodes(&self) -> Vec<&Node> {
        let mut found = Vec::new();
        let mut left: Vec<&Node> = self.inputs.iter().rev().flat_map(|it| it.parts.iter().rev()).collect();
        while let Some(node) = left.pop() {
            found.push(node);
            left.extend(node.children.iter().rev());
        }
        found
    }

    /// Notes of all nodes of this name, in their order.
    fn notes(&self, name: &str) -> Vec<&str> {
        self.nodes()
            .into_iter()
            .filter(|it| it.name == name)
            .flat_map(|it| &it.notes)
            .map(|it| it.text.as_str())
            .collect()
    }

    fn values(&self, name: &str) -> Vec<&str> {
        self.nodes().into_iter().filter(|it| it.name == name).map(Node::text).collect()
    }

    /// Tones of notes that begin so.
    fn tones(&self, beginning: &str) -> Vec<Tone> {
        let notes = self.nodes().into_iter().flat_map(|it| &it.notes);
        notes.filter(|it| it.text.starts_with(beginning)).map(|it| it.tone).collect()
    }
}

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}
