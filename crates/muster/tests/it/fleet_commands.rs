//! `muster devices`, `tasks` and `jobs`.

use serde_json::{Value, json};

use crate::administration::{ask, json, row};
use crate::running::Running;

#[test]
fn devices_tasks_and_jobs_are_looked_at_and_led() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    assert_eq!(ask(&server, &["devices"]).ok(), "no such device\n");
    server.import(3, 1);
    let table = ask(&server, &["devices", "--limit", "2"]).ok();
    assert!(table.ends_with("… and 1 more; --limit and --filter say which\n"), "{table}");
    let devices = json(&server, &["devices"]);
    let device = devices[0]["deviceID"].as_str().unwrap();
    for name in ["deviceID", "phoneNumber", "oid"] {
        let found = json(&server, &["devices", "show", devices[0][name].as_str().unwrap()]);
        assert_eq!(found["deviceID"], device, "{name}");
    }
    let filter = format!("deviceID = \"{device}\"");
    let table = ask(&server, &["devices", "--filter", &filter]).ok();
    assert_eq!((table.lines().count(), row(&table, device).last().map(String::as_str)), (3, Some("never")));

    let deployment = json!([{
        "name": "spring", "operation": "QUERY", "devices": {"allDevices": true}, "bOptin": false,
        "acceptDevicePolicy": 30, "testCycle": false,
    }]);
    let made = server.call("createDeployments", &json!({"deployment": deployment}));
    let job = made["jobId"][0].as_str().unwrap();
    crate::running::until("the tasks of the job", || (server.tasks(job).len() == 3).then_some(()));
    let [id, status, tasks, operation, owner, _, name] = row(&ask(&server, &["jobs"]).ok(), job).try_into().unwrap();
    assert_eq!([id.as_str(), &tasks, &operation, &owner, &name], [job, "0 of 3 ended", "QUERY", "admin", "spring"]);
    assert_eq!(status, "RUNNING");
    let paused = json(&server, &["jobs", "pause", job, "--reason", "lunch"]);
    assert_eq!(paused["status"], "PAUSED", "{paused}");
    let by_state = ["jobs", "list", "--status", "PAUSED", "--filter", "name = \"spring\""];
    assert_eq!(json(&server, &by_state).as_array().unwrap().len(), 1);
    ask(&server, &["jobs", "restart", job]).ok();
    let told = ask(&server, &["jobs", "release", job]).refused();
    assert!(told.contains(" WrongState: no wave of the job waits to be released"), "{told}");

    let all = json(&server, &["tasks", "--job", job]);
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(json(&server, &["tasks"]), all, "those of the last day");
    let one = json(&server, &["tasks", "--device", device]);
    let task = one[0]["taskId"].as_str().unwrap();
    assert_eq!(row(&ask(&server, &["tasks", "--job", job]).ok(), task)[3], device);
    ask(&server, &["tasks", "cancel", task, "--reason", "not now"]).ok();
    let shown = ask(&server, &["tasks", "show", task]).ok();
    assert!(shown.contains("status ") && shown.contains("CANCELLED"), "{shown}");
    assert!(shown.lines().last().unwrap().ends_with("not now"), "{shown}");
    let shown = json(&server, &["tasks", "show", task]);
    let steps: Vec<&Value> = shown["history"].as_array().unwrap().iter().collect();
    assert_eq!(steps.last().unwrap()["status"], shown["task"]["status"]);

    assert_eq!(row(&ask(&server, &["jobs"]).ok(), job)[2], "1 of 3 ended, 1 without success");
    // Where the server is may stand behind the command as well as before it.
    let url = format!("{}/wsi", server.url("north"));
    let mut behind =
        crate::running::muster(["jobs", "cancel", job, "--url", &url, "--password", crate::running::PASSWORD]);
    crate::running::run(&mut behind).ok();
    crate::running::until("the end of the job", || {
        row(&ask(&server, &["jobs", "list"]).ok(), job)[2].starts_with("3 of 3 ended").then_some(())
    });
    assert_eq!(ask(&server, &["tasks", "--job", job, "--status", "SUCCEEDED"]).ok(), "no such task\n");
}
