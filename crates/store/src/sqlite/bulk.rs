//! Many device records in one transaction: what `device_write` does for one record, in fewer steps for each.
//!
//! A name is taken by the same statement that looks whether it is free; what the records of a batch have in common is
//! looked up once; and the tables are filled one after the other, because a statement that runs many times in a row
//! finds the pages it needs at hand.

use std::collections::{HashMap, HashSet};

use muster_broker::device::Device;
use muster_broker::fault::Fault;
use muster_broker::id::{CapabilityOid, DeviceOid};
use muster_broker::ledger::Deed;
use muster_broker::store::{DeviceKey, DeviceVerdict, DeviceWrite, ImportOutcome, WriteMode};
use muster_broker::subscriber;
use rusqlite::{CachedStatement, params};

use super::classes::{self, Tally};
use super::device_write::{self, INSERT, as_new, client_name, count, device_id, fill, taken};
use super::devices::{KIND_CLIENT_NAME, KIND_DEVICE_ID, find};
use super::query::run;
use super::rows::Done;
use super::writer::Transaction;
use super::{capabilities, membership, subscribers};
use crate::vault::FileVault;

/// Writes rows, each with its number, each on its own.
pub(super) fn write(
    connection: &Transaction<'_>,
    vault: &FileVault,
    tenant: &str,
    writes: Vec<(u64, DeviceWrite)>,
    deed: &Deed,
) -> Done<ImportOutcome> {
    let mut bulk = Bulk::new(connection, vault, tenant, writes.len(), deed)?;
    let mut outcome = ImportOutcome::default();
    for (row, write) in writes {
        let totals = &mut outcome.totals;
        match bulk.take(write)? {
            Taken::Created | Taken::Done(DeviceVerdict::Created(_)) => totals.created += 1,
            Taken::Done(DeviceVerdict::Updated(_)) => totals.updated += 1,
            Taken::Done(DeviceVerdict::Unchanged(_)) => totals.unchanged += 1,
            Taken::Done(DeviceVerdict::Refused(fault)) => {
                totals.refused += 1;
                outcome.refused.push((row, fault));
            }
        }
    }
    bulk.end()?;
    Ok(outcome)
}

/// What became of a row.
#[expect(clippy::large_enum_variant, reason = "one at a time, and taken apart at once: a box would cost more")]
enum Taken {
    /// It is new, and written with the others.
    Created,
    /// It was dealt with on its own.
    Done(DeviceVerdict),
}

impl From<Fault> for Taken {
    fn from(fault: Fault) -> Self {
        Self::Done(DeviceVerdict::Refused(fault))
    }
}

/// A batch under way.
struct Bulk<'c> {
    connection: &'c Transaction<'c>,
    vault: &'c FileVault,
    tenant: &'c str,
    deed: &'c Deed,
    take_name: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    insert_contact: CachedStatement<'c>,
    /// New records whose names are taken and whose rows are not there yet.
    pending: Vec<Device>,
    /// Their numbers, where a later row may mean a record by its number.
    numbers: HashSet<String>,
    created: i64,
    tally: Tally,
    /// The last best match that was looked up: records of one kind mostly come one after the other.
    last_match: Option<Match>,
    /// Whether a capability record is there.
    known: HashMap<CapabilityOid, bool>,
    /// How many more devices a subscriber may have.
    rooms: HashMap<String, Option<usize>>,
}

impl<'c> Bulk<'c> {
    fn new(
        connection: &'c Transaction<'c>,
        vault: &'c FileVault,
        tenant: &'c str,
        rows: usize,
        deed: &'c Deed,
    ) -> Done<Self> {
        Ok(Self {
            connection,
            vault,
            tenant,
            deed,
            take_name: connection.prepare_cached(
                "INSERT INTO device_key (kind, value, scope, bucket, oid) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT DO NOTHING",
            )?,
            insert: connection.prepare_cached(INSERT)?,
            insert_contact: connection.prepare_cached(
                "INSERT INTO contact (bucket, oid, generation, revision, tenant) VALUES (?, ?, 0, 0, ?)",
            )?,
            pending: Vec::with_capacity(rows),
            numbers: HashSet::new(),
            created: 0,
            tally: Tally::default(),
            last_match: None,
            known: HashMap::new(),
            rooms: HashMap::new(),
        })
    }

