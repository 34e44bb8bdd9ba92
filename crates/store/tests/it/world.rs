//! A store in a folder of its own, and short ways to fill it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use muster_broker::callback::{CallbackAddress, CallbackKind, CallbackUrl};
use muster_broker::device::{AuthType, Device, DmAccount, ManagementState, Sealed};
use muster_broker::id::{Bucket, CallbackAddressId, DeviceOid, JobId, TaskId};
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::job::{Expansion, Hold, Job, JobStatus, Selector, TaskTemplate};
use muster_broker::ledger::{Deed, Subject};
use muster_broker::operation::{Arguments, Operation};
use muster_broker::page::Page;
use muster_broker::policy::AcceptDevicePolicy;
use muster_broker::schedule::Schedule;
use muster_broker::store::{
    Contact, ContactKey, ContactStep, DeviceGiven, DeviceVerdict, DeviceWrite, DialogueState, Erased, ErasureOf, Once,
    Rest, Store, Target, Verdict, WriteMode,
};
use muster_broker::task::{HistoryEntry, Task, TaskEvent, TaskStatus};
use muster_broker::time::Timestamp;
use muster_store::{OpenError, Options, SqliteStore};
use uuid::Uuid;

pub(crate) const TENANT: &str = "alpha";
pub(crate) const NOW: Timestamp = Timestamp(1_795_248_000_000);

/// Everything of a page.
pub(crate) const ALL: Page = Page { size: 1000, after: None };

pub(crate) struct World {
    folder: Option<tempfile::TempDir>,
    store: Option<SqliteStore>,
    ids: AtomicU64,
}

pub(crate) fn small(folder: &Path) -> Options {
    Options {
        point_readers: 2,
        scan_readers: 1,
        writer_cache_kib: 4096,
        reader_cache_kib: 1024,
        ..Options::new(folder)
    }
}

