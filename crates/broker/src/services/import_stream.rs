//! Imports of any number of records, batch by batch, that can be resumed after a break.
//!
//! A batch is prepared (checked, its secrets sealed) by [`ImportPreparer::prepare`], which takes the time, and written by
//! [`Import::write`], so that one batch can be prepared while the one before is written. Batches are written in the order
//! of their rows.

use std::collections::HashMap;

use super::device_import::IMPORT;
use super::device_manager::named_by_nothing;
use super::{Broker, DeviceFields, checks};
use crate::access::{Caller, Scope};
use crate::fault::{Fault, FaultName};
use crate::id::{BUCKETS, Bucket, CapabilityOid, DeviceOid};
use crate::ledger::{Object, Refused};
use crate::ports::Environment;
use crate::store::{DeviceWrite, ImportBatch, ImportKey, ImportState, ImportStep, ImportTotals, WriteMode};

/// Most rows in a batch: some 30 ms of the writer, which others wait for meanwhile.
pub const BATCH_ROWS_MAX: usize = 4000;
/// So many new records of a batch go into one bucket: beside each other in every index, and spread over all buckets by
/// a large import.
const BUCKET_ROWS: usize = 250;

/// The name of imports in the audit log.
pub const IMPORT_OPERATION: &str = "importDevices";

/// What a caller asks of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The caller's name for it, 1 to 128 visible ASCII characters, by which it can be resumed.
    pub id: Option<String>,
    /// Position of the first row that will be sent.
    pub offset: u64,
    /// What must be the same when it is resumed, such as the header row.
    pub form: Vec<u8>,
    /// Whether records that exist are updated, rather than refused.
    pub update_existing: bool,
    /// Whether everything is looked at and nothing is kept. Nothing is resumed then.
    pub is_dry_run: bool,
}

/// An import under way.
pub struct Import {
    broker: Broker,
    caller: Caller,
    scope: Scope,
    options: ImportOptions,
    content: [u8; 32],
    position: u64,
    is_complete: bool,
    totals: ImportTotals,
    /// Rows that this request was refused, by fault.
    refused: HashMap<FaultName, u32>,
}

/// What makes batches ready to be written.
pub struct ImportPreparer {
    broker: Broker,
    caller: Caller,
    scope: Scope,
    update_existing: bool,
    /// Capability records that were looked up for a caller whose rights are narrowed.
    capabilities: HashMap<CapabilityOid, Result<(), Fault>>,
}

/// A batch that is ready to be written.
#[derive(Debug)]
pub struct PreparedBatch {
    writes: Vec<(u64, DeviceWrite)>,
    refused: Vec<(u64, Fault)>,
    /// Position behind the batch.
    to: u64,
    is_last: bool,
}

impl PreparedBatch {
    /// Whether the import ends with it.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.is_last
    }
}

impl Broker {
    /// Begins an import, or goes on with one.
    ///
    /// # Errors
    /// `NotAuthorized`; `InvalidArgument` for an identifier; `OffsetMismatch` if rows between the position and the
    /// offset would be left out; `RequestIdReused` if an import of this name was begun with other options.
    pub async fn import_begin(&self, caller: &Caller, options: ImportOptions) -> Result<Import, Fault> {
        let scope = caller.scope(IMPORT)?;
        let mut content = vec![u8::from(options.update_existing)];
        content.extend_from_slice(&options.form);
        let content = self.vault.digest("import", &content);
        let mut import = Import {
            broker: self.clone(),
            caller: caller.clone(),
            scope,
            content,
            position: 0,
            is_complete: false,
            totals: ImportTotals::default(),
            refused: HashMap::new(),
            options,
        };
        if import.options.is_dry_run {
            import.position = import.options.offset;
            return Ok(import);
        }
        let stored = match import.key()? {
            Some(key) => self.store.import_get(key).await?,
            None => None,
        };
        if let Some(stored) = stored {
            if stored.content != content {
                let text = "an import of this name was begun with other columns or options; use a new name";
                let id = import.options.id.as_deref().unwrap_or_default();
                return Err(Fault::new(FaultName::RequestIdReused, text).with(id));
            }
            (import.position, import.is_complete, import.totals) = (stored.rows, stored.is_complete, stored.totals);
        } else if import.options.id.is_none() {
            // Nothing is known of what was sent before.
            import.position = import.options.offset;
        }
        if import.options.offset > import.position {
            let text = format!("rows from {} on were not sent; send them first", import.position);
            return Err(Fault::new(FaultName::OffsetMismatch, text).with(import.position));
        }
        Ok(import)
    }

