//! What happens between the reading and the storing of a message.

use muster_broker::task::TaskStatus;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::{Phone, commands, read};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";

#[tokio::test]
async fn a_task_cancelled_while_it_is_being_taken_up_is_not_sent() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;
    let id = task.clone();
    world.meanwhile(async move |broker, caller| {
        broker.cancel_task(&caller, &id, None).await.unwrap();
    });

    phone.begin();
    let answer = phone.send(&world).await.unwrap();

    assert!(commands(&read(&answer)).is_empty());
    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts), (TaskStatus::Cancelled, 0));
}

#[tokio::test]
async fn a_task_cancelled_while_its_answer_is_being_stored_stays_cancelled() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    let id = task.clone();
    world.meanwhile(async move |broker, caller| {
        broker.cancel_task(&caller, &id, None).await.unwrap();
    });

    assert_eq!(phone.finish(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Cancelled);
    assert_eq!(world.events(&task).await.last().unwrap(), "LateAnswer");
}

#[tokio::test]
async fn a_record_changed_meanwhile_is_not_overwritten() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    let record = world.record(&phone).await;
    let (oid, device_id) = (record.oid.to_string(), record.device_id.clone());
    world.meanwhile(async move |broker, caller| {
        let fields = muster_broker::services::DeviceFields {
            oid: Some(oid),
            device_id,
            group: vec!["pilots".into()],
            ..Default::default()
        };
        broker.update_device(&caller, fields).await.unwrap();
    });

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let record = world.device(&record).await;
    assert_eq!(record.group, ["pilots"]);
    assert_eq!(record.model.as_deref(), Some("One"));
}

#[tokio::test]
async fn a_message_that_comes_twice_at_once_is_taken_once() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    let twin = phone.clone();
    let octets = twin.out.as_ref().unwrap().encode(twin.device.encoding()).unwrap();
    let url = twin.device.next_url().to_owned();

    let other = crate::phone::post(&world, &url, &octets, twin.device.encoding());
    let (one, other) = tokio::join!(phone.send(&world), other);

    assert_eq!(one.unwrap(), other.unwrap());
    let answered = world.events(&task).await.iter().filter(|it| *it == "DeviceAnswered").count();
    assert_eq!(answered, 1);
}

#[tokio::test]
async fn a_device_deleted_meanwhile_is_a_stranger() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    let record = world.record(&phone).await;
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;
    let oid = record.oid.to_string();
    world.meanwhile(async move |broker, caller| {
        broker.delete_device(&caller, None, Some(oid), None).await.unwrap();
    });

    assert_eq!(phone.connect(&world).await, SessionEnd::NotAuthenticated);

    assert_eq!(world.status(&task).await, TaskStatus::Cancelled);
    assert_eq!(phone.did("Replace", NAME), 0);
}
