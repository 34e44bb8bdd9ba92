//! Lists narrowed by expressions, as it looks from outside.

use crate::world::{BOTH, World, do_operation, session_of};

#[tokio::test]
async fn every_list_takes_an_expression_in_both_versions() {
    for version in BOTH {
        let (world, session) = World::with_session().await;
        let asked = world.call(version, "doOperation", &do_operation(&session)).await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        for (operation, expression, count) in [
            ("getDeviceInstances", "managementState != RETIRED and has(phoneNumber)", "1"),
            ("getDeviceInstances", "phoneNumber = '+999*'", "0"),
            ("getDeviceCapabilities", "absent(firmwareVersion)", "0"),
            ("getJobs", "status = RUNNING", "0"),
            ("getTasks", "status in (SCHEDULED, NOTIFYING) and absent(jobId)", "1"),
            ("getTasks", "createdAt &lt; 1999-01-01T00:00:00Z", "0"),
            ("getSubscribers", "optIn = true", "0"),
        ] {
            let parameters = format!("{}<filterExpression>{expression}</filterExpression>", session_of(&session));
            let listed = world.call(version, operation, &parameters).await;
            assert_eq!(listed.status, 200, "{operation} {expression}: {}", listed.text);
            assert_eq!(listed.text_of("totalCount"), count, "{operation} {expression}");
        }
    }
}

#[tokio::test]
async fn an_expression_that_cannot_be_read_is_an_invalid_argument_that_says_where() {
    for version in BOTH {
        let (world, session) = World::with_session().await;
        for (operation, expression, found, told) in [
            ("getDeviceInstances", "modell = 'x'", "modell", "at character 1: this is no field of the list"),
            ("getTasks", "status = BROKEN", "BROKEN", "at character 10: one of SCHEDULED"),
            ("getJobs", "name = 'x' and", "", "at character 15: a field is expected"),
            ("getDeviceCapabilities", "tac &lt; 1", "&lt;", "at character 5: tac has no order"),
            ("getSubscribers", "optIn = 1", "1", "at character 9: true or false is expected"),
        ] {
            let parameters = format!("{}<filterExpression>{expression}</filterExpression>", session_of(&session));
            let refused = world.call(version, operation, &parameters).await;
            refused.is_fault("InvalidArgument", &["filterExpression", &found.replace("&lt;", "<")]);
            assert!(refused.text.contains(told), "{}", refused.text);
        }
        let long = format!("{}<filterExpression>{}</filterExpression>", session_of(&session), "(".repeat(5_000));
        let refused = world.call(version, "getJobs", &long).await;
        assert!(refused.text.contains("at most 4096 octets"), "{}", refused.text);
    }
}

#[tokio::test]
async fn over_rest_the_expression_is_the_filter_of_the_query() {
    let (world, session) = World::with_session().await;
    for (path, count) in [
        ("/devices?filter=has(phoneNumber)%20and%20managementState%20!%3D%20RETIRED", 1),
        ("/devices?filter=phoneNumber%20%3D%20%22%2B999*%22", 0),
        ("/tasks?filter=status%20%3D%20SCHEDULED", 0),
        ("/jobs?filter=status%20%3D%20RUNNING&limit=1", 0),
        ("/capabilities?filter=absent(firmwareVersion)", 0),
        ("/subscribers?filter=optIn%20%3D%20true", 0),
    ] {
        let listed = world.rest("GET", path, Some(&session), None).await;
        assert_eq!(listed.status, 200, "{path}: {}", listed.text);
        assert_eq!(listed.json()["totalCount"], count, "{path}");
    }
    let refused = world.rest("GET", "/jobs?filter=nome%3D1", Some(&session), None).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["variables"], serde_json::json!(["filter", "nome"]), "{}", refused.text);
    assert!(refused.text.contains("at character 1"), "{}", refused.text);
}
