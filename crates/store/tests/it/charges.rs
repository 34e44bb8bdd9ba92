//! The feed of chargeable events: each in the transaction of what it charges for, once.

use muster_broker::job::{JobEvent, Selector};
use muster_broker::ledger::{ChargeKind, ChargeableEvent, EventId, Subject};
use muster_broker::store::{Once, Remember, Target};
use muster_broker::task::TaskEvent;

use crate::world::{NOW, TENANT, World, deed, deed_at, phone, step};

async fn feed(world: &World) -> Vec<ChargeableEvent> {
    world.store().charge_feed(None, EventId(0), 1000).await.unwrap().events
}

async fn kinds(world: &World) -> Vec<ChargeKind> {
    feed(world).await.iter().map(|event| event.kind).collect()
}

/// Takes a task through an event in a step that says whether it reached its device.
async fn connect(world: &World, name: &str, task: muster_broker::id::TaskId, event: TaskEvent, reached: bool) {
    let contact = world.contact(name).await;
    let mut step = step(&contact);
    let mut changed = contact.tasks.iter().find(|open| open.task.id == task).unwrap().task.clone();
    changed.advance(event, NOW).unwrap();
    step.history.push(changed.note(NOW, "Stepped", None, "device"));
    step.reached = if reached { vec![task] } else { Vec::new() };
    step.tasks.push(changed);
    assert_eq!(world.store().contact_commit(step).await.unwrap(), muster_broker::store::Verdict::Applied);
}

#[tokio::test]
async fn a_task_is_charged_when_it_first_reaches_its_device_and_not_again() {
    let mut world = World::new();
    let device = world.device("d1").await;
    let task = world.task(&device).await;
    assert_eq!(kinds(&world).await, []);
    connect(&world, "d1", task.id, TaskEvent::Connected, true).await;
    assert_eq!(kinds(&world).await, [ChargeKind::Operation]);
    // A further attempt of the same task, also after a restart.
    connect(&world, "d1", task.id, TaskEvent::AttemptFailed { attempts_left: 1 }, false).await;
    world.reopen();
    connect(&world, "d1", task.id, TaskEvent::Connected, true).await;
    let events = feed(&world).await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!((event.tenant.as_str(), event.caller.as_str(), event.operation.as_str()), (TENANT, "care", "QUERY"));
    assert_eq!((event.quantity, event.task, event.device), (1, Some(task.id), Some(device.oid)));
    assert_eq!(event.device_id, device.device_id);
}

#[tokio::test]
async fn a_test_cycle_and_a_task_that_is_cancelled_before_cost_nothing() {
    let world = World::new();
    let device = world.device("d1").await;
    let mut target = world.target(&device);
    target.task.test_cycle = true;
    world.keep(target.clone()).await;
    connect(&world, "d1", target.task.id, TaskEvent::Connected, true).await;
    let task = world.task(&device).await;
    world.store().task_cancel(TENANT, task.id, None, deed("care")).await.unwrap().unwrap();
    let mut job = world.job(Selector { all_devices: true, ..Selector::default() });
    job.template.test_cycle = true;
    world.store().job_create(vec![job], deed("campaign"), None).await.unwrap();
    assert_eq!(kinds(&world).await, []);
}

#[tokio::test]
async fn a_repeated_request_costs_nothing_more() {
    let world = World::new();
    let remember = || Remember {
        caller: "alpha/campaign".into(),
        operation: "createDeployments",
        request_id: "key".into(),
        content: [1; 32],
        at: NOW,
        answer: Box::new(|()| Some("made".into())),
    };
    let job = world.job(Selector { all_devices: true, ..Selector::default() });
    let create = async |deed| world.store().job_create(vec![job.clone()], deed, Some(remember())).await.unwrap();
    assert_eq!(create(deed("campaign")).await, Once::Now(()));
    assert_eq!(create(deed("campaign")).await, Once::Before("made".into()));
    assert_eq!(kinds(&world).await, [ChargeKind::Job]);
    let log = world.store().audit_list(None, Default::default(), crate::world::ALL).await.unwrap();
    assert_eq!(log.total, 1, "a repetition is not told again either");
}

