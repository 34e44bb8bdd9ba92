use muster_broker::services::OperationRequest;
use muster_broker::task::{Task, TaskStatus};

use crate::world::{IMEI_A, MORNING, NUMBER_A, NUMBER_B, World, admin, page, query, update};

async fn rehearsed(world: &World, request: OperationRequest) -> Task {
    let request = OperationRequest { test_cycle: true, ..request };
    let task = world.broker.do_operation(&admin(), request).await.unwrap();
    world.broker.task_by_id(&admin(), &task).await.unwrap()
}

#[tokio::test]
async fn a_test_cycle_ends_at_once_and_tells_what_would_have_been_sent() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let task = rehearsed(&world, update(NUMBER_A)).await;
    assert_eq!((task.status, task.attempts, task.finished_at), (TaskStatus::Succeeded, 0, Some(MORNING)));
    let detail = task.detail.unwrap();
    assert!(detail.contains("nothing was sent") && detail.contains("Replace ./Ext/Name"), "{detail}");
    assert!(detail.contains(IMEI_A), "{detail}");
    assert!(!detail.contains("new"), "a value is told: {detail}");
}

#[tokio::test]
async fn its_history_tells_the_beginning_and_the_end() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let task = rehearsed(&world, query(NUMBER_A)).await.id.to_string();
    let history = world.broker.task_history(&admin(), None, Some(&task), &page()).await.unwrap();
    let steps: Vec<_> = history.items.iter().map(|entry| (entry.number, entry.event.as_str(), entry.status)).collect();
    assert_eq!(steps, [(0, "Created", TaskStatus::Scheduled), (1, "TestCycleEnded", TaskStatus::Succeeded)]);
}

#[tokio::test]
async fn a_test_cycle_fails_where_the_device_could_not_authenticate() {
    let world = World::new();
    world.stranger(Some(NUMBER_B), Some(IMEI_A)).await;
    let task = rehearsed(&world, query(NUMBER_B)).await;
    assert_eq!(task.status, TaskStatus::Failed);
    let detail = task.detail.unwrap();
    assert!(detail.contains("has no account"), "{detail}");
}

#[tokio::test]
async fn a_test_cycle_fails_where_no_device_could_pass_the_policy() {
    let world = World::new();
    let mut fields = muster_broker::services::DeviceFields {
        phone_number: Some(crate::world::msisdn(NUMBER_A)),
        ..Default::default()
    };
    fields.account = Some(crate::world::account("a"));
    world.broker.create_device(&admin(), fields, None).await.unwrap();
    let task = rehearsed(&world, OperationRequest { policy: 10, ..query(NUMBER_A) }).await;
    assert_eq!(task.status, TaskStatus::Failed);
    let detail = task.detail.unwrap();
    assert!(detail.contains("acceptDevicePolicy 10"), "{detail}");
}

#[tokio::test]
async fn the_plan_says_that_the_user_is_asked_first() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let task = rehearsed(&world, OperationRequest { opt_in: true, ..query(NUMBER_A) }).await;
    let detail = task.detail.unwrap();
    assert!(detail.contains("once its user agreed"), "{detail}");
}
