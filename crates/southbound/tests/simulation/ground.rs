//! The server: one store that lives in memory, and nodes over it that keep nothing.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use muster_broker::access::Caller;
use muster_broker::contact;
use muster_broker::page::PageRequest;
use muster_broker::ports::Environment;
use muster_broker::services::{self, AccountFields, Broker, DeviceFields};
use muster_broker::store::{Contact, ContactKey, ContactStep, Verdict};
use muster_broker::task::{HistoryEntry, Task};
use muster_broker::time::Timestamp;
use muster_southbound::dm1::{Answer, Exchange, Post, Refusal, Settings};
use muster_store::{Options, SqliteStore};

use crate::chance::Chance;

/// When every run begins.
const BEGINNING: Timestamp = Timestamp(1_795_248_000_000);
/// Nodes that share the store.
pub(crate) const NODES: usize = 3;
/// Rows that one call of the background takes.
const PAGE: u32 = 1_000;

/// Time and chance as the run wants them.
struct VirtualEnvironment {
    now: AtomicI64,
    chance: Mutex<Chance>,
}

impl Environment for VirtualEnvironment {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Relaxed))
    }

    fn random(&self, octets: &mut [u8]) {
        let mut chance = self.chance.lock().unwrap();
        octets.iter_mut().for_each(|octet| *octet = (chance.next() >> 56) as u8);
    }
}

/// A store for many runs: opening one takes longer than a run. Each run has devices of its own.
pub(crate) struct Ground {
    store: Arc<SqliteStore>,
    // Dropped after the store.
    _folder: tempfile::TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        // Memory where the system has a folder in it: a commit then costs no disk.
        let memory = Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
        // The same key for all stores, so that a seed means the same in each.
        let key_file = folder.path().join("muster.key");
        std::fs::write(&key_file, [7; 32]).unwrap();
        restrict(&key_file);
        let options = Options {
            point_readers: 1,
            scan_readers: 1,
            writer_cache_kib: 16 << 10,
            reader_cache_kib: 1 << 10,
            ..Options::new(folder.path())
        };
        Self { store: Arc::new(SqliteStore::open(&options).unwrap()), _folder: folder }
    }
}

/// A key file that others may read is not taken.
fn restrict(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The server of one run.
pub(crate) struct Server {
    store: Arc<SqliteStore>,
    environment: Arc<VirtualEnvironment>,
    settings: Settings,
    nodes: Vec<Exchange>,
    pub(crate) broker: Broker,
    pub(crate) caller: Caller,
}

impl Server {
    pub(crate) fn new(ground: &Ground, seed: u64, settings: Settings) -> Self {
        let environment = Arc::new(VirtualEnvironment {
            now: AtomicI64::new(BEGINNING.0),
            // Not the choices of the run: they must not depend on how many identifiers the server makes.
            chance: Mutex::new(Chance::new(!seed)),
        });
        let store = Arc::clone(&ground.store);
        let broker = Broker::new(store.clone(), store.vault(), environment.clone(), services::Settings::default());
        let caller = Caller::local("care", "default", "administrator");
        let mut server = Self { store, environment, settings, nodes: Vec::new(), broker, caller };
        (0..NODES).for_each(|_| server.nodes.push(server.node()));
        server
    }

    fn node(&self) -> Exchange {
        let environment = self.environment.clone();
        Exchange::new(self.store.clone(), self.store.vault(), environment, self.settings.clone())
    }

    /// A node ends and another one takes its place.
    pub(crate) fn replace_node(&mut self, number: usize) {
        self.nodes[number] = self.node();
    }

    pub(crate) async fn take(&self, node: usize, post: Post<'_>) -> Result<Answer, Refusal> {
        self.nodes[node].take(post).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.environment.now()
    }

    pub(crate) fn pass_s(&self, seconds: i64) {
        self.environment.now.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// Makes the device known.
    pub(crate) async fn record(&self, imei: &str, account: AccountFields) {
        let device_id = muster_broker::identity::DeviceId::from_caller(imei).unwrap();
        let fields = DeviceFields { device_id: Some(device_id), account: Some(account), ..DeviceFields::default() };
        self.broker.create_device(&self.caller, fields, None).await.unwrap();
    }

    /// What is known of the device with this name.
    pub(crate) async fn contact(&self, name: &str) -> Contact {
        use muster_broker::store::ContactStore as _;
        self.store.contact_load(&ContactKey::ClientName(name.to_owned())).await.unwrap().unwrap()
    }

    pub(crate) async fn commit(&self, step: ContactStep) {
        use muster_broker::store::ContactStore as _;
        assert_eq!(self.store.contact_commit(step).await.unwrap(), Verdict::Applied);
    }

    pub(crate) async fn task(&self, id: &str) -> Task {
        self.broker.task_by_id(&self.caller, id).await.unwrap()
    }

    pub(crate) async fn history(&self, id: &str) -> Vec<HistoryEntry> {
        let page = PageRequest { size: Some(1000), token: None };
        self.broker.task_history(&self.caller, None, Some(id), &page).await.unwrap().items
    }

    /// Ends silent sessions and tasks whose time is over, as the server does in the background.
    pub(crate) async fn sweep(&self) {
        use muster_broker::store::BackgroundStore as _;
        let silent = self.store.contact_silent(self.now().plus_s(-60), PAGE).await.unwrap();
        for step in silent.into_iter().filter_map(|contact| contact::lost(contact, self.now())) {
            self.commit(step).await;
        }
        self.store.task_expire(self.now(), PAGE).await.unwrap();
    }
}
