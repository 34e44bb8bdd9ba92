use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::{Broker, JobsByDate};

use super::UseCase;
use crate::contract::bulk_operations::{
    CancelJob, CancelTask, CreateDeployments, DeploymentReceipt, GetJobById, GetJobs, GetJobsByDate, GetTaskHistory,
    GetTasks, JobData, JobList, PauseJob, ReleaseWave, RestartJob, TaskHistory, TaskList,
};
use crate::contract::deployment_broker::TaskData;
use crate::convert::bulk_operations::{deployments, tasks_wanted};
use crate::convert::{page, request_key};

impl UseCase for CreateDeployments {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeploymentReceipt, Fault> {
        let request = request_key(self.request_id.as_ref(), &self, "requestId")?;
        broker.create_deployments(caller, deployments(self.deployment), request).await.map(Into::into)
    }
}

impl UseCase for GetJobs {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<JobList, Fault> {
        let expression = self.filter_expression.as_deref();
        broker.jobs(caller, self.status, self.owner, expression, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for GetJobsByDate {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<JobList, Fault> {
        let dates = JobsByDate { from: self.from_date, to: self.to_date };
        broker.jobs_by_date(caller, dates, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for GetJobById {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<JobData, Fault> {
        broker.job_by_id(caller, &self.job_id).await.map(Into::into)
    }
}

impl UseCase for GetTasks {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<TaskList, Fault> {
        let (wanted, part) = tasks_wanted(self);
        broker.tasks(caller, wanted, &page(part)).await.map(Into::into)
    }
}

impl UseCase for GetTaskHistory {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<TaskHistory, Fault> {
        let (job, task) = (self.job_id.as_deref(), self.task_id.as_deref());
        broker.task_history(caller, job, task, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for CancelJob {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<JobData, Fault> {
        broker.cancel_job(caller, &self.job_id, self.reason).await.map(Into::into)
    }
}

impl UseCase for PauseJob {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<JobData, Fault> {
        broker.pause_job(caller, &self.job_id, self.reason).await.map(Into::into)
    }
}

impl UseCase for RestartJob {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<JobData, Fault> {
        let retry_failed = self.retry_failed.unwrap_or(false);
        broker.restart_job(caller, &self.job_id, retry_failed, self.reason).await.map(Into::into)
    }
}

impl UseCase for ReleaseWave {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<JobData, Fault> {
        broker.release_wave(caller, &self.job_id, self.reason).await.map(Into::into)
    }
}

impl UseCase for CancelTask {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<TaskData, Fault> {
        broker.cancel_task(caller, &self.task_id, self.reason).await.map(Into::into)
    }
}
