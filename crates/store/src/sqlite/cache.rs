//! Contacts as the last message left them, so that a session's next message needs no read.
//!
//! An entry counts only while nothing but messages of devices has been written since it was read. A new task begins a
//! new epoch for the devices of its bucket, and any other write for all, since it may concern any device. What an entry
//! misses nevertheless is found by the condition that every step is applied under.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use muster_broker::id::{BUCKETS, DeviceOid};
use muster_broker::store::{Contact, ContactStep};

/// Parts with a lock each, so that workers seldom wait for each other.
const PARTS: usize = 16;
/// Entries of one part. An entry takes about 3 KiB, so all take about 12 MiB.
const PART_MAX: usize = 256;

/// How far the database had come when something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(u64);

/// The contacts of devices that spoke lately.
pub(super) struct ContactCache {
    epoch: AtomicU64,
    /// The epoch that began with the last change to any device.
    of_all: AtomicU64,
    /// The epoch that began with the last change to a device of each bucket.
    of_bucket: Vec<AtomicU64>,
    /// Entries by device, in the part of its bucket.
    parts: Vec<Mutex<HashMap<DeviceOid, Entry>>>,
    /// Devices by the name of their account.
    names: Vec<Mutex<HashMap<String, DeviceOid>>>,
}

struct Entry {
    read_at: Epoch,
    contact: Contact,
}

impl Default for ContactCache {
    fn default() -> Self {
        Self {
            epoch: AtomicU64::new(0),
            of_all: AtomicU64::new(0),
            of_bucket: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            names: (0..PARTS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl ContactCache {
    /// To be asked for before a contact is read.
    pub(super) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    /// Something else than a message was written: no entry counts any more.
    pub(super) fn begin_epoch(&self) {
        self.of_all.store(self.next_epoch(), Ordering::Release);
    }

    /// Something else than a message was written of these devices: their entries do not count any more.
    pub(super) fn changed(&self, devices: &[DeviceOid]) {
        if devices.is_empty() {
            return;
        }
        let epoch = self.next_epoch();
        for device in devices {
            if let Some(bucket) = self.of_bucket.get(usize::from(device.bucket.0)) {
                bucket.store(epoch, Ordering::Release);
            }
        }
    }

    /// Only the writer begins epochs, so they are stored in the order in which they begin.
    fn next_epoch(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Whether what was read of a device at that time is what is stored.
    fn counts(&self, device: DeviceOid, read_at: Epoch) -> bool {
        let of_bucket = self.of_bucket.get(usize::from(device.bucket.0));
        let changed_at = of_bucket.map_or(u64::MAX, |epoch| epoch.load(Ordering::Acquire));
        read_at.0 >= changed_at.max(self.of_all.load(Ordering::Acquire))
    }

    /// The contact of this account, as the last step or read left it.
    pub(super) fn get(&self, client_name: &str) -> Option<Contact> {
        let device = self.names(client_name)?.get(client_name).copied()?;
        let mut part = self.part(device)?;
        let entry = part.get(&device)?;
        let is_of_account = name_of(&entry.contact) == Some(client_name);
        if self.counts(device, entry.read_at) && is_of_account {
            return Some(entry.contact.clone());
        }
        part.remove(&device);
        None
    }

    /// Keeps what was read when the database was at `epoch`.
    pub(super) fn put(&self, epoch: Epoch, contact: &Contact) {
        let (device, Some(name)) = (contact.device.oid, name_of(contact)) else { return };
        if contact.tasks.len() >= Contact::TASKS_MAX {
            // There may be more tasks than were read; when these are done, the others must be found.
            self.forget(device);
            return;
        }
        if let Some(mut names) = self.names(name) {
            make_room(&mut names, name);
            names.insert(name.to_owned(), device);
        }
        if let Some(mut part) = self.part(device) {
            make_room(&mut part, &device);
            part.insert(device, Entry { read_at: epoch, contact: contact.clone() });
        }
    }

    /// A step was applied: the entry that it was decided on becomes what is stored now.
    pub(super) fn applied(&self, step: &ContactStep) {
        let Some(mut part) = self.part(step.device) else { return };
        let Some(entry) = part.get_mut(&step.device) else { return };
        // What the store makes of a changed record is read from it.
        if step.record.is_some() || entry.contact.state.revision != step.revision {
            part.remove(&step.device);
            return;
        }
        let was_full = entry.contact.tasks.len() >= Contact::TASKS_MAX;
        apply(&mut entry.contact, step);
        // There may be tasks that were not loaded for want of room.
        if was_full && entry.contact.tasks.len() < Contact::TASKS_MAX {
            part.remove(&step.device);
        }
    }

    /// A step on this device was decided on something old.
    pub(super) fn forget(&self, device: DeviceOid) {
        if let Some(mut part) = self.part(device) {
            part.remove(&device);
        }
    }

    fn part(&self, device: DeviceOid) -> Option<MutexGuard<'_, HashMap<DeviceOid, Entry>>> {
        let part = self.parts.get(usize::from(device.bucket.0) % PARTS)?;
        Some(part.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn names(&self, name: &str) -> Option<MutexGuard<'_, HashMap<String, DeviceOid>>> {
        let hash = name.bytes().fold(0_usize, |hash, octet| hash.wrapping_mul(31).wrapping_add(usize::from(octet)));
        let names = self.names.get(hash % PARTS)?;
        Some(names.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn name_of(contact: &Contact) -> Option<&str> {
    contact.device.account.as_ref().map(|account| account.client_name.as_str())
}

/// Empties a full part: rarely, and devices that are in a session now are read once more.
fn make_room<K: Eq + Hash + Borrow<Q>, Q: Eq + Hash + ?Sized, V>(part: &mut HashMap<K, V>, key: &Q) {
    if part.len() >= PART_MAX && !part.contains_key(key) {
        part.clear();
    }
}

/// What the step left in the database.
fn apply(contact: &mut Contact, step: &ContactStep) {
    contact.state = step.state.clone();
    contact.state.revision = step.revision + 1;
    contact.device.last_seen_at = contact.state.last_seen_at;
    for changed in &step.tasks {
        let Some(place) = contact.tasks.iter().position(|open| open.task.id == changed.id) else { continue };
        if changed.status.is_final() {
            contact.tasks.remove(place);
        } else if let Some(open) = contact.tasks.get_mut(place) {
            open.task = changed.clone();
            open.task.version += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use muster_broker::id::Bucket;
    use uuid::Uuid;

    use super::*;

    fn device(bucket: u16) -> DeviceOid {
        DeviceOid { bucket: Bucket(bucket), unique: Uuid::from_u128(u128::from(bucket)) }
    }

    #[test]
    fn a_new_task_ends_what_was_read_of_its_device_and_any_other_write_what_was_read_of_all() {
        let (cache, [one, other]) = (ContactCache::default(), [device(7), device(8)]);
        let first = cache.epoch();
        assert!(cache.counts(one, first) && cache.counts(other, first));

        cache.changed(&[one]);
        assert!(!cache.counts(one, first) && cache.counts(other, first));
        let second = cache.epoch();
        assert!(cache.counts(one, second));

        cache.begin_epoch();
        assert!(!cache.counts(one, second) && !cache.counts(other, second));
        assert!(cache.counts(one, cache.epoch()) && cache.counts(other, cache.epoch()));
    }

    #[test]
    fn what_was_read_while_nothing_was_written_counts_for_ever() {
        let cache = ContactCache::default();
        let read_at = cache.epoch();
        cache.changed(&[]);
        assert!(cache.counts(device(0), read_at) && cache.counts(device(BUCKETS - 1), read_at));
    }
}
