//! `muster bench sessions`: device sessions against the bare HTTP stack, with few and with many devices registered.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use serde_json::json;

use super::child::{PASSWORD, Process};
use super::generator::{Kind, Lines, Measured, Sizes, Speaker, sizes};
use super::{Machine, fleet};
use crate::serve::ADMINISTRATOR;
use crate::soap_client::SoapClient;

/// Devices that get a task in one round: as many as one call of the WSI takes.
const ROUND: u32 = 1_000;
/// Most devices that take turns in idle check-ins: so many that, of a large fleet, hardly any speaks twice.
const IDLE_DEVICES_MAX: u32 = 50_000;
/// Steps through the fleet: primes, so that they share no factor with a number of devices that is a power of ten.
const FULL_STRIDE: u64 = 611_953;
const IDLE_STRIDE: u64 = 753_001;

/// What the run is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Devices registered in the first part.
    pub(crate) few: u32,
    /// Devices registered in the second part.
    pub(crate) many: u32,
    /// Seconds of each measurement.
    pub(crate) seconds: f64,
    /// Connections of the generator.
    pub(crate) connections: usize,
}

impl Plan {
    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

/// Figures of one server.
#[derive(Debug, Serialize)]
pub(crate) struct Part {
    pub(crate) devices: u32,
    pub(crate) sessions_per_s: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of the server for a session, in microseconds.
    pub(crate) server_cpu_us: f64,
    /// Devices from all over the fleet that took turns in idle check-ins.
    pub(crate) idle_devices: u32,
    pub(crate) idle_per_s: f64,
    pub(crate) idle_p50_ms: f64,
    pub(crate) idle_p99_ms: f64,
    pub(crate) idle_server_cpu_us: f64,
    /// Resident memory of the server after the load, in MiB.
    pub(crate) resident_mib: f64,
}

/// All figures.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) machine: Machine,
    /// Full sessions with many devices, as a share of the bare limit.
    pub(crate) ratio: f64,
    pub(crate) sessions_per_s: f64,
    /// Two bare round trips with bodies of the same sizes, in a second.
    pub(crate) bare_per_s: f64,
    pub(crate) bare_p50_ms: f64,
    pub(crate) bare_p99_ms: f64,
    /// Idle check-ins with many devices, as a share of the bare limit.
    pub(crate) idle_ratio: f64,
    /// Rate of full sessions with many devices as a share of that with few.
    pub(crate) many_to_few: f64,
    /// Resident memory with many devices, in MiB.
    pub(crate) resident_mib: f64,
    pub(crate) register_per_s: f64,
    pub(crate) connections: usize,
    pub(crate) parts: Vec<Part>,
}

/// Runs everything. `told` is called with what goes on.
pub(crate) async fn run(plan: Plan, told: impl Fn(&str)) -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir()?;
    let (few, many) = (folder.path().join("few"), folder.path().join("many"));
    told(&format!("registering {} devices", plan.few));
    register(&few, plan.few).await?;
    told(&format!("registering {} devices", plan.many));
    let begin = Instant::now();
    register(&many, plan.many).await?;
    let register_per_s = f64::from(plan.many) / begin.elapsed().as_secs_f64();

    told("sessions with few devices");
    let (few, body_sizes) = part(&few, plan.few, plan).await?;
    told("sessions with many devices");
    let (many, _) = part(&many, plan.many, plan).await?;
    told("the bare HTTP stack with bodies of the same sizes");
    let bare = bare(&body_sizes, plan).await?;
    Ok(Figures {
        machine: Machine::look(),
        ratio: many.sessions_per_s / bare.rate(),
        sessions_per_s: many.sessions_per_s,
        bare_per_s: bare.rate(),
        bare_p50_ms: bare.quantile_ms(0.5),
        bare_p99_ms: bare.quantile_ms(0.99),
        idle_ratio: many.idle_per_s / bare.rate(),
        many_to_few: many.sessions_per_s / few.sessions_per_s,
        resident_mib: many.resident_mib,
        register_per_s,
        connections: plan.connections,
        parts: vec![few, many],
    })
}

async fn register(folder: &Path, devices: u32) -> anyhow::Result<()> {
    let (store, vault) = crate::serve::open(folder)?;
    // One device more, for measuring sizes.
    fleet::register(&store, &vault, devices + 1).await
}

