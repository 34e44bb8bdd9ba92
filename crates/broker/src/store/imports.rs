use super::{DeviceWrite, Pending};
use crate::fault::Fault;
use crate::ledger::Deed;
use crate::time::Timestamp;

/// How far an import has come that a caller gave a name, so that it can be resumed after a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportState {
    /// Rows that are durable or refused, counted from the beginning; the next one is to be sent.
    pub rows: u64,
    /// What became of them.
    pub totals: ImportTotals,
    /// Whether the end was reached: nothing more is taken.
    pub is_complete: bool,
    /// Digest of what must be the same when it is resumed.
    pub content: [u8; 32],
    /// First and last time that it was heard of.
    pub began_at: Timestamp,
    /// Last time that it was heard of.
    pub updated_at: Timestamp,
}

/// What became of the rows of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportTotals {
    /// Records created.
    pub created: u64,
    /// Records updated.
    pub updated: u64,
    /// Records that were already as given.
    pub unchanged: u64,
    /// Rows that were not taken.
    pub refused: u64,
}

/// Whose import is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportKey {
    /// Domain.
    pub tenant: String,
    /// Name of the caller.
    pub owner: String,
    /// The caller's name for it.
    pub id: String,
}

/// What a batch does to the position of its import, in the transaction of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportStep {
    /// Which import.
    pub key: ImportKey,
    /// As [`ImportState::content`].
    pub content: [u8; 32],
    /// Position before the batch. The batch is refused where it is another: somebody else goes on with the import.
    pub from: u64,
    /// Position after the batch.
    pub to: u64,
    /// Rows of the batch that were refused before the store was asked.
    pub refused: u64,
    /// Whether the import ends here.
    pub is_last: bool,
}

/// Rows of an import that are written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportBatch {
    /// Domain.
    pub tenant: String,
    /// Row number and record.
    pub writes: Vec<(u64, DeviceWrite)>,
    /// Position, where the import has a name.
    pub step: Option<ImportStep>,
    /// Whether everything is looked at and nothing is kept.
    pub is_dry_run: bool,
    /// Who imports, and when. New records are told in one entry of the audit log, changed ones each.
    pub deed: Deed,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOutcome {
    /// What became of the rows that the store was given.
    pub totals: ImportTotals,
    /// Row number and fault of those refused, by row.
    pub refused: Vec<(u64, Fault)>,
}

/// Imports of any number of records.
pub trait ImportStore: Send + Sync {
    /// Writes the rows of a batch, each on its own, and moves the position of its import.
    ///
    /// A record with a phone number only means, where it may replace one, the stored one with this number.
    ///
    /// The inner error is `WrongState` if the import has another position by now, or is complete; `RequestIdReused` if
    /// it was begun with other content. Nothing is written then.
    fn device_import(&self, batch: ImportBatch) -> Pending<'_, Result<ImportOutcome, Fault>>;
    /// How far an import has come; nothing if it is not known, or was forgotten.
    fn import_get(&self, key: ImportKey) -> Pending<'_, Option<ImportState>>;
    /// Forgets the position of an import. What it wrote stays.
    fn import_forget(&self, key: ImportKey) -> Pending<'_, ()>;
    /// Forgets the positions of imports not heard of since `before`.
    fn import_forget_old(&self, before: Timestamp) -> Pending<'_, ()>;
}
