//! The records that lists are read from. Every value follows from the number of the device.

use std::sync::{Arc, OnceLock};

use anyhow::ensure;
use muster_broker::capability::Capability;
use muster_broker::device::{Device, ManagementState};
use muster_broker::id::{CapabilityOid, DeviceOid, JobId, TaskId};
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::job::{Job, JobStatus, TaskTemplate};
use muster_broker::ledger::Deed;
use muster_broker::operation::{Arguments, Operation};
use muster_broker::policy::AcceptDevicePolicy;
use muster_broker::ports::Vault;
use muster_broker::schedule::Schedule;
use muster_broker::store::{
    CapabilityWrite, ContactState, ContactStep, DialogueState, Store, SubscriberGiven, Target, Verdict, WriteMode,
};
use muster_broker::subscriber::Subscriber;
use muster_broker::task::{Task, TaskStatus};
use muster_broker::time::Timestamp;
use uuid::Uuid;

use super::super::fleet;
use crate::serve::FIRST_TENANT;

/// Records in one transaction.
const PAGE: usize = 1_000;
/// Records that lie beside each other in every index, as those of an import do.
const BESIDE: usize = 128;
/// Steps through what lies beside each other: a prime.
const STRIDE: usize = 611_953;
/// The first thing that happened.
const BEGINNING: Timestamp = Timestamp(1_780_000_000_000);
/// From the first task to the last.
const TIME_MS: i64 = 90 * 86_400_000;
const MAKES: u32 = 20;
const MODELS: u32 = 200;
const JOBS: u32 = 10_000;
const SUBSCRIBERS: u32 = 1_000;

/// Record identifiers, in order.
static OIDS: OnceLock<Vec<DeviceOid>> = OnceLock::new();

pub(super) fn oid(index: u32) -> DeviceOid {
    let known = OIDS.get().and_then(|oids| oids.get(index as usize)).copied();
    known.unwrap_or_else(|| fleet::oid_of(index))
}

pub(super) fn device_id(index: u32) -> String {
    fleet::known(index).device_id
}

pub(super) fn phone_number(index: u32) -> String {
    format!("+1555{index:07}")
}

pub(super) fn imsi(index: u32) -> String {
    format!("26201{index:010}")
}

pub(super) fn manufacturer(index: u32) -> String {
    format!("Make {:02}", index % MODELS % MAKES)
}

pub(super) fn model(index: u32) -> String {
    format!("M{:03}", index % MODELS)
}

pub(super) fn firmware_version(index: u32) -> String {
    // A new version is rare at first.
    let version = (index / MODELS) % 1_000;
    if version == 0 { "4.9-beta".to_owned() } else { format!("{}.{}", version % 5, index % MODELS % 4) }
}

pub(super) fn software_version(index: u32) -> String {
    format!("S{}", firmware_version(index))
}

pub(super) fn subscriber(index: u32) -> String {
    format!("subscriber-{}", index % SUBSCRIBERS)
}

pub(super) fn group(index: u32) -> String {
    format!("group-{}", index % 500)
}

pub(super) fn site(index: u32) -> String {
    format!("site-{:02}", index % 50)
}

pub(super) fn asset(index: u32) -> String {
    format!("asset-{:07}", index - index % 10)
}

pub(super) fn tac(index: u32) -> String {
    format!("{:08}", 35_000_000 + index % MODELS)
}

pub(super) fn capability(index: u32) -> CapabilityOid {
    CapabilityOid(Uuid::from_u128(u128::from(index % MODELS) + 1))
}

pub(super) fn job(index: u32) -> JobId {
    JobId(Uuid::from_u128(u128::from(index % JOBS) + 1))
}

pub(super) fn owner(index: u32) -> String {
    format!("system-{}", index % 7)
}

/// Sessions are spread over the time in another order than that of the records.
pub(super) fn seen_at(index: u32, all: u32) -> Timestamp {
    created_at(((u64::from(index) * 753_001) % u64::from(all.max(1))) as u32, all)
}

pub(super) fn created_at(index: u32, all: u32) -> Timestamp {
    BEGINNING.plus_ms(TIME_MS / i64::from(all.max(1)) * i64::from(index))
}

/// Identifiers in pieces of so many, which are all over the buckets as imports leave them.
fn scattered(oids: &[DeviceOid]) -> Vec<DeviceOid> {
    let pieces: Vec<&[DeviceOid]> = oids.chunks(BESIDE).collect();
    let order = (0..pieces.len()).map(|turn| turn * STRIDE % pieces.len());
    order.filter_map(|place| pieces.get(place)).flat_map(|piece| piece.iter().copied()).collect()
}

