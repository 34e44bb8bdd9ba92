//! ISubscriberServices as it looks from outside.

use muster_broker::store::{Keep, Once};
use muster_northbound::contract::{Operation, operations};
use muster_protocol::soap::Version;

use crate::world::{BOTH, NUMBER, World, body, do_operation, envelope, media_type, session_of};

const IMEI: &str = "IMEI:490154203237518";

async fn create(world: &World, session: &str, record: &str) -> crate::world::Reply {
    let parameters = format!("{}<subscriber>{record}</subscriber>", session_of(session));
    world.call(Version::Soap11, "createSubscriber", &parameters).await
}

#[tokio::test]
async fn a_subscriber_lives_through_every_operation_in_both_versions() {
    for version in BOTH {
        let (world, session) = World::with_session().await;
        let call = async |operation: &str, parameters: &str| {
            world.call(version, operation, &format!("{}{parameters}", session_of(&session))).await
        };
        let record = format!(
            "<subscriberId>s1</subscriberId><phoneNumber>{NUMBER}</phoneNumber><imsi>262011234567890</imsi>\
             <accountReference>A-1</accountReference><optIn>true</optIn>\
             <attribute><name>plan</name><value>gold</value></attribute>"
        );
        let made = call("createSubscriber", &format!("<subscriber>{record}</subscriber>")).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert!(made.text.contains(&format!("<storedSubscriber>{record}<version>1</version>")), "{}", made.text);

        let pair = format!("<subscriberId>s1</subscriberId><deviceID>{IMEI}</deviceID>");
        for _ in 0..2 {
            assert_eq!(call("assignDevice", &pair).await.text_of("deviceID"), IMEI);
        }
        let device = call("getDeviceInstanceByDeviceID", &format!("<deviceID>{IMEI}</deviceID>")).await;
        assert_eq!(device.text_of("subscriberId"), "s1");

        let by_id = call("getSubscriberById", "<subscriberId>s1</subscriberId>").await;
        let by_number = call("getSubscriberByPhoneNumber", &format!("<phoneNumber>{NUMBER}</phoneNumber>")).await;
        for found in [&by_id, &by_number] {
            assert_eq!([found.text_of("deviceID"), found.text_of("optIn")], [IMEI, "true"]);
        }
        let listed = call("getSubscribers", "<accountReference>A-1</accountReference>").await;
        assert_eq!([listed.text_of("totalCount"), listed.text_of("subscriberId")], ["1", "s1"]);
        let other = call("getSubscribers", "<accountReference>A-2</accountReference>").await;
        assert_eq!(other.text_of("totalCount"), "0");

        // What was read may be sent back: the devices in it are passed over.
        let changed = "<subscriber><subscriberId>s1</subscriberId><deviceID>IMEI:356938035643809</deviceID>\
             <version>1</version></subscriber>";
        let changed = call("updateSubscriber", changed).await;
        assert_eq!(
            [changed.text_of("version"), changed.text_of("optIn"), changed.text_of("deviceID")],
            ["2", "true", IMEI]
        );

        for _ in 0..2 {
            let left = call("unassignDevice", &pair).await;
            assert!(!left.text.contains("deviceID"), "{}", left.text);
        }
        let gone = call("deleteSubscriber", "<subscriberId>s1</subscriberId><version>2</version>").await;
        assert!(gone.content().children.is_empty());
        call("getSubscriberById", "<subscriberId>s1</subscriberId>").await.is_fault("UnknownSubscriber", &["s1"]);
    }
}

#[tokio::test]
async fn what_cannot_be_is_told_with_the_faults_of_the_contract() {
    let (world, session) = World::with_session().await;
    create(&world, &session, &format!("<subscriberId>s1</subscriberId><phoneNumber>{NUMBER}</phoneNumber>")).await;
    create(&world, &session, "<subscriberId>s2</subscriberId>").await;
    let device = format!("<deviceID>{IMEI}</deviceID>");
    for (operation, parameters, name, variables) in [
        (
            "createSubscriber",
            "<subscriber><subscriberId>s1</subscriberId></subscriber>".into(),
            "AlreadyExists",
            vec!["subscriberId", "s1"],
        ),
        (
            "createSubscriber",
            format!("<subscriber><phoneNumber>{NUMBER}</phoneNumber></subscriber>"),
            "AlreadyExists",
            vec!["phoneNumber", NUMBER],
        ),
        ("createSubscriber", "<subscriber><imsi>1</imsi></subscriber>".into(), "InvalidArgument", vec!["imsi", "1"]),
        (
            "createSubscriber",
            "<subscriber><optIn>maybe</optIn></subscriber>".into(),
            "InvalidArgument",
            vec!["subscriber.optIn", "maybe"],
        ),
        (
            "createSubscriber",
            "<subscriber><name>x</name></subscriber>".into(),
            "InvalidArgument",
            vec!["subscriber.name", "x"],
        ),
        ("createSubscriber", String::new(), "MissingArgument", vec!["subscriber"]),
        ("updateSubscriber", "<subscriber/>".into(), "MissingArgument", vec!["subscriberId"]),
        (
            "updateSubscriber",
            "<subscriber><subscriberId>s9</subscriberId></subscriber>".into(),
            "UnknownSubscriber",
            vec!["s9"],
        ),
        (
            "updateSubscriber",
            "<subscriber><subscriberId>s1</subscriberId><version>4</version></subscriber>".into(),
            "OutdatedVersion",
            vec!["1"],
        ),
        (
            "updateSubscriber",
            format!("<subscriber><subscriberId>s2</subscriberId><phoneNumber>{NUMBER}</phoneNumber></subscriber>"),
            "AlreadyExists",
            vec!["phoneNumber", NUMBER],
        ),
        ("deleteSubscriber", "<subscriberId>s9</subscriberId>".into(), "UnknownSubscriber", vec!["s9"]),
        (
            "deleteSubscriber",
            "<subscriberId>s1</subscriberId><version>9</version>".into(),
            "OutdatedVersion",
            vec!["1"],
        ),
        (
            "getSubscriberByPhoneNumber",
            "<phoneNumber>+15559999999</phoneNumber>".into(),
            "UnknownSubscriber",
            vec!["+15559999999"],
        ),
        ("assignDevice", format!("<subscriberId>s9</subscriberId>{device}"), "UnknownSubscriber", vec!["s9"]),
        (
            "assignDevice",
            "<subscriberId>s1</subscriberId><deviceID>IMEI:356938035643809</deviceID>".into(),
            "UnknownDevice",
            vec!["IMEI:356938035643809"],
        ),
        (
            "unassignDevice",
            "<subscriberId>s1</subscriberId><deviceID>IMEI:356938035643809</deviceID>".into(),
            "UnknownDevice",
            vec!["IMEI:356938035643809"],
        ),
        ("getSubscribers", "<page><pageToken>x</pageToken></page>".into(), "InvalidPageToken", vec![]),
        (
            "createDeviceInstance",
            "<deviceInstance><deviceID>MEID:A1</deviceID><subscriberId>s9</subscriberId></deviceInstance>".into(),
            "UnknownSubscriber",
            vec!["s9"],
        ),
    ] {
        for version in BOTH {
            let reply = world.call(version, operation, &format!("{}{parameters}", session_of(&session))).await;
            reply.is_fault(name, &variables);
        }
    }
}

