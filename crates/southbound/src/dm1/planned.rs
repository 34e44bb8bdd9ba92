//! One command of a plan: what it sends, and what it makes of the answer.

use muster_broker::operation::Parameter;
use muster_protocol::dm1::{Action, Outcome};
use muster_protocol::syncml::{ItemData, StatusCode, Text};
use muster_protocol::tree::ddf::Catalogue;
use muster_protocol::tree::{Format, LocUri, UriError};
use serde::{Deserialize, Serialize};

/// One command of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Planned {
    #[serde(rename = "v")]
    pub(super) verb: Verb,
    #[serde(rename = "p")]
    pub(super) node: Parameter,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(super) correlator: Option<String>,
    /// Levels below the root of a walk.
    #[serde(rename = "l", default)]
    pub(super) level: u32,
    #[serde(rename = "s")]
    pub(super) progress: Progress,
    /// Code of the device.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<u16>,
    /// It can never be sent to this device: answered by ourselves.
    #[serde(rename = "n", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_unsendable: bool,
    /// It asks for a whole subtree; what it gives becomes commands of its own.
    #[serde(rename = "t", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_list: bool,
    /// What was read, or the node written with its status.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) result: Vec<Parameter>,
}

/// The command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verb {
    Get,
    Replace,
    Add,
    Delete,
    Exec,
}

/// How far a command has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Progress {
    /// To be sent.
    Waiting,
    /// Sent; what the device did is not known yet.
    Sent,
    /// Sent in a session that was lost; a Get is to tell what the device did.
    Unknown,
    /// That Get was sent.
    Probing,
    /// Answered.
    Answered,
}

impl Planned {
    pub(super) fn new(verb: Verb, node: Parameter) -> Self {
        Self {
            verb,
            node,
            correlator: None,
            level: 0,
            progress: Progress::Waiting,
            code: None,
            is_unsendable: false,
            is_list: false,
            result: Vec::new(),
        }
    }

    /// The command's name, for people.
    pub(super) fn name(&self) -> &'static str {
        match self.verb {
            Verb::Get => "Get",
            Verb::Replace => "Replace",
            Verb::Add => "Add",
            Verb::Delete => "Delete",
            Verb::Exec => "Exec",
        }
    }

    pub(super) fn action(&self) -> Action {
        let uri: Text = self.node.path.as_str().into();
        // Binary values are given as base64 text, which both encodings carry as format b64.
        let format = self.node.format.as_deref().map(|format| if format == "bin" { "b64" } else { format });
        let format = format.map(Text::from).or_else(|| self.usual_format().map(|it| it.name().into()));
        let kind = self.node.kind.as_deref().map(Text::from);
        let data = self.node.value.as_deref().map(ItemData::from);
        match self.verb {
            Verb::Get => Action::Get { uri },
            Verb::Replace => Action::Replace { uri, format, kind, data },
            Verb::Add => {
                let format = format.unwrap_or_else(|| "chr".into());
                // An Add says the type of its value, although most devices take what is usual where it does not.
                let kind = kind.or_else(|| (format != "node").then(|| "text/plain".into()));
                Action::Add { uri, format: Some(format), kind, data }
            }
            Verb::Delete => Action::Delete { uri },
            Verb::Exec => Action::Exec { uri, data, correlator: self.correlator.as_deref().map(Text::from) },
        }
    }

    /// Why the address can be that of no node.
    pub(super) fn address_error(&self) -> Option<UriError> {
        LocUri::parse(&self.node.path).err()
    }

    /// Nothing is sent to an address that can be that of no node: what a device makes of it nobody knows.
    pub(super) fn refuse_address(&mut self) {
        if self.address_error().is_some() {
            self.progress = Progress::Answered;
            self.is_unsendable = true;
        }
    }

    /// The format of a value that came without one, if the node is known and its format can hold the value. Octets are
    /// not guessed at: whoever gives base64 says so.
    fn usual_format(&self) -> Option<Format> {
        let value = self.node.value.as_deref().filter(|_| matches!(self.verb, Verb::Replace | Verb::Add))?;
        let uri = LocUri::parse(&self.node.path).ok().filter(|it| it.query().is_none())?;
        let format = Catalogue::built_in().describe(None, &uri)?.format()?;
        let is_plain = !format.is_octets() && !matches!(format, Format::Node | Format::Null);
        (is_plain && format.holds(value.as_bytes())).then_some(format)
    }

    pub(super) fn answered(&mut self, code: StatusCode, outcome: &Outcome) {
        self.progress = Progress::Answered;
        self.code = Some(code.0);
        self.result = if outcome.nodes.is_empty() {
            vec![Parameter { path: self.node.path.clone(), status: Some(code.0.into()), ..Parameter::default() }]
        } else {
            let nodes = outcome.nodes.iter().map(|it| super::outcome::parameter(it, code));
            // A device may call the one node that it was asked for as it likes (Windows has other beginnings). What can
            // be the address of no node is put right where there is only one, and left out where there are several.
            match outcome.nodes.len() {
                1 => nodes.map(|it| if is_address(&it.path) { it } else { self.at_own_path(it) }).collect(),
                _ => nodes.filter(|it| is_address(&it.path)).collect(),
            }
        };
    }

    fn at_own_path(&self, read: Parameter) -> Parameter {
        Parameter { path: self.node.path.clone(), ..read }
    }

    /// A Get told what became of an Add or Delete that was sent in a session that was lost.
    ///
    /// A node that is there with another value than the Add gave it was there before: the Add is sent again, so that
    /// the device says so.
    pub(super) fn probed(&mut self, code: StatusCode, outcome: &Outcome) {
        let is_there = match code {
            StatusCode::NOT_FOUND => false,
            code if code.is_success() => true,
            _ => {
                // The device does not let it be read: nothing can tell.
                self.progress = Progress::Sent;
                self.code = Some(code.0);
                return;
            }
        };
        let was_done =
            is_there == (self.verb == Verb::Add) && (self.verb != Verb::Add || self.holds_what_was_given(outcome));
        if was_done {
            self.progress = Progress::Answered;
            self.code = Some(StatusCode::OK.0);
            self.result = vec![Parameter { path: self.node.path.clone(), status: Some(200), ..Parameter::default() }];
        } else {
            self.progress = Progress::Waiting;
        }
    }

    /// Whether what was read can be what this command wrote. Texts are compared; of binary values nothing is known.
    fn holds_what_was_given(&self, outcome: &Outcome) -> bool {
        let is_text = !matches!(self.node.format.as_deref(), Some("bin" | "b64" | "node" | "null"));
        let read = outcome.nodes.first().and_then(|it| it.data.as_ref()?.as_text());
        match (&self.node.value, read) {
            (Some(given), Some(read)) if is_text => given == read,
            _ => true,
        }
    }

    /// Whether the device's code is one of those that another attempt may change.
    pub(super) fn failed_for_now(&self) -> bool {
        self.code.is_some_and(is_for_now)
    }

    /// Whether the device confirmed it, and a value asked for arrived.
    pub(super) fn succeeded(&self) -> bool {
        let confirmed = self.code.is_some_and(|code| StatusCode(code).is_success());
        confirmed && (self.verb != Verb::Get || self.result.iter().any(|it| it.value.is_some()))
    }
}

