//! What no toolkit would send.

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use muster_protocol::soap::Version;
use proptest::prelude::*;

use crate::world::{BOTH, NS, World, body, do_operation, envelope, session_of};

/// Contents that are refused, each with its fault and variables.
fn contents(session: &str) -> Vec<(String, &'static str, Vec<String>)> {
    let known = session_of(session);
    let good = do_operation(session);
    let list = |items: &[&str]| items.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let operation = |text: String| body("doOperation", &text);
    vec![
        (operation(good.replace(">QUERY<", "><b/><")), "InvalidArgument", list(&["operation", ""])),
        (operation(good.replace("<bOptin>false</bOptin>", "")), "MissingArgument", list(&["bOptin"])),
        (operation(good.replace(">false<", ">maybe<")), "InvalidArgument", list(&["bOptin", "maybe"])),
        (operation(good.replace(">20<", ">15<")), "InvalidArgument", list(&["acceptDevicePolicy", "15"])),
        (operation(good.replace(">20<", ">2e1<")), "InvalidArgument", list(&["acceptDevicePolicy", "2e1"])),
        (
            operation(good.replace(">20<", ">99999999999<")),
            "InvalidArgument",
            list(&["acceptDevicePolicy", "99999999999"]),
        ),
        (operation(good.replace(">20<", ">40<")), "UnsupportedPolicy", list(&["40"])),
        (operation(format!("{good}<operation>UPDATE</operation>")), "InvalidArgument", list(&["operation", "UPDATE"])),
        (operation(format!("{good}<drop>tables</drop>")), "InvalidArgument", list(&["drop", "tables"])),
        (
            operation(format!("{good}<x:deviceID xmlns:x='urn:x'>a</x:deviceID>")),
            "InvalidArgument",
            list(&["deviceID", "a"]),
        ),
        (operation(format!("{good}stray")), "InvalidArgument", list(&["", "stray"])),
        (
            operation(good.replace("+15551234567", "+1555-1234")),
            "InvalidArgument",
            list(&["phoneNumber", "+1555-1234"]),
        ),
        (operation(format!("{good}<requestId>a b</requestId>")), "InvalidArgument", list(&["requestId", "a b"])),
        (
            operation(format!("{good}<schedule><startTime>tomorrow</startTime></schedule>")),
            "InvalidArgument",
            list(&["schedule.startTime", "tomorrow"]),
        ),
        (
            operation(format!("{good}<schedule><dailyWindowStart>25:00:00</dailyWindowStart></schedule>")),
            "InvalidArgument",
            list(&["schedule.dailyWindowStart", "25:00:00"]),
        ),
        (
            operation(format!("{good}<arguments><parameter><value>1</value></parameter></arguments>")),
            "MissingArgument",
            list(&["arguments.parameter[0].path"]),
        ),
        (
            body("createDeviceInstance", &format!("{known}<deviceInstance><imsi>12x456</imsi></deviceInstance>")),
            "InvalidArgument",
            list(&["deviceInstance.imsi", "12x456"]),
        ),
        (
            body("getTaskById", "<userSession xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>"),
            "NotAuthenticated",
            vec![],
        ),
        (body("getTasks", &known), "MissingArgument", list(&["jobId"])),
        (body("dropEverything", &known), "UnknownMessage", list(&["dropEverything"])),
        (format!("<doOperation xmlns='urn:else'>{good}</doOperation>"), "UnknownMessage", list(&["doOperation"])),
        (format!("<doOperation>{good}</doOperation>"), "UnknownMessage", list(&["doOperation"])),
        (String::new(), "MalformedMessage", vec![]),
        (format!("{0}{0}", body("logout", &known)), "MalformedMessage", vec![]),
    ]
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_with_their_fault_and_change_nothing() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    for (content, fault, variables) in contents(&session) {
        for version in BOTH {
            let reply = world.post(version, envelope(version, "", &content)).await;
            let told = reply.fault();
            assert_eq!((told.name.as_str(), told.message_id.len()), (fault, 7), "{content}: {}", reply.text);
            if fault == "NotAuthenticated" {
                assert_eq!(reply.status, 401);
            } else if told.message_id == "DMS0002" && variables.len() == 1 {
                assert_eq!(told.variables.first(), variables.first(), "{content}");
            } else if fault != "UnsupportedPolicy" {
                let variables: Vec<_> = variables.iter().map(String::as_str).collect();
                reply.is_fault(fault, &variables);
            }
        }
    }
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn documents_that_are_no_messages_are_refused_and_change_nothing() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    for version in BOTH {
        let good = envelope(version, "", &body("doOperation", &do_operation(&session)));
        let deep = format!("{}{}", "<a>".repeat(70), "</a>".repeat(70));
        let wide: String = (0..70).map(|at| format!(" a{at}=''")).collect();
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (Vec::new(), "MalformedMessage"),
            (b"\0\xFF\xFE".to_vec(), "MalformedMessage"),
            (b"{\"jsonrpc\": \"2.0\"}".to_vec(), "MalformedMessage"),
            (format!("<!DOCTYPE x [<!ENTITY a 'b'>]>{good}").into_bytes(), "MalformedMessage"),
            (format!("<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'>{good}").into_bytes(), "MalformedMessage"),
            (format!("<?php evil ?>{good}").into_bytes(), "MalformedMessage"),
            (good.replace("QUERY", "&file;").into_bytes(), "MalformedMessage"),
            (good.replace("QUERY", "&#0;").into_bytes(), "MalformedMessage"),
            (good.replace("</s:Envelope>", "").into_bytes(), "MalformedMessage"),
            (format!("{good}{good}").into_bytes(), "MalformedMessage"),
            (good.replace("s:Body", "s:Bodice").into_bytes(), "MalformedMessage"),
            (good.replace("s:Envelope", "s:Letter").into_bytes(), "MalformedMessage"),
            (good.replace("<s:Body>", "<s:Body><x:y/>").into_bytes(), "MalformedMessage"),
            (good.replace("QUERY", "caf\u{e9}").chars().map(|c| c as u8).collect(), "MalformedMessage"),
            (good.replace("QUERY", &deep).into_bytes(), "RequestTooLarge"),
            (good.replace("<operation>", &format!("<operation{wide}>")).into_bytes(), "RequestTooLarge"),
            (good.replace("operation", &"o".repeat(300)).into_bytes(), "RequestTooLarge"),
            (good.replace("<s:Header>", &format!("<s:Header>{}", "<h/>".repeat(33))).into_bytes(), "RequestTooLarge"),
        ];
        for (octets, fault) in cases {
            let shown = String::from_utf8_lossy(&octets).chars().take(80).collect::<String>();
            let reply = world.post(version, octets).await;
            assert_eq!(reply.version(), version, "{shown}");
            let told = reply.fault();
            assert_eq!(told.name, fault, "{shown}: {}", reply.text);
            let variables: Vec<_> = told.variables.iter().map(String::as_str).collect();
            reply.is_fault(fault, &variables);
        }
    }
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn what_is_no_soap_over_http_is_refused_by_http() {
    let world = World::new().await;
    let text = envelope(Version::Soap11, "", &body("getServiceInfo", ""));
    let post = |media_type: &'static str| Request::post("/wsi").header("content-type", media_type);
    for (request, status) in [
        (post("application/json"), 415),
        (Request::post("/wsi"), 415),
        (post("text/xml").header("content-encoding", "gzip"), 415),
        (post("text/xml").header("content-encoding", "identity"), 401),
        (Request::put("/wsi"), 405),
        (Request::delete("/wsi/ISessionServices"), 405),
        (Request::post("/wsi/INothing").header("content-type", "text/xml"), 404),
        // Clients that cut nothing off their address.
        (Request::post("/wsi?wsdl").header("content-type", "text/xml"), 401),
    ] {
        let reply = world.send(request.body(Body::from(text.clone())).unwrap()).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert_eq!(reply.header("allow"), (status == 405).then_some("GET, HEAD, POST"));
    }
}

