//! Jobs and the background work on them.

use muster_broker::device::{Device, ManagementState};
use muster_broker::fault::FaultName;
use muster_broker::id::TaskId;
use muster_broker::identity::DeviceId;
use muster_broker::job::{DeviceFilter, Job, JobEvent, JobStatus, JobView, Selector};
use muster_broker::schedule::Schedule;
use muster_broker::store::{Due, JobFilter, Once, TaskFilter, Verdict};
use muster_broker::task::{Task, TaskEvent, TaskStatus};
use muster_broker::time::Timestamp;

use crate::world::{ALL, NOW, TENANT, World, deed, deed_at, events, phone};

fn all() -> Selector {
    Selector { all_devices: true, ..Selector::default() }
}

async fn fleet(world: &World, count: usize) -> Vec<Device> {
    let mut devices = Vec::new();
    for number in 0..count {
        devices.push(world.device(&format!("d{number}")).await);
    }
    devices
}

async fn create(world: &World, job: &Job) {
    assert_eq!(world.store().job_create(vec![job.clone()], deed("campaign"), None).await.unwrap(), Once::Now(()));
}

/// Pumps until nothing is due; gives the number of rounds.
async fn pump(world: &World, now: Timestamp, limit: u32) -> u32 {
    let mut rounds = 1;
    while world.store().job_pump(now, limit).await.unwrap() == Due::More {
        rounds += 1;
        assert!(rounds < 1000, "the pump never rests");
    }
    rounds
}

async fn view(world: &World, job: &Job) -> JobView {
    world.store().job_get(TENANT, job.id).await.unwrap().unwrap()
}

async fn status(world: &World, job: &Job) -> JobStatus {
    view(world, job).await.job.status
}

async fn tasks(world: &World, job: &Job) -> Vec<Task> {
    let filter = TaskFilter { job: Some(job.id), ..TaskFilter::default() };
    world.store().task_list(TENANT, filter, ALL).await.unwrap().items
}

async fn ask(world: &World, job: &Job, event: JobEvent) -> Result<JobView, FaultName> {
    let asked = world.store().job_advance(TENANT, job.id, event, Some("why".into()), deed("campaign")).await.unwrap();
    asked.map_err(|fault| fault.name)
}

/// The device `name` takes its task of the job through these events.
async fn play(world: &World, job: &Job, name: &str, plays: &[TaskEvent]) {
    let contact = world.contact(name).await;
    let id = TaskId::of_job(job.id, contact.device.oid);
    for event in plays {
        assert_eq!(world.step(name, &[(id, *event)]).await, Verdict::Applied);
    }
}

const SUCCESS: &[TaskEvent] = &[TaskEvent::Connected, TaskEvent::Done];
const FAILURE: &[TaskEvent] = &[TaskEvent::Connected, TaskEvent::GivenUp];

#[tokio::test]
async fn a_job_makes_one_task_for_each_device_page_by_page_and_ends_when_all_are_final() {
    let world = World::new();
    let devices = fleet(&world, 7).await;
    let job = world.job(all());
    create(&world, &job).await;
    assert_eq!(view(&world, &job).await.counts, []);

    assert!(pump(&world, NOW, 3).await > 2, "a page is no larger than the limit");

    let made = tasks(&world, &job).await;
    assert_eq!(made.len(), 7);
    assert_eq!(view(&world, &job).await.counts, [(TaskStatus::Scheduled, 7)]);
    assert_eq!(status(&world, &job).await, JobStatus::Running);
    let one = made.iter().find(|task| task.device == devices[0].oid).unwrap();
    assert_eq!((one.id, &one.expected), (TaskId::of_job(job.id, devices[0].oid), &devices[0].device_id));
    assert_eq!((one.start_at, one.end_at), (NOW, NOW.plus_s(Schedule::LIFE_S)));
    for number in 0..7 {
        play(&world, &job, &format!("d{number}"), if number == 0 { FAILURE } else { SUCCESS }).await;
    }
    pump(&world, NOW.plus_s(5), 3).await;
    let after = view(&world, &job).await;
    assert_eq!((after.job.status, after.job.finished_at), (JobStatus::Completed, Some(NOW.plus_s(5))));
    assert_eq!(after.counts, [(TaskStatus::Succeeded, 6), (TaskStatus::Failed, 1)]);
}