    fn take(&mut self, mut write: DeviceWrite) -> Done<Taken> {
        let is_replacing = write.mode != WriteMode::Create;
        if is_replacing && write.given.oid.is_none() && write.given.device.device_id.is_none() {
            // A number alone means the stored record with this number, whose device stays.
            match self.find_by_number(&write.given.device)? {
                Ok(None) => {}
                Ok(Some(stored)) => {
                    write.given.oid = Some(stored.oid);
                    write.given.device.device_id = stored.device_id;
                    write.mode = WriteMode::Replace;
                }
                Err(fault) => return Ok(fault.into()),
            }
        }
        if write.mode == WriteMode::Replace || write.given.oid.is_some() {
            return self.singly(&write);
        }
        let lacks_secret = write.given.device.account.is_some() && !write.given.has_client_secret;
        if lacks_secret && !is_replacing {
            return Ok(Fault::missing("dmAccount.clientSecret").into());
        }
        let (tenant, oid) = (self.tenant, write.given.device.oid);
        if let Some(id) = device_id(&write.given.device)
            && !self.take_name(KIND_DEVICE_ID, id, tenant, oid)?
        {
            return if is_replacing { self.singly(&write) } else { Ok(taken("deviceID", id).into()) };
        }
        let given = write.given;
        let mut device = given.device;
        device.management_state = given.state.unwrap_or(device.management_state);
        match self.fit(&mut device, given.has_client_secret)? {
            None => {
                if is_replacing && let Some(number) = &device.phone_number {
                    self.numbers.insert(number.as_str().to_owned());
                }
                self.pending.push(device);
                Ok(Taken::Created)
            }
            Some(fault) => {
                if let Some(id) = device_id(&device) {
                    self.give_back(KIND_DEVICE_ID, id, tenant)?;
                }
                Ok(fault.into())
            }
        }
    }

    /// Makes a new record, whose device identifier is taken, ready to be kept. If it gives a fault, nothing else than
    /// that is left behind.
    fn fit(&mut self, device: &mut Device, has_client_secret: bool) -> Done<Option<Fault>> {
        if let Err(fault) = as_new(self.tenant, device, has_client_secret) {
            return Ok(Some(fault));
        }
        if let Some(name) = client_name(device)
            && !self.take_name(KIND_CLIENT_NAME, name, "", device.oid)?
        {
            return Ok(Some(taken("dmAccount.clientName", name)));
        }
        let fault = match self.unfit_subscriber(device)? {
            Some(fault) => Some(fault),
            None => self.unfit_capability(device)?,
        };
        match (&fault, client_name(device)) {
            (Some(_), Some(name)) => self.give_back(KIND_CLIENT_NAME, name, "")?,
            (Some(_), None) => {}
            (None, _) => {
                if let Some(Some(room)) = device.subscriber_id.as_ref().and_then(|id| self.rooms.get_mut(id)) {
                    *room = room.saturating_sub(1);
                }
            }
        }
        Ok(fault)
    }

    /// Deals with a row as if it were the only one.
    fn singly(&mut self, write: &DeviceWrite) -> Done<Taken> {
        self.flush()?;
        // It may make room, or take some.
        self.rooms.clear();
        device_write::write(self.connection, self.vault, &self.tally, self.tenant, write, self.deed).map(Taken::Done)
    }

    fn find_by_number(&mut self, given: &Device) -> Done<Result<Option<Device>, Fault>> {
        let Some(number) = &given.phone_number else { return Ok(Ok(None)) };
        if self.numbers.contains(number.as_str()) {
            self.flush()?;
        }
        let mut found = find(self.connection, self.tenant, &DeviceKey::Phone(number.clone()), 2)?;
        let first = found.pop();
        Ok(if found.is_empty() { Ok(first) } else { Err(device_write::ambiguous()) })
    }

