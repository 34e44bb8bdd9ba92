//! The example of the guide to rollouts, as it looks from outside.

use muster_broker::store::Due;
use serde_json::{Value, json};

use crate::world::{BOTH, World, session_of};

const GUIDE: &str = include_str!("../../../../docs/guide/rollouts.md");

/// The body that the guide shows.
fn example() -> Value {
    let (_, rest) = GUIDE.split_once("```json\n").unwrap();
    let (body, _) = rest.split_once("```").unwrap();
    serde_json::from_str(body).unwrap()
}

/// A world with so many devices in the group of the example.
async fn world(devices: usize) -> (World, String) {
    let (world, session) = World::with_session().await;
    for number in 0..devices {
        let device = json!({
            "deviceID": format!("field-{number}"),
            "group": ["field"],
            "dmAccount": {"authType": "BASIC", "clientName": format!("field-{number}"), "clientSecret": "c"},
        });
        let made = world.rest("POST", "/devices", Some(&session), Some(device)).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    (world, session)
}

async fn begun(world: &World, session: &str, body: Value) -> String {
    let made = world.rest("POST", "/jobs", Some(session), Some(body)).await;
    assert_eq!(made.status, 202, "{}", made.text);
    assert_eq!(made.json()["rejected"], json!([]));
    let now = muster_broker::time::Timestamp::parse(crate::world::MORNING).unwrap();
    for _ in 0..3 {
        while world.broker.store().job_pump(now, 100).await.unwrap() == Due::More {}
    }
    made.json()["jobId"][0].as_str().unwrap().to_owned()
}

async fn told(world: &World, session: &str, job: &str) -> Value {
    let told = world.rest("GET", &format!("/jobs/{job}"), Some(session), None).await;
    assert_eq!(told.status, 200, "{}", told.text);
    told.json()
}

#[tokio::test]
async fn the_example_of_the_guide_goes_in_waves_and_is_told_as_it_was_given() {
    let (world, session) = world(20).await;

    let job = begun(&world, &session, example()).await;

    let told = told(&world, &session, &job).await;
    let given = &example()["deployments"][0]["schedule"];
    assert_eq!(told["schedule"]["wave"], given["wave"]);
    assert_eq!(told["schedule"]["maintenanceWindow"], given["maintenanceWindow"]);
    let waves: Vec<_> = told["waveProgress"].as_array().unwrap().iter().map(|it| (&it["state"], &it["size"])).collect();
    let expected = [("RUNNING", 10), ("WAITING", 2), ("WAITING", 8)].map(|(state, size)| (json!(state), json!(size)));
    assert_eq!(waves, expected.iter().map(|(state, size)| (state, size)).collect::<Vec<_>>());
    assert_eq!(told["waveProgress"][0]["taskCount"], json!([{"status": "SCHEDULED", "count": 10}]));
    let progress = &told["progress"];
    assert_eq!((&progress["finishedCount"], &progress["remainingCount"]), (&json!(0), &json!(20)));
    assert_eq!((&progress["certainty"], &progress["latestEnd"]), (&json!("NONE"), &json!("2026-12-24T00:00:00.000Z")));
    assert!(told.get("rehearsal").is_none());
}

#[tokio::test]
async fn a_test_cycle_of_the_example_tells_what_it_would_come_to() {
    let (world, session) = world(20).await;
    let blank = json!({"deviceID": "field-blank", "group": ["field"]});
    assert_eq!(world.rest("POST", "/devices", Some(&session), Some(blank)).await.status, 201);
    let mut body = example();
    body["deployments"][0]["testCycle"] = json!(true);

    let job = begun(&world, &session, body).await;

    let told = told(&world, &session, &job).await;
    assert_eq!(told["status"], "COMPLETED");
    let rehearsal = &told["rehearsal"];
    assert_eq!((&rehearsal["reachedCount"], &rehearsal["leftOutCount"]), (&json!(20), &json!(1)));
    assert_eq!((&rehearsal["waveSize"], &rehearsal["manualGate"]), (&json!([10, 2, 8]), &json!(true)));
    // From Saturday morning to two o'clock on Monday in Berlin, and from then on ramps of four hours, of which a window
    // takes three and the next one the fourth; besides a day in which the first wave is watched.
    let monday_s = 2 * 86_400 - 5 * 3600 - 6 * 60;
    let least_s = monday_s + 86_400 + 3600 + 86_400;
    assert_eq!(rehearsal["leastDurationSeconds"], least_s);
    assert_eq!(rehearsal["endsInTime"], true);
    let why = "The device has no account to authenticate with";
    assert_eq!(told["reason"], json!([{"status": "FAILED", "text": why, "count": 1}]));
}

#[tokio::test]
async fn a_wave_is_released_over_soap_only_where_one_waits() {
    for version in BOTH {
        let (world, session) = world(11).await;
        let job = begun(&world, &session, example()).await;
        let parameters = format!("{}<jobId>{job}</jobId>", session_of(&session));

        let told = world.call(version, "getJobById", &parameters).await;
        assert_eq!(told.status, 200, "{}", told.text);
        assert!(told.text.contains("<state>RUNNING</state>"), "{}", told.text);
        let refused = world.call(version, "releaseWave", &parameters).await;

        refused.is_fault("WrongState", &["RUNNING"]);
    }
}
