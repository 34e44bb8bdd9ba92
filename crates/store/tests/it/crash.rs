//! A process that is killed at any moment loses nothing that it has acknowledged.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use muster_broker::ledger::chain::Verifier;
use muster_broker::ledger::{AuditFilter, EventId};
use muster_broker::store::{
    ContactKey, ContactStore as _, DeviceStore as _, DeviceWrite, LedgerStore as _, TaskStore as _, Verdict, WriteMode,
};
use muster_store::SqliteStore;

use crate::world::{NOW, TENANT, World, deed, small, step, task};

/// Set in the child: the folder it works in.
const ROLE: &str = "MUSTER_STORE_CRASH_FOLDER";
const DEVICES: usize = 8;
const ROUNDS: u64 = 6;

/// The child: commits steps of several devices at once and prints each one that was acknowledged, until it is killed.
#[test]
fn acknowledging_child() {
    let Some(folder) = std::env::var_os(ROLE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let store = std::sync::Arc::new(SqliteStore::open(&small(Path::new(&folder))).unwrap());
    runtime.block_on(async {
        let running: Vec<tokio::task::JoinHandle<()>> = (0..DEVICES)
            .map(|number| {
                let store = std::sync::Arc::clone(&store);
                tokio::spawn(async move {
                    loop {
                        let key = ContactKey::ClientName(format!("d{number}"));
                        let contact = store.contact_load(&key).await.unwrap().unwrap();
                        let mut step = step(&contact);
                        let mut task = contact.tasks.first().unwrap().task.clone();
                        task.messages += 1;
                        step.history.push(task.note(NOW, "Stepped", None, "device"));
                        let messages = task.messages;
                        // Each step changes the record, which is told in the log, and says that the task reached the
                        // device, which is charged for once.
                        let mut record = contact.device.clone();
                        record.firmware_version = Some(messages.to_string());
                        (step.record, step.reached) = (Some(record), vec![task.id]);
                        step.tasks.push(task);
                        assert_eq!(store.contact_commit(step).await.unwrap(), Verdict::Applied);
                        // One write for a line, so that a kill does not tear it.
                        std::io::stdout().write_all(format!("\nack {number} {messages}\n").as_bytes()).unwrap();
                    }
                })
            })
            .collect();
        // None of them ends by itself.
        for task in running {
            assert!(task.await.is_err(), "a loop without end has ended");
        }
    });
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let ids = prepare(folder.path()).await;
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let mut floor: HashMap<usize, u32> = HashMap::new();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        acknowledged += killed(folder.path(), random.usize(1..400), random.u64(0..3000), &mut floor);

        let store = SqliteStore::open(&small(folder.path())).unwrap();
        for (number, id) in ids.iter().enumerate() {
            let contact = store.contact_load(&ContactKey::ClientName(format!("d{number}"))).await.unwrap().unwrap();
            let task = store.task_get(TENANT, *id).await.unwrap().unwrap();
            let least = floor.get(&number).copied().unwrap_or(0);
            assert!(task.messages >= least, "round {round}: device {number} has {} of {least}", task.messages);
            // Whole or not at all: session, task and history have seen the same steps.
            assert_eq!(contact.state.revision, i64::from(task.messages), "round {round}");
            assert_eq!(task.history_len, task.messages, "round {round}");
            let of = muster_broker::store::HistoryOf::Task(*id);
            let history = store.task_history(TENANT, of, crate::world::ALL).await.unwrap().unwrap();
            assert_eq!(history.total, u64::from(task.messages), "round {round}");
            let told = AuditFilter { task: Some(*id), operation: Some("session".into()), ..AuditFilter::default() };
            let told = store.audit_list(Some(TENANT), told, crate::world::ALL).await.unwrap();
            assert_eq!(told.total, u64::from(task.messages), "round {round}");
            let charged = store.charge_feed(Some(TENANT), EventId(0), 1000).await.unwrap().events;
            let charged = charged.iter().filter(|event| event.task == Some(*id)).count();
            assert_eq!(charged, usize::from(task.messages > 0), "round {round}");
        }
        let (verifier, outcome) = store.audit_verify(Verifier::new(None), u32::MAX).await.unwrap();
        assert!(outcome.is_ok() && verifier.end().is_ok(), "round {round}: {outcome:?}");
    }
    assert!(acknowledged > 0, "the child never got to work");
}

async fn prepare(folder: &Path) -> Vec<muster_broker::id::TaskId> {
    let world = World::new();
    let store = SqliteStore::open(&small(folder)).unwrap();
    let mut ids = Vec::new();
    for number in 0..DEVICES {
        let given = world.given(&format!("d{number}"));
        let device = given.device.clone();
        let writes = vec![DeviceWrite { mode: WriteMode::Create, given }];
        store.device_write(TENANT, writes, deed("care"), None).await.unwrap();
        let task = task(muster_broker::id::TaskId::new(device.oid, world.uuid()), &device);
        ids.push(task.id);
        let target = muster_broker::store::Target { task, history: Vec::new() };
        store.task_create(None, vec![target], deed("care"), None).await.unwrap();
    }
    ids
}

/// Runs a child and kills it some microseconds after its `acks`-th acknowledgement; gives how many were read.
fn killed(folder: &Path, acks: usize, delay_us: u64, floor: &mut HashMap<usize, u32>) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::acknowledging_child", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut read = 0;
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut note = |line: &str, floor: &mut HashMap<usize, u32>| {
        let mut words = line.split(' ');
        if words.next() == Some("ack")
            && let (Some(number), Some(messages)) = (words.next(), words.next())
            && let (Ok(number), Ok(messages)) = (number.parse(), messages.parse())
        {
            floor.insert(number, messages);
            read += 1;
            return read;
        }
        read
    };
    for line in lines.by_ref() {
        if note(&line.unwrap(), floor) >= acks {
            break;
        }
    }
    // Not to wait for anything: to hit another moment of its work each time.
    std::thread::sleep(Duration::from_micros(delay_us));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had acknowledged before it died is in the pipe.
    for line in lines {
        note(&line.unwrap_or_default(), floor);
    }
    read
}
