//! What can be asked of a device.
//!
//! Source: DM WSI contract, section 3, "Operation names".

mod words;

use serde::{Deserialize, Serialize};

use crate::ledger::ERASED;
use crate::names::names;

/// The operations this server carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operation {
    /// Writes nodes: Replace, or Add where the option `create` is true.
    Update,
    /// Reads nodes.
    Query,
    /// Reads a subtree and says which management objects were seen.
    Discover,
    /// Starts what a node stands for.
    Execute,
    /// Removes nodes.
    Delete,
    /// Waits for the device to connect.
    Session,
}

names! {
    Operation {
        "UPDATE" Update
        "QUERY" Query
        "DISCOVER" Discover
        "EXECUTE" Execute
        "DELETE" Delete
        "SESSION" Session
    }
}

impl Operation {
    /// Whether it changes nothing on a device.
    #[must_use]
    pub fn only_reads(self) -> bool {
        matches!(self, Self::Query | Self::Discover | Self::Session)
    }
}

/// Names of the contract that this server knows but does not carry out: UnsupportedOperation, not UnknownOperation.
pub const KNOWN_ELSEWHERE: &[&str] = &[
    "BOOTSTRAP",
    "INSTALL_SOFTWARE",
    "REMOVE_SOFTWARE",
    "ACTIVATE_SOFTWARE",
    "DEACTIVATE_SOFTWARE",
    "LOCK",
    "UNLOCK",
    "WIPE",
    "DIAGNOSE",
];

/// What an operation works on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arguments {
    /// Nodes to read (path only) or to write (path and value).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameter: Vec<Parameter>,
    /// Content package to install.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_id: Option<String>,
    /// Software component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_id: Option<String>,
    /// Further arguments, name and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub option: Vec<(String, String)>,
}

impl Arguments {
    /// Whether a value was taken out of them by an erasure: then they are no arguments any more.
    #[must_use]
    pub fn are_erased(&self) -> bool {
        let is_erased = |text: &str| text.contains(ERASED);
        let of_node = |node: &Parameter| is_erased(&node.path) || node.value.as_deref().is_some_and(is_erased);
        self.parameter.iter().any(of_node)
            || self.option.iter().any(|(name, value)| is_erased(name) || is_erased(value))
            || [&self.package_id, &self.component_id].into_iter().flatten().any(|id| is_erased(id))
    }

    /// The value of an option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.option.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether an option is given as `true` or `1`.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        matches!(self.option(name), Some("true" | "1"))
    }
}

/// A management tree node in a request or a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Node URI, for example `./DevDetail/SwV`.
    pub path: String,
    /// Value as text; base64 text when `format` is `bin` or `b64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// OMA DM format; `chr` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// MIME type of the value.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// In results: the OMA DM status the device gave for this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
}

/// One operation that the server can carry out, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Which.
    pub operation: Operation,
    /// What it does.
    pub description: &'static str,
    /// Arguments it takes.
    pub arguments: &'static [ArgumentDefinition],
}

/// One argument of a [`Definition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgumentDefinition {
    /// `parameter` or the name of an option.
    pub name: &'static str,
    /// Meaning and unit.
    pub description: &'static str,
    /// Whether the operation is refused without it.
    pub required: bool,
}

const ATOMIC: ArgumentDefinition = ArgumentDefinition {
    name: "atomic",
    description: "true: all commands go in one Atomic, so that all of them happen or none",
    required: false,
};
const SEQUENCE: ArgumentDefinition = ArgumentDefinition {
    name: "sequence",
    description: "true: all commands go in one Sequence, so that the device carries them out in order",
    required: false,
};
const REPEATABLE: ArgumentDefinition = ArgumentDefinition {
    name: "repeatable",
    description: "true: a command whose outcome is unknown may be sent again",
    required: false,
};

const TRACE: ArgumentDefinition = ArgumentDefinition {
    name: "trace",
    description: "true: the messages of the task's sessions are recorded, without credentials, for getDeviceTrace",
    required: false,
};

/// What the server can carry out.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        operation: Operation::Update,
        description: "Writes nodes of the device's management tree.",
        arguments: &[
            ArgumentDefinition {
                name: "parameter",
                description: "nodes to write: path and value, and format and type where they are not chr and text/plain",
                required: true,
            },
            ArgumentDefinition {
                name: "create",
                description: "true: nodes are made (Add) instead of overwritten (Replace)",
                required: false,
            },
            ATOMIC,
            SEQUENCE,
            REPEATABLE,
            TRACE,
        ],
    },
    Definition {
        operation: Operation::Query,
        description: "Reads nodes of the device's management tree; without parameters the standard set of DevInfo and DevDetail.",
        arguments: &[
            ArgumentDefinition { name: "parameter", description: "nodes to read: path", required: false },
            SEQUENCE,
            TRACE,
        ],
    },
    Definition {
        operation: Operation::Discover,
        description: "Walks the management tree from a root and returns every node found.",
        arguments: &[
            ArgumentDefinition {
                name: "parameter",
                description: "one path, the root of the walk; . when left out",
                required: false,
            },
            ArgumentDefinition {
                name: "depth",
                description: "levels below the root to walk, 1 to 16; 3 when left out",
                required: false,
            },
            TRACE,
        ],
    },
    Definition {
        operation: Operation::Execute,
        description: "Executes a node.",
        arguments: &[
            ArgumentDefinition {
                name: "parameter",
                description: "one path, with a value where the node takes one",
                required: true,
            },
            ArgumentDefinition {
                name: "correlator",
                description: "comes back in the Generic Alert that reports the outcome",
                required: false,
            },
            REPEATABLE,
            TRACE,
        ],
    },
    Definition {
        operation: Operation::Delete,
        description: "Removes nodes and what is below them.",
        arguments: &[
            ArgumentDefinition { name: "parameter", description: "nodes to remove: path", required: true },
            ATOMIC,
            SEQUENCE,
            REPEATABLE,
            TRACE,
        ],
    },
    Definition {
        operation: Operation::Session,
        description: "Succeeds when the device has connected.",
        arguments: &[TRACE],
    },
];
