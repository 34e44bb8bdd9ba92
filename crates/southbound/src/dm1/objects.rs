//! Large objects: whether the device takes them is asked before the first one is sent, for a device that does not would
//! take a part for the whole.
//!
//! Source: OMA DM Protocol 1.2, "Large object handling"; OMA DM Standardized Objects 1.2, "DevDetail/LrgObj".

use muster_protocol::dm1::{Action, Order, Outcome};

use super::plan::{LARGE_OBJECTS, Plan};

const NODE: &str = "./DevDetail/LrgObj";
/// Octets of a command and of the message around it besides the value, with room for long addresses.
const AROUND_BYTES: usize = 1_024;

/// What is known of the device's large objects in a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Objects {
    /// Octets of the largest message that the device takes.
    pub(super) message_bytes_max: usize,
    /// Whether it takes large objects, once that is known.
    pub(super) taken: Option<bool>,
}

impl Objects {
    /// The question that comes before the commands of the plan, if there is one.
    pub(super) fn question(&self, plan: &Plan) -> Option<Order> {
        let is_large = plan.longest_value().saturating_add(AROUND_BYTES) > self.message_bytes_max;
        let must_ask = self.taken.is_none() && plan.may_command() && is_large;
        must_ask.then(|| Order { tag: LARGE_OBJECTS, action: Action::Get { uri: NODE.into() } })
    }
}

/// What the device said to the question, if it is among the outcomes: without a clear yes it takes none.
pub(super) fn answer(outcomes: &[Outcome]) -> Option<bool> {
    let outcome = outcomes.iter().find(|it| it.tag == LARGE_OBJECTS)?;
    let value = outcome.nodes.first().and_then(|it| it.data.as_ref()).and_then(|it| it.as_text());
    Some(value.is_some_and(|it| it.trim().eq_ignore_ascii_case("true")))
}
