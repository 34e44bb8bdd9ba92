//! Devices that fail to prove who they are have to wait, longer each time.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use muster_broker::attempts::{Attempts, Policy};
use muster_broker::store::ContactKey;
use muster_broker::time::Timestamp;

use super::Refusal;

/// Failures of this node. A name that nobody has is treated like any other, so that waiting tells nothing.
pub(super) struct Guard {
    attempts: Mutex<Attempts>,
}

impl Guard {
    pub(super) fn new() -> Self {
        Self { attempts: Mutex::new(Attempts::new(Policy::DEVICES)) }
    }

    /// # Errors
    /// [`Refusal::NotNow`] while the sender has to wait.
    pub(super) fn admit(&self, sender: &ContactKey, peer: Option<IpAddr>, now: Timestamp) -> Result<(), Refusal> {
        match self.attempts().blocked_for_s(name(sender), peer, now) {
            None => Ok(()),
            Some(retry_after_s) => Err(Refusal::NotNow { retry_after_s }),
        }
    }

    /// A credential was wrong.
    pub(super) fn failed(&self, sender: &ContactKey, peer: Option<IpAddr>, now: Timestamp) {
        let mut attempts = self.attempts();
        attempts.failed(name(sender), peer, now);
        let failures = attempts.failures(name(sender), peer);
        tracing::warn!(account = name(sender), peer.address = ?peer, failures, "a device did not prove who it is");
    }

    /// A credential was right.
    pub(super) fn succeeded(&self, sender: &ContactKey, peer: Option<IpAddr>) {
        self.attempts().succeeded(name(sender), peer);
    }

    /// Nothing behind this lock is left half done by a panic.
    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(sender: &ContactKey) -> &str {
    match sender {
        ContactKey::ClientName(name) => name,
        ContactKey::DeviceId(id) => id.as_str(),
    }
}
