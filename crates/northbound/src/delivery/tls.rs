//! How receivers are recognised, and how the server says who it is.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ClientConfig;

/// The TLS configuration of deliveries: whom to trust, and our certificate. It may change while the server runs.
pub struct Tls(RwLock<Arc<ClientConfig>>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(…)")
    }
}

impl Tls {
    /// Begins with this configuration.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        Self(RwLock::new(Arc::new(config)))
    }

    /// Connections that are opened from now on use this configuration.
    pub fn set(&self, config: ClientConfig) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    pub(super) fn get(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
