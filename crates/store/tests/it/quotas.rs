//! Quotas are taken in the transaction of what they count.

use muster_broker::fault::{Fault, FaultName};
use muster_broker::job::{JobEvent, Selector};
use muster_broker::operation::Operation;
use muster_broker::quota::Kind;
use muster_broker::store::{Due, EVERY_CALLER, Once, QuotaChange, StoreError, Target};
use muster_broker::task::{TaskEvent, TaskStatus};
use muster_broker::time::Timestamp;

use crate::world::{NOW, TENANT, World, deed_at};

async fn set(world: &World, kind: Kind, principal: Option<&str>, limit: Option<u64>) {
    let change = QuotaChange { kind, principal: principal.map(str::to_owned), limit, version: None };
    world.store().quota_set(TENANT, change, deed_at("x", NOW)).await.unwrap().unwrap();
}

async fn used(world: &World, kind: Kind, principal: Option<&str>, now: Timestamp) -> u64 {
    let usage = world.store().quota_usage(TENANT, principal.map(str::to_owned), now).await.unwrap();
    usage.into_iter().find(|it| it.kind == kind).and_then(|it| it.used).unwrap()
}

async fn create(world: &World, target: Target) -> Result<(), Fault> {
    match world.store().task_create(None, vec![target], deed_at("care", NOW), None).await {
        Ok(Once::Now(())) => Ok(()),
        Err(StoreError::Denied(fault)) => Err(*fault),
        other => panic!("{other:?}"),
    }
}

fn exceeded(outcome: Result<(), Fault>) -> Vec<String> {
    let fault = outcome.unwrap_err();
    assert_eq!(fault.name, FaultName::QuotaExceeded, "{fault}");
    fault.variables
}

#[tokio::test]
async fn open_tasks_are_given_back_when_they_end_in_whatever_way() {
    let world = World::new();
    set(&world, Kind::OpenTasks, Some("care"), Some(3)).await;
    let device = world.device("a").await;
    let targets: Vec<Target> = (0..3).map(|_| world.target(&device)).collect();
    for target in &targets {
        create(&world, target.clone()).await.unwrap();
    }
    assert_eq!(exceeded(create(&world, world.target(&device)).await), ["OPEN_TASKS", "3"]);
    let ids: Vec<_> = targets.iter().map(|target| target.task.id).collect();
    // By a step of the device, by a caller, by time.
    world.step("a", &[(ids[0], TaskEvent::Connected)]).await;
    assert_eq!(used(&world, Kind::OpenTasks, Some("care"), NOW).await, 3);
    world.step("a", &[(ids[0], TaskEvent::Done)]).await;
    assert_eq!(used(&world, Kind::OpenTasks, Some("care"), NOW).await, 2);
    world.store().task_cancel(TENANT, ids[1], None, deed_at("care", NOW)).await.unwrap().unwrap();
    assert_eq!(used(&world, Kind::OpenTasks, None, NOW).await, 1);
    world.store().task_expire(NOW.plus_s(3600), 10).await.unwrap();
    assert_eq!(used(&world, Kind::OpenTasks, None, NOW).await, 0);
    assert_eq!(used(&world, Kind::OpenTasks, Some("care"), NOW).await, 0);
    create(&world, world.target(&device)).await.unwrap();
}

#[tokio::test]
async fn tasks_of_a_window_count_until_it_is_over_and_a_task_made_twice_counts_once() {
    let mut world = World::new();
    set(&world, Kind::TasksPerHour, None, Some(2)).await;
    let device = world.device("a").await;
    let first = world.target(&device);
    for _ in 0..3 {
        create(&world, first.clone()).await.unwrap();
    }
    create(&world, world.target(&device)).await.unwrap();
    let refused = create(&world, world.target(&device)).await.unwrap_err();
    assert_eq!((refused.name, refused.retry_after_s), (FaultName::QuotaExceeded, Some(3600)));
    world.reopen();
    assert_eq!(exceeded(create(&world, world.target(&device)).await), ["TASKS_PER_HOUR", "2"]);
    let mut later = world.target(&device);
    later.task.created_at = NOW.plus_s(3600);
    create(&world, later).await.unwrap();
    assert_eq!(used(&world, Kind::TasksPerHour, None, NOW.plus_s(3600)).await, 1);
    assert_eq!(used(&world, Kind::TasksPerDay, None, NOW.plus_s(3600)).await, 3);
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let world = World::new();
    set(&world, Kind::OpenTasks, None, Some(1)).await;
    let device = world.device("a").await;
    let targets = vec![world.target(&device), world.target(&device)];
    let ids: Vec<_> = targets.iter().map(|target| target.task.id).collect();
    let refused = world.store().task_create(None, targets, deed_at("care", NOW), None).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))), "{refused:?}");
    for id in ids {
        assert_eq!(world.store().task_get(TENANT, id).await.unwrap(), None);
    }
    assert_eq!(used(&world, Kind::OpenTasks, None, NOW).await, 0);
    create(&world, world.target(&device)).await.unwrap();
}

