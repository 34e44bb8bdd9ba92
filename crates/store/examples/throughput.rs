//! Steps per second: `cargo run --release -p muster-store --example throughput -- [devices] [seconds] [callers]`.
//!
//! Each step changes the session of a random device and takes one task on with two entries of history. Prints the rate
//! and the processor time of the writing thread for each step.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring tool may fail by panic, and prints")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use muster_broker::device::{AuthType, Device, DmAccount, ManagementState, Sealed};
use muster_broker::id::{DeviceOid, TaskId};
use muster_broker::identity::DeviceId;
use muster_broker::ledger::Deed;
use muster_broker::operation::{Arguments, Operation};
use muster_broker::policy::AcceptDevicePolicy;
use muster_broker::schedule::Schedule;
use muster_broker::store::{
    ContactKey, ContactStep, ContactStore as _, DeviceGiven, DeviceStore as _, DeviceWrite, DialogueState, Target,
    TaskStore as _, Verdict, WriteMode,
};
use muster_broker::task::{Task, TaskStatus};
use muster_broker::time::Timestamp;
use muster_store::{Options, SqliteStore};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_795_248_000_000);

fn device(number: u64) -> Device {
    Device {
        oid: DeviceOid::new(Uuid::from_u128(u128::from(number) << 40 | 0x7000_0000)),
        tenant: "alpha".into(),
        device_id: Some(DeviceId::from_device(&format!("MEID:A{number:012}")).unwrap()),
        phone_number: None,
        imsi: None,
        capability: None,
        manufacturer: Some("Acme".into()),
        model: Some("One".into()),
        firmware_version: Some("1.0".into()),
        software_version: Some("2.0".into()),
        management_state: ManagementState::Managed,
        subscriber_id: None,
        group: Vec::new(),
        attribute: Vec::new(),
        account: Some(DmAccount {
            auth_type: AuthType::Digest,
            client_name: format!("client{number:012}"),
            client_secret: Sealed(vec![1; 45]),
            client_nonce: None,
            server_id: None,
            server_name: None,
            server_secret: Some(Sealed(vec![2; 45])),
            server_nonce: None,
        }),
        last_seen_at: None,
        version: 1,
    }
}

fn task(device: &Device) -> Task {
    Task {
        id: TaskId::new(device.oid, Uuid::new_v5(&device.oid.unique, b"task")),
        tenant: device.tenant.clone(),
        owner: "care".into(),
        job: None,
        device: device.oid,
        phone_number: None,
        expected: device.device_id.clone(),
        actual: None,
        operation: Operation::Query,
        arguments: Arguments::default(),
        policy: AcceptDevicePolicy::Any,
        opt_in: false,
        test_cycle: false,
        priority: 5,
        schedule: Schedule::default(),
        released: true,
        held: false,
        status: TaskStatus::InProgress,
        detail: None,
        attempts: 1,
        start_at: NOW,
        end_at: NOW.plus_s(86_400),
        plan: None,
        result: Vec::new(),
        result_code: None,
        messages: 0,
        created_at: NOW,
        updated_at: NOW,
        finished_at: None,
        history_len: 0,
        callback: None,
        version: 1,
    }
}

async fn fill(store: &SqliteStore, devices: u64) {
    let began = Instant::now();
    for first in (0..devices).step_by(1000) {
        let records: Vec<Device> = (first..devices.min(first + 1000)).map(device).collect();
        let tasks = records.iter().map(|device| Target { task: task(device), history: Vec::new() }).collect();
        let writes = records
            .into_iter()
            .map(|device| DeviceWrite {
                mode: WriteMode::Create,
                given: DeviceGiven { device, oid: None, version: None, state: None, has_client_secret: true },
            })
            .collect();
        store.device_write("alpha", writes, Deed::local("alpha", "bench", NOW), None).await.unwrap();
        store.task_create(None, tasks, Deed::local("alpha", "bench", NOW), None).await.unwrap();
    }
    println!("{devices} devices with a task each made in {:.1} s", began.elapsed().as_secs_f64());
}

