use std::process::ExitCode;

use serde::Serialize;

use crate::bench;
use crate::show::Table;

/// Measures this build on this machine, each figure beside a peer or a bare limit in the same run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Device sessions, and idle check-ins, against the bare HTTP stack.
    Sessions {
        /// Devices registered in the first part.
        #[arg(long, default_value_t = 1_000)]
        few: u32,
        /// Devices registered in the second part.
        #[arg(long, default_value_t = 1_000_000)]
        many: u32,
        /// Seconds of each measurement.
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
        /// Connections of the generator.
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Decoding and encoding WBXML, against libwbxml where it is installed.
    Wbxml {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Decoding and encoding XML, against libxml2 where it is installed.
    Xml {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// The bare limit, for `sessions`: answers with bodies of the lengths given.
    #[command(hide = true)]
    Echo {
        /// Octets of the first answer.
        first: usize,
        /// Octets of the second answer.
        second: usize,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Sessions { few, many, seconds, connections, json } => {
            let plan = bench::sessions::Plan {
                few: *few.max(&1),
                many: *many.max(&1),
                seconds: *seconds,
                connections: *connections,
            };
            let told = |what: &str| eprintln!("{what} …");
            let figures = super::runtime()?.block_on(bench::sessions::run(plan, told))?;
            if *json { print_json(&figures)? } else { print_sessions(&figures) }
        }
        What::Wbxml { json } => print_codec(&bench::codec::wbxml()?, *json)?,
        What::Xml { json } => print_codec(&bench::codec::xml()?, *json)?,
        What::Echo { first, second } => super::runtime()?.block_on(bench::serve_echo(*first, *second))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_json(figures: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}

fn print_sessions(figures: &bench::sessions::Figures) {
    let mut table =
        Table::new(&["what", "devices", "per second", "of the bare limit", "p50 ms", "p99 ms", "server CPU µs"]);
    let mut row = |what: &str, devices: String, rate: f64, p50: f64, p99: f64, cpu: String| {
        let ratio = format!("{:.2}", rate / figures.bare_per_s);
        table.row([
            what.to_owned(),
            devices,
            format!("{rate:.0}"),
            ratio,
            format!("{p50:.2}"),
            format!("{p99:.2}"),
            cpu,
        ]);
    };
    row(
        "2 bare round trips",
        String::new(),
        figures.bare_per_s,
        figures.bare_p50_ms,
        figures.bare_p99_ms,
        String::new(),
    );
    for part in &figures.parts {
        let devices = part.devices.to_string();
        let cpu = format!("{:.0}", part.server_cpu_us);
        row("full session", devices.clone(), part.sessions_per_s, part.p50_ms, part.p99_ms, cpu);
        let cpu = format!("{:.0}", part.idle_server_cpu_us);
        let devices = format!("{} of {devices}", part.idle_devices);
        row("idle check-in", devices, part.idle_per_s, part.idle_p50_ms, part.idle_p99_ms, cpu);
    }
    print!("{table}");
    println!();
    println!("many to few devices  {:.2}", figures.many_to_few);
    println!("resident memory      {:.0} MiB", figures.resident_mib);
    println!("registered           {:.0} devices/s", figures.register_per_s);
    let machine = &figures.machine;
    println!("machine              {}, {} cores, Linux {}", machine.cpu, machine.cores, machine.kernel);
}

/// Figures of a codec with the machine that they are from.
#[derive(Serialize)]
struct OnMachine<T> {
    machine: bench::Machine,
    #[serde(flatten)]
    figures: T,
}

fn print_codec(figures: &bench::codec::CodecFigures, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(&OnMachine { machine: bench::Machine::look(), figures });
    }
    let of_peer = |ratio: Option<f64>| ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.1}"));
    let speed = |speed: Option<f64>| speed.map_or("–".to_owned(), |speed| format!("{speed:.0}"));
    let mut table = Table::new(&["what", "MB/s", "peer MB/s", "times the peer"]);
    let ours = |mb_per_s: f64| format!("{mb_per_s:.0}");
    let decode = [ours(figures.decode_mb_per_s), speed(figures.peer_decode_mb_per_s), of_peer(figures.ratio_decode)];
    let encode = [ours(figures.encode_mb_per_s), speed(figures.peer_encode_mb_per_s), of_peer(figures.ratio_encode)];
    table.row(std::iter::once("decode".to_owned()).chain(decode));
    table.row(std::iter::once("encode".to_owned()).chain(encode));
    print!("{table}");
    println!();
    match &figures.peer_missing {
        None => println!("peer     {}", figures.peer),
        Some(why) => println!("no peer  {}: {why}", figures.peer),
    }
    let machine = bench::Machine::look();
    println!("machine  {}, {} cores, Linux {}", machine.cpu, machine.cores, machine.kernel);
    Ok(())
}
