//! Trees from files.

use std::io::Read as _;

use anyhow::Context as _;
use muster_broker::operation::Parameter;
use muster_protocol::tree::tnds::{DOCUMENT, Document};
use muster_protocol::tree::{LocUri, Tree, TreeLimits};
use muster_southbound::dm1::snapshot;
use serde::Deserialize;

/// Octets of a file; more than any tree within our limits takes.
const FILE_BYTES_MAX: u64 = 32 << 20;

/// Reads a tree. `at` is what the document is the value of.
pub(super) fn read(name: &str, at: &LocUri) -> anyhow::Result<Tree> {
    let octets = octets(name)?;
    let is_json = octets.trim_ascii_start().first().is_some_and(|it| matches!(it, b'{' | b'['));
    if is_json {
        return of_task(&octets).with_context(|| format!("{} is no task with nodes read", called(name)));
    }
    let document = Document::read(&octets, &DOCUMENT)
        .with_context(|| format!("{} is neither a TNDS document nor the JSON of a task", called(name)))?;
    document.tree(at, &TreeLimits::SNAPSHOT).with_context(|| format!("{} is no tree", called(name)))
}

fn called(name: &str) -> &str {
    if name == "-" { "standard input" } else { name }
}

fn octets(name: &str) -> anyhow::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let cannot = || format!("cannot read {}", called(name));
    if name == "-" {
        std::io::stdin().take(FILE_BYTES_MAX + 1).read_to_end(&mut octets).with_context(cannot)?;
    } else {
        let file = std::fs::File::open(name).with_context(cannot)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut octets).with_context(cannot)?;
    }
    anyhow::ensure!(octets.len() as u64 <= FILE_BYTES_MAX, "{} has more than 32 MiB", called(name));
    Ok(octets)
}

/// What there is of a task: as `muster call` prints it, or its list of nodes alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Task { result: Vec<Parameter> },
    Nodes(Vec<Parameter>),
}

fn of_task(json: &[u8]) -> anyhow::Result<Tree> {
    let (Told::Task { result } | Told::Nodes(result)) = serde_json::from_slice(json)?;
    anyhow::ensure!(!result.is_empty(), "it has none");
    Ok(snapshot(&result))
}
