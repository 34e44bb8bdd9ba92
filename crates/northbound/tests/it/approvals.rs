//! Approvals and quotas as they look from outside, over SOAP and REST alike.

use muster_broker::access::Principal;
use muster_protocol::soap::Version;
use serde_json::json;

use crate::world::{BOTH, NUMBER, Reply, World, session_of};

const RESET: &str = "./LAWMO/Operations/FactoryReset";

/// A world with a requester and a second person, and their sessions.
async fn two() -> (World, String, String) {
    let (world, _) = World::with_session().await;
    let root = world.broker.store().principal_get("root").await.unwrap().unwrap();
    for (name, role) in [("asks", "care"), ("second", "approver"), ("deputy", "administrator")] {
        let tenant = root.tenant.clone();
        let principal = Principal { name: name.into(), ..Principal::of_role(name, &tenant, role, &root.password_hash) };
        world
            .broker
            .store()
            .principal_put(
                principal,
                muster_broker::ledger::Deed::local("acme", "principal put", muster_broker::time::Timestamp(0)),
            )
            .await
            .unwrap();
    }
    world.broker.directory().forget();
    let (asks, second) = (world.login("asks").await, world.login("second").await);
    (world, asks, second)
}

async fn reset(world: &World, version: Version, session: &str) -> String {
    let parameters = format!(
        "{}<operation>EXECUTE</operation><phoneNumber>{NUMBER}</phoneNumber><bOptin>false</bOptin>\
         <acceptDevicePolicy>20</acceptDevicePolicy><testCycle>false</testCycle>\
         <arguments><parameter><path>{RESET}</path></parameter></arguments>",
        session_of(session)
    );
    let reply = world.call(version, "doOperation", &parameters).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.text_of("taskId")
}

async fn call(world: &World, version: Version, session: &str, operation: &str, parameters: &str) -> Reply {
    world.call(version, operation, &format!("{}{parameters}", session_of(session))).await
}

#[tokio::test]
async fn what_is_dangerous_is_accepted_waits_and_goes_on_by_a_second_person() {
    let (world, asks, second) = two().await;
    for version in BOTH {
        let task = reset(&world, version, &asks).await;
        let told = call(&world, version, &asks, "getTaskById", &format!("<taskId>{task}</taskId>")).await;
        assert_eq!(told.text_of("status"), "SCHEDULED");
        assert!(told.text_of("statusDetail").starts_with("waits for approval a-"), "{}", told.text);

        let waiting = call(&world, version, &second, "getApprovals", "<status>PENDING</status>").await;
        assert_eq!(
            ["totalCount", "taskId", "requester", "operationClass", "deviceCount"].map(|name| waiting.text_of(name)),
            ["1".to_owned(), task.clone(), "asks".into(), "FACTORY_RESET".into(), "1".into()]
        );
        let id = format!("<approvalId>{}</approvalId>", waiting.text_of("approvalId"));
        let own = call(&world, version, &asks, "approve", &id).await;
        own.is_fault("NotAuthorized", &["approval", "decide"]);
        let root = world.login("root").await;
        assert_eq!(call(&world, version, &root, "getApprovalById", &id).await.text_of("version"), "1");

        let approved = call(&world, version, &second, "approve", &format!("{id}<reason>seen</reason>")).await;
        assert_eq!([approved.text_of("status"), approved.text_of("decidedBy")], ["APPROVED", "second"]);
        call(&world, version, &second, "refuse", &format!("{id}<reason>late</reason>"))
            .await
            .is_fault("WrongState", &["APPROVED"]);
        let told = call(&world, version, &asks, "getTaskById", &format!("<taskId>{task}</taskId>")).await;
        assert_eq!(told.text_of("status"), "SCHEDULED");
        assert!(!told.text.contains("statusDetail"), "{}", told.text);
    }
}

#[tokio::test]
async fn the_same_is_decided_over_rest() {
    let (world, asks, second) = two().await;
    let task = reset(&world, Version::Soap11, &asks).await;
    let list = world.rest("GET", "/approvals?status=PENDING", Some(&second), None).await;
    let id = list.json()["items"][0]["approvalId"].as_str().unwrap().to_owned();
    let reason = json!({"reason": "no"});
    let path = format!("/approvals/{id}/refuse");
    let own = world.rest("POST", &path, Some(&asks), Some(reason.clone())).await;
    own.is_problem(403, "NotAuthorized", &["approval", "decide"]);
    let refused = world.rest("POST", &path, Some(&second), Some(reason)).await;
    assert_eq!(refused.status, 200, "{}", refused.text);
    assert_eq!(refused.json()["status"], "REFUSED");
    let told = world.rest("GET", &format!("/tasks/{task}"), Some(&asks), None).await;
    assert_eq!(told.json()["status"], "REJECTED");
    let unknown = world.rest("GET", "/approvals/a-1", Some(&second), None).await;
    unknown.is_problem(404, "UnknownApproval", &["a-1"]);
}

