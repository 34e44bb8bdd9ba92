//! `cargo xtask test`: what tests need, every Rust test, and foreign programs against the binary.

mod count;
mod setup;

use std::process::Command;

use anyhow::Result;

use crate::command;
use crate::stage::{Outcome, Stage};
use crate::workspace::Workspace;

/// The stages in order.
pub(crate) const STAGES: [Stage; 6] = [
    Stage {
        name: "python",
        does: "a virtual environment with pinned packages for the interop suites",
        needs: &[],
        run: setup::python,
    },
    Stage {
        name: "packages",
        does: "system packages whose programs the tests compare with",
        needs: &[],
        run: setup::packages,
    },
    Stage { name: "build", does: "the muster binary and every test binary", needs: &[], run: build },
    Stage { name: "rust", does: "every Rust test of the workspace", needs: &["build"], run: rust },
    Stage { name: "doc", does: "every example in the documentation", needs: &["build"], run: doc },
    Stage {
        name: "zeep",
        does: "an External System (Python, zeep) against the running binary with simulated devices",
        needs: &["python", "build"],
        run: zeep,
    },
];

/// One build for all later stages: the same packages and targets, so the same features.
fn build(workspace: &Workspace) -> Result<Outcome> {
    let mut cargo = workspace.cargo(&["build", "--locked", "--workspace", "--bins", "--tests"]);
    passed_if(command::succeeds(&mut cargo)?, "", "the build failed")
}

fn rust(workspace: &Workspace) -> Result<Outcome> {
    let mut cargo = if command::find("cargo-nextest").is_some() {
        workspace.cargo(&["nextest", "run", "--locked", "--workspace", "--no-fail-fast", "--status-level", "fail"])
    } else {
        workspace.cargo(&["test", "--locked", "--workspace", "--bins", "--lib", "--tests", "--no-fail-fast"])
    };
    counted(&mut cargo)
}

fn doc(workspace: &Workspace) -> Result<Outcome> {
    counted(&mut workspace.cargo(&["test", "--locked", "--workspace", "--doc", "--no-fail-fast"]))
}

fn zeep(workspace: &Workspace) -> Result<Outcome> {
    let binary = workspace.target().join("debug").join(format!("muster{}", std::env::consts::EXE_SUFFIX));
    let mut python = Command::new(setup::venv_python(workspace));
    python.arg("-u").arg("interop/run.py").arg("--binary").arg(binary).current_dir(workspace.root());
    counted(&mut python)
}

/// Runs a program that runs tests; it must succeed and must have run some.
fn counted(command: &mut Command) -> Result<Outcome> {
    let (success, lines) = command::watched(command)?;
    let count = count::of(&lines);
    Ok(match (success, count.skipped) {
        (true, 0) => Outcome::Passed(count.to_string()),
        (true, _) => Outcome::NotRun(count.to_string()),
        (false, _) => Outcome::Failed(count.to_string()),
    })
}

fn passed_if(success: bool, counted: &str, complaint: &str) -> Result<Outcome> {
    Ok(if success { Outcome::Passed(counted.to_owned()) } else { Outcome::Failed(complaint.to_owned()) })
}
