//! The table: commands by subject, each subject from an empty server on.

use serde_json::{Value, json};

use super::step::{Step, step};
use crate::authority::Authority;
use crate::wsi_world::{NUMBER, PASSWORD};

/// Steps from an empty server, by subject.
pub(super) fn scenarios() -> Vec<(&'static str, Vec<Step>)> {
    vec![
        ("sessions", sessions()),
        ("devices", devices()),
        ("capabilities", capabilities()),
        ("tasks", tasks()),
        ("jobs", jobs()),
        ("traces", traces()),
        ("subscribers", subscribers()),
        ("administration", administration()),
        ("power", power()),
        ("callbacks", callbacks()),
        ("access", access()),
        ("ledger", ledger()),
    ]
}

fn operation(more: &[(&str, Value)]) -> Value {
    let mut value = json!({
        "operation": "QUERY", "phoneNumber": NUMBER, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false,
    });
    for (name, field) in more {
        value[*name] = field.clone();
    }
    value
}

fn device() -> Value {
    json!({
        "deviceID": "IMEI:490154203237518", "phoneNumber": NUMBER, "model": "M1", "manufacturer": "Acme",
        "dmAccount": {"authType": "DIGEST", "clientName": "a", "clientSecret": "b"},
        "group": ["g"], "attribute": [{"name": "colour", "value": "r<&>\"é\n"}],
    })
}

fn created() -> Step {
    step("createDeviceInstance", json!({"deviceInstance": device()}))
        .rest("POST", "/devices", device())
        .keep("oid", "/oid")
}

fn sessions() -> Vec<Step> {
    let login = json!({"userName": "care", "password": PASSWORD});
    let wrong = json!({"userName": "care", "password": "wrong"});
    let other = json!({"userName": "care", "password": PASSWORD, "tenant": "other"});
    vec![
        step("getServiceInfo", json!({})).get("/service"),
        step("getOperationDefinitions", json!({})).get("/operation-definitions"),
        step("login", login.clone()).rest("POST", "/sessions", login).by_nobody(),
        step("login", wrong.clone()).rest("POST", "/sessions", wrong).by_nobody(),
        step("login", other.clone()).rest("POST", "/sessions", other).by_nobody(),
        step("login", json!({"userName": "care"})).rest("POST", "/sessions", json!({"userName": "care"})).by_nobody(),
        step("getServiceInfo", json!({"x": 1})).get("/service?x=1"),
        step("renewSession", json!({})).rest("PATCH", "/sessions/current", Value::Null),
        step("logout", json!({})).rest("DELETE", "/sessions/current", Value::Null).last(),
    ]
}