#[tokio::test]
async fn a_job_waits_for_its_start() {
    let world = World::new();
    fleet(&world, 1).await;
    let mut job = world.job(all());
    job.schedule.start = Some(NOW.plus_s(100));
    create(&world, &job).await;
    pump(&world, NOW.plus_s(99), 10).await;
    assert_eq!((status(&world, &job).await, tasks(&world, &job).await.len()), (JobStatus::Scheduled, 0));
    pump(&world, NOW.plus_s(100), 10).await;
    assert_eq!((status(&world, &job).await, tasks(&world, &job).await.len()), (JobStatus::Running, 1));
}

#[tokio::test]
async fn an_empty_job_is_completed_by_the_first_round() {
    let world = World::new();
    let job = world.job(all());
    create(&world, &job).await;
    pump(&world, NOW, 10).await;
    assert_eq!(status(&world, &job).await, JobStatus::Completed);
}

#[tokio::test]
async fn the_kinds_of_a_selector_add_up_and_a_device_named_twice_gets_one_task() {
    let world = World::new();
    for (name, number, model) in [("a", "1", "One"), ("b", "1", "One"), ("c", "2", "Two"), ("d", "3", "One")] {
        let mut given = world.given(name);
        given.device.phone_number = Some(phone(&format!("+1555000000{number}")));
        given.device.model = Some(model.into());
        world.create(given).await;
    }
    for limit in [1, 100] {
        let job = world.job(Selector {
            phone_number: vec![phone("+15550000001"), phone("+15550000009")],
            device_id: ["MEID:a", "MEID:nobody"].map(|id| DeviceId::from_device(id).unwrap()).to_vec(),
            filter: Some(DeviceFilter { model: Some("Two".into()), ..DeviceFilter::default() }),
            ..Selector::default()
        });
        create(&world, &job).await;
        pump(&world, NOW, limit).await;

        let mut expected: Vec<_> = tasks(&world, &job).await.into_iter().filter_map(|task| task.expected).collect();
        expected.sort();
        assert_eq!(expected.iter().map(DeviceId::as_str).collect::<Vec<_>>(), ["MEID:a", "MEID:b", "MEID:c"]);
        let detail = view(&world, &job).await.job.detail;
        assert_eq!(detail.as_deref(), Some("devices named in the selector and not recorded: 2"));
    }
}

#[tokio::test]
async fn a_selector_without_criteria_never_means_every_device() {
    let world = World::new();
    fleet(&world, 2).await;
    let job = world.job(Selector { filter: Some(DeviceFilter::default()), ..Selector::default() });
    create(&world, &job).await;
    pump(&world, NOW, 10).await;
    assert_eq!((status(&world, &job).await, tasks(&world, &job).await.len()), (JobStatus::Completed, 0));
}

#[tokio::test]
async fn suspended_and_retired_devices_get_no_task_and_are_counted() {
    let world = World::new();
    for (name, state) in
        [("a", ManagementState::Managed), ("b", ManagementState::Suspended), ("c", ManagementState::Retired)]
    {
        let mut given = world.given(name);
        given.state = Some(state);
        world.create(given).await;
    }
    let job = world.job(all());
    create(&world, &job).await;
    pump(&world, NOW, 10).await;
    assert_eq!(tasks(&world, &job).await.len(), 1);
    let detail = view(&world, &job).await.job.detail;
    assert_eq!(detail.as_deref(), Some("devices suspended or retired and got no task: 2"));
}

#[tokio::test]
async fn a_test_cycle_ends_well_at_once_and_counts_no_attempt() {
    let world = World::new();
    let devices = fleet(&world, 1).await;
    let mut job = world.job(all());
    job.template.test_cycle = true;
    create(&world, &job).await;
    pump(&world, NOW, 10).await;
    let made = tasks(&world, &job).await.pop().unwrap();
    assert_eq!((made.status, made.attempts, made.finished_at), (TaskStatus::Succeeded, 0, Some(NOW)));
    assert!(made.detail.is_some());
    assert_eq!(events(&world, TaskId::of_job(job.id, devices[0].oid)).await, ["Created", "TestCycleEnded"]);
    assert_eq!(status(&world, &job).await, JobStatus::Completed);
}

