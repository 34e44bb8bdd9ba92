//! What a client does one after the other.

use serde_json::{Value, json};

use crate::world::{NUMBER, World, do_operation};

const DEVICE: &str = "/devices/IMEI:490154203237518";

fn operation() -> Value {
    json!({
        "operation": "QUERY", "phoneNumber": NUMBER, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false,
    })
}

#[tokio::test]
async fn a_task_is_made_found_listed_and_cancelled() {
    let (world, session) = World::with_session().await;
    let made = world.rest("POST", "/tasks", Some(&session), Some(operation())).await;
    assert_eq!(made.status, 202, "{}", made.text);
    let id = made.json()["taskId"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), Some(format!("/api/v1/tasks/{id}").as_str()));

    let task = world.rest("GET", &format!("/tasks/{id}"), Some(&session), None).await;
    assert_eq!(task.status, 200);
    let told = task.json();
    assert_eq!(
        (&told["taskId"], &told["phoneNumber"], &told["testCycle"], &told["attempts"], &told["result"]),
        (&json!(id), &json!(NUMBER), &json!(false), &json!(0), &json!([]))
    );
    assert!(told.get("jobId").is_none());
    assert_eq!(told["createdAt"], "2026-11-21T06:06:00.000Z");

    for path in [
        "/tasks?createdSince=2026-01-01T00:00:00Z&status=SCHEDULED&status=NOTIFYING",
        "/tasks?deviceID=490154203237518",
    ] {
        let list = world.rest("GET", path, Some(&session), None).await;
        assert_eq!(list.json(), json!({"items": [told], "totalCount": 1}), "{path}");
    }
    let cancelled =
        world.rest("POST", &format!("/tasks/{id}/cancel"), Some(&session), Some(json!({"reason": "why"}))).await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["status"]), (202, &json!("CANCELLED")));
    let history = world.rest("GET", &format!("/tasks/{id}/history?limit=1"), Some(&session), None).await.json();
    assert_eq!((history["items"].as_array().unwrap().len(), &history["totalCount"]), (1, &json!(2)));
    let cursor = history["nextCursor"].as_str().unwrap();
    let path = format!("/tasks/{id}/history?limit=1&cursor={cursor}");
    let rest = world.rest("GET", &path, Some(&session), None).await.json();
    assert_eq!(rest["items"][0]["detail"], "why");
    assert!(rest.get("nextCursor").is_none());
}

#[tokio::test]
async fn a_job_is_made_paused_restarted_and_cancelled() {
    let (world, session) = World::with_session().await;
    let deployment = json!({
        "name": "all", "operation": "QUERY", "devices": {"allDevices": true}, "bOptin": false,
        "acceptDevicePolicy": 30, "testCycle": false, "schedule": {"startTime": "2026-11-22T00:00:00Z"},
    });
    let made = world.rest("POST", "/jobs", Some(&session), Some(json!({"deployments": [deployment]}))).await;
    assert_eq!(made.status, 202, "{}", made.text);
    let id = made.json()["jobId"][0].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), Some(format!("/api/v1/jobs/{id}").as_str()));
    for (change, status, after) in
        [("pause", 200, "PAUSED"), ("restart", 202, "RUNNING"), ("cancel", 202, "CANCELLING")]
    {
        let reply = world.rest("POST", &format!("/jobs/{id}/{change}"), Some(&session), None).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["status"]), (status, &json!(after)), "{change}");
    }
    let dated = "/jobs?createdSince=2026-11-21T00:00:00Z&createdBefore=2026-11-22T00:00:00Z";
    for path in ["/jobs", "/jobs?owner=root", dated] {
        let list = world.rest("GET", path, Some(&session), None).await;
        assert_eq!(list.json()["items"][0]["jobId"], json!(id), "{path}: {}", list.text);
    }
    assert_eq!(world.rest("GET", &format!("/jobs/{id}/history"), Some(&session), None).await.json()["totalCount"], 0);
    let bulk = json!({"requests": [operation(), operation()], "name": "two"});
    let made = world.rest("POST", "/jobs:bulk", Some(&session), Some(bulk)).await;
    assert_eq!((made.status.as_u16(), made.json()["taskId"].as_array().unwrap().len()), (202, 2));
}

