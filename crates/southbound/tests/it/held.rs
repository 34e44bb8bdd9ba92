//! Tasks that are cancelled, held or over in mid-session.

use muster_broker::services::TasksWanted;
use muster_broker::task::TaskStatus;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::{Phone, commands};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";

/// A device in the middle of a task whose commands take several messages.
struct Middle {
    world: World,
    phone: Phone,
    task: String,
    nodes: Vec<String>,
}

/// Nodes to make, more than one small message takes.
fn nodes() -> Vec<String> {
    (0..20).map(|n| format!("./Vendor/Example/Settings/N{n}")).collect()
}

fn small_phone() -> Phone {
    Phone::with("anna", &[Behaviour::SmallMessages { max_msg_size: 1200 }])
}

impl Middle {
    async fn new(lives_s: i64) -> Self {
        let world = World::new();
        let phone = small_phone();
        world.record(&phone).await;
        let nodes = nodes();
        let given: Vec<(&str, &str)> = nodes.iter().map(|it| (it.as_str(), "x")).collect();
        let task = Ask::create(&given).lives_s(&world, lives_s).of(&phone, &world).await;
        let mut this = Self { world, phone, task, nodes };
        this.go_to_middle().await;
        this
    }

    async fn go_to_middle(&mut self) {
        self.phone.begin();
        while self.phone.device.ledger().session().is_empty() {
            assert_eq!(self.phone.exchange(&self.world).await, None);
        }
        assert!(self.made() > 0 && self.made() < self.nodes.len());
    }

    fn made(&self) -> usize {
        self.nodes.iter().filter(|it| self.phone.did("Add", it) > 0).count()
    }

    /// Goes on to the end of the session, and claims that nothing more of the task was sent.
    async fn goes_on_without_a_command(&mut self) {
        let made = self.made();
        assert_eq!(self.phone.finish(&self.world).await, SessionEnd::Complete);
        assert_eq!(self.made(), made);
    }
}

#[tokio::test]
async fn nothing_more_of_a_cancelled_task_is_sent_and_what_the_device_says_late_is_kept() {
    let mut middle = Middle::new(3600).await;
    middle.world.cancel(&middle.task).await;

    middle.goes_on_without_a_command().await;

    let task = middle.world.task(&middle.task).await;
    assert_eq!(task.status, TaskStatus::Cancelled);
    let history = middle.world.history(&middle.task).await;
    let late: Vec<_> = history.iter().filter(|it| it.event == "LateAnswer").collect();
    assert!(!late.is_empty() && late.iter().all(|it| it.status == TaskStatus::Cancelled));
    assert!(late[0].detail.as_deref().unwrap().contains("200"), "{late:?}");
}

#[tokio::test]
async fn the_next_task_is_taken_up_after_a_cancelled_one_and_is_not_mixed_with_it() {
    let mut middle = Middle::new(3600).await;
    let next = Ask::update(&[(NAME, "new")]).of(&middle.phone, &middle.world).await;
    middle.world.cancel(&middle.task).await;

    middle.goes_on_without_a_command().await;

    assert_eq!(middle.world.status(&next).await, TaskStatus::Succeeded);
    assert_eq!(middle.world.task(&next).await.result.len(), 1);
    assert_eq!(middle.phone.text(NAME), Some("new"));
}

#[tokio::test]
async fn nothing_more_is_sent_once_the_end_time_has_come_and_the_task_expires() {
    for found_by_background in [false, true] {
        let mut middle = Middle::new(10).await;
        middle.world.pass_s(10);
        if found_by_background {
            middle.world.store().task_expire(middle.world.now(), 10).await.unwrap();
        }

        middle.goes_on_without_a_command().await;

        let task = middle.world.task(&middle.task).await;
        assert_eq!(task.status, TaskStatus::Expired, "{found_by_background}");
        assert!(task.detail.is_some());
        let events = middle.world.events(&middle.task).await;
        assert!(events.ends_with(&["Expired".into(), "LateAnswer".into()]), "{events:?}");
    }
}

#[tokio::test]
async fn an_answer_after_the_end_time_does_not_make_a_success() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).lives_s(&world, 10).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    world.pass_s(10);

    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Expired);
    assert_eq!(phone.text(NAME), Some("new"));
}

#[tokio::test]
async fn a_cancelled_question_to_the_user_does_nothing_whatever_the_user_says() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).opt_in().of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    world.cancel(&task).await;

    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Cancelled);
    assert_eq!(phone.did("Replace", NAME), 0);
}

/// A job over the device, with its only task.
async fn job(world: &World, phone: &Phone, nodes: &[String]) -> (String, String) {
    job_of(world, phone, nodes, None).await
}