#[tokio::test]
async fn a_subscriber_of_another_domain_is_unknown_and_rights_are_looked_at_first() {
    let (world, session) = World::with_session().await;
    create(&world, &session, "<subscriberId>s1</subscriberId>").await;
    let stranger = world.login("stranger").await;
    let parameters = "<subscriberId>s1</subscriberId>";
    for operation in ["getSubscriberById", "deleteSubscriber"] {
        let reply = world.call(Version::Soap11, operation, &format!("{}{parameters}", session_of(&stranger))).await;
        reply.is_fault("UnknownSubscriber", &["s1"]);
    }
    let list = world.call(Version::Soap11, "getSubscribers", &session_of(&stranger)).await;
    assert_eq!(list.text_of("totalCount"), "0");

    let reader = world.login("reader").await;
    for operation in operations().iter().filter(|operation| operation.port_type == "ISubscriberServices") {
        let is_read = operation.rights.iter().all(|(_, right)| *right == "read");
        // Parameters that are missing are told only to who has the right.
        let reply = world.call(Version::Soap11, operation.name, &session_of(&reader)).await;
        if !is_read {
            reply.is_fault("NotAuthorized", &["subscriber", operation.rights[0].1]);
        } else if operation.name != "getSubscribers" {
            assert_eq!(reply.fault().name, "MissingArgument");
        }
    }
    // Care may change a subscriber, but not whose a device is.
    let care = world.login("care").await;
    let known = session_of(&care);
    let changed = format!("{known}<subscriber><subscriberId>s1</subscriberId><optIn>1</optIn></subscriber>");
    assert_eq!(world.call(Version::Soap11, "updateSubscriber", &changed).await.text_of("optIn"), "true");
    let taken = format!("{known}<subscriberId>s1</subscriberId><deviceID>{IMEI}</deviceID>");
    world.call(Version::Soap11, "assignDevice", &taken).await.is_fault("NotAuthorized", &["device", "update"]);
}

#[tokio::test]
async fn every_operation_has_its_own_address_and_no_other_port_type_serves_it() {
    let (world, session) = World::with_session().await;
    let text = envelope(Version::Soap11, "", &body("getSubscribers", &session_of(&session)));
    let send = async |path: &str| {
        let request = axum::http::Request::post(path).header("content-type", media_type(Version::Soap11));
        world.send(request.body(axum::body::Body::from(text.clone())).unwrap()).await
    };
    assert_eq!(send("/wsi/ISubscriberServices").await.text_of("totalCount"), "0");
    send("/wsi/IDeviceManagerServices").await.is_fault("UnknownMessage", &["getSubscribers"]);
    let action = Operation::GetSubscribers.descriptor().action();
    assert_eq!(action, "urn:muster:dmwsi:v1:ISubscriberServices:getSubscribers");
}

#[tokio::test]
async fn consent_is_demanded_and_given_over_the_wire() {
    let world = World::new().await;
    let store = world.broker.store();
    let mut tenant = store.tenant_get("acme").await.unwrap().unwrap();
    tenant.settings.consent_demanded = true;
    let keep = Keep::Changed { version: tenant.version };
    let deed = muster_broker::ledger::Deed::local("acme", "test", muster_broker::time::Timestamp(0));
    assert!(matches!(store.tenant_keep(tenant, keep, deed, None).await.unwrap(), Once::Now(Ok(_))));
    world.broker.directory().forget();
    let session = world.login("root").await;
    let device = format!(
        "{}<deviceInstance><deviceID>{IMEI}</deviceID><phoneNumber>{NUMBER}</phoneNumber></deviceInstance>",
        session_of(&session)
    );
    world.call(Version::Soap11, "createDeviceInstance", &device).await;
    for version in BOTH {
        world.call(version, "doOperation", &do_operation(&session)).await.is_fault("ConsentRequired", &[IMEI]);
    }
    let record = format!("<phoneNumber>{NUMBER}</phoneNumber><optIn>true</optIn>");
    assert_eq!(create(&world, &session, &record).await.status, 200);
    let accepted = world.call(Version::Soap11, "doOperation", &do_operation(&session)).await;
    assert!(accepted.text_of("taskId").starts_with('t'));
}
