//! Faults that a request can end in, in both versions.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use muster_broker::services::Settings as BrokerSettings;
use muster_northbound::{Settings, identity};
use muster_protocol::soap::Version;

use crate::world::{BOTH, World, body, do_operation, envelope, media_type, quick, session_of};

#[tokio::test]
async fn each_fault_of_an_operation_has_its_code_its_variables_and_its_status() {
    let (world, session) = World::with_session().await;
    let known = session_of(&session);
    let stranger = world.login("stranger").await;
    let task = world.call(Version::Soap11, "doOperation", &do_operation(&session)).await.text_of("taskId");
    let capability =
        format!("{known}<deviceCapability><manufacturer>m</manufacturer><model>n</model></deviceCapability>");
    let oid = world.call(Version::Soap11, "createDeviceCapability", &capability).await.text_of("oid");
    let operation = |operation: &str, policy: &str| {
        do_operation(&session).replace("QUERY", operation).replace(">20<", &format!(">{policy}<"))
    };
    let device = |fields: &str| format!("{known}<deviceInstance>{fields}</deviceInstance>");
    let reused = |name: &str| format!("{}<requestId>same</requestId>", do_operation(&session).replace("QUERY", name));
    assert_eq!(world.call(Version::Soap11, "doOperation", &reused("QUERY")).await.status, 200);
    let cases: Vec<(&str, String, &str, Vec<&str>)> = vec![
        ("doOperation", operation("QUERY", "15"), "InvalidArgument", vec!["acceptDevicePolicy", "15"]),
        ("doOperation", operation("QUERY", "40"), "UnsupportedPolicy", vec![]),
        ("doOperation", operation("DANCE", "20"), "UnknownOperation", vec!["DANCE"]),
        ("doOperation", operation("LOCK", "20"), "UnsupportedOperation", vec!["LOCK"]),
        ("doOperation", reused("SESSION"), "RequestIdReused", vec![]),
        ("getTaskById", format!("{known}<taskId>t-9</taskId>"), "UnknownTask", vec!["t-9"]),
        ("getTaskById", format!("{}<taskId>{task}</taskId>", session_of(&stranger)), "UnknownTask", vec![&task]),
        ("getTaskById", known.clone(), "MissingArgument", vec!["taskId"]),
        ("getJobById", format!("{known}<jobId>j-9</jobId>"), "UnknownJob", vec!["j-9"]),
        (
            "getDeviceInstanceByDeviceID",
            format!("{known}<deviceID>IMEI:356938035643809</deviceID>"),
            "UnknownDevice",
            vec![],
        ),
        (
            "getDeviceInstanceByDeviceID",
            format!("{known}<deviceID>IMEI:356938035643800</deviceID>"),
            "InvalidArgument",
            vec!["deviceID", "IMEI:356938035643800"],
        ),
        ("getDeviceCapabilityByOid", format!("{known}<oid>c-9</oid>"), "UnknownCapability", vec!["c-9"]),
        (
            "createDeviceInstance",
            device("<deviceID>urn:imei:490154203237518</deviceID>"),
            "AlreadyExists",
            vec!["deviceID", "IMEI:490154203237518"],
        ),
        (
            "updateDeviceInstance",
            device("<deviceID>IMEI:490154203237518</deviceID><version>99</version>"),
            "OutdatedVersion",
            vec![],
        ),
        ("deleteDeviceCapability", format!("{known}<oid>{oid}</oid><version>7</version>"), "OutdatedVersion", vec![]),
        ("getJobs", format!("{known}<page><pageToken>made-up</pageToken></page>"), "InvalidPageToken", vec![]),
        ("getJobs", format!("{known}<page><pageSize>0</pageSize></page>"), "InvalidArgument", vec!["pageSize", "0"]),
        ("openTunnel", known.clone(), "NotImplemented", vec!["openTunnel"]),
    ];
    for (name, parameters, fault, variables) in cases {
        for version in BOTH {
            let reply = world.call(version, name, &parameters).await;
            assert_eq!(reply.version(), version);
            let told = reply.fault();
            assert_eq!(told.name, fault, "{name} {parameters}: {}", reply.text);
            if !variables.is_empty() {
                reply.is_fault(fault, &variables);
            }
            assert_eq!(told.correlation.len(), 36);
        }
    }
}

