//! A table of requests and what each is answered.

use axum::body::Body;
use axum::http::Request;
use muster_broker::services::Settings as BrokerSettings;
use serde_json::{Value, json};

use crate::world::{NUMBER, World, quick};

fn operation() -> Value {
    json!({
        "operation": "QUERY", "phoneNumber": NUMBER, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false,
    })
}

fn with(mut value: Value, name: &str, field: Value) -> Value {
    value[name] = field;
    value
}

#[tokio::test]
async fn bad_requests_get_the_problem_of_the_contract_and_change_nothing() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let device = |name: &str, value: Value| with(json!({"deviceID": "IMEI:356938035643809"}), name, value);
    for (method, path, body, status, name, variables) in [
        ("POST", "/tasks", None, 400, "MissingArgument", vec!["operation"]),
        ("POST", "/tasks", Some(json!({})), 400, "MissingArgument", vec!["operation"]),
        ("POST", "/tasks", Some(json!([])), 400, "InvalidArgument", vec!["body"]),
        ("POST", "/tasks", Some(json!("x")), 400, "InvalidArgument", vec!["body", "x"]),
        ("POST", "/tasks", Some(with(operation(), "x", json!(1))), 400, "InvalidArgument", vec!["x", "1"]),
        (
            "POST",
            "/tasks",
            Some(with(operation(), "bOptin", json!("no"))),
            400,
            "InvalidArgument",
            vec!["bOptin", "no"],
        ),
        (
            "POST",
            "/tasks",
            Some(with(operation(), "bOptin", json!(null))),
            400,
            "InvalidArgument",
            vec!["bOptin", "null"],
        ),
        ("POST", "/tasks", Some(with(operation(), "operation", json!("FLY"))), 400, "UnknownOperation", vec![]),
        ("POST", "/tasks", Some(with(operation(), "operation", json!("WIPE"))), 422, "UnsupportedOperation", vec![]),
        ("POST", "/tasks", Some(with(operation(), "acceptDevicePolicy", json!(40))), 422, "UnsupportedPolicy", vec![]),
        ("POST", "/tasks", Some(with(operation(), "phoneNumber", json!("+4912345678"))), 404, "UnknownDevice", vec![]),
        (
            "POST",
            "/tasks",
            Some(with(operation(), "schedule", json!({"maxAttempts": 0}))),
            400,
            "InvalidArgument",
            vec!["schedule.maxAttempts", "0"],
        ),
        (
            "POST",
            "/tasks",
            Some(with(operation(), "schedule", json!({"endTime": "2020-01-01T00:00:00Z"}))),
            400,
            "InvalidArgument",
            vec!["schedule.endTime"],
        ),
        ("POST", "/tasks?x=1", Some(operation()), 400, "InvalidArgument", vec!["x", "1"]),
        ("GET", "/tasks", None, 400, "MissingArgument", vec!["jobId"]),
        ("GET", "/tasks?createdSince=yesterday", None, 400, "InvalidArgument", vec!["createdSince", "yesterday"]),
        ("GET", "/tasks?jobId=1&jobId=2", None, 400, "InvalidArgument", vec!["jobId", "2"]),
        ("GET", "/tasks?jobId=1&status=ASLEEP", None, 400, "InvalidArgument", vec!["status[0]", "ASLEEP"]),
        ("GET", "/tasks?jobId=a%0Fb", None, 400, "InvalidArgument", vec!["jobId"]),
        ("GET", "/tasks/nothing", None, 404, "UnknownTask", vec![]),
        ("GET", "/tasks/nothing/history", None, 404, "UnknownTask", vec![]),
        ("POST", "/tasks/nothing/cancel", None, 404, "UnknownTask", vec![]),
        ("GET", "/jobs/nothing", None, 404, "UnknownJob", vec![]),
        ("GET", "/jobs?limit=0", None, 400, "InvalidArgument", vec!["limit", "0"]),
        ("GET", "/jobs?limit=ten", None, 400, "InvalidArgument", vec!["limit", "ten"]),
        ("GET", "/jobs?cursor=AAAA", None, 400, "InvalidPageToken", vec![]),
        ("GET", "/jobs?pageSize=1", None, 400, "InvalidArgument", vec!["pageSize", "1"]),
        ("GET", "/jobs?createdSince=2026-01-01T00:00:00Z", None, 400, "MissingArgument", vec!["createdBefore"]),
        ("GET", "/jobs?createdSince=2026-01-01T00:00:00Z&owner=root", None, 400, "ConflictingArguments", vec!["owner"]),
        ("POST", "/jobs", Some(json!({"deployments": []})), 400, "MissingArgument", vec!["deployments"]),
        ("POST", "/jobs", Some(json!({"deployment": []})), 400, "InvalidArgument", vec!["deployment"]),
        (
            "POST",
            "/jobs",
            Some(json!({"deployments": [{"name": 1}]})),
            400,
            "InvalidArgument",
            vec!["deployments[0].name"],
        ),
        ("POST", "/devices", None, 400, "MissingArgument", vec!["body"]),
        ("POST", "/devices", Some(json!([])), 400, "InvalidArgument", vec!["body"]),
        ("POST", "/devices", Some(device("imsi", json!("12"))), 400, "InvalidArgument", vec!["imsi", "12"]),
        (
            "POST",
            "/devices",
            Some(device("deviceID", json!("IMEI:490154203237510"))),
            400,
            "InvalidArgument",
            vec!["deviceID"],
        ),
        ("POST", "/devices", Some(device("deviceID", json!("IMEI:490154203237518"))), 409, "AlreadyExists", vec![]),
        ("POST", "/devices", Some(json!({})), 400, "MissingArgument", vec!["deviceID"]),
        (
            "PUT",
            "/devices/IMEI:490154203237518",
            Some(json!({"deviceID": "IMEI:356938035643809"})),
            400,
            "ConflictingArguments",
            vec!["deviceID"],
        ),
        ("PUT", "/devices/IMEI:356938035643809", Some(json!({})), 404, "UnknownDevice", vec![]),
        ("DELETE", "/devices/IMEI:356938035643809", None, 404, "UnknownDevice", vec![]),
        ("DELETE", "/devices/IMEI:490154203237510", None, 404, "InvalidArgument", vec!["deviceID"]),
        ("GET", "/devices?attribute=colour", None, 400, "InvalidArgument", vec!["attribute", "colour"]),
        ("GET", "/devices?phoneNumber=1", None, 400, "InvalidArgument", vec!["phoneNumber", "1"]),
        ("GET", "/devices?phoneNumber=%2B15551234567&model=x", None, 400, "ConflictingArguments", vec!["model"]),
        ("GET", "/capabilities?best=true", None, 400, "MissingArgument", vec!["manufacturer"]),
        ("GET", "/capabilities?best=maybe", None, 400, "InvalidArgument", vec!["best", "maybe"]),
        (
            "PUT",
            "/devices/IMEI:490154203237518/trace",
            Some(json!({"enabled": true, "oid": "1"})),
            400,
            "InvalidArgument",
            vec!["oid"],
        ),
        ("GET", "/devices/IMEI:490154203237518/trace/x/messages", None, 404, "InvalidArgument", vec!["session", "x"]),
    ] {
        let reply = world.rest(method, path, Some(&session), body).await;
        reply.is_problem(status, name, &variables);
    }
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn what_is_no_json_or_too_much_of_it_is_refused_before_it_is_looked_at() {
    let (world, session) = World::with_session().await;
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let many = format!("[{}]", vec!["0"; 500_001].join(","));
    for (body, status, name) in [
        ("{", 400, "MalformedMessage"),
        ("{\"operation\":\"QUERY\"", 400, "MalformedMessage"),
        ("{} {}", 400, "MalformedMessage"),
        ("\u{FEFF}{}", 400, "MalformedMessage"),
        (
            "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
            400,
            "MalformedMessage",
        ),
        (deep.as_str(), 413, "RequestTooLarge"),
        (many.as_str(), 413, "RequestTooLarge"),
        ("{\"operation\":\"QUERY\",\"operation\":\"DELETE\"}", 400, "InvalidArgument"),
        ("{\"operation\":\"QU\\u0000ERY\"}", 400, "InvalidArgument"),
    ] {
        let request = Request::post("/api/v1/tasks")
            .header("authorization", format!("Bearer {session}"))
            .header("content-type", "application/json");
        let reply = world.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        reply.is_problem(status, name, &[]);
    }
    let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let request = Request::post("/api/v1/tasks")
        .header("authorization", format!("Bearer {session}"))
        .header("content-type", "application/json");
    world.send(request.body(Body::from(utf16)).unwrap()).await.is_problem(400, "MalformedMessage", &[]);
}

