//! What devices and the server said to each other: switching the recording on and off, and reading it.

use super::{Broker, device_fields};
use crate::access::{Caller, Right, Scope};
use crate::device::Device;
use crate::fault::{Fault, FaultName};
use crate::identity::DeviceId;
use crate::operation::Arguments;
use crate::page::{Page, PageRequest, Paged};
use crate::store::DeviceKey;
use crate::trace::{self, Recording, TraceMessage, TraceSession};

/// To see and to record what a device says. A right of its own: messages hold what a device record does not, such as
/// places and contacts.
pub(super) const RIGHT: Right = Right::new("device", "trace");

/// How a caller wants a device to be recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingWanted {
    /// Whether to record.
    pub enabled: bool,
    /// Sessions to keep; [`Recording::SESSIONS`] when left out.
    pub sessions: Option<i32>,
    /// How long to record, in seconds; [`Recording::LIFE_S`] when left out.
    pub duration_s: Option<i64>,
    /// Whether to forget what was recorded so far.
    pub discard: bool,
}

/// A device and how it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSetting {
    /// The record.
    pub device: Device,
    /// Nothing where nothing is recorded now.
    pub recording: Option<Recording>,
}

impl Broker {
    /// Switches the recording of a device on or off.
    ///
    /// # Errors
    /// `NotAuthorized`, `MissingArgument`, `InvalidArgument`, `ConflictingArguments`, `UnknownDevice`, `WrongState` for
    /// a record without account.
    pub async fn set_device_trace(
        &self,
        caller: &Caller,
        device_id: Option<DeviceId>,
        oid: Option<String>,
        wanted: RecordingWanted,
    ) -> Result<TraceSetting, Fault> {
        let reach = caller.scope(RIGHT)?;
        let recording = self.recording(&wanted)?;
        let device = self.device_traced(caller, &reach, device_id, oid).await?;
        let deed = self.deed(caller, "setDeviceTrace");
        self.store.trace_set(&caller.tenant, device.oid, recording, wanted.discard, deed).await??;
        Ok(TraceSetting { device, recording })
    }

    /// How a device is recorded, and its recorded sessions, newest first.
    ///
    /// # Errors
    /// `NotAuthorized`, `MissingArgument`, `ConflictingArguments`, `UnknownDevice`, `InvalidPageToken`.
    pub async fn device_trace(
        &self,
        caller: &Caller,
        device_id: Option<DeviceId>,
        oid: Option<String>,
        page: &PageRequest,
    ) -> Result<(TraceSetting, Paged<TraceSession>), Fault> {
        let reach = caller.scope(RIGHT)?;
        let device = self.device_traced(caller, &reach, device_id, oid).await?;
        let scope = self.list_scope(caller, "traces", &device.oid);
        let page = Page::read(page, &scope, &*self.vault)?;
        let (recording, listed) = self.store.trace_list(&caller.tenant, device.oid, page).await?;
        let recording = recording.filter(|recording| recording.is_on(self.environment.now()));
        Ok((TraceSetting { device, recording }, listed.paged(&scope, &*self.vault, |session| session)))
    }

    /// The messages of one recorded session, in order.
    ///
    /// # Errors
    /// As [`Broker::device_trace`], and `InvalidArgument` where there is no such session.
    pub async fn trace_messages(
        &self,
        caller: &Caller,
        device_id: Option<DeviceId>,
        oid: Option<String>,
        session: i32,
        page: &PageRequest,
    ) -> Result<Paged<TraceMessage>, Fault> {
        let reach = caller.scope(RIGHT)?;
        let device = self.device_traced(caller, &reach, device_id, oid).await?;
        let unknown = || {
            let why = "no recorded session has this number; getDeviceTrace lists them";
            Fault::invalid("session", session, why)
        };
        let number = u32::try_from(session).map_err(|_| unknown())?;
        let scope = self.list_scope(caller, "trace messages", &(device.oid, number));
        let page = Page::read(page, &scope, &*self.vault)?;
        let listed = self.store.trace_messages(&caller.tenant, device.oid, number, page).await?.ok_or_else(unknown)?;
        Ok(listed.paged(&scope, &*self.vault, |message| message))
    }

    fn recording(&self, wanted: &RecordingWanted) -> Result<Option<Recording>, Fault> {
        let sessions = match wanted.sessions {
            None => Recording::SESSIONS,
            Some(given) => u32::try_from(given)
                .ok()
                .filter(|sessions| (1..=Recording::SESSIONS_MAX).contains(sessions))
                .ok_or_else(|| {
                    Fault::invalid("sessions", given, format_args!("must be 1 to {}", Recording::SESSIONS_MAX))
                })?,
        };
        let life_s = wanted.duration_s.unwrap_or(Recording::LIFE_S);
        if !(1..=Recording::LIFE_S_MAX).contains(&life_s) {
            let why = format!("must be 1 to {} seconds", Recording::LIFE_S_MAX);
            return Err(Fault::invalid("durationSeconds", life_s, why));
        }
        let until = self.environment.now().plus_s(life_s);
        Ok(wanted.enabled.then_some(Recording { until, sessions }))
    }

    async fn device_traced(
        &self,
        caller: &Caller,
        reach: &Scope,
        device_id: Option<DeviceId>,
        oid: Option<String>,
    ) -> Result<Device, Fault> {
        let key = match (oid, &device_id) {
            (Some(oid), _) => DeviceKey::Oid(device_fields::read_oid(&oid)?),
            (None, Some(id)) => DeviceKey::DeviceId(id.clone()),
            (None, None) => {
                return Err(Fault::new(FaultName::MissingArgument, "give deviceID or oid").with("deviceID"));
            }
        };
        let device = self.device_reached(caller, RIGHT, reach, key).await?;
        if device_id.is_some() && device.device_id != device_id {
            let text = "oid and deviceID belong to different records; give one of them";
            return Err(Fault::new(FaultName::ConflictingArguments, text).with("deviceID").with("oid"));
        }
        Ok(device)
    }
}

/// Refuses the option by which a task has its sessions recorded to callers who may not see what that records.
/// Gives how far the right reaches, where it is needed.
pub(super) fn may_trace(caller: &Caller, arguments: &Arguments) -> Result<Option<Scope>, Fault> {
    arguments.is_set(trace::OPTION).then(|| caller.scope(RIGHT)).transpose()
}

/// A job over any number of devices is not recorded: nobody would read it, and the store would fill.
pub(super) fn is_not_of_many(arguments: &Arguments) -> Result<(), Fault> {
    if arguments.is_set(trace::OPTION) {
        let why = "is for single tasks; record a few devices of the job with setDeviceTrace";
        return Err(Fault::invalid(trace::OPTION, "true", why));
    }
    Ok(())
}
