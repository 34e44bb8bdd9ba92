use muster_broker::callback::CallbackAddress;
use muster_broker::page::Paged;
use muster_broker::services::{CallbackAddressFields, CallbackAddressTold, CredentialFields};
use muster_broker::store::{Content, DeadLetter, QueueView};

use crate::contract::administration::callbacks as wire;
use crate::contract::value::{AnyUri, Secret};
use crate::convert::{int, long};
use crate::delivery::event_data;

impl From<wire::CallbackAddress> for CallbackAddressFields {
    /// What the server gives stays behind, and so does the secret.
    fn from(given: wire::CallbackAddress) -> Self {
        Self {
            owner: given.owner,
            url: given.address.0,
            kind: given.kind,
            description: given.description,
            credential: given.credential.map(|credential| CredentialFields {
                kind: credential.kind,
                user_name: credential.user_name,
                password: credential.password.map(|password| password.0),
            }),
            allows_private: given.allow_private.unwrap_or(false),
            enabled: given.enabled.unwrap_or(true),
        }
    }
}

impl From<CallbackAddress> for wire::CallbackAddress {
    /// Secrets and passwords stay behind.
    fn from(address: CallbackAddress) -> Self {
        let previous = address.secret.as_ref().and_then(|secret| secret.previous.as_ref());
        Self {
            callback_address_id: Some(address.id.to_string()),
            address: AnyUri(address.url.to_string()),
            kind: address.kind,
            owner: address.owner,
            description: address.description,
            credential: address.credential.map(|credential| wire::CallbackCredential {
                kind: credential.kind,
                user_name: credential.user_name,
                password: None,
            }),
            allow_private: Some(address.allows_private),
            enabled: Some(address.enabled),
            secret: None,
            previous_secret_until: previous.map(|(_, until)| *until),
            created_at: Some(address.created_at),
            version: Some(address.version),
        }
    }
}

impl From<CallbackAddressTold> for wire::CallbackAddress {
    fn from(told: CallbackAddressTold) -> Self {
        Self { secret: told.secret.map(Secret), ..told.address.into() }
    }
}

impl From<Paged<CallbackAddress>> for wire::CallbackAddressList {
    fn from(page: Paged<CallbackAddress>) -> Self {
        Self {
            callback_address: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<QueueView> for wire::CallbackQueue {
    fn from(queue: QueueView) -> Self {
        Self {
            callback_address_id: queue.address.to_string(),
            address: AnyUri(queue.url.to_string()),
            soap_version: queue.soap_version.as_str().to_owned(),
            waiting: long(queue.waiting),
            waiting_since: queue.waiting_since,
            next_attempt_at: queue.due_at,
            failed_attempts: int(usize::try_from(queue.failed).unwrap_or(usize::MAX)),
            last_error: queue.reason,
            last_attempt_at: queue.tried_at,
            delivered_count: long(queue.delivered),
            delivered_at: queue.delivered_at,
            ended_at: queue.ended_at,
        }
    }
}

impl From<Paged<QueueView>> for wire::CallbackQueueList {
    fn from(page: Paged<QueueView>) -> Self {
        Self {
            callback_queue: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<DeadLetter> for wire::DeadLetter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            event_id: letter.id.to_string(),
            callback_address_id: letter.address.to_string(),
            address: AnyUri(letter.url.to_string()),
            queued_at: letter.queued_at,
            died_at: letter.died_at,
            reason: letter.reason,
            event: match &letter.content {
                Content::Event(event) => Some(event_data(event)),
                Content::Reply { .. } => None,
            },
        }
    }
}

impl From<Paged<DeadLetter>> for wire::DeadLetterList {
    fn from(page: Paged<DeadLetter>) -> Self {
        Self {
            dead_letter: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}
