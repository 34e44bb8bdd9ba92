use std::collections::HashMap;

use uuid::Uuid;

use super::{Due, Once, Pending, Remember};
use crate::callback::{CallbackAddress, CallbackKind, CallbackUrl, Event, Progress, QueueId, Reply, SoapVersion};
use crate::fault::Fault;
use crate::id::{CallbackAddressId, EventId};
use crate::ledger::Deed;
use crate::page::{Listed, Page};
use crate::time::Timestamp;

/// A change of an allowed address; the inner error is `UnknownCallbackAddress` or `OutdatedVersion`.
pub type CallbackAddressVerdict = Result<CallbackAddress, Fault>;

/// Which allowed addresses. What is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackAddressFilter {
    /// Those that this caller may use.
    pub owner: Option<String>,
    /// What is posted there.
    pub kind: Option<CallbackKind>,
}

/// What makes a claim that of one node, and of one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease(pub Uuid);

/// How much a node takes on at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimWanted {
    /// The claims that are made carry this, and count only with it.
    pub lease: Lease,
    /// The time.
    pub now: Timestamp,
    /// Until when they last; then any node may take them.
    pub until: Timestamp,
    /// Most claims.
    pub claims_max: usize,
    /// Most claims of one allowed address, those under way here included.
    pub per_address_max: usize,
    /// Claims under way here, by allowed address.
    pub under_way: HashMap<CallbackAddressId, usize>,
    /// Begin behind this address, so that each has its turn.
    pub after: Option<CallbackAddressId>,
}

/// A queue that this node, and no other, may deliver until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Which.
    pub queue: QueueId,
    /// Domain.
    pub tenant: String,
    /// The allowed address it is under; absent if that was deleted.
    pub address: Option<CallbackAddress>,
    /// Identifier of the allowed address.
    pub address_id: CallbackAddressId,
    /// Where to post.
    pub url: CallbackUrl,
    /// Which SOAP.
    pub soap_version: SoapVersion,
    /// Attempts that failed in a row.
    pub failed: u32,
    /// Whether the receiver has said that it is gone.
    pub is_ended: bool,
}

/// Something that waits in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Place in the queue.
    pub number: i64,
    /// Since when it waits.
    pub queued_at: Timestamp,
    /// Whom it concerns: the caller who asked for it.
    pub owner: String,
    /// What is to be told.
    pub content: Content,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An event.
    Event(Event),
    /// An answer that goes elsewhere.
    Reply {
        /// Also its `wsa:MessageID`.
        id: EventId,
        /// `wsa:Action`.
        action: String,
        /// The message, as the broker sealed it.
        envelope: String,
    },
}

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which queue.
    pub queue: QueueId,
    /// The claim.
    pub lease: Lease,
    /// The time.
    pub now: Timestamp,
    /// Numbers of what waited at the beginning of the queue when it was loaded, in order; `progress` counts from the
    /// first of them.
    pub numbers: Vec<i64>,
    /// How it went.
    pub progress: Progress,
    /// Until when the claim goes on, if more waits and it is to go on.
    pub until: Option<Timestamp>,
}

/// Whether a settled claim goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// More waits, and the claim goes on.
    GoesOn,
    /// The claim is over.
    Over,
    /// It was over before: its lease had ended and another node took it. Nothing was changed.
    Lost,
}

/// A queue, for those who look after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    /// Which.
    pub queue: QueueId,
    /// The allowed address it is under.
    pub address: CallbackAddressId,
    /// Where it goes.
    pub url: CallbackUrl,
    /// Which SOAP.
    pub soap_version: SoapVersion,
    /// Number of events that wait, counted up to [`QueueView::COUNTED_MAX`].
    pub waiting: u64,
    /// Since when the first of them waits.
    pub waiting_since: Option<Timestamp>,
    /// When the next attempt is due.
    pub due_at: Option<Timestamp>,
    /// Attempts that failed in a row.
    pub failed: u32,
    /// Events delivered so far.
    pub delivered: u64,
    /// Last message that was taken.
    pub delivered_at: Option<Timestamp>,
    /// Last attempt.
    pub tried_at: Option<Timestamp>,
    /// Why the last attempt failed; absent after a success.
    pub reason: Option<String>,
    /// Since when the receiver has been gone.
    pub ended_at: Option<Timestamp>,
}

