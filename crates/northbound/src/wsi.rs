//! What the faces share: the broker, the operator's settings, and who is known.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use muster_broker::services::Broker;
use tokio::sync::Semaphore;

use crate::identity::{self, Identity};
use crate::import::IMPORTS_MAX;
use crate::soap::Descriptions;
use crate::{rest, soap};

/// What the operator sets about the WSI.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address under which clients reach this server, for example `https://dm.example`. Written into descriptions. Where
    /// it is absent the Host header is used, if it names one of `hosts`.
    pub public_url: Option<String>,
    /// Names (without port) that a Host header may have, compared without regard to case.
    pub hosts: Vec<String>,
    /// Whether clients reach this listener over TLS, so that addresses made from the Host header begin with `https`.
    pub is_tls: bool,
    /// How long the body of a request may take to arrive.
    pub body_time: Duration,
    /// About identity.
    pub identity: identity::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            hosts: ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec(),
            is_tls: false,
            body_time: Duration::from_secs(30),
            identity: identity::Settings::default(),
        }
    }
}

/// The WSI of one server, for every face.
#[derive(Clone)]
pub struct Wsi {
    pub(crate) inner: Arc<Inner>,
}

/// What every face works with.
pub(crate) struct Inner {
    pub(crate) broker: Broker,
    pub(crate) settings: Settings,
    pub(crate) identity: Identity,
    pub(crate) descriptions: Descriptions,
    /// Imports that may yet be begun.
    pub(crate) imports: Arc<Semaphore>,
}

impl Wsi {
    /// The WSI over a broker.
    #[must_use]
    pub fn new(broker: Broker, settings: Settings) -> Self {
        let identity = Identity::new(settings.identity.clone());
        Self {
            inner: Arc::new(Inner {
                broker,
                settings,
                identity,
                descriptions: Descriptions::new(),
                imports: Arc::new(Semaphore::new(IMPORTS_MAX)),
            }),
        }
    }

    /// The broker behind this WSI.
    #[must_use]
    pub fn broker(&self) -> &Broker {
        &self.inner.broker
    }
}

/// Routes of every face. Serve them with `into_make_service_with_connect_info::<SocketAddr>()`: the address of the peer
/// is part of what locks a name out.
pub fn router(state: Wsi) -> Router {
    soap::router(state.clone()).merge(rest::router(state.clone())).merge(identity::login_router(state))
}
