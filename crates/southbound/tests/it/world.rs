//! The server: a store in a folder of its own, the broker and the device endpoint over it, and a clock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use muster_broker::access::{Caller, Principal};
use muster_broker::contact;
use muster_broker::device::{AuthType, Device};
use muster_broker::page::{Page, PageRequest};
use muster_broker::ports::Environment;
use muster_broker::power::{Approval, ApprovalStatus};
use muster_broker::services::{self, AccountFields, ApprovalAnswer, Broker, DeviceFields};
use muster_broker::store::{ApprovalFilter, Contact, ContactKey, DeviceKey, Store, Verdict};
use muster_broker::task::{HistoryEntry, Task, TaskStatus};
use muster_broker::time::Timestamp;
use muster_southbound::dm1::{Answer, Exchange, Post, Refusal, Settings};
use muster_store::{Options, SqliteStore};

use crate::phone::Phone;

/// When every test begins.
const BEGINNING: Timestamp = Timestamp(1_795_248_000_000);

/// Time and chance as the test wants them.
pub(crate) struct TestEnvironment {
    now: AtomicI64,
    random: AtomicU64,
    /// Runs once, when the time is asked for next.
    hook: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Environment for TestEnvironment {
    fn now(&self) -> Timestamp {
        let hook = self.hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn random(&self, octets: &mut [u8]) {
        for octet in octets {
            // SplitMix64.
            let mut z = self.random.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            *octet = (z >> 56) as u8;
        }
    }
}

/// The whole server.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) environment: Arc<TestEnvironment>,
    pub(crate) caller: Caller,
    settings: Settings,
    parts: Option<Parts>,
    /// Every message that came, in order.
    pub(crate) log: Mutex<Vec<Vec<u8>>>,
}

struct Parts {
    store: Arc<dyn Store>,
    broker: Broker,
    exchange: Arc<Exchange>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let caller = Caller::local("care", "default", "administrator");
        let mut world = Self {
            folder: tempfile::tempdir().unwrap(),
            environment: Arc::new(TestEnvironment {
                now: AtomicI64::new(BEGINNING.0),
                random: AtomicU64::new(7),
                hook: Mutex::new(None),
            }),
            caller,
            settings,
            parts: None,
            log: Mutex::new(Vec::new()),
        };
        world.reopen();
        world
    }

    /// Ends the server and starts it again on what it stored.
    pub(crate) fn reopen(&mut self) {
        self.parts = None;
        let options = Options {
            point_readers: 2,
            scan_readers: 1,
            writer_cache_kib: 4096,
            reader_cache_kib: 1024,
            ..Options::new(self.folder.path())
        };
        let sqlite = Arc::new(SqliteStore::open(&options).unwrap());
        let vault = sqlite.vault();
        let store: Arc<dyn Store> = sqlite;
        let environment = self.environment.clone();
        let broker = Broker::new(store.clone(), vault.clone(), environment.clone(), services::Settings::default());
        let exchange = Arc::new(Exchange::new(store.clone(), vault, environment, self.settings.clone()));
        self.parts = Some(Parts { store, broker, exchange });
    }

    fn parts(&self) -> &Parts {
        self.parts.as_ref().unwrap()
    }

    pub(crate) fn broker(&self) -> &Broker {
        &self.parts().broker
    }

    pub(crate) fn exchange(&self) -> &Arc<Exchange> {
        &self.parts().exchange
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.parts().store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.environment.now()
    }

