//! The External System: what it asks over SOAP, and the answers it reads.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use muster_broker::power::Policy;
use muster_broker::time::Timestamp;
use serde_json::{Value, json};

use super::cast::OTHER_IMEI;
use super::cast::{self, Cast, NODE, VALUE, import_record};
use super::say::Say;
use super::verdict::Row;
use crate::serve::{System, random_password};
use crate::show::{Table, short};
use crate::soap_client::SoapClient;

/// How long anything may take before the show is called off.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a state is asked for.
const PACE: Duration = Duration::from_millis(50);
/// Name of the second person.
const SECOND: &str = "second";
/// Entries of one import or page.
const PAGE: usize = 1_000;

pub(super) struct ExternalSystem<'a> {
    client: SoapClient,
    /// The second person, who approves what one alone may not do.
    second: SoapClient,
    say: Say,
    cast: &'a Cast,
    /// Jobs made, as the server showed them last.
    pub(super) jobs: Vec<Value>,
    /// The deployment over the whole fleet.
    deployment: String,
    /// Tasks made for the show, with what they show and how they must end.
    shown: Vec<(String, &'static str, &'static str)>,
}

impl<'a> ExternalSystem<'a> {
    pub(super) fn new(client: SoapClient, second: SoapClient, say: Say, cast: &'a Cast) -> Self {
        Self { client, second, say, cast, jobs: Vec::new(), deployment: String::new(), shown: Vec::new() }
    }

    pub(super) async fn login(&mut self, user: &str, password: &str) -> anyhow::Result<()> {
        let session = self.client.login(user, password).await?;
        let tenant = text(&session, "tenant");
        self.say.step("login", &format!("session of {user} in domain {tenant}, until {}", text(&session, "expiresAt")));
        Ok(())
    }

    pub(super) async fn create_capabilities(&self) -> anyhow::Result<()> {
        let mut makes: Vec<(&str, &str)> =
            self.cast.devices.iter().map(|it| (it.manufacturer.as_str(), it.model.as_str())).collect();
        makes.sort_unstable();
        makes.dedup();
        for (manufacturer, model) in &makes {
            let record = json!({
                "manufacturer": manufacturer, "model": model, "dmVersion": ["1.2"], "wbxml": true,
                "managementObject": ["urn:oma:mo:oma-dm-devinfo:1.0", "urn:oma:mo:oma-dm-devdetail:1.0"],
            });
            self.client.call("createDeviceCapability", json!({"deviceCapability": record})).await?;
        }
        let names: Vec<String> = makes.iter().map(|(maker, model)| format!("{maker} {model}")).collect();
        self.say.step("createDeviceCapability", &names.join(", "));
        Ok(())
    }

    pub(super) async fn import(&self) -> anyhow::Result<()> {
        let mut created = 0;
        for page in self.cast.devices.chunks(PAGE) {
            let records: Vec<Value> = page.iter().map(import_record).collect();
            let arguments = json!({"deviceInstance": records, "updateExisting": false});
            let result = self.client.call("importDeviceInstances", arguments).await?;
            ensure!(result.get("rejected").is_none_or(|it| it.as_array().is_some_and(Vec::is_empty)), "{result}");
            created += number(&result, "created");
        }
        self.say.step("importDeviceInstances", &format!("{created} created, 0 rejected"));
        Ok(())
    }

    /// One device is read, written, and read again.
    pub(super) async fn query_and_update(&mut self) -> anyhow::Result<()> {
        let device = self.cast.device_id(0);
        let task = self.operate("QUERY", &device, json!({}), json!({})).await?;
        self.say.step("doOperation QUERY", &format!("{device} holds, as it said in a DM session:"));
        self.say_nodes(&task);
        let changes = json!({"parameter": [
            {"path": "./Vendor/Example/Polling", "value": "3600", "format": "int"},
            {"path": "./Vendor/Example/ApnName", "value": "m2m.example"},
        ]});
        let paths = json!({"parameter": [{"path": "./Vendor/Example/Polling"}, {"path": "./Vendor/Example/ApnName"}]});
        let written = self.operate("UPDATE", &device, changes, json!({})).await?;
        self.say.step("doOperation UPDATE", &format!("{device}: {}; read back:", text(&written, "statusDetail")));
        let read = self.operate("QUERY", &device, paths, json!({})).await?;
        self.say_nodes(&read);
        let values: Vec<String> = nodes(&read).iter().map(|node| text(node, "value")).collect();
        ensure!(values == ["3600", "m2m.example"], "{device} holds {values:?} after the update");
        Ok(())
    }

