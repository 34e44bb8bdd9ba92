//! Audit log, chargeable events and masks as they look from outside.

use muster_broker::ledger::{AuditFilter, EventId, Recorded};
use muster_broker::page::Page;
use muster_broker::services::Flush;
use muster_northbound::contract::{Kind, TypeDescriptor, operations};
use muster_protocol::soap::Version;
use serde_json::json;

use crate::world::{NUMBER, PASSWORD, World, do_operation, session_of};

const IMEI: &str = "IMEI:490154203237518";

async fn entries(world: &World) -> Vec<Recorded> {
    let page = Page { size: 1000, after: None };
    world.broker.store().audit_list(None, AuditFilter::default(), page).await.unwrap().items
}

async fn last(world: &World) -> Recorded {
    entries(world).await.pop().unwrap()
}

#[tokio::test]
async fn a_write_is_told_with_who_and_from_where_on_every_face() {
    let (world, session) = World::with_session().await;
    let by_soap = world.call(Version::Soap11, "doOperation", &do_operation(&session)).await;
    let told = last(&world).await.entry;
    assert_eq!((told.actor.as_str(), told.face.as_str(), told.way.as_str()), ("root", "SOAP", "SESSION"));
    assert_eq!((told.operation.as_str(), told.object_kind.as_str()), ("doOperation", "task"));
    assert_eq!(told.object_id.as_deref(), Some(by_soap.text_of("taskId").as_str()));
    assert!(told.correlation.is_some() && told.personal.as_deref().is_some_and(|it| it.contains(NUMBER)));

    let body = json!({"operation": "QUERY", "phoneNumber": NUMBER, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false});
    let by_rest = world.rest("POST", "/tasks", Some(&session), Some(body)).await;
    assert!(by_rest.status.is_success(), "{}", by_rest.text);
    let told = last(&world).await.entry;
    assert_eq!((told.face.as_str(), told.operation.as_str()), ("REST", "doOperation"));
}

#[tokio::test]
async fn refusals_are_told_with_their_fault_and_readings_are_not() {
    let world = World::new().await;
    let reader = world.login("reader").await;
    let before = entries(&world).await.len();
    world.call(Version::Soap11, "getJobs", &session_of(&reader)).await;
    let unknown = format!("{}<jobId>j-1</jobId>", session_of(&reader));
    world.call(Version::Soap11, "getJobById", &unknown).await.is_fault("UnknownJob", &["j-1"]);
    assert_eq!(entries(&world).await.len(), before, "neither a reading nor one of what is not there");

    world
        .call(Version::Soap12, "doOperation", &do_operation(&reader))
        .await
        .is_fault("NotAuthorized", &["device", "operate"]);
    let told = last(&world).await.entry;
    assert_eq!((told.actor.as_str(), told.operation.as_str()), ("reader", "doOperation"));
    assert!(format!("{:?}", told.outcome).contains("NotAuthorized"));
    assert!(told.personal.is_some_and(|personal| personal.contains(NUMBER)), "what it was about");

    let by_rest = world.rest("DELETE", "/devices/IMEI:490154203237518", Some(&reader), None).await;
    by_rest.is_problem(403, "NotAuthorized", &["device", "delete"]);
    assert_eq!(last(&world).await.entry.face, "REST");

    // Not even the right to look at the log.
    world
        .call(Version::Soap11, "getAuditEntries", &session_of(&reader))
        .await
        .is_fault("NotAuthorized", &["audit", "read"]);
    assert_eq!(last(&world).await.entry.operation, "getAuditEntries");
}