#[tokio::test]
async fn a_paced_job_gives_no_more_slots_than_allowed_at_once() {
    let world = World::new();
    fleet(&world, 5).await;
    let mut job = world.job(all());
    job.schedule.concurrent_max = Some(2);
    create(&world, &job).await;
    pump(&world, NOW, 100).await;
    let released = async || tasks(&world, &job).await.into_iter().filter(|task| task.released).collect::<Vec<_>>();
    let first = released().await;
    assert_eq!(first.len(), 2);
    pump(&world, NOW.plus_s(600), 100).await;
    assert_eq!(released().await.len(), 2, "no slot is free");

    let name = (0..5).map(|number| format!("d{number}"));
    for name in name {
        if world.contact(&name).await.device.oid == first[0].device {
            play(&world, &job, &name, SUCCESS).await;
        }
    }
    pump(&world, NOW.plus_s(601), 100).await;
    assert_eq!(released().await.len(), 3, "the one that ended, and two more");
}

#[tokio::test]
async fn a_paced_job_gives_no_more_slots_in_a_minute_than_allowed() {
    let world = World::new();
    fleet(&world, 5).await;
    let mut job = world.job(all());
    job.schedule.per_minute_max = Some(2);
    create(&world, &job).await;
    let released = async || tasks(&world, &job).await.into_iter().filter(|task| task.released).count();
    for (after_s, expected) in [(0, 2), (59, 2), (60, 4), (119, 4), (120, 5)] {
        pump(&world, NOW.plus_s(after_s), 100).await;
        assert_eq!(released().await, expected, "after {after_s} s");
    }
}

#[tokio::test]
async fn pausing_holds_waiting_tasks_and_restarting_lets_them_go_on() {
    let world = World::new();
    fleet(&world, 5).await;
    let job = world.job(all());
    create(&world, &job).await;
    pump(&world, NOW, 100).await;
    play(&world, &job, "d0", &[TaskEvent::Connected]).await;

    assert_eq!(ask(&world, &job, JobEvent::PauseAsked).await.unwrap().job.status, JobStatus::Paused);
    pump(&world, NOW, 2).await;
    assert_eq!(view(&world, &job).await.counts, [(TaskStatus::InProgress, 1), (TaskStatus::Paused, 4)]);
    let paused = view(&world, &job).await;
    assert_eq!(ask(&world, &job, JobEvent::PauseAsked).await, Ok(paused), "asked again it is as it is");

    ask(&world, &job, JobEvent::RestartAsked { retry_failed: false }).await.unwrap();
    pump(&world, NOW, 2).await;
    assert_eq!(view(&world, &job).await.counts, [(TaskStatus::Scheduled, 4), (TaskStatus::InProgress, 1)]);
    let waited = tasks(&world, &job).await.into_iter().find(|task| task.status == TaskStatus::Scheduled).unwrap();
    assert_eq!(events(&world, waited.id).await, ["Created", "JobPaused", "JobResumed"]);
}

#[tokio::test]
async fn no_task_is_made_while_a_job_is_paused() {
    let world = World::new();
    fleet(&world, 5).await;
    let job = world.job(all());
    create(&world, &job).await;
    world.store().job_pump(NOW, 2).await.unwrap();
    ask(&world, &job, JobEvent::PauseAsked).await.unwrap();
    pump(&world, NOW, 2).await;
    assert_eq!(tasks(&world, &job).await.len(), 2);
    ask(&world, &job, JobEvent::RestartAsked { retry_failed: false }).await.unwrap();
    pump(&world, NOW, 2).await;
    assert_eq!(view(&world, &job).await.counts, [(TaskStatus::Scheduled, 5)]);
}

