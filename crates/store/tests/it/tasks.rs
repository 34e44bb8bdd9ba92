//! Tasks.

use muster_broker::fault::FaultName;
use muster_broker::identity::DeviceId;
use muster_broker::store::{Due, HistoryOf, Once, TaskFilter, WriteMode};
use muster_broker::task::{Task, TaskEvent, TaskStatus};

use crate::world::{ALL, NOW, TENANT, World, deed, events, phone};

async fn list(world: &World, filter: TaskFilter) -> Vec<Task> {
    let listed = world.store().task_list(TENANT, filter, ALL).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64);
    listed.items
}

#[tokio::test]
async fn a_task_made_twice_is_one_task() {
    let world = World::new();
    let device = world.device("one").await;
    let target = world.target(&device);
    world.keep(target.clone()).await;
    world.step("one", &[(target.task.id, TaskEvent::Connected)]).await;
    world.keep(target.clone()).await;

    assert_eq!(world.stored(target.task.id).await.status, TaskStatus::InProgress);
    assert_eq!(events(&world, target.task.id).await, ["Created", "Stepped"]);
}

#[tokio::test]
async fn a_task_of_another_domain_is_not_there() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;

    assert_eq!(world.store().task_get("beta", task.id).await.unwrap(), None);
    assert_eq!(world.store().task_history("beta", HistoryOf::Task(task.id), ALL).await.unwrap(), None);
    let cancelled = world.store().task_cancel("beta", task.id, None, deed("x")).await.unwrap();
    assert_eq!(cancelled.unwrap_err().name, FaultName::UnknownTask);
    assert_eq!(world.store().task_list("beta", TaskFilter::default(), ALL).await.unwrap().total, 0);
    assert_eq!(world.stored(task.id).await, task);
}

#[tokio::test]
async fn a_task_is_cancelled_once_even_while_a_session_carries_it_out() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    world.step("one", &[(task.id, TaskEvent::Connected)]).await;
    let cancel = async || world.store().task_cancel(TENANT, task.id, Some("why".into()), deed("care")).await.unwrap();

    let cancelled = cancel().await.unwrap();
    assert_eq!((cancelled.status, cancelled.detail.as_deref()), (TaskStatus::Cancelled, Some("why")));
    assert_eq!(world.stored(task.id).await, cancelled);
    assert_eq!(cancel().await.unwrap(), cancelled, "as it is");
    assert_eq!(events(&world, task.id).await, ["Created", "Stepped", "Cancelled"]);
    let history = world.store().task_history(TENANT, HistoryOf::Task(task.id), ALL).await.unwrap().unwrap();
    assert_eq!(history.items.last().unwrap().actor.as_deref(), Some("care"));
    assert_eq!(history.items.last().unwrap().detail.as_deref(), Some("why"));
}

#[tokio::test]
async fn a_task_that_ended_otherwise_is_not_cancelled() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    world.step("one", &[(task.id, TaskEvent::Connected)]).await;
    world.step("one", &[(task.id, TaskEvent::Done)]).await;

    let refused = world.store().task_cancel(TENANT, task.id, None, deed("care")).await.unwrap().unwrap_err();

    assert_eq!((refused.name, refused.variables), (FaultName::WrongState, vec!["SUCCEEDED".to_owned()]));
}

#[tokio::test]
async fn tasks_expire_at_their_end_and_not_before() {
    let world = World::new();
    let device = world.device("one").await;
    let tasks = [world.task(&device).await, world.task(&device).await, world.task(&device).await];
    world.step("one", &[(tasks[0].id, TaskEvent::Connected)]).await;
    world.step("one", &[(tasks[0].id, TaskEvent::Done)]).await;

    assert_eq!(world.store().task_expire(NOW.plus_ms(3_599_999), 10).await.unwrap(), Due::Nothing);
    assert_eq!(world.stored(tasks[1].id).await.status, TaskStatus::Scheduled);
    assert_eq!(world.store().task_expire(NOW.plus_s(3600), 1).await.unwrap(), Due::More);
    while world.store().task_expire(NOW.plus_s(3600), 1).await.unwrap() == Due::More {}

    let after = [world.stored(tasks[0].id).await, world.stored(tasks[1].id).await, world.stored(tasks[2].id).await];
    assert_eq!(after.map(|task| task.status), [TaskStatus::Succeeded, TaskStatus::Expired, TaskStatus::Expired]);
    assert_eq!(events(&world, tasks[1].id).await, ["Created", "Expired"]);
}

