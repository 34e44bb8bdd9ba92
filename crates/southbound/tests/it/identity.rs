//! Which device answered, and whether a task accepts it.

use muster_broker::task::TaskStatus;
use muster_protocol::syncml::StatusCode;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::imei::imei;
use crate::phone::{Phone, TAC};
use crate::world::{ParseId as _, World};

const NODE: &str = "./DevDetail/SwV";

/// A device that says it is another one than its record.
fn pretender(name: &str, imei: &str) -> (Phone, String) {
    let honest = Phone::new(name);
    let mut phone = Phone::with(name, &[Behaviour::OtherImei(imei.to_owned())]);
    let recorded = honest.imei.clone();
    phone.imei = honest.imei;
    (phone, recorded)
}

#[tokio::test]
async fn each_policy_passes_the_devices_that_the_contract_says() {
    let same_tac = imei(TAC, 777);
    let other_tac = imei(35_693_803, 777);
    // policy, who answers instead, passes
    let rows = [
        (10, None, true),
        (20, None, true),
        (30, None, true),
        (10, Some(&same_tac), true),
        (20, Some(&same_tac), false),
        (30, Some(&same_tac), true),
        (10, Some(&other_tac), false),
        (20, Some(&other_tac), false),
        (30, Some(&other_tac), true),
    ];
    for (policy, other, passes) in rows {
        let world = World::new();
        let mut phone = match other {
            None => Phone::new("anna"),
            Some(other) => pretender("anna", other).0,
        };
        let record = world.record(&phone).await;
        let task = Ask::query(&[NODE]).policy(policy).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        let what = format!("policy {policy}, {other:?}");
        let task = world.task(&task).await;
        let answered = other.map_or(phone.imei.clone(), |it| format!("IMEI:{it}"));
        assert_eq!(task.actual.as_ref().map(|it| it.as_str()), Some(answered.as_str()), "{what}");
        assert_eq!(task.status, if passes { TaskStatus::Succeeded } else { TaskStatus::RetryWait }, "{what}");
        assert_eq!(phone.was_asked("Get", NODE), passes, "{what}");
        let kept = if passes { answered } else { phone.imei.clone() };
        let record = world.device(&record).await;
        assert_eq!(record.device_id.unwrap().as_str(), kept, "{what}");
        let events = world.events(&task.id.to_string()).await;
        assert_eq!(events.iter().any(|it| it == "DeviceChanged"), passes && other.is_some(), "{what}");
    }
}

#[tokio::test]
async fn a_refused_device_leaves_nothing_of_itself_in_the_record() {
    let world = World::new();
    let (mut phone, _) = pretender("anna", &imei(35_693_803, 777));
    let record = world.record(&phone).await;
    Ask::query(&[NODE]).policy(20).of(&phone, &world).await;

    phone.connect(&world).await;

    let after = world.device(&record).await;
    assert_eq!(after.device_id, record.device_id);
    assert_eq!((after.manufacturer, after.model), (None, None));
}

#[tokio::test]
async fn a_task_whose_device_never_comes_fails_when_its_attempts_run_out() {
    let world = World::new();
    let other = imei(35_693_803, 777);
    let (mut phone, recorded) = pretender("anna", &other);
    world.record(&phone).await;
    let task = Ask::query(&[NODE]).policy(20).attempts(2).of(&phone, &world).await;

    phone.connect(&world).await;
    assert_eq!(world.status(&task).await, TaskStatus::RetryWait);
    phone.connect(&world).await;

    let task = world.task(&task).await;
    assert_eq!((task.status, task.attempts), (TaskStatus::Failed, 2));
    let detail = task.detail.unwrap();
    assert!(detail.contains(&recorded) && detail.contains(&other), "{detail}");
}

