//! Operations, asked for in a line.

use muster_broker::job::Selector;
use muster_broker::operation::{Arguments, Parameter};
use muster_broker::rollout::Wave;
use muster_broker::schedule::{MaintenanceWindow, Schedule};
use muster_broker::services::{Deployment, OperationRequest};

use crate::phone::Phone;
use crate::world::{ParseId as _, World};

/// An operation with its arguments.
#[derive(Clone)]
pub(crate) struct Ask {
    operation: &'static str,
    arguments: Arguments,
    policy: i32,
    opt_in: bool,
    schedule: Schedule,
}

impl Ask {
    fn new(operation: &'static str) -> Self {
        Self { operation, arguments: Arguments::default(), policy: 20, opt_in: false, schedule: Schedule::default() }
    }

    pub(crate) fn query(paths: &[&str]) -> Self {
        Self::new("QUERY").nodes(paths)
    }

    pub(crate) fn delete(paths: &[&str]) -> Self {
        Self::new("DELETE").nodes(paths)
    }

    pub(crate) fn discover(root: &str) -> Self {
        Self::new("DISCOVER").nodes(&[root])
    }

    pub(crate) fn execute(path: &str) -> Self {
        Self::new("EXECUTE").nodes(&[path])
    }

    pub(crate) fn session() -> Self {
        Self::new("SESSION")
    }

    pub(crate) fn update(nodes: &[(&str, &str)]) -> Self {
        let mut ask = Self::new("UPDATE");
        ask.arguments.parameter = nodes
            .iter()
            .map(|(path, value)| Parameter {
                path: (*path).to_owned(),
                value: Some((*value).to_owned()),
                ..Parameter::default()
            })
            .collect();
        ask
    }

    pub(crate) fn create(nodes: &[(&str, &str)]) -> Self {
        Self::update(nodes).option("create", "true")
    }

    fn nodes(mut self, paths: &[&str]) -> Self {
        self.arguments.parameter =
            paths.iter().map(|path| Parameter { path: (*path).to_owned(), ..Parameter::default() }).collect();
        self
    }

    pub(crate) fn option(mut self, name: &str, value: &str) -> Self {
        self.arguments.option.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Changes the nodes.
    pub(crate) fn set(&mut self, change: impl FnOnce(&mut Vec<Parameter>)) {
        change(&mut self.arguments.parameter);
    }

    pub(crate) fn policy(mut self, policy: i32) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn opt_in(mut self) -> Self {
        self.opt_in = true;
        self
    }

    pub(crate) fn attempts(mut self, attempts: u32) -> Self {
        self.schedule.attempts_max = Some(attempts);
        self
    }

    /// Goes in waves.
    pub(crate) fn waves(mut self, waves: &[Wave]) -> Self {
        self.schedule.waves = waves.to_vec();
        self
    }

    /// Starts only while this window is open, in UTC.
    pub(crate) fn window(mut self, cron: &str, duration_s: u32) -> Self {
        let (cron, time_zone) = (cron.to_owned(), "UTC".to_owned());
        self.schedule.maintenance.push(MaintenanceWindow { cron, duration_s, time_zone, device_zone: true });
        self
    }

    /// Ends after so many seconds.
    pub(crate) fn lives_s(mut self, world: &World, seconds: i64) -> Self {
        self.schedule.end = Some(world.now().plus_s(seconds));
        self
    }

    /// May not be begun for so many seconds.
    pub(crate) fn starts_in_s(mut self, world: &World, seconds: i64) -> Self {
        self.schedule.start = Some(world.now().plus_s(seconds));
        self
    }

    /// Asks for it, of the device that is recorded as `phone`. The identifier of the task.
    pub(crate) async fn of(self, phone: &Phone, world: &World) -> String {
        self.of_id(&phone.imei, world).await
    }

    pub(crate) async fn of_id(self, device_id: &str, world: &World) -> String {
        let request = OperationRequest {
            operation: self.operation.to_owned(),
            phone_number: None,
            opt_in: self.opt_in,
            policy: self.policy,
            test_cycle: false,
            device_id: Some(device_id.parse_id()),
            arguments: self.arguments,
            callback: None,
            schedule: self.schedule,
            request: None,
        };
        world.broker().do_operation(&world.caller, request).await.unwrap()
    }

    /// Asks for it, of several devices, as a job. The identifier of the job, whose tasks are made by the background.
    pub(crate) async fn job(self, phones: &[&Phone], priority: Option<i32>, world: &World) -> String {
        let devices =
            Selector { device_id: phones.iter().map(|it| it.imei.parse_id()).collect(), ..Selector::default() };
        let deployment = Deployment {
            name: "rollout".into(),
            description: None,
            operation: self.operation.to_owned(),
            devices,
            opt_in: self.opt_in,
            policy: self.policy,
            test_cycle: false,
            arguments: self.arguments,
            schedule: self.schedule,
            priority,
            callback: None,
            request: None,
        };
        let receipt = world.broker().create_deployments(&world.caller, vec![deployment], None).await.unwrap();
        assert!(receipt.rejected.is_empty(), "{:?}", receipt.rejected);
        receipt.job_id.into_iter().next().unwrap()
    }
}
