//! `dependencies.toml`: what our crates may depend on, and under which licences.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The rules, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Licences every package may be taken under, as SPDX names.
    pub(crate) licences: BTreeSet<String>,
    /// Packages no shipped tree of these crates may reach, each with the crates it is kept from.
    pub(crate) kept_out: BTreeMap<String, BTreeSet<String>>,
    /// What each of our crates may name in its manifest.
    pub(crate) crates: BTreeMap<String, Allowed>,
}

/// What one of our crates may depend on directly.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Crates of this workspace in the shipped tree: the arrows of the architecture.
    pub(crate) ours: BTreeSet<String>,
    /// Packages of others in the shipped tree.
    pub(crate) normal: BTreeSet<String>,
    /// What only tests use, crates of this workspace included: a test may look across.
    pub(crate) dev: BTreeSet<String>,
}

impl Policy {
    /// Reads the file's text.
    ///
    /// # Errors
    /// If it is not TOML of the expected shape. Unknown keys are refused: a misspelt rule would
    /// be no rule.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut root: Table = text.parse()?;
        let mut licences = take_table(&mut root, "licences")?;
        let mut policy = Self { licences: take_names(&mut licences, "allowed")?, ..Self::default() };
        nothing_left(&licences, "licences")?;
        for (name, value) in take_table(&mut root, "kept-out")? {
            let from = names(&value).with_context(|| format!("kept-out.{name}"))?;
            policy.kept_out.insert(name, from);
        }
        for (name, value) in take_table(&mut root, "crates")? {
            let Value::Table(mut rules) = value else { bail!("crates.{name} is not a table") };
            let allowed = Allowed {
                ours: take_names(&mut rules, "ours")?,
                normal: take_names(&mut rules, "normal")?,
                dev: take_names(&mut rules, "dev")?,
            };
            nothing_left(&rules, &name)?;
            policy.crates.insert(name, allowed);
        }
        nothing_left(&root, "the file")?;
        Ok(policy)
    }
}

fn take_table(table: &mut Table, key: &str) -> Result<Table> {
    match table.remove(key) {
        Some(Value::Table(found)) => Ok(found),
        Some(_) => bail!("{key} is not a table"),
        None => bail!("no table {key}"),
    }
}

/// The names under `key`; none if the key is left out.
fn take_names(table: &mut Table, key: &str) -> Result<BTreeSet<String>> {
    table.remove(key).map_or_else(|| Ok(BTreeSet::new()), |value| names(&value).context(key.to_owned()))
}

fn names(value: &Value) -> Result<BTreeSet<String>> {
    let list = value.as_array().context("not a list")?;
    list.iter().map(|name| name.as_str().map(str::to_owned).context("not a list of texts")).collect()
}

fn nothing_left(table: &Table, place: &str) -> Result<()> {
    match table.keys().next() {
        Some(key) => bail!("unknown key {key:?} in {place}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    const TEXT: &str = r#"
        [licences]
        allowed = ["MIT"]
        [kept-out]
        protocol = ["tokio"]
        [crates.store]
        ours = ["broker"]
        normal = ["rusqlite"]
    "#;

    #[test]
    fn rules_are_read_and_a_section_left_out_allows_nothing() {
        let policy = Policy::parse(TEXT).unwrap();

        assert!(policy.licences.contains("MIT"));
        assert!(policy.kept_out["protocol"].contains("tokio"));
        assert!(policy.crates["store"].normal.contains("rusqlite"));
        assert!(policy.crates["store"].dev.is_empty());
    }

    #[test]
    fn misspelt_rule_is_refused() {
        let error = Policy::parse(&TEXT.replace("normal", "nromal")).unwrap_err();

        assert_eq!(error.to_string(), "unknown key \"nromal\" in store");
    }
}
