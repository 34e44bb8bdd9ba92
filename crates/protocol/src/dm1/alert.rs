//! Alerts of the device.

use serde::{Deserialize, Serialize};

use super::outcome::item_data;
use crate::syncml::{Alert, Item, ItemData, StatusCode, Text};

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

/// Takes the events of one alert into `alerts`. Returns its status; with any other than 200 nothing was taken.
pub(super) fn take_events(alerts: &mut Vec<DeviceAlert>, alert: &Alert, event: EventKind) -> StatusCode {
    if alert.items.is_empty() {
        return StatusCode::INCOMPLETE;
    }
    if alerts.len() + alert.items.len() > ALERTS_MAX || alert.items.iter().any(|it| it.more_data) {
        return StatusCode::TOO_LARGE;
    }
    let typeless = |it: &Item| it.meta.kind.as_deref().is_none_or(|kind| kind.trim().is_empty());
    if event == EventKind::GenericAlert && alert.items.iter().any(typeless) {
        return StatusCode::UNSUPPORTED_FORMAT;
    }
    alerts.extend(alert.items.iter().map(|item| DeviceAlert::read(item, alert.correlator.as_ref(), event)));
    StatusCode::OK
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
