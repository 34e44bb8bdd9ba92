use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::CapabilityOid;
use muster_broker::job::{DeviceFilter, JobView, Selector};
use muster_broker::page::Paged;
use muster_broker::progress::{self, Outlook, Rehearsal};
use muster_broker::rollout::{Cut, Phase};
use muster_broker::services::{Deployment, DeploymentReceipt, TasksWanted};
use muster_broker::task::{HistoryEntry, Task};

use super::deployment_broker::{schedule, schedule_told};
use super::{pairs, rejected, request_key};
use crate::contract::bulk_operations as wire;

/// The deployments of a request, each with `InvalidArgument` for what the schema cannot say.
pub(crate) fn deployments(given: Vec<wire::Deployment>) -> Vec<Result<Deployment, Fault>> {
    given.into_iter().enumerate().map(|(index, entry)| deployment(index, entry)).collect()
}

fn deployment(index: usize, given: wire::Deployment) -> Result<Deployment, Fault> {
    let at = format!("deployment[{index}]");
    Ok(Deployment {
        request: request_key(given.request_id.as_ref(), &given, &format!("{at}.requestId"))?,
        name: given.name,
        description: given.description,
        operation: given.operation,
        devices: selector(given.devices, &format!("{at}.devices"))?,
        opt_in: given.opt_in,
        policy: given.accept_device_policy.0,
        test_cycle: given.test_cycle,
        arguments: given.arguments.map(Into::into).unwrap_or_default(),
        schedule: schedule(given.schedule, &format!("{at}.schedule"))?,
        priority: given.priority,
        callback: given.callback.map(Into::into),
    })
}

fn selector(given: wire::DeviceSelector, at: &str) -> Result<Selector, Fault> {
    // What is no identifier of this server is that of no record, as in every other operation.
    let capability = |(index, oid): (usize, String)| {
        CapabilityOid::parse(&oid).map_err(|_| {
            let text = format!("{at}.deviceCapabilityOid[{index}]: there is no such device capability record");
            Fault::new(FaultName::UnknownCapability, text).with(&oid)
        })
    };
    Ok(Selector {
        phone_number: given.phone_number,
        device_id: given.device_id,
        capability: given.device_capability_oid.into_iter().enumerate().map(capability).collect::<Result<_, _>>()?,
        filter: given.filter.map(Into::into),
        all_devices: given.all_devices.unwrap_or(false),
    })
}

impl From<wire::DeviceFilter> for DeviceFilter {
    fn from(given: wire::DeviceFilter) -> Self {
        Self {
            manufacturer: given.manufacturer,
            model: given.model,
            firmware_version: given.firmware_version,
            management_state: given.management_state,
            group: given.group,
            last_seen_before: given.last_seen_before,
            last_seen_since: given.last_seen_since,
            attribute: pairs(given.attribute),
            expression: None,
            groups: None,
        }
    }
}

impl From<DeploymentReceipt> for wire::DeploymentReceipt {
    fn from(receipt: DeploymentReceipt) -> Self {
        Self { job_id: receipt.job_id, rejected: rejected(receipt.rejected) }
    }
}

/// Which tasks, and which part of the list.
pub(crate) fn tasks_wanted(given: wire::GetTasks) -> (TasksWanted, Option<wire::PageRequest>) {
    let wanted = TasksWanted {
        job_id: given.job_id,
        device_id: given.device_id,
        phone_number: given.phone_number,
        created_since: given.created_since,
        status: given.status,
        expression: given.filter_expression,
    };
    (wanted, given.page)
}

