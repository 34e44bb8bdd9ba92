//! Every command does the same over SOAP 1.1, SOAP 1.2 and REST and at the command line: the same answer, the same fault,
//! the same state afterwards.
//!
//! Each face has a world of its own. The worlds begin alike, clock and chance included, and are given the same steps; after
//! each step they must still be alike. The command line is the real binary, which reaches its world over a socket.

mod player;
mod scenarios;
mod step;

use std::collections::BTreeSet;

use muster_northbound::contract::operations;
use tokio::task::JoinSet;

/// Operations that are refused in every step, and why. The faults are compared.
const NEVER_ANSWERED: &[(&str, &str)] = &[
    ("doBootstrap", "no way to bootstrap a device is offered yet"),
    ("releaseWave", "nothing makes the tasks of a job in the background here, so that no wave waits"),
    ("getTraceMessages", "there is no device here that had a session"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_the_same_over_soap_and_rest_and_at_the_command_line() {
    let mut subjects = JoinSet::new();
    let (mut performed, mut answered) = (BTreeSet::new(), BTreeSet::new());
    for (subject, steps) in scenarios::scenarios() {
        performed.extend(steps.iter().map(|step| step.operation));
        subjects.spawn(player::compare(subject, steps));
    }
    while let Some(done) = subjects.join_next().await {
        answered.extend(done.unwrap());
    }
    let without = |seen: &BTreeSet<&str>| -> Vec<&str> {
        operations().iter().map(|it| it.name).filter(|name| !seen.contains(name)).collect()
    };
    assert_eq!(without(&performed), [""; 0], "these are in no step");
    let refused: Vec<&str> = NEVER_ANSWERED.iter().map(|(name, _)| *name).collect();
    assert_eq!(without(&answered), refused, "these go well in no step");
}
