//! Delivering to External Systems: `INotificationConsumer` over SOAP, signed webhooks, and answers that go elsewhere.
//!
//! What is to be told waits in the store. This module claims it, posts it and says what came of it; so what was
//! delivered and not yet noted when a node dies is delivered again, and nothing is lost.
//!
//! Source: DM WSI contract, section 7.

mod answer;
mod connection;
mod counters;
mod message;
mod resolve;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use muster_broker::callback::{Answer, EVENT_LIFE_S, Progress, after};
use muster_broker::id::CallbackAddressId;
use muster_broker::services::Broker;
use muster_broker::store::{ClaimWanted, Claimed, Due, Lease, Settled, Settlement, StoreError, Waiting};
use rustls::ClientConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;

use connection::{Connection, Failure};
use counters::Outcome;
pub use counters::{Count, Counters};
pub use resolve::{Resolve, Resolving, SystemResolver};

use message::Message;
pub(crate) use message::event_data;

/// Events loaded of a queue at once: as many as a message may have.
const PAGE: u32 = 100;

/// Bounds of deliveries.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Time to look up a name, connect and shake hands.
    pub connect: Duration,
    /// Time from a message to the end of its answer.
    pub answer: Duration,
    /// Most octets of an answer.
    pub answer_bytes_max: usize,
    /// Most deliveries under way on this node.
    pub at_once_max: usize,
    /// Most of them for one allowed address, so that a slow receiver keeps nobody else waiting.
    pub per_address_max: usize,
    /// Messages to one receiver in a row before others have their turn.
    pub in_a_row_max: usize,
    /// How often to look for what is due.
    pub tick: Duration,
    /// Whether receivers on this machine may be spoken to without TLS.
    pub plain_http: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            answer_bytes_max: 64 << 10,
            at_once_max: 64,
            per_address_max: 8,
            in_a_row_max: 32,
            tick: Duration::from_millis(200),
            plain_http: false,
        }
    }
}

/// Delivers what is due.
pub struct Deliverer {
    broker: Broker,
    tls: Arc<ClientConfig>,
    resolver: Arc<dyn Resolve>,
    settings: Settings,
    counters: Counters,
    turn: Mutex<Turn>,
}

/// What is under way, and whose turn it is.
#[derive(Default)]
struct Turn {
    under_way: HashMap<CallbackAddressId, usize>,
    after: Option<CallbackAddressId>,
}

/// A claim with the lease that makes it ours.
struct Held {
    claimed: Claimed,
    lease: Lease,
}

impl Deliverer {
    /// A deliverer over a broker's store. `tls` says whom to trust and what the server shows of itself; its resolver of
    /// certificates may give another one while the server runs.
    #[must_use]
    pub fn new(broker: Broker, tls: Arc<ClientConfig>, resolver: Arc<dyn Resolve>, settings: Settings) -> Self {
        Self { broker, tls, resolver, settings, counters: Counters::default(), turn: Mutex::default() }
    }

