//! A broker with its own store, clock and chance.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use muster_broker::access::Caller;
use muster_broker::device::AuthType;
use muster_broker::device::Device;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::job::Selector;
use muster_broker::operation::{Arguments, Parameter};
use muster_broker::page::PageRequest;
use muster_broker::ports::Environment;
use muster_broker::schedule::Schedule;
use muster_broker::services::{
    AccountFields, Broker, CapabilityFields, Deployment, DeviceFields, OperationRequest, RequestKey, Settings,
};
use muster_broker::store::Due;
use muster_broker::time::Timestamp;
use muster_store::{Options, SqliteStore};

/// 2026-11-21T08:00:00Z.
pub(crate) const MORNING: Timestamp = Timestamp(1_795_248_000_000);

pub(crate) const IMEI_A: &str = "IMEI:490154203237518";
/// Another device with the type allocation code of `IMEI_A`.
pub(crate) const IMEI_A2: &str = "IMEI:490154203237526";
pub(crate) const IMEI_B: &str = "IMEI:356938035643809";
pub(crate) const NUMBER_A: &str = "+15550000001";
pub(crate) const NUMBER_B: &str = "+15550000002";

/// Time that goes on when the test says so, and chance that repeats itself from run to run.
pub(crate) struct Clock {
    now: AtomicI64,
    chance: Mutex<fastrand::Rng>,
}

impl Clock {
    pub(crate) fn advance_s(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Environment for Clock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn random(&self, octets: &mut [u8]) {
        self.chance.lock().unwrap().fill(octets);
    }
}

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) clock: Arc<Clock>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path().join("data"))).unwrap();
        let vault = store.vault();
        let clock = Arc::new(Clock { now: AtomicI64::new(MORNING.0), chance: Mutex::new(fastrand::Rng::with_seed(7)) });
        let broker = Broker::new(Arc::new(store), vault, Arc::clone(&clock) as _, settings);
        Self { broker, clock, _folder: folder }
    }

    /// Records a device with an account.
    pub(crate) async fn device(&self, number: &str, imei: &str) -> Device {
        let fields = DeviceFields {
            device_id: Some(id(imei)),
            phone_number: Some(msisdn(number)),
            account: Some(account(imei)),
            ..DeviceFields::default()
        };
        self.broker.create_device(&admin(), fields, None).await.unwrap()
    }

    /// Records a device without an account.
    pub(crate) async fn stranger(&self, number: Option<&str>, imei: Option<&str>) -> Device {
        let fields =
            DeviceFields { device_id: imei.map(id), phone_number: number.map(msisdn), ..DeviceFields::default() };
        self.broker.create_device(&admin(), fields, None).await.unwrap()
    }

    /// Does background work until none is due.
    pub(crate) async fn pump(&self) {
        for _ in 0..1000 {
            if self.broker.store().job_pump(self.clock.now(), 100).await.unwrap() == Due::Nothing {
                return;
            }
        }
        panic!("background work does not end");
    }
}

pub(crate) fn caller(name: &str, role: &str) -> Caller {
    Caller::local(name, "acme", role)
}

pub(crate) fn admin() -> Caller {
    caller("root", "administrator")
}

/// An administrator of another domain.
pub(crate) fn foreigner() -> Caller {
    Caller::local("root", "other", "administrator")
}

pub(crate) fn id(text: &str) -> DeviceId {
    DeviceId::from_caller(text).unwrap()
}

pub(crate) fn msisdn(text: &str) -> Msisdn {
    Msisdn::parse(text).unwrap()
}

pub(crate) fn account(name: &str) -> AccountFields {
    AccountFields {
        auth_type: AuthType::Digest,
        client_name: name.to_owned(),
        client_secret: Some("client secret".to_owned()),
        client_nonce: None,
        server_id: None,
        server_name: None,
        server_secret: Some("server secret".to_owned()),
        server_nonce: None,
    }
}

pub(crate) fn capability(model: &str) -> CapabilityFields {
    CapabilityFields { manufacturer: "Acme".to_owned(), model: model.to_owned(), ..CapabilityFields::default() }
}

pub(crate) fn key(id: &str, content: u8) -> Option<RequestKey> {
    Some(RequestKey { id: id.to_owned(), content: [content; 32] })
}

pub(crate) fn page() -> PageRequest {
    PageRequest::default()
}

/// A QUERY of the standard set of the device with this number.
pub(crate) fn query(number: &str) -> OperationRequest {
    OperationRequest {
        operation: "QUERY".to_owned(),
        phone_number: Some(msisdn(number)),
        opt_in: false,
        policy: 20,
        test_cycle: false,
        device_id: None,
        arguments: Arguments::default(),
        callback: None,
        schedule: Schedule::default(),
        request: None,
    }
}

/// An UPDATE of one node.
pub(crate) fn update(number: &str) -> OperationRequest {
    let node = Parameter { path: "./Ext/Name".into(), value: Some("new".into()), ..Parameter::default() };
    OperationRequest {
        operation: "UPDATE".to_owned(),
        arguments: Arguments { parameter: vec![node], ..Arguments::default() },
        ..query(number)
    }
}

/// A QUERY on the devices with these numbers.
pub(crate) fn deployment(numbers: &[&str]) -> Deployment {
    Deployment {
        name: "inventory".to_owned(),
        description: None,
        operation: "QUERY".to_owned(),
        devices: Selector {
            phone_number: numbers.iter().map(|number| msisdn(number)).collect(),
            ..Selector::default()
        },
        opt_in: false,
        policy: 20,
        test_cycle: false,
        arguments: Arguments::default(),
        schedule: Schedule::default(),
        priority: None,
        callback: None,
        request: None,
    }
}

/// The name of the fault that a request must end in.
#[track_caller]
pub(crate) fn fault<T: Debug>(result: Result<T, Fault>) -> FaultName {
    match result {
        Ok(value) => panic!("was accepted: {value:?}"),
        Err(fault) => fault.name,
    }
}
