use muster_broker::access::Caller;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::CapabilityOid;
use muster_broker::job::{DeviceFilter, JobStatus, Selector};
use muster_broker::schedule::Schedule;
use muster_broker::services::Deployment;
use muster_broker::task::TaskStatus;

use crate::world::{IMEI_A, IMEI_B, MORNING, NUMBER_A, NUMBER_B, World, admin, caller, deployment, fault, page};

async fn world() -> World {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_B, IMEI_B).await;
    world
}

/// Codes and positions of what was rejected.
async fn rejected(world: &World, who: &Caller, deployments: Vec<Deployment>) -> Vec<(usize, String)> {
    let receipt = world.broker.create_deployments(who, deployments, None).await.unwrap();
    receipt.rejected.into_iter().map(|rejected| (rejected.index, rejected.message_id)).collect()
}

#[tokio::test]
async fn each_deployment_is_a_job_whose_tasks_are_made_in_the_background() {
    let world = world().await;
    let campaign = caller("campaign", "campaign");
    let deployments = vec![deployment(&[NUMBER_A]), deployment(&[NUMBER_A, NUMBER_B])];
    let receipt = world.broker.create_deployments(&campaign, deployments, None).await.unwrap();
    assert_eq!((receipt.job_id.len(), receipt.rejected.len()), (2, 0));
    let job = world.broker.job_by_id(&campaign, &receipt.job_id[1]).await.unwrap();
    assert_eq!((job.job.status, job.counts.len()), (JobStatus::Running, 0));
    world.pump().await;
    let job = world.broker.job_by_id(&campaign, &receipt.job_id[1]).await.unwrap();
    assert_eq!(job.counts, [(TaskStatus::Scheduled, 2)]);
}

#[tokio::test]
async fn a_deployment_of_test_cycles_ends_without_sending_anything() {
    let world = world().await;
    let test = Deployment { test_cycle: true, ..deployment(&[NUMBER_A]) };
    let receipt = world.broker.create_deployments(&admin(), vec![test], None).await.unwrap();
    world.pump().await;
    let job = world.broker.job_by_id(&admin(), &receipt.job_id[0]).await.unwrap();
    assert_eq!((job.job.status, job.counts), (JobStatus::Completed, vec![(TaskStatus::Succeeded, 1)]));
}

#[tokio::test]
async fn a_job_that_starts_later_is_scheduled() {
    let world = world().await;
    let schedule = Schedule { start: Some(MORNING.plus_s(60)), ..Schedule::default() };
    let later = Deployment { schedule, ..deployment(&[NUMBER_A]) };
    let receipt = world.broker.create_deployments(&admin(), vec![later], None).await.unwrap();
    let job = world.broker.job_by_id(&admin(), &receipt.job_id[0]).await.unwrap();
    assert_eq!(job.job.status, JobStatus::Scheduled);
}

#[tokio::test]
async fn a_selector_or_filter_that_names_nothing_is_rejected_and_never_all() {
    let world = world().await;
    let empty_filter = Selector { filter: Some(DeviceFilter::default()), ..deployment(&[NUMBER_A]).devices };
    let deployments = vec![deployment(&[]), Deployment { devices: empty_filter, ..deployment(&[]) }];
    let missing = FaultName::MissingArgument.message_id().to_owned();
    assert_eq!(rejected(&world, &admin(), deployments).await, [(0, missing.clone()), (1, missing)]);
}

#[tokio::test]
async fn every_device_of_the_domain_may_be_addressed_by_saying_so() {
    let world = world().await;
    let all = || Deployment { devices: Selector { all_devices: true, ..Selector::default() }, ..deployment(&[]) };
    assert_eq!(rejected(&world, &caller("campaign", "campaign"), vec![all()]).await, []);
    assert_eq!(rejected(&world, &admin(), vec![all()]).await, []);
}

#[tokio::test]
async fn a_capability_record_that_is_not_there_is_rejected() {
    let world = world().await;
    let devices = Selector { capability: vec![CapabilityOid(uuid::Uuid::from_u128(1))], ..Selector::default() };
    let unknown = FaultName::UnknownCapability.message_id().to_owned();
    let deployments = vec![Deployment { devices, ..deployment(&[]) }];
    assert_eq!(rejected(&world, &admin(), deployments).await, [(0, unknown)]);
}

#[tokio::test]
async fn what_is_wrong_with_a_deployment_rejects_only_this_one() {
    let world = world().await;
    let deployments = vec![
        Deployment { operation: "REBOOT".into(), ..deployment(&[NUMBER_A]) },
        Deployment { policy: 40, ..deployment(&[NUMBER_A]) },
        Deployment { priority: Some(0), ..deployment(&[NUMBER_A]) },
        Deployment { priority: Some(10), ..deployment(&[NUMBER_A]) },
        Deployment { name: String::new(), ..deployment(&[NUMBER_A]) },
        Deployment { priority: Some(9), ..deployment(&[NUMBER_A]) },
    ];
    let codes = rejected(&world, &admin(), deployments).await;
    let expected = [(0, "DMS0004"), (1, "DMS0006"), (2, "DMS0001"), (3, "DMS0001"), (4, "DMS0001")];
    assert_eq!(codes, expected.map(|(index, code)| (index, code.to_owned())));
    assert_eq!(world.broker.jobs(&admin(), Vec::new(), None, None, &page()).await.unwrap().total, 1);
}

#[tokio::test]
async fn two_deployments_with_one_key_are_one_job() {
    let world = world().await;
    let own = || Deployment { request: crate::world::key("d", 1), ..deployment(&[NUMBER_A]) };
    let receipt = world.broker.create_deployments(&admin(), vec![own(), own()], None).await.unwrap();
    assert_eq!((receipt.job_id.len(), &receipt.job_id[0]), (2, &receipt.job_id[1]));
    assert_eq!(world.broker.jobs(&admin(), Vec::new(), None, None, &page()).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_request_has_1_to_100_deployments() {
    let world = world().await;
    let create = |number| world.broker.create_deployments(&ADMIN, vec![deployment(&[NUMBER_A]); number], None);
    static ADMIN: std::sync::LazyLock<Caller> = std::sync::LazyLock::new(admin);
    assert_eq!(fault(create(0).await), FaultName::MissingArgument);
    assert_eq!(fault(create(101).await), FaultName::TooManyEntries);
    assert_eq!(create(100).await.unwrap().job_id.len(), 100);
}

#[tokio::test]
async fn a_callback_refuses_the_whole_request() {
    let world = world().await;
    let called_back = Deployment { callback: Some("https://a.example/".into()), ..deployment(&[NUMBER_A]) };
    let deployments = vec![deployment(&[NUMBER_A]), called_back];
    let refused = world.broker.create_deployments(&admin(), deployments, None).await;
    assert_eq!(fault(refused), FaultName::CallbackRefused);
}

#[tokio::test]
async fn deployment_that_could_not_be_read_does_not_keep_the_others_back() {
    let world = World::new();
    let unread = Err(Fault::invalid("schedule.endTime", "x", "later than startTime"));
    let entries = vec![unread, Ok(deployment(&[NUMBER_A]))];
    let receipt = world.broker.create_deployments(&admin(), entries, None).await.unwrap();
    assert_eq!(receipt.job_id.len(), 1);
    assert_eq!(receipt.rejected.len(), 1);
    assert_eq!((receipt.rejected[0].index, receipt.rejected[0].message_id.as_str()), (0, "DMS0001"));
}
