//! Idempotency keys.

use muster_broker::store::{DeviceVerdict, DeviceWrite, Once, Remember, TaskFilter, WriteMode};
use muster_broker::task::Task;

use crate::world::{ALL, NOW, TENANT, World, deed};

fn remember<T>(request_id: &str, content: u8, answer: &'static str) -> Option<Remember<T>> {
    Some(Remember {
        caller: "alpha/care".into(),
        operation: "doOperation",
        request_id: request_id.into(),
        content: [content; 32],
        at: NOW,
        answer: Box::new(move |_| Some(answer.to_owned())),
    })
}

async fn tasks(world: &World) -> Vec<Task> {
    world.store().task_list(TENANT, TaskFilter::default(), ALL).await.unwrap().items
}

#[tokio::test]
async fn the_same_key_with_the_same_content_has_one_effect_and_one_answer() {
    let mut world = World::new();
    let device = world.device("one").await;
    let create = async |world: &World, target, content, answer| {
        world.store().task_create(None, vec![target], deed("care"), remember("key", content, answer)).await.unwrap()
    };
    let (first, second) = (world.target(&device), world.target(&device));

    assert_eq!(create(&world, first.clone(), 1, "first").await, Once::Now(()));
    assert_eq!(create(&world, second.clone(), 1, "second").await, Once::Before("first".into()));
    assert_eq!(create(&world, second.clone(), 2, "second").await, Once::Reused);
    world.reopen();
    assert_eq!(create(&world, second, 1, "second").await, Once::Before("first".into()), "after a restart too");

    assert_eq!(tasks(&world).await, [first.task]);
}

#[tokio::test]
async fn two_calls_with_one_key_at_the_same_time_have_one_effect() {
    let world = World::new();
    let device = world.device("one").await;
    let create = async |answer| {
        let target = world.target(&device);
        world.store().task_create(None, vec![target], deed("care"), remember("key", 1, answer)).await.unwrap()
    };
    let (one, other) = tokio::join!(create("one"), create("other"));
    let answers = [one, other];
    assert_eq!(answers.iter().filter(|answer| **answer == Once::Now(())).count(), 1, "{answers:?}");
    assert_eq!(tasks(&world).await.len(), 1);
}

#[tokio::test]
async fn an_outcome_without_effect_leaves_the_key_free() {
    let world = World::new();
    world.device("one").await;
    let write = async |name: &str| {
        let writes = vec![DeviceWrite { mode: WriteMode::Create, given: world.given(name) }];
        let remember: Remember<Vec<DeviceVerdict>> = Remember {
            answer: Box::new(|verdicts: &Vec<DeviceVerdict>| {
                verdicts.iter().any(|verdict| matches!(verdict, DeviceVerdict::Created(_))).then(|| "made".into())
            }),
            ..remember("key", 1, "").unwrap()
        };
        world.store().device_write(TENANT, writes, deed("care"), Some(remember)).await.unwrap()
    };
    assert!(matches!(write("one").await, Once::Now(_)), "refused");
    assert!(matches!(write("two").await, Once::Now(_)), "made");
    assert_eq!(write("three").await, Once::Before("made".into()));
}

#[tokio::test]
async fn keys_are_forgotten_when_they_are_old_enough() {
    let world = World::new();
    let job = world.job(Default::default());
    let create = async || {
        world.store().job_create(vec![job.clone()], deed("campaign"), remember("key", 1, "made")).await.unwrap()
    };
    assert_eq!(create().await, Once::Now(()));
    world.store().forget(NOW, NOW).await.unwrap();
    assert_eq!(create().await, Once::Before("made".into()));
    world.store().forget(NOW, NOW.plus_ms(1)).await.unwrap();
    assert_eq!(create().await, Once::Now(()));
}
