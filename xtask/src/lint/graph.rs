//! The dependency graph, as `cargo metadata` tells it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

/// Packages and who needs whom.
#[derive(Default)]
pub(crate) struct Graph {
    packages: BTreeMap<String, Package>,
}

/// One package of the graph.
#[derive(Default)]
pub(crate) struct Package {
    /// Name without version.
    pub(crate) name: String,
    /// Version as text.
    pub(crate) version: String,
    /// Licence expression, if it states one.
    pub(crate) licence: Option<String>,
    /// Whether it belongs to this workspace.
    pub(crate) is_ours: bool,
    /// What it names in its manifest, by package name.
    pub(crate) named: BTreeSet<Named>,
    /// Packages its shipped build links or runs (normal dependencies), by identifier.
    shipped: BTreeSet<String>,
}

/// One line of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    /// Package name.
    pub(crate) name: String,
    /// Whether only tests and examples see it.
    pub(crate) is_dev: bool,
}

impl Graph {
    /// Reads the answer of `cargo metadata --format-version 1`.
    ///
    /// # Errors
    /// If a field that format has is missing.
    pub(crate) fn parse(metadata: &Value) -> Result<Self> {
        let mut graph = Self::default();
        let members: BTreeSet<String> =
            list(metadata, "workspace_members")?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        for package in list(metadata, "packages")? {
            let id = text(package, "id")?;
            let mut read = Package {
                name: text(package, "name")?,
                version: text(package, "version")?,
                licence: package.get("license").and_then(Value::as_str).map(str::to_owned),
                is_ours: members.contains(&id),
                ..Package::default()
            };
            for dependency in list(package, "dependencies")? {
                let is_dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
                read.named.insert(Named { name: text(dependency, "name")?, is_dev });
            }
            graph.packages.insert(id, read);
        }
        let resolve = metadata.get("resolve").context("cargo metadata has no resolve")?;
        for node in list(resolve, "nodes")? {
            let shipped = list(node, "deps")?.iter().filter(|edge| is_normal(edge)).map(|edge| text(edge, "pkg"));
            let shipped: BTreeSet<String> = shipped.collect::<Result<_>>()?;
            if let Some(package) = graph.packages.get_mut(&text(node, "id")?) {
                package.shipped = shipped;
            }
        }
        Ok(graph)
    }

    /// Every package, ours first where names are equal.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    /// The names of all packages that `name`'s shipped build reaches, however far, with the path
    /// that leads there; `name` itself is not among them.
    pub(crate) fn reached_from(&self, name: &str) -> BTreeMap<String, String> {
        let start = self.packages.iter().find(|(_, package)| package.name == name && package.is_ours);
        let mut reached = BTreeMap::new();
        let mut open: Vec<(&String, String)> =
            start.map(|(id, package)| (id, package.name.clone())).into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some((id, path)) = open.pop() {
            let Some(package) = self.packages.get(id) else {
                continue;
            };
            for next in &package.shipped {
                if let Some(found) = self.packages.get(next)
                    && seen.insert(next)
                {
                    let path = format!("{path} → {}", found.name);
                    reached.insert(found.name.clone(), path.clone());
                    open.push((next, path));
                }
            }
        }
        reached
    }
}

fn is_normal(edge: &Value) -> bool {
    let kinds = edge.get("dep_kinds").and_then(Value::as_array);
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind.get("kind").is_some_and(Value::is_null)))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value.get(key).and_then(Value::as_array).with_context(|| format!("cargo metadata has no list {key}"))
}

fn text(value: &Value, key: &str) -> Result<String> {
    let found = value.get(key).and_then(Value::as_str);
    Ok(found.with_context(|| format!("cargo metadata has no text {key}"))?.to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    /// `edges`: package, what it needs, kind as cargo writes it. The packages in `ours` are members.
    pub(crate) fn graph(ours: &[&str], edges: &[(&str, &str, Option<&str>)]) -> Graph {
        let names: BTreeSet<&str> =
            edges.iter().flat_map(|(from, to, _)| [*from, *to]).chain(ours.iter().copied()).collect();
        let of = |name: &str| edges.iter().filter(|edge| edge.0 == name).copied().collect::<Vec<_>>();
        let packages: Vec<Value> = names.iter().map(|name| json!({
            "id": name, "name": name, "version": "1.0.0", "license": "MIT",
            "dependencies": of(name).iter().map(|(_, to, kind)| json!({"name": to, "kind": kind})).collect::<Vec<_>>(),
        })).collect();
        let nodes: Vec<Value> = names.iter().map(|name| json!({
            "id": name,
            "deps": of(name).iter().map(|(_, to, kind)| json!({"pkg": to, "dep_kinds": [{"kind": kind}]})).collect::<Vec<_>>(),
        })).collect();
        let metadata = json!({"packages": packages, "workspace_members": ours, "resolve": {"nodes": nodes}});
        Graph::parse(&metadata).unwrap()
    }

    #[test]
    fn shipped_tree_is_followed_to_its_end_and_test_tools_are_left_out() {
        let graph = graph(
            &["broker"],
            &[
                ("broker", "jiff", None),
                ("jiff", "deep", None),
                ("broker", "proptest", Some("dev")),
                ("proptest", "tokio", None),
            ],
        );

        let reached = graph.reached_from("broker");

        assert_eq!(reached.keys().collect::<Vec<_>>(), ["deep", "jiff"]);
        assert_eq!(reached["deep"], "broker → jiff → deep");
    }

    #[test]
    fn circle_between_packages_ends() {
        let graph = graph(&["a"], &[("a", "b", None), ("b", "c", None), ("c", "b", None)]);

        assert_eq!(graph.reached_from("a").len(), 2);
    }
}