#[tokio::test]
async fn a_device_with_the_identifier_of_another_record_with_account_is_refused_and_nothing_changes() {
    let world = World::new();
    let berta = Phone::new("berta");
    let of_berta = world.record(&berta).await;
    let berta_imei = berta.imei.trim_start_matches("IMEI:").to_owned();
    let (mut phone, _) = pretender("anna", &berta_imei);
    let record = world.record(&phone).await;
    let task = Ask::query(&[NODE]).policy(30).of(&phone, &world).await;
    let before = world.contact(&phone).await;

    let end = phone.connect(&world).await;

    assert_eq!(end, SessionEnd::Refused(StatusCode::FORBIDDEN));
    assert_eq!(world.contact(&phone).await, before);
    assert_eq!(world.device(&record).await, record);
    assert_eq!(world.device(&of_berta).await, of_berta);
    assert_eq!(world.events(&task).await, ["Created"]);
    assert!(!phone.was_asked("Get", NODE));
}

#[tokio::test]
async fn the_identifier_of_another_record_is_refused_also_when_it_comes_in_a_later_message() {
    let world = World::new();
    let berta = Phone::new("berta");
    let of_berta = world.record(&berta).await;
    let anna = Phone::new("anna");
    let mut phone = Phone::with("anna", &[Behaviour::SmallMessages { max_msg_size: 700 }]);
    let record = world.record(&anna).await;
    // Source stays that of the record, in a scheme that is no IMEI, so that the first message tells nothing.
    phone.device.tree.set_text("./DevInfo/DevId", &berta.imei);
    let task = Ask::query(&[NODE]).policy(30).of(&anna, &world).await;

    phone.begin();
    while let Some(message) = &mut phone.out {
        message.header.source.uri = "urn:example:anna".into();
        let answer = phone.send(&world).await.unwrap();
        let step = phone.device.receive(&phone.read(&answer));
        phone.out = step.reply.filter(|_| step.finished.is_none());
    }

    assert!(world.log.lock().unwrap().len() > 1, "DevInfo came in a message of its own");
    assert!(!phone.was_asked("Get", NODE));
    assert_ne!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!(world.device(&record).await.device_id, record.device_id);
    assert_eq!(world.device(&of_berta).await, of_berta);
}

#[tokio::test]
async fn a_record_without_account_takes_over_the_account_of_the_device_that_has_its_identifier() {
    let world = World::new();
    let other = format!("IMEI:{}", imei(TAC, 777));
    let taker = world.record_as(Some(&other), None).await;
    let (mut phone, recorded) = pretender("anna", other.trim_start_matches("IMEI:"));
    let giver = world.record(&phone).await;
    let task = Ask::query(&[NODE]).policy(30).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!(world.task(&task).await.device, taker.oid);
    let (giver, taker) = (world.device(&giver).await, world.device(&taker).await);
    assert_eq!(giver.device_id, Some(recorded.parse_id()));
    assert!(giver.account.is_none());
    assert_eq!(taker.device_id, Some(other.parse_id()));
    assert_eq!(taker.account.unwrap().client_name, "anna");
    assert_eq!(world.contact(&phone).await.device.oid, taker.oid);
    let next = Ask::query(&[NODE]).of_id(&other, &world).await;
    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
    assert_eq!(world.status(&next).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn a_record_without_account_takes_nothing_over_if_no_task_passes() {
    let world = World::new();
    let other = format!("IMEI:{}", imei(35_693_803, 777));
    let taker = world.record_as(Some(&other), None).await;
    let (mut phone, _) = pretender("anna", other.trim_start_matches("IMEI:"));
    world.record(&phone).await;
    let task = Ask::query(&[NODE]).policy(10).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::RetryWait);
    assert_eq!(world.device(&taker).await, taker);
}

#[tokio::test]
async fn a_source_that_is_the_imei_of_another_device_is_refused() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::query(&[NODE]).policy(30).of(&phone, &world).await;
    let before = world.contact(&phone).await;

    phone.begin();
    phone.out.as_mut().unwrap().header.source.uri = format!("IMEI:{}", imei(TAC, 777)).into();
    let end = phone.exchange(&world).await;

    assert_eq!(end, Some(SessionEnd::Refused(StatusCode::FORBIDDEN)));
    assert_eq!(world.events(&task).await, ["Created"]);
    assert_eq!(world.contact(&phone).await, before);
}
