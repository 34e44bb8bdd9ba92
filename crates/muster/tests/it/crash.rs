//! kill -9 in the middle of a job.

use std::collections::BTreeMap;

use muster_protocol::syncml::StatusCode;
use muster_simulator::behaviour::Behaviour;
use muster_simulator::fleet::{Fleet, FleetRun, FleetSpec, Mix};
use muster_simulator::http::HttpOptions;
use serde_json::{Value, json};

use crate::running::{Running, muster, run, run_with_input, until};

const DEVICES: u64 = 300;
const KILLS: usize = 5;
const SECOND: &str = "the second person's password";
/// Place of the device that does not let [`WRITTEN`] be written.
const REFUSES: u64 = 4;
const MADE: &str = "./Vendor/Example/Settings/Made";
const EXECUTED: &str = "./FUMO/Package/Update";
const WRITTEN: &str = "./Vendor/Example/Name";

/// Three jobs over the whole fleet: nodes that may be made once, a node that may be executed once, and one that may be
/// written again.
fn deploy(server: &Running) -> Vec<String> {
    let work = [
        (
            "UPDATE",
            json!({"parameter": [{"path": MADE, "value": "x"}], "option": [{"name": "create", "value": "true"}]}),
        ),
        ("EXECUTE", json!({"parameter": [{"path": EXECUTED}]})),
        ("UPDATE", json!({"parameter": [{"path": WRITTEN, "value": "after the crash"}]})),
    ];
    let deployments: Vec<Value> = work
        .iter()
        .map(|(operation, arguments)| {
            json!({
                "name": operation, "operation": operation, "arguments": arguments, "devices": {"allDevices": true},
                "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false,
                "schedule": {"maxAttempts": 20, "retryDelaySeconds": 1},
            })
        })
        .collect();
    // One person is enough here, and a second one has said so.
    let rules = ["FIRMWARE", "CHANGE"].map(|it| json!({"operationClass": it, "required": false, "deviceCap": 0}));
    let set = server.call("setApprovalPolicy", &json!({"approvalPolicy": {"rule": rules}}));
    let mut approve = muster(["approvals", "approve", set["waitsFor"].as_str().unwrap()]);
    approve.env("MUSTER_URL", format!("{}/wsi", server.url("north")));
    run(approve.env("MUSTER_USER", "second").env("MUSTER_PASSWORD", SECOND)).ok();
    let receipt = server.call("createDeployments", &json!({"deployment": deployments}));
    receipt["jobId"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// Tasks by status, once as counted in their job and once as they are.
fn counts(server: &Running, job: &str) -> (Value, BTreeMap<String, u64>, BTreeMap<String, u64>) {
    let record = server.call("getJobById", &json!({"jobId": job}));
    let counted = record["taskCount"].as_array().unwrap().iter();
    let counted =
        counted.map(|it| (it["status"].as_str().unwrap().to_owned(), it["count"].as_u64().unwrap())).collect();
    let mut there = BTreeMap::new();
    for task in server.tasks(job) {
        *there.entry(task["status"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    (record, counted, there)
}

async fn goes_on_to_the_same_end(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut server = Running::start(folder.path());
    server.import(DEVICES, seed);
    server.kill();
    let mut put = muster(["principal", "put", "second", "--role", "administrator", "--data"]);
    run_with_input(put.arg(folder.path()), SECOND).ok();
    server = Running::again(server);
    let behaviours = vec![
        (REFUSES, Behaviour::FailsWith { status: StatusCode::NOT_ALLOWED, path: WRITTEN.to_owned() }),
        (5, Behaviour::RepeatsMessage),
        (6, Behaviour::DropsConnection { after_message: 2, times: 2 }),
        (7, Behaviour::Slow { ms: 40 }),
    ];
    let spec = FleetSpec { mix: Mix::Listed(behaviours), ..FleetSpec::new(DEVICES, seed) };
    let interval = std::time::Duration::from_millis(600);
    let run = FleetRun {
        interval,
        jitter: interval,
        sessions_per_device: None,
        ..FleetRun::once(&format!("{}/dm", server.url("south")), HttpOptions::new().unwrap())
    };
    let jobs = deploy(&server);
    let mut fleet = Fleet::start(spec.iter(), run);
    for kill in 0..KILLS {
        for _ in 0..random.usize(10..60) {
            fleet.next_report().await.unwrap();
        }
        server.kill();
        server = Running::again(server);
        if kill == 0 {
            assert_eq!(server.call("getJobById", &json!({"jobId": jobs[0]}))["status"], "RUNNING");
        }
    }
    for job in &jobs {
        until("the end of the job", || {
            (server.call("getJobById", &json!({"jobId": job}))["status"] == "COMPLETED").then_some(())
        });
    }
    fleet.stopper().stop();
    let finished = fleet.finish().await;
    assert!(finished.counts.sessions_failed > 0, "no session was cut off: {:?}", finished.counts);
    let devices = finished.devices;
    assert_eq!(devices.len() as u64, DEVICES);

    let mut ends = Vec::new();
    for job in &jobs {
        let (record, counted, there) = counts(&server, job);
        assert_eq!(counted, there, "{record}");
        assert!(there["SUCCEEDED"] > DEVICES / 2, "{there:?}");
        ends.push(server.tasks(job));
    }
    let end = |at: usize, device: &str| {
        let of_device = |it: &&Value| it["deviceID"].as_str() == Some(device);
        let tasks: Vec<&Value> = ends[at].iter().filter(of_device).collect();
        assert_eq!(tasks.len(), 1, "{device}");
        tasks[0].clone()
    };
    for (device, spec) in devices.iter().zip(spec.iter()) {
        let id = format!("IMEI:{}", spec.imei);
        let ledger = device.device.ledger();
        let refuses = spec.index == REFUSES;
        assert_eq!(end(0, &id)["status"], "SUCCEEDED", "{}", end(0, &id));
        assert_eq!(end(2, &id)["status"], if refuses { "FAILED" } else { "SUCCEEDED" }, "{}", end(2, &id));
        assert_eq!((device.device.tree.text(MADE), ledger.count(MADE, "Add")), (Some("x"), 1), "{id}");
        assert_eq!(device.device.tree.text(WRITTEN) == Some("after the crash"), !refuses, "{id}");
        // Whether a node was executed cannot be asked: where the answer was lost, the task says so and does not repeat.
        let executed = ledger.count(EXECUTED, "Exec");
        let task = end(1, &id);
        match task["status"].as_str() {
            Some("SUCCEEDED") => assert_eq!(executed, 1, "{task}"),
            Some("FAILED") => {
                assert!(executed <= 1, "{task}");
                assert!(task["statusDetail"].as_str().unwrap().contains(EXECUTED), "{task}");
            }
            _ => panic!("{task}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_a_job_it_goes_on_to_the_same_end() {
    goes_on_to_the_same_end(11).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_other_moments_it_goes_on_to_the_same_end() {
    goes_on_to_the_same_end(2026).await;
}
