use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;

use super::UseCase;
use crate::contract::subscriber_services::{
    AssignDevice, CreateSubscriber, DeleteSubscriber, GetSubscriberById, GetSubscriberByPhoneNumber, GetSubscribers,
    Subscriber, SubscriberList, UnassignDevice, UpdateSubscriber,
};
use crate::convert::{page, request_key};

impl UseCase for CreateSubscriber {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Subscriber, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        broker.create_subscriber(caller, self.subscriber.into(), request).await.map(Into::into)
    }
}

impl UseCase for UpdateSubscriber {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Subscriber, Fault> {
        broker.update_subscriber(caller, self.subscriber.into()).await.map(Into::into)
    }
}

impl UseCase for DeleteSubscriber {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<(), Fault> {
        broker.delete_subscriber(caller, &self.subscriber_id, self.version).await
    }
}

impl UseCase for GetSubscriberById {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Subscriber, Fault> {
        broker.subscriber_by_id(caller, &self.subscriber_id).await.map(Into::into)
    }
}

impl UseCase for GetSubscriberByPhoneNumber {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Subscriber, Fault> {
        broker.subscriber_by_phone_number(caller, &self.phone_number).await.map(Into::into)
    }
}

impl UseCase for GetSubscribers {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<SubscriberList, Fault> {
        let expression = self.filter_expression.as_deref();
        broker.subscribers(caller, self.account_reference, expression, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for AssignDevice {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Subscriber, Fault> {
        broker.assign_device(caller, &self.subscriber_id, self.device_id).await.map(Into::into)
    }
}

impl UseCase for UnassignDevice {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<Subscriber, Fault> {
        broker.unassign_device(caller, &self.subscriber_id, self.device_id).await.map(Into::into)
    }
}
