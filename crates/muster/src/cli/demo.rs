use std::process::ExitCode;

use crate::demo::{Options, play};

/// Shows the whole product on this machine: a server in a temporary folder, a fleet of simulated devices over OMA DM,
/// and an External System over SOAP. Ends with 0 only if every device ended as its behaviour demands.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many devices; at least 8, so that each behaviour has one.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(8..=100_000))]
    devices: u64,
    /// Decides who the devices are.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One JSON object instead of the show.
    #[arg(long)]
    json: bool,
    /// Leaves server and fleet running and prints their addresses and the password; ends with Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// What is logged.
    #[arg(long, env = "MUSTER_LOG", default_value = "error", value_name = "FILTER")]
    log: String,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { devices, seed, json, keep, log } = args;
    super::log::start(&log, false)?;
    let ended = async {
        super::Ending::new()?.told().await;
        Ok(())
    };
    let ok = super::runtime()?.block_on(play(Options { devices, seed, json, keep }, ended))?;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
