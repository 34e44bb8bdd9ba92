//! What the broker needs kept: the storage port.
//!
//! Every method is one use case and one transaction, durable when it returns, and safe to repeat after an error whose
//! outcome is not known. Stores group the commits of concurrent calls. Decisions stay here: a store applies what the
//! pure functions of this crate decided, under the conditions that they name.

mod access;
mod background;
mod callbacks;
mod contacts;
mod credentials;
mod devices;
mod imports;
mod ledger;
mod power;
mod principals;
mod subscribers;
mod tasks;
mod traces;

use std::pin::Pin;

pub use access::{AccessStore, AccountRecord, Keep};
pub use background::{BackgroundStore, Due};
pub use callbacks::{
    CallbackAddressFilter, CallbackAddressVerdict, CallbackStore, ClaimWanted, Claimed, Content, DeadLetter,
    DeadLetterFilter, Lease, QueueView, Settled, Settlement, Waiting,
};
pub use contacts::{Contact, ContactKey, ContactState, ContactStep, ContactStore, DialogueState, OpenTask, Verdict};
pub use credentials::{CertificateStore, KeyStore, ProviderStore, ProviderVerdict, ProviderWrite};
pub use devices::{
    CapabilityFilter, CapabilityKey, CapabilityVerdict, CapabilityWrite, DeviceGiven, DeviceKey, DeviceStore,
    DeviceVerdict, DeviceWrite, WriteMode,
};
pub use imports::{ImportBatch, ImportKey, ImportOutcome, ImportState, ImportStep, ImportStore, ImportTotals};
pub use ledger::{Erased, ErasureOf, LedgerStore, Rest};
pub use power::{ApprovalFilter, Decision, EVERY_CALLER, PowerStore, QuotaChange};
pub use principals::{PrincipalStore, SessionRecord};
pub use subscribers::{
    Assignment, SubscriberFilter, SubscriberGiven, SubscriberKey, SubscriberStore, SubscriberVerdict,
};
pub use tasks::{HistoryOf, JobFilter, JobStore, Target, TaskFilter, TaskStore};
pub use traces::TraceStore;

/// Boxed, so that faces hold an `Arc<dyn Store>` and are compiled once, not once per engine.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`Store`] is all of these.
macro_rules! store_of {
    ($($port:ident),+ $(,)?) => {
        /// Everything that is kept.
        pub trait Store: $($port +)+ {}

        impl<S: $($port +)+> Store for S {}
    };
}

store_of!(
    PrincipalStore,
    AccessStore,
    KeyStore,
    CertificateStore,
    ProviderStore,
    DeviceStore,
    ImportStore,
    SubscriberStore,
    TaskStore,
    JobStore,
    ContactStore,
    TraceStore,
    PowerStore,
    LedgerStore,
    BackgroundStore,
    CallbackStore,
);

/// Why the store could not do it. Nothing has changed then, as far as the store knows.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may succeed later: the disk is full, the database is locked or away.
    #[error("the store is not available: {reason}")]
    Unavailable {
        /// For the log, not for callers.
        reason: String,
    },
    /// It will not succeed: what is stored cannot be read, or the store was given what it cannot keep.
    #[error("the store failed: {reason}")]
    Broken {
        /// For the log, not for callers.
        reason: String,
    },
    /// A rule that is kept in the transaction, such as a quota, does not admit it.
    #[error("not admitted: {0}")]
    Denied(Box<crate::fault::Fault>),
}

/// A caller's idempotency key and what to remember under it, in the transaction of the effect.
///
/// Source: DM WSI contract, section 3, "Idempotency".
pub struct Remember<T> {
    /// Domain and name of the caller.
    pub caller: String,
    /// Operation of the contract.
    pub operation: &'static str,
    /// The caller's key.
    pub request_id: String,
    /// Digest of the parameters.
    pub content: [u8; 32],
    /// When, so that old keys can be dropped after a day.
    pub at: crate::time::Timestamp,
    /// The answer to give again.
    pub answer: AnswerOf<T>,
}

/// Makes the answer to remember from the outcome; nothing if there was no effect, which leaves the key free.
pub type AnswerOf<T> = Box<dyn FnOnce(&T) -> Option<String> + Send>;

/// The outcome of something that may have been done before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once<T> {
    /// Done, or refused, now.
    Now(T),
    /// Done before: the answer of then.
    Before(String),
    /// The key was used before with other content. Nothing was done.
    Reused,
}
