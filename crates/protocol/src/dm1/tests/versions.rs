//! Sessions of OMA DM 1.1.2, answered in their own version.
use super::world::*;
use crate::{
    dm1::{Action, EndReason, Order, Stage},
    syncml::Encoding,
};

impl Draft {
    fn version(mut self, dtd: &str, proto: &str) -> Self {
        self.0.header.ver_dtd = dtd.into();
        self.0.header.ver_proto = proto.into();
        self
    }

    fn dm_1_1(self) -> Self {
        self.version("1.1", "DM/1.1")
    }
}

#[test]
fn session_of_dm_1_1_is_answered_in_dm_1_1_from_challenge_to_end() {
    let mut world = World::new();
    let mut spoken = Vec::new();
    let mut note = |reply: crate::dm1::Reply| {
        let header = &reply.message.header;
        spoken.push((header.ver_dtd.to_string(), header.ver_proto.to_string()));
        String::from_utf8(reply.message.encode(Encoding::Xml).unwrap()).unwrap()
    };

    world.receive(package_1(1).dm_1_1());
    let challenge = note(world.answer(vec![]));
    world.receive(package_1(2).dm_1_1().md5(b"challenge"));
    note(world.answer(vec![get(1, "./A")]));
    world.session = serde_json::from_str(&serde_json::to_string(&world.session).unwrap()).unwrap();
    let received = world.receive(package_3(3, 2).dm_1_1().status(2, 4, 404));
    note(world.answer(vec![]));

    assert_eq!(answers(&received.outcomes), [(1, code(404))]);
    assert_eq!(spoken, vec![("1.1".to_owned(), "DM/1.1".to_owned()); 3]);
    assert!(challenge.contains("SYNCML:SYNCML1.1"), "{challenge}");
}

#[test]
fn no_correlator_is_sent_in_dm_1_1() {
    let mut world = World::new();
    world.receive(package_1(1).dm_1_1().md5(b"stored"));
    let action = Action::Exec { uri: "./E".into(), data: None, correlator: Some("corr".into()) };

    let reply = world.answer(vec![Order { tag: 1, action }]);

    let text = String::from_utf8(reply.message.encode(Encoding::Xml).unwrap()).unwrap();
    assert!(text.contains("<Exec>") && !text.contains("Correlator"), "{text}");
}

#[test]
fn device_whose_profile_forbids_dm_1_1_is_answered_513_in_our_version() {
    let mut world = World::new();
    world.quirks.dm_1_1 = false;

    let received = world.receive(package_1(1).dm_1_1().md5(b"stored"));
    let reply = world.answer(vec![]);

    assert_eq!((received.stage, received.reason), (Stage::Refuse, Some(EndReason::Version)));
    assert_eq!(statuses(&reply.message)[0].1, 513);
    assert_eq!(reply.message.header.ver_proto, "DM/1.2");
    assert!(reply.over && reply.message.is_final);
}

#[test]
fn dm_1_3_is_answered_513_and_the_device_may_come_back_with_1_2() {
    let mut world = World::new();

    let refused = world.receive(package_1(1).version("1.2", "DM/1.3").md5(b"stored"));
    let reply = world.answer(vec![]);
    let again = World::new().receive(package_1(1).md5(b"stored"));

    assert_eq!((refused.stage, statuses(&reply.message)[0].1), (Stage::Refuse, 513));
    assert!(asked(&reply.message).is_empty());
    assert_eq!(again.stage, Stage::Ready);
}
