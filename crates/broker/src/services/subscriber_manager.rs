//! ISubscriberServices: subscribers and their devices.

use super::device_manager::out_of_step;
use super::once::{self, operation};
use super::{Broker, RequestKey, checks};
use crate::access::{Caller, Right};
use crate::bounds::TEXT_CHARS_MAX;
use crate::fault::Fault;
use crate::filter::Filter;
use crate::identity::{DeviceId, Msisdn};
use crate::page::{Page, PageRequest, Paged};
use crate::store::{Assignment, Once, SubscriberFilter, SubscriberGiven, SubscriberKey, WriteMode};
use crate::subscriber::{self, Subscriber, SubscriberView};

/// A subscriber record as a caller gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriberFields {
    /// Identifier; a new one where it is left out on creation.
    pub subscriber_id: Option<String>,
    /// MSISDN.
    pub phone_number: Option<Msisdn>,
    /// IMSI.
    pub imsi: Option<String>,
    /// Reference in the operator's systems.
    pub account_reference: Option<String>,
    /// Standing consent to background management.
    pub opt_in: Option<bool>,
    /// Further attributes, name and value.
    pub attribute: Vec<(String, String)>,
    /// Version the caller holds.
    pub version: Option<i64>,
}

impl Broker {
    /// Adds a subscriber.
    ///
    /// # Errors
    /// Those of the contract, section 5, `createSubscriber`.
    pub async fn create_subscriber(
        &self,
        caller: &Caller,
        fields: SubscriberFields,
        request: Option<RequestKey>,
    ) -> Result<SubscriberView, Fault> {
        caller.must(Right::new("subscriber", "create"))?;
        checks::request_key(request.as_ref())?;
        let given = self.subscriber_given(caller, SubscriberFields { version: None, ..fields })?;
        let remember = self.remember_record(caller, operation::CREATE_SUBSCRIBER, request.as_ref());
        let deed = self.deed(caller, operation::CREATE_SUBSCRIBER);
        once::record(self.store.subscriber_write(WriteMode::Create, given, deed, remember).await?)
    }

    /// Replaces a subscriber record, found by its identifier. A consent left out stays as it is.
    ///
    /// # Errors
    /// Those of the contract, section 5, `updateSubscriber`.
    pub async fn update_subscriber(&self, caller: &Caller, fields: SubscriberFields) -> Result<SubscriberView, Fault> {
        caller.must(Right::new("subscriber", "update"))?;
        if fields.subscriber_id.is_none() {
            return Err(Fault::missing("subscriberId"));
        }
        let given = self.subscriber_given(caller, fields)?;
        let deed = self.deed(caller, "updateSubscriber");
        match self.store.subscriber_write(WriteMode::Replace, given, deed, None).await? {
            Once::Now(verdict) => verdict,
            Once::Before(_) | Once::Reused => Err(out_of_step()),
        }
    }

    /// Deletes a subscriber; its devices stay, unassigned.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownSubscriber`, `OutdatedVersion`.
    pub async fn delete_subscriber(&self, caller: &Caller, id: &str, version: Option<i64>) -> Result<(), Fault> {
        caller.must(Right::new("subscriber", "delete"))?;
        let deed = self.deed(caller, "deleteSubscriber");
        self.store.subscriber_delete(&caller.tenant, id, version, deed).await?
    }

    /// The subscriber with this identifier.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownSubscriber`.
    pub async fn subscriber_by_id(&self, caller: &Caller, id: &str) -> Result<SubscriberView, Fault> {
        caller.must(Right::new("subscriber", "read"))?;
        let found = self.store.subscriber_find(&caller.tenant, SubscriberKey::Id(id.to_owned())).await?;
        found.ok_or_else(|| subscriber::unknown(id))
    }

    /// The subscriber with this number.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownSubscriber`.
    pub async fn subscriber_by_phone_number(&self, caller: &Caller, number: &Msisdn) -> Result<SubscriberView, Fault> {
        caller.must(Right::new("subscriber", "read"))?;
        let found = self.store.subscriber_find(&caller.tenant, SubscriberKey::Phone(number.clone())).await?;
        found.ok_or_else(|| subscriber::unknown(number.as_str()))
    }

    /// Subscribers by identifier, narrowed by account reference and an expression of the filter language.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `InvalidPageToken`.
    pub async fn subscribers(
        &self,
        caller: &Caller,
        account_reference: Option<String>,
        expression: Option<&str>,
        page: &PageRequest,
    ) -> Result<Paged<SubscriberView>, Fault> {
        caller.must(Right::new("subscriber", "read"))?;
        checks::line_if_given("accountReference", account_reference.as_deref(), TEXT_CHARS_MAX)?;
        let filter = SubscriberFilter { account_reference, expression: Filter::read(expression)? };
        let scope = self.list_scope(caller, "subscribers", &filter);
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.subscriber_list(&caller.tenant, filter, page).await?;
        Ok(listed.paged(&scope, &*self.vault, |view| view))
    }

    /// Assigns a device to a subscriber, taking it from any other.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownSubscriber`, `UnknownDevice`, `QuotaExceeded`.
    pub async fn assign_device(&self, caller: &Caller, id: &str, device: DeviceId) -> Result<SubscriberView, Fault> {
        self.assignment(caller, id, device, Assignment::Assign).await
    }

    /// Takes a device from a subscriber; nothing happens if it is not the subscriber's.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownSubscriber`, `UnknownDevice`.
    pub async fn unassign_device(&self, caller: &Caller, id: &str, device: DeviceId) -> Result<SubscriberView, Fault> {
        self.assignment(caller, id, device, Assignment::Unassign).await
    }

    async fn assignment(
        &self,
        caller: &Caller,
        id: &str,
        device: DeviceId,
        assignment: Assignment,
    ) -> Result<SubscriberView, Fault> {
        caller.must(Right::new("subscriber", "update"))?;
        caller.must(Right::new("device", "update"))?;
        let deed = match assignment {
            Assignment::Assign => self.deed(caller, "assignDevice"),
            Assignment::Unassign => self.deed(caller, "unassignDevice"),
        };
        self.store.subscriber_assign(&caller.tenant, id, device, assignment, deed).await?
    }

    fn subscriber_given(&self, caller: &Caller, fields: SubscriberFields) -> Result<SubscriberGiven, Fault> {
        checks::line_if_given("subscriberId", fields.subscriber_id.as_deref(), TEXT_CHARS_MAX)?;
        checks::line_if_given("accountReference", fields.account_reference.as_deref(), TEXT_CHARS_MAX)?;
        checks::imsi(fields.imsi.as_deref())?;
        checks::attributes(&fields.attribute)?;
        let subscriber = Subscriber {
            id: fields.subscriber_id.unwrap_or_else(|| format!("s-{}", self.environment.uuid().simple())),
            tenant: caller.tenant.clone(),
            phone_number: fields.phone_number,
            imsi: fields.imsi,
            account_reference: fields.account_reference,
            opt_in: fields.opt_in.unwrap_or(false),
            attribute: fields.attribute,
            version: 1,
        };
        Ok(SubscriberGiven { subscriber, opt_in: fields.opt_in, version: fields.version })
    }
}
