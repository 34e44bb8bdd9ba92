//! Rows of CSV and NDJSON as a stream.

use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::channel::Channel;
use muster_broker::store::DeviceKey;
use muster_protocol::soap::Version;
use serde_json::{Value, json};

use crate::world::{PASSWORD, Reply, World, session_of};

const IMPORT: &str = "/api/v1/devices:import";

fn basic(name: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{PASSWORD}")))
}

/// A request of `root`.
fn request(method: Method, address: &str, headers: &[(&str, &str)]) -> axum::http::request::Builder {
    let mut request = Request::builder().method(method).uri(address);
    if headers.iter().all(|(name, _)| *name != "authorization") {
        request = request.header("authorization", basic("root"));
    }
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

async fn send(world: &World, query: &str, headers: &[(&str, &str)], rows: impl Into<Body>) -> Reply {
    let mut all = vec![("content-type", "text/csv")];
    all.retain(|(name, _)| headers.iter().all(|(given, _)| given != name));
    all.extend_from_slice(headers);
    world.send(request(Method::POST, &format!("{IMPORT}{query}"), &all).body(rows.into()).unwrap()).await
}

/// The lines of an answer.
fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The last line: rows, created, updated, unchanged, rejected, and whether it is complete.
fn summary(reply: &Reply) -> (Vec<u64>, bool) {
    let lines = lines(reply);
    let summary = &lines.last().unwrap()["summary"];
    let counts = ["rows", "created", "updated", "unchanged", "rejected"];
    (counts.iter().map(|name| summary[*name].as_u64().unwrap()).collect(), summary["complete"].as_bool().unwrap())
}

/// The rows that were not taken: index, line and messageId.
fn rejected(reply: &Reply) -> Vec<(u64, u64, String)> {
    let all = lines(reply);
    let rejected = all.iter().filter_map(|line| line.get("rejected"));
    rejected
        .map(|it| {
            let number = |name: &str| it[name].as_u64().unwrap();
            assert!(!it["text"].as_str().unwrap().is_empty() && !it["name"].as_str().unwrap().is_empty());
            (number("index"), number("line"), it["messageId"].as_str().unwrap().to_owned())
        })
        .collect()
}

async fn position(world: &World, id: &str, who: &str) -> Value {
    let asked = request(Method::GET, &format!("/api/v1/imports/{id}"), &[("authorization", &basic(who))]);
    let reply = world.send(asked.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    serde_json::from_str(&reply.text).unwrap()
}

/// Number of device records in the domain.
async fn devices(world: &World, who: &str) -> u64 {
    let session = world.login(who).await;
    let list = world.call(Version::Soap11, "getDeviceInstances", &session_of(&session)).await;
    list.text_of("totalCount").parse().unwrap()
}

/// A table of so many devices.
fn table(rows: std::ops::Range<u32>) -> String {
    let mut text = "deviceID,phoneNumber,dmAccount.authType,dmAccount.clientName,dmAccount.clientSecret\n".to_owned();
    for row in rows {
        text.push_str(&format!("MEID:A{row:06},+4915{row:08},DIGEST,client-{row},secret\n"));
    }
    text
}

#[tokio::test]
async fn rows_become_records_and_those_that_cannot_are_told_with_their_lines() {
    let world = World::new().await;
    let rows = "\u{feff}deviceID,manufacturer,group,attribute.site,dmAccount.authType,dmAccount.clientName,\
                dmAccount.clientSecret\r\n\
                490154203237518,Acme,pilot; north,Paris,DIGEST,one,s\r\n\
                IMEI:490154203237510,,,,,,\r\n\
                \r\n\
                MEID:A1,\"=cmd|' /C calc'!A0\",,\"two\nlines\",,,\r\n\
                490154203237518,,,,,,\r\n\
                MEID:A2,,,,DIGEST,one,s\r\n\
                MEID:A3,x\r\n\
                MEID:A4,,,,HMAC,,s\r\n\
                ,,,,,,\r\n\
                MEID:A5,a\u{0}b,,,,,\r\n";

    let reply = send(&world, "", &[], rows).await;

    let expected = [
        (1, 3, "DMS0001"),
        (3, 7, "DMS0201"),
        (4, 8, "DMS0201"),
        (5, 9, "DMS0001"),
        (6, 10, "DMS0002"),
        (7, 11, "DMS0002"),
        (8, 12, "DMS0001"),
    ];
    let told = rejected(&reply);
    assert_eq!(told.iter().map(|(index, line, id)| (*index, *line, id.as_str())).collect::<Vec<_>>(), expected);
    assert_eq!(summary(&reply), (vec![9, 2, 0, 0, 7], true));
    let find = async |id: &str| {
        let id = muster_broker::identity::DeviceId::from_caller(id).unwrap();
        world.broker.store().device_find("acme", DeviceKey::DeviceId(id), 1).await.unwrap().pop().unwrap()
    };
    let first = find("490154203237518").await;
    assert_eq!(
        (first.group, first.attribute),
        (vec!["pilot".into(), "north".into()], vec![("site".into(), "Paris".into())])
    );
    let account = first.account.unwrap();
    assert_eq!(
        (account.client_name.as_str(), world.broker.vault().open(&account.client_secret).unwrap()),
        ("one", b"s".to_vec())
    );
    let second = find("MEID:A1").await;
    assert_eq!(second.manufacturer.as_deref(), Some("=cmd|' /C calc'!A0"), "a formula is text as any other");
    assert_eq!(second.attribute, [("site".into(), "two\nlines".into())]);
}

#[tokio::test]
async fn objects_are_read_as_bodies_are() {
    let world = World::new().await;
    let rows = [
        json!({"deviceID": "MEID:A1", "group": ["a"], "attribute": [{"name": "n", "value": "v"}],
               "dmAccount": {"authType": "BASIC", "clientName": "one", "clientSecret": "s"}}),
        json!({"deviceID": "MEID:A2", "colour": "red"}),
        json!({"phoneNumber": "+15551234567", "subscriberId": "nobody"}),
        json!(["deviceID"]),
        json!({"deviceID": "MEID:A3", "group": "a"}),
        json!({"phoneNumber": "+15551234567", "version": 9}),
    ];
    let mut text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    text.push_str("{\"deviceID\":");

    let reply = send(&world, "", &[("content-type", "application/x-ndjson; charset=utf-8")], text).await;

    let told = rejected(&reply);
    let expected = [(1, 2, "DMS0001"), (2, 3, "DMS0105"), (3, 4, "DMS0001"), (4, 5, "DMS0001"), (6, 7, "DMS0009")];
    assert_eq!(told.iter().map(|(index, line, id)| (*index, *line, id.as_str())).collect::<Vec<_>>(), expected);
    assert_eq!(summary(&reply), (vec![7, 2, 0, 0, 5], true));
}

#[tokio::test]
async fn records_that_exist_are_refused_or_updated_as_asked() {
    let world = World::new().await;
    assert_eq!(summary(&send(&world, "", &[], table(0..5)).await), (vec![5, 5, 0, 0, 0], true));
    let again = send(&world, "", &[], table(0..5)).await;
    assert_eq!(summary(&again), (vec![5, 0, 0, 0, 5], true));
    assert_eq!(rejected(&again)[4], (4, 6, "DMS0201".into()));
    assert_eq!(summary(&send(&world, "?updateExisting=true", &[], table(0..7)).await), (vec![7, 2, 0, 5, 0], true));

    let changed = "deviceID,model,version\nMEID:A000000,New,1\nMEID:A000001,New,9\nMEID:A000002,New,\nMEID:A000003,,\n";
    let reply = send(&world, "?updateExisting=true", &[], changed).await;
    assert_eq!(summary(&reply), (vec![4, 0, 3, 0, 1], true), "the fourth loses its number");
    assert_eq!(rejected(&reply), [(1, 3, "DMS0202".into())]);

    // A number alone means the record that has it; its device stays. A secret left out stays, too.
    let numbers = "phoneNumber,model,dmAccount.authType,dmAccount.clientName\n+491500000004,New,,\n+491599999999,New,,\n\
                   +491500000005,,DIGEST,renamed\n+491588888888,,DIGEST,other\n";
    let reply = send(&world, "?updateExisting=true", &[], numbers).await;
    assert_eq!(summary(&reply), (vec![4, 1, 2, 0, 1], true));
    assert_eq!(rejected(&reply), [(3, 5, "DMS0002".into())]);
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_and_changes_nothing() {
    let world = World::new().await;
    let rows = format!("{}MEID:A000000,,,,\n", table(0..3));
    let reply = send(&world, "?dryRun=true", &[("import-id", "dry")], rows.clone()).await;
    assert_eq!(summary(&reply), (vec![4, 3, 0, 0, 1], true));
    assert_eq!(lines(&reply).last().unwrap()["summary"]["dryRun"], json!(true));
    assert_eq!((devices(&world, "root").await, position(&world, "dry", "root").await["rows"].clone()), (0, json!(0)));
    assert_eq!(summary(&send(&world, "", &[], rows).await), (vec![4, 3, 0, 0, 1], true));
}

/// Sends the first rows and breaks off.
async fn broken_off(world: &World, id: &str, rows: &str) -> Reply {
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(4);
    let octets = Bytes::from(rows.to_owned());
    tokio::spawn(async move {
        let _ = sender.send_data(octets).await;
        sender.abort(std::io::Error::other("the line went dead"));
    });
    send(world, "", &[("import-id", id)], Body::new(body)).await
}

#[tokio::test]
async fn an_import_that_broke_off_goes_on_where_it_was() {
    let world = World::new().await;
    let whole = table(0..50);
    // In the middle of a row.
    let cut = whole.lines().take(21).map(|line| line.len() + 1).sum::<usize>() + 10;
    let reply = broken_off(&world, "nightly", &whole[..cut]).await;
    let all = lines(&reply);
    assert_eq!(all[0]["stopped"]["name"], json!("MalformedMessage"), "{}", reply.text);
    assert_eq!(summary(&reply), (vec![20, 20, 0, 0, 0], false));
    let state = position(&world, "nightly", "root").await;
    assert_eq!(
        (state["rows"].clone(), state["created"].clone(), state["complete"].clone()),
        (json!(20), json!(20), json!(false))
    );

    // What was not sent may not be left out, and what is sent must be of the same kind.
    let ahead = send(&world, "", &[("import-id", "nightly"), ("import-offset", "21")], table(21..50)).await;
    assert_eq!((ahead.status.as_u16(), ahead.text.contains("\"OffsetMismatch\"")), (409, true), "{}", ahead.text);
    let other = send(&world, "", &[("import-id", "nightly")], "deviceID\nMEID:B1\n").await;
    assert_eq!((other.status.as_u16(), other.text.contains("\"RequestIdReused\"")), (409, true), "{}", other.text);
    let shorter = send(&world, "", &[("import-id", "nightly")], table(0..10)).await;
    assert_eq!(lines(&shorter)[0]["stopped"]["name"], json!("OffsetMismatch"));

    // From the beginning; rows that are durable are passed over.
    let resumed = send(&world, "", &[("import-id", "nightly")], whole.clone()).await;
    assert_eq!((rejected(&resumed), summary(&resumed)), (vec![], (vec![50, 50, 0, 0, 0], true)));
    assert_eq!(devices(&world, "root").await, 50);

    // Once more: it is over, and nothing happens.
    let session = world.login("root").await;
    let gone = format!("{}<deviceID>MEID:A000007</deviceID>", session_of(&session));
    world.call(Version::Soap11, "deleteDeviceInstance", &gone).await;
    assert_eq!(
        summary(&send(&world, "", &[("import-id", "nightly")], whole.clone()).await),
        (vec![50, 50, 0, 0, 0], true)
    );
    assert_eq!(devices(&world, "root").await, 49);

    // Forgotten, it begins anew.
    let forget = request(Method::DELETE, "/api/v1/imports/nightly", &[]).body(Body::empty()).unwrap();
    assert_eq!(world.send(forget).await.status, 204);
    assert_eq!(summary(&send(&world, "", &[("import-id", "nightly")], whole).await), (vec![50, 1, 0, 0, 49], true));
}

#[tokio::test]
async fn rows_may_be_sent_from_the_position_on() {
    let world = World::new().await;
    let whole = table(0..30);
    let cut = whole.lines().take(11).map(|line| line.len() + 1).sum::<usize>();
    broken_off(&world, "part", &whole[..cut]).await;
    let reply =
        send(&world, "", &[("import-id", "part"), ("import-offset", "8")], format!("{}bad\n", table(8..30))).await;
    assert_eq!(rejected(&reply), [(30, 24, "DMS0001".into())]);
    assert_eq!(summary(&reply), (vec![31, 30, 0, 0, 1], true));
}

#[tokio::test]
async fn an_import_belongs_to_its_caller_and_a_row_to_its_domain() {
    let world = World::new().await;
    send(&world, "", &[("import-id", "mine")], table(0..3)).await;
    let stranger = basic("stranger");
    let theirs = [("authorization", stranger.as_str()), ("import-id", "mine")];
    assert_eq!(position(&world, "mine", "stranger").await["rows"], json!(0));
    // Identifiers are of a domain, names of accounts are not.
    let reply = send(&world, "?updateExisting=true", &theirs, table(0..3)).await;
    assert_eq!((rejected(&reply).len(), summary(&reply)), (3, (vec![3, 0, 0, 0, 3], true)));
    assert!(reply.text.contains("dmAccount.clientName"), "{}", reply.text);
    let id = muster_broker::identity::DeviceId::from_caller("MEID:A000000").unwrap();
    let ours = world.broker.store().device_find("acme", DeviceKey::DeviceId(id), 1).await.unwrap().pop().unwrap();
    let by_oid = format!("oid,deviceID\n{},MEID:X1\n", ours.oid);
    let reply = send(&world, "?updateExisting=true", &[("authorization", &stranger)], by_oid).await;
    assert_eq!(rejected(&reply), [(0, 2, "DMS0103".into())]);
    assert_eq!((devices(&world, "root").await, devices(&world, "stranger").await), (3, 0));
}

#[tokio::test]
async fn what_cannot_begin_is_refused_before_a_row_is_read() {
    let world = World::new().await;
    let reader = basic("reader");
    let row = "deviceID\nMEID:A1\n";
    for (query, headers, rows, status, name) in [
        ("", vec![("authorization", reader.as_str())], row, 403, "NotAuthorized"),
        ("", vec![("authorization", "Basic Zm9vOmJhcg==")], row, 401, "NotAuthenticated"),
        ("", vec![], "deviceID,colour\nA,red\n", 400, "InvalidArgument"),
        ("", vec![], "model\nOne\n", 400, "MissingArgument"),
        ("", vec![], "", 400, "MalformedMessage"),
        ("", vec![], "\u{0}\u{0}", 400, "InvalidArgument"),
        ("?update=true", vec![], row, 400, "InvalidArgument"),
        ("?dryRun=yes", vec![], row, 400, "InvalidArgument"),
        ("?dryRun=true&dryRun=true", vec![], row, 400, "InvalidArgument"),
        ("", vec![("import-id", "a b")], row, 400, "InvalidArgument"),
        ("", vec![("import-offset", "-1")], row, 400, "InvalidArgument"),
        ("", vec![("content-type", "text/csv; charset=iso-8859-1")], row, 400, "InvalidArgument"),
        ("", vec![("content-type", "text/csv; header=absent")], row, 400, "InvalidArgument"),
        ("", vec![("content-encoding", "gzip")], row, 400, "InvalidArgument"),
        ("", vec![("x-http-method-override", "DELETE")], row, 400, "InvalidArgument"),
    ] {
        let reply = send(&world, query, &headers, rows).await;
        assert_eq!(reply.status.as_u16(), status, "{query} {headers:?} {}", reply.text);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        let problem: Value = serde_json::from_str(&reply.text).unwrap();
        assert_eq!(problem["name"], json!(name), "{query} {headers:?}");
    }
    // A table in UTF-16.
    let reply = send(&world, "", &[], Bytes::from_static(b"\xff\xfed\0e\0")).await;
    assert!(reply.text.contains("UTF-16"), "{}", reply.text);
    let nobody = Request::post(IMPORT).header("content-type", "text/csv").body(Body::from(row)).unwrap();
    assert_eq!(world.send(nobody).await.status, 401);
    for method in [Method::GET, Method::HEAD, Method::DELETE] {
        let nobody = Request::builder().method(method.clone()).uri("/api/v1/imports/x").body(Body::empty()).unwrap();
        assert_eq!(world.send(nobody).await.status, 401, "{method}");
        let reader = request(method.clone(), "/api/v1/imports/x", &[("authorization", &reader)]);
        assert_eq!(world.send(reader.body(Body::empty()).unwrap()).await.status, 403, "{method}");
    }
    let put = request(Method::PUT, "/api/v1/imports/x", &[]).body(Body::empty()).unwrap();
    assert_eq!(world.send(put).await.status, 405);
    assert_eq!(devices(&world, "root").await, 0);
}

#[tokio::test]
async fn lines_tell_how_far_a_long_import_is_where_that_is_asked_for() {
    let world = World::new().await;
    let reply = send(&world, "?progress=true", &[], table(0..20_000)).await;
    assert_eq!(summary(&reply), (vec![20_000, 20_000, 0, 0, 0], true));
    let told: Vec<_> = lines(&reply).iter().filter_map(|line| line["progress"]["rows"].as_u64()).collect();
    assert!(told.is_sorted() && told.iter().all(|rows| *rows <= 20_000), "{told:?}");
    let quiet = send(&world, "", &[], table(20_000..20_010)).await;
    assert_eq!(lines(&quiet).len(), 1);
}

#[tokio::test]
async fn what_an_import_was_refused_is_in_the_audit_log_and_refused_rows_are_counted() {
    let world = World::new().await;
    let bad = format!("{}MEID:B1,no-number,,,\nMEID:B2,no-number,,,\nMEID:A000001,+4915000000001,,,\n", table(0..3));
    assert_eq!(summary(&send(&world, "", &[], bad.clone()).await).0[4], 3);
    // A rehearsal refuses nothing.
    send(&world, "?dryRun=true", &[], bad).await;
    // Refused as a whole: by the address, by the position, by the right, and before anybody was known.
    send(&world, "?what=ever", &[], table(0..1)).await.is_problem(400, "InvalidArgument", &["what", "ever"]);
    let ahead = [("import-id", "x"), ("import-offset", "7")];
    send(&world, "", &ahead, table(0..1)).await.is_problem(409, "OffsetMismatch", &["0"]);
    send(&world, "", &[("authorization", &basic("care"))], table(0..1)).await.is_problem(
        403,
        "NotAuthorized",
        &["device", "import"],
    );
    let wrong = format!("Basic {}", STANDARD.encode("root:wrong"));
    let refused = send(&world, "", &[("authorization", &wrong)], table(0..1)).await;
    refused.is_problem(401, "NotAuthenticated", &[]);
    world.broker.flush_refusals(muster_broker::services::Flush::All).await.unwrap();

    let filter = muster_broker::ledger::AuditFilter {
        operation: Some("importDevices".into()),
        is_refused: Some(true),
        ..muster_broker::ledger::AuditFilter::default()
    };
    let page = muster_broker::page::Page { size: 100, after: None };
    let told = world.broker.store().audit_list(None, filter, page).await.unwrap().items;
    let mut told: Vec<_> = told
        .into_iter()
        .map(|it| (it.entry.actor, format!("{:?}", it.entry.outcome), it.entry.count, it.entry.face))
        .collect();
    told.sort_unstable();
    let entry = |actor: &str, fault: &str, count: u32| {
        (actor.to_owned(), format!("Refused({fault})"), count, "REST".to_owned())
    };
    assert_eq!(
        told,
        [
            entry("care", "NotAuthorized", 1),
            entry("root", "AlreadyExists", 1),
            entry("root", "InvalidArgument", 1),
            entry("root", "InvalidArgument", 2),
            entry("root", "NotAuthenticated", 1),
            entry("root", "OffsetMismatch", 1),
        ]
    );
}
