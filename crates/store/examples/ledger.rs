//! What the audit log and chargeable events cost: tasks made with their entries, and entries and events alone.
//!
//! `cargo run --release -p muster-store --example ledger [-- DEVICES TASKS]`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement may end by panic, and prints")]

use std::sync::Arc;
use std::time::Instant;

use muster_broker::device::{Device, ManagementState};
use muster_broker::id::{DeviceOid, TaskId};
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::job::TaskTemplate;
use muster_broker::ledger::{AuditEntry, ChargeableEvent, Deed, Object, task as picture};
use muster_broker::operation::{Arguments, Operation};
use muster_broker::policy::AcceptDevicePolicy;
use muster_broker::schedule::Schedule;
use muster_broker::store::{Store, Target};
use muster_broker::task::Order;
use muster_broker::time::Timestamp;
use muster_store::{Options, SqliteStore};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_795_248_000_000);
/// Callers at once.
const CALLERS: usize = 256;

fn device(number: usize) -> Device {
    let unique = Uuid::from_u128(number as u128 * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Device {
        oid: DeviceOid::new(unique),
        tenant: "alpha".into(),
        device_id: Some(DeviceId::from_device(&format!("MEID:{number:014}")).unwrap()),
        phone_number: Some(Msisdn::parse(&format!("+1555{number:08}")).unwrap()),
        imsi: None,
        capability: None,
        manufacturer: None,
        model: None,
        firmware_version: None,
        software_version: None,
        management_state: ManagementState::Known,
        subscriber_id: None,
        group: Vec::new(),
        attribute: Vec::new(),
        account: None,
        last_seen_at: None,
        version: 1,
    }
}

fn target(number: usize, devices: usize) -> Target {
    let device = device(number % devices);
    let template = TaskTemplate {
        operation: Operation::Query,
        arguments: Arguments::default(),
        policy: AcceptDevicePolicy::AnyIfNoneExpected,
        opt_in: false,
        test_cycle: false,
        priority: 5,
    };
    let order = Order {
        id: TaskId::new(device.oid, Uuid::from_u128((1 << 120) | number as u128)),
        owner: "shop",
        job: None,
        device: &device,
        phone_number: None,
        expected: device.device_id.clone(),
        template,
        schedule: Schedule::default(),
        callback: None,
    };
    order.place(NOW)
}

fn deed(number: usize) -> Deed {
    Deed {
        actor: "shop".into(),
        correlation: Some(Uuid::from_u128((2 << 120) | number as u128)),
        ..Deed::local("alpha", "doOperation", NOW)
    }
}

async fn measure<F: Future<Output = ()> + Send + 'static>(
    what: &str,
    count: usize,
    work: impl Fn(usize) -> F + Send + Sync + 'static,
) {
    let (work, begin) = (Arc::new(work), Instant::now());
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let work = Arc::clone(&work);
            tokio::spawn(async move {
                for number in (caller..count).step_by(CALLERS) {
                    work(number).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("{what:<44} {:>9.0} /s  {:>6.1} us each", count as f64 / seconds, seconds * 1e6 / count as f64);
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>().unwrap());
    let (devices, count) = (arguments.next().unwrap_or(100_000), arguments.next().unwrap_or(200_000));
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&Options::new(folder.path())).unwrap());
    let made = Arc::clone(&store);
    measure("tasks with their entries", count, move |number| {
        let store = Arc::clone(&made);
        async move {
            let target = target(number, devices);
            drop(store.task_create(None, vec![target], deed(number), None).await.unwrap());
        }
    })
    .await;
    let told = Arc::clone(&store);
    measure("entries of tasks alone", count, move |number| {
        let store = Arc::clone(&told);
        async move {
            let task = target(count + number, devices).task;
            let object = Object::task(task.id);
            let entry = AuditEntry::done(&deed(count + number), object, None, Some(picture(&task)));
            store.audit_add(vec![entry.of_device(Some(task.device))]).await.unwrap();
        }
    })
    .await;
    measure("chargeable events alone", count, move |number| {
        let store = Arc::clone(&store);
        async move {
            let task = target(number, devices).task;
            store.charge_add(ChargeableEvent::of_task(&task, NOW).into_iter().collect()).await.unwrap();
        }
    })
    .await;
}