#[tokio::test]
async fn a_key_is_the_same_key_on_every_face() {
    let (world, session) = World::with_session().await;
    let key = [("idempotency-key", "k-1")];
    let first = world.rest_with("POST", "/tasks", Some(&session), &key, Some(operation())).await;
    let id = first.json()["taskId"].as_str().unwrap().to_owned();

    // Quoted as structured fields are, in the body, and over SOAP: one and the same request.
    let quoted = [("idempotency-key", "\"k-1\"")];
    let again = world.rest_with("POST", "/tasks", Some(&session), &quoted, Some(operation())).await;
    let mut in_body = operation();
    in_body["requestId"] = json!("k-1");
    in_body["phoneNumber"] = json!("15551234567");
    let by_body = world.rest("POST", "/tasks", Some(&session), Some(in_body.clone())).await;
    let by_both = world.rest_with("POST", "/tasks", Some(&session), &key, Some(in_body.clone())).await;
    for reply in [again, by_body, by_both] {
        assert_eq!((reply.status.as_u16(), reply.json()["taskId"].as_str()), (202, Some(id.as_str())));
    }
    for version in crate::world::BOTH {
        let parameters = format!("{}<requestId>k-1</requestId>", do_operation(&session));
        let reply = world.call(version, "doOperation", &parameters).await;
        assert_eq!(reply.text_of("taskId"), id);
    }

    let mut other = operation();
    other["bOptin"] = json!(true);
    let reused = world.rest_with("POST", "/tasks", Some(&session), &key, Some(other)).await;
    reused.is_problem(409, "RequestIdReused", &["requestId"]);
    in_body["requestId"] = json!("k-2");
    let both = world.rest_with("POST", "/tasks", Some(&session), &key, Some(in_body)).await;
    both.is_problem(400, "ConflictingArguments", &["Idempotency-Key", "requestId"]);
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let twice = world.rest_with("POST", "/tasks", Some(&session), &twice, Some(operation())).await;
    twice.is_problem(400, "InvalidArgument", &["idempotency-key"]);
    let spaced = [("idempotency-key", "a b")];
    let spaced = world.rest_with("POST", "/tasks", Some(&session), &spaced, Some(operation())).await;
    spaced.is_problem(400, "InvalidArgument", &["requestId", "a b"]);

    let device = json!({"deviceID": "IMEI:356938035643809"});
    let key = [("idempotency-key", "device")];
    let made = world.rest_with("POST", "/devices", Some(&session), &key, Some(device.clone())).await;
    let again = world.rest_with("POST", "/devices", Some(&session), &key, Some(device)).await;
    assert_eq!((made.status, &made.text), (again.status, &again.text));
    assert_eq!(made.status, 201);
    // A device record made over REST is that of SOAP.
    let parameters = format!(
        "{}<deviceInstance><deviceID>356938035643809</deviceID></deviceInstance><requestId>device</requestId>",
        crate::world::session_of(&session)
    );
    let reply = world.call(crate::world::BOTH[0], "createDeviceInstance", &parameters).await;
    assert_eq!(reply.text_of("oid"), made.json()["oid"].as_str().unwrap());
}

#[tokio::test]
async fn a_record_is_changed_only_by_those_who_saw_its_last_version() {
    let (world, session) = World::with_session().await;
    let seen = world.rest("GET", DEVICE, Some(&session), None).await;
    let tag = seen.header("etag").unwrap().to_owned();
    let held = world.rest_with("GET", DEVICE, Some(&session), &[("if-none-match", &tag)], None).await;
    assert_eq!((held.status.as_u16(), held.text.as_str(), held.header("etag")), (304, "", Some(tag.as_str())));

    let mut changed = seen.json();
    assert!(changed["dmAccount"].get("clientSecret").is_none());
    changed["model"] = json!("M2");
    let matching = [("if-match", tag.as_str())];
    let put = world
        .rest_with(
            "PUT",
            DEVICE,
            Some(&session),
            &matching,
            Some(json!({"deviceID": "490154203237518", "model": "M2"})),
        )
        .await;
    assert_eq!((put.status.as_u16(), &put.json()["model"]), (200, &json!("M2")), "{}", put.text);
    let next = put.header("etag").unwrap().to_owned();
    assert_ne!(next, tag);
    let stale = world.rest_with("GET", DEVICE, Some(&session), &[("if-none-match", &tag)], None).await;
    assert_eq!(stale.status, 200);

    let body = || Some(json!({"model": "M3"}));
    world.rest_with("PUT", DEVICE, Some(&session), &matching, body()).await.is_problem(412, "OutdatedVersion", &[]);
    let reply = world.rest_with("PUT", DEVICE, Some(&session), &[("if-match", "nonsense")], body()).await;
    reply.is_problem(400, "InvalidArgument", &["If-Match", "nonsense"]);
    for other in ["\"never\"", "W/\"1\""] {
        let reply = world.rest_with("PUT", DEVICE, Some(&session), &[("if-match", other)], body()).await;
        reply.is_problem(412, "OutdatedVersion", &[]);
    }
    let reply =
        world.rest_with("PUT", DEVICE, Some(&session), &[("if-match", &next)], Some(json!({"version": 1}))).await;
    reply.is_problem(400, "ConflictingArguments", &["version"]);
    world.rest_with("DELETE", DEVICE, Some(&session), &matching, None).await.is_problem(412, "OutdatedVersion", &[]);
    let any = world.rest_with("PUT", DEVICE, Some(&session), &[("if-match", "*")], body()).await;
    assert_eq!(any.status, 200, "{}", any.text);
    // What has no version cannot be asked for by one.
    let path = "/tasks/1/cancel";
    let reply = world.rest_with("POST", path, Some(&session), &matching, None).await;
    reply.is_problem(400, "InvalidArgument", &["If-Match"]);

    let last = any.header("etag").unwrap().to_owned();
    let gone = world.rest_with("DELETE", DEVICE, Some(&session), &[("if-match", &last)], None).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    world.rest("GET", DEVICE, Some(&session), None).await.is_problem(404, "UnknownDevice", &[]);
}