fn devices() -> Vec<Step> {
    const PATH: &str = "/devices/IMEI:490154203237518";
    let second = json!({"deviceID": "IMEI:356938035643809", "phoneNumber": NUMBER});
    let bad = json!({"deviceID": "IMEI:490154203237510"});
    let imsi = json!({"deviceID": "IMEI:356938035643809", "imsi": "1"});
    let changed = json!({"deviceID": "IMEI:490154203237518", "phoneNumber": NUMBER, "model": "M2"});
    let import = json!({"updateExisting": true, "deviceInstance": [second, {"deviceID": "meid:a1"}, {}, changed]});
    vec![
        created(),
        created(),
        step("createDeviceInstance", json!({"deviceInstance": {}})).rest("POST", "/devices", json!({})),
        step("createDeviceInstance", json!({"deviceInstance": bad})).rest("POST", "/devices", bad),
        step("createDeviceInstance", json!({"deviceInstance": imsi})).rest("POST", "/devices", imsi),
        step("createDeviceInstance", json!({"deviceInstance": second, "requestId": "d-2"}))
            .rest("POST", "/devices", second.clone())
            .header("idempotency-key", "d-2"),
        step("createDeviceInstance", json!({"deviceInstance": second, "requestId": "d-2"}))
            .rest("POST", "/devices", second.clone())
            .header("idempotency-key", "d-2"),
        step("createDeviceInstance", json!({"deviceInstance": device(), "requestId": "d-2"}))
            .rest("POST", "/devices", device())
            .header("idempotency-key", "d-2"),
        step("getDeviceInstanceByDeviceID", json!({"deviceID": "490154203237518"})).get("/devices/490154203237518"),
        step("getDeviceInstanceByDeviceID", json!({"deviceID": "nobody"})).get("/devices/nobody"),
        step("getDeviceInstanceByOid", json!({"oid": "{oid}"})).get("/device-records/{oid}"),
        step("getDeviceInstanceByOid", json!({"oid": "nothing"})).get("/device-records/nothing"),
        step("getDeviceInstances", json!({})).get("/devices"),
        step("getDeviceInstances", json!({"page": {"pageSize": 1}}))
            .get("/devices?limit=1")
            .keep("next", "/nextPageToken"),
        step("getDeviceInstances", json!({"page": {"pageSize": 1, "pageToken": "{next}"}}))
            .get("/devices?limit=1&cursor={next}"),
        step("getDeviceInstances", json!({"page": {"pageSize": 0}})).get("/devices?limit=0"),
        step("getDeviceInstances", json!({"page": {"pageToken": "AAAA"}})).get("/devices?cursor=AAAA"),
        step("getDeviceInstances", json!({"filter": {"model": "M1", "group": "g"}})).get("/devices?model=M1&group=g"),
        step("getDeviceInstances", json!({"filter": {"attribute": [{"name": "a", "value": "b"}]}}))
            .get("/devices?attribute=a=b"),
        step("updateDeviceInstance", json!({"deviceInstance": changed})).rest("PUT", PATH, changed.clone()),
        step("updateDeviceInstance", json!({"deviceInstance": with_version(&changed, 1)}))
            .rest("PUT", PATH, changed.clone())
            .header("if-match", "\"1\""),
        step("updateDeviceInstance", json!({"deviceInstance": with_version(&changed, 2)})).rest(
            "PUT",
            PATH,
            with_version(&changed, 2),
        ),
        step("updateDeviceInstance", json!({"deviceInstance": {"oid": "{oid}", "phoneNumber": "4912345678"}})).rest(
            "PUT",
            "/device-records/{oid}",
            json!({"phoneNumber": "4912345678"}),
        ),
        step("getDeviceInstanceByPhoneNumber", json!({"phoneNumber": "4912345678"}))
            .get("/devices?phoneNumber=4912345678"),
        step("importDeviceInstances", import.clone()).rest("POST", "/devices:import", import),
        step("deleteDeviceInstance", json!({"deviceID": "meid:a1", "version": 7}))
            .rest("DELETE", "/devices/meid:a1", Value::Null)
            .header("if-match", "\"7\""),
        step("deleteDeviceInstance", json!({"deviceID": "meid:a1"})).rest("DELETE", "/devices/meid:a1", Value::Null),
        step("deleteDeviceInstance", json!({"deviceID": "meid:a1"})).rest("DELETE", "/devices/meid:a1", Value::Null),
        step("deleteDeviceInstance", json!({"oid": "{oid}"})).rest("DELETE", "/device-records/{oid}", Value::Null),
        step("createDeviceInstance", json!({"deviceInstance": device()}))
            .rest("POST", "/devices", device())
            .by("reader"),
        step("getDeviceInstances", json!({})).get("/devices").by("stranger"),
    ]
}

fn with_version(record: &Value, version: i64) -> Value {
    let mut record = record.clone();
    record["version"] = json!(version);
    record
}

fn capabilities() -> Vec<Step> {
    let line = json!({"manufacturer": "Acme", "model": "M1", "tac": ["49015420"], "wbxml": true, "maxMsgSize": 65536});
    let other = json!({"manufacturer": "Acme", "model": "M2"});
    let named = json!({"oid": "{capability}", "manufacturer": "Acme", "model": "M1", "firmwareVersion": "7"});
    vec![
        step("createDeviceCapability", json!({"deviceCapability": line}))
            .rest("POST", "/capabilities", line.clone())
            .keep("capability", "/oid"),
        step("createDeviceCapability", json!({"deviceCapability": line})).rest("POST", "/capabilities", line),
        step("createDeviceCapability", json!({"deviceCapability": other}))
            .rest("POST", "/capabilities", other)
            .keep("unused", "/oid"),
        step("createDeviceCapability", json!({"deviceCapability": {"model": "M"}})).rest(
            "POST",
            "/capabilities",
            json!({"model": "M"}),
        ),
        step("getDeviceCapabilityByOid", json!({"oid": "{capability}"})).get("/capabilities/{capability}"),
        step("getDeviceCapabilityByOid", json!({"oid": "nothing"})).get("/capabilities/nothing"),
        step("getDeviceCapabilityByModel", json!({"manufacturer": "Acme", "model": "M1"}))
            .get("/capabilities?manufacturer=Acme&model=M1&best=true"),
        step("getDeviceCapabilities", json!({"manufacturer": "Acme", "model": "M2"}))
            .get("/capabilities?manufacturer=Acme&model=M2"),
        created(),
        step("getDeviceCapabilityByDeviceID", json!({"deviceID": "IMEI:490154203237518"}))
            .get("/devices/IMEI:490154203237518/capability"),
        step("getDeviceCapabilityByDeviceID", json!({"deviceID": "nobody"})).get("/devices/nobody/capability"),
        step("deleteDeviceCapability", json!({"oid": "{capability}"})).rest(
            "DELETE",
            "/capabilities/{capability}",
            Value::Null,
        ),
        step("deleteDeviceCapability", json!({"oid": "{unused}"})).rest(
            "DELETE",
            "/capabilities/{unused}",
            Value::Null,
        ),
        step("deleteDeviceCapability", json!({"oid": "{unused}"})).rest(
            "DELETE",
            "/capabilities/{unused}",
            Value::Null,
        ),
        step("updateDeviceCapability", json!({"deviceCapability": named})).rest(
            "PUT",
            "/capabilities/{capability}",
            named,
        ),
        step(
            "updateDeviceCapability",
            json!({"deviceCapability": {"manufacturer": "Acme", "model": "M1", "oid": "nothing"}}),
        )
        .rest("PUT", "/capabilities/nothing", json!({"manufacturer": "Acme", "model": "M1"})),
    ]
}

