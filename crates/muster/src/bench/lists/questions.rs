//! What lists are asked: every field by itself.

use std::sync::Arc;

use muster_broker::filter::{CapabilityField, DeviceField, Filter, JobField, TaskField};
use muster_broker::job::DeviceFilter;
use muster_broker::page::Page;
use muster_broker::store::{CapabilityFilter, JobFilter, Store, TaskFilter};

use super::population::{self as p};
use crate::serve::FIRST_TENANT;

/// A filter with a value that depends on a place among the devices.
pub(super) struct Question {
    pub(super) list: &'static str,
    /// The expression for a place among so many.
    pub(super) filter: fn(u32, u32) -> String,
}

const fn devices(filter: fn(u32, u32) -> String) -> Question {
    Question { list: "devices", filter }
}

const fn tasks(filter: fn(u32, u32) -> String) -> Question {
    Question { list: "tasks", filter }
}

const fn jobs(filter: fn(u32, u32) -> String) -> Question {
    Question { list: "jobs", filter }
}

const fn capabilities(filter: fn(u32, u32) -> String) -> Question {
    Question { list: "capabilities", filter }
}

/// Every field of every list, with every kind of test that it stands.
pub(super) const QUESTIONS: &[Question] = &[
    devices(|_, _| String::new()),
    devices(|at, _| format!("oid = {}", p::oid(at))),
    devices(|at, _| format!("deviceID = \"{}\"", p::device_id(at))),
    devices(|at, _| format!("deviceID = \"{}*\"", prefix(&p::device_id(at), 7 + at % 12))),
    devices(|at, _| format!("deviceID >= \"{}\"", p::device_id(at))),
    devices(|at, _| format!("deviceID != \"{}\"", p::device_id(at))),
    devices(|_, _| "absent(deviceID)".into()),
    devices(|at, _| format!("phoneNumber = \"{}\"", p::phone_number(at))),
    devices(|at, _| format!("phoneNumber = \"{}*\"", prefix(&p::phone_number(at), 2 + at % 10))),
    devices(|at, _| format!("phoneNumber < \"{}\"", p::phone_number(at))),
    devices(|at, _| format!("imsi = \"{}\"", p::imsi(at))),
    devices(|at, _| format!("imsi = \"{}*\"", prefix(&p::imsi(at), 4 + at % 11))),
    devices(|_, _| "has(imsi)".into()),
    devices(|_, _| "absent(imsi)".into()),
    devices(|at, _| format!("deviceCapabilityOid = {}", p::capability(at))),
    devices(|_, _| "absent(deviceCapabilityOid)".into()),
    devices(|at, _| format!("manufacturer = \"{}\"", p::manufacturer(at))),
    devices(|at, _| format!("manufacturer != \"{}\"", p::manufacturer(at))),
    devices(|at, _| format!("model = \"{}\"", p::model(at))),
    devices(|at, _| format!("model = \"{}*\"", prefix(&p::model(at), 3))),
    devices(|at, _| format!("firmwareVersion = \"{}\"", p::firmware_version(at))),
    devices(|at, _| format!("firmwareVersion = \"{}.*\"", at % 5)),
    devices(|at, _| format!("firmwareVersion < \"{}\"", p::firmware_version(at))),
    devices(|at, _| format!("softwareVersion = \"{}\"", p::software_version(at))),
    devices(|_, _| "managementState = MANAGED".into()),
    devices(|_, _| "managementState = SUSPENDED".into()),
    devices(|_, _| "managementState in (KNOWN, RETIRED)".into()),
    devices(|at, _| format!("subscriberId = \"{}\"", p::subscriber(at))),
    devices(|_, _| "absent(subscriberId)".into()),
    devices(|_, _| "group = \"half\"".into()),
    devices(|at, _| format!("group = \"{}\"", p::group(at))),
    devices(|_, _| "group != \"half\"".into()),
    devices(|at, all| format!("lastSeenAt < {}", p::seen_at(at, all))),
    devices(|at, all| format!("lastSeenAt >= {}", p::seen_at(at, all))),
    devices(|_, _| "has(lastSeenAt)".into()),
    devices(|_, _| "absent(lastSeenAt)".into()),
    devices(|at, _| format!("attribute.site = \"{}\"", p::site(at))),
    devices(|_, _| "attribute.site = \"site-0*\"".into()),
    devices(|at, _| format!("attribute.asset = \"{}\"", p::asset(at))),
    devices(|_, _| "has(attribute.asset)".into()),
    tasks(|_, _| String::new()),
    tasks(|_, _| "status = SUCCEEDED".into()),
    tasks(|_, _| "status = SCHEDULED".into()),
    tasks(|_, _| "status = FAILED".into()),
    tasks(|_, _| "status in (IN_PROGRESS, NOTIFYING)".into()),
    tasks(|_, _| "operation = QUERY".into()),
    tasks(|_, _| "operation = DELETE".into()),
    tasks(|at, _| format!("jobId = {}", p::job(at))),
    tasks(|_, _| "absent(jobId)".into()),
    tasks(|at, _| format!("deviceID = \"{}\"", p::device_id(at))),
    tasks(|at, _| format!("phoneNumber = \"{}\"", p::phone_number(at))),
    tasks(|_, _| "testCycle = true".into()),
    tasks(|at, _| format!("owner = \"{}\"", p::owner(at))),
    tasks(|at, all| format!("createdAt >= {}", p::created_at(at, all))),
    tasks(|at, all| format!("createdAt < {}", p::created_at(at, all))),
    tasks(|at, all| format!("updatedAt >= {}", p::created_at(at, all))),
    tasks(|at, all| format!("updatedAt < {}", p::created_at(at, all))),
    jobs(|_, _| String::new()),
    jobs(|_, _| "status = COMPLETED".into()),
    jobs(|_, _| "status = STOPPED".into()),
    jobs(|at, _| format!("owner = \"{}\"", p::owner(at))),
    jobs(|_, _| "name = \"job 1*\"".into()),
    jobs(|_, _| "operation = DELETE".into()),
    jobs(|at, all| format!("createdAt >= {}", p::created_at(at, all))),
    jobs(|at, all| format!("finishedAt < {}", p::created_at(at, all))),
    capabilities(|_, _| String::new()),
    capabilities(|at, _| format!("manufacturer = \"{}\"", p::manufacturer(at))),
    capabilities(|at, _| format!("model = \"{}\"", p::model(at))),
    capabilities(|at, _| format!("firmwareVersion = \"{}\"", p::firmware_version(at))),
    capabilities(|at, _| format!("tac = {}", p::tac(at))),
];

