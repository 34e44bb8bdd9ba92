//! What an operation means in OMA DM commands, and how far a task has come with them.
//!
//! A plan is stored with its task after every message, so that a session that is lost can be taken up again by any
//! node without doing twice what must not be done twice.

use muster_broker::operation::{Operation, Parameter};
use muster_broker::task::Task;
use muster_protocol::dm1::{Action, Answer, Note, Order, Outcome};
use muster_protocol::syncml::StatusCode;
use serde::{Deserialize, Serialize};

use super::planned::{Planned, Progress, Verb};
use super::verdict::Verdict;
use super::walk::{self, Manner};

/// Tag of the question to the user. Commands are tagged with their place in the plan.
pub(super) const CONSENT: u32 = 1 << 20;
/// Tag of the question whether the device takes large objects.
pub(super) const LARGE_OBJECTS: u32 = CONSENT + 2;
/// Tag of an Atomic or Sequence around all commands.
const CONTAINER: u32 = CONSENT + 1;
/// Most commands given to a session at once; the others follow when these are answered.
const ROUND_MAX: usize = 100;

/// Nodes that a QUERY without parameters reads.
///
/// Source: OMA DM 1.2 Standardized Objects, the mandatory nodes of DevInfo and DevDetail.
const STANDARD_SET: &[&str] = &[
    "./DevInfo/DevId",
    "./DevInfo/Man",
    "./DevInfo/Mod",
    "./DevInfo/DmV",
    "./DevInfo/Lang",
    "./DevDetail/DevTyp",
    "./DevDetail/OEM",
    "./DevDetail/FwV",
    "./DevDetail/SwV",
    "./DevDetail/HwV",
    "./DevDetail/LrgObj",
];

/// How far a task has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    #[serde(rename = "u")]
    pub(super) consent: Consent,
    #[serde(rename = "m")]
    pub(super) mode: Mode,
    #[serde(rename = "r", default)]
    repeatable: bool,
    /// Levels below the root that a DISCOVER still walks.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(super) walk_depth: Option<u32>,
    /// The walk began with a list that the device gave.
    #[serde(rename = "i", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_listed: bool,
    /// How this device is walked.
    #[serde(rename = "d", default)]
    pub(super) manner: Manner,
    /// What the device said to the container as a whole.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(super) container: Option<u16>,
    #[serde(rename = "c")]
    pub(super) commands: Vec<Planned>,
}

/// Whether the user is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Consent {
    NotNeeded,
    Needed,
    Asked,
    Given,
}

/// What the commands are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    Plain,
    Atomic,
    Sequence,
}

impl Plan {
    /// The plan of a task that has none yet.
    pub(super) fn of(task: &Task, manner: Manner) -> Self {
        let arguments = &task.arguments;
        let paths = || arguments.parameter.iter().cloned();
        let depth = || arguments.option("depth").and_then(|depth| depth.parse().ok()).unwrap_or(walk::DEPTH);
        let mut commands: Vec<Planned> = match task.operation {
            Operation::Query if arguments.parameter.is_empty() => {
                STANDARD_SET.iter().map(|path| Planned::new(Verb::Get, node(path))).collect()
            }
            Operation::Query => paths().map(|it| Planned::new(Verb::Get, it)).collect(),
            Operation::Update if arguments.is_set("create") => paths().map(|it| Planned::new(Verb::Add, it)).collect(),
            Operation::Update => paths().map(|it| Planned::new(Verb::Replace, it)).collect(),
            Operation::Delete => paths().map(|it| Planned::new(Verb::Delete, it)).collect(),
            Operation::Execute => paths()
                .map(|it| Planned {
                    correlator: arguments.option("correlator").map(str::to_owned),
                    ..Planned::new(Verb::Exec, it)
                })
                .collect(),
            Operation::Discover => {
                let root = arguments.parameter.first().map_or(".", |it| it.path.as_str());
                vec![walk::first(root, depth(), manner)]
            }
            Operation::Session => Vec::new(),
        };
        commands.iter_mut().for_each(Planned::refuse_address);
        let walk_depth = (task.operation == Operation::Discover).then(depth);
        Self {
            consent: if task.opt_in { Consent::Needed } else { Consent::NotNeeded },
            mode: match () {
                () if arguments.is_set("atomic") => Mode::Atomic,
                () if arguments.is_set("sequence") => Mode::Sequence,
                () => Mode::Plain,
            },
            repeatable: arguments.is_set("repeatable"),
            walk_depth,
            is_listed: false,
            manner,
            container: None,
            commands,
        }
    }

    /// Takes the plan up in a new session. What was sent and never answered is of unknown outcome: it is sent again if
    /// that does no harm, else what can tell is read first.
    ///
    /// Returns the node whose outcome nothing can tell, if there is one.
    ///
    /// Source: DM WSI contract, section 3, "Unknown outcome".
    pub(super) fn take_up(&mut self) -> Option<String> {
        if self.consent == Consent::Asked {
            self.consent = Consent::Needed;
        }
        if self.mode == Mode::Atomic && self.container_failure().is_some() {
            // Whatever its members said, nothing of it was kept.
            for command in self.commands.iter_mut().filter(|it| it.progress == Progress::Answered) {
                command.progress = Progress::Waiting;
            }
        }
        self.container = None;
        let repeatable = self.repeatable;
        let mut untold = None;
        for command in &mut self.commands {
            match command.progress {
                Progress::Sent if repeatable || matches!(command.verb, Verb::Get | Verb::Replace) => {
                    command.progress = Progress::Waiting;
                }
                Progress::Sent if command.verb == Verb::Exec => untold = Some(command.node.path.clone()),
                Progress::Sent | Progress::Probing => command.progress = Progress::Unknown,
                Progress::Answered if command.failed_for_now() => command.progress = Progress::Waiting,
                Progress::Answered | Progress::Waiting | Progress::Unknown => {}
            }
        }
        untold
    }

