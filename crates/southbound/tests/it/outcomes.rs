//! What the device says decides what becomes of a task.

use muster_broker::task::TaskStatus;
use muster_protocol::syncml::{Command, StatusCode};
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::Phone;
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";
const SOFTWARE: &str = "./DevDetail/SwV";

#[tokio::test]
async fn an_error_on_one_node_fails_the_task_and_keeps_what_the_others_gave() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::query(&[SOFTWARE, "./No/Such", NAME]).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts, task.result_code), (TaskStatus::Failed, 1, Some(404)));
    let detail = task.detail.unwrap();
    assert!(detail.contains("404") && detail.contains("./No/Such"), "{detail}");
    let nodes: Vec<_> = task.result.iter().map(|it| (it.path.as_str(), it.value.as_deref(), it.status)).collect();
    assert_eq!(
        nodes,
        [(SOFTWARE, Some("2.0"), Some(200)), ("./No/Such", None, Some(404)), (NAME, Some("One"), Some(200))]
    );
    assert!(task.plan.is_none());
}

#[tokio::test]
async fn a_status_that_another_attempt_may_change_is_worth_another_attempt() {
    for code in [408, 417, 420, 500, 503, 506, 511] {
        let world = World::new();
        let fails = Behaviour::FailsWith { status: StatusCode(code), path: NAME.into() };
        let mut phone = Phone::with("anna", &[fails]);
        world.record(&phone).await;
        let task = Ask::update(&[("./Vendor/Example/ApnName", "x"), (NAME, "new")]).of(&phone, &world).await;
        phone.connect(&world).await;
        let first = world.task(&task).await;
        assert_eq!((first.status, first.attempts), (TaskStatus::RetryWait, 1), "{code}");
        assert_eq!(first.start_at, world.now().plus_s(60));

        // The same device, well again.
        let mut well = Phone::new("anna");
        well.device.account = phone.device.account.clone();
        assert_eq!(well.connect(&world).await, SessionEnd::Complete);

        let second = world.task(&task).await;
        assert_eq!((second.status, second.attempts), (TaskStatus::Succeeded, 2), "{code}");
        assert_eq!(well.text(NAME), Some("new"));
        assert_eq!(well.did("Replace", "./Vendor/Example/ApnName"), 0, "what was done is not done again");
    }
}

#[tokio::test]
async fn a_task_fails_when_its_attempts_run_out() {
    let world = World::new();
    let fails = Behaviour::FailsWith { status: StatusCode(500), path: NAME.into() };
    let mut phone = Phone::with("anna", &[fails]);
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).attempts(2).of(&phone, &world).await;

    phone.connect(&world).await;
    assert_eq!(world.status(&task).await, TaskStatus::RetryWait);
    phone.connect(&world).await;

    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts, task.result_code), (TaskStatus::Failed, 2, Some(500)));
    assert!(task.detail.unwrap().contains(NAME));
}

#[tokio::test]
async fn every_other_error_is_final_at_once() {
    for code in [401_u16, 403, 404, 405, 413, 415, 418, 425, 505] {
        let world = World::new();
        let fails = Behaviour::FailsWith { status: StatusCode(code), path: NAME.into() };
        let mut phone = Phone::with("anna", &[fails]);
        world.record(&phone).await;
        let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;

        phone.connect(&world).await;

        let task = world.task(&task).await;
        assert_eq!((task.status, task.result_code), (TaskStatus::Failed, Some(i32::from(code))), "{code}");
    }
}

#[tokio::test]
async fn a_failed_task_does_not_keep_the_next_one_from_its_turn() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let bad = Ask::delete(&["./DevInfo"]).of(&phone, &world).await;
    world.pass_s(1);
    let good = Ask::query(&[SOFTWARE]).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&bad).await, TaskStatus::Failed);
    assert_eq!(world.status(&good).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn the_largest_container_that_is_accepted_is_carried_out() {
    let world = World::new();
    let mut phone = Phone::with("anna", &[Behaviour::SmallMessages { max_msg_size: 1 << 20 }]);
    world.record(&phone).await;
    let nodes = vec![(NAME, "x"); 500];
    let task = Ask::update(&nodes).option("atomic", "true").of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let task = world.task(&task).await;
    assert_eq!(task.status, TaskStatus::Succeeded, "{:?}", task.detail);
    assert_eq!(phone.did("Replace", NAME), 500);
}

#[tokio::test]
async fn a_container_that_no_message_of_the_device_holds_fails_the_task_at_once() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let nodes = vec![(NAME, "x"); 400];
    let task = Ask::update(&nodes).option("sequence", "true").of(&phone, &world).await;

    phone.connect(&world).await;

    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts), (TaskStatus::Failed, 1), "{:?}", task.detail);
    assert_eq!(phone.did("Replace", NAME), 0);
}

#[tokio::test]
async fn an_atomic_that_failed_for_now_is_repeated_whole() {
    let world = World::new();
    let fails = Behaviour::FailsWith { status: StatusCode(500), path: NAME.into() };
    let mut phone = Phone::with("anna", &[fails]);
    world.record(&phone).await;
    let nodes = [("./Vendor/Example/ApnName", "x"), (NAME, "new"), ("./Vendor/Example/Polling", "9")];
    let task = Ask::update(&nodes).option("atomic", "true").of(&phone, &world).await;
    phone.connect(&world).await;
    assert_eq!(world.status(&task).await, TaskStatus::RetryWait, "{}", world.detail(&task).await);
    assert_eq!(phone.text("./Vendor/Example/ApnName"), Some("internet"));

    let mut well = Phone::new("anna");
    well.device.account = phone.device.account.clone();
    assert_eq!(well.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded, "{}", world.detail(&task).await);
    assert!(nodes.iter().all(|(path, value)| well.text(path) == Some(*value)));
}

#[tokio::test]
async fn an_atomic_that_the_device_calls_failed_is_no_success_whatever_its_members_say() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).option("atomic", "true").of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    for command in &mut phone.out.as_mut().unwrap().commands {
        if let Command::Status(status) = command
            && status.cmd == "Atomic"
        {
            status.code = StatusCode(507);
        }
    }

    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);

    let task = world.task(&task).await;
    assert_eq!((task.status, task.result_code), (TaskStatus::Failed, Some(507)), "{:?}", task.detail);
    assert!(task.detail.unwrap().contains("Atomic"));
}

#[tokio::test]
async fn an_atomic_that_the_device_had_no_time_for_is_repeated_whole() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new"), ("./Vendor/Example/ApnName", "x")])
        .option("atomic", "true")
        .of(&phone, &world)
        .await;
    phone.begin();
    phone.exchange(&world).await;
    for command in &mut phone.out.as_mut().unwrap().commands {
        if let Command::Status(status) = command
            && status.cmd == "Atomic"
        {
            status.code = StatusCode(503);
        }
    }
    phone.finish(&world).await;
    assert_eq!(world.status(&task).await, TaskStatus::RetryWait);

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!((phone.did("Replace", NAME), phone.did("Replace", "./Vendor/Example/ApnName")), (2, 2));
}