fn prefix(text: &str, characters: u32) -> String {
    text.chars().take(characters as usize).collect()
}

/// A question with its value read.
pub(super) enum Asked {
    Devices(DeviceFilter),
    Tasks(TaskFilter),
    Jobs(JobFilter),
    Capabilities(CapabilityFilter),
}

impl Asked {
    pub(super) fn read(question: &Question, at: u32, all: u32) -> anyhow::Result<Self> {
        let text = (question.filter)(at, all);
        let text = Some(text.as_str()).filter(|text| !text.is_empty());
        Ok(match question.list {
            "devices" => {
                let expression = text.map(Filter::<DeviceField>::parse).transpose()?;
                Self::Devices(DeviceFilter { expression, ..DeviceFilter::default() })
            }
            "tasks" => {
                let expression = text.map(Filter::<TaskField>::parse).transpose()?;
                Self::Tasks(TaskFilter { expression, ..TaskFilter::default() })
            }
            "jobs" => {
                let expression = text.map(Filter::<JobField>::parse).transpose()?;
                Self::Jobs(JobFilter { expression, ..JobFilter::default() })
            }
            _ => {
                let expression = text.map(Filter::<CapabilityField>::parse).transpose()?;
                Self::Capabilities(CapabilityFilter { expression, ..CapabilityFilter::default() })
            }
        })
    }

    /// Reads a page; gives the length of the list.
    pub(super) async fn total(&self, store: &Arc<dyn Store>, page: Page) -> anyhow::Result<u64> {
        let tenant = FIRST_TENANT;
        let (total, items) = match self {
            Self::Devices(filter) => {
                let listed = store.device_list(tenant, filter.clone(), page).await?;
                (listed.total, listed.items.len())
            }
            Self::Tasks(filter) => {
                let listed = store.task_list(tenant, filter.clone(), page).await?;
                (listed.total, listed.items.len())
            }
            Self::Jobs(filter) => {
                let listed = store.job_list(tenant, filter.clone(), page).await?;
                (listed.total, listed.items.len())
            }
            Self::Capabilities(filter) => {
                let listed = store.capability_list(tenant, filter.clone(), page).await?;
                (listed.total, listed.items.len())
            }
        };
        anyhow::ensure!(items as u64 == total.min(u64::from(Page::SIZE)), "{items} entries of {total}");
        Ok(total)
    }
}
