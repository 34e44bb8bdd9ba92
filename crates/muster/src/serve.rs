//! The server: builds store, broker, endpoints and background work, and ends them in order.

mod background;
mod charging;
mod deliveries;
mod environment;
mod listen;
mod metrics;
mod process;
mod tls;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use muster_broker::access::{BuiltIn, Grant, GrantTenant, Granted, Principal};
use muster_broker::ledger::Deed;
use muster_broker::ports::Environment;
use muster_broker::ports::Vault;
use muster_broker::services::{Broker, Settings};
use muster_broker::store::Store;
use muster_northbound::delivery::{Deliverer, SystemResolver};
use muster_northbound::{Wsi, identity};
use muster_southbound::dm1::Exchange;
use muster_southbound::profile::Profiles;
use muster_store::SqliteStore;

use deliveries::Deliveries;
pub(crate) use environment::System;
use listen::{Bound, Bounds, Listening};
use tls::Clients;

use crate::config::{self, File};

/// Default addresses: loopback.
pub(crate) const NORTH: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080));
pub(crate) const SOUTH: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8081));
pub(crate) const ADMIN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8082));

/// Name of the administrator that the first start makes.
pub(crate) const ADMINISTRATOR: &str = "admin";
/// Its domain.
pub(crate) const FIRST_TENANT: &str = "default";

/// What the server is started with, flags and file merged.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) data: PathBuf,
    pub(crate) file: File,
    /// The administrator's password, if it does not exist yet; a random one when absent.
    pub(crate) admin_password: Option<String>,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) north: Listening,
    pub(crate) south: Listening,
    pub(crate) admin: Listening,
    /// The password of an administrator that was made by this start.
    pub(crate) new_password: Option<String>,
    exchange: Arc<Exchange>,
    store: Arc<dyn Store>,
    ending: Arc<AtomicBool>,
    background: background::Background,
    charging: charging::Charging,
    deliveries: Deliveries,
    patience: Duration,
    /// Reads certificates anew as long as the server is there.
    _watch: Option<tls::Watch>,
}

impl Server {
    /// Starts everything; returns when all listeners are bound.
    pub(crate) async fn start(options: Options) -> anyhow::Result<Self> {
        let Options { data, file, admin_password } = options;
        let (store, vault) = open(&data)?;
        // Before the first administrator is made: were a port taken, nobody would ever see the password.
        let clients = if file.north.client_certificates.unwrap_or(true) { Clients::Asked } else { Clients::NotAsked };
        let north = bind("north", &file.north, NORTH, clients, &data).await?;
        let south = bind("south", &file.south, SOUTH, Clients::NotAsked, &data).await?;
        let admin = bind("admin", &file.admin, ADMIN, Clients::NotAsked, &data).await?;
        let (towards_receivers, shown_to_receivers) = tls::outgoing(&file.callbacks)?;
        let listeners = [&north, &south, &admin].into_iter().filter_map(Bound::certificate);
        let certificates: Vec<_> = listeners.chain(shown_to_receivers).collect();
        let watch = tls::watch(certificates.clone())?;
        let environment: Arc<dyn Environment> = Arc::new(System);
        let settings = Settings {
            server_id: file.server_id.clone().unwrap_or_else(|| "muster".to_owned()),
            requests_per_second_max: file.limits.wsi_requests_per_second,
            session_idle_s: file.sessions.wsi_idle_seconds,
            session_life_s: file.sessions.wsi_life_seconds,
            request_bytes_max: file.limits.wsi_request_bytes,
            callbacks_over_http: file.callbacks.plain_http,
            key_life_s_max: file.sessions.api_key_days_max.saturating_mul(24 * 3600),
        };
        let broker = Broker::new(store.clone(), vault.clone(), environment.clone(), settings);
        let new_password = first_administrator(&broker, admin_password).await?;

        let exchange = Arc::new(Exchange::new(
            store.clone(),
            vault,
            environment,
            muster_southbound::dm1::Settings {
                server_id: broker.settings().server_id.clone(),
                device_url: file.south.public_url.clone(),
                message_bytes_max: file.limits.device_message_bytes,
                object_bytes_max: file.limits.device_object_bytes,
                proof_in_each_message: file.sessions.device_proof_in_each_message,
                profiles: Arc::new(Profiles::new(file.profile.clone())?),
            },
        ));
        let wsi =
            Wsi::new(broker.clone(), muster_northbound::Settings { is_tls: north.is_tls(), ..wsi_settings(&file) });
        let bounds = Bounds::of(&file.limits);
        let north = north.serve(muster_northbound::router(wsi), bounds);
        let south = south.serve(muster_southbound::router(exchange.clone()), bounds);
        let ending = Arc::new(AtomicBool::new(false));
        let resolver = Arc::new(SystemResolver);
        let deliverer =
            Arc::new(Deliverer::new(broker.clone(), towards_receivers, resolver, deliveries::settings(&file)));
        let health = Health { store: store.clone(), ending: ending.clone() };
        let counted = metrics::Counted {
            health: health.clone(),
            process: Arc::new(process::Process::new(&data)),
            north: north.traffic(),
            south: south.traffic(),
            exchange: exchange.clone(),
            deliverer: deliverer.clone(),
            certificates,
        };
        let router = health.router().merge(metrics::router(counted));
        let admin = admin.serve(router, bounds);
        let charging = charging::start(broker.clone(), &file.charging)?;
        let background = background::start(store.clone(), &file.sessions);
        let patience = Duration::from_secs(file.limits.shutdown_seconds);
        let deliveries = Deliveries::start(deliverer, patience);
        Ok(Self {
            north,
            south,
            admin,
            new_password,
            exchange,
            store,
            ending,
            background,
            charging,
            deliveries,
            patience,
            _watch: watch,
        })
    }

