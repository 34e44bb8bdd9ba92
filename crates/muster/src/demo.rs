//! The demonstration: a server, a fleet, and an External System that asks and reads the true results, all over real
//! sockets on loopback.

mod cast;
mod external_system;
mod say;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use muster_simulator::fleet::{Fleet, FleetRun, Stopper};
use muster_simulator::http::{HttpDevice, HttpOptions};
use serde_json::json;

use crate::config::{File, Sessions};
use crate::http_client::{Credential, Tls};
use crate::serve::{ADMINISTRATOR, Options as ServerOptions, Server, System, random_password};
use crate::soap_client::SoapClient;

use cast::Cast;
pub(crate) use cast::import_record;
use external_system::ExternalSystem;
use say::Say;

/// What the demonstration is asked to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) devices: u64,
    pub(crate) seed: u64,
    pub(crate) json: bool,
    pub(crate) keep: bool,
}

/// Sessions of the whole fleet so far.
type SessionCount = Arc<AtomicU64>;

/// Plays it. Returns whether every device ended as its behaviour demands. With `keep` it goes on until `ended`.
pub(crate) async fn play(options: Options, ended: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<bool> {
    let begin = Instant::now();
    let say = Say::new(options.json);
    let cast = Cast::new(options.devices, options.seed);
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let password = random_password(&System);
    let server = Server::start(ServerOptions {
        data: folder.path().to_owned(),
        file: configuration(),
        admin_password: Some(password.clone()),
    })
    .await?;
    let (wsi, devices_at) = (format!("{}/wsi", server.north.url()), format!("{}/dm", server.south.url()));
    say.step("serve", &format!("{wsi} for External Systems, {devices_at} for devices, data in a temporary folder"));

    let client = SoapClient::new(&wsi, &Tls::default(), Credential::None)?;
    let second = SoapClient::new(&wsi, &Tls::default(), Credential::None)?;
    let mut system = ExternalSystem::new(client, second, say, &cast);
    system.login(ADMINISTRATOR, &password).await?;
    system.create_capabilities().await?;
    system.import().await?;

    let sessions = SessionCount::default();
    let (stopper, fleet) = start_fleet(&cast, &devices_at, sessions.clone())?;
    say.step("fleet", &format!("{} devices connect on their own, half in XML and half in WBXML", cast.devices.len()));

    system.query_and_update().await?;
    system.policies().await?;
    system.deploy().await?;
    system.look().await?;
    system.cancel_what_never_connects().await?;
    let rows = system.collect().await?;
    let mut findings = verdict::check_tasks(&cast, &rows);

    if options.keep {
        say.kept(&wsi, &devices_at, ADMINISTRATOR, &password, folder.path());
        finish(options, &say, &system, &rows, &findings, &sessions, begin);
        ended.await?;
        stopper.stop();
        fleet.await?;
    } else {
        stopper.stop();
        let devices = fleet.await?;
        findings.extend(verdict::check_devices(&cast, &rows, &devices));
        finish(options, &say, &system, &rows, &findings, &sessions, begin);
    }
    server.stop().await;
    Ok(findings.is_empty())
}

fn finish(
    options: Options,
    say: &Say,
    system: &ExternalSystem<'_>,
    rows: &[verdict::Row],
    findings: &[String],
    sessions: &SessionCount,
    begin: Instant,
) {
    let elapsed = begin.elapsed();
    let sessions = sessions.load(Ordering::Relaxed);
    if options.json {
        let object = json!({
            "ok": findings.is_empty(),
            "devices": options.devices,
            "seed": options.seed,
            "jobs": system.jobs,
            "tasks": verdict::by_status(rows),
            "sessions": sessions,
            "elapsed_s": (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
            "findings": findings,
        });
        println!("{object}");
    } else {
        say.end(rows, findings, sessions, elapsed);
    }
}

/// Loopback, free ports, and the pace of a show.
fn configuration() -> File {
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let mut file = File::default();
    for listener in [&mut file.north, &mut file.south, &mut file.admin] {
        listener.address = Some(any);
    }
    file.sessions = Sessions { device_silent_seconds: 5, background_milliseconds: 50, ..Sessions::default() };
    file
}

type Running = std::pin::Pin<Box<dyn Future<Output = anyhow::Result<Vec<HttpDevice>>>>>;

/// Starts the devices. The future ends with the devices, once the stopper has been used.
fn start_fleet(cast: &Cast, url: &str, sessions: SessionCount) -> anyhow::Result<(Stopper, Running)> {
    // The more devices, the slower each polls: the show is about the flow, not about load.
    let interval = Duration::from_millis(250 + cast.devices.len() as u64 / 2);
    let mut fleet = Fleet::start(
        cast.devices.clone(),
        FleetRun {
            server_url: url.to_owned(),
            interval,
            jitter: interval,
            concurrency: 64,
            sessions_per_device: None,
            reports_max: 65_536,
            http: HttpOptions::new()?,
        },
    );
    let stopper = fleet.stopper();
    let handle = tokio::spawn(async move {
        while fleet.next_report().await.is_some() {
            sessions.fetch_add(1, Ordering::Relaxed);
        }
        fleet.finish().await.devices
    });
    Ok((stopper, Box::pin(async move { Ok(handle.await?) })))
}
