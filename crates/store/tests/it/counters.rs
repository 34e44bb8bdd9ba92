//! Counters of jobs equal their tasks, whatever happens in whatever order.

use std::collections::BTreeMap;

use muster_broker::job::{JobEvent, Selector};
use muster_broker::rollout::{Wave, WaveSize, rank};
use muster_broker::schedule::Schedule;
use muster_broker::store::{DeviceKey, TaskFilter};
use muster_broker::task::{TaskEvent, TaskStatus};
use proptest::prelude::*;

use crate::world::{ALL, NOW, TENANT, World, deed, deed_at};

#[derive(Clone, Copy, Debug)]
enum Act {
    Pump(u32),
    Ask(JobEvent),
    Step(usize, TaskEvent),
    Cancel(usize),
    Delete(usize),
    Expire(u32),
    Later(i64),
}

fn act() -> impl Strategy<Value = Act> {
    let events = [
        TaskEvent::Connected,
        TaskEvent::Done,
        TaskEvent::GivenUp,
        TaskEvent::AttemptFailed { attempts_left: 1 },
        TaskEvent::DeviceCarriesOn,
    ];
    let asks = [
        JobEvent::PauseAsked,
        JobEvent::CancelAsked,
        JobEvent::RestartAsked { retry_failed: false },
        JobEvent::RestartAsked { retry_failed: true },
        JobEvent::WaveReleased,
    ];
    prop_oneof![
        6 => (1..5_u32).prop_map(Act::Pump),
        2 => prop::sample::select(asks.to_vec()).prop_map(Act::Ask),
        8 => (0..DEVICES, prop::sample::select(events.to_vec())).prop_map(|(device, event)| Act::Step(device, event)),
        1 => (0..DEVICES).prop_map(Act::Cancel),
        1 => (0..DEVICES).prop_map(Act::Delete),
        1 => (1..4_u32).prop_map(Act::Expire),
        1 => (1..400_000_i64).prop_map(Act::Later),
    ]
}

const DEVICES: usize = 5;

async fn run(acts: Vec<Act>, schedule: Schedule) {
    let mut world = World::new();
    let mut oids = Vec::new();
    for number in 0..DEVICES {
        oids.push(world.device(&format!("d{number}")).await.oid);
    }
    let mut job = world.job(Selector { all_devices: true, ..Selector::default() });
    job.schedule = schedule;
    world.store().job_create(vec![job.clone()], deed("campaign"), None).await.unwrap();
    let mut now = NOW;
    for act in acts {
        let store = world.store();
        match act {
            Act::Pump(limit) => drop(store.job_pump(now, limit).await.unwrap()),
            Act::Ask(event) => drop(store.job_advance(TENANT, job.id, event, None, deed_at("x", now)).await.unwrap()),
            Act::Step(number, event) => {
                let key = muster_broker::store::ContactKey::ClientName(format!("d{number}"));
                let Some(contact) = store.contact_load(&key).await.unwrap() else { continue };
                let Some(open) = contact.tasks.first() else { continue };
                let mut task = open.task.clone();
                if task.advance(event, now).is_err() {
                    continue;
                }
                let mut step = crate::world::step(&contact);
                step.history.push(task.note(now, "Stepped", None, "device"));
                step.tasks.push(task);
                store.contact_commit(step).await.unwrap();
            }
            Act::Cancel(number) => {
                let id = muster_broker::id::TaskId::of_job(job.id, oids[number]);
                drop(store.task_cancel(TENANT, id, None, deed_at("x", now)).await.unwrap());
            }
            Act::Delete(number) => {
                drop(store.device_delete(TENANT, DeviceKey::Oid(oids[number]), None, deed_at("x", now)).await.unwrap());
            }
            Act::Expire(limit) => drop(store.task_expire(now, limit).await.unwrap()),
            Act::Later(seconds) => now = now.plus_s(seconds),
        }
    }
    world.reopen();
    let view = world.store().job_get(TENANT, job.id).await.unwrap().unwrap();
    let filter = TaskFilter { job: Some(job.id), ..TaskFilter::default() };
    let tasks = world.store().task_list(TENANT, filter, ALL).await.unwrap();
    let mut counted: BTreeMap<TaskStatus, u64> = BTreeMap::new();
    for task in &tasks.items {
        *counted.entry(task.status).or_default() += 1;
        let of = muster_broker::store::HistoryOf::Task(task.id);
        let history = world.store().task_history(TENANT, of, ALL).await.unwrap().unwrap();
        assert_eq!(history.total, u64::from(task.history_len));
        assert_eq!(history.items.last().map(|entry| entry.status), Some(task.status));
    }
    assert_eq!(view.counts, counted.into_iter().collect::<Vec<_>>());
    let mut reasons: BTreeMap<(TaskStatus, String), u64> = BTreeMap::new();
    for (task, reason) in tasks.items.iter().filter_map(|task| Some((task, muster_broker::progress::reason(task)?))) {
        *reasons.entry((task.status, reason)).or_default() += 1;
    }
    let told = view.reasons.iter().map(|(status, reason, count)| ((*status, reason.clone()), *count));
    assert_eq!(told.collect::<BTreeMap<_, _>>(), reasons);
    if let Some(rollout) = &view.job.rollout {
        let below = rollout.cut().unwrap().below.unwrap_or(i64::MAX);
        let released: Vec<_> = tasks.items.iter().filter(|task| task.released).collect();
        assert!(released.iter().all(|task| rank(job.id, task.device) < below), "let go before its wave");
        // One that runs again waits for a slot once more, and stays in its wave.
        let let_go: u64 = view.wave_counts.iter().map(|(.., count)| count).sum();
        assert!(let_go >= released.len() as u64, "{let_go} {released:?}");
        assert!(view.wave_counts.iter().all(|(place, ..)| *place <= rollout.current));
    }
    assert_eq!(tasks.total, tasks.items.len() as u64);
    let devices = world.store().device_list(TENANT, Default::default(), ALL).await.unwrap();
    assert_eq!(devices.total, devices.items.len() as u64);
    if view.job.status.is_final() {
        let mut world = world;
        while world.store().job_pump(now, 10).await.unwrap() == muster_broker::store::Due::More {}
        let view = world.store().job_get(TENANT, job.id).await.unwrap().unwrap();
        assert!(view.counts.iter().all(|(status, _)| status.is_final()), "an ended job has no open tasks");
        world.close();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn counters_equal_tasks_after_any_history(
        acts in prop::collection::vec(act(), 1..60),
        concurrent_max in prop::option::of(1..4_u32),
        failure_threshold_percent in prop::option::of(0..100_u32),
        waves in prop::collection::vec((1..3_u32, prop::option::of(0..100_u32), any::<bool>()), 0..3),
    ) {
        let waves = waves.into_iter().map(|(count, percent, gate)| Wave {
            size: WaveSize::Count(count),
            success_threshold_percent: percent,
            failure_threshold_percent: percent,
            observed_min: 0,
            soak_s: 0,
            ramp_s: 0,
            gate,
        });
        let waves = waves.collect();
        let schedule = Schedule { concurrent_max, failure_threshold_percent, waves, ..Schedule::default() };
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(acts, schedule));
    }
}
