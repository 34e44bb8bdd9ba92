use muster_broker::services::{OpenedSession, ServiceInfo};

use crate::contract::session as wire;
use crate::contract::value::Secret;

impl From<OpenedSession> for wire::UserSession {
    fn from(session: OpenedSession) -> Self {
        Self {
            session_id: Secret(session.session_id),
            user_name: Some(session.user_name),
            tenant: Some(session.tenant),
            expires_at: Some(session.expires_at),
        }
    }
}

impl From<ServiceInfo> for wire::ServiceInfo {
    fn from(info: ServiceInfo) -> Self {
        Self {
            server_id: info.server_id,
            contract_version: info.contract_version.to_owned(),
            product_version: info.product_version,
            feature: info.features.into_iter().map(str::to_owned).collect(),
            max_request_bytes: super::long(info.request_bytes_max),
            server_time: info.server_time,
        }
    }
}
