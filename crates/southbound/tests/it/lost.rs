//! Answers get lost, devices come back: nothing is done twice that must not be.

use muster_broker::task::TaskStatus;
use muster_protocol::syncml::Encoding;
use muster_simulator::account::AuthType;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::{Kind, Phone};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";
const MADE: &str = "./Vendor/Example/Settings/Made";
const LOCK: &str = "./LAWMO/Operations/FullyLock";

/// Begins a session whose answer to message `after` is lost. Whether the session came as far as that.
async fn loses_answer(phone: &mut Phone, world: &World, after: usize) -> bool {
    phone.begin();
    for _ in 1..after {
        if phone.exchange(world).await.is_some() {
            return false;
        }
    }
    phone.send(world).await.unwrap();
    true
}

async fn recorded(world: &World) -> Phone {
    let phone = Phone::new("anna");
    world.record(&phone).await;
    phone
}

#[tokio::test]
async fn wherever_an_answer_is_lost_the_device_comes_back_and_everything_is_done() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        for (auth, asks_server) in [(AuthType::Basic, false), (AuthType::Md5, false), (AuthType::Md5, true)] {
            for after in 1.. {
                let world = World::new();
                let mut phone = Phone::of("anna", Kind { encoding, auth, asks_server, behaviours: Vec::new() });
                world.record(&phone).await;
                let write = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;
                world.pass_s(1);
                let make = Ask::create(&[(MADE, "blue")]).of(&phone, &world).await;
                world.pass_s(1);
                let read = Ask::query(&[NAME, MADE]).of(&phone, &world).await;

                if !loses_answer(&mut phone, &world, after).await {
                    assert!(after > 4, "a session of {after} messages");
                    break;
                }
                let under_way = world.contact(&phone).await.state.dialogue.unwrap().task;
                assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

                for (id, attempts) in [&write, &make, &read].map(|id| (id, 1)) {
                    let task = world.task(id).await;
                    let was_lost = under_way == Some(task.id);
                    let what = format!("{encoding:?} {auth:?} after message {after}: {:?}", task.detail);
                    assert_eq!(task.status, TaskStatus::Succeeded, "{what}");
                    assert_eq!(task.attempts, attempts + u32::from(was_lost), "{what}");
                }
                assert_eq!(world.values(&read).await, ["new", "blue"]);
                assert_eq!(phone.did("Add", MADE), 1);
            }
        }
    }
}

#[tokio::test]
async fn a_write_whose_status_was_lost_on_its_way_is_repeated() {
    let world = World::new();
    let mut phone = recorded(&world).await;
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;
    // The device has done it; what it says of it never leaves.
    assert_eq!(phone.did("Replace", NAME), 1);

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let found = world.task(&task).await;
    assert_eq!((found.status, found.attempts), (TaskStatus::Succeeded, 2));
    assert_eq!(phone.did("Replace", NAME), 2);
    let events = world.events(&task).await;
    assert!(events.iter().any(|it| it == "SessionLost") && events.iter().any(|it| it == "RetryPlanned"), "{events:?}");
}

#[tokio::test]
async fn a_node_whose_making_was_lost_is_looked_for_before_it_is_made_again() {
    for was_done in [true, false] {
        let world = World::new();
        let mut phone = recorded(&world).await;
        let task = Ask::create(&[(MADE, "blue")]).of(&phone, &world).await;
        if was_done {
            phone.begin();
            phone.exchange(&world).await;
        } else {
            loses_answer(&mut phone, &world, 1).await;
        }

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        let found = world.task(&task).await;
        assert_eq!((found.status, found.attempts), (TaskStatus::Succeeded, 2), "{:?}", found.detail);
        assert_eq!(phone.did("Add", MADE), 1);
        assert!(phone.was_asked("Get", MADE));
        assert_eq!(phone.was_asked("Add", MADE), !was_done);
        assert_eq!(phone.text(MADE), Some("blue"));
    }
}

