//! Nothing dangerous reaches a device before a second person has agreed.

use muster_broker::power::{ApprovalStatus, Class, Policy, Rule};
use muster_broker::services::ApprovalAnswer;
use muster_broker::task::TaskStatus;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::Phone;
use crate::world::World;

const LOCK: &str = "./LAWMO/Operations/FullyLock";
const RESET: &str = "./LAWMO/Operations/FactoryReset";
const NAME: &str = "./Vendor/Example/Name";

async fn phones<const N: usize>(world: &World) -> [Phone; N] {
    let phones = std::array::from_fn(|number| Phone::new(&format!("phone{number}")));
    for phone in &phones {
        world.record(phone).await;
    }
    phones
}

#[tokio::test]
async fn a_reset_is_sent_after_it_was_approved_and_not_before() {
    let world = World::new();
    let [mut phone] = phones(&world).await;
    let task = Ask::execute(RESET).of(&phone, &world).await;
    // Other tasks of the device are none the slower for it.
    let other = Ask::query(&[NAME]).of(&phone, &world).await;
    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
    assert_eq!(phone.did("Exec", RESET), 0);
    assert_eq!(world.status(&other).await, TaskStatus::Succeeded);
    assert_eq!(world.status(&task).await, TaskStatus::Scheduled);
    assert!(world.detail(&task).await.starts_with("waits for approval a-"));

    world.approve().await;
    phone.connect(&world).await;

    assert_eq!(phone.did("Exec", RESET), 1);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!(world.events(&task).await[..3], ["Created", "ApprovalRequested", "Approved"]);
}

#[tokio::test]
async fn what_was_refused_or_has_expired_is_never_sent() {
    let world = World::new();
    let [mut phone] = phones(&world).await;
    let refused = Ask::execute(RESET).of(&phone, &world).await;
    let second = world.second().await;
    let approval = world.pending().await.remove(0);
    let answer = ApprovalAnswer {
        approval_id: approval.id.to_string(),
        reason: Some("wrong device".into()),
        ..ApprovalAnswer::default()
    };
    let refusal = world.broker().refuse(&second, answer).await.unwrap();
    assert_eq!(refusal.status, ApprovalStatus::Refused);
    let expired = Ask::execute(RESET).of(&phone, &world).await;
    world.pass_s(24 * 3600);
    world.store().approval_expire(world.now(), 10).await.unwrap();

    phone.connect(&world).await;

    assert_eq!(phone.did("Exec", RESET), 0);
    for (task, told) in [(&refused, "wrong device"), (&expired, "nobody approved it by")] {
        assert_eq!(world.status(task).await, TaskStatus::Rejected);
        assert!(world.detail(task).await.contains(told), "{}", world.detail(task).await);
    }
}

#[tokio::test]
async fn an_approval_while_a_message_is_being_decided_lets_the_task_go_once() {
    let world = World::new();
    let [mut phone] = phones(&world).await;
    let task = Ask::execute(LOCK).of(&phone, &world).await;
    let (second, approval) = (world.second().await, world.pending().await.remove(0));
    world.meanwhile(move |broker, _| async move {
        let answer = ApprovalAnswer { approval_id: approval.id.to_string(), ..ApprovalAnswer::default() };
        broker.approve(&second, answer).await.unwrap();
    });
    phone.connect(&world).await;
    phone.connect(&world).await;
    assert_eq!(phone.did("Exec", LOCK), 1);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_dangerous_job_is_sent_to_none_of_its_devices_before_it_was_approved() {
    let world = World::new();
    let [mut one, mut two] = phones(&world).await;
    Ask::execute(LOCK).job(&[&one, &two], None, &world).await;
    world.pump().await;
    for phone in [&mut one, &mut two] {
        phone.connect(&world).await;
        assert_eq!(phone.did("Exec", LOCK), 0);
    }
    let approval = world.pending().await.remove(0);
    assert_eq!((approval.class, approval.devices), (Class::Lock, 2));
    world.approve().await;
    world.pump().await;
    for phone in [&mut one, &mut two] {
        phone.connect(&world).await;
        assert_eq!(phone.did("Exec", LOCK), 1);
    }
}

#[tokio::test]
async fn small_jobs_above_the_cap_together_wait_though_each_is_below_it() {
    let world = World::new();
    let [mut one, mut two, mut three] = phones(&world).await;
    let rule = Rule { class: Class::Change, required: true, cap: 2, single_cap: None };
    let policy = Policy { rules: vec![rule], ..Policy::default() };
    world.broker().set_approval_policy(&world.caller, policy, None, None).await.unwrap();
    for phone in [&one, &two, &three] {
        Ask::update(&[(NAME, "x")]).job(&[phone], None, &world).await;
        world.pump().await;
    }
    for phone in [&mut one, &mut two, &mut three] {
        phone.connect(&world).await;
    }
    assert_eq!([one.did("Replace", NAME), two.did("Replace", NAME), three.did("Replace", NAME)], [1, 1, 0]);
    world.approve().await;
    world.pump().await;
    three.connect(&world).await;
    assert_eq!(three.did("Replace", NAME), 1);
}

#[tokio::test]
async fn a_server_that_ends_between_approval_and_sending_sends_once() {
    let mut world = World::new();
    let [mut phone] = phones(&world).await;
    let task = Ask::execute(RESET).of(&phone, &world).await;
    world.reopen();
    phone.connect(&world).await;
    assert_eq!(phone.did("Exec", RESET), 0);
    world.approve().await;
    world.reopen();
    phone.connect(&world).await;
    phone.connect(&world).await;
    assert_eq!(phone.did("Exec", RESET), 1);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}
