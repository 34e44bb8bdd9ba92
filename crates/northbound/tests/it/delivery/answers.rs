//! What receivers may answer, and how long they may take.

use std::time::{Duration, Instant};

use muster_northbound::delivery::Settings;

use super::receiver::{Reaction, Receiver};
use super::world::{World, no_trust, quick, soap, to};

#[tokio::test]
async fn a_receiver_that_fails_is_asked_again_ever_less_often_until_it_takes() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    world.happen(to(&receiver.url("/"))).await;
    receiver.will([Reaction::Status(500, String::new()), Reaction::Status(200, "OK".into()), Reaction::Take(0)]);
    for (attempts, wait_s) in [(1, 1), (2, 5), (3, 30)] {
        assert_eq!(world.deliver().await, 1);
        assert_eq!(receiver.seen().len(), attempts);
        let queue = world.queue().await;
        assert_eq!((queue.failed as usize, queue.waiting), (attempts, 1));
        let wait_ms = queue.due_at.unwrap().0 - queue.tried_at.unwrap().0;
        assert!((wait_s * 800..=wait_s * 1200).contains(&wait_ms), "{wait_ms}");
        assert_eq!(world.deliver().await, 0, "not before it is due");
        world.advance_s(wait_s * 2);
    }
    assert_eq!(world.deliver().await, 1);
    assert_eq!((world.queue().await.failed, world.queue().await.waiting), (0, 0));
    let ids = receiver.all("eventId");
    assert_eq!(
        (ids.len(), ids.iter().collect::<std::collections::HashSet<_>>().len()),
        (4, 1),
        "always the same event"
    );
    assert_eq!((world.count("failed"), world.count("taken")), (3, 1));
}

#[tokio::test]
async fn events_that_were_not_taken_come_again_and_the_taken_ones_do_not() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    let mut tasks = Vec::new();
    for _ in 0..5 {
        tasks.push(world.happen(to(&receiver.url("/"))).await);
    }
    receiver.will([Reaction::Take(2), Reaction::Take(7), Reaction::Take(-1)]);
    world.deliver().await;
    assert_eq!(world.queue().await.failed, 0, "it works, only slowly");
    for _ in 0..3 {
        world.advance_s(100);
        world.deliver().await;
    }
    let seen: Vec<_> = receiver.seen().iter().map(|seen| seen.all("taskId")).collect();
    assert_eq!(seen, [&tasks[..], &tasks[2..], &tasks[2..], &tasks[2..]]);
    assert_eq!((world.count("partly_taken"), world.queue().await.waiting), (1, 0));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_not_asked_again() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    world.happen(to(&receiver.url("/"))).await;
    receiver.will([Reaction::Status(410, String::new())]);
    world.deliver().await;
    let letters = world.letters().await;
    assert!(letters.len() == 1 && letters[0].reason.contains("410"), "{letters:?}");
    assert!(world.queue().await.ended_at.is_some());
    world.advance_s(7200);
    assert_eq!(world.deliver().await, 0);

    let ids = vec![letters[0].id.to_string()];
    assert_eq!(world.broker.replay_dead_letters(&super::world::admin(), None, &ids).await.unwrap(), 1);
    world.deliver().await;
    assert_eq!(receiver.seen().len(), 2, "who replays it asks for it anew");
    assert!(world.letters().await.is_empty() && world.queue().await.ended_at.is_none());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (world, receiver, other) = (World::new().await, Receiver::plain().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    world.happen(to(&receiver.url("/"))).await;
    for status in [301, 302, 303, 307, 308] {
        receiver.will([Reaction::Redirect(status, other.url("/"))]);
        world.deliver().await;
        assert!(world.queue().await.reason.unwrap().contains("redirects are not followed"));
        world.advance_s(2200);
    }
    assert_eq!((receiver.seen().len(), other.connections()), (5, 0));
}

#[tokio::test]
async fn answers_that_are_too_long_or_never_end_are_failures_in_good_time() {
    let settings = Settings { answer: Duration::from_millis(300), ..quick() };
    let (world, receiver) = (World::with(settings, no_trust()).await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    world.happen(to(&receiver.url("/"))).await;
    let begin = Instant::now();
    for (reaction, why) in [
        (Reaction::Silence, "no answer within"),
        (Reaction::Stall, "no answer within"),
        (Reaction::Endless, "more than 65536 octets"),
        (Reaction::Status(200, "x".repeat(65_537)), "more than 65536 octets"),
        (Reaction::Status(200, "x".repeat(65_536)), "not understood"),
    ] {
        receiver.will([reaction.clone()]);
        world.deliver().await;
        let reason = world.queue().await.reason.unwrap();
        assert!(reason.contains(why), "{reaction:?}: {reason}");
        world.advance_s(2200);
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    world.deliver().await;
    assert_eq!(world.queue().await.waiting, 0);
}

#[tokio::test]
async fn a_receiver_that_hangs_keeps_nobody_else_waiting() {
    let settings = Settings { per_address_max: 2, at_once_max: 4, ..quick() };
    let world = World::with(settings, no_trust()).await;
    let (slow, quick) = (Receiver::plain().await, Receiver::plain().await);
    world.allow(soap(&slow.url("/"))).await;
    world.allow(soap(&quick.url("/"))).await;
    slow.will(vec![Reaction::Silence; 20]);
    for number in 0..20 {
        world.happen(to(&slow.url(&format!("/{number}")))).await;
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(std::sync::Arc::clone(&world.deliverer).run(stopped, Duration::ZERO));
    let begin = Instant::now();
    for number in 0..20 {
        world.happen(to(&quick.url(&format!("/{number}")))).await;
    }
    while quick.seen().len() < 20 {
        assert!(begin.elapsed() < Duration::from_secs(4), "{} of 20 delivered", quick.seen().len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(slow.seen().len(), 2, "its share, and no more");
    stop.send(true).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn what_could_not_be_delivered_for_seven_days_is_given_up_and_replayed_in_order() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    world.allow(soap(&receiver.url("/"))).await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(world.happen(to(&receiver.url("/"))).await);
        world.advance_s(1);
    }
    receiver.will([Reaction::Status(503, String::new())]);
    world.deliver().await;
    world.advance_s(7 * 24 * 3600 + 1);
    tasks.push(world.happen(to(&receiver.url("/"))).await);
    world.deliver().await;
    assert_eq!(receiver.seen()[1].all("taskId"), tasks[3..], "what is young enough is delivered");
    let letters = world.letters().await;
    assert_eq!(letters.len(), 3);
    assert!(letters[0].reason.contains("HTTP 503"), "{letters:?}");

    let address = letters[0].address.to_string();
    let replayed = world.broker.replay_dead_letters(&super::world::admin(), Some(&address), &[]).await.unwrap();
    world.deliver().await;
    assert_eq!((replayed, receiver.seen()[2].all("taskId")), (3, tasks[..3].to_vec()));
}