#[tokio::test]
async fn a_hundred_calls_at_once_do_not_get_past_a_quota() {
    let world = World::new();
    set(&world, Kind::TasksPerDay, None, Some(40)).await;
    let device = world.device("a").await;
    let calls =
        (0..100).map(|_| world.store().task_create(None, vec![world.target(&device)], deed_at("care", NOW), None));
    let mut calls: Vec<_> = calls.map(|call| (call, None)).collect();
    std::future::poll_fn(|context| {
        for (call, outcome) in calls.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
            if let std::task::Poll::Ready(done) = call.as_mut().poll(context) {
                *outcome = Some(done.is_ok());
            }
        }
        let is_done = calls.iter().all(|(_, outcome)| outcome.is_some());
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    assert_eq!(calls.iter().filter(|(_, outcome)| *outcome == Some(true)).count(), 40);
    assert_eq!(used(&world, Kind::TasksPerDay, None, NOW).await, 40);
}

#[tokio::test]
async fn jobs_count_until_they_end_and_again_when_they_run_again() {
    let world = World::new();
    set(&world, Kind::JobsAtOnce, Some(EVERY_CALLER), Some(1)).await;
    world.device("a").await;
    let all = || Selector { all_devices: true, ..Selector::default() };
    let (first, second) = (world.job(all()), world.job(all()));
    world.store().job_create(vec![first.clone()], deed_at("campaign", NOW), None).await.unwrap();
    let refused = world.store().job_create(vec![second.clone()], deed_at("campaign", NOW), None).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))), "{refused:?}");
    world.store().job_advance(TENANT, first.id, JobEvent::CancelAsked, None, deed_at("x", NOW)).await.unwrap().unwrap();
    while world.store().job_pump(NOW, 100).await.unwrap() == Due::More {}
    assert_eq!(used(&world, Kind::JobsAtOnce, None, NOW).await, 0);
    world.store().job_create(vec![second], deed_at("campaign", NOW), None).await.unwrap();
    assert_eq!(used(&world, Kind::JobsAtOnce, Some("campaign"), NOW).await, 1);
}

#[tokio::test]
async fn a_job_makes_as_many_tasks_as_the_quota_has_room_for_and_goes_on_later() {
    let world = World::new();
    set(&world, Kind::TasksPerHour, None, Some(2)).await;
    for name in ["a", "b", "c"] {
        world.device(name).await;
    }
    let job = world.job(Selector { all_devices: true, ..Selector::default() });
    assert_eq!(job.template.operation, Operation::Query);
    world.store().job_create(vec![job.clone()], deed_at("campaign", NOW), None).await.unwrap();
    for _ in 0..10 {
        world.store().job_pump(NOW, 100).await.unwrap();
    }
    assert_eq!(world.store().job_pump(NOW, 100).await.unwrap(), Due::Nothing);
    let view = world.store().job_get(TENANT, job.id).await.unwrap().unwrap();
    assert_eq!(view.counts, [(TaskStatus::Scheduled, 2)]);
    assert!(view.job.detail.unwrap().contains("TASKS_PER_HOUR"));
    let later = NOW.plus_s(3600);
    while world.store().job_pump(later, 100).await.unwrap() == Due::More {}
    let view = world.store().job_get(TENANT, job.id).await.unwrap().unwrap();
    assert_eq!(view.counts, [(TaskStatus::Scheduled, 3)]);
    assert_eq!((view.job.detail, view.job.expansion), (None, None));
}

#[tokio::test]
async fn a_limit_of_a_caller_goes_before_that_of_each_caller_and_both_can_be_taken_back() {
    let world = World::new();
    let limit = async |principal: &str| {
        let allowance = world.store().quota_allowance(TENANT, principal).await.unwrap();
        allowance.limit(Kind::OpenTasks, muster_broker::quota::Holder::Caller(principal))
    };
    let default = limit("care").await;
    set(&world, Kind::OpenTasks, Some(EVERY_CALLER), Some(5)).await;
    set(&world, Kind::OpenTasks, Some("care"), Some(7)).await;
    assert_eq!((limit("care").await, limit("shop").await), (7, 5));
    set(&world, Kind::OpenTasks, Some("care"), None).await;
    assert_eq!(limit("care").await, 5);
    set(&world, Kind::OpenTasks, Some(EVERY_CALLER), None).await;
    assert_eq!(limit("care").await, default);
}

#[tokio::test]
async fn each_quota_has_a_version_and_an_outdated_one_sets_nothing() {
    let world = World::new();
    let usage = async |kind: Kind, principal: Option<&str>| {
        let usage = world.store().quota_usage(TENANT, principal.map(str::to_owned), NOW).await.unwrap();
        let found = usage.into_iter().find(|usage| usage.kind == kind).unwrap();
        (found.limit, found.version)
    };
    let set = async |kind: Kind, principal: Option<&str>, limit: u64, version: i64| {
        let principal = principal.map(str::to_owned);
        let change = QuotaChange { kind, principal, limit: Some(limit), version: Some(version) };
        let set = world.store().quota_set(TENANT, change, deed_at("x", NOW)).await.unwrap();
        set.map_err(|fault| (fault.name, fault.variables))
    };
    assert_eq!(usage(Kind::OpenTasks, None).await.1, 0);
    set(Kind::OpenTasks, None, 5, 0).await.unwrap();
    set(Kind::OpenTasks, None, 6, 1).await.unwrap();
    let outdated = set(Kind::OpenTasks, None, 7, 1).await;
    assert_eq!(outdated, Err((muster_broker::fault::FaultName::OutdatedVersion, vec!["2".to_owned()])));
    assert_eq!(usage(Kind::OpenTasks, None).await, (6, 2));
    // Another kind and another holder have versions of their own.
    set(Kind::JobsAtOnce, None, 1, 0).await.unwrap();
    set(Kind::OpenTasks, Some("care"), 1, 0).await.unwrap();
    assert_eq!((usage(Kind::OpenTasks, None).await, usage(Kind::OpenTasks, Some("care")).await), ((6, 2), (1, 1)));
}
