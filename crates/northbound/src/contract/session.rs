//! ISessionServices.

use muster_broker::time::Timestamp;

use super::record::record;
use super::value::Secret;

record! {
    /// Opens a session. Needed only by clients that use neither WS-Security nor a client certificate.
    Login {
        /// User or External System.
        "userName" user_name: one String,
        /// Password; send it over TLS only.
        "password" password: one Secret,
        /// Management domain.
        "tenant" tenant: opt String,
    }

    /// Puts the end of a session off.
    RenewSession {
        /// Session to keep.
        "userSession" user_session: one UserSession,
    }

    /// Ends a session. Ending an ended session is no error.
    Logout {
        /// Session to end.
        "userSession" user_session: one UserSession,
    }

    /// Tells what this server is and offers.
    GetServiceInfo {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
    }
}

record! {
    /// Standard user session object. login returns it; every other operation takes it as its first parameter. Only
    /// sessionId is read by the server. It may be left out where the caller is authenticated by WS-Security or by a
    /// client certificate.
    UserSession {
        /// Opaque session identifier.
        "sessionId" session_id: one Secret,
        /// Name the session belongs to.
        "userName" user_name: opt String,
        /// Management domain the session works in.
        "tenant" tenant: opt String,
        /// When the session ends unless it is used before; UTC.
        "expiresAt" expires_at: opt Timestamp,
    }

    /// What this server is and offers.
    ServiceInfo {
        /// Identifier of this server among its peers.
        "serverId" server_id: one String,
        /// Version of this contract, for example 1.0.
        "contractVersion" contract_version: one String,
        /// Name and version of the server.
        "productVersion" product_version: one String,
        /// Optional parts offered: TUNNEL, MTOM, FEDERATION, UDDI, CARRIER_CALLBACK and the like.
        "feature" feature: many String,
        /// Largest request, in bytes.
        "maxRequestBytes" max_request_bytes: one i64,
        /// Clock of the server; UTC.
        "serverTime" server_time: one Timestamp,
    }
}
