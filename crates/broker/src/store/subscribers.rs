use super::{Once, Pending, Remember, WriteMode};
use crate::fault::Fault;
use crate::filter::{Filter, SubscriberField};
use crate::identity::{DeviceId, Msisdn};
use crate::ledger::Deed;
use crate::page::{Listed, Page};
use crate::subscriber::{Subscriber, SubscriberView};

/// A subscriber record as a caller gave it, checked. Its identifier is final: the caller's, or a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberGiven {
    /// The record, with version 1.
    pub subscriber: Subscriber,
    /// Consent, where the caller said something about it; if not, the stored one stays.
    pub opt_in: Option<bool>,
    /// Version the caller holds.
    pub version: Option<i64>,
}

/// What became of a subscriber record: as stored, or refused with `AlreadyExists`, `UnknownSubscriber` or
/// `OutdatedVersion`.
pub type SubscriberVerdict = Result<SubscriberView, Fault>;

/// How a subscriber is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriberKey {
    /// By identifier.
    Id(String),
    /// By MSISDN.
    Phone(Msisdn),
}

/// Which subscribers. What is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriberFilter {
    /// Exact account reference.
    pub account_reference: Option<String>,
    /// An expression that must hold besides.
    pub expression: Option<Filter<SubscriberField>>,
}

/// What is to become of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// It becomes the subscriber's, whoever has it.
    Assign,
    /// It is taken from the subscriber; nothing happens if it is not the subscriber's.
    Unassign,
}

/// Subscribers. A record of another domain is not there.
pub trait SubscriberStore: Send + Sync {
    /// Makes ([`WriteMode::Create`]) or replaces a record.
    fn subscriber_write(
        &self,
        mode: WriteMode,
        given: SubscriberGiven,
        deed: Deed,
        remember: Option<Remember<SubscriberVerdict>>,
    ) -> Pending<'_, Once<SubscriberVerdict>>;
    /// Deletes a record; its devices stay, unassigned.
    ///
    /// The inner error is `UnknownSubscriber` or `OutdatedVersion`.
    fn subscriber_delete(
        &self,
        tenant: &str,
        id: &str,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>>;
    /// Assigns a device to a subscriber or takes it away.
    ///
    /// The inner error is `UnknownSubscriber`, `UnknownDevice` or `QuotaExceeded`.
    fn subscriber_assign(
        &self,
        tenant: &str,
        id: &str,
        device: DeviceId,
        assignment: Assignment,
        deed: Deed,
    ) -> Pending<'_, SubscriberVerdict>;
    /// The subscriber with this key.
    fn subscriber_find(&self, tenant: &str, key: SubscriberKey) -> Pending<'_, Option<SubscriberView>>;
    /// Subscribers that match, by identifier. A page may be shorter than asked for where its
    /// subscribers have many devices.
    fn subscriber_list(
        &self,
        tenant: &str,
        filter: SubscriberFilter,
        page: Page,
    ) -> Pending<'_, Listed<SubscriberView>>;
    /// Whether the subscriber of a device has consented to background management: the one that the device is assigned
    /// to, or where it is assigned to none, the one that has its number.
    fn subscriber_consents(
        &self,
        tenant: &str,
        subscriber_id: Option<String>,
        phone_number: Option<Msisdn>,
    ) -> Pending<'_, bool>;
}
