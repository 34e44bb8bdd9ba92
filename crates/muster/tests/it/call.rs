//! `muster call`.

use serde_json::{Value, json};

use crate::running::{Running, muster, run, run_with_input};

#[test]
fn without_an_operation_it_lists_them_and_explains_each() {
    let listed = run(&mut muster(["call"])).ok();
    assert!(listed.contains("doOperation ") && listed.contains("IDeploymentBrokerServices"), "{listed}");
    let names: Vec<Value> = serde_json::from_str(&run(&mut muster(["call", "--json"])).ok()).unwrap();
    assert_eq!(names.len(), listed.lines().count() - 2);
    for name in names {
        let name = name["operation"].as_str().unwrap();
        let explained = run(&mut muster(["call", name, "--explain"])).ok();
        assert!(explained.starts_with(&format!("{name}  ")), "{explained}");
        assert!(explained.contains(&format!("\nExample: muster call {name}")), "{explained}");
    }
    let explained = run(&mut muster(["call", "doOperation", "--explain"])).ok();
    assert!(explained.contains("acceptDevicePolicy") && explained.contains("(10, 20, 30, 40)"), "{explained}");
    let create = run(&mut muster(["call", "createDeviceInstance", "--explain"])).ok();
    assert!(
        create.ends_with("Example: muster call createDeviceInstance --set deviceInstance.deviceID=…\n"),
        "{create}"
    );
    assert!(explained.ends_with(
        "Example: muster call doOperation --set operation=… --set bOptin=false --set acceptDevicePolicy=10 --set testCycle=false\n"
    ), "{explained}");
}

#[test]
fn answers_are_tables_for_people_and_json_for_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    server.import(3, 1);
    let table = run(&mut server.command_call(&["getDeviceInstances"])).ok();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "deviceInstance", "{table}");
    // In the order of the contract, without the columns that no record fills.
    assert!(lines[1].starts_with("oid ") && lines[2].starts_with("────"), "{table}");
    let column = lines[1].find("deviceID ").unwrap();
    assert!(lines[3..6].iter().all(|line| line[column..].starts_with("IMEI:00")), "{table}");
    assert!(table.ends_with("totalCount  3\n"), "{table}");
    assert!(!table.contains("[]") && !table.contains('{') && !table.contains("group"), "{table}");
    let object: Value =
        serde_json::from_str(&run(&mut server.command_call(&["getDeviceInstances", "--json"])).ok()).unwrap();
    assert_eq!(object["deviceInstance"].as_array().unwrap().len(), 3);
    assert_eq!(object["totalCount"], 3);
    assert_eq!(
        run(&mut server.command_call(&["getJobs"])).ok(),
        "field       value\n──────────  ─────\njob         none\ntotalCount  0\n"
    );
}

#[test]
fn parameters_come_by_name_by_dots_by_file_and_by_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    server.import(3, 1);
    let shown = |out: String| -> usize {
        serde_json::from_str::<Value>(&out).unwrap()["deviceInstance"].as_array().unwrap().len()
    };
    let list = ["getDeviceInstances", "--json"];
    assert_eq!(shown(run(server.command_call(&list).args(["--set", "page.pageSize=2"])).ok()), 2);
    let by_file = folder.path().join("args.json");
    std::fs::write(&by_file, json!({"page": {"pageSize": 1}}).to_string()).unwrap();
    let at = format!("@{}", by_file.display());
    assert_eq!(shown(run(server.command_call(&list).args(["--args", &at])).ok()), 1);
    assert_eq!(shown(run(server.command_call(&list).args(["--args", &at, "--set", "page.pageSize=3"])).ok()), 3);
    let input = "{\"page\": {\"pageSize\": 2}}";
    assert_eq!(shown(run_with_input(server.command_call(&list).args(["--args", "-"]), input).ok()), 2);
    // A name given again makes a list: one status alone would be taken, the second is none.
    let twice = ["--set", "status=RUNNING", "--set", "status=NONSENSE"];
    let told = run(server.command_call(&["getJobs"]).args(twice)).refused();
    assert!(told.starts_with("DMS0001 InvalidArgument: ") && told.contains("status[1]"), "{told}");
}

#[test]
fn faults_are_one_line_on_standard_error_and_an_object_for_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let unknown = ["getDeviceInstanceByDeviceID", "--set", "deviceID=IMEI:490154203237518"];
    let told = run(&mut server.command_call(&unknown)).refused();
    assert_eq!(told, "DMS0103 UnknownDevice: there is no such device record");
    let done = run(server.command_call(&unknown).arg("--json"));
    assert_eq!((done.code, done.err.as_str()), (Some(1), ""));
    let fault: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(fault["fault"]["messageId"], "DMS0103");
    assert_eq!(fault["fault"]["name"], "UnknownDevice");
    let told = run(&mut server.command_call(&["getTaskById", "--set", "taskId=x"])).refused();
    assert!(told.starts_with("DMS0101 UnknownTask: "), "{told}");
}

