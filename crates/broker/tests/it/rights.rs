use muster_broker::access::{BUILT_IN, Caller};
use muster_broker::fault::{Fault, FaultName};
use muster_broker::job::DeviceFilter;
use muster_broker::power::Policy;
use muster_broker::quota::Kind;
use muster_broker::schedule::Schedule;
use muster_broker::services::{
    ApprovalAnswer, ApprovalsWanted, BulkRequest, DeviceFields, JobsByDate, QuotaWanted, RecordingWanted,
    SubscriberFields, TasksWanted,
};
use muster_broker::time::Timestamp;

use crate::world::{IMEI_A, NUMBER_A, World, caller, capability, deployment, id, msisdn, page, query};

/// Whether a right was lacking, for one use case.
fn lacks<T>(result: Result<T, Fault>) -> bool {
    result.is_err_and(|fault| fault.name == FaultName::NotAuthorized)
}

/// Each use case as this caller, and whether it was refused for lack of a right.
async fn refusals(world: &World, who: &Caller) -> Vec<(&'static str, bool)> {
    let broker = &world.broker;
    let bulk = BulkRequest {
        requests: vec![query(NUMBER_A)],
        name: None,
        schedule: Schedule::default(),
        callback: None,
        request: None,
    };
    let dates = JobsByDate { from: Timestamp(0), to: Timestamp(1) };
    let (device, number) = (id(IMEI_A), msisdn(NUMBER_A));
    vec![
        ("service.read", lacks(broker.service_info(who))),
        ("service.read", lacks(broker.operation_definitions(who))),
        ("device.operate", lacks(broker.do_operation(who, query(NUMBER_A)).await)),
        ("device.bootstrap", lacks(broker.do_bootstrap(who).await)),
        ("job.create", lacks(broker.do_bulk_operation(who, bulk).await)),
        ("job.create", lacks(broker.create_deployments(who, vec![deployment(&[NUMBER_A])], None).await)),
        ("task.read", lacks(broker.task_by_id(who, "t").await)),
        ("task.read", lacks(broker.tasks(who, TasksWanted::default(), &page()).await)),
        ("task.read", lacks(broker.task_history(who, None, Some("t"), &page()).await)),
        ("task.cancel", lacks(broker.cancel_task(who, "t", None).await)),
        ("job.read", lacks(broker.jobs(who, Vec::new(), None, None, &page()).await)),
        ("job.read", lacks(broker.jobs_by_date(who, dates, &page()).await)),
        ("job.read", lacks(broker.job_by_id(who, "j").await)),
        ("job.cancel", lacks(broker.cancel_job(who, "j", None).await)),
        ("job.pause", lacks(broker.pause_job(who, "j", None).await)),
        ("job.restart", lacks(broker.restart_job(who, "j", false, None).await)),
        ("device.create", lacks(broker.create_device(who, DeviceFields::default(), None).await)),
        ("device.update", lacks(broker.update_device(who, DeviceFields::default()).await)),
        ("device.delete", lacks(broker.delete_device(who, None, None, None).await)),
        ("device.read", lacks(broker.device_by_device_id(who, &device).await)),
        ("device.read", lacks(broker.device_by_phone_number(who, &number).await)),
        ("device.read", lacks(broker.device_by_oid(who, "d").await)),
        ("device.read", lacks(broker.devices(who, DeviceFilter::default(), None, &page()).await)),
        ("device.trace", lacks(broker.set_device_trace(who, None, None, RecordingWanted::default()).await)),
        ("device.trace", lacks(broker.device_trace(who, None, None, &page()).await)),
        ("device.trace", lacks(broker.trace_messages(who, None, None, 1, &page()).await)),
        ("device.import", lacks(broker.import_devices(who, Vec::<DeviceFields>::new(), true, None).await)),
        ("capability.create", lacks(broker.create_capability(who, capability(&who.name), None).await)),
        ("capability.update", lacks(broker.update_capability(who, capability(&who.name)).await)),
        ("capability.delete", lacks(broker.delete_capability(who, "c", None).await)),
        ("capability.read", lacks(broker.capability_by_oid(who, "c").await)),
        ("capability.read", lacks(broker.capability_by_model(who, "Acme", "One", None).await)),
        ("capability.read", lacks(broker.capability_by_device_id(who, &device).await)),
        ("capability.read", lacks(broker.capabilities(who, None, None, None, &page()).await)),
        ("subscriber.create", lacks(broker.create_subscriber(who, SubscriberFields::default(), None).await)),
        ("subscriber.update", lacks(broker.update_subscriber(who, SubscriberFields::default()).await)),
        ("subscriber.delete", lacks(broker.delete_subscriber(who, "s", None).await)),
        ("subscriber.read", lacks(broker.subscriber_by_id(who, "s").await)),
        ("subscriber.read", lacks(broker.subscriber_by_phone_number(who, &number).await)),
        ("subscriber.read", lacks(broker.subscribers(who, None, None, &page()).await)),
        ("approval.read", lacks(broker.approvals(who, ApprovalsWanted::default(), None, &page()).await)),
        ("approval.read", lacks(broker.approval_by_id(who, "a", None).await)),
        ("approval.read", lacks(broker.approval_policy(who, None).await)),
        ("approval.decide", lacks(broker.approve(who, ApprovalAnswer::default()).await)),
        ("approval.decide", lacks(broker.refuse(who, ApprovalAnswer::default()).await)),
        ("approval.update", lacks(broker.set_approval_policy(who, Policy::default(), None, None).await)),
        ("quota.read", lacks(broker.quotas(who, None, None).await)),
        ("quota.update", lacks(broker.set_quota(who, quota()).await)),
    ]
}

fn quota() -> QuotaWanted {
    QuotaWanted { kind: Kind::ApiKeys, principal: None, limit: None, version: None, tenant: None }
}

#[tokio::test]
async fn every_use_case_needs_its_right_and_no_other() {
    let world = World::new();
    let care = ["device.operate", "device.bootstrap", "device.trace", "task.cancel", "subscriber.update"];
    for name in BUILT_IN.iter().map(|role| role.name) {
        for (right, refused) in refusals(&world, &caller(name, name)).await {
            let reads = right.ends_with(".read") && right != "quota.read";
            let has = match name {
                "administrator" => true,
                "reader" => reads,
                "care" => reads || care.contains(&right),
                "campaign" => reads || right.starts_with("job.") || right == "device.operate",
                "approver" => reads || ["approval.decide", "job.create", "device.operate"].contains(&right),
                "peer" => ["service.read", "device.operate", "task.read", "task.cancel"].contains(&right),
                _ => right == "service.read",
            };
            assert_eq!(refused, !has, "{name} {right}");
        }
    }
}

#[tokio::test]
async fn whose_a_device_is_says_only_who_may_change_both_records() {
    let world = World::new();
    for name in BUILT_IN.iter().map(|role| role.name) {
        let who = caller(name, name);
        for refused in [
            lacks(world.broker.assign_device(&who, "s", id(IMEI_A)).await),
            lacks(world.broker.unassign_device(&who, "s", id(IMEI_A)).await),
        ] {
            // Care may change subscribers and no device records.
            assert_eq!(refused, name != "administrator", "{name}");
        }
    }
}

#[tokio::test]
async fn a_caller_without_roles_may_do_nothing() {
    let world = World::new();
    let nobody = Caller::local("nobody", "acme", "");
    for (right, refused) in refusals(&world, &nobody).await {
        assert!(refused, "{right}");
    }
}