fn tasks() -> Vec<Step> {
    let post = |body: Value| step("doOperation", body.clone()).rest("POST", "/tasks", body);
    let keyed = operation(&[("requestId", json!("k"))]);
    vec![
        created(),
        post(operation(&[])).keep("task", ""),
        post(keyed.clone()),
        post(keyed),
        post(operation(&[("requestId", json!("k")), ("bOptin", json!(true))])),
        post(operation(&[("operation", json!("FLY"))])),
        post(operation(&[("operation", json!("WIPE"))])),
        post(operation(&[("acceptDevicePolicy", json!(40))])),
        post(operation(&[("acceptDevicePolicy", json!(41))])),
        post(operation(&[("phoneNumber", json!("12"))])),
        post(operation(&[("phoneNumber", json!("+4912345678"))])),
        post(operation(&[("deviceID", json!("IMEI:356938035643809"))])),
        post(operation(&[("schedule", json!({"maxAttempts": 0}))])),
        post(operation(&[("schedule", json!({"timeZone": "Mars/Phobos"}))])),
        post(operation(&[("arguments", json!({"parameter": [{"path": "./A/../B"}]}))])),
        post(operation(&[(
            "arguments",
            json!({"parameter": [{"path": "./DevDetail/SwV"}], "option": [{"name": "atomic", "value": "true"}]}),
        )])),
        post(operation(&[("testCycle", json!(true))])),
        post(operation(&[("callback", json!({"address": "http://127.0.0.1/x"}))])),
        post(operation(&[])).by("reader"),
        post(operation(&[])).by("stranger"),
        post(json!({"operation": "QUERY"})),
        step("doBootstrap", bootstrap()).rest("POST", "/tasks:bootstrap", bootstrap()),
        step("getTaskById", json!({"taskId": "{task}"})).get("/tasks/{task}"),
        step("getTaskById", json!({"taskId": "{task}"})).get("/tasks/{task}").by("stranger"),
        step("getTaskById", json!({"taskId": "nothing"})).get("/tasks/nothing"),
        step("getTasks", json!({"deviceID": "490154203237518", "status": ["SCHEDULED", "NOTIFYING"]}))
            .get("/tasks?deviceID=490154203237518&status=SCHEDULED&status=NOTIFYING"),
        step("getTasks", json!({"phoneNumber": NUMBER})).get("/tasks?phoneNumber=%2B15551234567"),
        step("getTasks", json!({})).get("/tasks"),
        step("getTasks", json!({"jobId": "nothing"})).get("/tasks?jobId=nothing"),
        step("getTasks", json!({"jobId": "1", "status": ["ASLEEP"]})).get("/tasks?jobId=1&status=ASLEEP"),
        step("cancelTask", json!({"taskId": "{task}", "reason": "why"})).rest(
            "POST",
            "/tasks/{task}/cancel",
            json!({"reason": "why"}),
        ),
        step("cancelTask", json!({"taskId": "{task}"})).rest("POST", "/tasks/{task}/cancel", Value::Null),
        step("cancelTask", json!({"taskId": "nothing"})).rest("POST", "/tasks/nothing/cancel", Value::Null),
        step("cancelTask", json!({"taskId": "{task}"})).rest("POST", "/tasks/{task}/cancel", Value::Null).by("reader"),
        step("getTaskHistory", json!({"taskId": "{task}"})).get("/tasks/{task}/history"),
        step("getTaskHistory", json!({"taskId": "nothing"})).get("/tasks/nothing/history"),
    ]
}

