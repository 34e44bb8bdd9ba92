use super::{Due, Pending};
use crate::fault::Fault;
use crate::id::DeviceOid;
use crate::ledger::Deed;
use crate::page::{Listed, Page};
use crate::time::Timestamp;
use crate::trace::{Recording, TraceMessage, TraceSession, TraceStep};

/// What is recorded of devices. What an authenticated message adds goes with its [`ContactStep`](super::ContactStep).
pub trait TraceStore: Send + Sync {
    /// Switches the recording of a device on or off; where `discard`, forgets what was recorded.
    ///
    /// The inner error is `UnknownDevice`, or `WrongState` if the record has no account: nothing would ever come.
    fn trace_set(
        &self,
        tenant: &str,
        device: DeviceOid,
        recording: Option<Recording>,
        discard: bool,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>>;
    /// Keeps what a message brought that changes nothing else. Changes nothing if the device is gone.
    fn trace_add(&self, step: TraceStep) -> Pending<'_, ()>;
    /// The recording of a device, and its recorded sessions, newest first.
    fn trace_list(
        &self,
        tenant: &str,
        device: DeviceOid,
        page: Page,
    ) -> Pending<'_, (Option<Recording>, Listed<TraceSession>)>;
    /// The messages of a recorded session, in order; nothing if there is no such session.
    fn trace_messages(
        &self,
        tenant: &str,
        device: DeviceOid,
        session: u32,
        page: Page,
    ) -> Pending<'_, Option<Listed<TraceMessage>>>;
    /// Forgets sessions whose last message came before `before`, at most `limit`.
    fn trace_forget(&self, before: Timestamp, limit: u32) -> Pending<'_, Due>;
}
