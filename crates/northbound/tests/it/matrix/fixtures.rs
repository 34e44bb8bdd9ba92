//! What the calls of the matrix are about.

use std::sync::Mutex;

use muster_broker::access::{Caller, Permission, Principal, RightPattern};
use muster_broker::callback::CallbackKind;
use muster_broker::device::AuthType;
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::job::Selector;
use muster_broker::operation::Arguments;
use muster_broker::page::PageRequest;
use muster_broker::schedule::Schedule;
use muster_broker::services::{
    AccountFields, Broker, CallbackAddressFields, CapabilityFields, Deployment, DeviceFields, OperationRequest,
    PrincipalFields, RoleFields, SubscriberFields, TenantFields,
};

use muster_northbound::contract::FieldDescriptor;

use crate::world::World;

/// The group of the device.
pub(super) const GROUP: &str = "its group";
/// The node that operations name, or one below it.
pub(super) const PLACE: &str = "./Vendor/Acme";

/// One of each, in the domain acme.
#[derive(Clone, Debug, Default)]
pub(super) struct Fixture {
    /// Another for every call: for names of what is made.
    pub(super) number: u32,
    pub(super) device_id: String,
    pub(super) phone_number: String,
    pub(super) oid: String,
    pub(super) task: String,
    pub(super) job: String,
    pub(super) capability: String,
    pub(super) model: String,
    /// A record that no device refers to.
    pub(super) spare_capability: String,
    pub(super) subscriber: String,
    pub(super) tenant: String,
    pub(super) principal: String,
    pub(super) role: String,
    /// Parameters of the operation that is called.
    pub(super) fields: &'static [FieldDescriptor],
    pub(super) callback: String,
}

pub(super) struct Fixtures {
    broker: Broker,
    maker: Caller,
    /// The callback address of the fixture before: a domain may have so many.
    callback: Mutex<Option<String>>,
}

impl Fixtures {
    pub(super) async fn new(world: &World) -> Self {
        let everything = Permission::whole(RightPattern::parse("*").unwrap(), None);
        let maker = Caller { permissions: [everything].into(), ..Caller::local("maker", "acme", "") };
        let fixtures = Self { broker: world.broker.clone(), maker, callback: Mutex::default() };
        // Somebody who may do everything everywhere, so that nobody of the matrix is the last.
        for tenant in ["third", "other"] {
            let fields = TenantFields { name: tenant.to_owned(), ..TenantFields::default() };
            let _ = fixtures.broker.create_tenant(&fixtures.maker, fields, None).await;
        }
        fixtures
    }

    /// A session of a principal that is made for it.
    pub(super) async fn session(&self, principal: &Principal, tenant: &str) -> String {
        self.broker
            .store()
            .principal_put(
                principal.clone(),
                muster_broker::ledger::Deed::local("acme", "test", muster_broker::time::Timestamp(0)),
            )
            .await
            .unwrap();
        self.broker.directory().forget();
        let account = self.broker.account(&principal.name).await.unwrap().unwrap();
        let session = self
            .broker
            .login(&account, Some(tenant), muster_broker::access::Origin::local(self.broker.environment().uuid()))
            .await;
        match session {
            Ok(session) => session.session_id,
            // Of a role that gives nothing there: it is let in at home.
            Err(_) => {
                self.broker
                    .login(&account, None, muster_broker::access::Origin::local(self.broker.environment().uuid()))
                    .await
                    .unwrap()
                    .session_id
            }
        }
    }