impl QueueView {
    /// Most events that are counted; a longer queue is told to be this long.
    pub const COUNTED_MAX: u64 = 1_000;
}

/// An event that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event, or the message identifier of an answer that went elsewhere.
    pub id: EventId,
    /// The allowed address it was for.
    pub address: CallbackAddressId,
    /// Where it was to go.
    pub url: CallbackUrl,
    /// Since when it waited.
    pub queued_at: Timestamp,
    /// When it was given up.
    pub died_at: Timestamp,
    /// Why.
    pub reason: String,
    /// What was to be told.
    pub content: Content,
}

/// Which dead letters. What is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// For this allowed address.
    pub address: Option<CallbackAddressId>,
    /// These events; any when empty.
    pub ids: Vec<EventId>,
}

/// Allowed addresses, and what is told to them.
///
/// Events come into queues with the change of the task or job that they tell of; no method here adds one.
pub trait CallbackStore: Send + Sync {
    /// Keeps a new allowed address.
    fn callback_address_create(
        &self,
        address: CallbackAddress,
        deed: Deed,
        remember: Option<Remember<()>>,
    ) -> Pending<'_, Once<()>>;
    /// Replaces an allowed address of the same domain and identifier; `version` must be the stored one, where given.
    /// The stored version is raised by one.
    fn callback_address_update(
        &self,
        address: CallbackAddress,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, CallbackAddressVerdict>;
    /// Drops an allowed address. What waits for it is given up at the next attempt.
    fn callback_address_delete(
        &self,
        tenant: &str,
        id: CallbackAddressId,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>>;
    /// The allowed address with this identifier.
    fn callback_address_get(&self, tenant: &str, id: CallbackAddressId) -> Pending<'_, Option<CallbackAddress>>;
    /// Allowed addresses, in the order of their creation.
    fn callback_address_list(
        &self,
        tenant: &str,
        filter: CallbackAddressFilter,
        page: Page,
    ) -> Pending<'_, Listed<CallbackAddress>>;
    /// Every allowed address of a domain; there are at most a few hundred. Fast: called while a request is answered.
    fn callback_addresses_of(&self, tenant: &str) -> Pending<'_, Vec<CallbackAddress>>;

    /// Puts an answer into a queue of its own.
    fn callback_reply(&self, reply: Reply, now: Timestamp) -> Pending<'_, ()>;
    /// Takes queues that are due, those of each allowed address in the order of their time.
    fn callback_claim(&self, wanted: ClaimWanted) -> Pending<'_, Vec<Claimed>>;
    /// The first of what waits in a queue, at most `limit`.
    fn callback_waiting(&self, queue: QueueId, limit: u32) -> Pending<'_, Vec<Waiting>>;
    /// Applies what came of a claim.
    fn callback_settle(&self, settlement: Settlement) -> Pending<'_, Settled>;
    /// Gives up what has waited since before `queued_before` at the beginning of a claimed queue, at most `limit`.
    fn callback_give_up(
        &self,
        queue: QueueId,
        lease: Lease,
        queued_before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Pending<'_, Due>;

    /// Queues of a domain, in an order of their own. Those that were empty for long are forgotten.
    fn callback_queue_list(&self, tenant: &str, page: Page) -> Pending<'_, Listed<QueueView>>;
    /// Dead letters of a domain, newest first.
    fn dead_letter_list(&self, tenant: &str, filter: DeadLetterFilter, page: Page) -> Pending<'_, Listed<DeadLetter>>;
    /// Puts dead letters back at the end of their queues, oldest first, at most `limit`. How many.
    fn dead_letter_replay(&self, tenant: &str, filter: DeadLetterFilter, deed: Deed, limit: u32) -> Pending<'_, u64>;
    /// Forgets dead letters older than `died_before` and queues that are empty and were last tried before
    /// `tried_before`, at most `limit` of each.
    fn callback_forget(&self, died_before: Timestamp, tried_before: Timestamp, limit: u32) -> Pending<'_, Due>;
}
