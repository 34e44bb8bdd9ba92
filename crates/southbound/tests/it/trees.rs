//! Addresses, formats and whole trees.

use muster_broker::operation::Parameter;
use muster_broker::task::TaskStatus;
use muster_protocol::syncml::Encoding;
use muster_protocol::tree::LocUri;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;
use muster_southbound::dm1::snapshot;

use crate::ask::Ask;
use crate::phone::{Kind, Phone};
use crate::world::World;

async fn recorded(world: &World, encoding: Encoding, behaviours: &[Behaviour]) -> Phone {
    let phone = Phone::of("anna", Kind { encoding, behaviours: behaviours.to_vec(), ..Kind::default() });
    world.record(&phone).await;
    phone
}

#[tokio::test]
async fn a_device_with_lists_and_one_without_are_discovered_alike() {
    let mut found = Vec::new();
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        for behaviours in [&[][..], &[Behaviour::NoLists], &[Behaviour::SmallMessages { max_msg_size: 1_500 }]] {
            let world = World::new();
            let mut phone = recorded(&world, encoding, behaviours).await;
            let task = Ask::discover(".").option("depth", "16").of(&phone, &world).await;

            assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

            let task = world.task(&task).await;
            assert_eq!(task.status, TaskStatus::Succeeded, "{:?}", task.detail);
            let detail = task.detail.unwrap();
            assert!(
                detail.contains("management objects at ./DevDetail (")
                    && detail.contains("./FUMO/Package (Firmware update)"),
                "{detail}"
            );
            let mut nodes: Vec<_> =
                task.result.into_iter().map(|it| (it.path, it.value, it.format, it.status)).collect();
            nodes.sort();
            assert_eq!(nodes.len(), phone.device.tree.len());
            found.push(nodes);
        }
    }
    let first = found[0].clone();
    assert!(found.iter().all(|it| *it == first));
    assert!(first.iter().any(|(path, _, _, status)| path == "./LAWMO/Operations/Wipe" && *status == Some(405)));
}

#[tokio::test]
async fn what_was_discovered_is_the_tree_of_the_device() {
    let world = World::new();
    let mut phone = recorded(&world, Encoding::Xml, &[]).await;
    let task = Ask::discover(".").option("depth", "16").of(&phone, &world).await;
    phone.connect(&world).await;

    let tree = snapshot(&world.task(&task).await.result);

    assert_eq!(tree.len(), phone.device.tree.len());
    assert_eq!(
        tree.objects(),
        phone.device.tree.objects().into_iter().filter(|(uri, _)| uri.path() != "./Inbox").collect::<Vec<_>>()
    );
    for listed in tree.nodes(&LocUri::root()).iter().filter(|it| it.node.text().is_some_and(|it| !it.is_empty())) {
        assert_eq!(listed.node.text(), phone.device.tree.text(listed.uri.path()), "{}", listed.uri);
        assert_eq!(listed.node.content, phone.device.tree.node(&listed.uri).unwrap().content);
    }
}

#[tokio::test]
async fn a_walk_of_one_level_asks_for_no_list() {
    let world = World::new();
    let mut phone = recorded(&world, Encoding::Xml, &[]).await;
    let task = Ask::discover("./DevDetail").option("depth", "1").of(&phone, &world).await;

    phone.connect(&world).await;

    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert!(phone.device.ledger().session().iter().all(|it| !it.path.contains('?')));
}

#[tokio::test]
async fn an_address_that_can_be_none_is_not_sent_and_the_answer_says_why() {
    for (path, why) in [
        ("./Vendor/Example%2FName", "has a slash written as %2F"),
        ("./Vendor/%2e%2e/DevInfo", "has a segment that is . or .."),
        ("./Vendor/%00", "has control characters"),
        ("./Vendor/Example?list=Everything", "may be followed by ?prop="),
        ("./Vendor/%C0%AF", "are not UTF-8"),
    ] {
        let world = World::new();
        let mut phone = recorded(&world, Encoding::Xml, &[]).await;
        let task = Ask::query(&["./DevInfo/Man", path]).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        let task = world.task(&task).await;
        assert_eq!(task.status, TaskStatus::Failed, "{path}");
        let detail = task.detail.unwrap();
        assert!(detail.contains(path) && detail.contains("the address ") && detail.contains(why), "{detail}");
        assert!(!phone.was_asked("Get", path));
        assert!(phone.was_asked("Get", "./DevInfo/Man"));
    }
}