#[tokio::test]
async fn a_port_type_in_the_address_serves_its_own_operations_alone() {
    let (world, session) = World::with_session().await;
    let jobs = envelope(Version::Soap11, "", &body("getJobs", &session_of(&session)));
    for (path, is_served) in [
        ("/wsi", true),
        ("/wsi/", true),
        ("/wsi/IBulkOperationsManagerServices", true),
        ("/wsi/IBulkOperationManagerServices", true),
        ("/wsi/IDeviceManagerServices", false),
        ("/wsi/ITunnelServices", false),
    ] {
        let request = Request::post(path).header("content-type", "text/xml");
        let reply = world.send(request.body(Body::from(jobs.clone())).unwrap()).await;
        if is_served {
            assert_eq!(reply.status, 200, "{path}");
        } else {
            reply.is_fault("UnknownMessage", &["getJobs"]);
        }
    }
}

#[tokio::test]
async fn a_value_split_by_a_comment_is_one_value() {
    let (world, session) = World::with_session().await;
    let (first, second) = session.split_at(5);
    let split = session_of(&format!("{first}<!-- -->{second}"));
    assert_eq!(world.call(Version::Soap11, "getServiceInfo", &split).await.status, 200);
}

#[test]
fn any_octets_under_any_headers_end_in_an_answer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let pieces = prop::sample::select(vec![
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>",
        "<s:Body>",
        "</s:Body>",
        "</s:Envelope>",
        "<s:Header>",
        "</s:Header>",
        "<login xmlns='urn:muster:dmwsi:v1'>",
        "</login>",
        "<userName>a</userName>",
        "<password/>",
        "<a:b/>",
        "&lt;",
        "&",
        "<![CDATA[",
        "]]>",
        "text",
        "\u{0}",
        "<!--",
        "-->",
    ]);
    let text = prop::collection::vec(pieces, 0..20).prop_map(|pieces| pieces.concat().into_bytes());
    let octets = prop_oneof![text, prop::collection::vec(any::<u8>(), 0..200)];
    let header = prop::collection::vec(any::<u8>(), 0..40)
        .prop_filter_map("a header", |octets| HeaderValue::from_bytes(&octets).ok());
    let strategy = (octets, prop::sample::select(vec!["text/xml", "application/soap+xml; charset=utf-16"]), header);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 300, ..ProptestConfig::default() });
    runner
        .run(&strategy, |(octets, media_type, header)| {
            let request = Request::post("/wsi")
                .header("content-type", media_type)
                .header("soapaction", header.clone())
                .header("authorization", header);
            let reply = runtime.block_on(world.send(request.body(Body::from(octets)).unwrap()));
            prop_assert!(reply.fault().name != "InternalError", "{}", reply.text);
            prop_assert!(!reply.text.contains(NS) || reply.status != 200);
            Ok(())
        })
        .unwrap();
}
