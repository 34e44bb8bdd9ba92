//! DISCOVER: reading a subtree level by level.

use super::plan::Plan;
use super::planned::{Planned, Progress, Verb};
use muster_broker::operation::Parameter;

/// Levels below the root when the option `depth` is left out.
pub(super) const DEPTH: u32 = 3;
/// Most nodes that one walk reads, however wide the tree is.
pub(super) const NODES_MAX: usize = 2_000;

/// Plans to read the children of the node that command `index` read, if it is part of a walk and an interior node.
pub(super) fn extend(plan: &mut Plan, index: usize) {
    let Some(depth) = plan.walk_depth else { return };
    let Some(parent) = plan.commands.get(index) else { return };
    if parent.progress != Progress::Answered || !parent.succeeded() || parent.level >= depth {
        return;
    }
    let level = parent.level + 1;
    let base = parent.node.path.trim_end_matches('/').to_owned();
    let is_interior = parent.result.iter().any(|it| it.format.as_deref() == Some("node"));
    let names = parent.result.first().and_then(|it| it.value.clone()).unwrap_or_default();
    if !is_interior {
        return;
    }
    for name in names.split('/').filter(|name| !name.is_empty() && *name != "." && *name != "..") {
        if plan.commands.len() >= NODES_MAX {
            return;
        }
        let node = Parameter { path: format!("{base}/{name}"), ..Parameter::default() };
        let mut child = Planned::new(Verb::Get, node);
        child.level = level;
        plan.commands.push(child);
    }
}
