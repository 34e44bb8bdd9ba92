use uuid::Uuid;

use super::{Due, Pending};
use crate::ledger::chain::{Broken, Verifier};
use crate::ledger::{AuditEntry, AuditFilter, ChargeableEvent, Deed, EventId, Feed, Recorded, Subject};
use crate::page::{Listed, Page};
use crate::time::Timestamp;

/// What an erasure took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Entries of the audit log that lost their personal data.
    pub entries: u64,
    /// Tasks that are over and lost numbers and identifiers, with their history and their chargeable events.
    pub tasks: u64,
    /// Device records whose recorded messages were forgotten.
    pub devices: u64,
    /// Rows of anything else that lost names: jobs, approvals, callbacks, remembered answers.
    pub texts: u64,
    /// What is left to do.
    pub rest: Rest,
}

/// What is left of an erasure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// There is more to look through.
    #[default]
    More,
    /// It comes back to tasks and jobs that are under way.
    UnderWay,
    /// Nothing.
    Nothing,
}

/// Whose data are to be erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErasureOf {
    /// Names that records are found by.
    pub subjects: Vec<Subject>,
    /// Other names that stand in texts alone.
    pub others: Vec<String>,
}

/// The audit log and the feed of chargeable events. What writing methods of other ports add to them goes with these.
///
/// Entries and events are only ever added. One writer gives them their numbers, so that whoever has read up to one has
/// seen every one before it.
pub trait LedgerStore: Send + Sync {
    /// Adds entries that go with no other change, such as refusals.
    fn audit_add(&self, entries: Vec<AuditEntry>) -> Pending<'_, ()>;
    /// Entries that match, oldest first; of every domain where `tenant` is none. A page may be short although more
    /// follow: a filter that hardly anything matches is not looked for without end. At most 10,000 are counted.
    fn audit_list(&self, tenant: Option<&str>, filter: AuditFilter, page: Page) -> Pending<'_, Listed<Recorded>>;
    /// Goes on with looking through the log, by at most `limit` entries.
    ///
    /// The inner error says what is wrong first.
    fn audit_verify(&self, verifier: Verifier, limit: u32) -> Pending<'_, (Verifier, Result<Due, Broken>)>;
    /// Adds events that go with no other change.
    fn charge_add(&self, events: Vec<ChargeableEvent>) -> Pending<'_, ()>;
    /// Events after the one given, in order, at most `limit`; of every domain where `tenant` is none.
    fn charge_feed(&self, tenant: Option<&str>, after: EventId, limit: u32) -> Pending<'_, Feed>;
    /// Begins to take personal data of these names out of everything that is kept besides the records themselves: what
    /// is found by an index goes at once, and the rest with [`LedgerStore::personal_erase_step`]. Hashes of the log stay
    /// as they are. What is written after this is not of this erasure.
    fn personal_erase(&self, id: Uuid, of: ErasureOf, deed: Deed) -> Pending<'_, Erased>;
    /// Goes on with an erasure, by at most `limit` rows; gives what was taken away so far, nothing where it has ended.
    fn personal_erase_step(&self, id: Uuid, now: Timestamp, limit: u32) -> Pending<'_, Option<Erased>>;
    /// Goes on with the erasure that has waited longest, if one is due.
    fn personal_erase_pump(&self, now: Timestamp, limit: u32) -> Pending<'_, Due>;
}
