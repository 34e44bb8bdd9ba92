//! Alerts of the device.

use serde::{Deserialize, Serialize};

use super::{
    large::{Assembly, Object, Owner, Taken},
    outcome::item_data,
};
use crate::syncml::{Alert, Item, ItemData, Meta, StatusCode, Text};

/// Alert codes, without those of user interaction.
///
/// Source: OMA DM Protocol 1.2, "Alert codes".
pub(super) mod code {
    pub(in crate::dm1) const SERVER_INITIATED: &str = "1200";
    pub(in crate::dm1) const CLIENT_INITIATED: &str = "1201";
    pub(in crate::dm1) const NEXT_MESSAGE: &str = "1222";
    pub(in crate::dm1) const SESSION_ABORT: &str = "1223";
    pub(in crate::dm1) const CLIENT_EVENT: &str = "1224";
    pub(in crate::dm1) const NO_END_OF_DATA: &str = "1225";
    pub(in crate::dm1) const GENERIC_ALERT: &str = "1226";
}

/// Which alert brought an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// 1224.
    ClientEvent,
    /// 1226.
    GenericAlert,
}

/// One event of the device: one `Item` of a client event or generic alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAlert {
    /// Which alert.
    pub event: EventKind,
    /// What it is about, without `Reversed-Domain-Name:` or `Content-Type:`. Empty where a client event has no type.
    pub alert_type: Text,
    /// The type as sent.
    pub raw_type: Text,
    /// `Mark`: importance, `informational` where the device left it out.
    pub mark: Text,
    /// `Format`, `chr` where the device left it out.
    pub format: Text,
    /// `Source/LocURI`: the management object concerned.
    pub source: Option<Text>,
    /// Value.
    #[serde(with = "item_data")]
    pub data: Option<ItemData>,
    /// Of the Exec that caused it.
    pub correlator: Option<Text>,
}

/// Events kept of one message: real devices send one to five.
pub(super) const ALERTS_MAX: usize = 256;

/// Takes the events of one alert into `alerts`. Returns its status and the objects that it broke off; with any other status
/// than 200, and 213 for a part, nothing was taken.
pub(super) fn take_events(
    alerts: &mut Vec<DeviceAlert>,
    alert: &Alert,
    event: EventKind,
    parts: &mut Assembly,
) -> (StatusCode, Vec<Object>) {
    if alert.items.is_empty() {
        return (StatusCode::INCOMPLETE, Vec::new());
    }
    if alerts.len() + alert.items.len() > ALERTS_MAX {
        return (StatusCode::TOO_LARGE, Vec::new());
    }
    let owner = Owner::Event(event, alert.correlator.clone());
    let (mut code, mut refused) = (StatusCode::OK, None);
    let (mut events, mut broken) = (Vec::new(), Vec::new());
    for item in &alert.items {
        let (taken, broke_off) = parts.take(&owner, item, &Meta::default());
        broken.extend(broke_off);
        match taken {
            Taken::Whole => events.push(DeviceAlert::read(item, alert.correlator.as_ref(), event)),
            Taken::Completed(item) => events.push(DeviceAlert::read(&item, alert.correlator.as_ref(), event)),
            Taken::Buffered => code = StatusCode::CHUNK_BUFFERED,
            Taken::Refused(code) => refused = Some(code),
        }
    }
    if event == EventKind::GenericAlert && events.iter().any(|it| it.alert_type.is_empty()) {
        refused = Some(StatusCode::UNSUPPORTED_FORMAT);
    }
    if refused.is_none() {
        alerts.append(&mut events);
    }
    (refused.unwrap_or(code), broken)
}

impl DeviceAlert {
    fn read(item: &Item, correlator: Option<&Text>, event: EventKind) -> Self {
        let meta = &item.meta;
        let raw_type = meta.kind.clone().unwrap_or_default();
        Self {
            event,
            alert_type: bare_type(&raw_type).into(),
            mark: meta.mark.clone().unwrap_or_else(|| "informational".into()),
            format: meta.format.clone().unwrap_or_else(|| "chr".into()),
            source: item.source.as_ref().or(item.target.as_ref()).map(|it| it.uri.clone()).filter(|it| !it.is_empty()),
            data: item.data.clone(),
            correlator: correlator.cloned(),
            raw_type,
        }
    }
}

/// The type without its optional prefix; real clients leave the prefix out or the space after it.
fn bare_type(raw: &str) -> &str {
    let raw = raw.trim();
    let bare = ["Reversed-Domain-Name:", "Content-Type:"].iter().find_map(|prefix| {
        let (head, rest) = raw.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(rest)
    });
    bare.unwrap_or(raw).trim()
}