#[tokio::test]
async fn without_credentials_the_answer_is_401_with_a_challenge_and_the_fault() {
    let world = World::new().await;
    for version in BOTH {
        for operation in ["getServiceInfo", "doOperation", "openTunnel", "logout"] {
            let reply = world.call(version, operation, "").await;
            assert_eq!(reply.status, 401);
            assert!(reply.header("www-authenticate").unwrap().starts_with("Basic realm="));
            assert_eq!(reply.fault().message_id, "DMP0001");
        }
    }
}

#[tokio::test]
async fn without_http_basic_nobody_is_challenged() {
    let settings =
        Settings { identity: identity::Settings { basic: false, ..quick().identity }, ..Settings::default() };
    let world = World::with(settings, BrokerSettings::default()).await;
    for version in BOTH {
        let reply = world.call(version, "getServiceInfo", "").await;
        reply.is_fault("NotAuthenticated", &[]);
        assert_eq!(reply.header("www-authenticate"), None);
    }
}

#[tokio::test]
async fn a_wrong_session_and_an_ended_one_are_told_apart_and_not_challenged() {
    let (world, session) = World::with_session().await;
    for version in BOTH {
        world.call(version, "getServiceInfo", &session_of("made-up")).await.is_fault("NotAuthenticated", &[]);
    }
    world.clock.advance_s(24 * 3600);
    for version in BOTH {
        world.call(version, "getServiceInfo", &session_of(&session)).await.is_fault("SessionExpired", &[]);
    }
}

#[tokio::test]
async fn a_caller_without_the_right_is_told_so_before_its_arguments_are_read() {
    let world = World::new().await;
    let session = world.login("reader").await;
    for version in BOTH {
        let parameters = format!("{}<nonsense/>", session_of(&session));
        world.call(version, "doOperation", &parameters).await.is_fault("NotAuthorized", &["device", "operate"]);
    }
}

#[tokio::test]
async fn requests_above_the_rate_are_refused_for_a_moment() {
    let limits = BrokerSettings { requests_per_second_max: 1, ..BrokerSettings::default() };
    let world = World::with(quick(), limits).await;
    let session = session_of(&world.login("root").await);
    assert_eq!(world.call(Version::Soap11, "getServiceInfo", &session).await.status, 200);
    for version in BOTH {
        let reply = world.call(version, "getServiceInfo", &session).await;
        reply.is_fault("TooManyRequests", &[]);
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(reply.fault().retry_after.as_deref(), Some("1"));
    }
    world.clock.advance_s(1);
    assert_eq!(world.call(Version::Soap11, "getServiceInfo", &session).await.status, 200);
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_while_it_is_read() {
    let settings = BrokerSettings { request_bytes_max: 2_000, ..BrokerSettings::default() };
    let world = World::with(quick(), settings).await;
    for version in BOTH {
        let text = envelope(version, "", &body("getServiceInfo", ""));
        let pad = |octets: usize| format!("{text}{}", " ".repeat(octets - text.len()));
        assert_eq!(world.post(version, pad(2_000)).await.fault().name, "NotAuthenticated");
        // With the length told, and without.
        let told = Request::post("/wsi").header("content-type", media_type(version)).header("content-length", "2001");
        let reply = world.send(told.body(Body::from(pad(2_001))).unwrap()).await;
        reply.is_fault("RequestTooLarge", &["2000"]);
        assert_eq!(reply.header("connection"), Some("close"));
        world.post(version, pad(2_001)).await.is_fault("RequestTooLarge", &["2000"]);
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let settings = Settings { body_time: Duration::from_millis(20), ..quick() };
    let world = World::with(settings, BrokerSettings::default()).await;
    let request = Request::post("/wsi").header("content-type", "text/xml");

    let reply = world.send(request.body(Body::new(Stalled)).unwrap()).await;

    assert_eq!(reply.status, 408);
    assert_eq!(reply.header("connection"), Some("close"));
}

/// A body that neither goes on nor ends.
struct Stalled;

impl hyper::body::Body for Stalled {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn a_panic_in_a_request_is_an_internal_error_without_internals() {
    let (world, session) = World::with_session().await;
    for version in BOTH {
        world.clock.break_at_call(2);
        let reply = world.call(version, "getServiceInfo", &session_of(&session)).await;
        reply.is_fault("InternalError", &[]);
        assert!(!reply.text.contains("clock"), "{}", reply.text);
        world.clock.break_at_call(0);
        assert_eq!(world.call(version, "getServiceInfo", &session_of(&session)).await.status, 200);
    }
}
