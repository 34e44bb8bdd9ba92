//! A broker with a device, a deliverer, and names that lead where the test says.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use muster_broker::access::Caller;
use muster_broker::callback::{CallbackKind, CallbackWanted};
use muster_broker::identity::Msisdn;
use muster_broker::operation::Arguments;
use muster_broker::page::PageRequest;
use muster_broker::ports::Environment;
use muster_broker::schedule::Schedule;
use muster_broker::services::{
    AccountFields, Broker, CallbackAddressFields, CallbackAddressTold, CredentialFields, DeviceFields,
    OperationRequest, Settings as BrokerSettings,
};
use muster_broker::store::{DeadLetter, QueueView};
use muster_broker::time::Timestamp;
use muster_northbound::delivery::{Deliverer, Resolve, Resolving, Settings};
use muster_store::{Options, SqliteStore};

/// Time that goes on when the test says so, and chance that repeats itself from run to run.
pub(crate) struct Clock {
    now: AtomicI64,
    chance: Mutex<fastrand::Rng>,
}

impl Environment for Clock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn random(&self, octets: &mut [u8]) {
        self.chance.lock().unwrap().fill(octets);
    }
}

/// Names of the test, and how often they were looked up.
#[derive(Default)]
pub(crate) struct Names {
    /// For each look-up the addresses, the last ones for ever.
    known: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Names {
    pub(crate) fn set(&self, name: &str, answers: &[&[IpAddr]]) {
        let answers = answers.iter().rev().map(|it| it.to_vec()).collect();
        self.known.lock().unwrap().insert(name.to_owned(), answers);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Names {
    fn resolve<'r>(&'r self, host: &'r str, port: u16) -> Resolving<'r> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut known = self.known.lock().unwrap();
        let found = known.get_mut(host).map(|answers| {
            if answers.len() > 1 { answers.pop().unwrap() } else { answers.first().cloned().unwrap_or_default() }
        });
        let found = found.ok_or_else(|| std::io::Error::other("no such name"));
        Box::pin(async move { Ok(found?.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()) })
    }
}

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) clock: Arc<Clock>,
    pub(crate) names: Arc<Names>,
    pub(crate) deliverer: Arc<Deliverer>,
    folder: tempfile::TempDir,
}

pub(crate) const NUMBER: &str = "+15551234567";

pub(crate) fn admin() -> Caller {
    Caller::local("root", "acme", "administrator")
}

pub(crate) fn quick() -> Settings {
    Settings {
        connect: Duration::from_secs(5),
        answer: Duration::from_secs(5),
        plain_http: true,
        tick: Duration::from_millis(5),
        ..Settings::default()
    }
}

/// Trusts nobody.
pub(crate) fn no_trust() -> rustls::ClientConfig {
    trusting(&[])
}

pub(crate) fn trusting(certificates: &[rustls_pki_types::CertificateDer<'static>]) -> rustls::ClientConfig {
    builder(certificates).with_no_client_auth()
}

pub(crate) fn builder(
    certificates: &[rustls_pki_types::CertificateDer<'static>],
) -> rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = rustls::RootCertStore::empty();
    certificates.iter().for_each(|certificate| roots.add(certificate.clone()).unwrap());
    rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(quick(), no_trust()).await
    }

    pub(crate) async fn with(settings: Settings, tls: rustls::ClientConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path().join("data"))).unwrap();
        let vault = store.vault();
        let now = Timestamp::parse("2026-11-21T06:06:00Z").unwrap().0;
        let clock = Arc::new(Clock { now: AtomicI64::new(now), chance: Mutex::new(fastrand::Rng::with_seed(7)) });
        let broker_settings = BrokerSettings { callbacks_over_http: true, ..BrokerSettings::default() };
        let broker = Broker::new(Arc::new(store), vault, Arc::clone(&clock) as _, broker_settings);
        let names = Arc::new(Names::default());
        let deliverer = Arc::new(Deliverer::new(broker.clone(), Arc::new(tls), Arc::clone(&names) as _, settings));
        let fields = DeviceFields {
            phone_number: Some(Msisdn::parse(NUMBER).unwrap()),
            account: Some(AccountFields {
                auth_type: muster_broker::device::AuthType::Digest,
                client_name: "a".into(),
                client_secret: Some("b".into()),
                client_nonce: None,
                server_id: None,
                server_name: None,
                server_secret: None,
                server_nonce: None,
            }),
            ..DeviceFields::default()
        };
        broker.create_device(&admin(), fields, None).await.unwrap();
        Self { broker, clock, names, deliverer, folder }
    }

    /// The folder of the database.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn advance_s(&self, seconds: i64) {
        self.clock.now.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) async fn allow(&self, fields: CallbackAddressFields) -> CallbackAddressTold {
        self.broker.create_callback_address(&admin(), fields, None, None).await.unwrap()
    }

    /// Something that ends at once and is told to `callback`. The task.
    pub(crate) async fn happen(&self, callback: CallbackWanted) -> String {
        self.happen_by(&admin(), callback).await
    }

    /// As [`World::happen`], asked for by `caller`.
    pub(crate) async fn happen_by(&self, caller: &Caller, callback: CallbackWanted) -> String {
        let request = OperationRequest {
            operation: "QUERY".into(),
            phone_number: Some(Msisdn::parse(NUMBER).unwrap()),
            opt_in: false,
            policy: 30,
            test_cycle: true,
            device_id: None,
            arguments: Arguments::default(),
            callback: Some(callback),
            schedule: Schedule::default(),
            request: None,
        };
        self.broker.do_operation(caller, request).await.unwrap()
    }

    pub(crate) async fn deliver(&self) -> usize {
        self.deliverer.deliver_due().await.unwrap()
    }

    pub(crate) async fn queue(&self) -> QueueView {
        self.broker.callback_queues(&admin(), &PageRequest::default()).await.unwrap().items.remove(0)
    }

    pub(crate) async fn letters(&self) -> Vec<DeadLetter> {
        self.broker.dead_letters(&admin(), None, &PageRequest::default()).await.unwrap().items
    }

    pub(crate) fn count(&self, outcome: &str) -> u64 {
        self.deliverer.counters().messages().into_iter().find(|(name, _)| *name == outcome).unwrap().1
    }
}

/// An address for SOAP that may lead into private networks.
pub(crate) fn soap(url: &str) -> CallbackAddressFields {
    CallbackAddressFields {
        owner: None,
        url: url.to_owned(),
        kind: CallbackKind::Soap,
        description: None,
        credential: None,
        allows_private: true,
        enabled: true,
    }
}

pub(crate) fn hook(url: &str) -> CallbackAddressFields {
    CallbackAddressFields { kind: CallbackKind::Webhook, ..soap(url) }
}

pub(crate) fn credential(kind: muster_broker::callback::CredentialKind) -> Option<CredentialFields> {
    Some(CredentialFields { kind, user_name: "mu&ster".into(), password: Some("s<3cret".into()) })
}

pub(crate) fn to(address: &str) -> CallbackWanted {
    address.into()
}
