//! `muster bench import`: a table of many devices over REST into a new database, with other callers at work meanwhile.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use serde_json::json;

use super::Machine;
use super::child::{PASSWORD, Process};
use crate::http_client::{Credential, Tls};
use crate::import_client::{ImportClient, Line, RowFormat, Summary, Wanted};
use crate::serve::ADMINISTRATOR;
use crate::soap_client::SoapClient;

/// Pause between the writes of another caller.
const PROBE_EVERY: Duration = Duration::from_millis(20);

/// What the run is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Rows of the table.
    pub(crate) devices: u32,
    /// Whether rows stand in no order of any key.
    pub(crate) is_shuffled: bool,
    /// Whether another caller writes meanwhile.
    pub(crate) is_probed: bool,
}

/// All figures.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) machine: Machine,
    pub(crate) devices: u32,
    /// Rows in a second, from the first octet sent to the summary; every row is durable by then.
    pub(crate) import_per_s: f64,
    pub(crate) seconds: f64,
    pub(crate) table_mib: f64,
    /// Processor time of the server for a row, in microseconds.
    pub(crate) server_cpu_us: f64,
    /// Resident memory of the server after the import, in MiB.
    pub(crate) resident_mib: f64,
    /// Rows in a second when the same table is sent again and each record is found to be as given.
    pub(crate) unchanged_per_s: f64,
    /// Writes of another caller during the import.
    pub(crate) probes: usize,
    pub(crate) probe_p50_ms: f64,
    pub(crate) probe_p99_ms: f64,
    pub(crate) probe_max_ms: f64,
}

/// Runs everything. `told` is called with what goes on.
pub(crate) async fn run(plan: Plan, told: impl Fn(&str)) -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir()?;
    let table = folder.path().join("devices.csv");
    told(&format!("a table of {} devices", plan.devices));
    let octets = write(&table, plan)?;
    let server = Process::server(&folder.path().join("data"))?;
    let north = format!("http://{}/wsi", server.address("north")?);
    let client = ImportClient::new(&north, &Tls::default(), Credential::Basic(ADMINISTRATOR.into(), PASSWORD.into()))?;
    let wsi = SoapClient::with_basic(&north, ADMINISTRATOR, PASSWORD)?;

    told("importing it");
    let is_over = Arc::new(AtomicBool::new(!plan.is_probed));
    let probing = tokio::spawn(probe(wsi, Arc::clone(&is_over)));
    let before = server.cpu_us();
    let began = Instant::now();
    let wanted = Wanted { id: Some("benchmark".to_owned()), ..Wanted::default() };
    let summary = import(&client, &table, &wanted).await?;
    let took = began.elapsed();
    let cpu_us = server.cpu_us() - before;
    is_over.store(true, Ordering::Relaxed);
    let mut waits = probing.await??;
    waits.sort_unstable();
    ensure!(summary.created == u64::from(plan.devices), "not every row was taken: {summary:?}");
    let resident_mib = server.resident_mib();

    told("importing it again, with updates");
    let began = Instant::now();
    let wanted = Wanted { update_existing: true, ..Wanted::default() };
    let again = import(&client, &table, &wanted).await?;
    ensure!(again.unchanged == u64::from(plan.devices), "a repeated import changed something: {again:?}");
    let again_took = began.elapsed();

    let rows = f64::from(plan.devices);
    let wait_ms = |share: f64| {
        let place = ((waits.len() as f64 * share) as usize).min(waits.len().saturating_sub(1));
        waits.get(place).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
    };
    Ok(Figures {
        machine: Machine::look(),
        devices: plan.devices,
        import_per_s: rows / took.as_secs_f64(),
        seconds: took.as_secs_f64(),
        table_mib: octets as f64 / f64::from(1 << 20),
        server_cpu_us: cpu_us as f64 / rows,
        resident_mib,
        unchanged_per_s: rows / again_took.as_secs_f64(),
        probes: waits.len(),
        probe_p50_ms: wait_ms(0.5),
        probe_p99_ms: wait_ms(0.99),
        probe_max_ms: wait_ms(1.0),
    })
}

async fn import(client: &ImportClient, table: &Path, wanted: &Wanted) -> anyhow::Result<Summary> {
    let mut summary = None;
    let rows = File::open(table)?;
    let told = |line| {
        match line {
            Line::Summary(all) => summary = Some(all),
            Line::Stopped(stopped) => anyhow::bail!("the import stopped: {stopped:?}"),
            Line::Rejected(_) | Line::Progress(_) => {}
        }
        Ok(())
    };
    client.send(rows, RowFormat::Csv, wanted, |_| {}, told).await?;
    summary.context("no summary")
}

/// A record of a subscriber is changed again and again; how long each change took.
async fn probe(wsi: SoapClient, is_over: Arc<AtomicBool>) -> anyhow::Result<Vec<Duration>> {
    let mut waits = Vec::new();
    if is_over.load(Ordering::Relaxed) {
        return Ok(waits);
    }
    wsi.call("createSubscriber", json!({"subscriber": {"subscriberId": "probe"}})).await?;
    while !is_over.load(Ordering::Relaxed) {
        let reference = waits.len().to_string();
        let record = json!({"subscriber": {"subscriberId": "probe", "accountReference": reference}});
        let began = Instant::now();
        wsi.call("updateSubscriber", record).await?;
        waits.push(began.elapsed());
        tokio::time::sleep(PROBE_EVERY).await;
    }
    Ok(waits)
}

/// Writes the table; gives its length in octets.
fn write(path: &Path, plan: Plan) -> anyhow::Result<u64> {
    let mut table = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(
        table,
        "deviceID,phoneNumber,imsi,manufacturer,model,firmwareVersion,group,dmAccount.authType,dmAccount.clientName,\
         dmAccount.clientSecret,dmAccount.serverSecret"
    )?;
    for row in 0..plan.devices {
        // A multiplication by an odd number is a permutation of the numbers below a power of two.
        let number = if plan.is_shuffled { row.wrapping_mul(0x9E37_79B1) } else { row };
        writeln!(
            table,
            "IMEI:35{number:012},+4915{number:010},26201{number:010},Example Devices,EX-1,1.0,fleet-a;pilot,DIGEST,\
             client-{number:010},secret-{number:010},server-{number:010}"
        )?;
    }
    table.flush()?;
    Ok(path.metadata()?.len())
}