async fn job_of(world: &World, phone: &Phone, nodes: &[String], priority: Option<i32>) -> (String, String) {
    let given: Vec<(&str, &str)> = nodes.iter().map(|it| (it.as_str(), "x")).collect();
    let job = Ask::create(&given).attempts(1).job(&[phone], priority, world).await;
    world.pump().await;
    let wanted = TasksWanted { job_id: Some(job.clone()), ..TasksWanted::default() };
    let tasks = world.broker().tasks(&world.caller, wanted, &Default::default()).await.unwrap();
    (job, tasks.items[0].id.to_string())
}

#[tokio::test]
async fn a_job_is_carried_out() {
    let world = World::new();
    let mut phone = small_phone();
    world.record(&phone).await;
    let (job, task) = job(&world, &phone, &nodes()).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
    world.pump().await;

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    let job = world.broker().job_by_id(&world.caller, &job).await.unwrap();
    assert_eq!(job.job.status.as_str(), "COMPLETED");
}

#[tokio::test]
async fn nothing_is_begun_for_a_paused_or_cancelled_job() {
    for cancels in [false, true] {
        let world = World::new();
        let mut phone = small_phone();
        world.record(&phone).await;
        let (job, task) = job(&world, &phone, &nodes()).await;
        if cancels {
            world.broker().cancel_job(&world.caller, &job, None).await.unwrap();
        } else {
            world.broker().pause_job(&world.caller, &job, None).await.unwrap();
        }

        phone.begin();
        let answer = phone.send(&world).await.unwrap();

        assert!(commands(&phone.read(&answer)).is_empty());
        let task = world.task(&task).await;
        assert_eq!((task.status, task.attempts), (TaskStatus::Scheduled, 0));
    }
}

#[tokio::test]
async fn a_job_paused_in_mid_session_sends_nothing_more_and_goes_on_later_without_losing_an_attempt() {
    let world = World::new();
    let phone = small_phone();
    world.record(&phone).await;
    let nodes = nodes();
    let (job, task) = job(&world, &phone, &nodes).await;
    let mut middle = Middle { world, phone, task, nodes };
    middle.go_to_middle().await;
    middle.world.broker().pause_job(&middle.world.caller, &job, None).await.unwrap();

    middle.goes_on_without_a_command().await;

    let held = middle.world.task(&middle.task).await;
    assert_eq!((held.status, held.attempts), (TaskStatus::RetryWait, 0), "{:?}", held.detail);
    middle.world.pump().await;
    assert_eq!(middle.world.status(&middle.task).await, TaskStatus::Paused);
    middle.world.broker().restart_job(&middle.world.caller, &job, false, None).await.unwrap();
    middle.world.pump().await;
    middle.world.pass_s(60);
    assert_eq!(middle.phone.connect(&middle.world).await, SessionEnd::Complete);
    let done = middle.world.task(&middle.task).await;
    assert_eq!((done.status, done.attempts), (TaskStatus::Succeeded, 1), "{:?}", done.detail);
    assert!(middle.nodes.iter().all(|it| middle.phone.did("Add", it) == 1));
}

#[tokio::test]
async fn a_job_cancelled_in_mid_session_sends_nothing_more() {
    let world = World::new();
    let phone = small_phone();
    world.record(&phone).await;
    let nodes = nodes();
    let (job, task) = job(&world, &phone, &nodes).await;
    let mut middle = Middle { world, phone, task, nodes };
    middle.go_to_middle().await;
    middle.world.broker().cancel_job(&middle.world.caller, &job, None).await.unwrap();

    middle.goes_on_without_a_command().await;
    middle.world.pump().await;

    assert_eq!(middle.world.status(&middle.task).await, TaskStatus::Cancelled);
    assert!(middle.world.detail(&middle.task).await.contains("cancelled by care"));
    let job = middle.world.broker().job_by_id(&middle.world.caller, &job).await.unwrap();
    assert_eq!(job.job.status.as_str(), "CANCELLED");
}

#[tokio::test]
async fn tasks_of_next_week_do_not_hide_one_of_today() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    for _ in 0..40 {
        Ask::query(&[NAME]).starts_in_s(&world, 600_000).of(&phone, &world).await;
    }
    world.pass_s(1);
    let today = Ask::query(&[NAME]).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&today).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn more_urgent_tasks_do_not_push_out_the_one_under_way() {
    let mut middle = Middle::new(3600).await;
    for number in 0..33 {
        let node = format!("./Vendor/Example/Settings/Urgent{number}");
        job_of(&middle.world, &middle.phone, &[node], Some(9)).await;
    }

    assert_eq!(middle.phone.finish(&middle.world).await, SessionEnd::Complete);

    let task = middle.world.task(&middle.task).await;
    assert_eq!((task.status, task.attempts), (TaskStatus::Succeeded, 1), "{:?}", task.detail);
    assert_eq!(middle.phone.text("./Vendor/Example/Settings/Urgent32"), Some("x"));
}