#[tokio::test]
async fn cancelling_ends_every_open_task_and_makes_no_more() {
    let world = World::new();
    fleet(&world, 6).await;
    let job = world.job(all());
    create(&world, &job).await;
    world.store().job_pump(NOW, 4).await.unwrap();
    let cancelled = ask(&world, &job, JobEvent::CancelAsked).await.unwrap();
    assert_eq!((cancelled.job.status, cancelled.job.detail.as_deref()), (JobStatus::Cancelling, Some("why")));
    pump(&world, NOW, 2).await;
    let after = view(&world, &job).await;
    assert_eq!((after.job.status, after.counts), (JobStatus::Cancelled, vec![(TaskStatus::Cancelled, 4)]));
    assert_eq!(events(&world, tasks(&world, &job).await[0].id).await, ["Created", "JobCancelled"]);
    assert_eq!(ask(&world, &job, JobEvent::CancelAsked).await.unwrap().job.status, JobStatus::Cancelled);
    let refused = ask(&world, &job, JobEvent::RestartAsked { retry_failed: true }).await;
    assert_eq!(refused, Err(FaultName::WrongState));
}

#[tokio::test]
async fn too_many_failures_stop_a_job_and_retrying_takes_it_up_again() {
    let world = World::new();
    fleet(&world, 6).await;
    let mut job = world.job(all());
    job.schedule.failure_threshold_percent = Some(50);
    create(&world, &job).await;
    pump(&world, NOW, 100).await;
    play(&world, &job, "d0", SUCCESS).await;
    play(&world, &job, "d1", FAILURE).await;
    pump(&world, NOW, 100).await;
    assert_eq!(status(&world, &job).await, JobStatus::Running, "half is allowed");

    play(&world, &job, "d2", FAILURE).await;
    pump(&world, NOW, 2).await;
    let stopped = view(&world, &job).await;
    assert_eq!(stopped.job.status, JobStatus::Stopped);
    let counts = [(TaskStatus::Succeeded, 1), (TaskStatus::Failed, 2), (TaskStatus::Cancelled, 3)];
    assert_eq!(stopped.counts, counts);

    let refused = ask(&world, &job, JobEvent::RestartAsked { retry_failed: false }).await;
    assert_eq!(refused, Err(FaultName::WrongState));
    ask(&world, &job, JobEvent::RestartAsked { retry_failed: true }).await.unwrap();
    pump(&world, NOW, 2).await;
    let after = view(&world, &job).await;
    assert_eq!((after.job.status, after.job.finished_at), (JobStatus::Running, None));
    assert_eq!(after.counts, [(TaskStatus::Scheduled, 5), (TaskStatus::Succeeded, 1)]);
    let retried = tasks(&world, &job).await.into_iter().find(|task| task.history_len == 4).unwrap();
    assert_eq!((retried.attempts, retried.finished_at), (0, None));
    assert_eq!(events(&world, retried.id).await, ["Created", "Stepped", "Stepped", "Retried"]);
}

#[tokio::test]
async fn an_expired_task_that_is_retried_gets_a_new_life() {
    let world = World::new();
    fleet(&world, 1).await;
    let job = world.job(all());
    create(&world, &job).await;
    pump(&world, NOW, 10).await;
    let late = NOW.plus_s(Schedule::LIFE_S + 1);
    world.store().task_expire(late, 10).await.unwrap();
    pump(&world, late, 10).await;
    assert_eq!(status(&world, &job).await, JobStatus::Completed);

    let retry = JobEvent::RestartAsked { retry_failed: true };
    world.store().job_advance(TENANT, job.id, retry, None, deed_at("campaign", late)).await.unwrap().unwrap();
    pump(&world, late, 10).await;

    let after = tasks(&world, &job).await.pop().unwrap();
    assert_eq!((after.status, after.start_at), (TaskStatus::Scheduled, late));
    assert_eq!(after.end_at, late.plus_s(Schedule::LIFE_S));
}