fn bootstrap() -> Value {
    json!({"phoneNumber": [NUMBER], "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false})
}

fn jobs() -> Vec<Step> {
    let deployment = |name: &str, devices: Value| {
        json!({
            "name": name, "operation": "QUERY", "devices": devices, "bOptin": false, "acceptDevicePolicy": 30,
            "testCycle": false, "schedule": {"startTime": "2026-11-22T00:00:00Z", "tasksPerMinute": 5},
        })
    };
    let all = deployment("all", json!({"allDevices": true}));
    let none = deployment("none", json!({}));
    let some = deployment("some", json!({"phoneNumber": [NUMBER], "filter": {"model": "M1"}}));
    let odd = deployment("odd", json!({"deviceCapabilityOid": ["nothing"]}));
    let create = |list: Value| {
        step("createDeployments", json!({"deployment": list})).rest("POST", "/jobs", json!({"deployments": list}))
    };
    let bulk = |list: Value| {
        step("doBulkOperation", json!({"request": list, "name": "b"})).rest(
            "POST",
            "/jobs:bulk",
            json!({"requests": list, "name": "b"}),
        )
    };
    let change = |operation: &'static str, word: &str, body: Value| {
        let mut parameters = body.clone();
        parameters["jobId"] = json!("{job}");
        step(operation, parameters).rest(
            "POST",
            &format!("/jobs/{{job}}/{word}"),
            if body == json!({}) { Value::Null } else { body },
        )
    };
    vec![
        created(),
        create(json!([all])).keep("job", "/jobId/0"),
        create(json!([none, some, odd])),
        create(json!([])),
        create(json!([{"name": "x"}])),
        create(json!([all])).by("care"),
        bulk(json!([
            operation(&[]),
            operation(&[("phoneNumber", json!("+4912345678"))]),
            operation(&[("operation", json!("FLY"))])
        ])),
        bulk(json!([])),
        step("getJobs", json!({})).get("/jobs"),
        step("getJobs", json!({"status": ["SCHEDULED"], "owner": "root"})).get("/jobs?status=SCHEDULED&owner=root"),
        step("getJobs", json!({"page": {"pageSize": 1}})).get("/jobs?limit=1"),
        step("getJobsByDate", json!({"fromDate": "2026-11-21T00:00:00Z", "toDate": "2026-11-22T00:00:00Z"}))
            .get("/jobs?createdSince=2026-11-21T00:00:00Z&createdBefore=2026-11-22T00:00:00Z"),
        step("getJobsByDate", json!({"fromDate": "2026-11-22T00:00:00Z", "toDate": "2026-11-21T00:00:00Z"}))
            .get("/jobs?createdSince=2026-11-22T00:00:00Z&createdBefore=2026-11-21T00:00:00Z"),
        step("getJobsByDate", json!({"fromDate": "2026-11-22T00:00:00Z"}))
            .get("/jobs?createdSince=2026-11-22T00:00:00Z"),
        step("getJobById", json!({"jobId": "{job}"})).get("/jobs/{job}"),
        step("getJobById", json!({"jobId": "{job}"})).get("/jobs/{job}").by("stranger"),
        step("getTaskHistory", json!({"jobId": "{job}"})).get("/jobs/{job}/history"),
        change("pauseJob", "pause", json!({"reason": "lunch"})),
        change("pauseJob", "pause", json!({})),
        change("restartJob", "restart", json!({"retryFailed": true})),
        change("restartJob", "restart", json!({})).by("reader"),
        change("releaseWave", "release-wave", json!({})),
        change("releaseWave", "release-wave", json!({})).by("reader"),
        change("cancelJob", "cancel", json!({"reason": "why"})),
        change("cancelJob", "cancel", json!({})),
        change("pauseJob", "pause", json!({})),
        step("cancelJob", json!({"jobId": "nothing"})).rest("POST", "/jobs/nothing/cancel", Value::Null),
    ]
}

fn traces() -> Vec<Step> {
    const PATH: &str = "/devices/IMEI:490154203237518/trace";
    let set = |body: Value| {
        let mut parameters = body.clone();
        parameters["deviceID"] = json!("IMEI:490154203237518");
        step("setDeviceTrace", parameters).rest("PUT", PATH, body)
    };
    vec![
        created(),
        set(json!({"enabled": true, "sessions": 3, "durationSeconds": 60})),
        set(json!({"enabled": true, "sessions": 0})),
        set(json!({"sessions": 3})),
        step("getDeviceTrace", json!({"deviceID": "IMEI:490154203237518"})).get(PATH),
        step("getDeviceTrace", json!({"oid": "{oid}"})).get("/device-records/{oid}/trace"),
        step("getDeviceTrace", json!({"deviceID": "nobody"})).get("/devices/nobody/trace"),
        step("getTraceMessages", json!({"deviceID": "IMEI:490154203237518", "session": 1}))
            .get(&format!("{PATH}/1/messages")),
        set(json!({"enabled": false, "discard": true})),
        set(json!({"enabled": false})).by("reader"),
    ]
}

fn subscribers() -> Vec<Step> {
    let one = json!({"phoneNumber": NUMBER, "accountReference": "A-1", "optIn": true});
    let changed = json!({"phoneNumber": NUMBER, "accountReference": "A-2", "subscriberId": "{subscriber}"});
    let device = |method: &str| (method.to_owned(), "/subscribers/{subscriber}/devices/IMEI:490154203237518");
    let named = json!({"subscriberId": "{subscriber}", "deviceID": "IMEI:490154203237518"});
    vec![
        created(),
        step("createSubscriber", json!({"subscriber": one}))
            .rest("POST", "/subscribers", one.clone())
            .keep("subscriber", "/subscriberId"),
        step("createSubscriber", json!({"subscriber": {"imsi": "1"}})).rest(
            "POST",
            "/subscribers",
            json!({"imsi": "1"}),
        ),
        step("getSubscriberById", json!({"subscriberId": "{subscriber}"})).get("/subscribers/{subscriber}"),
        step("getSubscriberById", json!({"subscriberId": "nothing"})).get("/subscribers/nothing"),
        step("getSubscriberByPhoneNumber", json!({"phoneNumber": NUMBER}))
            .get("/subscribers?phoneNumber=%2B15551234567"),
        step("getSubscribers", json!({"accountReference": "A-1"})).get("/subscribers?accountReference=A-1"),
        step("assignDevice", named.clone()).rest(&device("PUT").0, device("PUT").1, Value::Null),
        step("unassignDevice", named).rest(&device("DELETE").0, device("DELETE").1, Value::Null),
        step("updateSubscriber", json!({"subscriber": changed})).rest(
            "PUT",
            "/subscribers/{subscriber}",
            changed.clone(),
        ),
        step("updateSubscriber", json!({"subscriber": with_version(&changed, 1)}))
            .rest("PUT", "/subscribers/{subscriber}", changed)
            .header("if-match", "\"1\""),
        step("createSubscriber", json!({"subscriber": one})).rest("POST", "/subscribers", one).by("reader"),
        step("deleteSubscriber", json!({"subscriberId": "{subscriber}"})).rest(
            "DELETE",
            "/subscribers/{subscriber}",
            Value::Null,
        ),
        step("deleteSubscriber", json!({"subscriberId": "{subscriber}"})).rest(
            "DELETE",
            "/subscribers/{subscriber}",
            Value::Null,
        ),
    ]
}

fn power() -> Vec<Step> {
    let rule = json!({"operationClass": "LOCK", "required": true, "deviceCap": 0, "singleCap": 0});
    let weaker = json!({"rule": [{"operationClass": "LOCK", "required": false, "deviceCap": 0}], "lifeHours": 8});
    let node = json!({"path": "./Vendor/Acme/SelfDestruct", "operationClass": "WIPE"});
    let policy = json!({"rule": [rule], "lifeHours": 8, "dangerousNode": [node]});
    let nonsense = json!({"windowHours": 0});
    let set = |policy: &Value| {
        step("setApprovalPolicy", json!({"approvalPolicy": policy})).rest("PUT", "/approval-policy", policy.clone())
    };
    let parameter = json!([{"path": "./Vendor/Acme/SelfDestruct"}]);
    let wipe = operation(&[("operation", json!("EXECUTE")), ("arguments", json!({"parameter": parameter}))]);
    let quota = json!({"kind": "OPEN_TASKS", "limit": 2, "principal": "care"});
    let domain = json!({"kind": "DEVICES", "limit": 2, "principal": "care"});
    let ask = || step("doOperation", wipe.clone()).rest("POST", "/tasks", wipe.clone()).by("care");
    let find = || {
        let wanted = json!({"status": ["PENDING"], "requester": "care"});
        step("getApprovals", wanted).get("/approvals?status=PENDING&requester=care").keep("a", "/approval/0/approvalId")
    };
    let (named, path) = (json!({"approvalId": "{a}"}), "/approvals/{a}");
    let with = |reason: &str| json!({"approvalId": "{a}", "reason": reason});
    let no = json!({"reason": "no"});
    vec![
        created(),
        step("getApprovalPolicy", json!({})).get("/approval-policy").by("reader"),
        set(&policy),
        set(&policy).by("care"),
        set(&weaker).keep("w", "/waitsFor"),
        step("getApprovalById", json!({"approvalId": "{w}"})).get("/approvals/{w}"),
        step("withdraw", json!({"approvalId": "{w}"})).rest("POST", "/approvals/{w}/withdraw", json!({})),
        set(&nonsense),
        ask(),
        find(),
        step("getApprovalById", named.clone()).get(path),
        step("getApprovalById", json!({"approvalId": "nothing"})).get("/approvals/nothing"),
        step("approve", named.clone()).rest("POST", "/approvals/{a}/approve", json!({})).by("care"),
        step("approve", with("seen")).rest("POST", "/approvals/{a}/approve", json!({"reason": "seen"})),
        step("approve", named.clone()).rest("POST", "/approvals/{a}/approve", json!({})),
        ask(),
        find(),
        step("refuse", with("no")).rest("POST", "/approvals/{a}/refuse", no.clone()),
        ask(),
        find(),
        step("withdraw", named.clone()).rest("POST", "/approvals/{a}/withdraw", json!({})),
        step("withdraw", named).rest("POST", "/approvals/{a}/withdraw", json!({})).by("care"),
        step("setQuota", quota.clone()).rest("PUT", "/quotas", quota.clone()),
        step("setQuota", quota.clone()).rest("PUT", "/quotas", quota).by("reader"),
        step("setQuota", domain.clone()).rest("PUT", "/quotas", domain),
        step("getQuotas", json!({"principal": "care"})).get("/quotas?principal=care"),
        step("getQuotas", json!({"principal": "nobody"})).get("/quotas?principal=nobody"),
        ask(),
        ask(),
    ]
}

fn administration() -> Vec<Step> {
    let key = json!({"principal": "care", "name": "shop", "right": ["task.read"], "expiresAt": "2026-12-01T00:00:00Z"});
    let provider = json!({"name": "corp", "issuer": "https://login.example", "clientId": "muster"});
    let issuer = Authority::new("acme clients");
    let authority = |text: &str| {
        let certificate = json!({"certificate": text});
        step("addTrustedCertificateAuthority", certificate.clone()).rest(
            "POST",
            "/certificate-authorities",
            certificate,
        )
    };
    let list = |authority: &str, text: &str| {
        step("setCertificateRevocationList", json!({"authorityId": authority, "revocationList": text})).rest(
            "PUT",
            &format!("/certificate-authorities/{authority}/revocation-list"),
            json!({"revocationList": text}),
        )
    };
    let remove = |authority: &str| {
        let path = format!("/certificate-authorities/{authority}");
        step("removeTrustedCertificateAuthority", json!({"authorityId": authority})).rest("DELETE", &path, Value::Null)
    };
    let bind = json!({"principal": "care", "nameKind": "DNS", "nameValue": "care.example"});
    let unbind = json!({"nameKind": "DNS", "nameValue": "care.example"});
    let revoke = |authority: &str| {
        let revoked = json!({"authorityId": authority, "serialNumber": "01"});
        step("revokeCertificate", revoked.clone()).rest("POST", "/revoked-certificates", revoked)
    };
    let mut changed = provider.clone();
    changed["displayName"] = json!("Corp");
    vec![
        step("createApiKey", key.clone()).rest("POST", "/keys", key.clone()).keep("key", "/apiKey/keyId"),
        step("createApiKey", key.clone()).rest("POST", "/keys", key).by("reader"),
        step("getApiKeys", json!({"principal": "care"})).get("/keys?principal=care"),
        step("revokeApiKey", json!({"keyId": "{key}"})).rest("POST", "/keys/{key}/revoke", Value::Null),
        step("revokeApiKey", json!({"keyId": "nothing"})).rest("POST", "/keys/nothing/revoke", Value::Null),
        authority("nonsense"),
        authority(&issuer.pem()).by("reader"),
        authority(&issuer.pem()).keep("authority", "/authorityId"),
        step("getTrustedCertificateAuthorities", json!({})).get("/certificate-authorities"),
        list("nothing", "nonsense"),
        list("{authority}", "nonsense"),
        list("{authority}", &issuer.list(20, &[4711])),
        remove("nothing"),
        step("bindCertificate", bind.clone()).rest("POST", "/certificate-bindings", bind),
        step("getCertificates", json!({})).get("/certificate-bindings"),
        step("unbindCertificate", unbind.clone()).rest("POST", "/certificate-bindings:unbind", unbind.clone()),
        step("unbindCertificate", unbind.clone()).rest("POST", "/certificate-bindings:unbind", unbind).by("reader"),
        revoke("nothing"),
        revoke("{authority}"),
        step("getRevokedCertificates", json!({})).get("/revoked-certificates"),
        remove("{authority}"),
        step("createIdentityProvider", json!({"identityProvider": provider})).rest(
            "POST",
            "/identity-providers",
            provider,
        ),
        step("getIdentityProviders", json!({})).get("/identity-providers"),
        step("updateIdentityProvider", json!({"identityProvider": changed})).rest(
            "PUT",
            "/identity-providers/corp",
            changed,
        ),
        step("deleteIdentityProvider", json!({"name": "corp"})).rest("DELETE", "/identity-providers/corp", Value::Null),
        step("deleteIdentityProvider", json!({"name": "corp"})).rest("DELETE", "/identity-providers/corp", Value::Null),
    ]
}

fn callbacks() -> Vec<Step> {
    let hook = json!({"address": "https://partner.example/hooks", "kind": "WEBHOOK", "secret": "0123456789abcdef"});
    let soap = json!({
        "address": "https://partner.example/soap", "kind": "SOAP", "owner": "care",
        "credential": {"kind": "USERNAME_TOKEN", "userName": "u", "password": "p"},
    });
    let mut changed = soap.clone();
    changed["enabled"] = json!(false);
    let mut moved = changed.clone();
    moved["callbackAddressId"] = json!("{soap}");
    let by_id = json!({"callbackAddressId": "{hook}"});
    let told = |address: &str| operation(&[("callback", json!({"address": address})), ("testCycle", json!(true))]);
    let create = |address: &Value| json!({"callbackAddress": address});
    let path = "/callback-addresses";
    let soap_like = json!({"address": "https://partner.example/other", "kind": "SOAP"});
    let nowhere = json!({"callbackAddress": soap_like, "tenant": "nowhere"});
    vec![
        created(),
        step("createCallbackAddress", create(&hook))
            .rest("POST", path, hook.clone())
            .keep("hook", "/callbackAddressId"),
        step("createCallbackAddress", create(&hook)).rest("POST", path, hook.clone()),
        step("createCallbackAddress", create(&hook)).rest("POST", path, hook).by("reader"),
        step("createCallbackAddress", create(&soap)).rest("POST", path, soap).keep("soap", "/callbackAddressId"),
        step("createCallbackAddress", create(&json!({"address": "http://127.0.0.1/", "kind": "SOAP"}))).rest(
            "POST",
            path,
            json!({"address": "http://127.0.0.1/", "kind": "SOAP"}),
        ),
        step("createCallbackAddress", nowhere).rest("POST", "/callback-addresses?tenant=nowhere", soap_like),
        step("getCallbackAddresses", json!({"tenant": "other"})).get("/callback-addresses?tenant=other"),
        step("getCallbackAddresses", json!({"owner": "care"})).get("/callback-addresses?owner=care"),
        step("getCallbackAddressById", by_id.clone()).get("/callback-addresses/{hook}"),
        step("getCallbackAddressById", json!({"callbackAddressId": "nothing"})).get("/callback-addresses/nothing"),
        step("rotateCallbackSecret", json!({"callbackAddressId": "{hook}", "secret": "fedcba9876543210"})).rest(
            "POST",
            "/callback-addresses/{hook}/secret",
            json!({"secret": "fedcba9876543210"}),
        ),
        step("rotateCallbackSecret", json!({"callbackAddressId": "{soap}"})).rest(
            "POST",
            "/callback-addresses/{soap}/secret",
            json!({}),
        ),
        step("doOperation", told("https://partner.example/hooks/1")).rest(
            "POST",
            "/tasks",
            told("https://partner.example/hooks/1"),
        ),
        step("doOperation", told("https://elsewhere.example/")).rest(
            "POST",
            "/tasks",
            told("https://elsewhere.example/"),
        ),
        step("getCallbackQueues", json!({})).get("/callback-queues"),
        step("getDeadLetters", by_id.clone()).get("/dead-letters?callbackAddressId={hook}"),
        step("replayDeadLetters", by_id.clone()).rest("POST", "/dead-letters:replay", by_id.clone()),
        step("replayDeadLetters", json!({})).rest("POST", "/dead-letters:replay", json!({})),
        step("updateCallbackAddress", json!({"callbackAddress": moved})).rest(
            "PUT",
            "/callback-addresses/{soap}",
            changed,
        ),
        step("deleteCallbackAddress", by_id.clone()).rest("DELETE", "/callback-addresses/{hook}", Value::Null),
        step("deleteCallbackAddress", by_id).rest("DELETE", "/callback-addresses/{hook}", Value::Null),
    ]
}

fn access() -> Vec<Step> {
    let tenant = json!({"name": "beta", "displayName": "Beta"});
    let principal = json!({
        "principal": {"name": "partner", "grant": [{"role": "reader", "group": ["g"]}]}, "password": "correct horse battery",
    });
    let role = json!({"name": "night", "about": "At night.", "right": ["device.read", "task.*"]});
    let password = json!({"password": "correct horse battery staple"});
    let mut steps = Vec::new();
    for (kind, name, made, record) in [
        ("Tenant", "beta", json!({"tenant": tenant}), tenant),
        ("Principal", "partner", principal.clone(), principal["principal"].clone()),
        ("Role", "night", json!({"role": role}), role),
    ] {
        let path = format!("/{}s", kind.to_lowercase());
        let body = if kind == "Principal" { made.clone() } else { record.clone() };
        let parameter = kind.to_lowercase();
        let [create, update, delete, one, all] = match kind {
            "Tenant" => ["createTenant", "updateTenant", "deleteTenant", "getTenantByName", "getTenants"],
            "Principal" => {
                ["createPrincipal", "updatePrincipal", "deletePrincipal", "getPrincipalByName", "getPrincipals"]
            }
            _ => ["createRole", "updateRole", "deleteRole", "getRoleByName", "getRoles"],
        };
        // A tenant is a matter of who has every domain.
        let caller = if kind == "Tenant" { "operator" } else { "root" };
        let step = |operation, parameters| step(operation, parameters).by(caller);
        let create = || step(create, made.clone()).rest("POST", &path, body.clone());
        let at = format!("{path}/{name}");
        steps.extend([
            create().by("reader"),
            create(),
            create(),
            step(one, json!({"name": name})).get(&at),
            step(one, json!({"name": "nobody"})).get(&format!("{path}/nobody")),
            step(all, json!({})).get(&path),
            step(all, json!({})).get(&path).by("care"),
            step(update, json!({parameter: with_version(&record, 1)}))
                .rest("PUT", &at, record.clone())
                .header("if-match", "\"1\""),
            step(update, json!({kind.to_lowercase(): with_version(&record, 7)}))
                .rest("PUT", &at, record.clone())
                .header("if-match", "\"7\""),
        ]);
        if kind == "Principal" {
            let named = json!({"name": name, "password": "correct horse battery staple"});
            steps.push(step("setPassword", named).rest("PUT", "/principals/partner/password", password.clone()));
        }
        steps.push(step(delete, json!({"name": name})).rest("DELETE", &at, Value::Null));
        steps.push(step(delete, json!({"name": name})).rest("DELETE", &at, Value::Null));
    }
    for caller in ["care", "operator"] {
        steps.push(step("getOwnRights", json!({})).get("/own-rights").by(caller));
    }
    steps
}

fn ledger() -> Vec<Step> {
    let deployment = json!([{
        "name": "n", "operation": "QUERY", "devices": {"phoneNumber": [NUMBER]}, "bOptin": false,
        "acceptDevicePolicy": 20, "testCycle": false,
    }]);
    let erase = |body: Value| step("erasePersonalData", body.clone()).rest("POST", "/erasures", body);
    let entries = |parameters: Value, query: &str| step("getAuditEntries", parameters).get(&format!("/audit{query}"));
    let verify =
        |parameters: Value, query: &str| step("verifyAuditLog", parameters).get(&format!("/audit/verification{query}"));
    let charges =
        |parameters: Value, query: &str| step("getChargeableEvents", parameters).get(&format!("/charges{query}"));
    let anchored = json!({"after": "{head}", "anchor": "{head}"});
    vec![
        created(),
        step("doOperation", operation(&[])).rest("POST", "/tasks", operation(&[])).keep("task", ""),
        step("doOperation", operation(&[])).rest("POST", "/tasks", operation(&[])).by("reader"),
        step("createDeployments", json!({"deployment": deployment})).rest(
            "POST",
            "/jobs",
            json!({"deployments": deployment}),
        ),
        entries(json!({}), ""),
        entries(json!({"operation": "doOperation", "outcome": "REFUSED"}), "?operation=doOperation&outcome=REFUSED"),
        entries(json!({"taskId": "{task}"}), "?taskId={task}"),
        entries(json!({"objectKind": "task", "objectId": "{task}"}), "?objectKind=task&objectId={task}"),
        entries(json!({"actor": "root", "page": {"pageSize": 1}}), "?actor=root&limit=1")
            .keep("next", "/nextPageToken"),
        entries(
            json!({"actor": "root", "page": {"pageSize": 1, "pageToken": "{next}"}}),
            "?actor=root&limit=1&cursor={next}",
        ),
        entries(json!({"objectId": "x"}), "?objectId=x"),
        entries(json!({"taskId": "x"}), "?taskId=x"),
        entries(json!({"since": "x"}), "?since=x"),
        entries(json!({"tenant": "other"}), "?tenant=other"),
        entries(json!({"tenant": "*"}), "?tenant=*"),
        entries(json!({}), "").by("reader"),
        entries(json!({}), "").by("stranger"),
        verify(json!({}), "").keep("head", "/head"),
        verify(anchored, "?after={head}&anchor={head}"),
        verify(json!({"anchor": "x"}), "?anchor=x"),
        verify(json!({}), "").by("reader"),
        charges(json!({}), ""),
        charges(json!({"limit": 1}), "?limit=1").keep("event", "/lastEventId"),
        charges(json!({"afterEventId": "{event}"}), "?afterEventId={event}"),
        charges(json!({"afterEventId": "x"}), "?afterEventId=x"),
        charges(json!({"limit": 0}), "?limit=0"),
        charges(json!({}), "").by("reader"),
        erase(json!({})),
        erase(json!({"phoneNumber": ["12"]})),
        erase(json!({"phoneNumber": [NUMBER]})).by("reader"),
        erase(json!({"phoneNumber": [NUMBER], "deviceID": ["IMEI:490154203237518"]})),
        entries(json!({"operation": "doOperation"}), "?operation=doOperation"),
        verify(json!({}), ""),
    ]
}
