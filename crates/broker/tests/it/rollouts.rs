//! Rollout plans: test cycles of deployments, windows in the zone of a device, who may let a wave begin.

use muster_broker::fault::FaultName;
use muster_broker::job::{JobView, Selector};
use muster_broker::rollout::{Phase, Wave, WaveSize};
use muster_broker::schedule::{MaintenanceWindow, Schedule, ZONE_ATTRIBUTE};
use muster_broker::services::{AuditWanted, Deployment, DeviceFields, TasksWanted};
use muster_broker::task::TaskStatus;

use crate::world::{
    IMEI_A, IMEI_A2, IMEI_B, MORNING, NUMBER_A, NUMBER_B, World, account, admin, caller, deployment, fault, id, msisdn,
    page,
};

fn canary() -> Wave {
    Wave {
        size: WaveSize::Count(1),
        success_threshold_percent: Some(100),
        failure_threshold_percent: None,
        observed_min: 0,
        soak_s: 600,
        ramp_s: 0,
        gate: true,
    }
}

async fn begun(world: &World, deployment: Deployment) -> String {
    let receipt = world.broker.create_deployments(&admin(), vec![deployment], None).await.unwrap();
    assert!(receipt.rejected.is_empty(), "{:?}", receipt.rejected);
    world.pump().await;
    receipt.job_id.into_iter().next().unwrap()
}

async fn view(world: &World, job: &str) -> JobView {
    world.broker.job_by_id(&admin(), job).await.unwrap()
}

#[tokio::test]
async fn a_test_cycle_tells_how_many_would_be_reached_who_would_not_and_why() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_A, IMEI_A2).await;
    world.stranger(Some(NUMBER_B), Some(IMEI_B)).await;
    let wanted = Deployment {
        test_cycle: true,
        schedule: Schedule { per_minute_max: Some(1), waves: vec![canary()], ..Schedule::default() },
        ..deployment(&[NUMBER_A, NUMBER_B, "+15550000009"])
    };

    let view = view(&world, &begun(&world, wanted).await).await;

    assert_eq!(view.job.status.as_str(), "COMPLETED");
    assert_eq!(view.counts, [(TaskStatus::Succeeded, 2), (TaskStatus::Failed, 1)]);
    let why = "The device has no account to authenticate with".to_owned();
    assert_eq!(view.reasons, [(TaskStatus::Failed, why, 1)]);
    assert_eq!(view.left_out, [("named in the selector and not recorded".to_owned(), 1)]);
    let told = muster_broker::progress::rehearsal(&view.job, &view.counts, 1).unwrap();
    assert_eq!((told.reached, told.left_out, told.waves), (2, 2, vec![1, 1]));
    assert_eq!((told.least_s, told.by_hand), (Some(120 + 600), true));
}

#[tokio::test]
async fn windows_are_in_the_zone_of_the_device_where_its_record_names_one_and_waves_stay_with_the_job() {
    let world = World::new();
    let fields = DeviceFields {
        device_id: Some(id(IMEI_A)),
        phone_number: Some(msisdn(NUMBER_A)),
        account: Some(account("a")),
        attribute: vec![(ZONE_ATTRIBUTE.to_owned(), "Asia/Tokyo".to_owned())],
        ..DeviceFields::default()
    };
    world.broker.create_device(&admin(), fields, None).await.unwrap();
    world.device(NUMBER_B, IMEI_B).await;
    let window = MaintenanceWindow {
        cron: "0 2 * * *".into(),
        duration_s: 3600,
        time_zone: "Europe/Berlin".into(),
        device_zone: true,
    };
    let schedule = Schedule { maintenance: vec![window], waves: vec![canary()], ..Schedule::default() };
    let job = begun(&world, Deployment { schedule, ..deployment(&[NUMBER_A, NUMBER_B]) }).await;

    let wanted = TasksWanted { job_id: Some(job), ..TasksWanted::default() };
    let tasks = world.broker.tasks(&admin(), wanted, &page()).await.unwrap().items;

    let zone_of = |number: &str| {
        let task = tasks.iter().find(|task| task.phone_number == Some(msisdn(number))).unwrap();
        assert_eq!(task.schedule.waves, []);
        // MORNING is 08:00 in UTC.
        assert!(!task.schedule.is_open(MORNING));
        (task.schedule.maintenance[0].time_zone.clone(), task.schedule.next_open(MORNING))
    };
    assert_eq!(zone_of(NUMBER_A), ("Asia/Tokyo".into(), Some(MORNING.plus_s(9 * 3600))));
    assert_eq!(zone_of(NUMBER_B), ("Europe/Berlin".into(), Some(MORNING.plus_s(17 * 3600))));
}

#[tokio::test]
async fn a_wave_is_released_by_who_may_update_jobs_and_only_where_it_waits() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    world.device(NUMBER_B, IMEI_B).await;
    let schedule = Schedule { waves: vec![canary()], ..Schedule::default() };
    let devices = Selector { all_devices: true, ..Selector::default() };
    let job = begun(&world, Deployment { schedule, devices, ..deployment(&[]) }).await;
    let release = |who: &'static str| {
        let (broker, job) = (world.broker.clone(), job.clone());
        async move { broker.release_wave(&caller("somebody", who), &job, None).await }
    };

    assert_eq!(fault(release("reader").await), FaultName::NotAuthorized);
    assert_eq!(fault(release("campaign").await), FaultName::WrongState);
    assert_eq!(view(&world, &job).await.job.rollout.unwrap().phase, Phase::Open);
    assert_eq!(fault(world.broker.release_wave(&admin(), "nothing", None).await), FaultName::UnknownJob);

    // A canary that was cancelled counts nowhere, so that nothing of its wave is left.
    let wanted = TasksWanted { job_id: Some(job.clone()), ..TasksWanted::default() };
    let tasks = world.broker.tasks(&admin(), wanted, &page()).await.unwrap().items;
    let canary = tasks.iter().find(|task| task.released).unwrap();
    world.broker.cancel_task(&admin(), &canary.id.to_string(), None).await.unwrap();
    world.pump().await;
    world.clock.advance_s(600);
    world.pump().await;
    assert_eq!(view(&world, &job).await.job.rollout.unwrap().phase, Phase::Gated);
    assert_eq!(release("campaign").await.unwrap().job.rollout.unwrap().current, 1);

    let wanted =
        AuditWanted { operation: Some("releaseWave".into()), is_refused: Some(false), ..AuditWanted::default() };
    let entries = world.broker.audit_entries(&admin(), wanted, &page()).await.unwrap().items;
    let told: Vec<_> = entries.iter().map(|it| (it.entry.actor.as_str(), it.entry.after.as_deref())).collect();
    assert_eq!(told, [("somebody", Some(r#"{"wave":2}"#))]);
}

#[tokio::test]
async fn a_job_that_is_asked_for_alone_tells_when_it_may_end() {
    let world = World::new();
    world.device(NUMBER_A, IMEI_A).await;
    let schedule = Schedule { per_minute_max: Some(1), ..Schedule::default() };
    let job = begun(&world, Deployment { schedule, ..deployment(&[NUMBER_A]) }).await;

    let outlook = view(&world, &job).await.outlook.unwrap();

    assert_eq!((outlook.finished, outlook.remaining, outlook.per_hour), (0, 1, None));
    assert_eq!(outlook.earliest, Some(MORNING.plus_s(60)));
    assert_eq!(outlook.latest, Some(MORNING.plus_s(Schedule::LIFE_S)));
    let listed = world.broker.jobs(&admin(), Vec::new(), None, None, &page()).await.unwrap().items;
    assert_eq!(listed[0].outlook, None);
}
