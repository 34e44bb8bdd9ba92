//! Devices in contact.

use muster_broker::id::JobId;
use muster_broker::identity::DeviceId;
use muster_broker::job::{JobEvent, Selector};
use muster_broker::operation::Parameter;
use muster_broker::store::{Contact, ContactKey, Once, StoreError, Verdict, WriteMode};
use muster_broker::task::{TaskEvent, TaskStatus};
use uuid::Uuid;

use crate::world::{ALL, NOW, TENANT, World, deed, events, step};

#[tokio::test]
async fn a_device_is_found_by_the_name_of_its_account_with_state_and_open_tasks() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;

    let contact = world.contact("one").await;

    assert_eq!(contact.device, device);
    assert_eq!((contact.state.revision, contact.state.generation), (0, 0));
    assert_eq!(contact.tasks.iter().map(|open| (&open.task, open.may_run)).collect::<Vec<_>>(), [(&task, true)]);
    let missing = world.store().contact_load(&ContactKey::ClientName("two".into())).await.unwrap();
    assert_eq!(missing, None);
}

#[tokio::test]
async fn a_device_identifier_finds_a_record_only_if_it_has_an_account_and_is_the_only_one() {
    let world = World::new();
    let id = DeviceId::from_device("MEID:one").unwrap();
    let mut without = world.given("one");
    without.device.account = None;
    without.has_client_secret = false;
    world.create(without).await;
    let key = ContactKey::DeviceId(id);
    assert_eq!(world.store().contact_load(&key).await.unwrap(), None, "no account");

    let mut other = world.given("one");
    other.device.account.as_mut().unwrap().client_name = "elsewhere".into();
    let write = muster_broker::store::DeviceWrite { mode: WriteMode::Create, given: other };
    world.store().device_write("beta", vec![write], deed("care"), None).await.unwrap();
    let found = world.store().contact_load(&key).await.unwrap().unwrap();
    assert_eq!(found.device.tenant, "beta");

    let mut third = world.given("one");
    third.device.account.as_mut().unwrap().client_name = "third".into();
    let write = muster_broker::store::DeviceWrite { mode: WriteMode::Create, given: third };
    world.store().device_write("gamma", vec![write], deed("care"), None).await.unwrap();
    assert_eq!(world.store().contact_load(&key).await.unwrap(), None, "two domains know it");
}

#[tokio::test]
async fn a_step_is_stored_whole() {
    let mut world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    let contact = world.contact("one").await;
    let mut step = step(&contact);
    let mut next = task.clone();
    next.advance(TaskEvent::Connected, NOW).unwrap();
    next.plan = Some("{\"sent\":1}".into());
    next.result = vec![Parameter { path: "./DevInfo/Man".into(), value: Some("Acme".into()), ..Parameter::default() }];
    next.result_code = Some(200);
    next.messages = 2;
    next.actual = Some(DeviceId::from_device("MEID:other").unwrap());
    next.detail = Some("under way".into());
    step.history.push(next.note(NOW, "SessionOpened", Some("detail".into()), "device"));
    step.tasks.push(next.clone());
    step.state.server_nonce = Some(vec![5; 16]);

    assert_eq!(world.store().contact_commit(step.clone()).await.unwrap(), Verdict::Applied);
    world.reopen();

    let after = world.contact("one").await;
    assert_eq!(after.state, { muster_broker::store::ContactState { revision: 1, ..step.state } });
    assert_eq!(after.device.last_seen_at, Some(NOW));
    next.version += 1;
    assert_eq!(after.tasks.first().map(|open| &open.task), Some(&next));
    assert_eq!(events(&world, task.id).await, ["Created", "SessionOpened"]);
}

#[tokio::test]
async fn a_step_applied_twice_is_a_conflict_and_changes_nothing() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    let contact = world.contact("one").await;
    let mut step = step(&contact);
    let mut next = task.clone();
    next.advance(TaskEvent::Connected, NOW).unwrap();
    step.history.push(next.note(NOW, "SessionOpened", None, "device"));
    step.tasks.push(next);

    assert_eq!(world.store().contact_commit(step.clone()).await.unwrap(), Verdict::Applied);
    let after = world.contact("one").await;
    assert_eq!(world.store().contact_commit(step).await.unwrap(), Verdict::Conflict);

    assert_eq!(world.contact("one").await, after);
    assert_eq!(events(&world, task.id).await.len(), 2);
}

