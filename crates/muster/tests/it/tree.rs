//! `muster tree`.

use serde_json::{Value, json};

use crate::running::{Running, muster, run, run_with_input, until};

const ACCOUNT: &str = "<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD><Node><NodeName>op</NodeName>\
    <Path>./DMAcc</Path><RTProperties><ACL>Get=*&amp;Replace=muster</ACL><Format><node/></Format>\
    <Type><DDFName>urn:oma:mo:oma-dm-dmacc:1.0</DDFName></Type></RTProperties>\
    <Node><NodeName>ServerID</NodeName><RTProperties><Format><chr/></Format></RTProperties><Value>muster</Value></Node>\
    <Node><NodeName>Odd</NodeName><RTProperties><Format><bin/></Format></RTProperties><Value>AP8=</Value></Node>\
    </Node></MgmtTree>";

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_document_is_shown_with_values_lists_and_meanings() {
    let folder = tempfile::tempdir().unwrap();
    let name = file(&folder, "account.xml", ACCOUNT);

    let shown = run(&mut muster(["tree", &name])).ok();

    let lines: Vec<&str> = shown.lines().collect();
    assert!(
        lines[0].starts_with("node ") && lines[0].contains(" access ") && lines[0].ends_with(" meaning"),
        "{shown}"
    );
    assert!(lines[4].starts_with("    op ") && lines[4].contains("Get=*&Replace=muster"), "{shown}");
    assert!(lines[5].starts_with("      Odd ") && lines[5].contains(" AP8= "), "{shown}");
    assert!(lines[6].contains(" chr ") && lines[6].contains(" muster "), "{shown}");
    let described: Value = serde_json::from_str(&run(&mut muster(["tree", &name, "--json"])).ok()).unwrap();
    let node = |path: &str| described.as_array().unwrap().iter().find(|it| it["path"] == path).unwrap().clone();
    assert_eq!(node("./DMAcc/op/ServerID")["value"], "muster");
    assert!(node("./DMAcc/op/ServerID")["meaning"].as_str().is_some_and(|it| !it.is_empty()));
    assert_eq!(
        (&node("./DMAcc/op")["acl"], &node("./DMAcc/op/Odd")["value"]),
        (&json!("Get=*&Replace=muster"), &json!("AP8="))
    );
    assert!(node("./DMAcc/op/Odd").get("meaning").is_none());
    assert_eq!(run_with_input(&mut muster(["tree", "-"]), ACCOUNT).ok(), shown);
}

#[test]
fn paths_of_a_document_are_below_the_node_it_was_made_for() {
    let document = "<MgmtTree><VerDTD>1.2</VerDTD><Node><NodeName/><Node><NodeName>Name</NodeName><Value>v</Value></Node></Node></MgmtTree>";

    let shown = run_with_input(&mut muster(["tree", "-", "--json", "--at", "./DMAcc/x"]), document).ok();

    assert!(shown.contains("\"./DMAcc/x/Name\""), "{shown}");
    let done = run(&mut muster(["tree", "-", "--at", "../x"]));
    assert!(done.code == Some(2) && done.err.contains("has a segment that is . or .."), "{done:?}");
}

#[test]
fn a_discovered_device_is_shown_from_the_json_of_its_task() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    server.import(1, 5);
    let devices = server.call("getDeviceInstances", &json!({}));
    let device = devices["deviceInstance"][0]["deviceID"].as_str().unwrap();
    let task = server.call(
        "doOperation",
        &json!({"operation": "DISCOVER", "deviceID": device, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false}),
    );
    let id = task["taskId"].as_str().or(task.as_str()).unwrap().to_owned();
    let url = format!("{}/dm", server.url("south"));
    run(&mut muster(["sim", "--server", &url, "--devices", "1", "--seed", "5", "--sessions", "1"])).ok();
    let told = until("the end of the task", || {
        let told = run(&mut server.command_call(&["getTaskById", "--json", "--set", &format!("taskId={id}")])).ok();
        told.contains("SUCCEEDED").then_some(told)
    });

    let shown = run_with_input(&mut muster(["tree", "-"]), &told).ok();

    assert!(shown.contains("\n  DevInfo ") && shown.contains("\n    Man "), "{shown}");
    assert!(shown.contains("urn:oma:mo:oma-fumo:1.0"), "{shown}");
    let text = file(&folder, "task.json", &told);
    let same = run(&mut muster(["tree", &text, "--against", &text])).ok();
    assert_eq!(same, "0 added, 0 removed, 0 changed\n");
}

#[test]
fn two_trees_are_compared_node_by_node() {
    let folder = tempfile::tempdir().unwrap();
    let before = file(&folder, "before.xml", ACCOUNT);
    let after = ACCOUNT.replace("<Value>muster", "<Value>other").replace("NodeName>Odd", "NodeName>New");
    let after = file(&folder, "after.xml", &after.replace("Get=*&amp;Replace=muster", "Get=*"));

    let told = run(&mut muster(["tree", &after, "--against", &before])).ok();

    assert_eq!(
        told,
        "* ./DMAcc/op  ACL \"Get=*&Replace=muster\" → \"Get=*\"\n\
         + ./DMAcc/op/New  bin \"AP8=\"\n\
         - ./DMAcc/op/Odd  bin \"AP8=\"\n\
         * ./DMAcc/op/ServerID  Value \"muster\" → \"other\"\n\
         1 added, 1 removed, 2 changed\n"
    );
    let told: Value =
        serde_json::from_str(&run(&mut muster(["tree", &after, "--against", &before, "--json"])).ok()).unwrap();
    assert_eq!(told["isCut"], false);
    assert_eq!(
        told["changes"][3],
        json!({"change": "changed", "path": "./DMAcc/op/ServerID",
               "aspects": [{"part": "Value", "before": "muster", "after": "other"}]})
    );
    assert_eq!(told["changes"][1]["change"], "added");
}

#[test]
fn what_is_no_tree_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (text, told) in [
        ("", "standard input is neither a TNDS document nor the JSON of a task: "),
        ("<SyncML/>", "standard input is neither a TNDS document nor the JSON of a task: the document has no MgmtTree"),
        ("{\"state\": 1}", "standard input is no task with nodes read: "),
        ("{\"result\": []}", "standard input is no task with nodes read: it has none"),
        (
            "<MgmtTree><Node><NodeName>a</NodeName><Node><NodeName>b</NodeName></Node><Node><NodeName>b</NodeName></Node></Node></MgmtTree>",
            "standard input is no tree: ./a: the node exists",
        ),
    ] {
        let refused = run_with_input(&mut muster(["tree", "-"]), text).refused();
        assert!(refused.starts_with(told) && refused.lines().count() == 1, "{refused}");
    }
    let missing = folder.path().join("nothing");
    let refused = run(&mut muster(["tree", missing.to_str().unwrap()])).refused();
    assert!(refused.contains("No such file"), "{refused}");
    let both = run_with_input(&mut muster(["tree", "-", "--against", "-"]), ACCOUNT).refused();
    assert_eq!(both, "only one of the trees can come from standard input");
}
