//! Devices differ in how they name themselves, what they hold and what they tell unasked.

use muster_broker::operation::Parameter;
use muster_broker::task::TaskStatus;
use muster_protocol::syncml::{Encoding, StatusCode};
use muster_simulator::account::AuthType;
use muster_simulator::behaviour::{Behaviour, Persona};
use muster_simulator::dm1::{Event, ExecOutcome, SessionEnd, Told};
use muster_simulator::tree::{Access, Format, Leaf, Node};

use crate::ask::Ask;
use crate::phone::{Kind, Phone};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";
const BOTH: [Encoding; 2] = [Encoding::Xml, Encoding::Wbxml];

#[tokio::test]
async fn a_device_that_does_not_name_its_account_is_found_by_its_credential_or_identifier() {
    for auth in [AuthType::Basic, AuthType::Md5, AuthType::Hmac] {
        for encoding in BOTH {
            let world = World::new();
            let mut phone = Phone::of("anna", Kind { auth, encoding, ..Kind::default() });
            world.record(&phone).await;
            let task = Ask::query(&[NAME]).of(&phone, &world).await;
            phone.begin();
            while let Some(message) = &mut phone.out {
                message.header.source.name = None;
                if phone.exchange(&world).await.is_some() {
                    break;
                }
            }
            assert_eq!(world.status(&task).await, TaskStatus::Succeeded, "{auth:?} {encoding:?}");
        }
    }
}

#[tokio::test]
async fn octets_are_written_and_read_as_base64() {
    for encoding in BOTH {
        let world = World::new();
        let mut phone = Phone::of("anna", Kind { encoding, ..Kind::default() });
        world.record(&phone).await;
        let path = "./Vendor/Example/Settings/Picture";
        let mut leaf = Leaf::of(Format::Bin, "");
        leaf.value = vec![0, 255, 1, 254];
        phone.device.tree.install(path, Node::leaf(Access::ALL, leaf)).unwrap();
        let first = Ask::query(&[path]).of(&phone, &world).await;
        world.pass_s(1);
        let mut write = Ask::update(&[(path, "AQID/w==")]);
        write.set(|nodes: &mut Vec<Parameter>| nodes[0].format = Some("bin".into()));
        let write = write.of(&phone, &world).await;
        world.pass_s(1);
        let second = Ask::query(&[path]).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        assert_eq!(world.values(&first).await, ["AP8B/g=="], "{encoding:?}");
        assert_eq!(world.status(&write).await, TaskStatus::Succeeded, "{}", world.detail(&write).await);
        assert_eq!(world.values(&second).await, ["AQID/w=="], "{encoding:?}");
    }
}

#[tokio::test]
async fn a_large_value_that_comes_in_parts_is_put_together() {
    for encoding in BOTH {
        let world = World::new();
        let behaviours = vec![muster_simulator::behaviour::Behaviour::SmallMessages { max_msg_size: 1500 }];
        let mut phone = Phone::of("anna", Kind { encoding, behaviours, ..Kind::default() });
        world.record(&phone).await;
        let value: String = (0..5000).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
        phone.device.tree.set_text(NAME, &value);
        let task = Ask::query(&[NAME, "./DevDetail/SwV"]).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        assert_eq!(world.values(&task).await, [value.as_str(), "2.0"], "{}", world.detail(&task).await);
    }
}

#[tokio::test]
async fn the_whole_tree_is_walked_over_what_may_not_be_read() {
    for encoding in BOTH {
        let world = World::new();
        let mut phone = Phone::of("anna", Kind { encoding, ..Kind::default() });
        world.record(&phone).await;
        let task = Ask::discover(".").option("depth", "16").of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        let task = world.task(&task).await;
        assert_eq!(task.status, TaskStatus::Succeeded, "{:?}", task.detail);
        let node = |path: &str| task.result.iter().find(|it| it.path == path).unwrap();
        assert_eq!(node("./DevDetail/URI/MaxDepth").status, Some(200));
        assert_eq!(node("./LAWMO/Operations/Wipe").status, Some(405));
        assert_eq!(task.result.len(), phone.device.tree.len());
    }
}

