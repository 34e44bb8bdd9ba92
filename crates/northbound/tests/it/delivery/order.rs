//! At least once, and in order, though receivers come and go.

use std::time::Duration;

use muster_northbound::delivery::Settings;

use super::receiver::{Reaction, Receiver};
use super::world::{World, no_trust, quick, soap, to};

#[tokio::test]
async fn a_receiver_that_was_down_gets_everything_in_order_once_it_is_up() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    let (url, address) = (receiver.url("/"), receiver.address);
    world.allow(soap(&url)).await;
    drop(receiver);
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(world.happen(to(&url)).await);
        world.deliver().await;
        world.advance_s(200);
    }
    assert_eq!(world.queue().await.waiting, 3);
    let receiver = Receiver::at(address, None).await;
    world.deliver().await;
    assert_eq!(receiver.all("taskId"), tasks);
    assert_eq!((world.queue().await.waiting, world.queue().await.reason), (0, None));
}

#[tokio::test]
async fn a_connection_that_the_receiver_closes_after_an_answer_is_opened_again_for_the_next_message() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    for _ in 0..205 {
        world.happen(to(&receiver.url("/"))).await;
    }
    receiver.will([Reaction::TakeAllAndClose, Reaction::TakeAllAndClose]);
    world.deliver().await;
    let seen: Vec<_> = receiver.seen().iter().map(|seen| (seen.all("eventId").len(), seen.connection)).collect();
    assert_eq!((seen, world.count("failed")), (vec![(100, 1), (100, 2), (5, 3)], 0));
}

#[tokio::test]
async fn a_receiver_has_its_turn_again_after_those_that_waited_meanwhile() {
    let settings = Settings { in_a_row_max: 1, ..quick() };
    let (world, receiver) = (World::with(settings, no_trust()).await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    for _ in 0..101 {
        world.happen(to(&receiver.url("/"))).await;
    }
    for messages in 1..=2 {
        assert_eq!(world.deliver().await, 1);
        assert_eq!(receiver.seen().len(), messages);
    }
    assert_eq!(world.deliver().await, 0);
}

#[tokio::test]
async fn events_keep_their_order_over_every_kind_of_failure_and_none_is_lost() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    let mut random = fastrand::Rng::with_seed(20_261_128);
    let mut tasks = Vec::new();
    for _ in 0..60 {
        for _ in 0..random.usize(0..4) {
            tasks.push(world.happen(to(&receiver.url("/"))).await);
        }
        receiver.will(match random.u8(0..5) {
            0 => vec![Reaction::Status(500, String::new())],
            1 => vec![Reaction::Take(1)],
            2 => vec![Reaction::Take(0)],
            3 => vec![Reaction::Status(200, "not an answer".into())],
            _ => vec![Reaction::TakeAll],
        });
        world.deliver().await;
        world.advance_s(random.i64(0..3000));
    }
    while world.queue().await.waiting > 0 {
        world.deliver().await;
        world.advance_s(3000);
    }
    // A receiver that discards the identifiers it knows.
    let mut known = std::collections::HashSet::new();
    let mut order = Vec::new();
    for seen in receiver.seen() {
        for (id, task) in seen.all("eventId").into_iter().zip(seen.all("taskId")) {
            if known.insert(id) {
                order.push(task);
            }
        }
    }
    assert_eq!(order, tasks);
}

#[tokio::test]
async fn a_deliverer_that_is_stopped_in_the_middle_delivers_again_after_its_lease() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    let task = world.happen(to(&receiver.url("/"))).await;
    receiver.will([Reaction::Silence]);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(std::sync::Arc::clone(&world.deliverer).run(stopped, Duration::ZERO));
    while receiver.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(world.deliver().await, 0, "the lease still holds");
    world.advance_s(60);
    assert_eq!(world.deliver().await, 1);
    assert_eq!(receiver.all("taskId"), [task.clone(), task]);
}
