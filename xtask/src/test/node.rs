//! Node and the packages of the interop suites in JavaScript.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::stage::Outcome;
use crate::workspace::Workspace;

const FOLDER: &str = "interop/node";
const LOCK: &str = "interop/node/package-lock.json";
/// The oldest node that the packages run on.
const OLDEST: (u32, u32) = (20, 19);
/// The package that brings a node of its own where the machine's is older.
const BROUGHT: &str = "node@22";

/// The node that runs the suites: that of the machine, or the one that was brought.
pub(crate) fn program(workspace: &Workspace) -> PathBuf {
    let brought = brought(workspace);
    if brought.exists() { brought } else { PathBuf::from("node") }
}

fn brought(workspace: &Workspace) -> PathBuf {
    workspace.target().join("interop").join("node").join("node_modules").join(".bin").join("node")
}

/// Installs the packages, or keeps them if they are exactly those that are asked for.
pub(crate) fn packages(workspace: &Workspace) -> Result<Outcome> {
    let wanted = workspace.read(LOCK)?;
    let stamp = workspace.root().join(FOLDER).join("node_modules").join("installed.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(Outcome::Passed("as pinned, from an earlier run".to_owned()));
    }
    if command::find("npm").is_none() {
        return Ok(Outcome::NotRun("no npm on the search path (Debian: packages nodejs and npm)".to_owned()));
    }
    if !is_new_enough()? && !bring(workspace)? {
        return Ok(Outcome::Failed(format!("{BROUGHT} could not be installed, and the node here is too old")));
    }
    let mut install = npm(&workspace.root().join(FOLDER), &["ci"]);
    if !command::succeeds(&mut install)? {
        return Ok(Outcome::Failed(format!("packages of {LOCK} could not be installed")));
    }
    std::fs::write(&stamp, &wanted).with_context(|| format!("writing {}", stamp.display()))?;
    Ok(Outcome::Passed(format!("{} packages", count(&wanted))))
}

fn is_new_enough() -> Result<bool> {
    if command::find("node").is_none() {
        return Ok(false);
    }
    let told = command::stdout(Command::new("node").arg("--version"))?;
    Ok(version(&told).is_some_and(|version| version >= OLDEST))
}

fn bring(workspace: &Workspace) -> Result<bool> {
    let folder = workspace.target().join("interop").join("node");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    command::succeeds(&mut npm(&folder, &["install", "--no-save", BROUGHT]))
}

fn npm(folder: &Path, arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.arg("--prefix").arg(folder).args(arguments).args(["--no-audit", "--no-fund", "--loglevel=error"]);
    npm
}

/// Major and minor number of `v20.19.1`.
fn version(told: &str) -> Option<(u32, u32)> {
    let mut parts = told.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// Packages of a lock file; the first entry is ours.
fn count(lock: &str) -> usize {
    lock.matches("\"node_modules/").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(version("v20.19.1\n"), Some((20, 19)));
        assert!(version("v18.20.4") < Some(OLDEST));
        assert!(version("v22.3.0") >= Some(OLDEST));
        assert_eq!(version("node 20"), None);
    }

    #[test]
    fn packages_of_a_lock_file_are_counted() {
        assert_eq!(count(r#"{"packages": {"": {}, "node_modules/a": {}, "node_modules/a/node_modules/b": {}}}"#), 2);
    }
}