impl From<JobView> for wire::JobData {
    fn from(view: JobView) -> Self {
        let wave_progress = wave_progress(&view);
        let left_out: u64 = view.left_out.iter().map(|(_, count)| *count).sum();
        let rehearsal = view.outlook.as_ref().and_then(|_| progress::rehearsal(&view.job, &view.counts, left_out));
        let JobView { job, counts, reasons, left_out, outlook, .. } = view;
        let reason = |(status, text, count)| wire::ReasonCount { status, text, count: super::long(count) };
        let of_tasks = reasons.into_iter().map(|(status, text, count)| (Some(status), text, count));
        let of_devices = left_out.into_iter().map(|(text, count)| (None, text, count));
        let count = |(status, count)| wire::TaskCount { status, count: super::long(count) };
        Self {
            job_id: job.id.to_string(),
            name: job.name,
            description: job.description,
            operation: (!job.is_mixed).then(|| job.template.operation.as_str().to_owned()),
            status: job.status,
            status_detail: job.detail,
            owner: job.owner,
            test_cycle: job.template.test_cycle,
            created_at: job.created_at,
            start_time: Some(job.schedule.starts_at(job.created_at)),
            end_time: Some(job.schedule.ends_at(job.created_at)),
            finished_at: job.finished_at,
            task_count: counts.into_iter().map(count).collect(),
            schedule: Some(schedule_told(job.schedule)),
            wave_progress,
            reason: of_tasks.chain(of_devices).map(reason).collect(),
            progress: outlook.map(Into::into),
            rehearsal: rehearsal.map(Into::into),
        }
    }
}

impl From<Outlook> for wire::JobProgress {
    fn from(outlook: Outlook) -> Self {
        Self {
            finished_count: super::long(outlook.finished),
            remaining_count: super::long(outlook.remaining),
            tasks_per_hour: outlook.per_hour.map(super::long),
            observed_minutes: i32::try_from(outlook.minutes).unwrap_or(i32::MAX),
            earliest_end: outlook.earliest,
            latest_end: outlook.latest,
            certainty: outlook.certainty,
            basis: outlook.basis,
        }
    }
}

impl From<Rehearsal> for wire::Rehearsal {
    fn from(rehearsal: Rehearsal) -> Self {
        Self {
            reached_count: super::long(rehearsal.reached),
            left_out_count: super::long(rehearsal.left_out),
            wave_size: rehearsal.waves.into_iter().map(super::long).collect(),
            least_duration_seconds: rehearsal.least_s,
            ends_in_time: rehearsal.ends_in_time,
            manual_gate: rehearsal.by_hand,
        }
    }
}

fn wave_progress(view: &JobView) -> Vec<wire::WaveProgress> {
    let Some(rollout) = &view.job.rollout else { return Vec::new() };
    let wave = |(place, cut): (usize, &Cut)| {
        let is_current = place == rollout.current;
        let counts = view.wave_counts.iter().filter(|(wave, ..)| *wave == place);
        wire::WaveProgress {
            number: i32::try_from(place.saturating_add(1)).unwrap_or(i32::MAX),
            state: rollout.state_of(place),
            size: super::long(cut.size),
            task_count: counts
                .map(|(_, status, count)| wire::TaskCount { status: *status, count: super::long(*count) })
                .collect(),
            start_time: is_current.then_some(rollout.began_at),
            soaks_until: match rollout.phase {
                Phase::Soaking { until } if is_current => Some(until),
                _ => None,
            },
        }
    };
    rollout.waves.iter().enumerate().map(wave).collect()
}

impl From<Paged<JobView>> for wire::JobList {
    fn from(page: Paged<JobView>) -> Self {
        Self {
            job: page.items.into_iter().map(Into::into).collect(),
            total_count: super::long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<Paged<Task>> for wire::TaskList {
    fn from(page: Paged<Task>) -> Self {
        Self {
            task: page.items.into_iter().map(Into::into).collect(),
            total_count: super::long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<Paged<HistoryEntry>> for wire::TaskHistory {
    fn from(page: Paged<HistoryEntry>) -> Self {
        let entry = |entry: HistoryEntry| wire::TaskHistoryEntry {
            task_id: entry.task.to_string(),
            at: entry.at,
            status: entry.status,
            event: entry.event,
            detail: entry.detail,
            actor: entry.actor,
            device_id: entry.device,
        };
        Self {
            entry: page.items.into_iter().map(entry).collect(),
            total_count: super::long(page.total),
            next_page_token: page.next_token,
        }
    }
}
