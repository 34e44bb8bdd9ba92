//! `cargo xtask test`, `lint` and `simulate`: everything around the code, without a task runner to install.
#![expect(clippy::print_stdout, reason = "a command for people: what it prints is its result")]

mod command;
mod lint;
mod simulate;
mod stage;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::stage::Report;
use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask <command> [--only <stage>]
       cargo xtask simulate [--seeds <count>] [--from <seed>] [--seed <seed>]

commands:
  test       set up what tests need, run every test of the workspace, then the interop suites
  lint       formatting, clippy, documentation, dependencies and licences, rules about text
  simulate   devices against the server from seeds, in the release build: 100000 of them unless
             told otherwise; --seed plays one alone, as a failure says

`cargo xtask <command> --list` names the stages of test and lint.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((command, words)) = arguments.split_first()
        && command == "simulate"
    {
        return simulate::run(words).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        });
    }
    match run(&arguments) {
        Ok(report) => report.finish(stage::in_ci()),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<Report> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (command, only) = match words.as_slice() {
        [command, "--list"] => return list(command),
        [command] => (*command, None),
        [command, "--only", stage] => (*command, Some(*stage)),
        _ => bail!("arguments not understood\n\n{USAGE}"),
    };
    let workspace = Workspace::locate()?;
    match command {
        "test" => stage::run(&test::STAGES, &workspace, only),
        "lint" => stage::run(&lint::STAGES, &workspace, only),
        other => bail!("no command {other:?}\n\n{USAGE}"),
    }
}

fn list(command: &str) -> Result<Report> {
    let stages = match command {
        "test" => test::STAGES.as_slice(),
        "lint" => lint::STAGES.as_slice(),
        other => bail!("no command {other:?}\n\n{USAGE}"),
    };
    for stage in stages {
        println!("{:<14}{}", stage.name, stage.does);
    }
    Ok(Report::default())
}
