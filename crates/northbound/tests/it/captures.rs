//! Requests of ten client toolkits, byte for byte but for the identifiers in them.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::world::{World, do_operation};
use muster_protocol::soap::Version;

const CAPTURES: &str = include_str!("../captures.jsonl");
const MTOM: &[u8] = include_bytes!("../capture-mtom.http");

fn request(capture: &Value, envelope: String) -> Request<Body> {
    let mut request = Request::post("/wsi");
    for (name, value) in capture["headers"].as_object().unwrap() {
        request = request.header(name.as_str(), value.as_str().unwrap());
    }
    request.body(Body::from(envelope)).unwrap()
}

#[tokio::test]
async fn every_request_of_real_toolkits_is_served() {
    let (world, session) = World::with_session().await;
    let task = world.call(Version::Soap11, "doOperation", &do_operation(&session)).await.text_of("taskId");
    let job_of = format!(
        "<userSession><sessionId>{session}</sessionId></userSession><request><operation>QUERY</operation>\
         <phoneNumber>+15551234567</phoneNumber><bOptin>false</bOptin><acceptDevicePolicy>20</acceptDevicePolicy>\
         <testCycle>false</testCycle></request>"
    );
    let job = world.call(Version::Soap11, "doBulkOperation", &job_of).await.text_of("jobId");
    let mut served = 0;
    for line in CAPTURES.lines() {
        let capture: Value = serde_json::from_str(line).unwrap();
        let operation = capture["operation"].as_str().unwrap();
        let client = capture["client"].as_str().unwrap();
        // A session of its own, because some captures end it; UPDATE needs something to update, QUERY does not.
        let session = world.login("root").await;
        let envelope = capture["envelope"]
            .as_str()
            .unwrap()
            .replace(">s</", &format!(">{session}</"))
            .replace(">j-0</", &format!(">{job}</"))
            .replace(">t-1</", &format!(">{task}</"))
            .replace(">UPDATE</", ">QUERY</");

        let reply = world.send(request(&capture, envelope)).await;

        let version = if capture["soap"] == "1.2" { Version::Soap12 } else { Version::Soap11 };
        assert_eq!(reply.version(), version, "{client}");
        match operation {
            "ingestPackage" => reply.is_fault("NotImplemented", &["ingestPackage"]),
            // Some toolkits were captured asking for a task that does not exist.
            "getTaskById" if line.contains(">missing<") => reply.is_fault("UnknownTask", &["missing"]),
            _ => {
                assert_eq!(reply.status, 200, "{client} {operation}: {}", reply.text);
                let content = reply.content();
                assert!(content.is("urn:muster:dmwsi:v1", &format!("{operation}Response")), "{client}");
                match operation {
                    "doOperation" => assert!(reply.text_of("taskId").starts_with('t')),
                    "getTaskById" => assert_eq!(reply.text_of("taskId"), task),
                    "getTasks" => assert_eq!(reply.text_of("totalCount"), "1"),
                    "logout" => assert!(content.children.is_empty()),
                    other => panic!("{other} has no expectation"),
                }
            }
        }
        served += 1;
    }
    assert_eq!(served, CAPTURES.lines().count());
    assert!(served > 40);
}

#[tokio::test]
async fn a_message_in_parts_is_refused_by_its_media_type() {
    let world = World::new().await;
    let at = MTOM.windows(4).position(|octets| octets == b"\r\n\r\n").map(|at| at + 4);
    let at = at.or_else(|| MTOM.windows(2).position(|octets| octets == b"\n\n").map(|at| at + 2)).unwrap();
    let head = String::from_utf8_lossy(&MTOM[..at]).into_owned();
    let media_type = head.lines().find_map(|line| line.strip_prefix("Content-Type: ")).unwrap();
    let request = Request::post("/wsi").header("content-type", media_type.trim());

    let reply = world.send(request.body(Body::from(MTOM[at..].to_vec())).unwrap()).await;

    assert_eq!(reply.status, 415);
}