#[tokio::test]
async fn a_node_that_was_there_with_another_value_was_not_made() {
    let world = World::new();
    let mut phone = recorded(&world).await;
    let first = Ask::create(&[(MADE, "red")]).of(&phone, &world).await;
    phone.connect(&world).await;
    assert_eq!(world.status(&first).await, TaskStatus::Succeeded);
    let task = Ask::create(&[(MADE, "blue")]).of(&phone, &world).await;
    loses_answer(&mut phone, &world, 1).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let found = world.task(&task).await;
    assert_eq!((found.status, found.result_code), (TaskStatus::Failed, Some(418)));
    assert_eq!(phone.text(MADE), Some("red"));
}

#[tokio::test]
async fn a_node_whose_removal_was_lost_is_looked_for_before_it_is_removed_again() {
    for was_done in [true, false] {
        let world = World::new();
        let mut phone = recorded(&world).await;
        Ask::create(&[(MADE, "blue")]).of(&phone, &world).await;
        phone.connect(&world).await;
        let task = Ask::delete(&[MADE]).of(&phone, &world).await;
        if was_done {
            phone.begin();
            phone.exchange(&world).await;
        } else {
            loses_answer(&mut phone, &world, 1).await;
        }

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        let found = world.task(&task).await;
        assert_eq!((found.status, found.attempts), (TaskStatus::Succeeded, 2), "{:?}", found.detail);
        assert_eq!(phone.did("Delete", MADE), 1);
        assert_eq!(phone.was_asked("Delete", MADE), !was_done);
    }
}

#[tokio::test]
async fn nothing_can_tell_whether_an_exec_ran_so_it_is_not_repeated() {
    let world = World::new();
    let mut phone = recorded(&world).await;
    let task = Ask::execute(LOCK).of(&phone, &world).await;
    world.approve().await;
    world.pass_s(1);
    let next = Ask::query(&[NAME]).of(&phone, &world).await;
    phone.begin();
    phone.exchange(&world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Failed);
    assert!(world.detail(&task).await.starts_with("outcome unknown"));
    assert_eq!(phone.did("Exec", LOCK), 1);
    assert_eq!(world.status(&next).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn an_exec_that_may_be_repeated_is() {
    let world = World::new();
    let mut phone = recorded(&world).await;
    let task = Ask::execute(LOCK).option("repeatable", "true").of(&phone, &world).await;
    world.approve().await;
    phone.begin();
    phone.exchange(&world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!(phone.did("Exec", LOCK), 2);
}

#[tokio::test]
async fn an_exec_lost_on_the_last_attempt_is_told_to_be_of_unknown_outcome() {
    let world = World::new();
    let mut phone = recorded(&world).await;
    let task = Ask::execute(LOCK).attempts(1).of(&phone, &world).await;
    world.approve().await;
    phone.begin();
    phone.exchange(&world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Failed);
    assert!(world.detail(&task).await.contains("outcome unknown"));
    assert_eq!(phone.did("Exec", LOCK), 1);
}

#[tokio::test]
async fn commands_that_never_left_are_not_of_unknown_outcome() {
    let world = World::new();
    let behaviours = vec![muster_simulator::behaviour::Behaviour::SmallMessages { max_msg_size: 1200 }];
    let mut phone = Phone::of("anna", Kind { behaviours, ..Kind::default() });
    world.record(&phone).await;
    let path = |n: usize| format!("./Vendor/Example/Settings/N{n}");
    let nodes: Vec<String> = (0..20).map(path).collect();
    let nodes: Vec<(&str, &str)> = nodes.iter().map(|it| (it.as_str(), "x")).collect();
    let task = Ask::create(&nodes).of(&phone, &world).await;
    phone.begin();
    // Until commands came, of which the last ones are still with the server.
    while phone.device.ledger().session().is_empty() {
        assert_eq!(phone.exchange(&world).await, None);
    }
    assert_eq!(phone.did("Add", nodes[19].0), 0);

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert!(nodes.iter().all(|(path, _)| phone.did("Add", path) == 1));
    assert!(phone.was_asked("Get", nodes[0].0), "the first ones are looked for");
    assert!(!phone.was_asked("Get", nodes[19].0), "the last one never left");
}

#[tokio::test]
async fn a_message_sent_again_gets_the_very_same_answer_and_nothing_happens_twice() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        for auth in [AuthType::Basic, AuthType::Md5] {
            let mut world = World::new();
            let mut phone = Phone::of("anna", Kind { encoding, auth, asks_server: true, behaviours: Vec::new() });
            world.record(&phone).await;
            let task = Ask::execute(LOCK).of(&phone, &world).await;
            world.approve().await;
            phone.begin();
            let mut ended = None;
            while ended.is_none() {
                let answer = phone.send(&world).await.unwrap();
                let (history, contact) = (world.history(&task).await, world.contact(&phone).await);
                world.pass_s(3);
                world.reopen();
                let again = phone.send_again(&world).await.unwrap();
                assert_eq!(again, answer);
                assert_eq!(world.history(&task).await, history);
                assert_eq!(world.contact(&phone).await, contact);
                ended = phone.hear(&answer);
                if ended.is_some() {
                    assert_eq!(phone.send_again(&world).await.unwrap(), answer);
                }
            }
            assert_eq!(ended, Some(SessionEnd::Complete));
            assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
            assert_eq!(phone.did("Exec", LOCK), 1);
        }
    }
}

#[tokio::test]
async fn a_session_that_went_silent_gives_its_task_back() {
    let world = World::new();
    let mut phone = recorded(&world).await;
    let task = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;
    loses_answer(&mut phone, &world, 1).await;
    world.pass_s(30);
    assert_eq!(world.sweep().await, 0);
    assert_eq!(world.status(&task).await, TaskStatus::InProgress);

    world.pass_s(31);
    assert_eq!(world.sweep().await, 1);

    let lost = world.task(&task).await;
    assert_eq!(lost.status, TaskStatus::RetryWait);
    assert_eq!(lost.start_at, world.now().plus_s(60));
    assert_eq!(world.sweep().await, 0);
    // The device goes on where it was, but the session is no more: it has to begin anew.
    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
}

#[tokio::test]
async fn an_exec_of_a_silent_session_is_not_repeated_either() {
    let world = World::new();
    let mut phone = recorded(&world).await;
    let task = Ask::execute(LOCK).of(&phone, &world).await;
    world.approve().await;
    loses_answer(&mut phone, &world, 1).await;
    world.pass_s(61);
    world.sweep().await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Failed);
    assert_eq!(phone.did("Exec", LOCK), 0);
}

