//! What happens when the database cannot grow.

use muster_broker::store::{ContactKey, StoreError, Verdict};
use muster_broker::task::TaskEvent;

use crate::world::{NOW, World, deed, step};

/// A page count that is always reached: SQLite takes the present size instead, so nothing grows any more.
const FULL: u32 = 1;
const LIFTED: u32 = u32::MAX >> 2;

#[tokio::test]
async fn a_full_disk_makes_writes_unavailable_undoes_them_whole_and_heals() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    let before = world.contact("one").await;
    world.sqlite().limit_pages(FULL).await.unwrap();

    let mut big = step(&before);
    let mut next = task.clone();
    next.advance(TaskEvent::Connected, NOW).unwrap();
    next.plan = Some("p".repeat(200_000));
    big.history.push(next.note(NOW, "SessionOpened", None, "device"));
    big.tasks.push(next);
    big.state.dialogue.as_mut().unwrap().reply = vec![1; 200_000];
    for _ in 0..3 {
        let refused = world.store().contact_commit(big.clone()).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
        assert_eq!(world.contact("one").await, before, "nothing half applied, and reading goes on");
    }
    let mut target = world.target(&device);
    target.task.plan = Some("p".repeat(200_000));
    let refused = world.store().task_create(None, vec![target], deed("care"), None).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");

    world.sqlite().limit_pages(LIFTED).await.unwrap();
    assert_eq!(world.store().contact_commit(big).await.unwrap(), Verdict::Applied);
    assert_eq!(world.contact("one").await.tasks.first().map(|open| open.task.history_len), Some(2));
}

#[tokio::test]
async fn callers_of_one_transaction_are_all_told_when_it_fails() {
    let world = World::new();
    for number in 0..20 {
        world.device(&format!("d{number}")).await;
    }
    world.sqlite().limit_pages(FULL).await.unwrap();
    let mut steps = Vec::new();
    for number in 0..20 {
        let contact = world.contact(&format!("d{number}")).await;
        let mut step = step(&contact);
        step.state.dialogue.as_mut().unwrap().reply = vec![1; 100_000];
        steps.push((number, step));
    }
    let mut running = Vec::new();
    for (number, step) in steps {
        running.push((number, world.store().contact_commit(step)));
    }
    let outcomes = join_all(running).await;
    for (number, outcome) in outcomes {
        let revision = revision(&world, number).await;
        match outcome {
            Ok(Verdict::Applied) => assert_eq!(revision, 1),
            Err(StoreError::Unavailable { .. }) => assert_eq!(revision, 0),
            other => panic!("{other:?}"),
        }
    }
}

async fn revision(world: &World, number: i32) -> i64 {
    let key = ContactKey::ClientName(format!("d{number}"));
    world.store().contact_load(&key).await.unwrap().unwrap().state.revision
}

type Running<'a> = muster_broker::store::Pending<'a, Verdict>;

/// Polls all of them together, so that they are queued together.
async fn join_all(running: Vec<(i32, Running<'_>)>) -> Vec<(i32, Result<Verdict, StoreError>)> {
    let mut running: Vec<_> = running.into_iter().map(|(number, future)| (number, future, None)).collect();
    std::future::poll_fn(|context| {
        let mut is_ready = true;
        for (_, future, outcome) in &mut running {
            if outcome.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(done) => *outcome = Some(done),
                    std::task::Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    running.into_iter().map(|(number, _, outcome)| (number, outcome.unwrap())).collect()
}