/// So many devices, and as many tasks.
pub(super) struct Population {
    devices: u32,
}

impl Population {
    pub(super) fn new(devices: u32) -> Self {
        OIDS.get_or_init(|| scattered(&fleet::oids(devices)));
        Self { devices }
    }

    pub(super) async fn register(&self, store: &Arc<dyn Store>, vault: &Arc<dyn Vault>) -> anyhow::Result<()> {
        for index in 0..MODELS {
            store
                .capability_write(CapabilityWrite { capability: line(index), oid: None, version: None }, deed(), None)
                .await?;
        }
        for index in 0..SUBSCRIBERS {
            store.subscriber_write(WriteMode::Create, person(index), deed(), None).await?;
        }
        fleet::register_as(store, vault, self.devices, oid, |index, device| self.dress(index, device)).await
    }

    /// Gives a bare record of the fleet its fields.
    fn dress(&self, index: u32, device: &mut Device) {
        device.phone_number = (!index.is_multiple_of(20)).then(|| Msisdn::parse(&phone_number(index)).ok()).flatten();
        device.imsi = (index % 10 < 8).then(|| imsi(index));
        device.manufacturer = Some(manufacturer(index));
        device.model = Some(model(index));
        device.capability = (!index.is_multiple_of(3)).then(|| capability(index));
        device.firmware_version = Some(firmware_version(index));
        device.software_version = (!index.is_multiple_of(4)).then(|| software_version(index));
        device.management_state = match index % 1_000 {
            0 => ManagementState::Suspended,
            1..=20 => ManagementState::Retired,
            21..=200 => ManagementState::Known,
            _ => ManagementState::Managed,
        };
        device.subscriber_id = (index % 100 == 7).then(|| subscriber(index / 100));
        if index.is_multiple_of(2) {
            device.group.push("half".to_owned());
        }
        device.group.push(group(index));
        if index.is_multiple_of(5) {
            device.attribute.push(("site".to_owned(), site(index / 5)));
        }
        if index.is_multiple_of(10) {
            device.attribute.push(("asset".to_owned(), asset(index)));
        }
    }

    /// Contacts of seven devices in ten, a task for each, jobs, and more capability records.
    pub(super) async fn live(&self, store: &Arc<dyn Store>) -> anyhow::Result<()> {
        let indices: Vec<u32> = (0..self.devices).collect();
        for page in indices.chunks(PAGE) {
            let mut steps = tokio::task::JoinSet::new();
            for index in page.iter().filter(|index| **index % 10 < 7) {
                let (store, step) = (Arc::clone(store), self.contact(*index));
                steps.spawn(async move { store.contact_commit(step).await });
            }
            for verdict in steps.join_all().await {
                ensure!(verdict? == Verdict::Applied, "a contact was not kept");
            }
        }
        for page in indices.chunks(PAGE) {
            let targets: Vec<Target> = page.iter().map(|index| self.task(*index)).collect();
            // Only to begin new stretches of tasks, as it does every 200 ms.
            if let Some(last) = targets.last() {
                store.job_pump(last.task.created_at, 1).await?;
            }
            store.task_create(None, targets, deed(), None).await?;
        }
        let jobs: Vec<Job> = (0..JOBS).map(|index| self.job(index)).collect();
        for page in jobs.chunks(PAGE) {
            store.job_create(page.to_vec(), deed(), None).await?;
        }
        for index in MODELS..MODELS * 25 {
            store
                .capability_write(CapabilityWrite { capability: line(index), oid: None, version: None }, deed(), None)
                .await?;
        }
        Ok(())
    }

    fn contact(&self, index: u32) -> ContactStep {
        let now = seen_at(index, self.devices);
        let dialogue = DialogueState {
            session_id: "1".into(),
            state: Vec::new(),
            task: None,
            request_digest: [0; 16],
            reply: vec![0; 200],
            reply_seal: None,
            touched_at: now,
            ended: true,
        };
        ContactStep {
            device: oid(index),
            revision: 0,
            seen_before: None,
            state: ContactState {
                generation: 1,
                server_nonce: None,
                last_seen_at: Some(now),
                revision: 0,
                resync: false,
                dialogue: Some(dialogue),
            },
            record: None,
            tasks: Vec::new(),
            history: Vec::new(),
            running_jobs: Vec::new(),
            reached: Vec::new(),
            trace: None,
        }
    }

