use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use muster_southbound::profile::{Profile, Profiles, When};
use serde_json::json;

use crate::config::File;

/// Lists device profiles: kinds of devices that depart from the specification, how they are recognised, where it was seen.
///
/// A profile is chosen when a session begins: the one that the record of the device or its capability names in the
/// attribute dmProfile, else the first in the list that recognises the device. Profiles of a configuration file come
/// first and may replace built-in ones by their names.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Prints this profile whole, in the form that a configuration file takes.
    name: Option<String>,
    /// Configuration file with profiles of your own.
    #[arg(long, env = "MUSTER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  muster profiles                                all of them
  muster profiles libdmclient                    one of them, to copy into muster.toml
  muster profiles --config muster.toml --json    yours and the built-in ones, for scripts";

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let file = args.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
    let profiles = Profiles::new(file.profile)?;
    match &args.name {
        Some(name) => {
            let known = || profiles.all().iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
            let profile = profiles.all().iter().find(|it| it.name == *name);
            let profile = profile.with_context(|| format!("no profile {name}; there are {}", known()))?;
            if args.json {
                println!("{}", serde_json::to_string_pretty(profile)?);
            } else {
                print!("{}", toml::to_string(&OneOfFile { profile: [profile] })?);
            }
        }
        None if args.json => println!("{}", json!(profiles.all())),
        None => print!("{}", list(profiles.all())),
    }
    Ok(ExitCode::SUCCESS)
}

/// A file with one profile.
#[derive(serde::Serialize)]
struct OneOfFile<'a> {
    profile: [&'a Profile; 1],
}

/// Names in a column, and beside them where it was seen and how it is recognised.
fn list(profiles: &[Profile]) -> String {
    let width = profiles.iter().map(|it| it.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for profile in profiles {
        let named = || "a record or capability that names it".to_owned();
        let ways: Vec<String> = profile.when.iter().map(way).collect();
        let ways = if ways.is_empty() { vec![named()] } else { ways };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$}  {}", profile.name, profile.seen);
        for (number, way) in ways.iter().enumerate() {
            let head = if number == 0 { "by" } else { "or" };
            let _ = writeln!(text, "{:width$}  {head} {way}", "");
        }
    }
    text
}

/// One way in which a device is recognised, in words.
fn way(when: &When) -> String {
    let lists = [
        ("manufacturer", &when.manufacturer),
        ("model", &when.model),
        ("software", &when.software_version),
        ("User-Agent", &when.user_agent),
    ];
    let given = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let mut parts: Vec<String> = given.map(|(name, list)| format!("{name} {}", list.join(" or "))).collect();
    parts.extend(when.observed.iter().map(|it| it.words().to_owned()));
    parts.join(", ")
}