#[tokio::test]
async fn a_step_decided_on_an_older_task_changes_nothing() {
    let world = World::new();
    let device = world.device("one").await;
    let (task, other) = (world.task(&device).await, world.task(&device).await);
    let contact = world.contact("one").await;
    let mut step = step(&contact);
    for task in [&other, &task] {
        let mut next = task.clone();
        next.advance(TaskEvent::Connected, NOW).unwrap();
        step.history.push(next.note(NOW, "SessionOpened", None, "device"));
        step.tasks.push(next);
    }
    world.store().task_cancel(TENANT, task.id, None, deed("care")).await.unwrap().unwrap();

    assert_eq!(world.store().contact_commit(step).await.unwrap(), Verdict::Conflict);

    assert_eq!(world.contact("one").await.state, contact.state);
    assert_eq!(world.stored(other.id).await, other);
}

#[tokio::test]
async fn a_step_decided_on_an_older_record_changes_nothing() {
    let world = World::new();
    let device = world.device("one").await;
    let contact = world.contact("one").await;
    let mut step = step(&contact);
    let mut record = device.clone();
    record.firmware_version = Some("2.0".into());
    step.record = Some(record);
    let mut given = world.given("one");
    given.device.model = Some("Two".into());
    world.write(WriteMode::Replace, given).await;

    assert_eq!(world.store().contact_commit(step.clone()).await.unwrap(), Verdict::Conflict);
    assert_eq!(world.contact("one").await.state, contact.state);

    step.record.as_mut().unwrap().version = 2;
    assert_eq!(world.store().contact_commit(step).await.unwrap(), Verdict::Applied);
    let after = world.contact("one").await.device;
    assert_eq!((after.version, after.firmware_version.as_deref()), (3, Some("2.0")));
}

#[tokio::test]
async fn a_step_that_takes_the_identifier_of_another_record_changes_nothing() {
    let world = World::new();
    world.device("one").await;
    world.device("two").await;
    let contact = world.contact("one").await;
    let mut step = step(&contact);
    let mut record = contact.device.clone();
    record.device_id = Some(DeviceId::from_device("MEID:two").unwrap());
    step.record = Some(record);

    assert_eq!(world.store().contact_commit(step).await.unwrap(), Verdict::Conflict);

    assert_eq!(world.contact("one").await, contact);
}

#[tokio::test]
async fn a_step_of_a_paused_job_changes_nothing() {
    let world = World::new();
    world.device("one").await;
    let job = world.job(Selector { all_devices: true, ..Selector::default() });
    world.store().job_create(vec![job.clone()], deed("campaign"), None).await.unwrap();
    world.store().job_pump(NOW, 10).await.unwrap();
    let contact = world.contact("one").await;
    assert_eq!(contact.tasks.first().map(|open| open.may_run), Some(true));
    let mut step = step(&contact);
    step.running_jobs = vec![job.id];
    world.store().job_advance(TENANT, job.id, JobEvent::PauseAsked, None, deed("campaign")).await.unwrap().unwrap();

    assert_eq!(world.contact("one").await.tasks.first().map(|open| open.may_run), Some(false), "at once");
    assert_eq!(world.store().contact_commit(step.clone()).await.unwrap(), Verdict::Conflict);

    step.running_jobs = vec![JobId(Uuid::from_u128(99))];
    assert_eq!(world.store().contact_commit(step.clone()).await.unwrap(), Verdict::Conflict, "a job that is not there");
    step.running_jobs.clear();
    assert_eq!(world.store().contact_commit(step).await.unwrap(), Verdict::Applied);
}