    /// Ends the server: no new request is taken, sessions that are open get time to finish, what is decided is stored.
    pub(crate) async fn stop(self) {
        let Self { north, south, admin, exchange, store, ending, background, charging, deliveries, patience, .. } =
            self;
        ending.store(true, Ordering::Relaxed);
        exchange.drain();
        let devices = async {
            // Messages of one session may come on several connections, so the listener stays until sessions have ended.
            let begin = tokio::time::Instant::now();
            let _ = tokio::time::timeout(patience, background::sessions_ended(store.as_ref(), patience)).await;
            south.stop(patience.saturating_sub(begin.elapsed()).max(Duration::from_secs(1))).await;
        };
        tokio::join!(north.stop(patience), devices);
        background.stop().await;
        // After what could still end something that somebody wants to be told.
        deliveries.stop().await;
        charging.stop().await;
        admin.stop(Duration::from_secs(1)).await;
    }
}

/// A listener with the server's stack and bounds and nothing behind it, on a free port of loopback.
pub(crate) async fn bare(router: Router) -> anyhow::Result<Listening> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok(Bound::to(address, None).await?.serve(router, Bounds::of(&config::Limits::default())))
}

/// Opens the store of a data folder, and the vault with its key.
pub(crate) fn open(data: &Path) -> anyhow::Result<(Arc<dyn Store>, Arc<dyn Vault>)> {
    let store = SqliteStore::open(&muster_store::Options::new(data)).context("cannot open the data folder")?;
    let vault = store.vault();
    Ok((Arc::new(store), vault))
}

fn wsi_settings(file: &File) -> muster_northbound::Settings {
    muster_northbound::Settings {
        public_url: file.north.public_url.clone(),
        body_time: Duration::from_secs(file.limits.request_seconds),
        ..muster_northbound::Settings::default()
    }
}

async fn bind(
    name: &'static str,
    listener: &config::Listener,
    default: SocketAddr,
    clients: Clients,
    data: &Path,
) -> anyhow::Result<Bound> {
    let address = listener.address.unwrap_or(default);
    let tls = tls::of(name, listener, clients, data)?;
    Bound::to(address, tls).await.with_context(|| format!("cannot listen on {address}"))
}

/// Makes the administrator on the first start. Returns the password if it was made up here.
async fn first_administrator(broker: &Broker, given: Option<String>) -> anyhow::Result<Option<String>> {
    if broker.store().principal_get(ADMINISTRATOR).await?.is_some() {
        return Ok(None);
    }
    let made_up = given.is_none();
    let password = given.unwrap_or_else(|| random_password(broker.environment().as_ref()));
    let hash = identity::hash_password(&password, broker.environment().as_ref())?;
    let everywhere = Grant::whole(Granted::Role(BuiltIn::ADMINISTRATOR.to_owned()), GrantTenant::Any);
    let principal = Principal {
        grants: vec![everywhere],
        created_at: broker.environment().now(),
        ..Principal::of_role(ADMINISTRATOR, FIRST_TENANT, BuiltIn::ADMINISTRATOR, &hash)
    };
    let deed = Deed::of_server(FIRST_TENANT, "begin", broker.environment().now());
    broker.store().principal_put(principal, deed).await?;
    Ok(made_up.then_some(password))
}

/// 120 random bits in letters that are not mistaken for each other.
pub(crate) fn random_password(environment: &dyn Environment) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut octets = [0; 24];
    environment.random(&mut octets);
    octets.iter().map(|octet| char::from(LETTERS[usize::from(octet % 32)])).collect()
}

/// How long the store may take to say that it is there. Whoever probes waits for a second or a few.
const PING: Duration = Duration::from_secs(2);

/// Alive means that the process answers; ready, that the store does and that new sessions may begin.
#[derive(Clone)]
struct Health {
    store: Arc<dyn Store>,
    ending: Arc<AtomicBool>,
}

impl Health {
    fn router(self) -> Router {
        async fn ready(State(health): State<Health>) -> (StatusCode, &'static str) {
            health.unready().await.map_or((StatusCode::OK, "ready\n"), |why| (StatusCode::SERVICE_UNAVAILABLE, why))
        }
        Router::new().route("/healthz", get(|| async { "alive\n" })).route("/readyz", get(ready)).with_state(self)
    }

    /// Why the server is not ready, as a line; nothing if it is.
    async fn unready(&self) -> Option<&'static str> {
        if self.ending.load(Ordering::Relaxed) {
            return Some("the server ends\n");
        }
        let answer = tokio::time::timeout(PING, self.store.ping()).await;
        (!matches!(answer, Ok(Ok(())))).then_some("the store does not answer\n")
    }
}