    /// One of each, new.
    pub(super) async fn fresh(&self, number: u32, fields: &'static [FieldDescriptor]) -> Fixture {
        let (broker, maker) = (&self.broker, &self.maker);
        let unique = broker.environment().uuid().simple().to_string();
        let digits = u64::from_str_radix(&unique[20..], 16).unwrap() % 10_000_000_000;
        let mut it = Fixture {
            number,
            fields,
            device_id: format!("opaque:{unique}"),
            phone_number: format!("+7{digits:010}"),
            model: format!("m{unique}"),
            subscriber: format!("s{unique}"),
            tenant: format!("t{unique}"),
            principal: format!("p{unique}"),
            role: format!("r{unique}"),
            ..Fixture::default()
        };
        let capability =
            |model: String| CapabilityFields { manufacturer: "Acme".to_owned(), model, ..CapabilityFields::default() };
        it.capability =
            broker.create_capability(maker, capability(it.model.clone()), None).await.unwrap().oid.to_string();
        let spare = broker.create_capability(maker, capability(format!("spare {unique}")), None).await.unwrap();
        it.spare_capability = spare.oid.to_string();
        let number = Msisdn::parse(&it.phone_number).unwrap();
        let subscriber = SubscriberFields {
            subscriber_id: Some(it.subscriber.clone()),
            phone_number: Some(number.clone()),
            ..SubscriberFields::default()
        };
        broker.create_subscriber(maker, subscriber, None).await.unwrap();
        let device_id = DeviceId::from_caller(&it.device_id).unwrap();
        let device = DeviceFields {
            device_id: Some(device_id.clone()),
            phone_number: Some(number),
            capability_oid: Some(it.capability.clone()),
            group: vec![GROUP.to_owned()],
            account: Some(AccountFields {
                auth_type: AuthType::Digest,
                client_name: unique.clone(),
                client_secret: Some("secret".to_owned()),
                client_nonce: None,
                server_id: None,
                server_name: None,
                server_secret: None,
                server_nonce: None,
            }),
            ..DeviceFields::default()
        };
        it.oid = broker.create_device(maker, device, None).await.unwrap().oid.to_string();
        let task = OperationRequest {
            operation: "SESSION".to_owned(),
            phone_number: None,
            opt_in: false,
            policy: 20,
            test_cycle: false,
            device_id: Some(device_id.clone()),
            arguments: Arguments::default(),
            callback: None,
            schedule: Schedule::default(),
            request: None,
        };
        it.task = broker.do_operation(maker, task).await.unwrap();
        let deployment = Deployment {
            name: "n".to_owned(),
            description: None,
            operation: "SESSION".to_owned(),
            devices: Selector { device_id: vec![device_id], ..Selector::default() },
            opt_in: false,
            policy: 20,
            test_cycle: false,
            arguments: Arguments::default(),
            schedule: Schedule::default(),
            priority: None,
            callback: None,
            request: None,
        };
        it.job = broker.create_deployments(maker, vec![deployment], None).await.unwrap().job_id.remove(0);
        let tenant = TenantFields { name: it.tenant.clone(), ..TenantFields::default() };
        broker.create_tenant(maker, tenant, None).await.unwrap();
        let principal = PrincipalFields { name: it.principal.clone(), ..PrincipalFields::default() };
        broker.create_principal(maker, principal, None, None).await.unwrap();
        let role = RoleFields { name: it.role.clone(), rights: vec!["task.read".to_owned()], ..RoleFields::default() };
        broker.create_role(maker, role, None).await.unwrap();
        let before = self.callback.lock().unwrap().take();
        if let Some(before) = before {
            // It may be gone already: that is what some calls do.
            let _ = broker.delete_callback_address(maker, &before, None).await;
        }
        let fields = CallbackAddressFields {
            owner: None,
            url: format!("https://partner.example/{unique}"),
            kind: CallbackKind::Webhook,
            description: None,
            credential: None,
            allows_private: false,
            enabled: true,
        };
        it.callback = broker.create_callback_address(maker, fields, None, None).await.unwrap().address.id.to_string();
        *self.callback.lock().unwrap() = Some(it.callback.clone());
        it
    }

    /// What could have been changed of it.
    pub(super) async fn state(&self, it: &Fixture) -> String {
        let (broker, maker) = (&self.broker, &self.maker);
        let device = broker.device_by_oid(maker, &it.oid).await.ok();
        let task = broker.task_by_id(maker, &it.task).await.ok();
        let job = broker.job_by_id(maker, &it.job).await.ok().map(|view| (view.job.status, view.job.version));
        let subscriber = broker.subscriber_by_id(maker, &it.subscriber).await.ok();
        let capability = broker.capability_by_oid(maker, &it.spare_capability).await.ok();
        let tenant = broker.tenant_by_name(maker, &it.tenant).await.ok();
        let principal = broker.principal_by_name(maker, None, &it.principal).await.ok();
        let role = broker.role_by_name(maker, None, &it.role).await.ok();
        let callback = broker.callback_address_by_id(maker, &it.callback).await.map(|address| address.version).ok();
        let one = PageRequest { size: Some(1), token: None };
        let jobs = broker.jobs(maker, Vec::new(), None, None, &one).await.map(|page| page.total).ok();
        format!(
            "{device:?}{task:?}{job:?}{subscriber:?}{capability:?}{tenant:?}{principal:?}{role:?}{jobs:?}{callback:?}"
        )
    }
}
