//! `muster bench wsi`: calls of the WSI against the bare HTTP stack, and against a server of others where there is one.

mod calls;
mod peer;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use muster_broker::identity::Msisdn;
use serde::Serialize;

use self::calls::{Call, Connections, Ran};
use self::peer::Peer;
use super::child::Process;
use super::{Machine, fleet};

/// What the run is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Devices that are registered and asked for something in turn.
    pub(crate) devices: u32,
    /// Seconds of each measurement.
    pub(crate) seconds: f64,
    /// Connections of the generator.
    pub(crate) connections: usize,
}

/// Figures of one kind of call.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) call: &'static str,
    pub(crate) per_s: f64,
    /// As a share of the bare limit with bodies of the same sizes.
    pub(crate) ratio: f64,
    pub(crate) bare_per_s: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of the server for a call, in microseconds.
    pub(crate) server_cpu_us: f64,
    /// Reads of the store for a call.
    pub(crate) reads: f64,
    /// Writes of the store for a call.
    pub(crate) writes: f64,
    /// Transactions of the store for a call.
    pub(crate) commits: f64,
    /// Octets of the request's and the answer's body.
    pub(crate) request_bytes: usize,
    pub(crate) answer_bytes: usize,
}

/// All figures.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) machine: Machine,
    pub(crate) connections: usize,
    /// Authenticated SOAP `doOperation`, durable before the answer, as a share of the bare limit.
    pub(crate) ratio_do_operation: f64,
    pub(crate) do_operation_per_s: f64,
    pub(crate) ratio_get_task: f64,
    /// The same operation over REST, as a share of SOAP; absent where the server has no REST.
    pub(crate) ratio_rest: Option<f64>,
    pub(crate) rows: Vec<Row>,
    pub(crate) peer: Option<PeerRow>,
    /// Why there is no peer.
    pub(crate) peer_missing: Option<String>,
}

/// Figures of a server that others wrote, with the envelope of `doOperation` and a constant answer: it neither
/// authenticates nor stores.
#[derive(Debug, Serialize)]
pub(crate) struct PeerRow {
    pub(crate) name: String,
    pub(crate) per_s: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Our rate as a multiple of its.
    pub(crate) times: f64,
}

/// Runs everything. `told` is called with what goes on.
pub(crate) async fn run(plan: Plan, told: impl Fn(&str)) -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("bench.toml");
    std::fs::write(&config, "[limits]\nwsi_requests_per_second = 10000000\n")?;
    let mut rows = Vec::new();
    for kind in Call::ALL {
        // Each has a server of its own with as many tasks: what one kind of call leaves behind is no burden to another.
        let data = folder.path().join(kind.replace(['/', ' '], "-"));
        register(&data, plan.devices).await?;
        let server = Process::server_with(&data, Some(&config))?;
        let tasks = calls::warm(&server, plan.devices).await?;
        told(kind);
        if let Some(row) = measure(&server, Call::of(kind, plan.devices, tasks), plan).await? {
            rows.push(row);
        }
    }
    told("a server of others");
    let (peer, peer_missing) = match Peer::start() {
        Ok(peer) => (Some(against(&peer, plan, rate(&rows, calls::DO_OPERATION)).await?), None),
        Err(missing) => (None, Some(missing.to_string())),
    };
    let ratio = |name: &str| rows.iter().find(|row| row.call == name).map(|row| row.ratio);
    Ok(Figures {
        machine: Machine::look(),
        connections: plan.connections,
        ratio_do_operation: ratio(calls::DO_OPERATION).context("doOperation was not measured")?,
        do_operation_per_s: rate(&rows, calls::DO_OPERATION),
        ratio_get_task: ratio(calls::GET_TASK).context("getTaskById was not measured")?,
        ratio_rest: ratio(calls::REST)
            .map(|_| rate(&rows, calls::REST) / rate(&rows, calls::DO_OPERATION).max(f64::EPSILON)),
        rows,
        peer,
        peer_missing,
    })
}

fn rate(rows: &[Row], name: &str) -> f64 {
    rows.iter().find(|row| row.call == name).map_or(0.0, |row| row.per_s)
}

async fn register(data: &Path, devices: u32) -> anyhow::Result<()> {
    let (store, vault) = crate::serve::open(data)?;
    let number = |index: u32| Msisdn::parse(&calls::phone_number(index)).ok();
    let oids = fleet::oids(devices);
    let oid = |index: u32| oids.get(index as usize).copied().unwrap_or_else(|| fleet::oid_of(index));
    fleet::register_as(&store, &vault, devices, oid, |index, device| device.phone_number = number(index)).await
}

/// One kind of call, and then the bare stack with the same sizes; nothing where the server does not have it.
async fn measure(server: &Process, call: Call, plan: Plan) -> anyhow::Result<Option<Row>> {
    let time = Duration::from_secs_f64(plan.seconds);
    let name = call.name;
    let Some(sizes) = calls::try_one(server.address("north")?, &call).await? else { return Ok(None) };
    let mut connections = Connections::open(server.address("north")?, plan.connections).await?;
    // Caches, connections and the log are as they are in the long run.
    connections.run(&call, time.mul_f64(0.25)).await?;
    let (cpu, store) = (server.cpu_us(), calls::store_counters(server).await?);
    let ran = connections.run(&call, time).await?;
    let (cpu, store) = (server.cpu_us() - cpu, calls::store_counters(server).await?.since(store));
    drop(connections);
    ensure!(ran.calls > 0, "no call of {name} ended");
    let bare = bare(sizes, plan).await?;
    let of_calls = |number: u64| number as f64 / ran.calls as f64;
    Ok(Some(Row {
        call: name,
        per_s: ran.rate(),
        ratio: ran.rate() / bare.rate(),
        bare_per_s: bare.rate(),
        p50_ms: ran.quantile_ms(0.5),
        p99_ms: ran.quantile_ms(0.99),
        server_cpu_us: of_calls(cpu),
        reads: of_calls(store.reads),
        writes: of_calls(store.writes),
        commits: of_calls(store.commits),
        request_bytes: sizes.0,
        answer_bytes: sizes.1,
    }))
}

async fn bare(sizes: (usize, usize), plan: Plan) -> anyhow::Result<Ran> {
    let echo = Process::echo(sizes.1, sizes.1)?;
    let address = echo.address("south").context("the echo did not start")?;
    let mut connections = Connections::open(address, plan.connections).await?;
    connections.run(&Call::bare(sizes.0), Duration::from_secs_f64(plan.seconds)).await
}

async fn against(peer: &Peer, plan: Plan, ours_per_s: f64) -> anyhow::Result<PeerRow> {
    let call = Call::do_operation(plan.devices);
    calls::try_one(peer.address, &call).await?.context("the peer did not take the envelope")?;
    let mut connections = Connections::open(peer.address, plan.connections).await?;
    let time = Duration::from_secs_f64(plan.seconds);
    connections.run(&call, time.mul_f64(0.25)).await?;
    let ran = connections.run(&call, time).await?;
    Ok(PeerRow {
        name: peer.name.clone(),
        per_s: ran.rate(),
        p50_ms: ran.quantile_ms(0.5),
        p99_ms: ran.quantile_ms(0.99),
        times: ours_per_s / ran.rate().max(f64::EPSILON),
    })
}