    /// A device answers with another IMEI than expected: each policy decides in its own way.
    pub(super) async fn policies(&mut self) -> anyhow::Result<()> {
        let device = self.cast.device_id(OTHER_IMEI);
        self.say.step("acceptDevicePolicy", &format!("{device} is expected, {} answers:", self.cast.other_device_id));
        let phone = self.cast.devices.get(OTHER_IMEI).map(|it| it.msisdn.clone()).unwrap_or_default();
        let mut table = Table::new(&["policy", "end state", "reason"]);
        let policies = [
            (20, "FAILED", "policy 20 refuses it"),
            (10, "SUCCEEDED", "policy 10 takes it"),
            (30, "SUCCEEDED", "policy 30 takes it"),
        ];
        for (policy, end_state, shows) in policies {
            let more = json!({"acceptDevicePolicy": policy, "phoneNumber": phone, "schedule": {"maxAttempts": 1}});
            let arguments = json!({"parameter": [{"path": "./DevInfo/DevId"}]});
            let task = self.operate_to("QUERY", &device, arguments, more, shows, end_state).await?;
            table.row([policy.to_string(), text(&task, "status"), text(&task, "statusDetail")]);
        }
        self.say.table(&table);
        Ok(())
    }

    /// One job over the whole fleet; every user is asked first. Ends when only those are left that cannot end.
    pub(super) async fn deploy(&mut self) -> anyhow::Result<()> {
        let deployment = json!({
            "name": "Name of the device", "operation": "UPDATE", "devices": {"allDevices": true},
            "bOptin": true, "acceptDevicePolicy": 30, "testCycle": false,
            "arguments": {"parameter": [{"path": NODE, "value": VALUE}]},
            "schedule": {"maxAttempts": 4, "retryDelaySeconds": 1},
        });
        let total = self.cast.devices.len() as u64;
        let is_held = total > Policy::CAP;
        if is_held {
            self.hire_second().await?;
        }
        let receipt = self.client.call("createDeployments", json!({"deployment": [deployment]})).await?;
        self.deployment = receipt.get("jobId").and_then(|ids| ids.get(0)).map(plain).context("no job was made")?;
        self.say.step(
            "createDeployments",
            &format!("{} over all {total} devices; each user is asked first", self.deployment),
        );
        if is_held {
            self.approve_as_second().await?;
        }
        let bar = self.say.bar(total);
        // Two devices never get as far as their task.
        let patience = PATIENCE + Duration::from_millis(30 * total);
        let begin = Instant::now();
        loop {
            let job = self.client.call("getJobById", json!({"jobId": self.deployment})).await?;
            let done = final_tasks(&job);
            bar.set_position(done);
            bar.set_message(counts(&job));
            if done + 2 >= total {
                break;
            }
            ensure!(begin.elapsed() < patience, "the job stands still: {}", counts(&job));
            tokio::time::sleep(PACE).await;
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Makes a second person, before there is something to approve: a younger account may not.
    async fn hire_second(&mut self) -> anyhow::Result<()> {
        let password = random_password(&System);
        let principal = json!({"name": SECOND, "kind": "PERSON", "grant": [{"role": "approver"}], "enabled": true});
        self.client.call("createPrincipal", json!({"principal": principal, "password": password})).await?;
        self.second.login(SECOND, &password).await?;
        Ok(())
    }

    /// The second person approves the job, once its devices have been counted.
    async fn approve_as_second(&self) -> anyhow::Result<()> {
        let begin = Instant::now();
        let id = loop {
            let wanted = json!({"jobId": self.deployment, "status": ["PENDING"]});
            let found = self.second.call("getApprovals", wanted).await?;
            if let Some(approval) = list(&found, "approval").first() {
                break text(approval, "approvalId");
            }
            ensure!(begin.elapsed() < PATIENCE, "nobody is asked about the job");
            tokio::time::sleep(PACE).await;
        };
        self.second.call("approve", json!({"approvalId": id})).await?;
        self.say.step("approve", &format!("{SECOND} agrees to a job over more than {} devices", Policy::CAP));
        Ok(())
    }

    /// What any External System can see of the job.
    pub(super) async fn look(&mut self) -> anyhow::Result<()> {
        let jobs = self.client.call("getJobs", json!({"status": ["RUNNING"]})).await?;
        let mut table = Table::new(&["job", "name", "status", "tasks"]);
        for job in list(&jobs, "job") {
            table.row([short(&text(job, "jobId"), 14), text(job, "name"), text(job, "status"), counts(job)]);
        }
        self.say.step("getJobs", &format!("{} running", number(&jobs, "totalCount")));
        self.say.table(&table);

        let tasks = self.tasks(&self.deployment).await?;
        self.say.step("getTasks", &format!("{} tasks of the job", tasks.len()));
        let retried = self.cast.device_id(cast::DROPS);
        let task = tasks.iter().find(|task| text(task, "deviceID") == retried).context("no task for a device")?;
        let history = self.client.call("getTaskHistory", json!({"taskId": text(task, "taskId")})).await?;
        self.say.step("getTaskHistory", &format!("{retried}, which lost its connection in mid-session:"));
        let mut table = Table::new(&["at", "status", "event", "detail"]);
        for entry in list(&history, "entry") {
            let time = text(entry, "at").chars().skip(11).take(12).collect();
            table.row([time, text(entry, "status"), text(entry, "event"), short(&text(entry, "detail"), 80)]);
        }
        self.say.table(&table);
        Ok(())
    }

    /// Ends the tasks of the two devices that cannot end by themselves, and with them the job.
    pub(super) async fn cancel_what_never_connects(&mut self) -> anyhow::Result<()> {
        let tasks = self.tasks(&self.deployment).await?;
        let reasons = [
            (cast::NEVER_CONNECTS, "the device never connected"),
            (cast::WRONG_CREDENTIALS, "the device was refused for its credentials"),
        ];
        for (at, reason) in reasons {
            let device = self.cast.device_id(at);
            let task = tasks.iter().find(|task| text(task, "deviceID") == device).context("no task for a device")?;
            let untouched = text(task, "status") == "SCHEDULED" && number(task, "attempts") == 0;
            ensure!(untouched, "the task of {device} is not untouched: {task}");
            let id = text(task, "taskId");
            let ended = self.client.call("cancelTask", json!({"taskId": id, "reason": reason})).await?;
            let words = format!("{device}: was SCHEDULED after 0 attempts, is {}: {reason}", text(&ended, "status"));
            self.say.step("cancelTask", &words);
        }
        let begin = Instant::now();
        loop {
            let job = self.client.call("getJobById", json!({"jobId": self.deployment})).await?;
            if text(&job, "status") == "COMPLETED" {
                self.say.step("getJobById", &format!("COMPLETED: {}", counts(&job)));
                self.jobs.push(job);
                return Ok(());
            }
            ensure!(begin.elapsed() < PATIENCE, "the job did not end: {job}");
            tokio::time::sleep(PACE).await;
        }
    }

    /// Every task as it ended: those of the deployment in the order of the fleet, then those of the show.
    pub(super) async fn collect(&self) -> anyhow::Result<Vec<Row>> {
        let places: HashMap<String, usize> =
            (0..self.cast.devices.len()).map(|at| (self.cast.device_id(at), at)).collect();
        let mut rows = Vec::new();
        for task in self.tasks(&self.deployment).await? {
            // The record of the device that answers as another one has that one's identifier by now.
            let device = text(&task, "deviceID");
            let at = if device == self.cast.other_device_id { Some(OTHER_IMEI) } else { places.get(&device).copied() };
            let part = at.map_or("", Cast::part);
            let is_ordinary = part == Cast::part(0) && text(&task, "status") == "SUCCEEDED";
            rows.push(row(&task, at, part, is_ordinary, None));
        }
        rows.sort_by_key(|row| row.at);
        let mut messages = self.messages(json!({"jobId": self.deployment})).await?;
        for (id, shows, end_state) in &self.shown {
            let task = self.client.call("getTaskById", json!({"taskId": id})).await?;
            rows.push(row(&task, None, shows, false, Some(end_state)));
            messages.extend(self.messages(json!({"taskId": id})).await?);
        }
        for row in &mut rows {
            row.messages = messages.get(&row.task).copied().unwrap_or(0);
        }
        Ok(rows)
    }

    /// Messages of the devices that were about a task, by task, as the histories tell.
    async fn messages(&self, of: Value) -> anyhow::Result<HashMap<String, u64>> {
        const FROM_DEVICE: &[&str] =
            &["SessionOpened", "DeviceAnswered", "UserAccepted", "UserDeclined", "UserSilent", "LateAnswer"];
        let mut messages = HashMap::new();
        for entry in self.all("getTaskHistory", of, "entry").await? {
            if FROM_DEVICE.contains(&text(&entry, "event").as_str()) {
                *messages.entry(text(&entry, "taskId")).or_default() += 1;
            }
        }
        Ok(messages)
    }

    async fn operate(
        &mut self,
        operation: &'static str,
        device: &str,
        arguments: Value,
        more: Value,
    ) -> anyhow::Result<Value> {
        self.operate_to(operation, device, arguments, more, operation, "SUCCEEDED").await
    }

    /// Asks for an operation and waits for its end, which must be `end_state`.
    async fn operate_to(
        &mut self,
        operation: &str,
        device: &str,
        arguments: Value,
        more: Value,
        shows: &'static str,
        end_state: &'static str,
    ) -> anyhow::Result<Value> {
        let mut request = json!({
            "operation": operation, "deviceID": device, "bOptin": false, "acceptDevicePolicy": 20, "testCycle": false,
        });
        if arguments.as_object().is_some_and(|it| !it.is_empty()) {
            request["arguments"] = arguments;
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        let id = plain(&self.client.call("doOperation", request).await?);
        self.shown.push((id.clone(), shows, end_state));
        let begin = Instant::now();
        loop {
            let task = self.client.call("getTaskById", json!({"taskId": id})).await?;
            match text(&task, "status").as_str() {
                status if status == end_state => return Ok(task),
                "SUCCEEDED" | "FAILED" | "REJECTED" | "CANCELLED" | "EXPIRED" => {
                    bail!("{operation} of {device} ended otherwise than {end_state}: {task}")
                }
                _ => ensure!(begin.elapsed() < PATIENCE, "{operation} of {device} does not end: {task}"),
            }
            tokio::time::sleep(PACE).await;
        }
    }

    async fn tasks(&self, job: &str) -> anyhow::Result<Vec<Value>> {
        self.all("getTasks", json!({"jobId": job}), "task").await
    }

    /// Every entry of a list, page by page.
    async fn all(&self, operation: &str, mut arguments: Value, entries: &str) -> anyhow::Result<Vec<Value>> {
        arguments["page"] = json!({"pageSize": PAGE});
        let mut all = Vec::new();
        loop {
            let answer = self.client.call(operation, arguments.clone()).await?;
            all.extend(list(&answer, entries).iter().cloned());
            match answer.get("nextPageToken").and_then(Value::as_str) {
                Some(token) => arguments["page"]["pageToken"] = json!(token),
                None => return Ok(all),
            }
        }
    }

    fn say_nodes(&self, task: &Value) {
        let mut table = Table::new(&["node", "value", "format", "status"]);
        for node in nodes(task) {
            table.row([
                text(node, "path"),
                short(&text(node, "value"), 60),
                text(node, "format"),
                text(node, "status"),
            ]);
        }
        self.say.table(&table);
    }
}

fn row(task: &Value, at: Option<usize>, part: &'static str, is_ordinary: bool, expected: Option<&'static str>) -> Row {
    let time = |name: &str| Timestamp::parse(&text(task, name)).map(|it| it.0).unwrap_or_default();
    let milliseconds = (time("finishedAt") - time("createdAt")).max(0);
    Row {
        task: text(task, "taskId"),
        device: text(task, "deviceID"),
        status: text(task, "status"),
        detail: text(task, "statusDetail"),
        messages: 0,
        seconds: milliseconds as f64 / 1e3,
        attempts: i64::try_from(number(task, "attempts")).unwrap_or(i64::MAX),
        at,
        part,
        is_ordinary,
        expected,
    }
}

/// Tasks by state, in words.
fn counts(job: &Value) -> String {
    let words = list(job, "taskCount").iter().map(|it| format!("{} {}", text(it, "count"), text(it, "status")));
    words.collect::<Vec<_>>().join(", ")
}

fn final_tasks(job: &Value) -> u64 {
    let finals = ["SUCCEEDED", "FAILED", "REJECTED", "CANCELLED", "EXPIRED"];
    let is_final = |it: &&Value| finals.contains(&text(it, "status").as_str());
    list(job, "taskCount").iter().filter(is_final).map(|it| number(it, "count")).sum()
}

fn nodes(task: &Value) -> &[Value] {
    list(task, "result")
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).map(plain).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn number(value: &Value, name: &str) -> u64 {
    text(value, name).parse().unwrap_or(0)
}