#[tokio::test]
async fn a_known_node_is_written_in_its_format_and_an_unknown_one_as_it_was_given() {
    let world = World::new();
    let mut phone = recorded(&world, Encoding::Xml, &[]).await;
    let known = Ask::update(&[("./LAWMO/LAWMOConfig/NotifyUser", "false")]).of(&phone, &world).await;
    world.pass_s(1);
    let mut wrong = Ask::update(&[("./LAWMO/LAWMOConfig/NotifyUser", "true")]);
    wrong.set(|nodes: &mut Vec<Parameter>| nodes[0].format = Some("chr".into()));
    let wrong = wrong.of(&phone, &world).await;
    world.pass_s(1);
    let made = Ask::create(&[("./DMAcc/x/AppID", "w7")]).of(&phone, &world).await;

    phone.begin();
    let mut told = Vec::new();
    while phone.out.is_some() {
        let answer = phone.send(&world).await.unwrap();
        told.push(String::from_utf8(answer.body.to_vec()).unwrap());
        if phone.hear(&answer).is_some() {
            break;
        }
    }

    assert_eq!(world.status(&known).await, TaskStatus::Succeeded);
    assert!(told.iter().any(|it| it.contains(">bool</Format>")), "{told:?}");
    // What a caller says counts before what we know.
    assert!(world.detail(&wrong).await.contains("415"), "{}", world.detail(&wrong).await);
    assert_eq!(phone.text("./LAWMO/LAWMOConfig/NotifyUser"), Some("false"));
    assert_eq!(world.status(&made).await, TaskStatus::Succeeded, "{}", world.detail(&made).await);
}

#[tokio::test]
async fn properties_and_lists_can_be_asked_for() {
    let world = World::new();
    let mut phone = recorded(&world, Encoding::Wbxml, &[]).await;
    let task = Ask::query(&["./DevInfo?prop=Type", "./DevDetail/URI?list=StructData"]).of(&phone, &world).await;

    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

    let task = world.task(&task).await;
    assert_eq!(task.status, TaskStatus::Succeeded, "{:?}", task.detail);
    assert_eq!(task.result[0].value.as_deref(), Some("urn:oma:mo:oma-dm-devinfo:1.0"));
    assert_eq!(task.result.len(), 5);
    assert!(task.result.iter().any(|it| it.path == "./DevDetail/URI/MaxSegLen" && it.value.as_deref() == Some("128")));
}

#[tokio::test]
async fn a_list_of_access_is_read_as_a_property() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let world = World::new();
        let mut phone = recorded(&world, encoding, &[]).await;
        let acl = "Get=*&Replace=muster+other.example.net";
        phone.device.tree.maintain("./Vendor/Example/Settings", |node| node.acl = acl.parse().unwrap());
        let paths = ["./Vendor/Example/Settings?prop=ACL", "./Vendor/Example/Name?prop=ACL"];
        let task = Ask::query(&paths).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        assert_eq!(world.values(&task).await, [acl, ""], "{encoding:?}: what was not set is empty and not inherited");
    }
}

#[tokio::test]
async fn a_list_of_access_is_written_and_shuts_out_who_is_not_in_it() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let world = World::new();
        let mut phone = recorded(&world, encoding, &[]).await;
        let make = Ask::create(&[("./Vendor/Example/Settings/Mine", "1")]).of(&phone, &world).await;
        world.pass_s(1);
        // From now on the other server alone may write below.
        let acl = "Get=*&Replace=other.example.net&Add=other.example.net&Delete=other.example.net";
        let shut = Ask::update(&[("./Vendor/Example/Settings?prop=ACL", acl)]).of(&phone, &world).await;
        world.pass_s(1);
        let write = Ask::update(&[("./Vendor/Example/Settings/Mine", "2")]).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        assert_eq!(world.status(&make).await, TaskStatus::Succeeded, "{}", world.detail(&make).await);
        assert_eq!(world.status(&shut).await, TaskStatus::Succeeded, "{}", world.detail(&shut).await);
        assert_eq!(world.task(&write).await.result_code, Some(425), "{encoding:?}");
        assert_eq!(phone.text("./Vendor/Example/Settings/Mine"), Some("1"));
    }
}

#[tokio::test]
async fn a_management_object_is_added_to_the_inbox_in_both_encodings() {
    let object = "<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD><Node><NodeName>Mine</NodeName><RTProperties>\
        <Format><node/></Format><Type><DDFName>org.openmobilealliance/1.0/w7</DDFName></Type></RTProperties>\
        <Node><NodeName>ServerID</NodeName><RTProperties><Format><chr/></Format><Type><MIME>text/plain</MIME></Type>\
        </RTProperties><Value>other.example.net</Value></Node></Node></MgmtTree>";
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let world = World::new();
        let mut phone = recorded(&world, encoding, &[]).await;
        let mut add = Ask::create(&[("./Inbox", object)]);
        add.set(|nodes: &mut Vec<Parameter>| {
            nodes[0].format = Some("xml".into());
            nodes[0].kind = Some("application/vnd.syncml.dmtnds+xml".into());
        });
        let add = add.of(&phone, &world).await;
        world.pass_s(1);
        let read = Ask::query(&["./Inbox"]).of(&phone, &world).await;

        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);

        assert_eq!(world.status(&add).await, TaskStatus::Succeeded, "{}", world.detail(&add).await);
        assert_eq!(phone.text("./DMAcc/Mine/ServerID"), Some("other.example.net"), "{encoding:?}");
        assert!(world.detail(&read).await.contains("405"), "{}", world.detail(&read).await);
    }
}
