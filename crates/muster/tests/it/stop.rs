//! SIGTERM.

use std::time::Duration;

use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::{Initiation, SessionEnd};
use muster_simulator::fleet::{Fleet, FleetRun, FleetSpec, Mix};
use muster_simulator::http::HttpOptions;
use serde_json::{Value, json};

use crate::running::{Running, until};

const DEVICES: u64 = 20;
const NODE: &str = "./Vendor/Example/Name";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_end_in_mid_session_it_lets_sessions_finish_and_begins_no_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path());
    server.import(DEVICES + 1, 5);
    let deployment = json!({
        "name": "slow", "operation": "UPDATE", "devices": {"allDevices": true}, "bOptin": false,
        "acceptDevicePolicy": 20, "testCycle": false, "arguments": {"parameter": [{"path": NODE, "value": "whole"}]},
    });
    let job =
        server.call("createDeployments", &json!({"deployment": [deployment]}))["jobId"][0].as_str().unwrap().to_owned();

    // All but the last begin at once, and take long from one message to the next; the last comes too late.
    let slow = (0..DEVICES).map(|at| (at, Behaviour::Slow { ms: 700 })).collect();
    let spec = FleetSpec { mix: Mix::Listed(slow), ..FleetSpec::new(DEVICES + 1, 5) };
    let url = format!("{}/dm", server.url("south"));
    let http = HttpOptions::new().unwrap();
    let mut fleet = Fleet::start(spec.iter().take(DEVICES as usize), FleetRun::once(&url, http.clone()));
    until("all devices in mid-session", || {
        let tasks = server.tasks(&job);
        let begun = tasks.iter().filter(|it| it["status"] == "IN_PROGRESS").count();
        assert!(tasks.iter().all(|it| it["status"] != "SUCCEEDED"), "too fast to show anything");
        (begun as u64 == DEVICES).then_some(())
    });
    server.tell_to_end();
    let mut late = spec.device(DEVICES).connected(&url, http);
    let refused = loop {
        // Until the signal has arrived, sessions begin as ever.
        let report = late.connect(&Initiation::Client).await;
        if report.http_statuses.contains(&503) {
            break report;
        }
        assert_eq!(report.end, SessionEnd::Complete, "{report:?}");
    };
    assert!(matches!(refused.end, SessionEnd::Transport(_)), "{refused:?}");
    // Whoever balances load sends nothing here any more.
    let ready = crate::http::get(&server.address("admin"), "/readyz");
    assert_eq!((ready.status, ready.body.as_str()), (503, "the server ends\n"));
    assert_eq!(crate::http::get(&server.address("admin"), "/healthz").status, 200);
    while let Some(report) = fleet.next_report().await {
        assert_eq!(report.end, SessionEnd::Complete, "{report:?}");
    }
    for device in fleet.finish().await.devices {
        assert_eq!(device.device.tree.text(NODE), Some("whole"));
        assert_eq!(device.device.ledger().count(NODE, "Replace"), 1);
    }
    assert_eq!(server.ended().code(), Some(0));

    let server = Running::again(server);
    let statuses: Vec<Value> = server.tasks(&job).iter().map(|it| it["status"].clone()).collect();
    assert!(statuses.iter().filter(|it| **it == "SUCCEEDED").count() as u64 >= DEVICES, "{statuses:?}");
}

#[test]
fn told_to_end_while_nothing_happens_it_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path());
    // Idle connections are closed, not waited for.
    let idle: Vec<_> = ["north", "south", "admin"].map(|it| crate::http::connect(&server.address(it))).into();
    let begin = std::time::Instant::now();
    server.tell_to_end();
    assert_eq!(server.ended().code(), Some(0));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    drop(idle);
}

#[test]
fn told_to_end_in_the_moment_it_is_ready_it_still_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..5 {
        let mut server = Running::start(folder.path());
        server.tell_to_end();
        assert_eq!(server.ended().code(), Some(0));
    }
}