    /// Whether the user must be asked before anything else.
    pub(super) fn asks(&self) -> bool {
        self.consent == Consent::Needed
    }

    /// Whether commands may be sent: nothing is while the user has not agreed.
    pub(super) fn may_command(&self) -> bool {
        matches!(self.consent, Consent::NotNeeded | Consent::Given)
    }

    /// Octets of the longest value that is still to be sent.
    pub(super) fn longest_value(&self) -> usize {
        let waiting = self.commands.iter().filter(|it| it.progress == Progress::Waiting);
        waiting.filter_map(|it| it.node.value.as_ref()).map(String::len).max().unwrap_or(0)
    }

    /// The next commands for the device: none when all are answered.
    pub(super) fn orders(&mut self, question: &str) -> Vec<Order> {
        if self.consent == Consent::Needed {
            self.consent = Consent::Asked;
            return vec![confirm(question)];
        }
        if self.consent == Consent::Asked {
            return Vec::new();
        }
        let probes = self.probes();
        if !probes.is_empty() {
            return probes;
        }
        // A container goes whole or not at all.
        let most = if self.mode == Mode::Plain { ROUND_MAX } else { usize::MAX };
        let mut orders = Vec::new();
        for (tag, command) in self.commands.iter_mut().enumerate() {
            if command.progress == Progress::Waiting && orders.len() < most {
                command.progress = Progress::Sent;
                command.code = None;
                orders.push(Order { tag: tag as u32, action: command.action() });
            }
        }
        match self.mode {
            Mode::Atomic if !orders.is_empty() => vec![Order { tag: CONTAINER, action: Action::Atomic(orders) }],
            Mode::Sequence if !orders.is_empty() => vec![Order { tag: CONTAINER, action: Action::Sequence(orders) }],
            _ => orders,
        }
    }

    fn probes(&mut self) -> Vec<Order> {
        let mut probes = Vec::new();
        for (tag, command) in self.commands.iter_mut().enumerate() {
            if command.progress == Progress::Unknown && probes.len() < ROUND_MAX {
                command.progress = Progress::Probing;
                probes.push(Order { tag: tag as u32, action: Action::Get { uri: command.node.path.as_str().into() } });
            }
        }
        probes
    }

    /// Takes what the device said to one order.
    pub(super) fn take(&mut self, outcome: &Outcome) {
        let code = match outcome.answer {
            Answer::Status(code) => Some(code),
            Answer::None | Answer::NotSent => None,
        };
        if outcome.tag == CONTAINER {
            self.container = code.map(|code| code.0);
            return;
        }
        let Some(command) = self.commands.get_mut(outcome.tag as usize) else { return };
        match (command.progress, outcome.answer, code) {
            (Progress::Sent, Answer::NotSent, _) if outcome.note.is_some_and(is_for_good) => {
                command.progress = Progress::Answered;
                command.is_unsendable = true;
            }
            (Progress::Sent, Answer::NotSent, _) => command.progress = Progress::Waiting,
            (Progress::Probing, Answer::None | Answer::NotSent, _) => command.progress = Progress::Unknown,
            (Progress::Sent, _, Some(code)) => command.answered(code, outcome),
            (Progress::Probing, _, Some(code)) => command.probed(code, outcome),
            _ => {}
        }
        walk::extend(self, outcome.tag as usize, outcome);
    }

    /// The first command that was sent, not answered, and changes something each time it is carried out.
    pub(super) fn untold(&self) -> Option<String> {
        let is_untold =
            |it: &&Planned| it.progress == Progress::Sent && matches!(it.verb, Verb::Add | Verb::Delete | Verb::Exec);
        if self.repeatable {
            return None;
        }
        self.commands.iter().find(is_untold).map(|it| format!("{} {}", it.name(), it.node.path))
    }

    /// What the device said to the container, if that was an error.
    pub(super) fn container_failure(&self) -> Option<u16> {
        self.container.filter(|code| !StatusCode(*code).is_success())
    }

    /// Where the plan stands.
    pub(super) fn verdict(&self) -> Verdict {
        Verdict::of(self)
    }

    /// Everything read and written so far, in the order of the plan.
    pub(super) fn results(&self) -> Vec<Parameter> {
        self.commands.iter().flat_map(|command| command.result.iter().cloned()).collect()
    }
}

/// Whether a command that was not sent for this reason would not be the next time either.
fn is_for_good(note: Note) -> bool {
    matches!(note, Note::NotEncodable | Note::NotAllowed | Note::NotTaken)
}

fn confirm(question: &str) -> Order {
    Order {
        tag: CONSENT,
        action: Action::Confirm {
            text: question.into(),
            min_display_s: Some(10),
            max_display_s: Some(120),
            default_accept: None,
        },
    }
}

fn node(path: &str) -> Parameter {
    Parameter { path: path.to_owned(), ..Parameter::default() }
}
