//! `cargo xtask lint`: what compilers check, and what they do not.

mod conformance;
mod dependencies;
mod graph;
mod links;
mod policy;
mod spdx;
mod text;

use anyhow::Result;

use crate::command;
use crate::stage::{Outcome, Stage};
use crate::workspace::Workspace;

/// The stages in order.
pub(crate) const STAGES: [Stage; 7] = [
    Stage { name: "format", does: "every Rust file is as rustfmt writes it", needs: &[], run: format },
    Stage { name: "clippy", does: "no warning of the compiler or of clippy", needs: &[], run: clippy },
    Stage {
        name: "docs",
        does: "the documentation builds, private items too, without a dead link",
        needs: &[],
        run: docs,
    },
    Stage {
        name: "dependencies",
        does: "licences, allowed dependencies, arrows between our crates, a reason for each",
        needs: &[],
        run: dependencies::check,
    },
    Stage {
        name: "text",
        does: "nothing unfinished or switched off, no path of a machine, portable SQL",
        needs: &[],
        run: text::check,
    },
    Stage {
        name: "links",
        does: "every relative link in Markdown resolves, every crate has a README.md",
        needs: &[],
        run: links::check,
    },
    Stage {
        name: "conformance",
        does: "every requirement of the conformance tables has a status, and every test named there exists",
        needs: &[],
        run: conformance::check,
    },
];

fn format(workspace: &Workspace) -> Result<Outcome> {
    // Without this, a difference would be shown in full for every file.
    passed_if(&mut workspace.cargo(&["fmt", "--all", "--check", "--", "--files-with-diff"]))
}

fn clippy(workspace: &Workspace) -> Result<Outcome> {
    let arguments = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    passed_if(&mut workspace.cargo(&arguments))
}

fn docs(workspace: &Workspace) -> Result<Outcome> {
    let arguments = ["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"];
    passed_if(workspace.cargo(&arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

fn passed_if(command: &mut std::process::Command) -> Result<Outcome> {
    Ok(if command::succeeds(command)? {
        Outcome::Passed(String::new())
    } else {
        Outcome::Failed("see above".to_owned())
    })
}
