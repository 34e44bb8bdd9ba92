//! A fleet at work: one task for each device, all on the caller's runtime.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::{Counters, Counts, DeviceSpec};
use crate::dm1::{Initiation, SessionEnd};
use crate::http::{HttpDevice, HttpOptions, SessionReport};

/// How a fleet is run.
#[derive(Clone, Debug)]
pub struct FleetRun {
    /// Where first messages go.
    pub server_url: String,
    /// From the end of a device's session to the beginning of its next.
    pub interval: Duration,
    /// Up to so much is added to each interval, and waited before the first session, so that devices spread out.
    pub jitter: Duration,
    /// Sessions open at the same time.
    pub concurrency: usize,
    /// After so many sessions a device is done; a session that was lost on purpose does not count.
    /// Without it, devices go on until they are stopped.
    pub sessions_per_device: Option<u64>,
    /// Reports kept for whoever reads them; more are counted as lost.
    pub reports_max: usize,
    /// Shared by all devices.
    pub http: HttpOptions,
}

impl FleetRun {
    /// One session for each device, at once, 64 at a time.
    #[must_use]
    pub fn once(server_url: &str, http: HttpOptions) -> Self {
        Self {
            server_url: server_url.to_owned(),
            interval: Duration::ZERO,
            jitter: Duration::ZERO,
            concurrency: 64,
            sessions_per_device: Some(1),
            reports_max: 65_536,
            http,
        }
    }
}

/// A running fleet. Dropping it ends all sessions at once; [`Stopper::stop`] lets them finish.
#[derive(Debug)]
pub struct Fleet {
    counters: Arc<Counters>,
    reports: mpsc::Receiver<SessionReport>,
    stopper: Stopper,
    devices: JoinSet<(u64, HttpDevice)>,
}

/// Stops a fleet from elsewhere.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// No device begins another session; those under way go on to their end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// What is left of a fleet that is done.
#[derive(Debug)]
pub struct Finished {
    /// The last figures.
    pub counts: Counts,
    /// The devices with their trees and ledgers, in the order of their indices.
    pub devices: Vec<HttpDevice>,
}

/// What every device of a fleet shares.
#[derive(Clone)]
struct Shared {
    run: Arc<FleetRun>,
    counters: Arc<Counters>,
    reports: mpsc::Sender<SessionReport>,
    places: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

impl Fleet {
    /// Starts all devices. Must be called within a tokio runtime.
    ///
    /// Each device takes a task and a tree, some 20 kB in all. For fleets beyond memory, run ranges of indices one after the
    /// other: `(from..to).map(|index| spec.device(index))`.
    #[must_use]
    pub fn start(devices: impl IntoIterator<Item = DeviceSpec>, run: FleetRun) -> Self {
        let counters = Arc::new(Counters::default());
        let (reports, received) = mpsc::channel(run.reports_max.max(1));
        let (stop, stopped) = watch::channel(false);
        let places = Arc::new(Semaphore::new(run.concurrency.clamp(1, Semaphore::MAX_PERMITS)));
        let shared = Shared { run: Arc::new(run), counters: Arc::clone(&counters), reports, places, stop: stopped };
        let mut tasks = JoinSet::new();
        for spec in devices {
            tasks.spawn(live(spec, shared.clone()));
        }
        Self { counters, reports: received, stopper: Stopper(Arc::new(stop)), devices: tasks }
    }

    /// The live figures, to keep and read at any time.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// A handle that stops the fleet.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// The next session that ended; nothing once every device is done and all reports are read.
    pub async fn next_report(&mut self) -> Option<SessionReport> {
        self.reports.recv().await
    }

    /// Waits until every device is done. Does not stop them.
    pub async fn finish(mut self) -> Finished {
        let mut devices = Vec::with_capacity(self.devices.len());
        while let Some(joined) = self.devices.join_next().await {
            match joined {
                Ok(device) => devices.push(device),
                Err(error) => tracing::error!(%error, "a device's task failed"),
            }
        }
        devices.sort_by_key(|(index, _)| *index);
        Finished { counts: self.counters.counts(), devices: devices.into_iter().map(|(_, device)| device).collect() }
    }
}

/// The life of one device: waits, connects, reports, again.
async fn live(spec: DeviceSpec, mut shared: Shared) -> (u64, HttpDevice) {
    let mut random = fastrand::Rng::with_seed(spec.seed);
    let mut device = spec.connected(&shared.run.server_url, shared.run.http.clone());
    if device.never_connects() {
        shared.counters.device_silent();
        return (spec.index, device);
    }
    let mut wait = shared.run.jitter.mul_f64(random.f64());
    let mut sessions = 0;
    while shared.run.sessions_per_device.is_none_or(|most| sessions < most) {
        if !shared.ready(wait).await {
            break;
        }
        let Ok(place) = Arc::clone(&shared.places).acquire_owned().await else { break };
        if *shared.stop.borrow() {
            break;
        }
        shared.counters.session_opened();
        let report = device.connect(&Initiation::Client).await;
        shared.counters.session_closed(&report);
        drop(place);
        // A device that lost its connection, or restarted, comes back at once.
        wait = if matches!(report.end, SessionEnd::Dropped | SessionEnd::Rebooted) {
            Duration::ZERO
        } else {
            sessions += 1;
            shared.run.interval + shared.run.jitter.mul_f64(random.f64())
        };
        if shared.reports.try_send(report).is_err() {
            shared.counters.report_lost();
        }
    }
    shared.counters.device_done();
    (spec.index, device)
}

impl Shared {
    /// Waits, unless the fleet is stopped meanwhile. Returns whether to go on.
    async fn ready(&mut self, wait: Duration) -> bool {
        tokio::select! {
            biased;
            // An error means that the fleet itself is gone.
            _ = self.stop.wait_for(|stopped| *stopped) => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}