    /// Lets time pass.
    pub(crate) fn pass_s(&self, seconds: i64) {
        self.environment.now.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Has something else done between the reading and the storing of the next message that comes: the endpoint asks
    /// for the time in between.
    pub(crate) fn meanwhile<F>(&self, act: impl FnOnce(Broker, Caller) -> F + Send + 'static)
    where
        F: Future<Output = ()>,
    {
        let (broker, caller) = (self.broker().clone(), self.caller.clone());
        let hook = move || {
            // On a thread of its own, because the endpoint is in the middle of a future here.
            let done = std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(act(broker, caller));
            });
            done.join().unwrap();
        };
        *self.environment.hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// Takes one message as it comes from the network.
    pub(crate) async fn post(&self, post: Post<'_>) -> Result<Answer, Refusal> {
        self.log.lock().unwrap().push(post.body.to_vec());
        self.exchange().take(post).await
    }

    /// Records the device, with the account that it has.
    pub(crate) async fn record(&self, phone: &Phone) -> Device {
        let account = phone.account_fields();
        self.record_as(Some(&phone.imei), Some(account)).await
    }

    pub(crate) async fn record_as(&self, device_id: Option<&str>, account: Option<AccountFields>) -> Device {
        let fields = DeviceFields { device_id: device_id.map(|id| id.parse_id()), account, ..DeviceFields::default() };
        self.broker().create_device(&self.caller, fields, None).await.unwrap()
    }

    /// The record as it is now.
    pub(crate) async fn device(&self, record: &Device) -> Device {
        let mut found = self.store().device_find(&self.caller.tenant, DeviceKey::Oid(record.oid), 1).await.unwrap();
        found.pop().unwrap()
    }

    pub(crate) async fn contact(&self, phone: &Phone) -> Contact {
        let key = ContactKey::ClientName(phone.name.clone());
        self.store().contact_load(&key).await.unwrap().unwrap()
    }

    pub(crate) async fn task(&self, id: &str) -> Task {
        self.broker().task_by_id(&self.caller, id).await.unwrap()
    }

    pub(crate) async fn status(&self, id: &str) -> TaskStatus {
        self.task(id).await.status
    }

    /// The values of a task's result, in order.
    pub(crate) async fn values(&self, id: &str) -> Vec<String> {
        self.task(id).await.result.into_iter().map(|node| node.value.unwrap_or_default()).collect()
    }

    pub(crate) async fn detail(&self, id: &str) -> String {
        self.task(id).await.detail.unwrap_or_default()
    }

    pub(crate) async fn history(&self, id: &str) -> Vec<HistoryEntry> {
        let page = PageRequest { size: Some(1000), token: None };
        self.broker().task_history(&self.caller, None, Some(id), &page).await.unwrap().items
    }

    /// The names of what happened to a task.
    pub(crate) async fn events(&self, id: &str) -> Vec<String> {
        self.history(id).await.into_iter().map(|entry| entry.event).collect()
    }

    pub(crate) async fn cancel(&self, id: &str) {
        self.broker().cancel_task(&self.caller, id, None).await.unwrap();
    }

    /// What waits for a second person.
    pub(crate) async fn pending(&self) -> Vec<Approval> {
        let filter = ApprovalFilter { status: vec![ApprovalStatus::Pending], ..ApprovalFilter::default() };
        self.store().approval_list(&self.caller.tenant, filter, Page { size: 100, after: None }).await.unwrap().items
    }

    /// A second person, and the one who asked, as the server knows them.
    pub(crate) async fn second(&self) -> Caller {
        for name in [self.caller.name.as_str(), "second"] {
            let principal = Principal::of_role(name, &self.caller.tenant, "administrator", "hash");
            self.store()
                .principal_put(
                    principal,
                    muster_broker::ledger::Deed::local("default", "principal put", muster_broker::time::Timestamp(0)),
                )
                .await
                .unwrap();
        }
        Caller { name: "second".into(), ..self.caller.clone() }
    }

    /// A second person approves of everything that waits for one: of something at least.
    pub(crate) async fn approve(&self) {
        let (second, pending) = (self.second().await, self.pending().await);
        assert!(!pending.is_empty(), "nothing waits for approval");
        for approval in pending {
            let answer = ApprovalAnswer { approval_id: approval.id.to_string(), ..ApprovalAnswer::default() };
            self.broker().approve(&second, answer).await.unwrap();
        }
    }

    /// Takes jobs forward as far as they go now.
    pub(crate) async fn pump(&self) {
        for _ in 0..10 {
            self.store().job_pump(self.now(), 100).await.unwrap();
        }
    }

    /// Ends sessions that have been silent for a minute, as the server does in the background.
    pub(crate) async fn sweep(&self) -> usize {
        let silent = self.store().contact_silent(self.now().plus_s(-60), 100).await.unwrap();
        let mut ended = 0;
        for step in silent.into_iter().filter_map(|contact| contact::lost(contact, self.now())) {
            assert_eq!(self.store().contact_commit(step).await.unwrap(), Verdict::Applied);
            ended += 1;
        }
        ended
    }
}

/// Identifiers out of text.
pub(crate) trait ParseId {
    fn parse_id(&self) -> muster_broker::identity::DeviceId;
}

impl ParseId for str {
    fn parse_id(&self) -> muster_broker::identity::DeviceId {
        muster_broker::identity::DeviceId::from_caller(self).unwrap()
    }
}

/// What the broker calls the scheme.
pub(crate) fn weakest(auth: muster_simulator::account::AuthType) -> AuthType {
    match auth {
        muster_simulator::account::AuthType::Basic => AuthType::Basic,
        muster_simulator::account::AuthType::Md5 => AuthType::Digest,
        muster_simulator::account::AuthType::Hmac => AuthType::Hmac,
    }
}
