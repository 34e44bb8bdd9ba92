use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::Broker;

use super::UseCase;
use crate::contract::deployment_broker::{
    DoBootstrap, DoBulkOperation, DoOperation, GetOperationDefinitions, GetTaskById, OperationDefinitionList,
    OperationReceipt, TaskData,
};

impl UseCase for DoBootstrap {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<OperationReceipt, Fault> {
        broker.do_bootstrap(caller).await.map(Into::into)
    }
}

impl UseCase for DoOperation {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<String, Fault> {
        broker.do_operation(caller, self.try_into()?).await
    }
}

impl UseCase for DoBulkOperation {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<OperationReceipt, Fault> {
        broker.do_bulk_operation(caller, self.try_into()?).await.map(Into::into)
    }
}

impl UseCase for GetTaskById {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<TaskData, Fault> {
        broker.task_by_id(caller, &self.task_id).await.map(Into::into)
    }
}

impl UseCase for GetOperationDefinitions {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<OperationDefinitionList, Fault> {
        broker.operation_definitions(caller).map(Into::into)
    }
}
