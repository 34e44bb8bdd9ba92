//! Documents of JSON, and rows of them, that read differently to different readers.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::world::{NUMBER, Reply, World};

async fn post(world: &World, session: &str, path: &str, media_type: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {session}"))
        .header("content-type", media_type);
    world.send(request.body(body.into()).unwrap()).await
}

/// A complete doOperation with another policy and more members.
fn with(policy: &str, more: &str) -> String {
    format!(
        "{{\"operation\":\"QUERY\",\"phoneNumber\":\"{NUMBER}\",\"bOptin\":false,\"acceptDevicePolicy\":{policy},\
         \"testCycle\":false{more}}}"
    )
}

#[tokio::test]
async fn json_that_two_readers_could_read_differently_is_refused_and_changes_nothing() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let digits = "2".repeat(100_000);
    let name = format!(",\"{}\":1", "n".repeat(100_000));
    for (body, name) in [
        // Twice the same member, openly, by escapes, and inside a record.
        (with("20", ",\"operation\":\"WIPE\""), "InvalidArgument"),
        (with("20", ",\"\\u006fperation\":\"WIPE\""), "InvalidArgument"),
        (with("20", ",\"schedule\":{\"maxAttempts\":1,\"maxAttempts\":9}"), "InvalidArgument"),
        // Members that look like ours.
        (with("20", ",\"Operation\":\"WIPE\""), "InvalidArgument"),
        (with("20", ",\"\u{43e}peration\":\"WIPE\""), "InvalidArgument"),
        (with("20", ",\"operation\\u0000\":\"WIPE\""), "InvalidArgument"),
        (with("20", ",\"__proto__\":{\"operation\":\"WIPE\"}"), "InvalidArgument"),
        (with("20", &name), "InvalidArgument"),
        // Numbers that are none, are too large, or are nearly right.
        (with("1e999", ""), "MalformedMessage"),
        (with("NaN", ""), "MalformedMessage"),
        (with("-Infinity", ""), "MalformedMessage"),
        (with("020", ""), "MalformedMessage"),
        (with("0x14", ""), "MalformedMessage"),
        (with("+20", ""), "MalformedMessage"),
        (with(&digits, ""), "MalformedMessage"),
        (with("18446744073709551636", ""), "InvalidArgument"),
        (with("4294967316", ""), "InvalidArgument"),
        (with("-20", ""), "InvalidArgument"),
        (with("20.5", ""), "InvalidArgument"),
        (with("\"20\"", ""), "InvalidArgument"),
        (with("[20]", ""), "InvalidArgument"),
        (with("true", ""), "InvalidArgument"),
        // Halves of surrogates, zeros, bare controls and comments.
        (with("20", ",\"requestId\":\"\\ud800\""), "MalformedMessage"),
        (with("20", ",\"requestId\":\"\\udc00\\ud800\""), "MalformedMessage"),
        (with("20", ",\"requestId\":\"a\\u0000b\""), "InvalidArgument"),
        (with("20", ",\"requestId\":\"a\nb\""), "MalformedMessage"),
        (with("20", "/* x */"), "MalformedMessage"),
        (with("20", ","), "MalformedMessage"),
        (with("20", "").replace('"', "'"), "MalformedMessage"),
    ] {
        let shown: String = body.chars().take(200).collect();
        let reply = post(&world, &session, "/tasks", "application/json", body).await;
        assert_eq!(reply.status, 400, "{shown}: {}", reply.text);
        reply.is_problem(400, name, &[]);
        assert!(reply.text.len() < 2_000, "{shown}: an answer of {} octets", reply.text.len());
    }
    for (body, what) in [
        (with("20", &format!(",\"arguments\":{}1{}", "[".repeat(64), "]".repeat(64))), "nested values"),
        (with("20", &format!(",\"arguments\":{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000))), "nested values"),
        (with("20", &(0..70).map(|at| format!(",\"m{at}\":0")).collect::<String>()), "members in an object"),
        (with("20", &format!(",\"requestId\":\"{}\"", "x".repeat((4 << 20) + 1))), "octets in a string"),
    ] {
        let reply = post(&world, &session, "/tasks", "application/json", body).await;
        reply.is_problem(413, "RequestTooLarge", &[what]);
    }
    for octets in [
        b"{\"operation\":\"\xC0\xAF\"}".to_vec(),
        b"\xFF\xFE{\0}\0".to_vec(),
        b"{\"operation\":\"\xED\xA0\x80\"}".to_vec(),
    ] {
        let reply = post(&world, &session, "/tasks", "application/json", octets).await;
        reply.is_problem(400, "MalformedMessage", &[]);
    }
    assert_eq!(world.state(&session).await, before);
}

/// The rows that were not taken and their faults, and how many records were made.
fn told(reply: &Reply) -> (Vec<(u64, String)>, u64) {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let lines: Vec<Value> = reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rejected = lines.iter().filter_map(|line| line.get("rejected"));
    let rejected = rejected.map(|it| (it["line"].as_u64().unwrap(), it["name"].as_str().unwrap().to_owned())).collect();
    (rejected, lines.last().unwrap()["summary"]["created"].as_u64().unwrap())
}

#[tokio::test]
async fn rows_with_tricks_in_them_are_refused_one_by_one() {
    let (world, session) = World::with_session().await;
    let row = |id: &str| format!("{{\"deviceID\":\"{id}\"}}");
    let deep = format!("{{\"deviceID\":\"MEID:A3\",\"group\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let rows = [
        row("MEID:A1"),
        "{\"deviceID\":\"MEID:A2\",\"deviceID\":\"MEID:A3\"}".to_owned(),
        "{\"deviceID\":\"MEID:\\ud800\"}".to_owned(),
        "{\"deviceID\":\"MEID:A4\",\"version\":1e999}".to_owned(),
        deep,
        "{\"deviceID\":\"MEID:A5\"}{\"deviceID\":\"MEID:A6\"}".to_owned(),
        "{\"deviceID\":\"MEID:A7\\u0000\"}".to_owned(),
        "\u{FEFF}{\"deviceID\":\"MEID:A8\"}".to_owned(),
        "\0".to_owned(),
        row("MEID:A9"),
    ];
    let reply = post(&world, &session, "/devices:import", "application/x-ndjson", rows.join("\n")).await;
    let (rejected, created) = told(&reply);
    assert_eq!(created, 2, "{}", reply.text);
    assert_eq!(rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9], "{}", reply.text);
    assert!(
        rejected
            .iter()
            .all(|(_, name)| matches!(name.as_str(), "InvalidArgument" | "MalformedMessage" | "RequestTooLarge")),
        "{rejected:?}"
    );

    let table = "\u{FEFF}deviceID,model\r\nMEID:B1,One\r\nMEID:B2\0,One\r\nMEID:B3,\"a\"b\r\nMEID:B4,One,Two\r\n\
                 MEID:B5,\"=cmd|' /C calc'!A0\"\r\n\"MEID:B6\r\n";
    let reply = post(&world, &session, "/devices:import", "text/csv", table).await;
    let (rejected, created) = told(&reply);
    assert_eq!(created, 2, "{}", reply.text);
    assert_eq!(rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4, 5, 7], "{}", reply.text);
}