fn is_address(path: &str) -> bool {
    LocUri::parse(path).is_ok()
}

/// Whether another attempt may change this code of a device.
///
/// Source: DM WSI contract, section 3, "Attempts and deadline"; 215 and 216 say that the command was not carried out
/// because of another one.
pub(super) fn is_for_now(code: u16) -> bool {
    matches!(code, 408 | 417 | 420 | 500 | 503 | 506 | 511 | 215 | 216)
}

#[cfg(test)]
mod tests {
    use muster_protocol::dm1::{Answer, NodeResult};

    use super::*;

    fn read(uris: &[&str]) -> Vec<String> {
        let node = |uri: &&str| NodeResult {
            uri: (*uri).into(),
            format: "chr".into(),
            kind: None,
            data: Some(ItemData::from("v")),
        };
        let outcome = Outcome {
            tag: 0,
            answer: Answer::Status(StatusCode::OK),
            nodes: uris.iter().map(node).collect(),
            statuses: Vec::new(),
            items: Vec::new(),
            user: None,
            note: None,
        };
        let asked = Parameter { path: "./Vendor/MSFT/X".to_owned(), ..Parameter::default() };
        let mut planned = Planned::new(Verb::Get, asked);
        planned.answered(StatusCode::OK, &outcome);
        planned.result.into_iter().map(|it| it.path).collect()
    }

    #[test]
    fn an_add_says_format_and_type() {
        let add = |format: Option<&str>, kind: Option<&str>| {
            let node = Parameter {
                path: "./Vendor/A".to_owned(),
                value: Some("v".to_owned()),
                format: format.map(str::to_owned),
                kind: kind.map(str::to_owned),
                ..Parameter::default()
            };
            let Action::Add { format, kind, .. } = Planned::new(Verb::Add, node).action() else { panic!("no Add") };
            (format.map(|it| it.to_string()), kind.map(|it| it.to_string()))
        };
        let said = |format: &str, kind: Option<&str>| (Some(format.to_owned()), kind.map(str::to_owned));
        assert_eq!(add(None, None), said("chr", Some("text/plain")));
        assert_eq!(add(Some("int"), Some("text/x-number")), said("int", Some("text/x-number")));
        assert_eq!(add(Some("node"), None), said("node", None));
    }

    #[test]
    fn what_a_device_calls_a_node_is_taken_if_it_can_be_an_address() {
        assert_eq!(read(&["./Device/Vendor/MSFT/X"]), ["./Device/Vendor/MSFT/X"]);
        for nonsense in ["../../etc", "/X", "./A//B", "./A%2FB", "./A\u{0}", ""] {
            assert_eq!(read(&[nonsense]), ["./Vendor/MSFT/X"], "{nonsense}");
        }
        assert_eq!(read(&["./A", "../B", "./C"]), ["./A", "./C"]);
    }

    #[test]
    fn a_value_without_format_gets_that_of_the_description_if_it_can_hold_it() {
        for (verb, path, value, format) in [
            (Verb::Replace, "./LAWMO/LAWMOConfig/NotifyUser", "true", Some("bool")),
            (Verb::Replace, "./LAWMO/LAWMOConfig/NotifyUser", "yes", None),
            (Verb::Add, "./DMAcc/x/AppAddr/1/Port/1/PortNbr", "443", Some("chr")),
            (Verb::Replace, "./FUMO/Package/Update/PkgData", "AAAA", None),
            (Verb::Replace, "./Vendor/Example/Polling", "60", None),
            (Verb::Add, "./Vendor/Example/Polling", "60", Some("chr")),
            (Verb::Replace, "./DevInfo/Man?prop=Title", "x", None),
        ] {
            let node = Parameter { path: path.to_owned(), value: Some(value.to_owned()), ..Parameter::default() };
            let given = match Planned::new(verb, node).action() {
                Action::Replace { format, .. } | Action::Add { format, .. } => format,
                _ => None,
            };
            assert_eq!(given.as_deref(), format, "{path}");
        }
    }
}