/// Opens a folder that was closed just now. A process that another test starts has the lock for the moment between its
/// fork and its exec.
fn opened(folder: &Path) -> SqliteStore {
    for _ in 0..500 {
        match SqliteStore::open(&small(folder)) {
            Err(OpenError::InUse { .. }) => std::thread::sleep(std::time::Duration::from_millis(10)),
            other => return other.unwrap(),
        }
    }
    panic!("{} stays in use", folder.display())
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&small(folder.path())).unwrap();
        Self { folder: Some(folder), store: Some(store), ids: AtomicU64::new(1) }
    }

    /// What every test is written against.
    pub(crate) fn store(&self) -> &dyn Store {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn sqlite(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Ends the store and opens its folder again.
    pub(crate) fn reopen(&mut self) {
        self.store = None;
        self.store = Some(opened(self.folder()));
    }

    pub(crate) fn close(&mut self) {
        self.store = None;
    }

    pub(crate) fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::Relaxed)) << 64 | 0xabc)
    }

    /// A record with an account, called `name`.
    pub(crate) fn given(&self, name: &str) -> DeviceGiven {
        DeviceGiven {
            device: device(DeviceOid::new(self.uuid()), name),
            oid: None,
            version: None,
            state: None,
            has_client_secret: true,
        }
    }

    pub(crate) async fn write(&self, mode: WriteMode, given: DeviceGiven) -> DeviceVerdict {
        let writes = vec![DeviceWrite { mode, given }];
        match self.store().device_write(TENANT, writes, deed("care"), None).await.unwrap() {
            Once::Now(mut verdicts) => verdicts.pop().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Makes a device called `name`.
    pub(crate) async fn device(&self, name: &str) -> Device {
        self.create(self.given(name)).await
    }

    pub(crate) async fn create(&self, given: DeviceGiven) -> Device {
        match self.write(WriteMode::Create, given).await {
            DeviceVerdict::Created(device) => device,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn contact(&self, name: &str) -> Contact {
        self.store().contact_load(&ContactKey::ClientName(name.into())).await.unwrap().unwrap()
    }

    /// A new task of a device, not kept yet.
    pub(crate) fn target(&self, device: &Device) -> Target {
        let mut task = task(TaskId::new(device.oid, self.uuid()), device);
        let history = vec![task.note(NOW, "Created", None, "care")];
        Target { task, history }
    }

    pub(crate) async fn task(&self, device: &Device) -> Task {
        let target = self.target(device);
        self.keep(target.clone()).await;
        target.task
    }

    pub(crate) async fn keep(&self, target: Target) {
        assert_eq!(self.store().task_create(None, vec![target], deed("care"), None).await.unwrap(), Once::Now(()));
    }

    pub(crate) async fn stored(&self, id: TaskId) -> Task {
        self.store().task_get(TENANT, id).await.unwrap().unwrap()
    }

    /// Takes the tasks given through an event each by a step of their device.
    pub(crate) async fn step(&self, name: &str, events: &[(TaskId, TaskEvent)]) -> Verdict {
        let contact = self.contact(name).await;
        let mut step = step(&contact);
        for (id, event) in events {
            let mut task = contact.tasks.iter().find(|open| open.task.id == *id).unwrap().task.clone();
            task.advance(*event, NOW).unwrap();
            step.history.push(task.note(NOW, "Stepped", None, "device"));
            step.tasks.push(task);
        }
        self.store().contact_commit(step).await.unwrap()
    }

    /// A job over `selector`, not kept yet.
    pub(crate) fn job(&self, selector: Selector) -> Job {
        Job {
            id: JobId(self.uuid()),
            tenant: TENANT.into(),
            owner: "campaign".into(),
            name: "job".into(),
            description: None,
            template: TaskTemplate {
                operation: Operation::Query,
                arguments: Arguments::default(),
                policy: AcceptDevicePolicy::Any,
                opt_in: false,
                test_cycle: false,
                priority: 5,
            },
            is_mixed: false,
            reach: muster_broker::access::Reach::default(),
            schedule: Schedule::default(),
            expansion: Some(Expansion { selector, after: None }),
            rollout: None,
            hold: Hold::None,
            class: None,
            status: JobStatus::Scheduled,
            detail: None,
            callback: None,
            created_at: NOW,
            finished_at: None,
            version: 1,
        }
    }
}

pub(crate) fn device(oid: DeviceOid, name: &str) -> Device {
    Device {
        oid,
        tenant: TENANT.into(),
        device_id: Some(DeviceId::from_device(&format!("MEID:{name}")).unwrap()),
        phone_number: None,
        imsi: None,
        capability: None,
        manufacturer: Some("Acme".into()),
        model: Some("One".into()),
        firmware_version: Some("1.0".into()),
        software_version: None,
        management_state: ManagementState::Known,
        subscriber_id: None,
        group: Vec::new(),
        attribute: Vec::new(),
        account: Some(DmAccount {
            auth_type: AuthType::Digest,
            client_name: name.into(),
            client_secret: Sealed(vec![1, 2, 3]),
            client_nonce: None,
            server_id: None,
            server_name: None,
            server_secret: None,
            server_nonce: None,
        }),
        last_seen_at: None,
        version: 1,
    }
}

pub(crate) fn task(id: TaskId, device: &Device) -> Task {
    Task {
        id,
        tenant: device.tenant.clone(),
        owner: "care".into(),
        job: None,
        device: device.oid,
        phone_number: device.phone_number.clone(),
        expected: device.device_id.clone(),
        actual: None,
        operation: Operation::Query,
        arguments: Arguments::default(),
        policy: AcceptDevicePolicy::AnyIfNoneExpected,
        opt_in: false,
        test_cycle: false,
        priority: 5,
        schedule: Schedule::default(),
        released: true,
        held: false,
        status: TaskStatus::Scheduled,
        detail: None,
        attempts: 0,
        start_at: NOW,
        end_at: NOW.plus_s(3600),
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

/// A step that changes the session alone.
pub(crate) fn step(contact: &Contact) -> ContactStep {
    let mut state = contact.state.clone();
    state.generation += 1;
    state.last_seen_at = Some(NOW);
    state.dialogue = Some(DialogueState {
        session_id: "1".into(),
        state: vec![7; 40],
        task: contact.tasks.first().map(|open| open.task.id),
        request_digest: [9; 16],
        reply: vec![8; 300],
        reply_seal: None,
        touched_at: NOW,
        ended: false,
    });
    ContactStep {
        device: contact.device.oid,
        revision: contact.state.revision,
        seen_before: contact.state.last_seen_at,
        state,
        record: None,
        tasks: Vec::new(),
        history: Vec::new(),
        reached: Vec::new(),
        running_jobs: Vec::new(),
        trace: None,
    }
}

pub(crate) fn phone(number: &str) -> Msisdn {
    Msisdn::parse(number).unwrap()
}

/// An identifier that no record has.
pub(crate) fn nobody() -> DeviceOid {
    DeviceOid { bucket: Bucket(7), unique: Uuid::from_u128(u128::MAX) }
}

/// The events of a task's history, in order.
pub(crate) async fn events(world: &World, id: TaskId) -> Vec<String> {
    let of = muster_broker::store::HistoryOf::Task(id);
    let listed = world.store().task_history(TENANT, of, ALL).await.unwrap().unwrap();
    listed.items.into_iter().map(|entry: HistoryEntry| entry.event).collect()
}

/// Something that somebody of [`TENANT`] does at [`NOW`].
impl World {
    /// Erases these names, as far as it goes now.
    pub(crate) async fn erase(&self, subjects: Vec<Subject>, others: &[&str], deed: Deed) -> Erased {
        let (id, at) = (self.uuid(), deed.at);
        let others = others.iter().map(|&other| other.to_owned()).collect();
        let mut erased = self.store().personal_erase(id, ErasureOf { subjects, others }, deed).await.unwrap();
        while erased.rest == Rest::More {
            erased = self.store().personal_erase_step(id, at, 2).await.unwrap().unwrap();
        }
        erased
    }
}

pub(crate) fn deed(actor: &str) -> Deed {
    deed_at(actor, NOW)
}

pub(crate) fn deed_at(actor: &str, at: Timestamp) -> Deed {
    Deed { actor: actor.into(), ..Deed::local(TENANT, "test", at) }
}

/// An address of the domain that callbacks may go to.
pub(crate) fn address(number: u128) -> CallbackAddress {
    CallbackAddress {
        id: CallbackAddressId(Uuid::from_u128(number)),
        tenant: TENANT.into(),
        owner: None,
        url: CallbackUrl::parse("https://crm.example/").unwrap(),
        kind: CallbackKind::Soap,
        description: None,
        credential: None,
        secret: None,
        allows_private: false,
        enabled: true,
        created_at: NOW,
        version: 1,
    }
}
