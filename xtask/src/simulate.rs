//! `cargo xtask simulate`: both ends of OMA DM against each other, from as many seeds as one likes.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::USAGE;
use crate::command;
use crate::workspace::Workspace;

/// Seeds of a night.
const SEEDS: u64 = 100_000;

/// What to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    from: u64,
    seeds: u64,
}

/// Plays the seeds in the release build.
///
/// # Errors
/// If the arguments are not understood or cargo cannot be started.
pub(crate) fn run(words: &[String]) -> Result<ExitCode> {
    let wanted = Wanted::read(words)?;
    let workspace = Workspace::locate()?;
    let mut cargo = workspace.cargo(&["test", "--locked", "--release", "--package", "muster-southbound"]);
    cargo.args(["--test", "simulation", "--", "--nocapture"]);
    cargo.env("MUSTER_SIMULATE_FROM", wanted.from.to_string());
    cargo.env("MUSTER_SIMULATE_SEEDS", wanted.seeds.to_string());
    cargo.env("MUSTER_SIMULATE_TELL", "1");
    Ok(if command::succeeds(&mut cargo)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Wanted {
    fn read(words: &[String]) -> Result<Self> {
        let mut wanted = Self { from: 1, seeds: SEEDS };
        for pair in words.chunks(2) {
            let [name, value] = pair else { bail!("arguments not understood\n\n{USAGE}") };
            let number = value.parse().with_context(|| format!("{name} {value}: a number is wanted"))?;
            match name.as_str() {
                "--seeds" => wanted.seeds = number,
                "--from" => wanted.from = number,
                "--seed" => wanted = Self { from: number, seeds: 1 },
                _ => bail!("arguments not understood\n\n{USAGE}"),
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn read(words: &str) -> Result<Wanted> {
        Wanted::read(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn one_seed_is_played_alone_and_many_from_where_one_says() {
        assert_eq!(read("").unwrap(), Wanted { from: 1, seeds: SEEDS });
        assert_eq!(read("--seed 4711").unwrap(), Wanted { from: 4711, seeds: 1 });
        assert_eq!(read("--seeds 500 --from 9").unwrap(), Wanted { from: 9, seeds: 500 });
    }

    #[test]
    fn what_is_not_understood_is_told_with_the_usage() {
        assert!(read("--seeds many").unwrap_err().to_string().contains("--seeds many"));
        assert!(read("--sed 3").unwrap_err().to_string().contains("usage"));
        assert!(read("--seed").unwrap_err().to_string().contains("usage"));
    }
}