#[tokio::test]
async fn tasks_are_listed_by_number_state_age_and_every_identifier_of_their_device() {
    let world = World::new();
    let device = world.device("one").await;
    let mut targets = [world.target(&device), world.target(&device), world.target(&device), world.target(&device)];
    targets[0].task.phone_number = Some(phone("+15551234567"));
    targets[1].task.expected = Some(DeviceId::from_device("MEID:expected").unwrap());
    targets[2].task.expected = None;
    targets[2].task.actual = Some(DeviceId::from_device("MEID:actual").unwrap());
    targets[3].task.created_at = NOW.plus_s(10);
    targets[3].task.status = TaskStatus::Failed;
    let ids = targets.clone().map(|target| target.task.id);
    world.store().task_create(None, targets.to_vec(), deed("care"), None).await.unwrap();
    let id = |text: &str| Some(DeviceId::from_device(text).unwrap());
    let base = TaskFilter::default;
    let rows = [
        (base(), vec![0, 1, 2, 3]),
        (TaskFilter { phone_number: Some(phone("+15551234567")), ..base() }, vec![0]),
        (TaskFilter { status: vec![TaskStatus::Failed, TaskStatus::Expired], ..base() }, vec![3]),
        (TaskFilter { created_since: Some(NOW.plus_s(10)), ..base() }, vec![3]),
        (TaskFilter { device_id: id("MEID:expected"), ..base() }, vec![1]),
        (TaskFilter { device_id: id("MEID:actual"), ..base() }, vec![2]),
        (TaskFilter { device_id: id("MEID:one"), ..base() }, vec![0, 1, 2, 3]),
        (TaskFilter { device_id: id("MEID:two"), ..base() }, vec![]),
    ];
    for (filter, places) in rows {
        let mut expected: Vec<_> = places.into_iter().map(|place: usize| ids[place]).collect();
        let listed = list(&world, filter.clone()).await;
        assert!(listed.is_sorted_by_key(|task| (task.created_at, task.id)), "oldest first");
        let mut found: Vec<_> = listed.into_iter().map(|task| task.id).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_task_of_a_bulk_request_comes_with_its_job() {
    let world = World::new();
    let device = world.device("one").await;
    let mut job = world.job(Default::default());
    job.expansion = None;
    let mut target = world.target(&device);
    target.task.job = Some(job.id);
    for _ in 0..2 {
        let made =
            world.store().task_create(Some(job.clone()), vec![target.clone()], deed("care"), None).await.unwrap();
        assert_eq!(made, Once::Now(()));
    }
    let view = world.store().job_get(TENANT, job.id).await.unwrap().unwrap();
    assert_eq!((view.job, view.counts), (job.clone(), vec![(TaskStatus::Scheduled, 1)]));
    let of_job = TaskFilter { job: Some(job.id), ..TaskFilter::default() };
    assert_eq!(list(&world, of_job.clone()).await, [target.task]);
    assert_eq!(world.store().task_list("beta", of_job, ALL).await.unwrap().total, 0);
    assert!(matches!(
        world.write(WriteMode::Upsert, world.given("one")).await,
        muster_broker::store::DeviceVerdict::Unchanged(_)
    ));
}

#[tokio::test]
async fn a_task_is_found_by_the_names_it_was_made_with_when_its_record_has_others_or_is_gone() {
    let world = World::new();
    let number = phone("+15551234567");
    let mut given = world.given("one");
    given.device.phone_number = Some(number.clone());
    let device = world.create(given).await;
    let task = world.task(&device).await;
    let by_number = TaskFilter { phone_number: Some(number.clone()), ..TaskFilter::default() };
    let by_id = TaskFilter { device_id: device.device_id.clone(), ..TaskFilter::default() };
    let found = async || {
        let (by_number, by_id) = (list(&world, by_number.clone()).await, list(&world, by_id.clone()).await);
        [by_number, by_id].map(|tasks| tasks.into_iter().map(|task| task.id).collect::<Vec<_>>())
    };
    assert_eq!(found().await, [vec![task.id], vec![task.id]]);

    let mut other = world.given("other");
    other.oid = Some(device.oid);
    other.device.phone_number = Some(phone("+15557654321"));
    world.write(WriteMode::Replace, other).await;
    assert_eq!(found().await, [vec![task.id], vec![task.id]]);

    let later = world.task(&world.contact("other").await.device).await;
    let key = muster_broker::store::DeviceKey::Oid(device.oid);
    world.store().device_delete(TENANT, key, None, deed("care")).await.unwrap().unwrap();
    assert_eq!(found().await, [vec![task.id], vec![task.id]]);
    let of_later = TaskFilter { phone_number: later.phone_number.clone(), ..TaskFilter::default() };
    assert_eq!(list(&world, of_later).await.into_iter().map(|task| task.id).collect::<Vec<_>>(), [later.id]);
}