#[tokio::test]
async fn a_task_that_is_run_again_is_charged_again() {
    let world = World::new();
    let device = world.device("d1").await;
    let job = world.job(Selector { all_devices: true, ..Selector::default() });
    world.store().job_create(vec![job.clone()], deed("campaign"), None).await.unwrap();
    world.store().job_pump(NOW, 100).await.unwrap();
    let id = muster_broker::id::TaskId::of_job(job.id, device.oid);
    connect(&world, "d1", id, TaskEvent::Connected, true).await;
    connect(&world, "d1", id, TaskEvent::GivenUp, false).await;
    let later = NOW.plus_s(10);
    world.store().job_pump(later, 100).await.unwrap();
    let again = JobEvent::RestartAsked { retry_failed: true };
    world.store().job_advance(TENANT, job.id, again, None, deed_at("campaign", later)).await.unwrap().unwrap();
    world.store().job_pump(later, 100).await.unwrap();
    connect(&world, "d1", id, TaskEvent::Connected, true).await;
    assert_eq!(kinds(&world).await, [ChargeKind::Job, ChargeKind::Operation, ChargeKind::Operation]);
    assert!(feed(&world).await.iter().all(|event| event.job == Some(job.id)));
}

#[tokio::test]
async fn a_step_that_is_not_applied_costs_nothing() {
    let world = World::new();
    let device = world.device("d1").await;
    let task = world.task(&device).await;
    let contact = world.contact("d1").await;
    connect(&world, "d1", task.id, TaskEvent::Connected, false).await;
    // Decided on what was before.
    let mut late = step(&contact);
    late.reached = vec![task.id];
    late.tasks.push(contact.tasks[0].task.clone());
    assert_eq!(world.store().contact_commit(late).await.unwrap(), muster_broker::store::Verdict::Conflict);
    assert_eq!(kinds(&world).await, []);
}

#[tokio::test]
async fn the_feed_is_walked_without_gaps_while_others_write() {
    let world = std::sync::Arc::new(World::new());
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                for number in 0..50 {
                    let tenant = if number % 2 == 0 { TENANT } else { "beta" };
                    let caller = format!("w{writer}-{number}");
                    let event = ChargeableEvent::new(ChargeKind::Event, tenant, &caller, "notifyEvents", NOW);
                    world.store().charge_add(vec![event]).await.unwrap();
                }
            })
        })
        .collect();
    let (mut seen, mut after) = (Vec::new(), EventId(0));
    while seen.len() < 400 {
        let feed = world.store().charge_feed(None, after, 7).await.unwrap();
        assert!(feed.events.windows(2).all(|pair| pair[0].id < pair[1].id));
        after = feed.events.last().map_or(after, |event| event.id);
        seen.extend(feed.events.into_iter().map(|event| event.id.0));
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen, (1..=400).collect::<Vec<_>>());
    let own = world.store().charge_feed(Some("beta"), EventId(0), 1000).await.unwrap();
    assert!(own.events.len() == 200 && !own.has_more && own.events.iter().all(|event| event.tenant == "beta"));
}

#[tokio::test]
async fn whom_an_event_is_about_is_erased_with_the_task() {
    let world = World::new();
    let mut given = world.given("d1");
    given.device.phone_number = Some(phone("+15551234567"));
    let device = world.create(given).await;
    let task = world.task(&device).await;
    connect(&world, "d1", task.id, TaskEvent::Connected, true).await;
    connect(&world, "d1", task.id, TaskEvent::Done, false).await;
    assert_eq!(feed(&world).await[0].phone_number, device.phone_number);
    let names = vec![Subject::phone(&phone("+15551234567")), Subject::device(device.device_id.as_ref().unwrap())];
    world.erase(names, &[], deed("root")).await;
    let event = feed(&world).await.swap_remove(0);
    assert_eq!((event.phone_number, event.device_id), (None, None));
    assert_eq!((event.kind, event.task), (ChargeKind::Operation, Some(task.id)));
}

#[tokio::test]
async fn a_bulk_request_is_charged_as_a_job_and_each_of_its_tasks_when_it_reaches_its_device() {
    let world = World::new();
    let device = world.device("d1").await;
    let mut job = world.job(Selector::default());
    job.expansion = None;
    let mut target: Target = world.target(&device);
    target.task.job = Some(job.id);
    target.history[0].job = Some(job.id);
    world.store().task_create(Some(job), vec![target.clone()], deed("campaign"), None).await.unwrap();
    connect(&world, "d1", target.task.id, TaskEvent::Connected, true).await;
    assert_eq!(kinds(&world).await, [ChargeKind::Job, ChargeKind::Operation]);
}