async fn caller(store: Arc<SqliteStore>, devices: u64, seed: u64, until: Instant, steps: Arc<AtomicU64>) -> Duration {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut loading = Duration::ZERO;
    while Instant::now() < until {
        let key = ContactKey::ClientName(format!("client{:012}", random.u64(0..devices)));
        let began = Instant::now();
        let contact = store.contact_load(&key).await.unwrap().unwrap();
        loading += began.elapsed();
        let mut task = contact.tasks.first().unwrap().task.clone();
        task.messages += 1;
        task.updated_at = NOW;
        task.plan = Some("{\"sent\":[1,2,3],\"left\":[4,5,6]}".into());
        let history = vec![
            task.note(NOW, "MessageReceived", None, "device"),
            task.note(NOW, "MessageSent", Some("3 commands".into()), "server"),
        ];
        let mut state = contact.state.clone();
        state.generation += 1;
        state.last_seen_at = Some(NOW);
        state.dialogue = Some(DialogueState {
            session_id: "17".into(),
            state: vec![3; 120],
            task: Some(task.id),
            request_digest: [4; 16],
            reply: vec![5; 500],
            reply_seal: None,
            touched_at: NOW,
            ended: false,
        });
        let step = ContactStep {
            device: contact.device.oid,
            revision: contact.state.revision,
            seen_before: contact.state.last_seen_at,
            state,
            record: None,
            tasks: vec![task],
            history,
            reached: Vec::new(),
            running_jobs: Vec::new(),
            trace: None,
        };
        // Two callers may have drawn the same device; the later one has a conflict and draws again.
        if store.contact_commit(step).await.unwrap() == Verdict::Applied {
            steps.fetch_add(1, Ordering::Relaxed);
        }
    }
    loading
}

/// Processor time of the thread of this name so far: user and system.
fn thread_cpu(name: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    for task in tasks.flatten() {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if let Some((head, rest)) = stat.rsplit_once(')')
            && head.ends_with(name)
        {
            let fields: Vec<u64> =
                rest.split_whitespace().skip(11).take(2).map(|field| field.parse().unwrap()).collect();
            // The kernel counts in hundredths of a second.
            return Duration::from_millis(fields.iter().sum::<u64>() * 10);
        }
    }
    Duration::ZERO
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().unwrap());
    let devices = arguments.next().unwrap_or(1000);
    let seconds = arguments.next().unwrap_or(10);
    let callers = arguments.next().unwrap_or(64);
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = Arc::new(SqliteStore::open(&Options::new(folder.path())).unwrap());
    fill(&store, devices).await;

    let (began, cpu) = (Instant::now(), thread_cpu("store-writer"));
    let side_cpu = thread_cpu("store-checkpoin");
    let steps = Arc::new(AtomicU64::new(0));
    let until = began + Duration::from_secs(seconds);
    let running: Vec<_> = (0..callers)
        .map(|seed| tokio::spawn(caller(Arc::clone(&store), devices, seed, until, Arc::clone(&steps))))
        .collect();
    let mut loading = Duration::ZERO;
    for caller in running {
        loading += caller.await.unwrap();
    }
    let (elapsed, cpu) = (began.elapsed(), thread_cpu("store-writer") - cpu);
    let side_cpu = thread_cpu("store-checkpoin") - side_cpu;
    let steps = steps.load(Ordering::Relaxed);
    let file = |name: &str| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len()) >> 20;
    println!("{:.0} steps/s with {callers} callers", steps as f64 / elapsed.as_secs_f64());
    println!("{:.1} us of the writer for each step", cpu.as_secs_f64() * 1e6 / steps as f64);
    println!("{:.1} us of the checkpointer for each step", side_cpu.as_secs_f64() * 1e6 / steps as f64);
    println!("{:.1} us for each load (wall clock)", loading.as_secs_f64() * 1e6 / steps as f64);
    println!("{} MiB resident, database {} MiB, log {} MiB", resident_mib(), file("muster.db"), file("muster.db-wal"));
}