    /// What it has done so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Delivers until it is told to stop; then what is under way gets `patience` to finish. What does not is delivered
    /// again, by another node or after the next start.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>, patience: Duration) {
        let mut under_way = JoinSet::new();
        loop {
            while under_way.try_join_next().is_some() {}
            let free = self.settings.at_once_max.saturating_sub(under_way.len());
            let claims = match self.claim(free).await {
                Ok(claims) => claims,
                Err(error) => {
                    tracing::warn!(%error, "deliveries will be tried again");
                    Vec::new()
                }
            };
            let is_idle = claims.is_empty();
            for held in claims {
                let deliverer = Arc::clone(&self);
                under_way.spawn(async move { deliverer.deliver(held).await });
            }
            if !is_idle && under_way.len() < self.settings.at_once_max {
                // Others may have become due meanwhile; a claim that finds nothing ends in the pause below.
                tokio::task::yield_now().await;
                continue;
            }
            let is_full = under_way.len() >= self.settings.at_once_max;
            tokio::select! {
                () = tokio::time::sleep(self.settings.tick), if !is_full => {}
                _ = under_way.join_next(), if is_full => {}
                changed = stop.changed() => {
                    if changed.is_err() || *stop.borrow() {
                        break;
                    }
                }
            }
        }
        let _ = tokio::time::timeout(patience, async { while under_way.join_next().await.is_some() {} }).await;
    }

    /// Delivers what is due now, each receiver at most [`Settings::in_a_row_max`] messages. How many receivers there
    /// were.
    ///
    /// # Errors
    /// Those of the store, if nothing could be claimed.
    pub async fn deliver_due(self: &Arc<Self>) -> Result<usize, StoreError> {
        let claims = self.claim(self.settings.at_once_max).await?;
        let count = claims.len();
        let mut under_way = JoinSet::new();
        for held in claims {
            let deliverer = Arc::clone(self);
            under_way.spawn(async move { deliverer.deliver(held).await });
        }
        while under_way.join_next().await.is_some() {}
        Ok(count)
    }

    /// How long a claim lasts: one message at its slowest, and time to note what came of it.
    fn lease_s(&self) -> i64 {
        let slowest = self.settings.connect.saturating_add(self.settings.answer).as_secs();
        i64::try_from(slowest).unwrap_or(i64::MAX).saturating_add(20)
    }

    async fn claim(&self, free: usize) -> Result<Vec<Held>, StoreError> {
        if free == 0 {
            return Ok(Vec::new());
        }
        let environment = self.broker.environment();
        let (lease, now) = (Lease(environment.uuid()), environment.now());
        let (under_way, after) = {
            let turn = self.turn();
            (turn.under_way.clone(), turn.after)
        };
        let wanted = ClaimWanted {
            lease,
            now,
            until: now.plus_s(self.lease_s()),
            claims_max: free,
            per_address_max: self.settings.per_address_max,
            under_way,
            after,
        };
        let claims = self.broker.store().callback_claim(wanted).await?;
        let mut turn = self.turn();
        turn.after = claims.last().map(|claimed| claimed.address_id).or(turn.after);
        for claimed in &claims {
            *turn.under_way.entry(claimed.address_id).or_default() += 1;
        }
        Ok(claims.into_iter().map(|claimed| Held { claimed, lease }).collect())
    }

    /// Delivers one queue, message after message, each only after the answer to the last.
    async fn deliver(self: Arc<Self>, mut held: Held) {
        let _place = Place { deliverer: &self, address: held.claimed.address_id };
        let mut connection = None;
        for left in (0..self.settings.in_a_row_max.max(1)).rev() {
            match self.deliver_message(&held, &mut connection, left > 0).await {
                Ok(Settled::GoesOn) => held.claimed.failed = 0,
                Ok(Settled::Over | Settled::Lost) => return,
                Err(error) => {
                    // The lease ends by itself, and what was delivered is delivered again.
                    tracing::warn!(%error, callback.url = %held.claimed.url, "what came of a delivery is not stored");
                    return;
                }
            }
        }
    }

    async fn deliver_message(
        &self,
        held: &Held,
        connection: &mut Option<Connection>,
        may_go_on: bool,
    ) -> Result<Settled, StoreError> {
        let Held { claimed, lease } = held;
        let store = self.broker.store();
        let now = self.broker.environment().now();
        if claimed.is_ended {
            let reason = "the receiver has said that it is gone".to_owned();
            return self.settle(held, Vec::new(), Progress::Ended { reason }, false).await;
        }
        let address = claimed.address.as_ref().filter(|it| it.enabled && it.url.covers(&claimed.url));
        let Some(address) = address else {
            self.counters.message(Outcome::Refused);
            let reason = "no callback address covers it any more".to_owned();
            return self.settle(held, Vec::new(), Progress::GivenUp { reason }, false).await;
        };
        let mut waiting = store.callback_waiting(claimed.queue, PAGE).await?;
        let too_old = now.plus_s(-EVENT_LIFE_S);
        if waiting.first().is_some_and(|first| first.queued_at < too_old) {
            while store.callback_give_up(claimed.queue, *lease, too_old, now, PAGE).await? == Due::More {}
            waiting = store.callback_waiting(claimed.queue, PAGE).await?;
        }
        let Some(oldest) = waiting.first().map(|first| first.queued_at) else {
            return self.settle(held, Vec::new(), Progress::On { taken: 0 }, false).await;
        };
        let message = Message::of(&waiting, claimed, address, &self.broker);
        let (answer, sent) = match message {
            Ok(message) => (self.post(&message, claimed, address.allows_private, connection).await, message.events),
            Err(reason) => (Err(Failure::Refused(reason)), waiting.len()),
        };
        let answer = self.count(answer, sent, claimed);
        let now = self.broker.environment().now();
        let progress = after(answer, sent, claimed.failed, oldest, now, self.chance());
        let numbers = waiting.iter().take(sent).map(|waiting: &Waiting| waiting.number).collect();
        self.settle(held, numbers, progress, may_go_on).await
    }

    async fn settle(
        &self,
        held: &Held,
        numbers: Vec<i64>,
        progress: Progress,
        may_go_on: bool,
    ) -> Result<Settled, StoreError> {
        let now = self.broker.environment().now();
        let until = may_go_on.then(|| now.plus_s(self.lease_s()));
        let (queue, lease) = (held.claimed.queue, held.lease);
        self.broker.store().callback_settle(Settlement { queue, lease, now, numbers, progress, until }).await
    }

    /// Posts a message; over the connection of the last one where that is still good.
    async fn post(
        &self,
        message: &Message,
        claimed: &Claimed,
        allows_private: bool,
        connection: &mut Option<Connection>,
    ) -> Result<Answer, Failure> {
        if let Some(open) = connection.take()
            && let Some(mut open) = open.ready().await
        {
            match open.post(message, claimed, &self.settings).await {
                // It was closed on the other side meanwhile: that says nothing about the receiver.
                Err(Failure::Closed) => {}
                answer => {
                    *connection = answer.is_ok().then_some(open);
                    return answer.map(|response| answer::read(&response, message));
                }
            }
        }
        let allowed = self.broker.callback_networks(&claimed.tenant, allows_private).await;
        let allowed = allowed.map_err(|_| Failure::Broken("the settings of the domain cannot be read".to_owned()))?;
        let (settings, resolver) = (&self.settings, self.resolver.as_ref());
        let mut open = Connection::open(&claimed.url, &allowed, settings, &self.tls, resolver).await?;
        let response = open.post(message, claimed, &self.settings).await?;
        *connection = Some(open);
        Ok(answer::read(&response, message))
    }

    fn count(&self, answer: Result<Answer, Failure>, sent: usize, claimed: &Claimed) -> Answer {
        let answer = match answer {
            Ok(answer) => answer,
            Err(Failure::Refused(reason)) => {
                self.counters.message(Outcome::Refused);
                tracing::warn!(callback.url = %claimed.url, reason, "a delivery was not attempted");
                return Answer::Failed(reason);
            }
            Err(failure) => Answer::Failed(failure.to_string()),
        };
        self.counters.message(match &answer {
            Answer::Took(taken) if *taken == sent => Outcome::Taken,
            Answer::Took(taken) if 0 < *taken && *taken < sent => Outcome::Partly,
            Answer::Took(_) | Answer::Failed(_) => Outcome::Failed,
            Answer::Gone => Outcome::Gone,
        });
        if let Answer::Took(taken) = &answer
            && *taken <= sent
        {
            self.counters.events(*taken);
        }
        if let Answer::Failed(reason) = &answer {
            tracing::info!(callback.url = %claimed.url, reason, failed = claimed.failed + 1, "a delivery failed");
        }
        answer
    }

    fn chance(&self) -> u16 {
        let mut octets = [0; 2];
        self.broker.environment().random(&mut octets);
        u16::from_be_bytes(octets)
    }

    fn turn(&self) -> std::sync::MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A delivery under way; gives its place back however it ends.
struct Place<'d> {
    deliverer: &'d Deliverer,
    address: CallbackAddressId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut turn = self.deliverer.turn();
        if let Some(count) = turn.under_way.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                turn.under_way.remove(&self.address);
            }
        }
    }
}
