use muster_broker::access::Caller;
use muster_broker::fault::Fault;
use muster_broker::services::{Broker, RecordingWanted};

use super::UseCase;
use crate::contract::traces::{
    DeviceTrace, GetDeviceTrace, GetTraceMessages, SetDeviceTrace, TraceMessageList, TraceSetting,
};
use crate::convert::page;

impl UseCase for SetDeviceTrace {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<TraceSetting, Fault> {
        let wanted = RecordingWanted {
            enabled: self.enabled,
            sessions: self.sessions,
            duration_s: self.duration_seconds,
            discard: self.discard.unwrap_or_default(),
        };
        broker.set_device_trace(caller, self.device_id, self.oid, wanted).await.map(Into::into)
    }
}

impl UseCase for GetDeviceTrace {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<DeviceTrace, Fault> {
        broker.device_trace(caller, self.device_id, self.oid, &page(self.page)).await.map(Into::into)
    }
}

impl UseCase for GetTraceMessages {
    async fn carry_out(self, broker: &Broker, caller: &Caller) -> Result<TraceMessageList, Fault> {
        let page = page(self.page);
        broker.trace_messages(caller, self.device_id, self.oid, self.session, &page).await.map(Into::into)
    }
}
