//! Whether every device ended as its behaviour demands.

use std::collections::BTreeMap;

use muster_simulator::http::HttpDevice;

use super::cast::{self, Cast, NODE, VALUE};

/// A task as it ended.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) task: String,
    pub(super) device: String,
    pub(super) status: String,
    pub(super) detail: String,
    pub(super) messages: u64,
    pub(super) seconds: f64,
    pub(super) attempts: i64,
    /// Place of the device in the fleet; absent where the task was for the show only.
    pub(super) at: Option<usize>,
    /// What the task shows.
    pub(super) part: &'static str,
    /// Whether its device behaves well and it succeeded.
    pub(super) is_ordinary: bool,
    /// State that it must have, where it is not one of the deployment.
    pub(super) expected: Option<&'static str>,
}

/// What is wrong with the tasks; nothing if all is well.
pub(super) fn check_tasks(cast: &Cast, rows: &[Row]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut wrong = |row: &Row, what: String| findings.push(format!("{} ({}): {what}", row.device, row.part));
    for row in rows {
        let expected = row.expected.unwrap_or_else(|| end_state(row.at));
        if row.status != expected {
            wrong(row, format!("{} instead of {expected}: {}", row.status, row.detail));
        }
        match row.at {
            Some(cast::FAILS) if !(row.detail.contains("405") && row.detail.contains(NODE)) => {
                wrong(row, format!("the reason names neither status nor node: {}", row.detail));
            }
            Some(cast::DROPS) if row.attempts < 2 => wrong(row, "succeeded without a retry".to_owned()),
            Some(cast::NEVER_CONNECTS | cast::WRONG_CREDENTIALS) if row.attempts != 0 => {
                wrong(row, format!("{} attempts were counted", row.attempts));
            }
            _ => {}
        }
    }
    let of_fleet = rows.iter().filter(|row| row.at.is_some()).count();
    if of_fleet != cast.devices.len() {
        findings.push(format!("{of_fleet} tasks for {} devices", cast.devices.len()));
    }
    findings
}

fn end_state(at: Option<usize>) -> &'static str {
    match at {
        Some(cast::DECLINES) => "REJECTED",
        Some(cast::FAILS) => "FAILED",
        Some(cast::NEVER_CONNECTS | cast::WRONG_CREDENTIALS) => "CANCELLED",
        _ => "SUCCEEDED",
    }
}

/// What the devices hold must be what the tasks say.
pub(super) fn check_devices(cast: &Cast, rows: &[Row], devices: &[HttpDevice]) -> Vec<String> {
    let mut findings = Vec::new();
    if devices.len() != cast.devices.len() {
        findings.push(format!("{} of {} devices came back", devices.len(), cast.devices.len()));
    }
    for row in rows {
        let Some(device) = row.at.and_then(|at| devices.get(at)) else { continue };
        let is_written = device.device.tree.text(NODE) == Some(VALUE);
        if is_written != (row.status == "SUCCEEDED") {
            let holds = if is_written { "holds" } else { "does not hold" };
            findings.push(format!("{}: its task {}, and it {holds} the new value", row.device, row.status));
        }
        let times = device.device.ledger().count(NODE, "Replace");
        let allowed = if row.at == Some(cast::DROPS) { 2 } else { 1 };
        if times > allowed {
            findings.push(format!("{}: the value was written {times} times", row.device));
        }
    }
    findings
}

/// Number of tasks by state.
pub(super) fn by_status(rows: &[Row]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row.status.as_str()).or_default() += 1;
    }
    counts
}
