//! Where a plan stands: whether its task is done, goes on, or failed, and why.

use muster_broker::operation::Parameter;
use muster_protocol::syncml::StatusCode;
use muster_protocol::tree::ddf::Catalogue;

use super::plan::{Mode, Plan};
use super::planned::{Planned, Progress, Verb, is_for_now};
use super::snapshot::snapshot;

/// Where a plan stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Commands are to be sent, or are under way.
    GoesOn,
    /// Every command got a success and every value asked for arrived.
    Done {
        /// In words.
        detail: String,
    },
    /// It did not, and another attempt would not help.
    GivenUp {
        /// In words, with the device's status and the node.
        detail: String,
        /// Code of the device.
        code: Option<i32>,
    },
    /// It did not, and another attempt may help.
    Failed {
        /// In words, with the device's status and the node.
        detail: String,
        /// Code of the device.
        code: Option<i32>,
    },
}

impl Verdict {
    pub(super) fn of(plan: &Plan) -> Self {
        if let Some(command) = plan.commands.iter().find(|it| it.progress == Progress::Sent && it.code.is_some()) {
            let detail = format!(
                "outcome unknown: {} {} was sent in a session that was lost, and the device does not let the node be read",
                command.name(),
                command.node.path
            );
            return Self::GivenUp { detail, code: command.code.map(i32::from) };
        }
        if plan.commands.iter().any(|it| it.progress != Progress::Answered) {
            return Self::GoesOn;
        }
        // A walk may meet nodes that it may not read; only its root must be readable.
        let counts = |it: &&Planned| !it.is_list && (plan.walk_depth.is_none() || it.level == 0);
        let failures: Vec<&Planned> = plan.commands.iter().filter(counts).filter(|it| !it.succeeded()).collect();
        let Some(first) = failures.iter().find(|it| !it.failed_for_now()).or(failures.first()) else {
            return plan
                .container_failure()
                .map_or_else(|| Self::Done { detail: done(plan) }, |code| of_container(plan, code));
        };
        let detail = why(first, failures.len());
        let code = first.code.map(i32::from);
        if first.failed_for_now() { Self::Failed { detail, code } } else { Self::GivenUp { detail, code } }
    }
}

/// The device did not take the container, although it named no member that failed. Members of a Sequence are done, so
/// that another attempt would have nothing to send.
fn of_container(plan: &Plan, code: u16) -> Verdict {
    let name = if plan.mode == Mode::Atomic { "Atomic" } else { "Sequence" };
    let detail = format!("{name}: status {code} {}", StatusCode(code).name().unwrap_or("of the vendor"));
    let code_given = Some(i32::from(code));
    if plan.mode == Mode::Atomic && is_for_now(code) {
        Verdict::Failed { detail, code: code_given }
    } else {
        Verdict::GivenUp { detail, code: code_given }
    }
}

fn done(plan: &Plan) -> String {
    let nodes = |count: usize| if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
    let count = |verb: Verb| plan.commands.iter().filter(|it| it.verb == verb && !it.is_list).count();
    let words: Vec<String> = [
        (Verb::Get, "read"),
        (Verb::Replace, "written"),
        (Verb::Add, "made"),
        (Verb::Delete, "removed"),
        (Verb::Exec, "executed"),
    ]
    .into_iter()
    .filter(|(verb, _)| count(*verb) > 0)
    .map(|(verb, word)| format!("{} {word}", nodes(count(verb))))
    .collect();
    let objects = if plan.walk_depth.is_some() { objects(&plan.results()) } else { String::new() };
    if words.is_empty() { "the device connected".to_owned() } else { words.join(", ") + &objects }
}

/// The management objects that a walk met, by what they are called where they are known.
fn objects(results: &[Parameter]) -> String {
    const TOLD_MAX: usize = 8;
    let tree = snapshot(results);
    let objects = tree.objects();
    let told = objects.iter().take(TOLD_MAX).map(|(uri, id)| match Catalogue::built_in().object(id) {
        Some(known) => format!("{uri} ({})", known.root.title.as_deref().unwrap_or(id)),
        None => format!("{uri} ({id})"),
    });
    match objects.len() {
        0 => String::new(),
        count if count > TOLD_MAX => {
            format!("; management objects at {} and {} more", told.collect::<Vec<_>>().join(", "), count - TOLD_MAX)
        }
        _ => format!("; management objects at {}", told.collect::<Vec<_>>().join(", ")),
    }
}

fn why(command: &Planned, failures: usize) -> String {
    let Planned { node, code, .. } = command;
    let address_error = command.address_error().map(|why| format!("the address {why}"));
    let said = match code {
        _ if command.is_unsendable && address_error.is_some() => address_error.unwrap_or_default(),
        _ if command.is_unsendable => "the command cannot be sent to this device".to_owned(),
        Some(code) if StatusCode(*code).is_success() => format!("status {code}, but no value came"),
        Some(code) => format!("status {code} {}", StatusCode(*code).name().unwrap_or("of the vendor")),
        None => "no status".to_owned(),
    };
    let others = match failures {
        0 | 1 => String::new(),
        more => format!("; {} more failed", more - 1),
    };
    format!("{} {}: {said}{others}", command.name(), node.path)
}
