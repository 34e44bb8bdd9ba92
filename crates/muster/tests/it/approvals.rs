//! A second person at the command line, and kill -9 between approval and sending.

use std::path::Path;

use muster_simulator::fleet::{Fleet, FleetRun, FleetSpec};
use muster_simulator::http::HttpOptions;
use serde_json::{Value, json};

use crate::running::{Running, muster, run, run_with_input, until};

const RESET: &str = "./LAWMO/Operations/FactoryReset";
const SEED: u64 = 77;
const SECOND: &str = "the second person's password";

/// A server with a device, whose database knows a second person.
fn server(data: &Path) -> Running {
    let mut server = Running::start(data);
    server.import(1, SEED);
    server.kill();
    let mut put = muster(["principal", "put", "second", "--role", "approver", "--data"]);
    run_with_input(put.arg(data), SECOND).ok();
    Running::again(server)
}

/// `muster approvals` or `muster quotas` as this user.
fn command(server: &Running, user: &str, args: &[&str]) -> std::process::Command {
    let mut command = muster(args.iter().copied());
    let password = if user == "second" { SECOND } else { crate::running::PASSWORD };
    command.env("MUSTER_URL", format!("{}/wsi", server.url("north")));
    command.env("MUSTER_USER", user).env("MUSTER_PASSWORD", password);
    command
}

fn reset(server: &Running) -> String {
    let device = server.call("getDeviceInstances", &json!({}))["deviceInstance"][0]["deviceID"].clone();
    let arguments = json!({"parameter": [{"path": RESET}]});
    let request = json!({
        "operation": "EXECUTE", "deviceID": device, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false,
        "arguments": arguments,
    });
    server.call("doOperation", &request).as_str().unwrap().to_owned()
}

/// How often the device was reset in one session of its own.
async fn sessions(server: &Running) -> u64 {
    let at = format!("{}/dm", server.url("south"));
    let fleet = Fleet::start(FleetSpec::new(1, SEED).iter(), FleetRun::once(&at, HttpOptions::new().unwrap()));
    let finished = fleet.finish().await;
    finished.devices[0].device.ledger().count(RESET, "Exec") as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_approval_and_sending_it_sends_once_and_never_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server(folder.path());
    let task = reset(&server);
    assert_eq!(sessions(&server).await, 0);
    server.kill();
    server = Running::again(server);
    assert_eq!(sessions(&server).await, 0);

    let list = run(&mut command(&server, "second", &["approvals", "--json"])).ok();
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!((&list[0]["taskId"], &list[0]["operationClass"]), (&json!(task), &json!("FACTORY_RESET")));
    let id = list[0]["approvalId"].as_str().unwrap();
    let own = run(&mut command(&server, "admin", &["approvals", "approve", id])).refused();
    assert!(own.contains("NotAuthorized"), "{own}");
    run(&mut command(&server, "second", &["approvals", "approve", id, "--reason", "seen"])).ok();
    server.kill();
    server = Running::again(server);

    assert_eq!(sessions(&server).await, 1);
    let done = |server: &Running| server.call("getTaskById", &json!({"taskId": task}));
    until("the end of the task", || (done(&server)["status"] == "SUCCEEDED").then_some(()));
    assert_eq!(sessions(&server).await, 0);
}

#[test]
fn the_command_line_lists_shows_and_refuses_and_sets_quotas() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let task = reset(&server);
    let second = |args: &[&str]| run(&mut command(&server, "second", args)).ok();
    let admin = |args: &[&str]| run(&mut command(&server, "admin", args)).ok();
    let table = second(&["approvals", "list"]);
    let id = table.lines().nth(2).unwrap().split_whitespace().next().unwrap().to_owned();
    assert!(table.starts_with("approval") && table.contains("FACTORY_RESET"), "{table}");
    assert!(second(&["approvals", "show", &id]).contains(&task));
    assert!(second(&["approvals", "refuse", &id, "--reason", "no"]).contains("REFUSED"));
    assert_eq!(second(&["approvals"]).trim(), "no such approval");
    assert_eq!(server.call("getTaskById", &json!({"taskId": task}))["status"], "REJECTED");

    let quotas = admin(&["quotas"]);
    assert!(quotas.lines().any(|line| line.starts_with("TASKS_PER_DAY  ")), "{quotas}");
    let set = admin(&["quotas", "set", "TASKS_PER_DAY", "1", "--principal", "admin"]);
    let cells: Vec<&str> = set.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(cells[..4], ["TASKS_PER_DAY", "1", "1", "yes"], "{set}");
    let arguments = json!({
        "operation": "QUERY", "deviceID": "IMEI:490154203237518", "bOptin": false, "acceptDevicePolicy": 20,
        "testCycle": false,
    });
    let unknown = run(&mut server.command_call(&["doOperation", "--args", &arguments.to_string()])).refused();
    assert!(unknown.contains("UnknownDevice"), "{unknown}");
    let refused = run(&mut command(&server, "second", &["quotas"])).refused();
    assert!(refused.contains("NotAuthorized"), "{refused}");
    assert!(admin(&["quotas", "reset", "TASKS_PER_DAY", "--principal", "admin"]).contains("default"));
}