#[tokio::test]
async fn wrong_passwords_are_counted_and_become_few_entries_without_the_password() {
    let world = World::new().await;
    let begin = entries(&world).await.len();
    for name in ["root", "nobody", "Secret in the wrong field\r\n{\"forged\":1}"] {
        for _ in 0..3 {
            let name = name.replace('\r', "&#13;").replace('\n', "&#10;");
            let login = format!("<userName>{name}</userName><password>WRONG-PASSWORD</password>");
            world.call(Version::Soap11, "login", &login).await.is_fault("NotAuthenticated", &[]);
        }
    }
    assert_eq!(entries(&world).await.len(), begin, "they are counted first");
    world.broker.flush_refusals(Flush::All).await.unwrap();
    let told: Vec<_> = entries(&world).await.split_off(begin).into_iter().map(|it| it.entry).collect();
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|entry| entry.count == 3 && entry.operation == "login"), "{told:?}");
    let named = |actor: &str| told.iter().filter(|entry| entry.actor == actor).count();
    assert_eq!((named("root"), named("")), (1, 2), "a name that is a principal's is told, others are personal data");
    let root = told.iter().find(|entry| entry.actor == "root").unwrap();
    assert_eq!(root.tenant, "acme");
    assert!(!format!("{told:?}").contains("WRONG-PASSWORD"));
    assert!(!told.iter().filter_map(|entry| entry.personal.as_deref()).any(|it| it.contains(['\r', '\n'])));
}

#[tokio::test]
async fn the_log_and_the_feed_are_read_verified_and_erased_over_both_faces() {
    let (world, session) = World::with_session().await;
    world.call(Version::Soap11, "doOperation", &do_operation(&session)).await;
    let call = async |operation: &str, parameters: &str| {
        world.call(Version::Soap12, operation, &format!("{}{parameters}", session_of(&session))).await
    };
    let listed = call("getAuditEntries", "<operation>doOperation</operation>").await;
    assert_eq!((listed.text_of("totalCount"), listed.text_of("outcome")), ("1".to_owned(), "DONE".to_owned()));
    assert!(listed.text.contains(NUMBER), "an administrator sees whose it is");
    let by_rest = world.rest("GET", "/audit?operation=doOperation", Some(&session), None).await;
    assert_eq!(by_rest.json()["items"][0]["operation"], "doOperation", "{}", by_rest.text);
    call("getAuditEntries", "<objectId>x</objectId>").await.is_fault("MissingArgument", &["objectKind"]);
    call("getAuditEntries", "<taskId>x</taskId>").await.is_fault("InvalidArgument", &["taskId", "x"]);
    call("getAuditEntries", "<tenant>other</tenant>").await.is_fault("UnknownTenant", &["other"]);
    call("getAuditEntries", "<tenant>*</tenant>").await.is_fault("NotAuthorized", &["audit", "read"]);

    let verified = call("verifyAuditLog", "").await;
    assert_eq!((verified.text_of("valid"), verified.text_of("complete")), ("true".to_owned(), "true".to_owned()));
    let head = verified.text_of("head");
    let again = call("verifyAuditLog", &format!("<after>{head}</after><anchor>{head}</anchor>")).await;
    assert_eq!(again.text_of("valid"), "true");
    call("verifyAuditLog", "<anchor>x</anchor>").await.is_fault("InvalidArgument", &["anchor", "x"]);

    let feed = call("getChargeableEvents", "").await;
    assert_eq!((feed.text_of("totalCount"), feed.text_of("hasMore")), ("0".to_owned(), "false".to_owned()));
    let jobs = format!(
        "<deployment><name>n</name><operation>QUERY</operation><devices><phoneNumber>{NUMBER}</phoneNumber></devices>\
         <bOptin>false</bOptin><acceptDevicePolicy>20</acceptDevicePolicy><testCycle>false</testCycle></deployment>"
    );
    let made = call("createDeployments", &jobs).await;
    let feed = call("getChargeableEvents", "<limit>1</limit>").await;
    assert_eq!((feed.text_of("kind"), feed.text_of("jobId")), ("JOB".to_owned(), made.text_of("jobId")));
    let after = feed.text_of("lastEventId");
    assert_eq!(after, EventId(1).to_string());
    let rest = world.rest("GET", &format!("/charges?afterEventId={after}"), Some(&session), None).await;
    assert_eq!(rest.json()["totalCount"], 0, "{}", rest.text);
    call("getChargeableEvents", "<afterEventId>x</afterEventId>").await.is_fault("UnknownEvent", &["x"]);
    call("getChargeableEvents", "<limit>0</limit>").await.is_fault("InvalidArgument", &["limit", "0"]);

    call("erasePersonalData", "").await.is_fault("MissingArgument", &["subscriberId"]);
    let erased = call("erasePersonalData", &format!("<phoneNumber>{NUMBER}</phoneNumber>")).await;
    assert_ne!(erased.text_of("entryCount"), "0", "{}", erased.text);
    let listed = call("getAuditEntries", "").await;
    assert!(!listed.text.contains(NUMBER), "{}", listed.text);
    assert_eq!(call("verifyAuditLog", &format!("<anchor>{head}</anchor>")).await.text_of("valid"), "true");
}

