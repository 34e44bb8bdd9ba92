//! Licences, allowed dependencies and arrows between our crates, and a written reason for each.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use toml::Table;

use super::graph::{Graph, Package};
use super::policy::{Allowed, Policy};
use super::spdx;
use crate::command;
use crate::stage::Outcome;
use crate::workspace::Workspace;

const POLICY: &str = "dependencies.toml";
const REASONS: &str = "docs/decisions/0002-dependencies.md";

/// Reads the graph of this platform and compares it with the rules.
pub(crate) fn check(workspace: &Workspace) -> Result<Outcome> {
    let policy = Policy::parse(&workspace.read(POLICY)?).context(POLICY)?;
    let graph = graph(workspace)?;
    let mut problems = licences(&graph, &policy.licences);
    problems.extend(manifests(&graph, &policy));
    problems.extend(kept_out(&graph, &policy));
    problems.extend(reasons(&workspace.read("Cargo.toml")?, &workspace.read(REASONS)?)?);
    Ok(Outcome::of_problems(&problems, format!("{} packages", graph.packages().count())))
}

/// Restricted to this platform: packages of others need not have been downloaded.
fn graph(workspace: &Workspace) -> Result<Graph> {
    let host = command::stdout(std::process::Command::new("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let arguments = ["metadata", "--locked", "--format-version", "1", "--filter-platform", host];
    let offline = command::stdout(workspace.cargo(&arguments).arg("--offline"));
    // A package that no build on this machine needed yet may be missing; then cargo may fetch it.
    let answer = offline.or_else(|_| command::stdout(&mut workspace.cargo(&arguments)))?;
    Graph::parse(&serde_json::from_str(&answer)?)
}

fn licences(graph: &Graph, allowed: &BTreeSet<String>) -> Vec<String> {
    let complaint = |package: &Package| {
        let Package { name, version, .. } = package;
        match package.licence.as_deref().map(|licence| (licence, spdx::is_met(licence, allowed))) {
            Some((_, Ok(true))) => None,
            Some((licence, Ok(false))) => Some(format!("{name} {version}: licence {licence} is not allowed")),
            Some((_, Err(error))) => Some(format!("{name} {version}: {error}")),
            None => Some(format!("{name} {version}: states no licence")),
        }
    };
    graph.packages().filter_map(complaint).collect()
}

fn manifests(graph: &Graph, policy: &Policy) -> Vec<String> {
    let ours: BTreeSet<&str> =
        graph.packages().filter(|package| package.is_ours).map(|package| package.name.as_str()).collect();
    let mut problems = Vec::new();
    for package in graph.packages().filter(|package| package.is_ours) {
        match policy.crates.get(&package.name) {
            None => problems.push(format!("{}: not in {POLICY}", package.name)),
            Some(allowed) => problems.extend(manifest(package, allowed, &ours)),
        }
    }
    let gone = policy.crates.keys().filter(|name| !ours.contains(name.as_str()));
    problems.extend(gone.map(|name| format!("{name}: in {POLICY}, but no crate of the workspace")));
    problems
}

fn manifest(package: &Package, allowed: &Allowed, ours: &BTreeSet<&str>) -> Vec<String> {
    let mut problems = Vec::new();
    for named in &package.named {
        let (list, is_allowed) = if named.is_dev {
            let anywhere = [&allowed.dev, &allowed.ours, &allowed.normal];
            ("dev", anywhere.iter().any(|list| list.contains(&named.name)))
        } else if ours.contains(named.name.as_str()) {
            ("ours", allowed.ours.contains(&named.name))
        } else {
            ("normal", allowed.normal.contains(&named.name))
        };
        if !is_allowed {
            problems.push(format!("{} → {}: not in `{list}` of {POLICY}", package.name, named.name));
        }
    }
    let unused = [&allowed.ours, &allowed.normal, &allowed.dev].into_iter().flatten();
    let unused = unused.filter(|name| !package.named.iter().any(|named| named.name == **name));
    problems.extend(unused.map(|name| format!("{} → {name}: allowed in {POLICY}, but not used", package.name)));
    problems
}

fn kept_out(graph: &Graph, policy: &Policy) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, banned) in &policy.kept_out {
        let reached = graph.reached_from(name);
        let found = banned.iter().filter_map(|banned| reached.get(banned));
        problems.extend(found.map(|path| format!("{path}: must not be reached from {name}")));
    }
    problems
}

