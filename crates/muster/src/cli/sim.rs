use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use muster_simulator::behaviour::Persona;
use muster_simulator::dm1::SessionEnd;
use muster_simulator::fleet::{DeviceSpec, Fleet, FleetRun, FleetSpec, Mix};
use muster_simulator::http::HttpOptions;
use serde_json::Value;

use crate::demo::import_record;
use crate::http_client::trusted;

/// A fleet of simulated devices against any OMA DM server: from a seed, or as a file describes it.
///
/// Devices connect, sleep, and connect again until Ctrl-C, or until each has had --sessions sessions. Ends with 1 if
/// not one session was complete.
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub(super) struct Args {
    /// Address that devices post to.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8081/dm")]
    server: String,
    /// How many devices.
    #[arg(long, default_value_t = 10)]
    devices: u64,
    /// Decides who the devices are: the same seed makes the same fleet.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many of a hundred devices speak XML; the others speak WBXML.
    #[arg(long, default_value_t = 50)]
    xml_percent: u8,
    /// ServerID in the accounts of the devices.
    #[arg(long, default_value = "muster")]
    server_id: String,
    /// What the devices are like (see below).
    #[arg(long, value_name = "NAME", default_value = "plain", value_parser = persona)]
    persona: Persona,
    /// Some devices misbehave: one declines, one has another IMEI, one drops the connection, and so on.
    #[arg(long)]
    misbehave: bool,
    /// A fleet as a file: {"poll_ms": 200, "devices": [{"device_id", "client_name", "client_secret", "auth", …}]}.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["devices", "seed", "xml_percent", "persona", "misbehave"])]
    fleet: Option<PathBuf>,
    /// Writes what to give to importDeviceInstances for this fleet, and goes on.
    #[arg(long, value_name = "FILE")]
    fleet_out: Option<PathBuf>,
    /// Only writes --fleet-out; no device connects.
    #[arg(long, requires = "fleet_out")]
    no_run: bool,
    /// Milliseconds from a device's session to its next.
    #[arg(long, value_name = "MS")]
    poll_ms: Option<u64>,
    /// Sessions of each device, after which it is done; without it devices go on.
    #[arg(long)]
    sessions: Option<u64>,
    /// Sessions at the same time.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// Certificate to trust besides those of the system (PEM).
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Each session as one JSON line, and the figures at the end.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  muster sim --devices 10 --fleet-out fleet.json --no-run    who they are
  muster call importDeviceInstances --args @fleet.json       the server knows them
  muster sim --devices 10                                    the same ten, until Ctrl-C
  muster sim --devices 1000 --seed 7 --sessions 1 --json     one session each
  muster sim --devices 20 --persona samsung                  handsets that write things otherwise
  muster sim --server https://127.0.0.1:8081/dm --trust muster-data/self-signed.crt";

/// Examples, and what each persona is like.
fn after_help() -> String {
    let personas = Persona::ALL.map(|it| format!("  {:<13}{}", it.name(), it.words()));
    format!("{EXAMPLES}\n\nPersonas, each like devices that were seen:\n{}", personas.join("\n"))
}

fn persona(name: &str) -> Result<Persona, String> {
    Persona::parse(name).ok_or_else(|| format!("write one of: {}", Persona::ALL.map(Persona::name).join(", ")))
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    check_address(&args.server)?;
    let (devices, poll) = match &args.fleet {
        Some(path) => file::read(path)?,
        None => (generated(args).iter().collect(), None),
    };
    if let Some(path) = &args.fleet_out {
        write_import(path, &devices)?;
        if args.no_run {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let interval = Duration::from_millis(args.poll_ms.or(poll).unwrap_or(1_000));
    let run = FleetRun {
        server_url: args.server.clone(),
        interval,
        jitter: interval / 2,
        concurrency: args.concurrency,
        sessions_per_device: args.sessions,
        reports_max: 65_536,
        http: http_options(args.trust.as_deref())?,
    };
    super::runtime()?.block_on(play(devices, run, args.json))
}

fn generated(args: &Args) -> FleetSpec {
    FleetSpec {
        xml_percent: args.xml_percent,
        server_id: args.server_id.clone(),
        persona: args.persona,
        mix: if args.misbehave { Mix::Demo } else { Mix::Good },
        ..FleetSpec::new(args.devices, args.seed)
    }
}

fn http_options(trust: Option<&Path>) -> anyhow::Result<HttpOptions> {
    let mut options = HttpOptions::new()?;
    if let Some(path) = trust {
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        options.client =
            trusted(path)?.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate).build()?;
    }
    Ok(options)
}

/// A mistyped address is told at once, not by each device.
fn check_address(address: &str) -> anyhow::Result<()> {
    let url = reqwest::Url::parse(address)
        .with_context(|| format!("--server {address}: write an address like http://127.0.0.1:8081/dm"))?;
    anyhow::ensure!(matches!(url.scheme(), "http" | "https"), "--server {address}: devices speak http or https");
    Ok(())
}

fn write_import(path: &Path, devices: &[DeviceSpec]) -> anyhow::Result<()> {
    let records: Vec<_> = devices.iter().map(import_record).collect();
    let arguments = serde_json::json!({"deviceInstance": records, "updateExisting": true});
    std::fs::write(path, serde_json::to_string_pretty(&arguments)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

async fn play(devices: Vec<DeviceSpec>, run: FleetRun, json: bool) -> anyhow::Result<ExitCode> {
    let sessions = run.sessions_per_device.map(|each| each * devices.len() as u64);
    let bar = match (json || !std::io::stderr().is_terminal(), sessions) {
        (true, _) => ProgressBar::hidden(),
        (false, Some(sessions)) => ProgressBar::new(sessions)
            .with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} sessions  {per_sec}  {msg}")?),
        (false, None) => {
            ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} sessions  {msg}")?)
        }
    };
    let mut fleet = Fleet::start(devices, run);
    let (counters, stopper) = (fleet.counters(), fleet.stopper());
    let mut ending = super::Ending::new()?;
    let mut stopping = false;
    let mut failures: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let report = tokio::select! {
            report = fleet.next_report() => report,
            () = ending.told() => {
                anyhow::ensure!(!stopping, "told to end again: open sessions were cut off");
                stopping = true;
                stopper.stop();
                continue;
            }
        };
        let Some(report) = report else { break };
        bar.inc(1);
        if report.end != SessionEnd::Complete {
            *failures.entry(told(&report.end)).or_default() += 1;
        }
        let counts = counters.counts();
        bar.set_message(format!("{} failed, {} messages", counts.sessions_failed, counts.messages_sent));
        if json {
            println!("{}", serde_json::to_string(&report)?);
        }
    }
    bar.finish_and_clear();
    let counts = fleet.finish().await.counts;
    if json {
        println!("{}", serde_json::to_string(&serde_json::json!({ "counts": counts }))?);
    } else {
        println!(
            "{} sessions complete, {} failed, {} messages, {} commands executed, {} complaints about the server",
            counts.sessions_complete,
            counts.sessions_failed,
            counts.messages_sent,
            counts.commands_executed,
            counts.complaints
        );
        for (why, sessions) in &failures {
            println!("  {sessions} failed: {why}");
        }
    }
    let nothing_worked = counts.sessions_complete == 0 && counts.sessions_failed > 0;
    Ok(if nothing_worked { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How a session ended, in words: `transport: connection refused`.
fn told(end: &SessionEnd) -> String {
    let words = |name: &str| name.replace('_', " ");
    match serde_json::to_value(end) {
        Ok(Value::String(name)) => words(&name),
        Ok(Value::Object(fields)) => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.iter().map(|(name, value)| format!("{}: {}", words(name), text(value))).collect()
        }
        _ => format!("{end:?}"),
    }
}

/// A fleet as a file describes it.
mod file {
    use std::path::Path;

    use anyhow::{Context as _, bail};
    use muster_protocol::syncml::Encoding;
    use muster_simulator::account::{AuthType, ServerSecret};
    use muster_simulator::behaviour::{Behaviour, Persona};
    use muster_simulator::fleet::{DeviceSpec, FleetSpec, Mix};
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct FleetFile {
        #[serde(default)]
        poll_ms: Option<u64>,
        #[serde(default = "muster")]
        server_id: String,
        devices: Vec<DeviceEntry>,
    }

    fn muster() -> String {
        "muster".to_owned()
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct DeviceEntry {
        device_id: String,
        client_name: String,
        client_secret: String,
        #[serde(default)]
        auth: Option<String>,
        #[serde(default)]
        client_nonce: Option<Vec<u8>>,
        #[serde(default)]
        server_name: Option<String>,
        #[serde(default)]
        server_secret: Option<String>,
        #[serde(default)]
        encoding: Option<String>,
        #[serde(default)]
        manufacturer: Option<String>,
        #[serde(default)]
        model: Option<String>,
        #[serde(default)]
        firmware: Option<String>,
        #[serde(default)]
        msisdn: Option<String>,
        /// Name of a persona, to which the behaviours are added.
        #[serde(default)]
        persona: Option<String>,
        #[serde(default)]
        behaviour: Behaviours,
    }

    /// `"well_behaved"`, one behaviour, or several.
    #[derive(Default, Deserialize)]
    #[serde(untagged)]
    enum Behaviours {
        #[default]
        None,
        Several(Vec<Behaviour>),
        One(Behaviour),
        Named(String),
    }

    pub(super) fn read(path: &Path) -> anyhow::Result<(Vec<DeviceSpec>, Option<u64>)> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file: FleetFile =
            serde_json::from_str(&text).with_context(|| format!("{} is not understood", path.display()))?;
        let pattern =
            FleetSpec { mix: Mix::Good, server_id: file.server_id, ..FleetSpec::new(file.devices.len() as u64, 1) };
        let entries = file.devices.into_iter().zip(pattern.iter());
        let devices = entries.map(|(entry, pattern)| spec(entry, pattern)).collect::<anyhow::Result<_>>()?;
        Ok((devices, file.poll_ms))
    }

    fn spec(entry: DeviceEntry, pattern: DeviceSpec) -> anyhow::Result<DeviceSpec> {
        let encoding = match entry.encoding.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("xml") => Encoding::Xml,
            None | Some("wbxml") => Encoding::Wbxml,
            Some(other) => bail!("encoding {other}: write xml or wbxml"),
        };
        let auth = match entry.auth.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("basic") => AuthType::Basic,
            None | Some("md5" | "digest") => AuthType::Md5,
            Some("hmac" | "mac") => AuthType::Hmac,
            Some(other) => bail!("auth {other}: write md5, hmac or basic"),
        };
        let persona = entry.persona.as_deref().map_or(Ok(Persona::Plain), super::persona);
        let persona = persona.map_err(|words| anyhow::anyhow!("persona: {words}"))?;
        let own = match entry.behaviour {
            Behaviours::None => Vec::new(),
            Behaviours::Several(several) => several,
            Behaviours::One(one) => vec![one],
            Behaviours::Named(name) if name == "well_behaved" => Vec::new(),
            Behaviours::Named(name) => bail!("behaviour {name} is not known"),
        };
        let server = entry.server_secret.map(|secret| {
            let name = entry.server_name.clone().unwrap_or_else(|| pattern.server_id.clone());
            let nonce = pattern.server.as_ref().map(|it| it.nonce.clone()).unwrap_or_default();
            ServerSecret::md5(name, secret, nonce)
        });
        Ok(DeviceSpec {
            imei: entry.device_id.trim_start_matches("IMEI:").to_owned(),
            client_name: entry.client_name,
            client_secret: entry.client_secret,
            client_nonce: entry.client_nonce,
            auth,
            encoding,
            server,
            behaviours: [persona.behaviours(), own].concat(),
            manufacturer: entry.manufacturer.unwrap_or(pattern.manufacturer.clone()),
            model: entry.model.unwrap_or(pattern.model.clone()),
            firmware: entry.firmware.unwrap_or(pattern.firmware.clone()),
            msisdn: entry.msisdn.unwrap_or(pattern.msisdn.clone()),
            ..pattern
        })
    }
}
