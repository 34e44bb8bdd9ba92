//! ISubscriberServices.

use muster_broker::identity::{DeviceId, Msisdn};

use super::bulk_operations::PageRequest;
use super::deployment_broker::NameValue;
use super::record::record;
use super::session::UserSession;

record! {
    /// Adds a subscriber.
    CreateSubscriber {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The new record.
        "subscriber" subscriber: one Subscriber,
        /// Caller's idempotency key: a repeated request with the same key gets the first answer.
        "requestId" request_id: opt String,
    }

    /// Saves changes to a subscriber. The record given replaces the stored one.
    UpdateSubscriber {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The changed record.
        "subscriber" subscriber: one Subscriber,
    }

    /// Deletes a subscriber; the devices stay, unassigned.
    DeleteSubscriber {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Subscriber.
        "subscriberId" subscriber_id: one String,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
    }

    /// Returns a subscriber by identifier.
    GetSubscriberById {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Subscriber.
        "subscriberId" subscriber_id: one String,
    }

    /// Returns a subscriber by MSISDN.
    GetSubscriberByPhoneNumber {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Full MSISDN.
        "phoneNumber" phone_number: one Msisdn,
    }

    /// Returns subscribers.
    GetSubscribers {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Only with this reference.
        "accountReference" account_reference: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
        /// Expression of the filter language over the fields of subscribers, at most 4096 octets; it must hold besides.
        "filterExpression" filter_expression: opt String,
    }

    /// Assigns a device to a subscriber, taking it from any other.
    AssignDevice {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Subscriber.
        "subscriberId" subscriber_id: one String,
        /// Device.
        "deviceID" device_id: one DeviceId,
    }

    /// Takes a device from a subscriber.
    UnassignDevice {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Subscriber.
        "subscriberId" subscriber_id: one String,
        /// Device.
        "deviceID" device_id: one DeviceId,
    }
}

record! {
    /// A subscriber and the devices assigned to it.
    Subscriber {
        /// Identifier; given by the server when left out on creation.
        "subscriberId" subscriber_id: opt String,
        /// MSISDN.
        "phoneNumber" phone_number: opt Msisdn,
        /// IMSI, 6 to 15 digits.
        "imsi" imsi: opt String,
        /// Reference in the operator's systems.
        "accountReference" account_reference: opt String,
        /// Standing consent to background management; false when left out on creation.
        "optIn" opt_in: opt bool,
        /// Assigned devices; read only.
        "deviceID" device_id: many DeviceId,
        /// Further attributes.
        "attribute" attribute: many NameValue,
        /// Record version.
        "version" version: opt i64,
    }

    /// A page of subscribers.
    SubscriberList {
        /// Subscribers, by identifier.
        "subscriber" subscriber: many Subscriber,
        /// Number of subscribers in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }
}
