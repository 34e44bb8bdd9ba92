//! IAdministrationServices: addresses that External Systems may have told, and looking after what is told to them.

use muster_broker::callback::{CallbackKind, CredentialKind};
use muster_broker::time::Timestamp;

use crate::contract::bulk_operations::PageRequest;
use crate::contract::notification::EventData;
use crate::contract::record::record;
use crate::contract::session::UserSession;
use crate::contract::value::{AnyUri, Secret};

record! {
    /// Allows an address, with everything below its path, for callbacks and for answers that go to another address.
    CreateCallbackAddress {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The new record. Without a secret one is made for a webhook; it is told in this answer alone.
        "callbackAddress" callback_address: one CallbackAddress,
        /// Domain; that of the caller when left out.
        "tenant" tenant: opt String,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Saves changes to a callback address, found by callbackAddressId. The record given replaces the stored one, but for its kind and secret, and for a password that is left out.
    UpdateCallbackAddress {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The changed record.
        "callbackAddress" callback_address: one CallbackAddress,
        /// Domain; that of the caller when left out.
        "tenant" tenant: opt String,
    }

    /// Takes a callback address off the list. What waits for it becomes dead letters.
    DeleteCallbackAddress {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Callback address.
        "callbackAddressId" callback_address_id: one String,
        /// Record version; not compared when left out.
        "version" version: opt i64,
        /// Domain; that of the caller when left out.
        "tenant" tenant: opt String,
    }

    /// Returns a callback address.
    GetCallbackAddressById {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Callback address.
        "callbackAddressId" callback_address_id: one String,
        /// Domain; that of the caller when left out.
        "tenant" tenant: opt String,
    }

    /// Returns the callback addresses of the domain, oldest first.
    GetCallbackAddresses {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Only those that this caller may use.
        "owner" owner: opt String,
        /// Only those of this kind.
        "kind" kind: opt CallbackKind,
        /// Domain; that of the caller when left out.
        "tenant" tenant: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Gives the webhooks of a callback address a new secret, which is told in this answer alone. The one before signs too for a while, so that the receiver can change over.
    RotateCallbackSecret {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Callback address.
        "callbackAddressId" callback_address_id: one String,
        /// The new secret, 16 to 128 visible ASCII characters; made by the server when left out.
        "secret" secret: opt Secret,
        /// How long the secret before signs too, in seconds, at most 2592000; a day when left out.
        "overlapSeconds" overlap_seconds: opt i64,
        /// Record version; not compared when left out.
        "version" version: opt i64,
        /// Domain; that of the caller when left out.
        "tenant" tenant: opt String,
    }

    /// Returns how the receivers of the domain do: what waits for each, and why it was not taken. One for which nothing waited for a day is left out.
    GetCallbackQueues {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Domain; that of the caller when left out.
        "tenant" tenant: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Returns what was given up, newest first: events that were not taken for seven days, and those for receivers that are gone or no longer allowed. They are kept for thirty days.
    GetDeadLetters {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Only those for this callback address.
        "callbackAddressId" callback_address_id: opt String,
        /// Domain; that of the caller when left out.
        "tenant" tenant: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
    }

    /// Puts dead letters back into their queues, at most 1000 at once. At least one of eventId and callbackAddressId is needed.
    ReplayDeadLetters {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Dead letters, by event.
        "eventId" event_id: many String,
        /// Dead letters for this callback address.
        "callbackAddressId" callback_address_id: opt String,
        /// Domain; that of the caller when left out.
        "tenant" tenant: opt String,
    }
}

record! {
    /// An address, with everything below its path, that External Systems may have told.
    CallbackAddress {
        /// Identifier. Given by the server.
        "callbackAddressId" callback_address_id: opt String,
        /// Scheme https, host, port and beginning of the path; no query.
        "address" address: one AnyUri,
        /// What is posted there.
        "kind" kind: one CallbackKind,
        /// Who may use it; every caller of the domain when left out.
        "owner" owner: opt String,
        /// What it is for.
        "description" description: opt String,
        /// How the server says who it is, besides its certificate.
        "credential" credential: opt CallbackCredential,
        /// Whether the address may lead into a private network; false when left out. To allow that takes a right of its own.
        "allowPrivate" allow_private: opt bool,
        /// Whether it is in use; true when left out.
        "enabled" enabled: opt bool,
        /// What webhooks are signed with, 16 to 128 visible ASCII characters. Told only when it is new.
        "secret" secret: opt Secret,
        /// Until when the secret before signs too; UTC. Given by the server.
        "previousSecretUntil" previous_secret_until: opt Timestamp,
        /// Creation; UTC. Given by the server.
        "createdAt" created_at: opt Timestamp,
        /// Record version.
        "version" version: opt i64,
    }

    /// A name and a password by which a receiver knows the server.
    CallbackCredential {
        /// How it is sent.
        "kind" kind: one CredentialKind,
        /// Name.
        "userName" user_name: one String,
        /// Password; never returned. An update that leaves it out keeps the stored one.
        "password" password: opt Secret,
    }

    /// A page of callback addresses.
    CallbackAddressList {
        /// Callback addresses, oldest first.
        "callbackAddress" callback_address: many CallbackAddress,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// What waits for one receiver, and how that does.
    CallbackQueue {
        /// Callback address it is under.
        "callbackAddressId" callback_address_id: one String,
        /// Where it goes.
        "address" address: one AnyUri,
        /// SOAP version the receiver is spoken to in.
        "soapVersion" soap_version: one String,
        /// Number of events that wait, counted up to 1000.
        "waiting" waiting: one i64,
        /// Since when the first of them waits; UTC.
        "waitingSince" waiting_since: opt Timestamp,
        /// When the next attempt is due; UTC.
        "nextAttemptAt" next_attempt_at: opt Timestamp,
        /// Attempts that failed in a row.
        "failedAttempts" failed_attempts: one i32,
        /// Why the last attempt failed; left out after a success.
        "lastError" last_error: opt String,
        /// Last attempt; UTC.
        "lastAttemptAt" last_attempt_at: opt Timestamp,
        /// Events delivered.
        "deliveredCount" delivered_count: one i64,
        /// Last success; UTC.
        "deliveredAt" delivered_at: opt Timestamp,
        /// Since when the receiver has been gone; UTC.
        "endedAt" ended_at: opt Timestamp,
    }

    /// A page of queues.
    CallbackQueueList {
        /// Queues, in no order that means anything.
        "callbackQueue" callback_queue: many CallbackQueue,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// Something that was given up.
    DeadLetter {
        /// Identifier: that of the event, or of the answer that was to go to another address.
        "eventId" event_id: one String,
        /// Callback address it was for.
        "callbackAddressId" callback_address_id: one String,
        /// Where it was to go.
        "address" address: one AnyUri,
        /// Since when it waited; UTC.
        "queuedAt" queued_at: one Timestamp,
        /// When it was given up; UTC.
        "diedAt" died_at: one Timestamp,
        /// Explanation in English.
        "reason" reason: one String,
        /// The event; left out of an answer that was to go to another address.
        "event" event: opt EventData,
    }

    /// A page of dead letters.
    DeadLetterList {
        /// Dead letters, newest first.
        "deadLetter" dead_letter: many DeadLetter,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// What came of a replay.
    ReplayReceipt {
        /// Number of dead letters that wait again. After 1000 there may be more: repeat the request.
        "replayedCount" replayed_count: one i64,
    }
}