#[tokio::test]
async fn history_that_has_no_place_is_refused_before_anything_is_written() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    let contact = world.contact("one").await;
    let mut step = step(&contact);
    let mut next = task.clone();
    let entry = next.note(NOW, "SessionOpened", None, "device");
    step.tasks.push(next);
    step.history = vec![entry.clone(), entry];

    world.device("two").await;
    let other = crate::world::step(&world.contact("two").await);
    let (refused, neighbour) =
        tokio::join!(world.store().contact_commit(step.clone()), world.store().contact_commit(other));
    assert_eq!(neighbour.unwrap(), Verdict::Applied, "a step of the same transaction");
    assert!(matches!(refused, Err(StoreError::Broken { .. })), "{refused:?}");
    assert_eq!(world.contact("one").await, contact);

    step.history.pop();
    assert_eq!(world.store().contact_commit(step).await.unwrap(), Verdict::Applied);
}

#[tokio::test]
async fn tasks_come_by_priority_then_age_and_no_more_than_the_limit() {
    let world = World::new();
    let device = world.device("one").await;
    let mut targets = Vec::new();
    for place in 0..40_u8 {
        let mut target = world.target(&device);
        target.task.priority = 1 + place % 9;
        target.task.created_at = NOW.plus_s(-i64::from(place));
        targets.push(target);
    }
    assert_eq!(world.store().task_create(None, targets, deed("care"), None).await.unwrap(), Once::Now(()));

    let open = world.contact("one").await.tasks;

    assert_eq!(open.len(), Contact::TASKS_MAX);
    assert!(open.is_sorted_by_key(|open| (std::cmp::Reverse(open.task.priority), open.task.created_at)));
    assert_eq!(open.first().map(|open| open.task.priority), Some(9));
}

#[tokio::test]
async fn final_tasks_are_not_loaded() {
    let world = World::new();
    let device = world.device("one").await;
    let task = world.task(&device).await;
    world.step("one", &[(task.id, TaskEvent::Connected)]).await;
    world.step("one", &[(task.id, TaskEvent::Done)]).await;

    assert_eq!(world.contact("one").await.tasks, []);
    let after = world.stored(task.id).await;
    assert_eq!((after.status, after.finished_at, after.version), (TaskStatus::Succeeded, Some(NOW), 3));
}

#[tokio::test]
async fn only_open_sessions_that_carry_a_task_are_silent() {
    let world = World::new();
    for name in ["idle", "busy", "ended", "recent"] {
        let device = world.device(name).await;
        if name != "idle" {
            world.task(&device).await;
        }
        let contact = world.contact(name).await;
        let mut step = step(&contact);
        let dialogue = step.state.dialogue.as_mut().unwrap();
        dialogue.ended = name == "ended";
        dialogue.touched_at = if name == "recent" { NOW } else { NOW.plus_s(-100) };
        assert_eq!(world.store().contact_commit(step).await.unwrap(), Verdict::Applied);
    }

    let silent = world.store().contact_silent(NOW.plus_s(-10), 10).await.unwrap();

    let names: Vec<_> =
        silent.iter().map(|contact| contact.device.account.as_ref().unwrap().client_name.as_str()).collect();
    assert_eq!(names, ["busy"]);
    assert_eq!(silent.first().map(|contact| contact.tasks.len()), Some(1));
    assert!(world.store().contact_silent(NOW.plus_s(-1000), 10).await.unwrap().is_empty());
    assert_eq!(world.store().device_list(TENANT, Default::default(), ALL).await.unwrap().total, 4);
}

#[tokio::test]
async fn a_new_task_is_in_the_next_contact_whatever_was_read_of_its_device_before() {
    let world = World::new();
    let (device, other) = (world.device("a").await, world.device("b").await);
    for _ in 0..3 {
        let tasks = world.contact("a").await.tasks.len();
        world.contact("b").await;
        let task = world.task(&device).await;
        let open = world.contact("a").await.tasks;
        assert_eq!((open.len(), open.last().map(|it| it.task.id)), (tasks + 1, Some(task.id)));
        assert_eq!(world.contact("b").await.tasks, []);
    }
    let late = world.task(&other).await;
    assert_eq!(world.contact("b").await.tasks.first().map(|it| it.task.id), Some(late.id));
}