#[test]
fn what_never_reaches_an_operation_is_told_once_and_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let (north, south) = (server.url("north"), server.url("south"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{free}/wsi");
    let cases: [(&[&str], String); 9] = [
        (&["nope"], "there is no operation nope; `muster call` alone lists them".into()),
        (&["nope", "--explain"], "there is no operation nope; `muster call` alone lists them".into()),
        (&["getJobs", "--set", "page"], "page: write NAME=VALUE".into()),
        (
            &["getJobs", "--args", "{"],
            "parameters are a JSON object: EOF while parsing an object at line 1 column 1".into(),
        ),
        (&["getJobs", "--args", "@/no/file"], "cannot read /no/file: No such file or directory (os error 2)".into()),
        (&["getJobs", "--url", &nobody], format!("cannot reach {nobody}: Connection refused (os error 111)")),
        (&["getJobs", "--url", "here"], "here is no address of a WSI; write one like http://127.0.0.1:8080/wsi".into()),
        (
            &["getJobs", "--url", &format!("{north}/no")],
            format!("{north}/no answered HTTP 404, and no SOAP; is this the address of a WSI?"),
        ),
        (
            &["getJobs", "--url", &format!("{south}/dm")],
            format!(
                "{south}/dm answered HTTP 415, and no SOAP: the message cannot be read: document is not SyncML 1.0, 1.1 or 1.2 \
                 (octet 108), in Envelope; is this the address of a WSI?"
            ),
        ),
    ];
    for (args, expected) in cases {
        assert_eq!(run(&mut server.command_call(args)).refused(), expected, "{args:?}");
    }
    let told = run(&mut server.command_call(&["getJobs", "--set", "nope=1"])).refused();
    assert!(told.starts_with("DMS0001 InvalidArgument: nope is not known here"), "{told}");
    assert!(told.ends_with("; `muster call getJobs --explain` tells what it takes"), "{told}");
    let told = run(&mut server.command_call(&["getJobs", "--set", "no pe=1"])).refused();
    assert_eq!(told, "no pe is no name of a parameter");
    let told = run(server.command_call(&["getJobs"]).env_remove("MUSTER_PASSWORD")).refused();
    assert!(told.starts_with("say who asks: the password by MUSTER_PASSWORD, an API key by --key-file"), "{told}");
    let told = run(server.command_call(&["getJobs", "--rest", "--url"]).arg(format!("{south}/wsi"))).refused();
    assert_eq!(told, format!("{south} answered HTTP 404, and nothing of the DM WSI; is this the address of a server?"));
    let told = run(server.command_call(&["getTaskById", "--rest"]).env("MUSTER_URL", &nobody)).refused();
    assert!(told.starts_with("DMS0002 MissingArgument: "), "no address can be without it: {told}");
}

#[test]
fn a_key_counts_before_the_password_and_comes_from_a_file_or_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let made = server.call("createApiKey", &json!({"name": "t", "right": ["device.read"]}));
    let key = made["key"].as_str().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{key}\n")).unwrap();
    let file = file.to_str().unwrap();
    for more in [&[][..], &["--rest"]] {
        let ask = |operation: &str| {
            let mut command = server.command_call(&[operation]);
            command.args(more);
            command
        };
        assert_eq!(run(ask("getJobs").env("MUSTER_KEY", "")).code, Some(0), "an empty variable is none");
        for is_in_file in [true, false] {
            let run = |operation: &str| {
                let mut command = ask(operation);
                if is_in_file {
                    command.args(["--key-file", file])
                } else {
                    command.env("MUSTER_KEY", key)
                };
                run(&mut command)
            };
            run("getDeviceInstances").ok();
            assert!(run("getJobs").refused().contains(" NotAuthorized: "), "the key is narrower than the password");
        }
    }
    std::fs::write(file, "\n\n").unwrap();
    let told = run(&mut server.command_call(&["getJobs", "--key-file", file])).refused();
    assert_eq!(told, format!("{file} holds no key and no session: one line of visible characters is expected"));
    let told = run(&mut server.command_call(&["getJobs", "--key-file", "/no/key"])).refused();
    assert_eq!(told, "cannot read /no/key: No such file or directory (os error 2)");
}

#[test]
fn a_session_is_opened_once_used_again_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    for more in [&[][..], &["--rest"]] {
        let opened = run(server.command_call(&["login", "--json"]).args(more)).ok();
        let told: Value = serde_json::from_str(&opened).unwrap();
        assert_eq!(told["userName"], "admin");
        let file = folder.path().join("session.json");
        std::fs::write(&file, &opened).unwrap();
        // A password that is wrong shows that none is sent.
        let ask = |operation: &str| {
            let mut command = server.command_call(&[operation, "--session-file"]);
            command.arg(&file).args(more).env("MUSTER_PASSWORD", "another");
            run(&mut command)
        };
        ask("getJobs").ok();
        ask("renewSession").ok();
        let mut by_variable = server.command_call(&["getJobs"]);
        run(by_variable.env_remove("MUSTER_PASSWORD").env("MUSTER_SESSION", told["sessionId"].as_str().unwrap())).ok();
        ask("logout").ok();
        assert!(ask("getJobs").refused().contains(" NotAuthenticated: "));
    }
}
