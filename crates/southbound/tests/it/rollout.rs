//! A job in waves, carried out by devices.

use muster_broker::job::JobView;
use muster_broker::rollout::{Wave, WaveSize, WaveState};
use muster_broker::services::TasksWanted;
use muster_broker::task::TaskStatus;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::Phone;
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";
/// No device has it, so that writing it fails.
const NOWHERE: &str = "./Vendor/Example/Nowhere/Deep";

fn canary(soak_s: u32, gate: bool) -> Wave {
    Wave {
        size: WaveSize::Count(1),
        success_threshold_percent: Some(100),
        failure_threshold_percent: None,
        observed_min: 0,
        soak_s,
        ramp_s: 0,
        gate,
    }
}

struct Fleet {
    world: World,
    phones: Vec<Phone>,
    job: String,
}

impl Fleet {
    async fn new(ask: Ask) -> Self {
        let world = World::new();
        let phones: Vec<Phone> = ["anna", "ben", "cleo", "dora"].map(Phone::new).into();
        for phone in &phones {
            world.record(phone).await;
        }
        let job = ask.job(&phones.iter().collect::<Vec<_>>(), None, &world).await;
        world.pump().await;
        Self { world, phones, job }
    }

    /// Every device connects.
    async fn all_connect(&mut self) {
        for phone in &mut self.phones {
            assert_eq!(phone.connect(&self.world).await, SessionEnd::Complete);
        }
        self.world.pump().await;
    }

    async fn view(&self) -> JobView {
        self.world.broker().job_by_id(&self.world.caller, &self.job).await.unwrap()
    }

    async fn states(&self) -> Vec<WaveState> {
        let rollout = self.view().await.job.rollout.unwrap();
        (0..rollout.waves.len()).map(|place| rollout.state_of(place)).collect()
    }

    fn done(&self) -> usize {
        self.phones.iter().filter(|phone| phone.text(NAME) == Some("new")).count()
    }

    async fn release(&self) {
        self.world.broker().release_wave(&self.world.caller, &self.job, Some("looks well".into())).await.unwrap();
        self.world.pump().await;
    }
}

#[tokio::test]
async fn the_canary_goes_first_and_the_others_follow_once_a_person_lets_them() {
    let mut fleet = Fleet::new(Ask::update(&[(NAME, "new")]).waves(&[canary(60, true)])).await;

    fleet.all_connect().await;
    assert_eq!((fleet.done(), fleet.states().await), (1, vec![WaveState::Soaking, WaveState::Waiting]));
    fleet.world.pass_s(60);
    fleet.world.pump().await;
    fleet.all_connect().await;
    assert_eq!((fleet.done(), fleet.states().await), (1, vec![WaveState::Gated, WaveState::Waiting]));
    fleet.release().await;
    fleet.all_connect().await;

    assert_eq!((fleet.done(), fleet.states().await), (4, vec![WaveState::Passed, WaveState::Running]));
    let view = fleet.view().await;
    assert_eq!(view.job.status.as_str(), "COMPLETED");
    assert_eq!(view.wave_counts, [(0, TaskStatus::Succeeded, 1), (1, TaskStatus::Succeeded, 3)]);
}

#[tokio::test]
async fn nothing_is_sent_to_the_others_when_the_canary_fails() {
    let mut fleet = Fleet::new(Ask::update(&[(NOWHERE, "new")]).attempts(1).waves(&[canary(0, false)])).await;

    fleet.all_connect().await;
    fleet.all_connect().await;

    let view = fleet.view().await;
    assert_eq!(view.job.status.as_str(), "PAUSED");
    let detail = view.job.detail.unwrap();
    assert!(detail.contains("0 of 1 tasks succeeded") && detail.contains("successThresholdPercent is 100"), "{detail}");
    let wanted = TasksWanted { job_id: Some(fleet.job.clone()), ..TasksWanted::default() };
    let tasks = fleet.world.broker().tasks(&fleet.world.caller, wanted, &Default::default()).await.unwrap().items;
    let tried = tasks.iter().filter(|task| task.attempts > 0).count();
    assert_eq!(tried, 1);
}

#[tokio::test]
async fn a_device_that_connects_outside_its_window_is_sent_nothing() {
    let ask = Ask::update(&[(NAME, "new")]).window("30 8 * * SAT", 1800).window("0 12 * * *", 60);
    let mut fleet = Fleet::new(ask).await;

    // It is Saturday, 08:00.
    for (passes_s, done) in [(0, 0), (1799, 0), (1, 4)] {
        fleet.world.pass_s(passes_s);
        fleet.all_connect().await;
        assert_eq!(fleet.done(), done, "after {passes_s} s more");
    }
    assert_eq!(fleet.view().await.job.status.as_str(), "COMPLETED");
}

#[tokio::test]
async fn the_reasons_of_failures_and_the_rate_are_told_with_the_job() {
    let mut fleet = Fleet::new(Ask::update(&[(NOWHERE, "new")]).attempts(1)).await;

    fleet.all_connect().await;

    let view = fleet.view().await;
    let [(status, reason, count)] = view.reasons.as_slice() else { panic!("{:?}", view.reasons) };
    assert_eq!((*status, *count), (TaskStatus::Failed, 4));
    assert!(reason.contains("404"), "{reason}");
    let outlook = view.outlook.unwrap();
    assert_eq!((outlook.finished, outlook.remaining), (4, 0));
}
