//! The main job: what is asked of a device is done, and told.

use muster_broker::device::ManagementState;
use muster_broker::task::TaskStatus;
use muster_protocol::syncml::Encoding;
use muster_simulator::account::AuthType;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;

use crate::ask::Ask;
use crate::phone::{Kind, Phone};
use crate::world::World;

/// A device of this kind, recorded.
async fn recorded(world: &World, name: &str, kind: Kind) -> Phone {
    let phone = Phone::of(name, kind);
    world.record(&phone).await;
    phone
}

async fn usual(world: &World) -> Phone {
    recorded(world, "anna", Kind::default()).await
}

#[tokio::test]
async fn every_kind_of_device_is_read_and_written() {
    let world = World::new();
    let mut number = 0;
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        for auth in [AuthType::Basic, AuthType::Md5] {
            for asks_server in [false, true] {
                for is_notified in [false, true] {
                    number += 1;
                    let kind = Kind { encoding, auth, asks_server, behaviours: Vec::new() };
                    let mut phone = recorded(&world, &format!("kind{number}"), kind).await;
                    for round in ["first", "second"] {
                        let name = format!("{round} <&> ä");
                        let update = Ask::update(&[("./Vendor/Example/Name", &name)]).of(&phone, &world).await;
                        world.pass_s(1);
                        let query = Ask::query(&["./Vendor/Example/Name", "./DevDetail/SwV"]).of(&phone, &world).await;

                        let end =
                            if is_notified { phone.follow(&world, "2A").await } else { phone.connect(&world).await };

                        let what = format!("{encoding:?} {auth:?} {asks_server} {is_notified} {round}");
                        assert_eq!(end, SessionEnd::Complete, "{what}");
                        assert_eq!(world.status(&update).await, TaskStatus::Succeeded, "{what}");
                        assert_eq!(world.values(&query).await, [name.as_str(), "2.0"], "{what}");
                        assert_eq!(phone.text("./Vendor/Example/Name"), Some(name.as_str()));
                        assert_eq!(phone.did("Replace", "./Vendor/Example/Name"), if round == "first" { 1 } else { 2 });
                        world.pass_s(1);
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn query_without_parameters_reads_the_standard_set() {
    let world = World::new();
    let mut phone = usual(&world).await;
    let record = world.contact(&phone).await.device;
    let task = Ask::query(&[]).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let task = world.task(&task).await;
    assert_eq!(task.status, TaskStatus::Succeeded);
    assert_eq!(task.detail.as_deref(), Some("11 nodes read"));
    let read = |path: &str| task.result.iter().find(|node| node.path == path).unwrap().value.clone().unwrap();
    assert_eq!(read("./DevInfo/DevId"), phone.imei);
    assert_eq!(read("./DevDetail/FwV"), "1.0");
    let record = world.device(&record).await;
    assert_eq!(record.management_state, ManagementState::Managed);
    assert_eq!(record.manufacturer.as_deref(), Some("Example"));
    assert_eq!(record.model.as_deref(), Some("One"));
    assert_eq!(record.firmware_version.as_deref(), Some("1.0"));
    assert_eq!(record.software_version.as_deref(), Some("2.0"));
    assert_eq!(record.last_seen_at, Some(world.now()));
}

#[tokio::test]
async fn a_device_with_nothing_to_do_needs_one_message() {
    let world = World::new();
    let mut phone = usual(&world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.log.lock().unwrap().len(), 1);
    assert_eq!(world.contact(&phone).await.device.last_seen_at, Some(world.now()));
}

#[tokio::test]
async fn nodes_are_made_and_removed() {
    let world = World::new();
    let mut phone = usual(&world).await;
    let path = "./Vendor/Example/Settings/Colour";
    let create = Ask::create(&[(path, "blue")]).of(&phone, &world).await;
    phone.connect(&world).await;
    assert_eq!(world.status(&create).await, TaskStatus::Succeeded);
    assert_eq!(phone.text(path), Some("blue"));

    let delete = Ask::delete(&[path]).of(&phone, &world).await;
    phone.connect(&world).await;

    assert_eq!(world.status(&delete).await, TaskStatus::Succeeded);
    assert_eq!(phone.text(path), None);
    assert_eq!(
        world.events(&delete).await,
        ["Created", "SessionOpened", "CommandsSent", "DeviceAnswered", "Succeeded"]
    );
}

#[tokio::test]
async fn a_node_is_executed_once() {
    let world = World::new();
    let mut phone = usual(&world).await;
    let task = Ask::execute("./LAWMO/Operations/FullyLock").of(&phone, &world).await;
    world.approve().await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!(phone.did("Exec", "./LAWMO/Operations/FullyLock"), 1);
    assert_eq!(phone.text("./LAWMO/State"), Some("10"));
}

#[tokio::test]
async fn discover_walks_a_subtree_as_deep_as_it_is_told() {
    let world = World::new();
    let mut phone = usual(&world).await;
    let shallow = Ask::discover("./Vendor/Example").option("depth", "1").of(&phone, &world).await;
    let deep = Ask::discover("./DevDetail").of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let shallow = world.task(&shallow).await;
    assert_eq!(shallow.status, TaskStatus::Succeeded);
    assert!(shallow.result.iter().any(|it| it.path == "./Vendor/Example/Battery" && it.value.as_deref() == Some("87")));
    let deep = world.task(&deep).await;
    assert_eq!(deep.status, TaskStatus::Succeeded);
    let found = |path: &str| deep.result.iter().find(|it| it.path == path).and_then(|it| it.value.clone());
    assert!(found("./DevDetail/URI/MaxDepth").is_some(), "{:?}", deep.result);
    assert!(found("./DevDetail/URI").unwrap().contains("MaxTotLen"));
}

#[tokio::test]
async fn session_succeeds_when_the_device_connects() {
    let world = World::new();
    let mut phone = usual(&world).await;
    let task = Ask::session().of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!(world.detail(&task).await, "the device connected");
}

#[tokio::test]
async fn an_atomic_is_done_whole_or_not_at_all() {
    let world = World::new();
    let mut phone = usual(&world).await;
    let good = Ask::update(&[("./Vendor/Example/Name", "new"), ("./Vendor/Example/Polling", "60")])
        .option("atomic", "true")
        .of(&phone, &world)
        .await;
    phone.connect(&world).await;
    assert_eq!(world.status(&good).await, TaskStatus::Succeeded);
    assert_eq!(phone.text("./Vendor/Example/Polling"), Some("60"));

    let bad = Ask::update(&[("./Vendor/Example/Name", "newer"), ("./DevInfo/Man", "Other")])
        .option("atomic", "true")
        .of(&phone, &world)
        .await;
    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let bad = world.task(&bad).await;
    assert_eq!(bad.status, TaskStatus::Failed, "{:?}", bad.detail);
    assert!(bad.detail.unwrap().contains("./DevInfo/Man"));
    assert_eq!(phone.text("./Vendor/Example/Name"), Some("new"));
}

#[tokio::test]
async fn a_sequence_is_done_in_order() {
    let world = World::new();
    let mut phone = usual(&world).await;
    let task = Ask::update(&[("./Vendor/Example/Name", "a"), ("./Vendor/Example/ApnName", "b")])
        .option("sequence", "true")
        .of(&phone, &world)
        .await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    let asked: Vec<&str> = phone.device.ledger().session().iter().map(|it| it.path.as_str()).collect();
    assert_eq!(asked.iter().filter(|it| it.starts_with("./Vendor")).count(), 2);
}

#[tokio::test]
async fn several_tasks_are_done_in_one_session_in_order() {
    let world = World::new();
    let mut phone = usual(&world).await;
    let mut tasks = Vec::new();
    for number in 0..40 {
        let name = format!("name {number}");
        tasks.push(Ask::update(&[("./Vendor/Example/Name", &name)]).of(&phone, &world).await);
        world.pass_s(1);
    }

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    for task in tasks {
        assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    }
    assert_eq!(phone.text("./Vendor/Example/Name"), Some("name 39"));
}

#[tokio::test]
async fn a_device_with_small_messages_gets_and_gives_everything() {
    let world = World::new();
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        for auth in [AuthType::Basic, AuthType::Md5] {
            let kind = Kind {
                encoding,
                auth,
                asks_server: true,
                behaviours: vec![Behaviour::SmallMessages { max_msg_size: 1500 }],
            };
            let mut phone = recorded(&world, &format!("small{encoding:?}{auth:?}"), kind).await;
            let path = |number: usize| format!("./Vendor/Example/Settings/Node{number}");
            let nodes: Vec<(String, String)> = (0..60).map(|n| (path(n), format!("value {n}"))).collect();
            let nodes: Vec<(&str, &str)> = nodes.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let create = Ask::create(&nodes).of(&phone, &world).await;
            let paths: Vec<&str> = nodes.iter().map(|(path, _)| *path).collect();
            world.pass_s(1);
            let query = Ask::query(&paths).of(&phone, &world).await;

            assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

            assert_eq!(world.status(&create).await, TaskStatus::Succeeded, "{}", world.detail(&create).await);
            assert_eq!(world.status(&query).await, TaskStatus::Succeeded);
            let values = world.values(&query).await;
            assert!(nodes.iter().zip(&values).all(|((_, given), read)| given == read));
            assert_eq!(values.len(), 60);
        }
    }
}

#[tokio::test]
async fn more_commands_than_one_round_takes_are_all_carried_out() {
    let world = World::new();
    let mut phone = usual(&world).await;
    let paths = vec!["./DevDetail/SwV"; 230];
    let task = Ask::query(&paths).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.values(&task).await, vec!["2.0"; 230]);
}

#[tokio::test]
async fn a_value_that_no_message_of_the_device_holds_fails_the_task_at_once() {
    let world = World::new();
    let mut phone = recorded(
        &world,
        "big",
        Kind {
            behaviours: vec![Behaviour::SmallMessages { max_msg_size: 2000 }, Behaviour::NoLargeObjects],
            ..Kind::default()
        },
    )
    .await;
    let value = "x".repeat(4000);
    let task = Ask::update(&[("./Vendor/Example/Name", &value)]).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    // This device takes no object in parts.
    let task = world.task(&task).await;
    assert_eq!(task.status, TaskStatus::Failed);
    assert!(task.detail.unwrap().contains("status 413"));
    assert_eq!(phone.text("./Vendor/Example/Name"), Some("One"));
}