    fn task(&self, index: u32) -> Target {
        let device = oid(index);
        let created_at = created_at(index, self.devices);
        // The oldest are done, the newest wait.
        let status = match index % 1_000 {
            0..=9 => TaskStatus::Failed,
            10 => TaskStatus::Expired,
            11 => TaskStatus::InProgress,
            _ if u64::from(index) * 10 > u64::from(self.devices) * 8 => TaskStatus::Scheduled,
            _ => TaskStatus::Succeeded,
        };
        let updated_at = created_at.plus_s(i64::from(index % 86_400));
        let task = Task {
            id: TaskId::new(device, Uuid::new_v5(&device.unique, b"task")),
            tenant: FIRST_TENANT.to_owned(),
            owner: owner(index),
            // A job's tasks are made together.
            job: (!index.is_multiple_of(4)).then(|| job(index / (self.devices / JOBS).max(1))),
            device,
            phone_number: Msisdn::parse(&phone_number(index)).ok(),
            expected: DeviceId::from_device(&device_id(index)).ok(),
            actual: None,
            operation: operation(index),
            arguments: Arguments::default(),
            policy: AcceptDevicePolicy::Any,
            opt_in: false,
            test_cycle: index % 50 == 1,
            priority: 5,
            schedule: Schedule::default(),
            released: true,
            status,
            detail: None,
            attempts: 1,
            start_at: created_at,
            // Long after anything that is pumped here.
            end_at: created_at.plus_s(10 * 365 * 86_400),
            plan: None,
            result: Vec::new(),
            result_code: None,
            messages: 2,
            created_at,
            updated_at,
            finished_at: status.is_final().then_some(updated_at),
            history_len: 0,
            version: 1,
            callback: None,
            held: false,
        };
        Target { task, history: Vec::new() }
    }

    fn job(&self, index: u32) -> Job {
        let created_at = created_at((self.devices / JOBS).max(1) * index, self.devices);
        Job {
            id: job(index),
            tenant: FIRST_TENANT.to_owned(),
            owner: owner(index),
            name: format!("job {index}"),
            description: None,
            template: TaskTemplate {
                operation: operation(index),
                arguments: Arguments::default(),
                policy: AcceptDevicePolicy::Any,
                opt_in: false,
                test_cycle: false,
                priority: 5,
            },
            is_mixed: false,
            schedule: Schedule::default(),
            expansion: None,
            status: if index.is_multiple_of(100) { JobStatus::Stopped } else { JobStatus::Completed },
            detail: None,
            created_at,
            finished_at: Some(created_at.plus_s(3_600)),
            version: 1,
            reach: muster_broker::access::Reach::default(),
            callback: None,
            rollout: None,
            hold: muster_broker::job::Hold::default(),
            class: None,
        }
    }
}

fn deed() -> Deed {
    Deed::local(FIRST_TENANT, "bench", BEGINNING).told_together()
}

fn operation(index: u32) -> Operation {
    match index % 10_000 {
        0..=4 => Operation::Delete,
        5..=2_000 => Operation::Update,
        _ => Operation::Query,
    }
}

/// The capability record of a model, and from [`MODELS`] on those of its single versions.
fn line(index: u32) -> Capability {
    let oid = if index < MODELS { capability(index) } else { CapabilityOid(Uuid::from_u128(u128::from(index) << 32)) };
    Capability {
        oid,
        tenant: FIRST_TENANT.to_owned(),
        manufacturer: manufacturer(index),
        model: model(index),
        firmware_version: (index >= MODELS).then(|| format!("{}.{}", index / MODELS % 5, index / MODELS)),
        tac: vec![tac(index)],
        dm_version: vec!["1.2".to_owned()],
        management_object: Vec::new(),
        bootstrap_method: Vec::new(),
        wbxml: Some(true),
        max_msg_size: None,
        max_obj_size: None,
        attribute: Vec::new(),
        version: 1,
    }
}

fn person(index: u32) -> SubscriberGiven {
    SubscriberGiven {
        subscriber: Subscriber {
            id: subscriber(index),
            tenant: FIRST_TENANT.to_owned(),
            phone_number: None,
            imsi: None,
            account_reference: None,
            opt_in: false,
            attribute: Vec::new(),
            version: 1,
        },
        opt_in: Some(false),
        version: None,
    }
}
