use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::dm1::SessionEnd;
use crate::http::SessionReport;

/// Live figures of a running fleet.
#[derive(Debug, Default)]
pub struct Counters {
    devices_done: AtomicU64,
    devices_silent: AtomicU64,
    sessions_open: AtomicU64,
    sessions_complete: AtomicU64,
    sessions_failed: AtomicU64,
    messages_sent: AtomicU64,
    commands_executed: AtomicU64,
    complaints: AtomicU64,
    reports_lost: AtomicU64,
}

/// The figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Devices that have had all their sessions, or were stopped.
    pub devices_done: u64,
    /// Devices that never connect.
    pub devices_silent: u64,
    /// Sessions under way.
    pub sessions_open: u64,
    /// Sessions that ended well.
    pub sessions_complete: u64,
    /// Sessions that ended in any other way, lost connections included.
    pub sessions_failed: u64,
    /// Messages sent by devices.
    pub messages_sent: u64,
    /// Commands answered by devices, failures included.
    pub commands_executed: u64,
    /// Departures from the specification that devices saw.
    pub complaints: u64,
    /// Reports that nobody took in time.
    pub reports_lost: u64,
}

impl Counters {
    pub(super) fn device_done(&self) {
        self.devices_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn device_silent(&self) {
        self.devices_silent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn session_opened(&self) {
        self.sessions_open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn report_lost(&self) {
        self.reports_lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn session_closed(&self, report: &SessionReport) {
        let ended = match report.end {
            SessionEnd::Complete => &self.sessions_complete,
            _ => &self.sessions_failed,
        };
        ended.fetch_add(1, Ordering::Relaxed);
        self.messages_sent.fetch_add(u64::from(report.messages_sent), Ordering::Relaxed);
        self.commands_executed.fetch_add(report.executed.len() as u64, Ordering::Relaxed);
        self.complaints.fetch_add(report.complaints.len() as u64, Ordering::Relaxed);
        self.sessions_open.fetch_sub(1, Ordering::Relaxed);
    }

    /// The figures now; each is exact, together they may be a moment apart.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        Counts {
            devices_done: read(&self.devices_done),
            devices_silent: read(&self.devices_silent),
            sessions_open: read(&self.sessions_open),
            sessions_complete: read(&self.sessions_complete),
            sessions_failed: read(&self.sessions_failed),
            messages_sent: read(&self.messages_sent),
            commands_executed: read(&self.commands_executed),
            complaints: read(&self.complaints),
            reports_lost: read(&self.reports_lost),
        }
    }
}