#[tokio::test]
async fn queries_by_a_field_are_lists_of_none_one_or_several() {
    let (world, session) = World::with_session().await;
    let get = async |path: &str| world.rest("GET", path, Some(&session), None).await.json();
    let record = get(DEVICE).await;
    let one = json!({"items": [record], "totalCount": 1});
    let none = json!({"items": [], "totalCount": 0});
    let oid = record["oid"].as_str().unwrap();
    assert_eq!(get(&format!("/devices?oid={oid}")).await, one);
    assert_eq!(get("/devices?oid=nothing").await, none);
    assert_eq!(get("/devices?phoneNumber=%2B15551234567").await, one);
    assert_eq!(get("/devices?phoneNumber=4912345678&limit=5").await, none);
    assert_eq!(get("/devices?managementState=KNOWN").await, one);
    assert_eq!(get("/devices?attribute=colour=red").await, none);
    assert_eq!(get(&format!("/device-records/{oid}")).await, record);

    let second = json!({"deviceID": "IMEI:356938035643809", "phoneNumber": NUMBER, "attribute": [{"name": "colour", "value": "red"}]});
    let made = world.rest("POST", "/devices", Some(&session), Some(second)).await;
    assert_eq!(made.header("location"), Some("/api/v1/devices/IMEI:356938035643809"));
    assert_eq!(get("/devices?attribute=colour=red").await["items"][0], made.json());
    let both = get("/devices?phoneNumber=%2B15551234567").await;
    assert_eq!((both["items"].as_array().unwrap().len(), &both["totalCount"]), (2, &json!(2)));
}

#[tokio::test]
async fn a_record_without_device_identifier_has_an_address_too() {
    let (world, session) = World::with_session().await;
    let account = json!({"authType": "BASIC", "clientName": "b", "clientSecret": "c"});
    let body = json!({"phoneNumber": "+4912345678", "dmAccount": account});
    let made = world.rest("POST", "/devices", Some(&session), Some(body)).await;
    let path = made.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    assert!(path.starts_with("/device-records/"));
    let body = json!({"phoneNumber": "+4912345678", "model": "M", "deviceID": "IMEI:356938035643809"});
    let put = world.rest("PUT", &path, Some(&session), Some(body)).await;
    assert_eq!(put.status, 200, "{}", put.text);
    let trace = world.rest("PUT", &format!("{path}/trace"), Some(&session), Some(json!({"enabled": true}))).await;
    assert_eq!((trace.status.as_u16(), &trace.json()["enabled"]), (200, &json!(true)), "{}", trace.text);
    let trace = world.rest("GET", "/devices/IMEI:356938035643809/trace", Some(&session), None).await.json();
    assert_eq!((&trace["setting"]["enabled"], &trace["items"]), (&json!(true), &json!([])));
    assert_eq!(world.rest("DELETE", &path, Some(&session), None).await.status, 204);
}

#[tokio::test]
async fn capabilities_are_kept_and_found() {
    let (world, session) = World::with_session().await;
    let body = json!({"manufacturer": "Acme", "model": "M1", "tac": ["49015420"], "wbxml": true, "maxMsgSize": 65536});
    let made = world.rest("POST", "/capabilities", Some(&session), Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    let get = async |path: &str| world.rest("GET", path, Some(&session), None).await.json();
    let record = get(&path).await;
    assert_eq!(record, made.json());
    let one = json!({"items": [record], "totalCount": 1});
    assert_eq!(get("/capabilities?manufacturer=Acme").await, one);
    assert_eq!(get("/capabilities?manufacturer=Acme&best=false").await, one);
    assert_eq!(get("/capabilities?manufacturer=Acme&model=M1&firmwareVersion=7&best=true").await, one);
    assert_eq!(get("/capabilities?manufacturer=Acme&model=M2&best=true").await, json!({"items": [], "totalCount": 0}));
    assert_eq!(get(&format!("{DEVICE}/capability")).await, record);
    let etag = made.header("etag").unwrap().to_owned();
    let body = json!({"manufacturer": "Acme", "model": "M1"});
    let put = world.rest_with("PUT", &path, Some(&session), &[("if-match", &etag)], Some(body)).await;
    assert_eq!(put.status, 200, "{}", put.text);
    let gone = world.rest_with("DELETE", &path, Some(&session), &[("if-match", &etag)], None).await;
    gone.is_problem(412, "OutdatedVersion", &[]);
    assert_eq!(world.rest("DELETE", &path, Some(&session), None).await.status, 204);
}

#[tokio::test]
async fn records_are_imported_in_batches() {
    let (world, session) = World::with_session().await;
    let body = json!({"updateExisting": false, "deviceInstance": [
        {"deviceID": "IMEI:356938035643809"}, {"deviceID": "IMEI:490154203237518"}, {},
    ]});
    let reply = world.rest("POST", "/devices:import", Some(&session), Some(body)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let told = reply.json();
    assert_eq!((&told["created"], told["rejected"].as_array().unwrap().len()), (&json!(1), 2));
}
