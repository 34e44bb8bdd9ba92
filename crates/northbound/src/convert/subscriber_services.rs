use muster_broker::page::Paged;
use muster_broker::services::SubscriberFields;
use muster_broker::subscriber::SubscriberView;

use super::{long, name_values, pairs};
use crate::contract::subscriber_services as wire;

impl From<wire::Subscriber> for SubscriberFields {
    /// The devices stay behind: they are read only.
    fn from(given: wire::Subscriber) -> Self {
        Self {
            subscriber_id: given.subscriber_id,
            phone_number: given.phone_number,
            imsi: given.imsi,
            account_reference: given.account_reference,
            opt_in: given.opt_in,
            attribute: pairs(given.attribute),
            version: given.version,
        }
    }
}

impl From<SubscriberView> for wire::Subscriber {
    fn from(SubscriberView { subscriber, devices }: SubscriberView) -> Self {
        Self {
            subscriber_id: Some(subscriber.id),
            phone_number: subscriber.phone_number,
            imsi: subscriber.imsi,
            account_reference: subscriber.account_reference,
            opt_in: Some(subscriber.opt_in),
            device_id: devices,
            attribute: name_values(subscriber.attribute),
            version: Some(subscriber.version),
        }
    }
}

impl From<Paged<SubscriberView>> for wire::SubscriberList {
    fn from(page: Paged<SubscriberView>) -> Self {
        Self {
            subscriber: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}
