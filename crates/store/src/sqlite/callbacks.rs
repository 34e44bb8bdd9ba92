//! Allowed callback addresses, and what is told to them.

mod addresses;
mod letters;
mod outbox;

use muster_broker::callback::{CallbackAddress, QueueId, Reply};
use muster_broker::fault::Fault;
use muster_broker::id::CallbackAddressId;
use muster_broker::ledger::{AuditEntry, Deed, Object, Picture};
use muster_broker::page::{Listed, Page};
use muster_broker::quota::Kind;
use muster_broker::store::{
    CallbackAddressFilter, CallbackAddressVerdict, CallbackStore, ClaimWanted, Claimed, DeadLetter, DeadLetterFilter,
    Due, Lease, Once, Pending, QueueView, Remember, Settled, Settlement, Waiting,
};
use muster_broker::time::Timestamp;

pub(super) use outbox::{release_all, tell, without};

use super::requests::once;
use super::writer::{Guard, Transaction};
use super::{SqliteStore, ledger, quotas};

impl CallbackStore for SqliteStore {
    fn callback_address_create(
        &self,
        address: CallbackAddress,
        deed: Deed,
        remember: Option<Remember<()>>,
    ) -> Pending<'_, Once<()>> {
        Box::pin(self.write(Guard::Savepoint, 4096, move |connection| {
            once(connection, remember, |connection| {
                addresses::create(connection, &address, &deed)?;
                let (tenant, at) = (&address.tenant, address.created_at);
                quotas::records_made(connection, tenant, "", Kind::CallbackAddresses, 1, at)
            })
        }))
    }

    fn callback_address_update(
        &self,
        address: CallbackAddress,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, CallbackAddressVerdict> {
        Box::pin(
            self.write(Guard::Savepoint, 4096, move |connection| {
                addresses::update(connection, address, version, &deed)
            }),
        )
    }

    fn callback_address_delete(
        &self,
        tenant: &str,
        id: CallbackAddressId,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>> {
        let tenant = tenant.to_owned();
        Box::pin(
            self.write(Guard::Savepoint, 512, move |connection| {
                addresses::delete(connection, &tenant, id, version, &deed)
            }),
        )
    }

    fn callback_address_get(&self, tenant: &str, id: CallbackAddressId) -> Pending<'_, Option<CallbackAddress>> {
        let tenant = tenant.to_owned();
        Box::pin(async move { self.points.read(|connection| addresses::get(connection, &tenant, id)) })
    }

    fn callback_address_list(
        &self,
        tenant: &str,
        filter: CallbackAddressFilter,
        page: Page,
    ) -> Pending<'_, Listed<CallbackAddress>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| addresses::list(connection, &tenant, &filter, &page)))
    }

    fn callback_addresses_of(&self, tenant: &str) -> Pending<'_, Vec<CallbackAddress>> {
        let tenant = tenant.to_owned();
        Box::pin(async move { self.points.read(|connection| addresses::of_tenant(connection, &tenant)) })
    }

    fn callback_reply(&self, reply: Reply, now: Timestamp) -> Pending<'_, ()> {
        let bytes = reply.envelope.len();
        Box::pin(self.write(Guard::Savepoint, bytes, move |connection| outbox::reply(connection, &reply, now)))
    }

    fn callback_claim(&self, wanted: ClaimWanted) -> Pending<'_, Vec<Claimed>> {
        Box::pin(async move {
            // Mostly nothing is due, and that is seen without the writer.
            let due = self.points.read(|connection| outbox::due(connection, &wanted))?;
            if due.is_empty() {
                return Ok(Vec::new());
            }
            let work = move |transaction: &Transaction<'_>| outbox::claim(transaction, &due, &wanted);
            self.write(Guard::Savepoint, 4096, work).await
        })
    }

    fn callback_waiting(&self, queue: QueueId, limit: u32) -> Pending<'_, Vec<Waiting>> {
        Box::pin(async move { self.points.read(|connection| outbox::waiting(connection, queue, limit)) })
    }

    fn callback_settle(&self, settlement: Settlement) -> Pending<'_, Settled> {
        Box::pin(self.write(Guard::Savepoint, 1024, move |connection| outbox::settle(connection, &settlement)))
    }

    fn callback_give_up(
        &self,
        queue: QueueId,
        lease: Lease,
        queued_before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Pending<'_, Due> {
        Box::pin(self.write(Guard::Savepoint, 1 << 20, move |connection| {
            outbox::give_up_old(connection, queue, lease, queued_before, now, limit)
        }))
    }

    fn callback_queue_list(&self, tenant: &str, page: Page) -> Pending<'_, Listed<QueueView>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| outbox::list(connection, &tenant, &page)))
    }

    fn dead_letter_list(&self, tenant: &str, filter: DeadLetterFilter, page: Page) -> Pending<'_, Listed<DeadLetter>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| letters::list(connection, &tenant, &filter, &page)))
    }

    fn dead_letter_replay(&self, tenant: &str, filter: DeadLetterFilter, deed: Deed, limit: u32) -> Pending<'_, u64> {
        let tenant = tenant.to_owned();
        Box::pin(self.write(Guard::Savepoint, 1 << 20, move |connection| {
            let replayed = letters::replay(connection, &tenant, &filter, deed.at, limit)?;
            if replayed > 0 {
                let told = Picture::of(serde_json::json!({ "count": replayed }));
                let object = Object::named("deadLetter", None);
                ledger::add(connection, AuditEntry::done(&deed, object, None, Some(told)))?;
            }
            Ok(replayed)
        }))
    }

    fn callback_forget(&self, died_before: Timestamp, tried_before: Timestamp, limit: u32) -> Pending<'_, Due> {
        Box::pin(self.write(Guard::Savepoint, 1 << 16, move |connection| {
            letters::forget(connection, died_before, tried_before, limit)
        }))
    }
}