#[tokio::test]
async fn what_a_device_tells_in_mid_task_is_in_the_history() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let path = "./Vendor/Example/Diagnose";
    let event = Event::generic(path, "com.example.diagnosed", "all well");
    let outcome = ExecOutcome { event: Some((Told::AtOnce, event)), ..ExecOutcome::answering(StatusCode::OK) };
    phone.device.on_exec(path, outcome);
    let task = Ask::execute(path).option("correlator", "c-17").of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    let history = world.history(&task).await;
    let told = history.iter().find(|it| it.event == "AlertReceived").unwrap().detail.clone().unwrap();
    assert!(["com.example.diagnosed", path, "c-17", "all well"].iter().all(|it| told.contains(it)), "{told}");
}

#[tokio::test]
async fn a_command_that_the_device_takes_on_is_a_success() {
    let world = World::new();
    let mut phone = Phone::new("anna");
    world.record(&phone).await;
    let task = Ask::execute("./FUMO/Package/Update").of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert_eq!(phone.did("Exec", "./FUMO/Package/Update"), 1);
}

/// A value that no message of the device has room for.
fn long() -> String {
    (0..4_000).map(|number| format!("{number:04} ")).collect()
}

#[tokio::test]
async fn a_value_too_long_for_a_message_goes_out_in_parts_to_a_device_that_takes_them() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let world = World::new();
        let mut phone = Phone::of("anna", Kind { encoding, ..Kind::default() });
        world.record(&phone).await;
        let long = long();
        let write = Ask::update(&[(NAME, &long), ("./Vendor/Example/ApnName", "short")]).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        let task = world.task(&write).await;
        assert_eq!(task.status, TaskStatus::Succeeded, "{encoding:?}: {:?}", task.detail);
        assert_eq!(phone.text(NAME), Some(long.as_str()));
        assert_eq!(phone.text("./Vendor/Example/ApnName"), Some("short"));
        assert_eq!((phone.did("Replace", NAME), phone.did("Get", "./DevDetail/LrgObj")), (1, 1), "{encoding:?}");
    }
}

#[tokio::test]
async fn a_device_that_takes_no_large_objects_is_sent_no_part_of_one() {
    let world = World::new();
    let mut phone = Phone::with("anna", &[Behaviour::NoLargeObjects]);
    world.record(&phone).await;
    let write = Ask::update(&[(NAME, &long())]).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let task = world.task(&write).await;
    assert_eq!((task.status, task.result_code), (TaskStatus::Failed, Some(413)));
    assert!(!phone.was_asked("Replace", NAME));
}

#[tokio::test]
async fn every_device_that_was_seen_is_served() {
    for persona in Persona::ALL {
        for encoding in BOTH {
            for asks_server in [false, true] {
                let world = World::new();
                let kind = Kind { encoding, asks_server, behaviours: persona.behaviours(), ..Kind::default() };
                let mut phone = Phone::of("anna", kind);
                phone.user_agent = (persona == Persona::Windows).then_some("MSFT OMA DM Client/1.2.0.1");
                world.record(&phone).await;
                let write = Ask::update(&[(NAME, "new")]).of(&phone, &world).await;
                world.pass_s(1);
                let read = Ask::query(&[NAME, "./DevDetail/SwV"]).of(&phone, &world).await;
                world.pass_s(1);
                let walk = Ask::discover("./DevDetail").option("depth", "3").of(&phone, &world).await;

                let what = format!("{} {encoding:?} {asks_server}", persona.name());
                assert_eq!(phone.connect(&world).await, SessionEnd::Complete, "{what}");

                for task in [&write, &read, &walk] {
                    assert_eq!(world.status(task).await, TaskStatus::Succeeded, "{what}: {}", world.detail(task).await);
                }
                assert_eq!(world.values(&read).await, ["new", "2.0"], "{what}");
            }
        }
    }
}
