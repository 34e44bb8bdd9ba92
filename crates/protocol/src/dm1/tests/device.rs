use super::world::*;
use crate::{dm1::DeviceInfo, syncml::Command};

fn told(nodes: &[(&str, &str)]) -> Option<DeviceInfo> {
    World::new().receive(message(1).md5(b"stored").alert("1201").dev_info(nodes)).device
}

#[test]
fn device_info_is_read_with_and_without_the_dot_and_in_any_order() {
    let info = told(&[
        ("DevInfo/Lang", "en-GB"),
        ("./DevInfo/DmV", "1.0.0"),
        ("./DevInfo/Mod", "EX-1"),
        ("./DevInfo/Man", "Example Devices"),
        ("./DevInfo/DevId", DEVICE),
        ("./DevInfo/Ext/Sim", "1"),
    ]);

    let expected = DeviceInfo {
        dev_id: Some(DEVICE.into()),
        man: Some("Example Devices".into()),
        model: Some("EX-1".into()),
        dm_version: Some("1.0.0".into()),
        lang: Some("en-GB".into()),
        others: vec![("Ext/Sim".into(), "1".into())],
    };
    assert_eq!(info, Some(expected));
}

#[test]
fn interior_nodes_among_the_device_info_are_passed_over() {
    let mut draft = message(1).md5(b"stored").dev_info(&[("./DevInfo", "DevId/Man"), ("./DevInfo/Man", "M")]);
    let Some(Command::Write(write)) = draft.0.commands.first_mut() else { panic!("no Replace") };
    write.items[0].meta.format = Some("node".into());
    write.items[0].target = write.items[0].source.take();

    let info = World::new().receive(draft).device.unwrap();

    assert_eq!(info, DeviceInfo { man: Some("M".into()), ..DeviceInfo::default() });
}

#[test]
fn replace_with_a_node_outside_is_not_taken_at_all() {
    assert_eq!(told(&[("./DevInfo/Man", "M"), ("./DevInformation", "x")]), None);
}

#[test]
fn value_beyond_the_bound_is_refused() {
    let longest = "x".repeat(4096);

    assert!(told(&[("./DevInfo/Man", &longest)]).is_some());
    assert_eq!(told(&[("./DevInfo/Man", &format!("{longest}x"))]), None);
}

#[test]
fn package_1_without_device_information_goes_on() {
    let received = World::new().receive(message(1).md5(b"stored").alert("1201"));

    assert_eq!((received.stage, received.device), (crate::dm1::Stage::Ready, None));
}