#[tokio::test]
async fn a_policy_and_a_quota_are_set_and_told() {
    let (world, asks, _) = two().await;
    let (root, deputy) = (world.login("root").await, world.login("deputy").await);
    let mut waited = 0;
    let rule = "<rule><operationClass>FACTORY_RESET</operationClass><required>false</required>\
                <deviceCap>0</deviceCap></rule>";
    for version in BOTH {
        let policy = call(&world, version, &root, "getApprovalPolicy", "").await;
        assert_eq!(policy.text.matches("<rule>").count(), 5, "{}", policy.text);
        // Shorter than before each time, and nothing but a rule makes it weaker.
        let life = if version == Version::Soap11 { 2 } else { 1 };
        let set = format!("<approvalPolicy>{rule}<lifeHours>{life}</lifeHours></approvalPolicy>");
        let told = call(&world, version, &root, "setApprovalPolicy", &set).await;
        assert_eq!(told.status, 200, "{}", told.text);
        if told.text.contains("waitsFor") {
            assert_eq!(told.text_of("lifeHours"), "24", "it is as it was");
            let id = format!("<approvalId>{}</approvalId>", told.text_of("waitsFor"));
            let asked = call(&world, version, &deputy, "getApprovalById", &id).await;
            assert_eq!(
                ["action", "operation", "lifeHours", "deviceCount"].map(|name| asked.text_of(name)),
                ["SET_POLICY", "setApprovalPolicy", &life.to_string(), "0"]
            );
            assert!(asked.text_of("description").ends_with("FACTORY_RESET is no longer asked about"), "{}", asked.text);
            call(&world, version, &root, "approve", &id).await.is_fault("NotAuthorized", &["approval", "decide"]);
            assert_eq!(call(&world, version, &deputy, "approve", &id).await.text_of("status"), "APPROVED");
            waited += 1;
        }
        let policy = call(&world, version, &root, "getApprovalPolicy", "").await;
        assert_eq!(policy.text_of("lifeHours"), life.to_string());
        call(&world, version, &asks, "setApprovalPolicy", &set)
            .await
            .is_fault("NotAuthorized", &["approval", "update"]);
        let task = reset(&world, version, &asks).await;
        let told = call(&world, version, &asks, "getTaskById", &format!("<taskId>{task}</taskId>")).await;
        assert!(!told.text.contains("statusDetail"), "{}", told.text);
        let nonsense = "<approvalPolicy><windowHours>0</windowHours></approvalPolicy>";
        call(&world, version, &root, "setApprovalPolicy", nonsense)
            .await
            .is_fault("InvalidArgument", &["windowHours", "0"]);
    }

    assert_eq!(waited, 1, "the second time nothing becomes weaker");

    let set = "<kind>OPEN_TASKS</kind><limit>2</limit><principal>asks</principal>";
    let quota = call(&world, Version::Soap12, &root, "setQuota", set).await;
    assert_eq!(["limit", "isDefault", "used"].map(|name| quota.text_of(name)), ["2", "false", "2"]);
    let parameters = format!(
        "{}<operation>QUERY</operation><phoneNumber>{NUMBER}</phoneNumber><bOptin>false</bOptin>\
         <acceptDevicePolicy>20</acceptDevicePolicy><testCycle>false</testCycle>",
        session_of(&asks)
    );
    let refused = world.call(Version::Soap11, "doOperation", &parameters).await;
    refused.is_fault("QuotaExceeded", &["OPEN_TASKS", "2"]);
    let all = call(&world, Version::Soap11, &root, "getQuotas", "").await;
    assert_eq!(all.text_of("totalCount"), "11");
}

#[tokio::test]
async fn a_quota_is_set_under_its_version_on_both_faces() {
    let (world, ..) = two().await;
    let root = world.login("root").await;
    let body = json!({"kind": "OPEN_TASKS", "limit": 9, "principal": "asks"});
    let put = async |held: &str| {
        world.rest_with("PUT", "/quotas", Some(&root), &[("if-match", held)], Some(body.clone())).await
    };
    put("\"3\"").await.is_problem(412, "OutdatedVersion", &["0"]);
    let set = put("\"0\"").await;
    assert_eq!((set.status.as_u16(), &set.json()["version"]), (200, &json!(1)), "{}", set.text);
    let tag = set.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("\"1-"), "{tag}");
    assert_eq!(put(&tag).await.json()["version"], 2);
    let by_soap = "<kind>OPEN_TASKS</kind><limit>8</limit><principal>asks</principal><version>1</version>";
    let outdated = call(&world, Version::Soap11, &root, "setQuota", by_soap).await;
    outdated.is_fault("OutdatedVersion", &["2"]);
}
