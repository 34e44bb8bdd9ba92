//! Opt-in: the user is asked before anything is done.

use muster_broker::task::TaskStatus;
use muster_protocol::syncml::{Command, StatusCode};
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::Phone;
use crate::world::World;

const NODE: &str = "./Vendor/Example/Name";

/// The task that writes the node once the user agreed, after one session with a device that behaves so.
async fn asked(world: &World, behaviours: &[Behaviour], attempts: u32) -> (Phone, String) {
    let mut phone = Phone::with("anna", behaviours);
    world.record(&phone).await;
    let task = Ask::update(&[(NODE, "new")]).opt_in().attempts(attempts).of(&phone, world).await;
    assert_eq!(phone.connect(world).await, SessionEnd::Complete);
    (phone, task)
}

#[tokio::test]
async fn with_the_users_consent_it_is_done() {
    let world = World::new();
    let (phone, task) = asked(&world, &[], 3).await;

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!(phone.text(NODE), Some("new"));
    let history = world.history(&task).await;
    let asked = history.iter().find(|it| it.event == "UserAsked").unwrap();
    assert_eq!(asked.status, TaskStatus::AwaitingUser);
    assert_eq!(history.iter().filter(|it| it.event == "UserAccepted").count(), 1);
}

#[tokio::test]
async fn a_refusal_of_the_user_is_final_and_nothing_is_sent() {
    for (behaviour, code) in [(Behaviour::Declines, "304"), (Behaviour::Cancels, "214")] {
        let world = World::new();
        let (mut phone, task) = asked(&world, &[behaviour], 3).await;

        assert_eq!(world.status(&task).await, TaskStatus::Rejected);
        assert!(world.detail(&task).await.contains(code));
        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
        assert!(!phone.was_asked("Alert", "1101"));
        assert_eq!(phone.did("Replace", NODE), 0);
    }
}

#[tokio::test]
async fn a_silent_user_is_asked_again_until_the_attempts_run_out() {
    let world = World::new();
    let (mut phone, task) = asked(&world, &[Behaviour::NoAnswerFromUser], 2).await;
    assert_eq!(world.status(&task).await, TaskStatus::RetryWait);

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Failed);
    assert!(world.detail(&task).await.contains("did not answer"));
    assert_eq!(phone.did("Replace", NODE), 0);
}

#[tokio::test]
async fn a_device_that_cannot_ask_fails_the_task_at_once() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NODE, "new")]).opt_in().of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    for command in &mut phone.out.as_mut().unwrap().commands {
        if let Command::Status(status) = command
            && status.cmd == "Alert"
        {
            status.code = StatusCode::NOT_SUPPORTED;
        }
    }
    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);

    let task = world.task(&task).await;
    assert_eq!(task.status, TaskStatus::Failed, "{:?}", task.detail);
    assert_eq!(task.result_code, Some(406));
    assert_eq!(phone.did("Replace", NODE), 0);
}

#[tokio::test]
async fn a_question_whose_answer_was_lost_is_asked_again() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NODE, "new")]).opt_in().of(&phone, &world).await;
    phone.begin();
    assert_eq!(phone.exchange(&world).await, None);
    assert_eq!(world.status(&task).await, TaskStatus::AwaitingUser);

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts), (TaskStatus::Succeeded, 2));
    assert_eq!(phone.did("Replace", NODE), 1);
}