#[tokio::test]
async fn pages_left_are_not_lost_when_the_store_is_opened_again() {
    let mut world = World::new();
    fleet(&world, 9).await;
    let job = world.job(all());
    create(&world, &job).await;
    let step = async |world: &mut World| {
        world.store().job_pump(NOW, 2).await.unwrap();
        world.reopen();
    };
    for _ in 0..8 {
        step(&mut world).await;
    }
    assert_eq!(view(&world, &job).await.counts, [(TaskStatus::Scheduled, 9)]);
    for number in 0..9 {
        play(&world, &job, &format!("d{number}"), FAILURE).await;
    }
    pump(&world, NOW, 100).await;
    assert_eq!(status(&world, &job).await, JobStatus::Completed);

    ask(&world, &job, JobEvent::RestartAsked { retry_failed: true }).await.unwrap();
    step(&mut world).await;
    // A pause in the middle does not lose the pages of the retry.
    ask(&world, &job, JobEvent::PauseAsked).await.unwrap();
    for _ in 0..8 {
        step(&mut world).await;
    }
    assert_eq!(status(&world, &job).await, JobStatus::Paused);
    ask(&world, &job, JobEvent::RestartAsked { retry_failed: false }).await.unwrap();
    for _ in 0..12 {
        step(&mut world).await;
    }
    assert_eq!(view(&world, &job).await.counts, [(TaskStatus::Scheduled, 9)]);
}

#[tokio::test]
async fn a_rested_pump_writes_nothing() {
    let world = World::new();
    fleet(&world, 3).await;
    let job = world.job(all());
    create(&world, &job).await;
    pump(&world, NOW, 100).await;
    let log = world.folder().join("muster.db-wal");
    let before = std::fs::metadata(&log).unwrap().len();
    pump(&world, NOW.plus_s(1), 100).await;
    assert_eq!(std::fs::metadata(&log).unwrap().len(), before);
}

#[tokio::test]
async fn jobs_are_listed_by_state_owner_and_date_and_belong_to_one_domain() {
    let world = World::new();
    let mut jobs = vec![world.job(all()), world.job(all()), world.job(all())];
    jobs[1].owner = "other".into();
    jobs[2].created_at = NOW.plus_s(10);
    jobs[2].status = JobStatus::Running;
    world.store().job_create(jobs.clone(), deed("campaign"), None).await.unwrap();
    world.store().job_create(jobs.clone(), deed("campaign"), None).await.unwrap();
    let base = JobFilter::default;
    let rows = [
        (base(), vec![2, 1, 0]),
        (JobFilter { owner: Some("other".into()), ..base() }, vec![1]),
        (JobFilter { status: vec![JobStatus::Running], ..base() }, vec![2]),
        (JobFilter { created_since: Some(NOW.plus_s(10)), ..base() }, vec![2]),
        (JobFilter { created_before: Some(NOW.plus_s(10)), ..base() }, vec![1, 0]),
    ];
    for (filter, expected) in rows {
        let listed = world.store().job_list(TENANT, filter.clone(), ALL).await.unwrap();
        let found: Vec<_> = listed.items.iter().map(|view| &view.job).collect();
        assert_eq!(found, expected.iter().map(|place: &usize| &jobs[*place]).collect::<Vec<_>>(), "{filter:?}");
        assert_eq!(listed.total, expected.len() as u64);
    }
    assert_eq!(world.store().job_get("beta", jobs[0].id).await.unwrap(), None);
    let foreign = world.store().job_advance("beta", jobs[0].id, JobEvent::PauseAsked, None, deed("x")).await.unwrap();
    assert_eq!(foreign.unwrap_err().name, FaultName::UnknownJob);
}

#[tokio::test]
async fn every_one_of_many_jobs_gets_its_turn_and_the_pump_rests_afterwards() {
    let world = World::new();
    fleet(&world, 1).await;
    let jobs: Vec<Job> = (0..600).map(|_| world.job(all())).collect();
    world.store().job_create(jobs.clone(), deed("campaign"), None).await.unwrap();
    pump(&world, NOW, 100).await;
    for job in &jobs {
        assert_eq!(view(&world, job).await.counts, [(TaskStatus::Scheduled, 1)]);
    }
    assert!(pump(&world, NOW, 100).await <= 3, "nothing is left to do");
}