    /// Takes a name for a record; false if another one has it.
    fn take_name(&mut self, kind: i64, name: &str, scope: &str, oid: DeviceOid) -> Done<bool> {
        let rows = self.take_name.execute(params![kind, name, scope, oid.bucket.0, oid.unique.as_bytes()])?;
        Ok(rows == 1)
    }

    fn give_back(&self, kind: i64, name: &str, scope: &str) -> Done<()> {
        run(
            self.connection,
            "DELETE FROM device_key WHERE kind = ? AND value = ? AND scope = ?",
            params![kind, name, scope],
        )?;
        Ok(())
    }

    fn unfit_subscriber(&mut self, device: &Device) -> Done<Option<Fault>> {
        let Some(id) = &device.subscriber_id else { return Ok(None) };
        let room = match self.rooms.get(id) {
            Some(room) => *room,
            None => {
                let room = subscribers::room(self.connection, self.tenant, id)?;
                // Those that wait to be kept were not counted.
                let waiting = self.pending.iter().filter(|other| other.subscriber_id.as_ref() == Some(id)).count();
                *self.rooms.entry(id.clone()).or_insert(room.map(|room| room.saturating_sub(waiting)))
            }
        };
        Ok(match room {
            None => Some(subscriber::unknown(id)),
            Some(0) => Some(subscriber::too_many_devices()),
            Some(_) => None,
        })
    }

    fn unfit_capability(&mut self, device: &mut Device) -> Done<Option<Fault>> {
        if let Some(oid) = device.capability {
            let is_known = match self.known.get(&oid) {
                Some(is_known) => *is_known,
                None => {
                    let is_known = capabilities::exists(self.connection, self.tenant, oid)?;
                    *self.known.entry(oid).or_insert(is_known)
                }
            };
            return Ok((!is_known).then(|| device_write::unknown_capability(oid)));
        }
        let model = (&device.manufacturer, &device.model, &device.firmware_version);
        device.capability = match self.last_match.as_ref().filter(|last| last.is_of(model)) {
            Some(last) => last.capability,
            None => {
                let capability = capabilities::best_match(self.connection, device)?;
                self.last_match = Some(Match {
                    manufacturer: device.manufacturer.clone(),
                    model: device.model.clone(),
                    firmware_version: device.firmware_version.clone(),
                    capability,
                });
                capability
            }
        };
        Ok(None)
    }

    /// Writes the rows of the records that wait.
    fn flush(&mut self) -> Done<()> {
        for device in &self.pending {
            let class = classes::of_device(device);
            fill(&mut self.insert, device, class)?;
            self.tally.class(class, device, 1);
        }
        for device in &self.pending {
            membership::join(self.connection, &self.tally, device)?;
        }
        for device in self.pending.iter().filter(|device| device.account.is_some()) {
            self.insert_contact.execute(params![device.oid.bucket.0, device.oid.unique.as_bytes(), device.tenant])?;
        }
        self.created += i64::try_from(self.pending.len()).unwrap_or(i64::MAX);
        self.pending.clear();
        self.numbers.clear();
        Ok(())
    }

    fn end(mut self) -> Done<()> {
        self.flush()?;
        self.tally.keep(self.connection)?;
        if self.created > 0 { count(self.connection, self.tenant, self.created) } else { Ok(()) }
    }
}

/// A make, model and firmware version with the capability record that covers them best.
struct Match {
    manufacturer: Option<String>,
    model: Option<String>,
    firmware_version: Option<String>,
    capability: Option<CapabilityOid>,
}

type Model<'d> = (&'d Option<String>, &'d Option<String>, &'d Option<String>);

impl Match {
    fn is_of(&self, model: Model<'_>) -> bool {
        (&self.manufacturer, &self.model, &self.firmware_version) == model
    }
}
