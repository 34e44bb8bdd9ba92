//! ISessionServices: log in and out, and facts about the server.

use crate::time::Timestamp;

/// A session of the WSI as its caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSession {
    /// Opaque, with 256 random bits.
    pub session_id: String,
    /// Whose.
    pub user_name: String,
    /// Domain it works in.
    pub tenant: String,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
}

/// What this server is and offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceInfo {
    /// Identifier among its peers.
    pub server_id: String,
    /// Version of the contract.
    pub contract_version: &'static str,
    /// Name and version of the product.
    pub product_version: String,
    /// Optional parts offered.
    pub features: Vec<&'static str>,
    /// Largest request, in bytes.
    pub request_bytes_max: u64,
    /// Clock of the server.
    pub server_time: Timestamp,
}
