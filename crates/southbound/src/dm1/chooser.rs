//! Which profile a session has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use muster_broker::id::CapabilityOid;
use muster_broker::store::{CapabilityKey, Contact, Store, StoreError};
use muster_broker::time::Timestamp;

use super::arrival::Arrival;
use super::conversation::Dialogue;
use crate::profile::{ATTRIBUTE, Facts, Profile, Profiles};

/// A capability is read again after so long, in seconds: a change of its profile counts from then on.
const KEPT_S: i64 = 60;
/// Capabilities remembered: more lines of devices than an operator has in contact within a minute.
const KEPT_MAX: usize = 4_096;

/// Chooses profiles, and remembers which ones capabilities name.
pub(super) struct Chooser {
    profiles: Arc<Profiles>,
    named: Mutex<HashMap<CapabilityOid, (Timestamp, Option<String>)>>,
}

impl Chooser {
    pub(super) fn new(profiles: Arc<Profiles>) -> Self {
        Self { profiles, named: Mutex::default() }
    }

    /// The profile that an open session has, or the one for a session that begins with this message.
    pub(super) async fn choose(
        &self,
        store: &dyn Store,
        contact: &Contact,
        dialogue: Option<&Dialogue>,
        arrival: &Arrival<'_>,
        now: Timestamp,
    ) -> Result<&Profile, StoreError> {
        if let Some(dialogue) = dialogue {
            return Ok(self.profiles.named(&dialogue.profile));
        }
        let device = &contact.device;
        let named = match attribute(&device.attribute) {
            Some(name) => Some(name.to_owned()),
            None => self.of_capability(store, contact, now).await?,
        };
        let facts = Facts {
            named: named.as_deref(),
            manufacturer: arrival.dev_info("Man").or(device.manufacturer.as_deref()),
            model: arrival.dev_info("Mod").or(device.model.as_deref()),
            software_version: device.software_version.as_deref(),
            user_agent: arrival.post.user_agent,
            observed: &arrival.observed(),
        };
        Ok(self.profiles.choose(&facts))
    }

    async fn of_capability(
        &self,
        store: &dyn Store,
        contact: &Contact,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let Some(oid) = contact.device.capability else { return Ok(None) };
        if let Some((until, named)) = self.named().get(&oid)
            && now < *until
        {
            return Ok(named.clone());
        }
        let found = store.capability_find(&contact.device.tenant, CapabilityKey::Oid(oid)).await?;
        let named = found.and_then(|it| attribute(&it.attribute).map(str::to_owned));
        let mut kept = self.named();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(oid, (now.plus_s(KEPT_S), named.clone()));
        Ok(named)
    }

    /// Nothing behind this lock is left half done by a panic.
    fn named(&self) -> std::sync::MutexGuard<'_, HashMap<CapabilityOid, (Timestamp, Option<String>)>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn attribute(attributes: &[(String, String)]) -> Option<&str> {
    attributes.iter().find(|(name, _)| name == ATTRIBUTE).map(|(_, value)| value.trim())
}