    /// How far an import has come; nothing has come of one that is not known.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`.
    pub async fn import_state(&self, caller: &Caller, id: &str) -> Result<ImportState, Fault> {
        caller.scope(IMPORT)?;
        let known = self.store.import_get(key(caller, id)?).await?;
        let now = self.environment.now();
        Ok(known.unwrap_or(ImportState {
            rows: 0,
            totals: ImportTotals::default(),
            is_complete: false,
            content: [0; 32],
            began_at: now,
            updated_at: now,
        }))
    }

    /// Forgets how far an import has come, so that one of the same name begins anew. What it wrote stays.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`.
    pub async fn import_forget(&self, caller: &Caller, id: &str) -> Result<(), Fault> {
        caller.scope(IMPORT)?;
        Ok(self.store.import_forget(key(caller, id)?).await?)
    }
}

fn key(caller: &Caller, id: &str) -> Result<ImportKey, Fault> {
    if !checks::is_key(id) {
        return Err(Fault::invalid("Import-Id", id.escape_debug(), "must have 1 to 128 visible ASCII characters"));
    }
    Ok(ImportKey { tenant: caller.tenant.clone(), owner: caller.name.clone(), id: id.to_owned() })
}

impl Import {
    /// Rows that need not be read: those before this position were dealt with before.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether the import had ended before: nothing of it is written again.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// What became of the rows so far, those of requests before this one counted.
    #[must_use]
    pub fn totals(&self) -> ImportTotals {
        self.totals
    }

    /// What was asked.
    #[must_use]
    pub fn options(&self) -> &ImportOptions {
        &self.options
    }

    /// What prepares the batches of this import.
    #[must_use]
    pub fn preparer(&self) -> ImportPreparer {
        ImportPreparer {
            broker: self.broker.clone(),
            caller: self.caller.clone(),
            scope: self.scope.clone(),
            update_existing: self.options.update_existing,
            capabilities: HashMap::new(),
        }
    }

    /// Writes a batch, durable when this returns; gives the rows that were not taken, by position.
    ///
    /// # Errors
    /// `WrongState` if another request goes on with the import; those of the server.
    pub async fn write(&mut self, batch: PreparedBatch) -> Result<Vec<(u64, Fault)>, Fault> {
        let PreparedBatch { writes, mut refused, to, is_last } = batch;
        let refused_before = u64::try_from(refused.len()).unwrap_or(u64::MAX);
        let step = self.key()?.filter(|_| !self.options.is_dry_run).map(|key| ImportStep {
            key,
            content: self.content,
            from: self.position,
            to,
            refused: refused_before,
            is_last,
        });
        let batch = ImportBatch {
            tenant: self.caller.tenant.clone(),
            writes,
            step,
            is_dry_run: self.options.is_dry_run,
            deed: self.broker.deed(&self.caller, IMPORT_OPERATION),
        };
        let outcome = self.broker.store.device_import(batch).await??;
        self.position = to;
        self.is_complete = is_last;
        self.totals.created += outcome.totals.created;
        self.totals.updated += outcome.totals.updated;
        self.totals.unchanged += outcome.totals.unchanged;
        self.totals.refused += outcome.totals.refused + refused_before;
        refused.extend(outcome.refused);
        refused.sort_by_key(|(position, _)| *position);
        for (_, fault) in &refused {
            let count = self.refused.entry(fault.name).or_default();
            *count = count.saturating_add(1);
        }
        Ok(refused)
    }

    /// Tells the audit log which rows were refused, counted by fault, and why the rest was not looked at. A dry run
    /// refuses nothing, since it would have kept nothing.
    pub async fn note_refused(&mut self, stopped: Option<&Fault>) {
        let rows = std::mem::take(&mut self.refused).into_iter().filter(|_| !self.options.is_dry_run);
        let stopped = stopped.filter(|fault| !fault.name.is_servers()).map(|fault| (fault.name, 1));
        for (fault, count) in rows.chain(stopped).collect::<Vec<_>>() {
            let deed = self.broker.deed(&self.caller, IMPORT_OPERATION);
            let once = Refused::once(deed, fault, Object::named("device", None));
            self.broker.note_refusal(Refused { count, ..once }).await;
        }
    }

