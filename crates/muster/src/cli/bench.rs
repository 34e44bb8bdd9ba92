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
    /// The first page of lists, narrowed by each field alone.
    Lists {
        /// Devices registered, and tasks made.
        #[arg(long, default_value_t = 1_000_000)]
        devices: u32,
        /// Times that each filter is asked, with another value each time.
        #[arg(long, default_value_t = 200)]
        queries: u32,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Calls of the WSI against the bare HTTP stack, and against node `soap` where it is installed.
    Wsi {
        /// Devices that are asked for something in turn.
        #[arg(long, default_value_t = 10_000)]
        devices: u32,
        /// Seconds of each measurement.
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
        /// Connections of the generator.
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// A table of devices over REST into a new database, while another caller writes.
    Import {
        /// Rows of the table.
        #[arg(long, default_value_t = 1_000_000)]
        devices: u32,
        /// Rows in no order of any key.
        #[arg(long)]
        shuffled: bool,
        /// No other caller.
        #[arg(long)]
        alone: bool,
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
    /// The session machine alone, without reading and writing octets.
    Machine {
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
        What::Lists { devices, queries, json } => {
            let plan = bench::lists::Plan { devices: *devices.max(&1), queries: *queries.max(&1) };
            let told = |what: &str| eprintln!("{what} …");
            let figures = super::runtime()?.block_on(bench::lists::run(plan, told))?;
            if *json { print_json(&figures)? } else { print_lists(&figures) }
        }
        What::Wsi { devices, seconds, connections, json } => {
            let plan = bench::wsi::Plan { devices: *devices.max(&1), seconds: *seconds, connections: *connections };
            let told = |what: &str| eprintln!("{what} …");
            let figures = super::runtime()?.block_on(bench::wsi::run(plan, told))?;
            if *json { print_json(&figures)? } else { print_wsi(&figures) }
        }
        What::Import { devices, shuffled, alone, json } => {
            let plan = bench::import::Plan { devices: (*devices).max(1), is_shuffled: *shuffled, is_probed: !alone };
            let told = |what: &str| eprintln!("{what} …");
            let figures = super::runtime()?.block_on(bench::import::run(plan, told))?;
            if *json { print_json(&figures)? } else { print_import(&figures) }
        }
        What::Wbxml { json } => print_codec(&bench::codec::wbxml()?, *json)?,
        What::Xml { json } => print_codec(&bench::codec::xml()?, *json)?,
        What::Machine { json } => print_machine(&bench::machine::run()?, *json)?,
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

fn print_lists(figures: &bench::lists::Figures) {
    let mut table = Table::new(&["list", "filter", "matching", "p50 ms", "p99 ms", "max ms"]);
    for row in &figures.rows {
        let matching = match row.matching {
            (least, most) if least == most => most.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        table.row([
            row.list.to_owned(),
            row.filter.clone(),
            matching,
            format!("{:.2}", row.p50_ms),
            format!("{:.2}", row.p99_ms),
            format!("{:.2}", row.max_ms),
        ]);
    }
    print!("{table}");
    println!();
    println!("worst p99   {:.1} ms (goal: below {:.0})", figures.worst_p99_ms, figures.goal_ms);
    println!("registered  {:.0} devices/s with all their fields", figures.register_per_s);
    let machine = &figures.machine;
    println!("machine     {}, {} cores, Linux {}", machine.cpu, machine.cores, machine.kernel);
}

fn print_wsi(figures: &bench::wsi::Figures) {
    let mut table = Table::new(&[
        "call",
        "per second",
        "bare",
        "ratio",
        "p50 ms",
        "p99 ms",
        "server CPU µs",
        "reads",
        "writes",
        "commits",
        "octets in, out",
    ]);
    for row in &figures.rows {
        table.row([
            row.call.to_owned(),
            format!("{:.0}", row.per_s),
            format!("{:.0}", row.bare_per_s),
            format!("{:.3}", row.ratio),
            format!("{:.2}", row.p50_ms),
            format!("{:.2}", row.p99_ms),
            format!("{:.0}", row.server_cpu_us),
            format!("{:.2}", row.reads),
            format!("{:.2}", row.writes),
            format!("{:.3}", row.commits),
            format!("{}, {}", row.request_bytes, row.answer_bytes),
        ]);
    }
    print!("{table}");
    println!();
    match (&figures.peer, &figures.peer_missing) {
        (Some(peer), _) => println!(
            "peer     {}: {:.0} a second (p50 {:.2} ms, p99 {:.2} ms); ours is {:.1} times that",
            peer.name, peer.per_s, peer.p50_ms, peer.p99_ms, peer.times
        ),
        (None, Some(why)) => println!("no peer  {why}"),
        (None, None) => {}
    }
    if figures.ratio_rest.is_none() {
        println!("no REST  the server has no address for it");
    }
    let machine = &figures.machine;
    println!("machine  {}, {} cores, Linux {}", machine.cpu, machine.cores, machine.kernel);
}

fn print_import(figures: &bench::import::Figures) {
    println!("rows                 {}, {:.0} MiB", figures.devices, figures.table_mib);
    println!("import               {:.0} rows/s, {:.1} s", figures.import_per_s, figures.seconds);
    println!("the same again       {:.0} rows/s, nothing changed", figures.unchanged_per_s);
    println!("server CPU of a row  {:.1} µs", figures.server_cpu_us);
    println!("resident memory      {:.0} MiB", figures.resident_mib);
    println!(
        "writes of another    {}, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        figures.probes, figures.probe_p50_ms, figures.probe_p99_ms, figures.probe_max_ms
    );
    let machine = &figures.machine;
    println!("machine              {}, {} cores, Linux {}", machine.cpu, machine.cores, machine.kernel);
}

fn print_machine(figures: &bench::machine::MachineFigures, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(&OnMachine { machine: bench::Machine::look(), figures });
    }
    let mut table = Table::new(&["message and reply", "take µs", "reply µs", "together µs"]);
    let mut row = |name: &str, receive_us: f64, answer_us: f64| {
        let together = format!("{:.2}", receive_us + answer_us);
        table.row([name.to_owned(), format!("{receive_us:.2}"), format!("{answer_us:.2}"), together]);
    };
    for step in &figures.steps {
        row(step.name, step.receive_us, step.answer_us);
    }
    print!("{table}");
    println!();
    println!("message  {:.2} µs with its reply (goal: at most {:.0})", figures.message_us, figures.goal_us);
    let machine = bench::Machine::look();
    println!("machine  {}, {} cores, Linux {}", machine.cpu, machine.cores, machine.kernel);
    Ok(())
}

/// Figures with the machine that they are from.
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
    let ratio = |ratio: Option<f64>, goal: Option<f64>| match (ratio, goal) {
        (Some(ratio), Some(goal)) => format!("{ratio:.1} (goal {goal:.0})"),
        (Some(ratio), None) => format!("{ratio:.1}"),
        (None, _) => "–".to_owned(),
    };
    let goals = figures.goals;
    let mut table =
        Table::new(&["messages", "octets", "decode µs", "times peer", "encode µs", "times peer", "times conversion"]);
    for row in &figures.rows {
        table.row([
            row.name.clone(),
            row.octets.to_string(),
            format!("{:.2}", row.decode_ns / 1_000.0),
            ratio(row.ratio_decode, Some(goals.decode)),
            format!("{:.2}", row.encode_ns / 1_000.0),
            ratio(row.ratio_encode, goals.encode),
            ratio(row.ratio_convert, goals.convert),
        ]);
    }
    print!("{table}");
    println!();
    if figures.ratio_convert.is_some() {
        println!(
            "times peer is to its tree and from it; times conversion is our encoding to the peer's from XML to WBXML"
        );
    }
    println!("decode   {:.0} MB/s", figures.decode_mb_per_s);
    println!("encode   {:.0} MB/s", figures.encode_mb_per_s);
    match &figures.peer_missing {
        None => println!("peer     {}", figures.peer),
        Some(why) => println!("no peer  {}: {why}", figures.peer),
    }
    let machine = bench::Machine::look();
    println!("machine  {}, {} cores, Linux {}", machine.cpu, machine.cores, machine.kernel);
    Ok(())
}