#[tokio::test]
async fn who_need_not_see_whose_it_is_sees_masks_that_fit_the_schema() {
    let (world, session) = World::with_session().await;
    let task = world.call(Version::Soap11, "doOperation", &do_operation(&session)).await.text_of("taskId");
    let reader = world.login("reader").await;
    let as_reader = async |operation: &str, parameters: &str| {
        world.call(Version::Soap11, operation, &format!("{}{parameters}", session_of(&reader))).await
    };
    let device = as_reader("getDeviceInstanceByDeviceID", &format!("<deviceID>{IMEI}</deviceID>")).await;
    assert_eq!(device.text_of("deviceID"), "IMEI:49015420*****18");
    for (operation, parameters) in [
        ("getDeviceInstanceByDeviceID", format!("<deviceID>{IMEI}</deviceID>")),
        ("getDeviceInstances", String::new()),
        ("getTaskById", format!("<taskId>{task}</taskId>")),
        ("getTasks", format!("<phoneNumber>{NUMBER}</phoneNumber>")),
        ("getTaskHistory", format!("<taskId>{task}</taskId>")),
    ] {
        let reply = as_reader(operation, &parameters).await;
        assert_eq!(reply.status, 200, "{operation}: {}", reply.text);
        for digits in ["5551234567", "490154203237518"] {
            assert!(!reply.text.contains(digits), "{operation} shows {digits}: {}", reply.text);
        }
    }
    for path in [format!("/tasks/{task}"), "/devices".to_owned(), format!("/devices/{IMEI}")] {
        let reply = world.rest("GET", &path, Some(&reader), None).await;
        assert!(reply.status.is_success() && !reply.text.contains("490154203237518"), "{path}: {}", reply.text);
    }
    let care = world.login("care").await;
    let seen =
        world.call(Version::Soap11, "getTaskById", &format!("{}<taskId>{task}</taskId>", session_of(&care))).await;
    assert_eq!(seen.text_of("phoneNumber"), NUMBER);
}

/// A mask leaves out what has no masked value of its type: so none of it may be required.
#[test]
fn no_answer_must_have_what_a_mask_leaves_out() {
    fn look(record: &TypeDescriptor, seen: &mut Vec<&'static str>) {
        if seen.contains(&record.name) {
            return;
        }
        seen.push(record.name);
        for field in record.fields {
            let is_left_out = field.kind.name() == "Msisdn" || field.name == "imsi";
            assert!(!(is_left_out && field.cardinality.is_required()), "{}.{}", record.name, field.name);
            if let Kind::Record(inner) = field.kind {
                look(inner, seen);
            }
        }
    }
    let mut seen = Vec::new();
    for operation in operations() {
        if let Some(result) = &operation.result
            && let Kind::Record(record) = result.kind
        {
            look(record, &mut seen);
        }
    }
    assert!(seen.len() > 20);
}

#[tokio::test]
async fn passwords_and_secrets_that_callers_send_do_not_get_into_the_log() {
    let (world, session) = World::with_session().await;
    let fields = "<deviceInstance><deviceID>IMEI:356938035643809</deviceID><dmAccount><authType>DIGEST</authType>\
         <clientName>n</clientName><clientSecret>SECRET-one</clientSecret><serverSecret>SECRET-two</serverSecret>\
         </dmAccount></deviceInstance>";
    for _ in 0..2 {
        world.call(Version::Soap11, "createDeviceInstance", &format!("{}{fields}", session_of(&session))).await;
    }
    world.login("care").await;
    world.broker.flush_refusals(Flush::All).await.unwrap();
    let told = format!("{:?}", entries(&world).await);
    assert!(told.contains("AlreadyExists") && told.contains("createDeviceInstance"));
    for secret in ["SECRET-", PASSWORD, session.as_str()] {
        assert!(!told.contains(secret), "{secret}");
    }
}
