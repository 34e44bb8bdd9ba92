//! Whose a client certificate is. What was found is remembered until something that it depends on changes, and for a
//! minute at the most, so that a request costs a look into memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use muster_broker::directory::Account;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;
use muster_broker::time::Timestamp;

use super::certificate::{ClientCertificate, Facts};
use super::not_authenticated;
use super::trust::Trust;

/// What another node has changed is seen after this long, in seconds.
const AGE_S: i64 = 5;
/// A chain is verified again after this long, in seconds: certificates begin and end.
const VERIFIED_S: i64 = 60;
/// Chains remembered; when there is no room all are forgotten.
const CHAINS_MAX: usize = 10_000;

/// What is remembered.
#[derive(Default)]
pub(super) struct Certificates {
    trust: Mutex<Option<Held>>,
    /// By digest of the chain.
    chains: Mutex<HashMap<[u8; 32], Verified>>,
    /// What is stored is read by one request at a time.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Held {
    trust: Arc<Trust>,
    /// Of the broker, before it was read.
    changes: u64,
    read_at: Timestamp,
}

/// Whose a chain was at a time, and by which version of what is stored.
#[derive(Clone)]
struct Verified {
    version: i64,
    at: Timestamp,
    /// Whose it was, and which version of them: one whose rights have changed, or another of this name, is looked at anew.
    holder: Option<(String, Timestamp, i64)>,
}

impl Certificates {
    /// The account of the certificate's holder.
    ///
    /// # Errors
    /// `NotAuthenticated` if it lets nobody in, for whatever reason: that is for the log. Faults of the store.
    pub(super) async fn holder(&self, broker: &Broker, shown: &ClientCertificate) -> Result<Arc<Account>, Fault> {
        let now = broker.environment().now();
        let trust = self.trust(broker, now).await?;
        let remembered = {
            let chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
            chains.get(&shown.digest()).cloned()
        };
        let is_fresh = |it: &Verified| it.version == trust.version && it.at <= now && now < it.at.plus_s(VERIFIED_S);
        if let Some(verified) = remembered.filter(is_fresh) {
            let (name, created_at, version) = verified.holder.ok_or_else(not_authenticated)?;
            let is_same = |it: &Account| (it.principal.created_at, it.principal.version) == (created_at, version);
            if let Some(account) = broker.account(&name).await?.filter(|account| is_same(account)) {
                return if account.is_let_in { Ok(account) } else { Err(not_authenticated()) };
            }
        }
        let found = find(broker, &trust, shown, now).await?;
        let verified = Verified {
            version: trust.version,
            at: now,
            holder: found.as_ref().ok().map(|account| {
                let principal = &account.principal;
                (principal.name.clone(), principal.created_at, principal.version)
            }),
        };
        {
            let mut chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
            if chains.len() >= CHAINS_MAX {
                chains.clear();
            }
            chains.insert(shown.digest(), verified);
        }
        found.map_err(|why| {
            tracing::warn!(why, "a client certificate was refused");
            not_authenticated()
        })
    }

    async fn trust(&self, broker: &Broker, now: Timestamp) -> Result<Arc<Trust>, Fault> {
        let fresh = || {
            let held = self.trust.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let is_fresh = |held: &Held| {
                held.changes == broker.trust_changes() && held.read_at <= now && now < held.read_at.plus_s(AGE_S)
            };
            (held.as_ref().is_some_and(is_fresh), held)
        };
        if let (true, Some(held)) = fresh() {
            return Ok(held.trust);
        }
        let _reading = self.reading.lock().await;
        let held = match fresh() {
            (true, Some(held)) => return Ok(held.trust),
            (_, held) => held,
        };
        let changes = broker.trust_changes();
        let version = broker.store().trust_version().await?;
        let trust = match held {
            Some(held) if held.trust.version == version => held.trust,
            _ => Arc::new(Trust::new(broker.store().trust_load().await?)),
        };
        let held = Held { trust: trust.clone(), changes, read_at: now };
        *self.trust.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(trust)
    }
}

/// Verifies a chain and looks its names up.
async fn find(
    broker: &Broker,
    trust: &Trust,
    shown: &ClientCertificate,
    now: Timestamp,
) -> Result<Result<Arc<Account>, String>, Fault> {
    let Some(facts) = shown.chain().first().and_then(|leaf| Facts::from_der(leaf).ok()) else {
        return Ok(Err("it cannot be read".to_owned()));
    };
    let told = |why: &str| format!("{}, serial number {}: {why}", facts.subject, facts.serial);
    let believers = trust.believers(shown.chain(), now);
    if believers.is_empty() {
        return Ok(Err(told("no domain believes it")));
    }
    let mut holders = Vec::new();
    let mut reasons = Vec::new();
    for (tenant, vouches_everywhere) in believers {
        match broker.certificate_holder(tenant, vouches_everywhere, facts.names.clone()).await? {
            Ok(account) => holders.push(account),
            Err(why) => reasons.push(why),
        }
    }
    Ok(match (holders.pop(), holders.is_empty()) {
        (Some(account), true) => Ok(account),
        (Some(_), false) => Err(told("it is bound in several domains")),
        (None, _) => Err(told(&reasons.join(", "))),
    })
}
