//! Where the workspace and its build products are, and which files belong to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;

/// The folders a stage works in.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Asks cargo, so that `CARGO_TARGET_DIR` and configuration files count.
    ///
    /// # Errors
    /// If cargo cannot be run or the manifest cannot be read.
    pub(crate) fn locate() -> Result<Self> {
        let mut cargo = Command::new(cargo());
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: serde_json::Value = serde_json::from_str(&command::stdout(&mut cargo)?)?;
        let path = |field: &str| -> Result<PathBuf> {
            let text = metadata.get(field).and_then(serde_json::Value::as_str);
            Ok(text.with_context(|| format!("cargo metadata has no {field}"))?.into())
        };
        Ok(Self::at(path("workspace_root")?, path("target_directory")?))
    }

    /// A workspace at a known place.
    pub(crate) fn at(root: PathBuf, target: PathBuf) -> Self {
        Self { root, target }
    }

    /// The folder of the root manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder cargo builds into.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// A cargo command that runs in the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// The text of a file named from the root.
    ///
    /// # Errors
    /// If it cannot be read as UTF-8.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.root.join(path)).with_context(|| format!("reading {path}"))
    }

    /// Every file that is, or is about to be, under version control, named from the root.
    ///
    /// # Errors
    /// If git cannot be run here.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let mut git = Command::new("git");
        // A clone made by another user is ours to read; git refuses it otherwise.
        git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = command::stdout(git.current_dir(&self.root))?;
        let names = listing.split('\0').filter(|name| !name.is_empty());
        // A file deleted but not yet committed is still listed.
        Ok(names.filter(|name| self.root.join(name).is_file()).map(str::to_owned).collect())
    }
}

/// The cargo that started us, so that a `+toolchain` is kept.
fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