/// Each package in the root manifest has a row of the table, and each row a package.
fn reasons(manifest: &str, page: &str) -> Result<Vec<String>> {
    let manifest: Table = manifest.parse().context("Cargo.toml")?;
    let declared = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(toml::Value::as_table)
        .context("Cargo.toml has no workspace.dependencies")?;
    let theirs: BTreeSet<&str> =
        declared.iter().filter(|(_, value)| value.get("path").is_none()).map(|(name, _)| name.as_str()).collect();
    let rows: BTreeSet<&str> = page.lines().filter_map(row_name).collect();
    let missing = theirs.difference(&rows).map(|name| format!("{name}: no row in {REASONS}"));
    let stale = rows.difference(&theirs).map(|name| format!("{name}: a row in {REASONS}, but not in Cargo.toml"));
    Ok(missing.chain(stale).collect())
}

/// The package a table row is about: the first cell, where it is set as code.
fn row_name(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?.split_once("` |").map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::super::graph::tests::graph;
    use super::*;

    fn policy(text: &str) -> Policy {
        Policy::parse(&format!("[licences]\nallowed = [\"MIT\"]\n{text}")).unwrap()
    }

    #[test]
    fn arrow_that_is_not_allowed_is_named() {
        let graph = graph(&["broker", "store"], &[("broker", "store", None)]);
        let policy = policy("[kept-out]\n[crates.broker]\nours = []\n[crates.store]");

        let problems = manifests(&graph, &policy);

        assert_eq!(problems, ["broker → store: not in `ours` of dependencies.toml"]);
    }

    #[test]
    fn test_tool_in_the_shipped_tree_is_refused() {
        let graph = graph(&["store"], &[("store", "proptest", None)]);
        let policy = policy("[kept-out]\n[crates.store]\ndev = [\"proptest\"]");

        let problems = manifests(&graph, &policy);

        assert_eq!(problems, ["store → proptest: not in `normal` of dependencies.toml"]);
    }

    #[test]
    fn allowance_nobody_uses_is_named() {
        let graph = graph(&["store"], &[]);
        let policy = policy("[kept-out]\n[crates.store]\nnormal = [\"sqlx\"]\n[crates.gone]");

        let problems = manifests(&graph, &policy);

        assert_eq!(
            problems,
            [
                "store → sqlx: allowed in dependencies.toml, but not used",
                "gone: in dependencies.toml, but no crate of the workspace",
            ]
        );
    }

    #[test]
    fn runtime_behind_an_allowed_package_is_found() {
        let graph = graph(&["broker"], &[("broker", "nice", None), ("nice", "tokio", None)]);
        let policy = policy("[kept-out]\nbroker = [\"tokio\"]\n[crates.broker]\nnormal = [\"nice\"]");

        let problems = kept_out(&graph, &policy);

        assert_eq!(problems, ["broker → nice → tokio: must not be reached from broker"]);
    }

    #[test]
    fn licence_outside_the_list_is_named() {
        let graph = graph(&["broker"], &[]);

        let problems = licences(&graph, &["ISC".to_owned()].into());

        assert_eq!(problems, ["broker 1.0.0: licence MIT is not allowed"]);
    }

    #[test]
    fn package_without_a_reason_and_reason_without_a_package_are_named() {
        let manifest = "[workspace.dependencies]\nours = { path = \"x\" }\nserde = \"1\"\ntoml = { version = \"1\" }";
        let page = "| crate | why |\n| --- | --- |\n| `serde` | forms |\n| `hyper` | gone |";

        let problems = reasons(manifest, page).unwrap();

        assert_eq!(
            problems,
            [
                "toml: no row in docs/decisions/0002-dependencies.md",
                "hyper: a row in docs/decisions/0002-dependencies.md, but not in Cargo.toml",
            ]
        );
    }
}
