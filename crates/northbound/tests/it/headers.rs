//! Header blocks: mustUnderstand, versions, addressing.

use axum::body::Body;
use axum::http::Request;
use muster_protocol::soap::Version;

use crate::world::{BOTH, NS, World, body, envelope, media_type, session_of};

const WSA: &str = "http://www.w3.org/2005/08/addressing";

fn addressed(action: &str, more: &str) -> String {
    format!("<wsa:Action>{NS}:{action}</wsa:Action><wsa:MessageID>urn:uuid:1</wsa:MessageID>{more}")
}

fn with_addressing(version: Version, headers: &str, content: &str) -> String {
    envelope(version, headers, content).replacen("<s:Envelope", &format!("<s:Envelope xmlns:wsa=\"{WSA}\""), 1)
}

#[tokio::test]
async fn a_header_that_must_be_understood_and_is_not_ends_the_request_before_credentials() {
    let world = World::new().await;
    for version in BOTH {
        let header = "<x:secret xmlns:x=\"urn:x\" s:mustUnderstand=\"1\"/>";
        let reply = world.post(version, envelope(version, header, &body("getServiceInfo", ""))).await;
        assert_eq!(reply.status, 500);
        let told = reply.fault();
        assert_eq!((told.code.as_str(), told.message_id.as_str()), ("soap:MustUnderstand", ""));
        assert_eq!(reply.text.contains("NotUnderstood"), version == Version::Soap12);
    }
}

#[tokio::test]
async fn an_envelope_of_another_soap_is_answered_in_soap_1_1_with_the_versions_served() {
    let world = World::new().await;
    let text = envelope(Version::Soap12, "", &body("getServiceInfo", ""))
        .replace(Version::Soap12.namespace(), "http://www.w3.org/2001/12/soap-envelope");
    let reply = world.post(Version::Soap12, text).await;
    assert_eq!(reply.status, 500);
    assert_eq!(reply.header("content-type"), Some("text/xml; charset=utf-8"));
    assert_eq!(reply.fault().code, "soap:VersionMismatch");
    assert!(reply.text.contains("SupportedEnvelope"));
}

#[tokio::test]
async fn the_envelope_decides_the_version_whatever_the_media_type_is() {
    let (world, session) = World::with_session().await;
    for (version, other) in [(Version::Soap11, Version::Soap12), (Version::Soap12, Version::Soap11)] {
        let text = envelope(version, "", &body("getServiceInfo", &session_of(&session)));
        let reply = world.post(other, text).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some(media_type(version)));
        assert_eq!(reply.version(), version);
    }
}

#[tokio::test]
async fn the_answer_relates_to_its_request_only_where_addressing_was_used() {
    let (world, session) = World::with_session().await;
    for version in BOTH {
        let content = body("getServiceInfo", &session_of(&session));
        let headers = addressed("ISessionServices:getServiceInfo", "");
        let reply = world.post(version, with_addressing(version, &headers, &content)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.text_of("RelatesTo"), "urn:uuid:1");
        assert_eq!(reply.text_of("Action"), format!("{NS}:ISessionServices:getServiceInfoResponse"));
        let plain = world.post(version, envelope(version, "", &content)).await;
        assert!(!plain.text.contains(WSA));

        let missing = body("getTaskById", &format!("{}<taskId>t-9</taskId>", session_of(&session)));
        let headers = addressed("IDeploymentBrokerServices:getTaskById", "");
        let reply = world.post(version, with_addressing(version, &headers, &missing)).await;
        reply.is_fault("UnknownTask", &["t-9"]);
        let action = format!("{NS}:IDeploymentBrokerServices:getTaskById:Fault:ServiceException");
        assert_eq!(reply.text_of("Action"), action);
        assert_eq!(reply.text_of("RelatesTo"), "urn:uuid:1");
    }
}