async fn part(folder: &Path, devices: u32, plan: Plan) -> anyhow::Result<(Part, Sizes)> {
    let server = Process::server(folder)?;
    let south = server.address("south")?;
    let north = format!("http://{}/wsi", server.address("north")?);
    let wsi = SoapClient::with_basic(&north, ADMINISTRATOR, PASSWORD)?;
    ask(&wsi, &[devices]).await?;
    let body_sizes = sizes(south, &mut Speaker::new(devices)).await?;

    let mut lines = Lines::open(south, plan.connections).await?;
    let Full { measured: full, cpu_us, mut speakers } = full_sessions(&server, &wsi, &mut lines, devices, plan).await?;
    ensure!(full.sessions > 0, "no session ended");
    let idle_devices = devices.min(IDLE_DEVICES_MAX);
    let speakers = (0..idle_devices).map(|turn| take(&mut speakers, spread(devices, IDLE_STRIDE, turn.into())));
    let speakers = speakers.collect();
    let before = server.cpu_us();
    let (idle, _) = lines.run(speakers, Kind::Idle, plan.time()).await?;
    let idle_cpu = server.cpu_us() - before;
    let part = Part {
        devices,
        sessions_per_s: full.rate(),
        p50_ms: full.quantile_ms(0.5),
        p99_ms: full.quantile_ms(0.99),
        server_cpu_us: cpu_us as f64 / full.sessions as f64,
        idle_devices,
        idle_per_s: idle.rate(),
        idle_p50_ms: idle.quantile_ms(0.5),
        idle_p99_ms: idle.quantile_ms(0.99),
        idle_server_cpu_us: idle_cpu as f64 / idle.sessions.max(1) as f64,
        resident_mib: server.resident_mib(),
    };
    Ok((part, body_sizes))
}

/// Full sessions of one part.
struct Full {
    measured: Measured,
    /// Processor time of the server while sessions ran.
    cpu_us: u64,
    /// Devices that had sessions, with their nonces, by their index.
    speakers: HashMap<u32, Speaker>,
}

/// Rounds of sessions: the WSI asks each device of the round for one node, then they all connect. Only the sessions
/// count, not the asking.
async fn full_sessions(
    server: &Process,
    wsi: &SoapClient,
    lines: &mut Lines,
    devices: u32,
    plan: Plan,
) -> anyhow::Result<Full> {
    let mut all = Full { measured: Measured::default(), cpu_us: 0, speakers: HashMap::new() };
    let begin = Instant::now();
    let mut turn = 0;
    // The asking takes time too; the run as a whole ends in any case.
    while all.measured.elapsed < plan.time() && begin.elapsed() < 2 * plan.time() {
        let round: Vec<u32> =
            (turn..turn + u64::from(ROUND.min(devices))).map(|at| spread(devices, FULL_STRIDE, at)).collect();
        turn += round.len() as u64;
        ask(wsi, &round).await?;
        let speakers = round.iter().map(|index| take(&mut all.speakers, *index)).collect();
        let before = server.cpu_us();
        let (measured, speakers) = lines.run(speakers, Kind::Full, Duration::from_secs(30)).await?;
        all.cpu_us += server.cpu_us() - before;
        all.measured.add(measured);
        all.speakers.extend(speakers.into_iter().map(|speaker| (speaker.index, speaker)));
    }
    Ok(all)
}

/// The device as it was left by its last session, or one that has had none.
fn take(speakers: &mut HashMap<u32, Speaker>, index: u32) -> Speaker {
    speakers.remove(&index).unwrap_or_else(|| Speaker::new(index))
}

/// The device whose turn it is: all are visited, and neighbours in time are not neighbours in the database.
fn spread(devices: u32, stride: u64, turn: u64) -> u32 {
    (turn * stride % u64::from(devices)) as u32
}

/// Asks devices for one node, by one call of the WSI.
async fn ask(wsi: &SoapClient, devices: &[u32]) -> anyhow::Result<()> {
    let entry = |index: &u32| {
        json!({
            "operation": "QUERY", "deviceID": fleet::known(*index).device_id, "bOptin": false,
            "acceptDevicePolicy": 20, "testCycle": false,
            "arguments": {"parameter": [{"path": "./DevDetail/HwV"}]},
        })
    };
    let entries: Vec<_> = devices.iter().map(entry).collect();
    let receipt = wsi.call("doBulkOperation", json!({"request": entries})).await?;
    let made = receipt.get("taskId").and_then(|it| it.as_array()).map_or(0, Vec::len);
    ensure!(made == devices.len(), "{made} tasks were made for {} devices", devices.len());
    Ok(())
}

async fn bare(body_sizes: &Sizes, plan: Plan) -> anyhow::Result<Measured> {
    let echo = Process::echo(body_sizes.answers.0, body_sizes.answers.1)?;
    let address = echo.address("south").context("the echo did not start")?;
    let mut lines = Lines::open(address, plan.connections).await?;
    let speakers = (0..plan.connections as u32 * 2).map(Speaker::new).collect();
    let kind = Kind::Bare(body_sizes.requests.0, body_sizes.requests.1);
    Ok(lines.run(speakers, kind, plan.time()).await?.0)
}
