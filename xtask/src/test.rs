//! `cargo xtask test`: what tests need, every Rust test, and foreign programs against the binary.

mod count;
mod node;
mod setup;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use self::count::Count;
use crate::command;
use crate::stage::{Outcome, Stage};
use crate::workspace::Workspace;

/// The stages in order.
pub(crate) const STAGES: [Stage; 10] = [
    Stage {
        name: "python",
        does: "a virtual environment with pinned packages for the interop suites",
        needs: &[],
        run: setup::python,
    },
    Stage {
        name: "node",
        does: "pinned packages of the npm registry for the interop suites in JavaScript",
        needs: &[],
        run: node::packages,
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
    Stage {
        name: "soap",
        does: "an External System (node, soap) against the running binary with simulated devices",
        needs: &["node", "build"],
        run: soap,
    },
    Stage {
        name: "typescript",
        does: "a client that others' tools generate from the served OpenAPI document, compiled strictly and run",
        needs: &["node", "build"],
        run: typescript,
    },
    Stage {
        name: "schemathesis",
        does: "requests that a tool makes up from the served OpenAPI document, and all its checks of the answers",
        needs: &["python", "build"],
        run: schemathesis,
    },
];

/// One build for all later stages: the same packages and targets, so the same features.
fn build(workspace: &Workspace) -> Result<Outcome> {
    let mut cargo = workspace.cargo(&["build", "--locked", "--workspace", "--bins", "--tests"]);
    Ok(if command::succeeds(&mut cargo)? {
        Outcome::Passed(String::new())
    } else {
        Outcome::Failed("the build failed".to_owned())
    })
}

fn rust(workspace: &Workspace) -> Result<Outcome> {
    let mut cargo = if command::find("cargo-nextest").is_some() {
        workspace.cargo(&["nextest", "run", "--locked", "--workspace", "--no-fail-fast", "--status-level", "fail"])
    } else {
        workspace.cargo(&["test", "--locked", "--workspace", "--bins", "--lib", "--tests", "--no-fail-fast"])
    };
    counted(&mut cargo)
}

/// There may be no example, and that is no failure.
fn doc(workspace: &Workspace) -> Result<Outcome> {
    let (success, count) =
        tests_of(&mut workspace.cargo(&["test", "--locked", "--workspace", "--doc", "--no-fail-fast"]))?;
    Ok(outcome(success, count))
}

fn zeep(workspace: &Workspace) -> Result<Outcome> {
    python_suite(workspace, "interop/run.py")
}

fn schemathesis(workspace: &Workspace) -> Result<Outcome> {
    python_suite(workspace, "interop/described.py")
}

fn soap(workspace: &Workspace) -> Result<Outcome> {
    node_suite(workspace, "interop/node/run.mjs")
}

fn typescript(workspace: &Workspace) -> Result<Outcome> {
    node_suite(workspace, "interop/node/typescript/run.mjs")
}

fn python_suite(workspace: &Workspace, script: &str) -> Result<Outcome> {
    let mut python = Command::new(setup::venv_python(workspace));
    python.arg("-u").arg(script).arg("--binary").arg(binary(workspace)).current_dir(workspace.root());
    counted(&mut python)
}

fn node_suite(workspace: &Workspace, script: &str) -> Result<Outcome> {
    let mut node = Command::new(node::program(workspace));
    node.arg(script).arg("--binary").arg(binary(workspace)).current_dir(workspace.root());
    counted(&mut node)
}

fn binary(workspace: &Workspace) -> PathBuf {
    workspace.target().join("debug").join(format!("muster{}", std::env::consts::EXE_SUFFIX))
}

/// Runs a program that runs tests. Finding none is a failure: a suite that is not there passes too easily.
fn counted(command: &mut Command) -> Result<Outcome> {
    let (success, count) = tests_of(command)?;
    Ok(if success && count.passed == 0 {
        Outcome::Failed("no test was found".to_owned())
    } else {
        outcome(success, count)
    })
}

fn tests_of(command: &mut Command) -> Result<(bool, Count)> {
    let (success, lines) = command::watched(command)?;
    Ok((success, count::of(&lines)))
}

fn outcome(success: bool, count: Count) -> Outcome {
    match (success, count.skipped) {
        (true, 0) => Outcome::Passed(count.to_string()),
        (true, _) => Outcome::NotRun(count.to_string()),
        (false, _) => Outcome::Failed(count.to_string()),
    }
}