#[tokio::test]
async fn an_answer_is_never_sent_to_an_address_that_is_not_on_the_callers_list() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    for version in BOTH {
        for name in ["ReplyTo", "FaultTo"] {
            let endpoint = format!("<wsa:{name}><wsa:Address>http://127.0.0.1:9/</wsa:Address></wsa:{name}>");
            let headers = addressed("IDeploymentBrokerServices:doOperation", &endpoint);
            let content = body("doOperation", &crate::world::do_operation(&session));
            let reply = world.post(version, with_addressing(version, &headers, &content)).await;
            let told = reply.fault();
            assert_eq!(told.message_id, "");
            match version {
                Version::Soap11 => assert_eq!(told.code, "c:OnlyAnonymousAddressSupported"),
                Version::Soap12 => {
                    assert_eq!(told.subcode, "c:InvalidAddressingHeader/c:OnlyAnonymousAddressSupported");
                }
            }
        }
    }
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn actions_that_contradict_the_body_or_each_other_are_refused() {
    let (world, session) = World::with_session().await;
    let content = body("getServiceInfo", &session_of(&session));
    let send = async |version: Version, headers: &str, action: &str| {
        let request = Request::post("/wsi").header("content-type", media_type(version)).header("soapaction", action);
        world.send(request.body(Body::from(with_addressing(version, headers, &content))).unwrap()).await
    };
    let right = format!("{NS}:ISessionServices:getServiceInfo");
    let wrong = format!("{NS}:ISessionServices:logout");
    for version in BOTH {
        for action in [right.clone(), format!("\"{right}\""), String::new(), "\"\"".to_owned()] {
            assert_eq!(send(version, "", &action).await.status, 200, "{action}");
        }
        send(version, "", &wrong).await.is_fault("InvalidArgument", &["SOAPAction", &wrong]);
        send(version, "", "elsewhere").await.is_fault("InvalidArgument", &["SOAPAction", "elsewhere"]);
        let headers = addressed("ISessionServices:getServiceInfo", "");
        let told = send(version, &headers, &wrong).await.fault();
        assert!(told.code == "c:ActionMismatch" || told.subcode.ends_with("/c:ActionMismatch"), "{told:?}");
        let headers = addressed("ISessionServices:logout", "");
        let told = send(version, &headers, "").await.fault();
        assert!(told.code == "c:ActionNotSupported" || told.subcode == "c:ActionNotSupported", "{told:?}");
    }
    let other = format!("application/soap+xml; action=\"{wrong}\"");
    let request = Request::post("/wsi").header("content-type", other);
    let text = envelope(Version::Soap12, "", &content);
    world.send(request.body(Body::from(text)).unwrap()).await.is_fault("InvalidArgument", &["action", &wrong]);
}

#[tokio::test]
async fn other_spellings_of_two_operations_are_answered_in_kind() {
    let (world, session) = World::with_session().await;
    let task =
        world.call(Version::Soap11, "doOperation", &crate::world::do_operation(&session)).await.text_of("taskId");
    let parameters = format!("{}<taskId>{task}</taskId>", session_of(&session));
    let reply = world.call(Version::Soap11, "getTaskByID", &parameters).await;
    assert!(reply.content().is(NS, "getTaskByIDResponse"), "{}", reply.text);
    world
        .call(Version::Soap11, "doBoostrap", &session_of(&session))
        .await
        .is_fault("MissingArgument", &["phoneNumber"]);
}

#[tokio::test]
async fn a_request_that_wants_no_answer_is_carried_out_and_gets_none() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let endpoint = format!("<wsa:ReplyTo><wsa:Address>{WSA}/none</wsa:Address></wsa:ReplyTo>");
    let headers = addressed("IDeploymentBrokerServices:doOperation", &endpoint);
    let content = body("doOperation", &crate::world::do_operation(&session));
    let reply = world.post(Version::Soap11, with_addressing(Version::Soap11, &headers, &content)).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (202, ""));
    assert_ne!(world.state(&session).await, before);
}