#[tokio::test]
async fn a_body_above_the_limit_is_not_read_to_its_end() {
    let settings = BrokerSettings { request_bytes_max: 1_000, ..BrokerSettings::default() };
    let world = World::with(quick(), settings).await;
    let session = world.login("root").await;
    let body = json!({"operation": "x".repeat(1_000)});
    let reply = world.rest("POST", "/tasks", Some(&session), Some(body)).await;
    reply.is_problem(413, "RequestTooLarge", &["1000"]);
    assert_eq!(reply.header("connection"), Some("close"));
    let long = format!("/tasks?jobId={}", "x".repeat(9_000));
    world.rest("GET", &long, Some(&session), None).await.is_problem(413, "RequestTooLarge", &["octets"]);
}

#[tokio::test]
async fn rights_are_asked_for_before_arguments() {
    let world = World::new().await;
    let session = world.login("reader").await;
    for body in [json!({}), operation(), json!({"x": 1})] {
        let reply = world.rest("POST", "/tasks", Some(&session), Some(body)).await;
        reply.is_problem(403, "NotAuthorized", &["device", "operate"]);
    }
}

#[tokio::test]
async fn what_is_of_another_domain_is_unknown() {
    let (world, session) = World::with_session().await;
    let stranger = world.login("stranger").await;
    let task = world.rest("POST", "/tasks", Some(&session), Some(operation())).await;
    let location = task.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    world.rest("GET", &location, Some(&stranger), None).await.is_problem(404, "UnknownTask", &[]);
    let path = "/devices/IMEI:490154203237518";
    world.rest("GET", path, Some(&stranger), None).await.is_problem(404, "UnknownDevice", &[]);
    let list = world.rest("GET", "/devices", Some(&stranger), None).await;
    assert_eq!(list.json(), json!({"items": [], "totalCount": 0}));
}

#[tokio::test]
async fn a_panic_ends_in_an_answer() {
    let (world, session) = World::with_session().await;
    world.clock.break_at_call(2);
    let reply = world.rest("GET", "/jobs", Some(&session), None).await;
    reply.is_problem(500, "InternalError", &[]);
    assert!(!reply.text.contains("clock"));
    assert_eq!(world.rest("GET", "/jobs", Some(&session), None).await.status, 200);
}
