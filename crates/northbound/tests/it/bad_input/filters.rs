//! Expressions and parameters of lists that would like to be something else.

use std::fmt::Write as _;

use muster_protocol::soap::Version;
use serde_json::json;

use crate::world::{BOTH, World, session_of};

/// Percent signs for everything but letters and digits.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, octet| {
        if octet.is_ascii_alphanumeric() {
            all.push(char::from(octet));
        } else {
            write!(all, "%{octet:02X}").unwrap();
        }
        all
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[tokio::test]
async fn an_expression_is_never_part_of_a_statement_and_reaches_no_other_domain() {
    let (world, session) = World::with_session().await;
    let stranger = world.login("stranger").await;
    let other = json!({"deviceID": "MEID:A1", "model": "theirs"});
    assert_eq!(world.rest("POST", "/devices", Some(&stranger), Some(other)).await.status, 201);
    let (before, theirs) = (world.state(&session).await, world.state(&stranger).await);

    // Values of any kind are compared as they are, and nothing is like them.
    let values = [
        "x' OR '1'='1",
        "x'; DROP TABLE device; --",
        "x') UNION SELECT password_hash FROM principal --",
        "%",
        "_",
        "x' ESCAPE '\\",
        "[a-z]",
        "?1",
        ":tenant",
        "x/**/",
        "\u{2019} OR 1=1",
    ];
    for value in values {
        let expression =
            format!("model = \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('*', "\\*"));
        let path = format!("/devices?filter={}", encoded(&expression));
        let reply = world.rest("GET", &path, Some(&session), None).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({"items": [], "totalCount": 0})), "{expression}");
        for path in [format!("/devices?model={}", encoded(value)), format!("/devices?group={}", encoded(value))] {
            let reply = world.rest("GET", &path, Some(&session), None).await;
            assert!(
                reply.status == 200 && reply.json()["totalCount"] == 0 || reply.status == 400,
                "{path}: {}",
                reply.text
            );
        }
        for version in BOTH {
            let parameters =
                format!("{}<filterExpression>{}</filterExpression>", session_of(&session), escaped(&expression));
            let reply = world.call(version, "getDeviceInstances", &parameters).await;
            assert_eq!((reply.status.as_u16(), reply.text_of("totalCount").as_str()), (200, "0"), "{expression}");
        }
    }
    // What is no expression is refused, and so is what names columns that are no fields.
    for expression in [
        "1=1",
        "model = 'x' OR 1=1",
        "model = 'x'; DELETE FROM device",
        "model = 'x' --",
        "model = 'x' /* y */",
        "model = 'x' UNION SELECT 1",
        "model = (SELECT 'x')",
        "tenant = 'other'",
        "tenant != 'acme'",
        "password_hash = 'x'",
        "dmAccount.clientSecret = 'b'",
        "clientSecret = 'b'",
        "rowid > 0",
        "oid; = 'x'",
        "\"model\" = 'x'",
        "model = 'x\0'",
        "model",
        "has(tenant)",
    ] {
        let reply = world.rest("GET", &format!("/devices?filter={}", encoded(expression)), Some(&session), None).await;
        reply.is_problem(400, "InvalidArgument", &[]);
        let text = reply.text.to_lowercase();
        assert!(!["sqlite", "syntax error", "no such column", "select *"].iter().any(|it| text.contains(it)), "{text}");
        if !expression.contains('\0') {
            let parameters =
                format!("{}<filterExpression>{}</filterExpression>", session_of(&session), escaped(expression));
            let told = world.call(Version::Soap12, "getDeviceInstances", &parameters).await.fault();
            assert_eq!(told.name, "InvalidArgument", "{expression}");
        }
    }
    // Whatever holds for everything holds for what one may see.
    for expression in ["model != 'x'", "not model = 'x'", "model = '*'", "has(deviceID) or absent(deviceID)"] {
        let reply = world.rest("GET", &format!("/devices?filter={}", encoded(expression)), Some(&session), None).await;
        assert!(
            reply.status == 200 && !reply.text.contains("MEID:A1") && !reply.text.contains("theirs"),
            "{}",
            reply.text
        );
    }
    assert_eq!((world.state(&session).await, world.state(&stranger).await), (before, theirs));
}