    fn key(&self) -> Result<Option<ImportKey>, Fault> {
        self.options.id.as_deref().map(|id| key(&self.caller, id)).transpose()
    }
}

impl ImportPreparer {
    /// Checks rows, each with its position, and seals their secrets. `to` is the position behind them; with `is_last`
    /// the import ends there.
    ///
    /// # Errors
    /// Those of the server: what is wrong with a row is told by [`Import::write`].
    pub async fn prepare(
        &mut self,
        rows: Vec<(u64, Result<DeviceFields, Fault>)>,
        to: u64,
        is_last: bool,
    ) -> Result<PreparedBatch, Fault> {
        let mut batch = PreparedBatch { writes: Vec::with_capacity(rows.len()), refused: Vec::new(), to, is_last };
        let mut oids = Oids::new(&*self.broker.environment, rows.len());
        for (position, fields) in rows {
            let write = match fields {
                Ok(fields) if self.scope.is_whole() => self.write_of(fields, oids.next()),
                Ok(fields) => self.write_in_reach(fields).await,
                Err(fault) => Err(fault),
            };
            match write {
                Ok(write) => batch.writes.push((position, write)),
                Err(fault) if fault.name.is_servers() => return Err(fault),
                Err(fault) => batch.refused.push((position, fault)),
            }
        }
        Ok(batch)
    }

    /// What to write of a row. What must be looked up is left to the store.
    fn write_of(&self, fields: DeviceFields, new_oid: DeviceOid) -> Result<DeviceWrite, Fault> {
        let mut given = self.broker.device_of_import(new_oid, &self.caller.tenant, fields, self.update_existing)?;
        if given.device.device_id.is_none() && given.device.phone_number.is_none() {
            return Err(named_by_nothing());
        }
        let mode = match (self.update_existing, given.oid) {
            (false, _) => WriteMode::Create,
            // A record named by its own identifier must be there.
            (true, Some(_)) => WriteMode::Replace,
            (true, None) => WriteMode::Upsert,
        };
        if mode == WriteMode::Create {
            given.version = None;
        }
        Ok(DeviceWrite { mode, given })
    }

    /// As [`ImportPreparer::write_of`], for a caller whose right does not reach every device: each row is looked up.
    async fn write_in_reach(&mut self, fields: DeviceFields) -> Result<DeviceWrite, Fault> {
        let Self { broker, caller, scope, update_existing, capabilities } = self;
        broker.import_entry(caller, scope, fields, *update_existing, capabilities).await
    }
}

/// Identifiers of new records of a batch, out of one draw of chance: time-ordered, and in few buckets.
struct Oids {
    milliseconds: u64,
    octets: Vec<u8>,
    used: usize,
    buckets: Vec<Bucket>,
}

/// Random octets of an identifier.
const CHANCE_OCTETS: usize = 10;

impl Oids {
    fn new(environment: &dyn Environment, rows: usize) -> Self {
        let buckets = rows.div_ceil(BUCKET_ROWS);
        let mut octets = vec![0; 2 * buckets + CHANCE_OCTETS * rows];
        environment.random(&mut octets);
        let of_buckets = octets.get(..2 * buckets).unwrap_or_default().as_chunks().0;
        Self {
            milliseconds: u64::try_from(environment.now().0).unwrap_or(0),
            buckets: of_buckets.iter().map(|pair| Bucket(u16::from_be_bytes(*pair) % BUCKETS)).collect(),
            used: 2 * buckets,
            octets,
        }
    }

    fn next(&mut self) -> DeviceOid {
        let chance = self.octets.get(self.used..).and_then(|rest| rest.first_chunk::<CHANCE_OCTETS>());
        let unique =
            uuid::Builder::from_unix_timestamp_millis(self.milliseconds, chance.unwrap_or(&[0; CHANCE_OCTETS]));
        let place = self.used / CHANCE_OCTETS % self.buckets.len().max(1);
        self.used += CHANCE_OCTETS;
        let bucket = self.buckets.get(place).copied().unwrap_or(Bucket(0));
        DeviceOid::in_bucket(unique.into_uuid(), bucket)
    }
}