#[tokio::test]
async fn a_package_1_that_arrives_late_makes_no_answer_count_for_another_command() {
    for behaviours in [Vec::new(), vec![muster_simulator::behaviour::Behaviour::IgnoresRespUri]] {
        let world = World::new();
        let mut phone = Phone::of("anna", Kind { auth: AuthType::Basic, behaviours, ..Kind::default() });
        world.record(&phone).await;
        let read = Ask::query(&["./Vendor/Nothing"]).of(&phone, &world).await;
        world.pass_s(1);
        let remove = Ask::delete(&[NAME]).of(&phone, &world).await;
        phone.begin();
        let answer = phone.send(&world).await.unwrap();
        let package_1 = phone.sent.clone();
        phone.hear(&answer);
        let message = phone.out.clone().unwrap();
        let octets = message.encode(Encoding::Xml).unwrap();
        let url = phone.device.next_url().to_owned();
        // The answer of the device to the read brings the Delete, whose fate is unknown once the session begins again:
        // a read is to tell, and what the device said to the first read must not be taken for the answer to that one.
        crate::phone::post(&world, &url, &octets, Encoding::Xml).await.unwrap();
        crate::phone::post(&world, &package_1.0, &package_1.1, Encoding::Xml).await.unwrap();

        let late = phone.send(&world).await.unwrap();
        phone.hear(&late);
        if phone.out.is_some() {
            phone.finish(&world).await;
        }
        for _ in 0..3 {
            phone.connect(&world).await;
        }

        assert_eq!(world.status(&read).await, TaskStatus::Failed, "{}", world.detail(&read).await);
        // The node is one of the device's own, which cannot be deleted.
        assert_eq!(phone.did("Delete", NAME), 0);
        assert_eq!(world.status(&remove).await, TaskStatus::Failed, "{}", world.detail(&remove).await);
    }
}
