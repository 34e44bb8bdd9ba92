use muster_broker::page::Paged;
use muster_broker::services::TraceSetting;
use muster_broker::trace::{TraceMessage, TraceSession};

use super::{int, long};
use crate::contract::traces as wire;
use crate::contract::value::Octets;

impl From<TraceSetting> for wire::TraceSetting {
    fn from(setting: TraceSetting) -> Self {
        let recording = setting.recording;
        Self {
            oid: setting.device.oid.to_string(),
            device_id: setting.device.device_id,
            enabled: recording.is_some(),
            until: recording.map(|recording| recording.until),
            sessions: recording.map(|recording| small(recording.sessions)),
        }
    }
}

impl From<(TraceSetting, Paged<TraceSession>)> for wire::DeviceTrace {
    fn from((setting, page): (TraceSetting, Paged<TraceSession>)) -> Self {
        Self {
            setting: setting.into(),
            session: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<TraceSession> for wire::TraceSession {
    fn from(session: TraceSession) -> Self {
        Self {
            number: small(session.number),
            session_id: session.session_id,
            began_at: session.began_at,
            last_at: session.last_at,
            authenticated: session.is_let_in,
            ending: session.ending,
            task_id: session.task.map(|task| task.to_string()),
            message_count: small(session.messages),
            size: long(session.octets),
            left_out: small(session.left_out),
        }
    }
}

impl From<Paged<TraceMessage>> for wire::TraceMessageList {
    fn from(page: Paged<TraceMessage>) -> Self {
        Self {
            message: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<TraceMessage> for wire::TraceMessage {
    fn from(message: TraceMessage) -> Self {
        Self {
            number: small(message.number),
            at: message.at,
            direction: message.direction,
            content_type: message.content_type,
            length: small(message.length),
            content: Octets(message.octets),
            note: message.note,
        }
    }
}

fn small(number: u32) -> i32 {
    int(usize::try_from(number).unwrap_or(usize::MAX))
}
