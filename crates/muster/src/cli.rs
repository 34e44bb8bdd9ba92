//! The commands.

mod approvals;
mod audit;
mod backup;
mod bench;
mod call;
mod callbacks;
mod charges;
mod connection;
mod decode;
mod demo;
mod devices;
mod import;
mod jobs;
mod keys;
mod listing;
mod log;
mod principal;
mod principals;
mod profiles;
mod quotas;
mod restore;
mod roles;
mod serve;
mod sim;
mod tasks;
mod tenants;
mod trace;
mod tree;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Manages devices over OMA DM for systems that ask over web services.
///
/// `muster demo` shows the whole of it in a minute: a server, a fleet of simulated devices, and an External System.
/// `muster serve` is the server. The DM WSI is at /wsi of its northbound address (WSDL at /wsi?wsdl), devices post to
/// /dm of its southbound address.
#[derive(Debug, Parser)]
#[command(name = "muster", version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  muster demo                                    everything on this machine, in a temporary folder
  muster serve --data ./muster-data              a server; prints the administrator's password once
  muster sim --server http://127.0.0.1:8081/dm --devices 10 --fleet-out fleet.json
                                                 ten devices; fleet.json is what to import for them
  muster call importDeviceInstances --args @fleet.json
  muster import devices.csv                      a table of any number of devices
  muster call getDeviceInstances --set page.pageSize=10
  muster call doOperation --explain              what an operation takes, with an example
  muster decode message.wbxml                    what a device sent, explained

Commands that ask a server take the password from MUSTER_PASSWORD, or an API key, a session or a client
certificate. Each command has its own --help.";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Sim(sim::Args),
    Call(call::Args),
    Devices(devices::Args),
    Tasks(tasks::Args),
    Jobs(jobs::Args),
    Callbacks(callbacks::Args),
    Import(import::Args),
    Decode(decode::Args),
    Trace(trace::Args),
    Tree(tree::Args),
    Tenants(tenants::Args),
    Principals(principals::Args),
    Roles(roles::Args),
    Keys(keys::Args),
    Principal(principal::Args),
    Approvals(approvals::Args),
    Quotas(quotas::Args),
    Audit(audit::Args),
    Charges(charges::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Profiles(profiles::Args),
    Bench(bench::Args),
    /// Writes a completion script for a shell to standard output.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Runs the command given.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Sim(args) => sim::run(&args),
        Command::Call(args) => call::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Tasks(args) => tasks::run(&args),
        Command::Jobs(args) => jobs::run(&args),
        Command::Callbacks(args) => callbacks::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Decode(args) => decode::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Tree(args) => tree::run(&args),
        Command::Tenants(args) => tenants::run(&args),
        Command::Principals(args) => principals::run(&args),
        Command::Roles(args) => roles::run(&args),
        Command::Keys(args) => keys::run(&args),
        Command::Principal(args) => principal::run(args),
        Command::Approvals(args) => approvals::run(&args),
        Command::Quotas(args) => quotas::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Charges(args) => charges::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Profiles(args) => profiles::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "muster", &mut script);
            print!("{}", String::from_utf8_lossy(&script));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The runtime that commands with network work run on.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Hears when the process is told to end. From the moment it is made, SIGTERM and Ctrl-C no longer end the process by
/// themselves.
struct Ending {
    terminate: Signal,
    interrupt: Signal,
}

impl Ending {
    /// Begins to listen. Must be called within a runtime.
    fn new() -> anyhow::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Ends when the process is told to.
    async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
